//! What is known of a fact, and whether a condition is true for all that it may be. Conditions are jump code: each
//! instruction tests one fact and goes on, forward, to one of two places.

use crate::number::MICRO;
use crate::wire::program::{ACCEPT, Code, Image, LeafRow, kind, op_of};

/// What is known of a fact: its value lies between the two, both included. Numbers and money are in millionths, times in
/// Unix milliseconds, yes-or-no is 0 or 1; a text is 2 plus its place among the fact's texts, or 1 where it is none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// The least that it may be; `i64::MIN` where it may be missing.
    pub low: i64,
    /// The greatest that it may be.
    pub high: i64,
}

/// What stands for "no such thing" among the values of a fact: below everything that a test can ask for.
pub(super) const MISSING: i64 = i64::MIN;

impl Known {
    /// There is no value, and that is known.
    pub const MISSING: Self = Self { low: MISSING, high: MISSING };
    /// There may be any value, or none.
    pub const UNOBSERVED: Self = Self { low: MISSING, high: i64::MAX };

    /// The value is known.
    #[must_use]
    pub const fn exact(value: i64) -> Self {
        Self { low: value, high: value }
    }

    /// One number minus another; missing where one is, and unknown where one may be.
    pub(super) fn minus(self, other: Self) -> Self {
        if self.high == MISSING || other.high == MISSING {
            return Self::MISSING;
        }
        if self.low == MISSING || other.low == MISSING {
            return Self::UNOBSERVED;
        }
        let low = if other.high == i64::MAX { MISSING } else { self.low.saturating_sub(other.high) };
        let high = if self.high == i64::MAX { i64::MAX } else { self.high.saturating_sub(other.low) };
        Self { low: low.max(MISSING + 1), high: high.max(MISSING + 1) }
    }

    /// A whole count in millionths.
    pub(super) fn in_millionths(self) -> Self {
        let scaled = |end: i64| match end {
            MISSING | i64::MAX => end,
            whole => whole.saturating_mul(MICRO),
        };
        Self { low: scaled(self.low), high: scaled(self.high) }
    }

    /// A number of things, in millionths: known, or a lower bound.
    #[must_use]
    pub fn number(count: u32, is_exact: bool) -> Self {
        let low = i64::from(count).wrapping_mul(MICRO);
        Self { low, high: if is_exact { low } else { i64::MAX } }
    }
}

/// Whether the condition that begins at `at` is definitely true.
pub(super) fn is_true(image: &Image, code: Code, known: &[Known], at: u16) -> bool {
    is_true_of(image, code, at, |fact| known_at(known, fact))
}

/// Whether the condition that begins at `at` is definitely true of what `known` tells of each fact.
#[inline(always)]
pub(super) fn is_true_of(image: &Image, code: Code, mut at: u16, known: impl Fn(u16) -> Known) -> bool {
    // Jumps lead forward, and ACCEPT and REJECT lie beyond the code, so this ends.
    while let Some(op) = op_of(code, at) {
        at = op.next(at, passes(image, op.leaf, known(op.fact())));
    }
    at == ACCEPT
}

/// Whether a test is definitely true: it holds for every value that the fact may have.
#[inline(always)]
pub(super) fn passes(image: &Image, leaf: LeafRow, known: Known) -> bool {
    match leaf.test() {
        kind::TEST_RANGE => leaf.low() <= known.low && known.high <= leaf.high() && known.low != MISSING,
        kind::TEST_MISSING => known.high == MISSING,
        // The usual mask and an exact value; then the general case.
        kind::TEST_MASK if known.low == known.high => {
            (0..64).contains(&known.low) && (leaf.low() >> known.low) & 1 == 1
        }
        _ => has_bits(image, leaf, known),
    }
}

#[inline]
pub(super) fn known_at(known: &[Known], fact: u16) -> Known {
    known.get(usize::from(fact)).copied().unwrap_or(Known::UNOBSERVED)
}

/// Whether every bit of the range is set in the mask. It stops at the first that is not, at the latest behind the mask.
fn has_bits(image: &Image, leaf: LeafRow, known: Known) -> bool {
    let mut bit = known.low;
    while bit < known.high && has_bit(image, leaf, bit) {
        bit = bit.wrapping_add(1);
    }
    has_bit(image, leaf, bit)
}

pub(super) fn has_bit(image: &Image, leaf: LeafRow, bit: i64) -> bool {
    let narrow = leaf.low().to_le_bytes();
    let mask = match leaf.test() {
        kind::TEST_MASK => &narrow[..],
        _ => u16::try_from(leaf.low()).ok().and_then(|at| image.mask_words(at)).unwrap_or_default(),
    };
    let byte = usize::try_from(bit >> 3).ok().and_then(|at| mask.get(at)).copied().unwrap_or(0);
    (byte >> (bit & 7)) & 1 == 1
}
