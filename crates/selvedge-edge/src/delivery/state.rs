//! What is stored of a destination in a shard, besides what is in flight: one small row.

use crate::cursor::Position;
use crate::histogram::{Bounds, Histogram};
use alloc::string::String;
use alloc::vec::Vec;
use selvedge_core::wire::codec::{Reader, WireFault, Writer};

/// The version of the stored form, its first byte.
const VERSION: u8 = 3;
/// The first version; from the second on items may wait for answers, and from the third on delays are counted.
const VERSION_FIRST: u8 = 1;

/// Upper bounds of the buckets of [`State::delays`], in milliseconds.
pub const DELAYS_MS: Bounds =
    [50, 100, 200, 500, 1_000, 2_000, 5_000, 15_000, 60_000, 300_000, 1_800_000, 7_200_000];

/// What became of the items of the log since the destination began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// The destination holds them.
    pub delivered: u64,
    /// They do not go there.
    pub filtered: u64,
    /// They are in quarantine.
    pub quarantined: u64,
    /// They were given up, because too many waited or the log no longer held them.
    pub dropped: u64,
    /// Their visitors took the consent back before they left.
    pub purged: u64,
    /// Records that the destination may hold twice.
    pub possible_duplicates: u64,
    /// Sends that were begun, resends included.
    pub sends: u64,
    /// Sends that did not end in a delivery.
    pub failures: u64,
}

impl Counts {
    /// Items that do not wait any more.
    #[must_use]
    pub const fn settled(&self) -> u64 {
        self.delivered
            .saturating_add(self.filtered)
            .saturating_add(self.quarantined)
            .saturating_add(self.dropped)
            .saturating_add(self.purged)
    }

    /// Counts what `other` counted.
    pub const fn merge(&mut self, other: &Self) {
        self.delivered = self.delivered.saturating_add(other.delivered);
        self.filtered = self.filtered.saturating_add(other.filtered);
        self.quarantined = self.quarantined.saturating_add(other.quarantined);
        self.dropped = self.dropped.saturating_add(other.dropped);
        self.purged = self.purged.saturating_add(other.purged);
        self.possible_duplicates = self.possible_duplicates.saturating_add(other.possible_duplicates);
        self.sends = self.sends.saturating_add(other.sends);
        self.failures = self.failures.saturating_add(other.failures);
    }
}

/// Which of the items in flight stand in the send that was begun last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Window {
    /// So many of the first that are not settled.
    pub items: u32,
    /// How often they were sent again.
    pub attempt: u32,
    /// They may be on their way now.
    pub is_in_air: bool,
    /// A send of them ended without an answer: the destination may hold them.
    pub is_unsure: bool,
}

/// Why nothing is sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Paused {
    /// An operator said so; else the destination's answer did.
    pub by_operator: bool,
    /// Why.
    pub why: String,
}

/// Where a destination stands in a shard.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct State {
    /// All items before this place were taken: they are settled or in flight.
    pub cursor: Position,
    /// Items of the log that lay before its beginning.
    pub began_at_items: u64,
    /// What became of the items since.
    pub counts: Counts,
    /// Items of those in flight that are settled, from the first on.
    pub settled: u32,
    /// Items in flight that are not settled.
    pub in_flight: u32,
    /// Bytes of the records in flight, settled or not.
    pub flight_bytes: u64,
    /// When the first item in flight that is not settled was received: Unix milliseconds; 0 where there is none.
    pub flight_oldest_ms: u64,
    /// Items that wait to go again, from the quarantine.
    pub again: u32,
    /// Items that wait for their visitors' answers.
    pub waiting: u32,
    /// Records of the first item that is not settled that are delivered.
    pub records_done: u32,
    /// The send that was begun last, until it ended for good.
    pub window: Option<Window>,
    /// So many of the first items that are not settled the destination may hold already: a send of them ended without an
    /// answer, whatever sends they are in from now on.
    pub unsure: u32,
    /// So many of the first items that are not settled surely hold one that the destination refuses.
    pub suspects: u32,
    /// Items of a send at most, learnt from those that were too large; 0: as many as there are.
    pub items_max: u32,
    /// Items that the destination refused since the last it took.
    pub refused_in_a_row: u32,
    /// Failures since the last delivery.
    pub failures: u32,
    /// Nothing is sent before: Unix milliseconds.
    pub not_before_ms: u64,
    /// What went wrong last; empty where nothing did since the last delivery.
    pub last_error: String,
    /// Nothing is sent until somebody acts.
    pub paused: Option<Paused>,
    /// The newest publish that named it.
    pub publish: u64,
    /// The publish that no longer named it.
    pub gone_since: Option<u64>,
    /// What it was configured with, and its secrets, as a hash.
    pub config: u64,
    /// How it is reached, as a hash: what the transport keeps is of use for this way alone.
    pub way: u64,
    /// What its transport keeps.
    pub transport: Vec<u8>,
    /// How long it took from when items were received until the destination held them, by [`DELAYS_MS`].
    pub delays: Histogram,
}

impl State {
    /// A destination that begins at the log's end.
    #[must_use]
    pub fn beginning(cursor: Position, log_items: u64, publish: u64) -> Self {
        Self { cursor, began_at_items: log_items, publish, ..Self::default() }
    }

    /// Items that are taken from the log and not settled.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.to_send().saturating_add(u64::from(self.waiting))
    }

    /// Those of them that may be sent.
    #[must_use]
    pub fn to_send(&self) -> u64 {
        u64::from(self.in_flight).saturating_add(u64::from(self.again))
    }

    /// The stored form.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.u8(VERSION);
        out.varint(self.cursor.row);
        out.varint(u64::from(self.cursor.events));
        out.varint(self.began_at_items);
        write_counts(&mut out, &self.counts);
        let small = [self.settled, self.in_flight, self.again, self.records_done, self.suspects];
        small.iter().for_each(|number| out.varint(u64::from(*number)));
        out.varint(self.flight_bytes);
        out.varint(self.flight_oldest_ms);
        out.flag(self.window.is_some());
        if let Some(window) = &self.window {
            out.varint(u64::from(window.items));
            out.varint(u64::from(window.attempt));
            out.flag(window.is_in_air);
            out.flag(window.is_unsure);
        }
        let small = [self.items_max, self.refused_in_a_row, self.failures];
        small.iter().for_each(|number| out.varint(u64::from(*number)));
        out.varint(self.not_before_ms);
        out.text(&self.last_error);
        out.flag(self.paused.is_some());
        if let Some(paused) = &self.paused {
            out.flag(paused.by_operator);
            out.text(&paused.why);
        }
        out.varint(self.publish);
        out.varint(self.gone_since.unwrap_or(0));
        out.fixed_u64(self.config);
        out.fixed_u64(self.way);
        out.bytes(&self.transport);
        out.varint(u64::from(self.waiting));
        out.varint(u64::from(self.unsure));
        self.delays.write(&mut out);
        out.into_bytes()
    }

    /// The state of its stored form.
    ///
    /// # Errors
    /// [`WireFault`] for bytes that are none.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireFault> {
        let mut reader = Reader::new(bytes);
        let version = reader.u8()?;
        if !(VERSION_FIRST..=VERSION).contains(&version) {
            return Err(WireFault::Malformed);
        }
        let reader = &mut reader;
        let mut state = Self {
            waiting: 0,
            cursor: Position { row: reader.varint_u64()?, events: reader.varint_u32()? },
            began_at_items: reader.varint_u64()?,
            counts: read_counts(reader)?,
            settled: reader.varint_u32()?,
            in_flight: reader.varint_u32()?,
            again: reader.varint_u32()?,
            records_done: reader.varint_u32()?,
            suspects: reader.varint_u32()?,
            flight_bytes: reader.varint_u64()?,
            flight_oldest_ms: reader.varint_u64()?,
            window: optional(reader, read_window)?,
            items_max: reader.varint_u32()?,
            refused_in_a_row: reader.varint_u32()?,
            failures: reader.varint_u32()?,
            not_before_ms: reader.varint_u64()?,
            last_error: reader.text()?.into(),
            paused: optional(reader, |reader| {
                Ok(Paused { by_operator: reader.flag()?, why: reader.text()?.into() })
            })?,
            publish: reader.varint_u64()?,
            gone_since: Some(reader.varint_u64()?).filter(|publish| *publish > 0),
            config: reader.fixed_u64()?,
            way: reader.fixed_u64()?,
            transport: reader.bytes()?.into(),
            unsure: 0,
            delays: Histogram::default(),
        };
        if version > 1 {
            state.waiting = reader.varint_u32()?;
            state.unsure = reader.varint_u32()?;
        }
        if version > 2 {
            state.delays = Histogram::read(reader)?;
        }
        reader.end()?;
        Ok(state)
    }
}

fn optional<T>(
    reader: &mut Reader<'_>,
    read: impl Fn(&mut Reader<'_>) -> Result<T, WireFault>,
) -> Result<Option<T>, WireFault> {
    if reader.flag()? { read(reader).map(Some) } else { Ok(None) }
}

fn read_window(reader: &mut Reader<'_>) -> Result<Window, WireFault> {
    Ok(Window {
        items: reader.varint_u32()?,
        attempt: reader.varint_u32()?,
        is_in_air: reader.flag()?,
        is_unsure: reader.flag()?,
    })
}

/// The counts, one number after the other.
pub fn write_counts(out: &mut Writer, counts: &Counts) {
    let Counts { delivered, filtered, quarantined, dropped, purged, possible_duplicates, sends, failures } =
        *counts;
    [delivered, filtered, quarantined, dropped, purged, possible_duplicates, sends, failures]
        .iter()
        .for_each(|count| out.varint(*count));
}

/// The counts that [`write_counts`] wrote.
///
/// # Errors
/// [`WireFault`] where the bytes end.
pub fn read_counts(reader: &mut Reader<'_>) -> Result<Counts, WireFault> {
    Ok(Counts {
        delivered: reader.varint_u64()?,
        filtered: reader.varint_u64()?,
        quarantined: reader.varint_u64()?,
        dropped: reader.varint_u64()?,
        purged: reader.varint_u64()?,
        possible_duplicates: reader.varint_u64()?,
        sends: reader.varint_u64()?,
        failures: reader.varint_u64()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_state_reads_as_it_was_written() {
        let mut delays = Histogram::default();
        [40, 2_000, 7_200_000].into_iter().for_each(|ms| delays.observe(&DELAYS_MS, ms));
        let state = State {
            delays,
            cursor: Position { row: 300, events: 2 },
            counts: Counts { delivered: 5, purged: 1, sends: 9, ..Counts::default() },
            window: Some(Window { items: 3, attempt: 2, is_in_air: true, is_unsure: false }),
            paused: Some(Paused { by_operator: true, why: "maintenance".into() }),
            gone_since: Some(7),
            transport: alloc::vec![1, 2, 3],
            unsure: 3,
            config: u64::MAX,
            ..State::beginning(Position::default(), 12, 4)
        };
        assert_eq!(State::decode(&state.encode()), Ok(state));
    }

    #[test]
    fn a_state_from_before_delays_were_counted_is_read() {
        let state = State { unsure: 3, ..State::beginning(Position::default(), 12, 4) };
        let mut bytes = state.encode();
        bytes[0] = 2;
        bytes.truncate(bytes.len() - DELAYS_MS.len() - 2);
        assert_eq!(State::decode(&bytes), Ok(state));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_state_or_none(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
            if let Ok(state) = State::decode(&bytes) {
                prop_assert_eq!(State::decode(&state.encode()), Ok(state));
            }
        }
    }
}
