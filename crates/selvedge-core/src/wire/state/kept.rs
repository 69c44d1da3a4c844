//! What metrics keep, one shape for each way of keeping.

use super::Stored;
use super::tags::{COUNT, DISTINCT, LATEST, PANES, RECENT, SCORE, TIMES};
use alloc::vec::Vec;

/// What a metric keeps, and since when it watches.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MetricCell {
    /// From here on all was observed, and all that the window needs is still kept.
    pub since_ms: i64,
    /// What is kept.
    pub kept: Kept,
}

/// What a metric keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// How many in the session.
    Count(u16),
    /// The newest times in a sliding window, ascending.
    Times(Vec<i64>),
    /// Times and values of the first or newest events, by time.
    Latest(Vec<(i64, Stored)>),
    /// The values of the newest events, by time.
    Values(Vec<ValueAt>),
    /// Different values.
    Distinct(Distinct),
    /// A window's panes, by their start; those in which nothing was are not kept.
    Panes(Vec<Pane>),
    /// A score, as it was at a time.
    Score(Faded),
}

/// A value and when it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ValueAt {
    /// When, the last time where it stands for several.
    pub time_ms: i64,
    /// [`crate::hash::fnv1a_64`] of it.
    pub hash: u64,
}

/// Different values, or a sample of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distinct {
    /// With how many zero bits the mixed hash of a value ends that is in the sample: 0 where all are.
    pub zeros: u8,
    /// The newest time of a value that is not in the sample.
    pub left_out_ms: i64,
    /// The values, by hash.
    pub values: Vec<ValueAt>,
}

impl Default for Distinct {
    fn default() -> Self {
        Self { zeros: 0, left_out_ms: i64::MIN, values: Vec::new() }
    }
}

/// A piece of a window: of a sliding one one of [`crate::limits::PANES_MAX`], of any other all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pane {
    /// Its first millisecond.
    pub start_ms: i64,
    /// How many events took part.
    pub count: u32,
    /// The sum, the least or the greatest of what they brought; millionths.
    pub value: i64,
}

/// What fades, as it was at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Faded {
    /// The newest event that changed it.
    pub time_ms: i64,
    /// What it was then: millionths.
    pub value: i64,
}

impl Default for Kept {
    fn default() -> Self {
        Self::Count(0)
    }
}

impl Kept {
    /// How many events it tells of.
    #[must_use]
    pub fn count(&self) -> usize {
        match self {
            Self::Count(count) => usize::from(*count),
            Self::Times(times_ms) => times_ms.len(),
            Self::Latest(values) => values.len(),
            Self::Values(values) => values.len(),
            Self::Distinct(distinct) => distinct.values.len(),
            Self::Score(faded) => usize::from(faded.value != 0),
            Self::Panes(panes) => panes.iter().fold(0, |count, pane| {
                usize::try_from(pane.count).unwrap_or(usize::MAX).saturating_add(count)
            }),
        }
    }

    /// The tag of its shape.
    pub(super) const fn tag(&self) -> u8 {
        match self {
            Self::Count(_) => COUNT,
            Self::Times(_) => TIMES,
            Self::Latest(_) => LATEST,
            Self::Values(_) => RECENT,
            Self::Distinct(_) => DISTINCT,
            Self::Panes(_) => PANES,
            Self::Score(_) => SCORE,
        }
    }
}
