//! Sequences and absences. Events find their order within [`SEQUENCE_REORDER_MS`]: what is younger waits, and is run
//! through anew each time somebody asks. There is one run, and the newest first event begins it anew.

use super::known::Known;
use crate::limits::{SEQUENCE_PENDING_MAX, SEQUENCE_REORDER_MS};
use crate::wire::program::{SequenceRow, kind};
use crate::wire::state::{Run, SequenceCell};

/// The part of the event that the sequence must be without. Bit `n` is step `n`; the bit behind the last step is the event
/// that must not follow.
pub(super) const WITHOUT: u8 = 1 << 7;

const UNKNOWN: Known = Known { low: 0, high: 1 };

/// Where a sequence begins that is observed from `since_ms` on, of a visitor born at `born_ms`.
pub(super) fn begun(row: SequenceRow, since_ms: i64, born_ms: i64) -> SequenceCell {
    let is_absence = row.asks() == kind::SEQUENCE_ABSENCE;
    let run =
        Run { start_ms: since_ms, steps: is_absence.into(), is_unsure: since_ms > born_ms, done_ms: None };
    SequenceCell { since_ms, run, ..SequenceCell::default() }
}

/// Nothing was observed until `since_ms`: a run may have begun, gone on or ended.
pub(super) fn miss(cell: &mut SequenceCell, row: SequenceRow, since_ms: i64) {
    cell.run = folded(cell, row);
    cell.pending.clear();
    cell.since_ms = cell.since_ms.max(since_ms);
    cell.run.is_unsure = true;
    if row.asks() == kind::SEQUENCE_ABSENCE {
        cell.run.start_ms = cell.run.start_ms.max(since_ms);
    } else {
        cell.run.steps = 0;
    }
}

/// Takes an event that plays these parts. `newest_ms` is the time of the visitor's newest event, this one included.
pub(super) fn take(cell: &mut SequenceCell, row: SequenceRow, time_ms: i64, parts: u8, newest_ms: i64) {
    if row.asks() == kind::SEQUENCE_ABSENCE {
        if time_ms > cell.run.start_ms {
            cell.run.start_ms = time_ms;
            cell.run.is_unsure = false;
        }
        return;
    }
    let horizon_ms = newest_ms.wrapping_sub(SEQUENCE_REORDER_MS);
    if time_ms < horizon_ms {
        return;
    }
    let after = cell.pending.iter().rev().take_while(|known| **known > (time_ms, parts)).count();
    cell.pending.insert(cell.pending.len().saturating_sub(after), (time_ms, parts));
    while let Some((first_ms, parts)) = cell.pending.first().copied()
        && (first_ms < horizon_ms || cell.pending.len() > SEQUENCE_PENDING_MAX)
    {
        cell.pending.remove(0);
        cell.run = advanced(cell.run, row, first_ms, parts);
    }
}

/// Whether the sequence, or absence, is there now: 1 or 0.
pub(super) fn value(
    cell: &SequenceCell,
    row: SequenceRow,
    now_ms: i64,
    born_ms: i64,
    is_observed: bool,
) -> Known {
    let run = folded(cell, row);
    let has_passed = |since_ms: i64| now_ms.wrapping_sub(since_ms) >= window_ms(row);
    let is_sure = match row.asks() {
        kind::SEQUENCE_THEN => {
            if run.done_ms.is_some_and(|done_ms| !has_passed(done_ms)) {
                return Known::exact(1);
            }
            cell.since_ms <= settled_ms(row, now_ms).max(born_ms)
        }
        kind::SEQUENCE_THEN_NO => !run.is_unsure,
        _ => !run.is_unsure || has_passed(run.start_ms),
    };
    if !is_sure || !is_observed {
        return UNKNOWN;
    }
    let is_waited_for = row.asks() != kind::SEQUENCE_THEN && run.steps == row.steps();
    Known::exact((is_waited_for && has_passed(run.start_ms)).into())
}

/// When time alone may change the value. Some of the times may have passed.
pub(super) fn turns(cell: &SequenceCell, row: SequenceRow) -> [Option<i64>; 2] {
    let run = folded(cell, row);
    let end_ms = |start_ms: i64| start_ms.wrapping_add(window_ms(row));
    match row.asks() {
        kind::SEQUENCE_THEN => {
            let settles_ms = end_ms(end_ms(cell.since_ms)).wrapping_sub(1);
            [run.done_ms.map(end_ms), Some(settles_ms)]
        }
        kind::SEQUENCE_THEN_NO => [Some(end_ms(run.start_ms)).filter(|_| run.steps == row.steps()), None],
        _ => [Some(end_ms(run.start_ms)), None],
    }
}

fn window_ms(row: SequenceRow) -> i64 {
    row.window_ms().cast_signed()
}

/// What happened before this time cannot make a sequence true now: its last event is within the window before now, its
/// first within the window before that.
fn settled_ms(row: SequenceRow, now_ms: i64) -> i64 {
    now_ms.wrapping_sub(window_ms(row)).wrapping_sub(window_ms(row)).wrapping_add(1)
}

/// The run with all that waits.
fn folded(cell: &SequenceCell, row: SequenceRow) -> Run {
    cell.pending.iter().fold(cell.run, |run, (time_ms, parts)| advanced(run, row, *time_ms, *parts))
}

/// The run after an event. It plays one part: it ends the run, or is the next step, or begins a run. One that ends or
/// completes a run may begin the next.
fn advanced(mut run: Run, row: SequenceRow, time_ms: i64, parts: u8) -> Run {
    let plays = |step: u8| parts >> step & 1 == 1;
    let in_time = time_ms.wrapping_sub(run.start_ms) < window_ms(row);
    let waits_for_none =
        row.asks() == kind::SEQUENCE_THEN_NO && (run.steps == row.steps() || row.steps() == 1);
    if parts & WITHOUT != 0 || waits_for_none && plays(row.steps()) {
        run.steps = 0;
        run.is_unsure = false;
    } else if run.steps > 0 && run.steps < row.steps() && in_time && plays(run.steps) {
        run.steps = run.steps.wrapping_add(1);
        if row.asks() != kind::SEQUENCE_THEN || run.steps < row.steps() {
            return run;
        }
        run.steps = 0;
        run.done_ms = Some(time_ms);
    }
    if plays(0) {
        run.start_ms = time_ms;
        run.steps = 1;
        run.is_unsure = false;
    }
    run
}
