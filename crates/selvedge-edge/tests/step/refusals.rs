//! Refusals: one reason each, kept with their payload where we may.

use crate::world::*;
use selvedge_core::event::{RefusalCode, Undecodable};
use selvedge_core::id::Sequence;
use selvedge_core::value::Value;
use selvedge_edge::ingest::{Trouble, step};

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
    use selvedge_core::event::Undecodable;
    let record = selvedge_core::wire::stored::VisitorRecord {
        watermark: writer().boot_minute(),
        consent: granted(),
        ..Default::default()
    };
    let unreadable = Undecodable {
        sequence: selvedge_core::id::Sequence::new(11),
        code: RefusalCode::Undecodable,
        bytes: vec![1],
    };
    let outcome = stepped(Some(record), batch(granted(), vec![Err(unreadable), Ok(event(5, "report"))]));
    assert_eq!(refused(&outcome), [(11, "undecodable"), (5, "too_old")]);
}
