//! Where sequences stand, from their bytes.

use super::Decoder;
use crate::limits::{SEQUENCE_PENDING_MAX, SEQUENCE_STEPS_MAX};
use crate::wire::state::{Run, SequenceCell, StateFault};
use alloc::vec::Vec;

impl Decoder<'_> {
    pub(super) fn sequence(&mut self) -> SequenceCell {
        let since_ms = self.time();
        let place = self.u8();
        let (steps, is_unsure) = (place >> 1, place & 1 == 1);
        let run = Run { steps, is_unsure, start_ms: self.time(), done_ms: self.optional_time() };
        let times_ms = self.times();
        if usize::from(steps) > SEQUENCE_STEPS_MAX || times_ms.len() > SEQUENCE_PENDING_MAX {
            self.break_off(StateFault::TooLarge);
        }
        let mut pending = Vec::new();
        for time_ms in times_ms {
            pending.push((time_ms, self.u8()));
        }
        SequenceCell { since_ms, run, pending }
    }
}
