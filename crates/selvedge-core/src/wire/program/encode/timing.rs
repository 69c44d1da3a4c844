//! The tables of when rules are considered.

use super::{Tables, size, tag, timer_hash};
use crate::wire::program::{Rule, Timing};

impl Tables {
    /// What is considered at every event needs no row.
    pub(super) fn timer(&mut self, at: u16, rule: &Rule) {
        let Timing { trigger, after_ms } = &rule.timing;
        if rule.timing == Timing::default() {
            return;
        }
        let events = trigger.as_ref().map_or(&[][..], |trigger| trigger.events.as_slice());
        let places: alloc::vec::Vec<u32> = events.iter().map(|event| self.text(event)).collect();
        let triggers = self.table(tag::TRIGGERS);
        let first = u16::try_from(triggers.next(size::PLACE)).unwrap_or(u16::MAX);
        for place in places {
            triggers.fixed(place);
        }
        let at_session_end = trigger.as_ref().is_some_and(|trigger| trigger.session_end);
        let count = u8::try_from(events.len()).unwrap_or(u8::MAX);
        let row = self.table(tag::TIMERS).fixed(timer_hash(rule)).fixed(*after_ms).fixed(first).fixed(at);
        row.raw(&[count, trigger.is_some().into(), at_session_end.into()]).end(size::NARROW);
    }
}
