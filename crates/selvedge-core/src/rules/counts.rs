//! Counting: times in sliding windows, and counts in a page view.

use crate::wire::state::PageView;
use alloc::vec::Vec;

/// The first millisecond of a sliding window that ends with now.
pub(super) fn window_start_ms(now_ms: i64, window_ms: u64) -> i64 {
    now_ms.wrapping_sub(window_ms.cast_signed()).wrapping_add(1)
}

/// How many of the times lie at or after `start_ms`.
pub(super) fn count_from(times_ms: &[i64], start_ms: i64) -> u16 {
    times_ms.iter().fold(0, |count, time_ms| u16::from(*time_ms >= start_ms).saturating_add(count))
}

/// How often something was counted in a page view.
pub(super) fn count_of(page: &PageView, hash: u64) -> u16 {
    page.counts.iter().find(|(known, _)| *known == hash).map_or(0, |(_, count)| *count)
}

/// Counts once in a page view.
pub(super) fn count_in_page(page: &mut PageView, hash: u64) {
    match page.counts.iter_mut().find(|(known, _)| *known == hash) {
        Some((_, count)) => *count = count.saturating_add(1),
        None => page.counts.push((hash, 1)),
    }
}

/// Puts a time in its order; the oldest goes where there are more than `kept_max`, and comes back.
pub(super) fn insert(times_ms: &mut Vec<i64>, time_ms: i64, kept_max: usize) -> Option<i64> {
    let after = times_ms.iter().rev().take_while(|known_ms| **known_ms > time_ms).count();
    times_ms.insert(times_ms.len().saturating_sub(after), time_ms);
    (times_ms.len() > kept_max).then(|| times_ms.remove(0))
}
