//! Tables and pushes as bytes: between worker and registry, and as they are stored.

use super::push::Push;
use super::table::{Row, Table};
use alloc::string::String;
use alloc::vec::Vec;
use selvedge_core::wire::codec::{Reader, WireFault, Writer};
use selvedge_core::wire::program::{ColumnKind, LookupCell};

const MISSING: u8 = 0;
const NUMBER: u8 = 1;
const TEXT: u8 = 2;
/// In a push: the cell stays as it is.
const LEFT: u8 = 3;

impl Table {
    /// The table's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        write_columns(&mut out, &self.columns);
        out.count(self.rows.len());
        for row in &self.rows {
            out.text(&row.key);
            out.varint(row.time_ms);
            row.cells.iter().for_each(|cell| write_cell(&mut out, Some(cell)));
        }
        out.into_bytes()
    }

    /// The table of its bytes.
    ///
    /// # Errors
    /// [`WireFault`] for anything else.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireFault> {
        let mut from = Reader::new(bytes);
        let columns = read_columns(&mut from)?;
        let rows = list(&mut from, |from| {
            let (key, time_ms) = (from.text()?.into(), from.varint_u64()?);
            let cell = |_: &_| Ok(read_cell(from)?.unwrap_or(LookupCell::Missing));
            Ok(Row { key, time_ms, cells: columns.iter().map(cell).collect::<Result<_, _>>()? })
        })?;
        Ok(Self { columns, rows })
    }
}

impl Push {
    /// The push's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.flag(self.is_whole);
        write_columns(&mut out, &self.columns);
        out.count(self.rows.len());
        for (key, cells) in &self.rows {
            out.text(key);
            cells.iter().for_each(|cell| write_cell(&mut out, cell.as_ref()));
        }
        out.count(self.gone.len());
        self.gone.iter().for_each(|key| out.text(key));
        out.into_bytes()
    }

    /// The push of its bytes.
    ///
    /// # Errors
    /// [`WireFault`] for anything else.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireFault> {
        let mut from = Reader::new(bytes);
        let is_whole = from.flag()?;
        let columns = read_columns(&mut from)?;
        let rows = list(&mut from, |from| {
            let key = from.text()?.into();
            Ok((key, columns.iter().map(|_| read_cell(from)).collect::<Result<_, _>>()?))
        })?;
        let gone = list(&mut from, |from| Ok(from.text()?.into()))?;
        Ok(Self { columns, is_whole, rows, gone })
    }
}

/// A list; its count is believed only as far as there are bytes.
fn list<T>(
    from: &mut Reader<'_>,
    mut read: impl FnMut(&mut Reader<'_>) -> Result<T, WireFault>,
) -> Result<Vec<T>, WireFault> {
    let count = from.count()?;
    let mut items = Vec::new();
    for _ in 0..count {
        items.push(read(from)?);
    }
    Ok(items)
}

fn write_columns(out: &mut Writer, columns: &[(String, ColumnKind)]) {
    out.count(columns.len());
    for (name, kind) in columns {
        out.text(name);
        out.u8(*kind as u8);
    }
}

fn read_columns(from: &mut Reader<'_>) -> Result<Vec<(String, ColumnKind)>, WireFault> {
    list(from, |from| {
        let name = from.text()?.into();
        let kind = ColumnKind::ALL.get(usize::from(from.u8()?)).ok_or(WireFault::Malformed)?;
        Ok((name, *kind))
    })
}

fn write_cell(out: &mut Writer, cell: Option<&LookupCell>) {
    match cell {
        None => out.u8(LEFT),
        Some(LookupCell::Missing) => out.u8(MISSING),
        Some(LookupCell::Number(number)) => {
            out.u8(NUMBER);
            out.zigzag(*number);
        }
        Some(LookupCell::Text(text)) => {
            out.u8(TEXT);
            out.text(text);
        }
    }
}

fn read_cell(from: &mut Reader<'_>) -> Result<Option<LookupCell>, WireFault> {
    Ok(match from.u8()? {
        LEFT => None,
        MISSING => Some(LookupCell::Missing),
        NUMBER => Some(LookupCell::Number(from.zigzag_i64()?)),
        TEXT => Some(LookupCell::Text(from.text()?.into())),
        _ => return Err(WireFault::Malformed),
    })
}
