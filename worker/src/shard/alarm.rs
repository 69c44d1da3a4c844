//! The one alarm of a shard, which stands at the earliest of what it waits for: deadlines of rules, sends to destinations,
//! the end of what is kept. A time that is set is remembered, so that a request that wants it no earlier writes nothing.

use crate::clock::now_ms;
use crate::host;
use selvedge_core::limits::{LOG_KEEP_MS, QUARANTINE_KEEP_MS};
use selvedge_core::wire::program::Keep;
use selvedge_edge::alarm::{self, Wish};
use std::cell::Cell;
use worker::SqlStorage;
use worker::durable::Storage;

/// Gives the earliest time that the tables know of: Unix milliseconds.
type Earliest = fn(&SqlStorage, &Alarm) -> worker::Result<Option<u64>>;

/// When the alarm is known to ring, and what that depends on besides the tables.
#[derive(Debug)]
pub struct Alarm {
    earliest: Earliest,
    known: Cell<alarm::Alarm>,
    /// How long rows of the log and of the quarantine are kept.
    keep: Cell<Keep>,
    /// Nothing is sent before: a delivery failed.
    put_off_ms: Cell<u64>,
}

impl Alarm {
    /// An alarm for what `earliest` knows of.
    pub const fn new(earliest: Earliest) -> Self {
        let (known, put_off_ms) = (Cell::new(alarm::Alarm::unknown()), Cell::new(0));
        let keep = Keep { log_ms: LOG_KEEP_MS, quarantine_ms: QUARANTINE_KEEP_MS };
        Self { earliest, known, keep: Cell::new(keep), put_off_ms }
    }

    /// It rings at this time or before; without a time whenever there is something to do. Within a transaction that is
    /// rolled back this must be taken back: [`Self::forget`].
    pub fn by(&self, storage: &Storage, wanted_ms: Option<u64>) -> worker::Result<()> {
        match self.known.get().by(wanted_ms, now_ms()) {
            Wish::Nothing => Ok(()),
            Wish::Set(time_ms) => self.set(storage, time_ms),
            Wish::Ask => self.arm(storage, wanted_ms),
        }
    }

    /// Sets it to the earliest time that the tables, or the caller, know of, or that it was set to already.
    pub fn arm(&self, storage: &Storage, wanted_ms: Option<u64>) -> worker::Result<()> {
        let known_ms = (self.earliest)(&storage.sql(), self)?;
        let last_ms = self.known.get().last(now_ms());
        match [wanted_ms, known_ms, last_ms].into_iter().flatten().min() {
            Some(earliest_ms) => self.set(storage, earliest_ms),
            None => {
                self.note(|known| known.set(None));
                Ok(())
            }
        }
    }

    /// It rings now: whoever wants it to ring again is served by the end of the ring.
    pub fn rings(&self) {
        self.note(alarm::Alarm::rings);
    }

    /// What was set may not have been kept.
    pub fn forget(&self) {
        self.note(alarm::Alarm::forget);
    }

    /// How long rows are kept, as the program in force says.
    pub fn keeps(&self, keep: Keep) {
        self.keep.set(keep);
    }

    /// The same; what it is where nothing is said, as long as no program is known.
    pub const fn keep(&self) -> Keep {
        self.keep.get()
    }

    /// Nothing is sent before: Unix milliseconds.
    pub const fn put_off_ms(&self) -> u64 {
        self.put_off_ms.get()
    }

    /// Nothing is sent before this time.
    pub fn put_off(&self, until_ms: u64) {
        self.put_off_ms.set(until_ms);
    }

    fn set(&self, storage: &Storage, time_ms: u64) -> worker::Result<()> {
        host::set_alarm(storage, time_ms)?;
        self.note(|known| known.set(Some(time_ms)));
        Ok(())
    }

    fn note(&self, change: impl FnOnce(&mut alarm::Alarm)) {
        let mut known = self.known.get();
        change(&mut known);
        self.known.set(known);
    }
}
