//! The tag by which the edge tells a visitor's devices apart: drawn once for each visitor and storage, told with every batch, and gone with
//! the visitor.

mod world;

use selvedge_client::Input;
use selvedge_core::consent::Purposes;
use selvedge_core::limits::FLUSH_MS;
use selvedge_core::wire::codec::Writer;
use world::{World, reporting, shop};

/// A page that told of a view.
fn open() -> World {
    let mut world = World::new(Some(reporting(shop())));
    world.settle();
    world.grant();
    view(&mut world);
    world
}

fn view(world: &mut World) {
    world.view_shoes();
    world.pass(FLUSH_MS);
}

/// The tag of the newest batch.
fn told(world: &World) -> u32 {
    world.edge.batches.last().unwrap().header.holder
}

#[test]
fn a_device_draws_its_tag_with_the_visitor_and_keeps_it_over_pages() {
    let mut world = open();
    let tag = told(&world);
    assert_ne!(tag, 0);
    world.reopen();
    view(&mut world);
    assert_eq!(told(&world), tag);
    assert!(world.edge.batches.iter().all(|batch| batch.header.holder == tag));
}

#[test]
fn an_id_from_elsewhere_brings_no_tag_and_the_device_keeps_the_one_that_it_draws() {
    let mut world = open();
    let (visitor, tag) = (world.edge.batches[0].header.visitor, told(&world));
    let mut brought = Writer::new();
    brought.raw(&visitor.0);
    brought.zigzag(0);
    brought.varint(1);
    world.device.retain(|key, _| key == "consent");
    world.device.insert("visitor".into(), brought.into_bytes());
    world.reopen();
    view(&mut world);
    let own = told(&world);
    assert_eq!(world.edge.batches.last().unwrap().header.visitor, visitor);
    assert!(own != 0 && own != tag);
    world.reopen();
    view(&mut world);
    assert_eq!(told(&world), own);
}

#[test]
fn a_tab_takes_over_the_tag_that_another_stored() {
    let mut world = open();
    let (mut other, tag) = (World::new(Some(reporting(shop()))), told(&world));
    other.settle();
    other.grant();
    let value = world.device.get("visitor").cloned();
    other.input(Input::Changed { key: "visitor".into(), value: value.clone(), random: [77; 19] });
    view(&mut other);
    assert_eq!((told(&other), other.device.get("visitor")), (tag, None));
    world.input(Input::Changed { key: "visitor".into(), value, random: [78; 19] });
    view(&mut world);
    assert_eq!(told(&world), tag);
}

#[test]
fn the_next_visitor_has_another_tag() {
    let mut world = open();
    let tag = told(&world);
    world.input(Input::Reset { random: [88; 19] });
    view(&mut world);
    let next = told(&world);
    assert!(next != 0 && next != tag, "a logout");
    let visitor = world.edge.batches.last().unwrap().header.visitor;
    world.edge.erased.push(visitor);
    view(&mut world);
    view(&mut world);
    let last = told(&world);
    assert!(last != 0 && last != next, "an erasure");
    world.input(Input::Consent { granted: Purposes::NONE, denied: Purposes(0b1110), random: [99; 19] });
    world.run();
    assert_eq!((told(&world), world.edge.batches.last().unwrap().events.len()), (last, 0), "the farewell");
    world.input(Input::Consent { granted: Purposes(0b1110), denied: Purposes::NONE, random: [98; 19] });
    view(&mut world);
    assert!(![0, tag, next, last].contains(&told(&world)), "a withdrawal");
}

#[test]
fn where_nothing_may_be_stored_the_page_has_its_tag_in_memory() {
    let mut world = World::new(Some(reporting(shop())));
    world.is_storage_denied = true;
    world.settle();
    world.grant();
    view(&mut world);
    let tag = told(&world);
    view(&mut world);
    assert!(tag != 0 && told(&world) == tag && !world.device.contains_key("visitor"));
}
