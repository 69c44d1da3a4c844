//! Metrics resolved: with their filters as truths, and what else lowering needs.

use super::fact::{Fact, Leaf, LeafTest};
use super::fuse::truth_of;
use super::truth::Truth;
use super::typed::{TypedMetric, TypedScore, TypedSequence, TypedStep};
use crate::diagnostic::Report;
use crate::source::Span;
use selvedge_core::limits::COUNT_THRESHOLD_MAX;
use selvedge_core::wire::program::{MetricKind, Scope, SequenceKind, WarmUp, Window};

/// A metric, resolved.
#[derive(Clone)]
pub(crate) struct Metric {
    pub name: String,
    pub kind: MetricKind,
    pub event: String,
    pub property: Option<String>,
    pub filter: Option<Truth>,
    pub window: Window,
    pub scope: Scope,
    pub detail: u16,
    /// The time zone of a window of the calendar: part of its meaning.
    pub timezone: Option<String>,
    pub score: Option<Score>,
    pub warm_up: WarmUp,
    /// Where it is written.
    pub span: Span,
    /// What it asks, where it is a sequence or an absence; then its kind says nothing.
    pub sequence: Option<Sequence>,
    /// Whether it is made of amounts that may be of another currency.
    pub of_money: bool,
    /// Whether these are converted.
    pub is_converted: bool,
}

/// How a score is made, resolved.
#[derive(Clone)]
pub(crate) struct Score {
    pub half_life_ms: u64,
    pub min: i64,
    pub max: i64,
    pub points: Vec<Points>,
}

/// What an event adds to a score, resolved.
#[derive(Clone)]
pub(crate) struct Points {
    pub event: String,
    pub filter: Option<Truth>,
    pub micro: i64,
}

/// A sequence or absence, resolved.
#[derive(Clone)]
pub(crate) struct Sequence {
    pub asks: SequenceKind,
    pub steps: Vec<Step>,
    pub then_no: Option<Step>,
    pub without: Option<Step>,
}

/// An event of a sequence.
#[derive(Clone)]
pub(crate) struct Step {
    pub event: String,
    pub filter: Option<Truth>,
}

impl Sequence {
    /// Every event that it follows.
    pub fn all(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().chain(&self.then_no).chain(&self.without)
    }
}

impl Metric {
    /// Every event that steps it.
    pub fn events(&self) -> impl Iterator<Item = &str> {
        let of_score = self.points().iter().map(|points| points.event.as_str());
        let followed = self.sequence.iter().flat_map(Sequence::all).map(|step| step.event.as_str());
        let own = std::iter::once(self.event.as_str()).filter(|event| !event.is_empty());
        own.chain(of_score).chain(followed)
    }

    /// Every filter of its events.
    pub fn filters(&self) -> impl Iterator<Item = &Truth> {
        let of_score = self.points().iter().filter_map(|points| points.filter.as_ref());
        let followed = self.sequence.iter().flat_map(Sequence::all).filter_map(|step| step.filter.as_ref());
        self.filter.iter().chain(of_score).chain(followed)
    }

    /// Whether what it is depends on rates.
    pub fn needs_rates(&self) -> bool {
        let by_rate = |leaf: &Leaf| {
            let mut simple = leaf.fact.simple();
            simple.any(|fact| matches!(fact, Fact::OwnCurrency(true) | Fact::Amount(_)))
        };
        self.is_converted || self.filters().flat_map(Truth::leaves).any(by_rate)
    }

    /// What adds to it, where it is a score.
    pub fn points(&self) -> &[Points] {
        self.score.as_ref().map(|score| score.points.as_slice()).unwrap_or_default()
    }

    /// Whether its value is a whole number of events.
    pub const fn is_count(&self) -> bool {
        self.sequence.is_none() && matches!(self.kind, MetricKind::Count | MetricKind::Tally)
    }

    /// Whether it keeps so many values as its detail says.
    pub const fn keeps_values(&self) -> bool {
        matches!(
            self.kind,
            MetricKind::Distinct | MetricKind::MostFrequent | MetricKind::Top | MetricKind::Same
        )
    }

    /// How far it can count.
    pub fn count_max(&self) -> i64 {
        match (self.kind, self.window) {
            (MetricKind::Count, Window::Sliding(_)) => i64::try_from(COUNT_THRESHOLD_MAX).unwrap_or(0),
            (MetricKind::Count, _) => i64::from(u16::MAX),
            _ => i64::from(u32::MAX),
        }
    }
}

/// Resolves a metric; what is wrong with its filter is reported.
pub(super) fn metric(found: TypedMetric, (timezone, has_rates): (&str, bool), report: &mut Report) -> Metric {
    let TypedMetric {
        name,
        kind,
        event,
        property,
        filter,
        window,
        scope,
        detail,
        score: points,
        sequence,
        warm_up,
        span,
        of_money,
    } = found;
    let filter = filter.map(|filter| truth_of(filter, report));
    let never_negative = kind == MetricKind::Sum && is_never_negative(property.as_deref(), filter.as_ref());
    let is_of_calendar = matches!(window, Window::Today | Window::Week | Window::Month);
    Metric {
        name,
        kind,
        event,
        property,
        filter,
        window,
        scope,
        detail: if never_negative { 1 } else { detail },
        timezone: is_of_calendar.then(|| timezone.to_owned()),
        score: points.map(|points| score(points, report)),
        warm_up,
        span,
        sequence: sequence.map(|sequence| resolve_sequence(sequence, report)),
        of_money,
        is_converted: of_money && has_rates,
    }
}

fn resolve_sequence(found: TypedSequence, report: &mut Report) -> Sequence {
    let mut step = |found: TypedStep| Step {
        event: found.event,
        filter: found.filter.map(|filter| truth_of(filter, report)),
    };
    Sequence {
        asks: found.asks,
        steps: found.steps.into_iter().map(&mut step).collect(),
        then_no: found.then_no.map(&mut step),
        without: found.without.map(&mut step),
    }
}

fn score(found: TypedScore, report: &mut Report) -> Score {
    let points = found.points.into_iter().map(|points| Points {
        event: points.event,
        filter: points.filter.map(|filter| truth_of(filter, report)),
        micro: points.micro,
    });
    let points = points.collect();
    Score { half_life_ms: found.half_life_ms, min: found.min, max: found.max, points }
}

/// Whether only events pass whose property is not below 0.
fn is_never_negative(property: Option<&str>, filter: Option<&Truth>) -> bool {
    let is_bounded = |leaf: &Leaf| match (&leaf.fact, &leaf.test) {
        (Fact::Property(name), LeafTest::Ranges(ranges)) => {
            Some(name.as_str()) == property && ranges.iter().all(|(low, _)| *low >= 0)
        }
        _ => false,
    };
    match filter {
        Some(Truth::Leaf(leaf)) => is_bounded(leaf),
        Some(Truth::All(parts)) => parts.iter().any(|part| is_never_negative(property, Some(part))),
        _ => false,
    }
}

/// A count that is compared with another fact, or with more than what is kept of it one by one, is counted as a number.
pub(super) fn count_as_values<'a>(
    conditions: impl Iterator<Item = &'a Truth>,
    metrics: &mut [Option<Metric>],
) {
    for leaf in conditions.flat_map(Truth::leaves) {
        for fact in leaf.fact.simple() {
            let Fact::Metric(at) = fact else { continue };
            let Some(Some(metric)) = metrics.get_mut(*at) else { continue };
            let is_value = leaf.fact.uses_values() || threshold_of(&leaf.test) > metric.count_max();
            if metric.kind == MetricKind::Count && is_value {
                metric.kind = MetricKind::Tally;
            }
        }
    }
}

/// The largest count that the test names, plus one.
pub(crate) fn threshold_of(test: &LeafTest) -> i64 {
    let LeafTest::Ranges(ranges) = test else { return 1 };
    let ends = ranges.iter().flat_map(|(low, high)| [*low, *high]);
    ends.filter(|end| *end != i64::MAX).max().unwrap_or(0).saturating_add(1).max(1)
}
