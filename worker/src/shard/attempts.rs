//! Failed attempts: which event made a visitor's step panic, and how often. They are marked outside the transaction that
//! was rolled back; an event that failed twice is poison, so that it does not block its writer for ever.

use super::tables::id;
use crate::sql;
use selvedge_core::id::{VisitorId, WriterId};
use worker::SqlStorage;

/// Attempts at one event after which it is poison.
pub const POISON_ATTEMPTS: u32 = 2;
/// Attempts before any event after which the visitor's state is begun anew.
pub const FRESH_STATE_ATTEMPTS: u32 = 2;
/// Attempts before any event after which the whole batch is refused.
pub const REFUSE_ATTEMPTS: u32 = 4;
/// Marks that a shard keeps.
const MARKS_MAX: u64 = 10_000;

/// The attempts that failed at events of one writer, by sequence; sequence 0 stands for what comes before any event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attempts(Vec<(u32, u32)>);

impl Attempts {
    /// How often the step failed at `sequence`.
    pub fn at(&self, sequence: u32) -> u32 {
        self.0.iter().find(|(known, _)| *known == sequence).map_or(0, |(_, count)| *count)
    }

    /// The poison events.
    pub fn poison(&self) -> Vec<u32> {
        let is_poison = |(sequence, count): &&(u32, u32)| *sequence > 0 && *count >= POISON_ATTEMPTS;
        self.0.iter().filter(is_poison).map(|(sequence, _)| *sequence).collect()
    }

    /// Whether nothing failed.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The attempts that failed at events of `writer`.
pub fn read(sql: &SqlStorage, visitor: VisitorId, writer: WriterId) -> worker::Result<Attempts> {
    let statement = "SELECT sequence, count FROM attempt WHERE visitor = ? AND writer = ?";
    let rows = sql::rows(sql, statement, vec![id(visitor), sql::of_number(writer.bits())])?;
    let small = |value| u32::try_from(sql::number(value)).unwrap_or(u32::MAX);
    let attempt = |row: Vec<_>| {
        let mut values = row.into_iter();
        (small(values.next()), small(values.next()))
    };
    Ok(Attempts(rows.into_iter().map(attempt).collect()))
}

/// Marks one more failed attempt.
pub fn mark(sql: &SqlStorage, visitor: VisitorId, writer: WriterId, sequence: u32) -> worker::Result<()> {
    let statement = "INSERT INTO attempt VALUES (?, ?, ?, 1)
        ON CONFLICT(visitor, writer, sequence) DO UPDATE SET count = count + 1";
    let values = vec![id(visitor), sql::of_number(writer.bits()), sql::of_number(u64::from(sequence))];
    sql::run(sql, statement, values)?;
    let above = "DELETE FROM attempt WHERE (SELECT count(*) FROM attempt) > ? AND visitor != ?";
    sql::run(sql, above, vec![sql::of_number(MARKS_MAX), id(visitor)])
}

/// Forgets the attempts of a writer whose batch went through.
pub fn clear(sql: &SqlStorage, visitor: VisitorId, writer: WriterId) -> worker::Result<()> {
    let statement = "DELETE FROM attempt WHERE visitor = ? AND writer = ?";
    sql::run(sql, statement, vec![id(visitor), sql::of_number(writer.bits())])
}

/// Forgets all attempts of a visitor.
pub fn clear_all(sql: &SqlStorage, visitor: VisitorId) -> worker::Result<()> {
    sql::run(sql, "DELETE FROM attempt WHERE visitor = ?", vec![id(visitor)])
}
