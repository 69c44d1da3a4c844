//! What an event tells of the facts that a metric's filter tests.

use super::facts::{NOTHING, Seen, UNOBSERVED, property, resolve_each, see};
use super::known::Known;
use super::lists::any_item;
use super::moment::Moment;
use crate::event::Event;
use crate::tracking_plan::Trust;
use crate::wire::program::{Builtin, Image, kind};
use alloc::vec::Vec;

/// What is known of every fact at the event: of its properties, its moment, its sender.
pub(super) fn resolve_event(image: &Image, event: &Event, moment: &Moment) -> Vec<Known> {
    resolve_each(image, |fact| {
        let value = || property(&event.properties, image.str(fact.name()));
        match fact.source() {
            kind::SOURCE_PROPERTY => value().map_or(NOTHING, see),
            kind::SOURCE_ANY_ITEM => any_item(image, fact, value()),
            kind::SOURCE_TRUST => Seen::Text(trust_word(moment.trust)),
            kind::SOURCE_BUILTIN if fact.index() == Builtin::Now as u16 => {
                Seen::Known(Known::exact(moment.now_ms))
            }
            _ => UNOBSERVED,
        }
    })
}

const fn trust_word(trust: Trust) -> &'static str {
    match trust {
        Trust::Client => "client",
        Trust::Server => "server",
    }
}
