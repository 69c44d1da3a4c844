//! Values looked up in a program's tables.

use super::Image;
use super::records::{Field, LookupTableRow};
use crate::wire::program::layout::{NO_CELL, size, tag};
use crate::wire::program::looked_up::is_over;

/// A value that was looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LookedUp<'a> {
    Number(i64),
    Text(&'a str),
    /// It is not known: no rows were pushed yet, or that of the key is too old.
    Unknown,
}

impl Image {
    pub(crate) fn lookups(&self) -> u16 {
        self.count(tag::LOOKUPS, size::NARROW)
    }

    pub(crate) fn lookup(&self, at: u16) -> LookupTableRow<'_> {
        LookupTableRow::at(self.rows(tag::LOOKUPS), at.into())
    }

    /// The key of a row of a table.
    pub(crate) fn lookup_key(&self, table: LookupTableRow, row: u32) -> Option<u32> {
        let at = usize::try_from(table.first_row().checked_add(row)?).ok()?;
        (row < table.rows()).then_some(())?;
        Some(u32::from_le_bytes(*self.rows(tag::LOOKUP_KEYS).get(at)?))
    }

    /// The cell in a column of a row of a table, as it is kept: of a text its place.
    pub(crate) fn lookup_cell(&self, table: LookupTableRow, row: u32, column: u8) -> Option<i64> {
        let columns = u32::from(table.columns());
        (u32::from(column) < columns).then_some(())?;
        let of_row = row.checked_mul(columns)?.checked_add(column.into())?;
        let at = usize::try_from(table.first_cell().checked_add(of_row)?).ok()?;
        let bytes: &[u8; 8] = self.rows(tag::LOOKUP_CELLS).get(at)?;
        Some(i64::read(bytes, 0))
    }

    /// What stands in a column of the row of this key; `None` where there is no such row, or nothing in it.
    pub(crate) fn look_up(&self, table: u16, column: u8, key: &[u8], now_ms: i64) -> Option<LookedUp<'_>> {
        let table = self.lookup(table);
        if table.feed() != 0 && !table.has_arrived() {
            return Some(LookedUp::Unknown);
        }
        let (mut low, mut high) = (0, table.rows());
        while low < high {
            let middle = low.midpoint(high);
            match self.text(self.lookup_key(table, middle)?).cmp(key) {
                core::cmp::Ordering::Less => low = middle.wrapping_add(1),
                core::cmp::Ordering::Greater => high = middle,
                core::cmp::Ordering::Equal => return self.look_in(table, middle, column, now_ms),
            }
        }
        None
    }

    /// What one of a currency is worth in the site's, in millionths; `None` where that is not known.
    #[must_use]
    pub fn rate(&self, (table, column): (u16, u8), currency: &[u8], now_ms: i64) -> Option<i64> {
        match self.look_up(table, column, currency, now_ms)? {
            LookedUp::Number(rate) if rate > 0 => Some(rate),
            _ => None,
        }
    }

    /// The site's currency, where something is made of amounts of events.
    pub(crate) fn currency(&self) -> &[u8] {
        self.table(tag::CURRENCY)
    }

    fn look_in(&self, table: LookupTableRow, row: u32, column: u8, now_ms: i64) -> Option<LookedUp<'_>> {
        let until_ms = self.lookup_cell(table, row, table.columns().saturating_sub(1));
        if is_over(table.feed(), until_ms, now_ms) {
            return Some(LookedUp::Unknown);
        }
        let cell = self.lookup_cell(table, row, column).filter(|cell| *cell != NO_CELL)?;
        let is_text = (table.texts() >> column.min(31)) & 1 == 1;
        Some(match is_text {
            true => LookedUp::Text(self.str(u32::try_from(cell).ok()?)),
            false => LookedUp::Number(cell),
        })
    }
}
