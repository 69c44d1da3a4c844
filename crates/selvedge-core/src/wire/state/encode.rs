//! A state's bytes.

mod cart;
mod kept;

mod sequence;

use super::tags::{
    ATTRIBUTE, CAP, CART, MEMBER, OLD, SEQUENCE, SET_TOO, SHORT, SHORT_NAME_BYTES, SINCE_BIRTH, TIMER,
    VALUES, VARIANT, VERSION, tag_of,
};
use super::{
    AttributeCell, Cell, CellBody, Held, Lease, MetricCell, PageView, Session, Stored, VisitorState,
};
use crate::hash::SHORT_NAME_REST;
use crate::limits::{CAP_BYTES_MAX, STATE_BYTES_MAX};
use crate::wire::codec::Writer;
use crate::wire::program::Builtin;
use alloc::vec::Vec;

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
        let mut out = Encoder { out: Writer::new(), born_ms: self.born_ms, set_ms: self.born_ms };
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
}

/// Beside a tag: whether the name that follows is a short one.
const fn short(hash: u64) -> u8 {
    if hash & SHORT_NAME_REST == 0 { SHORT } else { 0 }
}

/// Writes a state; times are kept as distances from birth, which makes them short.
struct Encoder {
    out: Writer,
    born_ms: i64,
    /// When the attribute before was set.
    set_ms: i64,
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
        self.optional_time(session.previous_start_ms);
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
        self.counts(&page.counts);
        self.out.count(page.kept.len());
        for (hash, kept) in &page.kept {
            self.out.u8(kept.tag() | short(*hash));
            self.name(*hash);
            self.kept(kept);
        }
    }

    fn counts(&mut self, counts: &[(u64, u16)]) {
        self.out.count(counts.len());
        for (hash, count) in counts {
            self.out.varint(u64::from(*count) << 1 | u64::from(short(*hash) != 0));
            self.name(*hash);
        }
    }

    /// The zeros of a short name are left out.
    fn name(&mut self, hash: u64) {
        let bytes = hash.to_be_bytes();
        let length = if short(hash) == 0 { bytes.len() } else { SHORT_NAME_BYTES };
        self.out.raw(bytes.get(..length).unwrap_or_default());
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
            self.until(held);
        }
    }

    /// Bit 0: until when follows; bit 1: fixed values follow; bit 2: it was seen.
    fn until(&mut self, held: &Held) {
        let is_seen = u8::from(held.is_seen) << 2;
        self.out.u8(u8::from(held.until_ms.is_some()) | u8::from(held.fixed.is_some()) << 1 | is_seen);
        if let Some(until_ms) = held.until_ms {
            self.time(until_ms);
        }
        if let Some(fixed) = &held.fixed {
            self.out.fixed_u64(fixed.meaning);
            self.out.count(fixed.values.len());
            fixed.values.iter().for_each(|value| self.stored(value));
        }
    }

    fn stored(&mut self, value: &Stored) {
        self.out.u8(tag_of(value));
        self.value(value);
    }

    /// A stored value, behind its tag.
    fn value(&mut self, value: &Stored) {
        match value {
            Stored::Missing | Stored::Unobserved => {}
            Stored::Text(text) => self.out.text(text),
            Stored::Number(micro) => self.out.zigzag(*micro),
            Stored::Bool(bool) => self.out.flag(*bool),
            Stored::List(texts) => {
                self.out.count(texts.len());
                texts.iter().for_each(|text| self.out.text(text));
            }
        }
    }

    fn cell(&mut self, cell: &Cell) {
        let old = if cell.is_old { OLD } else { 0 };
        self.out.u8(self.tag(&cell.body) | old | short(cell.hash));
        self.name(cell.hash);
        match &cell.body {
            CellBody::Metric(metric) => self.metric(metric),
            CellBody::Attribute(attribute) => self.attribute(attribute),
            CellBody::Cap(cap) => {
                self.times(&cap.used_ms);
                self.lease(&cap.lease);
                self.lease(&cap.burnt);
            }
            CellBody::Sequence(sequence) => self.sequence(sequence),
            CellBody::Member(member) => {
                self.out.flag(member.is_member);
                self.optional_time(member.entered_ms);
            }
            CellBody::Timer(due_ms) => self.optional_time(*due_ms),
            CellBody::Variant(variant) => self.out.fixed_u64(*variant),
            CellBody::Cart(cart) => self.cart(cart),
            CellBody::Values(values) => self.counts(values),
        }
    }

    /// What a cell holds, and what of it need not be written.
    fn tag(&self, body: &CellBody) -> u8 {
        match body {
            CellBody::Metric(metric) => self.since_birth(metric).unwrap_or(metric.kept.tag()),
            CellBody::Attribute(attribute) if attribute.time_ms == self.set_ms => {
                SET_TOO.wrapping_add(tag_of(&attribute.value))
            }
            CellBody::Attribute(_) => ATTRIBUTE,
            CellBody::Cap(_) => CAP,
            CellBody::Sequence(_) => SEQUENCE,
            CellBody::Member(_) => MEMBER,
            CellBody::Timer(_) => TIMER,
            CellBody::Variant(_) => VARIANT,
            CellBody::Cart(_) => CART,
            CellBody::Values(_) => VALUES,
        }
    }

    fn since_birth(&self, metric: &MetricCell) -> Option<u8> {
        let same = SINCE_BIRTH.iter().find(|(tag, _)| *tag == metric.kept.tag());
        same.filter(|_| metric.since_ms == self.born_ms).map(|(_, tag)| *tag)
    }

    fn metric(&mut self, metric: &MetricCell) {
        if self.since_birth(metric).is_none() {
            self.time(metric.since_ms);
        }
        self.kept(&metric.kept);
    }

    fn attribute(&mut self, attribute: &AttributeCell) {
        if attribute.time_ms != self.set_ms {
            self.time(attribute.time_ms);
            self.out.u8(tag_of(&attribute.value));
            self.set_ms = attribute.time_ms;
        }
        self.value(&attribute.value);
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
