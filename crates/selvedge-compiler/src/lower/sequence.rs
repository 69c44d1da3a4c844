//! Sequences, as parts of a program.

use super::code::index;
use super::parts::Builder;
use crate::resolved::{Metric, Sequence, Step};
use selvedge_core::consent::Purposes;
use selvedge_core::wire::program::{self, SequenceStep, Window};

impl Builder<'_> {
    /// The sequence under this purpose; the code of its filters comes before it.
    pub(super) fn sequence(
        &mut self,
        metric: &Metric,
        sequence: &Sequence,
        meaning: u64,
        purpose: Purposes,
    ) -> u16 {
        let mut step = |step: &Step| SequenceStep {
            event: step.event.clone(),
            filter: step.filter.as_ref().map(|filter| self.append(filter, &[])),
        };
        let steps = sequence.steps.iter().map(&mut step).collect();
        let (then_no, without) =
            (sequence.then_no.as_ref().map(&mut step), sequence.without.as_ref().map(&mut step));
        let place = index(self.sequences.len());
        self.metric_places.insert(meaning, place);
        self.sequences.push(program::Sequence {
            name: metric.name.clone(),
            meaning,
            asks: sequence.asks,
            steps,
            then_no,
            without,
            window_ms: if let Window::Sliding(ms) = metric.window { ms } else { 0 },
            purpose,
            private: !self.shared.page_metrics.contains(&meaning),
        });
        place
    }
}
