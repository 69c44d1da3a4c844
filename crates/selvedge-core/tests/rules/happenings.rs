//! Random events for laws.

use crate::world::{START, event, int, map, text};
use proptest::prelude::*;
use selvedge_core::consent::Purposes;
use selvedge_core::event::{Event, EventType};
use selvedge_core::id::WriterId;
use selvedge_core::value::Map;

/// Something that happens a while after what happened before.
#[derive(Debug, Clone)]
pub struct Happening {
    /// After the one before; negative for one that was overtaken.
    pub after_ms: i64,
    pub writer: u8,
    pub kind: Kind,
    /// What the visitor grants at that time.
    pub in_force: Purposes,
}

#[derive(Debug, Clone)]
pub enum Kind {
    Track(u8),
    Page(u8),
    Landing(u8),
    Identify(Option<u8>),
    Expose(u8),
}

/// The names of tracked events.
pub const NAMES: [&str; 3] = ["view", "add", "buy"];

impl Happening {
    pub fn writer(&self) -> WriterId {
        WriterId::from_bits(u64::from(self.writer) + 1)
    }

    pub fn event(&self, at_ms: i64) -> Event {
        let time_ms = START + at_ms;
        match self.kind {
            Kind::Track(name) => {
                let name = NAMES[usize::from(name) % NAMES.len()];
                event(EventType::Track, name, time_ms, Map::new())
            }
            Kind::Page(path) => {
                event(EventType::Page, "page", time_ms, map([("path", text(&format!("/{path}")))]))
            }
            Kind::Landing(medium) => {
                let mut landing = event(EventType::Page, "page", time_ms, map([("path", text("/0"))]));
                landing.context.set("utm.medium", text(["cpc", "email"][usize::from(medium) % 2]));
                landing
            }
            Kind::Identify(None) => {
                event(EventType::Identify, "identify", time_ms, map([("plan", text("no number"))]))
            }
            Kind::Identify(Some(plan)) => {
                event(EventType::Identify, "identify", time_ms, map([("plan", int(plan.into()))]))
            }
            Kind::Expose(rule) => {
                event(EventType::Exposure, "exposure", time_ms, map([("rule", text(&format!("r{rule}")))]))
            }
        }
    }
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        6 => (0..3u8).prop_map(Kind::Track),
        3 => (0..3u8).prop_map(Kind::Page),
        1 => (0..2u8).prop_map(Kind::Landing),
        1 => prop::option::of(0..3u8).prop_map(Kind::Identify),
        1 => (0..6u8).prop_map(Kind::Expose),
    ]
}

/// Steps of seconds, minutes and sometimes hours.
fn after_ms() -> impl Strategy<Value = i64> {
    prop_oneof![4 => 0i64..20_000, 3 => 0i64..600_000, 1 => 1_700_000i64..1_900_000, 1 => 0i64..90_000_000]
}

/// At least the necessary.
pub fn purposes() -> impl Strategy<Value = Purposes> {
    prop_oneof![2 => Just(Purposes(0xf)), 1 => (0u16..16).prop_map(|bits| Purposes(bits | 1))]
}

pub fn happening() -> impl Strategy<Value = Happening> {
    (after_ms(), 0..3u8, kind(), purposes()).prop_map(|(after_ms, writer, kind, in_force)| Happening {
        after_ms,
        writer,
        kind,
        in_force,
    })
}

pub fn happenings(count_max: usize) -> impl Strategy<Value = Vec<Happening>> {
    prop::collection::vec(happening(), 1..count_max)
}
