//! Visitors and events that other SDKs named.

use crate::world::*;
use proptest::prelude::*;
use selvedge_core::limits::{FOREIGN_EVENTS_MAX, FOREIGN_WINDOW_MS};
use selvedge_core::wire::stored::VisitorRecord;
use selvedge_edge::foreign::{visitor_of, writer_of};
use selvedge_edge::ingest::{Incoming, Outcome, Trouble, answer_json, json, step};
use std::collections::BTreeSet;

/// A batch of events as another SDK names them: id, name, age in milliseconds.
fn named(events: &[(&str, &str, u64)]) -> Incoming {
    let event = |(id, name, age_ms): &(&str, &str, u64)| {
        let time_ms = NOW_MS - age_ms;
        format!(
            r#"{{"message_id":"{id}","name":"{name}","time":{time_ms},"properties":{{"category":"shoes"}}}}"#
        )
    };
    let events: Vec<String> = events.iter().map(event).collect();
    let text = format!(
        r#"{{"anonymous_id":"anon-1","sent_at":{NOW_MS},"consent":{{"granted":["analytics","personalization"],
        "time":1}},"events":[{}]}}"#,
        events.join(",")
    );
    json::read(text.as_bytes(), "shop").unwrap()
}

fn taken(stored: Option<VisitorRecord>, sent: Incoming) -> Outcome {
    step(&site(), stored, sent, &arrival(), &Trouble::default(), &mut Heard::default()).unwrap()
}

#[test]
fn a_visitor_of_another_sdk_is_a_hash_and_the_original_is_kept() {
    let outcome = taken(None, named(&[("m-1", "report", 0)]));
    let row = outcome.row.unwrap();
    assert_eq!(row.visitor, visitor_of("shop", "anon-1"));
    assert_eq!(row.anonymous_id.as_deref(), Some("anon-1"));
    assert_eq!(row.writer, writer_of(row.visitor));
    assert_eq!(row.events[0].message_id.as_deref(), Some("m-1"));
}

#[test]
fn an_id_is_taken_once_in_whichever_batch_it_comes() {
    let first = taken(None, named(&[("m-1", "report", 9), ("m-2", "product_view", 8)]));
    assert_eq!((first.answer.accepted, first.answer.duplicates), (2, 0));
    let again = taken(kept(None, &first), named(&[("m-2", "product_view", 8), ("m-3", "product_view", 7)]));
    assert_eq!((again.answer.accepted, again.answer.duplicates), (1, 1));
    assert_eq!(again.answer.decisions[0].rule.as_deref(), Some("two-views"));
    let ids = |outcome: &Outcome| -> Vec<_> {
        let row = outcome.row.as_ref().unwrap();
        row.events.iter().map(|logged| logged.event.id(row.writer)).collect()
    };
    let ids: BTreeSet<_> = ids(&first).into_iter().chain(ids(&again)).collect();
    assert_eq!(ids.len(), 3, "each has an id of its own");
}

#[test]
fn a_refusal_names_the_event_as_its_sender_did() {
    let sent = named(&[("m-1", "wave", 0), ("m-2", "report", FOREIGN_WINDOW_MS + 1)]);
    let outcome = taken(None, sent);
    let answer: serde_json::Value = serde_json::from_str(&answer_json::render(&outcome)).unwrap();
    let refused = serde_json::json!([
        {"sequence": 0, "message_id": "m-1", "code": "unknown_event"},
        {"sequence": 0, "message_id": "m-2", "code": "too_old"},
    ]);
    assert_eq!(answer["refused"], refused);
    let line: serde_json::Value = serde_json::from_str(&outcome.quarantine[1]).unwrap();
    assert_eq!((&line["anonymous_id"], &line["message_id"]), (&"anon-1".into(), &"m-2".into()));
}

#[test]
fn an_unreadable_event_of_another_sdk_is_quarantined_once() {
    let text = r#"{"anonymous_id":"anon-1","consent":{"granted":["analytics"],"time":1},
        "events":[{"message_id":"m-1","name":"report","time":1,"properties":[]}]}"#;
    let sent = json::read(text.as_bytes(), "shop").unwrap();
    let first = taken(None, sent.clone());
    assert_eq!((first.quarantine.len(), first.refused_ids.clone()), (1, vec![Some("m-1".to_owned())]));
    let again = taken(kept(None, &first), sent);
    assert_eq!((again.quarantine.len(), again.answer.duplicates), (0, 1));
}

#[test]
fn what_is_remembered_is_bounded_and_what_fell_out_is_not_guessed() {
    let ids: Vec<String> = (0..FOREIGN_EVENTS_MAX + 5).map(|at| format!("m-{at}")).collect();
    let mut stored = None;
    for (batch, chunk) in ids.chunks(200).enumerate() {
        let events: Vec<_> = chunk
            .iter()
            .enumerate()
            .map(|(at, id)| (id.as_str(), "report", 60_000 - (batch * 200 + at) as u64))
            .collect();
        stored = kept(stored.clone(), &taken(stored, named(&events)));
    }
    assert_eq!(stored.as_ref().unwrap().foreign.taken.len(), FOREIGN_EVENTS_MAX);
    let record = stored.as_ref().unwrap().encode();
    assert_eq!(VisitorRecord::decode(&record).as_ref(), Ok(stored.as_ref().unwrap()));
    let oldest = taken(stored.clone(), named(&[("m-0", "report", 60_000)]));
    assert_eq!(oldest.answer.refused[0].code.as_str(), "too_old");
    let newest = taken(stored, named(&[(&ids[ids.len() - 1], "report", 60_000 - (ids.len() - 1) as u64)]));
    assert_eq!(newest.answer.duplicates, 1);
}

proptest! {
    /// Whatever is sent again, in whatever cut, each id is accepted at most once.
    #[test]
    fn sending_again_changes_nothing(
        batches in prop::collection::vec(prop::collection::vec(0u64..30, 0..8), 1..8)
    ) {
        let (mut stored, mut accepted) = (None, Vec::new());
        for batch in batches {
            let ids: Vec<_> = batch.iter().map(|at| format!("m-{at}")).collect();
            let events: Vec<_> = ids.iter().zip(&batch).map(|(id, at)| (id.as_str(), "report", *at)).collect();
            let outcome = taken(stored.clone(), named(&events));
            let logged = outcome.row.iter().flat_map(|row| &row.events);
            accepted.extend(logged.map(|logged| logged.message_id.clone().unwrap()));
            stored = kept(stored, &outcome);
        }
        let once: BTreeSet<_> = accepted.iter().collect();
        prop_assert_eq!(once.len(), accepted.len());
    }
}
