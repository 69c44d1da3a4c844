//! One deadline per visitor, and the one alarm of the shard, which stands at the earliest. An alarm that fires decides for
//! every visitor whose time has come, each in a transaction of its own, logs what changed, and is set again. It never
//! throws: whom it could not decide for it comes back to, ever later, and gives up in the end.

use super::alarm::Alarm;
use super::stopped::Stopped;
use super::{Shard, tables, warming};
use crate::barrier::{self, Failure};
use crate::clock::now_ms;
use crate::fault_plan::FaultPlan;
use crate::{programs, settings, sql};
use selvedge_core::id::VisitorId;
use selvedge_core::wire::stored::VisitorRecord;
use selvedge_edge::deadlines::{self, GRACE_MS};
use selvedge_edge::ledger::Counter;
use selvedge_edge::site::Site;
use std::rc::Rc;
use worker::SqlStorage;
use worker::durable::Storage;

/// Visitors that one alarm decides for; the next follows at once.
const VISITORS_MAX: u64 = 64;

/// A visitor whose time has come.
struct Due {
    visitor: VisitorId,
    due_ms: u64,
    site: String,
    /// Alarms that failed before this one: the program could not be had, or the step failed.
    failures: u64,
}

/// Keeps when to wake up for a visitor, where that is [not late enough](deadlines::is_rewritten), and sets the alarm.
pub fn keep(
    storage: &Storage,
    alarm: &Alarm,
    visitor: VisitorId,
    before_ms: Option<u64>,
    due_ms: Option<u64>,
    site: &str,
) -> worker::Result<()> {
    if !deadlines::is_rewritten(before_ms, due_ms) {
        return Ok(());
    }
    write(&storage.sql(), visitor, due_ms, site)?;
    due_ms.map_or(Ok(()), |due_ms| alarm.by(storage, Some(due_ms.saturating_add(GRACE_MS))))
}

/// The time of the earliest deadline there is, with the grace behind it: Unix milliseconds.
pub fn next_ms(sql: &SqlStorage) -> worker::Result<Option<u64>> {
    let earliest = sql::number(sql::first(sql, "SELECT min(due_ms) FROM deadline", Vec::new())?);
    Ok(Some(earliest).filter(|due_ms| *due_ms > 0).map(|due_ms| due_ms.saturating_add(GRACE_MS)))
}

/// Decides for those whose time has come.
pub async fn ring(shard: &Shard) {
    let sql = shard.state.storage().sql();
    match due(&sql, now_ms().saturating_sub(GRACE_MS)) {
        Err(error) => worker::console_error!("the deadlines cannot be read: {error}"),
        Ok(all) => {
            for due in all {
                let settled = match decide(shard, &due).await {
                    Ok(()) if due.failures == 0 => Ok(()),
                    Ok(()) => forgive(&sql, due.visitor),
                    Err(problem) => put_off(&sql, &due, &problem),
                };
                if let Err(error) = settled {
                    worker::console_error!("a deadline cannot be put off: {error}");
                }
            }
        }
    }
}

/// A deadline that could not be decided at comes again later, so that others have their turn; one that failed too often is
/// given up.
fn put_off(sql: &SqlStorage, due: &Due, problem: &str) -> worker::Result<()> {
    let failures = due.failures.saturating_add(1);
    match deadlines::retry_ms(failures) {
        Some(wait_ms) => {
            worker::console_error!("a deadline is put off, {failures} times now: {problem}");
            let statement = "INSERT OR REPLACE INTO put_off VALUES (?, ?)";
            sql::run(sql, statement, vec![tables::id(due.visitor), sql::of_number(failures)])?;
            write(sql, due.visitor, Some(now_ms().saturating_add(wait_ms)), &due.site)?;
            tables::count_change(sql, Counter::DeadlinesPutOff, 1)
        }
        None => {
            worker::console_error!("a deadline is given up after {failures} times: {problem}");
            forgive(sql, due.visitor)?;
            write(sql, due.visitor, None, &due.site)?;
            tables::count_change(sql, Counter::DeadlinesGivenUp, 1)
        }
    }
}

/// Forgets that the visitor's alarms failed.
pub fn forgive(sql: &SqlStorage, visitor: VisitorId) -> worker::Result<()> {
    sql::run(sql, "DELETE FROM put_off WHERE visitor = ?", vec![tables::id(visitor)])
}

fn due(sql: &SqlStorage, until_ms: u64) -> worker::Result<Vec<Due>> {
    let statement = "SELECT visitor, due_ms, site, failures FROM deadline LEFT JOIN put_off USING (visitor)
        WHERE due_ms <= ? ORDER BY due_ms LIMIT ?";
    let rows = sql::rows(sql, statement, vec![sql::of_number(until_ms), sql::of_number(VISITORS_MAX)])?;
    let read = |row: Vec<worker::SqlStorageValue>| {
        let mut values = row.into_iter();
        let visitor = VisitorId(sql::blob(values.next()).try_into().unwrap_or_default());
        let (due_ms, site) = (sql::number(values.next()), sql::text(values.next()));
        Due { visitor, due_ms, site, failures: sql::number(values.next()) }
    };
    Ok(rows.into_iter().map(read).collect())
}

async fn decide(shard: &Shard, due: &Due) -> Result<(), String> {
    let sql = shard.state.storage().sql();
    let stored = tables::visitor(&sql, due.visitor).map_err(|error| error.to_string())?;
    let publish = stored.map_or(0, |record| record.publish);
    let site = programs::site(&shard.env, &due.site, publish).await;
    let site = site.map_err(|problem| format!("no program: {problem:?}"))?;
    let mut done = transact(shard, &site, due);
    if let Err(Failure::Work(Stopped::Unknown(unknown))) = &done {
        programs::learn(&shard.env, unknown).await;
        done = transact(shard, &site, due);
    }
    match done {
        Ok(()) => Ok(()),
        Err(Failure::Work(stopped)) => Err(stopped.into_fault().to_string()),
        Err(Failure::Panicked) => Err("the step failed".to_owned()),
        Err(Failure::Storage) => Err("the storage failed".to_owned()),
    }
}

fn transact(shard: &Shard, site: &Rc<Site>, due: &Due) -> Result<(), Failure<Stopped>> {
    let (sql, site) = (shard.state.storage().sql(), Rc::clone(site));
    let (visitor, due_ms) = (due.visitor, due.due_ms);
    let plan = FaultPlan { is_on: settings::plants_faults(&shard.env) };
    barrier::transaction(&shard.state.storage(), move || {
        plan.at_deadline(visitor);
        step(&sql, &site, visitor, due_ms)
    })
}

/// One visitor, in one transaction. Between the reading of the deadline and this, a request may have come: what is stored
/// now counts.
fn step(sql: &SqlStorage, site: &Rc<Site>, visitor: VisitorId, due_ms: u64) -> Result<(), Stopped> {
    let mut before = tables::before(sql, visitor)?;
    if before.due_ms != Some(due_ms) {
        return Ok(());
    }
    warming::warm_up(sql, site, visitor, before.record.as_mut())?;
    let stored: VisitorRecord = before.record.unwrap_or_default();
    let Some(woken) = deadlines::wake(site, visitor, &stored, now_ms()) else {
        return Ok(write(sql, visitor, None, site.name())?);
    };
    if woken.record != stored {
        tables::write_record(sql, visitor, &woken.record)?;
    }
    if let Some(row) = woken.row {
        tables::write_row(sql, visitor, row, &before.ledger)?;
    }
    Ok(write(sql, visitor, woken.due_ms, site.name())?)
}

fn write(sql: &SqlStorage, visitor: VisitorId, due_ms: Option<u64>, site: &str) -> worker::Result<()> {
    let visitor = tables::id(visitor);
    match due_ms {
        None => sql::run(sql, "DELETE FROM deadline WHERE visitor = ?", vec![visitor]),
        Some(due_ms) => {
            let values = vec![visitor, sql::of_number(due_ms), site.into()];
            sql::run(sql, "INSERT OR REPLACE INTO deadline VALUES (?, ?, ?)", values)
        }
    }
}
