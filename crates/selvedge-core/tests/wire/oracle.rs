//! The wire as serde's derive and postcard write it: forms of their own, as a stranger would write them from the
//! description. What the page writes by hand must be these bytes.

use selvedge_core::event::{BatchHeader, Clock, Event, EventType};
use selvedge_core::number::Number;
use selvedge_core::value::{Map, Value};
use selvedge_core::wire::names::Names;
use serde::{Serialize, Serializer};

enum Name {
    Spelled(String),
    Place(u32),
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Spelled(name) => (0u32, name).serialize(serializer),
            Self::Place(place) => (place + 1).serialize(serializer),
        }
    }
}

#[derive(Serialize)]
enum Oracle {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    Text(String),
    List(Vec<Oracle>),
    Object(Vec<(Name, Oracle)>),
}

#[derive(Serialize)]
enum OracleClock {
    Received,
    Event,
}

#[derive(Serialize)]
enum OracleType {
    Track,
    Page,
    Identify,
    Group,
    Alias,
    Exposure,
}

fn name(name: &str, names: Option<&Names>) -> Name {
    match names.and_then(|names| names.iter().position(|known| known == name)) {
        Some(place) => Name::Place(place.try_into().unwrap()),
        None => Name::Spelled(name.into()),
    }
}

fn entries(map: &Map, names: Option<&Names>) -> Vec<(Name, Oracle)> {
    map.iter().map(|(key, value)| (name(key, names), oracle(value, names))).collect()
}

fn oracle(value: &Value, names: Option<&Names>) -> Oracle {
    match value {
        Value::Null => Oracle::Null,
        Value::Bool(flag) => Oracle::Bool(*flag),
        Value::Number(Number::Int(int)) => Oracle::Int(*int),
        Value::Number(Number::Uint(uint)) => Oracle::Uint(*uint),
        Value::Number(Number::Double(bits)) => Oracle::Double(f64::from_bits(*bits)),
        Value::Text(text) => Oracle::Text(text.clone()),
        Value::List(list) => Oracle::List(list.iter().map(|item| oracle(item, names)).collect()),
        Value::Object(map) => Oracle::Object(entries(map, names)),
    }
}

pub fn event(event: &Event, sent_at_ms: u64, names: Option<&Names>) -> Vec<u8> {
    let event_type = match event.event_type {
        EventType::Track => OracleType::Track,
        EventType::Page => OracleType::Page,
        EventType::Identify => OracleType::Identify,
        EventType::Group => OracleType::Group,
        EventType::Alias => OracleType::Alias,
        EventType::Exposure => OracleType::Exposure,
    };
    let delta_ms = i128::from(event.time_ms) - i128::from(sent_at_ms);
    let form = (
        event.sequence.get(),
        event_type,
        name(&event.name, names),
        delta_ms as i64,
        event.consent,
        entries(&event.properties, names),
        entries(&event.context, names),
    );
    postcard::to_allocvec(&form).unwrap()
}

pub fn header(header: &BatchHeader, dictionary: Option<u64>) -> Vec<u8> {
    let clock = match header.clock {
        Clock::Received => OracleClock::Received,
        Clock::Event => OracleClock::Event,
    };
    let snapshots: Vec<_> = header
        .consent
        .iter()
        .map(|snapshot| {
            let (mode, signal) = (snapshot.mode as u8, snapshot.signal.0);
            let hash = Some(snapshot.text_hash).filter(|hash| *hash != 0);
            let signal = signal | if hash.is_some() { 128 } else { 0 };
            let first = (snapshot.granted.0, snapshot.denied.0, mode, snapshot.gpc, signal);
            (first, snapshot.policy_version, snapshot.time_ms, Optional(hash))
        })
        .collect();
    let leases: Vec<_> = header.leases.iter().map(|lease| (lease.rule, lease.lease, lease.used)).collect();
    let form = (
        (&header.write_key, header.visitor.0, header.writer.bits(), header.sent_at_ms, header.skew_ms),
        (header.floor, clock, header.program.map(|program| program.0), dictionary),
        (snapshots, entries(&header.context, Some(&Names::of_context())), leases, header.holder),
    );
    postcard::to_allocvec(&form).unwrap()
}

/// The container: version, flags, then tag, length, content.
pub fn batch(batch_header: &BatchHeader, events: &[&Event], names: Option<&Names>) -> Vec<u8> {
    let mut bytes = vec![1, 0, 1];
    bytes.extend(postcard::to_allocvec(&header(batch_header, names.map(Names::number))).unwrap());
    for one in events {
        bytes.push(2);
        bytes.extend(postcard::to_allocvec(&event(one, batch_header.sent_at_ms, names)).unwrap());
    }
    bytes
}

/// A value that is there or not, without a mark: what stands before it says so.
struct Optional(Option<u64>);

impl serde::Serialize for Optional {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeTuple as _;
        let mut tuple = serializer.serialize_tuple(usize::from(self.0.is_some()))?;
        self.0.iter().try_for_each(|value| tuple.serialize_element(value))?;
        tuple.end()
    }
}
