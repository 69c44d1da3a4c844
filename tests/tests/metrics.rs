//! What the rules know of metrics over the recorded shop log, at every event and between events, held against SQL that
//! shares no code with us: `oracle/metrics.sql` says each metric twice, in the rule language and in SQL.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::scope;

use anyhow::{Context, Result, bail, ensure};
use selvedge_cli::replay::dataset::{Dataset, cache_dir};
use selvedge_cli::replay::map::Map;
use selvedge_cli::replay::recording::{Recorded, Recording};
use selvedge_cli::replay::rows::Rows;
use selvedge_cli::site_files;
use selvedge_compiler::{Compiled, Severity, compile, render};
use selvedge_core::consent::Purposes;
use selvedge_core::rules::{Known, Moment, Orders, Place, Program, explain, known_facts, step};
use selvedge_core::tracking_plan::Trust;
use selvedge_core::value;
use selvedge_core::wire::answer::Reason;
use selvedge_core::wire::program::{Parts, Shape};
use selvedge_core::wire::state::VisitorState;
use selvedge_edge::publish::hash_of;
use selvedge_edge::rates;
use selvedge_edge::site::Site;
use serde::Deserialize;
use serde_json::Value;

/// Metrics of one site: so many fit into a visitor's state.
const METRICS_PER_SITE: usize = 2;
const MICRO: i64 = 1_000_000;

/// What `oracle/metrics.py` says.
#[derive(Deserialize)]
struct Oracle {
    rows: usize,
    /// The moments that are asked for, by visitor: after which of its events, and when.
    moments: BTreeMap<String, Vec<(usize, i64)>>,
    /// By metric and visitor, its value at each of the visitor's moments.
    values: BTreeMap<String, BTreeMap<String, Vec<Value>>>,
}

/// One block of `oracle/metrics.sql`.
#[derive(Clone)]
struct Metric {
    name: String,
    /// `metric` or `score`: where in rules.yaml it stands; a `condition` has no definition.
    definition: Option<(String, String)>,
    when: String,
    unit: Unit,
    currency: Currency,
}

/// Which currencies amounts are in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Currency {
    Own,
    /// Every seventh is in dollars, and nothing says what they are worth.
    Unknown,
    /// Every seventh is in dollars, of which the rate is known.
    Rates,
}

impl Currency {
    const ALL: [Self; 3] = [Self::Own, Self::Unknown, Self::Rates];
}

/// Which rows are in dollars: those whose number it divides.
const ABROAD: usize = 7;
const RATES: &str = "rates: fx\nlookups:\n  fx:\n    key: currency\n    from: csv fx.csv\n";

/// What a value is in SQL.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    /// A count that is kept as far as it is compared.
    Count,
    /// A number or an amount, which rules know in millionths.
    Number,
    /// What is already in the units of the rules: millionths, milliseconds.
    Plain,
    Text,
    /// Whether the condition holds: 0, 1, or nothing where it is unknown.
    Condition,
    /// A number that may differ by a thousandth: a score decays in steps.
    Near,
}

impl Metric {
    fn read(block: &str) -> Result<Self> {
        let mut lines = block.lines();
        let name = lines.next().context("a name")?.trim().to_owned();
        let mut said: BTreeMap<&str, &str> = BTreeMap::new();
        for line in lines.filter_map(|line| line.strip_prefix("-- ")) {
            let (key, text) = line.split_once(": ").with_context(|| line.to_owned())?;
            said.insert(key, text);
        }
        let definition = ["metric", "score"]
            .iter()
            .find_map(|key| Some(((*key).to_owned(), (*said.get(key)?).to_owned())));
        let when = (*said.get("when").with_context(|| format!("{name} has no condition"))?).to_owned();
        let unit = match said.get("unit").copied() {
            None => Unit::Count,
            Some("number") => Unit::Number,
            Some("millionths" | "milliseconds") => Unit::Plain,
            Some("text") => Unit::Text,
            Some("condition") => Unit::Condition,
            Some("near") => Unit::Near,
            Some(other) => bail!("{name} has the unit {other}"),
        };
        let currency = match said.get("currency").copied() {
            None => Currency::Own,
            Some("unknown") => Currency::Unknown,
            Some("rates") => Currency::Rates,
            Some(other) => bail!("{name} has the currency {other}"),
        };
        Ok(Self { name, definition, when, unit, currency })
    }
}

fn oracle_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("oracle").join(name)
}

fn metrics() -> Result<Vec<Metric>> {
    let text = fs::read_to_string(oracle_file("metrics.sql"))?;
    let blocks = text.split("-- name: ").skip(1);
    // One alone, while it is worked on.
    let only = std::env::var("SELVEDGE_METRIC").unwrap_or_default();
    blocks.filter(|block| block.starts_with(&only)).map(Metric::read).collect()
}

fn ask_oracle(file: &Path) -> Result<Oracle> {
    let mut python = Command::new("python3");
    python.arg(oracle_file("metrics.py")).arg(file).arg(oracle_file("metrics.sql"));
    let output = python.output().context("python3")?;
    ensure!(output.status.success(), "the oracle failed: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).context("the oracle's answer")
}

/// The events of the log by visitor, in the order of the log; `is_abroad`: amounts are in several currencies.
fn events(file: &Path, map: &Map, is_abroad: bool) -> Result<BTreeMap<String, Vec<Recorded>>> {
    let mut recording = Recording::new(map, map.time_format()?);
    let mut events: BTreeMap<String, Vec<Recorded>> = BTreeMap::new();
    for (at, row) in Rows::open(File::open(file)?)?.enumerate() {
        let mut recorded =
            recording.event(&row?).map_err(|row| anyhow::anyhow!("line {}: {}", row.line, row.problem))?;
        if is_abroad && ["product_view", "purchase"].contains(&recorded.event.name.as_str()) {
            let currency = if at % ABROAD == 0 { "USD" } else { "EUR" };
            recorded.event.properties.set("currency", value::Value::Text(currency.to_owned()));
        }
        events.entry(recorded.visitor.to_string()).or_default().push(recorded);
    }
    Ok(events)
}

/// The shop's site with these metrics and a rule for each in the place of its own.
fn site(metrics: &[Metric]) -> Result<Compiled> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/shop");
    let mut files = site_files::read(&folder)?;
    files.retain(|name, _| !name.starts_with("tests/"));
    files.insert("rules.yaml".to_owned(), rules_yaml(metrics));
    let currency = metrics.first().map(|metric| metric.currency);
    if currency == Some(Currency::Rates) {
        let site = files.get_mut("site.yaml").context("a site")?;
        *site = site.replacen("lookups:\n", RATES, 1);
        files.insert("fx.csv".to_owned(), "currency,rate\nUSD,0.92\n".to_owned());
    }
    let compilation = compile(&files);
    let errors = compilation.diagnostics.iter().filter(|found| found.severity == Severity::Error);
    let problems: Vec<String> = errors.map(|found| render(found, &files[&found.file])).collect();
    compilation.program.with_context(|| problems.join("\n"))
}

fn rules_yaml(metrics: &[Metric]) -> String {
    let mut yaml = String::new();
    for (kind, head) in [("metric", "metrics:\n"), ("score", "scores:\n")] {
        let lines: Vec<String> = metrics
            .iter()
            .filter_map(|metric| {
                let (_, text) = metric.definition.as_ref().filter(|(found, _)| found == kind)?;
                Some(format!("  {}: {text}\n", metric.name))
            })
            .collect();
        if !lines.is_empty() {
            yaml.push_str(head);
            yaml.push_str(&lines.concat());
        }
    }
    yaml.push_str("rules:\n");
    for Metric { name, when, .. } in metrics {
        let quoted = when.replace('\'', "''");
        yaml.push_str(&format!(
            "  - id: {}\n    when: '{quoted}'\n    show:\n      slot: hero\n      content: hero_collection\n",
            name.replace('_', "-")
        ));
    }
    yaml
}

/// A metric as a program has it.
struct Asked<'a> {
    metric: &'a Metric,
    rule: usize,
    /// The fact that the rule's condition tests first.
    fact: usize,
}

impl<'a> Asked<'a> {
    fn new(metric: &'a Metric, parts: &Parts) -> Result<Self> {
        let id = metric.name.replace('_', "-");
        let rule = parts.rules.iter().position(|rule| rule.id == id).context("its rule")?;
        let when = parts.rules[rule].when.context("a condition")?;
        Ok(Self { metric, rule, fact: parts.code[usize::from(when)].fact.into() })
    }

    /// Whether what the engine knows is what the query says.
    fn agrees(&self, parts: &Parts, found: &Found, expected: &Value) -> bool {
        if self.metric.unit == Unit::Condition {
            return found.truths[self.rule] == expected.as_i64().map(|truth| truth == 1);
        }
        let known = found.facts[self.fact];
        let expected = match (self.metric.unit, expected) {
            (_, Value::Null) => Some(Known::MISSING),
            (Unit::Text, Value::String(text)) => place_of(text, &parts.facts[self.fact].shape),
            (Unit::Number, number) => number.as_i64().map(|number| Known::exact(number * MICRO)),
            (Unit::Count, number) => {
                return number.as_i64().is_some_and(|number| self.is_count(known, number));
            }
            (Unit::Near, number) => return number.as_f64().is_some_and(|number| is_near(known, number)),
            (_, number) => number.as_i64().map(Known::exact),
        };
        expected == Some(known)
    }

    /// Counting may end at the number that the condition names; below it is exact.
    fn is_count(&self, known: Known, expected: i64) -> bool {
        let named = self.metric.when.rsplit(' ').next().and_then(|word| word.parse().ok());
        let ends_at: i64 = named.unwrap_or(i64::MAX);
        known.low == known.high && (known.low == expected || known.low.min(expected) >= ends_at)
    }
}

fn place_of(text: &str, shape: &Shape) -> Option<Known> {
    let Shape::OneOf(texts) = shape else { return None };
    let place = texts.iter().position(|known| known == text);
    Some(Known::exact(place.map_or(1, |place| i64::try_from(place).unwrap_or(i64::MAX) + 2)))
}

/// A score is known, and is this but for a thousandth of a point.
fn is_near(known: Known, expected: f64) -> bool {
    known.low == known.high && (known.low as f64 / MICRO as f64 - expected).abs() <= 0.001 * expected.max(1.0)
}

/// What the engine says at a moment: of every fact, and of every rule's condition.
struct Found {
    facts: Vec<Known>,
    truths: Vec<Option<bool>>,
}

impl Found {
    fn at(program: &Program, state: &VisitorState, moment: &Moment) -> Self {
        let truth = |reason| match reason {
            Reason::False => Some(false),
            Reason::Unknown => None,
            _ => Some(true),
        };
        let truths = explain(program, state, moment).into_iter().map(|candidate| truth(candidate.reason));
        Self { facts: known_facts(program, state, moment), truths: truths.collect() }
    }
}

/// Compares these metrics at every moment of every visitor; how many values, and what is wrong with the first that differ.
fn compare(
    metrics: &[Metric],
    events: &BTreeMap<String, Vec<Recorded>>,
    oracle: &Oracle,
) -> Result<(usize, Vec<String>)> {
    let compiled = site(metrics)?;
    let edge = Site::load(&compiled.full_bytes, hash_of(&compiled.full_bytes), 1)?;
    let asked: Vec<Asked> =
        metrics.iter().map(|metric| Asked::new(metric, &compiled.full)).collect::<Result<_>>()?;
    let (mut compared, mut wrong) = (0, Vec::new());
    for (visitor, moments) in &oracle.moments {
        let mut visit = Visit::new(&edge, &events[visitor]);
        for (at, (sequence, now_ms)) in moments.iter().enumerate() {
            let found = visit.at(*sequence, *now_ms);
            for asked in &asked {
                let expected = &oracle.values[&asked.metric.name][visitor][at];
                compared += 1;
                if !asked.agrees(&compiled.full, &found, expected) && wrong.len() < 20 {
                    wrong.push(format!(
                        "{} of {visitor} after event {sequence} at {now_ms}: SQL says {expected}, the rules {:?} {:?}",
                        asked.metric.name, found.facts[asked.fact], found.truths[asked.rule]
                    ));
                }
            }
        }
    }
    Ok((compared, wrong))
}

/// A visitor of the log, stepped so far.
struct Visit<'a> {
    site: &'a Site,
    program: &'a Program,
    events: &'a [Recorded],
    stepped: usize,
    state: VisitorState,
    context: value::Map,
}

impl<'a> Visit<'a> {
    fn new(site: &'a Site, events: &'a [Recorded]) -> Self {
        let state = VisitorState::new(events[0].event.time_ms.cast_signed());
        Self { site, program: &site.program, events, stepped: 0, state, context: value::Map::new() }
    }

    /// What is known at `now_ms`, after so many events.
    fn at(&mut self, events: usize, now_ms: i64) -> Found {
        while self.stepped < events {
            let recorded = &self.events[self.stepped];
            let moment = moment(&self.context, recorded, recorded.event.time_ms.cast_signed());
            let told = rates::counted(self.site, Cow::Borrowed(&recorded.event), moment.now_ms);
            let orders = Orders { is_converted: told.is_converted, ..moment.orders };
            let moment = Moment { orders, ..moment };
            let stepped = step(self.program, &mut self.state, &told.event, moment.in_force, &moment);
            assert!(!stepped.late, "the log is in order");
            self.stepped += 1;
        }
        let newest = &self.events[self.stepped.saturating_sub(1)];
        Found::at(self.program, &self.state, &moment(&self.context, newest, now_ms))
    }
}

fn moment<'a>(context: &'a value::Map, recorded: &Recorded, now_ms: i64) -> Moment<'a> {
    let in_force = Purposes(u16::MAX);
    Moment {
        writer: recorded.writer,
        context,
        now_ms,
        in_force,
        place: Place::Edge,
        trust: Trust::Client,
        account: None,
        visitor: selvedge_core::id::VisitorId([7; 16]),
        orders: Orders::default(),
    }
}

/// What the issue asks for is among them: 40 definitions and more, of every kind, sequences and absences too.
fn check_kinds(metrics: &[Metric]) {
    let mut meanings = BTreeSet::new();
    for metric in metrics {
        let text = metric.definition.as_ref().map_or(&metric.when, |(_, text)| text);
        meanings.insert(text.as_str());
    }
    assert!(meanings.len() >= 40, "{} definitions", meanings.len());
    let kinds = [
        "count ",
        "sum ",
        "min ",
        "max ",
        "avg ",
        "distinct ",
        "first ",
        "last ",
        "previous ",
        "time since ",
        "most_frequent ",
        "{half_life",
        "sequence ",
        "no ",
    ];
    for kind in kinds {
        assert!(meanings.iter().any(|text| text.starts_with(kind)), "no `{kind}` is asked for");
    }
    let holds = |word: &str| meanings.iter().any(|text| text.starts_with("sequence ") && text.contains(word));
    assert!(holds(" then no ") && holds(" without "));
    for currency in Currency::ALL {
        let of = metrics.iter().filter(|metric| metric.currency == currency).count();
        assert!(of >= 3, "{of} metrics of a currency");
    }
}

#[test]
fn metrics_are_what_sql_says_at_every_event_of_the_recorded_log() -> Result<()> {
    let dataset = Dataset::named("ecom").context("the data set is known")?;
    let file = dataset.fetch(&cache_dir())?;
    let oracle = ask_oracle(&file)?;
    let map = Map::parse(dataset.map)?;
    let (events, abroad) = (events(&file, &map, false)?, events(&file, &map, true)?);
    let metrics = metrics()?;
    assert_eq!(events.values().map(Vec::len).sum::<usize>(), oracle.rows);
    let names: BTreeSet<&str> = metrics.iter().map(|metric| metric.name.as_str()).collect();
    assert_eq!(metrics.len(), names.len(), "a metric stands twice");
    if std::env::var_os("SELVEDGE_METRIC").is_none() {
        check_kinds(&metrics);
    }
    let of = |currency| metrics.iter().filter(|metric| metric.currency == currency).cloned().collect();
    let by_currency: Vec<(Currency, Vec<Metric>)> =
        Currency::ALL.into_iter().map(|currency| (currency, of(currency))).collect();
    let (mut compared, mut wrong) = (0, Vec::new());
    let outcomes: Vec<_> = scope(|scope| {
        let sites = by_currency.iter().flat_map(|(currency, metrics)| {
            let events = if *currency == Currency::Own { &events } else { &abroad };
            metrics.chunks(METRICS_PER_SITE).map(move |metrics| (metrics, events))
        });
        let oracle = &oracle;
        let started: Vec<_> =
            sites.map(|(metrics, events)| scope.spawn(move || compare(metrics, events, oracle))).collect();
        started.into_iter().map(|site| site.join().expect("comparing does not panic")).collect()
    });
    for outcome in outcomes {
        let (more_compared, more_wrong) = outcome?;
        compared += more_compared;
        wrong.extend(more_wrong);
    }
    println!("{} metrics, {} events, {compared} values compared", metrics.len(), oracle.rows);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared >= metrics.len() * oracle.rows);
    Ok(())
}
