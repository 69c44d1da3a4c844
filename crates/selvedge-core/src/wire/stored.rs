//! What a shard keeps of one visitor: the newest consent, what was already taken of each writer, and the rules' state.
//! The state's bytes are opaque here; it is only kept where a purpose for it is granted.

use super::batch::{read_snapshot, write_snapshot};
use super::codec::{Reader, WireFault, Writer};
use super::promise::{Promise, read_promised, write_promised};
use crate::consent::Snapshot;
use crate::id::WriterId;
use crate::limits::{DEDUP_WINDOW, FOREIGN_EVENTS_MAX, WRITERS_MAX};
use alloc::vec::Vec;

/// The version of a record, its first byte.
pub const VERSION: u8 = 1;

/// Words of 64 sequences that one window holds at most.
pub const WINDOW_WORDS_MAX: usize = (DEDUP_WINDOW as usize).div_ceil(u64::BITS as usize);

/// What a shard keeps of one visitor.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VisitorRecord {
    /// The publish number of the program that last stepped the state. An older program never steps it again.
    pub publish: u64,
    /// The newest consent that was said: it binds batches that were captured under an older one.
    pub consent: Snapshot,
    /// Minute of boot ([`WriterId::boot_minute`]) of the newest writer whose window was given up; 0 where none was.
    pub watermark: u64,
    /// What was taken of each writer, by writer ascending; at most [`WRITERS_MAX`].
    pub writers: Vec<WriterWindow>,
    /// What was taken of the events that other SDKs named.
    pub foreign: ForeignWindow,
    /// The rules' state, encoded; empty where there is none.
    pub state: Vec<u8>,
    /// Grants that answers hold; at most [`crate::limits::PROMISES_MAX`]. Kept as long as the state is.
    pub promised: Vec<Promise>,
    /// Which of the visitor's devices holds the leases of caps, by its tag; 0 where that has none. Kept as long as the state is.
    pub holder: u32,
}

/// Which sequences of one writer were taken: all up to the mark, and some above it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriterWindow {
    /// Whose.
    pub writer: WriterId,
    /// Every sequence up to this one was taken, or will never come.
    pub mark: u32,
    /// Bit `n` (from the lowest of the first word) stands for sequence `mark + 1 + n`. No zero word at the end.
    pub above: Vec<u64>,
}

/// Which events of other SDKs were taken within the window, by the ids that those gave them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ForeignWindow {
    /// Events counted, at the greatest sequence begun anew: the next one's sequence is one more.
    pub counted: u32,
    /// The time of the newest event whose id was evicted for want of room: unknown ids up to it may be duplicates.
    pub watermark_ms: u64,
    /// What was taken, by time and then key ascending; at most [`FOREIGN_EVENTS_MAX`].
    pub taken: Vec<ForeignEvent>,
}

/// An event that another SDK named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ForeignEvent {
    /// When it happened, at most the time of its receipt.
    pub time_ms: u64,
    /// The first 8 bytes of the SHA-256 of its id.
    pub key: u64,
}

/// Why a record cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecordFault {
    /// Another version than [`VERSION`].
    #[error("the visitor's record has version {0}; this program reads version {VERSION}")]
    Version(u8),
    /// The bytes are no record.
    #[error("the visitor's record cannot be read: {0}")]
    Bytes(#[from] WireFault),
}

impl VisitorRecord {
    /// The record's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.u8(VERSION);
        out.varint(self.publish);
        write_snapshot(&mut out, &self.consent);
        out.varint(self.watermark);
        out.count(self.writers.len());
        for window in &self.writers {
            out.varint(window.writer.bits());
            out.varint(u64::from(window.mark));
            out.count(window.above.len());
            window.above.iter().for_each(|word| out.varint(*word));
        }
        write_foreign(&mut out, &self.foreign);
        out.bytes(&self.state);
        write_promised(&mut out, &self.promised, self.holder);
        out.into_bytes()
    }

    /// The record that [`Self::encode`] made.
    ///
    /// # Errors
    /// [`RecordFault`]: another version, or bytes that are no record.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordFault> {
        let mut reader = Reader::new(bytes);
        match reader.u8()? {
            VERSION => {}
            version => return Err(RecordFault::Version(version)),
        }
        let mut record = Self {
            publish: reader.varint_u64()?,
            consent: read_snapshot(&mut reader)?,
            watermark: reader.varint_u64()?,
            writers: read_writers(&mut reader)?,
            foreign: read_foreign(&mut reader)?,
            state: reader.bytes()?.into(),
            promised: read_promised(&mut reader)?,
            holder: 0,
        };
        if !reader.rest().is_empty() {
            record.holder = reader.varint_u32()?;
        }
        reader.end()?;
        Ok(record)
    }
}

/// Bytes at the front of a record that surely hold its consent.
pub const CONSENT_PREFIX_BYTES: usize = 48;

/// The newest consent in a record of which at least the first [`CONSENT_PREFIX_BYTES`] are given.
///
/// # Errors
/// [`RecordFault`]: another version, or bytes that are no record.
pub fn consent_of(prefix: &[u8]) -> Result<Snapshot, RecordFault> {
    let mut reader = Reader::new(prefix);
    match reader.u8()? {
        VERSION => {}
        version => return Err(RecordFault::Version(version)),
    }
    reader.varint_u64()?;
    Ok(read_snapshot(&mut reader)?)
}

fn read_writers(reader: &mut Reader<'_>) -> Result<Vec<WriterWindow>, WireFault> {
    let count = bounded(reader.count()?, WRITERS_MAX)?;
    let mut writers = Vec::with_capacity(count);
    for _ in 0..count {
        let writer = WriterId::from_bits(reader.varint_u64()?);
        let mark = reader.varint_u32()?;
        let words = bounded(reader.count()?, WINDOW_WORDS_MAX)?;
        let above = (0..words).map(|_| reader.varint_u64()).collect::<Result<_, _>>()?;
        writers.push(WriterWindow { writer, mark, above });
    }
    Ok(writers)
}

/// Times stand as the distance from the one before: they ascend.
fn write_foreign(out: &mut Writer, foreign: &ForeignWindow) {
    out.count(foreign.taken.len());
    out.varint(u64::from(foreign.counted));
    out.varint(foreign.watermark_ms);
    let mut before_ms = 0;
    for event in &foreign.taken {
        out.varint(event.time_ms.wrapping_sub(before_ms));
        out.raw(&event.key.to_le_bytes());
        before_ms = event.time_ms;
    }
}

fn read_foreign(reader: &mut Reader<'_>) -> Result<ForeignWindow, WireFault> {
    let count = bounded(reader.count()?, FOREIGN_EVENTS_MAX)?;
    let (counted, watermark_ms) = (reader.varint_u32()?, reader.varint_u64()?);
    let (mut taken, mut before_ms) = (Vec::with_capacity(count), 0u64);
    for _ in 0..count {
        before_ms = before_ms.wrapping_add(reader.varint_u64()?);
        let mut key = [0; 8];
        for byte in &mut key {
            *byte = reader.u8()?;
        }
        taken.push(ForeignEvent { time_ms: before_ms, key: u64::from_le_bytes(key) });
    }
    Ok(ForeignWindow { counted, watermark_ms, taken })
}

const fn bounded(count: usize, max: usize) -> Result<usize, WireFault> {
    if count > max { Err(WireFault::TooLarge) } else { Ok(count) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consent::Purposes;
    use crate::limits::PROMISES_MAX;
    use crate::wire::promise::{HOLDER_BYTES_MAX, PROMISED_BYTES_MAX};
    use alloc::vec;
    use proptest::prelude::*;

    fn windows() -> impl Strategy<Value = Vec<WriterWindow>> {
        let window = (any::<u64>(), any::<u32>(), prop::collection::vec(any::<u64>(), 0..=WINDOW_WORDS_MAX));
        let window = window.prop_map(|(writer, mark, above)| WriterWindow {
            writer: WriterId::from_bits(writer),
            mark,
            above,
        });
        prop::collection::vec(window, 0..=WRITERS_MAX / 8)
    }

    fn foreign() -> impl Strategy<Value = ForeignWindow> {
        let taken = prop::collection::vec((any::<u64>(), any::<u64>()), 0..40);
        (any::<u32>(), any::<u64>(), taken).prop_map(|(counted, watermark_ms, mut taken)| {
            taken.sort_unstable();
            let taken = taken.into_iter().map(|(time_ms, key)| ForeignEvent { time_ms, key }).collect();
            ForeignWindow { counted, watermark_ms, taken }
        })
    }

    fn promised() -> impl Strategy<Value = Vec<Promise>> {
        let names = (any::<u64>(), any::<u64>(), any::<u64>(), any::<u64>());
        let promise = (names, any::<i64>(), any::<bool>());
        let promise = promise.prop_map(|((rule, slot, holder, value), expires_ms, is_spent)| Promise {
            rule,
            slot,
            holder,
            value,
            expires_ms,
            is_spent,
        });
        prop::collection::vec(promise, 0..=PROMISES_MAX)
    }

    #[test]
    fn what_answers_hold_takes_no_more_than_is_proven_and_nothing_where_there_is_none() {
        let none = VisitorRecord::default().encode().len();
        let extreme = Promise {
            rule: u64::MAX,
            slot: u64::MAX,
            holder: u64::MAX,
            value: u64::MAX,
            expires_ms: i64::MIN,
            is_spent: true,
        };
        let all = VisitorRecord { promised: vec![extreme; PROMISES_MAX], ..VisitorRecord::default() };
        assert_eq!(all.encode().len() - none, PROMISED_BYTES_MAX);
        let held = VisitorRecord { holder: u32::MAX, ..all.clone() };
        assert_eq!(held.encode().len() - none, PROMISED_BYTES_MAX + HOLDER_BYTES_MAX);
        let more = VisitorRecord { promised: vec![extreme; PROMISES_MAX + 1], ..all };
        assert!(VisitorRecord::decode(&more.encode()).is_err());
    }

    proptest! {
        #[test]
        fn decoding_gives_back_what_was_encoded(
            publish: u64, watermark: u64, granted: u16, denied: u16, policy_version: u16, time_ms: u64,
            writers in windows(), foreign in foreign(),
            state in prop::collection::vec(any::<u8>(), 0..64),
            promised in promised(), holder: u32,
        ) {
            let (granted, denied) = (Purposes(granted), Purposes(denied));
            let consent = Snapshot { granted, denied, policy_version, time_ms, gpc: true, ..Snapshot::default() };
            let record = VisitorRecord { publish, consent, watermark, writers, foreign, state, promised, holder };
            let bytes = record.encode();
            let prefix = &bytes[..bytes.len().min(CONSENT_PREFIX_BYTES)];
            prop_assert_eq!(consent_of(prefix), Ok(consent));
            prop_assert_eq!(VisitorRecord::decode(&bytes), Ok(record));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = VisitorRecord::decode(&bytes);
        }
    }

    #[test]
    fn another_version_is_refused() {
        let mut bytes = VisitorRecord::default().encode();
        bytes[0] = 9;
        assert_eq!(VisitorRecord::decode(&bytes), Err(RecordFault::Version(9)));
    }
}
