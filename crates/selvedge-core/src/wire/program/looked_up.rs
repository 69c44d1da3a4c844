//! Tables that conditions look values up in: `catalog[page.sku].stock`. Only the edge has them.

use alloc::string::String;
use alloc::vec::Vec;

/// A table, its rows sorted by key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lookup {
    /// Its name.
    pub name: String,
    /// Which columns hold texts: all others hold numbers, moments, or yes or no.
    pub texts: Vec<bool>,
    /// The rows.
    pub rows: Vec<LookupRow>,
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
