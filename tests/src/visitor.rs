//! A visitor of a test: counts its events and writes its batches, as JSON or as wire bytes.

use std::time::{SystemTime, UNIX_EPOCH};

use selvedge_core::consent::{Purposes, Signals, Snapshot};
use selvedge_core::event::{BatchHeader, Clock, Event, EventType};
use selvedge_core::id::{Sequence, VisitorId, WriterId};
use selvedge_core::value::{Map, Value as Property};
use serde_json::{Value, json};

/// The shop's public write key.
pub const WRITE_KEY: &str = "wk_shop_browser";

/// A device with one open writer.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// Its id.
    pub id: VisitorId,
    /// Its writer.
    pub writer: WriterId,
    next: u32,
}

/// Milliseconds since 1970, now.
#[must_use]
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// What a visitor says who granted everything a moment ago.
#[must_use]
pub fn granted() -> Snapshot {
    Snapshot {
        granted: Purposes(0xf),
        signal: Signals::API,
        policy_version: 1,
        time_ms: now_ms().saturating_sub(1_000),
        text_hash: 0,
        ..Snapshot::default()
    }
}

impl Visitor {
    /// The visitor told apart by `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Visitor {
        let mut random = [0; 15];
        random[..8].copy_from_slice(&seed.to_le_bytes());
        let writer = WriterId::mint(now_ms(), u32::try_from(seed & 0x7ff_ffff).unwrap_or(1));
        Visitor { id: VisitorId::mint(0, random), writer, next: 1 }
    }

    /// The next event, as JSON, that happened now.
    pub fn track(&mut self, name: &str, properties: Value) -> Value {
        let sequence = self.next;
        self.next += 1;
        json!({"sequence": sequence, "type": "track", "name": name, "time": now_ms(), "properties": properties})
    }

    /// A batch of these events, as JSON, with everything granted.
    #[must_use]
    pub fn batch(&self, events: &[Value]) -> Value {
        json!({
            "write_key": WRITE_KEY,
            "visitor": self.id.to_string(),
            "writer": self.writer.bits().to_string(),
            "sent_at": now_ms(),
            "consent": {
                "granted": ["analytics", "personalization", "advertising"],
                "mode": "opt-in",
                "policy_version": 1,
                "time": granted().time_ms,
            },
            "events": events,
        })
    }

    /// The next event for a binary batch, that happened now.
    pub fn event(&mut self, name: &str, properties: &[(&str, Property)]) -> Event {
        let sequence = Sequence::new(self.next).expect("a test sends few events");
        self.next += 1;
        Event {
            sequence,
            event_type: EventType::Track,
            name: name.into(),
            time_ms: now_ms(),
            consent: 0,
            properties: properties.iter().map(|(name, value)| ((*name).into(), value.clone())).collect(),
            context: Map::new(),
        }
    }

    /// The header of a binary batch, with everything granted.
    #[must_use]
    pub fn header(&self) -> BatchHeader {
        BatchHeader {
            write_key: WRITE_KEY.into(),
            visitor: self.id,
            writer: self.writer,
            sent_at_ms: now_ms(),
            skew_ms: 0,
            floor: 1,
            clock: Clock::Received,
            program: None,
            dictionary: None,
            consent: vec![granted()],
            context: Map::new(),
            leases: Vec::new(),
            holder: 0,
        }
    }
}
