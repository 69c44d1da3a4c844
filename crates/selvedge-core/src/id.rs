//! Ids: events, writers, visitors; how each is made from values that the shell hands in.

use crate::hash::murmur3_32;

/// Bits of an event id that hold the sequence.
pub const SEQUENCE_BITS: u32 = 22;
/// Bits of an event id that hold the writer.
pub const WRITER_BITS: u32 = 52;
/// Bits of a writer that hold the minute of its boot (since 2020-01-01T00:00Z); the rest is random.
pub const WRITER_BOOT_BITS: u32 = 25;
/// 2020-01-01T00:00Z in minutes since 1970: the boot minute of a writer counts from here.
pub const BOOT_EPOCH_MINUTES: u64 = 26_297_280;

const WRITER_MASK: u64 = (1 << WRITER_BITS) - 1;
const RANDOM_BITS: u32 = WRITER_BITS - WRITER_BOOT_BITS;

/// One boot of one client: 25 bits boot minute, 27 bits random. Greater means booted later (to the minute).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct WriterId(u64);

impl WriterId {
    /// The writer that boots at `now_ms`, told apart by `random`.
    #[must_use]
    pub const fn mint(now_ms: u64, random: u32) -> Self {
        let minute = (now_ms / 60_000).saturating_sub(BOOT_EPOCH_MINUTES);
        let boot = minute & ((1 << WRITER_BOOT_BITS) - 1);
        let random = random as u64 & ((1 << RANDOM_BITS) - 1);
        Self((boot << RANDOM_BITS) | random)
    }

    /// The writer with these 52 bits; higher bits are cut.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits & WRITER_MASK)
    }

    /// The 52 bits.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// The minute of boot, counted from [`BOOT_EPOCH_MINUTES`].
    #[must_use]
    pub const fn boot_minute(self) -> u64 {
        self.0 >> RANDOM_BITS
    }
}

/// An event's place in its writer's gapless count, from 1. 22 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sequence(u32);

impl Sequence {
    /// The greatest sequence of a writer: a client that reaches it boots a new writer.
    pub const MAX: u32 = (1 << SEQUENCE_BITS) - 1;

    /// The sequence, or `None` for 0 and for what is above [`Self::MAX`].
    #[must_use]
    pub const fn new(sequence: u32) -> Option<Self> {
        if sequence == 0 || sequence > Self::MAX { None } else { Some(Self(sequence)) }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// An event's id: a UUIDv7 whose 74 free bits hold the sequence (22) and the writer (52).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventId(pub [u8; 16]);

impl EventId {
    /// The id of the event that `writer` counted as `sequence` at `time_ms` (48 bits are kept).
    #[must_use]
    pub const fn new(time_ms: u64, writer: WriterId, sequence: Sequence) -> Self {
        let free = ((sequence.0 as u128) << WRITER_BITS) | writer.0 as u128;
        let high_12 = free >> 62;
        let low_62 = free & ((1 << 62) - 1);
        let time = (time_ms & ((1 << 48) - 1)) as u128;
        Self(((time << 80) | (7 << 76) | (high_12 << 64) | (0b10 << 62) | low_62).to_be_bytes())
    }

    /// Time (ms), writer and sequence of an id that [`Self::new`] made; `None` for any other UUID.
    #[must_use]
    pub fn parts(self) -> Option<(u64, WriterId, Sequence)> {
        let bits = u128::from_be_bytes(self.0);
        if (bits >> 76) & 0xf != 7 || (bits >> 62) & 0b11 != 0b10 {
            return None;
        }
        let free = (((bits >> 64) & 0xfff) << 62) | (bits & ((1 << 62) - 1));
        let writer = WriterId::from_bits(u64::try_from(free & u128::from(WRITER_MASK)).ok()?);
        let sequence = Sequence::new(u32::try_from(free >> WRITER_BITS).ok()?)?;
        Some((u64::try_from(bits >> 80).ok()?, writer, sequence))
    }
}

/// An anonymous device. Its first byte indexes the topology entry it was minted under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct VisitorId(pub [u8; 16]);

impl VisitorId {
    /// The visitor that a page mints from 15 random bytes under `topology` entry.
    #[must_use]
    pub fn mint(topology: u8, random: [u8; 15]) -> Self {
        let mut bytes = [0; 16];
        for (byte, source) in bytes.iter_mut().zip(core::iter::once(&topology).chain(&random)) {
            *byte = *source;
        }
        Self(bytes)
    }

    /// Nobody yet.
    pub const NOBODY: Self = Self([0; 16]);

    /// The id as it is printed: 32 lower-case hexadecimal digits.
    #[must_use]
    pub fn digits(self) -> [u8; 32] {
        let mut digits = [b'0'; 32];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(self.0) {
            for (place, nibble) in pair.iter_mut().zip([byte >> 4, byte & 0xf]) {
                *place =
                    if nibble < 10 { b'0'.wrapping_add(nibble) } else { (b'a' - 10).wrapping_add(nibble) };
            }
        }
        digits
    }

    /// The topology entry the id was minted under.
    #[must_use]
    pub const fn topology(self) -> u8 {
        let [first, ..] = self.0;
        first
    }

    /// The shard, below `shards`, that owns the visitor for ever. 0 where `shards` is 0.
    #[must_use]
    pub fn shard(self, shards: u32) -> u32 {
        murmur3_32(&self.0, 0).checked_rem(shards).unwrap_or(0)
    }
}

/// The hash that names a program: the first 16 bytes of the SHA-256 of its full form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct ProgramHash(pub [u8; 16]);

/// Lower-case hexadecimal, as ids are printed everywhere.
impl core::fmt::Display for ProgramHash {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write_hex(&self.0, out)
    }
}

impl core::fmt::Display for VisitorId {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write_hex(&self.0, out)
    }
}

/// The usual form of a UUID: 8-4-4-4-12.
impl core::fmt::Display for EventId {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                out.write_str("-")?;
            }
            write!(out, "{byte:02x}")?;
        }
        Ok(())
    }
}

fn write_hex(bytes: &[u8], out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
    bytes.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
}

/// The 16 bytes of 32 hexadecimal digits, with or without the hyphens of a UUID; `None` for anything else.
#[must_use]
pub fn parse_hex_16(text: &str) -> Option<[u8; 16]> {
    let mut bytes = [0u8; 16];
    let mut digits = text.bytes().filter(|byte| *byte != b'-');
    for byte in &mut bytes {
        *byte = (hex_digit(digits.next()?)? << 4) | hex_digit(digits.next()?)?;
    }
    digits.next().is_none().then_some(bytes)
}

const fn hex_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit.wrapping_sub(b'0')),
        b'a'..=b'f' => Some(digit.wrapping_sub(b'a').wrapping_add(10)),
        b'A'..=b'F' => Some(digit.wrapping_sub(b'A').wrapping_add(10)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_visitors_digits_are_as_it_is_printed() {
        let visitor = super::VisitorId(*b"\x00\x9a\xffselvedge\x0f\xa0\x10\x11\x12");
        assert_eq!(visitor.digits(), std::format!("{visitor}").as_bytes());
    }

    use super::*;
    use std::string::ToString;

    #[test]
    fn an_event_id_gives_back_what_it_was_made_of() {
        let writer = WriterId::mint(1_800_000_000_000, 0x07ff_ffff);
        for sequence in [1, 2, 4_095, Sequence::MAX] {
            let sequence = Sequence::new(sequence).unwrap();
            let id = EventId::new(1_800_000_000_123, writer, sequence);
            assert_eq!(id.parts(), Some((1_800_000_000_123, writer, sequence)));
            assert_eq!(parse_hex_16(&id.to_string()), Some(id.0));
            assert_eq!(id.to_string().as_bytes().get(14), Some(&b'7'));
        }
        assert_eq!(EventId([0; 16]).parts(), None);
    }

    #[test]
    fn a_later_boot_is_a_greater_writer() {
        let early = WriterId::mint(1_800_000_000_000, u32::MAX);
        let late = WriterId::mint(1_800_000_060_000, 0);
        assert!(early < late);
        assert_eq!(late.boot_minute() - early.boot_minute(), 1);
    }

    #[test]
    fn a_visitor_keeps_its_topology_entry_and_shard() {
        let visitor = VisitorId::mint(3, [9; 15]);
        assert_eq!(visitor.topology(), 3);
        assert_eq!(visitor.shard(8), visitor.shard(8));
        assert!(visitor.shard(8) < 8);
        assert_eq!(visitor.shard(0), 0);
    }
}
