//! The ledger: what became of every event. Its counters commit with the rows they count, as one packed row, and the
//! identity `received = accepted + deduplicated + refused` always holds.

use alloc::vec::Vec;
use selvedge_core::event::RefusalCode;
use selvedge_core::wire::codec::{Reader, WireFault, Writer};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident = $number:literal;)*) => {
        /// A counter of the ledger. The numbers are stored, never reused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Counter { $($(#[$doc])* $name = $number,)* }
    };
}

counters! {
    /// Batches that were stepped.
    Batches = 1;
    /// Events that came in them.
    Received = 2;
    /// Events that stand in the log.
    Accepted = 3;
    /// Events that had been taken before.
    Deduplicated = 4;
    /// Refused events whose payload is kept.
    Quarantined = 5;
    /// Accepted events that came too late to be stepped.
    Late = 6;
    /// Accepted events whose clock was far off.
    ClockOff = 7;
    /// Visitors' states that could not be read and were begun anew.
    StateResets = 8;
    /// Batches by which a visitor took back a purpose.
    Withdrawals = 9;
    /// Steps that failed and were rolled back.
    StepFailures = 10;
    /// Quarantined events given up because the quarantine was full.
    QuarantineEvicted = 11;
    /// Quarantined events destroyed because their visitor took back the purpose.
    QuarantinePurged = 12;
    /// Quarantined events that were accepted when they were replayed.
    QuarantineReplayed = 40;
    /// Quarantined events whose time to be kept was over.
    QuarantineExpired = 41;
    /// Quarantined events that an admin dropped.
    QuarantineDropped = 42;
    /// Commits that changed the quarantine without a batch.
    QuarantineChanges = 43;
    /// Deadlines of visitors that could not be decided at and were put off.
    DeadlinesPutOff = 60;
    /// Deadlines of visitors that were given up.
    DeadlinesGivenUp = 61;
    /// Visitors that were erased.
    VisitorsErased = 64;
    /// Items of the log: its events and notes, from its beginning on.
    LogItems = 20;
    /// Bytes of the log's rows, from its beginning on.
    LogBytes = 21;
    /// Notes of the log: what no event says, from its beginning on.
    LogNotes = 22;
}

/// Refusals are counted by code, above the plain counters.
const REFUSED_FROM: u8 = 128;

/// Counts by counter and refusal code.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ledger {
    /// Sorted by number; no zero stands in it.
    counts: Vec<(u8, u64)>,
}

impl Ledger {
    /// Counts `count` more.
    pub fn add(&mut self, counter: Counter, count: u64) {
        self.add_number(counter as u8, count);
    }

    /// Counts one refusal.
    pub fn refuse(&mut self, code: RefusalCode) {
        self.add_number((code as u8).saturating_add(REFUSED_FROM), 1);
    }

    /// Counts everything that `other` counted.
    pub fn merge(&mut self, other: &Self) {
        other.counts.iter().for_each(|(number, count)| self.add_number(*number, *count));
    }

    /// What was counted.
    #[must_use]
    pub fn get(&self, counter: Counter) -> u64 {
        self.get_number(counter as u8)
    }

    /// How many refusals with this code.
    #[must_use]
    pub fn refused(&self, code: RefusalCode) -> u64 {
        self.get_number((code as u8).saturating_add(REFUSED_FROM))
    }

    /// How many refusals in all.
    #[must_use]
    pub fn refused_in_all(&self) -> u64 {
        RefusalCode::ALL.iter().fold(0, |sum, code| self.refused(*code).saturating_add(sum))
    }

    /// Grows with every commit that counts: of two states of one ledger, the greater is the newer.
    #[must_use]
    pub fn age(&self) -> u64 {
        let commits = [Counter::Batches, Counter::StepFailures, Counter::QuarantineChanges];
        commits.into_iter().fold(0, |sum, counter| self.get(counter).saturating_add(sum))
    }

    /// The bytes of the packed row.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        for (number, count) in &self.counts {
            out.u8(*number);
            out.varint(*count);
        }
        out.into_bytes()
    }

    /// The ledger of a packed row.
    ///
    /// # Errors
    /// [`WireFault`] for bytes that are none.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireFault> {
        let mut reader = Reader::new(bytes);
        let mut ledger = Self::default();
        while !reader.is_empty() {
            let number = reader.u8()?;
            ledger.add_number(number, reader.varint_u64()?);
        }
        Ok(ledger)
    }

    fn add_number(&mut self, number: u8, count: u64) {
        if count == 0 {
            return;
        }
        match self.counts.binary_search_by_key(&number, |(known, _)| *known) {
            Ok(at) => {
                if let Some((_, known)) = self.counts.get_mut(at) {
                    *known = known.saturating_add(count);
                }
            }
            Err(at) => self.counts.insert(at, (number, count)),
        }
    }

    fn get_number(&self, number: u8) -> u64 {
        let at = self.counts.binary_search_by_key(&number, |(known, _)| *known).ok();
        at.and_then(|at| self.counts.get(at)).map_or(0, |(_, count)| *count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_survives_the_row() {
        let mut ledger = Ledger::default();
        ledger.add(Counter::Received, 3);
        ledger.refuse(RefusalCode::NoConsent);
        ledger.refuse(RefusalCode::NoConsent);
        let mut twice = Ledger::decode(&ledger.encode()).unwrap();
        assert_eq!(twice, ledger);
        twice.merge(&ledger);
        assert_eq!(twice.get(Counter::Received), 6);
        assert_eq!(twice.refused(RefusalCode::NoConsent), 4);
        assert_eq!(twice.refused_in_all(), 4);
        assert_eq!(twice.get(Counter::Late), 0);
    }
}
