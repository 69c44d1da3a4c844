//! What there is to say of a program that compiled: which rules run where and why, what each costs, what a visitor's state
//! may need.

mod text;

use crate::literal::duration_text;
use crate::lower::{PlaceOf, Shared};
use crate::resolved::Site;
use selvedge_core::consent::Purposes;
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
    /// The destination that it tells, where it tells one.
    pub tells: Option<String>,
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
    /// What it is kept for: a metric of rules of two purposes is kept for each.
    pub purpose: &'static str,
    /// The events it is worked out of.
    pub events: Vec<String>,
    /// How far it counts, where that is bounded.
    pub threshold: Option<u16>,
    /// Bytes that it takes of a visitor's state at most.
    pub bytes_max: usize,
    /// Behind what its value becomes known for a visitor that was there before the count; `never` where it does not.
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
        tells: rule.emit.as_ref().map(|emit| emit.to.clone()),
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
    let mut events = match score {
        Some(score) => score.points.iter().map(|points| points.event.clone()).collect(),
        None => vec![metric.event.clone()],
    };
    events.dedup();
    let known_after = match metric.window {
        _ if metric.warm_up == WarmUp::Zero => "its publish".to_owned(),
        Window::Ever if score.is_some() => "it has faded".to_owned(),
        // What was last is known with the next.
        _ if matches!(metric.kind, MetricKind::Last | MetricKind::Since) => {
            format!("the next {}", metric.event)
        }
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
        purpose: purpose(metric.purpose),
        events,
        threshold: (metric.kind == MetricKind::Count).then_some(metric.threshold),
        bytes_max: Program::metric_bytes_max(metric),
        known_after: known_after + from_log,
    }
}

fn purpose(purpose: Purposes) -> &'static str {
    let named = |name: &&str| Purposes::named(name).is_some_and(|known| known.holds(purpose));
    Purposes::NAMES.into_iter().find(named).unwrap_or_default()
}

const fn status(status: Status) -> &'static str {
    match status {
        Status::Live => "live",
        Status::Draft => "draft",
        Status::Paused => "paused",
    }
}
