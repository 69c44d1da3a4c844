//! The queue of one writer: its events in order, what they have in common, and what became of those that left it.

use crate::effect::Effects;
use crate::stored::{LaneHead, event_key, lane_key, read_queued, sequence_of, write_queued, writer_of};
use alloc::string::String;
use alloc::vec::Vec;
use selvedge_core::consent::{Purposes, Snapshot, usable};
use selvedge_core::event::Event;
use selvedge_core::id::{Sequence, WriterId};
use selvedge_core::tracking_plan::{self, Plan, reread};
use selvedge_core::value::Map;

/// Sinks the last of a sorted list to its place. `is_before(a, b)`: b belongs before a. (Sorting by the standard library
/// takes kilobytes.)
pub fn sink<T>(list: &mut [T], is_before: impl Fn(&T, &T) -> bool) {
    let mut rest = list;
    while let [.., before, last] = rest
        && is_before(before, last)
    {
        core::mem::swap(before, last);
        let Some((_, shorter)) = rest.split_last_mut() else { return };
        rest = shorter;
    }
}

/// An event that waits for the edge's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queued {
    /// The event.
    pub event: Event,
    /// The consent it was captured under.
    pub snapshot: Snapshot,
    /// Bytes of its record.
    pub bytes: usize,
    /// Whether the state may be stepped with it (the tracking plan accepts it).
    pub applies: bool,
    /// How often it left this page, under whatever writer.
    pub departures: u8,
    /// What of its text the tracking plan may yet want read, once it comes. In memory only.
    pub readings: Map,
}

/// Whether the tracking plan has this event leave at once.
#[must_use]
pub fn is_urgent(plan: Option<&Plan>, event: &Event) -> bool {
    plan.and_then(|plan| plan.event(&event.name)).is_some_and(|known| known.urgent)
}

/// One writer's events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lane {
    /// Who counted them.
    pub writer: WriterId,
    /// What they have in common.
    pub head: LaneHead,
    /// Those that wait, by sequence.
    pub events: Vec<Queued>,
    /// The next sequence.
    pub next: u32,
    /// Whether the head record stands on the device.
    pub stored: bool,
}

/// What came back of the device's queues.
#[derive(Debug, Default)]
pub struct Restored {
    /// The queues.
    pub lanes: Vec<Lane>,
    /// Events that could not be read.
    pub lost: u32,
    /// Those of them whose queue could not be read either.
    pub homeless: u32,
}

impl Lane {
    /// The lane of a writer that begins now.
    #[must_use]
    pub const fn new(writer: WriterId, head: LaneHead) -> Self {
        Self { writer, head, events: Vec::new(), next: 1, stored: false }
    }

    /// Lanes from what the device holds (records by key, in any order). What cannot be read is erased and counted: by its lane, or
    /// among the losses that have none. Where an event is missing, its lane's floor steps over it.
    pub fn restore(records: &[(String, Vec<u8>)], effects: &mut Effects) -> Restored {
        let mut restored = Restored::default();
        let lanes = &mut restored.lanes;
        for (key, value) in records.iter().filter(|(key, _)| key.starts_with("w.")) {
            match (writer_of(key), LaneHead::decode(value)) {
                (Some(writer), Some(head)) => {
                    lanes.push(Self { stored: true, ..Self::new(writer, head) });
                }
                _ => effects.erase(key.clone()),
            }
        }
        for (key, value) in records.iter().filter(|(key, _)| key.starts_with("q.")) {
            let writer = writer_of(key);
            let lane = lanes.iter_mut().find(|lane| Some(lane.writer) == writer);
            match (lane, read_queued(value)) {
                (Some(lane), Some((snapshot, event))) => lane.insert(Queued {
                    event,
                    snapshot,
                    bytes: value.len(),
                    applies: true,
                    departures: 0,
                    readings: Map::new(),
                }),
                (lane, _) => {
                    restored.lost = restored.lost.saturating_add(1);
                    match lane {
                        Some(lane) => lane.miss(sequence_of(key), effects),
                        None => restored.homeless = restored.homeless.saturating_add(1),
                    }
                    effects.erase(key.clone());
                }
            }
        }
        restored
    }

    /// An event of it could not be read. Its sequence is not given again: the edge may know it.
    fn miss(&mut self, sequence: Option<u32>, effects: &mut Effects) {
        self.next = self.next.max(sequence.unwrap_or(0).saturating_add(1));
        self.head.lost = self.head.lost.saturating_add(1);
        self.store_head(effects);
    }

    fn insert(&mut self, queued: Queued) {
        self.next = self.next.max(queued.event.sequence.get().saturating_add(1));
        self.events.push(queued);
        sink(&mut self.events, |event, later| later.event.sequence < event.event.sequence);
    }

    /// The sequence of the event that is counted next; `None` at [`Sequence::MAX`].
    #[must_use]
    pub const fn next_sequence(&self) -> Option<Sequence> {
        Sequence::new(self.next)
    }

    /// Puts an event at the end, and on the device.
    pub fn push(&mut self, event: Event, snapshot: Snapshot, applies: bool, effects: &mut Effects) {
        if !self.stored {
            self.store_head(effects);
        }
        let value = write_queued(&snapshot, &event);
        let sequence = event.sequence.get();
        self.next = sequence.saturating_add(1);
        self.events.push(Queued {
            event,
            snapshot,
            bytes: value.len(),
            applies,
            departures: 0,
            readings: Map::new(),
        });
        effects.store(event_key(self.writer, sequence), value);
    }

    /// The tracking plan came: reads what it wants read, of events that did not leave yet.
    pub fn reread(&mut self, plan: &Plan, effects: &mut Effects) {
        for Queued { event, snapshot, bytes, readings, .. } in
            self.events.iter_mut().filter(|queued| queued.departures == 0)
        {
            if reread(plan, &mut event.properties, &event.name, readings) {
                let value = write_queued(snapshot, event);
                *bytes = value.len();
                effects.store(event_key(self.writer, event.sequence.get()), value);
            }
        }
    }

    /// Whether something waits here that never left and that the tracking plan calls urgent.
    #[must_use]
    pub fn is_urgent(&self, plan: Option<&Plan>) -> bool {
        self.events.iter().any(|queued| queued.departures == 0 && is_urgent(plan, &queued.event))
    }

    /// Puts the head record on the device.
    pub fn store_head(&mut self, effects: &mut Effects) {
        self.stored = true;
        effects.store(lane_key(self.writer), self.head.encode());
    }

    /// Sequences below this one will never be sent again.
    #[must_use]
    pub fn floor(&self) -> u32 {
        self.events.first().map_or(self.next, |queued| queued.event.sequence.get())
    }

    /// Bytes of the waiting events.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.events.iter().map(|queued| queued.bytes).sum()
    }

    /// Lets go of the events that `gone` names, here and on the device; gives back how many they were.
    pub fn remove(&mut self, effects: &mut Effects, gone: &dyn Fn(&Queued) -> bool) -> u32 {
        let before = self.events.len();
        let writer = self.writer;
        self.events.retain(|queued| {
            let gone = gone(queued);
            if gone {
                effects.erase(event_key(writer, queued.event.sequence.get()));
            }
            !gone
        });
        u32::try_from(before.saturating_sub(self.events.len())).unwrap_or(u32::MAX)
    }

    /// Lets go of all events, on the device; gives them back.
    pub fn drain(&mut self, effects: &mut Effects) -> Vec<Queued> {
        for queued in &self.events {
            effects.erase(event_key(self.writer, queued.event.sequence.get()));
        }
        core::mem::take(&mut self.events)
    }

    /// Lets go of the oldest event after `sent` (what is on its way may still arrive) because there is no room; counts it
    /// as lost. False where there is none.
    pub fn evict(&mut self, sent: u32, effects: &mut Effects) -> bool {
        let sequences = self.events.iter().map(|queued| queued.event.sequence.get());
        let Some(oldest) = sequences.into_iter().find(|sequence| *sequence > sent) else { return false };
        self.remove(effects, &|queued| queued.event.sequence.get() == oldest);
        self.head.lost = self.head.lost.saturating_add(1);
        self.store_head(effects);
        true
    }

    /// Destroys the events that no purpose allows any more under `now`. Where nothing was taken back since an event was captured,
    /// it stays: without the tracking plan it is not known here what it was captured for.
    pub fn purge(&mut self, plan: Option<&Plan>, now: &Snapshot, effects: &mut Effects) {
        self.remove(effects, &|queued| {
            let purposes = purposes_of(plan, &queued.event);
            let is_taken_back = !queued.snapshot.in_force().without(now.in_force()).is_empty();
            is_taken_back && usable(purposes, &queued.snapshot, now).is_empty()
        });
    }
}

/// The queues that a page sends: its own, and those of earlier pages, oldest first.
#[derive(Debug, Default)]
pub struct Lanes {
    all: Vec<Lane>,
    own: Option<WriterId>,
}

impl Lanes {
    /// No queue.
    pub const NONE: Self = Self { all: Vec::new(), own: None };

    /// All of them, oldest first.
    #[must_use]
    pub fn all(&self) -> &[Lane] {
        &self.all
    }

    /// All of them, oldest first.
    pub fn all_mut(&mut self) -> &mut [Lane] {
        &mut self.all
    }

    /// The writer of this page's own.
    #[must_use]
    pub const fn own_writer(&self) -> Option<WriterId> {
        self.own
    }

    /// This page's own.
    #[must_use]
    pub fn own(&self) -> Option<&Lane> {
        self.all.iter().find(|lane| Some(lane.writer) == self.own)
    }

    /// The one of this writer.
    pub fn of(&mut self, writer: Option<WriterId>) -> Option<&mut Lane> {
        self.all.iter_mut().find(|lane| Some(lane.writer) == writer)
    }

    /// The oldest that belongs to an earlier page and has events.
    #[must_use]
    pub fn orphan(&self) -> Option<&Lane> {
        self.all.iter().find(|lane| Some(lane.writer) != self.own && !lane.events.is_empty())
    }

    /// Adds one, unless it is here already.
    pub fn add(&mut self, lane: Lane) {
        if !self.all.iter().any(|known| known.writer == lane.writer) {
            self.all.push(lane);
            sink(&mut self.all, |lane, later| later.writer < lane.writer);
        }
    }

    /// Begins this page's own.
    pub fn begin(&mut self, lane: Lane) {
        self.own = Some(lane.writer);
        self.add(lane);
    }

    /// This page's own is from now on one of an earlier page.
    pub const fn orphan_own(&mut self) {
        self.own = None;
    }

    /// Drops those of earlier pages that are empty and have no loss to report, here and on the device.
    pub fn sweep(&mut self, effects: &mut Effects) {
        let own = self.own;
        self.all.retain(|lane| {
            let is_done = lane.events.is_empty() && lane.head.lost == 0 && Some(lane.writer) != own;
            if is_done {
                effects.erase(lane_key(lane.writer));
            }
            !is_done
        });
    }

    /// Bytes of all waiting events.
    #[must_use]
    #[inline(never)]
    pub fn bytes(&self) -> usize {
        self.all.iter().map(Lane::bytes).sum()
    }
}

/// What an event may be used for, as far as it is known here.
#[must_use]
pub fn purposes_of(plan: Option<&Plan>, event: &Event) -> Purposes {
    plan.map_or(Purposes::ANALYTICS, |plan| tracking_plan::purposes_of(plan, event))
}
