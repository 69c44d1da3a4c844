//! What a shard believes of its destinations: for how long, and under which publish.

use crate::build::{NOW_MS, destination, site};
use selvedge_core::wire::program::{Destination, Full, Way};
use selvedge_edge::delivery::pressure::Waiting;
use selvedge_edge::delivery::standing::{BELIEVED_MS, Standing, Stood};
use selvedge_edge::delivery::state::{Paused, State};
use selvedge_edge::site::Site;

/// A site of this publish, whose destinations have these names and what they do when they are full.
fn site_of(publish: u64, named: &[(&str, Full)]) -> Site {
    let queue = |(name, when_full): &(&str, Full)| Destination {
        name: (*name).into(),
        way: Way::Queue { binding: "EVENTS".into(), dead_letter: "LOST".into() },
        when_full: *when_full,
        ..destination()
    };
    let mut site = site();
    site.publish = publish;
    site.destinations = named.iter().map(queue).collect();
    // What nothing is sent to takes no place.
    site.destinations.insert(0, destination());
    site
}

fn waiting(bytes: u64) -> Waiting {
    Waiting { bytes, oldest_ms: Some(NOW_MS) }
}

fn idle(bytes: u64) -> Stood {
    Stood::of(&State::default(), waiting(bytes), NOW_MS)
}

fn waits_for(standing: &Standing, site: &Site, end_bytes: u64) -> Vec<(String, u64)> {
    let all = standing.waiting(site, end_bytes);
    all.map(|(destination, waiting)| (destination.name.clone(), waiting.bytes)).collect()
}

#[test]
fn a_look_is_believed_for_a_moment_whichever_way_the_clock_goes() {
    let site = site_of(3, &[("hook", Full::Block)]);
    let standing = Standing::new(&site, NOW_MS, 0, vec![idle(0)]);
    for (now_ms, is_believed) in [
        (NOW_MS, true),
        (NOW_MS + BELIEVED_MS - 1, true),
        (NOW_MS + BELIEVED_MS, false),
        (NOW_MS - BELIEVED_MS, false),
    ] {
        assert_eq!(standing.is_believed(&site, now_ms), is_believed, "{now_ms}");
    }
}

#[test]
fn a_look_is_believed_of_one_publish_only() {
    let (older, newer) =
        (site_of(3, &[("hook", Full::Block)]), site_of(4, &[("lake", Full::Block), ("hook", Full::Block)]));
    let standing = Standing::new(&older, NOW_MS, 0, vec![idle(900)]);
    assert!(standing.is_believed(&older, NOW_MS));
    assert!(!standing.is_believed(&newer, NOW_MS), "its destinations stand in other places");
    let standing = Standing::new(&newer, NOW_MS, 0, vec![idle(0), idle(900)]);
    assert!(!standing.is_believed(&older, NOW_MS));
}

#[test]
fn what_was_written_since_waits_for_everybody() {
    let site = site_of(3, &[("lake", Full::Block), ("hook", Full::Block)]);
    let standing = Standing::new(&site, NOW_MS, 10_000, vec![Stood::NEW, idle(900)]);
    let name = |name: &str, bytes| (name.to_owned(), bytes);
    assert_eq!(waits_for(&standing, &site, 10_000), [name("lake", 0), name("hook", 900)]);
    assert_eq!(waits_for(&standing, &site, 10_500), [name("lake", 500), name("hook", 1_400)]);
    assert_eq!(waits_for(&standing, &site, 0), [name("lake", 0), name("hook", 900)], "a log that was swept");
}

#[test]
fn a_row_wakes_who_is_idle_or_gives_up_the_oldest_for_it() {
    let paused = Paused { by_operator: true, why: "stop".into() };
    let paused = State { paused: Some(paused), ..State::default() };
    let put_off = State { not_before_ms: NOW_MS + 1, ..State::default() };
    let busy = |state: &State| Stood::of(state, waiting(1), NOW_MS);
    let (blocks, drops) = (site_of(3, &[("hook", Full::Block)]), site_of(3, &[("hook", Full::DropOldest)]));
    for (stood, is_awaited) in
        [(idle(1), true), (Stood::NEW, true), (busy(&paused), false), (busy(&put_off), false)]
    {
        assert_eq!(Standing::new(&blocks, NOW_MS, 0, vec![stood]).is_awaited(&blocks), is_awaited);
        assert!(Standing::new(&drops, NOW_MS, 0, vec![stood]).is_awaited(&drops));
    }
}
