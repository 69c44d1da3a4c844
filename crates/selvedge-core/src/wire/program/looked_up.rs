//! Tables that conditions look values up in: `catalog[page.sku].stock`. Only the edge has them.

use super::layout::NO_CELL;
use crate::date::time_ms;
use crate::number::Micro;
use alloc::string::String;
use alloc::vec::Vec;

/// A table, its rows sorted by key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lookup {
    /// Its name.
    pub name: String,
    /// Which columns hold texts: all others hold numbers, moments, or yes or no.
    pub texts: Vec<bool>,
    /// Where its rows come from.
    pub feed: Feed,
    /// The rows; none here, where they are pushed.
    pub rows: Vec<LookupRow>,
}

/// Where the rows of a table come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum Feed {
    /// They stand in the program.
    #[default]
    Published = 0,
    /// They are pushed to the edge. Until then nothing is known of them.
    Pushed = 1,
    /// They are pushed, and the last column says until when a row is known: Unix milliseconds.
    Dated = 2,
}

/// A table whose rows are pushed, as only the edge knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushedTable {
    /// Its name.
    pub name: String,
    /// Its place in [`super::Parts::lookups`]; `None` where no rule looks anything up in it.
    pub table: Option<u16>,
    /// The column that rows are found by.
    pub key: String,
    /// The others, in the order of the cells.
    pub columns: Vec<(String, ColumnKind)>,
    /// How long a row is known; `None`: until it is pushed anew.
    pub ttl_ms: Option<u64>,
}

/// What the cells of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ColumnKind {
    /// Text.
    Text = 0,
    /// A number.
    Number = 1,
    /// An amount in the site's currency.
    Money = 2,
    /// Yes or no.
    Bool = 3,
    /// A day or a moment.
    Time = 4,
}

impl ColumnKind {
    /// All of them, by their numbers.
    pub const ALL: &'static [Self] = &[Self::Text, Self::Number, Self::Money, Self::Bool, Self::Time];

    /// What its cells are, for people.
    #[must_use]
    pub const fn form(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Number | Self::Money => "a number with at most six decimals",
            Self::Bool => "`true` or `false`",
            Self::Time => "a day or a moment",
        }
    }
}

/// A row of a table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LookupRow {
    /// What it is looked up by.
    pub key: String,
    /// As many as there are columns.
    pub cells: Vec<LookupCell>,
}

/// A value in a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookupCell {
    /// There is none.
    Missing,
    /// Millionths, Unix milliseconds, or 0 and 1.
    Number(i64),
    /// Text.
    Text(String),
}

impl LookupCell {
    /// The cell that a text is in a column of this kind; nothing is a missing one. `None` where it is none.
    #[must_use]
    pub fn read(text: &str, kind: ColumnKind) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::Missing);
        }
        Some(match kind {
            ColumnKind::Text => Self::Text(text.into()),
            ColumnKind::Number | ColumnKind::Money => Self::Number(Micro::parse(text)?.0),
            ColumnKind::Time => Self::Number(time_ms(text)?),
            ColumnKind::Bool => match text {
                "true" | "yes" => Self::Number(1),
                "false" | "no" => Self::Number(0),
                _ => return None,
            },
        })
    }
}

/// Whether a row of such a table is not known any more.
pub(super) fn is_over(feed: u8, until_ms: Option<i64>, now_ms: i64) -> bool {
    feed == Feed::Dated as u8 && until_ms.is_some_and(|until_ms| until_ms != NO_CELL && until_ms < now_ms)
}
