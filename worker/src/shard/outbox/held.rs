//! Items that wait for their visitors' answers: places in the log, which keeps their rows meanwhile.

use crate::sql;
use selvedge_core::id::VisitorId;
use selvedge_core::limits::{DELIVERY_ITEMS_MAX, HELD_ITEMS_MAX};
use selvedge_core::pairs::Pairs;
use selvedge_edge::delivery::machine::Machine;
use selvedge_edge::delivery::take::{Held, Waits};
use worker::{SqlStorage, SqlStorageValue};

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS held(
    visitor BLOB, name TEXT, row INTEGER, at INTEGER, received_ms INTEGER, PRIMARY KEY(visitor, name, row, at)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS held_by_row ON held(name, row, at);
CREATE TABLE IF NOT EXISTS answered(name TEXT, visitor BLOB, PRIMARY KEY(name, visitor)) WITHOUT ROWID;
";

/// Makes the tables where they are missing.
pub fn create(sql: &SqlStorage) -> worker::Result<()> {
    sql::run(sql, TABLES, Vec::new())
}

/// A visitor has answered: what waits for that is asked for again. Gives whether anything waited.
pub fn answered(sql: &SqlStorage, visitor: VisitorId) -> worker::Result<bool> {
    let statement =
        "INSERT OR REPLACE INTO answered SELECT DISTINCT name, visitor FROM held WHERE visitor = ?";
    sql::run(sql, statement, vec![sql::of_bytes(visitor.0)])?;
    has(sql, "SELECT count(*) FROM (SELECT 1 FROM answered WHERE visitor = ? LIMIT 1)", visitor)
}

/// Whether something of the visitor waits for the destination.
pub fn is_held(sql: &SqlStorage, name: &str, visitor: VisitorId) -> worker::Result<bool> {
    let statement = "SELECT 1 FROM held WHERE visitor = ? AND name = ? LIMIT 1";
    Ok(sql::first(sql, statement, vec![sql::of_bytes(visitor.0), name.into()])?.is_some())
}

/// Whether somebody answered of whom something waits for the destination.
pub fn is_answered(sql: &SqlStorage, name: &str) -> worker::Result<bool> {
    Ok(sql::first(sql, "SELECT 1 FROM answered WHERE name = ? LIMIT 1", vec![name.into()])?.is_some())
}

/// Whether something is to be asked for again: its visitor answered, or its time is over.
pub fn is_due(sql: &SqlStorage, name: &str, until_ms: u64) -> worker::Result<bool> {
    if is_answered(sql, name)? {
        return Ok(true);
    }
    let oldest = "SELECT received_ms FROM held WHERE name = ? ORDER BY row, at LIMIT 1";
    Ok(sql::first(sql, oldest, vec![name.into()])?.is_some_and(|oldest| sql::number(Some(oldest)) < until_ms))
}

/// What is to be asked for again, in the order of the log. What was received before `until_ms` has waited long enough.
pub fn due(sql: &SqlStorage, name: &str, until_ms: u64) -> worker::Result<Vec<Held>> {
    let over = "INSERT OR REPLACE INTO answered SELECT DISTINCT name, visitor FROM held WHERE name = ? AND received_ms < ?";
    sql::run(sql, over, vec![name.into(), sql::of_number(until_ms)])?;
    let statement = "SELECT row, at, visitor, received_ms FROM held
        WHERE name = ? AND visitor IN (SELECT visitor FROM answered WHERE name = ?) ORDER BY row, at LIMIT ?";
    let values = vec![name.into(), name.into(), sql::of_number(most())];
    Ok(sql::rows(sql, statement, values)?.into_iter().map(read).collect())
}

fn most() -> u64 {
    u64::try_from(DELIVERY_ITEMS_MAX).unwrap_or(u64::MAX)
}

fn read(row: Vec<SqlStorageValue>) -> Held {
    let mut values = row.into_iter();
    let (row, at) = (sql::number(values.next()), sql::number(values.next()));
    let visitor = VisitorId(sql::blob(values.next()).try_into().unwrap_or_default());
    Held { row, at: u32::try_from(at).unwrap_or(u32::MAX), visitor, received_ms: sql::number(values.next()) }
}

/// Writes down what waits from now on and what does not any more. `asked` is what [`due`] gave.
pub fn settle(
    sql: &SqlStorage,
    name: &str,
    waits: &Waits,
    asked: &[Held],
    machine: &mut Machine,
) -> worker::Result<()> {
    for held in &waits.held {
        let (row, at) = (sql::of_number(held.row), sql::of_number(u64::from(held.at)));
        let values =
            vec![sql::of_bytes(held.visitor.0), name.into(), row, at, sql::of_number(held.received_ms)];
        sql::run(sql, "INSERT OR REPLACE INTO held VALUES (?, ?, ?, ?, ?)", values)?;
    }
    for held in &waits.released {
        let (row, at) = (sql::of_number(held.row), sql::of_number(u64::from(held.at)));
        let values = vec![sql::of_bytes(held.visitor.0), name.into(), row, at];
        sql::run(sql, "DELETE FROM held WHERE visitor = ? AND name = ? AND row = ? AND at = ?", values)?;
    }
    let asked: Pairs<VisitorId, ()> = asked.iter().map(|held| (held.visitor, ())).collect();
    for (visitor, ()) in &asked {
        // Of whom something waits still another answer is needed; of whom nothing waits, none.
        if waits.waiting.get(visitor).is_some() || !is_held(sql, name, *visitor)? {
            let values = vec![name.into(), sql::of_bytes(visitor.0)];
            sql::run(sql, "DELETE FROM answered WHERE name = ? AND visitor = ?", values)?;
        }
    }
    bound(sql, name, machine)
}

/// Gives up the oldest above the bound.
fn bound(sql: &SqlStorage, name: &str, machine: &mut Machine) -> worker::Result<()> {
    let above = machine.state.waiting.saturating_sub(HELD_ITEMS_MAX);
    if above == 0 {
        return Ok(());
    }
    let oldest = "DELETE FROM held WHERE (visitor, name, row, at) IN
        (SELECT visitor, name, row, at FROM held WHERE name = ? ORDER BY row, at LIMIT ?)";
    sql::run(sql, oldest, vec![name.into(), sql::of_number(u64::from(above))])?;
    machine.drop_held(above);
    Ok(())
}

/// The first row that something waits in.
pub fn first_row(sql: &SqlStorage) -> worker::Result<Option<u64>> {
    let first = sql::number(sql::first(sql, "SELECT min(row) FROM held", Vec::new())?);
    Ok(Some(first).filter(|row| *row > 0))
}

/// Forgets what waits of a visitor for a destination; gives how many items that were.
pub fn erase(sql: &SqlStorage, name: &str, visitor: VisitorId) -> worker::Result<u64> {
    let values = || vec![sql::of_bytes(visitor.0), name.into()];
    let count = "SELECT count(*) FROM held WHERE visitor = ? AND name = ?";
    let count = sql::number(sql::first(sql, count, values())?);
    sql::run(sql, "DELETE FROM held WHERE visitor = ? AND name = ?", values())?;
    sql::run(sql, "DELETE FROM answered WHERE visitor = ? AND name = ?", values())?;
    Ok(count)
}

/// Forgets a destination.
pub fn forget(sql: &SqlStorage, name: &str) -> worker::Result<()> {
    sql::run(sql, "DELETE FROM held WHERE name = ?", vec![name.into()])?;
    sql::run(sql, "DELETE FROM answered WHERE name = ?", vec![name.into()])
}

fn has(sql: &SqlStorage, statement: &str, visitor: VisitorId) -> worker::Result<bool> {
    Ok(sql::number(sql::first(sql, statement, vec![sql::of_bytes(visitor.0)])?) > 0)
}
