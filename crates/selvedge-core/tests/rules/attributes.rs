//! Attributes: from traits, events and context.

use crate::build::{Build, Condition, HOUR, PERSONAL, SECOND, exactly, missing};
use crate::world::{World, all, int, map, text};
use selvedge_core::consent::Purposes;
use selvedge_core::event::EventType;
use selvedge_core::number::MICRO;
use selvedge_core::value::{Map, Value};
use selvedge_core::wire::program::{
    AttributeScope, AttributeSet, AttributeType, FactSource, SetTo, Shape, Test,
};

fn world(scope: AttributeScope, kind: AttributeType, set: Vec<AttributeSet>, test: Test) -> World {
    let mut build = Build::new();
    let at = build.attribute("plan", scope, kind);
    build.parts.attributes[0].set = set;
    let shape = if kind == AttributeType::Text { Shape::OneOf(vec!["trial".into()]) } else { Shape::Number };
    let fact = build.fact(FactSource::Attribute(at), shape);
    build.rule("r", "hero", Some(Condition::Leaf(fact, test)));
    World::new(build.program())
}

fn set(event: &str, to: SetTo) -> AttributeSet {
    AttributeSet { event: event.into(), to }
}

const IS_TRIAL: Test = Test::Mask(1 << 2);
const IS_NOT_TRIAL: Test = Test::Mask(1 << 1);

#[test]
fn a_trait_sets_the_attribute_of_its_name() {
    let mut world = world(AttributeScope::Visitor, AttributeType::Text, Vec::new(), IS_TRIAL);
    world.track_with(0, "a", map([("plan", text("trial"))]));
    assert!(!world.shows(0, "hero"), "only identify and group carry traits");
    world.identify(SECOND, map([("plan", text("trial"))]));
    assert!(world.shows(SECOND, "hero"));
    world.identify(2 * SECOND, map([("other", text("x"))]));
    assert!(world.shows(2 * SECOND, "hero"), "a trait that is not mentioned stays");
    world.identify(3 * SECOND, map([("plan", Value::Null)]));
    assert!(!world.shows(3 * SECOND, "hero"));
}

#[test]
fn a_missing_attribute_is_not_unequal_to_anything() {
    let mut world = world(AttributeScope::Visitor, AttributeType::Text, Vec::new(), IS_NOT_TRIAL);
    world.track(0, "a");
    assert!(!world.shows(0, "hero"));
    world.identify(SECOND, map([("plan", text("paid"))]));
    assert!(world.shows(SECOND, "hero"));
}

#[test]
fn events_set_constants_and_properties() {
    let sets = vec![
        set("opened", SetTo::Number(7 * MICRO)),
        set("closed", SetTo::Number(0)),
        set("changed", SetTo::Property("level".into())),
    ];
    let mut world =
        world(AttributeScope::Visitor, AttributeType::Number, sets, Test::Range(7 * MICRO, 7 * MICRO));
    world.track(0, "opened");
    assert!(world.shows(0, "hero"));
    world.track(SECOND, "closed");
    assert!(!world.shows(SECOND, "hero"));
    world.track_with(2 * SECOND, "changed", map([("level", int(7))]));
    assert!(world.shows(2 * SECOND, "hero"));
    world.track_with(3 * SECOND, "changed", map([("level", text("seven"))]));
    assert!(!world.shows(3 * SECOND, "hero"), "another type is missing");
}

#[test]
fn the_latest_event_wins_whatever_the_order_of_arrival() {
    let sets = vec![set("opened", SetTo::Bool(true)), set("closed", SetTo::Bool(false))];
    let mut world = world(AttributeScope::Visitor, AttributeType::Bool, sets, Test::Range(1, 1));
    world.track(10 * SECOND, "opened");
    world.track(9 * SECOND, "closed");
    assert!(world.shows(10 * SECOND, "hero"));
}

#[test]
fn a_session_attribute_ends_with_the_session() {
    let sets = vec![set("opened", SetTo::Bool(true))];
    let mut world = world(AttributeScope::Session, AttributeType::Bool, sets, Test::Range(1, 1));
    world.track(0, "opened");
    assert!(world.shows(0, "hero"));
    world.track(HOUR, "a");
    assert!(!world.shows(HOUR, "hero"));
}

#[test]
fn a_context_attribute_is_as_the_latest_context_says() {
    let mut world = world(AttributeScope::Context, AttributeType::Text, Vec::new(), IS_TRIAL);
    world.context.set("plan", text("trial"));
    assert!(world.shows(0, "hero"), "also before any event");
    world.track(0, "a");
    assert!(world.shows(0, "hero"));
    world.context.set("plan", text("paid"));
    world.track(SECOND, "a");
    assert!(!world.shows(SECOND, "hero"));
}

#[test]
fn without_its_purpose_an_attribute_is_neither_known_nor_missing() {
    let mut build = Build::new();
    let at = build.attribute("plan", AttributeScope::Visitor, AttributeType::Text);
    let fact = build.fact(FactSource::Attribute(at), Shape::OneOf(vec!["trial".into()]));
    build.rule("trial", "hero", Some(Condition::Leaf(fact, IS_TRIAL))).purpose = Purposes::NECESSARY;
    build.rule("missing", "banner", Some(missing(fact))).purpose = Purposes::NECESSARY;
    let mut world = World::new(build.program());
    world.identify(0, map([("plan", text("trial"))]));
    assert!(world.shows(0, "hero"));
    world.in_force = all().without(PERSONAL);
    world.track(SECOND, "a");
    assert!(!world.shows(SECOND, "hero") && !world.shows(SECOND, "banner"));
    world.in_force = all();
    world.track(2 * SECOND, "a");
    assert!(!world.shows(2 * SECOND, "hero") && !world.shows(2 * SECOND, "banner"), "it may have changed");
    world.identify(3 * SECOND, map([("plan", text("trial"))]));
    assert!(world.shows(3 * SECOND, "hero"));
}

#[test]
fn a_default_stands_in_for_what_is_missing() {
    let mut build = Build::new();
    let at = build.attribute("visits", AttributeScope::Visitor, AttributeType::Number);
    let fact = build.fact(FactSource::Attribute(at), Shape::Number);
    build.parts.facts[usize::from(fact)].default = Some(0);
    build.rule("r", "hero", Some(exactly(fact, 0)));
    let mut world = World::new(build.program());
    world.track(0, "a");
    assert!(world.shows(0, "hero"));
    world.identify(SECOND, map([("visits", int(3))]));
    assert!(!world.shows(SECOND, "hero"));
}

#[test]
fn group_traits_and_nested_traits_are_read() {
    let mut build = Build::new();
    let at = build.attribute("account.plan", AttributeScope::Visitor, AttributeType::Text);
    let fact = build.fact(FactSource::Attribute(at), Shape::OneOf(vec!["trial".into()]));
    build.rule("r", "hero", Some(Condition::Leaf(fact, IS_TRIAL)));
    let mut world = World::new(build.program());
    let traits: Map = map([("account", Value::Object(map([("plan", text("trial"))])))]);
    world.step(0, &crate::world::event(EventType::Group, "group", crate::world::START, traits));
    assert!(world.shows(0, "hero"));
}
