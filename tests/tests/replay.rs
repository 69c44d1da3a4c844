//! The recorded shop log through the real worker, held against a query over the same file that shares no code with us.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use selvedge_cli::remote::{Remote, RemoteArguments};
use selvedge_cli::replay::dataset::{Dataset, cache_dir};
use selvedge_cli::replay::map::Map;
use selvedge_cli::replay::pace::Speed;
use selvedge_cli::replay::recording::{Recorded as RecordedEvent, Recording};
use selvedge_cli::replay::report::Report;
use selvedge_cli::replay::rows::Rows;
use selvedge_cli::replay::{Settings, replay};
use selvedge_cli::site_files;
use selvedge_compiler::compile;
use selvedge_core::consent::Purposes;
use selvedge_core::rules::{self, Moment, Orders, Place, Program};
use selvedge_core::value;
use selvedge_core::wire::state::VisitorState;
use selvedge_tests::World;
use serde::Deserialize;
use serde_json::Value;

const HERO_SLOT: &str = "hero";
const HERO_RULE: &str = "free-shipping-hero";
/// How long the worker may take to come to a number of accepted events.
const PATIENCE: Duration = Duration::from_secs(120);

/// What `oracle/ecom.py` says of the file. Visitors are told apart by the ids under which the worker knows them.
#[derive(Deserialize)]
struct Oracle {
    rows: u64,
    names: BTreeMap<String, u64>,
    sessions: BTreeMap<String, u64>,
    /// The place among its visitor's rows at which the hero rule is true for the first time.
    hero: BTreeMap<String, u64>,
    /// Name and Unix milliseconds of each visitor's rows, in file order.
    events: BTreeMap<String, Vec<(String, u64)>>,
}

/// A recorded log, its map, and what must come of it.
struct Recorded {
    file: PathBuf,
    map: Map,
    oracle: Oracle,
}

impl Recorded {
    fn ecom() -> Result<Self> {
        let dataset = Dataset::named("ecom").context("the data set is known")?;
        let file = dataset.fetch(&cache_dir())?;
        let oracle = ask_oracle(&file)?;
        Ok(Self { file, map: Map::parse(dataset.map)?, oracle })
    }

    fn replay(&self, world: &RemoteArguments) -> Result<Report> {
        let settings = Settings {
            speed: Speed::Max,
            limit: None,
            lanes: 8,
            batch_events_max: 100,
            patience: PATIENCE,
            write_key: None,
        };
        replay(&self.file, &self.map, &Remote::new(world), &settings)
    }
}

fn ask_oracle(file: &Path) -> Result<Oracle> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("oracle/ecom.py");
    let output = Command::new("python3").arg(script).arg(file).output().context("python3")?;
    ensure!(output.status.success(), "the oracle failed: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).context("the oracle's answer")
}

fn remote(world: &World) -> RemoteArguments {
    RemoteArguments { url: world.url(), token: world.admin_token().to_owned() }
}

/// The lines of the log that are events; the others say what was decided, and told to whom, between events.
fn events_of(lines: &[Value]) -> Vec<Value> {
    lines.iter().filter(|line| line["kind"].is_null()).cloned().collect()
}

/// The log's events by visitor, each visitor's in the order of the log.
fn by_visitor(log: &[Value]) -> Result<BTreeMap<&str, Vec<&Value>>> {
    let mut visitors: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for event in log {
        let visitor = event["visitor"].as_str().context("an event without a visitor")?;
        visitors.entry(visitor).or_default().push(event);
    }
    Ok(visitors)
}

/// Every row stands in the log exactly once, in file order for its visitor, with its name, time and sequence.
fn assert_log_is_the_file(log: &[Value], oracle: &Oracle) -> Result<()> {
    let visitors = by_visitor(log)?;
    assert!(
        visitors.keys().copied().eq(oracle.events.keys().map(String::as_str)),
        "other visitors in the log"
    );
    for (visitor, rows) in &oracle.events {
        let logged = visitors[visitor.as_str()]
            .iter()
            .map(|event| (event["sequence"].as_u64(), event["name"].as_str(), event["time_ms"].as_u64()));
        let expected = rows
            .iter()
            .zip(1..)
            .map(|((name, time_ms), sequence)| (Some(sequence), Some(name.as_str()), Some(*time_ms)));
        assert!(logged.eq(expected), "the rows of {visitor} are not in the log once each and in order");
    }
    assert_eq!(log.len() as u64, oracle.rows);
    Ok(())
}

fn counts_by_name(log: &[Value]) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for event in log {
        *counts.entry(event["name"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
    }
    counts
}

/// The number of sessions that the worker's state holds for each visitor.
fn sessions(world: &World, visitors: impl Iterator<Item = impl AsRef<str>>) -> Result<BTreeMap<String, u64>> {
    visitors
        .map(|visitor| {
            let visitor = visitor.as_ref();
            let answer = world.admin_get(&format!("/v1/visitors/{visitor}?site=shop"))?.json()?;
            let number = answer["session"]["number"].as_u64();
            Ok((visitor.to_owned(), number.with_context(|| format!("no session in {answer}"))?))
        })
        .collect()
}

/// For each visitor to whom the hero rule was ever decided, the sequence of the event after which it first was.
fn hero_firings(log: &[Value]) -> Result<BTreeMap<String, u64>> {
    let fires = |event: &&Value| {
        let decisions = event["decisions"].as_array();
        decisions.is_some_and(|all| {
            all.iter().any(|decision| decision["slot"] == HERO_SLOT && decision["rule"] == HERO_RULE)
        })
    };
    let first = by_visitor(log)?.into_iter().filter_map(|(visitor, events)| {
        let event = events.into_iter().find(fires)?;
        Some((visitor.to_owned(), event["sequence"].as_u64()?))
    });
    Ok(first.collect())
}

/// What the rules make of the log without any worker: sessions, and the first time of the hero rule, by visitor.
fn run_natively(recorded: &Recorded) -> Result<(BTreeMap<String, u64>, BTreeMap<String, u64>)> {
    let site = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/shop");
    let compiled = compile(&site_files::read(&site)?).program.context("the shop compiles")?;
    let program = Program::load(&compiled.full_bytes)?;
    let rows = Rows::open(File::open(&recorded.file)?)?;
    let mut recording = Recording::new(&recorded.map, recorded.map.time_format()?);
    let mut states = BTreeMap::new();
    let mut hero = BTreeMap::new();
    for row in rows {
        let recorded =
            recording.event(&row?).map_err(|row| anyhow::anyhow!("line {}: {}", row.line, row.problem))?;
        let visitor = recorded.visitor.to_string();
        let now_ms = recorded.event.time_ms.cast_signed();
        let state = states.entry(visitor.clone()).or_insert_with(|| VisitorState::new(now_ms));
        if step_natively(&program, state, &recorded, now_ms) {
            hero.entry(visitor).or_insert(u64::from(recorded.event.sequence.get()));
        }
    }
    let sessions = states.iter().map(|(visitor, state)| (visitor.clone(), u64::from(state.session.number)));
    Ok((sessions.collect(), hero))
}

/// Steps one event and decides; whether the hero rule has its slot.
fn step_natively(program: &Program, state: &mut VisitorState, recorded: &RecordedEvent, now_ms: i64) -> bool {
    let (context, in_force) = (value::Map::new(), Purposes(u16::MAX));
    let moment = Moment {
        writer: recorded.writer,
        context: &context,
        now_ms,
        in_force,
        place: Place::Edge,
        trust: selvedge_core::tracking_plan::Trust::Client,
        account: None,
        visitor: recorded.visitor,
        orders: Orders::default(),
    };
    rules::lease(program, state, now_ms, &[]);
    rules::step(program, state, &recorded.event, in_force, &moment);
    rules::lease(program, state, now_ms, &[]);
    let decisions = rules::decide(program, state, &moment);
    let rules = decisions.iter().filter_map(|decision| program.rules().get(usize::from(decision.rule?)));
    rules.into_iter().any(|rule| rule.id == HERO_RULE)
}

#[test]
fn the_rules_alone_agree_with_the_query() -> Result<()> {
    let recorded = Recorded::ecom()?;
    let (sessions, hero) = run_natively(&recorded)?;
    assert_eq!(sessions, recorded.oracle.sessions);
    assert_eq!(hero, recorded.oracle.hero);
    Ok(())
}

#[test]
fn a_recorded_log_arrives_once_and_in_order_and_the_rules_agree_with_the_query() -> Result<()> {
    let recorded = Recorded::ecom()?;
    let world = World::start()?;
    let oracle = &recorded.oracle;
    assert_eq!((oracle.rows, oracle.sessions.values().sum()), (31_106, 3_605u64), "the oracle itself");

    let report = recorded.replay(&remote(&world))?;
    println!("{}", report.text());
    assert_eq!((report.rows, report.visitors), (oracle.rows, 600));
    assert_eq!((report.accepted, report.deduplicated, report.refused_total()), (oracle.rows, 0, 0));
    assert_eq!(report.unreadable, 0);

    let lines = world.log()?;
    let log = events_of(&lines);
    assert_log_is_the_file(&log, oracle)?;
    assert_eq!(counts_by_name(&log), oracle.names);
    assert_eq!(sessions(&world, oracle.sessions.keys())?, oracle.sessions);
    assert_eq!(hero_firings(&log)?, oracle.hero);

    let again = recorded.replay(&remote(&world))?;
    assert_eq!((again.accepted, again.deduplicated, again.refused_total()), (0, oracle.rows, 0));
    assert_eq!(world.log()?.len(), lines.len(), "a second replay added to the log");
    Ok(())
}

#[test]
fn killing_the_worker_in_the_middle_loses_nothing_that_was_answered() -> Result<()> {
    let recorded = Recorded::ecom()?;
    let mut world = World::start()?;
    let arguments = remote(&world);
    let report = scope(|scope| {
        let replaying = scope.spawn(|| recorded.replay(&arguments));
        for share in 1..=3 {
            wait_for_accepted(&world, recorded.oracle.rows * share / 4)?;
            assert!(!replaying.is_finished(), "the replay was over before the worker was killed");
            world.kill9();
            sleep(Duration::from_millis(200));
            world.restart()?;
        }
        replaying.join().expect("the replay does not panic")
    })?;
    println!("{}", report.text());
    assert!(report.retries > 0, "the kill was not felt");
    assert_eq!(report.accepted + report.deduplicated, recorded.oracle.rows);
    assert_eq!(report.refused_total(), 0);
    assert_log_is_the_file(&events_of(&world.log()?), &recorded.oracle)
}

fn wait_for_accepted(world: &World, events: u64) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while accepted(world)? < events {
        ensure!(Instant::now() < deadline, "the worker did not come to {events} events");
        sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// The ledger's count of accepted events.
fn accepted(world: &World) -> Result<u64> {
    let metrics = world.admin_get("/metrics")?.text();
    let lines = metrics.lines().filter(|line| line.starts_with("selvedge_events_accepted_total"));
    let values = lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
    Ok(values.sum::<f64>() as u64)
}
