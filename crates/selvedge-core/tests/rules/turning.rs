//! What time alone changes: moments, clocks, values that become too old, scores that fade.

use crate::build::{Build, Condition, DAY, HOUR, MINUTE, PERSONAL, SECOND, at_least, exactly};
use crate::world::{START, World, int, map, text};
use proptest::prelude::*;
use selvedge_core::rules::{Moment, decide, next_deadline, next_wake, wake};
use selvedge_core::value::Map;
use selvedge_core::wire::program::{
    AttributeScope, AttributeType, Builtin, Emit, FactSource, Hold, IfStale, Metric, MetricKind, Offset,
    Points, Score, Shape, Term, Test, Ttl, Window,
};

// START is Friday, 15 January 2027, 08:00:00 UTC.

fn next(world: &World, from_ms: i64) -> Option<i64> {
    next_deadline(&world.program, &world.state, START + from_ms).map(|at_ms| at_ms - START)
}

/// All deadlines from the last event on, each decided at.
fn deadlines(world: &mut World) -> Vec<i64> {
    let mut found = Vec::new();
    while let Some(at_ms) = next_wake(&world.program, &world.state) {
        assert!(found.len() < 50, "{found:?}");
        let context = Map::new();
        let moment =
            Moment { context: &context, account: None, orders: world.orders, ..world.moment(at_ms - START) };
        assert_eq!(wake(&world.program, &mut world.state, &moment), Some(at_ms));
        decide(&world.program, &mut world.state, &moment);
        found.push(at_ms - START);
    }
    found
}

/// A rule in the hero slot that is held for no time.
fn rule(build: &mut Build, when: Condition) {
    build.rule("r", "hero", Some(when)).hold = Hold::Time(0);
}

fn attribute(build: &mut Build, name: &str, attribute_type: AttributeType) -> u16 {
    let at = build.attribute(name, AttributeScope::Visitor, attribute_type);
    build.fact(FactSource::Attribute(at), Shape::Number)
}

fn difference(build: &mut Build, first: u16, second: u16) -> u16 {
    let [first, second] = [first, second].map(|fact| Term { fact, is_count: false });
    build.fact(FactSource::Difference(first, second), Shape::Number)
}

#[test]
fn a_moment_within_the_next_days_is_a_deadline_and_so_is_that_it_passes() {
    let mut build = Build::new();
    let ends = attribute(&mut build, "ends", AttributeType::Time);
    let now = build.builtin(Builtin::Now);
    let left = difference(&mut build, ends, now);
    rule(&mut build, Condition::Leaf(left, Test::Range(0, 3 * DAY)));
    let mut world = World::new(build.program());
    world.track(0, "a");
    assert_eq!(next(&world, 0), None, "nothing is known of it");
    world.identify(0, map([("ends", int(START + 14 * DAY))]));
    assert_eq!(deadlines(&mut world), [11 * DAY, 14 * DAY + 1]);
    world.identify(15 * DAY, map([("ends", int(START + 16 * DAY))]));
    assert_eq!(deadlines(&mut world), [16 * DAY + 1], "it is within the next days at once");
}

#[test]
fn the_last_days_and_the_time_since_an_event_end_at_their_time() {
    let mut build = Build::new();
    let began = attribute(&mut build, "began", AttributeType::Time);
    let now = build.builtin(Builtin::Now);
    let ago = difference(&mut build, now, began);
    rule(&mut build, Condition::Leaf(ago, Test::Range(0, 7 * DAY)));
    let mut world = World::new(build.program());
    world.identify(0, map([("began", int(START - DAY))]));
    assert_eq!(deadlines(&mut world), [6 * DAY + 1]);
    let mut build = Build::new();
    let since = MetricKind::Since;
    let since =
        build.metric(Metric { kind: since, event: "view".into(), window: Window::Ever, ..Metric::default() });
    rule(&mut build, Condition::Leaf(since, Test::Range(2 * HOUR, 5 * HOUR)));
    let mut world = World::new(build.program());
    world.track(0, "view");
    world.track(HOUR, "other");
    assert_eq!(deadlines(&mut world), [2 * HOUR, 5 * HOUR + 1]);
}

#[test]
fn dates_come_and_pass() {
    let mut build = Build::new();
    let now = build.builtin(Builtin::Now);
    rule(&mut build, Condition::Leaf(now, Test::Range(START + DAY, START + 2 * DAY - 1)));
    let mut world = World::new(build.program());
    world.track(0, "a");
    assert_eq!(deadlines(&mut world), [DAY, 2 * DAY]);
}

#[test]
fn a_value_that_becomes_too_old_is_a_deadline() {
    let mut build = Build::new();
    let at = build.attribute("plan", AttributeScope::Visitor, AttributeType::Number);
    build.parts.attributes[usize::from(at)].ttl = Some(Ttl { ms: 3_600_000, if_stale: IfStale::Unknown });
    let plan = build.fact(FactSource::Attribute(at), Shape::Number);
    rule(&mut build, exactly(plan, 3_000_000));
    let mut world = World::new(build.program());
    world.identify(0, map([("plan", int(3))]));
    world.track(MINUTE, "a");
    assert_eq!(deadlines(&mut world), [HOUR + 1]);
    world.identify(2 * HOUR, map([("plan", int(4))]));
    assert_eq!(deadlines(&mut world), [], "that 4 is forgotten changes nothing");
}

#[test]
fn a_score_that_fades_below_an_edge_is_a_deadline() {
    let mut build = Build::new();
    let points = vec![Points { event: "view".into(), filter: None, micro: 8_000_000 }];
    build.parts.scores.push(Score { half_life_ms: 1_800_000, min: 0, max: 100_000_000, points });
    let score = build.metric(Metric { kind: MetricKind::Score, window: Window::Ever, ..Metric::default() });
    rule(&mut build, Condition::Leaf(score, Test::Range(2_000_000, 4_000_000)));
    let mut world = World::new(build.program());
    world.track(0, "view");
    let found = deadlines(&mut world);
    assert_eq!(found[0], 30 * MINUTE, "half of it is left");
    assert!((HOUR..HOUR + SECOND).contains(&found[1]), "{found:?}");
    assert_eq!(found.len(), 2);
    let mut shows = [found[0] - 1, found[0], found[1] - 1, found[1]].map(|at_ms| world.shows(at_ms, "hero"));
    assert_eq!(shows, [false, true, true, false]);
    world.in_force = world.in_force.without(PERSONAL);
    world.track(2 * HOUR, "view");
    shows[0] = next(&world, 2 * HOUR).is_some();
    assert!(!shows[0], "the rule may not act");
}

/// From eight in the morning up to six in the evening, from Monday to Friday.
fn office_hours(build: &mut Build, time: FactSource, weekday: FactSource) -> Condition {
    let time = build.fact(time, Shape::Number);
    let days = ["fri", "mon", "thu", "tue", "wed"].map(str::to_owned).to_vec();
    let weekday = build.fact(weekday, Shape::OneOf(days));
    Condition::And(vec![
        Condition::Leaf(weekday, Test::Mask(0b111_1100)),
        Condition::Leaf(time, Test::Range(8 * 60, 18 * 60 - 1)),
    ])
}

fn of_site(build: &mut Build) -> Condition {
    let [time, weekday] = [Builtin::TimeOfDay, Builtin::Weekday].map(FactSource::Builtin);
    office_hours(build, time, weekday)
}

#[test]
fn a_schedule_opens_and_closes_for_a_day_where_something_is_shown_and_a_week_where_somebody_is_told() {
    let mut build = Build::new();
    let schedule = of_site(&mut build);
    let schedule = build.code(&schedule);
    let shown = build.rule("r", "hero", None);
    shown.hold = Hold::Time(0);
    shown.terms.schedule = Some(schedule);
    let mut world = World::new(build.program());
    world.track(0, "a");
    assert_eq!(deadlines(&mut world), [10 * HOUR], "it closes at six; Saturday is no day of it");
    let mut told = build.clone();
    told.parts.rules[0].emit = Some(Emit {
        to: "mail".into(),
        enter: "open".into(),
        exit_when: None,
        fields: Vec::new(),
        once_per: None,
    });
    let mut world = World::new(told.program());
    world.track(0, "a");
    let days = (3..8).flat_map(|day| [day * DAY, day * DAY + 10 * HOUR]);
    let expected: Vec<i64> = [10 * HOUR].into_iter().chain(days).collect();
    assert_eq!(deadlines(&mut world), expected);
}

#[test]
fn where_a_clock_changes_nothing_for_a_visitor_nobody_is_woken() {
    let mut build = Build::new();
    let views = build.count("view", Window::Session, 1);
    let hours = of_site(&mut build);
    rule(&mut build, Condition::And(vec![at_least(views, 1), hours]));
    let mut world = World::new(build.program());
    world.track(0, "other");
    assert_eq!(deadlines(&mut world), []);
    world.track(HOUR, "view");
    assert_eq!(deadlines(&mut world), [10 * HOUR]);
}

#[test]
fn the_visitors_own_clock_is_the_visitors() {
    let mut build = Build::new();
    let [time, weekday] = [Builtin::VisitorTimeOfDay, Builtin::VisitorWeekday].map(FactSource::Builtin);
    let hours = office_hours(&mut build, time, weekday);
    rule(&mut build, hours);
    let mut world = World::new(build.program());
    world.track(0, "a");
    assert_eq!(next(&world, 0), None);
    world.context.set("utc_offset", int(-300));
    world.track(MINUTE, "a");
    assert_eq!(
        deadlines(&mut world),
        [5 * HOUR, 15 * HOUR],
        "at three in the morning it opens in five hours"
    );
}

/// Berlin around both changes of 2027, as a zone that a schedule names.
fn berlin() -> Vec<Offset> {
    let offset = |from_minute, minutes| Offset { from_minute, minutes };
    vec![offset(0, 60), offset(30_103_260, 120), offset(30_415_740, 60)]
}

/// 28 March 2027, 01:00 UTC, and 31 October 2027, 01:00 UTC: from START.
const SPRING: i64 = 30_103_260 * MINUTE - START;
const AUTUMN: i64 = 30_415_740 * MINUTE - START;

#[test]
fn a_named_zone_has_its_own_clock_on_both_days_of_change() {
    let mut build = Build::new();
    let west = Offset { from_minute: 0, minutes: -300 };
    build.parts.zones = vec![vec![west], berlin()];
    let time = build.fact(FactSource::Clock(1, Builtin::TimeOfDay), Shape::Number);
    rule(&mut build, Condition::Leaf(time, Test::Range(150, 209)));
    let program = build.program();
    // Half past two to half past three, on clocks that show: in winter 01:30 UTC; on the day in March 01:00 UTC (three
    // o'clock, as there is no half past two); in summer 00:30 UTC; on the day in October 00:30 UTC, again at 01:30.
    for (day_ms, opens, closes) in [
        (SPRING - DAY - HOUR, vec![90 * MINUTE], vec![150 * MINUTE]),
        (SPRING - HOUR, vec![HOUR], vec![90 * MINUTE]),
        (SPRING + DAY - HOUR, vec![30 * MINUTE], vec![90 * MINUTE]),
        (AUTUMN - HOUR, vec![30 * MINUTE, 90 * MINUTE], vec![HOUR, 150 * MINUTE]),
        (AUTUMN + DAY - HOUR, vec![90 * MINUTE], vec![150 * MINUTE]),
    ] {
        let mut world = World::new(program.clone());
        world.track(day_ms, "a");
        let mut expected: Vec<i64> = opens.into_iter().chain(closes).map(|ms| day_ms + ms).collect();
        expected.sort_unstable();
        let found: Vec<i64> =
            deadlines(&mut world).into_iter().filter(|ms| *ms < day_ms + 6 * HOUR).collect();
        assert_eq!(found, expected);
        for (at, at_ms) in expected.into_iter().enumerate() {
            assert_eq!(world.shows(at_ms, "hero"), at % 2 == 0, "{at_ms}");
        }
    }
}

#[test]
fn what_is_held_goes_when_its_schedule_closes() {
    let mut build = Build::new();
    let schedule = of_site(&mut build);
    let schedule = build.code(&schedule);
    let views = build.count("view", Window::Page, 1);
    let shown = build.rule("r", "hero", Some(at_least(views, 1)));
    shown.terms.schedule = Some(schedule);
    shown.hold = Hold::Session;
    let mut world = World::new(build.program());
    world.page(0, "/");
    world.track(SECOND, "view");
    assert!(world.decide(SECOND, "hero").0.is_some());
    world.page(2 * SECOND, "/");
    assert_eq!(deadlines(&mut world), [10 * HOUR]);
    assert_eq!(world.decide(10 * HOUR, "hero").0, None);
}

#[test]
fn a_program_without_moving_facts_asks_for_no_wakes() {
    let mut build = Build::new();
    let views = build.count("view", Window::Sliding(60_000), 1);
    let pages = build.builtin(Builtin::SessionPages);
    build.rule("r", "hero", Some(Condition::Or(vec![at_least(views, 1), at_least(pages, 2)])));
    let filter = build.builtin(Builtin::Now);
    build.count_where("view", &at_least(filter, START), Window::Session, 1);
    let program = build.program();
    assert!(!program.moves_with_time(), "what an event is filtered by is asked at the event");
    let mut world = World::new(program);
    world.track(0, "view");
    assert_eq!(next(&world, 0), None);
}

/// Everything that moves with time, each shown where it is so.
fn everything() -> Build {
    let mut build = Build::new();
    build.parts.zones = vec![berlin()];
    let ends = attribute(&mut build, "ends", AttributeType::Time);
    let now = build.builtin(Builtin::Now);
    let left = difference(&mut build, ends, now);
    let since =
        Metric { kind: MetricKind::Since, event: "a".into(), window: Window::Ever, ..Metric::default() };
    let since = build.metric(since);
    let points = vec![Points { event: "b".into(), filter: None, micro: 5_000_000 }];
    build.parts.scores.push(Score { half_life_ms: 3_600_000, min: 0, max: 9_000_000, points });
    let score = build.metric(Metric { kind: MetricKind::Score, window: Window::Ever, ..Metric::default() });
    let at = build.attribute("plan", AttributeScope::Visitor, AttributeType::Text);
    build.parts.attributes[usize::from(at)].ttl = Some(Ttl { ms: 7_200_000, if_stale: IfStale::Missing });
    let plan = build.fact(FactSource::Attribute(at), Shape::OneOf(vec!["pro".into()]));
    let time = build.fact(FactSource::Clock(0, Builtin::TimeOfDay), Shape::Number);
    let rules = [
        ("hero", Condition::Leaf(left, Test::Range(0, 2 * HOUR))),
        ("banner", Condition::Leaf(since, Test::Range(HOUR, 3 * HOUR))),
        (
            "inbox",
            Condition::And(vec![at_least(score, 1_500_000), Condition::Leaf(time, Test::Range(600, 899))]),
        ),
        (
            "modal",
            Condition::Or(vec![
                Condition::Leaf(plan, Test::Mask(1 << 2)),
                Condition::Leaf(score, Test::Range(1, 900_000)),
            ]),
        ),
    ];
    for (slot, when) in rules {
        build.rule(slot, slot, Some(when)).hold = Hold::Time(0);
    }
    build
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// What stands changes at deadlines only: a visitor who is asked every minute sees what one sees who is asked at
    /// events and at deadlines.
    #[test]
    fn between_deadlines_nothing_changes(
        events in prop::collection::vec((1i64..240, 0..4usize, -120i64..400), 1..8)
    ) {
        let mut world = World::new(everything().program());
        let shown = |world: &World, at_ms| ["banner", "hero", "inbox", "modal"].map(|slot| world.shows(at_ms, slot));
        let mut at_ms = 0;
        for (minutes, kind, ahead) in events {
            let mut standing = shown(&world, at_ms);
            let mut due_ms = next(&world, at_ms);
            for _ in 0..minutes {
                let now_ms = at_ms + MINUTE;
                while let Some(turn_ms) = due_ms.filter(|due_ms| *due_ms <= now_ms) {
                    standing = shown(&world, turn_ms);
                    due_ms = next(&world, turn_ms);
                }
                at_ms = now_ms;
                prop_assert_eq!(standing, shown(&world, at_ms), "at {}, next {:?}", at_ms, due_ms);
            }
            match kind {
                0 => world.identify(at_ms, map([("ends", int(START + at_ms + ahead * MINUTE))])),
                1 => world.identify(at_ms, map([("plan", text("pro"))])),
                2 => world.track(at_ms, "a"),
                _ => world.track(at_ms, "b"),
            };
        }
    }
}
