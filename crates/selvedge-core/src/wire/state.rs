//! What is kept of a visitor: plain data and its bytes. What it means, and who changes it, is in [`crate::rules`].

use super::codec::{WireFault, Writer};
use super::program::Builtin;
use crate::consent::Purposes;
use crate::id::WriterId;
use crate::limits::{
    CAP_BYTES_MAX, COUNT_THRESHOLD_MAX, PAGES_MAX, SLOTS_MAX, STATE_BYTES_MAX, STATE_TEXT_BYTES_MAX,
};
use alloc::string::String;
use alloc::vec::Vec;

/// The version byte in front.
const VERSION: u8 = 1;

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
}

/// A rule that stays in a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// [`crate::hash::fnv1a_64`] of the slot's name.
    pub slot: u64,
    /// [`crate::hash::fnv1a_64`] of the rule's id.
    pub rule: u64,
    /// Until when; `None` until the page view or session ends.
    pub until_ms: Option<i64>,
}

/// A value that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored {
    /// It is known that there is none.
    Missing,
    /// It may have changed while it could not be observed.
    Unobserved,
    /// Text, cut at [`STATE_TEXT_BYTES_MAX`].
    Text(String),
    /// Millionths.
    Number(i64),
    /// Yes or no.
    Bool(bool),
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
    /// A metric's count.
    Count(CountCell),
    /// An attribute.
    Attribute(AttributeCell),
    /// The exposures of a capped rule or group.
    Cap(CapCell),
}

/// A metric's count.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CountCell {
    /// From here on all was observed (and, in a sliding window, every time is still kept).
    pub since_ms: i64,
    /// How many in the session (session windows only).
    pub count: u16,
    /// The newest times, ascending (sliding windows only).
    pub times_ms: Vec<i64>,
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
    #[error("the state has another version; this one reads version {VERSION}")]
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

/// Tags of [`Stored`] and, in the cell's kind byte, of [`CellBody`].
const MISSING: u8 = 0;
const UNOBSERVED: u8 = 1;
const TEXT: u8 = 2;
const NUMBER: u8 = 3;
const BOOL: u8 = 4;
const COUNT: u8 = 0;
const ATTRIBUTE: u8 = 1;
const CAP: u8 = 2;
const OLD: u8 = 0x80;

impl VisitorState {
    /// Its bytes. The same state gives the same bytes. Cells of the program before are left out where there is no room for
    /// them: what the present program needs was proven to fit.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let bytes = self.encode_cells(|_| true);
        if bytes.len() > STATE_BYTES_MAX + CAP_BYTES_MAX {
            self.encode_cells(|cell| !cell.is_old)
        } else {
            bytes
        }
    }

    fn encode_cells(&self, is_kept: fn(&&Cell) -> bool) -> Vec<u8> {
        let mut out = Encoder { out: Writer::new(), born_ms: self.born_ms };
        out.out.u8(VERSION);
        out.out.varint(self.publish);
        out.out.fixed_u64(self.layout);
        out.out.zigzag(self.born_ms);
        out.optional_time(self.last_time_ms);
        out.out.varint(self.in_force.0.into());
        out.session(&self.session);
        out.out.count(self.pages.len());
        self.pages.iter().for_each(|page| out.page(page));
        out.held(&self.held);
        out.out.count(self.cells.iter().filter(is_kept).count());
        self.cells.iter().filter(is_kept).for_each(|cell| out.cell(cell));
        out.out.into_bytes()
    }

    /// The state of `bytes`.
    ///
    /// # Errors
    /// [`StateFault`] for anything malformed or above a bound.
    pub fn decode(bytes: &[u8]) -> Result<Self, StateFault> {
        if bytes.len() > STATE_BYTES_MAX + CAP_BYTES_MAX {
            return Err(StateFault::TooLarge);
        }
        let mut from = Decoder { rest: bytes, born_ms: 0, fault: None };
        if from.u8() != VERSION {
            return Err(StateFault::Version);
        }
        let (publish, layout) = (from.varint(), from.fixed());
        from.born_ms = from.zigzag();
        let state = Self {
            publish,
            layout,
            born_ms: from.born_ms,
            last_time_ms: from.optional_time(),
            in_force: Purposes(from.short()),
            session: from.session(),
            pages: from.list(PAGES_MAX, Decoder::page),
            held: from.list(SLOTS_MAX, Decoder::held),
            cells: from.list(CELLS_MAX, Decoder::cell),
        };
        if !from.rest.is_empty() {
            from.break_off(StateFault::Wire(WireFault::Malformed));
        }
        if !state.cells.is_sorted_by(|before, next| before.hash < next.hash) {
            from.break_off(StateFault::Unsorted);
        }
        from.fault.map_or(Ok(state), Err)
    }
}

/// Cells of a state: each takes at least its hash, its kind and three more bytes.
const CELLS_MAX: usize = (STATE_BYTES_MAX + CAP_BYTES_MAX) / 12;
/// Counts of a page view: each takes at least its hash and a byte.
const PAGE_COUNTS_MAX: usize = STATE_BYTES_MAX / 9;

/// Writes a state; times are kept as distances from birth, which makes them short.
struct Encoder {
    out: Writer,
    born_ms: i64,
}

impl Encoder {
    fn time(&mut self, time_ms: i64) {
        self.out.zigzag(time_ms.wrapping_sub(self.born_ms));
    }

    fn optional_time(&mut self, time_ms: Option<i64>) {
        self.out.flag(time_ms.is_some());
        if let Some(time_ms) = time_ms {
            self.time(time_ms);
        }
    }

    fn session(&mut self, session: &Session) {
        self.out.varint(session.number.into());
        self.time(session.start_ms);
        self.time(session.last_ms);
        self.optional_time(session.previous_end_ms);
        self.time(session.caps_since_ms);
        self.out.varint(session.pages.into());
        self.out.flag(session.is_gapped);
        self.out.flag(session.was_gapped);
        self.out.flag(session.is_gap_open);
        self.facts(&session.facts);
    }

    fn page(&mut self, page: &PageView) {
        self.out.fixed_u64(page.writer.bits());
        self.time(page.start_ms);
        self.time(page.last_ms);
        self.out.flag(page.is_begun);
        self.facts(&page.facts);
        self.held(&page.held);
        self.out.count(page.counts.len());
        for (hash, count) in &page.counts {
            self.out.fixed_u64(*hash);
            self.out.varint((*count).into());
        }
    }

    fn facts(&mut self, facts: &[(Builtin, Stored)]) {
        self.out.count(facts.len());
        for (builtin, value) in facts {
            self.out.u8(*builtin as u8);
            self.stored(value);
        }
    }

    fn held(&mut self, held: &[Held]) {
        self.out.count(held.len());
        for held in held {
            self.out.fixed_u64(held.slot);
            self.out.fixed_u64(held.rule);
            self.optional_time(held.until_ms);
        }
    }

    fn stored(&mut self, value: &Stored) {
        match value {
            Stored::Missing => self.out.u8(MISSING),
            Stored::Unobserved => self.out.u8(UNOBSERVED),
            Stored::Text(text) => {
                self.out.u8(TEXT);
                self.out.text(text);
            }
            Stored::Number(micro) => {
                self.out.u8(NUMBER);
                self.out.zigzag(*micro);
            }
            Stored::Bool(bool) => {
                self.out.u8(BOOL);
                self.out.flag(*bool);
            }
        }
    }

    fn cell(&mut self, cell: &Cell) {
        self.out.fixed_u64(cell.hash);
        let old = if cell.is_old { OLD } else { 0 };
        match &cell.body {
            CellBody::Count(count) => {
                self.out.u8(COUNT | old);
                self.time(count.since_ms);
                self.out.varint(count.count.into());
                self.times(&count.times_ms);
            }
            CellBody::Attribute(attribute) => {
                self.out.u8(ATTRIBUTE | old);
                self.time(attribute.time_ms);
                self.stored(&attribute.value);
            }
            CellBody::Cap(cap) => {
                self.out.u8(CAP | old);
                self.times(&cap.used_ms);
                self.lease(&cap.lease);
                self.lease(&cap.burnt);
            }
        }
    }

    /// The first time from birth, each further one from the one before.
    fn times(&mut self, times_ms: &[i64]) {
        self.out.count(times_ms.len());
        let mut before_ms = None;
        for time_ms in times_ms {
            match before_ms {
                None => self.time(*time_ms),
                Some(before_ms) => self.out.varint(time_ms.wrapping_sub(before_ms).cast_unsigned()),
            }
            before_ms = Some(*time_ms);
        }
    }

    fn lease(&mut self, lease: &Lease) {
        self.out.varint(lease.id.into());
        if lease.id > 0 {
            self.out.varint(lease.granted.into());
            self.out.varint(lease.left.into());
            self.time(lease.expires_ms);
        }
    }
}

/// Reads a state. What is broken is remembered and reads as zeros from there on: one check at the end is enough, and the
/// page links little.
struct Decoder<'a> {
    rest: &'a [u8],
    born_ms: i64,
    fault: Option<StateFault>,
}

impl Decoder<'_> {
    fn break_off(&mut self, fault: StateFault) {
        self.rest = &[];
        self.fault = self.fault.or(Some(fault));
    }

    fn u8(&mut self) -> u8 {
        let Some((byte, rest)) = self.rest.split_first() else {
            self.break_off(StateFault::Wire(WireFault::Truncated));
            return 0;
        };
        self.rest = rest;
        *byte
    }

    fn flag(&mut self) -> bool {
        let byte = self.u8();
        if byte > 1 {
            self.break_off(StateFault::Wire(WireFault::Malformed));
        }
        byte == 1
    }

    fn varint(&mut self) -> u64 {
        let mut value = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.u8();
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return value;
            }
        }
        self.break_off(StateFault::Wire(WireFault::Malformed));
        value
    }

    fn word(&mut self) -> u32 {
        u32::try_from(self.varint()).unwrap_or_else(|_| self.too_large())
    }

    fn short(&mut self) -> u16 {
        u16::try_from(self.varint()).unwrap_or_else(|_| self.too_large())
    }

    fn too_large<T: Default>(&mut self) -> T {
        self.break_off(StateFault::TooLarge);
        T::default()
    }

    fn zigzag(&mut self) -> i64 {
        let zigzag = self.varint();
        (zigzag >> 1).cast_signed() ^ (zigzag & 1).cast_signed().wrapping_neg()
    }

    fn fixed(&mut self) -> u64 {
        let Some((bytes, rest)) = self.rest.split_first_chunk() else {
            self.break_off(StateFault::Wire(WireFault::Truncated));
            return 0;
        };
        self.rest = rest;
        u64::from_le_bytes(*bytes)
    }

    fn time(&mut self) -> i64 {
        self.zigzag().wrapping_add(self.born_ms)
    }

    fn optional_time(&mut self) -> Option<i64> {
        self.flag().then(|| self.time())
    }

    fn list<T>(&mut self, count_max: usize, read: fn(&mut Self) -> T) -> Vec<T> {
        let mut list = Vec::new();
        for _ in 0..self.count(count_max) {
            list.push(read(self));
        }
        list
    }

    /// How many of something follow: each takes at least a byte.
    fn count(&mut self, count_max: usize) -> usize {
        let count = usize::from(self.short());
        if count > count_max || count > self.rest.len() {
            return self.too_large();
        }
        count
    }

    fn session(&mut self) -> Session {
        Session {
            number: self.word(),
            start_ms: self.time(),
            last_ms: self.time(),
            previous_end_ms: self.optional_time(),
            caps_since_ms: self.time(),
            pages: self.word(),
            is_gapped: self.flag(),
            was_gapped: self.flag(),
            is_gap_open: self.flag(),
            facts: self.list(Builtin::ALL.len(), Self::fact),
        }
    }

    fn page(&mut self) -> PageView {
        PageView {
            writer: WriterId::from_bits(self.fixed()),
            start_ms: self.time(),
            last_ms: self.time(),
            is_begun: self.flag(),
            facts: self.list(Builtin::ALL.len(), Self::fact),
            held: self.list(SLOTS_MAX, Self::held),
            counts: self.list(PAGE_COUNTS_MAX, |this| (this.fixed(), this.short())),
        }
    }

    fn fact(&mut self) -> (Builtin, Stored) {
        let builtin = Builtin::from_number(self.u8());
        if builtin.is_none() {
            self.break_off(StateFault::Wire(WireFault::Malformed));
        }
        (builtin.unwrap_or(Builtin::VisitorIsNew), self.stored())
    }

    fn held(&mut self) -> Held {
        Held { slot: self.fixed(), rule: self.fixed(), until_ms: self.optional_time() }
    }

    fn stored(&mut self) -> Stored {
        match self.u8() {
            UNOBSERVED => Stored::Unobserved,
            TEXT => Stored::Text(self.text()),
            NUMBER => Stored::Number(self.zigzag()),
            BOOL => Stored::Bool(self.flag()),
            tag => {
                if tag != MISSING {
                    self.break_off(StateFault::Wire(WireFault::Malformed));
                }
                Stored::Missing
            }
        }
    }

    fn text(&mut self) -> String {
        let count = self.count(STATE_TEXT_BYTES_MAX);
        let (bytes, rest) = self.rest.split_at_checked(count).unwrap_or_default();
        self.rest = rest;
        let text = core::str::from_utf8(bytes);
        if text.is_err() {
            self.break_off(StateFault::Wire(WireFault::BadText));
        }
        text.unwrap_or_default().into()
    }

    fn cell(&mut self) -> Cell {
        let hash = self.fixed();
        let kind = self.u8();
        let body = match kind & !OLD {
            COUNT => CellBody::Count(CountCell {
                since_ms: self.time(),
                count: self.short(),
                times_ms: self.times(),
            }),
            ATTRIBUTE => CellBody::Attribute(AttributeCell { time_ms: self.time(), value: self.stored() }),
            kind => {
                if kind != CAP {
                    self.break_off(StateFault::Wire(WireFault::Malformed));
                }
                CellBody::Cap(CapCell { used_ms: self.times(), lease: self.lease(), burnt: self.lease() })
            }
        };
        Cell { hash, is_old: kind & OLD != 0, body }
    }

    /// The first time from birth, each further one from the one before.
    fn times(&mut self) -> Vec<i64> {
        let mut times_ms = Vec::new();
        let count = self.count(COUNT_THRESHOLD_MAX);
        let mut before_ms = i64::MIN;
        for at in 0..count {
            let time_ms =
                if at == 0 { self.time() } else { self.varint().cast_signed().wrapping_add(before_ms) };
            if time_ms < before_ms {
                self.break_off(StateFault::Unsorted);
            }
            times_ms.push(time_ms);
            before_ms = time_ms;
        }
        times_ms
    }

    fn lease(&mut self) -> Lease {
        match self.word() {
            0 => Lease::default(),
            id => Lease { id, granted: self.short(), left: self.short(), expires_ms: self.time() },
        }
    }
}
