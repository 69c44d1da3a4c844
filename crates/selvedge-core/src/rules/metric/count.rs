//! Counts up to a threshold: in a sliding window the newest times, exact to the millisecond; in a session how many.

use super::{Occurrence, Reading};
use crate::rules::counts::{count_from, insert};
use crate::rules::known::Known;
use crate::wire::program::{MetricRow, kind};
use crate::wire::state::Kept;
use alloc::vec::Vec;

pub(super) fn blank(metric: MetricRow) -> Kept {
    match metric.window() {
        kind::WINDOW_SLIDING => Kept::Times(Vec::new()),
        _ => Kept::Count(0),
    }
}

pub(super) fn take(metric: MetricRow, kept: &mut Kept, since_ms: &mut i64, event: &mut Occurrence) {
    if !event.is(metric.event(), metric.filter()) {
        return;
    }
    match kept {
        Kept::Times(times_ms) => insert_time(times_ms, since_ms, event.time_ms, metric),
        Kept::Count(count) => *count = count.saturating_add(1),
        _ => {}
    }
}

/// Puts a time in its order. What fell out of the window is dropped; where more are left than are counted to, the oldest is
/// dropped too, and all is kept only since then.
fn insert_time(times_ms: &mut Vec<i64>, since_ms: &mut i64, time_ms: i64, metric: MetricRow) {
    let newest_ms = times_ms.last().map_or(time_ms, |last_ms| time_ms.max(*last_ms));
    let start_ms = newest_ms.wrapping_sub(metric.window_ms().cast_signed());
    while times_ms.first().is_some_and(|first_ms| *first_ms <= start_ms) {
        times_ms.remove(0);
    }
    if time_ms > start_ms
        && let Some(dropped_ms) = insert(times_ms, time_ms, metric.threshold().into())
    {
        *since_ms = (*since_ms).max(dropped_ms.wrapping_add(1));
    }
}

/// A count up to its threshold: known where its window was watched whole, else a lower bound.
pub(super) fn known(reading: &Reading) -> Known {
    let count = match reading.kept {
        Kept::Times(times_ms) => count_from(times_ms, reading.start_ms),
        Kept::Count(count) => count.saturating_add(reading.in_page),
        _ => 0,
    };
    let top = i64::from(reading.metric.threshold());
    let low = i64::from(count).min(top);
    Known { low, high: if reading.is_watched { low } else { top } }
}
