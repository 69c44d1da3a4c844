//! Records as Segment's servers take them (`POST /v1/batch`): what is an event of theirs becomes it, all else a `track`.

use crate::delivery::record::Record;
use crate::text::rfc_3339;
use alloc::string::{String, ToString};
use selvedge_core::wire::program::RecordKind;
use serde_json::{Map, Value};

/// The body of a request. It depends on the records alone, so it has no `sentAt`.
pub(super) fn batch(records: &[&Record]) -> Value {
    let messages = records.iter().map(|record| Value::Object(message(record))).collect();
    let mut batch = Map::new();
    batch.insert("batch".to_string(), Value::Array(messages));
    Value::Object(batch)
}

fn message(record: &Record) -> Map<String, Value> {
    let mut said: Map<String, Value> = serde_json::from_slice(&record.data).unwrap_or_default();
    let context = nested(taken(&mut said, "context"));
    let mut message = Map::new();
    let mut set = |name: &str, value: Value| message.insert(name.to_string(), value);
    set("messageId", record.id.clone().into());
    set("anonymousId", record.visitor.to_string().into());
    set("timestamp", rfc_3339(record.time_ms).into());
    set("context", Value::Object(context));
    if let Some(user) = said.get("user_id") {
        set("userId", user.clone());
    }
    if record.kind == RecordKind::Event {
        of_event(&mut message, &mut said);
    } else {
        let named =
            said.get("name").or_else(|| said.get("goal")).filter(|_| record.kind != RecordKind::Exposure);
        let name = named.cloned().unwrap_or_else(|| record.kind.as_str().into());
        track(&mut message, name, said);
    }
    message
}

/// An event of the same type, as Segment calls its fields.
fn of_event(message: &mut Map<String, Value>, said: &mut Map<String, Value>) {
    let mut properties = taken(said, "properties");
    let event_type = said.remove("type").unwrap_or(Value::Null);
    let own = match event_type.as_str() {
        Some("page") => Some(("title", "name", "properties")),
        Some("identify") => Some(("user_id", "userId", "traits")),
        Some("group") => Some(("account_id", "groupId", "traits")),
        Some("alias") => Some(("previous_id", "previousId", "properties")),
        _ => None,
    };
    let Some((from, to, rest)) = own else {
        return track(message, said.remove("name").unwrap_or(Value::Null), properties);
    };
    // A page keeps its title; ids stand beside the traits.
    let own = if to == "name" { properties.get(from).cloned() } else { properties.remove(from) };
    message.extend(own.map(|own| (to.to_string(), own)));
    message.insert("type".to_string(), event_type);
    message.insert(rest.to_string(), Value::Object(properties));
}

fn track(message: &mut Map<String, Value>, event: Value, properties: Map<String, Value>) {
    message.insert("type".to_string(), "track".into());
    message.insert("event".to_string(), event);
    message.insert("properties".to_string(), Value::Object(properties));
}

fn taken(said: &mut Map<String, Value>, name: &str) -> Map<String, Value> {
    match said.remove(name) {
        Some(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

/// The context in groups: `page.path` is `path` of `page`, and what Segment has another name for gets it.
fn nested(context: Map<String, Value>) -> Map<String, Value> {
    let mut out = Map::new();
    for (name, value) in context {
        match name.split_once('.') {
            None if name == "language" => out.insert("locale".to_string(), value),
            None => out.insert(name, value),
            Some((group, name)) => {
                let (group, name) = match (group, name) {
                    ("utm", "campaign") => ("campaign", "name"),
                    ("utm", name) => ("campaign", name),
                    other => other,
                };
                let group = out.entry(group).or_insert_with(|| Value::Object(Map::new()));
                group.as_object_mut().and_then(|group| group.insert(name.to_string(), value))
            }
        };
    }
    out
}
