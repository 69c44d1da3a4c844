//! kill -9 of workerd during writes: what was answered 2xx is in the log, once, in order.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::Result;
use selvedge_tests::{Client, Visitor, World, full_counts};
use serde_json::{Value, json};

const WRITERS: u64 = 6;

/// What one visitor was told: the numbers that were answered 2xx.
struct Told {
    visitor: Visitor,
    acknowledged: Vec<u64>,
}

/// Sends numbered events one by one, each again until it is answered, until it is told to stop.
fn send(client: &Client, seed: u64, is_over: &AtomicBool) -> Told {
    let mut visitor = Visitor::new(seed);
    let mut acknowledged = Vec::new();
    for number in 0u64.. {
        let event = visitor.track("search", json!({"query": format!("{seed}"), "number": number}));
        let body = visitor.batch(&[event]).to_string();
        loop {
            if is_over.load(Ordering::Relaxed) {
                return Told { visitor, acknowledged };
            }
            match client.post("/v1/collect", &[], body.as_bytes()) {
                Ok(answer) if answer.status == 200 => break,
                _ => thread::sleep(Duration::from_millis(5)),
            }
        }
        acknowledged.push(number);
    }
    Told { visitor, acknowledged }
}

#[test]
fn kills_during_writes_lose_and_double_nothing() -> Result<()> {
    let kills = if full_counts() { 200 } else { 20 };
    let mut world = World::start()?;
    let is_over = AtomicBool::new(false);
    let told = thread::scope(|scope| -> Result<Vec<Told>> {
        let client = world.client().clone();
        let senders: Vec<_> = (1..=WRITERS)
            .map(|seed| {
                let (client, is_over) = (client.clone(), &is_over);
                scope.spawn(move || send(&client, seed, is_over))
            })
            .collect();
        let killed = (0..kills).try_for_each(|round| {
            thread::sleep(Duration::from_millis(120 + 37 * (round % 7)));
            world.kill9();
            world.restart()
        });
        thread::sleep(Duration::from_millis(300));
        is_over.store(true, Ordering::Relaxed);
        killed?;
        Ok(senders.into_iter().map(|sender| sender.join().expect("a sender does not panic")).collect())
    })?;
    let logged = numbers_by_visitor(&world.log()?);
    let mut total = 0;
    for Told { visitor, acknowledged } in told {
        let numbers = logged.get(&visitor.id.to_string()).cloned().unwrap_or_default();
        let expected: Vec<u64> = (0..numbers.len() as u64).collect();
        assert_eq!(numbers, expected, "each once, in order");
        assert!(
            numbers.len() >= acknowledged.len(),
            "{} of {} acknowledged",
            numbers.len(),
            acknowledged.len()
        );
        total += acknowledged.len();
    }
    println!("{total} events acknowledged over {kills} kills: 0 lost, 0 doubled");
    assert!(total > kills as usize, "the writers wrote between the kills");
    Ok(())
}

fn numbers_by_visitor(lines: &[Value]) -> BTreeMap<String, Vec<u64>> {
    let mut numbers = BTreeMap::<String, Vec<u64>>::new();
    for line in lines {
        let (Some(visitor), Some(number)) = (line["visitor"].as_str(), line["properties"]["number"].as_u64())
        else {
            continue;
        };
        numbers.entry(visitor.to_string()).or_default().push(number);
    }
    numbers
}
