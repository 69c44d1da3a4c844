//! Erasure: what destinations are told, what of rows and flights goes, and that the count is exact.

use crate::build::*;
use selvedge_core::consent::{Purposes, Snapshot};
use selvedge_core::event::{BatchHeader, Clock, Event, EventType, RefusalCode};
use selvedge_core::id::{Sequence, VisitorId, WriterId};
use selvedge_core::tracking_plan::Trust;
use selvedge_core::value::Map;
use selvedge_core::wire::log_row::{BlankRow, LogRow, StoredRow};
use selvedge_core::wire::program::{Destination, RecordKind, Records, Way};
use selvedge_edge::cursor::Position;
use selvedge_edge::delivery::item::Item;
use selvedge_edge::delivery::machine::Machine;
use selvedge_edge::delivery::record::{Routed, route};
use selvedge_edge::delivery::sent::{Prepared, SendResult, Sent};
use selvedge_edge::delivery::state::State;
use selvedge_edge::delivery::take::{Taken, Taking};
use selvedge_edge::erasure::{self, Found, Order, Tombstone};
use selvedge_edge::foreign::Whose;
use selvedge_edge::gate::Shown;
use selvedge_edge::ingest::{Arrival, Incoming};
use selvedge_edge::ledger::{Counter, Ledger};
use selvedge_edge::log_line;

const OTHER: VisitorId = VisitorId([9; 16]);

fn notice() -> LogRow {
    erasure::notice(&site(), VISITOR, Some("ann-1".into()), NOW_MS)
}

#[test]
fn every_destination_is_told_whatever_it_takes() {
    let narrow = Destination {
        purposes: Purposes::ADVERTISING,
        records: Records::default().with(RecordKind::Goal),
        filter: Some(0),
        ..destination()
    };
    for destination in [destination(), narrow] {
        let told = sent(route(&site(), &destination, &notice(), 0, &Snapshot::default()));
        let said = read(&told[0]);
        assert_eq!((told.len(), told[0].kind, told[0].visitor), (1, RecordKind::Erase, VISITOR));
        assert_eq!(said["record"], "selvedge.erase.v1");
        assert_eq!((&said["visitor"], &said["anonymous_id"]), (&VISITOR.to_string().into(), &"ann-1".into()));
        assert_eq!((&said["source"], &said["trust"]), (&"erasure".into(), &"server".into()));
        assert_eq!(told[0].id, format!("{VISITOR}:{NOW_MS}:erase"));
    }
    let nobody = Destination { sample: 0, ..destination() };
    assert_eq!(route(&site(), &nobody, &notice(), 0, &Snapshot::default()), Routed::Filtered);
}

#[test]
fn the_notice_reads_as_it_was_written_and_every_reader_gets_it() {
    let row = LogRow::decode(&notice().encode().unwrap()).unwrap();
    assert_eq!(row, notice());
    let line = log_line::render_at(&row, 0, &Snapshot::default(), "0.1").unwrap();
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&line["kind"], &line["name"]), (&"erase".into(), &"erased".into()));
    assert_eq!(line["visitor"], VISITOR.to_string());
}

#[test]
fn a_blank_row_says_how_many_items_it_had_and_nothing_else() {
    let full = row(vec![event("secret-wish"), event("secret-wish")], vec![told("warehouse")]);
    let bytes = full.encode().unwrap();
    let blank = erasure::blank(&bytes).unwrap().unwrap().encode();
    let read = StoredRow::decode(&blank).unwrap();
    let expected = BlankRow { received_ms: full.received_ms, site: "shop".into(), items: 3 };
    assert_eq!((read.site(), &read), ("shop", &StoredRow::Blank(expected)));
    assert!(
        !blank.windows(6).any(|bytes| bytes == b"secret") && !blank.windows(16).any(|id| id == VISITOR.0)
    );
    assert_eq!(erasure::blank(&blank), Ok(None), "it is blank already");
    assert_eq!(erasure::blank(&notice().encode().unwrap()), Ok(None), "what tells of it stays");
    assert!(erasure::blank(&[7, 1]).is_err());
}

#[test]
fn of_a_blank_row_what_was_not_taken_before_is_purged() {
    let blank = BlankRow { received_ms: NOW_MS, site: "shop".into(), items: 3 };
    for (taken, purged) in [(0, 3), (2, 1), (3, 0)] {
        let mut taking = Taking::from(Position { row: 4, events: taken }, &destination());
        assert!(taking.blank(5, &blank));
        let end = taking.end();
        assert_eq!((end.purged, end.until), (purged, Position { row: 5, events: 0 }));
    }
}

fn item(row: u64, visitor: VisitorId) -> Item {
    let records = sent(routed(&destination(), &crate::build::row(vec![event("page_view")], Vec::new())));
    let records = records.into_iter().map(|mut record| {
        record.id = format!("{row}");
        record.visitor = visitor;
        record
    });
    let (program, records) = (notice().program, records.collect());
    Item { row, at: 0, visitor, received_ms: row, program, publish: 3, records }
}

fn flying(visitors: &[VisitorId]) -> Machine {
    let items: Vec<Item> = (1u64..).zip(visitors).map(|(row, visitor)| item(row, *visitor)).collect();
    let until = Position { row: items.len() as u64, events: 0 };
    let state = State::beginning(Position::default(), 0, 1);
    let mut machine = Machine { state, ..Machine::default() };
    machine.take(Taken { until, items, ..Taken::default() });
    machine
}

fn ids(machine: &Machine) -> Vec<String> {
    machine.sending().records.iter().map(|record| record.id.clone()).collect()
}

#[test]
fn what_did_not_leave_is_purged_and_what_may_have_stays_as_it_was() {
    let mut waiting = flying(&[VISITOR, OTHER, VISITOR, OTHER]);
    assert_eq!(waiting.erase(VISITOR), 2);
    assert_eq!((ids(&waiting), waiting.state.counts.purged), (vec!["2".to_owned(), "4".into()], 2));
    assert_eq!(waiting.state.flight_oldest_ms, 2);
    let mut away = flying(&[VISITOR, OTHER, VISITOR, OTHER]);
    away.prepared(Prepared::Ready(Vec::new()), 1, 0);
    let before = away.sending().id;
    assert_eq!((away.erase(VISITOR), away.sending().id), (0, before));
    away.sent(Sent::of(SendResult::Again { after_ms: None, is_answered: true, why: "503".into() }), 1, 0);
    assert_eq!(away.erase(VISITOR), 2, "it said that it has none of them");
    assert_eq!((ids(&away), away.state.window), (vec!["2".to_owned(), "4".into()], None));
    let mut all = flying(&[VISITOR]);
    assert_eq!((all.erase(VISITOR), all.state.in_flight, all.flight.len()), (1, 0, 0));
}

/// A broker knows a batch by the numbers that it went under: without a record in it, those that the broker has would go
/// under new ones, and be there twice.
#[test]
fn what_may_be_kept_outside_goes_again_as_it_was_whatever_else_was_said() {
    let why = || "a partition is away".to_owned();
    for result in [
        SendResult::Again { after_ms: None, is_answered: true, why: why() },
        SendResult::Pause { why: why() },
        SendResult::Prepare { why: why() },
        SendResult::Split { why: why() },
        SendResult::Some,
    ] {
        let mut away = flying(&[VISITOR, OTHER, VISITOR, OTHER]);
        away.prepared(Prepared::Ready(Vec::new()), 1, 0);
        away.sent(Sent { may_be_kept: true, ..Sent::of(result.clone()) }, 1, 0);
        let mut away = Machine::stored(State::decode(&away.state.encode()).unwrap(), away.flight);
        assert_eq!((away.erase(VISITOR), away.flight.len()), (0, 4), "{result:?}");
    }
    let mut away = flying(&[VISITOR, OTHER, VISITOR, OTHER]);
    away.prepared(Prepared::Ready(Vec::new()), 1, 0);
    let poison = SendResult::Poison { records: vec![1], why: why() };
    let refused = away.sent(Sent { may_be_kept: true, ..Sent::of(poison) }, 1, 0);
    assert_eq!((refused.len(), away.erase(VISITOR)), (1, 0));
    assert_eq!(ids(&away), ["1", "3", "4"], "the others go again");
    away.prepared(Prepared::Ready(Vec::new()), 1, 0);
    away.sent(Sent::of(SendResult::Delivered), 1, 0);
    assert_eq!((away.state.unsure, away.state.counts.delivered), (0, 3));
}

#[test]
fn of_what_is_delivered_nothing_is_kept_in_the_flight() {
    let mut machine = flying(&[VISITOR, OTHER, VISITOR]);
    machine.state.items_max = 1;
    machine.prepared(Prepared::Ready(Vec::new()), 1, 0);
    machine.sent(Sent::of(SendResult::Delivered), 1, 0);
    assert_eq!(machine.erase(VISITOR), 1);
    assert_eq!((ids(&machine), machine.flight.len(), machine.state.settled), (vec!["2".to_owned()], 1, 0));
    assert_eq!((machine.state.counts.delivered, machine.state.counts.purged), (1, 1));
}

fn late(name: &str, message_id: Option<&str>) -> selvedge_edge::ingest::Sent {
    let event = Event {
        sequence: Sequence::new(3).unwrap(),
        event_type: EventType::Track,
        name: name.into(),
        time_ms: NOW_MS - 1,
        consent: 0,
        properties: Map::new(),
        context: Map::new(),
    };
    selvedge_edge::ingest::Sent {
        read: Ok(event),
        message_id: message_id.map(Into::into),
        readings: Map::new(),
    }
}

#[test]
fn what_comes_late_has_its_own_reason_is_counted_and_kept_nowhere() {
    let header = BatchHeader {
        write_key: "key".into(),
        visitor: VISITOR,
        writer: WriterId::mint(NOW_MS, 1),
        consent: vec![analytics()],
        sent_at_ms: NOW_MS,
        skew_ms: 0,
        floor: 0,
        clock: Clock::Received,
        program: None,
        dictionary: None,
        leases: Vec::new(),
        context: Map::new(),
        holder: 0,
    };
    let arrival = Arrival {
        received_ms: NOW_MS,
        source: "web",
        trust: Trust::Client,
        shown: Shown::default(),
        country: None,
        account: None,
    };
    let events = vec![late("page_view", None), late("unplanned", Some("m-1"))];
    let outcome =
        erasure::refuse(&site(), Incoming { header, anonymous_id: None, events, is_plain: false }, &arrival);
    let codes: Vec<_> =
        outcome.answer.refused.iter().map(|refused| (refused.sequence, refused.code.as_str())).collect();
    assert_eq!(codes, [(3, "erased"), (0, "erased")]);
    assert_eq!(outcome.refused_ids, [None, Some("m-1".into())]);
    assert!(outcome.record.is_none() && outcome.row.is_none() && outcome.quarantine.is_empty());
    let ledger = &outcome.ledger;
    assert_eq!((ledger.get(Counter::Received), ledger.refused(RefusalCode::Erased)), (2, 2));
    assert_eq!(ledger.refused_in_all(), 2, "one reason each");
}

#[test]
fn a_tombstone_tells_visitors_apart_and_is_not_their_id() {
    let stone = Tombstone::of(VISITOR);
    assert_eq!(stone, Tombstone::of(VISITOR));
    assert_ne!(stone, Tombstone::of(OTHER));
    assert_ne!(stone.0, VISITOR.0);
}

#[test]
fn an_order_names_one_visitor_and_its_answer_says_what_went() {
    assert_eq!(Order::read(br#"{"anonymous_id":"ann-1"}"#), Ok(Whose::Theirs("ann-1".into())));
    let ours = format!(r#"{{"visitor":"{VISITOR}"}}"#);
    assert_eq!(Order::read(ours.as_bytes()), Ok(Whose::Ours(VISITOR)));
    for body in ["{}", "[]", r#"{"visitor":"7"}"#, r#"{"visitors":[]}"#, r#"{"anonymous_id":""}"#] {
        assert_eq!(Order::read(body.as_bytes()).map_err(|fault| fault.status), Err(400), "{body}");
    }
    let queue = Way::Queue { binding: "A".into(), dead_letter: "B".into() };
    let mut site = site();
    site.destinations.push(Destination { name: "crm".into(), way: queue, ..destination() });
    let found = Found { was_known: true, log_items: 3, ..Found::default() };
    let answer: serde_json::Value =
        serde_json::from_str(&erasure::render(&site, VISITOR, found, NOW_MS)).unwrap();
    assert_eq!(answer["told"], serde_json::json!(["crm"]), "who only reads the log is told there");
    assert_eq!((&answer["log_items"], &answer["was_erased"]), (&3.into(), &false.into()));
    let counted = erasure::counted(Ledger::default(), 2);
    assert_eq!(counted.get(Counter::VisitorsErased), 1);
    assert_eq!((counted.get(Counter::QuarantinePurged), counted.age()), (2, 1));
}
