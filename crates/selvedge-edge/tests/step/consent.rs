//! Consent comes first: what is not granted is counted, answered and destroyed.

use crate::world::*;
use selvedge_core::consent::{Purposes, Snapshot};
use selvedge_core::event::{RefusalCode, Undecodable};
use selvedge_core::id::Sequence;
use selvedge_core::wire::state::{CellBody, Kept, MetricCell, VisitorState};
use selvedge_edge::gate::Shown;
use selvedge_edge::ingest::{Arrival, Trouble, step};
use selvedge_edge::ledger::Counter;

#[test]
fn without_consent_nothing_of_a_visitor_is_kept() {
    let sent = vec![Ok(event(1, "product_view")), Ok(event(2, "wave"))];
    let outcome = stepped(None, batch(Snapshot::default(), sent));
    assert_eq!(refused(&outcome), [(1, "no_consent"), (2, "no_consent")]);
    assert_eq!((&outcome.record, &outcome.row, outcome.quarantine.len()), (&None, &None, 0));
    assert!(outcome.answer.state.is_empty() && outcome.answer.grants.is_empty());
    assert_eq!(outcome.ledger.refused(RefusalCode::NoConsent), 2);
}

#[test]
fn what_is_necessary_is_taken_without_an_answer_and_leaves_no_state() {
    let outcome = stepped(None, batch(Snapshot::default(), vec![Ok(event(1, "ping"))]));
    assert_eq!(logged(&outcome), [1]);
    assert!(outcome.record.unwrap().state.is_empty());
}

#[test]
fn an_event_is_used_only_for_what_was_granted() {
    let analytics = said(Purposes::ANALYTICS, Purposes::NONE, 1);
    let outcome = stepped(None, batch(analytics, vec![Ok(event(1, "product_view")), Ok(event(2, "report"))]));
    assert_eq!(refused(&outcome), [(1, "no_consent")]);
    assert_eq!(outcome.row.unwrap().events[0].usable, Purposes::ANALYTICS);
}

#[test]
fn a_withdrawal_wipes_the_state_and_binds_what_comes_late() {
    let before = stepped(None, batch(granted(), vec![Ok(event(1, "product_view"))]));
    let stored = kept(None, &before);
    assert!(!stored.as_ref().unwrap().state.is_empty());

    let withdrawn = stepped(stored.clone(), batch(said(Purposes::NONE, ALL, 50), vec![]));
    let record = withdrawn.record.clone().unwrap();
    assert!(record.state.is_empty());
    assert!(withdrawn.purge_quarantine && withdrawn.answer.state.is_empty());
    assert_eq!(withdrawn.ledger.get(Counter::Withdrawals), 1);

    let late = stepped(Some(record), batch(granted(), vec![Ok(event(2, "product_view"))]));
    assert_eq!(refused(&late), [(2, "no_consent")]);
    assert_eq!((&late.record, &late.row, late.quarantine.len()), (&None, &None, 0));
}

#[test]
fn what_is_necessary_is_still_taken_once_after_a_withdrawal() {
    let denied = said(Purposes::NONE, ALL, 50);
    let outcome = stepped(None, batch(denied, vec![Ok(event(1, "ping"))]));
    let again =
        stepped(outcome.record.clone(), batch(denied, vec![Ok(event(1, "ping")), Ok(event(2, "ping"))]));
    assert_eq!((logged(&outcome), again.answer.duplicates, logged(&again)), (vec![1], 1, vec![2]));
}

#[test]
fn a_withdrawal_of_an_unknown_visitor_is_remembered() {
    let withdrawn = stepped(None, batch(said(Purposes::NONE, ALL, 50), vec![]));
    let late = stepped(withdrawn.record, batch(granted(), vec![Ok(event(1, "report"))]));
    assert_eq!(refused(&late), [(1, "no_consent")]);
}

#[test]
fn what_was_refused_beside_what_was_taken_stays_refused_when_more_is_granted() {
    let personal = Purposes::PERSONALIZATION;
    let fewer = said(Purposes::ANALYTICS, personal, 50);
    let refusal = stepped(None, batch(fewer, vec![Ok(event(1, "product_view")), Ok(event(2, "report"))]));
    assert_eq!((refused(&refusal), logged(&refusal)), (vec![(1, "no_consent")], vec![2]));
    // The answer is lost: sent again, the first would come behind the second.
    let all = batch(said(ALL, Purposes::NONE, 60), vec![Ok(event(1, "product_view"))]);
    let late = stepped(kept(None, &refusal), all.clone());
    assert_eq!((late.answer.duplicates, logged(&late)), (1, vec![]));
    // Refused alone, it leaves nothing.
    let alone = stepped(None, batch(fewer, vec![Ok(event(1, "product_view"))]));
    assert_eq!(logged(&stepped(kept(None, &alone), all)), [1]);
}

#[test]
fn losing_one_purpose_wipes_what_was_kept_for_it_and_leaves_it_unobserved() {
    let views = vec![Ok(event(1, "product_view")), Ok(event(2, "product_view"))];
    let stored = kept(None, &stepped(None, batch(granted(), views)));
    let fewer = said(Purposes::ANALYTICS, Purposes::PERSONALIZATION, 50);
    let outcome = stepped(stored, batch(fewer, vec![Ok(event(3, "report"))]));
    let state = VisitorState::decode(&outcome.record.clone().unwrap().state).unwrap();
    assert!(state.held.is_empty());
    assert!(outcome.answer.grants.is_empty());
    let counts = state.cells.iter().filter_map(|cell| match &cell.body {
        CellBody::Metric(MetricCell { since_ms, kept: Kept::Times(times_ms) }) => {
            Some((times_ms.len(), *since_ms))
        }
        _ => None,
    });
    let counts: Vec<_> = counts.collect();
    assert!(counts.iter().all(|(times, since_ms)| *times == 0 && *since_ms > 0), "{counts:?}");
    let again = stepped(kept(None, &outcome), batch(said(ALL, Purposes::NONE, 60), vec![]));
    assert_eq!(again.answer.decisions[0].rule, None);
}

#[test]
fn privacy_control_in_the_request_removes_advertising() {
    let advertising = said(Purposes(0b1010), Purposes::NONE, 1);
    let shown = Shown { gpc: true, ..Shown::default() };
    let arrival = Arrival { shown, ..arrival() };
    let outcome = step(
        &site(),
        None,
        batch(advertising, vec![Ok(event(1, "report"))]),
        &arrival,
        &Trouble::default(),
        &mut Heard::default(),
    );
    let record = outcome.unwrap().record.unwrap();
    assert!(record.consent.gpc);
    assert!(!record.consent.in_force().holds(Purposes::ADVERTISING));
}

#[test]
fn an_event_that_cannot_be_read_is_kept_only_for_analytics() {
    let unreadable = || {
        Err(Undecodable { sequence: Sequence::new(1), code: RefusalCode::Undecodable, bytes: vec![1, 2, 3] })
    };
    let kept = stepped(None, batch(granted(), vec![unreadable(), Ok(event(2, "report"))]));
    assert_eq!(refused(&kept), [(1, "undecodable")]);
    assert!(kept.quarantine[0].contains(r#""bytes":"AQID""#));
    assert_eq!(logged(&kept), [2]);
    let personal = said(Purposes::PERSONALIZATION, Purposes::NONE, 1);
    let destroyed = stepped(None, batch(personal, vec![unreadable()]));
    assert_eq!(refused(&destroyed), [(1, "no_consent")]);
    assert!(destroyed.quarantine.is_empty());
}

#[test]
fn what_was_quarantined_goes_with_any_purpose_that_is_lost() {
    let personal = Purposes::PERSONALIZATION;
    let stored = kept(None, &stepped(None, batch(said(personal, Purposes::NONE, 1), vec![])));
    let withdrawn = stepped(stored, batch(said(Purposes::NONE, personal, 50), vec![]));
    assert!(withdrawn.purge_quarantine);
}

#[test]
fn losing_advertising_wipes_what_was_counted_for_it_and_nothing_else() {
    let views = vec![Ok(event(1, "product_view")), Ok(event(2, "product_view"))];
    let stored = kept(None, &stepped(None, batch(granted(), views.clone())));
    let fewer = said(ALL.without(Purposes::ADVERTISING), Purposes::ADVERTISING, 50);
    let times = |outcome: &selvedge_edge::ingest::Outcome| -> usize {
        let state = VisitorState::decode(&outcome.record.as_ref().unwrap().state).unwrap();
        let counts = state.cells.iter().filter_map(|cell| match &cell.body {
            CellBody::Metric(MetricCell { kept: Kept::Times(times_ms), .. }) => Some(times_ms.len()),
            _ => None,
        });
        counts.sum()
    };
    assert_eq!(times(&stepped(stored, batch(fewer, vec![]))), 2);

    let advertised = advertising_site();
    let first = step(
        &advertised,
        None,
        batch(granted(), views),
        &arrival(),
        &Trouble::default(),
        &mut Heard::default(),
    );
    let first = first.unwrap();
    assert_eq!(times(&first), 2);
    let stored = kept(None, &first);
    let second = step(
        &advertised,
        stored,
        batch(fewer, vec![]),
        &arrival(),
        &Trouble::default(),
        &mut Heard::default(),
    );
    assert_eq!(times(&second.unwrap()), 0);
}
