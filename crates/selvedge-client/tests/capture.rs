//! What is captured by itself: only what the tracking plan knows, also where it came before the plan; without personal data.

mod world;

use selvedge_client::Input;
use selvedge_core::tracking_plan::{PlanProperty, PropertyType};
use selvedge_core::value::Value;
use selvedge_core::wire::program::Parts;
use world::{World, shop};

const PERSONAL: &str = "jane@shop.test, 0171 1234567, 4111 1111 1111 1111";
const MASKED: &str = "[email], [phone], [card]";

/// The shop, whose plan knows clicks on links.
fn clicking() -> Parts {
    let mut parts = shop();
    let mut click = parts.plan.events[0].clone();
    click.name = "link_click".into();
    let text = |name: &str, pii, masked| PlanProperty {
        name: name.into(),
        property_type: PropertyType::Text,
        required: false,
        pii,
        masked,
        one_of: Vec::new(),
    };
    click.properties =
        vec![text("note", false, true), text("owner", true, false), text("text", false, false)];
    parts.plan.events.insert(0, click);
    parts
}

fn texts(world: &World, name: &str) -> Vec<String> {
    let events = world.edge.log.values().filter(|event| event.name == name);
    events
        .flat_map(|event| event.properties.iter())
        .filter_map(|(_, value)| if let Value::Text(text) = value { Some(text.clone()) } else { None })
        .collect()
}

#[test]
fn what_is_captured_by_itself_needs_the_plan_and_waits_for_it() {
    let mut world = World::new(Some(clicking()));
    world.notice("link_click", &[("text", "before the config")]);
    world.grant();
    world.notice("link_click", &[("text", "before the plan")]);
    world.notice("never_planned", &[("text", "x")]);
    world.settle();
    world.notice("link_click", &[("text", "later")]);
    world.pass(60_000);
    assert_eq!(texts(&world, "link_click"), ["before the config", "before the plan", "later"]);
    assert!(!world.edge.names().iter().any(|name| name == "never_planned"), "{:?}", world.edge.names());
}

#[test]
fn what_nobody_wrote_to_be_sent_is_masked_unless_the_plan_calls_it_personal() {
    let mut world = World::new(Some(clicking()));
    world.settle();
    world.grant();
    world.notice("link_click", &[("text", PERSONAL), ("note", PERSONAL), ("owner", PERSONAL)]);
    world.pass(60_000);
    assert_eq!(texts(&world, "link_click"), [MASKED, MASKED, PERSONAL]);
}

#[test]
fn what_the_site_sends_stays_unless_the_plan_wants_it_masked() {
    let mut world = World::new(Some(clicking()));
    world.settle();
    world.grant();
    let sent = Value::Text(PERSONAL.into());
    world.track("link_click", &[("text", sent.clone()), ("note", sent.clone()), ("owner", sent)]);
    world.pass(60_000);
    assert_eq!(texts(&world, "link_click"), [PERSONAL, MASKED, PERSONAL]);
}

#[test]
fn a_page_view_says_no_address_and_no_number_of_a_person() {
    let mut world = World::new(Some(clicking()));
    world.settle();
    world.grant();
    world.input(Input::Page {
        time_ms: world.now_ms,
        url: "https://jane:secret@shop.test/u/jane@shop.test?utm_term=jane%40shop.test#4111111111111111"
            .into(),
        title: "Orders of jane@shop.test".into(),
        referrer: "https://other.test/call/0171-1234567".into(),
        properties: [("name".into(), Value::Text("kept jane@shop.test".into()))].into_iter().collect(),
    });
    world.pass(60_000);
    let found = texts(&world, "page");
    assert_eq!(
        found,
        [
            "kept jane@shop.test",
            "/u/[email]",
            "https://shop.test/u/[email]?utm_term=[email]",
            "Orders of [email]",
            "https://other.test/call/[phone]",
        ]
    );
    let page = world.edge.log.values().find(|event| event.name == "page").unwrap();
    assert_eq!(page.context.text("utm.term"), Some("[email]"));
}
