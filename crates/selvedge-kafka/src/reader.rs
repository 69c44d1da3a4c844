//! The primitives of Kafka's answers, read out of bytes that may say anything.

/// The bytes are not an answer of the version that was asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the broker's answer cannot be read")]
pub struct Malformed;

/// What is left to read of one answer.
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { rest: bytes }
    }

    /// All that is left.
    pub fn rest(self) -> &'a [u8] {
        self.rest
    }

    pub fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(Malformed)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        self.take(N)?.try_into().map_err(|_| Malformed)
    }

    pub fn i8(&mut self) -> Result<i8, Malformed> {
        Ok(i8::from_be_bytes(self.array()?))
    }

    pub fn i16(&mut self) -> Result<i16, Malformed> {
        Ok(i16::from_be_bytes(self.array()?))
    }

    pub fn i32(&mut self) -> Result<i32, Malformed> {
        Ok(i32::from_be_bytes(self.array()?))
    }

    pub fn i64(&mut self) -> Result<i64, Malformed> {
        Ok(i64::from_be_bytes(self.array()?))
    }

    /// An unsigned varint of at most five bytes.
    pub fn varint(&mut self) -> Result<u32, Malformed> {
        let mut value = 0_u64;
        for shift in [0_u32, 7, 14, 21, 28] {
            let byte = u8::from_be_bytes(self.array()?);
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return u32::try_from(value).map_err(|_| Malformed);
            }
        }
        Err(Malformed)
    }

    /// The length of a compact field: `None` stands for null.
    fn compact_length(&mut self) -> Result<Option<usize>, Malformed> {
        match self.varint()?.checked_sub(1) {
            None => Ok(None),
            Some(length) => Ok(Some(usize::try_from(length).map_err(|_| Malformed)?)),
        }
    }

    /// Compact bytes; empty where they are null.
    pub fn compact_bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let length = self.compact_length()?.unwrap_or(0);
        self.take(length)
    }

    /// A compact text; empty where it is null.
    pub fn compact_text(&mut self) -> Result<&'a str, Malformed> {
        std::str::from_utf8(self.compact_bytes()?).map_err(|_| Malformed)
    }

    /// The count of a compact array whose items take at least one byte each, at most `count_max`. Nothing is allocated by it.
    pub fn compact_count(&mut self, count_max: usize) -> Result<usize, Malformed> {
        let count = self.compact_length()?.unwrap_or(0);
        if count > self.rest.len() || count > count_max { Err(Malformed) } else { Ok(count) }
    }

    /// Leaps over a compact array of numbers of four bytes.
    pub fn skip_numbers(&mut self) -> Result<(), Malformed> {
        let count = self.compact_length()?.unwrap_or(0);
        self.take(count.checked_mul(4).ok_or(Malformed)?).map(drop)
    }

    /// Leaps over the tagged fields at the end of a structure.
    pub fn tags(&mut self) -> Result<(), Malformed> {
        let count = self.varint()?;
        if usize::try_from(count).map_err(|_| Malformed)? > self.rest.len() {
            return Err(Malformed);
        }
        for _ in 0..count {
            self.varint()?;
            let length = self.varint()?;
            self.take(usize::try_from(length).map_err(|_| Malformed)?)?;
        }
        Ok(())
    }
}
