//! The bytes of what metrics keep.

use super::Encoder;
use crate::wire::state::{Kept, Pane, ValueAt};

impl Encoder {
    /// What is kept, behind its tag.
    pub(super) fn kept(&mut self, kept: &Kept) {
        match kept {
            Kept::Count(count) => self.out.varint((*count).into()),
            Kept::Times(times_ms) => self.times(times_ms),
            Kept::Panes(panes) => self.panes(panes),
            Kept::Latest(values) => {
                self.out.count(values.len());
                for (time_ms, value) in values {
                    self.time(*time_ms);
                    self.stored(value);
                }
            }
            Kept::Values(values) => self.values(values),
            Kept::Distinct(distinct) => {
                self.out.u8(distinct.zeros);
                if distinct.zeros > 0 {
                    self.time(distinct.left_out_ms);
                }
                self.values(&distinct.values);
            }
            Kept::Score(faded) => {
                self.time(faded.time_ms);
                self.out.zigzag(faded.value);
            }
        }
    }

    fn values(&mut self, values: &[ValueAt]) {
        self.out.count(values.len());
        for value in values {
            self.out.fixed_u64(value.hash);
            self.time(value.time_ms);
        }
    }

    fn panes(&mut self, panes: &[Pane]) {
        self.out.count(panes.len());
        let mut before_ms = self.born_ms;
        for pane in panes {
            self.out.zigzag(pane.start_ms.wrapping_sub(before_ms));
            self.out.varint(pane.count.into());
            self.out.zigzag(pane.value);
            before_ms = pane.start_ms;
        }
    }
}
