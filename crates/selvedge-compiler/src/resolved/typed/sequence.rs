//! Sequences and absences, checked: their events exist.

use super::Checker;
use super::metric::{TypedMetric, TypedSequence, TypedStep};
use crate::condition::{Expr, Follows, Metric, Path, Source, Step};
use selvedge_core::wire::program::{MetricKind, SequenceKind};

impl Checker<'_, '_> {
    pub(super) fn sequence(&mut self, metric: &Metric, follows: &Follows, name: &str) -> Option<TypedMetric> {
        let asks = if follows.then_no.is_some() { SequenceKind::ThenNo } else { SequenceKind::Then };
        let first = self.step(&metric.path, metric.filter.as_ref(), &metric.source);
        let mut steps = vec![first];
        for then in &follows.then {
            steps.push(self.step(&then.path, then.filter.as_ref(), &metric.source));
        }
        let mut other = |step: &Option<Step>| match step {
            None => Some(None),
            Some(step) => self.step(&step.path, step.filter.as_ref(), &metric.source).map(Some),
        };
        let (then_no, without) = (other(&follows.then_no), other(&follows.without));
        let steps = steps.into_iter().collect::<Option<Vec<_>>>()?;
        let sequence = TypedSequence { asks, steps, then_no: then_no?, without: without? };
        self.of_events(metric, name, sequence)
    }

    pub(super) fn absence(&mut self, metric: &Metric, name: &str) -> Option<TypedMetric> {
        let steps = vec![self.step(&metric.path, metric.filter.as_ref(), &metric.source)?];
        let asks = SequenceKind::Absence;
        self.of_events(metric, name, TypedSequence { asks, steps, then_no: None, without: None })
    }

    fn step(&mut self, path: &Path, filter: Option<&Expr>, source: &Source) -> Option<TypedStep> {
        let event = self.event(path)?;
        let filter = match filter {
            None => None,
            Some(filter) => Some(self.own_filter(filter, &event, source)?),
        };
        Some(TypedStep { event, filter })
    }

    /// The filters belong to the events: the metric itself has none.
    fn of_events(&mut self, metric: &Metric, name: &str, sequence: TypedSequence) -> Option<TypedMetric> {
        let event = sequence.steps.first()?.event.clone();
        let plain = Metric { filter: None, ..metric.clone() };
        let typed = self.typed(&plain, name, MetricKind::Count, event, None)?;
        Some(TypedMetric { sequence: Some(sequence), ..typed })
    }
}
