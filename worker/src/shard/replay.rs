//! Orders about the quarantine: each entry that is replayed goes through a transaction of its own, in which it is removed,
//! or stays with its new reason. So one that fails, or panics, leaves the others as they are, and none counts twice.

use super::collect::Kept;
use super::quarantined::{self, Meant};
use super::stopped::Stopped;
use super::{Shard, deadlines, outbox, tables, warming};
use crate::barrier::{self, Failure};
use crate::clock::now_ms;
use crate::fault_plan::FaultPlan;
use crate::reply::Problem;
use crate::{programs, settings};
use selvedge_core::event::Event;
use selvedge_core::id::Sequence;
use selvedge_core::wire::program::RecordKind;
use selvedge_edge::delivery::item::Item;
use selvedge_edge::delivery::record::{Record, may_go_again};
use selvedge_edge::ingest::entry::{Entry, Refused, Undelivered, UndeliveredRecord};
use selvedge_edge::ingest::{self, Again, Outcome, Watch};
use selvedge_edge::ledger::{Counter, Ledger};
use selvedge_edge::object::Object;
use selvedge_edge::quarantine::{Replayed, Told};
use selvedge_edge::site::Site;
use std::rc::Rc;

/// Times that the oldest entries are looked through for one order, at most.
const SWEEPS_MAX: u32 = 64;

/// Gives up the entries whose time is over. Called by whatever looks at the quarantine, and by the alarm.
pub fn sweep(shard: &Shard, keep_ms: u64) -> worker::Result<()> {
    let sql = shard.state.storage().sql();
    let until_ms = now_ms().saturating_sub(keep_ms);
    for _ in 0..SWEEPS_MAX {
        if quarantined::oldest_ms(&sql)?.is_none_or(|oldest_ms| oldest_ms >= until_ms) {
            break;
        }
        let sql = sql.clone();
        let swept = move || {
            let expired = quarantined::expire(&sql, until_ms)?;
            tables::count_change(&sql, Counter::QuarantineExpired, expired)
        };
        transaction(shard, swept)?;
    }
    Ok(())
}

/// Takes up again what is meant.
pub async fn replay(shard: &Shard, meant: &Meant) -> Result<Vec<Replayed>, Problem> {
    let mut site = programs::site(&shard.env, &meant.site, meant.publish).await?;
    let mut all = Vec::new();
    for row in quarantined::rows(&shard.state.storage().sql(), meant)? {
        let mut told = one(shard, &site, row);
        if let Err(Failure::Work(Stopped::Stale(stale))) = told {
            site = programs::site(&shard.env, &meant.site, stale.known).await?;
            told = one(shard, &site, row);
        }
        if let Err(Failure::Work(Stopped::Unknown(unknown))) = &told {
            programs::learn(&shard.env, unknown).await;
            told = one(shard, &site, row);
        }
        match told {
            Ok(told) => all.extend(told),
            Err(Failure::Work(stopped)) => return Err(stopped.into_fault().into()),
            Err(Failure::Storage) => {
                return Err(worker::Error::RustError("the transaction failed".into()).into());
            }
            Err(Failure::Panicked) => all.push(failed(shard, row)?),
        }
    }
    Ok(all)
}

/// Drops what is meant.
pub fn drop(shard: &Shard, meant: &Meant) -> Result<Vec<Replayed>, Problem> {
    let (sql, meant) = (shard.state.storage().sql(), meant.clone());
    let dropped = move || {
        let mut all = Vec::new();
        for row in quarantined::rows(&sql, &meant)? {
            all.extend(quarantined::entry(&sql, row)?.map(|(_, line)| told(row, Told::Dropped, &line)));
            quarantined::remove(&sql, row)?;
        }
        tables::count_change(&sql, Counter::QuarantineDropped, u64::try_from(all.len()).unwrap_or(0))?;
        Ok(all)
    };
    Ok(transaction(shard, dropped)?)
}

fn transaction<T: 'static>(
    shard: &Shard,
    work: impl FnOnce() -> worker::Result<T> + 'static,
) -> worker::Result<T> {
    barrier::transaction(&shard.state.storage(), work).map_err(|failure| match failure {
        Failure::Work(error) => error,
        _ => worker::Error::RustError("the transaction failed".into()),
    })
}

fn one(shard: &Shard, site: &Rc<Site>, row: u64) -> Result<Option<Replayed>, Failure<Stopped>> {
    let kept = Kept::of(shard, FaultPlan { is_on: settings::plants_faults(&shard.env) });
    let site = Rc::clone(site);
    let stepped = barrier::transaction(&shard.state.storage(), move || step(&kept, &site, row));
    if stepped.is_err() {
        shard.outbox.forget();
        shard.alarm.forget();
    }
    stepped
}

/// One entry, in the transaction; `None` where it is gone.
fn step(kept: &Kept, site: &Site, row: u64) -> Result<Option<Replayed>, Stopped> {
    let sql = &kept.storage.sql();
    let Some((_, line)) = quarantined::entry(sql, row)? else { return Ok(None) };
    let answer = match Entry::read(&line) {
        Entry::Refused(refused) => again(kept, site, row, &refused)?,
        Entry::Unreadable(_) => (Told::Unreadable, None),
        Entry::Undelivered(undelivered) => (send_again(kept, site, row, undelivered)?, None),
    };
    let (result, reason) = answer;
    let told = told(row, result, &line);
    Ok(Some(match reason {
        Some(reason) => Replayed { reason, ..told },
        None => told,
    }))
}

/// An item once more on its way to the destination that refused it; destroyed where its visitor has taken back what it was for.
fn send_again(kept: &Kept, site: &Site, row: u64, undelivered: Undelivered) -> Result<Told, Stopped> {
    let sql = &kept.storage.sql();
    let destination = undelivered.destination.clone();
    let Some(item) = item_of(undelivered) else { return Ok(Told::Unreadable) };
    let now = tables::visitor(sql, item.visitor)?.map(|record| record.consent).unwrap_or_default();
    let named = site.destinations.iter().find(|named| named.name == destination);
    if named.is_some_and(|named| !may_go_again(named, &item.records, &now)) {
        quarantined::remove(sql, row)?;
        tables::count_change(sql, Counter::QuarantinePurged, 1)?;
        return Ok(Told::Destroyed);
    }
    if !outbox::send_again(sql, &destination, &item)? {
        return Ok(Told::NoDestination);
    }
    quarantined::remove(sql, row)?;
    tables::count_change(sql, Counter::QuarantineReplayed, 1)?;
    kept.outbox.forget();
    kept.alarm.by(&kept.storage, Some(now_ms()))?;
    Ok(Told::Replayed)
}

/// `None` for records of a kind that there is not.
fn item_of(undelivered: Undelivered) -> Option<Item> {
    let Undelivered { visitor, row, item, item_received_ms, program, publish, records, .. } = undelivered;
    let record = |read: UndeliveredRecord| {
        let kind = *RecordKind::ALL.iter().find(|kind| kind.as_str() == read.kind)?;
        let UndeliveredRecord { id, source, time_ms, usable, data, .. } = read;
        Some(Record { id, kind, source, visitor, time_ms, usable, data: data.into_bytes() })
    };
    let records = records.into_iter().map(record).collect::<Option<Vec<_>>>()?;
    Some(Item { row, at: item, visitor, received_ms: item_received_ms, program, publish, records })
}

/// An event through the step; with the reason where that is a new one.
fn again(kept: &Kept, site: &Site, row: u64, refused: &Refused) -> Result<(Told, Option<String>), Stopped> {
    let sql = &kept.storage.sql();
    let visitor = refused.header.visitor;
    let mut before = tables::before(sql, visitor)?;
    warming::warm_up(sql, site, visitor, before.record.as_mut())?;
    let told = ingest::replay(site, before.record, refused, now_ms(), &mut Planted { plan: kept.plan });
    match told.map_err(Stopped::Stale)? {
        Again::Accepted(mut outcome) => {
            quarantined::remove(sql, row)?;
            write(kept, site, (before.ledger, before.due_ms), &mut outcome, refused)?;
            Ok((Told::Replayed, None))
        }
        Again::Refused(code, line) => {
            quarantined::replace(sql, row, &line)?;
            Ok((Told::Refused, Some(code.as_str().into())))
        }
        Again::Destroyed => {
            quarantined::remove(sql, row)?;
            tables::count_change(sql, Counter::QuarantinePurged, 1)?;
            Ok((Told::Destroyed, None))
        }
        Again::Duplicate => Ok((Told::Duplicate, None)),
    }
}

fn write(
    kept: &Kept,
    site: &Site,
    (ledger, due_ms): (Ledger, Option<u64>),
    outcome: &mut Outcome,
    refused: &Refused,
) -> Result<(), Stopped> {
    let Kept { storage, outbox, alarm, .. } = kept;
    let (sql, visitor) = (&storage.sql(), refused.header.visitor);
    outbox.before_row(sql, site)?;
    if let Some(record) = &outcome.record {
        tables::write_record(sql, visitor, record)?;
    }
    tables::write_rows(sql, visitor, outcome, ledger)?;
    outbox.after_row(storage, alarm, site)?;
    Ok(deadlines::keep(storage, alarm, visitor, due_ms, outcome.due_ms, site.name())?)
}

/// The faults of tests.
struct Planted {
    plan: FaultPlan,
}

impl Watch for Planted {
    fn reaches(&mut self, _sequence: Sequence) {}

    fn takes(&mut self, event: &Event) {
        self.plan.at_event(event, 0);
    }
}

/// Counts the failure of an entry's step, which was rolled back.
fn failed(shard: &Shard, row: u64) -> Result<Replayed, Problem> {
    let sql = shard.state.storage().sql();
    let line = quarantined::entry(&sql, row)?.map(|(_, line)| line).unwrap_or_default();
    transaction(shard, move || tables::count_failure(&sql))?;
    Ok(told(row, Told::Failed, &line))
}

fn told(row: u64, told: Told, line: &str) -> Replayed {
    let read = Object::read(line).ok();
    let text = |name| read.as_ref().and_then(|read| read.string(name).ok()).unwrap_or_default();
    Replayed { row, told, id: text("id"), reason: text("code") }
}
