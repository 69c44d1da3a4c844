//! Priority, groups, holds, fallback, status and purpose.

use crate::build::{Build, HOUR, MINUTE, SECOND, at_least};
use crate::world::{World, all};
use selvedge_core::consent::Purposes;
use selvedge_core::id::WriterId;
use selvedge_core::rules::Place;
use selvedge_core::wire::answer::Reason;
use selvedge_core::wire::program::{Group, Hold, Status, Window};

fn won(rule: &str) -> (Option<String>, Reason) {
    (Some(rule.to_owned()), Reason::Won)
}

fn held(rule: &str) -> (Option<String>, Reason) {
    (Some(rule.to_owned()), Reason::Held)
}

const FALLBACK: (Option<String>, Reason) = (None, Reason::Fallback);

#[test]
fn the_greater_priority_wins_and_the_lesser_id_breaks_a_tie() {
    let mut build = Build::new();
    build.rule("a", "hero", None).priority = 1;
    build.rule("z", "hero", None).priority = 2;
    build.rule("y", "hero", None).priority = 2;
    let mut world = World::new(build.program());
    assert_eq!(world.decide(0, "hero"), won("y"));
    assert_eq!(world.why(0, "z"), Reason::LowerPriority);
    assert_eq!(world.why(0, "a"), Reason::LowerPriority);
}

#[test]
fn a_slot_without_a_winner_shows_its_fallback() {
    let mut build = Build::new();
    let never = build.count("a", Window::Session, 1);
    build.rule("r", "hero", Some(at_least(never, 1)));
    let mut world = World::new(build.program());
    assert_eq!(world.decide(0, "hero"), FALLBACK);
    assert_eq!(world.decide(0, "modal"), FALLBACK);
}

#[test]
fn what_was_shown_stays_until_the_page_view_ends() {
    let mut build = Build::new();
    let views = build.count("view", Window::Sliding(60_000), 1);
    build.rule("r", "hero", Some(at_least(views, 1)));
    let mut world = World::new(build.program());
    world.page(0, "/");
    world.track(SECOND, "view");
    assert_eq!(world.decide(SECOND, "hero"), won("r"));
    assert_eq!(world.decide(5 * MINUTE, "hero"), held("r"), "its condition is long false");
    world.page(6 * MINUTE, "/next");
    assert_eq!(world.decide(6 * MINUTE, "hero"), FALLBACK);
}

#[test]
fn a_rule_that_becomes_true_later_does_not_replace_what_is_held() {
    let mut build = Build::new();
    let views = build.count("view", Window::Session, 1);
    build.rule("better", "hero", Some(at_least(views, 1))).priority = 9;
    build.rule("first", "hero", None);
    let mut world = World::new(build.program());
    world.page(0, "/");
    assert_eq!(world.decide(0, "hero"), won("first"));
    world.track(SECOND, "view");
    assert_eq!(world.decide(SECOND, "hero"), held("first"));
    assert_eq!(world.why(SECOND, "better"), Reason::LowerPriority);
    world.page(2 * SECOND, "/next");
    assert_eq!(world.decide(2 * SECOND, "hero"), won("better"));
}

#[test]
fn a_page_hold_is_of_its_own_tab() {
    let mut build = Build::new();
    let views = build.count("view", Window::Page, 1);
    build.rule("r", "hero", Some(at_least(views, 1)));
    let mut world = World::new(build.program());
    world.page(0, "/");
    world.track(0, "view");
    assert_eq!(world.decide(0, "hero"), won("r"));
    world.writer = WriterId::from_bits(5);
    world.page(SECOND, "/");
    assert_eq!(world.decide(SECOND, "hero"), FALLBACK);
}

#[test]
fn a_session_hold_stays_over_pages_and_tabs_and_ends_with_the_session() {
    let mut build = Build::new();
    let views = build.count("view", Window::Sliding(1_000), 1);
    build.rule("r", "hero", Some(at_least(views, 1))).hold = Hold::Session;
    let mut world = World::new(build.program());
    world.track(0, "view");
    assert_eq!(world.decide(0, "hero"), won("r"));
    world.writer = WriterId::from_bits(5);
    world.page(10 * MINUTE, "/");
    assert_eq!(world.decide(10 * MINUTE, "hero"), held("r"));
    world.page(HOUR, "/");
    assert_eq!(world.decide(HOUR, "hero"), FALLBACK);
}

#[test]
fn a_time_hold_ends_when_its_time_is_over() {
    let mut build = Build::new();
    let views = build.count("view", Window::Sliding(1_000), 1);
    build.rule("r", "hero", Some(at_least(views, 1))).hold = Hold::Time(1_800_000);
    let mut world = World::new(build.program());
    world.track(0, "view");
    assert_eq!(world.decide(0, "hero"), won("r"));
    world.page(MINUTE, "/");
    assert_eq!(world.decide(30 * MINUTE - 1, "hero"), held("r"));
    assert_eq!(world.decide(30 * MINUTE, "hero"), FALLBACK);
    assert!(world.state.held.is_empty());
}

#[test]
fn a_hold_ends_when_the_rule_is_stopped_or_its_purpose_is_not_granted_any_more() {
    let mut build = Build::new();
    build.rule("r", "hero", None).hold = Hold::Session;
    let mut world = World::new(build.program());
    world.track(0, "a");
    assert_eq!(world.decide(0, "hero"), won("r"));
    world.in_force = all().without(Purposes::PERSONALIZATION);
    assert_eq!(world.decide(SECOND, "hero"), FALLBACK);
    world.in_force = all();
    assert_eq!(world.decide(2 * SECOND, "hero"), held("r"));
    build.parts.rules[0].status = Status::Paused;
    world.program = build.program();
    assert_eq!(world.decide(3 * SECOND, "hero"), FALLBACK);
}

#[test]
fn drafts_and_paused_rules_do_not_act() {
    let mut build = Build::new();
    build.rule("draft", "hero", None).status = Status::Draft;
    build.rule("paused", "hero", None).status = Status::Paused;
    let mut world = World::new(build.program());
    assert_eq!(world.decide(0, "hero"), FALLBACK);
    assert_eq!(world.why(0, "draft"), Reason::Draft);
    assert_eq!(world.why(0, "paused"), Reason::Paused);
}

#[test]
fn a_rule_needs_its_purpose_in_force() {
    let mut build = Build::new();
    build.rule("r", "hero", None).purpose = Purposes::ADVERTISING;
    let mut world = World::new(build.program());
    world.in_force = all().without(Purposes::ADVERTISING);
    assert_eq!(world.decide(0, "hero"), FALLBACK);
    assert_eq!(world.why(0, "r"), Reason::NoPurpose);
    world.in_force = all();
    assert_eq!(world.decide(0, "hero"), won("r"));
}

fn promotions(max_per_page: u16) -> Build {
    let mut build = Build::new();
    build.parts.groups.push(Group {
        name: "promotions".into(),
        max_per_page: Some(max_per_page),
        caps: Vec::new(),
    });
    build
}

#[test]
fn of_an_exclusion_group_only_as_many_rules_stand_as_may() {
    let mut build = promotions(1);
    build.rule("low", "banner", None).group = Some(0);
    let high = build.rule("high", "hero", None);
    high.group = Some(0);
    high.priority = 1;
    build.rule("free", "modal", None);
    let mut world = World::new(build.program());
    assert_eq!(world.decide(0, "hero"), won("high"));
    assert_eq!(world.decide(0, "banner"), FALLBACK);
    assert_eq!(world.decide(0, "modal"), won("free"));
    assert_eq!(world.why(0, "low"), Reason::ExcludedByGroup);
}

#[test]
fn what_is_held_counts_for_its_group_first() {
    let mut build = promotions(1);
    let views = build.count("view", Window::Session, 1);
    build.rule("low", "banner", None).group = Some(0);
    let high = build.rule("high", "hero", Some(at_least(views, 1)));
    high.group = Some(0);
    high.priority = 1;
    let mut world = World::new(build.program());
    world.page(0, "/");
    assert_eq!(world.decide(0, "banner"), won("low"));
    world.track(SECOND, "view");
    assert_eq!(world.decide(SECOND, "hero"), FALLBACK);
    assert_eq!(world.decide(SECOND, "banner"), held("low"));
    assert_eq!(world.why(SECOND, "high"), Reason::ExcludedByGroup);
}

#[test]
fn a_rule_of_the_edge_does_not_run_in_the_page() {
    let mut build = Build::new();
    build.rule("r", "hero", None).in_page = false;
    let mut world = World::new(build.program());
    world.place = Place::Page;
    assert_eq!(world.decide(0, "hero"), FALLBACK);
    assert_eq!(world.why(0, "r"), Reason::RunsAtEdge);
    world.place = Place::Edge;
    assert_eq!(world.decide(0, "hero"), won("r"));
}

#[test]
fn in_the_page_a_slot_that_an_edge_rule_holds_is_left_to_the_edges_answer() {
    let mut build = Build::new();
    build.rule("edge", "hero", None).in_page = false;
    let mut edge = World::new(build.program());
    edge.page(0, "/");
    assert_eq!(edge.decide(0, "hero"), won("edge"));
    let mut public = Build::new();
    public.rule("page", "hero", None);
    let mut page = World::new(public.program());
    page.place = Place::Page;
    page.state = edge.state.public(&edge.program, edge.writer);
    assert_eq!(page.decide(SECOND, "hero"), (None, Reason::RunsAtEdge));
    page.page(2 * SECOND, "/next");
    assert_eq!(page.decide(2 * SECOND, "hero"), won("page"));
}
