//! The crash soak: a worker that is killed again and again, brokers that take batches and lose the answers, clients that
//! send until they are answered. In the end every acknowledged event stands in every topic once, in order.
//!
//! A minute and twenty kills here; ten minutes and two hundred by `cargo xtask soak`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use selvedge_core::wire::program::{Destination, Way};
use selvedge_tests::brokers::{Ordered, Tansu};
use selvedge_tests::streams::{Arrived, ledger, settled, topic, world};
use selvedge_tests::{Client, Visitor};
use serde_json::json;

const VISITORS: u64 = 24;
const WRITERS: u64 = 6;
const TOPICS: [&str; 3] = ["first", "second", "third"];
/// Every so many answers of each topic's broker are cut off.
const CUT_EVERY: [u32; 3] = [3, 5, 8];
const PATIENCE: Duration = Duration::from_secs(180);
/// Fewer events than this went through the kills by chance.
const ACKNOWLEDGED_MIN: u64 = 500;

/// A visitor, and how many of its events were acknowledged.
struct Told {
    visitor: Visitor,
    acknowledged: u64,
}

/// Sends batches of three numbered events for some visitors in turn, each batch again until it is answered.
fn write(client: &Client, seeds: impl Iterator<Item = u64>, is_over: &AtomicBool) -> Vec<Told> {
    let mut told: Vec<Told> =
        seeds.map(|seed| Told { visitor: Visitor::new(seed), acknowledged: 0 }).collect();
    loop {
        for Told { visitor, acknowledged } in &mut told {
            let events: Vec<_> = (0..3)
                .map(|more| {
                    visitor.track("search", json!({"query": "shoes", "number": *acknowledged + more}))
                })
                .collect();
            let body = visitor.batch(&events).to_string();
            while !client.post("/v1/collect", &[], body.as_bytes()).is_ok_and(|answer| answer.status == 200) {
                thread::sleep(Duration::from_millis(20));
            }
            *acknowledged += 3;
            if is_over.load(Ordering::Relaxed) {
                return told;
            }
        }
    }
}

fn compressed(mut destination: Destination) -> Destination {
    if let Way::Kafka(kafka) = &mut destination.way {
        kafka.gzip = true;
    }
    destination
}

#[test]
fn kills_and_lost_answers_lose_and_double_nothing() -> Result<()> {
    let seconds =
        std::env::var("SELVEDGE_SOAK_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(60);
    let tansu = Tansu::start()?;
    let mut proxies = Vec::new();
    for name in TOPICS {
        tansu.create(name, 4)?;
        proxies.push(Ordered::proxy(&tansu.address(), &[])?);
    }
    let mut destinations: Vec<Destination> =
        TOPICS.iter().zip(&proxies).map(|(name, proxy)| topic(name, &proxy.address())).collect();
    destinations[2] = compressed(destinations[2].clone());
    let mut world = world(4, &[], destinations)?;
    for (proxy, cut_every) in proxies.iter_mut().zip(CUT_EVERY) {
        proxy.order(&format!("cut-every {cut_every}"))?;
    }

    let is_over = AtomicBool::new(false);
    let begun = Instant::now();
    let mut kills = 0_u64;
    let told = thread::scope(|scope| -> Result<Vec<Told>> {
        let client = world.client().clone();
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (client, is_over) = (client.clone(), &is_over);
                let seeds = (1..=VISITORS).filter(move |seed| seed % WRITERS == writer);
                scope.spawn(move || write(&client, seeds, is_over))
            })
            .collect();
        let killed = (|| {
            // A machine that is busy with other things takes longer over each kill: it gets three times as long for them.
            while begun.elapsed() < Duration::from_secs(seconds)
                || (kills < seconds / 3 && begun.elapsed() < Duration::from_secs(3 * seconds))
            {
                // 0.5 to 3 seconds, never in step with anything.
                thread::sleep(Duration::from_millis(500 + kills * 7_919 % 2_500));
                world.kill9();
                kills += 1;
                world.restart()?;
            }
            Ok(())
        })();
        is_over.store(true, Ordering::Relaxed);
        killed.map(|()| {
            let join = |writer: thread::ScopedJoinHandle<'_, Vec<Told>>| writer.join().expect("no panic");
            writers.into_iter().flat_map(join).collect()
        })
    })?;

    let acknowledged: u64 = told.iter().map(|told| told.acknowledged).sum();
    let mut cuts = Vec::new();
    for (proxy, cut_every) in proxies.iter_mut().zip(CUT_EVERY) {
        proxy.order("cut-every 0")?;
        cuts.push(proxy.order("count")?.parse::<u32>()? / cut_every);
    }
    for name in TOPICS {
        let counted = settled(&world, name, PATIENCE)?;
        ensure!(counted["accepted"] == acknowledged, "{name}: {counted:?}, {acknowledged} acknowledged");
        ensure!(counted["delivered"] == acknowledged, "{name}: {counted:?}");
        let arrived = Arrived::read(&tansu.address(), name, acknowledged as usize)?;
        assert_eq!((arrived.records.len() as u64, arrived.duplicates), (acknowledged, 0), "{name}");
        let by_visitor = arrived.by_visitor()?;
        for Told { visitor, acknowledged } in &told {
            let events = by_visitor.get(&visitor.id.to_string()).map_or(&[][..], Vec::as_slice);
            let numbers = events.iter().filter_map(|event| event["properties"]["number"].as_u64());
            assert!(numbers.eq(0..*acknowledged), "{name}: the events of {} are out of order", visitor.id);
        }
        ledger(&world, name)?;
    }
    println!(
        "{acknowledged} events acknowledged in {} s over {kills} kills and {cuts:?} lost answers: in each of {} topics 0 lost, \
         0 twice, 0 out of order",
        begun.elapsed().as_secs(),
        TOPICS.len()
    );
    assert!(kills >= seconds / 3, "{kills} kills");
    assert!(cuts.iter().all(|cuts| *cuts >= 1), "a topic lost no answer: {cuts:?}");
    assert!(acknowledged >= ACKNOWLEDGED_MIN, "{acknowledged} events prove little");
    Ok(())
}
