//! Batches: which events travel together, under which consent snapshots, with what stated once for all of them.

use crate::capture::{HEADER_BYTES, sent_of};
use crate::client::Client;
use crate::lane::{Lane, Queued};
use alloc::vec;
use alloc::vec::Vec;
use selvedge_core::consent::{Purposes, Snapshot, usable};
use selvedge_core::event::{Clock, Event, EventType};
use selvedge_core::id::WriterId;
use selvedge_core::limits::{BATCH_EVENTS_MAX, CONSENT_SNAPSHOTS_MAX};
use selvedge_core::mutation::{Mutation, is_planted};
use selvedge_core::number::Number;
use selvedge_core::value::{Map, Value};
use selvedge_core::wire::batch::{BatchEncoder, Head};

/// The event that says how many events of its writer were lost in the page, and its property.
pub(crate) const LOST_EVENT: &str = "events_lost";
const LOST_COUNT: &str = "count";

/// A batch that is ready to leave.
pub(crate) struct Loaded {
    pub(crate) body: Vec<u8>,
    pub(crate) writer: WriterId,
    pub(crate) first: u32,
    pub(crate) last: u32,
}

impl Client {
    /// A batch of a writer: from the oldest event on that is not on its way, as many as the bounds allow.
    pub(crate) fn load(&mut self, writer: Option<WriterId>, budget: usize) -> Option<Loaded> {
        let (flight, now_ms) = (self.delivery.flight, self.now_ms);
        let leases = self.dropped_leases();
        let program = self.mind.decides_by();
        let known =
            self.mind.names().filter(|names| Some(names.number()) != self.delivery.unknown_dictionary);
        let events_max = self.delivery.events_max.unwrap_or(BATCH_EVENTS_MAX).clamp(1, BATCH_EVENTS_MAX);
        let lane = self.lanes.of(writer)?;
        let from = sent_of(flight, lane.writer).saturating_add(1);
        let floor = lane.floor();
        let writer = lane.writer;
        let (leases, holder) =
            if Some(lane.head.visitor) == self.visitor { (leases, self.holder) } else { (Vec::new(), 0) };
        let (consent, count) =
            choose(lane, from, budget.saturating_sub(HEADER_BYTES), events_max, self.consent);
        let head = Head {
            write_key: &self.write_key,
            visitor: lane.head.visitor,
            writer,
            sent_at_ms: now_ms,
            skew_ms: lane.head.skew_ms,
            floor,
            clock: Clock::Received,
            program,
            consent: &consent,
            context: &lane.head.context,
            leases: &leases,
            holder,
        };
        let mut batch = BatchEncoder::of(&head, known);
        let mut loaded = None;
        if is_planted(Mutation::BatchReversed) {
            lane.events.reverse();
        }
        let leaving = lane.events.iter_mut().filter(|queued| queued.event.sequence.get() >= from);
        for Queued { event, departures, .. } in leaving.take(count) {
            batch.push(event);
            *departures = departures.saturating_add(1);
            let sequence = event.sequence.get();
            loaded = Some((loaded.map_or(sequence, |(first, _)| first), sequence));
        }
        if is_planted(Mutation::BatchReversed) {
            lane.events.reverse();
            loaded = loaded.map(|(first, last)| (last, first));
        }
        let (first, last) = loaded?;
        Some(Loaded { body: batch.finish(), writer, first, last })
    }

    /// Puts what was lost into the queue that lost it, as its next event, so that whoever sends it, and however often, it
    /// counts once. Waits for consent and for the tracking plan; what that does not know goes untold.
    pub(crate) fn report_losses(&mut self) {
        if !self.is_open() {
            return;
        }
        let (consent, now_ms) = (self.consent, self.now_ms);
        let Some(plan) = self.mind.plan().filter(|_| !is_planted(Mutation::DroppedSilently)) else { return };
        let known = plan.event(LOST_EVENT).map_or(Purposes::NONE, |known| known.purposes);
        let is_told = !usable(known, &consent, &consent).is_empty();
        if let Some(own) = self.lanes.of(self.lanes.own_writer()) {
            own.head.lost = own.head.lost.saturating_add(core::mem::take(&mut self.untold));
        }
        for lane in self.lanes.all_mut().iter_mut().filter(|lane| lane.head.lost > 0) {
            let lost = core::mem::take(&mut lane.head.lost);
            if let Some(sequence) = lane.next_sequence().filter(|_| is_told) {
                // No later than what it is about: it must not begin a session.
                let time_ms = lane.events.last().map_or(now_ms, |queued| queued.event.time_ms);
                let mut properties = Map::new();
                properties.set(LOST_COUNT, Value::Number(Number::Int(i64::from(lost))));
                let event = Event {
                    sequence,
                    event_type: EventType::Track,
                    name: LOST_EVENT.into(),
                    time_ms,
                    consent: 0,
                    properties,
                    context: Map::new(),
                };
                lane.push(event, consent, true, &mut self.effects);
            }
            lane.store_head(&mut self.effects);
        }
    }

    /// A batch without events: what it says is the consent in force now. It names the program, so that the edge knows that
    /// grants may have been used here.
    pub(crate) fn empty_batch(&self) -> Option<Vec<u8>> {
        let lane = self.lanes.own();
        let writer = lane.map_or(WriterId::mint(self.now_ms, 0), |lane| lane.writer);
        let floor = lane.map_or(1, |lane| lane.next);
        let head = Head {
            write_key: &self.write_key,
            visitor: self.visitor?,
            writer,
            sent_at_ms: self.now_ms,
            skew_ms: self.skew_ms,
            floor,
            clock: Clock::Received,
            program: self.mind.decides_by(),
            consent: &[self.consent],
            context: &Map::new(),
            leases: &[],
            holder: self.holder,
        };
        Some(BatchEncoder::of(&head, None).finish())
    }
}

/// The consent snapshots of the events from `from` on, the one in force first, and how many events the bounds allow.
/// Each event is told which snapshot is its.
fn choose(
    lane: &mut Lane,
    from: u32,
    bytes_max: usize,
    events_max: usize,
    now: Snapshot,
) -> (Vec<Snapshot>, usize) {
    let mut consent = vec![now];
    let (mut count, mut bytes) = (0usize, 0usize);
    let later = lane.events.iter_mut().filter(|queued| queued.event.sequence.get() >= from);
    for queued in later.take(events_max) {
        bytes = bytes.saturating_add(queued.bytes);
        let known = consent.iter().position(|snapshot| *snapshot == queued.snapshot);
        let place = known.unwrap_or(consent.len());
        if bytes > bytes_max || place >= CONSENT_SNAPSHOTS_MAX {
            break;
        }
        if known.is_none() {
            consent.push(queued.snapshot);
        }
        queued.event.consent = u8::try_from(place).unwrap_or(0);
        count = count.saturating_add(1);
    }
    (consent, count)
}
