//! A visitor whom the hands may know from elsewhere (a cookie, a link): nobody begins before they said so.

mod world;

use selvedge_client::{Input, Settings};
use selvedge_core::consent::{Mode, Purposes};
use selvedge_core::limits::{EXEMPT_VISITOR_MS_MAX, FLUSH_MS};
use selvedge_core::wire::codec::Writer;
use world::{PROGRAM, START_MS, World, shop};

const ALL: Purposes = Purposes(0b1110);

fn settle(world: &mut World) {
    world.input(Input::Settings(Some(Settings {
        topology: 3,
        policy_version: 1,
        program: Some(PROGRAM),
        publish: 1,
        recalls: true,
        mode: world.mode,
        ..Settings::default()
    })));
    world.run();
}

fn world() -> World {
    let mut world = World::new(Some(shop()));
    settle(&mut world);
    world
}

/// The record of a visitor who was minted then.
fn record(minted_ms: u64) -> Vec<u8> {
    let mut out = Writer::new();
    out.raw(&[0xab; 16]);
    out.zigzag(0);
    out.varint(minted_ms);
    out.into_bytes()
}

fn recall(world: &mut World, value: Option<Vec<u8>>) {
    world.input(Input::Changed { key: "visitor".into(), value, random: [99; 19] });
}

#[test]
fn events_wait_in_memory_until_the_hands_know_whose_they_are() {
    let mut world = world();
    world.grant();
    world.view_shoes();
    assert!(world.device.keys().all(|key| !key.starts_with("q.") && key != "visitor"));
    recall(&mut world, Some(record(START_MS)));
    assert!(world.device.keys().any(|key| key.starts_with("q.")));
    world.view_shoes();
    world.pass(FLUSH_MS);
    let visitors: Vec<_> = world.edge.batches.iter().map(|batch| batch.header.visitor.0).collect();
    assert_eq!(visitors, [[0xab; 16]]);
    assert_eq!(world.edge.log.len(), 2);
}

#[test]
fn where_nobody_is_known_another_begins() {
    let mut world = world();
    world.grant();
    world.view_shoes();
    recall(&mut world, None);
    world.pass(FLUSH_MS);
    assert_eq!(world.edge.log.len(), 1);
    assert_eq!(world.edge.batches[0].header.visitor.topology(), 3);
}

#[test]
fn a_page_that_is_hidden_waits_for_nobody() {
    let mut world = world();
    world.grant();
    world.view_shoes();
    world.input(Input::Hidden);
    assert_eq!((world.beacons, world.edge.log.len()), (1, 1));
}

#[test]
fn a_refusal_lets_go_of_what_is_known_elsewhere_and_keeps_itself() {
    let mut world = world();
    world.mode = Mode::OptOut;
    world.device.insert("visitor".into(), record(START_MS));
    settle(&mut world);
    world.consent(Purposes::NONE, ALL);
    assert_eq!(world.device.keys().collect::<Vec<_>>(), ["consent"]);
    world.boot();
    world.device.insert("visitor".into(), record(START_MS));
    settle(&mut world);
    assert_eq!(world.device.keys().collect::<Vec<_>>(), ["consent"], "silence is not taken for a grant");
}

#[test]
fn an_id_in_a_cookie_ends_after_thirteen_months_on_the_device_too() {
    for (age_ms, is_kept) in [(EXEMPT_VISITOR_MS_MAX - 1_000, true), (EXEMPT_VISITOR_MS_MAX + 1_000, false)] {
        let mut world = world();
        world.grant();
        world.device.insert("visitor".into(), record(START_MS - age_ms));
        world.boot();
        settle(&mut world);
        assert_eq!(world.device.contains_key("visitor"), is_kept);
        world.view_shoes();
        world.pass(2 * FLUSH_MS);
        assert_eq!(world.edge.batches[0].header.visitor.0 == [0xab; 16], is_kept);
    }
}
