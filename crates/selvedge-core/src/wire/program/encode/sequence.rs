//! The tables of sequences.

use super::{NONE, Tables, size, tag};
use crate::wire::program::{Sequence, SequenceStep};

impl Tables {
    pub(super) fn sequence(&mut self, sequence: &Sequence) {
        let name = self.text(&sequence.name);
        let first = self.table(tag::SEQUENCE_STEPS).next(size::NARROW);
        let steps = sequence.steps.iter().chain(&sequence.then_no).chain(&sequence.without);
        steps.for_each(|step| self.sequence_step(step));
        let row = self.table(tag::SEQUENCES).fixed(sequence.meaning).fixed(sequence.window_ms).fixed(name);
        row.fixed(u16::try_from(first).unwrap_or(u16::MAX)).fixed(sequence.purpose.0);
        let steps = u8::try_from(sequence.steps.len()).unwrap_or(u8::MAX);
        row.raw(&[sequence.asks as u8, steps, sequence.private.into(), sequence.without.is_some().into()])
            .end(size::WIDE);
    }

    fn sequence_step(&mut self, step: &SequenceStep) {
        let event = self.text(&step.event);
        let row = self.table(tag::SEQUENCE_STEPS).fixed(event);
        row.fixed(step.filter.unwrap_or(NONE)).end(size::NARROW);
    }
}
