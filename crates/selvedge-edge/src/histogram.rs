//! How long something took, counted in buckets.

use selvedge_core::wire::codec::{Reader, WireFault, Writer};

/// Upper bounds of the buckets, in milliseconds.
pub type Bounds = [u64; 12];

/// Times in milliseconds, counted by bounds, which stand where it is observed and shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Histogram {
    /// Per bound; not cumulative.
    counts: Bounds,
    /// Above all bounds.
    above: u64,
    sum_ms: u64,
}

impl Histogram {
    /// Counts one that took `took_ms`.
    pub fn observe(&mut self, bounds_ms: &Bounds, took_ms: u64) {
        let at = bounds_ms.iter().position(|bound_ms| took_ms <= *bound_ms);
        let count = at.and_then(|at| self.counts.get_mut(at)).unwrap_or(&mut self.above);
        *count = count.saturating_add(1);
        self.sum_ms = self.sum_ms.saturating_add(took_ms);
    }

    /// Counts what `other` counted by the same bounds.
    pub fn merge(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count = count.saturating_add(more);
        }
        self.above = self.above.saturating_add(other.above);
        self.sum_ms = self.sum_ms.saturating_add(other.sum_ms);
    }

    /// How many took at most each bound, and how many there are.
    pub fn cumulated(&self) -> impl Iterator<Item = u64> {
        self.counts.into_iter().chain([self.above]).scan(0u64, |sum, count| {
            *sum = sum.saturating_add(count);
            Some(*sum)
        })
    }

    /// All times together.
    #[must_use]
    pub const fn sum_ms(&self) -> u64 {
        self.sum_ms
    }

    /// Writes it.
    pub fn write(&self, out: &mut Writer) {
        self.counts.iter().chain([&self.above, &self.sum_ms]).for_each(|number| out.varint(*number));
    }

    /// Reads what [`Self::write`] wrote.
    ///
    /// # Errors
    /// [`WireFault`] where the bytes end.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, WireFault> {
        let mut read = Self::default();
        for number in read.counts.iter_mut().chain([&mut read.above, &mut read.sum_ms]) {
            *number = reader.varint_u64()?;
        }
        Ok(read)
    }
}
