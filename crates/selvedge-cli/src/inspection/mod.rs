//! A program taken apart: what is inside, what each rule costs, what reaches the page.

pub mod cost;
pub mod text;

use anyhow::Result;
use cost::{tests_max, tests_of};
use selvedge_compiler::Compiled;
use selvedge_core::rules::Program;
use selvedge_core::wire::program::{Destination, Parts, RecordKind, Rule, Status, Way};
use selvedge_edge::json::purpose_names;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// A program taken apart.
#[derive(Debug, Serialize)]
pub struct Inspection {
    /// The site's name.
    pub site: String,
    /// `full`, or `public` where it is the pages' program.
    pub form: &'static str,
    /// The first 16 bytes of the SHA-256 of its bytes: the name of a full program.
    pub hash: String,
    /// Bytes of it.
    pub bytes: usize,
    /// Bytes of the pages' program, where that is known.
    pub public_bytes: Option<usize>,
    /// How many there are of each part.
    pub parts: BTreeMap<&'static str, usize>,
    /// Bytes that a visitor's state takes at most.
    pub state_bytes_max: usize,
    /// What of it is for what.
    pub state_bound: Vec<(&'static str, usize)>,
    /// Bytes that a visitor's cap history takes at most.
    pub cap_bytes_max: usize,
    /// Every rule, in the order of deciding.
    pub rules: Vec<RuleCost>,
    /// Every metric.
    pub metrics: Vec<MetricCost>,
    /// Every destination.
    pub destinations: Vec<DestinationOutline>,
    /// Names that no page ever sees.
    pub hidden: Vec<String>,
}

/// What a rule costs, and where it runs.
#[derive(Debug, Serialize)]
pub struct RuleCost {
    /// Its id.
    pub id: String,
    /// The slot it shows in.
    pub slot: String,
    /// Greater wins.
    pub priority: i32,
    /// `live`, `draft` or `paused`.
    pub status: &'static str,
    /// Tests of its condition.
    pub tests: usize,
    /// Tests on the longest way through it.
    pub tests_max: usize,
    /// Whether pages load it.
    pub in_page: bool,
    /// Why they do not, where that is known.
    pub why: Vec<String>,
}

/// Where records go, and which.
#[derive(Debug, Serialize)]
pub struct DestinationOutline {
    /// Its name.
    pub name: String,
    /// `http`, `kafka`, `queue` or `log`.
    pub way: &'static str,
    /// The address, the brokers, the binding; empty for the log.
    pub to: String,
    /// What it uses records for.
    pub purposes: Vec<String>,
    /// The kinds of records that it takes.
    pub records: Vec<&'static str>,
    /// Tests of its condition.
    pub tests: usize,
    /// The share of visitors, of 10,000.
    pub sample: u16,
    /// The names of the secrets that it needs.
    pub secrets: Vec<String>,
}

/// What a metric keeps.
#[derive(Debug, Serialize)]
pub struct MetricCost {
    /// Its name, or the expression.
    pub name: String,
    /// The event.
    pub event: String,
    /// Whether pages are told of it.
    pub in_page: bool,
}

/// What is inside a compiled site.
///
/// # Errors
/// Where the program is not accepted.
pub fn inspection_of_site(compiled: &Compiled) -> Result<Inspection> {
    let mut found = inspection_of_bytes(&compiled.full_bytes)?;
    found.public_bytes = Some(compiled.public_bytes.len());
    for (rule, summary) in found.rules.iter_mut().zip(&compiled.summary.rules) {
        rule.why.clone_from(&summary.why);
    }
    Ok(found)
}

/// What is inside a program's bytes.
///
/// # Errors
/// Where they are none.
pub fn inspection_of_bytes(bytes: &[u8]) -> Result<Inspection> {
    let program = Program::load(bytes)?;
    let parts = Parts::decode(bytes)?;
    let digest = Sha256::digest(bytes);
    Ok(Inspection {
        site: parts.site.clone(),
        form: if parts.edge.is_some() { "full" } else { "public" },
        hash: digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect(),
        bytes: bytes.len(),
        public_bytes: None,
        parts: counts(&parts),
        state_bytes_max: program.state_bytes_max(),
        state_bound: program.state_bound(),
        cap_bytes_max: program.cap_bytes_max(),
        rules: parts.rules.iter().map(|rule| rule_cost(rule, &parts)).collect(),
        metrics: metric_costs(&parts),
        destinations: parts.destinations.iter().map(|found| outline(found, &parts)).collect(),
        hidden: hidden(&parts),
    })
}

fn counts(parts: &Parts) -> BTreeMap<&'static str, usize> {
    BTreeMap::from([
        ("rules", parts.rules.len()),
        ("slots", parts.slots.len()),
        ("contents", parts.contents.len()),
        ("groups", parts.groups.len()),
        ("facts", parts.facts.len()),
        ("metrics", parts.metrics.len()),
        ("attributes", parts.attributes.len()),
        ("instructions", parts.code.len()),
        ("events", parts.plan.events.len()),
    ])
}

fn rule_cost(rule: &Rule, parts: &Parts) -> RuleCost {
    RuleCost {
        id: rule.id.clone(),
        slot: parts.slots.get(usize::from(rule.slot)).map_or_else(String::new, |slot| slot.name.clone()),
        priority: rule.priority,
        status: match rule.status {
            Status::Live => "live",
            Status::Draft => "draft",
            Status::Paused => "paused",
        },
        tests: tests_of(&parts.code, rule.when).len(),
        tests_max: tests_max(&parts.code, rule.when),
        in_page: rule.in_page,
        why: Vec::new(),
    }
}

fn metric_costs(parts: &Parts) -> Vec<MetricCost> {
    let cost = |metric: &selvedge_core::wire::program::Metric| MetricCost {
        name: metric.name.clone(),
        event: metric.event.clone(),
        in_page: !metric.private,
    };
    parts.metrics.iter().map(cost).collect()
}

fn outline(found: &Destination, parts: &Parts) -> DestinationOutline {
    let (way, to) = match &found.way {
        Way::Log => ("log", String::new()),
        Way::Http(http) => ("http", http.url.clone()),
        Way::Kafka(kafka) => ("kafka", format!("{} at {}", kafka.topic, kafka.brokers.join(", "))),
        Way::Queue { binding, dead_letter } => ("queue", format!("{binding}, else {dead_letter}")),
    };
    let kinds = RecordKind::ALL.into_iter().filter(|kind| found.records.has(*kind));
    let tests = found.filter.map_or(0, |at| tests_of(&parts.code, Some(at)).len());
    DestinationOutline {
        name: found.name.clone(),
        way,
        to,
        purposes: purpose_names(found.purposes),
        records: kinds.map(RecordKind::as_str).collect(),
        tests,
        sample: found.sample,
        secrets: found.way.secrets().map(str::to_owned).collect(),
    }
}

/// Rules, metrics and attributes that only the edge knows.
fn hidden(parts: &Parts) -> Vec<String> {
    let rules = parts.rules.iter().filter(|rule| !rule.in_page).map(|rule| format!("rule {}", rule.id));
    let metrics = parts.metrics.iter().filter(|metric| metric.private);
    let metrics = metrics.map(|metric| format!("metric {}", metric.name));
    let attributes = parts.attributes.iter().filter(|attribute| attribute.private);
    let attributes = attributes.map(|attribute| format!("attribute {}", attribute.name));
    rules.chain(metrics).chain(attributes).collect()
}
