//! A batch as it travels: version, flags, then sections (tag, length, content). The page's hand-written side; the edge's
//! is `wire::batch_decode`.

use super::codec::{Reader, WireFault, Writer};
use super::names::Names;
use super::property::{take_map, take_name, write_map, write_name};
use super::tape::Tape;
use crate::consent::{Mode, Purposes, Signals, Snapshot};
use crate::event::{BatchHeader, Clock, Event, EventType, LeaseReport, RefusalCode};
use crate::id::{ProgramHash, Sequence, VisitorId, WriterId};
use crate::limits::{CONTEXT_ENTRIES_MAX, EVENT_NAME_BYTES_MAX, PROPERTIES_MAX};
use crate::value::Map;
use alloc::vec::Vec;

/// The version of the container, its first byte.
pub const VERSION: u8 = 1;
/// Bit of the second byte: all that follows it is compressed (deflate, raw).
pub const FLAG_DEFLATE: u8 = 1;
/// Tag of the section that holds the header: the first, and once.
pub const TAG_HEADER: u8 = 1;
/// Tag of a section that holds one event.
pub const TAG_EVENT: u8 = 2;

/// A [`BatchHeader`], borrowed from where its parts stand.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a> {
    /// [`BatchHeader::write_key`].
    pub write_key: &'a str,
    /// [`BatchHeader::visitor`].
    pub visitor: VisitorId,
    /// [`BatchHeader::writer`].
    pub writer: WriterId,
    /// [`BatchHeader::sent_at_ms`].
    pub sent_at_ms: u64,
    /// [`BatchHeader::skew_ms`].
    pub skew_ms: i64,
    /// [`BatchHeader::floor`].
    pub floor: u32,
    /// [`BatchHeader::clock`].
    pub clock: Clock,
    /// [`BatchHeader::program`].
    pub program: Option<ProgramHash>,
    /// [`BatchHeader::consent`].
    pub consent: &'a [Snapshot],
    /// [`BatchHeader::context`].
    pub context: &'a Map,
    /// [`BatchHeader::leases`].
    pub leases: &'a [LeaseReport],
    /// [`BatchHeader::holder`].
    pub holder: u32,
}

impl<'a> Head<'a> {
    /// The parts of `header`.
    #[must_use]
    pub fn of(header: &'a BatchHeader) -> Self {
        Self {
            write_key: &header.write_key,
            visitor: header.visitor,
            writer: header.writer,
            sent_at_ms: header.sent_at_ms,
            skew_ms: header.skew_ms,
            floor: header.floor,
            clock: header.clock,
            program: header.program,
            consent: &header.consent,
            context: &header.context,
            leases: &header.leases,
            holder: header.holder,
        }
    }
}

/// Builds a batch event by event, so that its size can be bounded.
///
/// The bytes are not compressed. Who compresses them keeps the first byte, sets [`FLAG_DEFLATE`] in the second and
/// deflates what follows.
#[derive(Debug)]
pub struct BatchEncoder<'a> {
    out: Writer,
    sent_at_ms: u64,
    names: Option<&'a Names>,
}

impl<'a> BatchEncoder<'a> {
    /// A batch without events yet. Names of `names` are abbreviated, and its number is written in place of
    /// [`BatchHeader::dictionary`].
    #[must_use]
    pub fn new(header: &BatchHeader, names: Option<&'a Names>) -> Self {
        Self::of(&Head::of(header), names)
    }

    /// As [`Self::new`], of a header that stands elsewhere.
    #[must_use]
    pub fn of(header: &Head<'_>, names: Option<&'a Names>) -> Self {
        let mut out = Writer::new();
        out.u8(VERSION);
        out.u8(0);
        let mut section = Writer::new();
        write_header(&mut section, header, names.map(Names::number));
        out.section(TAG_HEADER, &section.into_bytes());
        Self { out, sent_at_ms: header.sent_at_ms, names }
    }

    /// Adds an event.
    pub fn push(&mut self, event: &Event) {
        self.out.section(TAG_EVENT, &encode_event(event, self.sent_at_ms, self.names));
    }

    /// Bytes so far.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.out.len()
    }

    /// Never: a batch has a header.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// The batch's bytes.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.out.into_bytes()
    }
}

/// A batch of these events.
#[must_use]
pub fn encode_batch(header: &BatchHeader, events: &[&Event], names: Option<&Names>) -> Vec<u8> {
    let mut batch = BatchEncoder::new(header, names);
    events.iter().for_each(|event| batch.push(event));
    batch.finish()
}

/// One event of a batch that leaves at `sent_at_ms` (0: its time stands alone, as a queue stores it).
#[must_use]
pub fn encode_event(event: &Event, sent_at_ms: u64, names: Option<&Names>) -> Vec<u8> {
    let mut out = Writer::new();
    out.varint(u64::from(event.sequence.get()));
    out.u8(event.event_type.number());
    write_name(&mut out, &event.name, names);
    out.zigzag(event.time_ms.wrapping_sub(sent_at_ms).cast_signed());
    out.u8(event.consent);
    write_map(&mut out, &event.properties, names);
    write_map(&mut out, &event.context, names);
    out.into_bytes()
}

/// The event that [`encode_event`] wrote with the same `sent_at_ms` and `names`.
///
/// # Errors
/// The first [`WireFault`] met; bytes left over are one.
pub fn read_event(bytes: &[u8], sent_at_ms: u64, names: Option<&Names>) -> Result<Event, WireFault> {
    let mut tape = Tape::new(bytes);
    let sequence = tape.read(|reader| Ok(Sequence::new(reader.varint_u32()?)));
    let event_type = tape.read(|reader| Ok(EventType::from_number(reader.u8()?)));
    let (Some(sequence), Some(event_type)) = (sequence, event_type) else {
        return tape.check().and(Err(WireFault::Malformed));
    };
    let event = Event {
        sequence,
        event_type,
        name: take_name(&mut tape, names, EVENT_NAME_BYTES_MAX),
        time_ms: sent_at_ms.wrapping_add(tape.i64().cast_unsigned()),
        consent: tape.u8(),
        properties: take_map(&mut tape, names, PROPERTIES_MAX),
        context: take_map(&mut tape, names, CONTEXT_ENTRIES_MAX),
    };
    tape.end()?;
    Ok(event)
}

/// The code under which an event is refused that could not be read because of `fault`.
#[must_use]
pub const fn refusal_of(fault: WireFault) -> RefusalCode {
    match fault {
        WireFault::Truncated | WireFault::Malformed => RefusalCode::Undecodable,
        WireFault::BadText => RefusalCode::InvalidText,
        WireFault::TooLarge => RefusalCode::TooLarge,
        WireFault::TooDeep => RefusalCode::TooDeep,
        WireFault::UnknownName => RefusalCode::DictionaryUnknown,
    }
}

fn write_header(out: &mut Writer, header: &Head<'_>, dictionary: Option<u64>) {
    out.text(header.write_key);
    out.raw(&header.visitor.0);
    out.varint(header.writer.bits());
    out.varint(header.sent_at_ms);
    out.zigzag(header.skew_ms);
    out.varint(u64::from(header.floor));
    out.u8(match header.clock {
        Clock::Received => 0,
        Clock::Event => 1,
    });
    out.flag(header.program.is_some());
    if let Some(program) = header.program {
        out.raw(&program.0);
    }
    out.flag(dictionary.is_some());
    if let Some(dictionary) = dictionary {
        out.varint(dictionary);
    }
    out.count(header.consent.len());
    header.consent.iter().for_each(|snapshot| write_snapshot(out, snapshot));
    write_map(out, header.context, Some(&Names::of_context()));
    out.count(header.leases.len());
    header.leases.iter().for_each(|lease| write_lease(out, lease));
    out.varint(u64::from(header.holder));
}

/// Writes a consent snapshot.
pub fn write_snapshot(out: &mut Writer, snapshot: &Snapshot) {
    out.varint(u64::from(snapshot.granted.0));
    out.varint(u64::from(snapshot.denied.0));
    out.u8(snapshot.mode as u8);
    out.flag(snapshot.gpc);
    let is_hashed = snapshot.text_hash != 0;
    out.u8(snapshot.signal.0 | if is_hashed { HASHED } else { 0 });
    out.varint(u64::from(snapshot.policy_version));
    out.varint(snapshot.time_ms);
    if is_hashed {
        out.varint(snapshot.text_hash);
    }
}

/// The bit of the signals behind which a text's hash stands at the end of a snapshot.
pub(super) const HASHED: u8 = 128;

/// The snapshot that [`write_snapshot`] wrote.
///
/// # Errors
/// The first [`WireFault`] met.
pub fn read_snapshot(reader: &mut Reader<'_>) -> Result<Snapshot, WireFault> {
    let mut tape = Tape::new(reader.rest());
    let mut snapshot = Snapshot {
        granted: Purposes(tape.u16()),
        denied: Purposes(tape.u16()),
        mode: Mode::of(tape.u8()).ok_or(WireFault::Malformed)?,
        gpc: tape.flag(),
        signal: Signals(tape.u8()),
        policy_version: tape.u16(),
        time_ms: tape.u64(),
        text_hash: 0,
    };
    if snapshot.signal.0 & HASHED != 0 {
        snapshot.signal.0 ^= HASHED;
        snapshot.text_hash = tape.u64();
    }
    *reader = Reader::new(tape.rest());
    tape.check()?;
    Ok(snapshot)
}

fn write_lease(out: &mut Writer, lease: &LeaseReport) {
    out.varint(lease.rule);
    out.varint(u64::from(lease.lease));
    out.varint(u64::from(lease.used));
}
