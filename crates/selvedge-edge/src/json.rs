//! How the words of the core look in JSON: what every route that answers JSON shares.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use selvedge_core::consent::{Mode, Purposes, Signals, Snapshot};
use selvedge_core::event::Clock;
use selvedge_core::number::Number;
use selvedge_core::tracking_plan::Trust;
use selvedge_core::value::{Map, Value};
use selvedge_core::wire::answer::SlotDecision;
use selvedge_core::wire::program::Content;
use serde::ser::{Serialize, SerializeMap, Serializer};

/// A property map, in the order sent, numbers exactly as sent.
#[derive(Debug)]
pub struct JsonMap<'a>(pub &'a Map);

impl Serialize for JsonMap<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, ValueRef(value))))
    }
}

/// Two maps as one: the second wins.
#[derive(Debug)]
pub struct JsonOverlay<'a>(pub &'a Map, pub &'a Map);

impl Serialize for JsonOverlay<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(under, over) = self;
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in under.iter().filter(|(name, _)| over.get(name).is_none()).chain(over.iter()) {
            map.serialize_entry(name, &ValueRef(value))?;
        }
        map.end()
    }
}

/// A number, exactly as sent.
#[derive(Debug)]
pub struct JsonNumber(pub Number);

impl Serialize for JsonNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        ValueRef(&Value::Number(self.0)).serialize(serializer)
    }
}

/// A value, numbers exactly as sent.
#[derive(Debug)]
pub struct JsonValue(pub Value);

impl Serialize for JsonValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        ValueRef(&self.0).serialize(serializer)
    }
}

/// Versions of tables, by name.
#[derive(Debug)]
pub struct JsonVersions<'a>(pub &'a [(String, u64)]);

impl JsonVersions<'_> {
    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for JsonVersions<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, version)| (name, version)))
    }
}

struct ValueRef<'a>(&'a Value);

impl Serialize for ValueRef<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(flag) => serializer.serialize_bool(*flag),
            Value::Number(Number::Int(int)) => serializer.serialize_i64(*int),
            Value::Number(Number::Uint(uint)) => serializer.serialize_u64(*uint),
            Value::Number(Number::Double(bits)) => serializer.serialize_f64(f64::from_bits(*bits)),
            Value::Text(text) => serializer.serialize_str(text),
            Value::List(list) => serializer.collect_seq(list.iter().map(ValueRef)),
            Value::Object(map) => JsonMap(map).serialize(serializer),
        }
    }
}

/// The names of purposes; a site's own are `purpose_4` and so on.
#[must_use]
pub fn purpose_names(purposes: Purposes) -> Vec<String> {
    let name = |bit: u32| match usize::try_from(bit).ok().and_then(|bit| Purposes::NAMES.get(bit)) {
        Some(name) => (*name).to_string(),
        None => alloc::format!("purpose_{bit}"),
    };
    (0..u16::BITS).filter(|bit| (purposes.0 >> bit) & 1 == 1).map(name).collect()
}

/// A consent snapshot.
#[derive(Debug, serde::Serialize)]
pub struct JsonSnapshot {
    granted: Vec<String>,
    denied: Vec<String>,
    mode: &'static str,
    gpc: bool,
    signal: String,
    policy_version: u16,
    time_ms: u64,
    /// 16 hexadecimal digits; left out where no text was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    text_hash: Option<String>,
}

impl From<&Snapshot> for JsonSnapshot {
    fn from(snapshot: &Snapshot) -> Self {
        Self {
            granted: purpose_names(snapshot.granted),
            denied: purpose_names(snapshot.denied),
            mode: mode(snapshot.mode),
            gpc: snapshot.gpc,
            signal: signal(snapshot.signal),
            policy_version: snapshot.policy_version,
            time_ms: snapshot.time_ms,
            text_hash: text_hash(snapshot),
        }
    }
}

/// The names of who said it, joined by `+`; `none` where nobody did.
#[must_use]
pub fn signal(signals: Signals) -> String {
    let is_in = |at: &usize| (signals.0 >> at) & 1 == 1;
    let names = Signals::NAMES.iter().enumerate().filter(|(at, _)| is_in(at)).map(|(_, name)| *name);
    let names: Vec<&str> = names.collect();
    if names.is_empty() { "none".into() } else { names.join("+") }
}

/// Reads [`signal`]; `None` for a name that is none.
#[must_use]
pub fn signals(text: &str) -> Option<Signals> {
    if text == "none" {
        return Some(Signals::NONE);
    }
    text.split('+').try_fold(Signals::NONE, |sum, name| Some(sum.or(Signals::named(name)?)))
}

/// What names the texts that a snapshot was read from, as 16 hexadecimal digits.
#[must_use]
pub fn text_hash(snapshot: &Snapshot) -> Option<String> {
    (snapshot.text_hash != 0).then(|| alloc::format!("{:016x}", snapshot.text_hash))
}

/// Reads [`text_hash`]: 0 for what is none.
#[must_use]
pub fn read_text_hash(text: &str) -> u64 {
    u64::from_str_radix(text, 16).unwrap_or(0)
}

/// The consent mode of a word.
#[must_use]
pub fn mode_of(word: &str) -> Option<Mode> {
    [Mode::OptIn, Mode::OptOut, Mode::Exempt].into_iter().find(|known| mode(*known) == word)
}

/// The word of a consent mode.
#[must_use]
pub const fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::OptIn => "opt-in",
        Mode::OptOut => "opt-out",
        Mode::Exempt => "cnil",
    }
}

/// The word of a trust level.
#[must_use]
pub const fn trust(trust: Trust) -> &'static str {
    match trust {
        Trust::Client => "client",
        Trust::Server => "server",
    }
}

/// The word of a clock.
#[must_use]
pub const fn clock(clock: Clock) -> &'static str {
    match clock {
        Clock::Received => "received",
        Clock::Event => "event",
    }
}

/// A decision.
#[derive(Debug, serde::Serialize)]
pub struct JsonDecision<'a> {
    slot: &'a str,
    rule: Option<&'a str>,
    content: Option<&'a str>,
    reason: &'static str,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<JsonContent<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    held_out: Option<&'a str>,
}

impl<'a> JsonDecision<'a> {
    /// The decision, with what it shows.
    #[must_use]
    pub fn new(decision: &'a SlotDecision, content: Option<&'a Content>) -> Self {
        Self {
            slot: &decision.slot,
            rule: decision.rule.as_deref(),
            content: decision.content.as_deref(),
            reason: decision.reason.as_str(),
            detail: &decision.detail,
            body: content.or(decision.body.as_ref()).map(JsonContent::from),
            held_out: decision.held_out.as_deref(),
        }
    }
}

/// A content.
#[derive(Debug, serde::Serialize)]
pub struct JsonContent<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    content_type: &'static str,
    fields: JsonFields<'a>,
}

impl<'a> From<&'a Content> for JsonContent<'a> {
    fn from(content: &'a Content) -> Self {
        let content_type = content.content_type.as_str();
        Self { id: &content.id, content_type, fields: JsonFields(&content.fields) }
    }
}

#[derive(Debug)]
struct JsonFields<'a>(&'a [(String, String)]);

impl Serialize for JsonFields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, text)| (name, text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn numbers_and_text_look_as_they_were_sent() {
        let map: Map = [
            ("order".into(), Value::Number(Number::Int(9_007_199_254_740_993))),
            ("big".into(), Value::Number(Number::Uint(u64::MAX))),
            ("latitude".into(), Value::Number(Number::Double(52.520_006_6f64.to_bits()))),
            ("emoji".into(), Value::Text("👟".into())),
            ("list".into(), Value::List(vec![Value::Null, Value::Bool(true)])),
        ]
        .into_iter()
        .collect();
        assert_eq!(
            serde_json::to_string(&JsonMap(&map)).unwrap(),
            r#"{"order":9007199254740993,"big":18446744073709551615,"latitude":52.5200066,"emoji":"👟","list":[null,true]}"#
        );
    }

    #[test]
    fn the_second_map_wins_in_an_overlay() {
        let one: Map = [("a".into(), Value::Bool(true)), ("b".into(), Value::Null)].into_iter().collect();
        let two: Map = [("b".into(), Value::Bool(false))].into_iter().collect();
        assert_eq!(serde_json::to_string(&JsonOverlay(&one, &two)).unwrap(), r#"{"a":true,"b":false}"#);
    }

    #[test]
    fn purposes_have_names() {
        assert_eq!(purpose_names(Purposes(0b1_0010)), ["analytics", "purpose_4"]);
    }
}
