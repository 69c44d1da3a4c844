//! The erasure of a visitor (GDPR 17): what is kept of them goes, their rows of the log become blank, destinations are told
//! to forget them, and what still comes under their id is refused and kept nowhere.
//!
//! The shell does it in one transaction: it keeps the [`Tombstone`], removes the visitor's record with its dedup windows,
//! deadlines and quarantine, puts [`blank`] in the place of their rows, takes what is not sent yet out of every
//! destination's flight ([`crate::delivery::machine::Machine::erase`]), and writes the row of [`notice`] under
//! [`counted`]. Before each batch it asks for the tombstone: where there is one, [`refuse`] takes the place of the step.

use crate::fault::Fault;
use crate::foreign::Whose;
use crate::ingest::{Arrival, Incoming, Outcome};
use crate::ledger::{Counter, Ledger};
use crate::object::Object;
use crate::site::Site;
use crate::text::rfc_3339;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use selvedge_core::consent::{Purposes, Snapshot};
use selvedge_core::event::{Clock, RefusalCode};
use selvedge_core::id::{VisitorId, WriterId};
use selvedge_core::tracking_plan::Trust;
use selvedge_core::value::Map;
use selvedge_core::wire::answer::{Answer, Refused};
use selvedge_core::wire::log_row::{BlankRow, LogNote, LogRow, RowFault, Said, StoredRow};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The source of the row that tells of an erasure.
pub const SOURCE: &str = "erasure";

/// What remains of an erased visitor: it tells their id from others, and cannot be turned back into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tombstone(pub [u8; 16]);

impl Tombstone {
    /// The tombstone of a visitor: the first half of the SHA-256 of what it is for, and the id.
    #[must_use]
    pub fn of(visitor: VisitorId) -> Self {
        let digest = Sha256::new().chain_update(b"selvedge erased\0").chain_update(visitor.0).finalize();
        let mut bytes = [0; 16];
        bytes.iter_mut().zip(digest).for_each(|(byte, of)| *byte = of);
        Self(bytes)
    }
}

/// What becomes of a batch of a visitor who was erased: every event is refused and counted, nothing is kept, and nothing is
/// decided.
#[must_use]
pub fn refuse(site: &Site, batch: impl Into<Incoming>, arrival: &Arrival<'_>) -> Outcome {
    let Incoming { events, .. } = batch.into();
    let mut ledger = Ledger::default();
    ledger.add(Counter::Batches, 1);
    ledger.add(Counter::Received, u64::try_from(events.len()).unwrap_or(u64::MAX));
    let (mut refused, mut refused_ids) = (Vec::new(), Vec::new());
    for sent in events {
        ledger.refuse(RefusalCode::Erased);
        let sequence = match &sent.read {
            Ok(event) => Some(event.sequence),
            Err(undecodable) => undecodable.sequence,
        };
        let sequence = sequence.filter(|_| sent.message_id.is_none()).map_or(0, |sequence| sequence.get());
        refused.push(Refused { sequence, code: RefusalCode::Erased });
        refused_ids.push(sent.message_id);
    }
    Outcome {
        record: None,
        row: None,
        due_ms: None,
        quarantine: Vec::new(),
        purge_quarantine: false,
        ledger,
        units: Vec::new(),
        answer: Answer {
            accepted: 0,
            duplicates: 0,
            refused,
            program: site.hash,
            publish: site.publish,
            server_time_ms: arrival.received_ms,
            next_flush_ms: 0,
            applied: Vec::new(),
            grants: Vec::new(),
            state: Vec::new(),
            decisions: Vec::new(),
            needs: Vec::new(),
            paused: site.paused.clone(),
        },
        refused_ids,
        contents: Vec::new(),
        granted: Vec::new(),
    }
}

/// The row of the log that tells of the erasure: destinations and readers get it behind everything of the visitor.
#[must_use]
pub fn notice(site: &Site, visitor: VisitorId, anonymous_id: Option<String>, now_ms: u64) -> LogRow {
    let note = LogNote { time_ms: now_ms, usable: Purposes::NECESSARY, said: Said::Erased };
    LogRow {
        received_ms: now_ms,
        site: site.name().to_string(),
        source: SOURCE.into(),
        trust: Trust::Server,
        visitor,
        anonymous_id,
        writer: WriterId::from_bits(0),
        sent_at_ms: now_ms,
        skew_ms: 0,
        clock: Clock::Received,
        program: site.hash,
        publish: site.publish,
        lookups: Vec::new(),
        consent: Vec::from([Snapshot::default()]),
        context: Map::new(),
        events: Vec::new(),
        notes: Vec::from([note]),
    }
}

/// What takes the place of a stored row; `None` where there is nothing in it to forget: it is blank already, or
/// tells of an erasure.
///
/// # Errors
/// [`RowFault`] for bytes that are no row.
pub fn blank(row: &[u8]) -> Result<Option<BlankRow>, RowFault> {
    let StoredRow::Whole(row) = StoredRow::decode(row)? else { return Ok(None) };
    let is_notice = row.events.is_empty() && row.notes.iter().all(|note| note.said == Said::Erased);
    Ok((!is_notice).then(|| BlankRow::of(&row)))
}

/// The ledger with one erasure more, and so many entries of the quarantine that went with it.
#[must_use]
pub fn counted(mut ledger: Ledger, quarantined: u64) -> Ledger {
    ledger.add(Counter::VisitorsErased, 1);
    ledger.add(Counter::QuarantinePurged, quarantined);
    ledger.add(Counter::QuarantineChanges, 1);
    ledger
}

/// Bytes of an order, at most.
pub const ORDER_BYTES_MAX: usize = 4 * 1024;

/// `POST /v1/erase`: the visitor, by our own id or by that of another SDK.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Order {
    /// 32 hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visitor: Option<String>,
    /// The id that another SDK gave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anonymous_id: Option<String>,
}

impl Order {
    /// Who is to be erased.
    ///
    /// # Errors
    /// [`Fault`] 400 for a body that is none, or that names not exactly one visitor.
    pub fn read(body: &[u8]) -> Result<Whose, Fault> {
        let read = Object::of_bytes(body)?;
        read.only(&["visitor", "anonymous_id"])?;
        Whose::read(read.text("visitor")?.as_deref(), read.text("anonymous_id")?.as_deref())
    }
}

/// What an erasure found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Found {
    /// The visitor's state was kept.
    pub was_known: bool,
    /// The visitor had been erased before.
    pub was_erased: bool,
    /// Events and notes of the log.
    pub log_items: u64,
    /// Entries of the quarantine.
    pub quarantined: u64,
    /// Items that were about to be sent to destinations.
    pub unsent: u64,
    /// Items that a destination may hold, though it has not said so: they are settled first.
    pub unsettled: u64,
}

#[derive(Serialize)]
struct Told<'a> {
    visitor: String,
    erased_at: String,
    #[serde(flatten)]
    found: Found,
    told: Vec<&'a str>,
}

/// What `POST /v1/erase` answers; destinations that are sent to are told.
#[must_use]
pub fn render(site: &Site, visitor: VisitorId, found: Found, now_ms: u64) -> String {
    let told = crate::delivery::sent_to(site).map(|destination| destination.name.as_str()).collect();
    let told = Told { visitor: visitor.to_string(), erased_at: rfc_3339(now_ms), found, told };
    serde_json::to_string(&told).unwrap_or_default()
}
