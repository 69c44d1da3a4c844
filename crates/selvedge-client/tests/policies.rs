//! Answers to an older policy: they count no longer, and what they let in rests until the visitor answers anew.

mod world;

use selvedge_client::Input;
use selvedge_core::consent::{Mode, Purposes};
use world::{World, shop};

const SITE: &str = "https://shop.test/shoes?utm_medium=cpc";

/// A device of a visitor who granted everything under the first policy and was seen; the second holds from now on.
fn under_a_new_policy() -> World {
    let mut world = World::new(Some(shop()));
    world.settle();
    world.grant();
    world.page(SITE);
    world.pass(60_000);
    world.policy_version = 2;
    world
}

#[test]
fn an_answer_to_an_older_policy_is_asked_again() {
    let mut world = under_a_new_policy();
    let (device, requests) = (world.device.clone(), world.requests);
    world.reopen();
    world.page(SITE);
    world.view_shoes();
    world.input(Input::Hidden);
    world.pass(3_600_000);
    assert_eq!((world.requests, world.beacons), (requests, 0));
    assert_eq!(world.device, device, "nothing is stored before the answer");
    world.grant();
    world.pass(60_000);
    assert_eq!(world.edge.names(), ["page", "page", "product_view"]);
    let header = &world.edge.batches.last().unwrap().header;
    assert_eq!(header.consent[0].policy_version, 2);
    assert_eq!(header.visitor, world.edge.batches[0].header.visitor, "the visitor is still known");
    world.reopen();
    world.page(SITE);
    world.pass(60_000);
    assert_eq!(world.edge.log.len(), 4, "the new answer counts on the next page");
}

#[test]
fn what_an_older_answer_let_in_before_the_policy_was_known_waits() {
    let mut world = under_a_new_policy();
    let requests = world.requests;
    world.boot();
    world.view_shoes();
    world.settle();
    world.pass(3_600_000);
    assert_eq!(world.requests, requests);
    world.grant();
    world.pass(60_000);
    assert_eq!(world.edge.names(), ["page", "product_view"]);
}

#[test]
fn a_refusal_of_the_new_policy_erases_what_the_old_one_left() {
    let mut world = under_a_new_policy();
    world.boot();
    world.view_shoes();
    world.settle();
    world.consent(Purposes::NONE, Purposes(0b1110));
    world.pass(60_000);
    assert!(world.device.is_empty(), "{:?}", world.device.keys());
    assert_eq!(world.edge.names(), ["page"]);
    assert!(world.edge.batches.last().unwrap().events.is_empty(), "the edge is told");
}

#[test]
fn an_answer_before_the_config_came_is_to_its_policy() {
    let mut world = World::new(Some(shop()));
    world.grant();
    world.settle();
    world.page(SITE);
    world.pass(60_000);
    world.reopen();
    world.page(SITE);
    world.pass(60_000);
    assert_eq!(world.edge.names(), ["page", "page"]);
    assert_eq!(world.edge.batches[0].header.consent[0].policy_version, 1);
}

#[test]
fn where_silence_grants_a_refusal_outlives_its_policy() {
    let mut world = World::new(Some(shop()));
    world.mode = Mode::OptOut;
    world.settle();
    world.consent(Purposes::NONE, Purposes(0b1110));
    world.policy_version = 2;
    world.reopen();
    world.page(SITE);
    world.pass(60_000);
    assert_eq!((world.requests, world.edge.log.len()), (0, 0));
}

#[test]
fn another_tabs_answer_to_an_older_policy_counts_for_nothing() {
    let mut world = under_a_new_policy();
    world.reopen();
    let answer = world.device.get("consent").cloned();
    world.input(Input::Changed { key: "consent".into(), value: answer, random: [77; 19] });
    world.page(SITE);
    world.pass(60_000);
    assert_eq!(world.edge.names(), ["page"]);
}

#[test]
fn a_withdrawal_is_newer_than_an_answer_to_an_older_policy_whatever_the_clock_says() {
    let mut world = World::new(Some(shop()));
    world.mode = Mode::OptOut;
    world.settle();
    world.page(SITE);
    world.grant();
    world.pass(60_000);
    let granted_ms = world.edge.batches.last().expect("it heard").header.consent[0].time_ms;
    world.policy_version += 1;
    world.now_ms -= 3_600_000;
    world.reopen();
    world.consent(Purposes::NONE, Purposes(0b1110));
    world.pass(60_000);
    let last = world.edge.batches.last().expect("it heard").header.consent[0];
    assert_eq!(last.denied, Purposes(0b1110));
    assert!(last.time_ms > granted_ms, "{} behind {granted_ms}", last.time_ms);
}
