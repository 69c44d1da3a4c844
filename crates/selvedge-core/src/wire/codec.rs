//! The primitives of the wire: bytes in, checked values out, and back. The format is postcard's: LEB128 varints,
//! zigzag for signed numbers, length before text and bytes, fixed arrays raw. No serde here: the page links this.

use alloc::vec::Vec;

/// Why bytes could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WireFault {
    /// The bytes end inside a value.
    #[error("the bytes end inside a value")]
    Truncated,
    /// A number, flag or tag is none of those allowed.
    #[error("a number, flag or tag is not one of those allowed")]
    Malformed,
    /// A text is not UTF-8.
    #[error("a text is not valid UTF-8")]
    BadText,
    /// A length or count above its bound.
    #[error("a length or count is above its limit")]
    TooLarge,
    /// Values nested above their bound.
    #[error("values are nested too deep")]
    TooDeep,
    /// A name is abbreviated by a dictionary that is not at hand, or lies outside of it.
    #[error("a name is abbreviated by a dictionary that is not known here")]
    UnknownName,
}

/// Reads values off the front of a byte slice. Never panics; allocates nothing.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A reader of all of `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What was not read yet.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// How many bytes were not read yet.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.rest.len()
    }

    /// Whether everything was read.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next `count` bytes.
    ///
    /// # Errors
    /// [`WireFault::Truncated`] where fewer are left.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], WireFault> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(WireFault::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    /// The next `N` bytes, as an array.
    ///
    /// # Errors
    /// [`WireFault::Truncated`] where fewer are left.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], WireFault> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(WireFault::Truncated)?;
        self.rest = rest;
        Ok(*taken)
    }

    /// One byte.
    ///
    /// # Errors
    /// [`WireFault::Truncated`] at the end.
    pub fn u8(&mut self) -> Result<u8, WireFault> {
        let (byte, rest) = self.rest.split_first().ok_or(WireFault::Truncated)?;
        self.rest = rest;
        Ok(*byte)
    }

    /// One byte that is 0 or 1: a flag, or whether an optional value follows.
    ///
    /// # Errors
    /// [`WireFault::Malformed`] for any other byte.
    pub fn flag(&mut self) -> Result<bool, WireFault> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(WireFault::Malformed),
        }
    }

    /// A varint of at most 64 bits.
    ///
    /// # Errors
    /// [`WireFault::Malformed`] above 64 bits, [`WireFault::Truncated`] at the end.
    pub fn varint_u64(&mut self) -> Result<u64, WireFault> {
        self.varint(u64::BITS)
    }

    /// A varint of at most 32 bits.
    ///
    /// # Errors
    /// As [`Self::varint_u64`].
    pub fn varint_u32(&mut self) -> Result<u32, WireFault> {
        u32::try_from(self.varint(u32::BITS)?).map_err(|_| WireFault::Malformed)
    }

    /// A varint of at most 16 bits.
    ///
    /// # Errors
    /// As [`Self::varint_u64`].
    pub fn varint_u16(&mut self) -> Result<u16, WireFault> {
        u16::try_from(self.varint(u16::BITS)?).map_err(|_| WireFault::Malformed)
    }

    /// A signed number, zigzag: 0, -1, 1, -2, ...
    ///
    /// # Errors
    /// As [`Self::varint_u64`].
    pub fn zigzag_i64(&mut self) -> Result<i64, WireFault> {
        let zigzag = self.varint_u64()?;
        Ok((zigzag >> 1).cast_signed() ^ (zigzag & 1).cast_signed().wrapping_neg())
    }

    /// Eight bytes, little-endian: the bits of a double.
    ///
    /// # Errors
    /// [`WireFault::Truncated`] where fewer are left.
    pub fn fixed_u64(&mut self) -> Result<u64, WireFault> {
        self.array().map(u64::from_le_bytes)
    }

    /// A length or count of things of which each takes at least one byte, so that it never exceeds what is left: what a
    /// caller may reserve is bounded by what was really sent.
    ///
    /// # Errors
    /// [`WireFault::Truncated`] where it promises more than what is left.
    pub fn count(&mut self) -> Result<usize, WireFault> {
        let count = usize::try_from(self.varint_u64()?).map_err(|_| WireFault::Truncated)?;
        if count > self.rest.len() { Err(WireFault::Truncated) } else { Ok(count) }
    }

    /// Bytes with their length before them.
    ///
    /// # Errors
    /// As [`Self::count`].
    pub fn bytes(&mut self) -> Result<&'a [u8], WireFault> {
        let count = self.count()?;
        self.take(count)
    }

    /// Text with its length in bytes before it.
    ///
    /// # Errors
    /// [`WireFault::BadText`] where it is not UTF-8; else as [`Self::count`].
    pub fn text(&mut self) -> Result<&'a str, WireFault> {
        core::str::from_utf8(self.bytes()?).map_err(|_| WireFault::BadText)
    }

    /// Text of at most `bytes_max` bytes.
    ///
    /// # Errors
    /// [`WireFault::TooLarge`] above that; else as [`Self::text`].
    pub fn text_max(&mut self, bytes_max: usize) -> Result<&'a str, WireFault> {
        let text = self.text()?;
        if text.len() > bytes_max { Err(WireFault::TooLarge) } else { Ok(text) }
    }

    /// The next section of a container: its tag and a reader of its content. `None` at the end.
    ///
    /// # Errors
    /// As [`Self::count`].
    pub fn section(&mut self) -> Result<Option<(u8, &'a [u8])>, WireFault> {
        if self.is_empty() {
            return Ok(None);
        }
        let tag = self.u8()?;
        Ok(Some((tag, self.bytes()?)))
    }

    /// Nothing, where everything was read.
    ///
    /// # Errors
    /// [`WireFault::Malformed`] where bytes are left over.
    pub const fn end(&self) -> Result<(), WireFault> {
        if self.is_empty() { Ok(()) } else { Err(WireFault::Malformed) }
    }

    /// LEB128 of at most `bits` bits, in as many bytes as that needs at most (a shorter number may be padded).
    fn varint(&mut self, bits: u32) -> Result<u64, WireFault> {
        let mut value = 0u64;
        let mut shift = 0u32;
        while shift < bits {
            let byte = self.u8()?;
            let part = u64::from(byte & 0x7f);
            let room = bits.saturating_sub(shift);
            if room < 7 && part >> room != 0 {
                return Err(WireFault::Malformed);
            }
            value |= part << shift;
            if byte < 0x80 {
                return Ok(value);
            }
            shift = shift.saturating_add(7);
        }
        Err(WireFault::Malformed)
    }
}

/// Appends values to a byte vector.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// A writer of nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: Vec::new() }
    }

    /// How many bytes were written.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing was written.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// What was written.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Bytes as they are, without a length.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// One byte.
    pub fn u8(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    /// 1 or 0.
    pub fn flag(&mut self, flag: bool) {
        self.u8(u8::from(flag));
    }

    /// An unsigned number of any width.
    pub fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.u8(low_byte(value) | 0x80);
            value >>= 7;
        }
        self.u8(low_byte(value));
    }

    /// A signed number, zigzag.
    pub fn zigzag(&mut self, value: i64) {
        self.varint((value << 1 ^ value >> 63).cast_unsigned());
    }

    /// Eight bytes, little-endian.
    pub fn fixed_u64(&mut self, value: u64) {
        self.raw(&value.to_le_bytes());
    }

    /// A length or count.
    pub fn count(&mut self, count: usize) {
        self.varint(count as u64);
    }

    /// Bytes with their length before them.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.raw(bytes);
    }

    /// Text with its length in bytes before it.
    pub fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// A section of a container: tag, length, content.
    pub fn section(&mut self, tag: u8, content: &[u8]) {
        self.u8(tag);
        self.bytes(content);
    }
}

/// The lowest eight bits.
const fn low_byte(value: u64) -> u8 {
    let [low, ..] = value.to_le_bytes();
    low
}

#[cfg(test)]
mod tests {
    use super::{Reader, WireFault, Writer};
    use alloc::string::String;
    use proptest::prelude::*;

    #[test]
    fn a_length_beyond_the_bytes_is_refused_before_anything_is_reserved() {
        let mut writer = Writer::new();
        writer.varint(1 << 60);
        let bytes = writer.into_bytes();
        assert_eq!(Reader::new(&bytes).bytes(), Err(WireFault::Truncated));
        assert_eq!(Reader::new(&bytes).count(), Err(WireFault::Truncated));
    }

    #[test]
    fn a_varint_above_its_width_is_refused() {
        assert_eq!(Reader::new(&[0xff; 11]).varint_u64(), Err(WireFault::Malformed));
        assert_eq!(
            Reader::new(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2]).varint_u64(),
            Err(WireFault::Malformed)
        );
        assert_eq!(Reader::new(&[0xff, 0xff, 0xff, 0xff, 0x10]).varint_u32(), Err(WireFault::Malformed));
        assert_eq!(Reader::new(&[0xff, 0xff, 4]).varint_u16(), Err(WireFault::Malformed));
        assert_eq!(Reader::new(&[0xff, 0xff, 3]).varint_u16(), Ok(u16::MAX));
        assert_eq!(Reader::new(&[0x80]).varint_u16(), Err(WireFault::Truncated));
    }

    proptest! {
        #[test]
        fn numbers_and_texts_come_back(unsigned: u64, signed: i64, text: String, flag: bool) {
            let mut writer = Writer::new();
            writer.varint(unsigned);
            writer.zigzag(signed);
            writer.text(&text);
            writer.flag(flag);
            writer.fixed_u64(unsigned);
            let bytes = writer.into_bytes();
            let mut reader = Reader::new(&bytes);
            prop_assert_eq!(reader.varint_u64(), Ok(unsigned));
            prop_assert_eq!(reader.zigzag_i64(), Ok(signed));
            prop_assert_eq!(reader.text(), Ok(text.as_str()));
            prop_assert_eq!(reader.flag(), Ok(flag));
            prop_assert_eq!(reader.fixed_u64(), Ok(unsigned));
            prop_assert_eq!(reader.end(), Ok(()));
        }
    }
}
