//! What is kept for a destination that does not take it, over a real workerd: up to the backlog's bound, on a full disk, from
//! the publish that names it on, and until its time is over.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use selvedge_core::wire::program::{Destination, Full};
use selvedge_tests::hook::{SOON, batches, collect, metric, numbers, publish, send, settled, world};
use selvedge_tests::{Receiver, Reply, Visitor, World, compiled_shop};
use serde_json::{Value, json};

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
    let warnings = || world.worker_log().matches("% of what may wait for the destination hook waits").count();
    assert_eq!(warnings(), 1, "an operator is warned, and not with each request: {}", world.worker_log());
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
