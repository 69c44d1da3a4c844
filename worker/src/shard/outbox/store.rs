//! The tables of the destinations, and every statement over them.

use super::held;
use crate::sql;
use selvedge_core::id::VisitorId;
use selvedge_core::wire::codec::WireFault;
use selvedge_edge::delivery::item::{self, Item};
use selvedge_edge::delivery::machine::Machine;
use selvedge_edge::delivery::state::State;
use worker::SqlStorage;

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS destination(name TEXT PRIMARY KEY, state BLOB) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS flight(
    name TEXT, part INTEGER, items BLOB, PRIMARY KEY(name, part)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS again(seq INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, item BLOB);
";

/// Bytes of one part of what is in flight: a value has at most 2 MB.
const PART_BYTES_MAX: usize = 1_000_000;

/// Makes the tables where they are missing.
pub fn create(sql: &SqlStorage) -> worker::Result<()> {
    sql::run(sql, TABLES, Vec::new())?;
    held::create(sql)
}

/// All destinations, by name.
pub fn states(sql: &SqlStorage) -> worker::Result<Vec<(String, State)>> {
    let rows = sql::rows(sql, "SELECT name, state FROM destination ORDER BY name", Vec::new())?;
    let read = |row: Vec<worker::SqlStorageValue>| {
        let mut values = row.into_iter();
        let (name, state) = (sql::text(values.next()), sql::blob(values.next()));
        Ok((name, State::decode(&state).map_err(broken)?))
    };
    rows.into_iter().map(read).collect()
}

/// A destination; `None` where the shard does not know it.
pub fn state(sql: &SqlStorage, name: &str) -> worker::Result<Option<State>> {
    let state = sql::first(sql, "SELECT state FROM destination WHERE name = ?", vec![name.into()])?;
    state.map(|state| State::decode(&sql::blob(Some(state))).map_err(broken)).transpose()
}

/// Writes a destination.
pub fn write_state(sql: &SqlStorage, name: &str, state: &State) -> worker::Result<()> {
    let values = vec![name.into(), sql::of_bytes(state.encode())];
    sql::run(sql, "INSERT OR REPLACE INTO destination VALUES (?, ?)", values)
}

/// What of a destination is in flight.
pub fn flight(sql: &SqlStorage, name: &str) -> worker::Result<Vec<Item>> {
    let rows = sql::rows(sql, "SELECT items FROM flight WHERE name = ? ORDER BY part", vec![name.into()])?;
    let parts: Vec<Vec<u8>> = rows.into_iter().map(|row| sql::blob(row.into_iter().next())).collect();
    if parts.is_empty() { Ok(Vec::new()) } else { item::decode(&parts.concat()).map_err(broken) }
}

/// Writes a machine: its state, and what is in flight where that changed.
pub fn write(sql: &SqlStorage, name: &str, machine: &mut Machine) -> worker::Result<()> {
    write_state(sql, name, &machine.state)?;
    if !machine.is_flight_new {
        return Ok(());
    }
    machine.is_flight_new = false;
    clear_flight(sql, name)?;
    if machine.flight.is_empty() {
        return Ok(());
    }
    for (part, bytes) in (0u64..).zip(item::encode(&machine.flight).chunks(PART_BYTES_MAX)) {
        let values = vec![name.into(), sql::of_number(part), sql::of_bytes(bytes)];
        sql::run(sql, "INSERT INTO flight VALUES (?, ?, ?)", values)?;
    }
    Ok(())
}

/// Forgets a destination.
pub fn forget(sql: &SqlStorage, name: &str) -> worker::Result<()> {
    sql::run(sql, "DELETE FROM destination WHERE name = ?", vec![name.into()])?;
    sql::run(sql, "DELETE FROM again WHERE name = ?", vec![name.into()])?;
    held::forget(sql, name)?;
    clear_flight(sql, name)
}

fn clear_flight(sql: &SqlStorage, name: &str) -> worker::Result<()> {
    sql::run(sql, "DELETE FROM flight WHERE name = ?", vec![name.into()])
}

/// Puts an item at the end of those that go again.
pub fn push_again(sql: &SqlStorage, name: &str, item: &Item) -> worker::Result<()> {
    let values = vec![name.into(), sql::of_bytes(item::encode(core::slice::from_ref(item)))];
    sql::run(sql, "INSERT INTO again(name, item) VALUES (?, ?)", values)
}

/// Takes the first items that go again, as many as go into one send.
pub fn take_again(sql: &SqlStorage, name: &str, items_max: u64) -> worker::Result<Vec<Item>> {
    let statement = "SELECT seq, item FROM again WHERE name = ? ORDER BY seq LIMIT ?";
    let rows = sql::rows(sql, statement, vec![name.into(), sql::of_number(items_max)])?;
    let (mut items, mut last) = (Vec::new(), 0);
    for row in rows {
        let mut values = row.into_iter();
        last = sql::number(values.next());
        items.extend(item::decode(&sql::blob(values.next())).map_err(broken)?);
    }
    let values = vec![name.into(), sql::of_number(last)];
    sql::run(sql, "DELETE FROM again WHERE name = ? AND seq <= ?", values)?;
    Ok(items)
}

/// Removes a visitor's items of those that go again; gives how many that were.
pub fn erase_again(sql: &SqlStorage, name: &str, visitor: VisitorId) -> worker::Result<u64> {
    let mut erased = 0u64;
    for row in sql::rows(sql, "SELECT seq, item FROM again WHERE name = ?", vec![name.into()])? {
        let mut values = row.into_iter();
        let (number, items) = (values.next(), item::decode(&sql::blob(values.next())).map_err(broken)?);
        if items.iter().any(|item| item.visitor == visitor) {
            erased = erased.saturating_add(1);
            sql::run(sql, "DELETE FROM again WHERE seq = ?", number.into_iter().collect())?;
        }
    }
    Ok(erased)
}

fn broken(fault: WireFault) -> worker::Error {
    worker::Error::RustError(format!("what is stored of a destination cannot be read: {fault}"))
}
