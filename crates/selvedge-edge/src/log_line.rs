//! The log as JSON lines: one per event, in the order of its row.

use crate::json::{self, JsonDecision, JsonMap, JsonOverlay, JsonSnapshot, purpose_names};
use crate::text::rfc_3339;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use selvedge_core::consent::Snapshot;
use selvedge_core::wire::log_row::{LogEvent, LogRow};

#[derive(serde::Serialize)]
struct Line<'a> {
    cursor: &'a str,
    id: String,
    site: &'a str,
    visitor: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    anonymous_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<&'a str>,
    writer: String,
    sequence: u32,
    #[serde(rename = "type")]
    event_type: &'static str,
    name: &'a str,
    time: String,
    time_ms: u64,
    received_at: String,
    received_at_ms: u64,
    source: &'a str,
    trust: &'static str,
    clock: &'static str,
    late: bool,
    clock_off: bool,
    purposes: Vec<String>,
    consent: Option<JsonSnapshot>,
    context: JsonOverlay<'a>,
    properties: JsonMap<'a>,
    program: String,
    publish: u64,
    decisions: Vec<JsonDecision<'a>>,
    valid: bool,
}

/// The line of `event` of `row`, with a line feed; `cursor` is where a reader stands after it.
#[must_use]
pub fn render(row: &LogRow, event: &LogEvent, cursor: &str) -> String {
    let sent = &event.event;
    let line = Line {
        cursor,
        id: sent.id(row.writer).to_string(),
        site: &row.site,
        visitor: row.visitor.to_string(),
        anonymous_id: row.anonymous_id.as_deref(),
        message_id: event.message_id.as_deref(),
        writer: row.writer.bits().to_string(),
        sequence: sent.sequence.get(),
        event_type: sent.event_type.as_str(),
        name: &sent.name,
        time: rfc_3339(sent.time_ms),
        time_ms: sent.time_ms,
        received_at: rfc_3339(row.received_ms),
        received_at_ms: row.received_ms,
        source: &row.source,
        trust: json::trust(row.trust),
        clock: json::clock(row.clock),
        late: event.late,
        clock_off: event.clock_off,
        purposes: purpose_names(event.usable),
        consent: row.consent.get(usize::from(sent.consent)).map(JsonSnapshot::from),
        context: JsonOverlay(&row.context, &sent.context),
        properties: JsonMap(&sent.properties),
        program: row.program.to_string(),
        publish: row.publish,
        decisions: event.decisions.iter().map(|decision| JsonDecision::new(decision, None)).collect(),
        valid: true,
    };
    let mut text = serde_json::to_string(&line).unwrap_or_default();
    text.push('\n');
    text
}

/// Whether an event may still be handed out under the consent that its visitor has now. Reading the log is forwarding:
/// what a visitor took back is not read any more.
#[must_use]
pub fn may_forward(event: &LogEvent, now: &Snapshot) -> bool {
    !event.usable.and(now.in_force()).is_empty()
}
