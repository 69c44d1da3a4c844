//! Sessions, page views and the facts that come of them.

use crate::build::{Build, Condition, DAY, HOUR, MINUTE, SECOND, at_least, exactly, missing};
use crate::world::{START, World, all, text};
use selvedge_core::consent::Purposes;
use selvedge_core::id::WriterId;
use selvedge_core::limits::PAGES_MAX;
use selvedge_core::number::MICRO;
use selvedge_core::wire::answer::Reason;
use selvedge_core::wire::program::{
    AttributeScope, AttributeSet, AttributeType, Builtin, FactSource, SetTo, Shape, Test,
};

fn world(builtin: Builtin, test: impl Fn(u16) -> Condition) -> World {
    let mut build = Build::new();
    let fact = build.builtin(builtin);
    build.rule("r", "hero", Some(test(fact)));
    World::new(build.program())
}

fn is_text(builtin: Builtin, wanted: &str) -> World {
    let mut build = Build::new();
    let fact = build.text(builtin, wanted);
    build.rule("r", "hero", Some(Condition::Leaf(fact, Test::Mask(1 << 2))));
    World::new(build.program())
}

#[test]
fn thirty_minutes_are_not_yet_idle_and_a_millisecond_more_is() {
    let mut world = world(Builtin::SessionNumber, |fact| exactly(fact, 2 * MICRO));
    assert!(world.track(0, "a").new_session);
    assert!(!world.track(30 * MINUTE, "a").new_session);
    assert!(world.track(60 * MINUTE + 1, "a").new_session);
    assert!(world.shows(60 * MINUTE + 1, "hero"));
}

#[test]
fn a_session_lasts_a_day_at_most() {
    let mut world = world(Builtin::SessionNumber, |fact| exactly(fact, 2 * MICRO));
    let sessions = (0..=49).filter(|half| world.track(half * 30 * MINUTE, "a").new_session).count();
    assert_eq!(sessions, 2);
    assert_eq!(world.state.session.start_ms, START + DAY + 30 * MINUTE);
}

#[test]
fn a_new_campaign_begins_a_session_and_the_same_one_does_not() {
    let mut world = is_text(Builtin::UtmMedium, "email");
    assert!(world.landing(0, &[("utm.medium", "cpc")]).new_session);
    assert!(!world.shows(0, "hero"));
    assert!(!world.landing(SECOND, &[("utm.medium", "cpc")]).new_session);
    assert!(!world.landing(2 * SECOND, &[]).new_session);
    assert!(!world.landing(3 * SECOND, &[("utm.medium", "")]).new_session);
    assert!(world.landing(4 * SECOND, &[("utm.medium", "email")]).new_session);
    assert!(world.shows(4 * SECOND, "hero"));
    assert!(world.landing(5 * SECOND, &[("utm.medium", "email"), ("utm.source", "may")]).new_session);
}

#[test]
fn no_event_with_an_older_time_moves_the_session() {
    let mut world = world(Builtin::SessionNumber, |fact| exactly(fact, MICRO));
    world.track(20 * SECOND, "a");
    assert!(!world.landing(10 * SECOND, &[("utm.medium", "cpc")]).new_session);
    assert_eq!(world.state.session.last_ms, START + 20 * SECOND);
    assert_eq!(world.state.session.start_ms, START + 20 * SECOND);
}

#[test]
fn a_visitor_is_new_in_the_first_session_only() {
    let mut world = world(Builtin::VisitorIsNew, |fact| exactly(fact, 1));
    world.track(0, "a");
    assert!(world.shows(0, "hero"));
    world.track(HOUR, "a");
    assert!(!world.shows(HOUR, "hero"));
}

#[test]
fn days_since_the_last_visit_are_whole_and_unknown_in_the_first() {
    let mut world = world(Builtin::DaysSinceLastVisit, |fact| exactly(fact, 29 * MICRO));
    world.track(0, "a");
    world.track(10 * MINUTE, "a");
    assert!(!world.shows(10 * MINUTE, "hero"));
    world.track(30 * DAY + 10 * MINUTE - 1, "a");
    assert!(world.shows(30 * DAY + 10 * MINUTE - 1, "hero"));
}

#[test]
fn the_entry_page_is_the_first_of_the_session_and_pages_are_counted() {
    let mut build = Build::new();
    let entry = build.text(Builtin::SessionEntryPage, "/first");
    let pages = build.builtin(Builtin::SessionPages);
    let both = Condition::And(vec![Condition::Leaf(entry, Test::Mask(1 << 2)), exactly(pages, 2 * MICRO)]);
    build.rule("r", "hero", Some(both));
    let mut world = World::new(build.program());
    world.page(0, "/first");
    assert!(!world.shows(0, "hero"));
    world.page(SECOND, "/second");
    assert!(world.shows(SECOND, "hero"));
    world.page(HOUR, "/second");
    world.page(HOUR + SECOND, "/first");
    assert!(!world.shows(HOUR + SECOND, "hero"));
}

#[test]
fn page_facts_are_those_of_the_open_page() {
    let mut world = is_text(Builtin::PagePath, "/cart");
    world.page(0, "/cart");
    assert!(world.shows(0, "hero"));
    world.track(SECOND, "a");
    assert!(world.shows(SECOND, "hero"));
    world.page(2 * SECOND, "/");
    assert!(!world.shows(2 * SECOND, "hero"));
}

#[test]
fn a_page_event_that_was_overtaken_does_not_reopen_its_page() {
    let mut world = is_text(Builtin::PagePath, "/new");
    world.page(10 * SECOND, "/new");
    assert!(!world.page(9 * SECOND, "/old").new_page);
    assert!(world.shows(10 * SECOND, "hero"));
}

#[test]
fn a_fact_of_an_unopened_page_is_unknown_not_missing() {
    let mut world = world(Builtin::PageSku, missing);
    world.track(0, "a");
    assert!(!world.shows(0, "hero"));
    world.page(SECOND, "/");
    assert!(world.shows(SECOND, "hero"), "a page without sku");
}

#[test]
fn without_a_page_view_the_context_tells_the_page() {
    let mut world = is_text(Builtin::PagePath, "/cart");
    world.context.set("page.path", text("/cart"));
    assert!(world.shows(0, "hero"));
}

#[test]
fn the_latest_context_tells_the_device_and_an_events_own_wins() {
    let mut world = is_text(Builtin::DeviceClass, "mobile");
    world.context.set("device.class", text("desktop"));
    world.track(0, "a");
    assert!(!world.shows(0, "hero"));
    let mut turned = crate::world::event(
        selvedge_core::event::EventType::Track,
        "a",
        START + SECOND,
        selvedge_core::value::Map::new(),
    );
    turned.context.set("device.class", text("mobile"));
    world.step(SECOND, &turned);
    assert!(world.shows(SECOND, "hero"));
}

#[test]
fn open_pages_are_bounded_and_the_longest_inactive_goes() {
    let mut world = is_text(Builtin::PagePath, "/0");
    for at in 0..=PAGES_MAX {
        world.writer = WriterId::from_bits(at as u64);
        world.page(at as i64 * SECOND, &format!("/{at}"));
    }
    assert_eq!(world.state.pages.len(), PAGES_MAX);
    world.writer = WriterId::from_bits(0);
    assert!(!world.shows(MINUTE, "hero"));
}

#[test]
fn sessions_belong_to_analytics() {
    let mut world = world(Builtin::SessionNumber, |fact| at_least(fact, MICRO));
    world.in_force = Purposes::PERSONALIZATION.or(Purposes::NECESSARY);
    assert!(!world.track(0, "a").new_session);
    assert!(!world.shows(0, "hero"));
    assert_eq!(world.state.session.number, 0);
}

#[test]
fn a_session_with_a_gap_knows_only_lower_bounds() {
    let mut build = Build::new();
    let pages = build.builtin(Builtin::SessionPages);
    let medium = build.text(Builtin::UtmMedium, "cpc");
    let is_new = build.builtin(Builtin::VisitorIsNew);
    build.rule("pages-exact", "hero", Some(exactly(pages, MICRO)));
    build.rule("pages-least", "banner", Some(at_least(pages, MICRO)));
    build.rule("medium", "inbox", Some(Condition::Leaf(medium, Test::Mask(1 << 2))));
    build.rule("new", "modal", Some(exactly(is_new, 1)));
    let mut world = World::new(build.program());
    world.landing(0, &[("utm.medium", "cpc")]);
    let shows = |world: &World, at| ["hero", "banner", "inbox", "modal"].map(|slot| world.shows(at, slot));
    assert_eq!(shows(&world, 0), [true; 4]);
    world.in_force = all().without(Purposes::ANALYTICS);
    world.track(MINUTE, "a");
    assert_eq!(shows(&world, MINUTE), [false; 4]);
    world.in_force = all();
    world.page(2 * MINUTE, "/");
    assert_eq!(shows(&world, 2 * MINUTE), [false, true, false, false]);
    world.landing(2 * HOUR, &[("utm.medium", "cpc")]);
    assert_eq!(shows(&world, 2 * HOUR), [true, true, true, false], "the next session was seen to begin");
}

#[test]
fn after_a_gap_the_campaign_is_not_taken_as_known() {
    let mut build = Build::new();
    let needs_help = build.attribute("needs_help", AttributeScope::Session, AttributeType::Bool);
    let sets = AttributeSet { event: "resolved".into(), to: SetTo::Bool(false) };
    build.parts.attributes[usize::from(needs_help)].set.push(sets);
    let needs_help = build.fact(FactSource::Attribute(needs_help), Shape::Number);
    build.rule("no help", "hero", Some(exactly(needs_help, 0)));
    let mut world = World::new(build.program());
    world.context.set("utm.medium", text("email"));
    world.in_force = all().without(Purposes::ANALYTICS);
    world.landing(0, &[("utm.medium", "social")]);
    world.in_force = all();
    // A session begins here, for all that was seen; in truth it is that of `social`, which went unseen.
    assert!(world.track(10 * MINUTE, "view").new_session);
    world.track(20 * MINUTE, "resolved");
    assert_eq!(world.why(20 * MINUTE, "no help"), Reason::Won);
    // So `email` begins another one, in which nothing was resolved yet; or, for all that is known, none.
    world.landing(25 * MINUTE, &[("utm.medium", "email")]);
    assert_eq!(world.why(25 * MINUTE, "no help"), Reason::Unknown);
}
