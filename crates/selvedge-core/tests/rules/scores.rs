//! Scores: points that fade.

use crate::build::{Build, HOUR, MINUTE, PERSONAL, at_least, exactly};
use crate::world::{World, int, map};
use proptest::prelude::*;
use selvedge_core::consent::Purposes;
use selvedge_core::rules::Known;
use selvedge_core::wire::program::{FactSource, Metric, MetricKind, Points, Scope, Score, Shape, Window};

const HALF_LIFE_MS: u64 = 1_800_000;
const POINT: i64 = 1_000_000;

fn scored(min: i64, max: i64, scope: Scope) -> Build {
    let mut build = Build::new();
    let property = build.fact(FactSource::Property("rating".into()), Shape::Number);
    let filter = Some(build.code(&at_least(property, 4 * POINT)));
    let points =
        |event: &str, filter, points: i64| Points { event: event.into(), filter, micro: points * POINT };
    let points = vec![
        points("view", None, 1),
        points("view", filter, 10),
        points("add", None, 6),
        points("back", None, -5),
    ];
    build.parts.scores.push(Score { half_life_ms: HALF_LIFE_MS, min, max, points });
    build.metric(Metric { kind: MetricKind::Score, window: Window::Ever, scope, ..Metric::default() });
    build
}

/// What is known of the score, in points, and whether exactly.
fn score(world: &World, at_ms: i64) -> Known {
    world.known(at_ms, 1)
}

#[test]
fn where_nothing_takes_points_away_what_was_seen_is_a_lower_bound() {
    let mut build = scored(0, 100 * POINT, Scope::Visitor);
    build.parts.scores[0].points.pop();
    let mut world = World::new(build.program());
    world.in_force = Purposes(0xf).without(PERSONAL);
    world.track(0, "view");
    world.in_force = Purposes(0xf);
    world.track(1, "add");
    assert_eq!(score(&world, 1), Known { low: 6 * POINT, high: 100 * POINT });
}

fn exact(value: i64) -> Known {
    Known { low: value, high: value }
}

#[test]
fn points_add_up_and_fade_by_half_in_each_half_life() {
    let mut world = World::new(scored(0, 100 * POINT, Scope::Visitor).program());
    world.track(0, "add");
    world.track_with(0, "view", map([("rating", int(5))]));
    world.track(0, "other");
    assert_eq!(score(&world, 0), exact(17 * POINT));
    assert_eq!(score(&world, 30 * MINUTE), exact(17 * POINT / 2));
    assert_eq!(score(&world, HOUR), exact(17 * POINT / 4));
    world.track_with(HOUR, "view", map([("rating", int(3))]));
    assert_eq!(score(&world, HOUR), exact(17 * POINT / 4 + POINT));
}

#[test]
fn it_stays_between_its_borders() {
    let mut world = World::new(scored(0, 10 * POINT, Scope::Visitor).program());
    world.track(0, "back");
    assert_eq!(score(&world, 0), exact(0));
    for _ in 0..5 {
        world.track(0, "add");
    }
    assert_eq!(score(&world, 0), exact(10 * POINT));
}

#[test]
fn an_event_that_was_overtaken_has_faded_since() {
    let mut world = World::new(scored(0, 100 * POINT, Scope::Visitor).program());
    world.track(20_000, "add");
    world.track(0, "add");
    let mut other = World::new(scored(0, 100 * POINT, Scope::Visitor).program());
    other.track(0, "add");
    other.track(20_000, "add");
    let (found, expected) = (score(&world, HOUR).low, score(&other, HOUR).low);
    assert!((found - expected).abs() <= 2, "{found} {expected}");
}

#[test]
fn a_score_of_the_session_begins_anew_with_it() {
    let mut world = World::new(scored(0, 100 * POINT, Scope::Session).program());
    world.track(0, "add");
    assert_eq!(score(&world, 0).low, 6 * POINT);
    world.page(HOUR, "/");
    assert_eq!(score(&world, HOUR), exact(0));
}

#[test]
fn what_was_not_observed_fades_too() {
    let mut world = World::new(scored(0, 100 * POINT, Scope::Visitor).program());
    world.in_force = Purposes(0xf).without(PERSONAL);
    world.track(0, "view");
    assert_eq!(score(&world, 0), Known { low: 0, high: 100 * POINT });
    world.in_force = Purposes(0xf);
    world.track(1, "add");
    let known = score(&world, 1);
    assert_eq!((known.low, known.high), (0, 100 * POINT), "points may have been taken away");
    let known = score(&world, 1 + 5 * HOUR);
    assert!(known.high < POINT && known.low >= 0, "{known:?}");
}

#[test]
fn a_rule_acts_on_a_score() {
    let mut build = scored(0, 100 * POINT, Scope::Visitor);
    build.rule("high", "hero", Some(at_least(1, 12 * POINT)));
    build.rule("none", "banner", Some(exactly(1, 0)));
    let mut world = World::new(build.program());
    assert!(world.shows(0, "banner"));
    world.track(0, "add");
    assert!(!world.shows(0, "hero"));
    world.track(0, "add");
    assert!(world.shows(0, "hero") && !world.shows(MINUTE, "hero") && !world.shows(0, "banner"));
}

proptest! {
    #[test]
    fn a_score_never_rises_by_itself_and_a_gap_never_hides_the_truth(
        steps in prop::collection::vec((0i64..4_000_000, 0..4usize, prop::bool::weighted(0.8)), 1..30),
        min in prop_oneof![Just(0), Just(-20 * POINT)],
    ) {
        let mut seen = World::new(scored(min, 50 * POINT, Scope::Visitor).program());
        let mut truth = World::new(scored(min, 50 * POINT, Scope::Visitor).program());
        let mut at_ms = 0;
        for (after_ms, event, is_granted) in steps {
            let (before, after) = (score(&truth, at_ms).low, score(&truth, at_ms + after_ms).low);
            prop_assert!(after.abs() <= before.abs());
            at_ms += after_ms;
            let event = ["view", "add", "back", "other"][event];
            truth.track(at_ms, event);
            seen.in_force = if is_granted { Purposes(0xf) } else { Purposes(0xf).without(PERSONAL) };
            seen.track(at_ms, event);
            let (truth, known) = (score(&truth, at_ms), score(&seen, at_ms));
            prop_assert_eq!(truth.low, truth.high);
            prop_assert!(known.low <= truth.low && truth.low <= known.high, "{:?} {:?}", known, truth);
        }
    }
}
