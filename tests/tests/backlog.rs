//! What is kept for a destination that does not take it, over a real workerd: up to the backlog's bound, on a full disk, from
//! the publish that names it on, and until its time is over.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use selvedge_core::wire::program::{Destination, Full};
use selvedge_tests::hook::{SOON, batches, collect, metric, numbers, publish, send, settled, world};
use selvedge_tests::{Answer, Receiver, Reply, Visitor, World, compiled_shop};
use serde_json::{Value, json};

/// Percents of the lines that say that much waits for the destination hook.
fn warned_percents(world: &World) -> Vec<u64> {
    let log = world.worker_log();
    let percent = |line: &str| {
        let (before, _) = line.split_once(" % of what may wait for the destination hook waits")?;
        before.rsplit(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
    };
    log.lines().filter_map(percent).collect()
}

/// Batches of long texts, with numbers that go on; each is sent again until it is taken.
struct Sender {
    visitor: Visitor,
    taken: u64,
    batch: Vec<Value>,
}

impl Sender {
    const EVENTS: u64 = 10;

    fn new(seed: u64) -> Sender {
        Sender { visitor: Visitor::new(seed), taken: 0, batch: Vec::new() }
    }

    /// One request, of texts of so many bytes.
    fn post(&mut self, world: &World, text_bytes: usize) -> Result<Answer> {
        if self.batch.is_empty() {
            let text = "x".repeat(text_bytes);
            let numbers = self.taken..self.taken + Self::EVENTS;
            let event = |number| self.visitor.track("search", json!({"query": text, "number": number}));
            self.batch = numbers.map(event).collect();
        }
        let answer = collect(world, &self.visitor, &self.batch)?;
        if answer.status == 200 {
            self.taken += Self::EVENTS;
            self.batch.clear();
        }
        Ok(answer)
    }
}

#[test]
fn a_receiver_that_is_slow_fills_the_backlog_to_its_bound_and_nothing_more_is_kept() -> Result<()> {
    const BYTES_MAX: u64 = 400_000;
    const LATE: Duration = Duration::from_secs(8);
    const WARMING_BYTES: usize = 96_000_000;
    const REFUSED_BYTES: usize = 192_000_000;
    const GROWN_KB_MAX: u64 = 96_000;
    const TEXT_BYTES: usize = 8_000;
    let receiver = Receiver::start(|_| Reply::Slow(LATE))?;
    let world = world(1, vec![Destination { bytes_max: BYTES_MAX, ..batches("hook", &receiver) }])?;
    let mut first = Sender::new(1);
    let (full, warned) = loop {
        // What the worker said of the requests before is read by then.
        thread::sleep(Duration::from_millis(100));
        let warned = warned_percents(&world);
        let answer = first.post(&world, 4_000)?;
        if answer.status != 200 {
            break (answer, warned);
        }
        ensure!(first.taken < 1_000, "the bound does nothing");
    };
    assert_eq!((full.status, full.json()?["error"]["code"].as_str()), (503, Some("backlog_full")));
    assert!(full.header("retry-after").is_some());
    let taken_bytes = first.taken * 4_000;
    assert!((BYTES_MAX * 8 / 10..=BYTES_MAX + 80_000).contains(&taken_bytes), "{taken_bytes}");
    let is_early = matches!(warned.as_slice(), [percent] if (80..100).contains(percent));
    assert!(is_early, "an operator is warned once, and before events are refused: {warned:?}");

    // Whoever sends on while the receiver is late finds room for little of it, and the worker keeps none of the rest. The memory
    // that garbage collection works in comes with the first 100 MB and changes by some 50: what was kept would be far more.
    let mut second = Sender::new(2);
    let mut refuse = |bytes: usize| -> Result<()> {
        let mut refused_bytes = 0;
        while refused_bytes < bytes {
            if second.post(&world, TEXT_BYTES)?.status != 200 {
                refused_bytes += second.batch.len() * TEXT_BYTES;
            }
        }
        Ok(())
    };
    refuse(WARMING_BYTES)?;
    let before_kb = world.worker_memory_kb()?;
    refuse(REFUSED_BYTES)?;
    let grown_kb = world.worker_memory_kb()?.saturating_sub(before_kb);
    println!("{grown_kb} kB more after {REFUSED_BYTES} bytes were refused");
    assert!(grown_kb < GROWN_KB_MAX, "{grown_kb} kB");
    let page = world.admin_get("/metrics")?.text();
    let percent = metric(&page, "selvedge_outbox_full_percent", "hook").context("no percent")?;
    assert!(percent <= 130, "{percent} % of what may wait");

    receiver.answers(|_| Reply::Status(200));
    while !first.batch.is_empty() || !second.batch.is_empty() {
        thread::sleep(Duration::from_millis(100));
        for sender in [&mut first, &mut second].into_iter().filter(|sender| !sender.batch.is_empty()) {
            sender.post(&world, TEXT_BYTES)?;
        }
    }
    let count = usize::try_from(first.taken + second.taken)?;
    let records = receiver.wait_for(count, SOON)?;
    assert_eq!(settled(&world, "hook")?["delivered"], count as u64);
    for sender in [&first, &second] {
        let numbers = &numbers(&records)[&sender.visitor.id.to_string()];
        assert_eq!(*numbers, (0..sender.taken).collect::<Vec<_>>());
    }
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
