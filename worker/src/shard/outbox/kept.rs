//! What is kept of the log, and when there is something to do next.

use super::super::Shard;
use super::{held, places, store};
use crate::barrier::{self, Failure};
use crate::clock::now_ms;
use crate::sql;
use selvedge_core::wire::log_row::StoredRow;
use selvedge_edge::delivery::keeping::{self, give_up};
use selvedge_edge::delivery::machine::Machine;
use selvedge_edge::delivery::state::State;
use worker::SqlStorage;

/// Rows that one commit removes.
const PIECE_ROWS: u64 = 256;
/// Commits of one ring.
const PIECES_MAX: u32 = 16;
/// How often it is looked for rows whose time is over, at most.
const SWEEP_MS: u64 = 60_000;

/// The site that the shard belongs to, by its newest row.
pub fn site(sql: &SqlStorage) -> worker::Result<Option<String>> {
    let body = sql::first(sql, "SELECT body FROM log ORDER BY seq DESC LIMIT 1", Vec::new())?;
    let row = body.and_then(|body| StoredRow::decode(&sql::blob(Some(body))).ok());
    Ok(row.map(|row| row.site().to_owned()))
}

/// When there is something to send or to remove: Unix milliseconds. Rows are kept for `keep_ms`.
pub fn next_ms(sql: &SqlStorage, now_ms: u64, keep_ms: u64) -> worker::Result<Option<u64>> {
    let newest = places::end(sql)?.0.row;
    let states = store::states(sql)?;
    // The first row goes with the second.
    let hindmost = hindmost(sql, &states, newest)?;
    let second = places::behind(sql, 0, 2)?.pop().filter(|row| row.row < hindmost);
    let over = second.map(|row| row.received_ms.saturating_add(keep_ms).max(now_ms.saturating_add(SWEEP_MS)));
    let mut next_ms = over;
    for (name, state) in &states {
        let is_answered = state.waiting > 0 && held::is_answered(sql, name)?;
        let of_state = keeping::next_ms(state, newest, is_answered, now_ms);
        next_ms = [next_ms, of_state].into_iter().flatten().min();
    }
    Ok(next_ms)
}

/// The row that the destination that is last stands behind, or the first that something waits in.
fn hindmost(sql: &SqlStorage, states: &[(String, State)], newest: u64) -> worker::Result<u64> {
    let hindmost = keeping::hindmost(states.iter().map(|(_, state)| state), newest);
    let waits = states.iter().any(|(_, state)| state.waiting > 0);
    let first = if waits { held::first_row(sql)? } else { None };
    Ok(first.map_or(hindmost, |row| row.min(hindmost)))
}

/// Removes rows that every destination has taken and whose time is over, piece by piece. The row that the hindmost cursor
/// stands behind, and the newest, stay: they hold what the log had counted.
pub fn sweep(shard: &Shard, keep_ms: u64) -> worker::Result<()> {
    let until_ms = now_ms().saturating_sub(keep_ms);
    for _ in 0..PIECES_MAX {
        let sql = shard.state.storage().sql();
        let done = barrier::transaction(&shard.state.storage(), move || piece(&sql, until_ms));
        match done {
            Ok(true) => {}
            Ok(false) => break,
            Err(Failure::Work(error)) => return Err(error),
            Err(_) => return Err(worker::Error::RustError("the storage failed".into())),
        }
    }
    Ok(())
}

/// One piece; whether there may be more.
fn piece(sql: &SqlStorage, until_ms: u64) -> worker::Result<bool> {
    // The first row goes with the second.
    if keeping::over(&places::behind(sql, 0, 2)?, until_ms, u64::MAX) < 2 {
        return Ok(false);
    }
    let rows = places::behind(sql, 0, PIECE_ROWS)?;
    let newest = places::end(sql)?.0.row;
    let states = store::states(sql)?;
    let hindmost = hindmost(sql, &states, newest)?;
    let count = keeping::over(&rows, until_ms, hindmost);
    let Some(last) = count.checked_sub(1).and_then(|last| rows.get(last)) else { return Ok(false) };
    for (name, state) in states {
        if state.gone_since.is_some() && state.cursor.row < last.row {
            // It was kept in case that it is named again, as long as the log is.
            let before = places::marks_at(sql, state.cursor.row)?;
            let mut machine = Machine { state, ..Machine::default() };
            give_up(&mut machine, last.row, before, last.marks);
            store::write_state(sql, &name, &machine.state)?;
        }
    }
    sql::run(sql, "DELETE FROM log WHERE seq < ?", vec![sql::of_number(last.row)])?;
    Ok(count == rows.len() && count > 1)
}
