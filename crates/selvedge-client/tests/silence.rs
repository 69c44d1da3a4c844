//! Where silence grants: a refusal is remembered, and an answer denies nothing that it does not speak of.

mod world;

use selvedge_client::Input;
use selvedge_core::consent::{Mode, Purposes};
use world::{World, shop};

const SITE: &str = "https://shop.test/shoes?utm_medium=cpc";

#[test]
fn under_opt_out_silence_is_consent_but_privacy_control_removes_advertising() {
    let mut world = World::new(Some(shop()));
    world.gpc = true;
    world.mode = Mode::OptOut;
    world.boot();
    world.page(SITE);
    assert!(world.device.is_empty());
    world.settle();
    world.pass(60_000);
    let snapshot = world.edge.batches[0].header.consent[0];
    assert!(snapshot.in_force().holds(Purposes::ANALYTICS));
    assert!(!snapshot.in_force().holds(Purposes::ADVERTISING));
}

#[test]
fn where_silence_grants_a_refusal_is_remembered() {
    let mut world = World::new(Some(shop()));
    world.mode = Mode::OptOut;
    world.settle();
    world.page(SITE);
    world.pass(60_000);
    assert_eq!(world.edge.names(), ["page"]);
    world.consent(Purposes::NONE, Purposes(0b1110));
    world.pass(60_000);
    assert_eq!(world.device.keys().collect::<Vec<_>>(), ["consent"]);
    let arrived = world.edge.log.len();
    world.reopen();
    world.page(SITE);
    world.view_shoes();
    world.pass(60_000);
    assert_eq!(world.edge.log.len(), arrived);
    assert_eq!(world.device.keys().collect::<Vec<_>>(), ["consent"]);
}

#[test]
fn a_refusal_before_the_mode_is_known_is_remembered_where_silence_grants() {
    let mut world = World::new(Some(shop()));
    world.mode = Mode::OptOut;
    world.consent(Purposes::NONE, Purposes(0b1110));
    world.settle();
    world.reopen();
    world.page(SITE);
    world.pass(60_000);
    assert_eq!((world.requests, world.edge.log.len()), (0, 0));
}

/// The second page of a visitor whom the region asks for nothing, before its config came.
fn second_page_where_silence_grants() -> World {
    let mut world = World::new(Some(shop()));
    world.mode = Mode::OptOut;
    world.settle();
    world.page(SITE);
    world.pass(60_000);
    assert!(world.device.contains_key("state"));
    world.boot();
    world
}

#[test]
fn an_answer_before_the_config_came_denies_nothing_that_it_does_not_speak_of() {
    let mut world = second_page_where_silence_grants();
    world.consent(Purposes::ANALYTICS, Purposes::NONE);
    assert!(world.device.contains_key("state"), "nothing was taken back");
    world.settle();
    world.view_shoes();
    world.pass(60_000);
    let snapshots: Vec<_> = world.edge.batches.iter().map(|batch| batch.header.consent[0]).collect();
    assert!(snapshots.iter().all(|said| said.in_force().holds(Purposes::PERSONALIZATION)), "{snapshots:?}");
    assert_eq!(snapshots.last().unwrap().granted, Purposes::ANALYTICS);
}

#[test]
fn an_answer_without_a_config_counts_as_the_region_did_before() {
    let mut world = second_page_where_silence_grants();
    world.input(Input::Settings(None));
    world.consent(Purposes::ANALYTICS, Purposes::ADVERTISING);
    world.view_shoes();
    world.pass(60_000);
    let said = world.edge.batches.last().unwrap().header.consent[0];
    assert_eq!((said.mode, said.granted), (Mode::OptOut, Purposes::ANALYTICS));
    assert!(!said.in_force().holds(Purposes::ADVERTISING));
}

#[test]
fn a_refusal_before_the_config_came_outlives_its_page_where_silence_granted() {
    let mut world = second_page_where_silence_grants();
    world.consent(Purposes::NONE, Purposes(0b1110));
    assert_eq!(world.device.keys().collect::<Vec<_>>(), ["consent"]);
    let arrived = world.edge.log.len();
    world.reopen();
    world.page(SITE);
    world.pass(60_000);
    assert_eq!(world.edge.log.len(), arrived);
}

#[test]
fn where_nobody_said_what_silence_means_an_answer_grants_what_it_speaks_of_alone() {
    let mut world = World::new(Some(shop()));
    world.input(Input::Settings(None));
    world.consent(Purposes::ANALYTICS, Purposes::NONE);
    world.view_shoes();
    world.pass(60_000);
    let said = world.edge.batches.last().unwrap().header.consent[0];
    assert_eq!(said.in_force(), Purposes::NECESSARY.or(Purposes::ANALYTICS));
}
