//! What an event tells of the facts that a metric's filter tests.

use super::facts::{NOTHING, Seen, UNOBSERVED, found, is_foreign, property, see, worth};
use super::known::{Known, is_true};
use super::lists::any_item;
use super::moment::{Happening, Orders};
use crate::tracking_plan::Trust;
use crate::value::Map;
use crate::wire::program::{Builtin, FactRow, Image, kind};
use alloc::vec::Vec;

/// What is known of every fact at the event: of its properties, its moment, its sender.
pub(super) fn resolve_event(image: &Image, properties: &Map, happening: &Happening) -> Vec<Known> {
    let Happening { trust, now_ms, orders } = *happening;
    let seen = |fact: FactRow, _| {
        let value = || property(properties, image.str(fact.name()));
        match fact.source() {
            kind::SOURCE_PROPERTY => value().map_or(NOTHING, see),
            kind::SOURCE_ANY_ITEM => any_item(image, fact, value()),
            kind::SOURCE_AMOUNT => Seen::Known(worth(image, fact, now_ms)),
            kind::SOURCE_OWN_CURRENCY => {
                Seen::Known(Known::exact((!is_foreign(image.currency(), properties, orders)).into()))
            }
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
    let happening = Happening { trust, now_ms, orders: Orders::default() };
    is_true(image, image.code(), &resolve_event(image, record, &happening), filter)
}

const fn trust_word(trust: Trust) -> &'static str {
    match trust {
        Trust::Client => "client",
        Trust::Server => "server",
    }
}
