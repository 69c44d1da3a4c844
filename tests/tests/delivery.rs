//! Delivery over a real workerd to a real HTTP server: in order, at least once, and counted to the last item, whatever the
//! server, the worker and the visitor do meanwhile.

use std::collections::BTreeMap;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use selvedge_core::consent::Purposes;
use selvedge_core::wire::program::{Destination, Full, Http, HttpFormat, RecordKind, Records, Way};
use selvedge_tests::streams::destination;
use selvedge_tests::{Answer, Received, Receiver, Reply, Setup, Visitor, World, compiled_shop};
use serde_json::{Value, json};

/// How long anything may take that is to happen.
const SOON: Duration = Duration::from_secs(30);
/// The secret that signs, as Standard Webhooks writes it.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A destination of batches that takes events alone.
fn batches(name: &str, receiver: &Receiver) -> Destination {
    let http = Http {
        url: receiver.url(),
        format: HttpFormat::CloudEventsBatch,
        secrets: vec!["HOOK_SECRET".into()],
        headers: Vec::new(),
    };
    destination(name, Way::Http(http))
}

fn publish(world: &World, destinations: Vec<Destination>) -> Result<()> {
    let shop = compiled_shop()?;
    let mut full = shop.full;
    full.destinations = destinations;
    world.publish_bytes(&full.encode(), &shop.public_bytes)
}

fn world(shards: u32, destinations: Vec<Destination>) -> Result<World> {
    let bindings = BTreeMap::from([
        ("SHARDS".to_owned(), shards.to_string()),
        ("DEV_LOOPBACK".to_owned(), "1".to_owned()),
        ("HOOK_SECRET".to_owned(), SECRET.to_owned()),
    ]);
    let world = World::with(Setup { is_unpublished: true, bindings, ..Setup::default() })?;
    publish(&world, destinations)?;
    Ok(world)
}

fn collect(world: &World, visitor: &Visitor, events: &[Value]) -> Result<Answer> {
    world.client().post("/v1/collect", &[], visitor.batch(events).to_string().as_bytes())
}

/// Sends numbered events of a visitor, a batch of them each.
fn send(world: &World, visitor: &mut Visitor, numbers: std::ops::Range<u64>) -> Result<()> {
    let events: Vec<Value> =
        numbers.map(|number| visitor.track("search", json!({"query": "shoes", "number": number}))).collect();
    let answer = collect(world, visitor, &events)?;
    ensure!(answer.status == 200, "{}", answer.text());
    Ok(())
}

/// Of each visitor the numbers of records, in order.
fn numbers(records: &[Value]) -> BTreeMap<String, Vec<u64>> {
    let mut numbers: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for record in records {
        let visitor = record["subject"].as_str().unwrap_or_default().to_owned();
        numbers.entry(visitor).or_default().extend(record["data"]["properties"]["number"].as_u64());
    }
    numbers
}

/// What `/metrics` says of a destination.
fn metric(page: &str, name: &str, destination: &str) -> Option<u64> {
    let label = format!("destination=\"{destination}\"}} ");
    let line = page.lines().find(|line| line.starts_with(&format!("{name}{{")) && line.contains(&label))?;
    line.rsplit(' ').next()?.parse().ok()
}

/// Waits until nothing is pending, and holds the identity of the ledger to the last item.
fn settled(world: &World, name: &str) -> Result<BTreeMap<&'static str, u64>> {
    let begun = Instant::now();
    loop {
        let page = world.admin_get("/metrics")?.text();
        let counted = ledger(&page, name)?;
        if counted["pending"] == 0 || begun.elapsed() > SOON {
            ensure!(counted["pending"] == 0, "{counted:?} {}\n{}", destinations(world)?, world.worker_log());
            return Ok(counted);
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// The ledger of a destination; its identity holds at every moment.
fn ledger(page: &str, name: &str) -> Result<BTreeMap<&'static str, u64>> {
    let of = |family: &str| metric(page, family, name).with_context(|| format!("{family} of {name}\n{page}"));
    let counted = BTreeMap::from([
        ("accepted", of("selvedge_destination_accepted_total")?),
        ("delivered", of("selvedge_events_delivered_total")?),
        ("filtered", of("selvedge_events_filtered_total")?),
        ("quarantined", of("selvedge_events_quarantined_total")?),
        ("dropped", of("selvedge_events_dropped_total")?),
        ("purged", of("selvedge_events_purged_total")?),
        ("pending", of("selvedge_outbox_pending")?),
    ]);
    let sum: u64 = counted.iter().filter(|(name, _)| **name != "accepted").map(|(_, count)| *count).sum();
    assert_eq!(counted["accepted"], sum, "the identity of the ledger: {counted:?}");
    assert_eq!(of("selvedge_ledger_difference")?, 0);
    Ok(counted)
}

fn destinations(world: &World) -> Result<Value> {
    world.admin_get("/v1/destinations")?.json()
}

fn state(world: &World) -> Result<String> {
    Ok(destinations(world)?["destinations"][0]["state"].as_str().unwrap_or_default().to_owned())
}

fn wait_for_state(world: &World, wanted: &str) -> Result<()> {
    let begun = Instant::now();
    while state(world)? != wanted {
        ensure!(begun.elapsed() < SOON, "not {wanted}: {}", destinations(world)?);
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

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

#[test]
fn a_wait_that_is_asked_for_is_kept() -> Result<()> {
    let mut is_first = true;
    let receiver = Receiver::start(move |_| {
        let reply = if is_first { Reply::With(429, "retry-after", "3".into()) } else { Reply::Status(204) };
        is_first = false;
        reply
    })?;
    let world = world(1, vec![batches("hook", &receiver)])?;
    send(&world, &mut Visitor::new(1), 0..4)?;
    receiver.wait_for(4, SOON)?;
    let received = receiver.received();
    assert_eq!(received.len(), 2);
    let waited_ms = received[1].at_ms - received[0].at_ms;
    assert!((2_950..8_000).contains(&waited_ms), "{waited_ms}");
    assert_eq!(received[0].body, received[1].body);
    assert_eq!(received[0].header("webhook-id"), received[1].header("webhook-id"));
    assert_eq!(settled(&world, "hook")?["delivered"], 4);
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
    wait_for_state(&world, "paused")?;
    thread::sleep(Duration::from_millis(1_500));
    let asked = receiver.received().len();
    for visitor in &mut visitors {
        send(&world, visitor, 3..6)?;
    }
    thread::sleep(Duration::from_millis(1_000));
    assert!(receiver.received().len() <= asked.max(2), "nothing is sent while it is paused");
    assert_eq!(ledger(&world.admin_get("/metrics")?.text(), "hook")?["pending"], 24);
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
    assert_eq!((state(&world)?.as_str(), receiver.received().len()), ("paused", 0));
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

#[test]
fn a_queue_that_is_not_bound_pauses_its_destination_and_nothing_is_lost() -> Result<()> {
    let receiver = Receiver::start(|_| Reply::Status(200))?;
    let way = Way::Queue { binding: "EVENTS".into(), dead_letter: "EVENTS_DEAD".into() };
    let world = world(1, vec![Destination { way, ..batches("queue", &receiver) }])?;
    let mut visitor = Visitor::new(1);
    send(&world, &mut visitor, 0..8)?;
    wait_for_state(&world, "paused")?;
    let told = destinations(&world)?.to_string();
    assert!(told.contains("no queue is bound as EVENTS"), "{told}");
    let counted = ledger(&world.admin_get("/metrics")?.text(), "queue")?;
    assert_eq!((counted["accepted"], counted["pending"]), (8, 8));
    Ok(())
}

#[test]
fn a_receiver_that_is_down_fills_the_backlog_to_its_bound_and_drains_in_order() -> Result<()> {
    const BYTES_MAX: u64 = 400_000;
    let receiver = Receiver::start(|_| Reply::Status(503))?;
    let world = world(1, vec![Destination { bytes_max: BYTES_MAX, ..batches("hook", &receiver) }])?;
    let before_kb = world.worker_memory_kb()?;
    let (mut visitor, mut taken) = (Visitor::new(1), 0u64);
    let text = "x".repeat(4_000);
    let full = loop {
        let events: Vec<Value> = (taken..taken + 10)
            .map(|number| visitor.track("search", json!({"query": text, "number": number})))
            .collect();
        let answer = collect(&world, &visitor, &events)?;
        if answer.status != 200 {
            break answer;
        }
        taken += 10;
        ensure!(taken < 1_000, "the bound does nothing");
    };
    assert_eq!((full.status, full.json()?["error"]["code"].as_str()), (503, Some("backlog_full")));
    assert!(full.header("retry-after").is_some());
    assert!(taken * 4_000 >= BYTES_MAX * 8 / 10 && taken * 4_000 <= BYTES_MAX + 80_000, "{taken}");
    let grown_kb = world.worker_memory_kb()?.saturating_sub(before_kb);
    assert!(grown_kb < 200_000, "{grown_kb} kB");
    let page = world.admin_get("/metrics")?.text();
    assert!(metric(&page, "selvedge_outbox_full_percent", "hook").is_some_and(|percent| percent >= 80));
    receiver.answers(|_| Reply::Status(200));
    world.admin_post("/v1/destinations/hook/resume", b"")?;
    let count = usize::try_from(taken)?;
    let records = receiver.wait_for(count, SOON)?;
    assert_eq!(numbers(&records)[&visitor.id.to_string()], (0..taken).collect::<Vec<_>>());
    assert_eq!(settled(&world, "hook")?["delivered"], taken);
    // The same request is taken now; its numbers went nowhere before.
    send(&world, &mut Visitor::new(2), 0..1)?;
    Ok(())
}

#[test]
fn where_the_oldest_may_go_it_goes_and_is_counted() -> Result<()> {
    let receiver = Receiver::start(|_| Reply::Status(503))?;
    let destination =
        Destination { bytes_max: 100_000, when_full: Full::DropOldest, ..batches("hook", &receiver) };
    let world = world(1, vec![destination])?;
    let mut visitor = Visitor::new(1);
    let text = "x".repeat(4_000);
    for number in 0..80u64 {
        let event = visitor.track("search", json!({"query": text, "number": number}));
        let answer = collect(&world, &visitor, &[event])?;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    thread::sleep(Duration::from_millis(500));
    receiver.answers(|_| Reply::Status(200));
    world.admin_post("/v1/destinations/hook/resume", b"")?;
    let counted = settled(&world, "hook")?;
    assert!(counted["dropped"] > 30 && counted["delivered"] + counted["dropped"] == 80, "{counted:?}");
    let numbers = &numbers(&receiver.taken())[&visitor.id.to_string()];
    assert!(numbers.is_sorted() && numbers.last() == Some(&79), "{numbers:?}");
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
    let counted = ledger(&world.admin_get("/metrics")?.text(), "slow")?;
    assert_eq!((counted["accepted"], counted["pending"]), (5, 5));
    Ok(())
}

/// Tells the edge that the visitor takes everything back.
fn withdraw(world: &World, visitor: &mut Visitor) -> Result<()> {
    let mut withdrawal = visitor.batch(&[]);
    withdrawal["consent"]["granted"] = json!([]);
    withdrawal["consent"]["denied"] = json!(["analytics", "personalization", "advertising"]);
    withdrawal["consent"]["time"] = json!(selvedge_tests::now_ms());
    let answer = world.client().post("/v1/collect", &[], withdrawal.to_string().as_bytes())?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    Ok(())
}

#[test]
fn what_is_refused_behind_a_withdrawal_is_not_kept() -> Result<()> {
    let receiver = Receiver::start(|_| Reply::Status(503))?;
    let world = world(1, vec![batches("hook", &receiver)])?;
    let (mut visitor, mut other) = (Visitor::new(1), Visitor::new(2));
    send(&world, &mut visitor, 0..1)?;
    wait_for_state(&world, "waiting")?;
    withdraw(&world, &mut visitor)?;
    send(&world, &mut other, 0..1)?;
    // It was on its way before; the destination refuses it, and what another visitor goes on granting.
    receiver.answers(|_| Reply::Status(422));
    world.admin_post("/v1/destinations/hook/resume", b"")?;
    assert_eq!(settled(&world, "hook")?["quarantined"], 2);
    let kept = world.quarantine()?;
    let whose: Vec<&str> = kept.iter().filter_map(|entry| entry["visitor"].as_str()).collect();
    assert_eq!(whose, [other.id.to_string()], "{kept:?}");
    let page = world.admin_get("/metrics")?.text();
    let counted = ledger(&page, "hook")?;
    assert_eq!((counted["accepted"], counted["quarantined"], counted["pending"]), (2, 2, 0));
    assert!(page.contains("selvedge_quarantine_purged_total{site=\"shop\"} 1"), "{page}");
    Ok(())
}

#[test]
fn a_replay_sends_nothing_to_a_destination_for_which_nothing_is_granted_any_more() -> Result<()> {
    let receiver = Receiver::start(|_| Reply::Status(422))?;
    let world = world(1, vec![batches("hook", &receiver)])?;
    let mut visitor = Visitor::new(1);
    let event = visitor.track("search", json!({"query": "shoes", "number": 0}));
    let mut batch = visitor.batch(&[event]);
    batch["consent"]["granted"] = json!(["analytics"]);
    batch["consent"]["denied"] = json!(["personalization", "advertising"]);
    let answer = world.client().post("/v1/collect", &[], batch.to_string().as_bytes())?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(settled(&world, "hook")?["quarantined"], 1);
    assert_eq!(world.quarantine()?.len(), 1);
    // A withdrawal takes its entries with it. Here the visitor never granted what the destination stands for by now.
    let other = Destination { purposes: Purposes::ADVERTISING, ..batches("hook", &receiver) };
    publish(&world, vec![other])?;
    assert_eq!(world.quarantine()?.len(), 1);
    receiver.answers(|_| Reply::Status(200));
    let order = json!({"stage": "delivery", "destination": "hook"}).to_string();
    let answer = world.admin_post("/v1/quarantine/replay", order.as_bytes())?.json()?;
    assert_eq!((&answer["replayed"], &answer["destroyed"]), (&json!(0), &json!(1)), "{answer}");
    thread::sleep(Duration::from_millis(500));
    assert!(
        world.quarantine()?.is_empty() && receiver.received().iter().all(|request| request.status != 200)
    );
    Ok(())
}

#[test]
fn what_is_taken_back_before_it_leaves_does_not_leave() -> Result<()> {
    let receiver = Receiver::start(|_| Reply::Status(503))?;
    let world = world(1, vec![batches("hook", &receiver)])?;
    let (mut leaves, mut stays) = (Visitor::new(1), Visitor::new(2));
    // The first is in flight, and left: the others wait behind it.
    send(&world, &mut stays, 0..1)?;
    wait_for_state(&world, "waiting")?;
    send(&world, &mut leaves, 0..3)?;
    send(&world, &mut stays, 1..3)?;
    withdraw(&world, &mut leaves)?;
    receiver.answers(|_| Reply::Status(200));
    world.admin_post("/v1/destinations/hook/resume", b"")?;
    let taken = receiver.wait_for(3, SOON)?;
    let counted = settled(&world, "hook")?;
    assert_eq!((counted["accepted"], counted["delivered"], counted["purged"]), (6, 3, 3), "{counted:?}");
    assert_eq!(numbers(&taken).keys().collect::<Vec<_>>(), [&stays.id.to_string()]);
    Ok(())
}

#[test]
fn a_destination_begins_with_the_publish_that_names_it_and_a_rollback_loses_nothing() -> Result<()> {
    let receiver = Receiver::start(|_| Reply::Status(200))?;
    let world = world(1, Vec::new())?;
    let mut visitor = Visitor::new(1);
    send(&world, &mut visitor, 0..5)?;
    publish(&world, vec![batches("hook", &receiver)])?;
    send(&world, &mut visitor, 5..8)?;
    receiver.wait_for(3, SOON)?;
    assert_eq!(settled(&world, "hook")?["accepted"], 3);
    publish(&world, Vec::new())?;
    send(&world, &mut visitor, 8..10)?;
    thread::sleep(Duration::from_secs(1));
    assert_eq!(receiver.taken().len(), 3, "nothing leaves for what is not named");
    let answer = world.admin_post("/v1/rollback", b"")?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    send(&world, &mut visitor, 10..11)?;
    let taken = receiver.wait_for(6, SOON)?;
    assert_eq!(numbers(&taken)[&visitor.id.to_string()], (5..11).collect::<Vec<_>>());
    assert_eq!(settled(&world, "hook")?["delivered"], 6);
    Ok(())
}

/// How large a file of the worker may get; `None` lets it grow.
fn limit_files(world: &World, bytes: Option<u64>) -> Result<()> {
    let limit = bytes.map_or_else(|| "unlimited".to_owned(), |bytes| bytes.to_string());
    let pid = world.process_id().to_string();
    let status =
        Command::new("prlimit").args(["--pid", &pid, &format!("--fsize={limit}:unlimited")]).status()?;
    ensure!(status.success(), "prlimit: {status}");
    Ok(())
}

#[test]
fn a_disk_that_is_full_is_never_answered_with_success_and_recovers() -> Result<()> {
    let receiver = Receiver::start(|_| Reply::Status(200))?;
    let world = world(1, vec![batches("hook", &receiver)])?;
    let mut visitor = Visitor::new(1);
    send(&world, &mut visitor, 0..3)?;
    receiver.wait_for(3, SOON)?;
    limit_files(&world, Some(4_096))?;
    let event = visitor.track("search", json!({"query": "shoes", "number": 3}));
    for _ in 0..5 {
        let answer = collect(&world, &visitor, std::slice::from_ref(&event))?;
        assert!(answer.status >= 500, "{} {}", answer.status, answer.text());
        thread::sleep(Duration::from_millis(100));
    }
    limit_files(&world, None)?;
    let begun = Instant::now();
    while collect(&world, &visitor, std::slice::from_ref(&event))?.status != 200 {
        ensure!(begun.elapsed() < SOON, "it does not recover: {}", world.worker_log());
        thread::sleep(Duration::from_millis(200));
    }
    send(&world, &mut visitor, 4..6)?;
    let taken = receiver.wait_for(6, SOON)?;
    assert_eq!(numbers(&taken)[&visitor.id.to_string()], (0..6).collect::<Vec<_>>());
    assert_eq!(settled(&world, "hook")?["delivered"], 6);
    Ok(())
}

#[test]
fn rows_go_when_their_time_is_over_and_every_destination_has_them() -> Result<()> {
    let receiver = Receiver::start(|_| Reply::Status(200))?;
    let world = world(1, Vec::new())?;
    let shop = compiled_shop()?;
    let mut full = shop.full;
    full.destinations = vec![batches("hook", &receiver)];
    full.edge.as_mut().context("the full program")?.keep.log_ms = 2_000;
    world.publish_bytes(&full.encode(), &shop.public_bytes)?;
    let mut visitor = Visitor::new(1);
    for number in 0..6 {
        send(&world, &mut visitor, number..number + 1)?;
    }
    receiver.wait_for(6, SOON)?;
    assert_eq!(world.log()?.len(), 6);
    let cursor = world.log()?[0]["cursor"].as_str().context("a cursor")?.to_owned();
    thread::sleep(Duration::from_millis(2_500));
    send(&world, &mut visitor, 6..7)?;
    let begun = Instant::now();
    while world.log()?.len() > 3 {
        ensure!(begun.elapsed() < SOON, "{} rows are left", world.log()?.len());
        thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(settled(&world, "hook")?["delivered"], 7);
    // Who goes on from an old cursor is told that rows are gone.
    let lines = world.admin_get(&format!("/v1/log?from={cursor}"))?.json_lines()?;
    let left = lines.len() as u64 - 1;
    assert_eq!((&lines[0]["kind"], lines[0]["missing_rows"].as_u64()), (&json!("gap"), Some(6 - left)));
    let on = lines[0]["cursor"].as_str().context("a gap has a cursor")?;
    assert_eq!(world.admin_get(&format!("/v1/log?from={on}"))?.json_lines()?, lines[1..], "told once");
    // What a destination has not taken stays, however old it is.
    world.admin_post("/v1/destinations/hook/pause", b"")?;
    let held = world.log()?.len();
    for number in 7..10 {
        send(&world, &mut visitor, number..number + 1)?;
    }
    thread::sleep(Duration::from_millis(2_500));
    send(&world, &mut visitor, 10..11)?;
    thread::sleep(Duration::from_secs(1));
    assert!(world.log()?.len() >= 4 && world.log()?.len() <= held + 4);
    world.admin_post("/v1/destinations/hook/resume", b"")?;
    let taken = receiver.wait_for(11, SOON)?;
    assert_eq!(numbers(&taken)[&visitor.id.to_string()], (0..11).collect::<Vec<_>>());
    assert_eq!(settled(&world, "hook")?["accepted"], 11);
    Ok(())
}
