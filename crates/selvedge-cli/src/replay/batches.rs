//! Events to batches: per visitor, in file order, bounded. Knows no clock; the caller says when recorded time passes.

use super::recording::Recorded;
use selvedge_core::event::Event;
use selvedge_core::id::{VisitorId, WriterId};
use selvedge_core::limits::{BATCH_EVENTS_MAX, FLUSH_MS, SESSION_IDLE_MS};
use std::collections::{BTreeMap, VecDeque};

/// When a visitor's batch leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchPolicy {
    /// Events that a batch holds at most.
    pub events_max: usize,
    /// Recorded time that may lie between a batch's first event and its last.
    pub span_ms_max: u64,
    /// Recorded time that may lie between two events of a batch.
    pub gap_ms_max: u64,
    /// Events that wait in all batches together; above it the oldest batch leaves.
    pub waiting_max: usize,
}

impl BatchPolicy {
    /// As fast as the worker answers: what a visitor did in one visit travels together.
    #[must_use]
    pub const fn fast(events_max: usize) -> Self {
        Self {
            events_max: if events_max < BATCH_EVENTS_MAX { events_max } else { BATCH_EVENTS_MAX },
            span_ms_max: u64::MAX,
            gap_ms_max: SESSION_IDLE_MS.unsigned_abs().saturating_sub(1),
            waiting_max: 20_000,
        }
    }

    /// In recorded time: a batch leaves when a page's would.
    #[must_use]
    pub const fn paced(events_max: usize) -> Self {
        Self { span_ms_max: FLUSH_MS, waiting_max: usize::MAX, ..Self::fast(events_max) }
    }
}

/// Events of one visitor by one writer, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Outgoing {
    /// Whose events these are.
    pub visitor: VisitorId,
    /// Who counted them.
    pub writer: WriterId,
    /// The events; at least one.
    pub events: Vec<Event>,
}

impl Outgoing {
    fn first_ms(&self) -> u64 {
        self.events.first().map_or(0, |event| event.time_ms)
    }

    fn last_ms(&self) -> u64 {
        self.events.last().map_or(0, |event| event.time_ms)
    }
}

/// The batches that wait for more events, oldest first.
pub struct Batches {
    policy: BatchPolicy,
    waiting: BTreeMap<VisitorId, Waiting>,
    opened: VecDeque<(u64, VisitorId)>,
    events: usize,
    serial: u64,
}

struct Waiting {
    serial: u64,
    batch: Outgoing,
}

impl Batches {
    /// No batch yet.
    #[must_use]
    pub const fn new(policy: BatchPolicy) -> Self {
        Self { policy, waiting: BTreeMap::new(), opened: VecDeque::new(), events: 0, serial: 0 }
    }

    /// Adds an event; gives the batches that leave because of it, in the order in which they leave.
    pub fn push(&mut self, recorded: Recorded) -> Vec<Outgoing> {
        let mut leaving = Vec::new();
        if self.waiting.get(&recorded.visitor).is_some_and(|waiting| !self.fits(&waiting.batch, &recorded)) {
            leaving.extend(self.take(recorded.visitor));
        }
        if self.add(recorded) > self.policy.waiting_max {
            leaving.extend(self.take_oldest());
        }
        leaving
    }

    /// The recorded time at which the oldest batch leaves, where that is known.
    #[must_use]
    pub fn next_due_ms(&mut self) -> Option<u64> {
        let (_, visitor) = self.oldest()?;
        let waiting = self.waiting.get(&visitor)?;
        waiting.batch.first_ms().checked_add(self.policy.span_ms_max)
    }

    /// The oldest batch, whether it is full or not.
    pub fn take_oldest(&mut self) -> Option<Outgoing> {
        let (_, visitor) = self.oldest()?;
        self.take(visitor)
    }

    /// The oldest batch that has not left; forgets those before it that have.
    fn oldest(&mut self) -> Option<(u64, VisitorId)> {
        while let Some((serial, visitor)) = self.opened.front().copied() {
            if self.waiting.get(&visitor).is_some_and(|waiting| waiting.serial == serial) {
                return Some((serial, visitor));
            }
            self.opened.pop_front();
        }
        None
    }

    fn fits(&self, batch: &Outgoing, recorded: &Recorded) -> bool {
        let time_ms = recorded.event.time_ms;
        batch.writer == recorded.writer
            && batch.events.len() < self.policy.events_max
            && time_ms.saturating_sub(batch.first_ms()) <= self.policy.span_ms_max
            && time_ms.saturating_sub(batch.last_ms()) <= self.policy.gap_ms_max
    }

    /// Adds the event to its visitor's batch; gives how many events wait in all.
    fn add(&mut self, recorded: Recorded) -> usize {
        let Recorded { visitor, writer, event } = recorded;
        let (serial, opened) = (&mut self.serial, &mut self.opened);
        let waiting = self.waiting.entry(visitor).or_insert_with(|| {
            *serial = serial.wrapping_add(1);
            opened.push_back((*serial, visitor));
            Waiting { serial: *serial, batch: Outgoing { visitor, writer, events: Vec::new() } }
        });
        waiting.batch.events.push(event);
        self.events = self.events.saturating_add(1);
        self.events
    }

    fn take(&mut self, visitor: VisitorId) -> Option<Outgoing> {
        let batch = self.waiting.remove(&visitor)?.batch;
        self.events = self.events.saturating_sub(batch.events.len());
        Some(batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use selvedge_core::event::EventType;
    use selvedge_core::id::Sequence;
    use selvedge_core::value::Map;

    fn recorded(visitor: u8, sequence: u32, time_ms: u64) -> Recorded {
        let event = Event {
            sequence: Sequence::new(sequence).unwrap(),
            event_type: EventType::Track,
            name: "home".to_owned(),
            time_ms,
            consent: 0,
            properties: Map::new(),
            context: Map::new(),
        };
        Recorded { visitor: VisitorId([visitor; 16]), writer: WriterId::mint(0, u32::from(visitor)), event }
    }

    fn run(policy: BatchPolicy, events: &[(u8, u32, u64)]) -> Vec<(u8, Vec<u32>)> {
        let mut batches = Batches::new(policy);
        let mut left: Vec<_> = Vec::new();
        for (visitor, sequence, time_ms) in events {
            left.extend(batches.push(recorded(*visitor, *sequence, *time_ms)));
        }
        left.extend(std::iter::from_fn(|| batches.take_oldest()));
        let sequences = |batch: &Outgoing| batch.events.iter().map(|event| event.sequence.get()).collect();
        left.iter().map(|batch| (batch.visitor.topology(), sequences(batch))).collect()
    }

    #[test]
    fn a_visit_travels_together_and_visitors_do_not_mix() {
        let left =
            run(BatchPolicy::fast(100), &[(1, 1, 0), (2, 1, 5), (1, 2, 10), (1, 3, 1_800_010), (2, 2, 20)]);
        assert_eq!(left, [(1, vec![1, 2]), (2, vec![1, 2]), (1, vec![3])]);
    }

    #[test]
    fn a_full_batch_leaves() {
        assert_eq!(
            run(BatchPolicy::fast(2), &[(1, 1, 0), (1, 2, 0), (1, 3, 0)]),
            [(1, vec![1, 2]), (1, vec![3])]
        );
    }

    #[test]
    fn a_paced_batch_leaves_after_the_flush_time_of_a_page() {
        let left = run(BatchPolicy::paced(20), &[(1, 1, 0), (1, 2, 30_000), (1, 3, 30_001)]);
        assert_eq!(left, [(1, vec![1, 2]), (1, vec![3])]);
        let mut batches = Batches::new(BatchPolicy::paced(20));
        assert_eq!(batches.next_due_ms(), None);
        batches.push(recorded(1, 1, 500));
        assert_eq!(batches.next_due_ms(), Some(30_500));
    }

    #[test]
    fn the_oldest_batch_leaves_when_too_many_events_wait() {
        let policy = BatchPolicy { waiting_max: 2, ..BatchPolicy::fast(100) };
        assert_eq!(run(policy, &[(1, 1, 0), (2, 1, 0), (3, 1, 0)])[0], (1, vec![1]));
    }
}
