//! A page without an engine, and what the world knows of it: it shows what the edge answers, to its own events or to the server
//! that rendered it, and tells in JSON what was seen, as `www/sdk/src/plain.ts` does it.

use selvedge_core::consent::{Mode, Purposes, Snapshot};
use selvedge_core::event::{Event, EventType};
use selvedge_core::id::{VisitorId, WriterId};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Events of one batch.
const BATCH_EVENTS_MAX: usize = 50;
/// Purposes, by their bits.
const PURPOSES: [&str; 4] = ["necessary", "analytics", "personalization", "advertising"];

/// What a server says as it asks for a page.
#[derive(Debug, Clone)]
pub struct Asks {
    /// The page's name: asked again under it, the answer takes no second grant.
    pub render: Option<String>,
    /// The page runs the engine, which takes grants where something is seen.
    pub claims: bool,
}

/// What stands in a slot.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    /// The rule that it is of.
    pub rule: Option<String>,
    /// From here on it may not be seen, by the world's clock; `None` where nothing was granted for it.
    pub until_ms: Option<u64>,
    /// How often it came into view.
    pub looks: u64,
}

/// An event that waits.
#[derive(Debug)]
pub struct Noted {
    /// The event.
    pub event: Event,
    /// The consent that it was captured under.
    pub said: Snapshot,
    /// The number that it is sent under: its own, or one that it cannot have.
    pub number: u32,
}

/// A page without an engine.
#[derive(Debug)]
pub struct Hand {
    /// On which device.
    pub device: usize,
    /// Whose.
    pub visitor: VisitorId,
    /// Who counts its events.
    pub writer: WriterId,
    /// A server rendered it.
    pub asks: Option<Asks>,
    /// Its last event.
    pub sequence: u32,
    /// What waits.
    pub queue: Vec<Noted>,
    /// So many of that are under way.
    pub flying: usize,
    /// The request whose end it waits for.
    pub awaits: Option<u32>,
    /// Requests that there were.
    pub posts: u32,
    /// Requests in a row that failed.
    pub failures: u32,
    /// Its timer is set.
    pub is_timed: bool,
    /// Its page views.
    pub view: u32,
    /// What stands in its slots.
    pub shown: BTreeMap<String, Shown>,
    /// What was seen in this page view.
    pub seen: BTreeSet<String>,
    /// It was left, or its visitor is no more.
    pub is_gone: bool,
}

impl Hand {
    /// A page that begins.
    #[must_use]
    pub const fn new(device: usize, visitor: VisitorId, writer: WriterId, asks: Option<Asks>) -> Self {
        Self {
            device,
            visitor,
            writer,
            asks,
            sequence: 0,
            queue: Vec::new(),
            flying: 0,
            awaits: None,
            posts: 0,
            failures: 0,
            is_timed: false,
            view: 0,
            shown: BTreeMap::new(),
            seen: BTreeSet::new(),
            is_gone: false,
        }
    }

    /// The question of the server that renders it.
    #[must_use]
    pub fn question(&self, said: &Snapshot, country: &str) -> String {
        let asks = self.asks.as_ref();
        let mut question = json!({
            "visitor": self.visitor.to_string(),
            "consent": consent(said),
            "context": {"geo.country": country},
            "country": country,
            "gpc": said.gpc,
            "claims": asks.is_some_and(|asks| asks.claims),
        });
        match asks.and_then(|asks| asks.render.as_ref()) {
            Some(name) => question["render"] = json!(name),
            None => question["writer"] = json!(self.writer.bits().to_string()),
        }
        question.to_string()
    }

    /// The next batch of what waits: what is in force now comes first, and each event names what was at its capture.
    pub fn batch(&mut self, key: &str, now: &Snapshot, sent_at_ms: u64) -> String {
        let waiting = &self.queue[..self.queue.len().min(BATCH_EVENTS_MAX)];
        self.flying = waiting.len();
        let mut all = vec![*now];
        let mut events = Vec::new();
        for Noted { event, said, number } in waiting {
            let known = all.iter().position(|known| known == said);
            let at = known.unwrap_or(all.len());
            if known.is_none() {
                all.push(*said);
            }
            let properties = event.properties.iter().filter_map(|(name, _)| {
                let text = event.properties.text(name)?;
                Some((name.to_owned(), json!(text)))
            });
            events.push(json!({
                "sequence": number,
                "type": word(event.event_type),
                "name": event.name,
                "time": event.time_ms,
                "consent": at,
                "properties": properties.collect::<serde_json::Map<String, Value>>(),
            }));
        }
        let mut numbers = self.queue.iter().map(|noted| noted.number);
        let floor = numbers.find(|number| (1..=self.sequence).contains(number));
        let floor = floor.unwrap_or(self.sequence + 1);
        json!({
            "write_key": key,
            "visitor": self.visitor.to_string(),
            "writer": self.writer.bits().to_string(),
            "sent_at": sent_at_ms,
            "floor": floor,
            "clock": "received",
            "consent": all.iter().map(consent).collect::<Vec<_>>(),
            "context": {"language": "de"},
            "events": events,
        })
        .to_string()
    }
}

/// The word of an event's type: those that such a page has.
const fn word(event_type: EventType) -> &'static str {
    match event_type {
        EventType::Page => "page",
        EventType::Exposure => "exposure",
        _ => "track",
    }
}

fn consent(said: &Snapshot) -> Value {
    let names = |purposes: Purposes| {
        let named = PURPOSES.iter().enumerate();
        named.filter(|(at, _)| (purposes.0 >> at) & 1 == 1).map(|(_, name)| *name).collect::<Vec<_>>()
    };
    json!({
        "granted": names(said.granted),
        "denied": names(said.denied),
        "gpc": said.gpc,
        "mode": if said.mode == Mode::OptOut { "opt-out" } else { "opt-in" },
        "signal": "api",
        "policy_version": said.policy_version,
        "time": said.time_ms,
    })
}
