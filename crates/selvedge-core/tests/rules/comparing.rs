//! Facts made of two facts, and conditions on the items of an event's list.

use crate::build::{Build, Condition, DAY, SECOND, at_least, exactly, missing};
use crate::world::{START, World, int, map, text};
use selvedge_core::number::MICRO;
use selvedge_core::tracking_plan::Trust;
use selvedge_core::value::{Map, Value};
use selvedge_core::wire::program::{
    AttributeScope, AttributeType, Builtin, Fact, FactSource, Shape, Term, Test, Window,
};

fn term(fact: u16) -> Term {
    Term { fact, is_count: false }
}

fn attribute(build: &mut Build, name: &str, attribute_type: AttributeType) -> u16 {
    let at = build.attribute(name, AttributeScope::Visitor, attribute_type);
    build.fact(FactSource::Attribute(at), Shape::Number)
}

#[test]
fn the_difference_of_two_numbers_is_known_where_both_are() {
    let mut build = Build::new();
    let limit = attribute(&mut build, "limit", AttributeType::Number);
    let used = attribute(&mut build, "used", AttributeType::Number);
    let left = build.fact(FactSource::Difference(term(limit), term(used)), Shape::Number);
    build.rule("over", "hero", Some(Condition::Leaf(left, Test::Range(i64::MIN, -1))));
    build.rule("within", "banner", Some(at_least(left, 0)));
    build.rule("missing", "inbox", Some(missing(left)));
    let mut world = World::new(build.program());
    world.identify(0, map([("limit", int(3))]));
    assert!(!world.shows(0, "hero") && !world.shows(0, "banner") && world.shows(0, "inbox"));
    world.identify(SECOND, map([("used", int(3))]));
    assert!(world.shows(SECOND, "banner"));
    world.identify(2 * SECOND, map([("used", int(4))]));
    assert!(world.shows(2 * SECOND, "hero") && !world.shows(2 * SECOND, "banner"));
}

#[test]
fn a_count_is_compared_with_a_number_in_one_scale() {
    let mut build = Build::new();
    let limit = attribute(&mut build, "limit", AttributeType::Number);
    let count = build.count("a", Window::Session, 64);
    let count = Term { fact: count, is_count: true };
    let above = build.fact(FactSource::Difference(count, term(limit)), Shape::Number);
    build.rule("r", "hero", Some(at_least(above, 1)));
    let mut world = World::new(build.program());
    world.identify(0, map([("limit", int(2))]));
    for at in 1..=2 {
        world.track(at * SECOND, "a");
        assert!(!world.shows(at * SECOND, "hero"), "{at}");
    }
    world.track(3 * SECOND, "a");
    assert!(world.shows(3 * SECOND, "hero"));
}

#[test]
fn a_moment_is_so_far_from_now() {
    let mut build = Build::new();
    let ends = attribute(&mut build, "ends", AttributeType::Time);
    let now = build.fact(FactSource::Builtin(Builtin::Now), Shape::Number);
    let left = build.fact(FactSource::Difference(term(ends), term(now)), Shape::Number);
    build.rule("r", "hero", Some(Condition::Leaf(left, Test::Range(0, 3 * DAY))));
    let mut world = World::new(build.program());
    world.identify(0, map([("ends", int(START + 5 * DAY))]));
    for (at_ms, expected) in
        [(0, false), (2 * DAY - 1, false), (2 * DAY, true), (5 * DAY, true), (5 * DAY + 1, false)]
    {
        assert_eq!(world.shows(at_ms, "hero"), expected, "{at_ms}");
    }
}

#[test]
fn two_texts_are_the_same_or_not_or_nobody_knows() {
    let mut build = Build::new();
    let liked = build.attribute("liked", AttributeScope::Visitor, AttributeType::Text);
    let liked = build.fact(FactSource::Attribute(liked), Shape::Number);
    let path = build.fact(FactSource::Builtin(Builtin::PagePath), Shape::Number);
    let same = build.fact(FactSource::SameText(path, liked), Shape::Number);
    build.rule("same", "hero", Some(exactly(same, 1)));
    build.rule("other", "banner", Some(exactly(same, 0)));
    let mut world = World::new(build.program());
    world.page(0, "/a");
    assert!(!world.shows(0, "hero") && !world.shows(0, "banner"));
    world.identify(SECOND, map([("liked", text("/a"))]));
    assert!(world.shows(SECOND, "hero"));
    world.page(2 * SECOND, "/b");
    assert!(world.shows(2 * SECOND, "banner"));
    let long = "/long".repeat(20);
    world.page(3 * SECOND, &long);
    world.identify(3 * SECOND, map([("liked", text(&format!("{long}/er")))]));
    assert!(!world.shows(3 * SECOND, "hero") && !world.shows(3 * SECOND, "banner"), "both were cut");
}

/// A count of purchases in which an item passes: a printer, above 20.
fn printers() -> World {
    let mut build = Build::new();
    let mut item = |name: &str, shape| {
        build.parts.facts.push(Fact { source: FactSource::Item(name.into()), shape, default: None });
        u16::try_from(build.parts.facts.len()).unwrap() - 1
    };
    let category = item("category", Shape::OneOf(vec!["printer".into()]));
    let price = item("price", Shape::Number);
    let passes = build.code(&Condition::And(vec![
        Condition::Leaf(category, Test::Mask(1 << 2)),
        at_least(price, 20 * MICRO + 1),
    ]));
    let fails = build.code(&Condition::Or(vec![
        Condition::Leaf(category, Test::Mask(1 << 1)),
        Condition::Leaf(price, Test::Range(i64::MIN, 20 * MICRO)),
    ]));
    let any = build.fact(FactSource::AnyItem { list: "items".into(), passes, fails }, Shape::Number);
    let with = build.count_where("purchase", &exactly(any, 1), Window::Session, 64);
    let without = build.count_where("purchase", &exactly(any, 0), Window::Session, 64);
    build.rule("with", "hero", Some(at_least(with, 1)));
    build.rule("without", "banner", Some(at_least(without, 1)));
    World::new(build.program())
}

#[test]
fn a_condition_on_the_items_of_a_list_holds_for_one_of_them_as_a_whole() {
    let item = |category: Option<&str>, price: i64| {
        let mut item = Map::new();
        category.into_iter().for_each(|category| item.set("category", text(category)));
        item.set("price", int(price));
        Value::Object(item)
    };
    let (printer, ink) = (Some("printer"), Some("ink"));
    for (items, with, without) in [
        (vec![item(ink, 30), item(printer, 21)], true, false),
        (vec![item(ink, 30), item(printer, 20)], false, true),
        (vec![], false, true),
        (vec![item(None, 30)], false, false),
        (vec![item(None, 30), item(printer, 99)], true, false),
        (vec![item(None, 5)], false, true),
    ] {
        let mut world = printers();
        world.track_with(0, "purchase", map([("items", Value::List(items.clone()))]));
        assert_eq!((world.shows(0, "hero"), world.shows(0, "banner")), (with, without), "{items:?}");
    }
    let mut world = printers();
    world.track(0, "purchase");
    assert!(!world.shows(0, "hero") && !world.shows(0, "banner"), "without a list nothing is known");
}

#[test]
fn a_count_can_demand_that_a_server_said_so() {
    let mut build = Build::new();
    let trust = build.fact(FactSource::Trust, Shape::OneOf(vec!["server".into()]));
    let filter = Condition::Leaf(trust, Test::Mask(1 << 2));
    let fact = build.count_where("refund", &filter, Window::Session, 64);
    build.rule("r", "hero", Some(at_least(fact, 1)));
    let mut world = World::new(build.program());
    world.track(0, "refund");
    assert!(!world.shows(0, "hero"));
    world.trust = Trust::Server;
    world.track(SECOND, "refund");
    assert!(world.shows(SECOND, "hero"));
}
