//! One event out of the quarantine, through the step again: the consent of today is asked, the plan of today judges it, and
//! it keeps its id.
//!
//! Its place among the writer's events was taken when it was refused, so that to the dedup window it is a duplicate for
//! ever. What makes it count once is the entry itself: the shell removes it in the transaction that writes what comes out
//! here, and there is no second entry of one id whose place was taken.

use super::{Before, Stepper};
use crate::gate::{Gate, Shown};
use crate::ingest::entry::Refused;
use crate::ingest::terms::{Arrival, Outcome, Stale, Trouble, Watch};
use crate::ledger::Counter;
use crate::site::Site;
use alloc::boxed::Box;
use alloc::string::String;
use selvedge_core::event::RefusalCode;
use selvedge_core::wire::stored::VisitorRecord;

/// What became of an event of the quarantine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Again {
    /// It was accepted: what to store, besides removing the entry.
    Accepted(Box<Outcome>),
    /// It is refused still: the entry's new line.
    Refused(RefusalCode, String),
    /// The visitor has taken back what it may be used for: the entry is to be destroyed.
    Destroyed,
    /// Its place was not taken when it was refused, and has been since: it, or another copy of it, was accepted, or was
    /// given up by its sender. The entry stays, for somebody to judge.
    Duplicate,
}

/// Takes an event of the quarantine up again, at `now_ms` of the edge's clock.
///
/// Rules know it at the time that they would have known it at when it came; where they have gone on since, it is late. Of
/// the visitor's consent it says nothing new.
///
/// # Errors
/// [`Stale`], before anything was done.
pub fn replay(
    site: &Site,
    stored: Option<VisitorRecord>,
    entry: &Refused,
    now_ms: u64,
    watch: &mut dyn Watch,
) -> Result<Again, Stale> {
    if let Some(record) = stored.as_ref().filter(|record| record.publish > site.publish) {
        return Err(Stale { known: record.publish, given: site.publish });
    }
    let capture = entry.header.consent.first().copied().unwrap_or_default();
    let gate = Gate::again(capture, stored.as_ref().map(|record| &record.consent));
    let arrival = Arrival {
        received_ms: now_ms,
        source: &entry.source,
        trust: entry.trust,
        shown: Shown::default(),
        country: None,
        account: None,
    };
    let trouble = Trouble::default();
    let mut stepper = Stepper::new(site, &entry.header, &arrival, &gate, (stored.as_ref(), true), &trouble);
    stepper.leases = stepper.leases.again();
    let is_taken = !matches!(entry.code, RefusalCode::TooOld | RefusalCode::SequenceGap);
    stepper.again = Some(Before { received_ms: entry.received_ms, is_taken });
    stepper.anonymous_id.clone_from(&entry.anonymous_id);
    stepper.message_id.clone_from(&entry.message_id);
    for counter in [Counter::Received, Counter::QuarantineReplayed, Counter::QuarantineChanges] {
        stepper.ledger.add(counter, 1);
    }
    watch.reaches(entry.event.sequence);
    stepper.event(entry.event.clone(), &trouble, watch);
    let mut outcome = stepper.finish(stored);
    Ok(match (outcome.quarantine.pop(), outcome.answer.refused.first()) {
        (Some(line), Some(refused)) => Again::Refused(refused.code, line),
        (None, Some(_)) => Again::Destroyed,
        _ if outcome.answer.duplicates > 0 => Again::Duplicate,
        _ => Again::Accepted(Box::new(outcome)),
    })
}
