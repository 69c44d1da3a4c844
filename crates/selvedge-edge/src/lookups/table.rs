//! A pushed table as it is stored: what its columns are, and its rows, each with the time it was pushed at.

use super::push::Push;
use crate::fault::Fault;
use crate::json::JsonMap;
use crate::text::rfc_3339;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use selvedge_core::limits::LOOKUP_ROWS_MAX;
use selvedge_core::number::{MICRO, Micro, Number};
use selvedge_core::value::Value;
use selvedge_core::wire::program::{ColumnKind, LookupCell, LookupRow, PushedTable};

/// A table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    /// Its columns but for the key, in the order of the cells.
    pub columns: Vec<(String, ColumnKind)>,
    /// Its rows, sorted by key.
    pub rows: Vec<Row>,
}

/// A row of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What it is found by.
    pub key: String,
    /// When it was pushed: Unix milliseconds.
    pub time_ms: u64,
    /// As many as there are columns.
    pub cells: Vec<LookupCell>,
}

impl Table {
    /// The table after a push at `now_ms`. A push of the whole table leaves nothing of before; one of single rows leaves
    /// the others, and of its own rows the cells that it does not say.
    ///
    /// # Errors
    /// [`Fault`] 413 above [`LOOKUP_ROWS_MAX`].
    pub fn after(&self, push: Push, now_ms: u64) -> Result<Self, Fault> {
        let mut next = Self { columns: push.columns, rows: Vec::new() };
        if !push.is_whole {
            next.rows = self.aligned(&next.columns);
        }
        // Rows come sorted: those that are new stand behind the others until all are there.
        let before = next.rows.len();
        for (key, cells) in push.rows {
            let known = next.rows.get(..before).unwrap_or_default();
            match known.binary_search_by(|row| row.key.as_str().cmp(&key)) {
                Ok(at) => next.rows.get_mut(at).into_iter().for_each(|row| row.write(&cells, now_ms)),
                Err(_) => {
                    let mut row = Row { key, time_ms: now_ms, cells: missing(next.columns.len()) };
                    row.write(&cells, now_ms);
                    next.rows.push(row);
                }
            }
        }
        next.rows.retain(|row| !push.gone.contains(&row.key));
        next.rows.sort_by(|one, other| one.key.cmp(&other.key));
        if next.rows.len() > usize::try_from(LOOKUP_ROWS_MAX).unwrap_or(usize::MAX) {
            let found = next.rows.len();
            return Err(Fault::lookup_too_large(format!("{found} rows; at most {LOOKUP_ROWS_MAX}")));
        }
        Ok(next)
    }

    /// The rows as JSON lines, as they could be pushed again; `key` is the name of the column that they are found by.
    #[must_use]
    pub fn lines(&self, key: &str) -> String {
        let mut out = String::new();
        for row in &self.rows {
            let cells = self.columns.iter().zip(&row.cells);
            let map = core::iter::once((key, Value::Text(row.key.clone())))
                .chain(cells.map(|((name, kind), cell)| (name.as_str(), value_of(cell, *kind))))
                .map(|(name, value)| (name.into(), value))
                .collect();
            out.push_str(&serde_json::to_string(&JsonMap(&map)).unwrap_or_default());
            out.push('\n');
        }
        out
    }

    /// The rows with these columns; what it does not have is missing.
    fn aligned(&self, columns: &[(String, ColumnKind)]) -> Vec<Row> {
        let places: Vec<Option<usize>> =
            columns.iter().map(|column| self.columns.iter().position(|known| known == column)).collect();
        let cell = |row: &Row, place: &Option<usize>| {
            place.and_then(|at| row.cells.get(at).cloned()).unwrap_or(LookupCell::Missing)
        };
        let row = |row: &Row| Row {
            key: row.key.clone(),
            time_ms: row.time_ms,
            cells: places.iter().map(|place| cell(row, place)).collect(),
        };
        self.rows.iter().map(row).collect()
    }

    /// The rows as a program has them: with the columns that the site says, and how long each is known.
    #[must_use]
    pub fn rows_of(&self, table: &PushedTable) -> Vec<LookupRow> {
        let row = |row: Row| {
            let until = table.ttl_ms.map(|ttl_ms| {
                LookupCell::Number(i64::try_from(row.time_ms.saturating_add(ttl_ms)).unwrap_or(i64::MAX))
            });
            LookupRow { key: row.key, cells: row.cells.into_iter().chain(until).collect() }
        };
        self.aligned(&table.columns).into_iter().map(row).collect()
    }
}

impl Row {
    /// Takes the cells that are said.
    fn write(&mut self, cells: &[Option<LookupCell>], now_ms: u64) {
        self.time_ms = now_ms;
        for (place, cell) in self.cells.iter_mut().zip(cells) {
            if let Some(cell) = cell {
                place.clone_from(cell);
            }
        }
    }
}

/// A cell as JSON has it.
fn value_of(cell: &LookupCell, kind: ColumnKind) -> Value {
    match (cell, kind) {
        (LookupCell::Missing, _) => Value::Null,
        (LookupCell::Text(text), _) => Value::Text(text.clone()),
        (LookupCell::Number(number), ColumnKind::Bool) => Value::Bool(*number != 0),
        (LookupCell::Number(ms), ColumnKind::Time) => Value::Text(rfc_3339(ms.unsigned_abs())),
        (LookupCell::Number(micro), _) if micro.checked_rem(MICRO) == Some(0) => {
            Value::Number(Number::Int(micro.checked_div(MICRO).unwrap_or(0)))
        }
        (LookupCell::Number(micro), _) => Value::Number(Micro(*micro).number()),
    }
}

fn missing(count: usize) -> Vec<LookupCell> {
    alloc::vec![LookupCell::Missing; count]
}
