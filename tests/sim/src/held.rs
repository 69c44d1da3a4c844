//! Items that wait for their visitors' answers, over tables in memory, as `worker/src/shard/outbox/held.rs` keeps them.

use crate::shard::{Tables, Write};
use selvedge_core::id::VisitorId;
use selvedge_core::limits::DELIVERY_ITEMS_MAX;
use selvedge_edge::delivery::take::{Held, Waits};
use std::collections::BTreeSet;

/// All that waits for a destination, in the order of the log.
pub fn of<'a>(tables: &'a Tables, name: &'a str) -> impl Iterator<Item = Held> + 'a {
    let of_it = tables.held.iter().filter(move |((known, ..), _)| known == name);
    of_it.map(|((_, row, at), (visitor, received_ms))| Held {
        row: *row,
        at: *at,
        visitor: *visitor,
        received_ms: *received_ms,
    })
}

/// A visitor has answered: what waits for that is asked for again.
#[must_use]
pub fn answered(tables: &Tables, visitor: VisitorId) -> Vec<Write> {
    let theirs = tables.held.iter().filter(|(_, (whose, _))| *whose == visitor);
    let names: BTreeSet<&String> = theirs.map(|((name, ..), _)| name).collect();
    names.into_iter().map(|name| Write::Answered(name.clone(), visitor)).collect()
}

/// Whether somebody answered of whom something waits for the destination.
#[must_use]
pub fn is_answered(tables: &Tables, name: &str) -> bool {
    tables.answered.iter().any(|(known, _)| known == name)
}

/// Whether something is to be asked for again: its visitor answered, or its time is over.
#[must_use]
pub fn is_due(tables: &Tables, name: &str, until_ms: u64) -> bool {
    is_answered(tables, name) || of(tables, name).next().is_some_and(|oldest| oldest.received_ms < until_ms)
}

/// What is to be asked for again, and what is to be written for that.
#[must_use]
pub fn due(tables: &Tables, name: &str, until_ms: u64) -> (Vec<Held>, Vec<Write>) {
    let over = of(tables, name).filter(|held| held.received_ms < until_ms).map(|held| held.visitor);
    let over: BTreeSet<VisitorId> = over.collect();
    let is_asked = |held: &Held| {
        over.contains(&held.visitor) || tables.answered.contains(&(name.to_owned(), held.visitor))
    };
    let asked = of(tables, name).filter(is_asked).take(DELIVERY_ITEMS_MAX).collect();
    (asked, over.iter().map(|visitor| Write::Answered(name.to_owned(), *visitor)).collect())
}

/// As `settle`. `asked` is what [`due`] gave.
#[must_use]
pub fn settle(tables: &Tables, name: &str, waits: &Waits, asked: &[Held]) -> Vec<Write> {
    let mut writes: Vec<Write> = Vec::new();
    writes.extend(waits.held.iter().map(|held| Write::Hold(name.to_owned(), *held)));
    writes.extend(waits.released.iter().map(|held| Write::Release(name.to_owned(), held.row, held.at)));
    let is_released = |held: &Held| {
        waits.released.iter().any(|released| (released.row, released.at) == (held.row, held.at))
    };
    let visitors: BTreeSet<VisitorId> = asked.iter().map(|held| held.visitor).collect();
    for visitor in visitors {
        let stays = of(tables, name).any(|held| held.visitor == visitor && !is_released(&held));
        let is_held = stays || waits.held.iter().any(|held| held.visitor == visitor);
        if waits.waiting.get(&visitor).is_some() || !is_held {
            writes.push(Write::Unanswered(name.to_owned(), visitor));
        }
    }
    writes
}

/// The first row that something waits in.
#[must_use]
pub fn first_row(tables: &Tables) -> Option<u64> {
    tables.held.keys().map(|(_, row, _)| *row).min()
}

/// Forgets what waits of a visitor for a destination; gives how many items that were.
pub fn erase(tables: &Tables, name: &str, visitor: VisitorId, writes: &mut Vec<Write>) -> u32 {
    let theirs: Vec<Held> = of(tables, name).filter(|held| held.visitor == visitor).collect();
    writes.extend(theirs.iter().map(|held| Write::Release(name.to_owned(), held.row, held.at)));
    writes.push(Write::Unanswered(name.to_owned(), visitor));
    u32::try_from(theirs.len()).unwrap_or(u32::MAX)
}
