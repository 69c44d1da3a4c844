//! What is measured: of which events, in which stretch of time, for whom.

use crate::consent::Purposes;
use alloc::string::String;
use alloc::vec::Vec;

/// What is kept and worked out of the events that pass a filter, in a window.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Metric {
    /// Its name, as conditions write it (or the parenthesised expression).
    pub name: String,
    /// [`crate::hash::fnv1a_64`] of its meaning in canonical form: the name of its cell in stored state.
    pub meaning: u64,
    /// What is worked out.
    pub kind: MetricKind,
    /// The event it is worked out of.
    pub event: String,
    /// The event's property it is worked out of; dots reach into objects. `None` for a kind that needs none.
    pub property: Option<String>,
    /// The filter's first instruction in [`super::Parts::code`]; `None` takes all.
    pub filter: Option<u16>,
    /// The stretch of time it looks at.
    pub window: Window,
    /// Whose it is.
    pub scope: Scope,
    /// [`MetricKind::Count`]: how far it must count, the largest constant it is compared with, plus one. Sliding windows
    /// keep as many times, at most [`crate::limits::COUNT_THRESHOLD_MAX`].
    pub threshold: u16,
    /// A number of the kind's own, as its [`MetricKind`] says; 0 where it has none.
    pub detail: u16,
    /// What stepping it needs granted.
    pub purpose: Purposes,
    /// Whether it stays at the edge.
    pub private: bool,
    /// How it begins with a visitor who was there before it.
    pub warm_up: WarmUp,
    /// Whether it is made of amounts: of an event in another currency than the site's nothing is known then.
    pub of_money: bool,
}

/// What is made of what happened before a metric was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum WarmUp {
    /// It is not known: the metric is a lower bound until its window was watched whole.
    #[default]
    Unknown,
    /// It is taken for nothing: the metric is known at once.
    Zero,
    /// It is read from the visitor's part of the log, as far as that reaches. Only the edge does; to the page it is
    /// [`Self::Unknown`].
    Log,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $number:literal,)*) => {
        /// What is worked out of events. Numbers 0 to 9: amounts; 10 to 19: values; 20 to 29: order in time.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
        #[repr(u8)]
        pub enum MetricKind { $($(#[$doc])* $name = $number,)* }

        impl MetricKind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The kind with this number.
            #[must_use]
            pub const fn from_number(number: u8) -> Option<Self> {
                match number { $($number => Some(Self::$name),)* _ => None }
            }
        }
    };
}

kinds! {
    /// How many events, up to the threshold: exact to the millisecond in sliding windows.
    #[default]
    Count = 0,
    /// How many events, as a number; sliding windows in panes.
    Tally = 1,
    /// The sum of the property. `detail` 1: it is never negative, so that what was seen is a lower bound.
    Sum = 2,
    /// The least of the property.
    Min = 3,
    /// The greatest of the property.
    Max = 4,
    /// The average of the property, rounded down to a millionth.
    Average = 5,
    /// How many different values the property had: exact up to `detail`, beyond that by a sample of as many.
    Distinct = 10,
    /// What the first event's property was; `detail` is the [`super::AttributeType`] of the property.
    First = 11,
    /// What the newest event's property was; `detail` as [`Self::First`].
    Last = 12,
    /// What the property was in the event before the newest; `detail` as [`Self::First`].
    Previous = 13,
    /// Milliseconds since the newest event.
    Since = 14,
    /// The value that most of the newest `detail` events had, told by its hash.
    MostFrequent = 15,
    /// How many of the newest `detail` events had the value that most of them had.
    Top = 16,
    /// Read by [`super::FactSource::SameCount`]: how many of the newest `detail` events had a value.
    Same = 17,
    /// Points that fade; `detail` is its place in [`super::Parts::scores`].
    Score = 6,
}

/// How a score is made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Score {
    /// The time in which what there is fades to half.
    pub half_life_ms: u64,
    /// It never falls below this: millionths, at most 0.
    pub min: i64,
    /// It never rises above this: millionths, at least 0.
    pub max: i64,
    /// What adds to it.
    pub points: Vec<Points>,
}

/// What an event adds to a score.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Points {
    /// The event's name.
    pub event: String,
    /// The filter's first instruction in [`super::Parts::code`]; `None` takes all.
    pub filter: Option<u16>,
    /// Millionths.
    pub micro: i64,
}

/// A stretch that something is measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Window {
    /// The open page view.
    Page,
    /// The session.
    #[default]
    Session,
    /// The last so many milliseconds, up to and with now.
    Sliding(u64),
    /// The calendar day, in the site's time zone.
    Today,
    /// The calendar week, from Monday, in the site's time zone.
    Week,
    /// The calendar month, in the site's time zone.
    Month,
    /// All of it.
    Ever,
}

/// Whose a metric is: what it ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
#[repr(u8)]
pub enum Scope {
    /// The session's: it begins anew with each.
    Session = 0,
    /// The visitor's.
    #[default]
    Visitor = 1,
    /// The profile's. Until a visitor is linked to a user, its profile is its own.
    Profile = 2,
    /// The account's, over all of its members.
    Account = 3,
}
