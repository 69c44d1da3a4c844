//! Amounts against a reading of the whole history: how many, sum, least, greatest, average, in every window.

use crate::build::{Build, MINUTE, PERSONAL, SECOND};
use crate::world::{START, World, event, int, map, text};
use proptest::prelude::*;
use selvedge_core::consent::Purposes;
use selvedge_core::event::EventType;
use selvedge_core::id::WriterId;
use selvedge_core::number::Number;
use selvedge_core::rules::{Known, Program};
use selvedge_core::value::Value;
use selvedge_core::wire::program::{Metric, MetricKind, Scope, Window};
use selvedge_core::wire::state::VisitorState;

const KINDS: [MetricKind; 5] =
    [MetricKind::Tally, MetricKind::Sum, MetricKind::Min, MetricKind::Max, MetricKind::Average];
const WINDOWS: [(Window, Scope); 10] = [
    (Window::Page, Scope::Session),
    (Window::Session, Scope::Session),
    (Window::Sliding(1_000), Scope::Visitor),
    (Window::Sliding(600_000), Scope::Visitor),
    (Window::Sliding(86_400_000), Scope::Session),
    (Window::Sliding(604_800_000), Scope::Visitor),
    (Window::Today, Scope::Visitor),
    (Window::Week, Scope::Profile),
    (Window::Month, Scope::Visitor),
    (Window::Ever, Scope::Visitor),
];
const MISSING: i64 = i64::MIN;

fn metric(kind: MetricKind, (window, scope): (Window, Scope), detail: u16) -> Metric {
    let property = (kind != MetricKind::Tally).then(|| "value".to_owned());
    Metric { kind, event: "buy".into(), property, window, scope, detail, ..Metric::default() }
}

/// Every kind in every window, sums also as ones that are never negative: one fact each, in this order.
fn metrics() -> Vec<Metric> {
    let of = |at: (Window, Scope)| {
        let kinds = KINDS.into_iter().map(move |kind| metric(kind, at, 0));
        kinds.chain([metric(MetricKind::Sum, at, 1)])
    };
    WINDOWS.into_iter().flat_map(of).collect()
}

fn program(is_positive: bool) -> Build {
    let mut build = Build::new();
    build.berlin();
    for metric in metrics() {
        build.metric(Metric { detail: if is_positive { metric.detail } else { 0 }, ..metric });
    }
    build
}

#[derive(Debug, Clone)]
struct Step {
    after_ms: i64,
    writer: u8,
    what: What,
    in_force: Purposes,
}

#[derive(Debug, Clone)]
enum What {
    Page,
    Other,
    Buy(Option<i64>),
    /// Its value is a text.
    BadBuy,
}

fn step() -> impl Strategy<Value = Step> {
    let after_ms = prop_oneof![
        1 => -20_000i64..0,
        4 => 0i64..900,
        4 => 0i64..200_000,
        2 => 1_700_000i64..1_900_000,
        2 => 0i64..90_000_000,
        1 => 0i64..900_000_000,
    ];
    let what = prop_oneof![
        2 => Just(What::Page),
        1 => Just(What::Other),
        6 => (0i64..1_000).prop_map(|value| What::Buy(Some(value))),
        1 => Just(What::Buy(Some(i64::MAX / 1_000_000))),
        1 => Just(What::Buy(None)),
        1 => Just(What::BadBuy),
    ];
    let in_force = prop_oneof![9 => Just(Purposes(0xf)), 1 => Just(Purposes(0xf).without(PERSONAL))];
    (after_ms, 0..2u8, what, in_force).prop_map(|(after_ms, writer, what, in_force)| Step {
        after_ms,
        writer,
        what,
        in_force,
    })
}

/// What was taken in, with what the engine said of session and page view at that time.
struct Past {
    time_ms: i64,
    value: Option<Option<i64>>,
    session: u32,
    page: Option<(u8, i64)>,
}

#[derive(Default)]
struct History {
    past: Vec<Past>,
    since_ms: i64,
    was_in_force: bool,
    /// Whether the purpose is in force at the moment that is asked for; of an event that came late only this is known.
    is_in_force: bool,
    now_ms: i64,
}

/// Berlin's local days, by the rule for its summer time.
fn day(time_ms: i64) -> i64 {
    let is_summer = (30_103_260..30_415_740).contains(&time_ms.div_euclid(60_000));
    (time_ms + if is_summer { 2 } else { 1 } * 3_600_000).div_euclid(86_400_000)
}

/// The first local day of each month of 2027 and 2028, counted in days since 1970.
fn month(day: i64) -> usize {
    let lengths =
        [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut first = 20_819;
    if day < first {
        return 98;
    }
    lengths
        .iter()
        .position(|length| {
            first += length;
            day < first
        })
        .unwrap_or(99)
}

impl History {
    /// The events of a metric's window, and when that began.
    fn window(&self, metric: &Metric, session: (u32, i64), page: Option<(u8, i64)>) -> (Vec<&Past>, i64) {
        let now_ms = self.now_ms;
        let of_session = |past: &&Past| past.session == session.0;
        let same = |of: &dyn Fn(i64) -> i64| {
            let events = self.past.iter().filter(|past| of(past.time_ms) == of(now_ms)).collect();
            // The period began with the first hour that is of it.
            let mut start_ms = now_ms - now_ms.rem_euclid(3_600_000);
            while of(start_ms - 3_600_000) == of(now_ms) {
                start_ms -= 3_600_000;
            }
            (events, start_ms)
        };
        match metric.window {
            Window::Page => {
                let page = page.expect("an open page view");
                (self.past.iter().filter(|past| past.page == Some(page)).collect(), page.1)
            }
            Window::Session => (self.past.iter().filter(of_session).collect(), session.1),
            Window::Sliding(window_ms) => {
                let pane_ms = i64::try_from(window_ms / 12).unwrap();
                let oldest = now_ms.div_euclid(pane_ms) - 11;
                let events = self.past.iter().filter(|past| past.time_ms.div_euclid(pane_ms) >= oldest);
                let start_ms = oldest * pane_ms;
                match metric.scope {
                    Scope::Session => (events.filter(of_session).collect(), start_ms.max(session.1)),
                    _ => (events.collect(), start_ms),
                }
            }
            Window::Today => same(&day),
            // 4 January 1970 was a Sunday.
            Window::Week => same(&|time_ms| (day(time_ms) - 4).div_euclid(7)),
            Window::Month => same(&|time_ms| month(day(time_ms)) as i64),
            Window::Ever => (self.past.iter().collect(), START),
        }
    }

    fn is_observed(&self) -> bool {
        self.was_in_force && self.is_in_force
    }

    fn known(&self, metric: &Metric, session: (u32, i64), page: Option<(u8, i64)>) -> Known {
        let any = Known { low: MISSING, high: i64::MAX };
        let is_sum = metric.kind == MetricKind::Sum;
        if metric.window == Window::Page && page.is_none() {
            return match (metric.kind, metric.detail) {
                (MetricKind::Tally, _) | (MetricKind::Sum, 1) => Known { low: 0, high: i64::MAX },
                (MetricKind::Sum, _) => Known { low: MISSING + 1, high: i64::MAX },
                _ => any,
            };
        }
        let (past, start_ms) = self.window(metric, session, page);
        let is_watched = self.is_observed() && self.since_ms <= start_ms.max(START);
        let values: Vec<i64> = past.iter().filter_map(|past| past.value?).collect();
        let sum = values.iter().fold(0i64, |sum, value| sum.saturating_add(*value));
        let bought = past.iter().filter(|past| past.value.is_some()).count();
        let exact = match metric.kind {
            MetricKind::Tally => i64::try_from(bought).unwrap(),
            MetricKind::Sum => sum,
            MetricKind::Min => values.iter().copied().min().unwrap_or(MISSING),
            MetricKind::Max => values.iter().copied().max().unwrap_or(MISSING),
            _ if values.is_empty() => MISSING,
            _ => sum.div_euclid(i64::try_from(values.len()).unwrap()),
        };
        match (metric.kind, metric.detail) {
            _ if is_watched => Known { low: exact, high: exact },
            (MetricKind::Tally | MetricKind::Max, _) | (MetricKind::Sum, 1) => {
                Known { low: exact, high: i64::MAX }
            }
            (MetricKind::Min, _) if exact != MISSING => Known { low: MISSING + 1, high: exact },
            _ if is_sum => Known { low: MISSING + 1, high: i64::MAX },
            _ => any,
        }
    }
}

/// What the bytes of each cell alone take is within what was promised for it.
fn no_cell_is_above_its_bound(world: &World) -> Result<(), TestCaseError> {
    let pages = Vec::new();
    let none = VisitorState { cells: Vec::new(), pages, ..world.state.clone() };
    for metric in &world.program.parts().metrics {
        let cells = world.state.cells.iter().filter(|cell| cell.hash == metric.meaning).cloned().collect();
        let bytes = VisitorState { cells, ..none.clone() }.encode().len() - none.encode().len();
        let max = Program::metric_bytes_max(metric);
        prop_assert!(bytes <= max, "{:?} in {:?}: {} of {}", metric.kind, metric.window, bytes, max);
    }
    Ok(())
}

/// Runs the steps; after each, all that is known is what the whole history says.
fn compare(steps: &[Step], start_ms: i64) -> Result<(), TestCaseError> {
    let mut world = World::new(program(true).program());
    let mut history = History { since_ms: START, was_in_force: true, now_ms: START, ..History::default() };
    let mut at_ms = start_ms;
    for step in steps {
        at_ms = (at_ms + step.after_ms).max(start_ms);
        world.writer = WriterId::from_bits(u64::from(step.writer) + 1);
        world.in_force = step.in_force;
        let (event_type, name, properties) = match &step.what {
            What::Page => (EventType::Page, "page", map([("path", text("/"))])),
            What::Other => (EventType::Track, "other", map([("value", int(7))])),
            What::Buy(Some(value)) => (EventType::Track, "buy", map([("value", int(*value))])),
            What::Buy(None) => (EventType::Track, "buy", map([("other", Value::Number(Number::Int(1)))])),
            What::BadBuy => (EventType::Track, "buy", map([("value", text("7"))])),
        };
        let stepped = world.step(at_ms, &event(event_type, name, START + at_ms, properties));
        let time_ms = START + at_ms;
        history.now_ms = history.now_ms.max(time_ms);
        let session = (world.state.session.number, world.state.session.start_ms);
        let page = world.state.pages.iter().find(|page| page.writer == world.writer && page.is_begun);
        let page = page.map(|page| (step.writer, page.start_ms));
        let holds = step.in_force.holds(PERSONAL);
        history.is_in_force = holds;
        if !stepped.late {
            if !(holds && history.was_in_force) {
                history.since_ms = history.since_ms.max(time_ms + i64::from(!holds));
            }
            history.was_in_force = holds;
            let value = match step.what {
                What::Buy(value) => Some(value.map(|value| value * 1_000_000)),
                What::BadBuy => Some(None),
                _ => None,
            };
            if holds && value.is_some() {
                let session = if time_ms >= session.1 { session.0 } else { 0 };
                let page = page.filter(|(_, start_ms)| time_ms >= *start_ms);
                history.past.push(Past { time_ms, value, session, page });
            }
        }
        for (fact, metric) in (0..).zip(metrics()) {
            let known = world.known(at_ms, fact);
            let expected = if history.is_observed() || metric.kind != MetricKind::Average {
                history.known(&metric, session, page)
            } else {
                Known { low: MISSING, high: i64::MAX }
            };
            prop_assert_eq!(known, expected, "{:?} in {:?} at {}", metric.kind, metric.window, at_ms);
        }
        let bytes = world.state.encode();
        prop_assert_eq!(VisitorState::decode(&bytes), Ok(world.state.clone()));
        no_cell_is_above_its_bound(&world)?;
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn amounts_are_those_of_the_whole_history(steps in prop::collection::vec(step(), 1..40)) {
        compare(&steps, 0)?;
    }

    #[test]
    fn amounts_are_those_of_the_whole_history_around_the_change_of_the_clock(steps in prop::collection::vec(step(), 1..40)) {
        // Half a day before summer time begins.
        compare(&steps, 30_103_260 * 60_000 - START - 43_200_000)?;
    }
}

fn world(kind: MetricKind, window: Window) -> World {
    let mut build = Build::new();
    build.berlin();
    let scope =
        if matches!(window, Window::Page | Window::Session) { Scope::Session } else { Scope::Visitor };
    build.metric(metric(kind, (window, scope), 0));
    World::new(build.program())
}

fn buy(world: &mut World, at_ms: i64, value: i64) {
    world.track_with(at_ms, "buy", map([("value", int(value))]));
}

#[test]
fn a_window_of_panes_holds_nothing_older_and_always_its_newest_eleven_twelfths() {
    let mut world = world(MetricKind::Tally, Window::Sliding(720_000));
    // START lies on the border of a pane of a minute.
    assert_eq!(START % MINUTE, 0);
    buy(&mut world, 59 * SECOND, 1);
    let count = |at_ms| world.known(at_ms, 0).low;
    assert_eq!(count(12 * MINUTE - 1), 1);
    assert_eq!(count(12 * MINUTE), 0);
}

#[test]
fn a_sum_stops_at_the_largest_number() {
    let mut world = world(MetricKind::Sum, Window::Ever);
    for _ in 0..3 {
        buy(&mut world, 0, i64::MAX / 1_000_000);
    }
    assert_eq!(world.known(0, 0), Known { low: i64::MAX, high: i64::MAX });
}

#[test]
fn an_average_is_rounded_down() {
    let mut world = world(MetricKind::Average, Window::Session);
    buy(&mut world, 0, -1);
    buy(&mut world, 1, 0);
    buy(&mut world, 2, 0);
    assert_eq!(world.known(2, 0).low, -333_334);
}

#[test]
fn what_an_event_does_not_bring_leaves_it_out() {
    let mut world = world(MetricKind::Average, Window::Session);
    world.track(0, "buy");
    assert_eq!(world.known(0, 0), Known { low: MISSING, high: MISSING });
    world.track_with(1, "buy", map([("value", text("12"))]));
    buy(&mut world, 2, 12);
    assert_eq!(world.known(2, 0).low, 12_000_000);
}
