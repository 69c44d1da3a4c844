//! The bits of a base64url text, read where it stands. Bits behind the end are none.

/// The bits of one segment, without padding.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bits<'a>(&'a [u8]);

impl<'a> Bits<'a> {
    /// The bits of a text; `None` where it has a character that base64url has not.
    #[inline(never)]
    pub(super) fn of(bytes: &'a [u8]) -> Option<Self> {
        bytes.iter().all(|byte| six(*byte).is_some()).then_some(Self(bytes))
    }

    /// The number in `width` bits (at most 32) from bit `at` on.
    #[inline(never)]
    pub(super) fn number(self, at: usize, width: usize) -> Option<u32> {
        (at..at.checked_add(width)?).try_fold(0u32, |sum, at| Some((sum << 1) | u32::from(self.bit(at)?)))
    }

    /// The bit at `at`.
    pub(super) fn bit(self, at: usize) -> Option<bool> {
        let value = six(*self.0.get(at / 6)?)?;
        Some(value & (32 >> (at % 6)) != 0)
    }

    /// The bit at `at`; one that is not there is not set.
    pub(super) fn is_set(self, at: usize) -> bool {
        self.bit(at) == Some(true)
    }
}

/// The six bits of a character.
fn six(character: u8) -> Option<u8> {
    let value = match character {
        b'A'..=b'Z' => character.wrapping_sub(b'A'),
        b'a'..=b'z' => character.wrapping_sub(b'a').wrapping_add(26),
        b'0'..=b'9' => character.wrapping_sub(b'0').wrapping_add(52),
        b'-' => 62,
        b'_' => 63,
        _ => return None,
    };
    Some(value)
}

/// The parts of a text between bytes that part them: at least one, which may be empty.
pub(super) fn parts(text: &[u8], by: u8) -> impl Iterator<Item = &[u8]> {
    text.split(move |byte| *byte == by)
}

/// Reads bits one after the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    bits: Bits<'a>,
    at: usize,
}

impl<'a> Reader<'a> {
    /// Reads `bits` from bit `at` on.
    pub(super) fn new(bits: Bits<'a>, at: usize) -> Self {
        Self { bits, at }
    }

    /// Where it stands.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The number in the next `width` bits.
    pub(super) fn number(&mut self, width: usize) -> Option<u32> {
        let number = self.bits.number(self.at, width)?;
        self.at = self.at.checked_add(width)?;
        Some(number)
    }

    /// The next bit.
    pub(super) fn bit(&mut self) -> Option<bool> {
        self.number(1).map(|bit| bit == 1)
    }

    /// Steps over `width` bits that are there.
    pub(super) fn skip(&mut self, width: usize) -> Option<()> {
        let last = self.at.checked_add(width)?;
        if width > 0 {
            self.bits.bit(last.checked_sub(1)?)?;
        }
        self.at = last;
        Some(())
    }

    /// The next number in Fibonacci code: sums of Fibonacci numbers, the smallest first, ended by two ones.
    pub(super) fn fibonacci(&mut self) -> Option<u32> {
        let (mut small, mut large, mut sum, mut was_set) = (1u32, 2u32, 0u32, false);
        loop {
            let is_set = self.bit()?;
            if is_set && was_set {
                return Some(sum);
            }
            if is_set {
                sum = sum.checked_add(small)?;
            }
            was_set = is_set;
            (small, large) = (large, small.checked_add(large)?);
        }
    }
}
