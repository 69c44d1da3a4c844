//! The log's row: one request's accepted events, packed. Numbers, texts and times stand in it exactly as sent. A row
//! carries its own dictionary, so that it can be read when its program is long gone.

use super::answer::SlotDecision;
use super::codec::Writer;
#[cfg(feature = "serde")]
use super::codec::{Reader, WireFault};
use crate::consent::{Purposes, Snapshot};
use crate::event::{Clock, Event};
use crate::id::{EventId, ProgramHash, Sequence, VisitorId, WriterId};
use crate::number::Number;
use crate::tracking_plan::Trust;
use crate::value::Map;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

/// The version of a row, its first byte.
pub const VERSION: u8 = 1;
/// The first byte of a row whose visitor was erased.
pub const BLANK_VERSION: u8 = 2;

/// The accepted events of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRow {
    /// When the request came: Unix milliseconds of the edge's clock.
    pub received_ms: u64,
    /// The site's name.
    pub site: String,
    /// The source's name.
    pub source: String,
    /// What the source is trusted with.
    pub trust: Trust,
    /// Whose events these are.
    pub visitor: VisitorId,
    /// The id that another SDK gave the visitor; `visitor` is its hash. `None` where the id is our own.
    pub anonymous_id: Option<String>,
    /// Who counted them.
    pub writer: WriterId,
    /// When the batch left: Unix milliseconds of the writer's clock.
    pub sent_at_ms: u64,
    /// Milliseconds to add to the writer's clock.
    pub skew_ms: i64,
    /// Which clock the rules used.
    pub clock: Clock,
    /// The program that stepped the state.
    pub program: ProgramHash,
    /// Its place in the site's history.
    pub publish: u64,
    /// The versions of the pushed tables that were in force, by name.
    pub lookups: Vec<(String, u64)>,
    /// Consent snapshots; an event's [`Event::consent`] names one.
    pub consent: Vec<Snapshot>,
    /// The batch's context.
    pub context: Map,
    /// The events, in the order stepped.
    pub events: Vec<LogEvent>,
    /// What time alone changed, and what is told to destinations.
    pub notes: Vec<LogNote>,
}

/// Something that no event says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogNote {
    /// When, by the rules' time: Unix milliseconds.
    pub time_ms: u64,
    /// What it may be used for.
    pub usable: Purposes,
    /// What it says.
    pub said: Said,
}

/// What a note says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// The slots whose decision changed, though nothing happened.
    Decided(Vec<SlotDecision>),
    /// A destination is told that the visitor is, or is no more, what a rule is about.
    Emitted(Emission),
    /// An accepted event of the row reached a goal.
    Reached(Reached),
    /// What was kept of the visitor is gone, and whoever has something of theirs is to forget it.
    Erased,
}

/// A goal that was reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// Its name.
    pub goal: String,
    /// The event that reached it, and when that happened: Unix milliseconds of the writer's clock.
    pub event: Sequence,
    /// See [`Self::event`].
    pub event_time_ms: u64,
    /// What that is worth, where the goal and the event say it.
    pub value: Option<Number>,
}

impl Reached {
    /// The id of the event, in a row of this writer.
    #[must_use]
    pub const fn event_id(&self, writer: WriterId) -> EventId {
        EventId::new(self.event_time_ms, writer, self.event)
    }
}

/// The event that something follows from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cause {
    /// Its sequence.
    pub event: Sequence,
    /// When it happened: Unix milliseconds of the writer's clock.
    pub event_time_ms: u64,
}

impl Cause {
    /// The id of the event, in a row of this writer.
    #[must_use]
    pub const fn event_id(&self, writer: WriterId) -> EventId {
        EventId::new(self.event_time_ms, writer, self.event)
    }
}

/// A message to a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emission {
    /// The rule's id.
    pub rule: String,
    /// The destination's name.
    pub to: String,
    /// What the visitor enters there: the name of an audience or event.
    pub enter: String,
    /// The visitor is taken out of it again.
    pub is_exit: bool,
    /// Facts of the visitor, as the rule says.
    pub fields: Map,
    /// What it follows from; `None` where time alone led to it.
    pub cause: Option<Cause>,
}

/// One accepted event and what it led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEvent {
    /// The event, as sent.
    pub event: Event,
    /// The id that another SDK gave it.
    pub message_id: Option<String>,
    /// It came too late to be stepped.
    pub late: bool,
    /// Its clock was so far off that the rules used another time.
    pub clock_off: bool,
    /// What it may be used for.
    pub usable: Purposes,
    /// The slots whose decision it changed.
    pub decisions: Vec<SlotDecision>,
    /// The visitor's session that it is of, from 1; 0 where that is not known: it came late, or without analytics.
    pub session: u32,
}

/// What is left of a row whose visitor was erased: when it came, and how many items it had, so that whoever reads on
/// counts right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlankRow {
    /// When the request came: Unix milliseconds of the edge's clock.
    pub received_ms: u64,
    /// The site's name.
    pub site: String,
    /// The events and notes that it had.
    pub items: u32,
}

impl BlankRow {
    /// What is left of a row.
    #[must_use]
    pub fn of(row: &LogRow) -> Self {
        let items = row.events.len().saturating_add(row.notes.len());
        let items = u32::try_from(items).unwrap_or(u32::MAX);
        Self { received_ms: row.received_ms, site: row.site.clone(), items }
    }

    /// The row's bytes. As in every row, the time stands behind the version.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.u8(BLANK_VERSION);
        out.varint(self.received_ms);
        out.text(&self.site);
        out.varint(u64::from(self.items));
        out.into_bytes()
    }

    /// The row whose bytes behind the version these are.
    #[cfg(feature = "serde")]
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, WireFault> {
        let mut reader = Reader::new(bytes);
        let (received_ms, site, items) = (reader.varint_u64()?, reader.text()?.into(), reader.varint_u32()?);
        reader.end()?;
        Ok(Self { received_ms, site, items })
    }
}

/// A row as it stands in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredRow {
    /// With all that it says.
    Whole(Box<LogRow>),
    /// Of a visitor who was erased.
    Blank(BlankRow),
}

impl StoredRow {
    /// The site's name.
    #[must_use]
    pub fn site(&self) -> &str {
        match self {
            Self::Whole(row) => &row.site,
            Self::Blank(row) => &row.site,
        }
    }
}

/// One stored row of those that a row takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowPiece {
    /// Its events and notes.
    pub items: usize,
    /// Its notes.
    pub notes: usize,
    /// The stored form.
    pub bytes: Vec<u8>,
}

/// Why a row cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RowFault {
    /// Another version than [`VERSION`].
    #[error("the row has version {0}; this program reads version {VERSION}")]
    Version(u8),
    /// The bytes are no row.
    #[error("the row's bytes cannot be read")]
    Malformed,
}
