//! What the page loses is counted, and the edge hears of it by an event, once, however often it is sent.

mod world;

use selvedge_client::{Input, Notice};
use selvedge_core::consent::Purposes;
use selvedge_core::id::WriterId;
use selvedge_core::limits::{FLUSH_MS, HELD_EVENTS_MAX, QUEUE_BYTES_MAX};
use selvedge_core::number::Number;
use selvedge_core::value::Value;
use selvedge_core::wire::program::Parts;
use world::{World, reporting, shop};

fn granted(parts: Parts) -> World {
    let mut world = World::new(Some(parts));
    world.settle();
    world.grant();
    world
}

/// How many events the logged reports say were lost, and how many reports there are.
fn told(world: &World) -> (i64, usize) {
    let reports: Vec<_> = world.edge.log.values().filter(|event| event.name == "events_lost").collect();
    let count = |value: Option<&Value>| match value {
        Some(Value::Number(Number::Int(count))) => *count,
        other => panic!("a report counts, and does not say {other:?}"),
    };
    (reports.iter().map(|event| count(event.properties.get("count"))).sum(), reports.len())
}

fn fill(world: &mut World, events: usize) {
    let filler = Value::Text("x".repeat(500));
    for _ in 0..events {
        world.track("filler", &[("text", filler.clone())]);
        world.now_ms += 1;
    }
}

#[test]
fn what_the_edge_can_never_read_is_reported_with_the_next_batch() {
    let mut world = granted(reporting(shop()));
    world.edge.statuses = vec![400];
    world.view_shoes();
    world.pass(FLUSH_MS);
    assert_eq!((world.lost(), told(&world)), (1, (0, 0)));
    world.pass(FLUSH_MS);
    assert_eq!(told(&world), (1, 1), "no other event has to come");
    assert_eq!(world.edge.log.len(), 1);
    assert!(world.device.keys().all(|key| !key.starts_with("q.")));
}

#[test]
fn what_a_full_queue_gave_up_is_reported_once_and_as_one() {
    let mut world = granted(reporting(shop()));
    world.is_online = false;
    fill(&mut world, QUEUE_BYTES_MAX / 500 + 20);
    let lost = world.lost();
    assert!(lost > 10, "{lost} were lost");
    world.is_online = true;
    world.input(Input::Awake);
    world.pass(60_000);
    assert_eq!(told(&world), (i64::from(lost), 1));
}

#[test]
fn a_report_whose_answer_is_lost_counts_once() {
    let mut world = granted(reporting(shop()));
    world.edge.statuses = vec![422];
    world.view_shoes();
    world.pass(FLUSH_MS);
    world.view_shoes();
    world.loses_answer = true;
    world.pass(600_000);
    assert_eq!(world.edge.duplicates, 2, "event and report came again");
    assert_eq!(told(&world), (1, 1));
}

#[test]
fn a_report_goes_with_the_beacon() {
    let mut world = granted(reporting(shop()));
    world.edge.statuses = vec![400];
    world.view_shoes();
    world.pass(FLUSH_MS);
    world.input(Input::Hidden);
    assert_eq!((world.beacons, told(&world)), (1, (1, 1)));
}

/// A device that holds three events of a page that is gone, and what of them is spoilt.
fn spoilt(spoil: impl Fn(&str) -> bool) -> World {
    let mut world = granted(reporting(shop()));
    world.is_online = false;
    for _ in 0..3 {
        world.view_shoes();
    }
    for (key, value) in &mut world.device {
        if spoil(key) {
            *value = vec![0xff; 3];
        }
    }
    world.is_online = true;
    world
}

#[test]
fn a_stored_event_that_cannot_be_read_is_reported_by_the_page_that_finds_it() {
    let mut world = spoilt(|key| key.starts_with("q.") && key.ends_with("003"));
    world.reopen();
    world.view_shoes();
    world.pass(FLUSH_MS);
    assert_eq!((told(&world), world.lost()), ((1, 1), 1));
    let sequences: Vec<u32> = world.edge.log.keys().map(|(_, _, sequence)| *sequence).take(3).collect();
    assert_eq!(sequences, [1, 2, 4], "the edge may know a third one");
    world.reopen();
    world.view_shoes();
    world.pass(FLUSH_MS);
    assert_eq!(told(&world), (1, 1));
}

#[test]
fn two_pages_that_take_over_the_same_queue_report_its_loss_once() {
    let mut world = spoilt(|key| key.starts_with("q.") && key.ends_with("002"));
    let device = world.device.clone();
    for _ in 0..2 {
        world.device.clone_from(&device);
        world.reopen();
        world.view_shoes();
        world.pass(FLUSH_MS);
    }
    assert_eq!(told(&world), (1, 1));
    assert_eq!(world.edge.duplicates, 3, "two events and the report");
}

#[test]
fn a_queue_whose_head_cannot_be_read_is_lost_and_reported_whole() {
    let mut world = spoilt(|key| key.starts_with("w."));
    world.reopen();
    world.view_shoes();
    world.pass(FLUSH_MS);
    world.pass(FLUSH_MS);
    assert_eq!((told(&world), world.lost()), ((3, 1), 3));
}

#[test]
fn what_did_not_fit_before_consent_is_reported_after_it() {
    let mut world = World::new(Some(reporting(shop())));
    world.settle();
    for _ in 0..HELD_EVENTS_MAX + 2 {
        world.view_shoes();
    }
    assert!(world.device.is_empty());
    world.grant();
    world.pass(FLUSH_MS);
    world.pass(FLUSH_MS);
    assert_eq!(told(&world), (2, 1));
}

/// A new policy asks again: what the device holds rests there, and nothing is added, not even a count.
#[test]
fn while_consent_rests_a_loss_is_not_stored_and_behind_the_next_answer_it_is_reported() {
    let mut world = granted(reporting(shop()));
    world.edge.statuses = vec![400];
    world.view_shoes();
    world.pass(FLUSH_MS);
    assert_eq!(world.lost(), 1);
    world.policy_version = 2;
    world.settle();
    let device = world.device.clone();
    world.input(Input::Hidden);
    assert!(world.device == device, "the device is as it was");
    world.grant();
    world.pass(2 * FLUSH_MS);
    assert_eq!(told(&world), (1, 1));
}

#[test]
fn a_plan_that_knows_no_such_event_and_a_visitor_who_denies_analytics_are_told_of_nothing() {
    for (parts, granted) in [(shop(), Purposes::ANALYTICS), (reporting(shop()), Purposes::PERSONALIZATION)] {
        let mut world = World::new(Some(parts));
        world.settle();
        world.consent(granted, Purposes::NONE);
        world.edge.statuses = vec![400];
        world.view_shoes();
        world.pass(FLUSH_MS);
        world.view_shoes();
        world.pass(10 * FLUSH_MS);
        assert_eq!((world.lost(), told(&world)), (1, (0, 0)));
        assert!(world.requests < 4, "nobody waits for a report");
        assert!(world.notices.contains(&Notice::Lost(1)));
    }
}

#[test]
fn a_report_that_a_page_left_behind_is_not_made_again_by_the_next() {
    let mut world = granted(reporting(shop()));
    world.edge.statuses = vec![400];
    world.view_shoes();
    world.pass(FLUSH_MS);
    world.is_online = false;
    world.pass(FLUSH_MS);
    assert!(world.device.keys().any(|key| key.starts_with("q.")), "the report waits");
    world.is_online = true;
    world.reopen();
    world.view_shoes();
    world.pass(FLUSH_MS);
    assert_eq!(told(&world), (1, 1));
}

#[test]
fn a_report_that_is_too_old_itself_is_not_reported_without_end() {
    let mut world = granted(reporting(shop()));
    world.is_online = false;
    world.view_shoes();
    world.pass(FLUSH_MS);
    let digits = world.device.keys().find_map(|key| key.strip_prefix("w.").map(str::to_owned));
    let bits = u64::from_str_radix(&digits.expect("a queue"), 16).expect("its writer");
    world.edge.evicted.push(WriterId::from_bits(bits));
    world.reopen();
    world.is_online = true;
    world.view_shoes();
    world.pass(10 * FLUSH_MS);
    assert_eq!(world.edge.log.len(), 1, "the edge takes what this page captured");
    assert_eq!((world.lost(), told(&world)), (2, (0, 0)), "the event, and the report of that");
    assert!(world.requests < 10, "{} requests", world.requests);
}

#[test]
fn what_is_too_old_while_consent_rests_stays_where_it_is() {
    let mut world = granted(reporting(shop()));
    world.view_shoes();
    let digits = world.device.keys().find_map(|key| key.strip_prefix("w.").map(str::to_owned));
    let bits = u64::from_str_radix(&digits.expect("a queue"), 16).expect("its writer");
    world.edge.evicted.push(WriterId::from_bits(bits));
    world.now_ms += FLUSH_MS;
    let requests = world.requests;
    world.input(Input::Tick);
    assert_eq!(world.requests, requests + 1, "the event is on its way");
    // The answer that the device holds was to an older policy.
    world.policy_version += 1;
    world.hear_settings();
    let device = world.device.clone();
    world.run();
    assert_eq!(world.device, device, "nothing is stored");
    world.grant();
    world.pass(10 * FLUSH_MS);
    assert_eq!(world.device.keys().find(|key| key.starts_with("q.")), None, "all of it is over");
}
