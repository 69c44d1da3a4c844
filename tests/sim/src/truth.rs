//! What really happened, known to the world alone, and what must hold because of it.

use selvedge_core::consent::{Purposes, Snapshot};
use selvedge_core::event::Event;
use selvedge_core::id::{VisitorId, WriterId};
use selvedge_core::wire::batch::{read_event, read_snapshot};
use selvedge_core::wire::codec::Reader;
use selvedge_core::wire::program::RecordKind;
use std::collections::{BTreeMap, BTreeSet};

/// An event, by who counted it.
pub type Key = (WriterId, u32);

/// Something that must not happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which invariant.
    pub invariant: &'static str,
    /// What was seen.
    pub detail: String,
}

/// A rule that was really seen.
#[derive(Debug, Clone)]
pub struct Exposure {
    /// When, by the world's clock.
    pub at_ms: u64,
    /// The rule.
    pub rule: String,
    /// On which device.
    pub device: usize,
    /// What the device itself showed counts from here on; what it showed before was forgotten with the consent for it.
    pub own_since_ms: u64,
    /// What was seen on the visitor's other devices counts from here on; where none, they are apart.
    pub all_since_ms: Option<u64>,
    /// In which tab.
    pub tab: usize,
    /// What it counts for, and the sliding caps of that.
    pub caps: Vec<(String, u16, u64)>,
}

/// What the world knows.
#[derive(Debug, Default)]
pub struct Truth {
    /// Events that a page put on its device, by site, with the consent that they were captured under.
    pub captured: BTreeMap<(usize, Key), Captured>,
    /// What was seen, by whom.
    pub exposures: BTreeMap<VisitorId, Vec<Exposure>>,
    /// Events of requests that were answered with 2xx.
    pub acknowledged: BTreeSet<(usize, Key)>,
    /// Acknowledged events that were refused for consent, or destroyed because of it.
    pub destroyed: BTreeSet<(usize, Key)>,
    /// Events that went over to another writer of their page.
    pub went_over: BTreeSet<(usize, Key)>,
    /// Sequences below these were given up by their writers.
    pub floors: BTreeMap<WriterId, u32>,
    /// Visitors who withdrew everything, by site, and the tab that has to tell the edge.
    pub farewells: BTreeMap<(usize, VisitorId), usize>,
    /// Writers of which something left by beacon, or straggled: their order in the log may be another.
    pub beaconed: BTreeSet<WriterId>,
}

/// An event that a page captured.
#[derive(Debug, Clone)]
pub struct Captured {
    /// Its record's key; empty where it has none.
    pub key: String,
    /// By which device.
    pub device: usize,
    /// Under which consent.
    pub snapshot: Snapshot,
    /// The event.
    pub event: Event,
}

/// An item of a log: an event, or a note.
#[derive(Debug, Clone)]
pub struct ItemFact {
    /// Whose.
    pub visitor: VisitorId,
    /// What it may be used for.
    pub usable: Purposes,
    /// What was in force when it was captured.
    pub captured: Purposes,
    /// What it may be used for at most, whatever is granted.
    pub wanted: Purposes,
    /// What nobody had answered for when it was captured.
    pub open: Purposes,
    /// The record that it surely gives, and its kind; `None` for a note.
    pub record: Option<(String, RecordKind)>,
}

/// What is known of a destination of a shard, besides what is stored.
#[derive(Debug, Clone, Default)]
pub struct Watched {
    /// It is told of the rows behind this one.
    pub began: Option<u64>,
    /// Where what it kept last of a visitor stands.
    pub last: BTreeMap<VisitorId, (u64, u32)>,
    /// Records that it kept, by item, and how often.
    pub kept: BTreeMap<((u64, u32), String), u32>,
    /// The item that each record that it kept is of.
    pub ids: BTreeMap<String, (u64, u32)>,
    /// Items that it refused.
    pub refused: BTreeSet<(u64, u32)>,
    /// Items that were sent to it.
    pub departed: BTreeSet<(u64, u32)>,
    /// Items that went out of the quarantine to it.
    pub again: BTreeSet<(u64, u32)>,
    /// It asked to be left alone until then, by the world's clock.
    pub until_ms: u64,
    /// What was sent by which name, as a hash.
    pub sends: BTreeMap<String, u64>,
    /// Names of what was sent, by that hash.
    pub names: BTreeMap<u64, String>,
}

impl Truth {
    /// Learns of a record that a page stores: the event, where it is a queued one.
    /// One that another writer captured, and whose record is no more, went over to this writer.
    pub fn stored(
        &mut self,
        (site, device): (usize, usize),
        (key, value): (&str, &[u8]),
        is_there: &dyn Fn(&str) -> bool,
    ) -> Option<&Event> {
        let by = queued(key)?;
        let mut reader = Reader::new(value);
        let snapshot = read_snapshot(&mut reader).ok()?;
        let event = read_event(reader.rest(), 0, None).ok()?;
        let is_same = |known: &Captured| {
            let (of, new) = (&known.event, &event);
            known.device == device
                && known.snapshot == snapshot
                && (of.time_ms, of.event_type, &of.name, &of.properties)
                    == (new.time_ms, new.event_type, &new.name, &new.properties)
        };
        let before = self.captured.iter().filter(|((_, key), known)| {
            key.0 != by.0 && !known.key.is_empty() && is_same(known) && !is_there(&known.key)
        });
        let gone: Vec<_> = before.map(|(key, _)| *key).collect();
        self.went_over.extend(gone);
        self.captured.insert((site, by), Captured { key: key.to_owned(), device, snapshot, event });
        self.captured.get(&(site, by)).map(|captured| &captured.event)
    }

    /// Counts what was seen, and says whether a cap was exceeded by it, on all of the visitor's devices together. Windows are shortened by `slack_ms`: as
    /// much as clocks may be wrong.
    pub fn expose(&mut self, visitor: VisitorId, exposure: Exposure, slack_ms: u64) -> Option<Violation> {
        let all = self.exposures.entry(visitor).or_default();
        all.push(exposure.clone());
        for (owner, limit, window_ms) in &exposure.caps {
            let from_ms = (exposure.at_ms + slack_ms).saturating_sub(*window_ms);
            let counts = |known: &&Exposure| {
                let is_own = known.device == exposure.device;
                let since_ms = if is_own { Some(exposure.own_since_ms) } else { exposure.all_since_ms };
                known.at_ms > from_ms
                    && since_ms.is_some_and(|since_ms| known.at_ms >= since_ms)
                    && known.caps.iter().any(|(name, ..)| name == owner)
            };
            let seen: Vec<_> = all
                .iter()
                .filter(counts)
                .map(|known| (known.device, known.tab, known.rule.as_str(), known.at_ms))
                .collect();
            if seen.len() > usize::from(*limit) {
                let detail = format!("{visitor}: {owner} has {limit} in {window_ms} ms, seen: {seen:?}");
                return Some(Violation { invariant: "a cap is never exceeded", detail });
            }
        }
        None
    }
}

/// The writer and the sequence of a queued event's key (`q.<writer>.<sequence>`).
#[must_use]
pub fn queued(key: &str) -> Option<Key> {
    let (writer, sequence) = key.strip_prefix("q.")?.split_once('.')?;
    let writer = WriterId::from_bits(u64::from_str_radix(writer, 16).ok()?);
    Some((writer, u32::from_str_radix(sequence, 16).ok()?))
}
