//! Which destinations there are, as the program in force says, and whether one of them keeps the shard from taking more.

use super::super::alarm::Alarm;
use super::{kept, places, store};
use crate::clock::now_ms;
use selvedge_core::wire::program::{Destination, OnUnknown};
use selvedge_edge::delivery::keeping::{Naming, naming};
use selvedge_edge::delivery::pressure::WARN_PERCENT;
use selvedge_edge::delivery::report::Marks;
use selvedge_edge::delivery::sent_to;
use selvedge_edge::delivery::standing::{Standing, Stood};
use selvedge_edge::fault::Fault;
use selvedge_edge::ledger::Ledger;
use selvedge_edge::site::Site;
use std::cell::{Cell, RefCell};
use worker::SqlStorage;
use worker::durable::Storage;

/// How long a row waits for others, so that they leave together.
const LINGER_MS: u64 = 100;

/// What a shard remembers of its destinations, besides the tables.
#[derive(Debug, Default)]
pub struct Outbox {
    /// The publish whose destinations the tables have.
    publish: Cell<u64>,
    known: RefCell<Option<Standing>>,
    /// Those that somebody was warned of.
    warned: RefCell<Vec<String>>,
    /// The site that the shard belongs to.
    site: RefCell<Option<String>>,
    /// Erasures since the shard woke up: each may have taken something out of a flight.
    erasures: Cell<u64>,
}

/// Whether a destination of the site waits for answers.
pub fn holds(site: &Site) -> bool {
    site.destinations.iter().any(|destination| destination.on_unknown == OnUnknown::Hold)
}

impl Outbox {
    /// The site that the shard belongs to; `None` where nothing was logged yet.
    pub fn site(&self, sql: &SqlStorage) -> worker::Result<Option<String>> {
        if self.site.borrow().is_none() {
            let site = kept::site(sql)?;
            self.site.replace(site);
        }
        Ok(self.site.borrow().clone())
    }

    /// Before a row is written under `site`: destinations that are new to the shard begin here.
    pub fn before_row(&self, sql: &SqlStorage, site: &Site) -> worker::Result<()> {
        if self.publish.get() >= site.publish {
            return Ok(());
        }
        name_all(sql, site)?;
        self.forget();
        Ok(())
    }

    /// The destinations of this publish are in the tables for good.
    pub fn named(&self, publish: u64) {
        self.publish.set(self.publish.get().max(publish));
    }

    /// Behind a row: whoever waits for it is woken.
    pub fn after_row(&self, storage: &Storage, alarm: &Alarm, site: &Site) -> worker::Result<()> {
        let is_awaited = sent_to(site).count() > 0
            && self.known.borrow().as_ref().is_none_or(|known| known.is_awaited(site));
        if is_awaited {
            return alarm.by(storage, Some(now_ms().saturating_add(LINGER_MS)));
        }
        alarm.by(storage, None)
    }

    /// What a delivery changed is looked up anew.
    pub fn forget(&self) {
        self.known.replace(None);
    }

    /// A visitor was erased: flights are read anew.
    pub fn erased(&self) {
        self.erasures.set(self.erasures.get().saturating_add(1));
        self.forget();
    }

    /// Erasures since the shard woke up.
    pub const fn erasures(&self) -> u64 {
        self.erasures.get()
    }

    /// Whether the shard may take more.
    ///
    /// # Errors
    /// [`Fault::backlog_full`] where too much waits for a destination that nothing may be lost for.
    pub fn admit(&self, sql: &SqlStorage, site: &Site, ledger: &Ledger) -> Result<(), Fault> {
        if sent_to(site).count() == 0 {
            return Ok(());
        }
        let now_ms = now_ms();
        self.look(sql, site, now_ms).map_err(|error| {
            worker::console_error!("what waits for destinations cannot be read: {error}");
            Fault::storage("what waits for destinations cannot be read")
        })?;
        let end = Marks::of(ledger);
        let known = self.known.borrow();
        for (destination, waiting) in known.iter().flat_map(|known| known.waiting(site, end.bytes)) {
            self.warn(destination, waiting.percent(destination, now_ms));
            if waiting.blocks(destination, now_ms) {
                let message = format!("too much waits for the destination {}", destination.name);
                return Err(Fault::backlog_full(message));
            }
        }
        Ok(())
    }

    fn look(&self, sql: &SqlStorage, site: &Site, now_ms: u64) -> worker::Result<()> {
        if self.known.borrow().as_ref().is_some_and(|known| known.is_believed(site, now_ms)) {
            return Ok(());
        }
        let (_, end) = places::end(sql)?;
        let all = sent_to(site).map(|destination| {
            let Some(state) = store::state(sql, &destination.name)? else { return Ok(Stood::NEW) };
            Ok(Stood::of(&state, places::waits(sql, &state, end)?, now_ms))
        });
        let all = all.collect::<worker::Result<Vec<_>>>()?;
        self.known.replace(Some(Standing::new(site, now_ms, end.bytes, all)));
        Ok(())
    }

    /// Says once that much waits, and once that it no longer does.
    fn warn(&self, destination: &Destination, percent: u64) {
        let name = &destination.name;
        let mut warned = self.warned.borrow_mut();
        let known = warned.iter().position(|known| known == name);
        match known {
            None if percent >= WARN_PERCENT => {
                worker::console_warn!("{percent} % of what may wait for the destination {name} waits");
                warned.push(name.clone());
            }
            Some(at) if percent < WARN_PERCENT / 2 => {
                warned.swap_remove(at);
            }
            _ => {}
        }
    }
}

/// Brings the tables to what the program names.
pub fn name_all(sql: &SqlStorage, site: &Site) -> worker::Result<()> {
    let known = store::states(sql)?;
    for change in naming(site, known, places::end(sql)?) {
        match change {
            Naming::Write(name, state) => store::write_state(sql, &name, &state)?,
            Naming::Forget(name) => store::forget(sql, &name)?,
        }
    }
    Ok(())
}
