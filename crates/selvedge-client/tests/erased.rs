//! A visitor who was erased at the edge: the page begins another, and nothing of the old one is kept or sent again.

mod world;

use selvedge_client::Input;
use selvedge_core::id::VisitorId;
use selvedge_core::limits::FLUSH_MS;
use world::{World, reporting, shop};

/// A visitor with state and leases on the device, who is erased at the edge while `waiting` more events wait.
fn erased(waiting: usize) -> (World, VisitorId) {
    let mut world = World::new(Some(reporting(shop())));
    world.settle();
    world.grant();
    world.page("https://shop.test/");
    world.view_shoes();
    world.view_shoes();
    world.pass(FLUSH_MS);
    assert!(world.device.contains_key("state"));
    let visitor = world.edge.batches[0].header.visitor;
    world.edge.erased.push(visitor);
    world.edge.states.clear();
    for _ in 0..waiting {
        world.view_shoes();
    }
    (world, visitor)
}

/// The visitors of the batches from the `from`th on.
fn visitors(world: &World, from: usize) -> Vec<VisitorId> {
    world.edge.batches[from..].iter().map(|batch| batch.header.visitor).collect()
}

#[test]
fn the_next_event_is_another_visitors_under_the_same_consent() {
    let (mut world, old) = erased(1);
    let shown = world.shown["hero"].clone();
    assert_eq!(shown.rule.as_deref(), Some("free-shipping-hero"));
    world.pass(FLUSH_MS);
    assert_eq!(world.shown["hero"].rule, None, "what the old one saw does not stand");
    for key in ["visitor", "state", "leases"] {
        assert!(!world.device.contains_key(key), "{key}");
    }
    assert!(world.device.keys().all(|key| !key.starts_with("q.") && !key.starts_with("w.")));
    assert!(world.device.contains_key("consent"));
    let from = world.edge.batches.len();
    world.view_shoes();
    world.pass(FLUSH_MS);
    let now = visitors(&world, from);
    assert_eq!(now.len(), 1);
    assert_ne!(now[0], old);
    assert_eq!(world.edge.log.keys().filter(|(visitor, ..)| *visitor == now[0]).count(), 1);
    world.reopen();
    world.view_shoes();
    world.pass(FLUSH_MS);
    assert!(visitors(&world, from).iter().all(|visitor| *visitor == now[0]), "it stays who it is");
}

#[test]
fn what_waits_of_the_old_one_is_destroyed_and_counted() {
    let (mut world, old) = erased(1);
    world.input(Input::Flush);
    for _ in 0..4 {
        world.view_shoes();
    }
    let from = world.edge.batches.len();
    world.pass(10 * FLUSH_MS);
    let later = visitors(&world, from);
    assert_eq!(later.iter().filter(|visitor| **visitor == old).count(), 1, "the one that heard of it");
    assert_eq!(world.lost(), 4);
    world.view_shoes();
    world.pass(2 * FLUSH_MS);
    assert!(visitors(&world, from + 1).iter().all(|visitor| *visitor != old));
    let names: Vec<_> = world.edge.log.iter().filter(|((visitor, ..), _)| *visitor != old).collect();
    assert!(names.iter().any(|(_, event)| event.name == "events_lost"));
}

#[test]
fn a_queue_of_an_erased_visitor_leaves_this_pages_own_alone() {
    let (mut world, old) = erased(2);
    // The page dies; the device gets another visitor (a logout), whose page sends the old queue first.
    world.boot();
    world.settle();
    world.input(Input::Reset { random: [77; 19] });
    world.view_shoes();
    let from = world.edge.batches.len();
    world.pass(2 * FLUSH_MS);
    let now = visitors(&world, from);
    assert_eq!(now.iter().filter(|visitor| **visitor == old).count(), 1, "{now:?}");
    assert!(world.edge.log.keys().any(|(visitor, ..)| *visitor != old));
    assert!(world.device.keys().all(|key| !key.starts_with("q.")));
    assert!(world.device.contains_key("visitor"));
}
