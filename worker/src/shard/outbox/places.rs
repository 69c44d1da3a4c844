//! Places in the log: what it counted up to them, when it received what is behind them.

use super::super::tables;
use crate::{host, sql};
use selvedge_core::wire::codec::Reader;
use selvedge_edge::cursor::Position;
use selvedge_edge::delivery::keeping::Behind;
use selvedge_edge::delivery::pressure::Waiting;
use selvedge_edge::delivery::report::{Marks, waiting};
use selvedge_edge::delivery::state::State;
use selvedge_edge::ledger::Ledger;
use worker::{SqlStorage, SqlStorageValue};

/// Bytes at the front of a row that surely hold when it was received.
const TIME_PREFIX_BYTES: u64 = 12;

/// The end of the log, and what it counted up to there.
pub fn end(sql: &SqlStorage) -> worker::Result<(Position, Marks)> {
    let row = sql::number(sql::first(sql, "SELECT max(seq) FROM log", Vec::new())?);
    Ok((Position { row, events: 0 }, Marks::of(&tables::ledger(sql)?)))
}

/// What the log had counted with this row. The row that the hindmost cursor stands behind is always kept.
pub fn marks_at(sql: &SqlStorage, row: u64) -> worker::Result<Marks> {
    Ok(until(sql, row)?.1)
}

/// The last row that is not behind this number, and what the log had counted with it; as [`marks_at`].
pub fn until(sql: &SqlStorage, row: u64) -> worker::Result<(u64, Marks)> {
    let statement = "SELECT seq, ledger FROM log WHERE seq <= ? ORDER BY seq DESC LIMIT 1";
    let mut values = host::row(sql, &statement.into(), vec![sql::of_number(row)])?.into_iter().flatten();
    let row = sql::number(values.next());
    Ok((row, Marks::of(&tables::read_ledger(&sql::blob(values.next()))?)))
}

/// When the first row behind this one was received.
pub fn oldest_ms(sql: &SqlStorage, row: u64) -> worker::Result<Option<u64>> {
    let statement = "SELECT substr(body, 1, ?) FROM log WHERE seq > ? ORDER BY seq LIMIT 1";
    let values = vec![sql::of_number(TIME_PREFIX_BYTES), sql::of_number(row)];
    Ok(sql::first(sql, statement, values)?.and_then(|body| received_ms(&sql::blob(Some(body)))))
}

/// Rows behind this one, at most so many.
pub fn behind(sql: &SqlStorage, row: u64, rows_max: u64) -> worker::Result<Vec<Behind>> {
    let statement = "SELECT seq, substr(body, 1, ?), ledger FROM log WHERE seq > ? ORDER BY seq LIMIT ?";
    let values = vec![sql::of_number(TIME_PREFIX_BYTES), sql::of_number(row), sql::of_number(rows_max)];
    let read = |row: Vec<SqlStorageValue>| {
        let mut values = row.into_iter();
        let row = sql::number(values.next());
        let received_ms = received_ms(&sql::blob(values.next())).unwrap_or(0);
        let ledger: Ledger = tables::read_ledger(&sql::blob(values.next()))?;
        Ok(Behind { row, received_ms, marks: Marks::of(&ledger) })
    };
    sql::rows(sql, statement, values)?.into_iter().map(read).collect()
}

/// What waits for a destination.
pub fn waits(sql: &SqlStorage, state: &State, end: Marks) -> worker::Result<Waiting> {
    let cursor = marks_at(sql, state.cursor.row)?;
    Ok(waiting(state, (cursor, end), oldest_ms(sql, state.cursor.row)?))
}

/// The time at the front of a row: behind its version it is what a row says first.
fn received_ms(prefix: &[u8]) -> Option<u64> {
    let mut reader = Reader::new(prefix);
    reader.u8().ok()?;
    reader.varint_u64().ok()
}
