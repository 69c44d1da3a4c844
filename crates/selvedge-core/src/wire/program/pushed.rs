//! Rows that were pushed, put into a program's bytes. Only the edge does it, and tests that replace rows, so that the engine, here as in a page, reads one
//! kind of table.

use super::image::records::LookupTableRow;
use super::layout::{MAGIC, NO_CELL, kind, size, tag};
use super::{Image, LookupCell, LookupRow, ProgramFault};
use crate::limits::{LOOKUP_ROWS_MAX, PROGRAM_BYTES_MAX};
use crate::wire::codec::Writer;
use alloc::vec::Vec;

/// The bytes of the same program with these rows in its tables, each by its place, instead of those it has. Rows are sorted by key and have a
/// cell for each column; that of [`super::Feed::Dated`] is the last.
///
/// # Errors
/// [`ProgramFault`] for bytes that are no program, a table that it does not have, and what is too large.
pub fn with_rows(program: &[u8], tables: &[(u16, Vec<LookupRow>)]) -> Result<Vec<u8>, ProgramFault> {
    let image = Image::open(program.into())?;
    let mut rows = Rows::of(&image);
    for (at, pushed) in tables {
        let table = image.lookup(*at);
        if *at >= image.lookups() {
            return Err(ProgramFault::Index);
        }
        rows.put(usize::from(*at), table, pushed)?;
    }
    let mut out = Writer::new();
    out.raw(MAGIC);
    for number in 1..u8::try_from(tag::END).unwrap_or(u8::MAX) {
        let content = match number {
            tag::TEXTS => &rows.texts,
            tag::LOOKUPS => &rows.tables,
            tag::LOOKUP_KEYS => &rows.keys,
            tag::LOOKUP_CELLS => &rows.cells,
            _ => image.table(number),
        };
        if !content.is_empty() {
            out.section(number, content);
        }
    }
    let bytes = out.into_bytes();
    if bytes.len() > PROGRAM_BYTES_MAX { Err(ProgramFault::TooLarge) } else { Ok(bytes) }
}

/// The bytes of the same program where these rules, by their places, are no drafts: for a preview.
///
/// # Errors
/// [`ProgramFault`] for bytes that are no program.
pub fn with_live(program: &[u8], rules: &[u16]) -> Result<Vec<u8>, ProgramFault> {
    /// Where the status stands in a rule's record.
    const STATUS: usize = 37;
    let image = Image::open(program.into())?;
    let mut table = Vec::from(image.table(tag::RULES));
    for rule in rules {
        let at = usize::from(*rule).saturating_mul(size::WIDE).saturating_add(STATUS);
        *table.get_mut(at).ok_or(ProgramFault::Index)? = kind::STATUS_LIVE;
    }
    let mut out = Writer::new();
    out.raw(MAGIC);
    for number in 1..u8::try_from(tag::END).unwrap_or(u8::MAX) {
        let content = if number == tag::RULES { &table } else { image.table(number) };
        if !content.is_empty() {
            out.section(number, content);
        }
    }
    Ok(out.into_bytes())
}

/// The sections that rows stand in.
struct Rows {
    texts: Vec<u8>,
    tables: Vec<u8>,
    keys: Vec<u8>,
    cells: Vec<u8>,
}

impl Rows {
    fn of(image: &Image) -> Self {
        Self {
            texts: image.table(tag::TEXTS).into(),
            tables: image.table(tag::LOOKUPS).into(),
            keys: image.table(tag::LOOKUP_KEYS).into(),
            cells: image.table(tag::LOOKUP_CELLS).into(),
        }
    }

    fn put(&mut self, at: usize, table: LookupTableRow, pushed: &[LookupRow]) -> Result<(), ProgramFault> {
        let count = u32::try_from(pushed.len()).unwrap_or(u32::MAX);
        if count > LOOKUP_ROWS_MAX {
            return Err(ProgramFault::TooLarge);
        }
        let place =
            |bytes: usize, of: usize| u32::try_from(bytes.checked_div(of).unwrap_or(0)).unwrap_or(u32::MAX);
        let first_row = place(self.keys.len(), size::PLACE);
        let first_cell = place(self.cells.len(), size_of::<i64>());
        for row in pushed {
            let key = self.text(&row.key);
            self.keys.extend_from_slice(&key.to_le_bytes());
            for column in 0..usize::from(table.columns()) {
                let cell = match row.cells.get(column) {
                    None | Some(LookupCell::Missing) => NO_CELL,
                    Some(LookupCell::Number(number)) => *number,
                    Some(LookupCell::Text(text)) => self.text(text).into(),
                };
                self.cells.extend_from_slice(&cell.to_le_bytes());
            }
        }
        let start = at.saturating_mul(size::NARROW);
        for (field, value) in [(4usize, first_row), (8, count), (12, first_cell)] {
            self.write(start.saturating_add(field), &value.to_le_bytes());
        }
        self.write(start.saturating_add(21), &[table.feed(), 1]);
        Ok(())
    }

    fn write(&mut self, at: usize, bytes: &[u8]) {
        for (place, byte) in self.tables.iter_mut().skip(at).zip(bytes) {
            *place = *byte;
        }
    }

    fn text(&mut self, text: &str) -> u32 {
        let place = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        let kept = text.get(..text.floor_char_boundary(usize::from(u16::MAX))).unwrap_or_default();
        self.texts.extend_from_slice(&u16::try_from(kept.len()).unwrap_or(u16::MAX).to_le_bytes());
        self.texts.extend_from_slice(kept.as_bytes());
        place
    }
}
