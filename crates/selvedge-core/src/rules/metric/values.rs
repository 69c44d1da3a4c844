//! Which values the newest events brought, each by its hash: how many had the same, which is the most frequent. As many
//! events are kept as the metric says; what more of them there were in the window is not told apart.

use super::amount::exact_start_ms;
use super::{Occurrence, Reading};
use crate::hash::fnv1a_64;
use crate::number::Micro;
use crate::rules::facts::{NOTHING, Seen, UNOBSERVED, property};
use crate::rules::known::Known;
use crate::value::Value;
use crate::wire::program::{Image, MetricRow, kind};
use crate::wire::state::{Kept, ValueAt};
use alloc::vec::Vec;

/// The hash of what the event brings: of a text that of its bytes. `None` where the property is missing, or neither text,
/// number nor yes or no.
pub(super) fn hash_of(metric: MetricRow, event: &Occurrence) -> Option<u64> {
    match property(&event.event.properties, event.image.str(metric.property()))? {
        Value::Text(text) => Some(fnv1a_64(text.as_bytes())),
        Value::Number(number) => {
            let Micro(micro) = number.micro()?;
            let [a, b, c, d, e, f, g, h] = micro.to_le_bytes();
            Some(fnv1a_64(&[0xff, a, b, c, d, e, f, g, h]))
        }
        Value::Bool(flag) => Some(fnv1a_64(&[0xff, u8::from(*flag)])),
        Value::Null | Value::List(_) | Value::Object(_) => None,
    }
}

/// Drops what fell out of the window that ends with the newest event.
pub(super) fn drop_old(image: &Image, metric: MetricRow, values: &mut Vec<ValueAt>) {
    let newest_ms = values.iter().map(|value| value.time_ms).max().unwrap_or(i64::MIN);
    let start_ms = exact_start_ms(image, metric, newest_ms);
    values.retain(|value| value.time_ms >= start_ms);
}

pub(super) fn take(metric: MetricRow, kept: &mut Kept, since_ms: &mut i64, event: &mut Occurrence) {
    let Kept::Values(values) = kept else { return };
    if !event.is(metric.event(), metric.filter()) {
        return;
    }
    let Some(hash) = hash_of(metric, event) else { return };
    let at = values.partition_point(|value| value.time_ms <= event.time_ms);
    values.insert(at, ValueAt { time_ms: event.time_ms, hash });
    drop_old(event.image, metric, values);
    if values.len() > usize::from(metric.detail()) {
        let dropped = values.remove(0);
        // The most frequent is that of the newest events; a count is a lower bound from here on.
        if metric.kind() != kind::METRIC_MOST_FREQUENT {
            // A first batch may tell of what was before the birth, from where on all else is watched.
            let dropped_ms = dropped.time_ms.max(event.born_ms);
            *since_ms = (*since_ms).max(dropped_ms.wrapping_add(1));
        }
    }
}

/// How many of the events brought the value of this hash.
pub(in crate::rules) fn same(reading: &Reading, hash: u64) -> Known {
    let Kept::Values(values) = reading.kept else { return Known { low: 0, high: i64::MAX } };
    let in_window = values.iter().filter(|value| value.time_ms >= reading.start_ms);
    let count = in_window.filter(|value| value.hash == hash).count();
    at_least(reading, count)
}

fn at_least(reading: &Reading, count: usize) -> Known {
    let low = i64::try_from(count).unwrap_or(i64::MAX);
    Known { low, high: if reading.is_watched { low } else { i64::MAX } }
}

pub(super) fn seen<'a>(reading: &Reading<'a>) -> Seen<'a> {
    let Kept::Values(values) = reading.kept else { return UNOBSERVED };
    let in_window = || values.iter().filter(|value| value.time_ms >= reading.start_ms);
    // Of equally frequent ones the one that came last.
    let mut top = (0, None);
    for value in in_window() {
        let count = in_window().filter(|other| other.hash == value.hash).count();
        if count >= top.0 {
            top = (count, Some(value.hash));
        }
    }
    match (reading.metric.kind(), top) {
        (kind::METRIC_TOP, (count, _)) => Seen::Known(at_least(reading, count)),
        (kind::METRIC_MOST_FREQUENT, (_, Some(hash))) if reading.is_watched => Seen::Hash(hash),
        (kind::METRIC_MOST_FREQUENT, (_, None)) if reading.is_watched => NOTHING,
        _ => UNOBSERVED,
    }
}
