//! Where sequences stand, as bytes.

use super::Encoder;
use crate::wire::state::SequenceCell;
use alloc::vec::Vec;

impl Encoder {
    pub(super) fn sequence(&mut self, sequence: &SequenceCell) {
        let run = sequence.run;
        self.time(sequence.since_ms);
        self.out.u8(run.steps << 1 | u8::from(run.is_unsure));
        self.time(run.start_ms);
        self.optional_time(run.done_ms);
        let times_ms: Vec<i64> = sequence.pending.iter().map(|(time_ms, _)| *time_ms).collect();
        self.times(&times_ms);
        sequence.pending.iter().for_each(|(_, parts)| self.out.u8(*parts));
    }
}
