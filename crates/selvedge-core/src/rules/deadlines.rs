//! Deadlines: the times at which a decision may change though nothing happens.

use super::moment::Moment;
use super::sequences::turns;
use super::timers::{self, session_end_ms, set, trigger};
use super::turns::next_turn;
use crate::wire::program::{Image, WOKEN};
use crate::wire::state::VisitorState;

/// The earliest time behind `from_ms` at which a decision may change by time alone: a sequence or absence turns, a rule's
/// delay is over, the session ends, a hold ends; a moment of a condition comes or passes, a clock shows its hour, a value
/// becomes too old, a score fades. The end of a sliding window, and a cap that makes room again, are none: they are found
/// with the next event.
#[must_use]
pub fn next_deadline(image: &Image, state: &VisitorState, from_ms: i64) -> Option<i64> {
    next_until(image, state, from_ms, i64::MAX)
}

/// [`next_deadline`], where it is not behind `until_ms`.
fn next_until(image: &Image, state: &VisitorState, from_ms: i64, until_ms: i64) -> Option<i64> {
    if !image.is_cell(WOKEN) || from_ms >= until_ms {
        return None;
    }
    let mut next = None;
    let mut offer = |time_ms: Option<i64>| {
        if let Some(time_ms) = time_ms.filter(|time_ms| *time_ms > from_ms) {
            next = Some(next.map_or(time_ms, |next: i64| next.min(time_ms)));
        }
    };
    for row in image.each_sequence() {
        if let Some(cell) = state.sequence(row.meaning()) {
            turns(cell, row).into_iter().for_each(&mut offer);
        }
    }
    for timer in image.each_timer() {
        offer(timers::due_ms(state, timer.hash()));
        if timer.at_session_end() {
            offer(session_end_ms(state));
        }
    }
    state.held.iter().for_each(|held| offer(held.until_ms));
    let next = next.filter(|next_ms| *next_ms <= until_ms);
    next_turn(image, state, from_ms, next.unwrap_or(until_ms)).or(next)
}

/// The next deadline that was not decided at yet: when to wake up for the visitor.
#[must_use]
pub fn next_wake(image: &Image, state: &VisitorState) -> Option<i64> {
    next_deadline(image, state, decided_ms(state)?)
}

/// The next deadline that was not decided at yet, where it came up to `until_ms`.
#[must_use]
pub fn next_due(image: &Image, state: &VisitorState, until_ms: i64) -> Option<i64> {
    next_until(image, state, decided_ms(state)?, until_ms)
}

/// Up to when everything was decided at its own time.
fn decided_ms(state: &VisitorState) -> Option<i64> {
    let last_ms = state.last_time_ms?;
    Some(timers::due_ms(state, WOKEN).map_or(last_ms, |woken_ms| woken_ms.max(last_ms)))
}

/// The next deadline that came before the moment (or comes with it) and was not decided at yet. What is to be decided at
/// it is made ready: decide next, at that time; then ask again, [`crate::limits::WAKES_MAX`] times at most. A deadline is
/// decided at before the event that comes behind it is stepped: so it means the same wherever nobody woke up for it.
pub fn wake(image: &Image, state: &mut VisitorState, moment: &Moment) -> Option<i64> {
    let from_ms = decided_ms(state)?;
    state.align(image, state.now_ms(moment.now_ms));
    let at_ms = next_until(image, state, from_ms, moment.now_ms)?;
    if session_end_ms(state) == Some(at_ms) {
        trigger(image, state, at_ms, |timer| timer.at_session_end());
    }
    set(state, WOKEN, Some(at_ms));
    Some(at_ms)
}
