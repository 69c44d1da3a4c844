//! What records say: one flat map for each, with numbers exactly as they were sent. Paths into it are what destinations
//! filter by, remove and rename.

use crate::json;
use crate::log_line;
use crate::site::Site;
use crate::text::rfc_3339;
use alloc::string::{String, ToString};
use selvedge_core::consent::{Purposes, Snapshot};
use selvedge_core::event::{Event, EventType};
use selvedge_core::number::Number;
use selvedge_core::value::{Map, Value};
use selvedge_core::wire::answer::SlotDecision;
use selvedge_core::wire::log_row::{Emission, LogEvent, LogRow, Reached};
use selvedge_core::wire::program::RecordKind;
use selvedge_core::wire::record::type_of;

/// What every record says of where it comes from.
pub(super) struct Origin<'a> {
    pub row: &'a LogRow,
    /// When it happened: Unix milliseconds.
    pub time_ms: u64,
    /// What it may be used for.
    pub usable: Purposes,
    /// The consent at capture.
    pub consent: Option<&'a Snapshot>,
}

/// A record of this kind, with what all have.
fn begun(kind: RecordKind, id: &str, origin: &Origin<'_>) -> Map {
    let row = origin.row;
    let mut map = Map::new();
    map.set("record", text(type_of(kind)));
    map.set("id", text(id));
    map.set("site", text(&*row.site));
    map.set("visitor", text(row.visitor.to_string()));
    set_some(&mut map, "anonymous_id", row.anonymous_id.as_deref());
    map.set("time", text(rfc_3339(origin.time_ms)));
    map.set("time_ms", number(origin.time_ms));
    map.set("received_at", text(rfc_3339(row.received_ms)));
    map.set("received_at_ms", number(row.received_ms));
    map.set("source", text(&*row.source));
    map.set("trust", text(json::trust(row.trust)));
    map.set("clock", text(json::clock(row.clock)));
    map.set("program", text(row.program.to_string()));
    map.set("publish", number(row.publish));
    map.set("purposes", names(origin.usable));
    if let Some(consent) = origin.consent {
        map.set("consent_granted", names(consent.granted));
        map.set("consent_denied", names(consent.denied));
        map.set("consent_mode", text(json::mode(consent.mode)));
        map.set("consent_gpc", Value::Bool(consent.gpc));
        map.set("consent_policy_version", number(consent.policy_version.into()));
        map.set("consent_time_ms", number(consent.time_ms));
        map.set("consent_signal", text(json::signal(consent.signal)));
        set_some(&mut map, "consent_text_hash", json::text_hash(consent).as_deref());
    }
    map
}

/// The kind of an event's record.
pub(super) fn kind_of(sent: &Event) -> RecordKind {
    if sent.event_type == EventType::Exposure { RecordKind::Exposure } else { RecordKind::Event }
}

/// The record of an event: of kind `exposure` where it is one.
pub(super) fn event(origin: &Origin<'_>, logged: &LogEvent) -> (RecordKind, Map) {
    let sent = &logged.event;
    let kind = kind_of(sent);
    let mut map = begun(kind, &id_of(origin.row, sent), origin);
    map.set("type", text(sent.event_type.as_str()));
    map.set("name", text(&*sent.name));
    if kind == RecordKind::Exposure {
        set_exposure(&mut map, &sent.properties);
    }
    if matches!(sent.event_type, EventType::Identify | EventType::Alias) {
        set_some(&mut map, "user_id", sent.properties.text("user_id"));
    }
    set_session(&mut map, logged);
    map.set("writer", text(origin.row.writer.bits().to_string()));
    map.set("sequence", number(sent.sequence.get().into()));
    set_some(&mut map, "message_id", logged.message_id.as_deref());
    map.set("late", Value::Bool(logged.late));
    map.set("clock_off", Value::Bool(logged.clock_off));
    map.set("context", Value::Object(overlay(&origin.row.context, &sent.context)));
    map.set("properties", Value::Object(sent.properties.clone()));
    (kind, map)
}

fn set_session(map: &mut Map, logged: &LogEvent) {
    if logged.session > 0 {
        map.set("session", number(logged.session.into()));
    }
}

/// What an exposure says of itself, as columns.
fn set_exposure(map: &mut Map, properties: &Map) {
    for name in ["slot", "rule", "content", "experiment", "variant"] {
        set_some(map, name, properties.text(name));
    }
    map.set("reason", text(properties.text("reason").unwrap_or("shown")));
    set_some(map, "decided_by", properties.text("program"));
}

/// The record of a decision: of an event where `cause` is its id and name, else of time alone.
pub(super) fn decision(
    site: &Site,
    origin: &Origin<'_>,
    id: &str,
    cause: Option<&LogEvent>,
    decision: &SlotDecision,
) -> Map {
    let mut map = begun(RecordKind::Decision, id, origin);
    if let Some(logged) = cause {
        map.set("event_id", text(id_of(origin.row, &logged.event)));
        map.set("event", text(&*logged.event.name));
        set_session(&mut map, logged);
    }
    map.set("slot", text(&*decision.slot));
    set_some(&mut map, "rule", decision.rule.as_deref());
    set_some(&mut map, "content", decision.content.as_deref());
    map.set("reason", text(decision.reason.as_str()));
    match variant(site, &decision.detail) {
        Some((experiment, variant)) => {
            map.set("experiment", text(experiment));
            map.set("variant", text(variant));
        }
        None => set_some(&mut map, "detail", Some(&*decision.detail).filter(|detail| !detail.is_empty())),
    }
    set_some(&mut map, "held_out", decision.held_out.as_deref());
    map
}

/// The experiment and variant that a decision's detail names.
fn variant<'a>(site: &Site, detail: &'a str) -> Option<(&'a str, &'a str)> {
    let (experiment, variant) = detail.split_once('/')?;
    let known = site.program.parts().deciding.experiments.iter().find(|known| known.name == experiment)?;
    known.variants.iter().any(|known| known.name == variant).then_some((experiment, variant))
}

/// The record of a message.
pub(super) fn emit(origin: &Origin<'_>, id: &str, emission: &Emission) -> Map {
    let mut map = begun(RecordKind::Emit, id, origin);
    map.set("name", text(&*emission.enter));
    map.set("message", text(log_line::message_of(emission)));
    map.set("rule", text(&*emission.rule));
    map.set("destination", text(&*emission.to));
    map.set("fields", Value::Object(emission.fields.clone()));
    map
}

/// The record of a goal that was reached.
pub(super) fn goal(origin: &Origin<'_>, id: &str, reached: &Reached) -> Map {
    let mut map = begun(RecordKind::Goal, id, origin);
    map.set("goal", text(&*reached.goal));
    map.set("event_id", text(reached.event_id(origin.row.writer).to_string()));
    let mut events = origin.row.events.iter().map(|logged| &logged.event);
    set_some(&mut map, "event", events.find(|sent| sent.sequence == reached.event).map(|sent| &*sent.name));
    if let Some(value) = reached.value {
        map.set("value", Value::Number(value));
    }
    map
}

/// The record of an erasure.
pub(super) fn erase(origin: &Origin<'_>, id: &str) -> Map {
    begun(RecordKind::Erase, id, origin)
}

/// An event's id, as printed.
pub(super) fn id_of(row: &LogRow, event: &Event) -> String {
    event.id(row.writer).to_string()
}

fn text(text: impl Into<String>) -> Value {
    Value::Text(text.into())
}

fn number(number: u64) -> Value {
    Value::Number(i64::try_from(number).map_or(Number::Uint(number), Number::Int))
}

fn names(purposes: Purposes) -> Value {
    Value::List(json::purpose_names(purposes).into_iter().map(Value::Text).collect())
}

fn set_some(map: &mut Map, name: &str, found: Option<&str>) {
    if let Some(found) = found {
        map.set(name, text(found));
    }
}

/// Both maps; the second wins.
fn overlay(under: &Map, over: &Map) -> Map {
    let both = under.iter().chain(over.iter());
    both.map(|(name, value)| (name.into(), value.clone())).collect()
}
