//! The worker's events in Kafka: a real workerd, a real broker, and what librdkafka reads back from it.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use selvedge_cli::remote::{Remote, RemoteArguments};
use selvedge_cli::replay::dataset::{Dataset, cache_dir};
use selvedge_cli::replay::map::Map;
use selvedge_cli::replay::pace::Speed;
use selvedge_cli::replay::{Settings, replay};
use selvedge_core::wire::program::{Destination, Mechanism, Sasl, Way};
use selvedge_tests::brokers::{self, Ordered, Tansu};
use selvedge_tests::hook::metric;
use selvedge_tests::streams::{Arrived, ledger, secure_topic, settled, topic, wait_for_state, world};
use selvedge_tests::{Visitor, World, full_counts};
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(60);

/// Sends numbered events of a visitor, in one batch.
fn send(world: &World, visitor: &mut Visitor, numbers: std::ops::Range<u64>) -> Result<()> {
    let events: Vec<Value> =
        numbers.map(|number| visitor.track("search", json!({"query": "shoes", "number": number}))).collect();
    let body = visitor.batch(&events).to_string();
    let answer = world.client().post("/v1/collect", &[], body.as_bytes())?;
    ensure!(answer.status == 200, "{}", answer.text());
    Ok(())
}

/// A topic of a cluster that is named by all of its brokers: `host:port`, commas between.
fn several(name: &str, brokers: &str) -> Destination {
    let mut destination = topic(name, brokers);
    if let Way::Kafka(kafka) = &mut destination.way {
        kafka.brokers = brokers.split(',').map(str::to_owned).collect();
    }
    destination
}

/// Of each visitor the numbers of its events, in the order of the topic.
fn numbers(arrived: &Arrived) -> Result<BTreeMap<String, Vec<u64>>> {
    let of = |values: Vec<Value>| {
        values.iter().filter_map(|value| value["properties"]["number"].as_u64()).collect()
    };
    Ok(arrived.by_visitor()?.into_iter().map(|(visitor, values)| (visitor, of(values))).collect())
}

#[test]
fn the_recorded_shop_log_stands_in_kafka_whole_and_in_order() -> Result<()> {
    let tansu = Tansu::start()?;
    tansu.create("shop", 4)?;
    let world = world(4, &[], vec![topic("shop", &tansu.address())])?;
    let dataset = Dataset::named("ecom").context("the data set is known")?;
    let file = dataset.fetch(&cache_dir())?;
    let limit = if full_counts() { None } else { Some(8_000) };
    let settings = Settings {
        speed: Speed::Max,
        limit,
        lanes: 8,
        batch_events_max: 100,
        patience: Duration::from_secs(120),
        write_key: None,
    };
    let remote = Remote::new(&RemoteArguments { url: world.url(), token: world.admin_token().to_owned() });
    let report = replay(&file, &Map::parse(dataset.map)?, &remote, &settings)?;
    assert!(report.accepted >= 8_000 && report.refused_total() == 0, "{}", report.text());

    let counted = settled(&world, "shop", SOON)?;
    let log: Vec<Value> = world.log()?.into_iter().filter(|line| line["kind"].is_null()).collect();
    assert_eq!(log.len() as u64, report.accepted);
    // What rules decided between events is counted as an item too, and is not for this destination.
    assert_eq!(counted["delivered"] + counted["filtered"], counted["accepted"], "{counted:?}");
    let arrived = Arrived::read(&tansu.address(), "shop", log.len())?;
    assert_eq!((arrived.records.len(), arrived.duplicates), (log.len(), 0));

    let told =
        |event: &Value| json!([event["name"], event["time_ms"], event["sequence"], event["properties"]]);
    let mut expected: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for event in &log {
        let visitor = event["visitor"].as_str().context("an event without a visitor")?;
        expected.entry(visitor.to_owned()).or_default().push(told(event));
    }
    let found = arrived.by_visitor()?;
    let found: BTreeMap<String, Vec<Value>> =
        found.into_iter().map(|(visitor, events)| (visitor, events.iter().map(told).collect())).collect();
    assert_eq!(found, expected);
    for header in ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "content-type"] {
        assert!(arrived.records.iter().all(|record| record.header(header).is_some()), "{header}");
    }
    Ok(())
}

#[test]
fn a_broker_that_is_away_is_caught_up_with_in_order() -> Result<()> {
    let away = Duration::from_secs(if full_counts() { 60 } else { 6 });
    let tansu = Tansu::start()?;
    tansu.create("away", 3)?;
    let mut proxy = Ordered::proxy(&tansu.address(), &[])?;
    let mut world = world(2, &[], vec![topic("away", &proxy.address())])?;
    let mut visitors: Vec<Visitor> = (1..=5).map(Visitor::new).collect();
    for visitor in &mut visitors {
        send(&world, visitor, 0..4)?;
    }
    settled(&world, "away", SOON)?;
    proxy.order("down")?;
    for round in 1..10 {
        for visitor in &mut visitors {
            send(&world, visitor, round * 4..round * 4 + 4)?;
        }
        thread::sleep(away / 9);
    }
    world.kill9();
    world.restart()?;
    assert!(ledger(&world, "away")?["pending"] > 0, "nothing waited");
    proxy.order("up")?;
    settled(&world, "away", SOON * 3)?;
    let arrived = Arrived::read(&tansu.address(), "away", 200)?;
    assert_eq!((arrived.records.len(), arrived.duplicates), (200, 0));
    for numbers in numbers(&arrived)?.values() {
        assert_eq!(*numbers, (0..40).collect::<Vec<_>>());
    }
    Ok(())
}

#[test]
fn a_wrong_password_pauses_and_what_waits_leaves_after_the_fix() -> Result<()> {
    let tansu = Tansu::start()?;
    tansu.create("secure", 2)?;
    let mut proxy = Ordered::tls_proxy(&tansu.address(), &["--user", "shop:right"])?;
    let sasl =
        Sasl { mechanism: Mechanism::ScramSha256, user: "shop".into(), password: "KAFKA_PASSWORD".into() };
    let authority = brokers::file("certificates/ca.pem")?.to_string_lossy().into_owned();
    let more = [("KAFKA_PASSWORD", "right".to_owned()), ("DEV_AUTHORITY", authority)];
    let world = world(1, &more, vec![secure_topic("secure", &proxy.address(), sasl)])?;
    let mut visitor = Visitor::new(1);
    send(&world, &mut visitor, 0..5)?;
    settled(&world, "secure", SOON)?;
    proxy.order("password other")?;
    // A link that is logged in stays so: it breaks.
    proxy.order("down")?;
    proxy.order("up")?;
    for number in 5..20 {
        send(&world, &mut visitor, number..number + 1)?;
    }
    wait_for_state(&world, "secure", "paused", SOON)?;
    assert_eq!(ledger(&world, "secure")?["pending"], 15);
    proxy.order("password right")?;
    world.admin_post("/v1/destinations/secure/resume", b"")?;
    settled(&world, "secure", SOON)?;
    let arrived = Arrived::read(&tansu.address(), "secure", 20)?;
    assert_eq!(numbers(&arrived)?[&visitor.id.to_string()], (0..20).collect::<Vec<_>>());
    assert_eq!(arrived.duplicates, 0);
    Ok(())
}

#[test]
fn a_broker_whose_certificate_nobody_vouches_for_gets_nothing() -> Result<()> {
    let tansu = Tansu::start()?;
    tansu.create("secure", 1)?;
    let proxy = Ordered::tls_proxy(&tansu.address(), &["--user", "shop:right"])?;
    let sasl = Sasl { mechanism: Mechanism::Plain, user: "shop".into(), password: "KAFKA_PASSWORD".into() };
    let authority = brokers::file("certificates/other-ca.pem")?.to_string_lossy().into_owned();
    let more = [("KAFKA_PASSWORD", "right".to_owned()), ("DEV_AUTHORITY", authority)];
    let world = world(1, &more, vec![secure_topic("secure", &proxy.address(), sasl)])?;
    send(&world, &mut Visitor::new(1), 0..5)?;
    wait_for_state(&world, "secure", "waiting", SOON)?;
    thread::sleep(Duration::from_secs(2));
    assert_eq!(ledger(&world, "secure")?["pending"], 5);
    assert_eq!(brokers::read(&tansu.address(), "secure", 0)?.len(), 0);
    Ok(())
}

/// A broker that takes links and says nothing holds neither the other destinations nor collect.
#[test]
fn a_broker_that_is_silent_keeps_nobody_else_waiting() -> Result<()> {
    let tansu = Tansu::start()?;
    tansu.create("good", 1)?;
    let silent = std::net::TcpListener::bind("127.0.0.1:0")?;
    let address = silent.local_addr()?.to_string();
    let world = world(1, &[], vec![topic("silent", &address), topic("good", &tansu.address())])?;
    let mut visitor = Visitor::new(1);
    for number in 0..5 {
        send(&world, &mut visitor, number..number + 1)?;
        assert_eq!(settled(&world, "good", Duration::from_secs(5))?["delivered"], number + 1);
    }
    assert_eq!(ledger(&world, "silent")?["pending"], 5);
    Ok(())
}

/// Partitions whose leaders are several brokers, which name each other and hand partitions over between sends.
#[test]
fn leaders_that_move_among_brokers_are_followed() -> Result<()> {
    const ROUNDS: u64 = 12;
    let mut mock = Ordered::mock(3, "shop", 4)?;
    let world = world(2, &[], vec![several("shop", mock.first())])?;
    let mut visitors: Vec<Visitor> = (1..=12).map(Visitor::new).collect();
    for round in 0..ROUNDS {
        for partition in 0..4 {
            mock.order(&format!("leader {partition} {}", 1 + (round + partition) % 3))?;
        }
        for visitor in &mut visitors {
            send(&world, visitor, round * 3..round * 3 + 3)?;
        }
        settled(&world, "shop", SOON)?;
    }
    let count = visitors.len() * ROUNDS as usize * 3;
    assert_eq!(ledger(&world, "shop")?["delivered"], count as u64);
    let arrived = Arrived::read(mock.first(), "shop", count)?;
    assert_eq!((arrived.records.len(), arrived.duplicates), (count, 0));
    let partitions: BTreeSet<i32> = arrived.records.iter().map(|record| record.partition).collect();
    assert_eq!(partitions, BTreeSet::from([0, 1, 2, 3]), "each partition was led by each broker");
    let numbers = numbers(&arrived)?;
    assert_eq!(numbers.len(), visitors.len());
    for numbers in numbers.values() {
        assert_eq!(*numbers, (0..ROUNDS * 3).collect::<Vec<_>>());
    }
    let page = world.admin_get("/metrics")?.text();
    let failures = metric(&page, "selvedge_destination_failures_total", "shop");
    assert!(failures.is_some_and(|failures| failures >= ROUNDS - 1), "moves were noticed: {failures:?}");
    Ok(())
}
