//! A destination of type queue under miniflare, which has queues: what the consumer fails is tried again, then goes to the
//! queue for dead letters, and nothing is lost.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use selvedge_core::wire::program::{Destination, Way};
use selvedge_tests::compiled_shop;
use selvedge_tests::streams::destination;
use serde_json::Value;
use xtask::repo::Repo;
use xtask::{build, setup};

fn to_a_queue() -> Destination {
    destination("events", Way::Queue { binding: "EVENTS".into(), dead_letter: "DEAD".into() })
}

fn texts(said: &Value, name: &str) -> BTreeSet<String> {
    said[name].as_array().into_iter().flatten().filter_map(|id| id.as_str().map(str::to_owned)).collect()
}

#[test]
fn what_a_consumer_fails_is_tried_again_then_dead_and_nothing_is_lost() -> Result<()> {
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
    let said: Value =
        serde_json::from_str(said.lines().last().context("an answer")?).context(told.into_owned())?;
    let (logged, taken, dead) = (texts(&said, "logged"), texts(&said, "ids"), texts(&said, "dead"));
    assert_eq!(logged.len(), 40);
    assert!(taken.is_disjoint(&dead), "a dead letter was taken");
    assert_eq!(
        taken.union(&dead).cloned().collect::<BTreeSet<_>>(),
        logged,
        "nothing is lost: {}",
        said["destinations"]
    );
    assert!(!dead.is_empty() && said["retried"].as_u64() >= Some(8), "{}", said["retried"]);
    let metrics = said["metrics"].as_str().unwrap_or_default();
    for line in [
        r#"selvedge_events_delivered_total{site="shop",destination="events"} 40"#,
        r#"selvedge_outbox_pending{site="shop",destination="events"} 0"#,
        r#"selvedge_ledger_difference{site="shop",destination="events"} 0"#,
    ] {
        assert!(metrics.lines().any(|known| known == line), "{line}\n{metrics}");
    }
    Ok(())
}
