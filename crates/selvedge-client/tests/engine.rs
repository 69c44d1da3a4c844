//! The rule engine is a module of its own: late, away, or lost on the way, it takes nothing of the page with it.

mod world;

use selvedge_client::Notice;
use selvedge_core::consent::Purposes;
use selvedge_core::limits::FLUSH_MS;
use selvedge_core::wire::program::Parts;
use world::{World, shop};

const SITE: &str = "https://shop.test/shoes";
const HERO: Option<&str> = Some("free-shipping-hero");

/// The shop, whose rule is shown as often as it wins.
fn uncapped() -> Parts {
    let mut parts = shop();
    parts.rules[0].caps = Vec::new();
    parts
}

/// A page whose engine does not come by itself.
fn without_engine(program: Parts) -> World {
    let mut world = World::new(Some(program));
    world.engine = None;
    world.settle();
    world.grant();
    world
}

fn hero(world: &World) -> Option<&str> {
    world.shown.get("hero")?.rule.as_deref()
}

fn view_two(world: &mut World) {
    world.view_shoes();
    world.view_shoes();
}

fn losses(world: &World) -> usize {
    world.notices.iter().filter(|notice| **notice == Notice::EngineLost).count()
}

#[test]
fn a_program_without_rules_calls_no_engine() {
    let mut program = uncapped();
    program.rules.clear();
    program.contents.clear();
    let mut world = without_engine(program);
    view_two(&mut world);
    world.pass(FLUSH_MS);
    assert!(!world.is_engine_called);
    assert_eq!(world.edge.log.len(), 2);
}

#[test]
fn an_engine_that_comes_late_decides_from_all_that_happened() {
    let mut world = without_engine(uncapped());
    world.is_online = false;
    view_two(&mut world);
    assert_eq!(hero(&world), None);
    world.bring_engine(true);
    assert_eq!(hero(&world), HERO);
    assert_eq!(losses(&world), 0);
}

#[test]
fn an_engine_that_cannot_be_had_leaves_deciding_to_the_edge() {
    let mut world = without_engine(uncapped());
    world.page(SITE);
    world.bring_engine(false);
    view_two(&mut world);
    world.pass(FLUSH_MS);
    assert_eq!(hero(&world), HERO, "the edge decided, and sent the content along");
    assert!(world.shown["hero"].content.is_some());
    assert_eq!((losses(&world), world.edge.log.len()), (1, 3));
    world.boot();
    world.settle();
    assert!(world.is_engine_called, "the next page tries again");
}

#[test]
fn what_needs_a_grant_is_not_shown_without_an_engine() {
    let mut world = without_engine(shop());
    world.page(SITE);
    world.bring_engine(false);
    view_two(&mut world);
    world.pass(FLUSH_MS);
    assert_eq!(hero(&world), None);
    assert_eq!(world.edge.log.len(), 3);
}

/// Wherever it traps: nothing is lost, and what the edge decides stands in the end.
#[test]
fn an_engine_that_traps_takes_nothing_with_it() {
    for questions in 1..40 {
        let mut world = World::new(Some(uncapped()));
        world.engine_questions = questions;
        world.boot();
        world.settle();
        world.grant();
        world.page(SITE);
        world.pass(FLUSH_MS);
        view_two(&mut world);
        let stood = hero(&world).map(str::to_owned);
        world.view_shoes();
        assert!(stood.is_none() || hero(&world) == stood.as_deref(), "{questions}: what stands stays");
        world.pass(FLUSH_MS);
        world.pass(FLUSH_MS);
        assert_eq!(hero(&world), HERO, "{questions}");
        assert_eq!((world.edge.log.len(), losses(&world) <= 1), (4, true), "{questions}");
    }
}

#[test]
fn a_purpose_that_is_lost_takes_what_stood_without_an_engine() {
    let mut world = without_engine(uncapped());
    world.page(SITE);
    world.bring_engine(false);
    view_two(&mut world);
    world.pass(FLUSH_MS);
    assert_eq!(hero(&world), HERO);
    world.is_online = false;
    world.consent(Purposes::NONE, Purposes::PERSONALIZATION);
    assert_eq!(hero(&world), None);
}

#[test]
fn a_rule_that_was_stopped_goes_without_an_engine() {
    let mut world = without_engine(uncapped());
    world.page(SITE);
    world.bring_engine(false);
    view_two(&mut world);
    world.pass(FLUSH_MS);
    assert_eq!(hero(&world), HERO);
    world.edge.paused = vec![selvedge_core::hash::fnv1a_64(b"free-shipping-hero")];
    world.settle();
    assert_eq!(hero(&world), None);
}
