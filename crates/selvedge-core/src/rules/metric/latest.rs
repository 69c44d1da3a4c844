//! What the first, the newest or the one before the newest event brought, and how long ago the newest was.

use super::amount::exact_start_ms;
use super::{Occurrence, Reading};
use crate::rules::facts::{NOTHING, Seen, UNOBSERVED, property, see_stored};
use crate::rules::kept::stored;
use crate::rules::known::Known;
use crate::wire::program::{MetricRow, kind};
use crate::wire::state::{Kept, Stored};

/// How many events are remembered.
fn kept_max(metric: MetricRow) -> usize {
    match metric.kind() {
        kind::METRIC_PREVIOUS => 2,
        _ => 1,
    }
}

pub(super) fn take(metric: MetricRow, kept: &mut Kept, event: &mut Occurrence) {
    let Kept::Latest(values) = kept else { return };
    if !event.is(metric.event(), metric.filter()) {
        return;
    }
    let value = match metric.kind() {
        kind::METRIC_SINCE => Stored::Missing,
        _ => {
            let found = property(&event.event.properties, event.image.str(metric.property()));
            let value_type = u8::try_from(metric.detail()).unwrap_or(u8::MAX);
            match stored(value_type, found) {
                // An event without the property does not take part.
                Stored::Missing => return,
                value => value,
            }
        }
    };
    if metric.kind() == kind::METRIC_FIRST {
        let newest_ms = values.last().map_or(event.time_ms, |(known_ms, _)| event.time_ms.max(*known_ms));
        let start_ms = exact_start_ms(event.image, metric, newest_ms);
        values.retain(|(known_ms, _)| *known_ms >= start_ms);
        if event.time_ms < start_ms {
            return;
        }
    }
    let at = values.partition_point(|(known_ms, _)| *known_ms <= event.time_ms);
    values.insert(at, (event.time_ms, value));
    if values.len() > kept_max(metric) {
        match metric.kind() {
            kind::METRIC_FIRST => values.truncate(kept_max(metric)),
            _ => drop(values.remove(0)),
        }
    }
}

/// The value is known where nothing that would be in its place went unobserved.
pub(super) fn seen<'a>(reading: &Reading<'a>) -> Seen<'a> {
    let Kept::Latest(values) = reading.kept else { return UNOBSERVED };
    let mut values = values.iter().filter(|(time_ms, _)| *time_ms >= reading.start_ms);
    let needed = kept_max(reading.metric);
    let Some((time_ms, value)) = values.next().filter(|_| values.count().saturating_add(1) == needed) else {
        return if reading.is_watched { NOTHING } else { UNOBSERVED };
    };
    let is_sure = match reading.metric.kind() {
        kind::METRIC_FIRST => reading.is_watched,
        // The first batch of a visitor may tell of what was before it was sent, and so before the birth.
        _ => reading.is_watched || reading.since_ms <= *time_ms,
    };
    match reading.metric.kind() {
        kind::METRIC_SINCE => {
            let age_ms = reading.now_ms.wrapping_sub(*time_ms);
            Seen::Known(Known { low: if is_sure { age_ms } else { 0 }, high: age_ms })
        }
        _ if is_sure => see_stored(value),
        _ => UNOBSERVED,
    }
}
