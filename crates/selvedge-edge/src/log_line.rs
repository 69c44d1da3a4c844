//! The log as JSON lines: one per event, in the order of its row, then one per note.

use crate::json::{
    self, JsonDecision, JsonMap, JsonNumber, JsonOverlay, JsonSnapshot, JsonVersions, purpose_names,
};
use crate::text::rfc_3339;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use selvedge_core::consent::Snapshot;
use selvedge_core::mutation::{Mutation, is_planted};
use selvedge_core::wire::log_row::{Emission, LogEvent, LogNote, LogRow, Said};

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
    /// The versions of pushed tables that decided.
    #[serde(skip_serializing_if = "JsonVersions::is_empty")]
    lookups: JsonVersions<'a>,
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
        lookups: JsonVersions(&row.lookups),
        decisions: event.decisions.iter().map(|decision| JsonDecision::new(decision, None)).collect(),
        valid: true,
    };
    let mut text = serde_json::to_string(&line).unwrap_or_default();
    text.push('\n');
    text
}

/// A line that no event says.
#[derive(serde::Serialize)]
struct NoteLine<'a> {
    cursor: &'a str,
    kind: &'static str,
    id: String,
    site: &'a str,
    visitor: String,
    writer: String,
    #[serde(rename = "type")]
    line_type: &'static str,
    name: &'a str,
    time: String,
    time_ms: u64,
    received_at: String,
    received_at_ms: u64,
    source: &'a str,
    purposes: Vec<String>,
    program: String,
    publish: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    decisions: Vec<JsonDecision<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    emit: Option<JsonEmission<'a>>,
    /// The event that reached a goal, or that a message follows from; and what the goal is worth.
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<JsonNumber>,
    #[serde(skip_serializing_if = "JsonVersions::is_empty")]
    lookups: JsonVersions<'a>,
}

/// A message to a destination.
#[derive(serde::Serialize)]
struct JsonEmission<'a> {
    to: &'a str,
    rule: &'a str,
    message: &'static str,
    name: &'a str,
    fields: JsonMap<'a>,
}

/// How many lines a row has.
#[must_use]
pub fn count(row: &LogRow) -> usize {
    row.events.len().saturating_add(row.notes.len())
}

/// The line at a place of a row, where it may still be handed out under the consent that its visitor has now.
#[must_use]
pub fn render_at(row: &LogRow, at: usize, now: &Snapshot, cursor: &str) -> Option<String> {
    match row.events.get(at) {
        Some(event) => may_forward(event, now).then(|| render(row, event, cursor)),
        None => {
            let note = row.notes.get(at.checked_sub(row.events.len())?)?;
            let may_be_read = note.said == Said::Erased || !note.usable.and(now.in_force()).is_empty();
            may_be_read.then(|| render_note(row, note, cursor))
        }
    }
}

/// The id of a message, the same however often it is read or sent. Of two that follow from two events each has its own,
/// though both happened in the same millisecond.
#[must_use]
pub fn id_of_message(row: &LogRow, time_ms: u64, told: &Emission) -> String {
    let message = message_of(told);
    match told.cause {
        Some(cause) => format!("{}:emit:{}:{message}", cause.event_id(row.writer), told.rule),
        None => format!("{}:{time_ms}:emit:{}:{message}", row.visitor, told.rule),
    }
}

/// `enter` or `exit`.
#[must_use]
pub const fn message_of(told: &Emission) -> &'static str {
    if told.is_exit { "exit" } else { "enter" }
}

/// The line of a note: of kind `decision`, `emit`, `goal` or `erase`.
#[must_use]
pub fn render_note(row: &LogRow, note: &LogNote, cursor: &str) -> String {
    let (kind, decisions, emission, reached) = match &note.said {
        Said::Decided(decisions) => ("decision", decisions.as_slice(), None, None),
        Said::Emitted(emission) => ("emit", &[][..], Some(emission), None),
        Said::Reached(reached) => ("goal", &[][..], None, Some(reached)),
        Said::Erased => ("erase", &[][..], None, None),
    };
    let emit = emission.map(|told| JsonEmission {
        to: &told.to,
        rule: &told.rule,
        message: message_of(told),
        name: &told.enter,
        fields: JsonMap(&told.fields),
    });
    let visitor = row.visitor.to_string();
    let name = match (emission, reached) {
        (Some(told), _) => &told.enter,
        (_, Some(reached)) => &reached.goal,
        _ if note.said == Said::Erased => "erased",
        _ => "deadline",
    };
    let id = match (emission, reached) {
        (Some(told), _) => id_of_message(row, note.time_ms, told),
        (_, Some(reached)) => {
            format!("{visitor}:{}:{kind}:{}:{}", note.time_ms, reached.goal, reached.event.get())
        }
        _ => format!("{visitor}:{}:{kind}", note.time_ms),
    };
    let cause = emission.and_then(|told| told.cause).map(|cause| cause.event_id(row.writer));
    let event = reached.map(|reached| reached.event_id(row.writer)).or(cause);
    let line = NoteLine {
        cursor,
        kind,
        id,
        site: &row.site,
        visitor,
        writer: row.writer.bits().to_string(),
        line_type: kind,
        name,
        time: rfc_3339(note.time_ms),
        time_ms: note.time_ms,
        received_at: rfc_3339(row.received_ms),
        received_at_ms: row.received_ms,
        source: &row.source,
        purposes: purpose_names(note.usable),
        program: row.program.to_string(),
        publish: row.publish,
        decisions: decisions.iter().map(|decision| JsonDecision::new(decision, None)).collect(),
        emit,
        event: event.map(|id| id.to_string()),
        value: reached.and_then(|reached| reached.value).map(JsonNumber),
        lookups: JsonVersions(&row.lookups),
    };
    let mut text = serde_json::to_string(&line).unwrap_or_default();
    text.push('\n');
    text
}

/// A line that says that rows are gone which a reader has not had.
#[derive(serde::Serialize)]
struct GapLine<'a> {
    cursor: &'a str,
    kind: &'static str,
    id: String,
    site: &'a str,
    received_at: String,
    received_at_ms: u64,
    shard: u32,
    missing_rows: u64,
    message: String,
}

/// The line of a gap: so many rows of a shard were removed before the reader at `cursor` has had them, which was found out
/// at this time.
#[must_use]
pub fn gap(site: &str, shard: u32, (missing_rows, now_ms): (u64, u64), cursor: &str) -> String {
    let line = GapLine {
        cursor,
        kind: "gap",
        id: format!("gap:{shard}:{cursor}"),
        site,
        received_at: rfc_3339(now_ms),
        received_at_ms: now_ms,
        shard,
        missing_rows,
        message: format!(
            "{missing_rows} rows of shard {shard} were removed before they were read: the cursor is older than `log: keep` \
             of site.yaml"
        ),
    };
    let mut text = serde_json::to_string(&line).unwrap_or_default();
    text.push('\n');
    text
}

/// Whether an event may still be handed out under the consent that its visitor has now. Reading the log is forwarding:
/// what a visitor took back is not read any more.
#[must_use]
pub fn may_forward(event: &LogEvent, now: &Snapshot) -> bool {
    !event.usable.and(now.in_force()).is_empty() || is_planted(Mutation::ReadOutAlways)
}
