//! The shard, as `worker/src/shard` does it, over tables in memory: one transaction per request and per visitor of an alarm.
//! What a transaction writes is a list, so that the world may lose it whole before it is committed.

use selvedge_core::consent::{Mode, Snapshot};
use selvedge_core::event::{Batch, Event};
use selvedge_core::id::{Sequence, VisitorId};
use selvedge_core::mutation::{Mutation, is_planted};
use selvedge_core::rules::Decision;
use selvedge_core::tracking_plan::Trust;
use selvedge_core::wire::answer_encode::EncodeFault;
use selvedge_core::wire::log_row::{LogRow, RowPiece};
use selvedge_core::wire::stored::VisitorRecord;
use selvedge_edge::deadlines::{self, GRACE_MS};
use selvedge_edge::delivery::take::Held;
use selvedge_edge::erasure::{self, Tombstone};
use selvedge_edge::fault::Fault;
use selvedge_edge::gate::Shown;
use selvedge_edge::ingest::{self, Arrival, Decided, Form, Outcome, Stale, Trouble, Watch, answer_json};
use selvedge_edge::ledger::{Counter, Ledger};
use selvedge_edge::site::Site;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// What a worker tells a shard beside a body.
#[derive(Debug, Clone)]
pub struct Envelope {
    /// The form that the body has, and the answer will have.
    pub form: Form,
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
    Row(Logged),
    /// Rows of the log up to this one go.
    Unlog(u64),
    /// A line of the quarantine.
    Quarantine(VisitorId, String),
    /// Another line in the place of one.
    Requarantine(u64, String),
    /// A line of the quarantine goes.
    Unquarantine(u64),
    /// What the quarantine holds of a visitor goes.
    Purge(VisitorId),
    /// The ledger.
    Ledger(Vec<u8>),
    /// When to wake up for a visitor.
    Deadline(VisitorId, Option<u64>),
    /// How often in a row nothing could be decided for a visitor whose time had come; 0 where it could.
    PutOff(VisitorId, u64),
    /// Where a destination stands.
    State(String, Vec<u8>),
    /// What of a destination is in flight.
    Flight(String, Vec<u8>),
    /// An item that goes to a destination again.
    Again(String, Vec<u8>),
    /// An item that no longer waits to go again.
    Unagain(u64),
    /// An item waits for its visitor's answer.
    Hold(String, Held),
    /// It waits no longer.
    Release(String, u64, u32),
    /// A visitor answered of whom something waits.
    Answered(String, VisitorId),
    /// It was asked for again.
    Unanswered(String, VisitorId),
    /// Nothing is known of a destination any more.
    Forget(String),
    /// What is kept of a visitor goes.
    Unrecord(VisitorId),
    /// A row of the log is another from now on: nobody's.
    Blank(u64, Vec<u8>),
    /// A visitor is erased.
    Stone(Tombstone),
}

/// Whose blank rows are.
pub const NOBODY: VisitorId = VisitorId([0; 16]);

/// A row of the log.
#[derive(Debug, Clone)]
pub struct Logged {
    /// Whose.
    pub visitor: VisitorId,
    /// The row.
    pub body: Vec<u8>,
    /// The packed ledger, as it was with the row.
    pub ledger: Vec<u8>,
}

/// What is durable.
#[derive(Debug, Default)]
pub struct Tables {
    /// Visitors' records.
    pub visitors: BTreeMap<VisitorId, Vec<u8>>,
    /// The log: numbered from 1; a number is never given twice.
    pub log: BTreeMap<u64, Logged>,
    /// The quarantine, numbered so too.
    pub quarantine: BTreeMap<u64, (VisitorId, String)>,
    /// The packed ledger.
    pub ledger: Vec<u8>,
    /// When to wake up for whom.
    pub deadlines: BTreeMap<VisitorId, u64>,
    /// Whose deadlines were put off, and how often in a row.
    pub put_off: BTreeMap<VisitorId, u64>,
    /// Where each destination stands.
    pub destinations: BTreeMap<String, Vec<u8>>,
    /// What of each is in flight.
    pub flights: BTreeMap<String, Vec<u8>>,
    /// Items that go again, and where.
    pub again: BTreeMap<u64, (String, Vec<u8>)>,
    /// Items that wait for answers, by destination and place: whose, and when they were received.
    pub held: BTreeMap<(String, u64, u32), (VisitorId, u64)>,
    /// Who answered of whom something waits for which destination.
    pub answered: BTreeSet<(String, VisitorId)>,
    /// Who was erased.
    pub erased: BTreeSet<Tombstone>,
    /// When the platform is to ring.
    pub alarm_ms: Option<u64>,
    numbers: [u64; 3],
}

impl Tables {
    /// The first line of the quarantine of a visitor that has this fingerprint.
    pub(crate) fn unplaced(&self, visitor: VisitorId, fingerprint: u64) -> Option<u64> {
        let has = |line: &str| line.contains(&format!(r#""fingerprint":{fingerprint},"#));
        let mut lines = self.quarantine.iter();
        lines.find_map(|(row, (whose, line))| (*whose == visitor && has(line)).then_some(*row))
    }

    /// Commits a transaction.
    pub fn apply(&mut self, writes: Vec<Write>) {
        writes.into_iter().for_each(|write| self.write(write));
    }

    fn write(&mut self, write: Write) {
        match write {
            Write::Record(visitor, bytes) => drop(self.visitors.insert(visitor, bytes)),
            Write::Row(row) => {
                self.numbers[0] += 1;
                self.log.insert(self.numbers[0], row);
            }
            Write::Unlog(until) => self.log.retain(|row, _| *row > until),
            Write::Quarantine(visitor, line) => {
                self.numbers[1] += 1;
                self.quarantine.insert(self.numbers[1], (visitor, line));
            }
            Write::Requarantine(row, line) => {
                self.quarantine.entry(row).and_modify(|(_, known)| *known = line);
            }
            Write::Unquarantine(row) => drop(self.quarantine.remove(&row)),
            Write::Purge(visitor) => self.quarantine.retain(|_, (whose, _)| *whose != visitor),
            Write::Ledger(bytes) => self.ledger = bytes,
            Write::Deadline(visitor, Some(due_ms)) => drop(self.deadlines.insert(visitor, due_ms)),
            Write::Deadline(visitor, None) => drop(self.deadlines.remove(&visitor)),
            Write::PutOff(visitor, 0) => drop(self.put_off.remove(&visitor)),
            Write::PutOff(visitor, failures) => drop(self.put_off.insert(visitor, failures)),
            Write::State(name, bytes) => drop(self.destinations.insert(name, bytes)),
            Write::Flight(name, bytes) if bytes.is_empty() => drop(self.flights.remove(&name)),
            Write::Flight(name, bytes) => drop(self.flights.insert(name, bytes)),
            Write::Again(name, bytes) => {
                self.numbers[2] += 1;
                self.again.insert(self.numbers[2], (name, bytes));
            }
            Write::Unagain(number) => drop(self.again.remove(&number)),
            Write::Unrecord(visitor) => drop(self.visitors.remove(&visitor)),
            Write::Blank(row, body) => {
                self.log.entry(row).and_modify(|logged| (logged.visitor, logged.body) = (NOBODY, body));
            }
            Write::Stone(stone) => drop(self.erased.insert(stone)),
            Write::Hold(name, held) => {
                self.held.insert((name, held.row, held.at), (held.visitor, held.received_ms));
            }
            Write::Release(name, row, at) => drop(self.held.remove(&(name, row, at))),
            Write::Answered(name, visitor) => drop(self.answered.insert((name, visitor))),
            Write::Unanswered(name, visitor) => drop(self.answered.remove(&(name, visitor))),
            Write::Forget(name) => {
                self.held.retain(|(known, ..), _| *known != name);
                self.answered.retain(|(known, _)| *known != name);
                self.destinations.remove(&name);
                self.flights.remove(&name);
                self.again.retain(|_, (whose, _)| *whose != name);
            }
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

    /// The number of the newest row.
    #[must_use]
    pub fn newest(&self) -> u64 {
        self.log.last_key_value().map_or(0, |(row, _)| *row)
    }
}

/// A row of the log in as many rows as it takes, each with the ledger as it is after it.
///
/// # Errors
/// Where it cannot be written.
pub fn rows_of(visitor: VisitorId, row: LogRow, ledger: &mut Ledger) -> Result<Vec<Write>, EncodeFault> {
    let written = |RowPiece { items, notes, bytes }: RowPiece| {
        ledger.add(Counter::LogItems, items as u64);
        ledger.add(Counter::LogNotes, notes as u64);
        ledger.add(Counter::LogBytes, bytes.len() as u64);
        Write::Row(Logged { visitor, body: bytes, ledger: ledger.encode() })
    };
    Ok(row.encode_bounded()?.into_iter().map(written).collect())
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
    /// The site that stepped it.
    pub site: Option<Rc<Site>>,
    /// The form that it came in.
    pub form: Form,
    /// The consent that was known before.
    pub before: Option<Snapshot>,
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
    let form = envelope.form;
    let incoming = ingest::read(form, body, site).map_err(Stopped::Fault)?;
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
    let mut progress = Progress { lines: Some((tables, visitor)), last: None };
    let stored = tables.record(visitor);
    let outcome = if tables.erased.contains(&Tombstone::of(visitor)) {
        erasure::refuse(site, incoming, &arrival)
    } else {
        ingest::step(site, stored, incoming, &arrival, &Trouble::default(), &mut progress)
            .map_err(Stopped::Stale)?
    };
    let answer = match form {
        Form::Json => Ok(answer_json::render(&outcome).into_bytes()),
        Form::Binary => outcome.answer.encode(),
    };
    let answer = answer.map_err(|_| Stopped::Fault(Fault::internal("the answer could not be written")))?;
    let mut writes = write(tables, visitor, &outcome)?;
    if deadlines::is_rewritten(before_due_ms, outcome.due_ms) {
        writes.push(Write::Deadline(visitor, outcome.due_ms));
    }
    // Who has no engine decides nothing.
    let last = progress.last.filter(|_| form == Form::Binary);
    let batch = Batch { header, events };
    Ok(Stepped { writes, answer, outcome, batch, last, site: None, form, before: None })
}

/// What an outcome writes; its row is taken out of it only where it is written.
pub(crate) fn write(tables: &Tables, visitor: VisitorId, outcome: &Outcome) -> Result<Vec<Write>, Stopped> {
    let mut writes = Vec::new();
    if let Some(record) = &outcome.record {
        writes.push(Write::Record(visitor, record.encode()));
    }
    let mut ledger = tables.counted();
    ledger.merge(&outcome.ledger);
    if outcome.purge_quarantine {
        let held = tables.quarantine.values().filter(|(whose, _)| *whose == visitor).count();
        ledger.add(Counter::QuarantinePurged, held as u64);
        if !is_planted(Mutation::QuarantineKept) {
            writes.push(Write::Purge(visitor));
        }
    }
    writes.extend(outcome.quarantine.iter().map(|line| Write::Quarantine(visitor, line.clone())));
    if let Some(row) = outcome.row.clone() {
        let rows = rows_of(visitor, row, &mut ledger);
        writes.extend(rows.map_err(|_| Stopped::Fault(Fault::internal("a row could not be written")))?);
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
    let mut ledger = tables.counted();
    if let Some(rows) = woken.row.and_then(|row| rows_of(visitor, row, &mut ledger).ok()) {
        writes.extend(rows);
        writes.push(Write::Ledger(ledger.encode()));
    }
    writes.push(Write::Deadline(visitor, woken.due_ms));
    writes
}

/// As `deadlines::put_off`: nothing can be decided for a visitor whose time has come.
#[must_use]
pub fn put_off(tables: &Tables, visitor: VisitorId, now_ms: u64) -> Vec<Write> {
    let failures = tables.put_off.get(&visitor).copied().unwrap_or_default() + 1;
    let mut ledger = tables.counted();
    let wait_ms = deadlines::retry_ms(failures);
    let counter = wait_ms.map_or(Counter::DeadlinesGivenUp, |_| Counter::DeadlinesPutOff);
    ledger.add(counter, 1);
    let failures = wait_ms.map_or(0, |_| failures);
    let due_ms = wait_ms.map(|wait_ms| now_ms + wait_ms);
    vec![Write::PutOff(visitor, failures), Write::Deadline(visitor, due_ms), Write::Ledger(ledger.encode())]
}

/// Hears what was decided last, and looks into the quarantine.
#[derive(Debug, Default)]
pub(crate) struct Progress<'a> {
    last: Option<Last>,
    lines: Option<(&'a Tables, VisitorId)>,
}

impl Watch for Progress<'_> {
    fn reaches(&mut self, _: Sequence) {}

    fn takes(&mut self, _: &Event) {}

    fn decides(&mut self, decided: &Decided<'_>) {
        let (now_ms, in_force) = (decided.moment.now_ms, decided.moment.in_force);
        self.last = Some(Last { now_ms, in_force, decisions: decided.decisions.to_vec() });
    }

    fn holds(&mut self, fingerprint: u64) -> bool {
        self.lines.is_some_and(|(tables, visitor)| tables.unplaced(visitor, fingerprint).is_some())
    }
}
