//! The page's encoder (www/sdk/src/encode.ts) against the edge's serde decoder, and against the page's own reader: the
//! bytes in the fixture were written by the first (www/sdk/test/encode.test.mjs holds it to them).

use selvedge_core::consent::Snapshot;
use selvedge_core::event::{BatchHeader, Clock};
use selvedge_core::id::{VisitorId, WriterId};
use selvedge_core::limits::PROPERTIES_MAX;
use selvedge_core::number::Number;
use selvedge_core::value::{Map, Value};
use selvedge_core::wire::batch::{TAG_EVENT, encode_batch};
use selvedge_core::wire::batch_decode::{decode_batch, open};
use selvedge_core::wire::codec::{Reader, Writer};
use selvedge_core::wire::property::read_map;

const FIXTURE: &str = include_str!("fixtures/encoded.json");

fn value(tagged: &serde_json::Value) -> Value {
    let text = || tagged[1].as_str().unwrap();
    match tagged[0].as_str().unwrap() {
        "null" => Value::Null,
        "bool" => Value::Bool(tagged[1].as_bool().unwrap()),
        "int" => Value::Number(Number::Int(text().parse().unwrap())),
        "uint" => Value::Number(Number::Uint(text().parse().unwrap())),
        "double" => Value::Number(Number::Double(u64::from_str_radix(text(), 16).unwrap())),
        "text" => Value::Text(text().into()),
        "list" => Value::List(tagged[1].as_array().unwrap().iter().map(value).collect()),
        "map" => Value::Object(map(tagged)),
        other => panic!("no such tag: {other}"),
    }
}

fn map(tagged: &serde_json::Value) -> Map {
    let entries = tagged[1].as_array().unwrap().iter();
    entries.map(|entry| (entry[0].as_str().unwrap().to_owned(), value(&entry[1]))).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    hex.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn header() -> BatchHeader {
    BatchHeader {
        write_key: "key".into(),
        visitor: VisitorId([1; 16]),
        writer: WriterId::from_bits(2),
        sent_at_ms: 0,
        skew_ms: 0,
        floor: 1,
        clock: Clock::Received,
        program: None,
        dictionary: None,
        consent: vec![Snapshot::default()],
        context: Map::new(),
        leases: Vec::new(),
        holder: 0,
    }
}

/// A batch of one event whose properties are `properties`, as they came from the page.
fn batch_with(properties: &[u8]) -> Vec<u8> {
    let mut event = Writer::new();
    event.varint(1);
    event.u8(0);
    event.u8(0);
    event.text("event");
    event.zigzag(0);
    event.u8(0);
    event.raw(properties);
    event.count(0);
    let mut batch = Writer::new();
    batch.raw(&encode_batch(&header(), &[], None));
    batch.section(TAG_EVENT, &event.into_bytes());
    batch.into_bytes()
}

#[test]
fn the_edge_reads_what_the_page_wrote() {
    let fixture: serde_json::Value = serde_json::from_str(FIXTURE).unwrap();
    let entries = fixture.as_array().unwrap();
    assert!(entries.len() > 100);
    let (mut finite, mut refused) = (0, 0);
    for entry in entries {
        let (written, expected) = (bytes(entry["bytes"].as_str().unwrap()), map(&entry["read"]));
        let mut reader = Reader::new(&written);
        assert_eq!(read_map(&mut reader, None, PROPERTIES_MAX).as_ref(), Ok(&expected), "{entry}");
        assert!(reader.is_empty(), "{entry}");
        let sent = batch_with(&written);
        let container = open(&sent).unwrap();
        let batch = decode_batch(container.sections, None).unwrap();
        match &batch.events[0] {
            Ok(event) => {
                assert_eq!(event.properties, expected, "{entry}");
                finite += 1;
            }
            Err(undecodable) => {
                assert_eq!(undecodable.code.as_str(), "not_finite", "{entry}");
                refused += 1;
            }
        }
    }
    assert!(finite > 100);
    assert!(refused <= 1);
}
