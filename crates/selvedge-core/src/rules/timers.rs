//! When a rule is considered: at every event, or at its triggers only; at once, or after a delay.

use super::known::{Known, is_true};
use super::moment::{Moment, may_act};
use crate::limits::SESSION_IDLE_MS;
use crate::wire::program::{Image, TimerRow};
use crate::wire::state::{CellBody, VisitorState};
use alloc::vec::Vec;

/// Rules that are not considered now, by their place in the program.
pub(super) fn waiting(image: &Image, state: &VisitorState, now_ms: i64, waiting: &mut Vec<u16>) {
    waiting.clear();
    for timer in image.each_timer() {
        if waits(state, timer, now_ms) {
            waiting.push(timer.rule());
        }
    }
}

/// Whether the rule of a timer is not considered now.
pub(super) fn waits(state: &VisitorState, timer: TimerRow, now_ms: i64) -> bool {
    !is_due(due_ms(state, timer.hash()), now_ms)
}

/// Sets the delays of conditions that became true, and drops those of conditions that are not true any more when they
/// are over.
pub(super) fn run(image: &Image, state: &mut VisitorState, moment: &Moment, known: &[Known]) {
    let now_ms = state.now_ms(moment.now_ms);
    for timer in image.each_timer().filter(|timer| !timer.is_triggered()) {
        let rule = image.rule(timer.rule());
        let is_true = may_act(rule, moment) && is_true(image, image.code(), known, rule.when());
        match due_ms(state, timer.hash()) {
            None if is_true => set(state, timer.hash(), Some(after(timer, now_ms))),
            due_ms if !is_true && is_due(due_ms, now_ms) => set(state, timer.hash(), None),
            _ => {}
        }
    }
}

/// A triggered rule was considered: now it waits for the next trigger. One of those whose place is `taken` stays due since
/// birth, which no delay ends at.
pub(super) fn spend(image: &Image, state: &mut VisitorState, now_ms: i64, taken: &[u16]) {
    for timer in image.each_timer().filter(|timer| timer.is_triggered()) {
        if is_due(due_ms(state, timer.hash()), now_ms) {
            let due_ms = taken.contains(&timer.rule()).then_some(state.born_ms);
            set(state, timer.hash(), due_ms);
        }
    }
}

/// Whether a triggered rule was considered, and waits for its place.
pub(super) fn waits_for_place(state: &VisitorState, timer: TimerRow) -> bool {
    timer.is_triggered() && timer.after_ms() > 0 && due_ms(state, timer.hash()) == Some(state.born_ms)
}

/// Something triggers the rules for which `is_trigger`. The newest trigger counts, in whichever order they arrive.
pub(super) fn trigger(
    image: &Image,
    state: &mut VisitorState,
    time_ms: i64,
    is_trigger: impl Fn(TimerRow) -> bool,
) {
    for timer in image.each_timer().filter(|timer| is_trigger(*timer)) {
        let due_ms = due_ms(state, timer.hash()).max(Some(after(timer, time_ms)));
        set(state, timer.hash(), due_ms);
    }
}

/// When the session is over, if nothing happens before.
pub(super) fn session_end_ms(state: &VisitorState) -> Option<i64> {
    let session = &state.session;
    let is_open = session.number > 0 && !session.is_gap_open;
    is_open.then(|| session.last_ms.wrapping_add(SESSION_IDLE_MS).wrapping_add(1))
}

/// When a timer comes due.
pub(super) fn due_ms(state: &VisitorState, hash: u64) -> Option<i64> {
    match state.body(hash)? {
        CellBody::Timer(due_ms) => *due_ms,
        _ => None,
    }
}

/// Sets a timer.
pub(super) fn set(state: &mut VisitorState, hash: u64, due_ms: Option<i64>) {
    state.set_body(hash, CellBody::Timer(due_ms));
}

fn is_due(due_ms: Option<i64>, now_ms: i64) -> bool {
    due_ms.is_some_and(|due_ms| due_ms <= now_ms)
}

fn after(timer: TimerRow, time_ms: i64) -> i64 {
    time_ms.wrapping_add(timer.after_ms().cast_signed())
}
