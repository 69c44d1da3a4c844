//! A metric that is new to a visitor who was there before.

use crate::build::Build;
use crate::world::World;
use selvedge_core::consent::Purposes;
use selvedge_core::rules::{Known, WIPED};
use selvedge_core::wire::program::{Metric, MetricKind, WarmUp, Window};

fn program(warm_up: WarmUp) -> Build {
    let mut build = Build::new();
    let kind = MetricKind::Tally;
    build.metric(Metric { kind, event: "view".into(), window: Window::Ever, warm_up, ..Metric::default() });
    build
}

/// A visitor who was there before the metric.
fn visitor(warm_up: WarmUp) -> World {
    let mut world = World::new(Build::new().program());
    world.track(0, "other");
    world.program = program(warm_up).program();
    world.track(1, "view");
    world
}

const ONE: Known = Known { low: 1, high: 1 };
const ONE_OR_MORE: Known = Known { low: 1, high: i64::MAX };

#[test]
fn what_happened_before_is_never_known_of_all_time() {
    assert_eq!(visitor(WarmUp::Unknown).known(1, 0), ONE_OR_MORE);
}

#[test]
fn what_happened_before_is_taken_for_nothing_where_it_is_said() {
    assert_eq!(visitor(WarmUp::Zero).known(1, 0), ONE);
}

#[test]
fn what_was_wiped_is_not_taken_for_nothing() {
    let mut world = visitor(WarmUp::Zero);
    world.state.cells.clear();
    world.state.layout = WIPED;
    world.track(2, "view");
    assert_eq!(world.known(2, 0), ONE_OR_MORE);
}

#[test]
fn what_went_unobserved_later_is_not_taken_for_nothing() {
    let mut world = visitor(WarmUp::Zero);
    world.in_force = Purposes::NECESSARY;
    world.track(2, "view");
    world.in_force = Purposes(0xf);
    world.track(3, "other");
    assert_eq!(world.known(3, 0), ONE_OR_MORE);
}
