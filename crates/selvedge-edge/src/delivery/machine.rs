//! The state machine of one destination in one shard. In: the time, rows made into items, what became of a send. Out: what
//! the shell does next ([`Step`]), and what was refused. It knows no clock, no randomness and no storage.
//!
//! The shell stores [`Machine::state`] (and the items, where they changed) after every call that changes them and before
//! it does what the next step says; then a crash at any moment loses nothing, and what may be on its way is sent again as
//! it was. A send is of the first items that are not settled, so the order is kept: while some wait, those behind them do.

mod failing;

use super::item::{Item, Refused};
use super::record::Record;
use super::sent::{Prepared, SendResult, Sent};
use super::state::{DELAYS_MS, Paused, State, Window};
use super::take::Taken;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use failing::shortened;
use selvedge_core::hash::fnv1a_64;
use selvedge_core::id::VisitorId;
use selvedge_core::mutation::{Mutation, is_planted};

/// What the shell does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nothing before this time.
    Wait {
        /// Unix milliseconds; `None`: until there are rows, or somebody acts.
        until_ms: Option<u64>,
    },
    /// Rows of the log are taken: [`Machine::take`].
    Take,
    /// The transport prepares the records of [`Machine::sending`]; then [`Machine::prepared`].
    Prepare,
    /// They are sent again: [`Machine::send_again`], then as [`Step::Send`].
    Resend,
    /// They are sent; then [`Machine::sent`].
    Send,
}

/// The records of one send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sending<'a> {
    /// Its name: that of every send of the same records, and of no other.
    pub id: String,
    /// The records, in order.
    pub records: Vec<&'a Record>,
    /// For each record the place of its item: what is of one item is refused as one.
    pub items: Vec<u32>,
    /// How often they were sent before.
    pub attempt: u32,
    /// The destination may hold them already.
    pub is_unsure: bool,
}

/// A destination in a shard.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Machine {
    /// What is stored of it.
    pub state: State,
    /// What is in flight; the first [`State::settled`] of it are not any more.
    pub flight: Vec<Item>,
    /// The items changed since they were stored.
    pub is_flight_new: bool,
}

impl Machine {
    /// The machine as it was stored. What may have been on its way when it stopped is sent again.
    #[must_use]
    pub fn stored(mut state: State, flight: Vec<Item>) -> Self {
        if let Some(window) = state.window.as_mut().filter(|window| window.is_in_air) {
            window.is_in_air = false;
            window.is_unsure = true;
        }
        let left = flight.len().saturating_sub(at(state.settled));
        state.in_flight = u32::try_from(left).unwrap_or(u32::MAX);
        Self { state, flight, is_flight_new: false }
    }

    /// What is next at `now_ms`; `has_rows`: the log has rows behind the cursor, or items wait to go again.
    #[must_use]
    pub fn step(&self, now_ms: u64, has_rows: bool) -> Step {
        let state = &self.state;
        let is_paused = state.paused.is_some() && !is_planted(Mutation::PauseIgnored);
        let is_given_up = state.failures > 3 && is_planted(Mutation::GivesUp);
        if is_paused || is_given_up || state.gone_since.is_some() {
            return Step::Wait { until_ms: None };
        }
        if now_ms < state.not_before_ms {
            return Step::Wait { until_ms: Some(state.not_before_ms) };
        }
        match (state.in_flight, &state.window) {
            (0, _) if has_rows => Step::Take,
            (0, _) => Step::Wait { until_ms: None },
            (_, None) => Step::Prepare,
            (_, Some(window)) if window.is_in_air => Step::Send,
            _ => Step::Resend,
        }
    }

    /// What is configured: `config` stands for all of it and for the secrets, `way` for how the destination is reached. What
    /// changed may be what a pause waited for.
    pub fn configure(&mut self, config: u64, way: u64) {
        let state = &mut self.state;
        if state.config != config {
            let stays = is_planted(Mutation::PausedForGood);
            state.paused = state.paused.take().filter(|paused| paused.by_operator || stays);
            state.not_before_ms = 0;
            state.config = config;
            if is_planted(Mutation::NumbersOutlived) {
                state.transport.clear();
            }
        }
        if state.way != way {
            state.transport.clear();
            state.window = None;
            state.unsure = 0;
            state.way = way;
        }
    }

    /// Items of the log, and what was settled while they were taken. Gives those that could not be made into records.
    pub fn take(&mut self, taken: Taken) -> Vec<Refused> {
        let Taken { until, items, filtered, purged, refused, waits } = taken;
        let (held, released) = (count(waits.held.len()), count(waits.released.len()));
        let state = &mut self.state;
        state.cursor = until;
        state.waiting = state.waiting.saturating_add(held).saturating_sub(released);
        state.counts.filtered = state.counts.filtered.saturating_add(filtered);
        state.counts.purged = state.counts.purged.saturating_add(purged);
        let count = u64::try_from(refused.len()).unwrap_or(u64::MAX);
        state.counts.quarantined = state.counts.quarantined.saturating_add(count);
        self.fly(items);
        refused
    }

    /// Items that go again, from the quarantine; they were counted there.
    pub fn take_again(&mut self, items: Vec<Item>) {
        let count = u32::try_from(items.len()).unwrap_or(u32::MAX);
        self.state.again = self.state.again.saturating_sub(count);
        self.fly(items);
    }

    /// Forgets what is in flight of a visitor who is erased, and gives how many items that were. What the destination may
    /// hold already stays until that is known: it must go again as it was, and the erasure follows it.
    pub fn erase(&mut self, visitor: VisitorId) -> u64 {
        let settled = at(self.state.settled);
        let window = self.state.window.filter(|window| window.is_in_air || window.is_unsure);
        let kept = at(window.map_or(0, |window| window.items).max(self.state.unsure));
        let suspects = at(self.state.suspects);
        let (mut place, mut erased, mut unsuspected, mut is_first_gone) = (0usize, 0u32, 0u32, false);
        // What is settled needs not be kept of anybody.
        self.flight.drain(..settled.min(self.flight.len()));
        self.flight.retain(|item| {
            let is_left = is_planted(Mutation::ErasureLeavesUnsent);
            let stays = place < kept || item.visitor != visitor || is_left;
            erased = erased.saturating_add(u32::from(!stays));
            is_first_gone |= !stays && place == 0;
            unsuspected = unsuspected.saturating_add(u32::from(!stays && place < suspects));
            place = place.saturating_add(1);
            stays
        });
        let state = &mut self.state;
        state.settled = 0;
        state.in_flight = state.in_flight.saturating_sub(erased);
        state.suspects = state.suspects.saturating_sub(unsuspected);
        if window.is_none() && erased > 0 {
            // The next send is of other records.
            state.window = None;
        }
        if is_first_gone {
            state.records_done = 0;
        }
        self.is_flight_new = true;
        self.purged(erased);
        u64::from(erased)
    }

    /// Forgets so many items of a visitor who is erased of those that wait to go again.
    pub fn erase_again(&mut self, items: u32) {
        self.state.again = self.state.again.saturating_sub(items);
        self.state.counts.purged = self.state.counts.purged.saturating_add(u64::from(items));
    }

    fn purged(&mut self, items: u32) {
        self.state.counts.purged = self.state.counts.purged.saturating_add(u64::from(items));
        let bytes = self.flight.iter().fold(0usize, |sum, item| sum.saturating_add(item.bytes()));
        self.state.flight_bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        if self.state.in_flight == 0 {
            self.fly(Vec::new());
        } else {
            self.note_oldest();
        }
    }

    /// Gives up so many of the items that wait for answers.
    pub fn drop_held(&mut self, items: u32) {
        self.state.waiting = self.state.waiting.saturating_sub(items);
        self.state.counts.dropped = self.state.counts.dropped.saturating_add(u64::from(items));
    }

    /// Forgets so many items of a visitor who is erased of those that wait for answers.
    pub fn erase_held(&mut self, items: u32) {
        self.state.waiting = self.state.waiting.saturating_sub(items);
        self.state.counts.purged = self.state.counts.purged.saturating_add(u64::from(items));
    }

    /// Gives up what lies before `until` and was not taken: so many items of the log.
    pub fn drop_until(&mut self, until: crate::cursor::Position, items: u64) {
        self.state.cursor = until;
        let items = if is_planted(Mutation::DropUncounted) { 0 } else { items };
        self.state.counts.dropped = self.state.counts.dropped.saturating_add(items);
    }

    /// The records of the send that is next, or under way.
    #[must_use]
    pub fn sending(&self) -> Sending<'_> {
        let placed = (0u32..).zip(self.window_items());
        let flat = placed.flat_map(|(place, item)| item.records.iter().map(move |record| (place, record)));
        let (items, records): (Vec<u32>, Vec<&Record>) = flat.skip(at(self.state.records_done)).unzip();
        let window = self.state.window.unwrap_or_default();
        let (attempt, is_unsure) = (window.attempt, window.is_unsure || self.state.unsure > 0);
        let mut id = id_of(&records);
        if is_planted(Mutation::ResendRenamed) && attempt > 0 {
            id.push('+');
        }
        Sending { id, records, items, attempt, is_unsure }
    }

    /// The transport's preparation. Stored before the send begins: it is the moment of leaving.
    pub fn prepared(&mut self, prepared: Prepared, now_ms: u64, random: u32) -> Vec<Refused> {
        match prepared {
            Prepared::Ready(transport) => {
                let items = self.next_items();
                let window = Window { items, is_in_air: true, ..Window::default() };
                self.state.transport = transport;
                self.state.window = Some(window);
                self.state.counts.sends = self.state.counts.sends.saturating_add(1);
                Vec::new()
            }
            Prepared::Failed(result) => {
                let items = self.next_items();
                self.state.window = Some(Window { items, ..Window::default() });
                let refused = self.sent(Sent::of(result), now_ms, random);
                // Nothing was sent: the next attempt prepares anew.
                self.state.window = None;
                refused
            }
        }
    }

    /// The same records are sent once more. Stored before the send begins.
    pub fn send_again(&mut self) {
        if let Some(window) = &mut self.state.window {
            window.attempt = window.attempt.saturating_add(1);
            window.is_in_air = true;
            self.state.unsure = self.state.unsure.max(if window.is_unsure { window.items } else { 0 });
        }
        self.state.counts.sends = self.state.counts.sends.saturating_add(1);
    }

    /// What became of the send. `random` is any number: it spreads the waits.
    pub fn sent(&mut self, sent: Sent, now_ms: u64, random: u32) -> Vec<Refused> {
        let Sent { result, done, transport, possible_duplicates, may_be_kept } = sent;
        if let Some(transport) = transport.filter(|_| !is_planted(Mutation::NumbersForgotten)) {
            self.state.transport = transport;
        }
        let counts = &mut self.state.counts;
        let doubled = if is_planted(Mutation::DuplicatesUncounted) { 0 } else { possible_duplicates };
        counts.possible_duplicates = counts.possible_duplicates.saturating_add(doubled);
        self.settle_records(done, now_ms);
        if self.state.window.is_none_or(|window| window.items == 0) {
            self.state.window = None;
            return Vec::new();
        }
        if may_be_kept {
            self.note_unsure();
        }
        match result {
            SendResult::Delivered => {
                self.settle_records(usize::MAX, now_ms);
                self.state.window = None;
            }
            SendResult::Some => self.goes_on(now_ms, random),
            SendResult::Poison { records, why } => {
                let left = records.iter().filter_map(|place| place.checked_sub(done)).collect();
                return self.failed(SendResult::Poison { records: left, why }, now_ms, random);
            }
            other => return self.failed(other, now_ms, random),
        }
        Vec::new()
    }

    /// An operator's order: nothing is sent until the next one.
    pub fn pause(&mut self, why: &str) {
        self.state.paused = Some(Paused { by_operator: true, why: shortened(why) });
    }

    /// An operator's order: whatever it waited for, it goes on now.
    pub fn resume(&mut self) {
        let state = &mut self.state;
        if !is_planted(Mutation::PausedForGood) {
            state.paused = None;
        }
        state.not_before_ms = 0;
        state.failures = 0;
        state.refused_in_a_row = 0;
    }

    /// The site's program names it, or no longer does. What no longer is named keeps its place for one publish more. Gives
    /// whether it may be forgotten.
    pub const fn named(&mut self, is_named: bool, publish: u64) -> bool {
        let state = &mut self.state;
        if is_named {
            state.publish = publish;
            state.gone_since = None;
            return false;
        }
        match state.gone_since {
            None => {
                state.gone_since = Some(publish);
                false
            }
            Some(since) => since < publish,
        }
    }

    fn fly(&mut self, items: Vec<Item>) {
        self.state.settled = 0;
        self.state.records_done = 0;
        self.state.suspects = 0;
        self.state.unsure = 0;
        self.state.window = None;
        self.state.in_flight = u32::try_from(items.len()).unwrap_or(u32::MAX);
        self.is_flight_new |=
            (!items.is_empty() || !self.flight.is_empty()) && !is_planted(Mutation::FlightNotRecorded);
        let bytes = items.iter().fold(0usize, |sum, item| sum.saturating_add(item.bytes()));
        self.state.flight_bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.flight = items;
        self.note_oldest();
    }

    fn note_oldest(&mut self) {
        let first = self.flight.get(at(self.state.settled));
        self.state.flight_oldest_ms = first.map_or(0, |item| item.received_ms);
    }

    /// How many items the next send is of: half of those that surely hold a bad one, else as many as may go together.
    fn next_items(&self) -> u32 {
        let state = &self.state;
        match (state.suspects, state.items_max) {
            (0, 0) => state.in_flight,
            (0, max) => max.min(state.in_flight),
            (suspects, _) => (suspects / 2).max(1).min(state.in_flight),
        }
    }

    fn window_items(&self) -> impl Iterator<Item = &Item> {
        let items = self.state.window.map_or_else(|| self.next_items(), |window| window.items);
        self.flight.iter().skip(at(self.state.settled)).take(at(items))
    }

    /// Settles as many of the window's records as are delivered, and the items that are complete with them.
    fn settle_records(&mut self, records: usize, now_ms: u64) {
        if records == 0 {
            return;
        }
        let mut done = records.saturating_add(at(self.state.records_done));
        let (mut items, mut all, mut delays) = (0u32, true, self.state.delays);
        for item in self.window_items() {
            match done.checked_sub(item.records.len()) {
                Some(left) => done = left,
                None => {
                    all = false;
                    break;
                }
            }
            items = items.saturating_add(1);
            delays.observe(&DELAYS_MS, now_ms.saturating_sub(item.received_ms));
        }
        let state = &mut self.state;
        state.delays = delays;
        state.records_done = if all { 0 } else { u32::try_from(done).unwrap_or(u32::MAX) };
        state.counts.delivered = state.counts.delivered.saturating_add(u64::from(items));
        state.failures = 0;
        state.not_before_ms = 0;
        state.last_error.clear();
        if items > 0 {
            state.refused_in_a_row = 0;
            state.items_max = grown(state.items_max);
        }
        self.settle_items(items);
    }

    /// The first items are settled, however.
    fn settle_items(&mut self, items: u32) {
        let state = &mut self.state;
        state.settled = state.settled.saturating_add(items);
        state.in_flight = state.in_flight.saturating_sub(items);
        state.suspects = state.suspects.saturating_sub(items);
        state.unsure = state.unsure.saturating_sub(items);
        if let Some(window) = &mut state.window {
            window.items = window.items.saturating_sub(items);
        }
        if state.in_flight == 0 {
            self.fly(Vec::new());
        } else {
            self.note_oldest();
        }
    }
}

fn count(items: usize) -> u32 {
    u32::try_from(items).unwrap_or(u32::MAX)
}

/// The name of a send: its first record, and a hash of all of them.
fn id_of(records: &[&Record]) -> String {
    let mut ids = String::new();
    for record in records {
        ids.push_str(&record.id);
        ids.push('\n');
    }
    let first = records.first().map_or("", |record| record.id.as_str());
    format!("{first}.{:016x}", fnv1a_64(ids.as_bytes()))
}

/// A bound that was learnt is forgotten bit by bit.
const fn grown(items_max: u32) -> u32 {
    if items_max == 0 || items_max >= GROWN_ENOUGH {
        return 0;
    }
    items_max.saturating_add(if items_max < 8 { 1 } else { items_max / 8 })
}

/// A bound from which on there is none.
#[expect(clippy::cast_possible_truncation, reason = "a constant far below 2^32")]
const GROWN_ENOUGH: u32 = selvedge_core::limits::DELIVERY_ITEMS_MAX as u32;

fn at(place: u32) -> usize {
    usize::try_from(place).unwrap_or(usize::MAX)
}
