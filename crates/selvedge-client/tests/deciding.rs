//! Deciding in the page: at once, from the edge's state plus the page's own later events; no flicker; caps by grants.

mod world;

use selvedge_client::Input;
use selvedge_core::consent::Purposes;
use selvedge_core::event::{EventType, LeaseReport};
use selvedge_core::limits::{CLOCKS_APART_MS, FLUSH_MS, LEASE_MS};
use selvedge_core::wire::program::{
    Content, ContentType, Experiment, Fact, FactSource, Hold, Instruction, Jump, Parts, Sequence,
    SequenceKind, SequenceStep, Shape, Test, Trial, Unit, Variant,
};
use world::{World, shop};

const SITE: &str = "https://shop.test/shoes";

/// A page whose first view was answered: it holds grants.
fn open() -> World {
    let mut world = World::new(Some(shop()));
    world.settle();
    world.grant();
    world.page(SITE);
    world.pass(FLUSH_MS);
    world
}

fn hero(world: &World) -> Option<String> {
    world.shown.get("hero")?.rule.clone()
}

fn see_hero(world: &mut World) {
    world.input(Input::Seen { slot: "hero".into(), time_ms: world.now_ms });
}

#[test]
fn two_views_show_the_banner_at_once_and_an_answer_changes_nothing() {
    let mut world = open();
    world.is_online = false;
    world.view_shoes();
    assert_eq!(hero(&world), None);
    world.view_shoes();
    assert_eq!(hero(&world).as_deref(), Some("free-shipping-hero"));
    assert_eq!(world.shows, 1);
    world.is_online = true;
    world.pass(FLUSH_MS);
    world.view_shoes();
    world.pass(FLUSH_MS);
    assert_eq!(world.shows, 1, "what stands is not shown again");
}

#[test]
fn without_a_grant_a_capped_rule_is_not_shown() {
    let mut world = World::new(Some(shop()));
    world.settle();
    world.grant();
    world.view_shoes();
    world.view_shoes();
    assert_eq!(hero(&world), None);
    world.pass(FLUSH_MS);
    assert_eq!(hero(&world).as_deref(), Some("free-shipping-hero"));
}

#[test]
fn the_next_page_decides_before_any_answer() {
    let mut world = open();
    world.view_shoes();
    world.view_shoes();
    world.pass(FLUSH_MS);
    world.is_online = false;
    world.boot();
    world.page(SITE);
    assert_eq!(hero(&world).as_deref(), Some("free-shipping-hero"));
}

#[test]
fn an_exposure_is_recorded_once_per_page_view_and_the_third_is_capped() {
    let mut world = open();
    world.view_shoes();
    world.view_shoes();
    for visit in 1..=2 {
        see_hero(&mut world);
        see_hero(&mut world);
        world.pass(FLUSH_MS);
        let exposures =
            world.edge.log.values().filter(|event| event.event_type == EventType::Exposure).count();
        assert_eq!(exposures, visit);
        assert_eq!(hero(&world).as_deref(), Some("free-shipping-hero"), "it stays until the page view ends");
        world.reopen();
        world.page(SITE);
        world.view_shoes();
    }
    assert_eq!(hero(&world), None, "two per session");
    let exposure = world.edge.log.values().find(|event| event.event_type == EventType::Exposure).unwrap();
    assert_eq!(exposure.properties.text("slot"), Some("hero"));
    assert_eq!(exposure.properties.text("rule"), Some("free-shipping-hero"));
    assert_eq!(exposure.properties.text("content"), Some("free_shipping"));
    assert_eq!(exposure.properties.text("program"), Some("07070707070707070707070707070707"));
}

#[test]
fn a_grant_that_another_tab_used_is_gone_here() {
    let mut world = open();
    world.view_shoes();
    world.view_shoes();
    see_hero(&mut world);
    let used = world.device.get("leases").cloned().expect("the use of a lease is shared");
    let mut other = open();
    other.view_shoes();
    other.input(Input::Changed { key: "leases".into(), value: Some(used), random: [77; 19] });
    other.view_shoes();
    assert_eq!(hero(&other).as_deref(), Some("free-shipping-hero"), "one of two is left");
    see_hero(&mut other);
    other.is_online = false;
    other.page(SITE);
    assert_eq!(hero(&other), None, "both are used");
}

/// A page on which the hero came into view: it took a grant, and nobody has seen the hero yet. Then the edge gives the cap out
/// anew, in full, and the page hears of that.
fn given_out_anew() -> World {
    let mut world = open();
    world.view_shoes();
    world.view_shoes();
    in_view(&mut world);
    assert!(world.device.contains_key("leases"), "a grant was taken");
    let state = world.edge.states.values_mut().next().unwrap();
    for cell in &mut state.cells {
        if let selvedge_core::wire::state::CellBody::Cap(cap) = &mut cell.body {
            cap.lease.id += 1;
        }
    }
    world.view_shoes();
    world.pass(FLUSH_MS);
    assert_eq!(hero(&world).as_deref(), Some("free-shipping-hero"));
    world
}

fn in_view(world: &mut World) {
    let leases = world.device.get("leases").cloned().unwrap_or_default();
    world.input(Input::InView { slot: "hero".into(), leases });
}

#[test]
fn what_was_taken_of_an_older_lease_is_not_shown_under_the_next_one() {
    let (mut world, mut other) = (given_out_anew(), given_out_anew());
    see_hero(&mut other);
    let mut used = other.device.get("leases").cloned().expect("the use of a lease is shared");
    // The last byte counts the grants that were used of it: another tab used one, and a third the other.
    assert_eq!(used.pop(), Some(1));
    used.push(2);
    world.device.insert("leases".into(), used);
    in_view(&mut world);
    assert_eq!(hero(&world), None, "what there is now is used by others");

    let mut alone = given_out_anew();
    in_view(&mut alone);
    assert_eq!(
        hero(&alone).as_deref(),
        Some("free-shipping-hero"),
        "where nobody used them it takes one of now"
    );
}

/// What a page reports of its leases once they are over, where it heard from another tab what was used of them.
fn reported_beside(used: Vec<u8>) -> Vec<LeaseReport> {
    let mut world = open();
    world.input(Input::Changed { key: "leases".into(), value: Some(used), random: [77; 19] });
    world.now_ms += (LEASE_MS + CLOCKS_APART_MS).unsigned_abs() + FLUSH_MS;
    world.view_shoes();
    world.pass(FLUSH_MS);
    world.edge.batches.last().unwrap().header.leases.clone()
}

#[test]
fn of_a_lease_that_a_newer_one_followed_nothing_is_reported() {
    let used = |mut world: World| {
        see_hero(&mut world);
        world.device.remove("leases").expect("the use of a lease is shared")
    };
    let mut same = open();
    same.view_shoes();
    same.view_shoes();
    let reported = reported_beside(used(same));
    assert!(!reported.is_empty() && reported.iter().all(|report| report.used == 1), "{reported:?}");
    assert_eq!(reported_beside(used(given_out_anew())), []);
}

#[test]
fn what_was_decided_for_another_visitor_goes_where_a_tab_hears_of_the_next() {
    let mut world = open();
    world.view_shoes();
    world.view_shoes();
    assert_eq!(hero(&world).as_deref(), Some("free-shipping-hero"));
    // Its id, no skew, minted long ago, and the device's tag.
    let next = [&[9; 16][..], &[0, 0, 7]].concat();
    world.input(Input::Changed { key: "visitor".into(), value: Some(next), random: [77; 19] });
    assert_eq!(hero(&world), None, "nothing is decided before the edge answers");
}

#[test]
fn a_rule_acts_only_while_its_purpose_is_granted() {
    let mut world = open();
    world.view_shoes();
    world.view_shoes();
    assert!(hero(&world).is_some());
    world.consent(Purposes::NONE, Purposes::PERSONALIZATION);
    assert_eq!(hero(&world), None);
    assert!(world.shown["hero"].content.is_none(), "the page's own stands there again");
}

/// The shop with one more rule, which only the edge runs: the first shoe view brings a better hero.
fn shop_with_edge_rule() -> Parts {
    let mut parts = shop();
    parts.code.push(Instruction {
        fact: 1,
        test: Test::Range(1, i64::MAX),
        on_true: Jump::Accept,
        on_false: Jump::Reject,
    });
    let mut rule = parts.rules[0].clone();
    rule.id = "alpine".into();
    rule.priority = 90;
    rule.when = Some(2);
    rule.caps = Vec::new();
    rule.content = 1;
    rule.in_page = false;
    parts.rules.insert(0, rule);
    let content_type = ContentType::Text;
    parts.contents.push(Content { id: "zermatt".into(), content_type, fields: Vec::new() });
    parts
}

#[test]
fn what_only_the_edge_decides_stands_until_the_page_view_ends() {
    let mut world = World::new(Some(shop_with_edge_rule()));
    world.settle();
    world.grant();
    world.page(SITE);
    world.view_shoes();
    world.pass(FLUSH_MS);
    assert_eq!(hero(&world).as_deref(), Some("alpine"));
    assert_eq!(world.shown["hero"].content.as_ref().unwrap().id, "zermatt");
    world.view_shoes();
    assert_eq!(hero(&world).as_deref(), Some("alpine"));
    world.is_online = false;
    world.page(SITE);
    assert_eq!(
        hero(&world).as_deref(),
        Some("free-shipping-hero"),
        "the page's own rules, until the edge answers"
    );
}

#[test]
fn what_the_edge_holds_in_a_slot_is_asked_for_at_once_on_the_next_page() {
    let mut parts = shop_with_edge_rule();
    parts.rules[0].hold = Hold::Session;
    let mut world = World::new(Some(parts));
    world.settle();
    world.grant();
    world.page(SITE);
    world.view_shoes();
    world.pass(FLUSH_MS);
    world.reopen();
    world.page(SITE);
    assert_eq!(hero(&world), None);
    world.pass(10);
    assert_eq!(hero(&world).as_deref(), Some("alpine"));
}

#[test]
fn a_new_program_is_fetched_once_an_answer_names_it() {
    let mut world = World::new(None);
    world.settle();
    world.grant();
    world.page(SITE);
    world.edge = world::Edge::new(Some(shop()));
    world.pass(FLUSH_MS);
    world.view_shoes();
    world.pass(FLUSH_MS);
    world.view_shoes();
    assert_eq!(hero(&world).as_deref(), Some("free-shipping-hero"));
}

#[test]
fn a_program_that_cannot_be_read_is_not_fetched_again_and_harms_nothing() {
    let mut world = World::new(Some(shop()));
    world.edge.bytes = vec![1, 2, 3];
    world.settle();
    world.grant();
    for _ in 0..3 {
        world.view_shoes();
        world.pass(FLUSH_MS);
    }
    assert_eq!((world.edge.log.len(), world.fetches), (3, 1));
}

#[test]
fn a_program_that_did_not_come_is_fetched_again() {
    let mut world = World::new(Some(shop()));
    world.is_online = false;
    world.settle();
    world.grant();
    world.is_online = true;
    world.page(SITE);
    world.pass(FLUSH_MS);
    world.view_shoes();
    world.view_shoes();
    world.pass(FLUSH_MS);
    assert_eq!(hero(&world).as_deref(), Some("free-shipping-hero"));
}

/// The shop, whose hero greets who looked at shoes and did nothing else for five minutes.
fn waiting_shop() -> Parts {
    let mut parts = shop();
    let step = |event: &str| SequenceStep { event: event.into(), filter: None };
    parts.sequences = vec![Sequence {
        name: "idle".into(),
        meaning: 991,
        asks: SequenceKind::ThenNo,
        steps: vec![step("product_view")],
        then_no: Some(step("product_view")),
        without: None,
        window_ms: 300_000,
        purpose: Purposes::PERSONALIZATION,
        private: false,
    }];
    parts.facts.push(Fact { source: FactSource::Sequence(0), shape: Shape::Number, default: None });
    let fact = u16::try_from(parts.facts.len() - 1).unwrap();
    let at = u16::try_from(parts.code.len()).unwrap();
    parts.code.push(Instruction {
        fact,
        test: Test::Range(1, 1),
        on_true: Jump::Accept,
        on_false: Jump::Reject,
    });
    parts.rules[0].when = Some(at);
    parts.rules[0].caps = Vec::new();
    parts
}

#[test]
fn a_page_decides_at_a_deadline_though_nothing_happens_and_nobody_answers() {
    let mut world = World::new(Some(waiting_shop()));
    world.settle();
    world.grant();
    world.page(SITE);
    world.pass(FLUSH_MS);
    world.is_online = false;
    world.view_shoes();
    world.pass(200_000);
    world.view_shoes();
    world.pass(299_999);
    assert_eq!(hero(&world), None);
    world.pass(1);
    assert_eq!(hero(&world).as_deref(), Some("free-shipping-hero"));
}

#[test]
fn a_page_that_slept_over_a_deadline_decides_when_it_wakes() {
    let mut world = World::new(Some(waiting_shop()));
    world.settle();
    world.grant();
    world.page(SITE);
    world.view_shoes();
    world.pass(FLUSH_MS);
    world.now_ms += 3_600_000;
    world.pass(0);
    assert_eq!(hero(&world).as_deref(), Some("free-shipping-hero"));
}

/// The shop with its one rule in an experiment of a control alone, or held out.
fn shop_with(terms: impl FnOnce(&mut Parts)) -> World {
    let mut parts = shop();
    terms(&mut parts);
    let mut world = World::new(Some(parts));
    world.settle();
    world.grant();
    world.page(SITE);
    world.pass(FLUSH_MS);
    world
}

fn experiment(name: &str, variant: &str) -> Experiment {
    Experiment {
        name: name.into(),
        salt: name.into(),
        unit: Unit::Visitor,
        traffic_salt: name.into(),
        traffic: (0, 10_000),
        variants: vec![Variant { name: variant.into(), end: 10_000 }],
    }
}

fn exposures(world: &World) -> Vec<&selvedge_core::value::Map> {
    let is_one = |event: &&selvedge_core::event::Event| event.event_type == EventType::Exposure;
    world.edge.log.values().filter(is_one).map(|event| &event.properties).collect()
}

#[test]
fn a_control_that_was_seen_is_recorded_and_uses_up_no_cap() {
    let mut world = shop_with(|parts| {
        parts.deciding.experiments = vec![experiment("wording", "control")];
        parts.rules[0].terms.trial = Some(Trial { experiment: 0, contents: vec![None] });
    });
    for _ in 0..3 {
        world.view_shoes();
        world.view_shoes();
        assert_eq!(hero(&world).as_deref(), Some("free-shipping-hero"), "it holds the slot");
        assert!(world.shown["hero"].content.is_none());
        see_hero(&mut world);
        world.pass(FLUSH_MS);
        world.reopen();
        world.page(SITE);
    }
    let exposures = exposures(&world);
    assert_eq!(exposures.len(), 3);
    let told = ["rule", "content", "experiment", "variant", "reason"].map(|name| exposures[0].text(name));
    let expected = [Some("free-shipping-hero"), None, Some("wording"), Some("control"), Some("control")];
    assert_eq!(told, expected);
}

#[test]
fn what_a_visitor_is_held_out_from_is_recorded_when_its_slot_is_seen() {
    let mut world = shop_with(|parts| {
        parts.deciding.experiments = vec![experiment("holdout", "held-out")];
        parts.rules[0].terms.holdout = Some(0);
    });
    see_hero(&mut world);
    world.view_shoes();
    world.view_shoes();
    assert_eq!(hero(&world), None);
    see_hero(&mut world);
    see_hero(&mut world);
    world.pass(FLUSH_MS);
    let exposures = exposures(&world);
    assert_eq!(exposures.len(), 1);
    assert_eq!(exposures[0].text("reason"), Some("holdout"));
    assert_eq!(exposures[0].text("rule"), Some("free-shipping-hero"));
}

#[test]
fn a_rule_that_the_edge_stopped_is_gone_with_the_answer_and_stays_so_on_the_next_page() {
    let mut world = open();
    world.view_shoes();
    world.view_shoes();
    assert!(hero(&world).is_some());
    world.edge.paused = vec![selvedge_core::hash::fnv1a_64(b"free-shipping-hero")];
    world.view_shoes();
    world.pass(FLUSH_MS);
    assert_eq!(hero(&world), None);
    world.is_online = false;
    world.reopen();
    world.page(SITE);
    assert_eq!(hero(&world), None, "it is remembered");
    world.is_online = true;
    world.edge.paused = Vec::new();
    world.view_shoes();
    world.pass(FLUSH_MS);
    assert!(hero(&world).is_some());
}

/// A page whose capped rule is held for a day.
fn lasting() -> World {
    let mut parts = shop();
    parts.rules[0].hold = Hold::Time(86_400_000);
    parts.rules[0].caps[0].window = selvedge_core::wire::program::Window::Sliding(3_600_000);
    let mut world = World::new(Some(parts));
    world.settle();
    world.grant();
    world.page(SITE);
    world.pass(FLUSH_MS);
    world.view_shoes();
    world.view_shoes();
    world
}

/// Of each exposure, whether it says that it took no grant.
fn ungranted(world: &World) -> Vec<bool> {
    exposures(world).iter().map(|properties| properties.get("granted").is_some()).collect()
}

#[test]
fn what_is_held_from_an_earlier_page_view_says_that_it_took_no_grant_there() {
    let mut world = lasting();
    for _ in 0..3 {
        assert_eq!(hero(&world).as_deref(), Some("free-shipping-hero"));
        see_hero(&mut world);
        world.pass(FLUSH_MS);
        world.reopen();
        world.page(SITE);
    }
    assert_eq!(ungranted(&world), [false, true, true]);
    let state = world.edge.states.values().next().unwrap();
    let caps = state.cells.iter().filter_map(|cell| match &cell.body {
        selvedge_core::wire::state::CellBody::Cap(cap) => Some((cap.used_ms.len(), cap.lease.left)),
        _ => None,
    });
    assert_eq!(caps.collect::<Vec<_>>(), [(2, 1)], "the device holds a grant that it took once");
}

#[test]
fn what_is_held_and_was_not_seen_yet_takes_its_grant_where_it_is_seen_first() {
    let mut world = lasting();
    world.view_shoes();
    world.pass(FLUSH_MS);
    assert_eq!(hero(&world).as_deref(), Some("free-shipping-hero"));
    world.reopen();
    world.page(SITE);
    assert!(!world.device.contains_key("leases"));
    see_hero(&mut world);
    assert!(world.device.contains_key("leases"), "other tabs know that a grant is gone");
    world.pass(FLUSH_MS);
    assert_eq!(ungranted(&world), [false]);
}
