//! A batch's header and the consent snapshots in it.

use super::Bounded;
use super::map::{Bounds, MapSeed, WIRE_SIZES};
use crate::consent::{Mode, Purposes, Signal, Snapshot};
use crate::event::{BatchHeader, Clock, LeaseReport};
use crate::id::{ProgramHash, VisitorId, WriterId};
use crate::limits::{CONSENT_SNAPSHOTS_MAX, LEASE_REPORTS_MAX, WRITE_KEY_BYTES_MAX};
use crate::value::Map;
use crate::wire::names::Names;
use alloc::vec::Vec;
use serde::de::{Deserialize, DeserializeSeed, Deserializer};

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
#[derive(serde::Serialize, serde::Deserialize)]
pub(in crate::wire) struct SnapshotForm {
    granted: u16,
    denied: u16,
    mode: u8,
    gpc: bool,
    signal: u8,
    policy_version: u16,
    time_ms: u64,
}

impl From<&Snapshot> for SnapshotForm {
    fn from(snapshot: &Snapshot) -> Self {
        Self {
            granted: snapshot.granted.0,
            denied: snapshot.denied.0,
            mode: snapshot.mode as u8,
            gpc: snapshot.gpc,
            signal: snapshot.signal as u8,
            policy_version: snapshot.policy_version,
            time_ms: snapshot.time_ms,
        }
    }
}

impl SnapshotForm {
    /// The snapshot; `None` for a mode or signal that does not exist.
    pub(in crate::wire) const fn read(&self) -> Option<Snapshot> {
        Some(Snapshot {
            granted: Purposes(self.granted),
            denied: Purposes(self.denied),
            mode: match self.mode {
                0 => Mode::OptIn,
                1 => Mode::OptOut,
                _ => return None,
            },
            gpc: self.gpc,
            signal: match self.signal {
                0 => Signal::None,
                1 => Signal::Api,
                2 => Signal::Server,
                _ => return None,
            },
            policy_version: self.policy_version,
            time_ms: self.time_ms,
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
    })
}

impl LeaseForm {
    const fn read(&self) -> LeaseReport {
        LeaseReport { rule: self.rule, lease: self.lease, used: self.used }
    }
}
