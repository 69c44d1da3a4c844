//! For every sequence: what went unobserved, and the parts that the event plays in it.

use super::Step;
use crate::rules::metric::Occurrence;
use crate::rules::sequences::{WITHOUT, miss, take};
use crate::wire::program::{SequenceRow, kind};

impl Step<'_> {
    pub(super) fn sequences(&mut self) {
        let (image, time_ms) = (self.image, self.moment.now_ms);
        let (before, now) = (self.state.in_force, self.moment.in_force);
        let (newest_ms, born_ms) = (self.state.now_ms(time_ms), self.state.born_ms);
        let mut event = Occurrence::new(image, self.event, self.moment, born_ms);
        for row in image.each_sequence() {
            let is_counted = self.usable.holds(row.purpose());
            let parts = if is_counted { parts(row, &mut event) } else { 0 };
            let Some(cell) = self.state.sequence_mut(row.meaning()) else { continue };
            if !before.and(now).holds(row.purpose()) {
                let after = i64::from(!now.holds(row.purpose()));
                miss(cell, row, time_ms.wrapping_add(after));
            }
            // What went unseen may have come right behind an event from before that.
            let is_too_old = time_ms < cell.since_ms && cell.since_ms > born_ms;
            if parts != 0 && !is_too_old {
                take(cell, row, time_ms, parts, newest_ms);
            }
        }
    }
}

/// The parts that the event plays.
fn parts(row: SequenceRow, event: &mut Occurrence) -> u8 {
    let follows = row.steps().wrapping_add((row.asks() == kind::SEQUENCE_THEN_NO).into());
    let all = follows.wrapping_add(row.has_without().into());
    let mut parts = 0;
    for at in 0..all {
        let step = event.image.sequence_step(row.first().wrapping_add(at.into()));
        if event.is(step.event(), step.filter()) {
            parts |= if at < follows { 1u8.wrapping_shl(at.into()) } else { WITHOUT };
        }
    }
    parts
}
