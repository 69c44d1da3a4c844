//! What is pushed into a table: CSV or JSON lines, read against what the site says of it. One wrong cell refuses all of it.

use super::csv;
use crate::fault::Fault;
use crate::ingest::json_value;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use selvedge_core::limits::{LOOKUP_COLUMNS_MAX, LOOKUP_ROWS_MAX, STATE_TEXT_BYTES_MAX, TEXT_BYTES_MAX};
use selvedge_core::value::{Map, Value};
use selvedge_core::wire::program::{ColumnKind, LookupCell, PushedTable};

/// What is pushed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Push {
    /// The table's columns but for the key.
    pub columns: Vec<(String, ColumnKind)>,
    /// Whether nothing of before stays.
    pub is_whole: bool,
    /// Rows by key, each once; of each column the cell, or `None` where the push does not say it.
    pub rows: Vec<(String, Vec<Option<LookupCell>>)>,
    /// Keys whose rows go.
    pub gone: Vec<String>,
}

/// A row of text: its number, and what stands in the columns that it has.
type Cells<'a> = (usize, &'a dyn Fn(&str) -> Option<Cell>);

/// What stands in a cell.
enum Cell {
    Text(String),
    Cell(LookupCell),
}

impl Push {
    /// The push in `text`: JSON lines where it begins with a brace, else CSV with a header line. A whole table has all of
    /// the columns that the site says; columns that it does not say are left out.
    ///
    /// # Errors
    /// [`Fault`] 422 for text that is no such table, 413 above [`LOOKUP_ROWS_MAX`].
    pub fn read(text: &[u8], table: &PushedTable, is_whole: bool) -> Result<Self, Fault> {
        let text = core::str::from_utf8(text).map_err(|_| Fault::bad_lookup("the body is no UTF-8 text"))?;
        let columns = table.columns.clone();
        let mut push = Self { columns, is_whole, rows: Vec::new(), gone: Vec::new() };
        if text.trim_start().starts_with('{') {
            push.lines(text, table)?;
        } else {
            push.csv(text, table)?;
        }
        push.rows.sort_by(|one, other| one.0.cmp(&other.0));
        match push.rows.windows(2).find_map(|pair| match pair {
            [(one, _), (other, _)] if one == other => Some(one),
            _ => None,
        }) {
            Some(twice) => Err(Fault::bad_lookup(format!("the key `{twice}` stands in two rows"))),
            None => Ok(push),
        }
    }

    /// A push that takes one row away.
    #[must_use]
    pub fn without(key: &str, table: &PushedTable) -> Self {
        let gone = alloc::vec![key.to_string()];
        Self { columns: table.columns.clone(), is_whole: false, rows: Vec::new(), gone }
    }

    fn lines(&mut self, text: &str, table: &PushedTable) -> Result<(), Fault> {
        let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
        for (number, line) in lines {
            let map = json_value::map(line, LOOKUP_COLUMNS_MAX.saturating_mul(4)).map_err(|code| {
                Fault::bad_lookup(format!("line {number} is no JSON object: {}", code.as_str()))
            })?;
            self.row((number, &|name| of_json(&map, name)), table)?;
        }
        Ok(())
    }

    fn csv(&mut self, text: &str, table: &PushedTable) -> Result<(), Fault> {
        let records = csv::records(text).map_err(Fault::bad_lookup)?;
        let Some((header, rows)) = records.split_first() else {
            return Err(Fault::bad_lookup("the body is empty: a table has a header line"));
        };
        let has = |name: &String| header.contains(name);
        let wanted = core::iter::once(&table.key).chain(table.columns.iter().map(|(name, _)| name));
        for name in wanted.filter(|_| self.is_whole).chain([&table.key]) {
            if !has(name) {
                return Err(Fault::bad_lookup(format!("the header line has no column `{name}`")));
            }
        }
        for (number, row) in (2..).zip(rows) {
            if row.len() != header.len() {
                let message =
                    format!("row {number} has {} cells; the header line {}", row.len(), header.len());
                return Err(Fault::bad_lookup(message));
            }
            let cell = |name: &str| {
                let at = header.iter().position(|known| known == name)?;
                row.get(at).cloned().map(Cell::Text)
            };
            self.row((number, &cell), table)?;
        }
        Ok(())
    }

    fn row(&mut self, (number, cells): Cells<'_>, table: &PushedTable) -> Result<(), Fault> {
        if self.rows.len() >= usize::try_from(LOOKUP_ROWS_MAX).unwrap_or(usize::MAX) {
            return Err(Fault::lookup_too_large(format!("more than {LOOKUP_ROWS_MAX} rows")));
        }
        let key = match cells(&table.key) {
            Some(Cell::Text(key) | Cell::Cell(LookupCell::Text(key))) => key,
            _ => String::new(),
        };
        if key.is_empty() || key.len() > STATE_TEXT_BYTES_MAX {
            let message = format!(
                "row {number}: the key `{}` has {} bytes; 1 to {STATE_TEXT_BYTES_MAX}",
                table.key,
                key.len()
            );
            return Err(Fault::bad_lookup(message));
        }
        let cell = |(name, kind): &(String, ColumnKind)| typed(cells(name), *kind, name, number);
        let cells = table.columns.iter().map(cell).collect::<Result<Vec<_>, _>>()?;
        self.rows.push((key, cells));
        Ok(())
    }
}

/// What stands in a cell, as its column says.
fn typed(
    cell: Option<Cell>,
    kind: ColumnKind,
    column: &str,
    number: usize,
) -> Result<Option<LookupCell>, Fault> {
    let wrong = |found: &str| {
        let message = format!("row {number}: `{found}` in `{column}` is not {}", kind.form());
        Fault::bad_lookup(message)
    };
    let fits = |cell: &LookupCell| match (cell, kind) {
        (LookupCell::Missing, _) => true,
        (LookupCell::Text(text), ColumnKind::Text) => text.len() <= TEXT_BYTES_MAX,
        (LookupCell::Number(_), ColumnKind::Number | ColumnKind::Money | ColumnKind::Bool) => true,
        _ => false,
    };
    match cell {
        None => Ok(None),
        Some(Cell::Text(text)) if text.len() > TEXT_BYTES_MAX => Err(Fault::bad_lookup(format!(
            "row {number}: the text in `{column}` is above {TEXT_BYTES_MAX} bytes"
        ))),
        Some(Cell::Text(text)) => LookupCell::read(&text, kind).map(Some).ok_or_else(|| wrong(&text)),
        Some(Cell::Cell(cell)) if fits(&cell) => Ok(Some(cell)),
        Some(Cell::Cell(_)) => Err(wrong("the value")),
    }
}

/// What a JSON object says of a column: a text may be anything that CSV may have there.
fn of_json(map: &Map, name: &str) -> Option<Cell> {
    Some(match map.get(name)? {
        Value::Null => Cell::Cell(LookupCell::Missing),
        Value::Text(text) => Cell::Text(text.clone()),
        Value::Bool(yes) => Cell::Text(if *yes { "true" } else { "false" }.into()),
        Value::Number(number) => Cell::Cell(
            number.micro().map_or(LookupCell::Text(String::new()), |micro| LookupCell::Number(micro.0)),
        ),
        Value::List(_) | Value::Object(_) => Cell::Cell(LookupCell::Text(String::new())),
    })
}
