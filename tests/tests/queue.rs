//! A destination of type queue under miniflare, which has queues: what the consumer fails is tried again, then goes to the
//! queue for dead letters; what the queue refuses to take is sent again; and of a send of many messages each arrives.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use selvedge_core::wire::program::{Destination, Way};
use selvedge_edge::delivery::packing::MESSAGE_BYTES_MAX;
use selvedge_tests::compiled_shop;
use selvedge_tests::streams::destination;
use serde_json::Value;
use xtask::repo::Repo;
use xtask::{build, setup};

fn to_a_queue() -> Destination {
    destination("events", Way::Queue { binding: "EVENTS".into(), dead_letter: "DEAD".into() })
}

/// Events that go one by one, and events that go in sends of several messages.
const SMALL: usize = 40;
const LARGE: usize = 120;

fn texts(said: &Value, name: &str) -> Vec<String> {
    said[name].as_array().into_iter().flatten().filter_map(|id| id.as_str().map(str::to_owned)).collect()
}

fn set(said: &Value, name: &str) -> BTreeSet<String> {
    texts(said, name).into_iter().collect()
}

/// What `tests/queue/run.mjs` saw.
fn run() -> Result<Value> {
    let repo = Repo::find()?;
    build::once(&repo)?;
    let queues = setup::queues(&repo)?;
    let shop = compiled_shop()?;
    let mut full = shop.full;
    full.destinations = vec![to_a_queue()];
    let folder = tempfile::tempdir()?;
    let program = folder.path().join("program");
    std::fs::write(&program, selvedge_edge::publish::pack(&full.encode(), &shop.public_bytes))?;
    let ran = Command::new(&queues.node)
        .arg(repo.path("tests/queue/run.mjs"))
        .arg(&queues.miniflare)
        .arg(repo.target.join("worker"))
        .arg(&program)
        .output()?;
    let told = String::from_utf8_lossy(&ran.stderr);
    ensure!(ran.status.success(), "{told}\n{}", String::from_utf8_lossy(&ran.stdout));
    let said = String::from_utf8_lossy(&ran.stdout);
    serde_json::from_str(said.lines().last().context("an answer")?).context(told.into_owned())
}

/// A metric of the destination.
fn metric(said: &Value, name: &str) -> Result<usize> {
    let line = format!("{name}{{site=\"shop\",destination=\"events\"}} ");
    let metrics = said["metrics"].as_str().unwrap_or_default();
    let value = metrics.lines().find_map(|known| known.strip_prefix(&line));
    Ok(value.with_context(|| format!("{line}\n{metrics}"))?.parse()?)
}

/// Messages of the second half that are as large as they get: behind each another of the same send followed.
fn full_messages(said: &Value) -> usize {
    let sizes = said["passed"].as_array().into_iter().flatten().filter_map(Value::as_u64);
    sizes.filter(|bytes| *bytes > MESSAGE_BYTES_MAX as u64 * 9 / 10).count()
}

#[test]
fn what_a_queue_refuses_and_what_its_consumer_fails_goes_again_and_nothing_is_lost() -> Result<()> {
    let said = run()?;
    let (logged, taken, dead) = (set(&said, "logged"), set(&said, "ids"), set(&said, "dead"));
    assert_eq!(logged.len(), SMALL + LARGE);
    assert!(taken.is_disjoint(&dead), "a dead letter was taken");
    let arrived: BTreeSet<String> = taken.union(&dead).cloned().collect();
    assert_eq!(arrived.symmetric_difference(&logged).count(), 0, "nothing is lost: {}", said["destinations"]);
    assert!(!dead.is_empty() && said["retried"].as_u64() >= Some(8), "{}", said["retried"]);
    assert!(full_messages(&said) >= 2, "a send has several messages: {}", said["passed"]);
    assert!(said["refused"].as_u64() >= Some(2) && said["lost"].as_u64() >= Some(1), "{}", said["passed"]);
    assert_eq!(metric(&said, "selvedge_events_delivered_total")?, SMALL + LARGE);
    assert_eq!(metric(&said, "selvedge_outbox_pending")?, 0);
    assert_eq!(metric(&said, "selvedge_ledger_difference")?, 0);
    let twice = texts(&said, "ids").len() - taken.len();
    let counted = metric(&said, "selvedge_possible_duplicates_total")?;
    assert!((1..=counted).contains(&twice), "{twice} came twice, {counted} were counted");
    Ok(())
}
