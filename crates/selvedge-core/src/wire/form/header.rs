//! A batch's header and the consent snapshots in it.

use super::Bounded;
use super::map::{Bounds, MapSeed, WIRE_SIZES};
use crate::consent::{Mode, Purposes, Signals, Snapshot};
use crate::event::{BatchHeader, Clock, LeaseReport};
use crate::id::{ProgramHash, VisitorId, WriterId};
use crate::limits::{CONSENT_SNAPSHOTS_MAX, LEASE_REPORTS_MAX, WRITE_KEY_BYTES_MAX};
use crate::value::Map;
use crate::wire::batch::HASHED;
use crate::wire::names::Names;
use alloc::vec::Vec;
use core::fmt;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeTuple, Serializer};

#[derive(serde::Deserialize)]
struct HeaderForm<'a> {
    write_key: &'a str,
    visitor: [u8; 16],
    writer: u64,
    sent_at_ms: u64,
    skew_ms: i64,
    floor: u32,
    clock: u8,
    program: Option<[u8; 16]>,
    dictionary: Option<u64>,
    consent: Bounded<SnapshotForm, CONSENT_SNAPSHOTS_MAX>,
    context: ContextForm,
    leases: Bounded<LeaseForm, LEASE_REPORTS_MAX>,
    holder: u32,
}

/// A context under the dictionary that the version of the wire fixes.
struct ContextForm(Map);

impl<'de> Deserialize<'de> for ContextForm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = Names::of_context();
        let bounds = Bounds::new(Some(&names), WIRE_SIZES);
        MapSeed::context(&bounds).deserialize(deserializer).map(Self)
    }
}

#[derive(serde::Deserialize)]
struct LeaseForm {
    rule: u64,
    lease: u32,
    used: u32,
}

/// A consent snapshot.
pub(in crate::wire) struct SnapshotForm {
    said: SaidForm,
    /// Only where the signals have the bit for it.
    text_hash: u64,
}

#[derive(serde::Serialize, serde::Deserialize)]
struct SaidForm {
    granted: u16,
    denied: u16,
    mode: u8,
    gpc: bool,
    signal: u8,
    policy_version: u16,
    time_ms: u64,
}

impl Serialize for SnapshotForm {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let is_hashed = self.said.signal & HASHED != 0;
        let mut tuple = serializer.serialize_tuple(if is_hashed { 2 } else { 1 })?;
        tuple.serialize_element(&self.said)?;
        if is_hashed {
            tuple.serialize_element(&self.text_hash)?;
        }
        tuple.end()
    }
}

impl<'de> Deserialize<'de> for SnapshotForm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_tuple(2, SnapshotVisitor)
    }
}

struct SnapshotVisitor;

impl<'de> Visitor<'de> for SnapshotVisitor {
    type Value = SnapshotForm;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a consent snapshot")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<SnapshotForm, A::Error> {
        let said: SaidForm = sequence.next_element()?.ok_or_else(|| A::Error::invalid_length(0, &self))?;
        let text_hash = if said.signal & HASHED == 0 {
            0
        } else {
            sequence.next_element()?.ok_or_else(|| A::Error::invalid_length(1, &self))?
        };
        Ok(SnapshotForm { said, text_hash })
    }
}

impl From<&Snapshot> for SnapshotForm {
    fn from(snapshot: &Snapshot) -> Self {
        let hashed = if snapshot.text_hash == 0 { 0 } else { HASHED };
        let said = SaidForm {
            granted: snapshot.granted.0,
            denied: snapshot.denied.0,
            mode: snapshot.mode as u8,
            gpc: snapshot.gpc,
            signal: snapshot.signal.0 | hashed,
            policy_version: snapshot.policy_version,
            time_ms: snapshot.time_ms,
        };
        Self { said, text_hash: snapshot.text_hash }
    }
}

impl SnapshotForm {
    /// The snapshot; `None` for a mode that does not exist.
    pub(in crate::wire) const fn read(&self) -> Option<Snapshot> {
        let Self { said, text_hash } = self;
        let Some(mode) = Mode::of(said.mode) else { return None };
        Some(Snapshot {
            granted: Purposes(said.granted),
            denied: Purposes(said.denied),
            mode,
            gpc: said.gpc,
            signal: Signals(said.signal & !HASHED),
            policy_version: said.policy_version,
            time_ms: said.time_ms,
            text_hash: *text_hash,
        })
    }
}

/// The header in `bytes`, all of them; `None` where they hold none, or one above its bounds.
pub(in crate::wire) fn read_header(bytes: &[u8]) -> Option<BatchHeader> {
    let (form, rest) = postcard::take_from_bytes::<HeaderForm<'_>>(bytes).ok()?;
    if !rest.is_empty() || form.write_key.len() > WRITE_KEY_BYTES_MAX {
        return None;
    }
    let writer = WriterId::from_bits(form.writer);
    if writer.bits() != form.writer {
        return None;
    }
    Some(BatchHeader {
        write_key: form.write_key.into(),
        visitor: VisitorId(form.visitor),
        writer,
        sent_at_ms: form.sent_at_ms,
        skew_ms: form.skew_ms,
        floor: form.floor,
        clock: match form.clock {
            0 => Clock::Received,
            1 => Clock::Event,
            _ => return None,
        },
        program: form.program.map(ProgramHash),
        dictionary: form.dictionary,
        consent: form.consent.0.iter().map(SnapshotForm::read).collect::<Option<Vec<_>>>()?,
        context: form.context.0,
        leases: form.leases.0.iter().map(LeaseForm::read).collect(),
        holder: form.holder,
    })
}

impl LeaseForm {
    const fn read(&self) -> LeaseReport {
        LeaseReport { rule: self.rule, lease: self.lease, used: self.used }
    }
}
