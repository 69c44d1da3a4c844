//! Days, weeks and months of the site's time zone.

use crate::build::{Build, HOUR, MINUTE};
use crate::world::{START, World};
use selvedge_core::wire::program::{Metric, MetricKind, Offset, Window};

fn counting(window: Window, zone: impl FnOnce(&mut Build)) -> World {
    let mut build = Build::new();
    zone(&mut build);
    let kind = MetricKind::Tally;
    build.metric(Metric { kind, event: "view".into(), window, ..Metric::default() });
    World::new(build.program())
}

/// Whether what happens at one minute still counts at another.
fn counts(window: Window, zone: impl FnOnce(&mut Build), then_ms: i64, now_ms: i64) -> bool {
    let mut world = counting(window, zone);
    world.track(then_ms - START, "view");
    world.known(now_ms - START, 0).low == 1
}

/// 28 March 2027, 01:00 UTC: in Berlin two o'clock becomes three.
const SPRING: i64 = 30_103_260 * MINUTE;
/// 31 October 2027, 01:00 UTC: in Berlin three o'clock becomes two.
const AUTUMN: i64 = 30_415_740 * MINUTE;

#[test]
fn the_day_of_the_change_to_summer_time_has_23_hours() {
    // It begins at 23:00 UTC of the day before and ends at 22:00.
    let begins = SPRING - 2 * HOUR;
    assert!(!counts(Window::Today, Build::berlin, begins - 1, begins));
    assert!(counts(Window::Today, Build::berlin, begins, begins + 23 * HOUR - 1));
    assert!(!counts(Window::Today, Build::berlin, begins, begins + 23 * HOUR));
}

#[test]
fn the_day_of_the_change_to_winter_time_has_25_hours() {
    let begins = AUTUMN - 3 * HOUR;
    assert!(!counts(Window::Today, Build::berlin, begins - 1, begins));
    assert!(counts(Window::Today, Build::berlin, begins, begins + 25 * HOUR - 1));
    assert!(!counts(Window::Today, Build::berlin, begins, begins + 25 * HOUR));
}

#[test]
fn weeks_begin_on_monday_and_months_on_the_first() {
    // Monday 29 March 2027 begins at 22:00 UTC of the day before.
    let monday = SPRING + 21 * HOUR;
    assert!(!counts(Window::Week, Build::berlin, monday - 1, monday));
    assert!(counts(Window::Week, Build::berlin, monday, monday + 7 * 24 * HOUR - 1));
    assert!(!counts(Window::Week, Build::berlin, monday, monday + 7 * 24 * HOUR));
    // 1 April.
    let april = monday + 3 * 24 * HOUR;
    assert!(!counts(Window::Month, Build::berlin, april - 1, april));
    assert!(counts(Window::Month, Build::berlin, april, april + 30 * 24 * HOUR - 1));
    assert!(!counts(Window::Month, Build::berlin, april, april + 30 * 24 * HOUR));
}

#[test]
fn without_a_time_zone_it_is_utc() {
    let midnight = START - START % (24 * HOUR) + 24 * HOUR;
    assert!(!counts(Window::Today, |_| {}, midnight - 1, midnight));
    assert!(counts(Window::Today, |_| {}, midnight, midnight + 24 * HOUR - 1));
}

#[test]
fn where_the_clock_skips_midnight_the_day_begins_right_after() {
    // At the local midnight of START's next day, half an hour is skipped.
    let midnight = START - START % (24 * HOUR) + 24 * HOUR;
    let zone = |build: &mut Build| {
        let from_minute = u32::try_from(midnight / MINUTE).unwrap();
        build.parts.zone = vec![Offset { from_minute: 0, minutes: 0 }, Offset { from_minute, minutes: 30 }];
    };
    assert!(!counts(Window::Today, zone, midnight - 1, midnight));
    assert!(counts(Window::Today, zone, midnight, midnight + 23 * HOUR + 30 * MINUTE - 1));
    assert!(!counts(Window::Today, zone, midnight, midnight + 23 * HOUR + 30 * MINUTE));
}

#[test]
fn a_day_that_began_before_the_visitor_was_known_is_known_whole() {
    let world = counting(Window::Today, Build::berlin);
    let known = world.known(0, 0);
    assert_eq!((known.low, known.high), (0, 0), "a visitor that was born today");
}
