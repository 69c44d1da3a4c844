//! `on_unknown: hold`: what nobody has answered for waits, in order, and the answer decides.

use crate::build::*;
use proptest::prelude::*;
use selvedge_core::consent::{Mode, Purposes, Snapshot};
use selvedge_core::id::VisitorId;
use selvedge_core::wire::log_row::LogRow;
use selvedge_core::wire::program::{Destination, Full, OnUnknown, Requires};
use selvedge_edge::cursor::Position;
use selvedge_edge::delivery::keeping::next_ms;
use selvedge_edge::delivery::machine::Machine;
use selvedge_edge::delivery::record::{Routed, route};
use selvedge_edge::delivery::state::State;
use selvedge_edge::delivery::take::Taking;

const BOTH: Purposes = Purposes::ANALYTICS.or(Purposes::ADVERTISING);

fn holds() -> Destination {
    Destination { purposes: BOTH, on_unknown: OnUnknown::Hold, ..destination() }
}

fn drops() -> Destination {
    Destination { on_unknown: OnUnknown::Drop, ..holds() }
}

fn said(granted: Purposes, denied: Purposes) -> Snapshot {
    Snapshot { denied, time_ms: 50, ..crate::build::granted(granted) }
}

/// A row that was captured under this consent.
fn captured(consent: Snapshot) -> LogRow {
    LogRow { consent: vec![consent], ..row(vec![event("search")], Vec::new()) }
}

fn routed_as(destination: &Destination, capture: Snapshot, now: Snapshot) -> &'static str {
    match route(&site(), destination, &captured(capture), 0, &now) {
        Routed::Send(_) => "sent",
        Routed::Filtered => "filtered",
        Routed::Purged => "purged",
        Routed::Held => "held",
        Routed::Refused(_) => "refused",
    }
}

#[test]
fn what_nobody_answered_for_waits_and_the_answer_decides() {
    let (none, unknown, all) = (Purposes::NONE, analytics(), said(BOTH, Purposes::NONE));
    let denied = said(Purposes::ANALYTICS, Purposes::ADVERTISING);
    let private = Snapshot { gpc: true, ..unknown };
    for (capture, now, held, dropped) in [
        (unknown, unknown, "held", "filtered"),
        (unknown, all, "sent", "filtered"),
        (unknown, denied, "filtered", "filtered"),
        (unknown, private, "filtered", "filtered"),
        (denied, all, "filtered", "filtered"),
        (private, all, "filtered", "filtered"),
        (all, unknown, "held", "purged"),
        (all, denied, "purged", "purged"),
        (said(none, BOTH), unknown, "filtered", "filtered"),
    ] {
        let found = (routed_as(&holds(), capture, now), routed_as(&drops(), capture, now));
        assert_eq!(found, (held, dropped), "{capture:?} {now:?}");
    }
}

#[test]
fn what_the_answer_granted_counts_as_captured_then() {
    let answer = said(BOTH, Purposes::NONE);
    let record = sent(route(&site(), &holds(), &captured(analytics()), 0, &answer)).remove(0);
    let said = read(&record);
    assert_eq!(said["consent_granted"], serde_json::json!(["analytics", "advertising"]));
    assert_eq!(
        (&said["consent_time_ms"], &said["purposes"]),
        (&50.into(), &serde_json::json!(["analytics"]))
    );
    assert_eq!(said["time_ms"], NOW_MS, "when it happened stays");
}

#[test]
fn where_unknown_counts_as_granted_nothing_waits() {
    let opt_out = Snapshot { mode: Mode::OptOut, ..Snapshot::default() };
    assert_eq!(routed_as(&holds(), opt_out, opt_out), "sent");
}

#[test]
fn what_comes_behind_what_waits_waits_too_and_others_do_not() {
    let (unknown, all) = (analytics(), said(BOTH, Purposes::NONE));
    let other = VisitorId([9; 16]);
    let of_other = LogRow { visitor: other, ..captured(all) };
    let mut taking = Taking::from(Position { row: 0, events: 0 }, &holds());
    for (number, row, now) in [(1, captured(unknown), unknown), (2, of_other, all), (3, captured(all), all)] {
        assert!(taking.row(number, &row, |at| route(&site(), &holds(), &row, at, &now)));
    }
    let taken = taking.end();
    assert_eq!(taken.items.iter().map(|item| item.row).collect::<Vec<_>>(), [2]);
    assert_eq!(taken.waits.held.iter().map(|held| (held.row, held.at)).collect::<Vec<_>>(), [(1, 0), (3, 0)]);

    let mut machine = Machine { state: State::beginning(Position::default(), 0, 1), ..Machine::default() };
    machine.take(taken);
    assert_eq!((machine.state.waiting, machine.state.held(), machine.state.to_send()), (2, 3, 1));
    assert_eq!(State::decode(&machine.state.encode()), Ok(machine.state.clone()));

    // Asked again before the answer, and behind it.
    for (now, sent, left) in [(unknown, vec![], 2), (all, vec![1, 3], 0)] {
        let mut again = Taking::from(machine.state.cursor, &holds());
        for (number, row) in [(1, captured(unknown)), (3, captured(all))] {
            again.again(number, &row, 0, route(&site(), &holds(), &row, 0, &now));
        }
        let taken = again.end();
        assert_eq!(taken.items.iter().map(|item| item.row).collect::<Vec<_>>(), sent);
        assert_eq!(taken.until, machine.state.cursor);
        machine.take(taken);
        assert_eq!(machine.state.waiting, left);
    }
    assert_eq!(machine.state.in_flight, 2);
}

#[test]
fn what_waited_too_long_is_taken_as_it_would_be_without_an_answer() {
    let row = captured(analytics());
    let mut taking = Taking::from(Position { row: 4, events: 0 }, &holds());
    taking.again(2, &row, 0, route(&site(), &drops(), &row, 0, &analytics()));
    let taken = taking.end();
    assert_eq!((taken.filtered, taken.waits.released.len(), taken.items.len()), (1, 1, 0));
    let mut machine = Machine { state: State { waiting: 3, ..State::default() }, ..Machine::default() };
    machine.take(taken);
    machine.drop_held(1);
    machine.erase_held(1);
    let counts = machine.state.counts;
    assert_eq!((machine.state.waiting, counts.filtered, counts.dropped, counts.purged), (0, 1, 1, 1));
}

proptest! {
    /// Waiting never lets out what is denied, at capture or now, or what is not granted now.
    #[test]
    fn nothing_leaves_that_is_not_granted_when_it_leaves(
        granted in 0u16..16, denied in 0u16..16, now_granted in 0u16..16, now_denied in 0u16..16, gpc: bool, any: bool,
    ) {
        let requires = if any { Requires::Any } else { Requires::All };
        let holds = Destination { requires, ..holds() };
        let capture = said(Purposes(granted), Purposes(denied));
        let now = Snapshot { gpc, ..said(Purposes(now_granted), Purposes(now_denied)) };
        let found = routed_as(&holds, capture, now);
        let open = capture.in_force().or(capture.unanswered()).and(now.in_force()).and(BOTH);
        // The event serves analytics alone.
        let may = open.holds(Purposes::ANALYTICS) && (any || open == BOTH);
        prop_assert_eq!(found == "sent", may, "{} {:?} {:?}", found, capture, now);
        let before = routed_as(&Destination { on_unknown: OnUnknown::Drop, ..holds }, capture, now);
        prop_assert!(before != "sent" || found == "sent", "holding lets out whatever dropping does");
    }
}

#[test]
fn where_the_oldest_may_go_no_more_is_taken_at_once_than_half_of_what_may_wait() {
    let row = captured(said(BOTH, Purposes::NONE));
    let narrow = |when_full| Destination { when_full, bytes_max: 4_000, ..drops() };
    let count = |destination: &Destination| {
        let mut taking = Taking::from(Position { row: 0, events: 0 }, destination);
        let now = said(BOTH, Purposes::NONE);
        let rows = (1..=100)
            .take_while(|number| taking.row(*number, &row, |at| route(&site(), destination, &row, at, &now)));
        rows.count()
    };
    assert!((1..20).contains(&count(&narrow(Full::DropOldest))));
    assert_eq!(count(&narrow(Full::Block)), 100);
}

#[test]
fn an_answer_wakes_nobody_for_a_destination_that_may_not_be_sent_anything() {
    let mut machine = Machine { state: State { waiting: 1, ..State::default() }, ..Machine::default() };
    let next_ms = |machine: &Machine, is_answered| next_ms(&machine.state, 0, is_answered, NOW_MS);
    assert_eq!(next_ms(&machine, true), Some(NOW_MS));
    assert!(next_ms(&machine, false).is_some_and(|at_ms| at_ms > NOW_MS));
    machine.state.not_before_ms = NOW_MS + 5_000;
    assert_eq!(next_ms(&machine, true), Some(NOW_MS + 5_000), "it is tried again then");
    machine.pause("an operator stopped it");
    assert!(next_ms(&machine, true).is_some_and(|at_ms| at_ms > NOW_MS));
}
