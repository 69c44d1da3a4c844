//! The benchmark of the stream: what one shard's backlog takes into Kafka, beside librdkafka that produces the same bytes to
//! the same broker in the same run; and how long an event takes from collect until it can be read in Kafka.
//!
//! Each figure is one line of JSON for `cargo xtask bench`.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use selvedge_core::event::Event;
use selvedge_core::value::Value as Property;
use selvedge_core::wire::batch::encode_batch;
use selvedge_tests::brokers::{Ordered, Tansu, tool_with};
use selvedge_tests::streams::{Arrived, settled, topic, wait_for_state, world};
use selvedge_tests::{Visitor, World, now_ms};
use serde_json::{Value, json};

const VISITORS: u64 = 40;
const BATCHES: usize = 25;
const EVENTS_A_BATCH: usize = 20;
const PATIENCE: Duration = Duration::from_secs(120);
/// Batches of each visitor whose storage is measured.
const STORED_ROUNDS: usize = 10;
/// Events whose way is timed, one after the other.
const TIMED: usize = 200;
const TIMED_EVERY: Duration = Duration::from_millis(40);

fn main() -> Result<()> {
    let tansu = Tansu::start()?;
    tansu.create("backlog", 4)?;
    let values = backlog(&tansu)?;
    beside(&tansu, &values)?;
    tansu.create("timed", 4)?;
    timed(&tansu)?;
    for (name, events) in [("one", 1), ("twenty", EVENTS_A_BATCH)] {
        tansu.create(name, 4)?;
        stored(&tansu, name, events)?;
    }
    Ok(())
}

/// What collect and delivery write to storage for an event that comes in batches of so many.
fn stored(tansu: &Tansu, name: &str, events: usize) -> Result<()> {
    let world = world(1, &[], vec![topic(name, &tansu.address())])?;
    let mut visitors: Vec<Visitor> = (1..=VISITORS).map(Visitor::new).collect();
    let written = || -> Result<(f64, f64)> {
        let rows = world.client().get("/__fault/rows_written", &[])?.json()?["rows"].as_f64();
        let page = world.admin_get("/metrics")?.text();
        let bytes = page.lines().find_map(|line| line.strip_prefix("selvedge_storage_bytes{site=\"shop\"} "));
        Ok((rows.context("no rows")?, bytes.context("no bytes")?.parse()?))
    };
    let mut round =
        || -> Result<()> { visitors.iter_mut().try_for_each(|visitor| collect(&world, visitor, events)) };
    // Visitors' records are there before it is counted.
    round()?;
    settled(&world, name, PATIENCE)?;
    let (rows, bytes) = written()?;
    (0..STORED_ROUNDS).try_for_each(|_| round())?;
    settled(&world, name, PATIENCE)?;
    let (rows_after, bytes_after) = written()?;
    let count = (VISITORS as usize * STORED_ROUNDS * events) as f64;
    figure(&format!("stream: rows written an event, {name} a batch"), (rows_after - rows) / count);
    figure(&format!("stream: bytes stored an event, {name} a batch"), (bytes_after - bytes) / count);
    Ok(())
}

/// Fills a shard while the broker is away, and times what follows.
fn backlog(tansu: &Tansu) -> Result<Vec<String>> {
    let mut proxy = Ordered::proxy(&tansu.address(), &[])?;
    let world = world(1, &[], vec![topic("backlog", &proxy.address())])?;
    proxy.order("down")?;
    for seed in 1..=VISITORS {
        let mut visitor = Visitor::new(seed);
        for _ in 0..BATCHES {
            collect(&world, &mut visitor, EVENTS_A_BATCH)?;
        }
    }
    wait_for_state(&world, "backlog", "waiting", PATIENCE)?;
    let count = VISITORS as usize * BATCHES * EVENTS_A_BATCH;
    proxy.order("up")?;
    let (processor, begun) = (world.workerd().processor_time()?, Instant::now());
    world.admin_post("/v1/destinations/backlog/resume", b"")?;
    settled(&world, "backlog", PATIENCE)?;
    let (elapsed, processor) = (begun.elapsed(), world.workerd().processor_time()? - processor);
    figure("stream: events/s of a shard into Kafka", count as f64 / elapsed.as_secs_f64());
    figure("stream: processor µs an event", processor.as_secs_f64() * 1e6 / count as f64);
    let arrived = Arrived::read(&tansu.address(), "backlog", count)?;
    anyhow::ensure!(arrived.records.len() == count && arrived.duplicates == 0, "{count} were sent");
    arrived.records.into_iter().map(|record| record.value.context("a record without a value")).collect()
}

/// The same bytes by librdkafka.
fn beside(tansu: &Tansu, values: &[String]) -> Result<()> {
    tansu.create("beside", 4)?;
    let framed = |value: &String| [&(value.len() as u32).to_be_bytes()[..], value.as_bytes()].concat();
    let input: Vec<u8> = values.iter().flat_map(framed).collect();
    let told: Value = serde_json::from_str(&tool_with(&["produce", &tansu.address(), "beside"], &input)?)?;
    let number = |name: &str| told[name].as_f64().with_context(|| format!("no {name} in {told}"));
    figure("stream: librdkafka, events/s of the same bytes", values.len() as f64 / number("seconds")?);
    figure("stream: librdkafka, processor µs an event", number("cpu_seconds")? * 1e6 / values.len() as f64);
    Ok(())
}

/// Sends events one by one, and hears of each when it can be read.
fn timed(tansu: &Tansu) -> Result<()> {
    let world = world(4, &[], vec![topic("timed", &tansu.address())])?;
    let mut watch = Ordered::watch(&tansu.address(), "timed", TIMED)?;
    let mut visitors: Vec<Visitor> = (1..=8).map(Visitor::new).collect();
    let count = visitors.len();
    for number in 0..TIMED {
        let visitor = visitors.get_mut(number % count).context("a visitor")?;
        collect(&world, visitor, 1)?;
        std::thread::sleep(TIMED_EVERY);
    }
    let mut ways = Vec::new();
    for _ in 0..TIMED {
        let (value, read_ms): (String, f64) = serde_json::from_str(&watch.line()?)?;
        let sent_ms = serde_json::from_str::<Value>(&value)?["time_ms"].as_f64().context("no time")?;
        ways.push(read_ms - sent_ms);
    }
    ways.sort_by(f64::total_cmp);
    for (name, share) in [("p50", 0.5), ("p95", 0.95)] {
        let place = ((ways.len() as f64 * share) as usize).min(ways.len() - 1);
        figure(&format!("stream: ms from collect to Kafka, {name}"), ways.get(place).copied().unwrap_or(0.0));
    }
    Ok(())
}

fn collect(world: &World, visitor: &mut Visitor, events: usize) -> Result<()> {
    let text = |text: &str| Property::Text(text.into());
    let batch: Vec<Event> =
        (0..events).map(|_| visitor.event("search", &[("query", text("shoes for the hills"))])).collect();
    let body = encode_batch(&visitor.header(), &batch.iter().collect::<Vec<_>>(), None);
    let headers = [("content-type", "application/octet-stream")];
    let answer = world.client().post("/v1/collect", &headers, &body)?;
    anyhow::ensure!(answer.status == 200, "{} at {}: {}", answer.status, now_ms(), answer.text());
    Ok(())
}

fn figure(name: &str, value: f64) {
    println!("{}", json!({"figure": name, "value": value}));
}
