//! One line of `GET /v1/log`, as `selvedge log --json` prints it, back to the event that it tells of.

use super::happened::{Happened, Recorded};
use crate::replay::value;
use selvedge_core::consent::Purposes;
use selvedge_core::event::EventType;
use selvedge_core::id::{VisitorId, WriterId};
use selvedge_core::value::{Map, Value};
use serde_json::Value as Json;

/// The event of a line, and whose it is.
///
/// # Errors
/// What is missing, in a sentence.
pub fn read(line: &str) -> Result<(VisitorId, Recorded), String> {
    let json: Json = serde_json::from_str(line).map_err(|fault| format!("no JSON: {fault}"))?;
    let text = |name: &str| {
        let field = json.get(name).and_then(Json::as_str);
        field.ok_or_else(|| format!("`{name}` is missing; lines are what `selvedge log --json` prints"))
    };
    let visitor = visitor_id(text("visitor")?).ok_or("`visitor` is not 32 hexadecimal digits")?;
    let writer = text("writer")?.parse().map_err(|_| "`writer` is not a number")?;
    let event_type = EventType::named(text("type")?).ok_or("`type` is unknown")?;
    let time_ms = json.get("time_ms").and_then(Json::as_u64).ok_or("`time_ms` is missing")?;
    let happened = Happened {
        writer: WriterId::from_bits(writer),
        event_type,
        name: text("name")?.to_owned(),
        time_ms,
        properties: map(json.get("properties"))?,
        context: map(json.get("context"))?,
    };
    Ok((visitor, Recorded { happened, granted: granted(&json) }))
}

/// Whether a line tells of no event.
#[must_use]
pub fn is_note(line: &str) -> bool {
    let json: Option<Json> = serde_json::from_str(line).ok();
    json.is_some_and(|json| json.get("kind").is_some())
}

/// The visitor with these 32 hexadecimal digits.
#[must_use]
pub fn visitor_id(text: &str) -> Option<VisitorId> {
    let mut bytes = [0; 16];
    if text.len() != 32 || !text.is_ascii() {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(at * 2..at * 2 + 2)?, 16).ok()?;
    }
    Some(VisitorId(bytes))
}

fn map(json: Option<&Json>) -> Result<Map, String> {
    match json.map(value::from_json).transpose()? {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(map)) => Ok(map),
        Some(_) => Err("properties and context are objects".to_owned()),
    }
}

fn granted(json: &Json) -> Option<Purposes> {
    let names = json.get("consent")?.get("granted")?.as_array()?;
    let purposes = names.iter().filter_map(Json::as_str).filter_map(Purposes::named);
    Some(purposes.fold(Purposes::NECESSARY, Purposes::or))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_line_of_the_log_is_the_event_again() {
        let line = json!({
            "visitor": "00112233445566778899aabbccddeeff",
            "writer": "77",
            "type": "track",
            "name": "product_view",
            "time_ms": 1_710_325_274_000u64,
            "properties": {"category": "shoes"},
            "context": {"utm.medium": "cpc"},
            "consent": {"granted": ["analytics"]},
        });
        let (visitor, recorded) = read(&line.to_string()).unwrap();
        assert_eq!(visitor.to_string(), "00112233445566778899aabbccddeeff");
        assert_eq!(recorded.happened.properties.text("category"), Some("shoes"));
        assert_eq!(recorded.granted, Some(Purposes::NECESSARY.or(Purposes::ANALYTICS)));
    }

    #[test]
    fn what_is_no_line_of_the_log_says_what_is_missing() {
        assert!(read("{}").unwrap_err().contains("selvedge log --json"));
        assert!(read("x").is_err());
        assert_eq!(visitor_id("é0112233445566778899aabbccddeef"), None);
    }
}
