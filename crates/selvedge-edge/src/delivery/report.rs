//! How a destination stands: in one shard, and in all of them.

use super::pressure::Waiting;
use super::state::{Counts, State, read_counts, write_counts};
use crate::histogram::Histogram;
use crate::ledger::{Counter, Ledger};
use crate::text::rfc_3339;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use selvedge_core::wire::codec::{Reader, WireFault, Writer};
use selvedge_core::wire::program::Destination;
use serde::Serialize;

/// Whether a destination is sent anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Standing {
    /// It gets what there is.
    Active = 0,
    /// It failed, and is tried again later.
    Waiting = 1,
    /// Nothing is sent until somebody acts.
    Paused = 2,
    /// The program in force does not name it.
    Gone = 3,
}

impl Standing {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Active, Self::Waiting, Self::Paused, Self::Gone];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Waiting => "waiting",
            Self::Paused => "paused",
            Self::Gone => "gone",
        }
    }

    /// How a state stands.
    #[must_use]
    pub const fn of(state: &State) -> Self {
        if state.gone_since.is_some() {
            Self::Gone
        } else if state.paused.is_some() {
            Self::Paused
        } else if state.failures > 0 {
            Self::Waiting
        } else {
            Self::Active
        }
    }
}

/// A destination in one shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Its name.
    pub name: String,
    /// Whether it is sent anything.
    pub standing: Standing,
    /// Items of the log since it began.
    pub accepted: u64,
    /// What became of them.
    pub counts: Counts,
    /// How long what is delivered took.
    pub delays: Histogram,
    /// Those that wait: found by the log, not by the counts.
    pub pending: u64,
    /// Those of them that wait for their visitors' answers.
    pub held: u64,
    /// What waits.
    pub waiting: Waiting,
    /// Percent of the bound that is closest, once it was [`Self::measure`]d.
    pub percent: u64,
    /// Where it stands in the log.
    pub cursor: String,
    /// What went wrong last; empty where nothing did.
    pub last_error: String,
    /// When it is tried again: Unix milliseconds; 0 where nothing is waited for.
    pub next_ms: u64,
}

/// What the ledger counted of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Marks {
    /// Items.
    pub items: u64,
    /// Bytes.
    pub bytes: u64,
    /// Those of the items that are notes.
    pub notes: u64,
}

impl Marks {
    /// The marks of a ledger.
    #[must_use]
    pub fn of(ledger: &Ledger) -> Self {
        let of = |counter| ledger.get(counter);
        Self { items: of(Counter::LogItems), bytes: of(Counter::LogBytes), notes: of(Counter::LogNotes) }
    }
}

impl Report {
    /// The report of a stored state: the log ends at `end`, the row that the cursor stands behind ends at `cursor`, and the
    /// first row behind it was received at `oldest_ms`.
    #[must_use]
    pub fn of(name: &str, state: &State, (cursor, end): (Marks, Marks), oldest_ms: Option<u64>) -> Self {
        let behind = end.items.saturating_sub(cursor.items).saturating_sub(u64::from(state.cursor.events));
        let waiting = waiting(state, (cursor, end), oldest_ms);
        let standing = Standing::of(state);
        Self {
            name: name.into(),
            standing,
            accepted: end.items.saturating_sub(state.began_at_items),
            counts: state.counts,
            delays: state.delays,
            pending: behind.saturating_add(state.held()),
            held: u64::from(state.waiting),
            waiting,
            percent: 0,
            cursor: alloc::format!("{}:{}", state.cursor.row, state.cursor.events),
            last_error: state.paused.as_ref().map_or(&state.last_error, |paused| &paused.why).clone(),
            next_ms: if standing == Standing::Waiting { state.not_before_ms } else { 0 },
        }
    }

    /// Measures what waits against the bounds that the site sets.
    pub fn measure(&mut self, destinations: &[Destination], now_ms: u64) {
        let named = destinations.iter().find(|destination| destination.name == self.name);
        self.percent = named.map_or(0, |destination| self.waiting.percent(destination, now_ms));
    }

    /// By how many the identity is off: accepted = delivered + filtered + quarantined + dropped + purged + pending.
    #[must_use]
    pub const fn difference(&self) -> u64 {
        self.accepted.abs_diff(self.counts.settled().saturating_add(self.pending))
    }

    /// Writes the report.
    pub fn write(&self, out: &mut Writer) {
        out.text(&self.name);
        out.u8(self.standing as u8);
        out.varint(self.accepted);
        write_counts(out, &self.counts);
        self.delays.write(out);
        out.varint(self.pending);
        out.varint(self.held);
        out.varint(self.waiting.bytes);
        out.varint(self.waiting.oldest_ms.unwrap_or(0));
        out.varint(self.percent);
        out.text(&self.cursor);
        out.text(&self.last_error);
        out.varint(self.next_ms);
    }

    /// The report that [`Self::write`] wrote.
    ///
    /// # Errors
    /// [`WireFault`] for bytes that are none.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, WireFault> {
        Ok(Self {
            name: reader.text()?.into(),
            standing: *Standing::ALL.get(usize::from(reader.u8()?)).ok_or(WireFault::Malformed)?,
            accepted: reader.varint_u64()?,
            counts: read_counts(reader)?,
            delays: Histogram::read(reader)?,
            pending: reader.varint_u64()?,
            held: reader.varint_u64()?,
            waiting: Waiting {
                bytes: reader.varint_u64()?,
                oldest_ms: Some(reader.varint_u64()?).filter(|oldest_ms| *oldest_ms > 0),
            },
            percent: reader.varint_u64()?,
            cursor: reader.text()?.into(),
            last_error: reader.text()?.into(),
            next_ms: reader.varint_u64()?,
        })
    }
}

/// What waits for a destination: in flight, and in the log behind its cursor.
#[must_use]
pub fn waiting(state: &State, (cursor, end): (Marks, Marks), oldest_ms: Option<u64>) -> Waiting {
    let in_flight = if state.in_flight > 0 { state.flight_bytes } else { 0 };
    let oldest = if state.in_flight > 0 { Some(state.flight_oldest_ms) } else { oldest_ms };
    Waiting { bytes: end.bytes.saturating_sub(cursor.bytes).saturating_add(in_flight), oldest_ms: oldest }
}

/// A destination in all shards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Its name.
    pub name: String,
    /// How it stands where it stands worst.
    pub standing: Standing,
    /// Items of the log since it began.
    pub accepted: u64,
    /// What became of them.
    pub counts: Counts,
    /// How long what is delivered took.
    pub delays: Histogram,
    /// Those that wait.
    pub pending: u64,
    /// Those of them that wait for their visitors' answers.
    pub held: u64,
    /// Bytes that wait.
    pub bytes: u64,
    /// When the oldest that waits was received.
    pub oldest_ms: Option<u64>,
    /// Percent of the bound that is closest, in the shard that is worst off.
    pub percent: u64,
    /// By how many the identity is off, all shards together.
    pub difference: u64,
    /// The reports, by shard.
    pub shards: Vec<(String, Report)>,
}

/// Sums the reports of shards, by name.
#[must_use]
pub fn summed(reports: Vec<(String, Report)>) -> Vec<Summary> {
    let mut all: Vec<Summary> = Vec::new();
    for (shard, report) in reports {
        let at = match all.binary_search_by(|known| known.name.as_str().cmp(&report.name)) {
            Ok(at) => at,
            Err(at) => {
                all.insert(at, Summary::named(&report.name));
                at
            }
        };
        if let Some(known) = all.get_mut(at) {
            known.add(shard, report);
        }
    }
    all
}

impl Summary {
    fn named(name: &str) -> Self {
        Self {
            name: name.into(),
            standing: Standing::Active,
            accepted: 0,
            counts: Counts::default(),
            delays: Histogram::default(),
            pending: 0,
            held: 0,
            bytes: 0,
            oldest_ms: None,
            percent: 0,
            difference: 0,
            shards: Vec::new(),
        }
    }

    fn add(&mut self, shard: String, report: Report) {
        self.standing = self.standing.max(report.standing);
        self.accepted = self.accepted.saturating_add(report.accepted);
        self.counts.merge(&report.counts);
        self.delays.merge(&report.delays);
        self.pending = self.pending.saturating_add(report.pending);
        self.held = self.held.saturating_add(report.held);
        self.bytes = self.bytes.saturating_add(report.waiting.bytes);
        self.oldest_ms = [self.oldest_ms, report.waiting.oldest_ms].into_iter().flatten().min();
        self.percent = self.percent.max(report.percent);
        self.difference = self.difference.saturating_add(report.difference());
        self.shards.push((shard, report));
    }
}

#[derive(Serialize)]
struct JsonReport<'a> {
    shard: &'a str,
    state: &'static str,
    cursor: &'a str,
    accepted: u64,
    pending: u64,
    pending_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    oldest: Option<String>,
    percent: u64,
    #[serde(skip_serializing_if = "str::is_empty")]
    last_error: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_attempt: Option<String>,
}

#[derive(Serialize)]
struct JsonSummary<'a> {
    name: &'a str,
    state: &'static str,
    accepted: u64,
    delivered: u64,
    filtered: u64,
    quarantined: u64,
    dropped: u64,
    purged: u64,
    pending: u64,
    held: u64,
    pending_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    oldest: Option<String>,
    percent: u64,
    possible_duplicates: u64,
    sends: u64,
    failures: u64,
    shards: Vec<JsonReport<'a>>,
}

/// What `GET /v1/destinations` answers.
#[must_use]
pub fn render(summaries: &[Summary]) -> String {
    let all: Vec<JsonSummary<'_>> = summaries.iter().map(of_summary).collect();
    let text = serde_json::to_string(&all).unwrap_or_else(|_| "[]".to_string());
    alloc::format!("{{\"destinations\":{text}}}")
}

fn of_summary(summary: &Summary) -> JsonSummary<'_> {
    let counts = summary.counts;
    JsonSummary {
        name: &summary.name,
        state: summary.standing.as_str(),
        accepted: summary.accepted,
        delivered: counts.delivered,
        filtered: counts.filtered,
        quarantined: counts.quarantined,
        dropped: counts.dropped,
        purged: counts.purged,
        pending: summary.pending,
        held: summary.held,
        pending_bytes: summary.bytes,
        oldest: summary.oldest_ms.map(rfc_3339),
        percent: summary.percent,
        possible_duplicates: counts.possible_duplicates,
        sends: counts.sends,
        failures: counts.failures,
        shards: summary.shards.iter().map(|(shard, report)| of_report(shard, report)).collect(),
    }
}

fn of_report<'a>(shard: &'a str, report: &'a Report) -> JsonReport<'a> {
    JsonReport {
        shard,
        state: report.standing.as_str(),
        cursor: &report.cursor,
        accepted: report.accepted,
        pending: report.pending,
        pending_bytes: report.waiting.bytes,
        oldest: report.waiting.oldest_ms.map(rfc_3339),
        percent: report.percent,
        last_error: &report.last_error,
        next_attempt: Some(report.next_ms).filter(|next_ms| *next_ms > 0).map(rfc_3339),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cursor::Position;

    fn report(delivered: u64) -> Report {
        let state = State {
            counts: Counts { delivered, purged: 1, ..Counts::default() },
            in_flight: 2,
            flight_bytes: 50,
            flight_oldest_ms: 7,
            ..State::beginning(Position { row: 4, events: 1 }, 10, 1)
        };
        let (cursor, end) =
            (Marks { items: 15, bytes: 900, notes: 0 }, Marks { items: 20, bytes: 1_000, notes: 0 });
        Report::of("hook", &state, (cursor, end), Some(9))
    }

    #[test]
    fn what_is_settled_is_held_against_the_log() {
        // Ten items since the beginning: four behind the cursor and its item, two in flight, one purged.
        let right = report(3);
        assert_eq!((right.accepted, right.pending, right.difference()), (10, 6, 0));
        assert_eq!((right.waiting.bytes, right.waiting.oldest_ms), (150, Some(7)));
        assert_eq!(report(2).difference(), 1, "one is missing");
        assert_eq!(report(5).difference(), 2, "two are counted twice");
    }

    #[test]
    fn a_report_reads_as_it_was_written() {
        let mut out = Writer::new();
        report(3).write(&mut out);
        let bytes = out.into_bytes();
        assert_eq!(Report::read(&mut Reader::new(&bytes)), Ok(report(3)));
    }

    #[test]
    fn shards_are_summed_by_destination_and_the_worst_is_told() {
        let worse = Report { standing: Standing::Paused, ..report(1) };
        let other = Report { name: "crm".into(), ..report(3) };
        let all = summed(alloc::vec![("a".into(), report(3)), ("b".into(), worse), ("a".into(), other)]);
        assert_eq!(all.iter().map(|of| of.name.as_str()).collect::<Vec<_>>(), ["crm", "hook"]);
        let hook = &all[1];
        assert_eq!((hook.accepted, hook.standing, hook.difference), (20, Standing::Paused, 2));
        assert!(render(&all).contains(r#""state":"paused""#));
    }
}
