//! What follows from a send that did not deliver: a wait, a pause, smaller sends, a refusal.

use super::{Machine, at};
use crate::delivery::item::Refused;
use crate::delivery::sent::SendResult;
use crate::delivery::state::Paused;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use selvedge_core::limits::{DELIVERY_RETRY_MS_MAX, REFUSED_IN_A_ROW_MAX, RETRY_AFTER_MS_MAX};
use selvedge_core::mutation::{Mutation, is_planted};

/// The first bound of the wait between two sends; it doubles with every failure.
const RETRY_MS_MIN: u64 = 1_000;
/// No wait is shorter.
const WAIT_MS_MIN: u64 = 50;
/// Bytes of what went wrong that are kept.
const WHY_BYTES_MAX: usize = 240;
/// Times that a send may go on without an end.
const GOES_ON_MAX: u32 = 64;

impl Machine {
    pub(super) fn failed(&mut self, result: SendResult, now_ms: u64, random: u32) -> Vec<Refused> {
        let counts = &mut self.state.counts;
        counts.failures = counts.failures.saturating_add(1);
        match result {
            SendResult::Delivered | SendResult::Some => {}
            SendResult::Again { is_answered: false, .. } if is_planted(Mutation::CursorBeforeAck) => {
                self.settle_records(usize::MAX, now_ms);
                self.state.window = None;
            }
            SendResult::Again { after_ms, is_answered, why } => {
                self.wait(after_ms, why, now_ms, random);
                if !is_answered {
                    self.note_unsure();
                }
                if let Some(window) = &mut self.state.window {
                    window.is_in_air = false;
                }
            }
            SendResult::Prepare { why } => {
                // The first time at once; a transport that never is content waits as others do.
                let is_first = self.state.failures == 0;
                self.wait(None, why, now_ms, random);
                if is_first {
                    self.state.not_before_ms = 0;
                }
                self.state.window = None;
            }
            SendResult::Pause { why } => {
                if let Some(window) = &mut self.state.window {
                    window.is_in_air = false;
                }
                self.state.last_error = shortened(&why);
                self.state.paused = Some(Paused { by_operator: false, why: shortened(&why) });
            }
            SendResult::Split { why } => return self.split(&why),
            SendResult::Poison { records, why } => return self.poison(&records, &why),
        }
        Vec::new()
    }

    /// The destination may have what is in the window: all of it stays, and goes again as it was.
    pub(super) fn note_unsure(&mut self) {
        if let Some(window) = &mut self.state.window {
            window.is_unsure = true;
            self.state.unsure = self.state.unsure.max(window.items);
        }
    }

    /// A send that goes on and on without an end is a failure too.
    pub(super) fn goes_on(&mut self, now_ms: u64, random: u32) {
        let Some(window) = &mut self.state.window else { return };
        window.attempt = window.attempt.saturating_add(1);
        if window.attempt.is_multiple_of(GOES_ON_MAX) {
            window.is_in_air = false;
            self.wait(None, "it takes the records bit by bit, without an end".into(), now_ms, random);
        }
    }

    /// Full jitter: anything up to a bound that doubles, and what the destination asked for at least.
    fn wait(&mut self, after_ms: Option<u64>, why: String, now_ms: u64, random: u32) {
        let state = &mut self.state;
        let bound_ms = RETRY_MS_MIN
            .saturating_mul(1u64.checked_shl(state.failures).unwrap_or(u64::MAX))
            .min(DELIVERY_RETRY_MS_MAX);
        let jittered_ms = bound_ms.saturating_mul(u64::from(random)) >> 32;
        let asked_ms = after_ms.unwrap_or(0).min(RETRY_AFTER_MS_MAX);
        let asked_ms = if is_planted(Mutation::WaitIgnored) { 0 } else { asked_ms };
        let wait_ms = jittered_ms.max(asked_ms).max(WAIT_MS_MIN);
        state.failures = state.failures.saturating_add(1);
        state.not_before_ms = now_ms.saturating_add(wait_ms);
        state.last_error = shortened(&why);
    }

    /// Half as many at once; one that is too large alone is refused.
    fn split(&mut self, why: &str) -> Vec<Refused> {
        let items = self.state.window.take().map_or(0, |window| window.items);
        self.state.last_error = shortened(why);
        if items > 1 {
            self.state.items_max = items / 2;
            if is_planted(Mutation::SplitLosesHalf) {
                self.flight.truncate(at(self.state.settled.saturating_add(items / 2)));
                self.state.in_flight = items / 2;
            }
            return Vec::new();
        }
        self.state.suspects = 0;
        self.refuse_first("too_large", why)
    }

    /// Those that were named are refused; where none was, half of them are tried.
    fn poison(&mut self, records: &[usize], why: &str) -> Vec<Refused> {
        let named = self.items_of(records);
        let items = self.state.window.take().map_or(0, |window| window.items);
        self.state.last_error = shortened(why);
        if !named.is_empty() {
            self.state.suspects = 0;
            return self.refuse(&named, "poison", why);
        }
        if items > 1 {
            self.state.suspects = items;
            return Vec::new();
        }
        self.state.suspects = 0;
        self.refuse_first("poison", why)
    }

    /// The places in the flight of the items that these records of the window belong to, ascending.
    fn items_of(&self, records: &[usize]) -> Vec<usize> {
        let first = at(self.state.settled);
        let done = at(self.state.records_done);
        let (mut places, mut begin) = (Vec::new(), 0usize);
        for (place, item) in self.window_items().enumerate() {
            let end = begin.saturating_add(item.records.len());
            let is_in = |record: &usize| (begin..end).contains(&record.saturating_add(done));
            if records.iter().any(is_in) {
                places.push(first.saturating_add(place));
            }
            begin = end;
        }
        places
    }

    fn refuse_first(&mut self, code: &'static str, why: &str) -> Vec<Refused> {
        let first = at(self.state.settled);
        if is_planted(Mutation::PoisonTakesNext) {
            return self.refuse(&[first, first.saturating_add(1)], code, why);
        }
        self.refuse(&[first], code, why)
    }

    /// Takes items out of the flight, to the quarantine.
    fn refuse(&mut self, places: &[usize], code: &'static str, why: &str) -> Vec<Refused> {
        let mut refused = Vec::new();
        let unsure = at(self.state.settled.saturating_add(self.state.unsure));
        for place in places.iter().rev() {
            if *place >= self.flight.len() {
                continue;
            }
            if *place < unsure {
                self.state.unsure = self.state.unsure.saturating_sub(1);
            }
            let item = self.flight.remove(*place);
            let id = item.records.first().map_or_else(String::new, |record| record.id.clone());
            refused.push(Refused { item, id, code, why: shortened(why) });
            if *place == at(self.state.settled) {
                self.state.records_done = 0;
            }
        }
        refused.reverse();
        let count = u32::try_from(refused.len()).unwrap_or(u32::MAX);
        let state = &mut self.state;
        state.in_flight = state.in_flight.saturating_sub(count);
        state.counts.quarantined = state.counts.quarantined.saturating_add(u64::from(count));
        state.refused_in_a_row = state.refused_in_a_row.saturating_add(count);
        self.is_flight_new |= count > 0;
        if state.refused_in_a_row >= REFUSED_IN_A_ROW_MAX {
            let why = format!("it refused {} events in a row: {why}", state.refused_in_a_row);
            state.paused = Some(Paused { by_operator: false, why: shortened(&why) });
        }
        if self.state.in_flight == 0 {
            self.fly(Vec::new());
        } else {
            self.note_oldest();
        }
        refused
    }
}

/// What went wrong, as far as it is kept.
pub(super) fn shortened(why: &str) -> String {
    let mut end = why.len().min(WHY_BYTES_MAX);
    while !why.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    why.get(..end).unwrap_or_default().into()
}
