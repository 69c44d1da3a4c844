//! The quarantine as it is written: events refused with a reason, and records that a destination refused, kept with their
//! payload where we may keep it. One JSON object each.

use crate::json::{self, JsonMap, JsonSnapshot, purpose_names};
use crate::text::{base64, rfc_3339};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use selvedge_core::consent::{Purposes, Snapshot};
use selvedge_core::event::{BatchHeader, Event, RefusalCode, Undecodable};
use selvedge_core::id::{Sequence, VisitorId};
use selvedge_core::mutation::{Mutation, is_planted};
use selvedge_core::tracking_plan::{Trust, Violation};
use serde_json::value::RawValue;

/// What stands around every quarantined event of one batch.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'a> {
    /// The site.
    pub site: &'a str,
    /// The source.
    pub source: &'a str,
    /// Its trust.
    pub trust: Trust,
    /// When the batch came.
    pub received_ms: u64,
    /// The batch.
    pub header: &'a BatchHeader,
    /// The id that another SDK gave the visitor.
    pub anonymous_id: Option<&'a str>,
    /// The id that another SDK gave the event.
    pub message_id: Option<&'a str>,
    /// What tells it from its repetition, where the dedup window does not ([`super::repeated`]).
    pub fingerprint: Option<u64>,
    /// The program's hash, as text.
    pub program: &'a str,
    /// Its place in the site's history.
    pub publish: u64,
}

#[derive(serde::Serialize)]
struct Line<'a> {
    stage: &'static str,
    code: &'static str,
    faults: Vec<FaultJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    site: &'a str,
    source: &'a str,
    trust: &'static str,
    visitor: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    anonymous_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fingerprint: Option<u64>,
    writer: String,
    sequence: u32,
    received_at: String,
    received_at_ms: u64,
    sent_at_ms: u64,
    skew_ms: i64,
    clock: &'static str,
    program: &'a str,
    publish: u64,
    context: JsonMap<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consent: Option<JsonSnapshot>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<EventJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<String>,
}

#[derive(serde::Serialize)]
struct FaultJson<'a> {
    #[serde(rename = "type")]
    fault_type: &'static str,
    path: String,
    keyword: &'static str,
    plan: &'a str,
    message: String,
}

#[derive(serde::Serialize)]
struct EventJson<'a> {
    #[serde(rename = "type")]
    event_type: &'static str,
    name: &'a str,
    time: String,
    time_ms: u64,
    properties: JsonMap<'a>,
    context: JsonMap<'a>,
}

/// The JSON line of a refused event: `violation` says where it breaks the plan, if it does.
#[must_use]
pub fn of_event(
    at: &Circumstances<'_>,
    event: &Event,
    refused: (RefusalCode, Option<&Violation<'_>>),
    consent: Option<&Snapshot>,
) -> String {
    let (code, violation) = refused;
    let line = Line {
        faults: alloc::vec![FaultJson {
            fault_type: type_of(code),
            path: violation.map(Violation::path).unwrap_or_default(),
            keyword: code.as_str(),
            plan: &event.name,
            message: violation.map_or_else(|| message_of(code).into(), Violation::message),
        }],
        id: Some(event.id(at.header.writer).to_string()),
        sequence: event.sequence.get(),
        consent: consent.map(JsonSnapshot::from),
        event: Some(EventJson {
            event_type: event.event_type.as_str(),
            name: &event.name,
            time: rfc_3339(event.time_ms),
            time_ms: event.time_ms,
            properties: JsonMap(&event.properties),
            context: JsonMap(&event.context),
        }),
        ..bare(at, code)
    };
    serde_json::to_string(&line).unwrap_or_default()
}

/// The JSON line of an event that could not be read: its bytes as they came, in base64.
#[must_use]
pub fn of_bytes(at: &Circumstances<'_>, undecodable: &Undecodable, consent: Option<&Snapshot>) -> String {
    let code = undecodable.code;
    let fault = FaultJson {
        fault_type: type_of(code),
        path: String::new(),
        keyword: code.as_str(),
        plan: "",
        message: message_of(code).into(),
    };
    let line = Line {
        faults: alloc::vec![fault],
        sequence: undecodable.sequence.map_or(0, Sequence::get),
        consent: consent.map(JsonSnapshot::from),
        bytes: Some(base64(&undecodable.bytes)),
        ..bare(at, code)
    };
    serde_json::to_string(&line).unwrap_or_default()
}

/// What a destination refused for good: the records of one item of the log, and where it stands there.
#[derive(Debug, Clone, Copy)]
pub struct Undelivered<'a> {
    /// The site.
    pub site: &'a str,
    /// The destination.
    pub destination: &'a str,
    /// Whose it is.
    pub visitor: VisitorId,
    /// When it was given up: Unix milliseconds.
    pub refused_ms: u64,
    /// Why.
    pub code: DeliveryCode,
    /// What the destination said, or what could not be made of it.
    pub message: &'a str,
    /// Its row in the shard's log.
    pub row: u64,
    /// Its place in the row.
    pub item: u32,
    /// When the row's request came.
    pub item_received_ms: u64,
    /// The program in force, as text.
    pub program: &'a str,
    /// Its place in the site's history.
    pub publish: u64,
    /// What was to be sent; empty where it could not be made.
    pub records: &'a [UndeliveredRecord<'a>],
}

/// One record as it was to be sent.
#[derive(Debug, Clone, Copy, serde::Serialize)]
pub struct UndeliveredRecord<'a> {
    /// Its id: the event's, or that of what was decided or emitted.
    pub id: &'a str,
    /// What it is of: `event`, `decision`, `exposure`, `goal` or `emit`.
    pub kind: &'a str,
    /// Where it comes from, as CloudEvents has it.
    pub source: &'a str,
    /// When it happened: Unix milliseconds.
    pub time_ms: u64,
    /// What it may be used for.
    #[serde(rename = "purposes", serialize_with = "purposes")]
    pub usable: Purposes,
    /// The record itself.
    pub data: &'a RawValue,
}

/// Why a record did not reach a destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryCode {
    /// The destination refuses this record for good.
    Rejected,
    /// Alone it is larger than the destination takes.
    TooLarge,
    /// It could not be made of the row.
    Transform,
}

impl DeliveryCode {
    /// All codes.
    pub const ALL: [Self; 3] = [Self::Rejected, Self::TooLarge, Self::Transform];

    /// The code as it is listed.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::TooLarge => "record_too_large",
            Self::Transform => "transform",
        }
    }

    const fn fault_type(self) -> &'static str {
        match self {
            Self::Rejected => "Poison",
            Self::TooLarge => "Size",
            Self::Transform => "Transform",
        }
    }
}

fn purposes<S: serde::Serializer>(usable: &Purposes, out: S) -> Result<S::Ok, S::Error> {
    out.collect_seq(purpose_names(*usable))
}

#[derive(serde::Serialize)]
struct DeliveryLine<'a> {
    stage: &'static str,
    destination: &'a str,
    code: &'static str,
    faults: [FaultJson<'a>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    site: &'a str,
    visitor: String,
    received_at: String,
    received_at_ms: u64,
    program: &'a str,
    publish: u64,
    row: u64,
    item: u32,
    item_received_at_ms: u64,
    records: &'a [UndeliveredRecord<'a>],
}

/// The JSON line of an item that a destination refused for good.
#[must_use]
pub fn of_delivery(refused: &Undelivered<'_>) -> String {
    let (code, first) = (refused.code, refused.records.first());
    let fault = FaultJson {
        fault_type: code.fault_type(),
        path: String::new(),
        keyword: code.as_str(),
        plan: first.map_or("", |record| record.kind),
        message: refused.message.into(),
    };
    let line = DeliveryLine {
        stage: "delivery",
        destination: refused.destination,
        code: code.as_str(),
        faults: [fault],
        id: first.map(|record| record.id),
        site: refused.site,
        visitor: refused.visitor.to_string(),
        received_at: rfc_3339(refused.refused_ms),
        received_at_ms: refused.refused_ms,
        program: refused.program,
        publish: refused.publish,
        row: refused.row,
        item: refused.item,
        item_received_at_ms: refused.item_received_ms,
        records: refused.records,
    };
    serde_json::to_string(&line).unwrap_or_default()
}

/// A stored line as it is listed: with its cursor and the name of the entry in front.
#[must_use]
pub fn listed(cursor: &str, entry: &str, line: &str) -> String {
    match line.strip_prefix('{') {
        Some(rest) => format!("{{\"cursor\":\"{cursor}\",\"entry\":\"{entry}\",{rest}\n"),
        None => String::new(),
    }
}

fn bare<'a>(at: &Circumstances<'a>, code: RefusalCode) -> Line<'a> {
    Line {
        stage: "ingest",
        code: if is_planted(Mutation::NoReason) { "" } else { code.as_str() },
        faults: Vec::new(),
        id: None,
        site: at.site,
        source: at.source,
        trust: json::trust(at.trust),
        visitor: at.header.visitor.to_string(),
        anonymous_id: at.anonymous_id,
        message_id: at.message_id,
        fingerprint: at.fingerprint,
        writer: at.header.writer.bits().to_string(),
        sequence: 0,
        received_at: rfc_3339(at.received_ms),
        received_at_ms: at.received_ms,
        sent_at_ms: at.header.sent_at_ms,
        skew_ms: at.header.skew_ms,
        clock: json::clock(at.header.clock),
        program: at.program,
        publish: at.publish,
        context: JsonMap(&at.header.context),
        consent: None,
        event: None,
        bytes: None,
    }
}

const fn type_of(code: RefusalCode) -> &'static str {
    match code {
        RefusalCode::UnknownEvent => "Unplanned-Event",
        RefusalCode::RequiredMissing => "Required-Missing",
        RefusalCode::WrongType | RefusalCode::NotInEnum => "Datatype-Mismatch",
        RefusalCode::AdditionalProperty => "Additional-Properties",
        RefusalCode::TooLarge | RefusalCode::TooDeep => "Size",
        RefusalCode::Poison => "Poison",
        RefusalCode::Undecodable
        | RefusalCode::InvalidText
        | RefusalCode::NotFinite
        | RefusalCode::DictionaryUnknown => "Undecodable",
        RefusalCode::TooOld | RefusalCode::SequenceGap => "Sequence",
        RefusalCode::Untrusted => "Untrusted",
        RefusalCode::NoConsent | RefusalCode::Erased => "Consent",
    }
}

const fn message_of(code: RefusalCode) -> &'static str {
    match code {
        RefusalCode::Poison => "the step failed twice at this event",
        RefusalCode::TooOld => "it is older than what is still told apart: it may be a duplicate",
        RefusalCode::SequenceGap => "its sequence lies too far above what was taken of its writer",
        _ => "the event could not be read",
    }
}
