//! Whether the visitors of an experiment fell into its variants as its shares say. Where they did not, something sends some of
//! them elsewhere (a redirect, a crash, a filter), and what the experiment shows is worth nothing.
//!
//! Units are counted, each at its first exposure, not exposures: who is shown more is no sign.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use selvedge_core::hash::fnv1a_64;
use selvedge_core::wire::program::Experiment;

/// Units that a variant must be expected to have before its share says anything.
const EXPECTED_MIN: u128 = 5;
/// Chi-square at which the shares are met less than once in a thousand experiments, in thousandths, by degrees of freedom
/// from 1.
const CRITICAL_MILLI: [u64; 15] = [
    10_828, 13_816, 16_266, 18_467, 20_515, 22_458, 24_322, 26_124, 27_877, 29_588, 31_264, 32_909, 34_528,
    36_123, 37_697,
];

/// An experiment's units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The experiment's name.
    pub experiment: String,
    /// Its variants, each with its share of [`selvedge_core::limits::BUCKETS`] and its units.
    pub variants: Vec<(String, u64, u64)>,
    /// Chi-square of the units against the shares, in thousandths; `None` where there are too few.
    pub chi_square_milli: Option<u64>,
    /// Whether such units come of these shares less than once in a thousand experiments.
    pub is_suspect: bool,
}

impl Sample {
    /// The experiment, by the units that `units` counts under a [`unit_name`].
    #[must_use]
    pub fn of(experiment: &Experiment, units: &dyn Fn(&str) -> u64) -> Self {
        let count = |name: &str| units(&unit_name(experiment, name));
        let named = experiment.variants.iter().zip(shares(experiment));
        let variants: Vec<(String, u64, u64)> =
            named.map(|(variant, share)| (variant.name.clone(), share, count(&variant.name))).collect();
        let drawn: Vec<(u64, u64)> = variants
            .iter()
            .filter(|(_, share, _)| *share > 0)
            .map(|(_, share, units)| (*share, *units))
            .collect();
        let chi_square_milli = chi_square_milli(&drawn);
        let critical = drawn.len().checked_sub(2).and_then(|at| CRITICAL_MILLI.get(at));
        let is_suspect = chi_square_milli.zip(critical).is_some_and(|(found, critical)| found > *critical);
        Self { experiment: experiment.name.clone(), variants, chi_square_milli, is_suspect }
    }
}

/// What units of a variant are counted under. With other shares the count begins anew: who was drawn before stays where it
/// is.
#[must_use]
pub fn unit_name(experiment: &Experiment, variant: &str) -> String {
    let ends: Vec<u8> = experiment.variants.iter().flat_map(|known| known.end.to_le_bytes()).collect();
    format!("{}/{variant}/{:016x}", experiment.name, fnv1a_64(&ends))
}

/// The share of each variant, in buckets.
fn shares(experiment: &Experiment) -> Vec<u64> {
    let mut before = 0;
    let share = |end: u16| {
        let share = end.saturating_sub(before);
        before = end;
        u64::from(share)
    };
    experiment.variants.iter().map(|variant| variant.end).map(share).collect()
}

/// Chi-square of what was found against shares: the sum of (found - expected)² / expected, where a share's part of all is
/// expected. Exact in whole numbers, down to thousandths.
fn chi_square_milli(drawn: &[(u64, u64)]) -> Option<u64> {
    let sum = |of: fn(&(u64, u64)) -> u64| -> u128 { drawn.iter().map(|pair| u128::from(of(pair))).sum() };
    let (shares, units) = (sum(|pair| pair.0), sum(|pair| pair.1));
    let mut milli: u128 = 0;
    for (share, found) in drawn {
        // Both times the sum of the shares, so that the expected is whole.
        let expected = units.checked_mul((*share).into())?;
        if expected < EXPECTED_MIN.checked_mul(shares)? {
            return None;
        }
        let off = u128::from(*found).checked_mul(shares)?.abs_diff(expected);
        let squared = off.checked_mul(off)?.checked_mul(1_000)?;
        milli = milli.checked_add(squared.checked_div(expected.checked_mul(shares)?)?)?;
    }
    if drawn.len() < 2 { None } else { u64::try_from(milli).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use selvedge_core::wire::program::{Unit, Variant};

    fn experiment(ends: &[u16]) -> Experiment {
        let variant = |(at, end): (usize, &u16)| Variant { name: format!("v{at}"), end: *end };
        Experiment {
            name: "cart".into(),
            salt: "cart".into(),
            unit: Unit::Visitor,
            traffic_salt: "cart".into(),
            traffic: (0, 10_000),
            variants: ends.iter().enumerate().map(variant).collect(),
        }
    }

    fn sample(ends: &[u16], units: &[u64]) -> Sample {
        let experiment = experiment(ends);
        let name = |at: usize| unit_name(&experiment, &format!("v{at}"));
        let count = |named: &str| (0..units.len()).find(|at| name(*at) == named).map_or(0, |at| units[at]);
        Sample::of(&experiment, &count)
    }

    #[test]
    fn chi_square_is_that_of_the_books() {
        // 110 and 90 of 100 each: 1 + 1; 60, 40, 100 of 50, 50, 100: 2 + 2 + 0.
        assert_eq!(sample(&[5_000, 10_000], &[110, 90]).chi_square_milli, Some(2_000));
        assert_eq!(sample(&[2_500, 5_000, 10_000], &[60, 40, 100]).chi_square_milli, Some(4_000));
    }

    #[test]
    fn only_what_comes_less_than_once_in_a_thousand_is_suspect() {
        // The border for two equal shares of 1,000 units is a distance of sqrt(10.828 * 250) = 52.03 units.
        assert!(!sample(&[5_000, 10_000], &[552, 448]).is_suspect);
        assert!(sample(&[5_000, 10_000], &[553, 447]).is_suspect);
        assert!(sample(&[1_000, 5_500, 10_000], &[500, 300, 300]).is_suspect);
    }

    #[test]
    fn too_few_units_say_nothing() {
        let few = sample(&[1_000, 10_000], &[4, 41]);
        assert_eq!((few.chi_square_milli, few.is_suspect), (None, false));
        assert!(sample(&[1_000, 10_000], &[5, 45]).chi_square_milli.is_some());
        assert_eq!(sample(&[5_000, 10_000], &[]).chi_square_milli, None);
    }

    #[test]
    fn a_variant_without_a_share_is_left_out() {
        assert_eq!(sample(&[0, 5_000, 10_000], &[7, 110, 90]).chi_square_milli, Some(2_000));
    }

    #[test]
    fn other_shares_count_anew() {
        assert_ne!(
            unit_name(&experiment(&[5_000, 10_000]), "v0"),
            unit_name(&experiment(&[2_000, 10_000]), "v0")
        );
    }
}
