//! An entry of the quarantine, read back from its JSON line: what was refused and why, as exactly as it was kept.

use super::json::{clock, visitor, writer};
use super::json_value::map;
use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use selvedge_core::consent::{Purposes, Snapshot};
use selvedge_core::event::{BatchHeader, Event, EventType, RefusalCode};
use selvedge_core::id::{ProgramHash, Sequence, VisitorId, parse_hex_16};
use selvedge_core::limits::{CONTEXT_ENTRIES_MAX, PROPERTIES_MAX};
use selvedge_core::tracking_plan::Trust;
use selvedge_core::value::Map;
use serde::Deserialize;
use serde_json::value::RawValue;

/// What the quarantine holds of one event or record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// An event that the step refused.
    Refused(Box<Refused>),
    /// Bytes of which no event could be read; why.
    Unreadable(String),
    /// What a destination refused.
    Undelivered(Undelivered),
}

/// An event that the step refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub code: RefusalCode,
    /// What its batch said once; the snapshot that the event was captured under is its only one.
    pub header: BatchHeader,
    /// The event.
    pub event: Event,
    /// The source's name.
    pub source: String,
    /// What it is trusted with.
    pub trust: Trust,
    /// When it came.
    pub received_ms: u64,
    /// The id that another SDK gave the visitor.
    pub anonymous_id: Option<String>,
    /// The id that another SDK gave the event.
    pub message_id: Option<String>,
}

/// An item of the log that a destination refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undelivered {
    /// The destination.
    pub destination: String,
    /// Whose it is.
    pub visitor: VisitorId,
    /// Its row in the shard's log.
    pub row: u64,
    /// Its place in the row.
    pub item: u32,
    /// When the row's request came.
    pub item_received_ms: u64,
    /// The program that it was refused under.
    pub program: ProgramHash,
    /// Its place in the site's history.
    pub publish: u64,
    /// What is to be sent.
    pub records: Vec<UndeliveredRecord>,
}

/// One record as it was to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndeliveredRecord {
    /// Its id.
    pub id: String,
    /// What it is of: `event`, `decision`, `exposure`, `goal` or `emit`.
    pub kind: String,
    /// Where it comes from, as CloudEvents has it.
    pub source: String,
    /// When it happened: Unix milliseconds.
    pub time_ms: u64,
    /// What it may be used for; all, where the line does not say.
    pub usable: Purposes,
    /// The record's JSON, byte for byte.
    pub data: String,
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    stage: Cow<'a, str>,
    #[serde(borrow)]
    code: Cow<'a, str>,
    #[serde(default)]
    destination: Option<String>,
    #[serde(borrow)]
    visitor: Cow<'a, str>,
    #[serde(borrow, default)]
    writer: Option<&'a RawValue>,
    #[serde(default)]
    sequence: u32,
    #[serde(default)]
    source: String,
    #[serde(borrow, default)]
    trust: Cow<'a, str>,
    #[serde(default)]
    anonymous_id: Option<String>,
    #[serde(default)]
    message_id: Option<String>,
    received_at_ms: u64,
    #[serde(default)]
    sent_at_ms: u64,
    #[serde(default)]
    skew_ms: i64,
    #[serde(borrow, default)]
    clock: Cow<'a, str>,
    #[serde(borrow, default)]
    context: Option<&'a RawValue>,
    #[serde(default)]
    consent: Option<SnapshotLine>,
    #[serde(borrow, default)]
    event: Option<&'a RawValue>,
    #[serde(borrow, default)]
    program: Cow<'a, str>,
    #[serde(default)]
    publish: u64,
    #[serde(default)]
    row: u64,
    #[serde(default)]
    item: u32,
    #[serde(default)]
    item_received_at_ms: u64,
    #[serde(borrow, default)]
    records: Vec<RecordLine<'a>>,
}

#[derive(Deserialize)]
struct RecordLine<'a> {
    id: String,
    kind: String,
    source: String,
    time_ms: u64,
    #[serde(default)]
    purposes: Option<Vec<String>>,
    #[serde(borrow)]
    data: &'a RawValue,
}

#[derive(Deserialize)]
struct SnapshotLine {
    granted: Vec<String>,
    denied: Vec<String>,
    mode: String,
    gpc: bool,
    signal: String,
    policy_version: u16,
    time_ms: u64,
    #[serde(default)]
    text_hash: String,
}

#[derive(Deserialize)]
struct EventLine<'a> {
    #[serde(borrow, rename = "type")]
    event_type: Cow<'a, str>,
    name: String,
    time_ms: u64,
    #[serde(borrow)]
    properties: &'a RawValue,
    #[serde(borrow)]
    context: &'a RawValue,
}

impl Entry {
    /// The entry of a stored line. What cannot be taken up again, for whatever reason, is [`Entry::Unreadable`].
    #[must_use]
    pub fn read(line: &str) -> Self {
        let read = match serde_json::from_str::<Line<'_>>(line) {
            Ok(line) if line.stage == "delivery" => undelivered(line).map(Self::Undelivered),
            Ok(line) => refused(line).map(|refused| Self::Refused(Box::new(refused))),
            Err(_) => None,
        };
        read.unwrap_or_else(|| Self::Unreadable(code_of(line)))
    }
}

/// `None` where there is nothing to send: the record could not be made.
fn undelivered(line: Line<'_>) -> Option<Undelivered> {
    let record = |read: RecordLine<'_>| UndeliveredRecord {
        id: read.id,
        kind: read.kind,
        source: read.source,
        time_ms: read.time_ms,
        usable: read.purposes.map_or(Purposes(u16::MAX), |names| purposes(&names)),
        data: read.data.get().into(),
    };
    Some(Undelivered {
        destination: line.destination?,
        visitor: visitor(&line.visitor).ok()?,
        row: line.row,
        item: line.item,
        item_received_ms: line.item_received_at_ms,
        program: parse_hex_16(&line.program).map(ProgramHash).unwrap_or_default(),
        publish: line.publish,
        records: line.records.into_iter().map(record).collect(),
    })
    .filter(|undelivered| !undelivered.records.is_empty())
}

fn refused(line: Line<'_>) -> Option<Refused> {
    let code = *RefusalCode::ALL.iter().find(|code| code.as_str() == line.code)?;
    let read: EventLine<'_> = serde_json::from_str(line.event?.get()).ok()?;
    let entries = |raw: &RawValue, entries_max| map(raw.get(), entries_max).ok();
    let event = Event {
        sequence: Sequence::new(line.sequence)?,
        event_type: EventType::named(&read.event_type)?,
        name: read.name,
        time_ms: read.time_ms,
        consent: 0,
        properties: entries(read.properties, PROPERTIES_MAX)?,
        context: entries(read.context, CONTEXT_ENTRIES_MAX)?,
    };
    let header = BatchHeader {
        write_key: String::new(),
        visitor: visitor(&line.visitor).ok()?,
        writer: writer(line.writer?.get()).ok()?,
        sent_at_ms: line.sent_at_ms,
        skew_ms: line.skew_ms,
        floor: 0,
        clock: clock(&line.clock).ok()?,
        program: None,
        dictionary: None,
        consent: Vec::from([snapshot(&line.consent?)]),
        context: line.context.map_or_else(|| Some(Map::new()), |raw| entries(raw, CONTEXT_ENTRIES_MAX))?,
        leases: Vec::new(),
        holder: 0,
    };
    Some(Refused {
        code,
        header,
        event,
        source: line.source,
        trust: if line.trust == "server" { Trust::Server } else { Trust::Client },
        received_ms: line.received_at_ms,
        anonymous_id: line.anonymous_id,
        message_id: line.message_id,
    })
}

fn snapshot(line: &SnapshotLine) -> Snapshot {
    Snapshot {
        granted: purposes(&line.granted),
        denied: purposes(&line.denied),
        mode: crate::json::mode_of(&line.mode).unwrap_or_default(),
        gpc: line.gpc,
        signal: crate::json::signals(&line.signal).unwrap_or_default(),
        policy_version: line.policy_version,
        time_ms: line.time_ms,
        text_hash: crate::json::read_text_hash(&line.text_hash),
    }
}

/// Purposes of their names, as [`crate::json::purpose_names`] writes them.
fn purposes(names: &[String]) -> Purposes {
    let of_site = |name: &str| {
        let bit = name.strip_prefix("purpose_")?.parse().ok()?;
        1u16.checked_shl(bit).map(Purposes)
    };
    let named = names.iter().filter_map(|name| Purposes::named(name).or_else(|| of_site(name)));
    named.fold(Purposes::NONE, Purposes::or)
}

/// The code in a line of which nothing else can be read.
fn code_of(line: &str) -> String {
    #[derive(Deserialize)]
    struct Code {
        code: String,
    }
    serde_json::from_str(line)
        .map_or_else(|_| RefusalCode::Undecodable.as_str().into(), |read: Code| read.code)
}
