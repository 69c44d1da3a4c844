//! The cart, against a naive reading of the whole history.

use crate::build::{Build, PERSONAL, SECOND};
use crate::world::{World, all, int, map, text};
use proptest::prelude::*;
use selvedge_core::number::MICRO;
use selvedge_core::rules::{Known, known_facts};
use selvedge_core::value::{Map, Value};
use selvedge_core::wire::program::{Builtin, CartChange, CartEvent, FactSource, Shape};
use selvedge_core::wire::state::VisitorState;

const MISSING: Known = Known { low: i64::MIN, high: i64::MIN };
const UNKNOWN: Known = Known { low: i64::MIN, high: i64::MAX };

fn build() -> Build {
    let mut build = Build::new();
    build.builtin(Builtin::CartValue);
    build.builtin(Builtin::CartItems);
    let skus = ["a", "b", "c", "d"].map(Into::into).into();
    build.fact(FactSource::Builtin(Builtin::CartLastSku), Shape::OneOf(skus));
    let event = |event: &str, does| CartEvent { event: event.into(), does, purpose: PERSONAL };
    build.parts.cart = vec![
        event("add_to_cart", CartChange::Adds),
        event("remove_from_cart", CartChange::Removes),
        event("purchase", CartChange::Empties),
    ];
    build
}

/// Value, number of things and last sku.
fn known(world: &World, at_ms: i64) -> [Known; 3] {
    let known = known_facts(&world.program, &world.state, &world.moment(at_ms));
    [known[0], known[1], known[2]]
}

fn exact(value: i64, items: i64, sku: Option<i64>) -> [Known; 3] {
    let sku = sku.map_or(MISSING, |sku| Known::exact(sku + 2));
    [Known::exact(value * MICRO), Known::exact(items * MICRO), sku]
}

fn line(sku: &str, quantity: i64, price: i64) -> Map {
    map([("sku", text(sku)), ("quantity", int(quantity)), ("price", int(price))])
}

#[test]
fn what_is_put_in_and_taken_out_is_in_the_cart() {
    let mut world = World::new(build().program());
    world.track(0, "other");
    assert_eq!(known(&world, 0), exact(0, 0, None));
    world.track_with(SECOND, "add_to_cart", line("a", 2, 10));
    assert_eq!(known(&world, SECOND), exact(20, 2, Some(0)));
    world.track_with(2 * SECOND, "add_to_cart", map([("sku", text("b")), ("value", int(30))]));
    assert_eq!(known(&world, 2 * SECOND), exact(50, 3, Some(1)));
    world.track_with(3 * SECOND, "remove_from_cart", line("a", 1, 10));
    assert_eq!(known(&world, 3 * SECOND), exact(40, 2, Some(1)));
    world.track_with(4 * SECOND, "remove_from_cart", map([("sku", text("a"))]));
    assert_eq!(known(&world, 4 * SECOND), exact(30, 1, Some(1)));
    world.track_with(5 * SECOND, "remove_from_cart", map([("sku", text("c"))]));
    assert_eq!(known(&world, 5 * SECOND), exact(30, 1, Some(1)), "it was not in it");
    world.track(6 * SECOND, "purchase");
    assert_eq!(known(&world, 6 * SECOND), exact(0, 0, None));
}

#[test]
fn items_of_a_list_and_other_words_are_read() {
    let mut world = World::new(build().program());
    let item = |sku: &str, price: i64| Value::Object(map([("item_id", text(sku)), ("price", int(price))]));
    let items = Value::List(vec![item("a", 5), item("b", 7)]);
    world.track_with(0, "add_to_cart", map([("items", items), ("value", int(99))]));
    assert_eq!(known(&world, 0), exact(12, 2, Some(1)));
}

#[test]
fn a_price_that_is_not_said_or_of_another_currency_makes_a_lower_bound() {
    for foreign in [false, true] {
        let mut world = World::new(build().program());
        world.track_with(0, "add_to_cart", line("a", 2, 10));
        let mut other = if foreign { line("b", 1, 5) } else { map([("sku", text("b"))]) };
        if foreign {
            other.set("currency", text("USD"));
        }
        world.track_with(SECOND, "add_to_cart", other);
        let [value, items, _] = known(&world, SECOND);
        assert_eq!((value, items), (Known { low: 20 * MICRO, high: i64::MAX }, Known::exact(3 * MICRO)));
    }
}

#[test]
fn what_was_last_is_not_known_once_it_is_taken_out_of_many() {
    let mut world = World::new(build().program());
    world.track_with(0, "add_to_cart", line("a", 1, 1));
    world.track_with(SECOND, "add_to_cart", line("b", 1, 1));
    world.track_with(2 * SECOND, "remove_from_cart", line("b", 1, 1));
    assert_eq!(known(&world, 2 * SECOND)[2], UNKNOWN);
    world.track_with(3 * SECOND, "remove_from_cart", line("a", 1, 1));
    world.track_with(4 * SECOND, "add_to_cart", line("c", 1, 1));
    assert_eq!(known(&world, 4 * SECOND), exact(1, 1, Some(2)));
}

#[test]
fn unknown_after_a_stretch_without_the_purpose_until_it_is_emptied() {
    let mut world = World::new(build().program());
    world.track_with(0, "add_to_cart", line("a", 1, 1));
    world.in_force = all().without(PERSONAL);
    world.track_with(SECOND, "add_to_cart", line("b", 1, 1));
    assert_eq!(known(&world, SECOND), [UNKNOWN; 3]);
    world.in_force = all();
    world.track(2 * SECOND, "other");
    assert_eq!(known(&world, 2 * SECOND)[..2], [UNKNOWN; 2]);
    world.track(3 * SECOND, "purchase");
    assert_eq!(known(&world, 3 * SECOND), exact(0, 0, None));
}

#[test]
fn new_to_a_known_visitor_it_is_unknown_until_it_is_emptied() {
    let mut before = World::new(Build::new().program());
    before.track(0, "other");
    let mut world = World::new(build().program());
    world.state = before.state;
    world.track_with(SECOND, "add_to_cart", line("a", 1, 1));
    assert_eq!(known(&world, SECOND)[..2], [UNKNOWN; 2]);
    world.track(2 * SECOND, "purchase");
    assert_eq!(known(&world, 2 * SECOND), exact(0, 0, None));
}

#[test]
fn more_lines_than_are_kept_are_not_known() {
    let mut world = World::new(build().program());
    for at in 0..17 {
        world.track_with(at, "add_to_cart", line(&format!("sku-{at}"), 1, 1));
        assert_eq!(known(&world, at)[1] == UNKNOWN, at == 16, "{at}");
    }
    assert!(world.state.encode().len() <= world.program.state_bytes_max());
}

proptest! {
    #[test]
    fn the_cart_is_what_the_whole_history_says(
        steps in prop::collection::vec((0..8usize, 0..4usize, 1..4i64, 0..50i64), 1..40),
    ) {
        let mut world = World::new(build().program());
        let mut lines: Vec<(usize, i64, i64)> = Vec::new();
        for (at_ms, (does, sku, quantity, price)) in (0..).step_by(1_000).zip(steps) {
            let name = ["a", "b", "c", "d"][sku];
            let properties = line(name, quantity, price);
            let place = lines.iter().position(|(known, ..)| *known == sku);
            match (does, place) {
                (0, _) => {
                    world.track_with(at_ms, "purchase", properties);
                    lines.clear();
                }
                (1..=2, place) => {
                    world.track_with(at_ms, "remove_from_cart", properties);
                    if let Some(at) = place {
                        lines[at].1 -= quantity;
                        lines.retain(|(_, quantity, _)| *quantity > 0);
                    }
                }
                (_, place) => {
                    world.track_with(at_ms, "add_to_cart", properties);
                    let before = place.map_or(0, |at| lines.remove(at).1);
                    lines.push((sku, before + quantity, price));
                }
            }
            let value: i64 = lines.iter().map(|(_, quantity, price)| quantity * price).sum();
            let items: i64 = lines.iter().map(|(_, quantity, _)| *quantity).sum();
            let found = known(&world, at_ms);
            prop_assert_eq!(&found[..2], &exact(value, items, None)[..2]);
            prop_assert_eq!(found[2] == MISSING, lines.is_empty());
            prop_assert_eq!(&VisitorState::decode(&world.state.encode()).unwrap(), &world.state);
        }
    }
}
