//! What is asked of the rule engine and how it answers: one byte string each way, because in the page the engine is a wasm
//! module of its own. Not a stored or sent format: both sides ship together.

use crate::lane::Lane;
use crate::stored::write_queued;
use alloc::vec::Vec;
use selvedge_core::consent::Snapshot;
use selvedge_core::id::{VisitorId, WriterId};
use selvedge_core::value::Map;
use selvedge_core::wire::batch::write_snapshot;
use selvedge_core::wire::codec::Writer;
use selvedge_core::wire::property::write_map;

/// The rule engine, wherever it is.
pub trait Ask: core::fmt::Debug + Send {
    /// The answer to a question; empty where the engine cannot give one (it trapped). Such an engine is not asked again.
    fn ask(&mut self, question: &[u8]) -> Vec<u8>;
}

/// The first byte of every answer.
pub const ANSWERED: u8 = 1;

/// Begins anew from a program, a state and what the edge decided. Answered with whether they could be read.
pub const BEGIN: u8 = 0;
/// Steps the state by events, and decides.
pub const STEP: u8 = 1;
/// Says what is to stand in the slots, and when that may change.
pub const LOOK: u8 = 2;
/// Takes the grants that a rule needs.
pub const CLAIM: u8 = 3;
/// Learns what other tabs used of leases.
pub const SHARE: u8 = 4;
/// Notes that a rule was seen.
pub const SPENT: u8 = 5;
/// Says what was used of leases that expired.
pub const DROPPED: u8 = 6;

/// How a claim ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Claimed {
    /// A grant cannot be had.
    Refused = 0,
    /// None was needed, or all were taken before.
    Nothing = 1,
    /// Grants were taken just now.
    Taken = 2,
    /// No grant was asked for: what stands was seen in an earlier page view and is held since; or nobody could be asked, as
    /// there is no engine, or it failed.
    Unasked = 3,
}

/// Where, when and under what consent is decided.
#[derive(Debug, Clone, Copy)]
pub struct Setting<'a> {
    /// Whose events.
    pub writer: WriterId,
    /// Facts that hold for all of them.
    pub context: &'a Map,
    /// The writer's skew.
    pub skew_ms: i64,
    /// The page's clock.
    pub now_ms: u64,
    /// The consent in force.
    pub consent: &'a Snapshot,
    /// Whose events, where that is known.
    pub visitor: VisitorId,
    /// Rules that were stopped.
    pub paused: &'a [u64],
}

/// A question of this kind, which is about this setting.
#[must_use]
pub fn question(kind: u8, setting: &Setting<'_>) -> Writer {
    let mut out = Writer::new();
    out.u8(kind);
    out.varint(setting.now_ms);
    write_snapshot(&mut out, setting.consent);
    out.raw(&setting.visitor.0);
    out.count(setting.paused.len());
    setting.paused.iter().for_each(|rule| out.fixed_u64(*rule));
    write_writer(&mut out, setting.writer, setting.skew_ms, setting.context);
    out
}

#[inline(never)]
fn write_writer(out: &mut Writer, writer: WriterId, skew_ms: i64, context: &Map) {
    out.varint(writer.bits());
    out.zigzag(skew_ms);
    write_map(out, context, None);
}

/// Puts the events of a lane from `first` on behind a [`STEP`], whose count of lanes stands before.
pub fn write_lane(out: &mut Writer, lane: &Lane, first: usize) {
    write_writer(out, lane.writer, lane.head.skew_ms, &lane.head.context);
    let events = lane.events.get(first..).unwrap_or_default();
    out.count(events.len());
    for queued in events {
        out.flag(queued.applies);
        out.bytes(&write_queued(&queued.snapshot, &queued.event));
    }
}
