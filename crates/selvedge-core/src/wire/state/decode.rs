//! A state from its bytes.

mod cart;
mod kept;

mod sequence;

use super::tags::{
    ATTRIBUTE, BOOL, CAP, CART, LIST, MEMBER, MISSING, NUMBER, OLD, SEQUENCE, SET_TOO, SET_TOO_LAST, SHORT,
    SHORT_NAME_BYTES, SINCE_BIRTH, TEXT, TIMER, UNOBSERVED, VALUES, VARIANT, VERSION,
};
use super::{
    AttributeCell, CapCell, Cell, CellBody, Fixed, Held, Lease, Marks, MemberCell, MetricCell, PageView,
    Session, StateFault, Stored, VisitorState,
};
use crate::consent::Purposes;
use crate::id::WriterId;
use crate::limits::{
    CAP_BYTES_MAX, CONTENT_VALUES_MAX, COUNT_THRESHOLD_MAX, LIST_ITEMS_MAX, PAGES_MAX, SLOTS_MAX,
    STATE_BYTES_MAX, STATE_TEXT_BYTES_MAX,
};
use crate::wire::codec::WireFault;
use crate::wire::program::Builtin;
use alloc::string::String;
use alloc::vec::Vec;

impl VisitorState {
    /// The state of `bytes`.
    ///
    /// # Errors
    /// [`StateFault`] for anything malformed or above a bound.
    pub fn decode(bytes: &[u8]) -> Result<Self, StateFault> {
        if bytes.len() > STATE_BYTES_MAX + CAP_BYTES_MAX {
            return Err(StateFault::TooLarge);
        }
        let mut from = Decoder { rest: bytes, born_ms: 0, set_ms: 0, fault: None };
        if from.u8() != VERSION {
            return Err(StateFault::Version);
        }
        let (publish, layout) = (from.varint(), from.fixed());
        from.born_ms = from.zigzag();
        from.set_ms = from.born_ms;
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
            marks: Marks::default(),
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

/// Cells of a state: each takes at least its kind and its name.
const CELLS_MAX: usize = (STATE_BYTES_MAX + CAP_BYTES_MAX) / (1 + SHORT_NAME_BYTES);
/// Counts of a page view: each takes at least its name and a byte.
const PAGE_COUNTS_MAX: usize = STATE_BYTES_MAX / (1 + SHORT_NAME_BYTES);

/// Reads a state. What is broken is remembered and reads as zeros from there on: one check at the end is enough, and the
/// page links little.
struct Decoder<'a> {
    rest: &'a [u8],
    born_ms: i64,
    /// When the attribute before was set.
    set_ms: i64,
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
            previous_start_ms: self.optional_time(),
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
            counts: self.counts(PAGE_COUNTS_MAX),
            kept: self.list(PAGE_COUNTS_MAX, |this| {
                let kind = this.u8();
                (this.name(kind & SHORT != 0), this.kept(kind & !SHORT))
            }),
        }
    }

    fn counts(&mut self, count_max: usize) -> Vec<(u64, u16)> {
        self.list(count_max, |this| {
            let count = this.varint();
            let hash = this.name(count & 1 == 1);
            (hash, u16::try_from(count >> 1).unwrap_or_else(|_| this.too_large()))
        })
    }

    /// A name, of which the zeros are left out where it is short.
    fn name(&mut self, is_short: bool) -> u64 {
        let length = if is_short { SHORT_NAME_BYTES } else { size_of::<u64>() };
        let mut name = 0;
        for _ in 0..length {
            name = name << 8 | u64::from(self.u8());
        }
        if is_short { name << 24 } else { name }
    }

    fn fact(&mut self) -> (Builtin, Stored) {
        let builtin = Builtin::from_number(self.u8());
        if builtin.is_none() {
            self.break_off(StateFault::Wire(WireFault::Malformed));
        }
        (builtin.unwrap_or(Builtin::VisitorIsNew), self.stored())
    }

    fn held(&mut self) -> Held {
        let (slot, rule, flags) = (self.fixed(), self.fixed(), self.u8());
        if flags > 7 {
            self.break_off(StateFault::Wire(WireFault::Malformed));
        }
        Held {
            slot,
            rule,
            until_ms: if flags & 1 != 0 { Some(self.time()) } else { None },
            fixed: if flags & 2 != 0 { Some(self.fixed_values()) } else { None },
            is_seen: flags & 4 != 0,
        }
    }

    fn fixed_values(&mut self) -> Fixed {
        Fixed { meaning: self.fixed(), values: self.list(CONTENT_VALUES_MAX, Self::stored) }
    }

    fn stored(&mut self) -> Stored {
        let tag = self.u8();
        self.value(tag)
    }

    /// The value behind a tag.
    fn value(&mut self, tag: u8) -> Stored {
        match tag {
            UNOBSERVED => Stored::Unobserved,
            TEXT => Stored::Text(self.text()),
            NUMBER => Stored::Number(self.zigzag()),
            BOOL => Stored::Bool(self.flag()),
            LIST => Stored::List(self.list(LIST_ITEMS_MAX.saturating_add(1), Self::text)),
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
        let kind = self.u8();
        let hash = self.name(kind & SHORT != 0);
        let body = match kind & !(OLD | SHORT) {
            ATTRIBUTE => {
                self.set_ms = self.time();
                CellBody::Attribute(AttributeCell { time_ms: self.set_ms, value: self.stored() })
            }
            kind @ SET_TOO..=SET_TOO_LAST => {
                let value = self.value(kind.wrapping_sub(SET_TOO));
                CellBody::Attribute(AttributeCell { time_ms: self.set_ms, value })
            }
            MEMBER => {
                CellBody::Member(MemberCell { is_member: self.flag(), entered_ms: self.optional_time() })
            }
            TIMER => CellBody::Timer(self.optional_time()),
            SEQUENCE => CellBody::Sequence(self.sequence()),
            CAP => CellBody::Cap(CapCell { used_ms: self.times(), lease: self.lease(), burnt: self.lease() }),
            VARIANT => CellBody::Variant(self.fixed()),
            CART => CellBody::Cart(self.cart()),
            VALUES => CellBody::Values(self.counts(COUNT_THRESHOLD_MAX)),
            kind => CellBody::Metric(self.metric(kind)),
        };
        Cell { hash, is_old: kind & OLD != 0, body }
    }

    fn metric(&mut self, kind: u8) -> MetricCell {
        match SINCE_BIRTH.iter().find(|(_, tag)| *tag == kind) {
            Some((kind, _)) => MetricCell { since_ms: self.born_ms, kept: self.kept(*kind) },
            None => MetricCell { since_ms: self.time(), kept: self.kept(kind) },
        }
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
