//! What must hold of what leaves: behind each commit of a destination, where something leaves, where it arrives, and at rest.

use crate::held;
use crate::outbox;
use crate::outside::{Parcel, is_poison};
use crate::shard::{Logged, Write};
use crate::truth::{ItemFact, Watched};
use crate::world::World;
use selvedge_core::consent::{Purposes, Snapshot};
use selvedge_core::event::EventType;
use selvedge_core::hash::fnv1a_64;
use selvedge_core::id::VisitorId;
use selvedge_core::tracking_plan::purposes_of;
use selvedge_core::wire::log_row::{LogRow, Said};
use selvedge_core::wire::program::{Destination, Full, OnUnknown, RecordKind, Requires};
use selvedge_edge::delivery::item::Refused;
use selvedge_edge::delivery::record::{Record, is_sampled};
use selvedge_edge::delivery::sent_to;
use selvedge_edge::delivery::take::Held;
use selvedge_edge::site::Site;
use std::collections::{BTreeMap, BTreeSet};

/// How long it may be believed that a destination has room.
const BELIEVED_MS: u64 = 1_100;
/// Items in flight, at most.
const FLIGHT_MAX: usize = selvedge_core::limits::DELIVERY_ITEMS_MAX;

impl World<'_> {
    /// The items of a row.
    pub fn learn_items(&mut self, at: usize, number: u64, row: &LogRow) {
        let in_force =
            |snapshot: Option<&Snapshot>| snapshot.map_or(Purposes::NONE, |known| known.in_force());
        for (place, logged) in (0u32..).zip(&row.events) {
            let kind = match logged.event.event_type {
                EventType::Exposure => RecordKind::Exposure,
                _ => RecordKind::Event,
            };
            let key = (row.writer, logged.event.sequence.get());
            let captured = self.truth.captured.get(&(self.shards[at].site, key));
            let plan = &self.files[self.shards[at].site].programs[0].parts.plan;
            let said = row.consent.get(usize::from(logged.event.consent));
            let fact = ItemFact {
                visitor: row.visitor,
                usable: logged.usable,
                wanted: purposes_of(plan, &logged.event),
                open: said.map_or(Purposes::NONE, Snapshot::unanswered),
                captured: captured.map_or(Purposes::NONE, |captured| captured.snapshot.in_force()),
                record: Some((logged.event.id(row.writer).to_string(), kind)),
            };
            self.shards[at].items.insert((number, place), fact);
        }
        for (place, note) in (row.events.len()..).zip(&row.notes) {
            let captured = match &note.said {
                Said::Reached(_) => continue,
                _ => in_force(row.consent.first()),
            };
            let (visitor, usable) = (row.visitor, note.usable);
            let is_erasure = note.said == Said::Erased;
            let record = is_erasure.then(|| (format!("{visitor}:{}:erase", note.time_ms), RecordKind::Erase));
            let open = row.consent.first().map_or(Purposes::NONE, Snapshot::unanswered);
            let fact = ItemFact { visitor, usable, captured, wanted: usable, open, record };
            let place = u32::try_from(place).unwrap_or(u32::MAX);
            self.shards[at].items.insert((number, place), fact);
        }
    }

    /// A request was stepped, and is about to be committed: a destination that nothing may be lost for had room.
    pub fn check_admitted(&mut self, at: usize, site: Option<&Site>, writes: &[Write]) {
        let Some(site) = site else { return };
        let now_ms = self.shard_ms(at);
        let tables = &self.shards[at].tables;
        let is_full = |destination: &&Destination| {
            let Some(state) = outbox::state(tables, &destination.name) else { return false };
            let waiting = outbox::waits(tables, &state);
            let age_ms = waiting.oldest_ms.map_or(0, |oldest_ms| now_ms.saturating_sub(oldest_ms));
            let is_over = waiting.bytes >= destination.bytes_max || age_ms >= destination.age_ms_max;
            destination.when_full == Full::Block && is_over
        };
        let full = sent_to(site).find(is_full).map(|found| found.name.clone());
        let room_ms = self.shards[at].room_ms;
        match full {
            None => self.shards[at].room_ms = self.now_ms,
            Some(name) if self.now_ms > room_ms + BELIEVED_MS => {
                if writes.iter().any(|write| matches!(write, Write::Row(_))) {
                    self.fail(
                        "what waits is bounded",
                        format!("{name} of shard {at} is full, and more is taken"),
                    );
                }
            }
            Some(_) => {}
        }
    }

    /// Behind each commit of a shard.
    pub fn check_streams(&mut self, at: usize) {
        self.note_consents(at);
        let states = outbox::states(&self.shards[at].tables);
        let is_gone = |name: &str| !states.iter().any(|(known, _)| known == name);
        let gone: Vec<String> =
            self.shards[at].watched.keys().filter(|name| is_gone(name)).cloned().collect();
        for name in gone {
            self.shards[at].watched.remove(&name);
            self.forgotten.insert((self.shards[at].site, name));
        }
        for (name, state) in states {
            let watched = self.watched(at, &name);
            watched.began.get_or_insert(state.cursor.row);
            let report = outbox::report(&self.shards[at].tables, &name, &state);
            if report.difference() != 0 {
                self.fail("a destination's ledger is exact", format!("{name} of shard {at}: {report:?}"));
            }
            let oldest = self.shards[at].tables.log.first_key_value().map_or(0, |(row, _)| *row);
            if state.gone_since.is_none() && oldest > state.cursor.row + 1 {
                let detail =
                    format!("{name} stands behind {}, the log begins with {oldest}", state.cursor.row);
                self.fail("what a destination has not taken stays", detail);
            }
        }
    }

    /// Behind an erasure: nothing of the visitor is left but what may be outside already.
    pub fn check_erased(&mut self, at: usize, visitor: VisitorId) {
        // What was seen before is forgotten, as behind a withdrawal.
        self.shards[at].renewed.insert(visitor, self.now_ms);
        let tables = &self.shards[at].tables;
        let is_theirs = |logged: &Logged| {
            let row = LogRow::decode(&logged.body).ok();
            row.is_some_and(|row| {
                row.visitor == visitor && row.notes.iter().all(|note| note.said != Said::Erased)
            })
        };
        let rows = tables.log.values().filter(|logged| is_theirs(logged)).count();
        let held = tables.quarantine.values().filter(|(whose, _)| *whose == visitor).count();
        if tables.visitors.contains_key(&visitor) || rows + held > 0 {
            return self.fail("an erasure leaves nothing", format!("{visitor}: {rows} rows, {held} entries"));
        }
        for name in self.shards[at].tables.destinations.keys().cloned().collect::<Vec<_>>() {
            let tables = &self.shards[at].tables;
            let flight = outbox::flight(tables, &name);
            // What was recorded to leave may have left.
            let window = outbox::state(tables, &name).and_then(|state| state.window);
            let in_air = window.filter(|window| window.is_in_air).map_or(0, |window| window.items as usize);
            let behind = flight.iter().skip(in_air);
            let theirs: Vec<_> = behind.filter(|item| item.visitor == visitor).collect();
            let departed = self.watched(at, &name).departed.clone();
            if let Some(item) = theirs.iter().find(|item| !departed.contains(&(item.row, item.at))) {
                let detail = format!("{name} of shard {at}: item {}.{}", item.row, item.at);
                return self.fail("an erasure takes what was never sent", detail);
            }
        }
    }

    /// Behind a ring: it rings again in time for what waits.
    pub fn check_alarm(&mut self, at: usize) {
        let now_ms = self.shard_ms(at);
        let shard = &self.shards[at];
        for (name, state) in outbox::states(&shard.tables) {
            let has_rows = shard.tables.newest() > state.cursor.row;
            let is_asked_again = state.waiting > 0 && held::is_answered(&shard.tables, &name);
            let has_work = state.to_send() > 0 || has_rows || is_asked_again;
            if !has_work || state.paused.is_some() || state.gone_since.is_some() {
                continue;
            }
            let latest_ms = state.not_before_ms.max(shard.memory.put_off_ms).max(now_ms);
            if shard.tables.alarm_ms.is_none_or(|alarm_ms| alarm_ms > latest_ms) {
                let detail =
                    format!("{name} of shard {at} waits for {latest_ms}, {:?} is set", shard.tables.alarm_ms);
                return self.fail("somebody wakes up for what waits", detail);
            }
        }
    }

    fn note_consents(&mut self, at: usize) {
        let shard = &mut self.shards[at];
        let next = shard.tables.newest() + 1;
        for visitor in shard.tables.visitors.keys() {
            let now = shard.tables.record(*visitor).unwrap_or_default().consent.in_force();
            let known = shard.consents.entry(*visitor).or_default();
            if known.last().is_none_or(|(_, last)| *last != now) {
                let may_act = |in_force: &Purposes| in_force.holds(Purposes::PERSONALIZATION);
                if known.last().is_some_and(|(_, last)| !may_act(last)) && may_act(&now) {
                    shard.renewed.insert(*visitor, self.now_ms);
                }
                known.push((next, now));
            }
        }
    }

    /// Behind the commit that took items for a destination: this is when they leave, as far as consent goes.
    pub fn check_flight(&mut self, at: usize, destination: &Destination) {
        let flight = outbox::flight(&self.shards[at].tables, &destination.name);
        if flight.len() > FLIGHT_MAX {
            self.fail("what is in flight is bounded", format!("{} items", flight.len()));
        }
        for item in flight {
            let Some(fact) = self.shards[at].items.get(&(item.row, item.at)).cloned() else { continue };
            if matches!(fact.record, Some((_, RecordKind::Erase))) {
                continue;
            }
            if self.shards[at].erased.contains_key(&item.visitor) {
                let detail = format!("{}: item {}.{} of shard {at}", destination.name, item.row, item.at);
                return self.fail("nothing older leaves behind an erasure", detail);
            }
            let now = self.shards[at].tables.record(item.visitor).unwrap_or_default().consent.in_force();
            let who = format!("{}: item {}.{} of shard {at}", destination.name, item.row, item.at);
            let is_held = destination.on_unknown == OnUnknown::Hold;
            if !is_held && !may_have(destination, fact.usable, fact.captured) {
                let detail = format!("{who}, captured under {:?}", fact.captured);
                return self.fail("what leaves was granted at capture", detail);
            }
            if !may_leave(destination, &fact, now) {
                return self.fail("what leaves is granted when it leaves", format!("{who}, now {now:?}"));
            }
        }
    }

    /// Behind the commit of a refusal.
    pub fn check_refused(&mut self, at: usize, name: &str, refused: &[Refused]) {
        for refused in refused {
            let is_bad = |record: &Record| is_poison(&record.id, &self.dials);
            let is_found = refused.code == "transform" || refused.item.records.iter().any(is_bad);
            // Brokers tell what is too large and what is poison by one word.
            let is_large = self.dials.batch_records_max < usize::MAX
                && (refused.code == "too_large" || name.starts_with('k'));
            if !is_found && !is_large {
                let detail = format!("{name} of shard {at}: {} {}", refused.id, refused.code);
                self.fail("only what a destination refuses is quarantined", detail);
            }
            self.watched(at, name).refused.insert((refused.item.row, refused.item.at));
        }
        self.check_quarantine(at);
    }

    /// Something leaves.
    pub fn check_departure(&mut self, at: usize, parcel: &Parcel, attempt: u32) {
        let name = &parcel.destination.name;
        let tables = &self.shards[at].tables;
        let Some(state) = outbox::state(tables, name) else {
            return self.fail("what leaves is recorded first", format!("{name} is not known"));
        };
        let flight = outbox::flight(tables, name);
        let recorded: Vec<&Record> = flight.iter().flat_map(|item| &item.records).collect();
        if !parcel.records.iter().all(|record| recorded.contains(&record)) || state.window.is_none() {
            let detail = format!("{} of shard {at} to {name}", parcel.id);
            return self.fail("what leaves is recorded first", detail);
        }
        if state.paused.is_some() {
            return self.fail("nothing is sent to who is paused", format!("{name} of shard {at}"));
        }
        let until_ms = self.watched(at, name).until_ms;
        if self.now_ms < until_ms && !self.dials.clock_jumps {
            let detail = format!("{name} of shard {at}: {} ms before", until_ms - self.now_ms);
            return self.fail("who asks for time gets it", detail);
        }
        self.watched(at, name).departed.extend(&parcel.places);
        self.check_names(at, parcel, attempt);
    }

    /// What goes again is what went, under its name.
    fn check_names(&mut self, at: usize, parcel: &Parcel, attempt: u32) {
        let bytes =
            parcel.records.iter().flat_map(|record| record.id.bytes().chain(record.data.iter().copied()));
        let hash = fnv1a_64(&bytes.collect::<Vec<u8>>());
        let (name, id) = (parcel.destination.name.clone(), parcel.id.clone());
        let watched = self.watched(at, &name);
        let known = watched.names.insert(hash, id.clone());
        let other = watched.sends.insert(id.clone(), hash);
        let is_renamed = known.as_ref().is_some_and(|known| *known != id);
        if is_renamed || other.is_some_and(|other| other != hash) {
            let detail = format!("{name} of shard {at}, attempt {attempt}: {known:?}, now {id}");
            self.fail("what goes again is what went", detail);
        }
    }

    /// A destination kept records.
    pub fn check_kept_outside(&mut self, parcel: &Parcel, kept: &[usize]) {
        let (at, name) = (parcel.shard, parcel.destination.name.clone());
        let source = format!("/{}/", self.files[parcel.site].name);
        for place in kept {
            let (record, item) = (&parcel.records[*place], parcel.places[*place]);
            if !record.source.starts_with(&source) {
                self.fail("sites are isolated", format!("{name} of {source} got {}", record.source));
            }
            let got = self.got.entry((parcel.site, name.clone())).or_default();
            *got.entry(record.id.clone()).or_default() += 1;
            let visitor = record.visitor;
            let known = *self.watched(at, &name).ids.entry(record.id.clone()).or_insert(item);
            if known != item {
                let detail = format!("{name}: {} is of {known:?} and of {item:?}", record.id);
                self.fail("an id names one record", detail);
            }
            let watched = self.watched(at, &name);
            let count = watched.kept.entry((item, record.id.clone())).or_default();
            *count += 1;
            if *count > 1 {
                continue;
            }
            if watched.again.contains(&item) {
                continue;
            }
            let last = watched.last.insert(visitor, item).unwrap_or_default();
            if last > item {
                let detail = format!("{name}: {item:?} of {visitor} behind {last:?}");
                self.fail("a visitor's records keep their order", detail);
            }
        }
    }

    /// When everything is at rest.
    pub fn check_streams_rest(&mut self) {
        let mut counted: BTreeMap<(usize, String), (u64, bool)> = BTreeMap::new();
        for at in 0..self.shards.len() {
            self.check_streams(at);
            let site = self.shards[at].site;
            let pointer = self.registry.pointers[site].clone();
            let Ok(known) = self.registry.load(self.files, site) else { continue };
            for (name, state) in outbox::states(&self.shards[at].tables) {
                let entry = counted.entry((site, name.clone())).or_insert((0, true));
                entry.0 += state.counts.possible_duplicates;
                let named = known.destinations.iter().find(|destination| destination.name == name);
                let Some(destination) = named.filter(|_| state.publish >= pointer.publish) else {
                    // What may be there twice is known when it goes on.
                    entry.1 = false;
                    continue;
                };
                let report = outbox::report(&self.shards[at].tables, &name, &state);
                self.check_held(at, destination);
                if report.pending > report.held {
                    let detail = format!("{name} of shard {at}: {report:?}");
                    return self.fail("everything drains", detail);
                }
                let watched = self.watched(at, &name).clone();
                let missing = self.missing(at, destination, &watched);
                if missing.len() as u64 > state.counts.dropped {
                    let detail =
                        format!("{name} of shard {at}: {missing:?}, {} dropped", state.counts.dropped);
                    return self.fail("nothing acknowledged is missing outside", detail);
                }
            }
        }
        self.check_duplicates(&counted);
    }

    /// At rest, what waits for an answer waits for one that was not given, and stands in the log.
    fn check_held(&mut self, at: usize, destination: &Destination) {
        let tables = &self.shards[at].tables;
        let mut visitors = BTreeSet::new();
        let all: Vec<Held> = held::of(tables, &destination.name).collect();
        for held in all {
            let shard = &self.shards[at];
            let who = format!("{}: item {}.{} of shard {at}", destination.name, held.row, held.at);
            if !shard.tables.log.contains_key(&held.row) {
                return self.fail("what waits for an answer stays in the log", who);
            }
            // What stands behind another of the same visitor waits for that one.
            let is_first = visitors.insert(held.visitor);
            let Some(fact) = shard.items.get(&(held.row, held.at)).filter(|_| is_first) else { continue };
            let now = shard.tables.record(held.visitor).unwrap_or_default().consent;
            let late = fact.captured.or(fact.open);
            let hoped = may_have(destination, fact.wanted, late.and(now.in_force().or(now.unanswered())));
            if may_leave(destination, fact, now.in_force()) || !hoped {
                return self.fail("what was answered for waits no longer", format!("{who}, now {now:?}"));
            }
        }
    }

    /// Records that a destination should have got, and did not.
    fn missing(&self, at: usize, destination: &Destination, watched: &Watched) -> Vec<String> {
        let shard = &self.shards[at];
        let got = self.got.get(&(shard.site, destination.name.clone()));
        let began = watched.began.unwrap_or(u64::MAX);
        let is_missing = |((row, place), fact): (&(u64, u32), &ItemFact)| {
            let (id, kind) = fact.record.as_ref()?;
            let is_wanted =
                destination.records.has(*kind) && may_have(destination, fact.usable, fact.captured);
            let is_erasure = *kind == RecordKind::Erase;
            let is_for_it =
                *row > began && (is_wanted || is_erasure) && is_sampled(destination, fact.visitor);
            let waits = (destination.name.clone(), *row, *place);
            let is_held = got.is_some_and(|got| got.contains_key(id))
                || shard.tables.held.contains_key(&waits)
                || watched.refused.contains(&(*row, *place))
                || (!is_erasure && self.was_withdrawn(at, fact, *row, destination));
            (is_for_it && !is_held).then(|| format!("{row}.{place} {id}"))
        };
        shard.items.iter().filter_map(is_missing).collect()
    }

    /// Whether the visitor had taken something back at any time behind the row.
    fn was_withdrawn(&self, at: usize, fact: &ItemFact, row: u64, destination: &Destination) -> bool {
        if self.shards[at].erased.contains_key(&fact.visitor) {
            return true;
        }
        let Some(known) = self.shards[at].consents.get(&fact.visitor) else { return true };
        let since = known.iter().rposition(|(from, _)| *from <= row).unwrap_or(0);
        known[since..].iter().any(|(_, now)| !may_have(destination, fact.usable, fact.captured.and(*now)))
    }

    /// What arrived twice was counted; where a destination knows a record again, nothing did.
    fn check_duplicates(&mut self, counted: &BTreeMap<(usize, String), (u64, bool)>) {
        for (site, name) in self.got.keys().cloned().collect::<Vec<_>>() {
            let is_whole = self
                .shards
                .iter()
                .filter(|shard| shard.site == site && !shard.items.is_empty())
                .all(|shard| shard.watched.get(&name).is_some_and(|watched| watched.again.is_empty()));
            let (said, is_settled) = counted.get(&(site, name.clone())).copied().unwrap_or((0, false));
            if !is_whole || !is_settled || self.forgotten.contains(&(site, name.clone())) {
                continue;
            }
            let of_site = self.shards.iter().filter(|shard| shard.site == site);
            let kept = of_site.filter_map(|shard| shard.watched.get(&name)).flat_map(|watched| &watched.kept);
            let ids: Vec<&str> =
                kept.filter(|(_, count)| **count > 1).map(|((_, id), _)| id.as_str()).collect();
            let (twice, ids) = (ids.len() as u64, ids.join(" "));
            let outside = self.outsides.get(&(site, name.clone()));
            let has_forgotten = outside.is_some_and(|outside| outside.has_forgotten);
            let knows_again = outside.is_some_and(|outside| outside.knows_again);
            // Of a batch with a producer's first numbers a broker that forgot cannot tell that it came before.
            if twice > said && !has_forgotten {
                let detail = format!("{name}: {twice} twice, {said} said: {ids}");
                self.fail("what may be there twice is counted", detail);
            }
            if twice > 0 && !has_forgotten && knows_again {
                self.fail("who knows a record again has it once", format!("{name}: {twice} twice"));
            }
        }
    }
}

/// Whether an item may leave under what is in force now: what was granted at capture, or, where the destination waits for
/// answers, was not answered then and is granted since.
fn may_leave(destination: &Destination, fact: &ItemFact, now: Purposes) -> bool {
    let late = fact.captured.or(fact.open.and(now));
    let is_late =
        destination.on_unknown == OnUnknown::Hold && may_have(destination, fact.wanted, late.and(now));
    is_late || may_have(destination, fact.usable, fact.captured.and(now))
}

/// Whether a destination may have what serves `usable`, where `in_force` is.
fn may_have(destination: &Destination, usable: Purposes, in_force: Purposes) -> bool {
    let is_whole = match destination.requires {
        Requires::All => destination.purposes.without(in_force).is_empty(),
        Requires::Any => true,
    };
    is_whole && !usable.and(in_force).and(destination.purposes).is_empty()
}
