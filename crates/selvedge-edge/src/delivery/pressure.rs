//! How much waits for a destination, against what may.

use selvedge_core::wire::program::{Destination, Full};

/// From here on somebody is warned: percent of a bound.
pub const WARN_PERCENT: u64 = 80;

/// What waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Waiting {
    /// Bytes of the log behind the cursor, and of what is in flight.
    pub bytes: u64,
    /// When the oldest item was received: Unix milliseconds; `None` where nothing waits.
    pub oldest_ms: Option<u64>,
}

impl Waiting {
    /// Percent of the bound that is closest: of bytes or of age.
    #[must_use]
    pub fn percent(&self, destination: &Destination, now_ms: u64) -> u64 {
        let age_ms = self.oldest_ms.map_or(0, |oldest_ms| now_ms.saturating_sub(oldest_ms));
        percent(self.bytes, destination.bytes_max).max(percent(age_ms, destination.age_ms_max))
    }

    /// Whether events must not be taken any more, so that nothing is lost.
    #[must_use]
    pub fn blocks(&self, destination: &Destination, now_ms: u64) -> bool {
        destination.when_full == Full::Block && self.percent(destination, now_ms) >= 100
    }

    /// Whether the oldest must go.
    #[must_use]
    pub fn overflows(&self, destination: &Destination, now_ms: u64) -> bool {
        destination.when_full == Full::DropOldest && self.percent(destination, now_ms) > 100
    }
}

/// A bound of 0 is none.
const fn percent(value: u64, bound: u64) -> u64 {
    match value.saturating_mul(100).checked_div(bound) {
        Some(percent) => percent,
        None => 0,
    }
}
