//! Reading on past a fault: the first one is kept, and everything after it reads as zero or empty. A structure of many
//! fields then costs one check instead of one for each field, which a page feels in its bytes.

use super::codec::{Reader, WireFault};
use alloc::string::String;

/// A [`Reader`] that keeps its first fault to itself until [`Tape::end`].
#[derive(Debug)]
pub struct Tape<'a> {
    reader: Reader<'a>,
    fault: Option<WireFault>,
}

impl<'a> Tape<'a> {
    /// A tape of all of `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { reader: Reader::new(bytes), fault: None }
    }

    /// What `read` reads, or its zero where that or anything before it failed.
    #[inline(never)]
    pub fn read<T: Default>(&mut self, read: fn(&mut Reader<'a>) -> Result<T, WireFault>) -> T {
        match read(&mut self.reader) {
            Ok(value) => value,
            Err(fault) => {
                self.fail(fault);
                T::default()
            }
        }
    }

    /// Notes a fault, where it is the first, and leaves nothing more to read.
    #[inline(never)]
    pub fn fail(&mut self, fault: WireFault) {
        self.fault.get_or_insert(fault);
        self.reader = Reader::new(&[]);
    }

    /// Whether nothing failed so far.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.fault.is_none()
    }

    /// What was not read yet.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.reader.rest()
    }

    /// One byte.
    pub fn u8(&mut self) -> u8 {
        self.read(Reader::u8)
    }

    /// A varint of at most 16 bits.
    pub fn u16(&mut self) -> u16 {
        self.read(Reader::varint_u16)
    }

    /// A varint of at most 32 bits.
    pub fn u32(&mut self) -> u32 {
        self.read(Reader::varint_u32)
    }

    /// A varint of at most 64 bits.
    pub fn u64(&mut self) -> u64 {
        self.read(Reader::varint_u64)
    }

    /// A signed number.
    pub fn i64(&mut self) -> i64 {
        self.read(Reader::zigzag_i64)
    }

    /// 0 or 1.
    pub fn flag(&mut self) -> bool {
        self.read(Reader::flag)
    }

    /// A length or count, never more than the bytes left.
    pub fn count(&mut self) -> usize {
        self.read(Reader::count)
    }

    /// Text.
    pub fn text(&mut self) -> &'a str {
        self.read(Reader::text)
    }

    /// Text of at most `bytes_max` bytes, as a string of its own.
    #[inline(never)]
    pub fn string_max(&mut self, bytes_max: usize) -> String {
        let text = self.text();
        if text.len() > bytes_max {
            self.fail(WireFault::TooLarge);
            return String::new();
        }
        text.into()
    }

    /// Text, as a string of its own.
    pub fn string(&mut self) -> String {
        self.string_max(usize::MAX)
    }

    /// Nothing, where nothing failed so far.
    ///
    /// # Errors
    /// The first [`WireFault`].
    pub const fn check(&self) -> Result<(), WireFault> {
        match self.fault {
            Some(fault) => Err(fault),
            None => Ok(()),
        }
    }

    /// Nothing, where nothing failed and everything was read.
    ///
    /// # Errors
    /// The first [`WireFault`]; bytes left over are one.
    pub fn end(&self) -> Result<(), WireFault> {
        self.check()?;
        self.reader.end()
    }
}
