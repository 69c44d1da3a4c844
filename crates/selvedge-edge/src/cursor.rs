//! Where a reader of the log stands: in each shard, which row was read whole and how many events of the next one.
//!
//! As text, `0.12-1.7:2-3.9`: shard 0 up to row 12, shard 1 up to row 7 and two events of the one after. To readers it is
//! opaque.

use core::fmt;
use selvedge_core::pairs::Pairs;

/// Shards that a cursor may name.
const SHARDS_MAX: usize = 4_096;

/// A place in one shard's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Position {
    /// All rows up to this one were read.
    pub row: u64,
    /// So many events of the row after it were read.
    pub events: u32,
}

/// A place in the log of a site.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cursor {
    positions: Pairs<u32, Position>,
}

/// Where a reader begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// Behind this place; the first line of all where it names none.
    After(Cursor),
    /// With so many of the newest rows of every shard. A row is what one request wrote.
    Tail(u64),
}

impl Start {
    /// The start of its text: a cursor, or `tail:` and a number.
    ///
    /// # Errors
    /// [`CursorFault`] for anything else.
    pub fn parse(text: &str) -> Result<Self, CursorFault> {
        match text.strip_prefix("tail:") {
            Some(rows) => rows.parse().map(Self::Tail).map_err(|_| CursorFault),
            None => Cursor::parse(text).map(Self::After),
        }
    }
}

/// A text that is no cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no cursor; use the `cursor` of a line, `tail:100`, or none to begin with the first")]
pub struct CursorFault;

impl Cursor {
    /// The cursor of its text; the empty text is the beginning.
    ///
    /// # Errors
    /// [`CursorFault`] for anything that no line gave.
    pub fn parse(text: &str) -> Result<Self, CursorFault> {
        let mut cursor = Self::default();
        if text.is_empty() {
            return Ok(cursor);
        }
        for part in text.split('-') {
            let (shard, place) = part.split_once('.').ok_or(CursorFault)?;
            let (row, events) = place.split_once(':').unwrap_or((place, "0"));
            let number = |text: &str| text.parse().map_err(|_| CursorFault);
            let position = Position { row: row.parse().map_err(|_| CursorFault)?, events: number(events)? };
            if cursor.positions.len() == SHARDS_MAX {
                return Err(CursorFault);
            }
            cursor.positions.insert(number(shard)?, position);
        }
        Ok(cursor)
    }

    /// The place in a shard.
    #[must_use]
    pub fn position(&self, shard: u32) -> Position {
        self.positions.get(&shard).copied().unwrap_or_default()
    }

    /// Moves to a place in a shard.
    pub fn set(&mut self, shard: u32, position: Position) {
        self.positions.insert(shard, position);
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (shard, position)) in self.positions.iter().enumerate() {
            if at > 0 {
                out.write_str("-")?;
            }
            write!(out, "{shard}.{}", position.row)?;
            if position.events > 0 {
                write!(out, ":{}", position.events)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use proptest::prelude::*;

    #[test]
    fn a_cursor_reads_as_it_was_written() {
        let cursor = Cursor::parse("0.12-1.7:2-3.9").unwrap();
        assert_eq!(cursor.position(1), Position { row: 7, events: 2 });
        assert_eq!(cursor.position(2), Position::default());
        assert_eq!(cursor.to_string(), "0.12-1.7:2-3.9");
        assert_eq!(Cursor::parse("").unwrap(), Cursor::default());
        for text in ["0", "0.", "a.1", "0.1-", "0.1:x", "0.-1"] {
            assert_eq!(Cursor::parse(text), Err(CursorFault), "{text}");
        }
    }

    #[test]
    fn a_reader_begins_behind_a_cursor_or_near_the_end() {
        assert_eq!(Start::parse("tail:20"), Ok(Start::Tail(20)));
        assert_eq!(Start::parse("0.3"), Ok(Start::After(Cursor::parse("0.3").unwrap())));
        for text in ["tail:", "tail:-1", "tail:x", "tail"] {
            assert_eq!(Start::parse(text), Err(CursorFault), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_cursor_or_none(text in "[0-9.:-]{0,40}") {
            if let Ok(cursor) = Cursor::parse(&text) {
                prop_assert_eq!(Cursor::parse(&cursor.to_string()), Ok(cursor));
            }
        }
    }
}
