//! Sequences and absences, event by event, against a reference that reads the whole history each time.

use crate::build::{Build, PERSONAL};
use crate::world::{START, World};
use proptest::prelude::*;
use selvedge_core::consent::Purposes;
use selvedge_core::rules::Program;
use selvedge_core::wire::program::SequenceKind::{self, Absence, Then, ThenNo};
use selvedge_core::wire::state::VisitorState;

struct Asked {
    asks: SequenceKind,
    steps: &'static [&'static str],
    others: [Option<&'static str>; 2],
    window_ms: i64,
}

const ASKED: [Asked; 9] = [
    Asked { asks: Then, steps: &["a", "b"], others: [None; 2], window_ms: 10_000 },
    Asked { asks: Then, steps: &["a", "b"], others: [None, Some("x")], window_ms: 20_000 },
    Asked { asks: Then, steps: &["a", "b", "c"], others: [None; 2], window_ms: 30_000 },
    Asked { asks: Then, steps: &["a", "b", "c"], others: [None, Some("x")], window_ms: 15_000 },
    Asked { asks: Then, steps: &["a", "a"], others: [None; 2], window_ms: 3_000 },
    Asked { asks: ThenNo, steps: &["a"], others: [Some("b"), None], window_ms: 10_000 },
    Asked { asks: ThenNo, steps: &["a", "b"], others: [Some("c"), Some("x")], window_ms: 20_000 },
    Asked { asks: ThenNo, steps: &["a"], others: [Some("a"), None], window_ms: 5_000 },
    Asked { asks: Absence, steps: &["c"], others: [None; 2], window_ms: 12_000 },
];

const NAMES: [&str; 5] = ["a", "b", "c", "x", "other"];

fn program() -> Program {
    let mut build = Build::new();
    for asked in &ASKED {
        build.sequence(asked.asks, asked.steps, asked.others, asked.window_ms);
    }
    build.program()
}

/// An event: when, and its name. Those of one millisecond stand in the order of the names.
type Past = (i64, &'static str);

impl Asked {
    /// Whether it is there at `now_ms`, by the whole history in its order.
    fn holds(&self, history: &[Past], now_ms: i64) -> bool {
        match self.asks {
            Absence => {
                let last = history.iter().rev().find(|(_, name)| *name == self.steps[0]);
                now_ms - last.map_or(START, |(time_ms, _)| *time_ms) >= self.window_ms
            }
            Then => {
                let starts = (0..history.len()).filter(|at| history[*at].1 == self.steps[0]);
                let mut ends = starts.filter_map(|start| self.end_of(history, start));
                ends.any(|end| now_ms - history[end].0 < self.window_ms)
            }
            ThenNo => {
                let Some(start) = history.iter().rposition(|(_, name)| *name == self.steps[0]) else {
                    return false;
                };
                let is_over = now_ms - history[start].0 >= self.window_ms;
                let end = if self.steps.len() == 1 { Some(start) } else { self.end_of(history, start) };
                let Some(end) = end else { return false };
                let ends_it = |(_, name): &Past| self.others.contains(&Some(*name));
                is_over && !history[end + 1..].iter().any(ends_it)
            }
        }
    }

    /// Where the run that begins at `start` has all its steps.
    fn end_of(&self, history: &[Past], start: usize) -> Option<usize> {
        let mut left = &self.steps[1..];
        for (at, (time_ms, name)) in history.iter().enumerate().skip(start + 1) {
            if Some(*name) == self.others[1] || time_ms - history[start].0 >= self.window_ms {
                return None;
            }
            if *name == left[0] {
                left = &left[1..];
                if left.is_empty() {
                    return Some(at);
                }
            } else if *name == self.steps[0] {
                return None;
            }
        }
        None
    }
}

fn events() -> impl Strategy<Value = Vec<(i64, usize, bool)>> {
    prop::collection::vec(
        (prop_oneof![3 => 300i64..4_000, 1 => 4_000i64..25_000], 0..5usize, prop::bool::weighted(0.85)),
        1..30,
    )
}

/// What is known of everything asked, at some times after the newest event.
fn verdicts(world: &World, now_ms: i64) -> Vec<Vec<Option<bool>>> {
    let at = [0, 1, 2_999, 3_000, 5_000, 10_000, 12_000, 15_000, 20_000, 40_000];
    at.map(|after| world.all_hold(now_ms - START + after)).to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn sequences_are_those_of_the_whole_history(events in events()) {
        let mut world = World::new(program());
        let mut history: Vec<Past> = Vec::new();
        let mut at_ms = 0;
        for (after_ms, name, _) in events {
            at_ms += after_ms;
            world.track(at_ms, NAMES[name]);
            history.push((START + at_ms, NAMES[name]));
            world.state = VisitorState::decode(&world.state.encode()).unwrap();
            for later_ms in [0, 1, 2_999, 3_000, 5_000, 10_000, 12_000, 15_000, 20_000, 30_000, 60_000] {
                let known = world.all_hold(at_ms + later_ms);
                let expected = ASKED.each_ref().map(|asked| Some(asked.holds(&history, START + at_ms + later_ms)));
                prop_assert_eq!(known.as_slice(), &expected[..], "+{}", later_ms);
            }
        }
    }

    #[test]
    fn what_is_known_is_so_whatever_went_unobserved(events in events()) {
        let mut world = World::new(program());
        let mut history: Vec<Past> = Vec::new();
        let mut at_ms = 0;
        for (after_ms, name, is_observed) in events {
            at_ms += after_ms;
            world.in_force = if is_observed { PERSONAL } else { Purposes::NECESSARY };
            world.track(at_ms, NAMES[name]);
            history.push((START + at_ms, NAMES[name]));
            for later_ms in [0, 1, 5_000, 12_000, 40_000] {
                for (known, asked) in world.all_hold(at_ms + later_ms).iter().zip(&ASKED) {
                    let so = asked.holds(&history, START + at_ms + later_ms);
                    prop_assert!(known.is_none_or(|known| known == so), "{:?} +{}", asked.steps, later_ms);
                }
            }
        }
    }

    #[test]
    fn events_out_of_order_by_two_seconds_are_as_in_order(events in events(), delays in prop::collection::vec(0i64..=2_000, 30)) {
        let mut at_ms = 0;
        let mut sent: Vec<(i64, i64, usize)> = Vec::new();
        for ((after_ms, name, _), delay_ms) in events.iter().zip(delays) {
            at_ms += after_ms;
            sent.push((at_ms + delay_ms, at_ms, *name));
        }
        let mut in_order = World::new(program());
        for (_, at_ms, name) in &sent {
            in_order.track(*at_ms, NAMES[*name]);
        }
        sent.sort_unstable();
        let mut as_received = World::new(program());
        for (_, at_ms, name) in &sent {
            as_received.track(*at_ms, NAMES[*name]);
        }
        prop_assert_eq!(verdicts(&as_received, START + at_ms), verdicts(&in_order, START + at_ms));
    }
}
