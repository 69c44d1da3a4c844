//! The consent gate: nothing before an answer, nothing after a refusal, nothing left after a withdrawal.

mod world;

use proptest::prelude::*;
use selvedge_client::Input;
use selvedge_core::consent::{Mode, Purposes};
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
fn under_opt_out_silence_is_consent_but_privacy_control_removes_advertising() {
    let mut world = World::new(Some(shop()));
    world.gpc = true;
    world.mode = Mode::OptOut;
    world.boot();
    world.page(SITE);
    assert!(world.device.is_empty());
    world.settle();
    world.pass(60_000);
    let snapshot = world.edge.batches[0].header.consent[0];
    assert!(snapshot.in_force().holds(Purposes::ANALYTICS));
    assert!(!snapshot.in_force().holds(Purposes::ADVERTISING));
}

#[test]
fn another_tabs_withdrawal_empties_this_one_without_a_word() {
    let mut world = World::new(Some(shop()));
    world.settle();
    world.grant();
    world.page(SITE);
    world.pass(60_000);
    let requests = world.requests;
    world.view_shoes();
    world.device.remove("consent");
    world.input(Input::Changed { key: "consent".into(), value: None, random: [77; 19] });
    assert!(world.device.is_empty(), "{:?}", world.device.keys());
    world.view_shoes();
    world.pass(600_000);
    assert_eq!(world.requests, requests);
}

#[test]
fn another_tabs_grant_brings_its_visitor_along() {
    let mut first = World::new(Some(shop()));
    first.settle();
    first.grant();
    first.page(SITE);
    let mut second = World::new(Some(shop()));
    second.settle();
    second.page(SITE);
    for key in ["visitor", "consent"] {
        second.input(Input::Changed {
            key: key.into(),
            value: first.device.get(key).cloned(),
            random: [77; 19],
        });
    }
    first.pass(60_000);
    second.pass(60_000);
    assert_eq!(first.edge.batches[0].header.visitor, second.edge.batches[0].header.visitor);
    assert!(!second.device.contains_key("consent"), "the first tab stored it");
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
fn where_silence_grants_a_refusal_is_remembered() {
    let mut world = World::new(Some(shop()));
    world.mode = Mode::OptOut;
    world.settle();
    world.page(SITE);
    world.pass(60_000);
    assert_eq!(world.edge.names(), ["page"]);
    world.consent(Purposes::NONE, Purposes(0b1110));
    world.pass(60_000);
    assert_eq!(world.device.keys().collect::<Vec<_>>(), ["consent"]);
    let arrived = world.edge.log.len();
    world.reopen();
    world.page(SITE);
    world.view_shoes();
    world.pass(60_000);
    assert_eq!(world.edge.log.len(), arrived);
    assert_eq!(world.device.keys().collect::<Vec<_>>(), ["consent"]);
}

#[test]
fn a_refusal_before_the_mode_is_known_is_remembered_where_silence_grants() {
    let mut world = World::new(Some(shop()));
    world.mode = Mode::OptOut;
    world.consent(Purposes::NONE, Purposes(0b1110));
    world.settle();
    world.reopen();
    world.page(SITE);
    world.pass(60_000);
    assert_eq!((world.requests, world.edge.log.len()), (0, 0));
}

/// The second page of a visitor whom the region asks for nothing, before its config came.
fn second_page_where_silence_grants() -> World {
    let mut world = World::new(Some(shop()));
    world.mode = Mode::OptOut;
    world.settle();
    world.page(SITE);
    world.pass(60_000);
    assert!(world.device.contains_key("state"));
    world.boot();
    world
}

#[test]
fn an_answer_before_the_config_came_denies_nothing_that_it_does_not_speak_of() {
    let mut world = second_page_where_silence_grants();
    world.consent(Purposes::ANALYTICS, Purposes::NONE);
    assert!(world.device.contains_key("state"), "nothing was taken back");
    world.settle();
    world.view_shoes();
    world.pass(60_000);
    let snapshots: Vec<_> = world.edge.batches.iter().map(|batch| batch.header.consent[0]).collect();
    assert!(snapshots.iter().all(|said| said.in_force().holds(Purposes::PERSONALIZATION)), "{snapshots:?}");
    assert_eq!(snapshots.last().unwrap().granted, Purposes::ANALYTICS);
}

#[test]
fn an_answer_without_a_config_counts_as_the_region_did_before() {
    let mut world = second_page_where_silence_grants();
    world.input(Input::Settings(None));
    world.consent(Purposes::ANALYTICS, Purposes::ADVERTISING);
    world.view_shoes();
    world.pass(60_000);
    let said = world.edge.batches.last().unwrap().header.consent[0];
    assert_eq!((said.mode, said.granted), (Mode::OptOut, Purposes::ANALYTICS));
    assert!(!said.in_force().holds(Purposes::ADVERTISING));
}

#[test]
fn a_refusal_before_the_config_came_outlives_its_page_where_silence_granted() {
    let mut world = second_page_where_silence_grants();
    world.consent(Purposes::NONE, Purposes(0b1110));
    assert_eq!(world.device.keys().collect::<Vec<_>>(), ["consent"]);
    let arrived = world.edge.log.len();
    world.reopen();
    world.page(SITE);
    world.pass(60_000);
    assert_eq!(world.edge.log.len(), arrived);
}

#[test]
fn where_nobody_said_what_silence_means_an_answer_grants_what_it_speaks_of_alone() {
    let mut world = World::new(Some(shop()));
    world.input(Input::Settings(None));
    world.consent(Purposes::ANALYTICS, Purposes::NONE);
    world.view_shoes();
    world.pass(60_000);
    let said = world.edge.batches.last().unwrap().header.consent[0];
    assert_eq!(said.in_force(), Purposes::NECESSARY.or(Purposes::ANALYTICS));
}

#[test]
fn another_tabs_withdrawal_leaves_the_answer_it_stored() {
    let mut world = World::new(Some(shop()));
    world.mode = Mode::OptOut;
    world.settle();
    world.page(SITE);
    world.pass(60_000);
    let mut other = World::new(Some(shop()));
    other.mode = Mode::OptOut;
    other.device = world.device.clone();
    other.reopen();
    other.consent(Purposes::NONE, Purposes(0b1110));
    world.device = other.device.clone();
    world.input(Input::Changed { key: "consent".into(), value: None, random: [77; 19] });
    world.input(Input::Changed {
        key: "consent".into(),
        value: other.device.get("consent").cloned(),
        random: [77; 19],
    });
    assert_eq!(world.device.keys().collect::<Vec<_>>(), ["consent"]);
    world.view_shoes();
    world.pass(60_000);
    assert_eq!(world.device.keys().collect::<Vec<_>>(), ["consent"]);
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
fn another_tabs_withdrawal_grants_nothing_that_was_denied() {
    let mut world = World::new(Some(shop()));
    world.mode = Mode::OptOut;
    world.settle();
    world.consent(Purposes::NONE, Purposes(0b1100));
    world.page(SITE);
    world.pass(60_000);
    for _ in 0..2 {
        world.device.remove("consent");
        world.input(Input::Changed { key: "consent".into(), value: None, random: [77; 19] });
    }
    world.device.clear();
    world.page(SITE);
    world.view_shoes();
    world.pass(60_000);
    assert_eq!(world.device.keys().collect::<Vec<_>>(), Vec::<&str>::new());
}

#[test]
fn a_grant_after_another_tabs_withdrawal_is_of_another_visitor() {
    let mut world = World::new(Some(shop()));
    world.settle();
    world.grant();
    world.page(SITE);
    world.pass(60_000);
    world.input(Input::Changed { key: "consent".into(), value: None, random: [77; 19] });
    world.grant();
    world.page(SITE);
    world.pass(60_000);
    let visitors: Vec<_> = world.edge.log.keys().map(|(visitor, ..)| *visitor).collect();
    assert_eq!(visitors.len(), 2);
    assert_ne!(visitors[0], visitors[1]);
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

/// A device of a visitor who granted everything under the first policy and was seen; the second holds from now on.
fn under_a_new_policy() -> World {
    let mut world = World::new(Some(shop()));
    world.settle();
    world.grant();
    world.page(SITE);
    world.pass(60_000);
    world.policy_version = 2;
    world
}

#[test]
fn an_answer_to_an_older_policy_is_asked_again() {
    let mut world = under_a_new_policy();
    let (device, requests) = (world.device.clone(), world.requests);
    world.reopen();
    world.page(SITE);
    world.view_shoes();
    world.input(Input::Hidden);
    world.pass(3_600_000);
    assert_eq!((world.requests, world.beacons), (requests, 0));
    assert_eq!(world.device, device, "nothing is stored before the answer");
    world.grant();
    world.pass(60_000);
    assert_eq!(world.edge.names(), ["page", "page", "product_view"]);
    let header = &world.edge.batches.last().unwrap().header;
    assert_eq!(header.consent[0].policy_version, 2);
    assert_eq!(header.visitor, world.edge.batches[0].header.visitor, "the visitor is still known");
    world.reopen();
    world.page(SITE);
    world.pass(60_000);
    assert_eq!(world.edge.log.len(), 4, "the new answer counts on the next page");
}

#[test]
fn what_an_older_answer_let_in_before_the_policy_was_known_waits() {
    let mut world = under_a_new_policy();
    let requests = world.requests;
    world.boot();
    world.view_shoes();
    world.settle();
    world.pass(3_600_000);
    assert_eq!(world.requests, requests);
    world.grant();
    world.pass(60_000);
    assert_eq!(world.edge.names(), ["page", "product_view"]);
}

#[test]
fn a_refusal_of_the_new_policy_erases_what_the_old_one_left() {
    let mut world = under_a_new_policy();
    world.boot();
    world.view_shoes();
    world.settle();
    world.consent(Purposes::NONE, Purposes(0b1110));
    world.pass(60_000);
    assert!(world.device.is_empty(), "{:?}", world.device.keys());
    assert_eq!(world.edge.names(), ["page"]);
    assert!(world.edge.batches.last().unwrap().events.is_empty(), "the edge is told");
}

#[test]
fn an_answer_before_the_config_came_is_to_its_policy() {
    let mut world = World::new(Some(shop()));
    world.grant();
    world.settle();
    world.page(SITE);
    world.pass(60_000);
    world.reopen();
    world.page(SITE);
    world.pass(60_000);
    assert_eq!(world.edge.names(), ["page", "page"]);
    assert_eq!(world.edge.batches[0].header.consent[0].policy_version, 1);
}

#[test]
fn where_silence_grants_a_refusal_outlives_its_policy() {
    let mut world = World::new(Some(shop()));
    world.mode = Mode::OptOut;
    world.settle();
    world.consent(Purposes::NONE, Purposes(0b1110));
    world.policy_version = 2;
    world.reopen();
    world.page(SITE);
    world.pass(60_000);
    assert_eq!((world.requests, world.edge.log.len()), (0, 0));
}

#[test]
fn another_tabs_answer_to_an_older_policy_counts_for_nothing() {
    let mut world = under_a_new_policy();
    world.reopen();
    let answer = world.device.get("consent").cloned();
    world.input(Input::Changed { key: "consent".into(), value: answer, random: [77; 19] });
    world.page(SITE);
    world.pass(60_000);
    assert_eq!(world.edge.names(), ["page"]);
}

/// What another tab stored or erased under `key`.
fn hear(world: &mut World, key: &str, value: Option<Vec<u8>>) {
    match value.clone() {
        Some(value) => drop(world.device.insert(key.into(), value)),
        None => drop(world.device.remove(key)),
    }
    world.input(Input::Changed { key: key.into(), value, random: [77; 19] });
}

#[test]
fn after_a_logout_in_another_tab_this_one_is_of_the_new_visitor() {
    let mut first = World::new(Some(shop()));
    first.settle();
    first.grant();
    first.page(SITE);
    first.pass(60_000);
    let old = first.edge.batches[0].header.visitor;
    let mut second = World::new(Some(shop()));
    second.device = first.device.clone();
    second.reopen();
    second.page(SITE);
    first.input(Input::Reset { random: [42; 19] });
    hear(&mut second, "visitor", None);
    first.page(SITE);
    hear(&mut second, "visitor", first.device.get("visitor").cloned());
    second.view_shoes();
    second.reopen();
    second.view_shoes();
    first.pass(60_000);
    second.pass(60_000);
    let new = first.edge.batches.last().unwrap().header.visitor;
    assert_ne!(new, old);
    let mut seen: Vec<_> =
        second.edge.log.iter().map(|((visitor, ..), event)| (*visitor == new, event.name.clone())).collect();
    seen.sort();
    let expected = [(false, "page"), (true, "product_view"), (true, "product_view")];
    assert_eq!(
        seen,
        expected.map(|(is_new, name)| (is_new, name.to_owned())),
        "what was queued is the old one's"
    );
    assert_eq!(second.device["visitor"], first.device["visitor"]);
}

#[test]
fn a_visitor_that_another_tab_forgot_is_not_minted_again() {
    let mut world = World::new(Some(shop()));
    world.settle();
    world.grant();
    world.page(SITE);
    world.pass(60_000);
    let old = world.device["visitor"].clone();
    hear(&mut world, "visitor", None);
    world.view_shoes();
    world.pass(60_000);
    assert_ne!(world.device["visitor"], old);
    assert_ne!(world.edge.batches[0].header.visitor, world.edge.batches.last().unwrap().header.visitor);
}

#[test]
fn a_withdrawal_is_newer_than_an_answer_to_an_older_policy_whatever_the_clock_says() {
    let mut world = World::new(Some(shop()));
    world.mode = Mode::OptOut;
    world.settle();
    world.page(SITE);
    world.grant();
    world.pass(60_000);
    let granted_ms = world.edge.batches.last().expect("it heard").header.consent[0].time_ms;
    world.policy_version += 1;
    world.now_ms -= 3_600_000;
    world.reopen();
    world.consent(Purposes::NONE, Purposes(0b1110));
    world.pass(60_000);
    let last = world.edge.batches.last().expect("it heard").header.consent[0];
    assert_eq!(last.denied, Purposes(0b1110));
    assert!(last.time_ms > granted_ms, "{} behind {granted_ms}", last.time_ms);
}
