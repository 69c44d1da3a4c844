//! What `check` prints of a program that compiled: which rules run where and why, what each costs, what a visitor's
//! state may need.

use crate::literal::duration_text;
use crate::lower::{PlaceOf, Shared};
use crate::resolved::Site;
use selvedge_core::rules::Program;
use selvedge_core::wire::program::{Metric, MetricKind, Parts, Scope, Status, WarmUp, Window};

/// Facts about a compiled site, for people and tools.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    /// Every rule, in the order of deciding.
    pub rules: Vec<RuleSummary>,
    /// Every count.
    pub metrics: Vec<MetricSummary>,
    /// Events that a page sends at once.
    pub urgent: Vec<String>,
    /// Bytes of the full program.
    pub full_bytes: usize,
    /// Bytes of the public program.
    pub public_bytes: usize,
    /// Bytes that a visitor's state takes at most, without cap history.
    pub state_bytes_max: usize,
    /// What of it is for what.
    pub state_bound: Vec<(&'static str, usize)>,
    /// Bytes that a visitor's cap history takes at most.
    pub cap_bytes_max: usize,
}

/// Where a rule runs and what it costs.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct RuleSummary {
    /// Its id.
    pub id: String,
    /// Where it shows.
    pub slot: String,
    /// What it shows.
    pub content: String,
    /// Greater wins.
    pub priority: i32,
    /// `live`, `draft` or `paused`.
    pub status: &'static str,
    /// Whether it runs in the page too.
    pub in_page: bool,
    /// Why it runs at the edge only; empty where it runs in the page too.
    pub why: Vec<String>,
    /// Tests that its condition makes at most.
    pub tests_max: usize,
}

/// What a count keeps and when it is known.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct MetricSummary {
    /// Its name, or the count as written.
    pub name: String,
    /// The events it is worked out of.
    pub events: Vec<String>,
    /// How far it counts, where that is bounded.
    pub threshold: Option<u16>,
    /// Bytes that it takes of a visitor's state at most.
    pub bytes_max: usize,
    /// When its value becomes known for a visitor that was there before the count.
    pub known_after: String,
}

/// The summary of a site and its two programs.
pub(crate) fn summary(
    site: &Site,
    shared: &Shared,
    full: &Parts,
    bytes: (usize, usize),
    state: (Vec<(&'static str, usize)>, usize),
) -> Summary {
    let rules = site.rules.iter().zip(&shared.places).map(|(rule, place)| RuleSummary {
        id: rule.id.clone(),
        slot: rule.slot.clone(),
        content: rule.content.clone(),
        priority: rule.priority,
        status: status(rule.status),
        in_page: *place == PlaceOf::Page,
        why: match place {
            PlaceOf::Page => Vec::new(),
            PlaceOf::Edge(reasons) => reasons.clone(),
        },
        tests_max: rule.when.as_ref().map_or(0, crate::lower::size),
    });
    Summary {
        rules: rules.collect(),
        metrics: full.metrics.iter().map(|found| metric(found, full)).collect(),
        urgent: site.events.iter().filter(|event| event.urgent).map(|event| event.name.clone()).collect(),
        full_bytes: bytes.0,
        public_bytes: bytes.1,
        state_bytes_max: state.0.iter().map(|(_, bytes)| bytes).sum(),
        state_bound: state.0,
        cap_bytes_max: state.1,
    }
}

fn metric(metric: &Metric, parts: &Parts) -> MetricSummary {
    let from_log = if metric.warm_up == WarmUp::Log { ", or as far back as the log reaches" } else { "" };
    let score = parts.scores.get(usize::from(metric.detail)).filter(|_| metric.kind == MetricKind::Score);
    let events = match score {
        Some(score) => score.points.iter().map(|points| points.event.clone()).collect(),
        None => vec![metric.event.clone()],
    };
    let known_after = match metric.window {
        _ if metric.warm_up == WarmUp::Zero => "its publish".to_owned(),
        Window::Ever if score.is_some() => "it has faded".to_owned(),
        Window::Page => "the next page view".to_owned(),
        _ if metric.scope == Scope::Session => "the next session".to_owned(),
        Window::Session => "the next session".to_owned(),
        Window::Sliding(ms) => duration_text(ms),
        Window::Today => "the next day".to_owned(),
        Window::Week => "the next week".to_owned(),
        Window::Month => "the next month".to_owned(),
        Window::Ever => "never".to_owned(),
    };
    MetricSummary {
        name: metric.name.clone(),
        events,
        threshold: (metric.kind == MetricKind::Count).then_some(metric.threshold),
        bytes_max: Program::metric_bytes_max(metric),
        known_after: known_after + from_log,
    }
}

const fn status(status: Status) -> &'static str {
    match status {
        Status::Live => "live",
        Status::Draft => "draft",
        Status::Paused => "paused",
    }
}

impl std::fmt::Display for Summary {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(out, "rules, in the order of deciding:")?;
        for rule in &self.rules {
            let place = if rule.in_page {
                "page and edge".to_owned()
            } else {
                format!("edge: {}", rule.why.join(", "))
            };
            let RuleSummary { id, slot, content, priority, status, tests_max, .. } = rule;
            writeln!(out, "  {id}  {status}  {priority}  {slot} <- {content}  {tests_max} tests  {place}")?;
        }
        writeln!(out, "metrics, and when they are known of a visitor who was there before them:")?;
        for metric in &self.metrics {
            let MetricSummary { name, events, threshold, bytes_max, known_after } = metric;
            let to = threshold.map(|threshold| format!("  to {threshold}")).unwrap_or_default();
            let events = events.join(", ");
            writeln!(out, "  {name}  {events}{to}  {bytes_max} bytes  after {known_after}")?;
        }
        writeln!(out, "sent at once: {}", self.urgent.join(", "))?;
        let Self { full_bytes, public_bytes, state_bytes_max, cap_bytes_max, .. } = self;
        writeln!(out, "program: {full_bytes} bytes, {public_bytes} of them public")?;
        let bound: Vec<String> =
            self.state_bound.iter().map(|(what, bytes)| format!("{what} {bytes}")).collect();
        writeln!(out, "a visitor's state: at most {state_bytes_max} bytes, caps {cap_bytes_max}")?;
        write!(out, "of the state: {}", bound.join(", "))
    }
}
