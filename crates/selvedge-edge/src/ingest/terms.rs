//! The terms of a step: what goes in beside the batch, what comes out.

use crate::gate::Shown;
use crate::leases::Granted;
use crate::ledger::Ledger;
use alloc::string::String;
use alloc::vec::Vec;
use selvedge_core::event::{Batch, BatchHeader, Event, Undecodable};
use selvedge_core::id::Sequence;
use selvedge_core::rules::{Decision, Moment, Stepped};
use selvedge_core::tracking_plan::Trust;
use selvedge_core::value::Map;
use selvedge_core::wire::answer::Answer;
use selvedge_core::wire::log_row::LogRow;
use selvedge_core::wire::program::Content;
use selvedge_core::wire::state::VisitorState;
use selvedge_core::wire::stored::VisitorRecord;

/// A batch as it came in, from our own client or another SDK.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// What it says once.
    pub header: BatchHeader,
    /// The id that another SDK gave the visitor.
    pub anonymous_id: Option<String>,
    /// Its events, in the order sent.
    pub events: Vec<Sent>,
    /// It came as JSON: whoever sent it shows what is answered, and decides nothing.
    pub is_plain: bool,
}

/// One event as it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The event. Where another SDK named it, its sequence only tells it apart in this request.
    pub read: Result<Event, Undecodable>,
    /// The id that another SDK gave it; `None` where writer and sequence name it.
    pub message_id: Option<String>,
    /// Of properties that are text: what they read as, for those that the tracking plan has another type for.
    pub readings: Map,
}

impl From<Batch> for Incoming {
    fn from(batch: Batch) -> Self {
        let sent = |read| Sent { read, message_id: None, readings: Map::new() };
        let events = batch.events.into_iter().map(sent).collect();
        Self { header: batch.header, anonymous_id: None, events, is_plain: false }
    }
}

/// What the edge itself knows of a batch.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'a> {
    /// When it came: Unix milliseconds.
    pub received_ms: u64,
    /// The source's name.
    pub source: &'a str,
    /// What the source is trusted with.
    pub trust: Trust,
    /// Global Privacy Control, and the mode of the visitor's region.
    pub shown: Shown,
    /// The visitor's country, two letters.
    pub country: Option<&'a str>,
    /// The state of the visitor's account, where it is known.
    pub account: Option<&'a VisitorState>,
}

/// What went wrong with earlier attempts at the same batch.
#[derive(Debug, Clone, Copy, Default)]
pub struct Trouble<'a> {
    /// Sequences at which the step failed too often: they are quarantined, not stepped.
    pub poison: &'a [u32],
    /// The step failed too often before any event: the visitor's state is begun anew.
    pub fresh_state: bool,
}

/// What to store and what to answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The visitor's record to write; `None` leaves what is stored.
    pub record: Option<VisitorRecord>,
    /// The log's row; `None` where no event was accepted and nothing else is to be said.
    pub row: Option<LogRow>,
    /// When to wake up for the visitor, by the edge's clock: Unix milliseconds.
    pub due_ms: Option<u64>,
    /// JSON lines for the quarantine.
    pub quarantine: Vec<String>,
    /// Whether what the quarantine holds of the visitor is to be destroyed first.
    pub purge_quarantine: bool,
    /// What to count.
    pub ledger: Ledger,
    /// The variants that the visitor is counted in from now on, as [`crate::sample_ratio::unit_name`] names them.
    pub units: Vec<String>,
    /// The answer.
    pub answer: Answer,
    /// Of each event that the answer refuses, the id that another SDK gave it.
    pub refused_ids: Vec<Option<String>>,
    /// What the answer's decisions show, in their order: for those who hold no program.
    pub contents: Vec<Option<Content>>,
    /// The grants that the answer holds for who sent the batch.
    pub granted: Vec<Granted>,
}

/// The visitor's state was stepped under a later publish than the site's: the shell fetches the newer program first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the visitor's state was stepped under publish {known}; this program is publish {given}")]
pub struct Stale {
    /// The visitor's.
    pub known: u64,
    /// The site's.
    pub given: u64,
}

/// Hears of a step's progress, so that the shell knows which event a failure belongs to.
pub trait Watch {
    /// The step comes to this event; nothing was done with it yet.
    fn reaches(&mut self, sequence: Sequence);

    /// The event was neither refused for consent nor taken before, and is no poison: it is judged and stepped now.
    fn takes(&mut self, event: &Event);

    /// Whether the quarantine holds an entry of the visitor with this fingerprint ([`super::repeated`]). A shell without a
    /// quarantine need not look.
    fn holds(&mut self, _fingerprint: u64) -> bool {
        false
    }

    /// The event was accepted and stepped, and this was decided behind it. A shell need not listen; what rehearses rules on
    /// recorded events does.
    fn decides(&mut self, _decided: &Decided<'_>) {}
}

/// What stands behind an accepted event.
#[derive(Debug, Clone, Copy)]
pub struct Decided<'a> {
    /// The event.
    pub event: &'a Event,
    /// What it did.
    pub stepped: Stepped,
    /// The visitor's state after it, with what is held from now on.
    pub state: &'a VisitorState,
    /// The moment it was decided in.
    pub moment: &'a Moment<'a>,
    /// Every slot's decision, in the program's order.
    pub decisions: &'a [Decision],
}
