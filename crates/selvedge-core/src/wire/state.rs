//! What is kept of a visitor: plain data and its bytes. What it means, and who changes it, is in [`crate::rules`].

mod tags;

mod kept;

mod marks;

mod bytes;

mod cart;

mod encode;

mod decode;

pub use super::program::CART;
pub(crate) use bytes::{cell_bytes_max, name_bytes, page_cell_bytes_max};
pub(crate) use cart::CART_BYTES_MAX;
pub use cart::{CartCell, CartLine};
pub use kept::{Distinct, Faded, Kept, MetricCell, Pane, ValueAt};
pub use marks::Marks;

use super::codec::WireFault;
use super::program::Builtin;
use crate::consent::Purposes;
use crate::id::WriterId;
use crate::limits::{CAP_BYTES_MAX, STATE_BYTES_MAX};
use alloc::string::String;
use alloc::vec::Vec;

/// Everything that is kept of a visitor. All times are Unix milliseconds of the rules' clock
/// ([`crate::rules::moment::rule_time`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisitorState {
    /// The publish number it was last stepped under; filled by the edge.
    pub publish: u64,
    /// Which cells it was last aligned to ([`crate::rules::program::Program::layout`]); 0 before the first.
    pub layout: u64,
    /// When the visitor was first known: from here on, all is observed.
    pub born_ms: i64,
    /// The time of the newest applied event.
    pub last_time_ms: Option<i64>,
    /// The purposes that were in force at the latest event: what was not, is unobserved up to the next.
    pub in_force: Purposes,
    /// The session.
    pub session: Session,
    /// Open page views, one per writer.
    pub pages: Vec<PageView>,
    /// What rules with a session or time hold keep in slots.
    pub held: Vec<Held>,
    /// Counts, attributes and caps, sorted by hash.
    pub cells: Vec<Cell>,
    /// Which of them changed since facts were last found; not kept.
    pub marks: Marks,
}

/// A visit, as far as analytics was granted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Session {
    /// Its number, from 1; 0 before the first.
    pub number: u32,
    /// When it began.
    pub start_ms: i64,
    /// Its newest event.
    pub last_ms: i64,
    /// When the session before began.
    pub previous_start_ms: Option<i64>,
    /// The end of the session before.
    pub previous_end_ms: Option<i64>,
    /// Caps per session count from here: the start of the newest session whose start was surely seen, or, without
    /// analytics, the first event after idle time.
    pub caps_since_ms: i64,
    /// Its page views.
    pub pages: u32,
    /// Part of it went unobserved, because analytics was not granted: what is known of it is a lower bound.
    pub is_gapped: bool,
    /// Part of this or an earlier session went unobserved: the number is a lower bound.
    pub was_gapped: bool,
    /// Since its newest event, analytics was not granted: whether it still lasts is not known.
    pub is_gap_open: bool,
    /// Facts of the session and of the latest context.
    pub facts: Vec<(Builtin, Stored)>,
}

/// A page view that may still be open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageView {
    /// Whose.
    pub writer: WriterId,
    /// When it began.
    pub start_ms: i64,
    /// Its newest event: the page view with the oldest makes room for another.
    pub last_ms: i64,
    /// Whether its `page` event was seen. Before that (or without consent for it) only holds and caps are kept here.
    pub is_begun: bool,
    /// Facts of the page.
    pub facts: Vec<(Builtin, Stored)>,
    /// What stands in its slots until it ends.
    pub held: Vec<Held>,
    /// Counts and caps per page, by hash of metric, rule or group.
    pub counts: Vec<(u64, u16)>,
    /// What other metrics with page windows keep, by hash.
    pub kept: Vec<(u64, Kept)>,
}

/// A rule that stays in a slot.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Held {
    /// [`crate::hash::fnv1a_64`] of the slot's name.
    pub slot: u64,
    /// [`crate::hash::fnv1a_64`] of the rule's id.
    pub rule: u64,
    /// Until when; `None` until the page view or session ends.
    pub until_ms: Option<i64>,
    /// The values that its content showed when it won, where it reads any.
    pub fixed: Option<Fixed>,
    /// It was seen since it won. Of what is held in a page view this is not kept.
    pub is_seen: bool,
}

/// Values that stay as they were.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixed {
    /// What they mean: [`crate::wire::program::Template::meaning`].
    pub meaning: u64,
    /// The values, in the order that the template reads them.
    pub values: Vec<Stored>,
}

/// A value that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored {
    /// It is known that there is none.
    Missing,
    /// It may have changed while it could not be observed.
    Unobserved,
    /// Text, cut at [`crate::limits::STATE_TEXT_BYTES_MAX`].
    Text(String),
    /// Millionths; of a moment, Unix milliseconds.
    Number(i64),
    /// Yes or no.
    Bool(bool),
    /// Texts, each cut as [`Self::Text`]; at most [`crate::limits::LIST_ITEMS_MAX`] of them, and where there were more,
    /// the mark of a cut text behind them.
    List(Vec<String>),
}

/// A place for one meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// The name of its meaning.
    pub hash: u64,
    /// It belongs to the program before: kept one generation, so that a rollback loses nothing.
    pub is_old: bool,
    /// What is in it.
    pub body: CellBody,
}

/// What a cell holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CellBody {
    /// What a metric keeps.
    Metric(MetricCell),
    /// An attribute.
    Attribute(AttributeCell),
    /// The exposures of a capped rule, group or slot, or the dismissals of a rule.
    Cap(CapCell),
    /// Where a sequence stands.
    Sequence(SequenceCell),
    /// When a rule is to be considered; `None`: not before it is triggered anew.
    Timer(Option<i64>),
    /// The variant of an experiment that was seen first, by [`crate::hash::fnv1a_64`] of `experiment/variant`.
    Variant(u64),
    /// The cart.
    Cart(CartCell),
    /// Exposures of a rule for each value of a fact: hash of the value and how many, the newest last.
    Values(Vec<(u64, u16)>),
    /// What a rule told its destination of the visitor.
    Member(MemberCell),
}

/// An attribute's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeCell {
    /// The time of the event that set it.
    pub time_ms: i64,
    /// What it was set to.
    pub value: Stored,
}

/// The exposures of a capped rule or group, and what was leased of the cap.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CapCell {
    /// The newest exposures (and burnt grants), ascending.
    pub used_ms: Vec<i64>,
    /// The lease that may be consumed.
    pub lease: Lease,
    /// The lease before, if it expired without proof: its unused grants are among `used_ms`, at its expiry.
    pub burnt: Lease,
}

/// Where a sequence stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SequenceCell {
    /// From here on all was observed.
    pub since_ms: i64,
    /// The run, as far as no event can come before it any more.
    pub run: Run,
    /// Later events that are part of the sequence, in the order of their times: when, and which parts they play.
    pub pending: Vec<(i64, u8)>,
}

/// The one live run of a sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Run {
    /// The time of its first event.
    pub start_ms: i64,
    /// How many steps were seen; 0: no run.
    pub steps: u8,
    /// Something that was not observed may have made it another.
    pub is_unsure: bool,
    /// When a run was last completed.
    pub done_ms: Option<i64>,
}

/// What a rule told its destination of the visitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MemberCell {
    /// The visitor is in what the rule is about, there.
    pub is_member: bool,
    /// When the visitor last entered it.
    pub entered_ms: Option<i64>,
}

/// Grants that a device holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lease {
    /// Its number, from 1; 0 is none.
    pub id: u32,
    /// How many were granted, in all.
    pub granted: u16,
    /// How many of them are not known to be used.
    pub left: u16,
    /// From here on it may not be consumed.
    pub expires_ms: i64,
}

/// Why stored bytes are no state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StateFault {
    /// Another version byte.
    #[error("the state has another version; this one reads version {}", tags::VERSION)]
    Version,
    /// Unreadable bytes.
    #[error("the state cannot be read: {0}")]
    Wire(#[from] WireFault),
    /// Above a bound.
    #[error("the state is above its limit of {} bytes, or one of its lists is", STATE_BYTES_MAX + CAP_BYTES_MAX)]
    TooLarge,
    /// Cells, times or facts out of order.
    #[error("the state's entries are not sorted")]
    Unsorted,
}
