//! The benchmark of the stream: what one shard's backlog takes into Kafka, beside librdkafka that produces the same bytes to
//! the same broker in the same run; and how long an event takes from collect until it can be read in Kafka.
//!
//! Each figure is one line of JSON for `cargo xtask bench`.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use selvedge_core::event::Event;
use selvedge_core::value::Value as Property;
use selvedge_core::wire::batch::encode_batch;
use selvedge_tests::brokers::{Ordered, ReadRecord, Tansu, tool_with};
use selvedge_tests::streams::{Arrived, ledger, settled, topic, wait_for_state, world};
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
    let records = backlog(&tansu)?;
    beside(&tansu, &records)?;
    tansu.create("timed", 4)?;
    timed(&tansu)?;
    for (name, events) in [("one", 1), ("twenty", EVENTS_A_BATCH)] {
        tansu.create(name, 4)?;
        stored(&tansu, name, events)?;
    }
    Ok(())
}

/// What collect and delivery write to storage for an event that comes in batches of so many: rows, by how much the database
/// grows, and what the process hands to the disk.
fn stored(tansu: &Tansu, name: &str, events: usize) -> Result<()> {
    let world = world(1, &[], vec![topic(name, &tansu.address())])?;
    let mut visitors: Vec<Visitor> = (1..=VISITORS).map(Visitor::new).collect();
    let written = || -> Result<(f64, f64, f64)> {
        let rows = world.client().get("/__fault/rows_written", &[])?.json()?["rows"].as_f64();
        let page = world.admin_get("/metrics")?.text();
        let bytes = page.lines().find_map(|line| line.strip_prefix("selvedge_storage_bytes{site=\"shop\"} "));
        Ok((rows.context("no rows")?, bytes.context("no bytes")?.parse()?, on_disk(&world)?))
    };
    let mut round =
        || -> Result<()> { visitors.iter_mut().try_for_each(|visitor| collect(&world, visitor, events)) };
    // Visitors' records are there before it is counted.
    round()?;
    settled(&world, name, PATIENCE)?;
    let (rows, bytes, handed) = written()?;
    (0..STORED_ROUNDS).try_for_each(|_| round())?;
    settled(&world, name, PATIENCE)?;
    let (rows_after, bytes_after, handed_after) = written()?;
    let count = (VISITORS as usize * STORED_ROUNDS * events) as f64;
    figure(&format!("stream: rows written an event, {name} a batch"), (rows_after - rows) / count);
    figure(&format!("stream: bytes stored an event, {name} a batch"), (bytes_after - bytes) / count);
    figure(
        &format!("stream: bytes written to disk an event, {name} a batch"),
        (handed_after - handed) / count,
    );
    Ok(())
}

/// The bytes that the worker's process has handed to the disk (Linux).
fn on_disk(world: &World) -> Result<f64> {
    let told = std::fs::read_to_string(format!("/proc/{}/io", world.process_id()))?;
    let written = told.lines().find_map(|line| line.strip_prefix("write_bytes: "));
    Ok(written.context("no write_bytes")?.parse()?)
}

/// Fills a shard while the destination is paused, and times what follows.
fn backlog(tansu: &Tansu) -> Result<Vec<ReadRecord>> {
    let world = world(1, &[], vec![topic("backlog", &tansu.address())])?;
    world.admin_post("/v1/destinations/backlog/pause", b"")?;
    for seed in 1..=VISITORS {
        let mut visitor = Visitor::new(seed);
        for _ in 0..BATCHES {
            collect(&world, &mut visitor, EVENTS_A_BATCH)?;
        }
    }
    wait_for_state(&world, "backlog", "paused", PATIENCE)?;
    let count = VISITORS as usize * BATCHES * EVENTS_A_BATCH;
    ensure!(ledger(&world, "backlog")?["pending"] == count as u64, "some left before they were timed");
    let (processor, begun) = (world.workerd().processor_time()?, Instant::now());
    world.admin_post("/v1/destinations/backlog/resume", b"")?;
    settled(&world, "backlog", PATIENCE)?;
    let (elapsed, processor) = (begun.elapsed(), world.workerd().processor_time()? - processor);
    figure("stream: events/s of a shard into Kafka", count as f64 / elapsed.as_secs_f64());
    figure("stream: processor µs an event", processor.as_secs_f64() * 1e6 / count as f64);
    let arrived = Arrived::read(&tansu.address(), "backlog", count)?;
    ensure!(arrived.records.len() == count && arrived.duplicates == 0, "{count} were sent");
    Ok(arrived.records)
}

/// The same keys, headers and values by librdkafka, to the same broker.
fn beside(tansu: &Tansu, records: &[ReadRecord]) -> Result<()> {
    tansu.create("beside", 4)?;
    let line = |record: &ReadRecord| json!([record.key, record.value, record.headers]).to_string();
    let input = records.iter().map(line).collect::<Vec<_>>().join("\n");
    let told = tool_with(&["produce", &tansu.address(), "beside"], input.as_bytes())?;
    let told: Value = serde_json::from_str(&told)?;
    let number = |name: &str| told[name].as_f64().with_context(|| format!("no {name} in {told}"));
    ensure!(told["left"] == 0 && told["failed"] == 0, "librdkafka did not send everything: {told}");
    let sent = |record: &ReadRecord| (record.key.clone(), record.value.clone(), record.headers.clone());
    let mut arrived: Vec<_> =
        Arrived::read(&tansu.address(), "beside", records.len())?.records.iter().map(sent).collect();
    let mut expected: Vec<_> = records.iter().map(sent).collect();
    arrived.sort();
    expected.sort();
    ensure!(arrived == expected, "librdkafka did not send the same bytes");
    figure("stream: librdkafka, events/s of the same bytes", records.len() as f64 / number("seconds")?);
    figure("stream: librdkafka, processor µs an event", number("cpu_seconds")? * 1e6 / records.len() as f64);
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
    ensure!(answer.status == 200, "{} at {}: {}", answer.status, now_ms(), answer.text());
    Ok(())
}

fn figure(name: &str, value: f64) {
    println!("{}", json!({"figure": name, "value": value}));
}
