//! How much waits for a destination, against what may.

use selvedge_core::mutation::{Mutation, is_planted};
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
        let is_full = destination.when_full == Full::Block && self.percent(destination, now_ms) >= 100;
        is_full && !is_planted(Mutation::BacklogIgnored)
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

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use selvedge_core::consent::Purposes;
    use selvedge_core::wire::program::{OnUnknown, Records, Requires, Way};

    fn destination(when_full: Full) -> Destination {
        Destination {
            name: "hook".into(),
            way: Way::Log,
            purposes: Purposes::ANALYTICS,
            requires: Requires::All,
            on_unknown: OnUnknown::Drop,
            records: Records::ALL,
            filter: None,
            sample: 10_000,
            remove: Vec::new(),
            rename: Vec::new(),
            when_full,
            age_ms_max: 1_000,
            bytes_max: 200,
        }
    }

    #[test]
    fn what_waits_is_measured_by_the_bound_that_is_closest() {
        let block = destination(Full::Block);
        for (bytes, oldest_ms, percent) in [
            (0, None, 0),
            (100, None, 50),
            (100, Some(9_100), 90),
            (200, Some(9_999), 100),
            (10, Some(1), 999),
        ] {
            let waiting = Waiting { bytes, oldest_ms };
            assert_eq!(waiting.percent(&block, 10_000), percent);
            assert_eq!(waiting.blocks(&block, 10_000), percent >= 100);
            assert!(!waiting.overflows(&block, 10_000));
        }
    }

    #[test]
    fn where_the_oldest_may_go_nothing_is_refused() {
        let drops = destination(Full::DropOldest);
        let waiting = Waiting { bytes: 203, oldest_ms: None };
        assert!(waiting.overflows(&drops, 0) && !waiting.blocks(&drops, 0));
        assert!(!Waiting { bytes: 200, oldest_ms: None }.overflows(&drops, 0), "full is not too full");
    }

    #[test]
    fn a_bound_of_nothing_is_none() {
        let unbounded = Destination { bytes_max: 0, age_ms_max: 0, ..destination(Full::Block) };
        assert!(!Waiting { bytes: u64::MAX, oldest_ms: Some(0) }.blocks(&unbounded, u64::MAX));
    }
}
