//! Sequences and absences, sentence by sentence.

use crate::build::{Build, DAY, HOUR, MINUTE, SECOND, exactly};
use crate::world::World;
use selvedge_core::consent::Purposes;
use selvedge_core::wire::program::SequenceKind::{Absence, Then, ThenNo};
use selvedge_core::wire::program::{Hold, SequenceKind};

fn world(asks: SequenceKind, steps: &[&str], others: [Option<&str>; 2], window_ms: i64) -> World {
    let mut build = Build::new();
    let fact = build.sequence(asks, steps, others, window_ms);
    build.rule("sequence", "hero", Some(exactly(fact, 1))).hold = Hold::Time(0);
    World::new(build.program())
}

fn tracked(mut world: World, events: &[(i64, &str)]) -> World {
    for (at_ms, name) in events {
        world.track(*at_ms, name);
    }
    world
}

#[test]
fn a_sequence_is_there_for_its_window_after_its_last_event() {
    let world =
        tracked(world(Then, &["view", "buy"], [None; 2], 10 * MINUTE), &[(0, "view"), (MINUTE, "buy")]);
    assert_eq!(world.holds(MINUTE, 0), Some(true));
    assert_eq!(world.holds(11 * MINUTE - 1, 0), Some(true));
    assert_eq!(world.holds(11 * MINUTE, 0), Some(false));
}

#[test]
fn the_last_event_must_come_within_the_window_after_the_first() {
    let blank = || world(Then, &["view", "buy"], [None; 2], 10 * MINUTE);
    let in_time = tracked(blank(), &[(0, "view"), (10 * MINUTE - 1, "buy")]);
    assert_eq!(in_time.holds(10 * MINUTE, 0), Some(true));
    let too_late = tracked(blank(), &[(0, "view"), (10 * MINUTE, "buy")]);
    assert_eq!(too_late.holds(10 * MINUTE, 0), Some(false));
    let wrong_order = tracked(blank(), &[(0, "buy"), (MINUTE, "view")]);
    assert_eq!(wrong_order.holds(MINUTE, 0), Some(false));
}

#[test]
fn the_newest_first_event_begins_the_run_anew() {
    let blank = || world(Then, &["view", "add", "buy"], [None; 2], 10 * MINUTE);
    let renewed =
        tracked(blank(), &[(0, "view"), (9 * MINUTE, "view"), (11 * MINUTE, "add"), (12 * MINUTE, "buy")]);
    assert_eq!(renewed.holds(12 * MINUTE, 0), Some(true));
    let cut = tracked(blank(), &[(0, "view"), (MINUTE, "add"), (2 * MINUTE, "view"), (3 * MINUTE, "buy")]);
    assert_eq!(cut.holds(3 * MINUTE, 0), Some(false));
}

#[test]
fn one_event_may_be_both_ends_of_a_sequence_but_not_at_once() {
    let world = world(Then, &["view", "view"], [None; 2], MINUTE);
    let world = tracked(world, &[(0, "view")]);
    assert_eq!(world.holds(0, 0), Some(false));
    let world = tracked(world, &[(30 * SECOND, "view")]);
    assert_eq!(world.holds(30 * SECOND, 0), Some(true));
    let world = tracked(world, &[(80 * SECOND, "view")]);
    assert_eq!(world.holds(110 * SECOND, 0), Some(true));
}

#[test]
fn what_it_must_be_without_ends_a_run_but_not_what_was_completed() {
    let blank = || world(Then, &["view", "buy"], [None, Some("chat")], 10 * MINUTE);
    let ended = tracked(blank(), &[(0, "view"), (MINUTE, "chat"), (2 * MINUTE, "buy")]);
    assert_eq!(ended.holds(2 * MINUTE, 0), Some(false));
    let completed = tracked(blank(), &[(0, "view"), (MINUTE, "buy"), (2 * MINUTE, "chat")]);
    assert_eq!(completed.holds(2 * MINUTE, 0), Some(true));
}

#[test]
fn what_did_not_follow_is_known_when_its_time_is_over() {
    let world = tracked(world(ThenNo, &["add"], [Some("buy"), None], 8 * MINUTE), &[(0, "add")]);
    assert_eq!(world.holds(8 * MINUTE - 1, 0), Some(false));
    assert_eq!(world.holds(8 * MINUTE, 0), Some(true));
    assert_eq!(world.holds(30 * DAY, 0), Some(true));
    let again = tracked(world, &[(20 * MINUTE, "add")]);
    assert_eq!(again.holds(20 * MINUTE, 0), Some(false));
    assert_eq!(again.holds(28 * MINUTE, 0), Some(true));
    let bought = tracked(again, &[(40 * MINUTE, "buy")]);
    assert_eq!(bought.holds(HOUR, 0), Some(false));
}

#[test]
fn what_must_not_follow_may_be_what_began() {
    let world = tracked(
        world(ThenNo, &["page"], [Some("page"), None], MINUTE),
        &[(0, "page"), (50 * SECOND, "page")],
    );
    assert_eq!(world.holds(60 * SECOND, 0), Some(false));
    assert_eq!(world.holds(110 * SECOND, 0), Some(true));
}

#[test]
fn an_absence_needs_its_whole_time() {
    let world = world(Absence, &["view"], [None; 2], 5 * MINUTE);
    assert_eq!(world.holds(0, 0), Some(false), "a visitor of a moment has not been without it for long");
    assert_eq!(world.holds(5 * MINUTE, 0), Some(true));
    let world = tracked(world, &[(6 * MINUTE, "view")]);
    assert_eq!(world.holds(6 * MINUTE, 0), Some(false));
    assert_eq!(world.holds(11 * MINUTE, 0), Some(true));
}

#[test]
fn events_find_their_order_within_two_seconds() {
    let blank = || world(Then, &["view", "add", "buy"], [None; 2], MINUTE);
    let swapped = tracked(blank(), &[(2_000, "buy"), (1_000, "add"), (0, "view")]);
    assert_eq!(swapped.holds(2_000, 0), Some(true));
    let too_late = tracked(blank(), &[(2_001, "buy"), (1_000, "add"), (0, "view")]);
    assert_eq!(too_late.holds(2_001, 0), Some(false));
}

#[test]
fn what_may_have_been_missed_leaves_the_answer_open() {
    let mut world = world(ThenNo, &["add"], [Some("buy"), None], 8 * MINUTE);
    world.track(0, "add");
    world.in_force = Purposes::NECESSARY;
    world.track(MINUTE, "view");
    world.in_force = crate::world::all();
    world.track(2 * MINUTE, "view");
    assert_eq!(world.holds(10 * MINUTE, 0), None, "they may have bought");
    world.track(11 * MINUTE, "add");
    assert_eq!(world.holds(11 * MINUTE, 0), Some(false));
    assert_eq!(world.holds(19 * MINUTE, 0), Some(true));
}

#[test]
fn a_completed_sequence_is_known_whatever_was_missed_before() {
    let mut world = world(Then, &["view", "buy"], [None; 2], 10 * MINUTE);
    world.in_force = Purposes::NECESSARY;
    world.track(MINUTE, "search");
    world.in_force = crate::world::all();
    world.track(2 * MINUTE, "search");
    assert_eq!(world.holds(2 * MINUTE, 0), None);
    world.track(2 * MINUTE, "view");
    world.track(3 * MINUTE, "buy");
    assert_eq!(world.holds(3 * MINUTE, 0), Some(true));
    assert_eq!(world.holds(23 * MINUTE, 0), Some(false), "watched long enough");
}

#[test]
fn an_absence_is_known_again_when_it_was_watched_whole() {
    let mut world = world(Absence, &["buy"], [None; 2], HOUR);
    world.in_force = Purposes::NECESSARY;
    world.track(3 * HOUR, "view");
    world.in_force = crate::world::all();
    world.track(4 * HOUR, "view");
    assert_eq!(world.holds(4 * HOUR, 0), None);
    assert_eq!(world.holds(5 * HOUR, 0), Some(true));
}
