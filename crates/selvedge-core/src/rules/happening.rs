//! What an event tells of the facts that a metric's filter tests.

use super::facts::{NOTHING, Seen, UNOBSERVED, found, property, see};
use super::known::{Known, is_true};
use super::lists::any_item;
use crate::tracking_plan::Trust;
use crate::value::Map;
use crate::wire::program::{Builtin, FactRow, Image, kind};
use alloc::vec::Vec;

/// What is known of every fact at the event: of its properties, its moment, its sender.
pub(super) fn resolve_event(image: &Image, properties: &Map, trust: Trust, now_ms: i64) -> Vec<Known> {
    let seen = |fact: FactRow, _| {
        let value = || property(properties, image.str(fact.name()));
        match fact.source() {
            kind::SOURCE_PROPERTY => value().map_or(NOTHING, see),
            kind::SOURCE_ANY_ITEM => any_item(image, fact, value()),
            kind::SOURCE_TRUST => Seen::Text(trust_word(trust)),
            kind::SOURCE_BUILTIN if fact.index() == Builtin::Now as u16 => Seen::Known(Known::exact(now_ms)),
            _ => UNOBSERVED,
        }
    };
    let mut known = Vec::with_capacity(image.facts().into());
    for fact in image.each_fact() {
        known.push(found(image, fact, &known, seen));
    }
    known
}

/// Whether a record passes the condition that begins at `filter`, which tests paths in the record. The page does not
/// link this.
#[must_use]
pub fn passes(image: &Image, record: &Map, trust: Trust, now_ms: i64, filter: u16) -> bool {
    is_true(image, image.code(), &resolve_event(image, record, trust, now_ms), filter)
}

const fn trust_word(trust: Trust) -> &'static str {
    match trust {
        Trust::Client => "client",
        Trust::Server => "server",
    }
}
