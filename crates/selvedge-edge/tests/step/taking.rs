//! What is taken, once, in order, exactly as it was sent.

use crate::world::*;
use selvedge_core::number::Number;
use selvedge_core::value::{Map, Value};
use selvedge_core::wire::log_row::LogRow;
use selvedge_edge::ingest::{Outcome, Trouble, step};
use selvedge_edge::ledger::Counter;

#[test]
fn accepted_events_stand_in_the_row_in_order_exactly_as_sent() {
    let mut sent = event(1, "product_view");
    sent.properties.set("order", Value::Number(Number::Int(9_007_199_254_740_993)));
    sent.properties.set("latitude", Value::Number(Number::Double(52.520_006_6f64.to_bits())));
    sent.properties.set("note", Value::Text("👟 grüß".into()));
    let outcome = stepped(None, batch(granted(), vec![Ok(sent.clone()), Ok(event(2, "report"))]));
    let row = outcome.row.clone().unwrap();
    assert_eq!(LogRow::decode(&row.encode().unwrap()).unwrap(), row);
    assert_eq!(row.events[0].event, sent);
    assert_eq!(logged(&outcome), [1, 2]);
    assert_eq!(outcome.answer.accepted, 2);
}

#[test]
fn a_duplicate_event_counts_once() {
    let views = || vec![Ok(event(1, "product_view")), Ok(event(2, "product_view"))];
    let first = stepped(None, batch(granted(), views()));
    let stored = kept(None, &first);
    let again = stepped(stored.clone(), batch(granted(), views()));
    assert_eq!((again.answer.accepted, again.answer.duplicates), (0, 2));
    assert_eq!(again.row, None);
    assert_eq!(again.answer.decisions[0].rule, first.answer.decisions[0].rule);
}

#[test]
fn a_writer_of_which_nothing_is_known_is_too_old_once_a_newer_one_was_given_up() {
    let mut stored = kept(None, &stepped(None, batch(granted(), vec![Ok(event(1, "report"))]))).unwrap();
    stored.watermark = writer().boot_minute();
    stored.writers.clear();
    let outcome = stepped(Some(stored), batch(granted(), vec![Ok(event(2, "report"))]));
    assert_eq!(refused(&outcome), [(2, "too_old")]);
    assert_eq!(outcome.quarantine.len(), 1);
}

#[test]
fn the_floor_closes_what_will_never_come() {
    let mut late = batch(granted(), vec![Ok(event(2_000, "report"))]);
    assert_eq!(refused(&stepped(None, late.clone())), [(2_000, "sequence_gap")]);
    late.header.floor = 2_000;
    assert_eq!(logged(&stepped(None, late)), [2_000]);
}

#[test]
fn the_answer_says_how_far_each_writer_is_applied_without_a_gap() {
    let applied =
        |outcome: &Outcome| outcome.answer.applied.iter().map(|a| (a.writer, a.sequence)).collect::<Vec<_>>();
    let overtaken = batch(granted(), vec![Ok(event(1, "report")), Ok(event(4, "report"))]);
    let outcome = stepped(None, overtaken);
    assert_eq!(applied(&outcome), [(writer(), 1)], "2 and 3 are still to come");
    let late = batch(granted(), vec![Ok(event(2, "report")), Ok(event(3, "report"))]);
    assert_eq!(applied(&stepped(kept(None, &outcome), late)), [(writer(), 4)]);
}

#[test]
fn an_older_program_never_steps_a_state() {
    let outcome = step(
        &site_at(5),
        None,
        batch(granted(), vec![Ok(event(1, "report"))]),
        &arrival(),
        &Trouble::default(),
        &mut Heard::default(),
    );
    let stored = outcome.unwrap().record;
    let older = step(
        &site_at(4),
        stored,
        batch(granted(), vec![]),
        &arrival(),
        &Trouble::default(),
        &mut Heard::default(),
    );
    assert_eq!(older.map_err(|stale| (stale.known, stale.given)), Err((5, 4)));
}

#[test]
fn a_state_that_cannot_be_read_is_begun_anew_and_counted() {
    let outcome = stepped(None, batch(granted(), vec![Ok(event(1, "report"))]));
    let mut stored = kept(None, &outcome).unwrap();
    stored.state = vec![9, 9, 9];
    let outcome = stepped(Some(stored), batch(granted(), vec![Ok(event(2, "report"))]));
    assert_eq!(outcome.ledger.get(Counter::StateResets), 1);
    assert_eq!(logged(&outcome), [2]);
}

#[test]
fn the_country_is_what_the_edge_says() {
    let mut claimed = batch(granted(), vec![Ok(event(1, "report"))]);
    claimed.header.context.set("geo.country", Value::Text("XY".into()));
    let mut sent = event(2, "report");
    sent.context.set("geo.country", Value::Text("XY".into()));
    claimed.events.push(Ok(sent));
    let arrival = selvedge_edge::ingest::Arrival { country: Some("AT"), ..arrival() };
    let outcome = step(&site(), None, claimed, &arrival, &Trouble::default(), &mut Heard::default()).unwrap();
    let row = outcome.row.unwrap();
    assert_eq!(row.context.text("geo.country"), Some("AT"));
    assert_eq!(row.events[1].event.context.get("geo.country"), None);
}

#[test]
fn text_of_the_markup_is_read_as_the_plan_says() {
    let text = format!(
        r#"{{"visitor":"07070707070707070707070707070707","writer":1,"consent":{{"granted":["analytics"],"time":1}},
        "events":[{{"sequence":1,"name":"report","time":{NOW_MS},"properties":{{"category":"shoes","count":"7"}},
        "readings":{{"category":1,"count":7,"other":2}}}}]}}"#
    );
    let sent = selvedge_edge::ingest::json::read(text.as_bytes(), "shop").unwrap();
    let outcome = step(&site(), None, sent, &arrival(), &Trouble::default(), &mut Heard::default()).unwrap();
    let row = outcome.row.unwrap();
    let expected: Map = [
        ("category".to_owned(), Value::Text("shoes".into())),
        ("count".to_owned(), Value::Number(Number::Int(7))),
    ]
    .into_iter()
    .collect();
    assert_eq!(row.events[0].event.properties, expected);
}
