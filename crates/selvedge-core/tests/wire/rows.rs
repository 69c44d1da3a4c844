//! Rows of the log stay below what the storage takes for one value.

use crate::sample;
use selvedge_core::event::Event;
use selvedge_core::id::Sequence;
use selvedge_core::limits::{
    BATCH_BYTES_MAX, CONDITION_BYTES_MAX, EVENT_BYTES_MAX, LOG_ROW_BYTES_MAX, PROPERTY_NAME_BYTES_MAX,
    SLOTS_MAX, TEXT_BYTES_MAX, VALUE_NODES_MAX,
};
use selvedge_core::value::{Map, Value};
use selvedge_core::wire::answer::SlotDecision;
use selvedge_core::wire::log_row::{LogEvent, LogRow};

/// An event of as many bytes as one may have, which changed every slot a site may have.
fn logged(sequence: u32, detail_bytes: usize) -> LogEvent {
    let text = |at: usize| Value::Text(format!("{at}").repeat(TEXT_BYTES_MAX / 8));
    let properties: Map = (0..EVENT_BYTES_MAX / TEXT_BYTES_MAX)
        .map(|at| (format!("{at:0>width$}", width = PROPERTY_NAME_BYTES_MAX), text(at)))
        .collect();
    let event =
        Event { sequence: Sequence::new(sequence).unwrap(), properties, ..sample::events()[0].clone() };
    let decision = |slot: usize| SlotDecision {
        slot: format!("{slot:0>64}"),
        detail: "d".repeat(detail_bytes),
        ..sample::log_row().events.last().unwrap().decisions[0].clone()
    };
    let decisions = (0..SLOTS_MAX).map(decision).collect();
    LogEvent { event, decisions, ..sample::log_row().events[0].clone() }
}

#[test]
fn a_request_that_logs_more_than_a_row_holds_writes_several_in_order() {
    let events: Vec<LogEvent> = (1..=40).map(|sequence| logged(sequence, 200)).collect();
    let row = LogRow { events, ..sample::log_row() };
    assert!(row.encode().unwrap().len() > LOG_ROW_BYTES_MAX, "else nothing is shown");
    let parts = row.clone().encode_bounded().unwrap();
    assert!(parts.len() > 1 && parts.iter().all(|part| part.bytes.len() <= LOG_ROW_BYTES_MAX));
    let read: Vec<LogRow> = parts.iter().map(|part| LogRow::decode(&part.bytes).unwrap()).collect();
    let events: Vec<LogEvent> = read.iter().flat_map(|part| part.events.clone()).collect();
    assert!(read.iter().all(|part| part.context == row.context && part.consent == row.consent));
    assert_eq!(events, row.events);
    let count = |row: &LogRow| row.events.len() + row.notes.len();
    assert!(parts.iter().zip(&read).all(|(part, read)| part.items == count(read)));
}

#[test]
fn an_event_that_is_too_large_alone_is_kept_without_its_decisions() {
    let events = vec![logged(1, 3 * CONDITION_BYTES_MAX), logged(2, 0)];
    let parts = LogRow { events: events.clone(), ..sample::log_row() }.encode_bounded().unwrap();
    assert_eq!(parts.len(), 2);
    assert!(parts.iter().all(|part| part.bytes.len() <= LOG_ROW_BYTES_MAX));
    let kept = LogRow::decode(&parts[0].bytes).unwrap().events.remove(0);
    assert_eq!(kept, LogEvent { decisions: Vec::new(), ..events[0].clone() });
}

/// What one event takes without decisions: no more than the batch that it came in, and its names spelled out.
const LONE_EVENT_BYTES_MAX: usize = BATCH_BYTES_MAX + VALUE_NODES_MAX * (PROPERTY_NAME_BYTES_MAX + 2) * 2;

/// So a row that was written without decisions fits, and no batch is refused for ever for its size.
const _: () = assert!(LONE_EVENT_BYTES_MAX < LOG_ROW_BYTES_MAX);
