//! Rows of the log as items for one destination: what goes there, what does not, where the cursor stands then.

use super::fields;
use super::item::{Item, Refused};
use super::record::Routed;
use super::transform::REASON;
use crate::cursor::Position;
use crate::log_line;
use alloc::format;
use alloc::vec::Vec;
use selvedge_core::id::VisitorId;
use selvedge_core::limits::{DELIVERY_BYTES_MAX, DELIVERY_ITEMS_MAX};
use selvedge_core::mutation::{Mutation, is_planted};
use selvedge_core::pairs::Pairs;
use selvedge_core::wire::log_row::{BlankRow, LogRow};
use selvedge_core::wire::program::{Destination, Full};

/// What was taken of the log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Taken {
    /// Where the cursor stands after it.
    pub until: Position,
    /// What is to be sent, in order.
    pub items: Vec<Item>,
    /// Items that do not go to the destination.
    pub filtered: u64,
    /// Items whose visitors took the consent back.
    pub purged: u64,
    /// Items that could not be made into records.
    pub refused: Vec<Refused>,
    /// What waits for answers.
    pub waits: Waits,
}

/// What changed of the items that wait for their visitors' answers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Waits {
    /// Items that wait from now on.
    pub held: Vec<Held>,
    /// Items that waited, and do not any more.
    pub released: Vec<Held>,
    /// Visitors of whom something goes on waiting: nothing of theirs overtakes it.
    pub waiting: Pairs<VisitorId, ()>,
}

/// An item that waits for its visitor's answer: it stands in the log still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Held {
    /// Its row.
    pub row: u64,
    /// Its place there.
    pub at: u32,
    /// Whose it is.
    pub visitor: VisitorId,
    /// When it was received: Unix milliseconds.
    pub received_ms: u64,
}

/// Takes items, row by row.
#[derive(Debug)]
pub struct Taking {
    taken: Taken,
    bytes: usize,
    bytes_max: usize,
    count: usize,
}

impl Taking {
    /// From the cursor of a destination on. What is in flight cannot be given up: where the oldest may go, it takes at most
    /// half of the bytes that may wait, else the newest would have to go instead.
    #[must_use]
    pub fn from(cursor: Position, destination: &Destination) -> Self {
        let half = usize::try_from(destination.bytes_max / 2).unwrap_or(usize::MAX);
        let bytes_max = if destination.when_full == Full::DropOldest { half } else { usize::MAX };
        let taken = Taken { until: cursor, ..Taken::default() };
        Self { taken, bytes: 0, bytes_max: bytes_max.min(DELIVERY_BYTES_MAX), count: 0 }
    }

    /// Takes what is left of the row with this number; `route` makes records of an item, by its place in the row. Gives
    /// whether more fits.
    pub fn row(&mut self, number: u64, row: &LogRow, mut route: impl FnMut(usize) -> Routed) -> bool {
        let count = log_line::count(row);
        let from = usize::try_from(self.taken.until.events).unwrap_or(usize::MAX);
        for place in from..count {
            if self.is_full() {
                return false;
            }
            let routed = self.in_order(row.visitor, route(place));
            if routed == Routed::Held {
                self.taken.waits.held.push(held(number, row, place));
                self.taken.waits.waiting.insert(row.visitor, ());
                self.count = self.count.saturating_add(1);
            } else {
                self.item(number, row, place, routed);
            }
            self.taken.until.events = self.taken.until.events.saturating_add(1);
        }
        self.taken.until = Position { row: number, events: 0 };
        !self.is_full()
    }

    /// Something of the visitor waits: what comes behind it does too.
    pub fn waits(&mut self, visitor: VisitorId) {
        self.taken.waits.waiting.insert(visitor, ());
    }

    /// An item that waited and whose row is no more: nobody can be sent anything of it.
    pub fn gone(&mut self, held: Held) {
        self.taken.waits.released.push(held);
        self.taken.purged = self.taken.purged.saturating_add(1);
    }

    /// Asks again for an item that waits; what is said now of it is `routed`. Gives whether more fits.
    pub fn again(&mut self, number: u64, row: &LogRow, place: usize, routed: Routed) -> bool {
        let routed = self.in_order(row.visitor, routed);
        if routed == Routed::Held {
            self.taken.waits.waiting.insert(row.visitor, ());
            self.count = self.count.saturating_add(1);
        } else {
            self.taken.waits.released.push(held(number, row, place));
            self.item(number, row, place, routed);
        }
        !self.is_full()
    }

    /// What would be sent waits behind what waits of the same visitor.
    fn in_order(&self, visitor: VisitorId, routed: Routed) -> Routed {
        match routed {
            Routed::Send(records)
                if !records.is_empty() && self.taken.waits.waiting.get(&visitor).is_some() =>
            {
                Routed::Held
            }
            other => other,
        }
    }

    /// The row that was taken last, whole.
    #[must_use]
    pub const fn row_read(&self) -> u64 {
        self.taken.until.row
    }

    /// A row of which it is known that nothing of it goes there: so many items. Gives whether more fits.
    pub fn pass(&mut self, number: u64, items: u64) -> bool {
        let left = items.saturating_sub(u64::from(self.taken.until.events));
        self.taken.filtered = self.taken.filtered.saturating_add(left);
        self.taken.until = Position { row: number, events: 0 };
        !self.is_full()
    }

    /// A row of a visitor who was erased: nobody is sent anything of it. Gives whether more fits.
    pub fn blank(&mut self, number: u64, row: &BlankRow) -> bool {
        let left = row.items.saturating_sub(self.taken.until.events);
        self.taken.purged = self.taken.purged.saturating_add(u64::from(left));
        self.count = self.count.saturating_add(1);
        self.skip(number);
        !self.is_full()
    }

    /// A row that cannot be read: nobody can be sent anything of it.
    pub const fn skip(&mut self, number: u64) {
        self.taken.until = Position { row: number, events: 0 };
    }

    /// What was taken.
    #[must_use]
    pub fn end(mut self) -> Taken {
        if is_planted(Mutation::ClockForOrder) {
            self.taken.items.sort_by_key(|item| item.received_ms);
        }
        self.taken
    }

    const fn is_full(&self) -> bool {
        self.taken.items.len() >= DELIVERY_ITEMS_MAX
            || self.bytes >= self.bytes_max
            || self.count >= LOOKED_AT_MAX
    }

    fn item(&mut self, number: u64, row: &LogRow, place: usize, routed: Routed) {
        self.count = self.count.saturating_add(1);
        let item = |records| Item {
            row: number,
            visitor: row.visitor,
            at: u32::try_from(place).unwrap_or(u32::MAX),
            received_ms: row.received_ms,
            program: row.program,
            publish: row.publish,
            records,
        };
        let taken = &mut self.taken;
        match routed {
            Routed::Send(records) if records.is_empty() => {
                taken.filtered = taken.filtered.saturating_add(1);
            }
            Routed::Send(records) => {
                let item = item(records);
                self.bytes = self.bytes.saturating_add(item.bytes());
                taken.items.push(item);
            }
            Routed::Filtered | Routed::Held => taken.filtered = taken.filtered.saturating_add(1),
            Routed::Purged => taken.purged = taken.purged.saturating_add(1),
            Routed::Refused(refusal) => {
                let id = row.events.get(place).map_or_else(
                    || format!("{}:{}", row.visitor, row.received_ms),
                    |logged| fields::id_of(row, &logged.event),
                );
                let why = format!("{}: {}", refusal.path, refusal.message);
                taken.refused.push(Refused { item: item(Vec::new()), id, code: REASON, why });
            }
        }
    }
}

fn held(number: u64, row: &LogRow, place: usize) -> Held {
    let at = u32::try_from(place).unwrap_or(u32::MAX);
    Held { row: number, at, visitor: row.visitor, received_ms: row.received_ms }
}

/// Items looked at for one flight, whether they go or not.
const LOOKED_AT_MAX: usize = DELIVERY_ITEMS_MAX.saturating_mul(8);
