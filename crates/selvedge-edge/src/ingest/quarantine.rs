//! The quarantine: events refused with a reason, kept with their payload where we may keep it, listed as JSON lines.

use crate::json::{self, JsonMap, JsonSnapshot};
use crate::text::{base64, rfc_3339};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use selvedge_core::consent::Snapshot;
use selvedge_core::event::{BatchHeader, Event, RefusalCode, Undecodable};
use selvedge_core::id::Sequence;
use selvedge_core::tracking_plan::{Trust, Violation};

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
    writer: String,
    sequence: u32,
    received_at: String,
    received_at_ms: u64,
    program: &'a str,
    publish: u64,
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
pub fn of_bytes(at: &Circumstances<'_>, undecodable: &Undecodable) -> String {
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
        bytes: Some(base64(&undecodable.bytes)),
        ..bare(at, code)
    };
    serde_json::to_string(&line).unwrap_or_default()
}

/// A stored line as it is listed: with its cursor in front.
#[must_use]
pub fn listed(cursor: &str, line: &str) -> String {
    match line.strip_prefix('{') {
        Some(rest) => format!("{{\"cursor\":\"{cursor}\",{rest}\n"),
        None => String::new(),
    }
}

fn bare<'a>(at: &Circumstances<'a>, code: RefusalCode) -> Line<'a> {
    Line {
        stage: "ingest",
        code: code.as_str(),
        faults: Vec::new(),
        id: None,
        site: at.site,
        source: at.source,
        trust: json::trust(at.trust),
        visitor: at.header.visitor.to_string(),
        anonymous_id: at.anonymous_id,
        message_id: at.message_id,
        writer: at.header.writer.bits().to_string(),
        sequence: 0,
        received_at: rfc_3339(at.received_ms),
        received_at_ms: at.received_ms,
        program: at.program,
        publish: at.publish,
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
        RefusalCode::NoConsent => "Consent",
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
