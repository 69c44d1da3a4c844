//! The engine, event by event, against a reference that keeps the whole history and counts it anew each time.

use crate::build::{Build, at_least, exactly};
use crate::happenings::{Happening, Kind, NAMES, happenings};
use crate::world::{START, World};
use proptest::prelude::*;
use selvedge_core::consent::Purposes;
use selvedge_core::id::WriterId;
use selvedge_core::limits::{SESSION_IDLE_MS, SESSION_MS_MAX};
use selvedge_core::rules::Program;
use selvedge_core::wire::answer::Reason;
use selvedge_core::wire::program::{Hold, Window};

const LATE_MS: i64 = 30_000;
const METRICS: [(&str, Window, u16); 8] = [
    ("view", Window::Sliding(30_000), 1),
    ("view", Window::Sliding(600_000), 3),
    ("add", Window::Sliding(86_400_000), 5),
    ("page", Window::Sliding(3_600_000), 2),
    ("view", Window::Session, 3),
    ("page", Window::Session, 2),
    ("view", Window::Page, 2),
    ("page", Window::Page, 2),
];

/// For every metric a rule for every value that it can be known to have.
fn program() -> Program {
    let mut build = Build::new();
    for (at, (event, window, threshold)) in METRICS.into_iter().enumerate() {
        let fact = build.count(event, window, threshold);
        for value in 0..=threshold {
            let when =
                if value == threshold { at_least(fact, value.into()) } else { exactly(fact, value.into()) };
            let rule = build.rule(&format!("{at} is {value}"), "hero", Some(when));
            rule.purpose = Purposes::NECESSARY;
            rule.hold = Hold::Time(0);
        }
    }
    build.program()
}

/// One event that was stepped.
struct Past {
    name: String,
    time_ms: i64,
    writer: WriterId,
    in_force: Purposes,
}

#[derive(Default)]
struct History {
    past: Vec<Past>,
}

impl History {
    fn newest_ms(&self) -> i64 {
        self.past.iter().map(|past| past.time_ms).max().unwrap_or(START)
    }

    /// Since when a purpose was in force all the time: events without it leave a gap up to the next one with it.
    fn observed_since(&self, purpose: Purposes) -> i64 {
        let mut since_ms = START;
        let mut was_in_force = true;
        for past in &self.past {
            let is_in_force = past.in_force.holds(purpose);
            if !is_in_force {
                since_ms = since_ms.max(past.time_ms + 1);
            } else if !was_in_force {
                since_ms = since_ms.max(past.time_ms);
            }
            was_in_force = is_in_force;
        }
        since_ms
    }

    /// The session that is open at the end: where in the history it begins, and its start. Every session of this history
    /// is observed.
    fn session(&self) -> Option<(usize, i64)> {
        let mut open: Option<(usize, i64, i64, String)> = None;
        for (at, past) in self.past.iter().enumerate() {
            let (campaign, begins) = match &open {
                None => (String::new(), true),
                Some((_, start_ms, last_ms, campaign)) => {
                    let is_newer = past.time_ms >= *last_ms;
                    let is_over =
                        past.time_ms - last_ms > SESSION_IDLE_MS || past.time_ms - start_ms > SESSION_MS_MAX;
                    (campaign.clone(), is_newer && is_over)
                }
            };
            if begins {
                open = Some((at, past.time_ms, past.time_ms, campaign));
            } else if let Some((_, _, last_ms, _)) = &mut open {
                *last_ms = past.time_ms.max(*last_ms);
            }
        }
        open.map(|(at, start_ms, ..)| (at, start_ms))
    }

    /// The open page view of a writer: where it begins, and its start.
    fn page(&self, writer: WriterId) -> Option<(usize, i64)> {
        let mut open: Option<(usize, i64)> = None;
        for (at, past) in self.past.iter().enumerate() {
            if past.writer == writer
                && past.name == "page"
                && open.is_none_or(|(_, start_ms)| past.time_ms >= start_ms)
            {
                open = Some((at, past.time_ms));
            }
        }
        open
    }

    fn count(&self, event: &str, from: usize, start_ms: i64, of: impl Fn(&Past) -> bool) -> usize {
        let past = self.past.iter().skip(from);
        past.filter(|past| past.name == event && past.time_ms >= start_ms && of(past)).count()
    }

    /// The value that a metric is known to have.
    fn value(&self, metric: usize, now_ms: i64, writer: WriterId) -> Option<usize> {
        let (event, window, threshold) = METRICS[metric];
        let top = usize::from(threshold);
        let purpose = Purposes::PERSONALIZATION;
        let usable = |past: &Past| past.in_force.holds(purpose);
        let (count, start_ms) = match window {
            Window::Sliding(window_ms) => {
                let start_ms = now_ms - i64::try_from(window_ms).unwrap() + 1;
                (self.count(event, 0, start_ms, usable), start_ms)
            }
            Window::Session => {
                let (from, start_ms) = self.session().unwrap_or((0, START));
                (self.count(event, from, start_ms, usable), start_ms)
            }
            Window::Page => {
                let (from, start_ms) = self.page(writer)?;
                (self.count(event, from, start_ms, |past| past.writer == writer && usable(past)), start_ms)
            }
            Window::Today | Window::Week | Window::Month | Window::Ever => return None,
        };
        let is_observed = self.observed_since(purpose) <= start_ms.max(START)
            && self.past.last().is_none_or(|past| past.in_force.holds(purpose));
        (count >= top || is_observed).then_some(count.min(top))
    }
}

fn compare(happenings: &[Happening]) -> Result<(), TestCaseError> {
    let mut world = World::new(program());
    let mut history = History::default();
    let mut at_ms = 0;
    for happening in happenings {
        at_ms = (at_ms + happening.after_ms).max(0);
        // Analytics and the purposes of page views stay granted: sessions and page views have their own tests.
        world.in_force = happening.in_force.or(Purposes::ANALYTICS);
        world.writer = happening.writer();
        let event = happening.event(at_ms);
        let is_late = history.newest_ms() - event.time_ms.cast_signed() > LATE_MS && !history.past.is_empty();
        prop_assert_eq!(world.step(at_ms, &event).late, is_late);
        if !is_late {
            history.past.push(Past {
                name: event.name.clone(),
                time_ms: START + at_ms,
                writer: world.writer,
                in_force: world.in_force,
            });
        }
        let explained = world.explain(at_ms);
        let rules = world.program.rules();
        for (rule, candidate) in rules.iter().zip(&explained) {
            let (metric, value) = rule.id.split_once(" is ").unwrap();
            let (metric, value): (usize, usize) = (metric.parse().unwrap(), value.parse().unwrap());
            let now_ms = history.newest_ms().max(START + at_ms);
            let mut expected = history.value(metric, now_ms, world.writer);
            if !world.in_force.holds(Purposes::PERSONALIZATION) {
                let top = usize::from(METRICS[metric].2);
                expected = expected.filter(|value| *value == top);
            }
            let is_true = matches!(candidate.reason, Reason::Won | Reason::LowerPriority);
            prop_assert_eq!(is_true, expected == Some(value), "{} {:?} {:?}", &rule.id, expected, candidate);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn counts_are_those_of_the_whole_history(mut happenings in happenings(40), jitter in prop::collection::vec(-40_000i64..1, 40)) {
        for (happening, jitter) in happenings.iter_mut().zip(jitter) {
            if happening.writer == 2 {
                happening.after_ms = jitter;
            }
            if let Kind::Landing(_) | Kind::Expose(_) | Kind::Identify(_) = happening.kind {
                happening.kind = Kind::Track(0);
            }
        }
        compare(&happenings)?;
    }
}

#[test]
fn the_reference_names_the_events_that_happen() {
    assert!(METRICS.iter().all(|(event, ..)| *event == "page" || NAMES.contains(event)));
}
