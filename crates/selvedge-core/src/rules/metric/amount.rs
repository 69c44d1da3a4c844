//! Amounts: how many, sum, least, greatest, average. A sliding window is kept in panes of a twelfth, aligned to the epoch:
//! it never holds anything older than it is long, and always at least its newest eleven twelfths. Every other window is
//! one pane.

use super::{Occurrence, Reading};
use crate::limits::PANES_MAX;
use crate::rules::counts;
use crate::rules::facts::{Seen, property, see};
use crate::rules::known::{Known, MISSING};
use crate::wire::program::{Image, MetricRow, kind};
use crate::wire::state::{Kept, Pane};

const PANES: i64 = PANES_MAX.cast_signed() as i64;

/// How long a pane of a sliding window is.
fn pane_ms(metric: MetricRow) -> i64 {
    metric.window_ms().cast_signed().wrapping_div(PANES).max(1)
}

/// The first millisecond of the oldest pane in the window that ends with `now_ms`.
pub(super) fn window_start_ms(image: &Image, metric: MetricRow, now_ms: i64) -> i64 {
    match metric.window() {
        kind::WINDOW_SLIDING => {
            let back = pane_ms(metric).wrapping_mul(PANES - 1);
            pane_start_ms(image, metric, now_ms).wrapping_sub(back)
        }
        _ => pane_start_ms(image, metric, now_ms),
    }
}

/// The first millisecond of a window that is not kept in panes.
pub(super) fn exact_start_ms(image: &Image, metric: MetricRow, now_ms: i64) -> i64 {
    match metric.window() {
        kind::WINDOW_SLIDING => counts::window_start_ms(now_ms, metric.window_ms()),
        _ => pane_start_ms(image, metric, now_ms),
    }
}

/// The first millisecond of the pane that holds `time_ms`.
fn pane_start_ms(image: &Image, metric: MetricRow, time_ms: i64) -> i64 {
    match metric.window() {
        kind::WINDOW_SLIDING => time_ms.wrapping_sub(time_ms.rem_euclid(pane_ms(metric))),
        kind::WINDOW_TODAY..=kind::WINDOW_MONTH => image.period_start_ms(metric.window(), time_ms),
        _ => i64::MIN,
    }
}

pub(super) fn take(metric: MetricRow, kept: &mut Kept, event: &mut Occurrence) {
    let Kept::Panes(panes) = kept else { return };
    if !event.is(metric.event(), metric.filter()) {
        return;
    }
    let Some(value) = value_of(metric, event) else { return };
    // What is one pane for good begins with the visitor.
    let start_ms = pane_start_ms(event.image, metric, event.time_ms);
    let start_ms = if start_ms == i64::MIN { event.born_ms } else { start_ms };
    let at = panes.partition_point(|pane| pane.start_ms < start_ms);
    match panes.get_mut(at).filter(|pane| pane.start_ms == start_ms) {
        Some(pane) => add(metric, pane, value),
        None => panes.insert(at, Pane { start_ms, count: 1, value }),
    }
    let newest_ms = panes.last().map_or(start_ms, |pane| pane.start_ms);
    let oldest_ms = window_start_ms(event.image, metric, newest_ms);
    panes.retain(|pane| pane.start_ms >= oldest_ms);
}

/// What the event brings; `None` where it does not take part: its property is missing, or no number.
fn value_of(metric: MetricRow, event: &Occurrence) -> Option<i64> {
    if metric.kind() == kind::METRIC_TALLY {
        return Some(0);
    }
    match see(property(&event.event.properties, event.image.str(metric.property()))?) {
        Seen::Known(known) if known.low == known.high && known.low != MISSING => Some(known.low),
        _ => None,
    }
}

fn add(metric: MetricRow, pane: &mut Pane, value: i64) {
    pane.count = pane.count.saturating_add(1);
    pane.value = joined(metric, pane.value, value);
}

fn joined(metric: MetricRow, one: i64, other: i64) -> i64 {
    match metric.kind() {
        kind::METRIC_MIN => one.min(other),
        kind::METRIC_MAX => one.max(other),
        _ => one.saturating_add(other),
    }
}

/// What is known of an amount. Of a window that was not watched whole: how many is a lower bound, and the sum of what is
/// never negative; the least is at most, the greatest at least what was seen; of any other nothing.
pub(super) fn known(reading: &Reading) -> Known {
    let metric = reading.metric;
    let Kept::Panes(panes) = reading.kept else { return Known::UNOBSERVED };
    let start_ms = window_start_ms(reading.image, metric, reading.now_ms);
    let mut seen: Option<Pane> = None;
    for pane in panes.iter().filter(|pane| pane.start_ms >= start_ms) {
        let before = seen.unwrap_or(Pane { count: 0, ..*pane });
        let value = if seen.is_some() { joined(metric, before.value, pane.value) } else { pane.value };
        seen = Some(Pane { count: before.count.saturating_add(pane.count), value, ..*pane });
    }
    let low = match (metric.kind(), seen) {
        (kind::METRIC_TALLY, seen) => seen.map_or(0, |pane| pane.count.into()),
        (kind::METRIC_SUM, seen) => seen.map_or(0, |pane| pane.value),
        (kind::METRIC_AVERAGE, Some(pane)) => pane.value.div_euclid(i64::from(pane.count).max(1)),
        (_, Some(pane)) => pane.value,
        (_, None) => MISSING,
    };
    match metric.kind() {
        _ if reading.is_watched => Known::exact(low),
        kind::METRIC_TALLY => Known { low, high: i64::MAX },
        kind::METRIC_SUM if metric.detail() > 0 => Known { low, high: i64::MAX },
        kind::METRIC_SUM => any_sum(metric),
        kind::METRIC_MAX => Known { low, high: i64::MAX },
        kind::METRIC_MIN if low != MISSING => Known { low: MISSING + 1, high: low },
        _ => Known::UNOBSERVED,
    }
}

/// What a sum may be.
pub(super) fn any_sum(metric: MetricRow) -> Known {
    Known { low: if metric.detail() > 0 { 0 } else { MISSING + 1 }, high: i64::MAX }
}
