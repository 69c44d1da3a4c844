//! Attributes: from traits, events and context.

use crate::build::{Build, Condition, HOUR, PERSONAL, SECOND, exactly, missing};
use crate::world::{World, all, int, map, text};
use selvedge_core::consent::Purposes;
use selvedge_core::event::EventType;
use selvedge_core::number::MICRO;
use selvedge_core::value::{Map, Value};
use selvedge_core::wire::program::{
    AttributeScope, AttributeSet, AttributeType, FactSource, IfStale, Scope, SetTo, Shape, Test, TextTest,
    Ttl, Window,
};
use selvedge_core::wire::state::VisitorState;

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

const DAY: i64 = 24 * HOUR;

fn timed(scope: AttributeScope, test: Test) -> World {
    world(scope, AttributeType::Time, Vec::new(), test)
}

#[test]
fn a_time_is_read_from_text_and_from_milliseconds() {
    let noon = crate::world::START;
    let mut world = timed(AttributeScope::Profile, Test::Range(noon, noon));
    world.identify(0, map([("plan", text("2027-01-15T08:00:00Z"))]));
    assert!(world.shows(0, "hero"));
    world.identify(SECOND, map([("plan", text("tomorrow"))]));
    assert!(!world.shows(SECOND, "hero"), "what is no moment is missing");
    world.identify(2 * SECOND, map([("plan", int(noon))]));
    assert!(world.shows(2 * SECOND, "hero"));
    let mut world = timed(AttributeScope::Context, Test::Range(noon, noon));
    world.context.set("plan", text("2027-01-15T09:00:00+01:00"));
    assert!(world.shows(0, "hero"), "also before any event");
}

fn listed(pattern: &str, set: Vec<AttributeSet>) -> World {
    let mut build = Build::new();
    let at = build.attribute("plan", AttributeScope::Visitor, AttributeType::List);
    build.parts.attributes[0].set = set;
    let fact = build.fact(FactSource::Attribute(at), Shape::Text(TextTest::Contains, pattern.into()));
    build.rule("holds", "hero", Some(exactly(fact, 1)));
    build.rule("lacks", "banner", Some(exactly(fact, 0)));
    World::new(build.program())
}

fn texts(all: &[&str]) -> Value {
    Value::List(all.iter().map(|one| text(one)).collect())
}

#[test]
fn a_list_holds_its_texts_as_a_whole() {
    let mut world = listed("shoes", Vec::new());
    world.track(0, "a");
    assert!(!world.shows(0, "hero") && !world.shows(0, "banner"), "there is no list yet");
    world.identify(SECOND, map([("plan", texts(&["hats", "shoes"]))]));
    assert!(world.shows(SECOND, "hero") && !world.shows(SECOND, "banner"));
    world.identify(2 * SECOND, map([("plan", texts(&["snowshoes"]))]));
    assert!(!world.shows(2 * SECOND, "hero") && world.shows(2 * SECOND, "banner"));
}

#[test]
fn of_a_long_list_only_what_is_kept_is_known() {
    let mut world = listed("i", Vec::new());
    world.identify(0, map([("plan", texts(&["a", "b", "c", "d", "e", "f", "g", "h", "i"]))]));
    assert!(!world.shows(0, "hero") && !world.shows(0, "banner"));
    world.identify(SECOND, map([("plan", texts(&["i", "b", "c", "d", "e", "f", "g", "h", "a"]))]));
    assert!(world.shows(SECOND, "hero"));
}

#[test]
fn a_list_is_made_of_a_property_of_each_item() {
    let sets = vec![set("purchase", SetTo::Property("order.items.category".into()))];
    let mut world = listed("printer", sets);
    let item = |category: &str| Value::Object(map([("category", text(category))]));
    let order = Value::Object(map([("items", Value::List(vec![item("cable"), item("printer")]))]));
    world.track_with(0, "purchase", map([("order", order)]));
    assert!(world.shows(0, "hero"));
}

#[test]
fn a_value_that_was_set_too_long_ago_counts_no_more() {
    for (if_stale, is_missing) in [(IfStale::Unknown, false), (IfStale::Missing, true)] {
        let mut build = Build::new();
        let at = build.attribute("plan", AttributeScope::Visitor, AttributeType::Text);
        build.parts.attributes[0].ttl = Some(Ttl { ms: u64::try_from(DAY).unwrap(), if_stale });
        let fact = build.fact(FactSource::Attribute(at), Shape::OneOf(vec!["trial".into()]));
        build.rule("trial", "hero", Some(Condition::Leaf(fact, IS_TRIAL)));
        build.rule("missing", "banner", Some(missing(fact)));
        let mut world = World::new(build.program());
        world.identify(0, map([("plan", text("trial"))]));
        assert!(world.shows(DAY, "hero"));
        assert!(!world.shows(DAY + 1, "hero"));
        assert_eq!(world.shows(DAY + 1, "banner"), is_missing);
        world.identify(2 * DAY, map([("plan", text("trial"))]));
        assert!(world.shows(2 * DAY, "hero"));
    }
}

#[test]
fn what_is_of_the_account_is_kept_in_its_own_state() {
    let mut build = Build::new();
    let at = build.attribute("account.plan", AttributeScope::Account, AttributeType::Text);
    let fact = build.fact(FactSource::Attribute(at), Shape::OneOf(vec!["trial".into()]));
    build.rule("r", "hero", Some(Condition::Leaf(fact, IS_TRIAL)));
    build.rule("missing", "banner", Some(missing(fact)));
    let mut world = World::new(build.program());
    let grouped = |at_ms: i64, plan: &str| {
        crate::world::event(
            EventType::Group,
            "group",
            crate::world::START + at_ms,
            map([("plan", text(plan))]),
        )
    };
    world.step(0, &grouped(0, "trial"));
    assert!(!world.shows(0, "hero") && !world.shows(0, "banner"), "without an account it is unknown");
    world.account = Some(VisitorState::new(crate::world::START));
    assert!(world.shows(0, "banner"));
    world.step_account(SECOND, &grouped(SECOND, "trial"));
    assert!(world.shows(SECOND, "hero") && !world.shows(SECOND, "banner"));
    assert_eq!(world.state.cells.len(), 0, "nothing of it is the visitor's");
}

#[test]
fn a_count_of_the_account_counts_what_all_of_its_members_do() {
    let mut build = Build::new();
    let fact = build.count("pricing", Window::Sliding(u64::try_from(7 * DAY).unwrap()), 3);
    build.parts.metrics[0].scope = Scope::Account;
    build.rule("r", "hero", Some(Condition::Leaf(fact, Test::Range(3, i64::MAX))));
    build.rule("none", "banner", Some(exactly(fact, 0)));
    let program = build.program();
    let mut account = Some(VisitorState::new(crate::world::START));
    for (member, at_ms) in [(1, 0), (2, DAY), (3, 2 * DAY)] {
        let mut world = World::new(program.clone());
        world.account = account.take();
        let visit = crate::world::event(EventType::Track, "pricing", crate::world::START + at_ms, Map::new());
        world.step(at_ms, &visit);
        world.step_account(at_ms, &visit);
        assert_eq!(world.shows(at_ms, "hero"), member == 3, "{member}");
        assert!(!world.shows(at_ms, "banner"), "it is known not to be 0");
        assert!(!world.state.cells.iter().any(|cell| cell.hash == program.parts().metrics[0].meaning));
        account = world.account.take();
    }
    let mut world = World::new(program);
    world.account = account;
    assert!(world.shows(6 * DAY, "hero") && !world.shows(7 * DAY, "hero"));
    world.account = None;
    world.track(7 * DAY, "pricing");
    assert!(!world.shows(7 * DAY, "hero") && !world.shows(7 * DAY, "banner"), "unknown without its account");
}
