//! What a shard keeps for its destinations: when there is something to send, which rows of the log may go, which must be
//! given up because too many wait, and which destinations there are.

use super::machine::Machine;
use super::pressure::Waiting;
use super::report::Marks;
use super::sent_to;
use super::state::State;
use crate::cursor::Position;
use crate::site::Site;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use selvedge_core::mutation::{Mutation, is_planted};
use selvedge_core::wire::program::Destination;

/// How often it is looked whether what a pause waits for has come.
const PAUSED_MS: u64 = 60_000;

/// A row behind a cursor, without its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Behind {
    /// Its number.
    pub row: u64,
    /// When it was received: Unix milliseconds.
    pub received_ms: u64,
    /// What the log had counted with it.
    pub marks: Marks,
}

/// When there is something to do for a destination, in a log that ends with row `newest`: Unix milliseconds. `is_answered`: a
/// visitor answered of whom something waits for it. Who may not be sent anything now is not woken for that either.
#[must_use]
pub fn next_ms(state: &State, newest: u64, is_answered: bool, now_ms: u64) -> Option<u64> {
    if state.gone_since.is_some() {
        return None;
    }
    if state.paused.is_some() {
        return Some(now_ms.saturating_add(PAUSED_MS));
    }
    let is_forgotten = is_planted(Mutation::AlarmNotRearmed) && state.not_before_ms > now_ms;
    let is_asked_again = state.waiting > 0 && is_answered;
    if (state.to_send() > 0 || newest > state.cursor.row || is_asked_again) && !is_forgotten {
        return Some(state.not_before_ms.max(now_ms));
    }
    // What waits for answers does not wait for ever.
    (state.waiting > 0).then(|| now_ms.saturating_add(PAUSED_MS))
}

/// The newest publish that any destination was named, or taken out, by: who goes on with an older one finds no work where there is
/// some, and would ring again at once.
#[must_use]
pub fn newest_publish<'a>(states: impl IntoIterator<Item = &'a State>) -> u64 {
    states.into_iter().map(|state| state.publish.max(state.gone_since.unwrap_or(0))).max().unwrap_or(0)
}

/// The row that the destination that is last stands behind, in a log that ends with row `newest`.
#[must_use]
pub fn hindmost<'a>(states: impl IntoIterator<Item = &'a State>, newest: u64) -> u64 {
    let in_force = states.into_iter().filter(|state| state.gone_since.is_none());
    let last = in_force.map(|state| state.cursor.row).min().unwrap_or(newest).min(newest);
    if is_planted(Mutation::RowsRemovedEarly) { newest } else { last }
}

/// How many of these rows, from the first on, may be removed: they came before `until_ms`, and stand before the hindmost. The
/// row that the hindmost cursor stands behind, and the newest, stay: they hold what the log had counted.
#[must_use]
pub fn over(rows: &[Behind], until_ms: u64, hindmost: u64) -> usize {
    rows.iter().take_while(|row| row.received_ms < until_ms && row.row < hindmost).count()
}

/// Where too much waits for a destination and the oldest may go: the last of these rows behind its cursor that goes, and
/// what the log had counted with it. The cursor's row had counted `before`, the log's end `end`.
#[must_use]
pub fn excess(
    state: &State,
    destination: &Destination,
    (before, end): (Marks, Marks),
    rows: &[Behind],
    now_ms: u64,
) -> Option<(u64, Marks)> {
    let in_flight = if state.in_flight > 0 { state.flight_bytes } else { 0 };
    let (mut last, mut marks) = (None, before);
    for row in rows {
        let bytes = end.bytes.saturating_sub(marks.bytes).saturating_add(in_flight);
        let waiting = Waiting { bytes, oldest_ms: Some(row.received_ms) };
        if !waiting.overflows(destination, now_ms) {
            break;
        }
        marks = row.marks;
        last = Some((row.row, marks));
    }
    last
}

/// Gives up the rows up to this one: the cursor's row had counted `before`, this one `after`.
pub fn give_up(machine: &mut Machine, until: u64, before: Marks, after: Marks) {
    let taken = u64::from(machine.state.cursor.events);
    let items = after.items.saturating_sub(before.items).saturating_sub(taken);
    machine.drop_until(Position { row: until, events: 0 }, items);
}

/// What becomes of a destination that is stored, or is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Naming {
    /// This is stored of it.
    Write(String, Box<State>),
    /// Nothing is.
    Forget(String),
}

/// What a publish changes of the destinations that are stored, as `known`, by name: one that is new begins at the log's end,
/// one that left keeps its place for a publish.
#[must_use]
pub fn naming(site: &Site, known: Vec<(String, State)>, (end, marks): (Position, Marks)) -> Vec<Naming> {
    let publish = site.publish;
    let is_known = |name: &str| known.iter().any(|(stored, _)| stored == name);
    let new = sent_to(site).filter(|destination| !is_known(&destination.name));
    let begins = |destination: &Destination| {
        Naming::Write(destination.name.clone(), Box::new(State::beginning(end, marks.items, publish)))
    };
    let mut changes: Vec<Naming> = new.map(begins).collect();
    for (name, state) in known {
        let is_named = sent_to(site).any(|destination| destination.name == name);
        if state.publish.max(state.gone_since.unwrap_or(0)) >= publish {
            continue;
        }
        let mut machine = Machine { state, ..Machine::default() };
        let is_over = machine.named(is_named, publish);
        changes.push(if is_over {
            Naming::Forget(name)
        } else {
            Naming::Write(name, Box::new(machine.state))
        });
    }
    changes
}
