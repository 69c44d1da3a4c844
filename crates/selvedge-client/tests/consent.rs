//! The consent gate: nothing before an answer, nothing after a refusal, nothing left after a withdrawal.

mod world;

use proptest::prelude::*;
use selvedge_client::Input;
use selvedge_core::consent::Purposes;
use selvedge_core::value::Value;
use world::{START_MS, World, shop};

const SITE: &str = "https://shop.test/shoes?utm_medium=cpc";

#[test]
fn before_an_answer_nothing_is_stored_and_nothing_is_sent() {
    let mut world = World::new(Some(shop()));
    world.settle();
    world.page(SITE);
    world.view_shoes();
    world.input(Input::Hidden);
    world.input(Input::Awake);
    world.input(Input::Flush);
    world.pass(3_600_000);
    assert_eq!((world.requests, world.beacons, world.device.len()), (0, 0, 0));
}

#[test]
fn a_grant_captures_what_was_held_with_its_true_time() {
    let mut world = World::new(Some(shop()));
    world.settle();
    world.page(SITE);
    world.pass(5_000);
    world.view_shoes();
    world.pass(60_000);
    world.grant();
    world.pass(60_000);
    let times: Vec<u64> = world.edge.log.values().map(|event| event.time_ms - START_MS).collect();
    assert_eq!(times, [0, 5_000]);
    let header = &world.edge.batches[0].header;
    assert_eq!(header.consent[0].time_ms, START_MS + 65_000);
    assert_eq!(header.visitor.topology(), 3);
    let page = world.edge.log.values().next().unwrap();
    assert_eq!(page.context.text("utm.medium"), Some("cpc"));
    assert_eq!(page.context.text("referrer.class"), Some("paid"));
}

#[test]
fn a_refusal_destroys_what_was_held() {
    let mut world = World::new(Some(shop()));
    world.settle();
    world.page(SITE);
    world.view_shoes();
    world.consent(Purposes::NONE, Purposes::ANALYTICS.or(Purposes::PERSONALIZATION));
    world.view_shoes();
    world.pass(60_000);
    assert_eq!((world.requests, world.device.len()), (0, 0));
    world.grant();
    world.view_shoes();
    world.pass(60_000);
    assert_eq!(world.edge.names(), ["product_view"]);
}

#[test]
fn a_withdrawal_erases_the_device_and_tells_the_edge() {
    let mut world = World::new(Some(shop()));
    world.settle();
    world.grant();
    world.page(SITE);
    world.pass(60_000);
    world.is_online = false;
    world.view_shoes();
    assert!(world.device.keys().any(|key| key.starts_with("q.")));
    let visitor = world.edge.batches[0].header.visitor;
    world.consent(Purposes::NONE, Purposes(0xf));
    assert!(world.device.is_empty(), "{:?}", world.device.keys());
    world.is_online = true;
    world.input(Input::Awake);
    world.pass(600_000);
    let last = world.edge.batches.last().unwrap();
    assert_eq!((last.header.visitor, last.events.len()), (visitor, 0));
    assert!(last.header.consent[0].in_force().without(Purposes::NECESSARY).is_empty());
    assert_eq!(world.edge.names(), ["page"]);
    assert!(world.device.is_empty());
    world.grant();
    world.view_shoes();
    world.pass(60_000);
    let after = &world.edge.batches.last().unwrap().header;
    assert_ne!(after.visitor, visitor);
}

#[test]
fn a_withdrawal_is_newer_than_the_grant_though_the_clock_was_set_back_between_them() {
    let mut world = World::new(Some(shop()));
    world.settle();
    world.grant();
    world.page(SITE);
    world.pass(60_000);
    let granted = world.edge.batches[0].header.consent[0];
    world.now_ms -= 60 * 60 * 1_000;
    world.consent(Purposes::NONE, Purposes(0xf));
    world.pass(600_000);
    let last = world.edge.batches.last().unwrap().header.consent[0];
    assert!(last.in_force().without(Purposes::NECESSARY).is_empty());
    assert!(last.time_ms > granted.time_ms, "the edge takes the newer for what counts");
}

#[test]
fn a_narrower_consent_destroys_what_lost_its_purpose_and_tells_the_edge() {
    let mut world = World::new(Some(shop()));
    world.settle();
    world.grant();
    world.is_online = false;
    world.page(SITE);
    world.track("unplanned", &[]);
    world.consent(Purposes::NONE, Purposes::ANALYTICS);
    world.is_online = true;
    world.input(Input::Awake);
    world.pass(60_000);
    assert_eq!(world.edge.names(), ["page"], "an unplanned event counts as analytics");
    assert!(!world.edge.batches[0].header.consent[0].in_force().holds(Purposes::ANALYTICS));
}

#[test]
fn a_change_without_events_reaches_the_edge_even_after_a_failure() {
    let mut world = World::new(Some(shop()));
    world.settle();
    world.grant();
    world.page(SITE);
    world.pass(60_000);
    world.edge.statuses = vec![503];
    world.consent(Purposes::NONE, Purposes::ANALYTICS);
    world.pass(600_000);
    let last = world.edge.batches.last().unwrap();
    assert!(last.events.is_empty());
    assert!(!last.header.consent[0].in_force().holds(Purposes::ANALYTICS));
}

#[test]
fn every_event_carries_the_snapshot_of_its_capture() {
    let mut world = World::new(Some(shop()));
    world.settle();
    world.grant();
    world.is_online = false;
    world.view_shoes();
    world.pass(1_000);
    world.consent(Purposes::ADVERTISING, Purposes::NONE);
    world.run();
    world.view_shoes();
    world.is_online = true;
    world.input(Input::Awake);
    world.pass(60_000);
    let batch = &world.edge.batches[0];
    let snapshots = batch.events.iter().map(|event| {
        let consent = event.as_ref().unwrap().consent;
        batch.header.consent[usize::from(consent)]
    });
    let advertising: Vec<_> =
        snapshots.map(|snapshot| snapshot.in_force().holds(Purposes::ADVERTISING)).collect();
    assert_eq!(advertising, [false, true]);
    assert!(batch.header.consent[0].in_force().holds(Purposes::ADVERTISING), "the first is in force now");
}

#[test]
fn what_an_earlier_page_left_is_judged_by_the_consent_of_today() {
    let mut world = World::new(Some(shop()));
    world.settle();
    world.grant();
    world.is_online = false;
    world.track("unplanned", &[]);
    world.view_shoes();
    world.is_online = true;
    world.reopen();
    world.consent(Purposes::NONE, Purposes::ANALYTICS);
    world.page(SITE);
    world.pass(60_000);
    assert_eq!(world.edge.names(), ["product_view", "page"]);
}

/// The shop, whose views are for personalization alone.
fn personal() -> selvedge_core::wire::program::Parts {
    let mut parts = shop();
    parts.plan.events[0].purposes = Purposes::PERSONALIZATION;
    parts
}

/// Until the tracking plan comes nobody knows what a queued event was captured for.
#[test]
fn a_page_without_a_plan_leaves_what_an_earlier_one_queued_where_nothing_was_taken_back() {
    for (denied, arrives) in [(Purposes::NONE, true), (Purposes::PERSONALIZATION, false)] {
        let mut world = World::new(Some(personal()));
        world.settle();
        world.consent(Purposes::PERSONALIZATION, Purposes::NONE);
        world.is_online = false;
        world.view_shoes();
        world.device.remove("program");
        world.boot();
        if !denied.is_empty() {
            world.consent(Purposes::ANALYTICS, denied);
        }
        world.hear_settings();
        let queues = world.device.clone().into_iter().filter(|(key, _)| key.contains('.')).collect();
        world.input(Input::Adopted(queues));
        world.is_online = true;
        world.pass(60_000);
        assert_eq!(!world.edge.log.is_empty(), arrives, "{denied:?} taken back: {:?}", world.edge.names());
    }
}

#[test]
fn addresses_keep_only_what_may_be_captured() {
    let mut world = World::new(None);
    world.settle();
    world.grant();
    world.page("https://shop.test/s?q=boots&email=a%40b.c&utm_source=x#token");
    world.pass(60_000);
    let event = world.edge.log.values().next().unwrap();
    assert_eq!(event.properties.text("url"), Some("https://shop.test/s?q=boots&utm_source=x"));
    assert_eq!(event.properties.get("referrer"), Some(&Value::Text(String::new())));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever happens, in whatever order: without an answer, or after a refusal, nothing is stored and nothing is sent.
    #[test]
    fn nothing_leaves_without_consent(steps in proptest::collection::vec(0u8..9, 1..60)) {
        let mut world = World::new(Some(shop()));
        for step in steps {
            match step {
                0 => world.settle(),
                1 => world.page(SITE),
                2 => world.view_shoes(),
                3 => world.consent(Purposes::NONE, Purposes(0xf)),
                4 => world.input(Input::Hidden),
                5 => world.input(Input::Awake),
                6 => world.pass(100_000),
                7 => world.input(Input::Reset { random: [9; 19] }),
                _ => world.boot(),
            }
            prop_assert_eq!(world.requests, 0);
            prop_assert_eq!(world.beacons, 0);
            prop_assert!(world.device.is_empty());
        }
    }

    /// Less consent never adds an event.
    #[test]
    fn less_consent_never_adds_an_event(first in 0u16..16, second in 0u16..16, less in 0u16..16) {
        let names = |first: u16, second: u16| {
            let mut world = World::new(Some(shop()));
            world.settle();
            world.page(SITE);
            world.consent(Purposes(first), Purposes(!first & 0xf));
            world.view_shoes();
            world.track("unplanned", &[]);
            world.consent(Purposes(second), Purposes(!second & 0xf));
            world.view_shoes();
            world.pass(60_000);
            world.edge.names()
        };
        let (full, reduced) = (names(first, second), names(first & less, second & less));
        prop_assert!(reduced.len() <= full.len(), "{:?} {:?}", reduced, full);
    }
}

#[test]
fn a_refusal_leaves_nothing_on_the_device_whoever_put_it_there() {
    let mut world = World::new(Some(shop()));
    world.settle();
    world.device.insert("state".into(), vec![1, 2, 3]);
    world.device.insert("w.7".into(), vec![4]);
    world.consent(Purposes::NONE, Purposes(0b1110));
    assert_eq!(world.device.keys().collect::<Vec<_>>(), Vec::<&str>::new());
}

#[test]
fn the_device_keeps_no_state_of_a_purpose_that_was_lost() {
    let mut world = World::new(Some(shop()));
    world.settle();
    world.grant();
    world.page(SITE);
    world.pass(60_000);
    assert!(world.device.contains_key("state"));
    world.is_online = false;
    world.consent(Purposes::NONE, Purposes::PERSONALIZATION);
    assert!(!world.device.contains_key("state"));
    assert!(world.shown.values().all(|show| show.rule.is_none()));
    world.is_online = true;
    world.input(Input::Awake);
    world.pass(600_000);
    assert!(world.device.contains_key("state"), "the edge answered with what is left");
}

#[test]
fn an_event_without_a_granted_purpose_gives_nobody_an_identity() {
    let mut world = World::new(Some(shop()));
    world.settle();
    world.consent(Purposes::ADVERTISING, Purposes::NONE);
    world.page(SITE);
    world.view_shoes();
    world.pass(60_000);
    assert!(!world.device.contains_key("visitor"), "{:?}", world.device.keys());
    assert_eq!(world.requests, 0);
}
