//! How many different values: exact as long as all of them are kept, one hash each. Where there are more than may be kept,
//! only a sample is: the values whose mixed hash ends with so many zero bits, one bit more each time that there is no room
//! (Wegman's adaptive sampling). Then each kept value stands for 2 to the power of those bits.

use super::values::{drop_old, hash_of};
use super::{Occurrence, Reading};
use crate::rules::known::Known;
use crate::wire::program::{Image, MetricRow};
use crate::wire::state::{Distinct, Kept, ValueAt};

pub(super) fn take(metric: MetricRow, kept: &mut Kept, event: &mut Occurrence) {
    let Kept::Distinct(distinct) = kept else { return };
    if !event.is(metric.event(), metric.filter()) {
        return;
    }
    if let Some(hash) = hash_of(metric, event) {
        put(event.image, metric, distinct, ValueAt { time_ms: event.time_ms, hash });
    }
}

fn put(image: &Image, metric: MetricRow, distinct: &mut Distinct, value: ValueAt) {
    if !is_sampled(distinct.zeros, value.hash) {
        distinct.left_out_ms = distinct.left_out_ms.max(value.time_ms);
        return;
    }
    let at = distinct.values.partition_point(|known| known.hash < value.hash);
    match distinct.values.get_mut(at).filter(|known| known.hash == value.hash) {
        Some(known) => known.time_ms = known.time_ms.max(value.time_ms),
        None => distinct.values.insert(at, value),
    }
    drop_old(image, metric, &mut distinct.values);
    while distinct.values.len() > usize::from(metric.detail()) && distinct.zeros < ZEROS_MAX {
        distinct.zeros = distinct.zeros.saturating_add(1);
        let zeros = distinct.zeros;
        let mut left_out_ms = distinct.left_out_ms;
        distinct.values.retain(|value| {
            let is_kept = is_sampled(zeros, value.hash);
            left_out_ms = if is_kept { left_out_ms } else { left_out_ms.max(value.time_ms) };
            is_kept
        });
        distinct.left_out_ms = left_out_ms;
    }
}

/// A sample is never thinner than this.
const ZEROS_MAX: u8 = 48;

fn is_sampled(zeros: u8, hash: u64) -> bool {
    // The last bits of FNV depend on the last bits of its text only: mixed, all bits depend on all (MurmurHash3's end).
    let mixed = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let mixed = (mixed ^ (mixed >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    (mixed ^ (mixed >> 33)).trailing_zeros() >= zeros.into()
}

/// Exact where nothing in the window was left out; else what the sample stands for. Not watched whole, at least the values
/// that are kept.
pub(super) fn known(reading: &Reading) -> Known {
    let Kept::Distinct(distinct) = reading.kept else { return Known { low: 0, high: i64::MAX } };
    let in_window = distinct.values.iter().filter(|value| value.time_ms >= reading.start_ms);
    let count = i64::try_from(in_window.count()).unwrap_or(i64::MAX);
    let zeros = if distinct.left_out_ms < reading.start_ms { 0 } else { distinct.zeros };
    if reading.is_watched {
        Known::exact(count.saturating_mul(1 << zeros.min(ZEROS_MAX)))
    } else {
        Known { low: count, high: i64::MAX }
    }
}
