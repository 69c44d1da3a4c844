//! Refusals: one reason each, kept with their payload where we may.

use crate::world::*;
use selvedge_core::consent::Purposes;
use selvedge_core::event::{Event, RefusalCode, Undecodable};
use selvedge_core::id::Sequence;
use selvedge_core::limits::FOREIGN_WINDOW_MS;
use selvedge_core::value::{Map, Value};
use selvedge_core::wire::stored::VisitorRecord;
use selvedge_edge::ingest::entry::Entry;
use selvedge_edge::ingest::{Again, Incoming, Outcome, Sent, Trouble, replay, step};
use selvedge_edge::ledger::Counter;

#[test]
fn what_breaks_the_plan_is_quarantined_and_spoils_nothing_beside_it() {
    let mut wrong = event(2, "product_view");
    wrong.properties.set("category", Value::Text("ties".into()));
    let outcome =
        stepped(None, batch(granted(), vec![Ok(event(1, "wave")), Ok(wrong), Ok(event(3, "report"))]));
    assert_eq!(refused(&outcome), [(1, "unknown_event"), (2, "not_in_enum")]);
    assert_eq!(logged(&outcome), [3]);
    let lines: Vec<serde_json::Value> =
        outcome.quarantine.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["faults"][0]["type"], "Unplanned-Event");
    assert_eq!(lines[1]["faults"][0]["path"], "properties.category");
    assert_eq!(lines[1]["event"]["properties"]["category"], "ties");
    assert_eq!(lines[1]["sequence"], 2);
}

#[test]
fn a_refused_event_that_is_sent_again_is_a_duplicate() {
    let outcome = stepped(None, batch(granted(), vec![Ok(event(1, "wave"))]));
    let again = stepped(kept(None, &outcome), batch(granted(), vec![Ok(event(1, "wave"))]));
    assert_eq!((again.answer.duplicates, again.quarantine.len()), (1, 0));
}

#[test]
fn poison_is_quarantined_and_never_stepped() {
    let mut heard = Heard::default();
    let views = vec![Ok(event(1, "product_view")), Ok(event(2, "product_view"))];
    let trouble = Trouble { poison: &[1], fresh_state: false };
    let outcome = step(&site(), None, batch(granted(), views), &arrival(), &trouble, &mut heard).unwrap();
    assert_eq!(refused(&outcome), [(1, "poison")]);
    assert_eq!(logged(&outcome), [2]);
    assert_eq!((heard.reached, heard.taken), (vec![1, 2], vec![2]));
    assert!(outcome.quarantine[0].contains(r#""type":"Poison""#));
}

#[test]
fn an_event_with_unknown_abbreviations_may_be_sent_again() {
    let short =
        Undecodable { sequence: Sequence::new(1), code: RefusalCode::DictionaryUnknown, bytes: vec![1] };
    let outcome = stepped(None, batch(granted(), vec![Err(short)]));
    assert_eq!(refused(&outcome), [(1, "dictionary_unknown")]);
    assert!(outcome.quarantine.is_empty());
    let spelled = stepped(kept(None, &outcome), batch(granted(), vec![Ok(event(1, "report"))]));
    assert_eq!(logged(&spelled), [1]);
}

#[test]
fn an_unreadable_event_gives_no_writer_back_what_was_given_up() {
    let unreadable = unreadable(Some(11), 1);
    let outcome = stepped(Some(given_up()), batch(granted(), vec![Err(unreadable), Ok(event(5, "report"))]));
    assert_eq!(refused(&outcome), [(11, "undecodable"), (5, "too_old")]);
}

/// A visitor whose writers were given up.
fn given_up() -> VisitorRecord {
    VisitorRecord { watermark: writer().boot_minute(), consent: granted(), ..VisitorRecord::default() }
}

fn unreadable(sequence: Option<u32>, byte: u8) -> Undecodable {
    let sequence = sequence.and_then(Sequence::new);
    Undecodable { sequence, code: RefusalCode::Undecodable, bytes: vec![byte] }
}

/// An event as another SDK sends it, from before the window.
fn foreign(id: &str) -> Sent {
    let event = Event { time_ms: NOW_MS - FOREIGN_WINDOW_MS - 1, ..event(9, "report") };
    Sent { read: Ok(event), message_id: Some(id.into()), readings: Map::new() }
}

fn sent(events: Vec<Sent>) -> Incoming {
    Incoming { events, ..batch(granted(), Vec::new()).into() }
}

/// What a visitor's shard holds after these batches, one after the other; each outcome with it.
fn one_after_the_other(record: VisitorRecord, batches: Vec<Incoming>) -> (Vec<String>, Vec<Outcome>) {
    let (mut record, mut heard, mut outcomes) = (Some(record), Heard::default(), Vec::new());
    for batch in batches {
        let outcome =
            step(&site(), record.clone(), batch, &arrival(), &Trouble::default(), &mut heard).unwrap();
        if outcome.purge_quarantine {
            heard.quarantine.clear();
        }
        heard.quarantine.extend(outcome.quarantine.clone());
        record = kept(record, &outcome);
        outcomes.push(outcome);
    }
    (heard.quarantine, outcomes)
}

/// The ledger's counts of an outcome: received, accepted, told apart, quarantined, refused.
fn counted(outcome: &Outcome) -> [u64; 5] {
    let of = |counter| outcome.ledger.get(counter);
    let [received, accepted] = [Counter::Received, Counter::Accepted].map(of);
    let [duplicates, quarantined] = [Counter::Deduplicated, Counter::Quarantined].map(of);
    [received, accepted, duplicates, quarantined, outcome.ledger.refused_in_all()]
}

#[test]
fn an_event_that_is_refused_whenever_it_comes_stands_in_the_quarantine_once() {
    let far = || Ok(event(2_000, "report"));
    let events = [
        vec![Ok(event(5, "report")), Ok(event(6, "report"))],
        vec![Err(unreadable(Some(11), 1)), Err(unreadable(Some(12), 1))],
        vec![Err(unreadable(None, 1)), Err(unreadable(None, 2))],
        vec![Ok(event(5, "report")), far()],
    ];
    let known = VisitorRecord { watermark: 0, ..given_up() };
    let records = [given_up(), given_up(), given_up(), known];
    let expected = [[2, 2], [2, 2], [2, 2], [1, 1]];
    for ((events, record), expected) in events.into_iter().zip(records).zip(expected) {
        let again = || batch(granted(), events.clone()).into();
        let (held, outcomes) = one_after_the_other(record, vec![again(), again(), again()]);
        assert_eq!(held.len(), expected[0], "{held:?}");
        let first = &outcomes[0];
        for outcome in &outcomes[1..] {
            assert_eq!((outcome.quarantine.len(), counted(outcome)[3]), (0, 0));
            assert_eq!(refused(outcome), refused(first), "the sender hears the same again");
            let [received, accepted, duplicates, _, refused] = counted(outcome);
            assert_eq!((received, refused), (2, expected[1] as u64));
            assert_eq!(received, accepted + duplicates + refused);
        }
    }
}

#[test]
fn what_another_sdk_names_is_kept_once_by_its_name() {
    let (one, both) = (vec![foreign("m-1")], vec![foreign("m-1"), foreign("m-2"), foreign("m-2")]);
    let (held, outcomes) = one_after_the_other(given_up(), vec![sent(one), sent(both)]);
    assert_eq!(held.len(), 2, "{held:?}");
    assert_eq!(outcomes[1].refused_ids, ["m-1", "m-2", "m-2"].map(|id| Some(id.to_string())));
    assert_eq!(counted(&outcomes[1]), [3, 0, 0, 1, 3]);
}

#[test]
fn of_two_reasons_both_are_kept() {
    let gap = batch(granted(), vec![Ok(event(2_000, "report"))]);
    let known = VisitorRecord { watermark: 0, ..given_up() };
    let (held, _) = one_after_the_other(known, vec![gap.clone().into()]);
    let outcome = stepped(Some(given_up()), gap);
    assert_ne!(fingerprint_of(&held[0]), fingerprint_of(&outcome.quarantine[0]));
}

fn fingerprint_of(line: &str) -> u64 {
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    line["fingerprint"].as_u64().unwrap()
}

#[test]
fn what_a_withdrawal_destroys_is_kept_anew_where_the_same_batch_brings_it() {
    let late = |consent| batch(consent, vec![Ok(event(5, "report"))]);
    let less = said(Purposes::ANALYTICS, Purposes::ADVERTISING, 9);
    let (held, outcomes) = one_after_the_other(given_up(), vec![late(granted()).into(), late(less).into()]);
    assert!(outcomes[1].purge_quarantine);
    assert_eq!(held.len(), 1, "what was destroyed is no copy");
}

#[test]
fn what_is_taken_up_again_in_vain_stays_what_it_is() {
    let (held, _) =
        one_after_the_other(given_up(), vec![batch(granted(), vec![Ok(event(5, "report"))]).into()]);
    let Entry::Refused(entry) = Entry::read(&held[0]) else { panic!("{}", held[0]) };
    let mut heard = Heard { quarantine: held.clone(), ..Heard::default() };
    let again = replay(&site(), Some(given_up()), &entry, NOW_MS, &mut heard).unwrap();
    let Again::Refused(RefusalCode::TooOld, line) = again else { panic!("{again:?}") };
    assert_eq!(fingerprint_of(&line), fingerprint_of(&held[0]), "its repetition is told from it still");
}
