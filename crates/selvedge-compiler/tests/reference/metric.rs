//! Metrics with their text.

use super::site::Condition;
use std::fmt::{Display, Formatter, Result};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    Sliding(i64),
    /// A sliding window of twelve panes.
    Panes(i64),
    Session,
    Page,
    Today,
    Week,
    Month,
    Ever,
}

impl Display for Window {
    fn fmt(&self, to: &mut Formatter<'_>) -> Result {
        match self {
            Self::Sliding(ms) | Self::Panes(ms) if ms % 86_400_000 == 0 => write!(to, "{}d", ms / 86_400_000),
            Self::Sliding(ms) | Self::Panes(ms) => write!(to, "{}s", ms / 1_000),
            Self::Today => write!(to, "today"),
            Self::Week => write!(to, "week"),
            Self::Month => write!(to, "month"),
            Self::Ever => write!(to, "ever"),
            Self::Session => write!(to, "session"),
            Self::Page => write!(to, "page"),
        }
    }
}

/// What is worked out of events: how many, or of their property `value`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    Count,
    /// A count in panes.
    Tally,
    Sum,
    Min,
    Max,
    Avg,
    /// How many different values.
    Distinct,
    /// The newest value, and the one before it. These have no window.
    Last,
    Previous,
    /// How long ago the newest event was.
    TimeSince,
    /// The oldest value.
    First,
    /// Of the newest events the value that most of them had.
    MostFrequent,
    /// How many of them had that.
    Top,
    /// How many of them had what an attribute is now.
    Same,
}

impl Class {
    fn word(self) -> &'static str {
        match self {
            Self::Count | Self::Tally => "count",
            Self::Sum => "sum",
            Self::Min => "min",
            Self::Max => "max",
            Self::Avg => "avg",
            Self::Distinct => "distinct",
            Self::Last => "last",
            Self::Previous => "previous",
            Self::TimeSince => "time since",
            Self::First => "first",
            Self::MostFrequent => "most_frequent",
            Self::Top | Self::Same => "count",
        }
    }
}

/// What is counted or worked out.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    pub class: Class,
    /// Of what it is worked out; none for counts.
    pub property: Option<&'static str>,
    pub event: &'static str,
    pub filter: Option<Condition>,
    pub window: Window,
    /// A longer window ends with the session.
    pub of_session: bool,
    /// How many of the newest events are told apart.
    pub events_max: usize,
}

/// How many events are told apart where a metric does not say.
pub const EVENTS_MAX: usize = 16;
/// What a metric of the same value compares with.
pub const SAME_AS: &str = "last_category";

impl Display for Metric {
    fn fmt(&self, to: &mut Formatter<'_>) -> Result {
        write!(to, "({} {}", self.class.word(), self.event)?;
        match (self.class, self.property) {
            (Class::Top, Some(property)) => write!(to, " by {property}")?,
            (Class::Same, Some(property)) => write!(to, " where {property} = {SAME_AS}")?,
            (_, Some(property)) => write!(to, ".{property}")?,
            (_, None) => {}
        }
        if let Some(filter) = &self.filter {
            write!(to, " where {filter}")?;
        }
        match self.class {
            Class::Last | Class::Previous | Class::TimeSince => return write!(to, ")"),
            _ => write!(to, " in {}", self.window)?,
        }
        match self.class {
            Class::Top => write!(to, " top max {})", self.events_max),
            Class::MostFrequent => write!(to, " max {})", self.events_max),
            _ => write!(to, "{})", if self.of_session { " of session" } else { "" }),
        }
    }
}

impl Metric {
    /// Whether it is made of amounts of events.
    pub fn is_of_amounts(&self) -> bool {
        let is_filtered = self.filter.as_ref().is_some_and(Condition::asks_for_an_amount);
        self.property == Some("value") || is_filtered
    }
}
