//! What is refused, with which word, and what stands beside it unharmed.

use crate::sample;
use selvedge_core::consent::Snapshot;
use selvedge_core::event::{BatchHeader, Event, EventType, LeaseReport, RefusalCode, Undecodable};
use selvedge_core::id::Sequence;
use selvedge_core::limits::*;
use selvedge_core::value::{Map, Value};
use selvedge_core::wire::answer::read_answer;
use selvedge_core::wire::batch::{BatchEncoder, encode_batch, encode_event};
use selvedge_core::wire::batch_decode::{BatchFault, decode_batch, decode_header, open};
use selvedge_core::wire::codec::{WireFault, Writer};
use selvedge_core::wire::log_row::{LogRow, RowFault};

const HUGE: u64 = 1 << 60;

fn event(properties: Map) -> Event {
    Event {
        sequence: Sequence::new(5).unwrap(),
        event_type: EventType::Track,
        name: "product_view".into(),
        time_ms: sample::SENT_AT_MS,
        consent: 0,
        properties,
        context: Map::new(),
    }
}

/// A batch whose second event is `bytes`, between two good ones.
fn between_good_ones(bytes: &[u8]) -> Vec<Result<Event, Undecodable>> {
    let good = sample::events();
    let mut out = Writer::new();
    out.raw(&encode_batch(&sample::header(), &[&good[0]], None)[2..]);
    out.section(2, bytes);
    out.section(2, &encode_event(&good[1], sample::SENT_AT_MS, None));
    let mut events = decode_batch(&out.into_bytes(), None).unwrap().events;
    assert_eq!(events.len(), 3);
    assert_eq!(events.pop(), Some(Ok(good[1].clone())), "the one behind is as it was");
    assert_eq!(events.remove(0), Ok(good[0].clone()), "the one before is as it was");
    events
}

fn refused(bytes: &[u8]) -> Undecodable {
    between_good_ones(bytes).remove(0).unwrap_err()
}

fn refused_properties(properties: Map) -> RefusalCode {
    let bytes = encode_event(&event(properties), sample::SENT_AT_MS, None);
    refused(&bytes).code
}

fn nested(levels: usize) -> Map {
    let deepest = Value::List(vec![]);
    let value = (1..levels).fold(deepest, |inner, _| Value::List(vec![inner]));
    [("deep".to_string(), value)].into_iter().collect()
}

fn many(count: usize) -> Map {
    (0..count).map(|at| (format!("p{at}"), Value::Null)).collect()
}

#[test]
fn an_event_that_cannot_be_read_leaves_the_others() {
    let whole = encode_event(&event(sample::map(&[("sku", sample::text("A"))])), sample::SENT_AT_MS, None);
    for length in 1..whole.len() {
        let undecodable = refused(&whole[..length]);
        assert_eq!(undecodable.code, RefusalCode::Undecodable, "cut to {length}");
        assert_eq!(undecodable.sequence, Sequence::new(5), "its sequence is still known");
        assert_eq!(undecodable.bytes, &whole[..length], "its bytes are kept for quarantine");
    }
    assert_eq!(refused(&[]).sequence, None);
    assert_eq!(refused(&[0xff; 40]).code, RefusalCode::Undecodable);
    assert_eq!(refused(&[&whole[..], &[0]].concat()).code, RefusalCode::Undecodable, "bytes left over");
    assert!(between_good_ones(&whole)[0].is_ok());
}

#[test]
fn each_bound_of_an_event_has_its_code() {
    let long = |bytes: usize| sample::text(&"x".repeat(bytes));
    let list = |count| Value::List(vec![Value::Null; count]);
    for (properties, code) in [
        (nested(VALUE_DEPTH_MAX + 1), RefusalCode::TooDeep),
        (many(PROPERTIES_MAX + 1), RefusalCode::TooLarge),
        (sample::map(&[("o", Value::Object(many(PROPERTIES_MAX + 1)))]), RefusalCode::TooLarge),
        (sample::map(&[("l", list(VALUE_NODES_MAX))]), RefusalCode::TooLarge),
        (sample::map(&[("t", long(TEXT_BYTES_MAX + 1))]), RefusalCode::TooLarge),
        (sample::map(&[(&"n".repeat(PROPERTY_NAME_BYTES_MAX + 1), Value::Null)]), RefusalCode::TooLarge),
        (sample::map(&["a", "b", "c", "d"].map(|name| (name, long(TEXT_BYTES_MAX)))), RefusalCode::TooLarge),
    ] {
        assert_eq!(refused_properties(properties), code);
    }
    let named = Event { name: "n".repeat(EVENT_NAME_BYTES_MAX + 1), ..event(Map::new()) };
    assert_eq!(refused(&encode_event(&named, sample::SENT_AT_MS, None)).code, RefusalCode::TooLarge);
    let crowded = Event { context: many(CONTEXT_ENTRIES_MAX + 1), ..event(Map::new()) };
    assert_eq!(refused(&encode_event(&crowded, sample::SENT_AT_MS, None)).code, RefusalCode::TooLarge);
}

#[test]
fn what_stands_at_a_bound_is_taken() {
    for properties in [
        nested(VALUE_DEPTH_MAX),
        many(PROPERTIES_MAX),
        sample::map(&[("l", Value::List(vec![Value::Null; VALUE_NODES_MAX - 1]))]),
        sample::map(&[("t", sample::text(&"x".repeat(TEXT_BYTES_MAX)))]),
    ] {
        let bytes = encode_event(&event(properties), sample::SENT_AT_MS, None);
        assert!(between_good_ones(&bytes)[0].is_ok());
    }
}

#[test]
fn a_promise_of_exabytes_is_refused_before_anything_is_reserved() {
    let head = [5, 0, 0, 1, b'e', 0, 0];
    let promise = |before: &[u8]| {
        let mut out = Writer::new();
        out.raw(&head);
        out.raw(before);
        out.varint(HUGE);
        out.into_bytes()
    };
    for (before, what) in [
        (&[][..], "properties"),
        (&[1, 0][..], "a property's name"),
        (&[1, 0, 1, b'p', 5][..], "a text"),
        (&[1, 0, 1, b'p', 6][..], "a list"),
        (&[1, 0, 1, b'p', 7][..], "an object"),
    ] {
        assert_eq!(refused(&promise(before)).code, RefusalCode::Undecodable, "{what}");
    }

    let mut section = Writer::new();
    section.u8(1);
    section.varint(HUGE);
    assert_eq!(decode_batch(&section.into_bytes(), None), Err(BatchFault::Malformed));

    let mut answer = Writer::new();
    answer.raw(&[1, 0, 1, 12, 0, 0]);
    answer.varint(HUGE);
    answer.u8(0);
    assert_eq!(read_answer(&answer.into_bytes()), Err(WireFault::Truncated));
}

#[test]
fn texts_that_are_not_unicode_are_refused_as_such() {
    let mut bytes =
        encode_event(&event(sample::map(&[("sku", sample::text("abc"))])), sample::SENT_AT_MS, None);
    let at = bytes.windows(3).position(|window| window == b"abc").unwrap();
    bytes[at..at + 3].copy_from_slice(&[0xed, 0xa0, 0x80]);
    assert_eq!(refused(&bytes).code, RefusalCode::InvalidText, "a lone surrogate");
}

#[test]
fn names_of_another_dictionary_are_refused_and_can_be_sent_again_spelled_out() {
    let names = sample::plan().names();
    let events = sample::events();
    let bytes = encode_batch(&sample::header(), &[&events[0]], Some(&names));
    let mut other = sample::plan();
    other.events[0].name = "other".into();
    for known in [None, Some(&other.names())] {
        let batch = decode_batch(open(&bytes).unwrap().sections, known).unwrap();
        let undecodable = batch.events[0].clone().unwrap_err();
        assert_eq!(undecodable.code, RefusalCode::DictionaryUnknown);
        assert_eq!(undecodable.sequence, Some(events[0].sequence));
        assert_eq!(batch.header.context, sample::header().context, "the header needs no plan");
    }
    let spelled = encode_batch(&sample::header(), &[&events[0]], None);
    let batch = decode_batch(open(&spelled).unwrap().sections, Some(&other.names())).unwrap();
    assert_eq!(batch.events, [Ok(events[0].clone())]);
}

#[test]
fn a_container_of_another_kind_is_refused() {
    assert_eq!(open(&[]), Err(BatchFault::Malformed));
    assert_eq!(open(&[1]), Err(BatchFault::Malformed));
    assert_eq!(open(&[2, 0, 0]), Err(BatchFault::Version(2)));
    assert_eq!(open(b"{\"write_key\""), Err(BatchFault::Version(b'{')));
    assert_eq!(open(&[1, 2]), Err(BatchFault::Flags(2)));
    assert!(open(&[1, 1, 0x55]).unwrap().deflated);
    let mut bytes = vec![0; BATCH_BYTES_MAX + 1];
    bytes[0] = 1;
    assert_eq!(open(&bytes), Err(BatchFault::TooLarge));
    assert_eq!(decode_header(&bytes), Err(BatchFault::TooLarge), "once inflated");
}

#[test]
fn a_cut_batch_is_never_taken_for_a_shorter_one_unless_cut_between_events() {
    let events = sample::events();
    let mut borders = vec![];
    let mut encoder = BatchEncoder::new(&sample::header(), None);
    for event in &events {
        borders.push(encoder.len());
        encoder.push(event);
    }
    let bytes = encoder.finish();
    for length in 2..bytes.len() {
        let batch = decode_batch(&bytes[2..length], None);
        match borders.iter().position(|border| *border == length) {
            Some(count) => assert_eq!(batch.unwrap().events.len(), count),
            None => assert!(batch.is_err(), "cut to {length}"),
        }
    }
}

#[test]
fn each_bound_of_a_header_holds() {
    let header = sample::header;
    let lease = LeaseReport { rule: 1, lease: 1, used: 0 };
    for broken in [
        BatchHeader { write_key: "k".repeat(WRITE_KEY_BYTES_MAX + 1), ..header() },
        BatchHeader { consent: vec![Snapshot::default(); CONSENT_SNAPSHOTS_MAX + 1], ..header() },
        BatchHeader { context: many(CONTEXT_ENTRIES_MAX + 1), ..header() },
        BatchHeader { context: nested(VALUE_DEPTH_MAX + 1), ..header() },
        BatchHeader { leases: vec![lease; LEASE_REPORTS_MAX + 1], ..header() },
    ] {
        let bytes = encode_batch(&broken, &[], None);
        assert_eq!(decode_batch(&bytes[2..], None), Err(BatchFault::Header));
    }
    assert_eq!(decode_batch(&[], None), Err(BatchFault::Header), "no header");
    let event = encode_event(&sample::events()[0], 0, None);
    let mut out = Writer::new();
    out.section(2, &event);
    assert_eq!(decode_batch(&out.into_bytes(), None), Err(BatchFault::Header), "an event before the header");
    let once = encode_batch(&header(), &[], None);
    let twice = [&once[2..], &once[2..]].concat();
    assert_eq!(decode_batch(&twice, None), Err(BatchFault::Header), "two headers");
}

#[test]
fn too_many_events_are_refused_as_a_whole() {
    let small = event(Map::new());
    let at_bound = encode_batch(&sample::header(), &vec![&small; BATCH_EVENTS_MAX], None);
    assert_eq!(decode_batch(&at_bound[2..], None).unwrap().events.len(), BATCH_EVENTS_MAX);
    let above = encode_batch(&sample::header(), &vec![&small; BATCH_EVENTS_MAX + 1], None);
    assert_eq!(decode_batch(&above[2..], None), Err(BatchFault::TooManyEvents));
}

#[test]
fn sections_of_later_versions_are_skipped() {
    let events = sample::events();
    let mut batch = encode_batch(&sample::header(), &[&events[0]], None);
    batch.extend([9, 3, 1, 2, 3]);
    assert_eq!(decode_batch(&batch[2..], None).unwrap().events.len(), 1);
    let mut answer = sample::answer().encode().unwrap();
    answer.extend([9, 3, 1, 2, 3]);
    assert_eq!(read_answer(&answer), Ok(sample::answer()));
}

#[test]
fn a_row_of_another_version_says_so() {
    assert_eq!(LogRow::decode(&[]), Err(RowFault::Malformed));
    assert_eq!(LogRow::decode(&[7, 0]), Err(RowFault::Version(7)));
    let row = sample::log_row().encode().unwrap();
    for length in 1..row.len() {
        assert_eq!(LogRow::decode(&row[..length]), Err(RowFault::Malformed), "cut to {length}");
    }
    assert_eq!(LogRow::decode(&[&row[..], &[0]].concat()), Err(RowFault::Malformed));
}
