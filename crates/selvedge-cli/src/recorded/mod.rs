//! Recorded events, visitor by visitor: a log with its map, a data set, or what `selvedge log --json` printed.

pub mod happened;
pub mod log_line;
pub mod source;

use happened::Recorded;
use selvedge_core::id::VisitorId;
use std::collections::BTreeMap;

/// Recorded events, visitor by visitor, each visitor's in the order in which they were recorded.
#[derive(Debug, Default)]
pub struct History {
    /// The events.
    pub visitors: BTreeMap<VisitorId, Vec<Recorded>>,
    /// Rows or lines that were read.
    pub rows: u64,
    /// The first of those that could not be read, as people read them.
    pub unreadable: Vec<String>,
    /// How many could not be read.
    pub unreadable_count: u64,
}

/// Rows that could not be read and are shown.
const UNREADABLE_SHOWN_MAX: usize = 5;

impl History {
    /// Adds an event.
    pub fn push(&mut self, visitor: VisitorId, recorded: Recorded) {
        self.visitors.entry(visitor).or_default().push(recorded);
    }

    /// Counts a row that could not be read.
    pub fn count_unreadable(&mut self, line: u64, problem: &str) {
        self.unreadable_count += 1;
        if self.unreadable.len() < UNREADABLE_SHOWN_MAX {
            self.unreadable.push(format!("line {line}: {problem}"));
        }
    }

    /// How many events there are.
    #[must_use]
    pub fn events(&self) -> usize {
        self.visitors.values().map(Vec::len).sum()
    }

    /// Whether an event with this name was recorded.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.visitors.values().flatten().any(|recorded| recorded.happened.name == name)
    }
}
