//! Caps, in worlds where nothing is left to chance: two tabs, two windows, retries, lost answers, expired grants, and a group
//! whose rules run in the page and at the edge. What is seen is never more than a cap allows; that it is seen at all shows that
//! the grants reach somebody.

use selvedge_client::{Capture, Input};
use selvedge_core::consent::Purposes;
use selvedge_core::event::EventType;
use selvedge_core::value::{Map, Value};
use selvedge_sim::sites::{self, SiteFiles};
use selvedge_sim::world::{START_MS, World};

const SECOND: u64 = 1_000;
const HOUR: u64 = 60 * 60 * SECOND;

fn files() -> Vec<SiteFiles> {
    sites::all().expect("the sites compile")
}

/// A page of a visitor who granted what rules need.
fn page(world: &mut World<'_>) -> usize {
    let tab = world.open_tab(0);
    wait(world, SECOND / 2);
    if !world.tabs[tab].is_open() {
        let granted = Purposes::ANALYTICS.or(Purposes::PERSONALIZATION);
        world.tell(tab, Input::Consent { granted, denied: Purposes::NONE, random: [9; 19] });
    }
    wait(world, SECOND / 2);
    tab
}

fn wait(world: &mut World<'_>, ms: u64) {
    world.run(world.now_ms + ms);
}

fn look_at_a_product(world: &mut World<'_>, tab: usize) {
    let time_ms = world.now_ms;
    let properties = [("sku".to_owned(), Value::Text("s".into()))].into_iter().collect();
    let (name, readings) = ("product_view".to_owned(), Map::new());
    let event_type = EventType::Track;
    world.tell(
        tab,
        Input::Capture(Capture { event_type, name, time_ms, properties, automatic: false, readings }),
    );
}

/// How often a rule was seen since the world began.
fn seen(world: &World<'_>, rule: &str) -> usize {
    assert_eq!(world.violation, None);
    world.truth.exposures.values().flatten().filter(|exposure| exposure.rule == rule).count()
}

/// How often a rule of the group was seen.
fn promotions(world: &World<'_>) -> usize {
    ["page-offer", "page-second", "edge-offer"].map(|rule| seen(world, rule)).iter().sum()
}

#[test]
fn two_windows_side_by_side_show_what_is_capped_once_only_once() {
    let files = files();
    let mut world = World::still(&files, "FR");
    let (left, right) = (page(&mut world), page(&mut world));
    world.devices[0].is_online = false;
    for tab in [left, right] {
        look_at_a_product(&mut world, tab);
    }
    wait(&mut world, 10 * SECOND);
    assert_eq!(seen(&world, "page-offer"), 1);
}

#[test]
fn what_another_tab_saw_is_not_shown_here_before_the_edge_knows() {
    let files = files();
    let mut world = World::still(&files, "FR");
    let first = page(&mut world);
    look_at_a_product(&mut world, first);
    world.devices[0].is_online = false;
    wait(&mut world, 5 * SECOND);
    let second = page(&mut world);
    look_at_a_product(&mut world, second);
    wait(&mut world, 5 * SECOND);
    assert_eq!(seen(&world, "page-offer"), 1);
}

#[test]
fn a_page_rule_and_an_edge_rule_of_one_group_share_its_cap_in_two_windows() {
    let files = files();
    let mut world = World::still(&files, "AT");
    let (left, right) = (page(&mut world), page(&mut world));
    for _ in 0..3 {
        for tab in [left, right] {
            look_at_a_product(&mut world, tab);
        }
        wait(&mut world, 3 * SECOND);
    }
    assert_eq!(seen(&world, "edge-offer"), 1);
    assert_eq!(promotions(&world), 2, "two in an hour, wherever they are decided");
}

#[test]
fn an_edge_rule_that_both_windows_were_answered_is_seen_in_one() {
    let files = files();
    let mut world = World::still(&files, "AT");
    for _ in 0..2 {
        let tab = page(&mut world);
        look_at_a_product(&mut world, tab);
    }
    wait(&mut world, 10 * SECOND);
    assert_eq!(seen(&world, "edge-offer"), 1);
}

#[test]
fn answers_that_are_lost_and_requests_that_come_twice_use_no_grant_twice_and_none_too_many() {
    let files = files();
    let mut world = World::still(&files, "FR");
    let tab = page(&mut world);
    world.dials.lost_answers = 700;
    world.dials.duplicates = 700;
    for _ in 0..20 {
        look_at_a_product(&mut world, tab);
        wait(&mut world, 20 * SECOND);
        world.view(tab);
        wait(&mut world, 20 * SECOND);
    }
    assert!((1..=2).contains(&promotions(&world)));
    let all: usize = world.truth.exposures.values().map(Vec::len).sum();
    assert_eq!(all, 4, "the site's four in an hour, and this was less");
}

#[test]
fn who_takes_personalization_back_and_grants_it_again_is_shown_what_is_capped_again() {
    let files = files();
    let mut world = World::still(&files, "FR");
    let tab = page(&mut world);
    for expected in [1, 2] {
        world.view(tab);
        look_at_a_product(&mut world, tab);
        wait(&mut world, 11 * 60 * SECOND);
        assert_eq!(seen(&world, "page-offer"), expected);
    }
    let all = Purposes::ANALYTICS.or(Purposes::PERSONALIZATION);
    for granted in [Purposes::ANALYTICS, all] {
        world.tell(tab, Input::Consent { granted, denied: all.without(granted), random: [9; 19] });
        wait(&mut world, 5 * SECOND);
    }
    wait(&mut world, 2 * HOUR);
    world.view(tab);
    look_at_a_product(&mut world, tab);
    wait(&mut world, 5 * SECOND);
    assert_eq!(seen(&world, "page-offer"), 3, "its grants have higher numbers than those before");
}

#[test]
fn a_tab_that_hears_first_of_personalization_granted_anew_uses_no_grant_of_before() {
    let files = files();
    let mut world = World::still(&files, "FR");
    let (left, right) = (page(&mut world), page(&mut world));
    let all = Purposes::ANALYTICS.or(Purposes::PERSONALIZATION);
    for granted in [Purposes::ANALYTICS, all] {
        wait(&mut world, 5 * SECOND);
        world.tell(left, Input::Consent { granted, denied: all.without(granted), random: [9; 19] });
        wait(&mut world, 1);
    }
    // Its answer would tell it.
    look_at_a_product(&mut world, right);
    world.devices[0].is_online = false;
    wait(&mut world, 3 * SECOND);
    look_at_a_product(&mut world, left);
    wait(&mut world, 3 * SECOND);
    assert_eq!(seen(&world, "page-offer"), 1);
}

#[test]
fn a_grant_that_expired_is_not_used_and_comes_back_with_its_proof() {
    let files = files();
    let mut world = World::still(&files, "FR");
    let tab = page(&mut world);
    wait(&mut world, 5 * SECOND);
    world.devices[0].is_online = false;
    wait(&mut world, 25 * HOUR);
    look_at_a_product(&mut world, tab);
    wait(&mut world, 5 * SECOND);
    assert_eq!(seen(&world, "page-offer"), 0, "a day has passed since it was granted");
    world.devices[0].is_online = true;
    world.tell(tab, Input::Awake);
    wait(&mut world, 10 * SECOND);
    assert_eq!(seen(&world, "page-offer"), 1);
    assert!(world.now_ms > START_MS + 25 * HOUR);
}
