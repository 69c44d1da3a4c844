//! The shard, as `worker/src/shard` does it, over tables in memory: one transaction per request and per visitor of an alarm.
//! What a transaction writes is a list, so that the world may lose it whole before it is committed.

use selvedge_core::consent::Mode;
use selvedge_core::event::{Batch, Event};
use selvedge_core::id::{Sequence, VisitorId};
use selvedge_core::mutation::{Mutation, is_planted};
use selvedge_core::rules::Decision;
use selvedge_core::tracking_plan::Trust;
use selvedge_core::wire::stored::VisitorRecord;
use selvedge_edge::deadlines::{self, GRACE_MS};
use selvedge_edge::fault::Fault;
use selvedge_edge::gate::Shown;
use selvedge_edge::ingest::{self, Arrival, Decided, Form, Outcome, Stale, Trouble, Watch};
use selvedge_edge::ledger::{Counter, Ledger};
use selvedge_edge::site::Site;
use std::collections::BTreeMap;

/// What a worker tells a shard beside a body.
#[derive(Debug, Clone)]
pub struct Envelope {
    /// The site's name.
    pub site: String,
    /// Its publish, as the worker knows it.
    pub publish: u64,
    /// When the request came, by the worker's clock.
    pub received_ms: u64,
    /// The source's name.
    pub source: String,
    /// `Sec-GPC: 1`.
    pub gpc: bool,
    /// What unknown consent means where the visitor is.
    pub mode: Mode,
    /// The visitor's country.
    pub country: Option<String>,
}

/// One change of the tables.
#[derive(Debug, Clone)]
pub enum Write {
    /// What is kept of a visitor.
    Record(VisitorId, Vec<u8>),
    /// A row of the log.
    Row(VisitorId, Vec<u8>),
    /// A line of the quarantine.
    Quarantine(VisitorId, String),
    /// What the quarantine holds of a visitor goes.
    Purge(VisitorId),
    /// The ledger.
    Ledger(Vec<u8>),
    /// When to wake up for a visitor.
    Deadline(VisitorId, Option<u64>),
}

/// What is durable.
#[derive(Debug, Default)]
pub struct Tables {
    /// Visitors' records.
    pub visitors: BTreeMap<VisitorId, Vec<u8>>,
    /// The log: numbered from 1.
    pub log: Vec<(VisitorId, Vec<u8>)>,
    /// The quarantine.
    pub quarantine: Vec<(VisitorId, String)>,
    /// The packed ledger.
    pub ledger: Vec<u8>,
    /// When to wake up for whom.
    pub deadlines: BTreeMap<VisitorId, u64>,
    /// When the platform is to ring.
    pub alarm_ms: Option<u64>,
}

impl Tables {
    /// Commits a transaction, and sets the alarm.
    pub fn commit(&mut self, writes: Vec<Write>) {
        self.apply(writes);
        self.arm();
    }

    /// Commits a transaction.
    pub fn apply(&mut self, writes: Vec<Write>) {
        for write in writes {
            match write {
                Write::Record(visitor, bytes) => drop(self.visitors.insert(visitor, bytes)),
                Write::Row(visitor, body) => self.log.push((visitor, body)),
                Write::Quarantine(visitor, line) => self.quarantine.push((visitor, line)),
                Write::Purge(visitor) => self.quarantine.retain(|(whose, _)| *whose != visitor),
                Write::Ledger(bytes) => self.ledger = bytes,
                Write::Deadline(visitor, Some(due_ms)) => drop(self.deadlines.insert(visitor, due_ms)),
                Write::Deadline(visitor, None) => drop(self.deadlines.remove(&visitor)),
            }
        }
    }

    /// Sets the alarm to the earliest deadline there is.
    pub fn arm(&mut self) {
        if let Some(earliest_ms) = self.deadlines.values().min() {
            self.alarm_ms = Some(earliest_ms.saturating_add(GRACE_MS));
        }
    }

    /// What is kept of a visitor.
    #[must_use]
    pub fn record(&self, visitor: VisitorId) -> Option<VisitorRecord> {
        self.visitors.get(&visitor).and_then(|bytes| VisitorRecord::decode(bytes).ok())
    }

    /// What was counted.
    #[must_use]
    pub fn counted(&self) -> Ledger {
        Ledger::decode(&self.ledger).unwrap_or_default()
    }
}

/// A request's transaction, not committed yet.
#[derive(Debug)]
pub struct Stepped {
    /// What it writes.
    pub writes: Vec<Write>,
    /// What it answers.
    pub answer: Vec<u8>,
    /// Its outcome.
    pub outcome: Outcome,
    /// The batch, as it was read.
    pub batch: Batch,
    /// What was decided behind its last event, and when.
    pub last: Option<Last>,
}

/// What was decided behind a batch's last event.
#[derive(Debug, Clone)]
pub struct Last {
    /// The rules' time.
    pub now_ms: i64,
    /// The purposes in force.
    pub in_force: selvedge_core::consent::Purposes,
    /// Every slot's decision.
    pub decisions: Vec<Decision>,
}

/// Why a request left nothing.
#[derive(Debug)]
pub enum Stopped {
    /// The caller is told.
    Fault(Fault),
    /// The program must be fetched first.
    Stale(Stale),
}

/// Steps a batch.
///
/// # Errors
/// [`Stopped`]: then nothing is to be written.
pub fn collect(tables: &Tables, site: &Site, envelope: &Envelope, body: &[u8]) -> Result<Stepped, Stopped> {
    let incoming = ingest::read(Form::Binary, body, site).map_err(Stopped::Fault)?;
    let header = incoming.header.clone();
    let events = incoming.events.iter().map(|sent| sent.read.clone()).collect();
    let visitor = header.visitor;
    let before_due_ms = tables.deadlines.get(&visitor).copied();
    let arrival = Arrival {
        received_ms: envelope.received_ms,
        source: &envelope.source,
        trust: Trust::Client,
        shown: Shown { gpc: envelope.gpc, mode: envelope.mode },
        country: envelope.country.as_deref(),
        account: None,
    };
    let mut progress = Progress::default();
    let stored = tables.record(visitor);
    let mut outcome = ingest::step(site, stored, incoming, &arrival, &Trouble::default(), &mut progress)
        .map_err(Stopped::Stale)?;
    let answer = outcome.answer.encode();
    let answer = answer.map_err(|_| Stopped::Fault(Fault::internal("the answer could not be written")))?;
    let mut writes = write(tables, visitor, &mut outcome)?;
    if before_due_ms != outcome.due_ms {
        writes.push(Write::Deadline(visitor, outcome.due_ms));
    }
    Ok(Stepped { writes, answer, outcome, batch: Batch { header, events }, last: progress.last })
}

fn write(tables: &Tables, visitor: VisitorId, outcome: &mut Outcome) -> Result<Vec<Write>, Stopped> {
    let mut writes = Vec::new();
    if let Some(record) = &outcome.record {
        writes.push(Write::Record(visitor, record.encode()));
    }
    let mut ledger = tables.counted();
    ledger.merge(&outcome.ledger);
    if outcome.purge_quarantine {
        let held = tables.quarantine.iter().filter(|(whose, _)| *whose == visitor).count();
        ledger.add(Counter::QuarantinePurged, held as u64);
        if !is_planted(Mutation::QuarantineKept) {
            writes.push(Write::Purge(visitor));
        }
    }
    writes.extend(outcome.quarantine.iter().map(|line| Write::Quarantine(visitor, line.clone())));
    if let Some(row) = outcome.row.clone() {
        let bodies = row.encode_bounded();
        let bodies = bodies.map_err(|_| Stopped::Fault(Fault::internal("a row could not be written")))?;
        writes.extend(bodies.into_iter().map(|piece| Write::Row(visitor, piece.bytes)));
    }
    if !(is_planted(Mutation::LedgerOutside) && outcome.row.is_some()) {
        writes.push(Write::Ledger(ledger.encode()));
    }
    Ok(writes)
}

/// Whose time has come, at `now_ms` of the shard's clock.
#[must_use]
pub fn due(tables: &Tables, now_ms: u64) -> Vec<(VisitorId, u64)> {
    let until_ms = now_ms.saturating_sub(GRACE_MS);
    let due = tables.deadlines.iter().filter(|(_, due_ms)| **due_ms <= until_ms);
    due.map(|(visitor, due_ms)| (*visitor, *due_ms)).collect()
}

/// One visitor of an alarm.
#[must_use]
pub fn wake(tables: &Tables, site: &Site, visitor: VisitorId, now_ms: u64) -> Vec<Write> {
    let stored = tables.record(visitor).unwrap_or_default();
    let Some(woken) = deadlines::wake(site, visitor, &stored, now_ms) else {
        return vec![Write::Deadline(visitor, None)];
    };
    let mut writes = Vec::new();
    if woken.record != stored {
        writes.push(Write::Record(visitor, woken.record.encode()));
    }
    if let Some(bodies) = woken.row.and_then(|row| row.encode_bounded().ok()) {
        writes.extend(bodies.into_iter().map(|piece| Write::Row(visitor, piece.bytes)));
    }
    writes.push(Write::Deadline(visitor, woken.due_ms));
    writes
}

/// Hears what was decided last.
#[derive(Debug, Default)]
struct Progress {
    last: Option<Last>,
}

impl Watch for Progress {
    fn reaches(&mut self, _: Sequence) {}

    fn takes(&mut self, _: &Event) {}

    fn decides(&mut self, decided: &Decided<'_>) {
        let (now_ms, in_force) = (decided.moment.now_ms, decided.moment.in_force);
        self.last = Some(Last { now_ms, in_force, decisions: decided.decisions.to_vec() });
    }
}
