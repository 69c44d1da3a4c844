//! What metrics keep, from its bytes.

use super::Decoder;
use crate::limits::PANES_MAX;
use crate::wire::codec::WireFault;
use crate::wire::state::tags::{COUNT, PANES, SCORE, TIMES};
use crate::wire::state::{Faded, Kept, Pane, StateFault};
use alloc::vec::Vec;

impl Decoder<'_> {
    /// What is kept in the shape of this tag.
    pub(super) fn kept(&mut self, tag: u8) -> Kept {
        match tag {
            TIMES => Kept::Times(self.times()),
            PANES => Kept::Panes(self.panes()),
            SCORE => Kept::Score(Faded { time_ms: self.time(), value: self.zigzag() }),
            tag => {
                if tag != COUNT {
                    self.break_off(StateFault::Wire(WireFault::Malformed));
                }
                Kept::Count(self.short())
            }
        }
    }

    fn panes(&mut self) -> Vec<Pane> {
        let mut before_ms = self.born_ms;
        let mut panes = self.list(PANES_MAX, |this| Pane {
            start_ms: this.zigzag(),
            count: this.word(),
            value: this.zigzag(),
        });
        for pane in &mut panes {
            pane.start_ms = pane.start_ms.wrapping_add(before_ms);
            before_ms = pane.start_ms;
        }
        if !panes.is_sorted_by(|before, next| before.start_ms < next.start_ms) {
            self.break_off(StateFault::Unsorted);
        }
        panes
    }
}
