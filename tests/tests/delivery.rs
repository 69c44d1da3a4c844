//! Delivery over a real workerd to a real HTTP server: in order, at least once, and counted to the last item, whatever the
//! server and the worker do meanwhile.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use selvedge_core::wire::program::{Destination, HttpFormat, RecordKind, Records, Way};
use selvedge_tests::hook::{SOON, batches, collect, metric, numbers, publish, send, settled, world};
use selvedge_tests::streams::{self, ledger, wait_for_state};
use selvedge_tests::{Received, Receiver, Reply, Setup, Visitor, World};
use serde_json::{Value, json};

#[test]
fn events_arrive_in_order_and_are_counted() -> Result<()> {
    let receiver = Receiver::start(|_| Reply::Status(200))?;
    let world = world(4, vec![batches("hook", &receiver)])?;
    let mut visitors: Vec<Visitor> = (1..=6).map(Visitor::new).collect();
    for round in 0..10 {
        for visitor in &mut visitors {
            send(&world, visitor, round * 3..round * 3 + 3)?;
        }
    }
    let taken = receiver.wait_for(180, SOON)?;
    assert_eq!(taken.len(), 180, "none twice");
    for visitor in &visitors {
        assert_eq!(numbers(&taken)[&visitor.id.to_string()], (0..30).collect::<Vec<_>>());
    }
    let counted = settled(&world, "hook")?;
    assert_eq!((counted["accepted"], counted["delivered"]), (180, 180), "{counted:?}");
    let first = &receiver.received()[0];
    assert!(first.header("content-type").starts_with("application/cloudevents-batch+json"));
    assert!(first.header("webhook-signature").starts_with("v1,"));
    Ok(())
}

#[test]
fn who_takes_goals_alone_gets_each_of_them_from_among_many_events() -> Result<()> {
    const REACHED_AT: [u64; 4] = [3, 4, 17, 39];
    let receiver = Receiver::start(|_| Reply::Status(200))?;
    let goals =
        Destination { records: Records::default().with(RecordKind::Goal), ..batches("hook", &receiver) };
    let world = world(1, vec![goals])?;
    let mut visitor = Visitor::new(1);
    for number in 0..45 {
        let name = if REACHED_AT.contains(&number) { "support_chat" } else { "search" };
        let event = visitor.track(name, json!({"query": "shoes", "number": number}));
        let answer = collect(&world, &visitor, &[event])?;
        ensure!(answer.status == 200, "{}", answer.text());
    }
    let taken = receiver.wait_for(REACHED_AT.len(), SOON)?;
    assert!(taken.iter().all(|record| record["data"]["goal"] == "chat"), "{taken:?}");
    let counted = settled(&world, "hook")?;
    assert_eq!((counted["delivered"], counted["filtered"]), (4, 45), "{counted:?}");
    Ok(())
}

#[test]
fn a_power_cut_in_flight_sends_the_same_again() -> Result<()> {
    let receiver = Receiver::start(|_| Reply::Slow(Duration::from_secs(20)))?;
    let mut world = world(1, vec![batches("hook", &receiver)])?;
    let mut visitor = Visitor::new(1);
    send(&world, &mut visitor, 0..5)?;
    let begun = Instant::now();
    let is_there = || world.admin_get("/metrics").map(|page| page.text());
    while metric(&is_there()?, "selvedge_destination_sends_total", "hook") != Some(1) {
        ensure!(begun.elapsed() < SOON, "nothing is sent");
        thread::sleep(Duration::from_millis(20));
    }
    thread::sleep(Duration::from_millis(300));
    world.kill9();
    receiver.answers(|_| Reply::Status(200));
    world.restart()?;
    send(&world, &mut visitor, 5..8)?;
    let begun = Instant::now();
    while numbers(&receiver.taken()).values().flatten().max() != Some(&7) {
        ensure!(begun.elapsed() < SOON, "{:?}", numbers(&receiver.taken()));
        thread::sleep(Duration::from_millis(50));
    }
    // The slow answer of before comes to nobody; what it was sent is remembered when it is over.
    thread::sleep(Duration::from_secs(21).saturating_sub(begun.elapsed()));
    let received = receiver.received();
    let first = |request: &&Received| request.records().len() == 5;
    let sends: Vec<&Received> = received.iter().filter(first).collect();
    assert_eq!(sends.len(), 2, "{}", received.len());
    assert_eq!(sends[0].body, sends[1].body, "the same bytes");
    assert_eq!(sends[0].header("webhook-id"), sends[1].header("webhook-id"), "of the same name");
    let counted = settled(&world, "hook")?;
    assert_eq!((counted["accepted"], counted["delivered"]), (8, 8));
    let page = world.admin_get("/metrics")?.text();
    assert_eq!(metric(&page, "selvedge_possible_duplicates_total", "hook"), Some(5));
    Ok(())
}

/// A destination that first answers 429 with this `Retry-After`, then takes everything; how long it was waited for.
fn waited_ms(asked: impl Fn() -> String + Send + 'static) -> Result<u64> {
    let mut is_first = true;
    let receiver = Receiver::start(move |_| {
        let reply = if is_first { Reply::With(429, "retry-after", asked()) } else { Reply::Status(204) };
        is_first = false;
        reply
    })?;
    let world = world(1, vec![batches("hook", &receiver)])?;
    send(&world, &mut Visitor::new(1), 0..4)?;
    receiver.wait_for(4, SOON)?;
    let received = receiver.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].body, received[1].body);
    assert_eq!(received[0].header("webhook-id"), received[1].header("webhook-id"));
    assert_eq!(settled(&world, "hook")?["delivered"], 4);
    Ok(received[1].at_ms - received[0].at_ms)
}

#[test]
fn a_wait_that_is_asked_for_is_kept() -> Result<()> {
    let in_seconds_ms = waited_ms(|| "3".to_owned())?;
    assert!((2_950..8_000).contains(&in_seconds_ms), "{in_seconds_ms}");
    // A date tells whole seconds: up to one is cut off.
    let until_a_date_ms = waited_ms(|| {
        let date = jiff::Timestamp::now() + Duration::from_secs(5);
        date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
    })?;
    assert!((3_950..10_000).contains(&until_a_date_ms), "{until_a_date_ms}");
    Ok(())
}

#[test]
fn a_redirect_is_not_followed_and_pauses() -> Result<()> {
    for status in [302, 307, 308] {
        let other = Receiver::start(|_| Reply::Status(200))?;
        let elsewhere = other.url();
        let receiver = Receiver::start(move |_| Reply::With(status, "location", elsewhere.clone()))?;
        let world = world(1, vec![batches("hook", &receiver)])?;
        send(&world, &mut Visitor::new(1), 0..4)?;
        wait_for_state(&world, "hook", "paused", SOON)?;
        assert_eq!(other.received().len(), 0, "{status}: whoever is named there got nothing");
        assert_eq!(receiver.received().len(), 1, "{status}");
        assert_eq!(ledger(&world, "hook")?["pending"], 4, "{status}");
        let told = streams::state(&world)?.to_string();
        assert!(told.contains(&status.to_string()), "{told}");
    }
    Ok(())
}

#[test]
fn failures_are_tried_again_with_growing_waits() -> Result<()> {
    let mut left = 4;
    let receiver = Receiver::start(move |_| {
        left -= 1;
        match left {
            3 => Reply::Status(500),
            2 => Reply::Cut,
            1 => Reply::Status(503),
            _ => Reply::Status(200),
        }
    })?;
    let world = world(1, vec![batches("hook", &receiver)])?;
    send(&world, &mut Visitor::new(1), 0..4)?;
    receiver.wait_for(4, SOON)?;
    let received = receiver.received();
    assert_eq!(received.iter().map(|request| request.status).collect::<Vec<_>>(), [500, 0, 503, 200]);
    assert!(received.iter().all(|request| request.body == received[0].body), "the same each time");
    let counted = settled(&world, "hook")?;
    assert_eq!(counted["delivered"], 4);
    let page = world.admin_get("/metrics")?.text();
    assert_eq!(metric(&page, "selvedge_destination_sends_total", "hook"), Some(4));
    assert_eq!(metric(&page, "selvedge_destination_failures_total", "hook"), Some(3));
    Ok(())
}

#[test]
fn a_wrong_secret_pauses_until_somebody_acts() -> Result<()> {
    let receiver = Receiver::start(|_| Reply::Status(401))?;
    let world = world(2, vec![batches("hook", &receiver)])?;
    let mut visitors: Vec<Visitor> = (1..=4).map(Visitor::new).collect();
    for visitor in &mut visitors {
        send(&world, visitor, 0..3)?;
    }
    wait_for_state(&world, "hook", "paused", SOON)?;
    thread::sleep(Duration::from_millis(1_500));
    let asked = receiver.received().len();
    for visitor in &mut visitors {
        send(&world, visitor, 3..6)?;
    }
    thread::sleep(Duration::from_millis(1_000));
    assert!(receiver.received().len() <= asked.max(2), "nothing is sent while it is paused");
    assert_eq!(ledger(&world, "hook")?["pending"], 24);
    receiver.answers(|_| Reply::Status(200));
    let answer = world.admin_post("/v1/destinations/hook/resume", b"")?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let taken = receiver.wait_for(24, SOON)?;
    for visitor in &visitors {
        assert_eq!(numbers(&taken)[&visitor.id.to_string()], (0..6).collect::<Vec<_>>());
    }
    assert_eq!(settled(&world, "hook")?["delivered"], 24);
    assert_eq!(world.admin_post("/v1/destinations/none/resume", b"")?.status, 404);
    Ok(())
}

#[test]
fn a_pause_holds_in_a_shard_that_has_not_heard_of_the_destination() -> Result<()> {
    let receiver = Receiver::start(|_| Reply::Status(200))?;
    let world = world(2, vec![batches("hook", &receiver)])?;
    // Nothing was logged yet: no shard knows the destination.
    world.admin_post("/v1/destinations/hook/pause", b"")?;
    let mut visitors: Vec<Visitor> = (1..=4).map(Visitor::new).collect();
    for visitor in &mut visitors {
        send(&world, visitor, 0..2)?;
    }
    thread::sleep(Duration::from_secs(1));
    assert_eq!(streams::state(&world)?["destinations"][0]["state"], "paused");
    assert_eq!(receiver.received().len(), 0);
    world.admin_post("/v1/destinations/hook/resume", b"")?;
    assert_eq!(receiver.wait_for(8, SOON)?.len(), 8);
    assert_eq!(settled(&world, "hook")?["delivered"], 8);
    Ok(())
}

#[test]
fn a_worker_that_is_not_for_development_takes_no_site_that_sends_to_its_own_machine() -> Result<()> {
    let receiver = Receiver::start(|_| Reply::Status(200))?;
    let world = World::with(Setup { is_unpublished: true, ..Setup::default() })?;
    let refused = publish(&world, vec![batches("hook", &receiver)]).expect_err("it is refused").to_string();
    assert!(refused.contains("422") && refused.contains("hook"), "{refused}");
    let mut visitor = Visitor::new(1);
    let event = visitor.track("search", json!({"query": "shoes"}));
    assert_eq!(collect(&world, &visitor, &[event])?.status, 503, "nothing is published");
    Ok(())
}

#[test]
fn what_is_too_large_together_is_split() -> Result<()> {
    let receiver =
        Receiver::start(|request| Reply::Status(if request.records().len() > 6 { 413 } else { 200 }))?;
    let world = world(1, vec![batches("hook", &receiver)])?;
    let mut visitor = Visitor::new(1);
    send(&world, &mut visitor, 0..40)?;
    let taken = receiver.wait_for(40, SOON)?;
    assert_eq!(numbers(&taken)[&visitor.id.to_string()], (0..40).collect::<Vec<_>>());
    let counted = settled(&world, "hook")?;
    assert_eq!((counted["delivered"], counted["quarantined"]), (40, 0));
    Ok(())
}

#[test]
fn a_poison_event_alone_is_quarantined() -> Result<()> {
    let receiver = Receiver::start(|request| {
        let is_bad = |record: &Value| record["data"]["properties"]["number"] == 13;
        Reply::Status(if request.records().iter().any(is_bad) { 422 } else { 200 })
    })?;
    let world = world(1, vec![batches("hook", &receiver)])?;
    let mut visitor = Visitor::new(1);
    send(&world, &mut visitor, 0..32)?;
    let taken = receiver.wait_for(31, SOON)?;
    let all_but_one: Vec<u64> = (0..32).filter(|number| *number != 13).collect();
    assert_eq!(numbers(&taken)[&visitor.id.to_string()], all_but_one);
    let counted = settled(&world, "hook")?;
    assert_eq!((counted["delivered"], counted["quarantined"]), (31, 1));
    let refused = receiver.received().iter().filter(|request| request.status == 422).count();
    assert!(refused <= 6, "the first send, and one for each halving of 32 at most: {refused}");
    let quarantine = world.quarantine()?;
    assert_eq!(quarantine.len(), 1, "{quarantine:?}");
    assert_eq!(
        (&quarantine[0]["stage"], &quarantine[0]["destination"]),
        (&json!("delivery"), &json!("hook"))
    );
    receiver.answers(|_| Reply::Status(200));
    let order = json!({"stage": "delivery", "destination": "hook"}).to_string();
    for replayed in [1, 0] {
        let answer = world.admin_post("/v1/quarantine/replay", order.as_bytes())?.json()?;
        assert_eq!(answer["replayed"], replayed, "{answer}");
        let counted = settled(&world, "hook")?;
        assert_eq!((counted["delivered"], counted["quarantined"]), (32, 0));
    }
    let taken = receiver.wait_for(32, SOON)?;
    let last = taken.last().context("the record that was refused")?;
    assert_eq!((&last["id"], &last["data"]["properties"]["number"]), (&quarantine[0]["id"], &json!(13)));
    assert_eq!(last["data"], quarantine[0]["records"][0]["data"], "as it was to be sent");
    Ok(())
}

/// Where each request is of one event, it is known which one is refused: those before it are not sent again.
#[test]
fn a_poison_event_among_single_ones_is_quarantined_by_its_place() -> Result<()> {
    let receiver = Receiver::start(|request| {
        let is_bad = |record: &Value| record["data"]["properties"]["number"] == 13;
        Reply::Status(if request.records().iter().any(is_bad) { 422 } else { 200 })
    })?;
    let mut single = batches("hook", &receiver);
    if let Way::Http(http) = &mut single.way {
        http.format = HttpFormat::CloudEvents;
    }
    let world = world(1, vec![single])?;
    let mut visitor = Visitor::new(1);
    send(&world, &mut visitor, 0..32)?;
    let taken = receiver.wait_for(31, SOON)?;
    let all_but_one: Vec<u64> = (0..32).filter(|number| *number != 13).collect();
    assert_eq!(numbers(&taken)[&visitor.id.to_string()], all_but_one);
    let counted = settled(&world, "hook")?;
    assert_eq!((counted["delivered"], counted["quarantined"]), (31, 1));
    let received = receiver.received();
    assert_eq!(received.len(), 32, "one request each, and none twice");
    for request in &received {
        let [record] = &request.records()[..] else { panic!("{} records", request.records().len()) };
        assert_eq!(request.header("webhook-id"), record["id"].as_str().context("an id")?);
        assert!(request.header("content-type").starts_with("application/cloudevents+json"));
    }
    let refused: Vec<&Received> = received.iter().filter(|request| request.status == 422).collect();
    let quarantine = world.quarantine()?;
    assert_eq!((refused.len(), quarantine.len()), (1, 1), "{quarantine:?}");
    assert_eq!(quarantine[0]["id"], refused[0].records()[0]["id"]);
    Ok(())
}

#[test]
fn a_queue_that_is_not_bound_pauses_its_destination_and_nothing_is_lost() -> Result<()> {
    let receiver = Receiver::start(|_| Reply::Status(200))?;
    let way = Way::Queue { binding: "EVENTS".into(), dead_letter: "EVENTS_DEAD".into() };
    let world = world(1, vec![Destination { way, ..batches("queue", &receiver) }])?;
    let mut visitor = Visitor::new(1);
    send(&world, &mut visitor, 0..8)?;
    wait_for_state(&world, "queue", "paused", SOON)?;
    let told = streams::state(&world)?.to_string();
    assert!(told.contains("no queue is bound as EVENTS"), "{told}");
    let counted = ledger(&world, "queue")?;
    assert_eq!((counted["accepted"], counted["pending"]), (8, 8));
    Ok(())
}

#[test]
fn one_destination_does_not_wait_for_another() -> Result<()> {
    let good = Receiver::start(|_| Reply::Status(200))?;
    let slow = Receiver::start(|_| Reply::Slow(Duration::from_secs(60)))?;
    let world = world(1, vec![batches("good", &good), batches("slow", &slow)])?;
    let mut visitor = Visitor::new(1);
    for number in 0..5 {
        let begun = Instant::now();
        send(&world, &mut visitor, number..number + 1)?;
        good.wait_for(usize::try_from(number)? + 1, SOON)?;
        assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    }
    assert_eq!(settled(&world, "good")?["delivered"], 5);
    let counted = ledger(&world, "slow")?;
    assert_eq!((counted["accepted"], counted["pending"]), (5, 5));
    Ok(())
}
