//! What an operator asks and orders: how destinations stand; that one stops, goes on, or gets an item again.

use super::super::Shard;
use super::{places, store};
use crate::barrier::{self, Failure};
use crate::clock::now_ms;
use selvedge_edge::delivery::item::Item;
use selvedge_edge::delivery::machine::Machine;
use selvedge_edge::delivery::report::Report;
use selvedge_edge::delivery::state::State;
use selvedge_edge::fault::Fault;
use worker::SqlStorage;

/// How every destination of the shard stands.
pub fn reports(sql: &SqlStorage) -> worker::Result<Vec<Report>> {
    let (_, end) = places::end(sql)?;
    let report = |(name, state): (String, State)| {
        let cursor = places::marks_at(sql, state.cursor.row)?;
        let oldest_ms = places::oldest_ms(sql, state.cursor.row)?;
        Ok(Report::of(&name, &state, (cursor, end), oldest_ms))
    };
    store::states(sql)?.into_iter().map(report).collect()
}

/// Stops a destination, or lets it go on at once. One that the shard does not know yet begins here, where it is stopped.
///
/// # Errors
/// [`Fault`] 503 where the storage fails.
pub fn order(shard: &Shard, name: &str, is_pause: bool) -> Result<(), Fault> {
    let (storage, name) = (shard.state.storage(), name.to_owned());
    let ordered = barrier::transaction(&shard.state.storage(), move || {
        let sql = storage.sql();
        let state = match store::state(&sql, &name)? {
            Some(state) => state,
            None if is_pause => {
                // The publish that names it is not known here: whichever comes next finds it.
                let (cursor, marks) = places::end(&sql)?;
                State::beginning(cursor, marks.items, 0)
            }
            None => return Ok(()),
        };
        let mut machine = Machine { state, ..Machine::default() };
        if is_pause {
            machine.pause("an operator stopped it")
        } else {
            machine.resume()
        }
        store::write_state(&sql, &name, &machine.state)
    });
    settled(shard, ordered)
}

/// Puts an item that is no longer in quarantine at the end of those that go again, within an open transaction. Gives whether
/// the destination is known.
pub fn send_again(sql: &SqlStorage, name: &str, item: &Item) -> worker::Result<bool> {
    let Some(mut state) = store::state(sql, name)? else { return Ok(false) };
    state.counts.quarantined = state.counts.quarantined.saturating_sub(1);
    state.again = state.again.saturating_add(1);
    store::push_again(sql, name, item)?;
    store::write_state(sql, name, &state)?;
    Ok(true)
}

fn settled(shard: &Shard, done: Result<(), Failure<worker::Error>>) -> Result<(), Fault> {
    shard.outbox.forget();
    let armed = done.is_ok().then(|| shard.alarm.by(&shard.state.storage(), Some(now_ms())));
    match (done, armed) {
        (Ok(()), Some(Ok(()))) => Ok(()),
        (failure, armed) => {
            worker::console_error!("an order could not be kept: {failure:?} {armed:?}");
            Err(Fault::storage("the storage failed; nothing was changed"))
        }
    }
}
