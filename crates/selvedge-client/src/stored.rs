//! What the device holds: one record per key, written with the wire's primitives. Everything here is read back with
//! suspicion: a record that cannot be read counts as absent.

use crate::address::hex_digit;
use alloc::string::String;
use alloc::vec::Vec;
use selvedge_core::consent::voices::{SOURCES, Voice, Voices};
use selvedge_core::consent::{Purposes, Signals, Snapshot, Statement};
use selvedge_core::event::{Event, LeaseReport};
use selvedge_core::hash::fnv1a_64;
use selvedge_core::id::{ProgramHash, VisitorId, WriterId};
use selvedge_core::limits::{CONTEXT_ENTRIES_MAX, LEASE_REPORTS_MAX};
use selvedge_core::value::Map;
use selvedge_core::wire::answer::Applied;
use selvedge_core::wire::batch::{encode_event, read_event, read_snapshot, write_snapshot};
use selvedge_core::wire::codec::{Reader, Writer};
use selvedge_core::wire::property::{read_map, write_map};
use selvedge_core::wire::tape::Tape;

/// Key of the consent record: what the visitor answered. Stored only once something was granted.
pub const CONSENT: &str = "consent";
/// Key of the visitor's id and the writer's skew.
pub const VISITOR: &str = "visitor";
/// Key of the last public state.
pub const STATE: &str = "state";
/// Key of the program.
pub const PROGRAM: &str = "program";
/// Key of what was used of the leases.
pub const LEASES: &str = "leases";

/// Key of the rules that were stopped.
pub const PAUSED: &str = "paused";

/// Bytes of a program above which it is not kept on the device: the browser's own cache holds it.
pub const PROGRAM_STORED_BYTES_MAX: usize = 512 * 1024;

/// Hexadecimal digits, each a text: to push letters takes more bytes than to push texts, which everything does.
const HEX: [&str; 16] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "a", "b", "c", "d", "e", "f"];
/// Between writer and sequence in keys.
const DOT: &str = ".";
/// Hexadecimal digits of a writer in keys.
const WRITER_DIGITS: u32 = 13;

/// The name of a writer's queue in keys: 13 hexadecimal digits.
#[must_use]
pub fn queue_name(writer: WriterId) -> String {
    let mut name = String::new();
    push_hex(&mut name, writer.bits(), WRITER_DIGITS);
    name
}

/// The key of a queue's head record.
#[must_use]
pub fn lane_key(writer: WriterId) -> String {
    let mut key = String::from("w.");
    push_hex(&mut key, writer.bits(), WRITER_DIGITS);
    key
}

/// The key of one queued event.
#[must_use]
pub fn event_key(writer: WriterId, sequence: u32) -> String {
    let mut key = String::from("q.");
    push_hex(&mut key, writer.bits(), WRITER_DIGITS);
    key.push_str(DOT);
    push_hex(&mut key, u64::from(sequence), 6);
    key
}

/// The writer of a queue's head record or event, by its key.
#[must_use]
pub fn writer_of(key: &str) -> Option<WriterId> {
    key.as_bytes().get(2..15).and_then(read_hex).map(WriterId::from_bits)
}

/// The sequence of a queued event, by its key.
#[must_use]
pub fn sequence_of(key: &str) -> Option<u32> {
    key.as_bytes().get(16..22).and_then(read_hex).and_then(|bits| u32::try_from(bits).ok())
}

fn read_hex(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0u64, |bits, digit| Some((bits << 4) | u64::from(hex_digit(*digit)?)))
}

/// Appends the lowest `digits` hexadecimal digits of `bits`.
pub fn push_hex(text: &mut String, bits: u64, digits: u32) {
    for at in (0..digits).rev() {
        let nibble = bits.wrapping_shr(at.wrapping_mul(4)) & 0xf;
        text.push_str(HEX.get(usize::try_from(nibble).unwrap_or(0)).copied().unwrap_or_default());
    }
}

/// What names something that was seen in a page view.
#[inline(never)]
#[must_use]
pub fn seen_hash(slot: &str, rule: &str, reason: &str) -> u64 {
    let mut text = String::from(slot);
    ["/", rule, "/", reason].into_iter().for_each(|part| text.push_str(part));
    fnv1a_64(text.as_bytes())
}

/// The rules that were stopped, by their hashes.
#[must_use]
pub fn write_paused(paused: &[u64]) -> Vec<u8> {
    let mut out = Writer::new();
    paused.iter().for_each(|rule| out.fixed_u64(*rule));
    out.into_bytes()
}

/// Reads [`write_paused`].
#[must_use]
pub fn read_paused(bytes: &[u8]) -> Vec<u64> {
    let mut paused = Vec::new();
    bytes.as_chunks().0.iter().for_each(|rule| paused.push(u64::from_le_bytes(*rule)));
    paused
}

/// The consent record: what is in force, and which source said what, where it was not the plain API alone.
#[must_use]
pub fn write_consent(snapshot: &Snapshot, voices: &Voices) -> Vec<u8> {
    let mut out = Writer::new();
    write_snapshot(&mut out, snapshot);
    if snapshot.signal != Signals::API {
        for (source, Voice { statement, text_hash }) in voices.heard() {
            out.u8(source.0);
            out.varint(statement.granted.0.into());
            out.varint(statement.denied.0.into());
            out.varint(*text_hash);
        }
    }
    out.into_bytes()
}

/// Reads [`write_consent`].
#[must_use]
pub fn read_consent(bytes: &[u8]) -> Option<(Snapshot, Voices)> {
    let mut reader = Reader::new(bytes);
    let snapshot = read_snapshot(&mut reader).ok()?;
    let mut tape = Tape::new(reader.rest());
    let mut voices = Voices::default();
    let Snapshot { granted, denied, .. } = snapshot;
    if tape.rest().is_empty() {
        voices.recall(Signals::API, Voice { statement: Statement { granted, denied }, text_hash: 0 });
    }
    for _ in 0..SOURCES {
        let source = Signals(tape.u8());
        let statement = Statement { granted: Purposes(tape.u16()), denied: Purposes(tape.u16()) };
        voices.recall(source, Voice { statement, text_hash: tape.u64() });
    }
    Some((snapshot, voices))
}

/// The visitor's id, the clock skew that was measured last, when the id was minted, and the device's tag.
#[must_use]
pub fn write_visitor(visitor: VisitorId, skew_ms: i64, minted_ms: u64, holder: u32) -> Vec<u8> {
    let mut out = Writer::new();
    out.raw(&visitor.0);
    out.zigzag(skew_ms);
    out.varint(minted_ms);
    out.varint(u64::from(holder));
    out.into_bytes()
}

/// Reads [`write_visitor`]. An id whose minting nobody noted is as old as can be. What brings an id here from elsewhere (a cookie,
/// a link) brings no tag: 0, for the device to draw its own.
#[must_use]
pub fn read_visitor(bytes: &[u8]) -> Option<(VisitorId, i64, u64, u32)> {
    let mut reader = Reader::new(bytes);
    let (visitor, skew_ms) = (VisitorId(reader.array().ok()?), reader.zigzag_i64().ok()?);
    let minted_ms = reader.varint_u64().unwrap_or(0);
    Some((visitor, skew_ms, minted_ms, reader.varint_u32().unwrap_or(0)))
}

/// The head record of a queue: what its events have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneHead {
    /// Whose events they are.
    pub visitor: VisitorId,
    /// The writer's skew, fixed for its life.
    pub skew_ms: i64,
    /// Events of it that were lost.
    pub lost: u32,
    /// The context of its batches.
    pub context: Map,
}

impl LaneHead {
    /// The record.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.raw(&self.visitor.0);
        out.zigzag(self.skew_ms);
        out.varint(u64::from(self.lost));
        write_map(&mut out, &self.context, None);
        out.into_bytes()
    }

    /// Reads [`Self::encode`].
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        Some(Self {
            visitor: VisitorId(reader.array().ok()?),
            skew_ms: reader.zigzag_i64().ok()?,
            lost: reader.varint_u32().ok()?,
            context: read_map(&mut reader, None, CONTEXT_ENTRIES_MAX).ok()?,
        })
    }
}

/// A copy of a context, by way of its bytes: what writes and reads them is there anyway, what copies a tree is not.
#[must_use]
pub fn copy(context: &Map) -> Map {
    let mut out = Writer::new();
    write_map(&mut out, context, None);
    read_map(&mut Reader::new(&out.into_bytes()), None, CONTEXT_ENTRIES_MAX).unwrap_or_default()
}

/// One queued event with the consent it was captured under.
#[must_use]
pub fn write_queued(snapshot: &Snapshot, event: &Event) -> Vec<u8> {
    let mut out = Writer::new();
    write_snapshot(&mut out, snapshot);
    out.raw(&encode_event(event, 0, None));
    out.into_bytes()
}

/// Reads [`write_queued`].
#[must_use]
pub fn read_queued(bytes: &[u8]) -> Option<(Snapshot, Event)> {
    let mut reader = Reader::new(bytes);
    let snapshot = read_snapshot(&mut reader).ok()?;
    Some((snapshot, read_event(reader.rest(), 0, None).ok()?))
}

/// The last public state: which publish made it, how far writers' events stand in it, the state.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StateRecord {
    /// The publish number of the answer.
    pub publish: u64,
    /// How far each writer's events stand in it.
    pub applied: Vec<Applied>,
    /// `VisitorState::encode`.
    pub state: Vec<u8>,
}

impl StateRecord {
    /// The record: whose state it is, and then the state.
    #[must_use]
    pub fn encode(&self, visitor: VisitorId) -> Vec<u8> {
        let mut out = Writer::new();
        out.raw(&visitor.0);
        out.varint(self.publish);
        out.count(self.applied.len());
        for applied in &self.applied {
            out.varint(applied.writer.bits());
            out.varint(u64::from(applied.sequence));
        }
        out.raw(&self.state);
        out.into_bytes()
    }

    /// Reads [`Self::encode`].
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        reader.array::<16>().ok()?;
        let publish = reader.varint_u64().ok()?;
        let mut applied = Vec::new();
        for _ in 0..reader.count().ok()? {
            let writer = WriterId::from_bits(reader.varint_u64().ok()?);
            applied.push(Applied { writer, sequence: reader.varint_u32().ok()? });
        }
        Some(Self { publish, applied, state: reader.rest().into() })
    }
}

/// A program and its name.
#[must_use]
pub fn write_program(hash: ProgramHash, publish: u64, bytes: &[u8]) -> Vec<u8> {
    let mut out = Writer::new();
    out.raw(&hash.0);
    out.varint(publish);
    out.raw(bytes);
    out.into_bytes()
}

/// Reads [`write_program`].
#[must_use]
pub fn read_program(bytes: &[u8]) -> Option<(ProgramHash, u64, &[u8])> {
    let mut reader = Reader::new(bytes);
    Some((ProgramHash(reader.array().ok()?), reader.varint_u64().ok()?, reader.rest()))
}

/// What was used of each lease.
#[must_use]
pub fn write_leases(leases: &[LeaseReport]) -> Vec<u8> {
    let mut out = Writer::new();
    for lease in leases {
        out.fixed_u64(lease.rule);
        out.varint(u64::from(lease.lease));
        out.varint(u64::from(lease.used));
    }
    out.into_bytes()
}

/// Reads [`write_leases`]: as many as can be read, within their bound.
#[must_use]
pub fn read_leases(bytes: &[u8]) -> Vec<LeaseReport> {
    let mut reader = Reader::new(bytes);
    let mut leases = Vec::new();
    while let (true, Ok(rule)) = (leases.len() < LEASE_REPORTS_MAX, reader.fixed_u64()) {
        let (Ok(lease), Ok(used)) = (reader.varint_u32(), reader.varint_u32()) else { break };
        leases.push(LeaseReport { rule, lease, used });
    }
    leases
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn keys_name_their_writer() {
        let writer = WriterId::mint(1_800_000_000_000, 0x0123_4567);
        assert_eq!(writer_of(&lane_key(writer)), Some(writer));
        assert_eq!(writer_of(&event_key(writer, 77)), Some(writer));
        assert_eq!(sequence_of(&event_key(writer, 0x12_3456)), Some(0x12_3456));
        assert_eq!(sequence_of(&lane_key(writer)), None);
        assert_eq!(event_key(writer, 77).len(), 2 + 13 + 1 + 6);
        assert_eq!(writer_of("visitor"), None);
        assert_eq!(writer_of("q.zz.1"), None);
    }

    #[test]
    fn records_come_back() {
        let leases = vec![LeaseReport { rule: u64::MAX, lease: 3, used: 1 }];
        assert_eq!(read_leases(&write_leases(&leases)), leases);
        let state = StateRecord {
            publish: 7,
            applied: vec![Applied { writer: WriterId::from_bits(9), sequence: 4 }],
            state: vec![1, 2, 3],
        };
        assert_eq!(StateRecord::decode(&state.encode(VisitorId([5; 16]))), Some(state));
        let head = LaneHead { visitor: VisitorId([5; 16]), skew_ms: -3, lost: 1, context: Map::new() };
        assert_eq!(LaneHead::decode(&head.encode()), Some(head));
        assert_eq!(LaneHead::decode(&[1, 2]), None);
    }
}
