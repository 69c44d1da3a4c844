//! Decisions, grants and public state of an answer.

use crate::world::*;
use selvedge_core::consent::Mode;
use selvedge_core::event::{Batch, Clock, LeaseReport};
use selvedge_core::id::ProgramHash;
use selvedge_core::limits::LEASE_MS;
use selvedge_core::rules::{self, Moment, Orders, Place, Program};
use selvedge_core::tracking_plan::Trust;
use selvedge_core::value::Map;
use selvedge_core::wire::answer::Reason;
use selvedge_core::wire::state::{CellBody, VisitorState};
use selvedge_core::wire::stored::VisitorRecord;
use selvedge_edge::decide::{self, Known, Question};
use selvedge_edge::gate::Shown;
use selvedge_edge::ingest::{Arrival, Outcome, Trouble, step};

#[test]
fn two_views_win_the_slot_in_the_same_round_trip() {
    let views = vec![Ok(event(1, "product_view")), Ok(event(2, "product_view"))];
    let mut sent = batch(granted(), views.clone());
    sent.header.program = Some(ProgramHash([7; 16]));
    let outcome = stepped(None, sent);
    let decision = &outcome.answer.decisions[0];
    assert_eq!((decision.slot.as_str(), decision.rule.as_deref()), ("hero", Some("two-views")));
    assert_eq!((decision.content.as_deref(), &decision.body), (Some("banner"), &None));
    let decision = &stepped(None, batch(granted(), views)).answer.decisions[0];
    let told = decision.body.as_ref().map(|content| content.id.as_str());
    assert_eq!(told, Some("banner"), "who has no program is told the content");
    let row = outcome.row.unwrap();
    assert!(row.events[0].decisions.is_empty());
    assert_eq!(row.events[1].decisions[0].reason, Reason::Won);
}

#[test]
fn who_watches_a_step_hears_what_is_decided_behind_each_accepted_event() {
    let views = vec![Ok(event(1, "product_view")), Ok(event(2, "unheard_of")), Ok(event(3, "product_view"))];
    let mut heard = Heard::default();
    let batch = batch(granted(), views);
    step(&site(), None, batch, &arrival(), &Trouble::default(), &mut heard).unwrap();
    assert_eq!(heard.decided, [(1, vec![false]), (3, vec![true])]);
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
        trust: Trust::Client,
        account: None,
        visitor: VISITOR,
        orders: Orders::default(),
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

/// The number of a cap's first lease: the second in which it was granted.
const FIRST: u32 = (NOW_MS / 1_000) as u32;

/// The cap of the site's rule: how many exposures (or burnt grants) count, the lease's number and what is left of it.
fn cap_of(outcome: &Outcome) -> (usize, u32, u16) {
    let state = VisitorState::decode(&outcome.record.as_ref().unwrap().state).unwrap();
    let cell = state.cells.iter().find(|cell| cell.hash == rule()).unwrap();
    let CellBody::Cap(cap) = &cell.body else { panic!("{cell:?}") };
    (cap.used_ms.len(), cap.lease.id, cap.lease.left)
}

/// A report's batch of `sequence`, `after_ms` after the first.
fn at(stored: Option<VisitorRecord>, mut sent: Batch, after_ms: u64) -> Outcome {
    let received_ms = NOW_MS + after_ms;
    sent.header.sent_at_ms = received_ms;
    sent.events.iter_mut().flatten().for_each(|event| event.time_ms += after_ms);
    let arrival = Arrival { received_ms, ..arrival() };
    step(&site(), stored, sent, &arrival, &Trouble::default(), &mut Heard::default()).unwrap()
}

const LATER_MS: u64 = LEASE_MS.unsigned_abs() + 60_000;

#[test]
fn a_lease_of_a_client_that_decides_nothing_locally_expires_unused() {
    let first = stepped(None, batch(granted(), vec![Ok(event(1, "report"))]));
    assert_eq!(cap_of(&first), (0, FIRST, 2));
    let later = batch(granted(), vec![Ok(event(2, "report"))]);
    let settled = at(kept(None, &first), later.clone(), LATER_MS);
    let leased_at = u32::try_from((NOW_MS + LATER_MS) / 1_000).unwrap();
    assert_eq!(cap_of(&settled), (0, leased_at, 2));

    // Days between two events of one batch: as a recording sends them.
    let mut recorded = batch(granted(), vec![Ok(event(1, "report")), Ok(event(2, "report"))]);
    recorded.header.clock = Clock::Event;
    recorded.header.sent_at_ms = NOW_MS;
    recorded.events[1].as_mut().unwrap().time_ms += LATER_MS;
    assert_eq!(cap_of(&stepped(None, recorded)).0, 0);

    // One that decides locally may have shown what it has not told yet.
    let mut of_page = later;
    of_page.header.program = Some(site().hash);
    let burnt = at(kept(None, &first), of_page, LATER_MS);
    assert_eq!(cap_of(&burnt).0, 2);
}

/// What a server sends `after_ms` after the page, which holds its program and reports its leases.
fn from_server(stored: Option<VisitorRecord>, after_ms: u64, events: &[&str]) -> Outcome {
    let received_ms = NOW_MS + after_ms;
    let events = (50u32..).zip(events).map(|(at, name)| Ok(event(at, name))).collect();
    let mut sent = batch(granted(), events);
    sent.header.sent_at_ms = received_ms;
    let arrival = Arrival { received_ms, trust: Trust::Server, ..arrival() };
    step(&site(), stored, sent, &arrival, &Trouble::default(), &mut Heard::default()).unwrap()
}

#[test]
fn a_servers_batch_proves_nothing_of_the_pages_lease() {
    let mut of_page = batch(granted(), vec![Ok(event(1, "report"))]);
    of_page.header.program = Some(site().hash);
    let leased = stepped(None, of_page.clone());
    let spoken = from_server(kept(None, &leased), LATER_MS, &["report"]);
    assert_eq!(cap_of(&spoken).0, 2, "burnt until the page itself proves that it was not used");
    let (rule, lease) = (rule(), cap_of(&leased).1);
    of_page.header.leases = vec![LeaseReport { rule, lease, used: 1 }];
    of_page.events.clear();
    let proven = at(kept(None, &spoken), of_page, LATER_MS + 1);
    assert_eq!(cap_of(&proven).0, 1, "one of the two was used");
}

#[test]
fn a_server_holds_no_leases_so_none_of_its_visitors_runs_out_of_them() {
    let mut stored = None;
    for day in 0..5 {
        let outcome = from_server(stored.clone(), day * LATER_MS, &[]);
        assert_eq!(outcome.answer.grants, []);
        stored = kept(stored, &outcome);
        assert!(stored.as_ref().unwrap().promised.is_empty());
    }
    let shown = from_server(stored, 5 * LATER_MS, &["product_view", "product_view"]);
    assert_eq!(shown.answer.decisions[0].rule.as_deref(), Some("two-views"));
    assert_eq!((cap_of(&shown).0, cap_of(&shown).2, shown.record.unwrap().promised.len()), (0, 0, 1));
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

const fn known(stored: Option<&VisitorRecord>) -> Known<'_> {
    Known { stored, is_erased: false }
}

#[test]
fn a_server_asks_without_changing_anything() {
    let views = vec![Ok(event(1, "product_view")), Ok(event(2, "product_view"))];
    let stored = kept(None, &stepped(None, batch(granted(), views)));
    let question =
        Question::read(br#"{"visitor":"07070707070707070707070707070707","claims":true}"#).unwrap();
    let answer = decide::answer(&site(), known(stored.as_ref()), &question, NOW_MS).text;
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["decisions"][0]["rule"], "two-views");
    assert_eq!(answer["decisions"][0]["body"]["fields"]["text"], "the banner");
    let unknown = decide::answer(&site(), Known::default(), &question, NOW_MS).text;
    let unknown: serde_json::Value = serde_json::from_str(&unknown).unwrap();
    assert_eq!(unknown["decisions"][0]["reason"], "fallback");
    assert_eq!(unknown["decisions"][0]["detail"], "");
}

#[test]
fn a_server_passes_on_where_the_visitor_is_and_privacy_control() {
    let mut site = site();
    site.config.consent_mode = Mode::OptOut;
    site.config.consent_regions = vec![("DE".into(), Mode::OptIn)];
    let shown = |rest: &str| {
        let text = format!(r#"{{"visitor":"07070707070707070707070707070707"{rest}}}"#);
        Question::read(text.as_bytes()).map(|question| question.shown(&site)).map_err(|fault| fault.status)
    };
    let of = |mode, gpc| Ok(Shown { gpc, mode });
    assert_eq!(shown(""), of(Mode::OptOut, false));
    assert_eq!(shown(r#","country":"de""#), of(Mode::OptIn, false));
    assert_eq!(shown(r#","country":"US","gpc":true"#), of(Mode::OptOut, true));
    assert_eq!(shown(r#","country":"Germany""#), Err(400));
}

#[test]
fn privacy_control_that_a_server_passes_on_stops_rules_of_advertising() {
    let site = advertising_site();
    let views = batch(granted(), vec![Ok(event(1, "product_view")), Ok(event(2, "product_view"))]);
    let outcome = step(&site, None, views, &arrival(), &Trouble::default(), &mut Heard::default()).unwrap();
    let reason = |gpc: bool| {
        let text = format!(r#"{{"visitor":"07070707070707070707070707070707","claims":true,"gpc":{gpc}}}"#);
        let question = Question::read(text.as_bytes()).unwrap();
        let answer = decide::answer(&site, known(outcome.record.as_ref()), &question, NOW_MS).text;
        let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
        answer["decisions"][0]["rule"].clone()
    };
    assert_eq!(reason(false), "two-views");
    assert_eq!(reason(true), serde_json::Value::Null);
}
