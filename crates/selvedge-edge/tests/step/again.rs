//! The quarantine, replayed: under the plan and the consent of today, with the same id, once.

use crate::world::*;
use selvedge_core::consent::Purposes;
use selvedge_core::event::{Event, RefusalCode};
use selvedge_core::value::{Map, Value};
use selvedge_core::wire::stored::VisitorRecord;
use selvedge_edge::ingest::entry::{Entry, Refused};
use selvedge_edge::ingest::{Again, Arrival, Incoming, Outcome, Sent, Trouble, replay, step};
use selvedge_edge::ledger::Counter;
use selvedge_edge::site::Site;

const DAY_MS: u64 = 86_400_000;

fn entry(line: &str) -> Refused {
    match Entry::read(line) {
        Entry::Refused(refused) => *refused,
        other => panic!("{other:?}: {line}"),
    }
}

/// The site whose plan knows `wave` too, and ties.
fn wider() -> Site {
    wider_site(&["wave"], &["ties"])
}

fn refused_one(event: Event) -> (Option<VisitorRecord>, Refused) {
    let outcome = stepped(None, batch(granted(), vec![Ok(event)]));
    assert_eq!(outcome.quarantine.len(), 1);
    (kept(None, &outcome), entry(&outcome.quarantine[0]))
}

fn again(site: &Site, stored: Option<&VisitorRecord>, entry: &Refused) -> Again {
    replay(site, stored.cloned(), entry, NOW_MS + DAY_MS, &mut Heard::default()).unwrap()
}

fn accepted(told: Again) -> Outcome {
    match told {
        Again::Accepted(outcome) => *outcome,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_plan_that_knows_the_event_accepts_it_with_the_same_id() {
    let event = event(1, "wave");
    let (stored, entry) = refused_one(event.clone());
    let outcome = accepted(again(&wider(), stored.as_ref(), &entry));
    let row = outcome.row.as_ref().unwrap();
    assert_eq!(row.events[0].event, event);
    assert_eq!((row.writer, row.received_ms, row.source.as_str()), (writer(), NOW_MS + DAY_MS, "web"));
    let counted = [Counter::Received, Counter::Accepted, Counter::QuarantineReplayed, Counter::Quarantined];
    assert_eq!(counted.map(|counter| outcome.ledger.get(counter)), [1, 1, 1, 0]);
    let record = kept(stored, &outcome);
    let resent = step(
        &wider(),
        record,
        batch(granted(), vec![Ok(event)]),
        &arrival(),
        &Trouble::default(),
        &mut Heard::default(),
    );
    assert_eq!(resent.unwrap().answer.duplicates, 1, "what the client sends again is a duplicate");
}

#[test]
fn what_is_still_wrong_stays_with_its_new_reason() {
    let mut tie = event(1, "wave");
    tie.properties.set("category", Value::Text("cravats".into()));
    let (stored, entry) = refused_one(tie);
    assert_eq!(entry.code, RefusalCode::UnknownEvent);
    let Again::Refused(code, line) = again(&wider(), stored.as_ref(), &entry) else { panic!("it stays") };
    assert_eq!(code, RefusalCode::NotInEnum);
    let still = self::entry(&line);
    assert_eq!((still.event, still.received_ms), (entry.event, entry.received_ms));
}

#[test]
fn the_consent_of_today_counts_and_is_not_changed() {
    let (stored, entry) = refused_one(event(1, "wave"));
    let denied = said(Purposes::NONE, ALL, NOW_MS + 5);
    let record = stored.map(|record| VisitorRecord { consent: denied, ..record });
    assert_eq!(again(&wider(), record.as_ref(), &entry), Again::Destroyed);
    let analytics = said(Purposes::ANALYTICS, Purposes::NONE, NOW_MS + 5);
    let record = record.map(|record| VisitorRecord { consent: analytics, ..record });
    let outcome = accepted(again(&wider(), record.as_ref(), &entry));
    assert_eq!(outcome.row.unwrap().events[0].usable, Purposes::ANALYTICS);
    assert_eq!(outcome.record.unwrap().consent, analytics);
}

#[test]
fn a_grant_of_today_does_not_reach_back() {
    let outcome =
        stepped(None, batch(said(Purposes::ANALYTICS, Purposes::NONE, 1), vec![Ok(event(1, "wave"))]));
    let stored =
        kept(None, &outcome).map(|record| VisitorRecord { consent: said(ALL, Purposes::NONE, 9), ..record });
    let entry = entry(&outcome.quarantine[0]);
    let usable = accepted(again(&wider(), stored.as_ref(), &entry)).row.unwrap().events[0].usable;
    assert_eq!(usable, Purposes::ANALYTICS);
}

#[test]
fn an_event_that_could_not_be_told_from_a_duplicate_is_judged_by_the_window_of_today() {
    let far = event(1_500, "report");
    let (stored, entry) = refused_one(far.clone());
    assert_eq!(entry.code, RefusalCode::SequenceGap);
    assert!(matches!(again(&site(), stored.as_ref(), &entry), Again::Refused(RefusalCode::SequenceGap, _)));
    // The client goes on above the gap, and sends it again itself.
    let mut resent = batch(granted(), vec![Ok(far)]);
    resent.header.floor = 1_499;
    let outcome = stepped(stored.clone(), resent);
    assert_eq!(logged(&outcome), [1_500]);
    let record = kept(stored, &outcome);
    assert_eq!(again(&site(), record.as_ref(), &entry), Again::Duplicate);
}

#[test]
fn an_event_of_another_sdk_keeps_its_id_and_its_name() {
    let incoming = Incoming {
        anonymous_id: Some("user_1".into()),
        events: vec![Sent {
            read: Ok(event(77, "wave")),
            message_id: Some("m-1".into()),
            readings: Map::new(),
        }],
        ..batch(granted(), Vec::new()).into()
    };
    let outcome =
        step(&site(), None, incoming.clone(), &arrival(), &Trouble::default(), &mut Heard::default())
            .unwrap();
    let entry = entry(&outcome.quarantine[0]);
    let stored = kept(None, &outcome);
    let outcome = accepted(again(&wider(), stored.as_ref(), &entry));
    let row = outcome.row.as_ref().unwrap();
    assert_eq!(
        (row.anonymous_id.as_deref(), row.events[0].message_id.as_deref()),
        (Some("user_1"), Some("m-1"))
    );
    assert_eq!(row.events[0].event.sequence, entry.event.sequence);
    let record = kept(stored, &outcome);
    let resent =
        step(&wider(), record, incoming, &arrival(), &Trouble::default(), &mut Heard::default()).unwrap();
    assert_eq!(resent.answer.duplicates, 1);
}

#[test]
fn rules_know_it_at_the_time_it_came() {
    let early = NOW_MS - 3 * DAY_MS;
    let mut wave = event(1, "wave");
    wave.time_ms = early;
    let at = Arrival { received_ms: early + 1_000, ..arrival() };
    let first = batch(granted(), vec![Ok(wave)]);
    let refused = step(&site(), None, first, &at, &Trouble::default(), &mut Heard::default()).unwrap();
    let entry = entry(&refused.quarantine[0]);
    let fresh = accepted(again(&wider(), kept(None, &refused).as_ref(), &entry)).row.unwrap();
    assert!(!fresh.events[0].late && !fresh.events[0].clock_off, "nothing came since");
    let later = stepped(kept(None, &refused), batch(granted(), vec![Ok(event(2, "report"))]));
    let record = kept(kept(None, &refused), &later);
    let outcome = accepted(again(&wider(), record.as_ref(), &entry));
    assert!(outcome.row.unwrap().events[0].late, "the visitor has gone on");
}

#[test]
fn what_is_quarantined_of_a_visitor_of_whom_no_state_is_kept_is_told_from_its_repetition() {
    let consent = said(Purposes::ADVERTISING, Purposes::NONE, 1);
    let mut spoiled = event(1, "ping");
    spoiled.properties.set("category", Value::Text("ties".into()));
    let outcome = stepped(None, batch(consent, vec![Ok(spoiled.clone())]));
    assert_eq!(outcome.quarantine.len(), 1);
    let record = kept(None, &outcome);
    assert!(record.as_ref().is_some_and(|record| record.state.is_empty()));
    let resent = stepped(record, batch(consent, vec![Ok(spoiled)]));
    assert_eq!((resent.answer.duplicates, resent.quarantine.len()), (1, 0));
}

#[test]
fn a_line_reads_back_exactly() {
    let number = |text: &str| {
        Value::Number(selvedge_core::number::Number::Double(text.parse::<f64>().unwrap().to_bits()))
    };
    let mut wave = event(1, "wave");
    wave.properties.set("tiny", number("5e-324"));
    wave.properties.set("big", Value::Number(selvedge_core::number::Number::Uint(u64::MAX)));
    wave.properties.set("nested", Value::List(vec![Value::Null, Value::Text("\u{0} ẞ".into())]));
    wave.context.set("utm.medium", Value::Text("cpc".into()));
    let mut sent = batch(granted(), vec![Ok(wave.clone())]);
    sent.header.context.set("device.class", Value::Text("phone".into()));
    sent.header.skew_ms = -40;
    let outcome = stepped(None, sent.clone());
    let read = entry(&outcome.quarantine[0]);
    assert_eq!(read.event, wave);
    let header = selvedge_core::event::BatchHeader { write_key: String::new(), floor: 0, ..sent.header };
    assert_eq!(read.header, header);
    assert_eq!(Entry::read("{}"), Entry::Unreadable("undecodable".into()));
}

#[test]
fn what_a_destination_refused_reads_back_byte_for_byte() {
    use selvedge_edge::ingest::quarantine::{DeliveryCode, Undelivered, UndeliveredRecord, of_delivery};
    let data = r#"{"price": 129.950, "big":18446744073709551615}"#;
    let raw = serde_json::value::RawValue::from_string(data.into()).unwrap();
    let (usable, time_ms) = (Purposes::ANALYTICS.or(Purposes(1 << 9)), NOW_MS);
    let record =
        UndeliveredRecord { id: "e-1", kind: "event", source: "/shop/web", time_ms, usable, data: &raw };
    let refused = Undelivered {
        site: "shop",
        destination: "crm",
        visitor: VISITOR,
        refused_ms: NOW_MS + 5,
        code: DeliveryCode::Rejected,
        message: "422: no such field",
        row: 17,
        item: 2,
        item_received_ms: NOW_MS,
        program: "p",
        publish: 3,
        records: &[record],
    };
    let line = of_delivery(&refused);
    let Entry::Undelivered(read) = Entry::read(&line) else { panic!("{line}") };
    assert_eq!((read.destination.as_str(), read.visitor, read.row, read.item), ("crm", VISITOR, 17, 2));
    assert_eq!((read.records.len(), read.records[0].data.as_str()), (1, data));
    assert_eq!(read.records[0].usable, usable);
    let before = line.replace(r#""purposes":["analytics","purpose_9"],"#, "");
    let Entry::Undelivered(read) = Entry::read(&before) else { panic!("{before}") };
    assert!(before != line && read.records[0].usable.holds(usable), "a line of before says nothing of it");
    let nothing = of_delivery(&Undelivered { records: &[], code: DeliveryCode::Transform, ..refused });
    assert_eq!(Entry::read(&nothing), Entry::Unreadable("transform".into()));
}
