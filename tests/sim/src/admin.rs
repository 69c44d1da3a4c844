//! What an admin does: publishes, rolls back, stops rules; stops destinations and lets them go on, changes secrets, takes up what
//! is in quarantine, looks at the metrics. Clocks of shards jump here too.

use crate::outbox;
use crate::shard::{Progress, Tables, Write, write};
use crate::world::{Happening, Shard, World};
use selvedge_core::id::VisitorId;
use selvedge_core::wire::program::RecordKind;
use selvedge_edge::delivery::item::{self, Item};
use selvedge_edge::delivery::machine::Machine;
use selvedge_edge::delivery::record::{Record, may_go_again};
use selvedge_edge::ingest::entry::{Entry, Undelivered, UndeliveredRecord};
use selvedge_edge::ingest::{self, Again};
use selvedge_edge::ledger::{Counter, Ledger};
use std::collections::BTreeSet;
use std::rc::Rc;

impl World<'_> {
    /// An admin does something, and later something else.
    pub fn order(&mut self) {
        if self.is_ending {
            return;
        }
        if self.random.chance(self.dials.orders * 4) {
            self.order_site();
        }
        if self.dials.clock_jumps && self.random.chance(200) {
            let shard = self.any_shard();
            let ahead_ms = *self.random.pick(&[-90_000, -2_000, 0, 2_000, 90_000]);
            self.shards[shard].ahead_ms = ahead_ms;
            self.say(format_args!("shard {shard} clock is {ahead_ms} ms ahead"));
        }
        if self.random.chance(self.dials.tended) {
            self.tend();
        }
        if self.random.chance(self.dials.erasures) {
            self.erase_one();
        }
        self.scrape();
        let pause_ms = self.random.between(1_000, self.dials.lasts_ms / 8);
        self.after(pause_ms, Happening::Order);
    }

    fn any_shard(&mut self) -> usize {
        usize::try_from(self.random.below(self.shards.len() as u64)).unwrap_or(0)
    }

    fn order_site(&mut self) {
        let site = usize::try_from(self.random.below(self.dials.sites as u64)).unwrap_or(0);
        let paused = &mut self.registry.pointers[site].paused;
        if self.random.chance(300) {
            let rule = (*self.random.pick(&["page-offer", "edge-offer", "*"])).to_owned();
            match paused.iter().position(|known| *known == rule) {
                Some(at) => drop(paused.remove(at)),
                None => paused.push(rule),
            }
        } else {
            let programs = self.files[site].programs.len() as u64;
            let program = usize::try_from(self.random.below(programs)).unwrap_or(0);
            self.registry.publish(site, program);
        }
        let pointer = self.registry.pointers[site].clone();
        self.say(format_args!("order site {site}: {pointer:?}"));
    }

    /// Something about destinations.
    fn tend(&mut self) {
        let at = self.any_shard();
        let names: Vec<String> = self.shards[at].tables.destinations.keys().cloned().collect();
        if names.is_empty() {
            return;
        }
        let name = self.random.pick(&names).clone();
        let site = self.shards[at].site;
        match self.random.below(5) {
            0 => {
                // The receiver takes another secret from now on: nobody told us.
                let secret = self.number_of_secret();
                if let Some(outside) = self.outsides.get_mut(&(site, name.clone())) {
                    outside.secret = secret;
                }
                self.say(format_args!("{name} of site {site} takes secret {secret}"));
            }
            1 => self.repair(site, &name),
            2 => self.order_destination(site, &name, true),
            3 => self.order_destination(site, &name, false),
            _ => self.replay_some(at),
        }
    }

    /// A visitor is erased, as `erased.rs` does it.
    fn erase_one(&mut self) {
        let at = self.any_shard();
        let all: Vec<VisitorId> = self.shards[at].tables.visitors.keys().copied().collect();
        if all.is_empty() {
            return;
        }
        let visitor = *self.random.pick(&all);
        let publish = self.shards[at].tables.record(visitor).map_or(0, |record| record.publish);
        let now_ms = self.shard_ms(at);
        let shard = &mut self.shards[at];
        let site = shard.isolate.site(&mut self.registry, self.files, (shard.site, publish), self.now_ms);
        let Ok(site) = site else { return };
        let before = shard.memory.before_row(&shard.tables, &site);
        shard.tables.apply(before);
        let Ok(writes) = outbox::erase(&shard.tables, &site, visitor, now_ms) else { return };
        shard.tables.apply(writes.clone());
        shard.memory.named(site.publish);
        shard.memory.forget();
        shard.erasures += 1;
        shard.erased.insert(visitor, format!("{visitor}:{now_ms}:erase"));
        self.say(format_args!("{visitor} is erased in shard {at}"));
        self.wake_behind(at, &site, &writes);
        self.check_rows(at);
        self.check_streams(at);
        self.check_erased(at, visitor);
    }

    fn number_of_secret(&mut self) -> u64 {
        self.random.between(1, 1_000_000)
    }

    /// The secret that is shown is the one that is taken.
    fn repair(&mut self, site: usize, name: &str) {
        let key = (site, name.to_owned());
        let Some(secret) = self.outsides.get(&key).map(|outside| outside.secret) else { return };
        self.say(format_args!("site {site} shows {name} secret {secret}"));
        self.secrets.insert(key, secret);
    }

    /// As `outbox::order`, in every shard of the site.
    fn order_destination(&mut self, site: usize, name: &str, is_pause: bool) {
        self.say(format_args!("{name} of site {site} is {}", if is_pause { "stopped" } else { "let go on" }));
        for at in 0..self.shards.len() {
            if self.shards[at].site != site {
                continue;
            }
            let Some(state) = outbox::state(&self.shards[at].tables, name) else { continue };
            let mut machine = Machine { state, ..Machine::default() };
            if is_pause {
                machine.pause("an operator stopped it");
            } else {
                machine.resume();
                self.watched(at, name).until_ms = 0;
            }
            let written = Write::State(name.to_owned(), machine.state.encode());
            self.shards[at].tables.apply(vec![written]);
            self.shards[at].memory.forget();
            let now_ms = self.shard_ms(at);
            self.alarm_by(at, Some(now_ms));
        }
    }

    /// Everything that keeps destinations from taking what there is is repaired.
    pub fn repair_all(&mut self) {
        let named = |shard: &Shard| {
            let site = shard.site;
            shard.tables.destinations.keys().map(move |name| (site, name.clone())).collect::<Vec<_>>()
        };
        let all: BTreeSet<(usize, String)> = self.shards.iter().flat_map(named).collect();
        for (site, name) in all {
            self.repair(site, &name);
            self.order_destination(site, &name, false);
        }
        self.scrape();
    }

    /// Metrics are asked for: whoever asks finds an alarm that was lost.
    pub fn scrape(&mut self) {
        for at in 0..self.shards.len() {
            self.alarm_by(at, None);
            self.check_streams(at);
        }
    }

    /// As `replay::replay`, of some entries of a shard.
    fn replay_some(&mut self, at: usize) {
        let rows: Vec<u64> = self.shards[at].tables.quarantine.keys().copied().collect();
        for row in rows {
            if self.random.chance(500) && self.violation.is_none() {
                self.replay(at, row);
            }
        }
    }

    fn replay(&mut self, at: usize, row: u64) {
        let Some((visitor, line)) = self.shards[at].tables.quarantine.get(&row).cloned() else { return };
        let writes = match Entry::read(&line) {
            Entry::Unreadable(_) => return,
            Entry::Undelivered(undelivered) => self.send_again(at, row, visitor, undelivered),
            Entry::Refused(refused) => {
                let publish = self.shards[at].tables.record(visitor).map_or(0, |record| record.publish);
                let shard = &mut self.shards[at];
                let site =
                    shard.isolate.site(&mut self.registry, self.files, (shard.site, publish), self.now_ms);
                let Ok(site) = site else { return };
                let (now_ms, stored) = (self.shard_ms(at), self.shards[at].tables.record(visitor));
                let again = ingest::replay(&site, stored, &refused, now_ms, &mut Progress::default());
                let tables = &self.shards[at].tables;
                let writes = match again {
                    Err(_) | Ok(Again::Duplicate) => return,
                    Ok(Again::Refused(_, line)) => vec![Write::Requarantine(row, line)],
                    Ok(Again::Destroyed) => {
                        let key = (refused.header.writer, refused.event.sequence.get());
                        self.truth.destroyed.insert((self.shards[at].site, key));
                        vec![Write::Unquarantine(row), counted(tables, Counter::QuarantinePurged)]
                    }
                    Ok(Again::Accepted(outcome)) => {
                        let shard = &mut self.shards[at];
                        let before = shard.memory.before_row(&shard.tables, &site);
                        let Ok(written) = write(&self.shards[at].tables, visitor, &outcome) else { return };
                        let due = Write::Deadline(visitor, outcome.due_ms);
                        let writes = before.into_iter().chain([Write::Unquarantine(row)]);
                        writes.chain(written).chain([due]).collect()
                    }
                };
                Some((writes, Some(site)))
            }
        };
        let Some((writes, site)) = writes else { return };
        self.say(format_args!("shard {at} takes up entry {row} of its quarantine"));
        self.shards[at].tables.apply(writes.clone());
        self.shards[at].memory.forget();
        match site {
            Some(site) => self.wake_behind(at, &Rc::clone(&site), &writes),
            None => {
                let now_ms = self.shard_ms(at);
                self.alarm_by(at, Some(now_ms));
            }
        }
        self.check_rows(at);
        self.check_streams(at);
    }

    /// As `send_again` of `replay.rs` and of `orders.rs`.
    fn send_again(
        &mut self,
        at: usize,
        row: u64,
        visitor: VisitorId,
        undelivered: Undelivered,
    ) -> Option<(Vec<Write>, Option<Rc<selvedge_edge::site::Site>>)> {
        let name = undelivered.destination.clone();
        let item = item_of(undelivered)?;
        let shard = &mut self.shards[at];
        let site = shard.isolate.site(&mut self.registry, self.files, (shard.site, 0), self.now_ms).ok()?;
        let tables = &self.shards[at].tables;
        let now = tables.record(visitor).unwrap_or_default().consent;
        let named = site.destinations.iter().find(|named| named.name == name);
        if named.is_some_and(|named| !may_go_again(named, &item.records, &now)) {
            return Some((vec![Write::Unquarantine(row), counted(tables, Counter::QuarantinePurged)], None));
        }
        let mut state = outbox::state(tables, &name)?;
        state.counts.quarantined = state.counts.quarantined.saturating_sub(1);
        state.again += 1;
        let writes = vec![
            Write::Again(name.clone(), item::encode(core::slice::from_ref(&item))),
            Write::State(name.clone(), state.encode()),
            Write::Unquarantine(row),
            counted(tables, Counter::QuarantineReplayed),
        ];
        let place = (item.row, item.at);
        let watched = self.watched(at, &name);
        watched.again.insert(place);
        Some((writes, None))
    }
}

/// As `count_change`.
fn counted(tables: &Tables, counter: Counter) -> Write {
    let mut ledger: Ledger = tables.counted();
    ledger.add(counter, 1);
    ledger.add(Counter::QuarantineChanges, 1);
    Write::Ledger(ledger.encode())
}

/// As in `replay.rs`.
fn item_of(undelivered: Undelivered) -> Option<Item> {
    let Undelivered { visitor, row, item, item_received_ms, program, publish, records, .. } = undelivered;
    let records = records.into_iter().map(|read| {
        let kind = *RecordKind::ALL.iter().find(|kind| kind.as_str() == read.kind)?;
        let UndeliveredRecord { id, source, time_ms, usable, data, .. } = read;
        Some(Record { id, kind, source, visitor, time_ms, usable, data: data.into_bytes() })
    });
    let records = records.collect::<Option<Vec<_>>>()?;
    Some(Item { row, at: item, visitor, received_ms: item_received_ms, program, publish, records })
}
