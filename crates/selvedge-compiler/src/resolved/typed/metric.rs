//! Metrics, checked: their events and properties exist, and have the type that the class works with.

use super::Checker;
use crate::codes::Code;
use crate::condition::KEPT;
use crate::condition::{Class, Expr, Metric, Path, Score, Source};
use crate::resolved::fact::{FactType, Typed};
use crate::resolved::measured::{property_of, splits};
use crate::resolved::rates::in_own_currency;
use crate::source::Span;
use crate::suggest::did_you_mean;
use selvedge_core::wire::program::{MetricKind, Scope, SequenceKind, WarmUp, Window};

/// A metric, checked.
#[derive(Debug, Clone)]
pub(crate) struct TypedMetric {
    pub name: String,
    pub kind: MetricKind,
    pub event: String,
    pub property: Option<String>,
    pub filter: Option<Typed>,
    pub window: Window,
    pub scope: Scope,
    pub detail: u16,
    pub score: Option<TypedScore>,
    pub warm_up: WarmUp,
    /// Where it is written.
    pub span: Span,
    pub sequence: Option<TypedSequence>,
    /// Whether it is made of amounts that may be of another currency.
    pub of_money: bool,
}

/// How a score is made, checked.
#[derive(Debug, Clone)]
pub(crate) struct TypedScore {
    pub half_life_ms: u64,
    pub min: i64,
    pub max: i64,
    pub points: Vec<TypedPoints>,
}

/// What an event adds to a score, checked.
#[derive(Debug, Clone)]
pub(crate) struct TypedPoints {
    pub event: String,
    pub filter: Option<Typed>,
    pub micro: i64,
}

/// A sequence, checked.
#[derive(Debug, Clone)]
pub(crate) struct TypedSequence {
    pub asks: SequenceKind,
    pub steps: Vec<TypedStep>,
    pub then_no: Option<TypedStep>,
    pub without: Option<TypedStep>,
}

/// An event and what it must pass.
#[derive(Debug, Clone)]
pub(crate) struct TypedStep {
    pub event: String,
    pub filter: Option<Typed>,
}

/// How a count in this window is kept.
pub(super) const fn count_kind(window: Window) -> MetricKind {
    match window {
        Window::Page | Window::Session | Window::Sliding(_) => MetricKind::Count,
        Window::Today | Window::Week | Window::Month | Window::Ever => MetricKind::Tally,
    }
}

impl Checker<'_, '_> {
    /// A metric; `None` where it has an error, which is reported.
    pub fn metric(&mut self, metric: &Metric, name: &str) -> Option<TypedMetric> {
        let found = self.of_class(metric, name)?;
        self.warms_up(&found);
        Some(found)
    }

    /// Reports a way to begin that the metric cannot have.
    fn warms_up(&mut self, metric: &TypedMetric) {
        let why = match metric.warm_up {
            WarmUp::Unknown => return,
            _ if metric.sequence.is_some() => "what follows or stays away is not counted",
            WarmUp::Log if metric.scope == Scope::Account => "an account has no part of the log of its own",
            WarmUp::Log if metric.window == Window::Page => "a page view begins without it anyway",
            _ => return,
        };
        let message = format!("`{}` cannot be warmed up: {why}", metric.name);
        self.report.add_help(Code::E0730, metric.span, message, "remove `warm_up`".to_owned());
    }

    fn of_class(&mut self, metric: &Metric, name: &str) -> Option<TypedMetric> {
        match &metric.class {
            Class::Count | Class::NoneIn => self.count(metric, name),
            Class::Sequence(follows) => self.sequence(metric, follows, name),
            Class::Absence => self.absence(metric, name),
            Class::Sum => self.amount(metric, name, MetricKind::Sum),
            Class::Min => self.amount(metric, name, MetricKind::Min),
            Class::Max => self.amount(metric, name, MetricKind::Max),
            Class::Average => self.amount(metric, name, MetricKind::Average),
            Class::Distinct => self.value(metric, name, MetricKind::Distinct),
            Class::First => self.value(metric, name, MetricKind::First),
            Class::Last => self.value(metric, name, MetricKind::Last),
            Class::Previous => self.value(metric, name, MetricKind::Previous),
            Class::MostFrequent => self.value(metric, name, MetricKind::MostFrequent),
            Class::Top => self.value(metric, name, MetricKind::Top),
            Class::Since => {
                let event = self.event(&metric.path)?;
                self.typed(metric, name, MetricKind::Since, event, None)
            }
            Class::Score(score) => self.score(metric, score, name),
            Class::History(history, is_windowed) => self.history(metric, *history, *is_windowed, name),
        }
    }

    fn count(&mut self, metric: &Metric, name: &str) -> Option<TypedMetric> {
        let event = self.event(&metric.path)?;
        if let Some(same) = self.same_value(metric) {
            let metric = Metric { filter: same.rest, ..metric.clone() };
            let typed = self.typed(&metric, name, MetricKind::Same, event, Some(same.property))?;
            return Some(TypedMetric { detail: metric.max.unwrap_or(KEPT), ..typed });
        }
        if metric.max.is_some() {
            let message = "`max` says how many values are kept, and a count of all keeps none";
            self.report.add(Code::E0302, metric.source.span, message);
            return None;
        }
        self.typed(metric, name, count_kind(metric.window), event, None)
    }

    fn amount(&mut self, metric: &Metric, name: &str, kind: MetricKind) -> Option<TypedMetric> {
        let (event, property, fact_type) = self.property_path(&metric.path)?;
        if !matches!(fact_type, FactType::Number | FactType::Money) {
            let message = format!("`{property}` of `{event}` is no number");
            let help = "measure a property of type `number`, `integer` or `money`".to_owned();
            self.report.add_help(Code::E0302, metric.path.span, message, help);
            return None;
        }
        let is_money = fact_type == FactType::Money && self.may_be_foreign(&event);
        let typed = self.typed(metric, name, kind, event, Some(property))?;
        Some(TypedMetric { of_money: typed.of_money || is_money, ..typed })
    }

    fn score(&mut self, metric: &Metric, score: &Score, name: &str) -> Option<TypedMetric> {
        let mut points = Vec::new();
        for written in &score.points {
            let Some(event) = self.event(&written.path) else { continue };
            let filter = match &written.filter {
                None => None,
                Some(filter) => Some(self.own_filter(filter, &event, &metric.source)?),
            };
            points.push(TypedPoints { event, filter, micro: written.micro });
        }
        let Score { half_life_ms, min, max, .. } = *score;
        let typed = self.typed(metric, name, MetricKind::Score, String::new(), None)?;
        Some(TypedMetric { score: Some(TypedScore { half_life_ms, min, max, points }), ..typed })
    }

    /// Whether the last filter tests amounts that may be of another currency.
    fn is_of_money(&self, event: &str) -> bool {
        self.reads_money && (self.reads_rates || self.may_be_foreign(event))
    }

    /// A filter that only events pass of whose amounts something is known, where it tests amounts.
    pub(super) fn own_filter(&mut self, filter: &Expr, event: &str, source: &Source) -> Option<Typed> {
        let typed = self.filter(filter, event)?;
        if !self.is_of_money(event) {
            return Some(typed);
        }
        Some(Typed::And(vec![typed, in_own_currency(self.rates.is_some(), source)]))
    }

    /// What all classes have in common.
    pub(in crate::resolved) fn typed(
        &mut self,
        metric: &Metric,
        name: &str,
        kind: MetricKind,
        event: String,
        property: Option<String>,
    ) -> Option<TypedMetric> {
        let filter = match &metric.filter {
            None => None,
            Some(filter) => Some(self.filter(filter, &event)?),
        };
        let of_money = filter.is_some() && self.is_of_money(&event);
        let (name, window, scope) = (name.to_owned(), metric.window, metric.scope);
        Some(TypedMetric {
            of_money,
            name,
            kind,
            event,
            property,
            filter,
            window,
            scope,
            detail: 0,
            score: None,
            warm_up: metric.warm_up,
            span: metric.source.span,
            sequence: None,
        })
    }

    /// The event that a path names; it is reported where there is none.
    pub(super) fn event(&mut self, path: &Path) -> Option<String> {
        let is_known = path.property.is_none() && self.names.has_event(&path.name);
        (is_known || self.known_event(&path.name, path.span)).then(|| path.name.clone())
    }

    /// Whether there is an event of this name; where there is none, it is reported.
    pub fn known_event(&mut self, name: &str, span: Span) -> bool {
        if self.names.has_event(name) {
            return true;
        }
        let known = self.names.events.iter().map(|event| event.name.as_str());
        let message = format!("the tracking plan has no event `{name}`");
        self.report.add_help(Code::E0202, span, message, did_you_mean(name, known));
        false
    }

    /// The event and property that a path names, and the property's type; it is reported where there is none.
    pub(in crate::resolved) fn property_path(&mut self, path: &Path) -> Option<(String, String, FactType)> {
        if let Some(found) = property_of(path, self.names.events) {
            return Some(found);
        }
        let split = splits(&path.name).find(|(event, _)| self.names.event(event).is_some());
        let named = path.property.as_ref().map(|property| (path.name.as_str(), property.as_str()));
        let named = named.or(split);
        match named.and_then(|(name, property)| Some((name, property, self.names.event(name)?))) {
            Some((name, property, event)) => {
                let known = event.properties.iter().map(|property| property.name.as_str());
                let message = format!("`{name}` has no property `{property}` in the tracking plan");
                self.report.add_help(Code::E0203, path.span, message, did_you_mean(property, known));
            }
            None if self.names.has_event(&path.name) => {
                let message = format!("a property of `{}` is needed", path.name);
                let help = format!("write `{}.` and the property's name", path.name);
                self.report.add_help(Code::E0203, path.span, message, help);
            }
            None => drop(self.event(path)),
        }
        None
    }
}
