//! The erasure of a visitor, in one transaction: afterwards the shard holds a tombstone and the notice of it, and nothing
//! else of theirs.

use super::collect::Kept;
use super::stopped::Stopped;
use super::{Shard, attempts, deadlines, outbox, quarantined, tables};
use crate::barrier::{self, Failure};
use crate::clock::now_ms;
use crate::fault_plan::FaultPlan;
use crate::sql;
use selvedge_core::id::VisitorId;
use selvedge_edge::erasure::{self, Found, Tombstone};
use selvedge_edge::fault::Fault;
use selvedge_edge::site::Site;
use serde::{Deserialize, Serialize};
use std::rc::Rc;
use worker::SqlStorage;

/// Who is to be erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whom {
    /// The site.
    pub site: String,
    /// Its publish, as the worker knows it.
    pub publish: u64,
    /// The visitor.
    pub visitor: [u8; 16],
    /// The id that another SDK gave the visitor.
    pub anonymous_id: Option<String>,
}

/// Erases a visitor.
///
/// # Errors
/// [`Fault`] 503 where the storage fails: then nothing is erased.
pub fn erase(shard: &Shard, site: &Rc<Site>, whom: &Whom) -> Result<Found, Fault> {
    let kept = Kept::of(shard, FaultPlan { is_on: false });
    let (site, whom, publish) = (Rc::clone(site), whom.clone(), site.publish);
    let done = barrier::transaction(&shard.state.storage(), move || step(&kept, &site, whom));
    shard.outbox.erased();
    if done.is_ok() {
        shard.outbox.named(publish);
    } else {
        shard.alarm.forget();
    }
    done.map_err(|failure| match failure {
        Failure::Work(stopped) => stopped.into_fault(),
        Failure::Panicked => Fault::step_failed("the erasure failed; nothing was erased"),
        Failure::Storage => Fault::storage("the storage failed; nothing was erased"),
    })
}

fn step(kept: &Kept, site: &Site, whom: Whom) -> Result<Found, Stopped> {
    let Kept { storage, outbox, alarm, .. } = kept;
    let (sql, visitor, now_ms) = (&storage.sql(), VisitorId(whom.visitor), now_ms());
    outbox.before_row(sql, site)?;
    let before = tables::before(sql, visitor)?;
    let rows = blank_rows(sql, visitor)?;
    let quarantined = quarantined::purge(sql, visitor)?;
    let (unsent, unsettled) = outbox::erase(sql, visitor)?;
    remove(sql, visitor)?;
    attempts::clear_all(sql, visitor)?;
    deadlines::keep(storage, alarm, visitor, before.due_ms, None, site.name())?;
    deadlines::forgive(sql, visitor)?;
    let stone = vec![sql::of_bytes(Tombstone::of(visitor).0), sql::of_number(now_ms)];
    sql::run(sql, "INSERT OR IGNORE INTO erased VALUES (?, ?)", stone)?;
    let notice = erasure::notice(site, visitor, whom.anonymous_id, now_ms);
    tables::write_row(sql, visitor, notice, &erasure::counted(before.ledger, quarantined))?;
    outbox.after_row(storage, alarm, site)?;
    Ok(Found {
        was_known: before.record.is_some(),
        was_erased: before.is_erased,
        log_items: rows,
        quarantined,
        unsent,
        unsettled,
    })
}

fn remove(sql: &SqlStorage, visitor: VisitorId) -> worker::Result<()> {
    sql::run(sql, "DELETE FROM visitor WHERE id = ?", vec![tables::id(visitor)])
}

/// Puts blank rows in the place of the visitor's; gives how many items those had. It reads through the shard's log once.
fn blank_rows(sql: &SqlStorage, visitor: VisitorId) -> worker::Result<u64> {
    let mut items = 0u64;
    let numbers = sql::rows(sql, "SELECT seq FROM log WHERE visitor = ?", vec![tables::id(visitor)])?;
    for number in numbers.into_iter().flatten() {
        let body = sql::first(sql, "SELECT body FROM log WHERE seq = ?", vec![number.clone()])?;
        let blank = erasure::blank(&sql::blob(body));
        let blank = blank.map_err(|fault| worker::Error::RustError(fault.to_string()))?;
        if let Some(row) = blank {
            items = items.saturating_add(u64::from(row.items));
            let values = vec![sql::of_bytes(row.encode()), number];
            sql::run(sql, "UPDATE log SET visitor = NULL, body = ? WHERE seq = ?", values)?;
        }
    }
    Ok(items)
}
