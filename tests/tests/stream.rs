//! The records of the recorded shop log: each follows its schema, as a validator says that knows nothing of us, and the
//! queries of docs/stream.md, run by SQLite and by DuckDB, find in them what a plain count of the recording finds.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use jsonschema::Validator;
use selvedge_cli::recorded::happened::Happened;
use selvedge_cli::recorded::source::RecordedArguments;
use selvedge_cli::{records, site_files};
use selvedge_compiler::{compile, render};
use selvedge_core::consent::{Purposes, Signals, Snapshot};
use selvedge_core::event::{Batch, BatchHeader, Clock, Event, EventType};
use selvedge_core::id::{Sequence, VisitorId, WriterId};
use selvedge_core::tracking_plan::Trust;
use selvedge_core::value::{Map, Value as Sent};
use selvedge_core::wire::answer::{Reason, SlotDecision};
use selvedge_core::wire::log_row::LogRow;
use selvedge_core::wire::program::RecordKind;
use selvedge_core::wire::stored::VisitorRecord;
use selvedge_edge::delivery::record::{Record, Routed, route};
use selvedge_edge::erasure;
use selvedge_edge::gate::Shown;
use selvedge_edge::ingest::{Arrival, Decided, Trouble, Watch, step};
use selvedge_edge::log_line;
use selvedge_edge::site::Site;
use serde_json::{Value, json};
use xtask::repo::Repo;
use xtask::setup;

const VISITORS: usize = 400;
const WEEK_MS: u64 = 7 * 86_400_000;
const SESSION_MS: u64 = 1_800_000;

/// A rule in an experiment with a control, under a holdout that a third of the visitors are in; and one that tells the
/// warehouse something.
const RULES: &str = "
metrics:
  views: count product_view in session
holdout:
  share: 33%
  salt: stream
experiments:
  hero-test:
    variants:
      control:
        share: 1
      banner:
        share: 1
        content: free_shipping_banner
rules:
  - id: looker
    when: views >= 2
    show:
      slot: hero
      content: free_shipping_banner
    experiment: hero-test
  - id: tell
    when: views >= 3
    emit:
      to: warehouse
      enter: lookers
      fields: [views]
";

const WAREHOUSE: &str = "destinations:
  warehouse:
    type: http
    purposes: [analytics, personalization]
    url: https://in.warehouse.example/
";

fn site() -> Result<(Site, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/shop");
    let mut files = site_files::read(&folder)?;
    files.retain(|name, _| !name.starts_with("tests/"));
    files.insert("rules.yaml".to_owned(), RULES.to_owned());
    let site = files.get_mut("site.yaml").context("a site.yaml")?;
    *site = site.replacen("destinations:\n", WAREHOUSE, 1);
    let compilation = compile(&files);
    let problems: Vec<String> =
        compilation.diagnostics.iter().map(|found| render(found, &files[&found.file])).collect();
    let program = compilation.program.with_context(|| problems.join("\n"))?;
    let schema = records::schema(&program.full.site, &program.full.plan);
    Ok((Site::load(&program.full_bytes, program.hash, 1)?, schema))
}

/// Nobody watches.
struct Nobody;

impl Watch for Nobody {
    fn reaches(&mut self, _: Sequence) {}
    fn takes(&mut self, _: &Event) {}
    fn decides(&mut self, _: &Decided<'_>) {}
}

/// What a visitor saw: when, which rule, which variant, and whether it was held out.
struct Seen {
    visitor: String,
    time_ms: u64,
    variant: Option<String>,
    is_held_out: bool,
}

/// A visitor whose events go through the edge's own step.
struct Walk<'a> {
    site: &'a Site,
    visitor: VisitorId,
    stored: Option<VisitorRecord>,
    counts: BTreeMap<WriterId, u32>,
    rows: Vec<LogRow>,
    shown: BTreeSet<(String, bool)>,
    seen: Vec<Seen>,
}

impl Walk<'_> {
    fn happen(&mut self, happened: &Happened) -> Result<()> {
        let decisions = self.send(happened)?;
        for decision in decisions {
            let held_out = decision.held_out.clone().map(|rule| (rule, true));
            let shown = decision.rule.clone().map(|rule| (rule, false));
            for (rule, is_held_out) in held_out.into_iter().chain(shown) {
                if self.shown.insert((rule.clone(), is_held_out)) {
                    self.expose(happened, &decision, &rule, is_held_out)?;
                }
            }
        }
        Ok(())
    }

    /// The exposure that a page records of a decision.
    fn expose(
        &mut self,
        at: &Happened,
        decision: &SlotDecision,
        rule: &str,
        is_held_out: bool,
    ) -> Result<()> {
        let mut properties = Map::new();
        let mut say = |name: &str, text: &str| properties.set(name, Sent::Text(text.into()));
        say("slot", &decision.slot);
        say("rule", rule);
        let variant = decision.detail.split_once('/').filter(|_| !is_held_out);
        if let Some((experiment, variant)) = variant {
            say("experiment", experiment);
            say("variant", variant);
        }
        match (is_held_out, decision.reason) {
            (true, _) => say("reason", "holdout"),
            (false, Reason::Control) => say("reason", "control"),
            _ => {}
        }
        self.seen.push(Seen {
            visitor: self.visitor.to_string(),
            time_ms: at.time_ms,
            variant: variant.map(|(_, variant)| variant.to_owned()),
            is_held_out,
        });
        let exposure = Happened {
            event_type: EventType::Exposure,
            name: "exposure".to_owned(),
            properties,
            ..at.clone()
        };
        self.send(&exposure).map(drop)
    }

    fn send(&mut self, happened: &Happened) -> Result<Vec<SlotDecision>> {
        let count = self.counts.entry(happened.writer).or_default();
        *count += 1;
        let event = Event {
            sequence: Sequence::new(*count).context("a sequence")?,
            event_type: happened.event_type,
            name: happened.name.clone(),
            time_ms: happened.time_ms,
            consent: 0,
            properties: happened.properties.clone(),
            context: happened.context.clone(),
        };
        let trust = self.site.program.parts().plan.find(&event).map_or(Trust::Client, |known| known.trust);
        let batch = Batch { header: self.header(happened), events: vec![Ok(event)] };
        let arrival = Arrival {
            received_ms: happened.time_ms,
            source: "web",
            trust,
            shown: Shown::default(),
            country: None,
            account: None,
        };
        let outcome =
            step(self.site, self.stored.clone(), batch, &arrival, &Trouble::default(), &mut Nobody)?;
        ensure!(outcome.answer.refused.is_empty(), "{:?}", outcome.answer.refused);
        self.stored = outcome.record.or(self.stored.take());
        self.rows.extend(outcome.row);
        Ok(outcome.answer.decisions)
    }

    fn header(&self, happened: &Happened) -> BatchHeader {
        BatchHeader {
            write_key: "wk".into(),
            visitor: self.visitor,
            writer: happened.writer,
            sent_at_ms: happened.time_ms,
            skew_ms: 0,
            floor: 1,
            clock: Clock::Event,
            program: None,
            dictionary: None,
            consent: vec![consent()],
            context: Map::new(),
            leases: Vec::new(),
            holder: 0,
        }
    }
}

fn consent() -> Snapshot {
    let granted = Purposes::ANALYTICS.or(Purposes::PERSONALIZATION);
    Snapshot { granted, signal: Signals::API, policy_version: 1, time_ms: 1, ..Snapshot::default() }
}

/// What happened, what was seen of it, and the records that leave for the warehouse.
struct World {
    happened: Vec<(String, Happened)>,
    seen: Vec<Seen>,
    records: Vec<Record>,
    schema: Value,
}

fn world() -> Result<World> {
    let (site, schema) = site()?;
    let recorded = RecordedArguments { dataset: Some("ecom".to_owned()), ..RecordedArguments::default() };
    let mut world = World { happened: Vec::new(), seen: Vec::new(), records: Vec::new(), schema };
    let warehouse =
        site.destinations.iter().find(|found| found.name == "warehouse").context("a warehouse")?;
    for (visitor, events) in recorded.read()?.visitors.into_iter().take(VISITORS) {
        let (counts, shown) = (BTreeMap::new(), BTreeSet::new());
        let mut walk =
            Walk { site: &site, visitor, stored: None, counts, rows: Vec::new(), shown, seen: Vec::new() };
        for recorded in events {
            walk.happen(&recorded.happened)?;
            world.happened.push((visitor.to_string(), recorded.happened));
        }
        // In the end everybody is erased.
        walk.rows.push(erasure::notice(&site, visitor, None, 1_795_000_000_000));
        for row in &walk.rows {
            for at in 0..log_line::count(row) {
                match route(&site, warehouse, row, at, &consent()) {
                    Routed::Send(records) => world.records.extend(records),
                    Routed::Filtered => {}
                    other => anyhow::bail!("an item did not leave: {other:?}"),
                }
            }
        }
        world.seen.extend(walk.seen);
    }
    Ok(world)
}

#[test]
fn every_record_of_the_recorded_log_follows_its_schema_and_the_queries_count_right() -> Result<()> {
    let world = world()?;
    for kind in RecordKind::ALL {
        let count = world.records.iter().filter(|record| record.kind == kind).count();
        ensure!(count >= 20, "only {count} records of {}", kind.as_str());
    }
    schemas_hold(&world)?;
    let ids: BTreeSet<&String> = world.records.iter().map(|record| &record.id).collect();
    ensure!(ids.len() == world.records.len(), "two records have one id");
    sessions_are_numbered(&world)?;
    let found = queried(&world)?;
    for (engine, rows) in ["sqlite", "duckdb"].map(|engine| (engine, &found[engine])) {
        assert_eq!(in_floats(&rows["sessions"]), in_floats(&sessions(&world)), "{engine}");
        assert_eq!(in_floats(&rows["funnel"]), in_floats(&funnel(&world)), "{engine}");
        assert_eq!(in_floats(&rows["lift"]), in_floats(&lift(&world)), "{engine}");
        assert_eq!(in_floats(&rows["holdout"]), in_floats(&holdout(&world)), "{engine}");
    }
    Ok(())
}

/// Each record passes the schema of its kind, and an event that of its name in the plan.
fn schemas_hold(world: &World) -> Result<()> {
    let mut validators: BTreeMap<String, Validator> = BTreeMap::new();
    for record in &world.records {
        let said: Value = serde_json::from_slice(&record.data)?;
        let kind = said["record"].as_str().context("a type")?;
        let of_plan = format!("{kind}/{}", said["name"].as_str().unwrap_or_default());
        let name = if world.schema["$defs"].get(&of_plan).is_some() { of_plan } else { kind.to_owned() };
        if !validators.contains_key(&name) {
            let pointer = format!("#/$defs/{}", name.replace('/', "~1"));
            let schema = json!({"$ref": pointer, "$defs": world.schema["$defs"]});
            validators.insert(name.clone(), jsonschema::validator_for(&schema)?);
        }
        let problem = validators[&name].validate(&said).err().map(|problem| problem.to_string());
        ensure!(problem.is_none(), "{name}: {problem:?}\n{said}");
        // The schema lets an exposure be without it; of those that a page sends, each says where it stood.
        let is_told = said["slot"].is_string() && said["slot"] == said["properties"]["slot"];
        let is_whole = record.kind != RecordKind::Exposure || is_told;
        ensure!(is_whole, "an exposure does not say where it stood: {said}");
    }
    ensure!(validators.len() >= 6, "{:?}", validators.keys());
    Ok(())
}

/// The rows of each query of the page, as each engine has them.
fn queried(world: &World) -> Result<Value> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("records.ndjson");
    let lines: Vec<&[u8]> = world.records.iter().map(|record| record.data.as_slice()).collect();
    fs::write(&file, lines.join(&b'\n'))?;
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut python = Command::new(setup::python(&Repo::find()?)?);
    python.arg(here.join("oracle/stream.py")).arg(&file).arg(here.join("../docs/stream.md"));
    let output = python.output().context("python3")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The same with all numbers as floats: a sum of whole numbers is whole for one engine and a float for the other.
fn in_floats(rows: &Value) -> Value {
    match rows {
        Value::Array(rows) => rows.iter().map(in_floats).collect(),
        Value::Number(number) => json!(number.as_f64()),
        other => other.clone(),
    }
}

/// Visitor, number, begin, end, events.
fn sessions(world: &World) -> Value {
    let mut times: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for (visitor, happened) in &world.happened {
        times.entry(visitor).or_default().push(happened.time_ms);
    }
    let mut rows = Vec::new();
    for (visitor, times) in &mut times {
        times.sort_unstable();
        let together = times.chunk_by(|before, next| next - before < SESSION_MS);
        for (at, session) in together.enumerate() {
            rows.push(json!([visitor, at + 1, session[0], session[session.len() - 1], session.len()]));
        }
    }
    json!(rows)
}

fn funnel(world: &World) -> Value {
    let mut reached: BTreeMap<&str, u64> = BTreeMap::new();
    let mut counts = Vec::new();
    for (step, name) in ["product_view", "add_to_cart", "purchase"].into_iter().enumerate() {
        let mut next: BTreeMap<&str, u64> = BTreeMap::new();
        for (visitor, happened) in world.happened.iter().filter(|(_, happened)| happened.name == name) {
            let from_ms = if step == 0 { Some(0) } else { reached.get(visitor.as_str()).copied() };
            if from_ms.is_some_and(|from_ms| happened.time_ms >= from_ms) {
                let first_ms = next.entry(visitor).or_insert(u64::MAX);
                *first_ms = happened.time_ms.min(*first_ms);
            }
        }
        counts.push(next.len());
        reached = next;
    }
    json!([counts])
}

/// The purchases of a visitor within a week of a moment.
fn purchases<'a>(world: &'a World, seen: &'a Seen) -> impl Iterator<Item = &'a Happened> {
    let week = seen.time_ms..seen.time_ms + WEEK_MS;
    let of_visitor = world.happened.iter().filter(|(visitor, _)| *visitor == seen.visitor);
    of_visitor
        .map(|(_, happened)| happened)
        .filter(move |happened| happened.name == "purchase" && week.contains(&happened.time_ms))
}

/// Experiment, variant, visitors, reached, rate, value.
fn lift(world: &World) -> Value {
    let mut arms: BTreeMap<&str, (u64, u64, f64)> = BTreeMap::new();
    for seen in &world.seen {
        let Some(variant) = &seen.variant else { continue };
        let (visitors, reached, value) = arms.entry(variant).or_default();
        *visitors += 1;
        *reached += u64::from(purchases(world, seen).next().is_some());
        *value += purchases(world, seen).filter_map(|happened| worth(&happened.properties)).sum::<f64>();
    }
    let rate = |visitors: u64, reached: u64| reached as f64 / visitors as f64;
    let row = |(variant, (visitors, reached, value)): (&&str, &(u64, u64, f64))| {
        json!([
            "hero-test",
            variant,
            visitors,
            reached,
            rate(*visitors, *reached),
            (value * 100.0).round() / 100.0
        ])
    };
    arms.iter().map(row).collect()
}

fn worth(properties: &Map) -> Option<f64> {
    match properties.get("value")? {
        Sent::Number(number) => number.micro().map(|micro| micro.0 as f64 / 1e6),
        _ => None,
    }
}

/// Rule, arm, visitors, reached.
fn holdout(world: &World) -> Value {
    let mut arms: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for seen in world.seen.iter().filter(|seen| seen.variant.as_deref() != Some("control")) {
        let arm = if seen.is_held_out { "held out" } else { "shown" };
        let (visitors, reached) = arms.entry(arm).or_default();
        *visitors += 1;
        *reached += u64::from(purchases(world, seen).next().is_some());
    }
    arms.iter().map(|(arm, (visitors, reached))| json!(["looker", arm, visitors, reached])).collect()
}

/// Every event says which session of its visitor it is of: a new one where the gap is long enough, and never one less.
fn sessions_are_numbered(world: &World) -> Result<()> {
    let mut last: BTreeMap<VisitorId, (u64, u64)> = BTreeMap::new();
    let mut begun = 0;
    for record in world.records.iter().filter(|record| record.kind == RecordKind::Event) {
        let said: Value = serde_json::from_slice(&record.data)?;
        let Some(session) = said["session"].as_u64() else { continue };
        let (before, before_ms) = last.insert(record.visitor, (session, record.time_ms)).unwrap_or((1, 0));
        let is_new = before_ms > 0 && record.time_ms - before_ms >= SESSION_MS;
        ensure!(session >= before, "{said}");
        ensure!(!is_new || session > before, "{said}");
        begun += u64::from(is_new);
    }
    ensure!(begun >= 20, "only {begun} visitors came again");
    Ok(())
}
