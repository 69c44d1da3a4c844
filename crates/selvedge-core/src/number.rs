//! Numbers: as they were sent, and as the rules read them. No float arithmetic: doubles are taken apart by their bits.

/// A number of an event, exactly as it was sent; it stays so all the way to the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Number {
    /// An integer that fits 64 signed bits.
    Int(i64),
    /// An integer above `i64::MAX`.
    Uint(u64),
    /// The bits of an IEEE 754 double. Never NaN or infinite in an accepted event.
    Double(u64),
}

/// A number as rules read it: millionths, rounded to nearest even. What does not fit is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Micro(pub i64);

/// Millionths in one.
pub const MICRO: i64 = 1_000_000;

impl Micro {
    /// The number of `12`, `-0.5`, `1299.95`; `None` where the text is no number, has more than six decimals, or does not
    /// fit.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        const SCALES: [i64; 7] = [1_000_000, 100_000, 10_000, 1_000, 100, 10, 1];
        let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let (is_negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        if !is_digits(whole) || !is_digits(fraction) {
            return None;
        }
        let fraction = fraction.trim_end_matches('0');
        let scale = SCALES.get(fraction.len())?;
        let below = if fraction.is_empty() { 0 } else { fraction.parse::<i64>().ok()? };
        let magnitude =
            whole.parse::<i64>().ok()?.checked_mul(MICRO)?.checked_add(below.checked_mul(*scale)?)?;
        Some(Self(if is_negative { magnitude.checked_neg()? } else { magnitude }))
    }

    /// What so many are worth of which one is worth `rate` millionths: to the millionth, halves away from zero. `None`
    /// where it does not fit.
    #[must_use]
    pub fn at_rate(self, rate: i64) -> Option<Self> {
        let Self(micro) = self;
        let (whole, rest) = (micro.checked_div(MICRO)?, micro.checked_rem(MICRO)?);
        let half = MICRO.checked_div(2)?.checked_mul(micro.signum())?;
        let of_rest = rest.checked_mul(rate)?.checked_add(half)?.checked_div(MICRO)?;
        whole.checked_mul(rate)?.checked_add(of_rest).map(Self)
    }

    /// The number nearest to it.
    #[must_use]
    pub fn number(self) -> Number {
        let Self(micro) = self;
        let magnitude = u128::from(micro.unsigned_abs());
        if magnitude == 0 {
            return Number::Int(0);
        }
        // The quotient with two bits more than a double holds, and a last one for what is left over.
        let zeros = magnitude.leading_zeros().saturating_sub(1);
        let scaled = magnitude << zeros;
        let divisor = 1_000_000u128;
        let sticky = u128::from(scaled.checked_rem(divisor) != Some(0));
        let quotient = scaled.checked_div(divisor).unwrap_or(0) | sticky;
        let excess = (u128::BITS - MANTISSA_BITS - 1).saturating_sub(quotient.leading_zeros());
        let half = 1u128 << excess.saturating_sub(1);
        let mask = (1u128 << excess).saturating_sub(1);
        let mut mantissa = quotient >> excess;
        let left = quotient & mask;
        if left > half || left == half && mantissa & 1 == 1 {
            mantissa = mantissa.saturating_add(1);
        }
        // Rounding up to the next power of two carries into the exponent, as it shall.
        let exponent =
            EXPONENT_OF_ONE.saturating_add(MANTISSA_BITS).saturating_add(excess).saturating_sub(zeros);
        let mantissa = u64::try_from(mantissa).unwrap_or(0);
        let bits = (u64::from(exponent.saturating_sub(1)) << MANTISSA_BITS).saturating_add(mantissa);
        Number::Double(bits | u64::from(micro < 0) << 63)
    }
}

const MANTISSA_BITS: u32 = 52;
const EXPONENT_MASK: u64 = 0x7ff;
/// The exponent of NaN and the infinities, as a double holds it.
const EXPONENT_OF_INFINITE: u32 = 0x7ff;
/// The exponent of numbers from 1 to below 2, as a double holds it.
const EXPONENT_OF_ONE: u32 = 1_023;

impl Number {
    /// The number in millionths; `None` where it does not fit or is not finite.
    #[must_use]
    pub fn micro(self) -> Option<Micro> {
        match self {
            Self::Int(int) => int.checked_mul(MICRO).map(Micro),
            Self::Uint(_) => None,
            Self::Double(bits) => double_to_micro(bits).map(Micro),
        }
    }

    /// Whether the number is neither NaN nor infinite.
    #[must_use]
    pub const fn is_finite(self) -> bool {
        match self {
            Self::Int(_) | Self::Uint(_) => true,
            Self::Double(bits) => (bits >> MANTISSA_BITS) & EXPONENT_MASK != EXPONENT_MASK,
        }
    }

    /// Whether the number is finite and has no fraction: `3` and `3.0` are whole, `3.5` is not.
    #[must_use]
    pub const fn is_whole(self) -> bool {
        let Self::Double(bits) = self else {
            return true;
        };
        match ((bits >> MANTISSA_BITS) & EXPONENT_MASK) as u32 {
            EXPONENT_OF_INFINITE => false,
            0..EXPONENT_OF_ONE => bits << 1 == 0,
            exponent => {
                match (bits << (64 - MANTISSA_BITS)).checked_shl(exponent.saturating_sub(EXPONENT_OF_ONE)) {
                    Some(fraction) => fraction == 0,
                    None => true,
                }
            }
        }
    }
}

/// A finite double is `mantissa * 2^shift`; multiply by a million in 128 bits, then shift with round-half-even.
fn double_to_micro(bits: u64) -> Option<i64> {
    let exponent = (bits >> MANTISSA_BITS) & EXPONENT_MASK;
    if exponent == EXPONENT_MASK {
        return None;
    }
    let fraction = bits & ((1 << MANTISSA_BITS) - 1);
    let (mantissa, biased) = match exponent {
        0 => (fraction, 1),
        _ => (fraction | (1 << MANTISSA_BITS), exponent),
    };
    let shift = i32::try_from(biased).ok()?.checked_sub(1_075)?;
    let scaled = u128::from(mantissa).checked_mul(1_000_000)?;
    let magnitude = if shift >= 0 {
        let shift = u32::try_from(shift).ok()?;
        if shift >= scaled.leading_zeros() && scaled != 0 {
            return None;
        }
        scaled.checked_shl(shift)?
    } else {
        shift_right_half_even(scaled, shift.unsigned_abs())
    };
    let magnitude = i64::try_from(magnitude).ok()?;
    if bits >> 63 == 1 { magnitude.checked_neg() } else { Some(magnitude) }
}

fn shift_right_half_even(value: u128, shift: u32) -> u128 {
    let Some(whole) = value.checked_shr(shift) else {
        return 0;
    };
    let rest = value ^ (whole << shift);
    let half = 1u128 << (shift.saturating_sub(1));
    let round_up = rest > half || (rest == half && whole & 1 == 1);
    whole.saturating_add(u128::from(round_up))
}

#[cfg(test)]
mod tests {
    use super::{Micro, Number};

    fn double(value: f64) -> Option<i64> {
        Number::Double(value.to_bits()).micro().map(|Micro(micro)| micro)
    }

    #[test]
    fn doubles_become_millionths_rounded_to_nearest_even() {
        assert_eq!(double(0.0), Some(0));
        assert_eq!(double(-0.0), Some(0));
        assert_eq!(double(1.5), Some(1_500_000));
        assert_eq!(double(-129.95), Some(-129_950_000));
        assert_eq!(double(0.000_000_5), Some(0));
        assert_eq!(double(0.000_001_5), Some(2));
        assert_eq!(double(52.520_006_6), Some(52_520_007));
        assert_eq!(double(5e-324), Some(0));
        assert_eq!(double(9_223_372_036_854.0), Some(9_223_372_036_854_000_000));
    }

    #[test]
    fn an_amount_at_a_rate_is_rounded_to_the_millionth_halves_away_from_zero() {
        let at = |micro, rate| Micro(micro).at_rate(rate).map(|Micro(micro)| micro);
        assert_eq!(at(60_000_000, 920_000), Some(55_200_000));
        assert_eq!(at(1, 500_000), Some(1));
        assert_eq!(at(-1, 500_000), Some(-1));
        assert_eq!(at(1, 499_999), Some(0));
        assert_eq!(at(12_345_678, 6_123), Some(75_593));
        assert_eq!(at(-12_345_678, 6_123), Some(-75_593));
        assert_eq!(at(i64::MAX, 1_000_000), Some(i64::MAX));
        assert_eq!(at(i64::MAX, 1_000_001), None);
    }

    #[test]
    fn millionths_become_the_nearest_double() {
        let near = |micro: i64| {
            let Number::Double(bits) = Micro(micro).number() else { return 0.0 };
            f64::from_bits(bits)
        };
        // Below 2^53 both are doubles, and so is their quotient the nearest one.
        for micro in [1, -1, 10, 129_950_000, -500_000, 333_333, 999_999, 1_000_001, (1 << 53) - 1, 7_000_003]
        {
            #[expect(clippy::cast_precision_loss, reason = "it is exact below 2^53")]
            let expected = micro as f64 / 1e6;
            assert_eq!(near(micro).to_bits(), expected.to_bits(), "{micro}");
        }
        for micro in (0..5_000i64).map(|at| at * 1_234_567_891 % ((1 << 53) - 1) + 1) {
            #[expect(clippy::cast_precision_loss, reason = "it is exact below 2^53")]
            let expected = micro as f64 / 1e6;
            assert_eq!(near(micro).to_bits(), expected.to_bits(), "{micro}");
        }
        assert_eq!(Micro(0).number(), Number::Int(0));
    }

    #[test]
    fn a_number_without_fraction_is_whole() {
        for whole in [0.0, -0.0, 1.0, -3.0, 4_503_599_627_370_497.0, 1e300] {
            assert!(Number::Double(f64::to_bits(whole)).is_whole(), "{whole}");
        }
        for other in [0.5, -1.5, 5e-324, 4_503_599_627_370_495.5, f64::NAN, f64::INFINITY] {
            assert!(!Number::Double(f64::to_bits(other)).is_whole(), "{other}");
        }
        assert!(Number::Int(-1).is_whole() && Number::Uint(u64::MAX).is_whole());
    }

    #[test]
    fn what_does_not_fit_is_unknown() {
        assert_eq!(double(1e13), None);
        assert_eq!(double(1e300), None);
        assert_eq!(double(f64::NAN), None);
        assert_eq!(double(f64::NEG_INFINITY), None);
        assert_eq!(Number::Uint(u64::MAX).micro(), None);
        assert_eq!(Number::Int(i64::MAX).micro(), None);
        assert_eq!(Number::Int(-7).micro(), Some(Micro(-7_000_000)));
    }
}
