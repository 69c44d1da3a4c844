//! What another tab of the device did: a grant, a withdrawal, a logout.

mod world;

use selvedge_client::Input;
use selvedge_core::consent::{Mode, Purposes};
use world::{World, shop};

const SITE: &str = "https://shop.test/shoes?utm_medium=cpc";

#[test]
fn another_tabs_withdrawal_empties_this_one_without_a_word() {
    let mut world = World::new(Some(shop()));
    world.settle();
    world.grant();
    world.page(SITE);
    world.pass(60_000);
    let requests = world.requests;
    world.view_shoes();
    world.device.remove("consent");
    world.input(Input::Changed { key: "consent".into(), value: None, random: [77; 19] });
    assert!(world.device.is_empty(), "{:?}", world.device.keys());
    world.view_shoes();
    world.pass(600_000);
    assert_eq!(world.requests, requests);
}

#[test]
fn another_tabs_grant_brings_its_visitor_along() {
    let mut first = World::new(Some(shop()));
    first.settle();
    first.grant();
    first.page(SITE);
    let mut second = World::new(Some(shop()));
    second.settle();
    second.page(SITE);
    for key in ["visitor", "consent"] {
        second.input(Input::Changed {
            key: key.into(),
            value: first.device.get(key).cloned(),
            random: [77; 19],
        });
    }
    first.pass(60_000);
    second.pass(60_000);
    assert_eq!(first.edge.batches[0].header.visitor, second.edge.batches[0].header.visitor);
    assert!(!second.device.contains_key("consent"), "the first tab stored it");
}

#[test]
fn another_tabs_withdrawal_leaves_the_answer_it_stored() {
    let mut world = World::new(Some(shop()));
    world.mode = Mode::OptOut;
    world.settle();
    world.page(SITE);
    world.pass(60_000);
    let mut other = World::new(Some(shop()));
    other.mode = Mode::OptOut;
    other.device = world.device.clone();
    other.reopen();
    other.consent(Purposes::NONE, Purposes(0b1110));
    world.device = other.device.clone();
    world.input(Input::Changed { key: "consent".into(), value: None, random: [77; 19] });
    world.input(Input::Changed {
        key: "consent".into(),
        value: other.device.get("consent").cloned(),
        random: [77; 19],
    });
    assert_eq!(world.device.keys().collect::<Vec<_>>(), ["consent"]);
    world.view_shoes();
    world.pass(60_000);
    assert_eq!(world.device.keys().collect::<Vec<_>>(), ["consent"]);
}

#[test]
fn another_tabs_withdrawal_grants_nothing_that_was_denied() {
    let mut world = World::new(Some(shop()));
    world.mode = Mode::OptOut;
    world.settle();
    world.consent(Purposes::NONE, Purposes(0b1100));
    world.page(SITE);
    world.pass(60_000);
    for _ in 0..2 {
        world.device.remove("consent");
        world.input(Input::Changed { key: "consent".into(), value: None, random: [77; 19] });
    }
    world.device.clear();
    world.page(SITE);
    world.view_shoes();
    world.pass(60_000);
    assert_eq!(world.device.keys().collect::<Vec<_>>(), Vec::<&str>::new());
}

#[test]
fn a_grant_after_another_tabs_withdrawal_is_of_another_visitor() {
    let mut world = World::new(Some(shop()));
    world.settle();
    world.grant();
    world.page(SITE);
    world.pass(60_000);
    world.input(Input::Changed { key: "consent".into(), value: None, random: [77; 19] });
    world.grant();
    world.page(SITE);
    world.pass(60_000);
    let visitors: Vec<_> = world.edge.log.keys().map(|(visitor, ..)| *visitor).collect();
    assert_eq!(visitors.len(), 2);
    assert_ne!(visitors[0], visitors[1]);
}

/// What another tab stored or erased under `key`.
fn hear(world: &mut World, key: &str, value: Option<Vec<u8>>) {
    match value.clone() {
        Some(value) => drop(world.device.insert(key.into(), value)),
        None => drop(world.device.remove(key)),
    }
    world.input(Input::Changed { key: key.into(), value, random: [77; 19] });
}

#[test]
fn after_a_logout_in_another_tab_this_one_is_of_the_new_visitor() {
    let mut first = World::new(Some(shop()));
    first.settle();
    first.grant();
    first.page(SITE);
    first.pass(60_000);
    let old = first.edge.batches[0].header.visitor;
    let mut second = World::new(Some(shop()));
    second.device = first.device.clone();
    second.reopen();
    second.page(SITE);
    first.input(Input::Reset { random: [42; 19] });
    hear(&mut second, "visitor", None);
    first.page(SITE);
    hear(&mut second, "visitor", first.device.get("visitor").cloned());
    second.view_shoes();
    second.reopen();
    second.view_shoes();
    first.pass(60_000);
    second.pass(60_000);
    let new = first.edge.batches.last().unwrap().header.visitor;
    assert_ne!(new, old);
    let mut seen: Vec<_> =
        second.edge.log.iter().map(|((visitor, ..), event)| (*visitor == new, event.name.clone())).collect();
    seen.sort();
    let expected = [(false, "page"), (true, "product_view"), (true, "product_view")];
    assert_eq!(
        seen,
        expected.map(|(is_new, name)| (is_new, name.to_owned())),
        "what was queued is the old one's"
    );
    assert_eq!(second.device["visitor"], first.device["visitor"]);
}

#[test]
fn a_visitor_that_another_tab_forgot_is_not_minted_again() {
    let mut world = World::new(Some(shop()));
    world.settle();
    world.grant();
    world.page(SITE);
    world.pass(60_000);
    let old = world.device["visitor"].clone();
    hear(&mut world, "visitor", None);
    world.view_shoes();
    world.pass(60_000);
    assert_ne!(world.device["visitor"], old);
    assert_ne!(world.edge.batches[0].header.visitor, world.edge.batches.last().unwrap().header.visitor);
}

/// Two tabs that mint a visitor at once: the last that is stored stays, and what the other was answered is not its state.
#[test]
fn the_state_of_a_visitor_whom_another_tab_wrote_over_is_nobodys() {
    let mut world = World::new(Some(shop()));
    world.settle();
    world.grant();
    world.page(SITE);
    world.view_shoes();
    world.view_shoes();
    world.pass(60_000);
    let next = [&[9; 16][..], &[0, 0, 7]].concat();
    for (visitor, rule) in [(None, Some("free-shipping-hero")), (Some(next), None)] {
        if let Some(visitor) = visitor {
            world.device.insert("visitor".into(), visitor);
        }
        world.is_online = false;
        world.reopen();
        world.page(SITE);
        assert_eq!(world.shown.get("hero").and_then(|shown| shown.rule.as_deref()), rule);
    }
}
