//! What must hold: after each commit, and when everything is at rest.

use crate::page::Tab;
use crate::shard::{Last, Logged, NOBODY};
use crate::truth::Key;
use crate::world::World;
use selvedge_core::consent::{Purposes, Signals};
use selvedge_core::event::{Batch, RefusalCode};
use selvedge_core::id::{VisitorId, WriterId};
use selvedge_core::limits::{CAP_BYTES_MAX, STATE_BYTES_MAX};
use selvedge_core::rules::{self, Image, Moment, Orders, Place};
use selvedge_core::tracking_plan::{Trust, purposes_of};
use selvedge_core::wire::log_row::LogRow;
use selvedge_core::wire::state::VisitorState;
use selvedge_edge::ingest::Outcome;
use selvedge_edge::ingest::quarantine::DeliveryCode;
use selvedge_edge::ledger::Counter;
use selvedge_edge::log_line;

/// Bytes of a visitor's dedup windows and the rest of the record.
const RECORD_BYTES_MAX: usize = STATE_BYTES_MAX + CAP_BYTES_MAX + 64 * 1_024;

/// How long a deadline may have passed at rest.
const OVERDUE_MS: u64 = 10 * 60 * 1_000;
/// Rows of a visitor that are read out behind each commit.
const ROWS_READ: usize = 3;

impl World<'_> {
    /// Behind the commit of a request.
    pub fn check_commit(&mut self, at: usize, outcome: &Outcome, batch: &Batch, last: Option<&Last>) {
        self.check_rows(at);
        self.check_quarantine(at);
        self.check_purge(at, outcome, batch);
        self.check_counts(at, outcome, batch);
        self.check_acknowledged(at, outcome, batch);
        self.check_record(at, batch);
        if let Some(last) = last {
            self.check_agreement(at, outcome, batch, last);
        }
    }

    /// What came into the log since it was looked at last: each event once, in its writer's order, of this site, with a
    /// purpose that was granted when it was captured.
    pub fn check_rows(&mut self, at: usize) {
        while let Some((place, logged)) = self.next_row(at) {
            let (visitor, body) = (logged.visitor, logged.body);
            self.shards[at].checked = place;
            let Ok(row) = LogRow::decode(&body) else {
                if visitor == NOBODY {
                    continue;
                }
                return self.fail("rows of the log can be read", format!("row {place} of shard {at}"));
            };
            self.learn_items(at, place, &row);
            self.check_sessions(at, &row);
            let site = self.shards[at].site;
            if row.site != self.files[site].name || row.visitor != visitor {
                return self.fail("sites are isolated", format!("row of {} in shard {at}", row.site));
            }
            for event in &row.events {
                let key = (row.writer, event.event.sequence.get());
                self.check_logged(at, place, key, event.usable);
                let now = self.shards[at].tables.record(visitor).unwrap_or_default().consent;
                if !now.in_force().holds(event.usable) {
                    let detail = format!("{key:?} for {:?}, now {now:?}", event.usable);
                    self.fail("what is kept is granted now", detail);
                }
            }
        }
    }

    fn next_row(&self, at: usize) -> Option<(u64, Logged)> {
        let shard = &self.shards[at];
        let next = shard.tables.log.range(shard.checked + 1..).next();
        next.map(|(row, logged)| (*row, logged.clone()))
    }

    fn check_logged(&mut self, at: usize, place: u64, key: Key, usable: Purposes) {
        let site = self.shards[at].site;
        if self.shards[at].logged.insert(key, place).is_some() {
            self.fail("an event stands in the log once", format!("{key:?}"));
        }
        let last = self.shards[at].last.insert(key.0, key.1).unwrap_or(0);
        let may_overtake = self.truth.beaconed.contains(&key.0) || self.dials.reorders;
        if last > key.1 && !may_overtake {
            self.fail("a writer's events keep their order", format!("{key:?} behind {last}"));
        }
        let Some(captured) = self.truth.captured.get(&(site, key)) else {
            return self.fail("the log holds what was captured", format!("{key:?}"));
        };
        if usable.is_empty() || !captured.snapshot.in_force().holds(usable) {
            let detail = format!("{key:?} for {usable:?}, captured under {:?}", captured.snapshot);
            self.fail("what is kept was granted at capture", detail);
        }
    }

    pub(crate) fn check_quarantine(&mut self, at: usize) {
        let held = self.shards[at].held;
        let new = self.shards[at].tables.quarantine.range(held + 1..);
        let lines: Vec<_> = new.map(|(row, (visitor, line))| (*row, *visitor, line.clone())).collect();
        for (row, visitor, line) in lines {
            self.shards[at].held = row;
            let value: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
            let writer = value["writer"].as_str().and_then(|writer| writer.parse().ok());
            let sequence = value["sequence"].as_u64().and_then(|sequence| u32::try_from(sequence).ok());
            let code = value["code"].as_str().unwrap_or_default();
            let is_refusal = RefusalCode::ALL.iter().any(|known| known.as_str() == code);
            let is_delivery = DeliveryCode::ALL.iter().any(|known| known.as_str() == code);
            let has_reason = if value["stage"] == "delivery" { is_delivery } else { is_refusal };
            if !has_reason {
                self.fail("what is quarantined has a reason", line.clone());
            }
            let fingerprint = value["fingerprint"].as_u64();
            let first = fingerprint.and_then(|told| self.shards[at].tables.unplaced(visitor, told));
            if first.is_some_and(|first| first != row) {
                self.fail("a refused event stands in the quarantine once", line.clone());
            }
            if let (Some(writer), Some(sequence)) = (writer, sequence) {
                self.shards[at].quarantined.insert((WriterId::from_bits(writer), sequence), visitor);
            }
        }
    }

    /// A withdrawal leaves of its visitor only what its own batch brought.
    fn check_purge(&mut self, at: usize, outcome: &Outcome, batch: &Batch) {
        let lines = self.shards[at].tables.quarantine.values();
        let held = lines.filter(|(whose, _)| *whose == batch.header.visitor).count();
        if outcome.purge_quarantine && held > outcome.quarantine.len() {
            self.fail("a withdrawal empties the quarantine", format!("{held} lines are left"));
        }
    }

    fn check_counts(&mut self, at: usize, outcome: &Outcome, batch: &Batch) {
        let counted = self.shards[at].tables.counted();
        let ended =
            counted.get(Counter::Accepted) + counted.get(Counter::Deduplicated) + counted.refused_in_all();
        if counted.get(Counter::Received) != ended {
            self.fail("the ledger is exact", format!("{counted:?}"));
        }
        if counted.get(Counter::Accepted) != self.shards[at].logged.len() as u64 {
            self.fail("the ledger counts what the log holds", format!("{counted:?}"));
        }
        let told = &outcome.answer;
        let all = told.accepted as usize + told.duplicates as usize + told.refused.len();
        if all != batch.events.len() {
            self.fail("an event has one outcome", format!("{all} of {}", batch.events.len()));
        }
    }

    /// What is acknowledged stands in the log or in the quarantine, or was destroyed for want of consent.
    pub fn check_acknowledged(&mut self, at: usize, outcome: &Outcome, batch: &Batch) {
        let site = self.shards[at].site;
        let refused = &outcome.answer.refused;
        let floor = self.truth.floors.entry(batch.header.writer).or_default();
        *floor = batch.header.floor.max(*floor);
        let floor = *floor;
        for event in batch.events.iter().flatten() {
            let sequence = event.sequence.get();
            let key = (batch.header.writer, sequence);
            let code =
                refused.iter().find(|refused| refused.sequence == sequence).map(|refused| refused.code);
            match code {
                Some(RefusalCode::NoConsent | RefusalCode::Erased) => {
                    self.truth.destroyed.insert((site, key));
                }
                Some(RefusalCode::DictionaryUnknown) => {}
                // It comes again, and stays destroyed.
                None if self.truth.destroyed.contains(&(site, key))
                    && !self.shards[at].logged.contains_key(&key) =>
                {
                    continue;
                }
                _ => drop(self.truth.acknowledged.insert((site, key))),
            }
            let is_undone = matches!(
                code,
                Some(RefusalCode::NoConsent | RefusalCode::Erased | RefusalCode::DictionaryUnknown)
            );
            if sequence >= floor && !is_undone {
                self.check_kept(at, key);
            }
        }
    }

    fn check_kept(&mut self, at: usize, key: Key) {
        let shard = &self.shards[at];
        if !shard.logged.contains_key(&key) && !shard.quarantined.contains_key(&key) {
            self.fail("what is acknowledged is kept", format!("{key:?} is nowhere"));
        }
    }

    fn check_record(&mut self, at: usize, batch: &Batch) {
        let visitor = batch.header.visitor;
        let Some(bytes) = self.shards[at].tables.visitors.get(&visitor) else { return };
        if bytes.len() > RECORD_BYTES_MAX {
            self.fail("what is kept of a visitor is bounded", format!("{} bytes", bytes.len()));
            return;
        }
        let Some(record) = self.shards[at].tables.record(visitor) else {
            return self.fail("what is kept of a visitor can be read", format!("{visitor}"));
        };
        self.check_publish(at, visitor);
        let keeps = Purposes::ANALYTICS.or(Purposes::PERSONALIZATION);
        let in_force = record.consent.in_force();
        if in_force.and(keeps).is_empty() && !record.state.is_empty() {
            self.fail("state goes with the consent for it", format!("{visitor}"));
        }
        let rows = &self.shards[at].tables.log;
        let of_visitor = rows.values().filter(|logged| logged.visitor == visitor);
        let newest = of_visitor.rev().take(ROWS_READ);
        let mut told = Vec::new();
        for row in newest.filter_map(|logged| LogRow::decode(&logged.body).ok()) {
            for (place, event) in row.events.iter().enumerate() {
                let may = !event.usable.and(in_force).is_empty();
                if log_line::render_at(&row, place, &record.consent, "c").is_some() && !may {
                    told.push(event.event.sequence.get());
                }
            }
        }
        if !told.is_empty() {
            self.fail("nothing is read out behind a withdrawal", format!("{told:?} of {visitor}"));
        }
    }

    /// State is never stepped back by an older program.
    pub(crate) fn check_publish(&mut self, at: usize, visitor: VisitorId) {
        let Some(record) = self.shards[at].tables.record(visitor) else { return };
        let newest = self.shards[at].publishes.insert(visitor, record.publish).unwrap_or(0);
        if record.publish < newest {
            let detail = format!("publish {} behind {newest}", record.publish);
            self.fail("only the newest program steps state", detail);
        }
    }

    /// The page decides from the answer's state what the edge decided.
    fn check_agreement(&mut self, at: usize, outcome: &Outcome, batch: &Batch, last: &Last) {
        let answer = &outcome.answer;
        let site = self.shards[at].site;
        let program = self.files[site].programs.iter().find(|program| program.hash == answer.program);
        let Some(program) = program.filter(|_| !answer.state.is_empty()) else { return };
        let Ok(mut state) = VisitorState::decode(&answer.state) else {
            return self.fail("the answer's state can be read", format!("{:?}", batch.header.visitor));
        };
        let Ok(image) = Image::open(program.public.clone()) else { return };
        let moment = Moment {
            writer: batch.header.writer,
            context: &batch.header.context,
            now_ms: last.now_ms,
            in_force: last.in_force,
            place: Place::Page,
            trust: Trust::Client,
            account: None,
            visitor: batch.header.visitor,
            orders: Orders { paused: &answer.paused, ..Orders::default() },
        };
        let parts = &program.parts;
        let decided = rules::decide(&image, &mut state, &moment);
        for edge in &last.decisions {
            let rule = edge.rule.and_then(|at| parts.rules.get(usize::from(at)));
            let Some(rule) = rule.filter(|rule| rule.in_page) else { continue };
            let slot = &parts.slots[usize::from(edge.slot)].name;
            let of_slot = decided.iter().find(|page| image.slot_name(page.slot) == slot);
            let in_page = of_slot.and_then(|page| page.rule).map(|at| image.rule_id(at));
            if in_page != Some(rule.id.as_str()) {
                let detail = format!("{slot}: edge {} page {in_page:?} {of_slot:?}", rule.id);
                return self.fail("page and edge decide alike", detail);
            }
        }
    }

    /// Faults stopped a while ago: pages that are open have sent what they had.
    pub fn check_sent(&mut self) {
        for tab in 0..self.tabs.len() {
            let page = &self.tabs[tab];
            let device = &self.devices[page.device];
            let (Some(queue), true) = (&page.queue, page.is_alive && page.is_open()) else { continue };
            let waiting = device.keys(&format!("q.{queue}."));
            if !waiting.is_empty() && !device.is_full {
                self.fail("a page that is open sends what it has", format!("tab {tab} holds {waiting:?}"));
            }
        }
    }

    /// When everything is at rest.
    pub fn check_rest(&mut self) {
        for at in 0..self.shards.len() {
            self.check_rows(at);
        }
        for device in 0..self.devices.len() {
            let place = &self.devices[device];
            let queued_events = place.keys("q.");
            let newest = self.tabs.iter().rev().find(|tab| tab.device == device);
            let is_open = newest.is_some_and(Tab::is_open);
            if !queued_events.is_empty() && !place.is_full && is_open {
                self.fail("queues run empty", format!("device {device} holds {queued_events:?}"));
            }
        }
        self.check_lost();
        self.check_streams_rest();
        self.check_deadlines();
        self.check_farewells();
        self.check_voices_rest();
    }

    /// Nobody's time came long ago.
    fn check_deadlines(&mut self) {
        let until_ms = self.now_ms - OVERDUE_MS;
        for at in 0..self.shards.len() {
            let ahead_ms = self.shards[at].ahead_ms;
            let due = self.shards[at].tables.deadlines.values().min().copied();
            if let Some(due_ms) = due.filter(|due_ms| due_ms.saturating_add_signed(-ahead_ms) < until_ms) {
                self.fail("deadlines are met", format!("shard {at}: {due_ms} has passed"));
            }
        }
    }

    /// Who withdrew is forgotten, on the device and at the edge.
    fn check_farewells(&mut self) {
        for ((site, visitor), tab) in self.truth.farewells.clone() {
            if self.dials.is_linked {
                // Another device of the visitor may have granted since.
                break;
            }
            let records = self.shards.iter().filter(|shard| shard.site == site);
            let left = records.filter_map(|shard| shard.tables.record(visitor));
            if left.into_iter().any(|record| !record.state.is_empty()) {
                self.fail("the edge hears of a withdrawal", format!("{visitor}, told by tab {tab}"));
            }
        }
        if self.dials.tabs_max > 1 || self.dials.sources != Signals::NONE {
            return;
        }
        for device in 0..self.devices.len() {
            let place = &self.devices[device];
            let newest = self.tabs.iter().rev().find(|tab| tab.device == device);
            let Some(newest) = newest.filter(|tab| tab.consent.time_ms > 0 && !tab.is_open()) else {
                continue;
            };
            let left: Vec<String> = place.keys("").into_iter().filter(|key| key != "consent").collect();
            if !left.is_empty() && newest.policy.is_some() && !place.has_kills {
                let detail = format!("device {device} holds {left:?}");
                return self.fail("a withdrawal empties the device", detail);
            }
        }
    }

    /// What a device stored and no longer holds was kept at the edge, lost with a count, or destroyed for want of consent.
    fn check_lost(&mut self) {
        for device in 0..self.devices.len() {
            let place = &self.devices[device];
            if place.is_withdrawn || place.is_full || place.stored.is_none() {
                continue;
            }
            let mut gone = Vec::new();
            for ((site, key), captured) in &self.truth.captured {
                if captured.key.is_empty() {
                    // A page without an engine keeps nothing on the device.
                    continue;
                }
                let is_kept = || {
                    self.shards.iter().any(|shard| {
                        shard.site == *site
                            && (shard.logged.contains_key(key) || shard.quarantined.contains_key(key))
                    })
                };
                if self.truth.went_over.contains(&(*site, *key)) {
                    // It is looked at under the writer that has it now.
                    continue;
                }
                let waits = place.read(&captured.key).is_some();
                let program = &self.files[*site].programs[0].parts;
                let purposes = purposes_of(&program.plan, &captured.event);
                if purposes.and(captured.snapshot.in_force()).is_empty() {
                    // Captured before the page knew what it was for.
                    continue;
                }
                if captured.device == device
                    && !waits
                    && !self.truth.destroyed.contains(&(*site, *key))
                    && !is_kept()
                {
                    gone.push(*key);
                }
            }
            if gone.len() as u64 > place.lost {
                let lost = place.lost;
                self.fail("nothing is lost unsaid", format!("device {device}: {gone:?}, {lost} said"));
                return;
            }
        }
    }
}
