//! A state's bytes.

mod cart;
mod kept;

mod sequence;

use super::tags::{
    ATTRIBUTE, BOOL, CAP, CART, LIST, MEMBER, MISSING, NUMBER, OLD, SEQUENCE, TEXT, TIMER, UNOBSERVED,
    VALUES, VARIANT, VERSION,
};
use super::{Cell, CellBody, Held, Lease, PageView, Session, Stored, VisitorState};
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
}

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
            self.out.fixed_u64(*hash);
            self.out.u8(kept.tag());
            self.kept(kept);
        }
    }

    fn counts(&mut self, counts: &[(u64, u16)]) {
        self.out.count(counts.len());
        for (hash, count) in counts {
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
            self.until(held);
        }
    }

    /// Bit 0: until when follows; bit 1: fixed values follow.
    fn until(&mut self, held: &Held) {
        self.out.u8(u8::from(held.until_ms.is_some()) | u8::from(held.fixed.is_some()) << 1);
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
            Stored::List(texts) => {
                self.out.u8(LIST);
                self.out.count(texts.len());
                texts.iter().for_each(|text| self.out.text(text));
            }
        }
    }

    fn cell(&mut self, cell: &Cell) {
        self.out.fixed_u64(cell.hash);
        let old = if cell.is_old { OLD } else { 0 };
        match &cell.body {
            CellBody::Metric(metric) => {
                self.out.u8(metric.kept.tag() | old);
                self.time(metric.since_ms);
                self.kept(&metric.kept);
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
            CellBody::Sequence(sequence) => {
                self.out.u8(SEQUENCE | old);
                self.sequence(sequence);
            }
            CellBody::Member(member) => {
                self.out.u8(MEMBER | old);
                self.out.flag(member.is_member);
                self.optional_time(member.entered_ms);
            }
            CellBody::Timer(due_ms) => {
                self.out.u8(TIMER | old);
                self.optional_time(*due_ms);
            }
            CellBody::Variant(variant) => {
                self.out.u8(VARIANT | old);
                self.out.fixed_u64(*variant);
            }
            CellBody::Cart(cart) => {
                self.out.u8(CART | old);
                self.cart(cart);
            }
            CellBody::Values(values) => {
                self.out.u8(VALUES | old);
                self.counts(values);
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
