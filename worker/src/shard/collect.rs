//! One batch in one transaction: read the visitor, step, write everything or nothing. What failed is told apart: a batch
//! that cannot be read, a program that is not known yet, a panic (contained by the barrier), the storage.

use super::alarm::Alarm;
use super::attempts::{self, Attempts, FRESH_STATE_ATTEMPTS, REFUSE_ATTEMPTS};
use super::deadlines;
use super::envelope::Envelope;
use super::outbox::{self, Outbox};
use super::stopped::Stopped;
use super::{Shard, quarantined, tables, warming};
use crate::barrier::{self, Failure};
use crate::clock::now_ms;
use crate::fault_plan::FaultPlan;
use selvedge_core::event::Event;
use selvedge_core::id::{Sequence, VisitorId, WriterId};
use selvedge_edge::erasure;
use selvedge_edge::fault::Fault;
use selvedge_edge::gate::Shown;
use selvedge_edge::ingest::{self, Arrival, Form, Outcome, Trouble, Watch, answer_json};
use selvedge_edge::ledger::Ledger;
use selvedge_edge::site::Site;
use std::cell::Cell;
use std::rc::Rc;
use worker::durable::Storage;
use worker::{SqlStorage, State};

thread_local! {
    /// The writer and the event that the running step is at, so that a panic can be put down to it. Sequence 0: before any.
    static AT: Cell<Option<(VisitorId, WriterId, u32)>> = const { Cell::new(None) };
}

/// Steps a batch, in one transaction, and gives the answer.
pub fn collect(
    shard: &Shard,
    site: &Rc<Site>,
    envelope: &Rc<Envelope>,
    body: &Rc<[u8]>,
    plants_faults: bool,
) -> Result<Vec<u8>, Stopped> {
    AT.set(None);
    let state = &shard.state;
    let kept = Kept::of(shard, FaultPlan { is_on: plants_faults });
    let publish = site.publish;
    let (site, envelope, body) = (Rc::clone(site), Rc::clone(envelope), Rc::clone(body));
    let stepped = barrier::transaction(&state.storage(), move || step(&kept, &site, &envelope, &body));
    if stepped.is_ok() {
        shard.outbox.named(publish);
    } else {
        shard.outbox.forget();
        shard.alarm.forget();
    }
    match stepped {
        Ok(answer) => Ok(answer),
        Err(Failure::Work(stopped)) => Err(stopped),
        Err(Failure::Storage) => Err(Fault::storage("the transaction failed; nothing was kept").into()),
        Err(Failure::Panicked) => {
            mark_failure(state);
            Err(Fault::step_failed("the step failed and was rolled back; nothing was kept").into())
        }
    }
}

/// Marks the event that the step panicked at, so that it is poison at the third attempt.
fn mark_failure(state: &State) {
    let Some((visitor, writer, sequence)) = AT.get() else {
        return;
    };
    let sql = state.storage().sql();
    let marked = barrier::transaction(&state.storage(), move || {
        attempts::mark(&sql, visitor, writer, sequence)?;
        tables::count_failure(&sql)
    });
    if let Err(failure) = marked {
        worker::console_error!("a failed step could not be marked: {failure:?}");
    }
}

/// What a step writes to, and what the shard remembers of it.
pub struct Kept {
    /// The storage.
    pub storage: Storage,
    /// What is known of the destinations.
    pub outbox: Rc<Outbox>,
    /// The alarm.
    pub alarm: Rc<Alarm>,
    /// The faults of tests.
    pub plan: FaultPlan,
}

impl Kept {
    /// What a step in this shard writes to.
    pub fn of(shard: &Shard, plan: FaultPlan) -> Self {
        let (outbox, alarm) = (Rc::clone(&shard.outbox), Rc::clone(&shard.alarm));
        Self { storage: shard.state.storage(), outbox, alarm, plan }
    }
}

fn step(kept: &Kept, site: &Site, envelope: &Envelope, body: &[u8]) -> Result<Vec<u8>, Stopped> {
    let Kept { storage, outbox: known, alarm, plan } = kept;
    let sql = &storage.sql();
    let form = if envelope.is_json { Form::Json } else { Form::Binary };
    let batch = ingest::read(form, body, site)?;
    let (visitor, writer) = (batch.header.visitor, batch.header.writer);
    AT.set(Some((visitor, writer, 0)));
    let mut before = tables::before(sql, visitor)?;
    warming::warm_up(sql, site, visitor, before.record.as_mut())?;
    known.admit(sql, site, &before.ledger)?;
    let attempts =
        if before.has_attempts { attempts::read(sql, visitor, writer)? } else { Attempts::default() };
    if attempts.at(0) >= REFUSE_ATTEMPTS {
        return Err(Fault::poison("this visitor's batches failed again and again").into());
    }
    let mut progress = Progress { sql, visitor, writer, attempts: &attempts, plan: *plan, is_torn: false };
    let arrival = Arrival {
        received_ms: envelope.received_ms,
        source: &envelope.source,
        trust: envelope.trust(),
        shown: Shown { gpc: envelope.gpc, mode: envelope.mode() },
        country: envelope.country.as_deref(),
        account: None,
    };
    let poison = attempts.poison();
    let trouble = Trouble { poison: &poison, fresh_state: attempts.at(0) >= FRESH_STATE_ATTEMPTS };
    let consent = before.record.as_ref().map(|record| record.consent);
    let mut outcome = if before.is_erased {
        erasure::refuse(site, batch, &arrival)
    } else {
        ingest::step(site, before.record, batch, &arrival, &trouble, &mut progress).map_err(Stopped::Stale)?
    };
    known.before_row(sql, site)?;
    let has_answered = outcome.record.as_ref().is_some_and(|record| Some(record.consent) != consent);
    let has_row = outcome.row.is_some();
    if outcome.purge_quarantine {
        outbox::purge_again(sql, visitor)?;
    }
    write(sql, visitor, &mut outcome, before.ledger, progress.is_torn)?;
    if has_row {
        known.after_row(storage, alarm, site)?;
    }
    if has_answered && outbox::holds(site) && outbox::answered(sql, visitor)? {
        alarm.by(storage, Some(now_ms()))?;
    }
    deadlines::keep(storage, alarm, visitor, before.due_ms, outcome.due_ms, site.name())?;
    settle(sql, visitor, writer, &attempts)?;
    answer(&outcome, envelope.is_json)
}

/// Keeps [`AT`], and plants the faults of tests.
struct Progress<'a> {
    sql: &'a SqlStorage,
    visitor: VisitorId,
    writer: WriterId,
    attempts: &'a Attempts,
    plan: FaultPlan,
    is_torn: bool,
}

impl Watch for Progress<'_> {
    fn reaches(&mut self, sequence: Sequence) {
        AT.set(Some((self.visitor, self.writer, sequence.get())));
    }

    fn takes(&mut self, event: &Event) {
        self.plan.at_event(event, self.attempts.at(event.sequence.get()));
        self.is_torn |= self.plan.is_between_writes(event);
    }

    fn holds(&mut self, fingerprint: u64) -> bool {
        // Where that cannot be read it is kept once more.
        quarantined::holds(self.sql, self.visitor, fingerprint).unwrap_or(false)
    }
}

fn write(
    sql: &SqlStorage,
    visitor: VisitorId,
    outcome: &mut Outcome,
    ledger: Ledger,
    is_torn: bool,
) -> Result<(), Stopped> {
    if let Some(record) = &outcome.record {
        tables::write_record(sql, visitor, record)?;
    }
    if is_torn {
        return Err(Fault::storage("planted: an error between two writes").into());
    }
    tables::write_rows(sql, visitor, outcome, ledger)?;
    Ok(())
}

/// A batch that went through leaves no marks.
fn settle(
    sql: &SqlStorage,
    visitor: VisitorId,
    writer: WriterId,
    attempts: &Attempts,
) -> Result<(), Stopped> {
    if !attempts.is_empty() {
        attempts::clear(sql, visitor, writer)?;
    }
    Ok(())
}

/// The answer in the form that the batch came in.
fn answer(outcome: &Outcome, is_json: bool) -> Result<Vec<u8>, Stopped> {
    if is_json {
        return Ok(answer_json::render(outcome).into_bytes());
    }
    let written = outcome.answer.encode();
    written.map_err(|_| Fault::internal("the answer could not be written").into())
}
