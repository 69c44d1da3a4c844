//! What metrics keep, from its bytes.

use super::Decoder;
use crate::limits::{DISTINCT_MAX, PANES_MAX, VALUES_MAX};
use crate::wire::codec::WireFault;
use crate::wire::state::tags::{COUNT, DISTINCT, LATEST, PANES, RECENT, SCORE, TIMES};
use crate::wire::state::{Distinct, Faded, Kept, Pane, StateFault, ValueAt};
use alloc::vec::Vec;

impl Decoder<'_> {
    /// What is kept in the shape of this tag.
    pub(super) fn kept(&mut self, tag: u8) -> Kept {
        match tag {
            TIMES => Kept::Times(self.times()),
            PANES => Kept::Panes(self.panes()),
            LATEST => Kept::Latest(self.list(2, |this| (this.time(), this.stored()))),
            RECENT => Kept::Values(self.values(VALUES_MAX, |value| (value.time_ms, 0))),
            DISTINCT => {
                let zeros = self.u8();
                let left_out_ms = if zeros > 0 { self.time() } else { i64::MIN };
                let values = self.values(DISTINCT_MAX, |value| (0, value.hash));
                Kept::Distinct(Distinct { zeros, left_out_ms, values })
            }
            SCORE => Kept::Score(Faded { time_ms: self.time(), value: self.zigzag() }),
            tag => {
                if tag != COUNT {
                    self.break_off(StateFault::Wire(WireFault::Malformed));
                }
                Kept::Count(self.short())
            }
        }
    }

    fn values(&mut self, count_max: usize, order: fn(&ValueAt) -> (i64, u64)) -> Vec<ValueAt> {
        let values = self.list(count_max, |this| {
            let hash = this.fixed();
            ValueAt { time_ms: this.time(), hash }
        });
        if !values.is_sorted_by_key(order) {
            self.break_off(StateFault::Unsorted);
        }
        values
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
