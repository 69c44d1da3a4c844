//! Deciding in the page: at once, from the edge's state plus the page's own later events; no flicker; caps by grants.

mod world;

use selvedge_client::Input;
use selvedge_core::consent::Purposes;
use selvedge_core::event::EventType;
use selvedge_core::limits::FLUSH_MS;
use selvedge_core::wire::answer::{Reason, SlotDecision};
use selvedge_core::wire::program::{Content, ContentType};
use world::{World, shop};

const SITE: &str = "https://shop.test/shoes";

/// A page whose first view was answered: it holds grants.
fn open() -> World {
    let mut world = World::new(Some(shop()));
    world.settle();
    world.grant();
    world.page(SITE);
    world.pass(FLUSH_MS);
    world
}

fn hero(world: &World) -> Option<String> {
    world.shown.get("hero")?.rule.clone()
}

fn see_hero(world: &mut World) {
    world.input(Input::Seen { slot: "hero".into(), time_ms: world.now_ms });
}

#[test]
fn two_views_show_the_banner_at_once_and_an_answer_changes_nothing() {
    let mut world = open();
    world.is_online = false;
    world.view_shoes();
    assert_eq!(hero(&world), None);
    world.view_shoes();
    assert_eq!(hero(&world).as_deref(), Some("free-shipping-hero"));
    assert_eq!(world.shows, 1);
    world.is_online = true;
    world.pass(FLUSH_MS);
    world.view_shoes();
    world.pass(FLUSH_MS);
    assert_eq!(world.shows, 1, "what stands is not shown again");
}

#[test]
fn without_a_grant_a_capped_rule_is_not_shown() {
    let mut world = World::new(Some(shop()));
    world.settle();
    world.grant();
    world.view_shoes();
    world.view_shoes();
    assert_eq!(hero(&world), None);
    world.pass(FLUSH_MS);
    assert_eq!(hero(&world).as_deref(), Some("free-shipping-hero"));
}

#[test]
fn the_next_page_decides_before_any_answer() {
    let mut world = open();
    world.view_shoes();
    world.view_shoes();
    world.pass(FLUSH_MS);
    world.is_online = false;
    world.boot();
    world.page(SITE);
    assert_eq!(hero(&world).as_deref(), Some("free-shipping-hero"));
}

#[test]
fn an_exposure_is_recorded_once_per_page_view_and_the_third_is_capped() {
    let mut world = open();
    world.view_shoes();
    world.view_shoes();
    for visit in 1..=2 {
        see_hero(&mut world);
        see_hero(&mut world);
        world.pass(FLUSH_MS);
        let exposures =
            world.edge.log.values().filter(|event| event.event_type == EventType::Exposure).count();
        assert_eq!(exposures, visit);
        assert_eq!(hero(&world).as_deref(), Some("free-shipping-hero"), "it stays until the page view ends");
        world.reopen();
        world.page(SITE);
        world.view_shoes();
    }
    assert_eq!(hero(&world), None, "two per session");
    let exposure = world.edge.log.values().find(|event| event.event_type == EventType::Exposure).unwrap();
    assert_eq!(exposure.properties.text("slot"), Some("hero"));
    assert_eq!(exposure.properties.text("rule"), Some("free-shipping-hero"));
    assert_eq!(exposure.properties.text("content"), Some("free_shipping"));
    assert_eq!(exposure.properties.text("program"), Some("07070707070707070707070707070707"));
}

#[test]
fn a_grant_that_another_tab_used_is_gone_here() {
    let mut world = open();
    world.view_shoes();
    world.view_shoes();
    see_hero(&mut world);
    let used = world.device.get("leases").cloned().expect("the use of a lease is shared");
    let mut other = open();
    other.view_shoes();
    other.input(Input::Changed { key: "leases".into(), value: Some(used) });
    other.view_shoes();
    assert_eq!(hero(&other).as_deref(), Some("free-shipping-hero"), "one of two is left");
    see_hero(&mut other);
    other.is_online = false;
    other.page(SITE);
    assert_eq!(hero(&other), None, "both are used");
}

#[test]
fn a_rule_acts_only_while_its_purpose_is_granted() {
    let mut world = open();
    world.view_shoes();
    world.view_shoes();
    assert!(hero(&world).is_some());
    world.consent(Purposes::NONE, Purposes::PERSONALIZATION);
    assert_eq!(hero(&world), None);
    assert!(world.shown["hero"].content.is_none(), "the page's own stands there again");
}

#[test]
fn a_decision_of_the_edge_alone_lies_over_the_pages_until_the_page_view_ends() {
    let mut world = open();
    world.edge.edge_only = vec![SlotDecision {
        slot: "hero".into(),
        rule: Some("alpine".into()),
        content: Some("alps".into()),
        reason: Reason::Won,
        detail: String::new(),
        body: Some(Content { id: "alps".into(), content_type: ContentType::Text, fields: Vec::new() }),
    }];
    world.view_shoes();
    world.pass(FLUSH_MS);
    assert_eq!(hero(&world).as_deref(), Some("alpine"));
    world.view_shoes();
    assert_eq!(hero(&world).as_deref(), Some("alpine"));
    world.edge.edge_only.clear();
    world.page(SITE);
    assert_ne!(hero(&world).as_deref(), Some("alpine"));
}

#[test]
fn a_new_program_is_fetched_once_an_answer_names_it() {
    let mut world = World::new(None);
    world.settle();
    world.grant();
    world.page(SITE);
    world.edge = world::Edge::new(Some(shop()));
    world.pass(FLUSH_MS);
    world.view_shoes();
    world.pass(FLUSH_MS);
    world.view_shoes();
    assert_eq!(hero(&world).as_deref(), Some("free-shipping-hero"));
}
