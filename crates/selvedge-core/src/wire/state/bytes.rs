//! How many bytes what a metric keeps takes at most.

use super::tags::SHORT_NAME_BYTES;
use crate::hash::SHORT_NAME_REST;
use crate::limits::{PANES_MAX, STATE_TEXT_BYTES_MAX};
use crate::wire::program::{AttributeType, Metric, MetricKind, Window};

/// A time, as its distance from birth: 48 bits and the sign.
const TIME_BYTES: usize = 8;
const HASH_BYTES: usize = 8;
/// A length of at most 127.
const LENGTH_BYTES: usize = 1;
const COUNT_U16_BYTES: usize = 3;
const COUNT_U32_BYTES: usize = 5;
const NUMBER_BYTES: usize = 10;

/// Bytes of a metric's cell in the visitor's state, at most.
pub(crate) fn cell_bytes_max(metric: &Metric) -> usize {
    let head = name_bytes(metric.meaning).saturating_add(1 + TIME_BYTES);
    let kept = if metric.window == Window::Page { COUNT_U16_BYTES } else { kept_bytes_max(metric) };
    head.saturating_add(kept)
}

/// Bytes of what a metric keeps in each page view, at most; 0 where its window is none of a page.
pub(crate) fn page_cell_bytes_max(metric: &Metric) -> usize {
    match (metric.window, metric.kind) {
        (Window::Page, MetricKind::Count) => name_bytes(metric.meaning).saturating_add(COUNT_U16_BYTES),
        (Window::Page, MetricKind::Top | MetricKind::Same) => {
            // How many values were dropped is counted besides.
            let names = name_bytes(metric.meaning).saturating_mul(2).saturating_add(COUNT_U16_BYTES);
            names.saturating_add(1).saturating_add(kept_bytes_max(metric))
        }
        (Window::Page, _) => {
            name_bytes(metric.meaning).saturating_add(1).saturating_add(kept_bytes_max(metric))
        }
        _ => 0,
    }
}

/// Bytes of a name.
pub(crate) const fn name_bytes(name: u64) -> usize {
    if name & SHORT_NAME_REST == 0 { SHORT_NAME_BYTES } else { HASH_BYTES }
}

fn kept_bytes_max(metric: &Metric) -> usize {
    match metric.kind {
        MetricKind::Count => count_bytes_max(metric),
        MetricKind::First | MetricKind::Last => LENGTH_BYTES.saturating_add(value_bytes_max(metric.detail)),
        MetricKind::Previous => LENGTH_BYTES.saturating_add(value_bytes_max(metric.detail).saturating_mul(2)),
        MetricKind::Since => LENGTH_BYTES + TIME_BYTES + 1,
        MetricKind::MostFrequent | MetricKind::Top | MetricKind::Same => values_bytes_max(metric.detail),
        MetricKind::Distinct => (1 + TIME_BYTES).saturating_add(values_bytes_max(metric.detail)),
        MetricKind::Tally => panes_bytes_max(metric.window, COUNT_U32_BYTES + 1),
        MetricKind::Sum | MetricKind::Min | MetricKind::Max => {
            panes_bytes_max(metric.window, 1 + NUMBER_BYTES)
        }
        MetricKind::Score => TIME_BYTES + NUMBER_BYTES,
        MetricKind::Average => panes_bytes_max(metric.window, COUNT_U32_BYTES + NUMBER_BYTES),
    }
}

/// A time and a value of a type, by its number.
fn value_bytes_max(value_type: u16) -> usize {
    let is_text = value_type == AttributeType::Text as u16;
    TIME_BYTES.saturating_add(if is_text { 2 + STATE_TEXT_BYTES_MAX } else { 1 + NUMBER_BYTES })
}

fn values_bytes_max(count: u16) -> usize {
    2usize.saturating_add(usize::from(count).saturating_mul(HASH_BYTES + TIME_BYTES))
}

fn count_bytes_max(metric: &Metric) -> usize {
    match metric.window {
        Window::Sliding(window_ms) => {
            let further = usize::from(metric.threshold).saturating_sub(1);
            (LENGTH_BYTES + TIME_BYTES).saturating_add(further.saturating_mul(varint_bytes(window_ms)))
        }
        _ => COUNT_U16_BYTES,
    }
}

/// Panes that bring so many bytes each, besides their start.
fn panes_bytes_max(window: Window, pane_bytes: usize) -> usize {
    let one = (LENGTH_BYTES + TIME_BYTES).saturating_add(pane_bytes);
    match window {
        Window::Sliding(window_ms) => {
            let further = varint_bytes(window_ms.saturating_mul(2)).saturating_add(pane_bytes);
            one.saturating_add(further.saturating_mul(PANES_MAX - 1))
        }
        _ => one,
    }
}

/// Bytes of a varint of this value.
fn varint_bytes(value: u64) -> usize {
    let bits = u64::BITS.saturating_sub(value.leading_zeros()).max(1);
    usize::try_from(bits.div_ceil(7)).unwrap_or(10)
}
