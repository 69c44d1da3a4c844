//! Scores: points that events add and that fade by half in every half-life. Worked out in whole numbers, so that the page
//! and the edge agree to the last digit; a score never rises while nothing adds to it.

use super::{Occurrence, Reading, edges};
use crate::rules::known::Known;
use crate::wire::program::MetricRow;
use crate::wire::state::{Faded, Kept};

/// `2^-(2^-n)` for n = 1 to 16, as 32-bit fractions: what is left behind a half, a quarter, ... of a half-life.
const LEFT: [u64; 16] = [
    3_037_000_499,
    3_611_622_602,
    3_938_502_375,
    4_112_874_773,
    4_202_935_003,
    4_248_701_964,
    4_271_771_996,
    4_283_353_945,
    4_289_156_690,
    4_292_061_009,
    4_293_513_906,
    4_294_240_539,
    4_294_603_902,
    4_294_785_595,
    4_294_876_444,
    4_294_921_870,
];
const ONE: u64 = 1 << 32;
/// How far two scores may drift apart by rounding: a thousandth.
const ROUNDING: i64 = 1_000;

pub(super) fn take(metric: MetricRow, kept: &mut Kept, event: &mut Occurrence) {
    let Kept::Score(faded) = kept else { return };
    let score = event.image.score(metric.detail());
    let mut added: Option<i64> = None;
    for points in event.image.points(score) {
        if event.is(points.event(), points.filter()) {
            added = Some(added.unwrap_or(0).saturating_add(points.micro()));
        }
    }
    let Some(added) = added else { return };
    let half_life_ms = score.half_life_ms();
    // An event from before the newest has faded since then.
    let time_ms = if faded.value == 0 { event.time_ms } else { event.time_ms.max(faded.time_ms) };
    let value = fade(faded.value, time_ms.wrapping_sub(faded.time_ms), half_life_ms);
    let added = fade(added, time_ms.wrapping_sub(event.time_ms), half_life_ms);
    let value = value.saturating_add(added).max(score.min()).min(score.max());
    *faded = Faded { time_ms, value };
}

/// A score is known where all was observed. Where it was not, what it was before fades too: it lies at most as far from what
/// was seen as its borders lay apart, faded; and not below where nothing takes points away.
pub(super) fn known(reading: &Reading) -> Known {
    let Kept::Score(faded) = reading.kept else { return Known::UNOBSERVED };
    let score = reading.image.score(reading.metric.detail());
    let half_life_ms = score.half_life_ms();
    let value = fade(faded.value, reading.now_ms.wrapping_sub(faded.time_ms), half_life_ms);
    if reading.is_watched {
        return Known::exact(value);
    }
    let watched_ms = reading.now_ms.saturating_sub(reading.since_ms);
    let apart =
        fade(score.max().saturating_sub(score.min()), watched_ms, half_life_ms).saturating_add(ROUNDING);
    let may_fall = reading.image.points(score).any(|points| points.micro() < 0);
    let low = if may_fall { value.saturating_sub(apart) } else { value };
    Known { low: low.max(score.min()), high: value.saturating_add(apart).min(score.max()) }
}

/// How long it takes until a score, if nothing adds to it, fades into the range and out of it again; `None` where it is not
/// known exactly, or is past that, or never comes that far.
#[inline(never)]
pub(in crate::rules) fn fades_in_ms(reading: &Reading, low: i64, high: i64) -> [Option<i64>; 2] {
    let Kept::Score(faded) = reading.kept else { return [None; 2] };
    let score = reading.image.score(reading.metric.detail());
    let passed_ms = reading.now_ms.wrapping_sub(faded.time_ms).max(0);
    let is_rising = faded.value < 0;
    edges(low, high, is_rising).map(|edge| {
        let is_past = |after_ms: i64| {
            let left = fade(faded.value, passed_ms.saturating_add(after_ms), score.half_life_ms());
            if is_rising { left >= edge } else { left <= edge }
        };
        if reading.is_watched { first(is_past, score.half_life_ms()) } else { None }
    })
}

/// The first millisecond for which it is so: from there on it stays so, as a score only fades. Behind 64 half-lives nothing
/// is left of any.
fn first(is_past: impl Fn(i64) -> bool, half_life_ms: u64) -> Option<i64> {
    let (mut low, mut high) = (0, half_life_ms.cast_signed().saturating_mul(64));
    if is_past(low) || !is_past(high) {
        return None;
    }
    while high.wrapping_sub(low) > 1 {
        let middle = low.midpoint(high);
        if is_past(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    Some(high)
}

/// What is left of `value` after so long; rounded towards 0.
fn fade(value: i64, after_ms: i64, half_life_ms: u64) -> i64 {
    let after_ms = after_ms.max(0).unsigned_abs();
    let halvings = u32::try_from(after_ms.checked_div(half_life_ms).unwrap_or(0)).unwrap_or(u32::MAX);
    let rest_ms = after_ms.checked_rem(half_life_ms).unwrap_or(0);
    let part = rest_ms.wrapping_shl(16).checked_div(half_life_ms).unwrap_or(0);
    let mut left = ONE;
    for (at, factor) in (1..=16u32).zip(LEFT) {
        if part.wrapping_shr(16u32.wrapping_sub(at)) & 1 == 1 {
            left = left.wrapping_mul(factor) >> 32;
        }
    }
    let magnitude = value.unsigned_abs();
    // In two halves: neither product leaves 64 bits, as scores stay far below 2^62.
    let whole = (magnitude >> 32).wrapping_mul(left);
    let faded = whole.wrapping_add(((magnitude & (ONE - 1)).wrapping_mul(left)) >> 32);
    let faded = faded.checked_shr(halvings).unwrap_or(0).cast_signed();
    if value < 0 { faded.wrapping_neg() } else { faded }
}

#[cfg(test)]
mod tests {
    use super::fade;
    use proptest::prelude::*;

    #[test]
    fn half_is_left_after_every_half_life() {
        for (after_ms, left) in
            [(0, 1_024), (1_800_000, 512), (3_600_000, 256), (18_000_000, 1), (19_800_000, 0)]
        {
            assert_eq!(fade(1_024, after_ms, 1_800_000), left);
            assert_eq!(fade(-1_024, after_ms, 1_800_000), -left);
        }
        assert_eq!(fade(100_000_000, i64::MAX, 1), 0);
        assert_eq!(fade(100_000_000, -5, 1_000), 100_000_000);
    }

    #[test]
    fn what_is_left_never_rises_within_a_half_life() {
        let mut before = 1 << 40;
        for after_ms in 0..=65_536 {
            let left = fade(1 << 40, after_ms, 65_536);
            assert!(left < before || after_ms == 0, "{after_ms}: {left}");
            before = left;
        }
    }

    proptest! {
        #[test]
        fn fading_is_what_a_power_of_two_says(value in 0..1_000_000_000_000i64, after_ms in 0..400_000_000i64, half_life_ms in 1_000..31_622_400_000u64) {
            let exact = value as f64 * (-(after_ms as f64) / half_life_ms as f64).exp2();
            let found = fade(value, after_ms, half_life_ms) as f64;
            prop_assert!((found - exact).abs() <= 2.0 + exact * 0.000_02, "{} {}", found, exact);
        }

        #[test]
        fn more_stays_more_and_later_is_less(value in 0..1_000_000_000_000i64, more in 0..1_000_000i64, after_ms in 0..400_000_000i64, later in 0..1_000_000i64, half_life_ms in 1_000..31_622_400_000u64) {
            let left = fade(value, after_ms, half_life_ms);
            prop_assert!(fade(value + more, after_ms, half_life_ms) >= left);
            prop_assert!(fade(value, after_ms + later, half_life_ms) <= left);
        }
    }
}
