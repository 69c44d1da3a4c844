//! Decisions, grants and public state of an answer.

use crate::world::*;
use selvedge_core::rules::{self, Moment, Place, Program};
use selvedge_core::value::Map;
use selvedge_core::wire::answer::Reason;
use selvedge_core::wire::state::VisitorState;
use selvedge_edge::decide::{self, Question};
use selvedge_edge::gate::Shown;

#[test]
fn two_views_win_the_slot_in_the_same_round_trip() {
    let views = vec![Ok(event(1, "product_view")), Ok(event(2, "product_view"))];
    let outcome = stepped(None, batch(granted(), views));
    let decision = &outcome.answer.decisions[0];
    assert_eq!((decision.slot.as_str(), decision.rule.as_deref()), ("hero", Some("two-views")));
    assert_eq!((decision.content.as_deref(), &decision.body), (Some("banner"), &None));
    let row = outcome.row.unwrap();
    assert!(row.events[0].decisions.is_empty());
    assert_eq!(row.events[1].decisions[0].reason, Reason::Won);
}

#[test]
fn a_page_that_holds_the_answer_decides_the_same() {
    let views = vec![Ok(event(1, "product_view")), Ok(event(2, "product_view"))];
    let outcome = stepped(None, batch(granted(), views));
    let mut state = VisitorState::decode(&outcome.answer.state).unwrap();
    let site = site();
    let program: &Program = &site.program;
    let moment = Moment {
        writer: writer(),
        context: &Map::new(),
        now_ms: i64::try_from(NOW_MS).unwrap(),
        in_force: granted().in_force(),
        place: Place::Page,
    };
    let decided = rules::decide(program, &mut state, &moment);
    assert_eq!(decided[0].rule, Some(0));
}

#[test]
fn a_capped_rule_of_the_page_comes_with_a_grant() {
    let outcome = stepped(None, batch(granted(), vec![]));
    let grants: Vec<_> = outcome.answer.grants.iter().map(|grant| (grant.rule, grant.count)).collect();
    assert_eq!(grants, [(rule(), 2)]);
    assert!(outcome.record.is_some(), "a lease that was answered is stored");
}

#[test]
fn a_fallback_in_the_log_says_what_was_missing() {
    let views = vec![Ok(event(1, "product_view")), Ok(event(2, "product_view"))];
    let stored = kept(None, &stepped(None, batch(granted(), views)));
    // A page view ends the hold; ten minutes later the views are out of the window.
    let mut later = batch(granted(), vec![Ok(event(3, "report"))]);
    if let Ok(event) = &mut later.events[0] {
        event.time_ms = NOW_MS + 700_000;
        event.event_type = selvedge_core::event::EventType::Page;
        event.name = "page".into();
    }
    let arrival = selvedge_edge::ingest::Arrival { received_ms: NOW_MS + 700_000, ..arrival() };
    let outcome = selvedge_edge::ingest::step(
        &site(),
        stored,
        later,
        &arrival,
        &selvedge_edge::ingest::Trouble::default(),
        &mut Heard::default(),
    )
    .unwrap();
    assert_eq!(outcome.answer.decisions[0].reason, Reason::Fallback);
}

#[test]
fn a_server_asks_without_changing_anything() {
    let views = vec![Ok(event(1, "product_view")), Ok(event(2, "product_view"))];
    let stored = kept(None, &stepped(None, batch(granted(), views)));
    let question = Question::read(br#"{"visitor":"07070707070707070707070707070707"}"#).unwrap();
    let answer = decide::answer(&site(), stored.as_ref(), &question, Shown::default(), NOW_MS);
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["decisions"][0]["rule"], "two-views");
    assert_eq!(answer["decisions"][0]["body"]["fields"]["text"], "the banner");
    let unknown = decide::answer(&site(), None, &question, Shown::default(), NOW_MS);
    let unknown: serde_json::Value = serde_json::from_str(&unknown).unwrap();
    assert_eq!(unknown["decisions"][0]["reason"], "fallback");
    assert_eq!(unknown["decisions"][0]["detail"], "");
}
