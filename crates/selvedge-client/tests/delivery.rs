//! Sending: what was captured arrives once, whatever the network, the tab and the device do; what is lost is counted.

mod world;

use proptest::prelude::*;
use selvedge_client::{Effect, Input, Notice, Reply};
use selvedge_core::limits::{FLUSH_EVENTS, FLUSH_MS, QUEUE_BYTES_MAX};
use selvedge_core::number::Number;
use selvedge_core::value::Value;
use world::{World, shop};

fn granted() -> World {
    let mut world = World::new(Some(shop()));
    world.settle();
    world.grant();
    world
}

#[test]
fn twenty_events_leave_at_once_and_fewer_after_thirty_seconds() {
    let mut world = granted();
    for _ in 1..FLUSH_EVENTS {
        world.view_shoes();
    }
    world.run();
    assert_eq!(world.requests, 0);
    world.view_shoes();
    world.pass(10);
    assert_eq!((world.requests, world.edge.log.len()), (1, FLUSH_EVENTS));
    world.view_shoes();
    world.pass(FLUSH_MS - 1);
    assert_eq!(world.requests, 1, "one event waits");
    world.pass(1);
    assert_eq!((world.requests, world.edge.log.len()), (2, FLUSH_EVENTS + 1));
    assert!(world.device.keys().all(|key| !key.starts_with("q.")));
}

#[test]
fn an_urgent_event_leaves_at_once_together_with_others_of_the_same_moment() {
    let mut parts = shop();
    parts.plan.events[0].urgent = true;
    let mut world = World::new(Some(parts));
    world.settle();
    world.grant();
    world.view_shoes();
    world.view_shoes();
    world.pass(10);
    assert_eq!((world.requests, world.edge.log.len()), (1, 2));
}

#[test]
fn an_event_captured_before_the_program_leaves_at_once_where_the_program_calls_it_urgent() {
    for urgent in [true, false] {
        let mut parts = shop();
        parts.plan.events[0].urgent = urgent;
        let mut world = World::new(Some(parts));
        world.hear_settings();
        world.grant();
        world.view_shoes();
        world.pass(20);
        assert_eq!(world.edge.log.len(), usize::from(urgent));
    }
}

#[test]
fn an_event_that_waits_for_a_program_nobody_can_read_leaves_at_once() {
    for is_readable in [false, true] {
        let mut world = World::new(Some(shop()));
        if !is_readable {
            world.edge.bytes[3] = 99;
        }
        world.hear_settings();
        world.grant();
        world.view_shoes();
        world.pass(20);
        assert_eq!(world.edge.log.len(), usize::from(!is_readable));
    }
}

#[test]
fn what_was_captured_offline_arrives_once_online() {
    let mut world = granted();
    world.is_online = false;
    for _ in 0..30 {
        world.view_shoes();
        world.pass(1_000);
    }
    assert_eq!(world.edge.log.len(), 0);
    world.is_online = true;
    world.input(Input::Awake);
    world.pass(1_000);
    assert_eq!((world.edge.log.len(), world.edge.duplicates, world.lost()), (30, 0, 0));
}

#[test]
fn a_lost_answer_means_the_same_ids_again() {
    let mut world = granted();
    world.view_shoes();
    world.view_shoes();
    world.loses_answer = true;
    world.pass(600_000);
    assert_eq!((world.edge.log.len(), world.edge.duplicates), (2, 2));
    let ids = |at: usize| -> Vec<_> {
        let batch = &world.edge.batches[at];
        batch.events.iter().map(|event| event.as_ref().unwrap().id(batch.header.writer)).collect()
    };
    assert_eq!(ids(0), ids(1));
}

#[test]
fn a_page_that_dies_leaves_its_queue_to_the_next_which_sends_it_first() {
    let mut world = granted();
    world.view_shoes();
    world.track("lonely", &[]);
    world.reopen();
    world.page("https://shop.test/");
    world.pass(100);
    let first = &world.edge.batches[0];
    assert_eq!(first.events.len(), 2);
    world.pass(FLUSH_MS);
    assert_eq!(world.edge.log.len(), 3);
    let visitors: Vec<_> = world.edge.batches.iter().map(|batch| batch.header.visitor).collect();
    assert!(visitors.windows(2).all(|pair| pair[0] == pair[1]));
    assert!(world.device.keys().all(|key| !key.starts_with("q.")));
}

#[test]
fn a_hidden_page_sends_a_beacon_and_still_waits_for_an_answer() {
    let mut world = granted();
    world.view_shoes();
    world.input(Input::Hidden);
    assert_eq!((world.beacons, world.edge.log.len()), (1, 1));
    assert!(world.device.keys().any(|key| key.starts_with("q.")));
    world.input(Input::Awake);
    world.pass(1_000);
    assert_eq!((world.edge.log.len(), world.edge.duplicates), (1, 1));
    assert!(world.device.keys().all(|key| !key.starts_with("q.")));
}

/// A page that keeps nothing on the device, with a request of `sent` events of 500 bytes on its way, and one event behind them, is gone.
fn gone_while_sending(sent: usize) -> World {
    let mut world = granted();
    world.is_storage_denied = true;
    let filler = Value::Text("x".repeat(500));
    for _ in 1..sent {
        world.track("filler", &[("text", filler.clone())]);
    }
    world.now_ms += FLUSH_MS;
    world.input(Input::Flush);
    world.track("behind", &[]);
    world.input(Input::Hidden);
    world
}

#[test]
fn a_beacon_repeats_what_is_on_its_way_only_where_that_leaves_room_for_what_came_later() {
    let small = gone_while_sending(20);
    assert_eq!((small.requests, small.beacons), (1, 1));
    assert_eq!(small.edge.log.len(), 20, "the request may fail, and later events would stand before its own");
    let large = gone_while_sending(80);
    assert_eq!((large.requests, large.beacons), (1, 1));
    let names: Vec<_> = large.edge.log.values().map(|event| event.name.as_str()).collect();
    assert_eq!(names, ["behind"], "both together are more than what browsers let leave");
}

#[test]
fn events_of_a_page_without_a_config_leave_when_it_is_hidden() {
    let mut world = World::new(Some(shop()));
    world.grant();
    world.view_shoes();
    assert_eq!(world.edge.log.len(), 0);
    world.input(Input::Hidden);
    assert_eq!(world.edge.log.len(), 1);
    assert_eq!(world.edge.batches[0].header.visitor.topology(), 0);
}

#[test]
fn too_large_a_batch_is_halved_until_it_fits() {
    let mut world = granted();
    world.edge.events_max = 3;
    for _ in 0..FLUSH_EVENTS {
        world.view_shoes();
    }
    world.pass(600_000);
    assert_eq!((world.edge.log.len(), world.lost()), (FLUSH_EVENTS, 0));
}

#[test]
fn unreadable_is_lost_and_counted_and_the_floor_steps_over_it() {
    let mut world = granted();
    world.edge.statuses = vec![400];
    world.view_shoes();
    world.pass(FLUSH_MS);
    assert_eq!((world.edge.log.len(), world.lost()), (0, 1));
    world.view_shoes();
    world.pass(FLUSH_MS);
    assert_eq!(world.edge.batches[0].header.floor, 2);
}

#[test]
fn a_wrong_key_keeps_the_events_and_waits_long() {
    let mut world = granted();
    world.edge.statuses = vec![401, 403];
    world.view_shoes();
    world.pass(FLUSH_MS);
    let requests = world.requests;
    world.pass(100_000);
    assert_eq!(world.requests, requests);
    world.pass(1_000_000);
    assert_eq!((world.edge.log.len(), world.lost()), (1, 0));
}

#[test]
fn retry_after_is_waited_for() {
    let mut world = granted();
    world.view_shoes();
    world.now_ms += 10;
    world.input(Input::Flush);
    let reply = Reply { request: 1, status: 503, retry_after_ms: 120_000, ..Reply::default() };
    let effects = world.client.handle(Input::Replied(reply), world.now_ms);
    assert_eq!(effects, [Effect::Schedule { delay_ms: 120_000 }]);
    let effects = world.client.handle(Input::Awake, world.now_ms + 1_000);
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Send { .. })));
}

#[test]
fn a_clock_that_is_set_back_makes_nothing_wait_longer() {
    const HOURS: u64 = 3 * 60 * 60 * 1_000;
    let mut world = granted();
    world.view_shoes();
    world.now_ms += 10;
    world.input(Input::Flush);
    let reply = Reply { request: 1, status: 503, retry_after_ms: 120_000, ..Reply::default() };
    world.client.handle(Input::Replied(reply), world.now_ms);
    let back_ms = world.now_ms - HOURS;
    let effects = world.client.handle(Input::Flush, back_ms);
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Schedule { .. })), "{effects:?}");
    let effects = world.client.handle(Input::Tick, back_ms + 120_000);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Send { .. })), "{effects:?}");
}

#[test]
fn a_full_queue_loses_the_oldest_counts_them_and_steps_the_floor() {
    let mut world = granted();
    world.is_online = false;
    let text = Value::Text("x".repeat(8_000));
    let count = QUEUE_BYTES_MAX / 8_000 + 10;
    for _ in 0..count {
        world.track("big", &[("text", text.clone())]);
        world.run();
    }
    let kept: usize =
        world.device.iter().filter(|(key, _)| key.starts_with("q.")).map(|(_, value)| value.len()).sum();
    assert!(kept <= QUEUE_BYTES_MAX);
    let lost = usize::try_from(world.lost()).unwrap();
    assert!(lost >= 10);
    world.is_online = true;
    world.input(Input::Awake);
    world.pass(60_000);
    assert_eq!(world.edge.log.len(), count - lost);
    let header = &world.edge.batches[0].header;
    assert_eq!(usize::try_from(header.floor).unwrap(), lost + 1);
}

#[test]
fn an_event_too_large_to_ever_leave_is_counted() {
    let mut world = granted();
    let text = Value::Text("x".repeat(8_000));
    let list = Value::List(vec![text; 9]);
    world.track("huge", &[("list", list)]);
    assert_eq!(world.lost(), 1);
    world.view_shoes();
    world.pass(FLUSH_MS);
    assert_eq!(world.edge.log.len(), 1);
}

#[test]
fn a_device_that_stores_nothing_still_delivers() {
    let mut world = World::new(Some(shop()));
    world.is_storage_denied = true;
    world.settle();
    world.grant();
    world.view_shoes();
    world.pass(FLUSH_MS);
    assert_eq!(world.edge.log.len(), 1);
}

#[test]
fn a_logout_sends_what_is_queued_for_the_identity_it_belongs_to() {
    let mut world = granted();
    world.view_shoes();
    world.input(Input::Reset { random: [200; 19] });
    world.view_shoes();
    world.pass(FLUSH_MS);
    let visitors: Vec<_> = world.edge.log.keys().map(|(visitor, _, _)| *visitor).collect();
    assert_eq!(visitors.len(), 2);
    assert_ne!(visitors[0], visitors[1]);
}

#[test]
fn what_the_plan_refuses_is_marked_and_still_sent() {
    let mut world = granted();
    world.track("product_view", &[("category", Value::Bool(true))]);
    world.pass(FLUSH_MS);
    assert_eq!(world.edge.log.len(), 1);
    let marked = world.notices.iter().any(|notice| matches!(notice, Notice::Captured(_, Some(_))));
    assert!(marked);
}

/// What can happen to a page with consent.
#[derive(Debug, Clone)]
enum Step {
    Track,
    Page,
    Cut,
    Mend,
    Pass(u64),
    LoseAnswer,
    Fail(u16),
    Hide,
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => Just(Step::Track),
        1 => Just(Step::Page),
        1 => Just(Step::Cut),
        1 => Just(Step::Mend),
        2 => (1u64..40_000).prop_map(Step::Pass),
        1 => Just(Step::LoseAnswer),
        1 => prop_oneof![Just(503), Just(429), Just(401), Just(404), Just(500)].prop_map(Step::Fail),
        1 => Just(Step::Hide),
        1 => Just(Step::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Offline, lost answers, errors, hidden and closed pages: every event arrives, each under one id, none is lost.
    #[test]
    fn every_event_arrives_once(steps in proptest::collection::vec(step(), 1..80)) {
        let mut world = granted();
        let mut expected = 0;
        for step in steps {
            match step {
                Step::Track => { world.view_shoes(); expected += 1; }
                Step::Page => { world.page("https://shop.test/"); expected += 1; }
                Step::Cut => world.is_online = false,
                Step::Mend => world.is_online = true,
                Step::Pass(ms) => world.pass(ms),
                Step::LoseAnswer => world.loses_answer = true,
                Step::Fail(status) => world.edge.statuses.push(status),
                Step::Hide => world.input(Input::Hidden),
                Step::Reopen => world.reopen(),
            }
        }
        world.is_online = true;
        world.edge.statuses.clear();
        world.reopen();
        world.page("https://shop.test/");
        expected += 1;
        world.pass(4_000_000);
        prop_assert_eq!(world.edge.log.len(), expected);
        prop_assert_eq!(world.lost(), 0);
        let left: Vec<_> = world.device.keys().filter(|key| key.starts_with("q.")).collect();
        prop_assert!(left.is_empty(), "{:?}", left);
    }
}

#[test]
fn a_queue_whose_head_another_page_erased_can_be_restored_again() {
    let mut world = World::new(Some(shop()));
    world.settle();
    world.grant();
    world.page("https://shop.test/");
    world.pass(60_000);
    // The page was in the back/forward cache; the next one took its queue over, and found it empty.
    world.device.retain(|key, _| !key.starts_with("w."));
    world.input(Input::Adopted(Vec::new()));
    world.is_online = false;
    world.view_shoes();
    world.reopen();
    world.is_online = true;
    world.page("https://shop.test/");
    world.input(Input::Awake);
    world.pass(600_000);
    assert!(world.edge.names().iter().any(|name| name == "product_view"), "{:?}", world.edge.names());
}

/// The edge forgets the writer of the newest batch.
fn evict(world: &mut World) {
    let writer = world.edge.batches.last().unwrap().header.writer;
    world.edge.evicted.push(writer);
}

#[test]
fn a_page_whose_writer_the_edge_forgot_goes_on_under_another() {
    let mut world = granted();
    world.view_shoes();
    world.pass(60_000);
    evict(&mut world);
    world.view_shoes();
    world.view_shoes();
    world.pass(60_000);
    world.view_shoes();
    world.pass(60_000);
    let writers: Vec<_> = world.edge.log.keys().map(|(_, writer, sequence)| (*writer, *sequence)).collect();
    assert_eq!(world.edge.log.len(), 4, "{writers:?}");
    assert_eq!(writers[1..].iter().map(|(_, sequence)| *sequence).collect::<Vec<_>>(), [1, 2, 3]);
    assert_ne!(writers[0].0, writers[1].0);
    assert_eq!(world.lost(), 0);
    assert!(world.device.keys().all(|key| !key.starts_with("q.")));
    assert_eq!(world.device.keys().filter(|key| key.starts_with("w.")).count(), 1);
    let visitors: Vec<_> = world.edge.log.keys().map(|(visitor, ..)| *visitor).collect();
    assert!(visitors.iter().all(|visitor| *visitor == visitors[0]));
}

#[test]
fn what_was_refused_under_two_writers_is_lost_and_counted() {
    let mut world = granted();
    world.view_shoes();
    world.pass(60_000);
    evict(&mut world);
    world.view_shoes();
    world.pass(FLUSH_MS);
    let fresh = world.device.keys().find_map(|key| {
        let digits = key.strip_prefix("w.")?;
        Some(selvedge_core::id::WriterId::from_bits(u64::from_str_radix(digits, 16).unwrap()))
    });
    world.edge.evicted.push(fresh.unwrap());
    world.pass(60_000);
    assert_eq!((world.edge.log.len(), world.lost()), (1, 1));
    world.view_shoes();
    world.pass(60_000);
    assert_eq!((world.edge.log.len(), world.lost()), (2, 1));
}

#[test]
fn what_may_have_arrived_under_the_forgotten_writer_is_not_sent_under_another() {
    let mut world = granted();
    world.loses_answer = true;
    world.view_shoes();
    world.pass(FLUSH_MS);
    evict(&mut world);
    world.view_shoes();
    world.pass(600_000);
    assert_eq!((world.edge.log.len(), world.lost()), (2, 1));
}

/// A shop whose carts have an article number (text), a value and a yes or no.
fn shop_with_carts() -> selvedge_core::wire::program::Parts {
    use selvedge_core::tracking_plan::{PlanProperty, PropertyType};
    let mut parts = shop();
    let mut cart = parts.plan.events[0].clone();
    cart.name = "add_to_cart".into();
    let planned = [("sku", PropertyType::Text), ("value", PropertyType::Money), ("gift", PropertyType::Bool)];
    cart.properties = planned
        .map(|(name, property_type)| PlanProperty {
            name: name.into(),
            property_type,
            required: true,
            pii: false,
            masked: false,
            one_of: Vec::new(),
        })
        .into();
    parts.plan.events.insert(0, cart);
    parts
}

/// A click on `data-selvedge-event="add_to_cart"` with three properties.
fn click(world: &mut World) {
    let text = |text: &str| Value::Text(text.into());
    let number = |number| Value::Number(Number::Int(number));
    world.click(
        "add_to_cart",
        &[("sku", text("1001")), ("value", text("149")), ("gift", text("true"))],
        &[("sku", number(1001)), ("value", number(149)), ("gift", Value::Bool(true))],
    );
}

#[test]
fn markup_is_read_as_the_plan_says() {
    for is_plan_late in [false, true] {
        let mut world = World::new(Some(shop_with_carts()));
        if is_plan_late {
            world.device.clear();
            world.input(Input::Settings(Some(selvedge_client::Settings {
                clock_ms: world.now_ms,
                policy_version: 1,
                ..Default::default()
            })));
            world.grant();
            click(&mut world);
        }
        world.settle();
        world.grant();
        if !is_plan_late {
            click(&mut world);
        }
        world.pass(60_000);
        let event = world.edge.log.values().next().unwrap();
        assert_eq!(event.properties.text("sku"), Some("1001"), "late: {is_plan_late}");
        assert_eq!(event.properties.get("value"), Some(&Value::Number(Number::Int(149))));
        assert_eq!(event.properties.get("gift"), Some(&Value::Bool(true)));
        let batch = &world.edge.batches[0];
        assert!(batch.events[0].is_ok() && world.lost() == 0);
    }
}

#[test]
fn without_a_plan_markup_stays_text() {
    let mut world = World::new(None);
    world.settle();
    world.grant();
    click(&mut world);
    world.pass(60_000);
    let event = world.edge.log.values().next().unwrap();
    assert_eq!(event.properties.text("sku"), Some("1001"));
    assert_eq!(event.properties.text("value"), Some("149"));
}
