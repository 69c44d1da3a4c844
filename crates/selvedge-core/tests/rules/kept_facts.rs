//! Of built-in facts only what the program reads is kept. What was not kept is not known; it is never taken for missing.

use crate::build::{Build, Condition, HOUR, SECOND};
use crate::world::{START, World, event, map, text};
use selvedge_core::event::EventType;
use selvedge_core::rules::{Known, known_facts};
use selvedge_core::value::Value;
use selvedge_core::wire::program::{Builtin, FactSource, Shape, Test};
use selvedge_core::wire::state::Stored;

const READ: [(Builtin, &str); 5] = [
    (Builtin::UtmMedium, "cpc"),
    (Builtin::SessionEntryPage, "/"),
    (Builtin::PagePath, "/"),
    (Builtin::PageTitle, "Home"),
    (Builtin::DeviceClass, "mobile"),
];

fn reading() -> Build {
    let mut build = Build::new();
    for (builtin, word) in READ {
        build.text(builtin, word);
    }
    build
}

/// A landing that tells all of them but the title.
fn land(world: &mut World, at_ms: i64) {
    let mut landing = event(EventType::Page, "page", START + at_ms, map([("path", text("/"))]));
    landing.context.set("utm.medium", text("cpc"));
    landing.context.set("device.class", text("mobile"));
    world.step(at_ms, &landing);
}

fn known(world: &World, at_ms: i64) -> Vec<Known> {
    known_facts(&world.program, &world.state, &world.moment(at_ms))
}

const IS_IT: Known = Known::exact(2);

#[test]
fn what_nobody_reads_is_not_kept() {
    let mut world = World::new(Build::new().program());
    land(&mut world, 0);
    let kept: Vec<_> = world.state.session.facts.iter().map(|(builtin, _)| *builtin).collect();
    assert_eq!(kept, [Builtin::UtmMedium], "what tells a campaign from another");
    assert!(!matches!(world.state.session.facts[0].1, Stored::Text(_)), "and not its name");
    assert!(world.state.pages[0].facts.is_empty());
}

#[test]
fn a_campaign_that_nobody_reads_begins_a_session_like_any_other() {
    let mut world = World::new(Build::new().program());
    let mut land_by = |at_ms, campaign: &str| world.landing(at_ms, &[("utm.campaign", campaign)]).new_session;
    assert!(land_by(0, "spring"));
    assert!(!land_by(SECOND, "spring"));
    assert!(land_by(2 * SECOND, "summer"));
}

#[test]
fn what_a_new_program_reads_is_unknown_until_it_can_be_seen() {
    let mut world = World::new(Build::new().program());
    land(&mut world, 0);
    world.program = reading().program();
    assert_eq!(known(&world, SECOND), vec![Known::UNOBSERVED; READ.len()]);
    world.track(SECOND, "view");
    assert_eq!(known(&world, SECOND), vec![Known::UNOBSERVED; READ.len()], "an event that tells nothing");
    world.page(2 * SECOND, "/");
    let unread = [Known::UNOBSERVED, Known::UNOBSERVED, IS_IT, Known::MISSING, Known::UNOBSERVED];
    assert_eq!(known(&world, 2 * SECOND), unread, "the page view is new, the session is not");
    land(&mut world, HOUR);
    assert_eq!(known(&world, HOUR), [IS_IT, IS_IT, IS_IT, Known::MISSING, IS_IT]);
}

#[test]
fn what_a_visitor_never_told_is_missing() {
    let mut world = World::new(reading().program());
    world.track(0, "view");
    let known = known(&world, 0);
    assert_eq!((known[0], known[1], known[4]), (Known::MISSING, Known::MISSING, Known::MISSING));
}

#[test]
fn the_context_of_a_question_tells_what_is_not_kept() {
    let mut world = World::new(reading().program());
    world.track(0, "view");
    world.context.set("device.class", text("mobile"));
    assert_eq!(known(&world, 0)[4], IS_IT);
}

#[test]
fn a_rollback_finds_what_the_program_before_kept() {
    let mut world = World::new(reading().program());
    land(&mut world, 0);
    world.program = Build::new().program();
    let mut view = event(EventType::Track, "view", START + SECOND, map([]));
    view.context.set("device.class", text("desktop"));
    world.step(SECOND, &view);
    world.program = reading().program();
    let device = Known::exact(1);
    assert_eq!(known(&world, SECOND), [IS_IT, IS_IT, IS_IT, Known::MISSING, device], "not what was, what is");
}

#[test]
fn a_long_list_is_kept_in_part_and_what_is_left_out_is_unknown() {
    let mut build = Build::new();
    let tags = build.attribute(
        "tags",
        selvedge_core::wire::program::AttributeScope::Visitor,
        selvedge_core::wire::program::AttributeType::List,
    );
    let contains = |word: &str| Shape::Text(selvedge_core::wire::program::TextTest::Contains, word.into());
    let long = |at: usize| format!("{at}{}", "x".repeat(49));
    let first = build.fact(FactSource::Attribute(tags), contains(&long(0)));
    let last = build.fact(FactSource::Attribute(tags), contains(&long(7)));
    build.rule("any", "hero", Some(Condition::Leaf(first, Test::Range(1, 1))));
    let mut world = World::new(build.program());
    let list = (0..8).map(|at| text(&long(at))).collect();
    world.identify(0, map([("tags", Value::List(list))]));
    assert_eq!(known(&world, 0)[usize::from(first)], Known::exact(1));
    assert_eq!(known(&world, 0)[usize::from(last)], Known { low: 0, high: 1 });
    assert!(world.state.encode().len() <= world.program.state_bytes_max());
}
