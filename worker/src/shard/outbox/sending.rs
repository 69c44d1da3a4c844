//! One destination in one ring of the alarm: its machine, and what the machine asks for. Every change is committed before
//! what follows from it is done; between reading and committing nothing is awaited.

use super::super::{Shard, tables};
use super::{held, places, refused, store};
use crate::barrier::{self, Failure};
use crate::clock::now_ms;
use crate::delivery::{self, Kept, Sending};
use crate::{host, settings};
use selvedge_core::consent::Snapshot;
use selvedge_core::limits::DELIVERY_ITEMS_MAX;
use selvedge_core::wire::log_row::{LogRow, StoredRow};
use selvedge_core::wire::program::{Destination, OnUnknown};
use selvedge_edge::delivery::item::Refused;
use selvedge_edge::delivery::machine::{Machine, Step};
use selvedge_edge::delivery::record::{route, takes_notes_alone};
use selvedge_edge::delivery::sent::{Prepared, Sent};
use selvedge_edge::delivery::take::{Held, Taking};
use selvedge_edge::delivery::{fingerprint, keeping::excess, keeping::give_up};
use selvedge_edge::site::Site;
use std::rc::Rc;
use worker::SqlStorage;

/// How long one send may take.
const SEND_MS_MAX: u64 = 10_000;
/// Rows without notes that are passed at once: fewer than twice as many.
const PASSED_ROWS: u64 = 1_024;
/// Rows that are dropped in one commit.
const DROPPED_ROWS_MAX: u64 = 256;

/// What came of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Another step.
    Go,
    /// Nothing to do: until rows come, a time comes, or somebody acts.
    Rest,
}

/// A destination and its machine.
pub struct Lane<'a> {
    shard: &'a Shard,
    site: Rc<Site>,
    place: usize,
    name: String,
    object: String,
    machine: Machine,
    kept: Kept,
    /// Erasures when the flight was read.
    erasures: u64,
}

impl<'a> Lane<'a> {
    /// The destination at this place of the site's, as it is stored; `None` where the shard does not know it.
    pub fn open(shard: &'a Shard, site: &Rc<Site>, place: usize) -> worker::Result<Option<Self>> {
        let sql = shard.state.storage().sql();
        let Some(destination) = site.destinations.get(place) else { return Ok(None) };
        let Some(state) = store::state(&sql, &destination.name)? else { return Ok(None) };
        let machine = Machine::stored(state, store::flight(&sql, &destination.name)?);
        let (site, name) = (Rc::clone(site), destination.name.clone());
        let object = shard.state.id().to_string();
        let (kept, erasures) = (Kept::default(), shard.outbox.erasures());
        let mut lane = Self { shard, site, place, name, object, machine, kept, erasures };
        lane.configure()?;
        Ok(Some(lane))
    }

    fn destination(&self) -> Option<&Destination> {
        self.site.destinations.get(self.place)
    }

    /// What changed in the program or in the secrets may be what a pause waited for.
    fn configure(&mut self) -> worker::Result<()> {
        let Some(destination) = self.destination() else { return Ok(()) };
        let env = &self.shard.env;
        let secrets = delivery::secrets_of(destination).into_iter().map(|name| settings::secret(env, name));
        let secrets: Vec<Option<String>> = secrets.collect();
        let secrets: Vec<Option<&str>> = secrets.iter().map(Option::as_deref).collect();
        let config = fingerprint::of_config(destination, &secrets);
        let way = fingerprint::of_way(destination);
        if (self.machine.state.config, self.machine.state.way) == (config, way) {
            return Ok(());
        }
        self.commit(move |machine| {
            machine.configure(config, way);
            Vec::new()
        })
    }

    /// One step of the machine.
    pub async fn step(&mut self) -> worker::Result<Next> {
        if !self.refresh()? {
            return Ok(Next::Rest);
        }
        self.drop_oldest()?;
        match self.machine.step(now_ms(), self.has_rows()?) {
            Step::Wait { .. } => return Ok(Next::Rest),
            Step::Take => self.take()?,
            Step::Prepare => self.prepare().await?,
            Step::Resend => self.commit(|machine| {
                machine.send_again();
                Vec::new()
            })?,
            Step::Send => self.send().await?,
        }
        Ok(Next::Go)
    }

    /// An operator, a publish or a replay may have changed what is stored; the rest only this lane changes.
    fn refresh(&mut self) -> worker::Result<bool> {
        let stored = store::state(&self.shard.state.storage().sql(), &self.name)?;
        let Some(stored) = stored else { return Ok(false) };
        let window = self.machine.state.window;
        self.machine.state = stored;
        if self.machine.state.window.is_some() {
            // Of a send that a crash cut off the memory knows more than the table.
            self.machine.state.window = window;
        }
        if self.erasures != self.shard.outbox.erasures() {
            self.erasures = self.shard.outbox.erasures();
            self.machine.flight = store::flight(&self.shard.state.storage().sql(), &self.name)?;
        }
        Ok(true)
    }

    fn has_rows(&self) -> worker::Result<bool> {
        let state = &self.machine.state;
        if state.again > 0 {
            return Ok(true);
        }
        let sql = self.shard.state.storage().sql();
        let (end, _) = places::end(&sql)?;
        Ok(end.row > state.cursor.row
            || (state.waiting > 0 && held::is_due(&sql, &self.name, self.over_ms())?))
    }

    /// What was received before this time has waited long enough for an answer.
    fn over_ms(&self) -> u64 {
        now_ms().saturating_sub(self.destination().map_or(0, |destination| destination.age_ms_max))
    }

    fn take(&mut self) -> worker::Result<()> {
        let (sql, site, place) = (self.shard.state.storage().sql(), Rc::clone(&self.site), self.place);
        let (name, over_ms) = (self.name.clone(), self.over_ms());
        self.transact(move |machine| {
            if machine.state.again > 0 {
                let items = store::take_again(&sql, &name, u64::try_from(DELIVERY_ITEMS_MAX).unwrap_or(0))?;
                if items.is_empty() {
                    machine.state.again = 0;
                }
                machine.take_again(items);
                return Ok(Vec::new());
            }
            let Some(destination) = site.destinations.get(place) else { return Ok(Vec::new()) };
            let asked = if machine.state.waiting > 0 { held::due(&sql, &name, over_ms)? } else { Vec::new() };
            let taking = match asked.as_slice() {
                [] => taking(&sql, &site, destination, machine)?,
                asked => asking(&sql, &site, destination, machine, (asked, over_ms))?,
            };
            let taken = taking.end();
            let waits = taken.waits.clone();
            let refused = machine.take(taken);
            held::settle(&sql, &name, &waits, &asked, machine)?;
            begin(machine, destination);
            Ok(refused)
        })
    }

    async fn prepare(&mut self) -> worker::Result<()> {
        let Some(destination) = self.destination() else { return Ok(()) };
        let prepared = if delivery::needs_preparation(&destination.way) {
            self.with_sending(destination, async |sending| delivery::prepare(sending).await).await
        } else {
            Prepared::Ready(Vec::new())
        };
        let erasures = self.erasures;
        if !self.refresh()? || self.erasures != erasures {
            // What was prepared may be of records that are no more.
            return Ok(());
        }
        let random = host::random();
        self.commit(move |machine| machine.prepared(prepared, now_ms(), random))
    }

    async fn send(&mut self) -> worker::Result<()> {
        let Some(destination) = self.destination() else { return Ok(()) };
        let sent: Sent = self.with_sending(destination, async |sending| delivery::send(sending).await).await;
        if !self.refresh()? {
            return Ok(());
        }
        let random = host::random();
        self.commit(move |machine| machine.sent(sent, now_ms(), random))
    }

    async fn with_sending<T>(
        &self,
        destination: &Destination,
        work: impl AsyncFnOnce(&Sending<'_>) -> T,
    ) -> T {
        let sending = self.machine.sending();
        let sending = Sending {
            env: &self.shard.env,
            site: self.site.name(),
            shard: &self.object,
            destination,
            id: &sending.id,
            records: &sending.records,
            items: &sending.items,
            transport: &self.machine.state.transport,
            attempt: sending.attempt,
            is_unsure: sending.is_unsure,
            give_up_ms: now_ms().saturating_add(SEND_MS_MAX),
            kept: &self.kept,
        };
        work(&sending).await
    }

    /// Where too much waits and the oldest may go, it goes.
    fn drop_oldest(&mut self) -> worker::Result<()> {
        let Some(destination) = self.destination() else { return Ok(()) };
        let sql = self.shard.state.storage().sql();
        let (_, end) = places::end(&sql)?;
        if !places::waits(&sql, &self.machine.state, end)?.overflows(destination, now_ms()) {
            return Ok(());
        }
        let destination = destination.clone();
        self.transact(move |machine| {
            let cursor = machine.state.cursor.row;
            let before = places::marks_at(&sql, cursor)?;
            let rows = places::behind(&sql, cursor, DROPPED_ROWS_MAX)?;
            if let Some((until, marks)) = excess(&machine.state, &destination, (before, end), &rows, now_ms())
            {
                give_up(machine, until, before, marks);
            }
            Ok(Vec::new())
        })
    }

    fn commit(&mut self, change: impl FnOnce(&mut Machine) -> Vec<Refused> + 'static) -> worker::Result<()> {
        self.transact(|machine| Ok(change(machine)))
    }

    /// Changes the machine and stores it, with what was refused, in one transaction. Where that fails the machine is as it
    /// was stored: the ring ends for it.
    fn transact(
        &mut self,
        change: impl FnOnce(&mut Machine) -> worker::Result<Vec<Refused>> + 'static,
    ) -> worker::Result<()> {
        let sql = self.shard.state.storage().sql();
        let (name, site) = (self.name.clone(), Rc::clone(&self.site));
        let mut machine = std::mem::take(&mut self.machine);
        let done = barrier::transaction(&self.shard.state.storage(), move || {
            for refused in change(&mut machine)? {
                refused::keep(&sql, &site, &name, &refused)?;
            }
            store::write(&sql, &name, &mut machine)?;
            Ok::<Machine, worker::Error>(machine)
        });
        self.shard.outbox.forget();
        self.machine = done.map_err(|failure| match failure {
            Failure::Work(error) => error,
            Failure::Panicked => worker::Error::RustError("a step of a delivery failed".into()),
            Failure::Storage => worker::Error::RustError("the storage failed".into()),
        })?;
        Ok(())
    }
}

/// Items of the rows behind the cursor, as many as go together.
fn taking(
    sql: &SqlStorage,
    site: &Site,
    destination: &Destination,
    machine: &Machine,
) -> worker::Result<Taking> {
    let mut taking = Taking::from(machine.state.cursor, destination);
    if takes_notes_alone(destination) {
        pass_events(sql, &mut taking, machine.state.cursor.row)?;
    }
    let holds = machine.state.waiting > 0;
    tables::each_behind(sql, taking.row_read(), |number, body, consent| match StoredRow::decode(body) {
        Ok(StoredRow::Whole(row)) => {
            if holds && held::is_held(sql, &destination.name, row.visitor).unwrap_or(true) {
                taking.waits(row.visitor);
            }
            taking.row(number, &row, |at| route(site, destination, &row, at, &consent))
        }
        Ok(StoredRow::Blank(row)) => taking.blank(number, &row),
        Err(fault) => {
            worker::console_error!("row {number} of the log cannot be read: {fault}");
            taking.skip(number);
            true
        }
    })?;
    Ok(taking)
}

/// Passes the rows that hold events alone, by what the ledger counted with them: most rows of most sites, and they need not
/// be read. What it counted only grows: where it counted no note over many rows, it counted none with any of them; else half
/// as many are asked for.
fn pass_events(sql: &SqlStorage, taking: &mut Taking, row: u64) -> worker::Result<()> {
    let before = places::marks_at(sql, row)?;
    let (mut passed, mut rows) = ((row, before), PASSED_ROWS);
    while rows > 0 {
        let (until, marks) = places::until(sql, passed.0.saturating_add(rows))?;
        if marks.notes == before.notes {
            let is_end = until.saturating_sub(passed.0) < rows;
            passed = (until.max(row), marks);
            if is_end {
                break;
            }
        }
        rows /= 2;
    }
    if passed.0 > row {
        taking.pass(passed.0, passed.1.items.saturating_sub(before.items));
    }
    Ok(())
}

/// Items that waited for answers, asked for again under the consent of now. Those that waited since before `over_ms` are
/// taken as they would be without an answer.
fn asking(
    sql: &SqlStorage,
    site: &Site,
    destination: &Destination,
    machine: &Machine,
    (asked, over_ms): (&[Held], u64),
) -> worker::Result<Taking> {
    let mut taking = Taking::from(machine.state.cursor, destination);
    let unanswered = Destination { on_unknown: OnUnknown::Drop, ..destination.clone() };
    let mut read: Option<(u64, Box<LogRow>, Snapshot)> = None;
    for held in asked {
        if read.as_ref().is_none_or(|(number, ..)| *number != held.row) {
            read = None;
            tables::each_behind(sql, held.row.saturating_sub(1), |number, body, consent| {
                if let (true, Ok(StoredRow::Whole(row))) = (number == held.row, StoredRow::decode(body)) {
                    read = Some((number, row, consent));
                }
                false
            })?;
        }
        let place = usize::try_from(held.at).unwrap_or(usize::MAX);
        let Some((number, row, consent)) = &read else {
            taking.gone(*held);
            continue;
        };
        let destination = if held.received_ms < over_ms { &unanswered } else { destination };
        if !taking.again(*number, row, place, route(site, destination, row, place, consent)) {
            break;
        }
    }
    Ok(taking)
}

/// What needs no preparation leaves with the commit that took it.
fn begin(machine: &mut Machine, destination: &Destination) {
    if machine.state.in_flight > 0 && !delivery::needs_preparation(&destination.way) {
        machine.prepared(Prepared::Ready(Vec::new()), now_ms(), 0);
    }
}
