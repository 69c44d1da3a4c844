//! Sets of vendors in a TC string: a field of bits, or ranges that may overlap.

use super::bits::{Bits, Reader};

/// A set of vendors, where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Vendors<'a> {
    bits: Bits<'a>,
    /// Its first bit behind the head; where the field or the first range begins.
    at: usize,
    /// The largest vendor of a field of bits; 0 for ranges.
    field_max: u32,
    /// How many ranges there are; 0 for a field.
    ranges: u32,
}

impl<'a> Vendors<'a> {
    /// The set that `reader` stands at, with its head (largest vendor, form); the reader stands behind it then.
    pub(super) fn read(bits: Bits<'a>, reader: &mut Reader<'a>) -> Option<Self> {
        let max = reader.number(16)?;
        if reader.bit()? {
            return Self::read_ranges(bits, reader);
        }
        let at = reader.at();
        reader.skip(usize::try_from(max).ok()?)?;
        Some(Self { bits, at, field_max: max, ranges: 0 })
    }

    /// The ranges that `reader` stands at, beginning with their count; the reader stands behind them then.
    pub(super) fn read_ranges(bits: Bits<'a>, reader: &mut Reader<'a>) -> Option<Self> {
        let ranges = reader.number(12)?;
        let at = reader.at();
        for _ in 0..ranges {
            let (first, last) = range(reader)?;
            if first == 0 || first > last {
                return None;
            }
        }
        Some(Self { bits, at, field_max: 0, ranges })
    }

    /// Whether the vendor stands in the set.
    pub(super) fn holds(&self, vendor: u16) -> bool {
        let vendor = u32::from(vendor);
        if self.ranges == 0 {
            let Some(place) = vendor.checked_sub(1).and_then(|place| usize::try_from(place).ok()) else {
                return false;
            };
            return vendor <= self.field_max && self.bits.is_set(self.at.saturating_add(place));
        }
        let mut reader = Reader::new(self.bits, self.at);
        (0..self.ranges)
            .any(|_| range(&mut reader).is_some_and(|(first, last)| (first..=last).contains(&vendor)))
    }
}

/// First and last vendor of the range that `reader` stands at.
fn range(reader: &mut Reader<'_>) -> Option<(u32, u32)> {
    let is_range = reader.bit()?;
    let first = reader.number(16)?;
    let last = if is_range { reader.number(16)? } else { first };
    Some((first, last))
}
