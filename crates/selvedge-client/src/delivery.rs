//! Sending: one request at a time, the queues of earlier pages first. What is in the queue leaves it only when the edge
//! answered for it; a lost answer means that the same events, with the same ids, are sent again.
//!
//! | answer | what becomes of the events |
//! |---|---|
//! | 2xx | done, but those refused for an unknown dictionary: those are sent again with names |
//! | 2xx with `erased` | done; what else waits of that visitor is destroyed, and the next event is another visitor's |
//! | 2xx with `too_old` | this page's own are sent once more, under a new writer; others are lost and counted |
//! | 400, 415, 422 | lost and counted: the same bytes will never be readable |
//! | 413 | sent again in halves; a single event is lost and counted |
//! | 401, 403, 404 and other 4xx | kept, and tried again at the longest delay: a key or a route may be repaired |
//! | none, 408, 425, 429, 5xx | kept, and tried again with full jitter, not before `Retry-After` |

use crate::batching::{LOST_EVENT, Loaded};
use crate::capture::HEADER_BYTES;
use crate::client::{Cargo, Client, Flight};
use crate::effect::{Effect, Notice};
use crate::input::{Random, Reply};
use crate::lane::Queued;
use alloc::vec::Vec;
use selvedge_core::event::{Event, RefusalCode};
use selvedge_core::id::{Sequence, WriterId};
use selvedge_core::limits::{FLUSH_MS, KEEPALIVE_BYTES_MAX, RETRY_MS_MAX, RETRY_MS_MIN};
use selvedge_core::mutation::{Mutation, is_planted};
use selvedge_core::wire::answer::{Answer, read_answer};
use selvedge_core::wire::names::Names;

/// Of [`Random`], what is for the visitor.
const VISITOR_RANDOM_BYTES: usize = 15;
/// The longest `Retry-After` that is believed.
const RETRY_AFTER_MS_MAX: u64 = 60 * 60 * 1_000;

impl Client {
    /// Sends what is due, if nothing is on its way; then says when to wake up.
    pub(crate) fn pump(&mut self) {
        if self.delivery.flight.is_none() && self.now_ms >= self.delivery.retry_ms {
            self.send_due();
        }
        self.schedule();
    }

    fn send_due(&mut self) {
        if let Some(body) = self.delivery.farewells.first().cloned() {
            return self.send(body, Cargo::Farewell);
        }
        if !(self.is_open() || is_planted(Mutation::SentUnasked)) || !self.is_due() {
            return;
        }
        self.report_losses();
        let orphan = self.lanes.orphan().map(|lane| lane.writer);
        let sender = orphan.or(self.lanes.own_writer());
        if let Some(Loaded { body, writer, first, last }) = self.load(sender, KEEPALIVE_BYTES_MAX) {
            self.delivery.must_tell = false;
            // What the bounds of a batch left behind, and what orphans went before, follows at once.
            let own = self.lanes.own();
            let is_rest = own.is_some_and(|lane| lane.writer == writer && lane.next > last.saturating_add(1));
            self.delivery.is_urgent = is_rest || (orphan.is_some() && self.delivery.is_urgent);
            return self.send(body, Cargo::Events { writer, first, last });
        }
        // What waited is gone (another consent, another tab): nothing is due for its sake any more.
        self.delivery.due_ms = None;
        self.delivery.is_urgent = false;
        if core::mem::take(&mut self.delivery.must_tell)
            && let Some(body) = self.empty_batch()
        {
            self.send(body, Cargo::Consent(self.lanes.own_writer()));
        }
    }

    /// Whether something must leave now.
    fn is_due(&self) -> bool {
        let has_orphans = self.lanes.orphan().is_some();
        let is_late = self.delivery.due_ms.is_some_and(|due_ms| self.now_ms >= due_ms);
        has_orphans || self.delivery.is_urgent || self.delivery.must_tell || is_late
    }

    fn send(&mut self, body: Vec<u8>, cargo: Cargo) {
        let request = self.delivery.request.wrapping_add(1);
        self.delivery.request = request;
        self.delivery.flight = Some(Flight { request, bytes: body.len(), cargo });
        self.effects.push(Effect::Send { request, body });
    }

    /// The page may be gone in a moment: what waits leaves by beacon; where there is room, what is on its way, too, which may
    /// fail: later events would stand before it. All stays in the queue, and is sent again until the edge answers for it.
    pub(crate) fn hide(&mut self) {
        if self.is_open() && !self.held.is_empty() {
            // The config did not come in time: better an identity under the first topology entry than a loss.
            (self.is_settled, self.is_recalled) = (true, true);
            self.release_held();
        }
        self.report_losses();
        let flight = self.delivery.flight;
        let in_flight = flight.map_or(0, |flight| flight.bytes);
        let mut budget = KEEPALIVE_BYTES_MAX.saturating_sub(in_flight);
        if self.lanes.bytes().saturating_add(HEADER_BYTES) <= budget {
            self.delivery.flight = None;
        }
        for body in &self.delivery.farewells {
            self.effects.push(Effect::Beacon { body: body.clone() });
        }
        let lanes = if self.is_open() { self.lanes.all() } else { &[] };
        let writers: Vec<WriterId> = lanes.iter().map(|lane| lane.writer).collect();
        for writer in writers {
            let Some(Loaded { body, .. }) = self.load(Some(writer), budget) else { continue };
            budget = budget.saturating_sub(body.len());
            self.effects.push(Effect::Beacon { body });
            if is_planted(Mutation::BeaconIsDone) {
                self.remove(writer, &|_| true);
            }
        }
        self.delivery.flight = flight;
    }

    /// Something changed outside: what waits is tried at once, unless the edge itself asked for patience.
    pub(crate) fn wake(&mut self) {
        if self.delivery.is_offline {
            self.delivery.retry_ms = self.now_ms;
        }
        self.delivery.is_urgent = true;
    }

    /// A request ended.
    #[inline(never)]
    pub(crate) fn later_reply(&mut self, reply: Reply) {
        let Some(flight) = self.delivery.flight.filter(|flight| flight.request == reply.request) else {
            return;
        };
        self.delivery.flight = None;
        match reply.status {
            200..=299 => self.arrived(flight.cargo, &reply),
            400 | 415 | 422 => self.give_up(flight.cargo),
            413 => self.split(flight.cargo),
            500.. if is_planted(Mutation::DoneBeforeAnswer) => self.done(flight.cargo, &[]),
            0 | 408 | 425 | 429 | 500.. => self.retry_later(flight.cargo, &reply, false),
            _ => self.retry_later(flight.cargo, &reply, true),
        }
        self.sweep();
    }

    fn arrived(&mut self, cargo: Cargo, reply: &Reply) {
        self.delivery.failures = 0;
        self.delivery.retry_ms = 0;
        self.delivery.is_offline = false;
        self.delivery.events_max = self.delivery.events_max.map(|max| max.saturating_mul(2));
        let Ok(answer) = read_answer(&reply.body) else { return self.done(cargo, &[]) };
        self.effects.emit(Notice::Accepted(answer.accepted));
        let (mut again, mut too_old, mut is_erased) = (Vec::new(), Vec::new(), false);
        for refused in &answer.refused {
            self.effects.emit(Notice::Refused(refused.sequence, refused.code));
            match refused.code {
                RefusalCode::DictionaryUnknown => again.push(refused.sequence),
                RefusalCode::TooOld => too_old.push(refused.sequence),
                RefusalCode::Erased => is_erased = true,
                _ => {}
            }
        }
        if !again.is_empty() {
            self.delivery.unknown_dictionary = self.mind.names().map(Names::number);
            self.delivery.is_urgent = true;
        }
        again.extend(&too_old);
        self.done(cargo, &again);
        self.learn(cargo, answer, &reply.body);
        let Cargo::Events { writer, .. } = cargo else { return };
        if is_erased {
            self.outlive_visitor(writer, reply.random);
        } else if !too_old.is_empty() && self.is_open() {
            // Where what the device holds rests, it rests under the writer that it has.
            self.outlive(writer, &too_old, &reply.random);
        }
    }

    /// The edge has forgotten `writer` for newer ones, and takes nothing of it any more. Where it is this page's, another
    /// takes its place and what waits goes over to it, but what may have arrived before, or went over once already. A report of
    /// losses that is lost is told to the page alone: reported in turn, it would be without end.
    fn outlive(&mut self, writer: WriterId, too_old: &[u32], random: &Random) {
        let is_own = self.lanes.own_writer() == Some(writer);
        let Some(lane) = self.lanes.of(Some(writer)) else { return };
        let (mut lost, mut reports) = (0u32, 0u32);
        if !is_own {
            for queued in lane.events.iter().filter(|queued| too_old.contains(&queued.event.sequence.get())) {
                count(&queued.event, &mut lost, &mut reports);
            }
            self.remove(writer, &|sequence| too_old.contains(&sequence));
            self.count_lost(Some(writer), lost);
            return self.lose(reports);
        }
        let waiting = lane.drain(&mut self.effects);
        // The visitor stays who it is: only the writer's part is fresh.
        for (byte, fresh) in self.random.iter_mut().zip(random).skip(VISITOR_RANDOM_BYTES) {
            *byte = *fresh;
        }
        self.begin_lane();
        let Some(lane) = self.lanes.of(self.lanes.own_writer()) else { return };
        for Queued { event, snapshot, applies, departures, .. } in waiting {
            let answered = u8::from(too_old.contains(&event.sequence.get()));
            match lane.next_sequence().filter(|_| departures <= answered) {
                Some(sequence) => {
                    lane.push(Event { sequence, ..event }, snapshot, applies, &mut self.effects);
                    if let Some(queued) = lane.events.last_mut() {
                        queued.departures = departures;
                    }
                }
                None => count(&event, &mut lost, &mut reports),
            }
        }
        self.count_lost(self.lanes.own_writer(), lost);
        self.lose(reports);
        self.delivery.is_urgent = true;
        self.replay();
    }

    /// The visitor of `writer` was erased: nothing of the id is kept or sent any more. Where it is this page's, the next event
    /// begins another; consent is as it was.
    fn outlive_visitor(&mut self, writer: WriterId, random: Random) {
        let Some(erased) = self.lanes.of(Some(writer)).map(|lane| lane.head.visitor) else { return };
        let mut lost = 0usize;
        for lane in self.lanes.all_mut().iter_mut().filter(|lane| lane.head.visitor == erased) {
            lost = lost.saturating_add(lane.drain(&mut self.effects).len());
            lane.head.lost = 0;
        }
        if self.visitor == Some(erased) {
            self.delivery.must_tell = false;
            self.reset(random);
        }
        self.count_lost(self.lanes.own_writer(), u32::try_from(lost).unwrap_or(u32::MAX));
        self.sweep();
    }

    /// Lets go of what the edge answered for, but `again`.
    fn done(&mut self, cargo: Cargo, again: &[u32]) {
        match cargo {
            Cargo::Farewell => drop_first(&mut self.delivery.farewells),
            Cargo::Consent(_) => {}
            Cargo::Events { writer, first, last } => {
                self.remove(writer, &|sequence| {
                    (first..=last).contains(&sequence) && !again.contains(&sequence)
                });
            }
        }
    }

    /// Lets go of events of `writer`; gives back how many they were.
    fn remove(&mut self, writer: WriterId, gone: &dyn Fn(u32) -> bool) -> u32 {
        let lane = self.lanes.of(Some(writer));
        lane.map_or(0, |lane| lane.remove(&mut self.effects, &|queued| gone(queued.event.sequence.get())))
    }

    /// Takes what the edge says: its program, and, where the batch was this page's, state and decisions.
    fn learn(&mut self, cargo: Cargo, answer: Answer, body: &[u8]) {
        if answer.next_flush_ms > 0 {
            self.delivery.flush_ms = Some(u64::from(answer.next_flush_ms));
        }
        if answer.publish > 0 {
            self.want_program(answer.program, answer.publish);
            self.stop(answer.paused.clone());
        }
        if !self.is_open() {
            return;
        }
        let writer = match (cargo, self.lanes.own_writer()) {
            (Cargo::Events { writer, .. }, _) => writer,
            // Nothing else was waiting: the state is whole, and what lost its purpose is gone from it. A logout since then left it
            // to another visitor.
            (Cargo::Consent(Some(sent)), Some(own)) if sent == own => own,
            _ => return,
        };
        let is_own = self.lanes.own_writer() == Some(writer);
        let lane = self.lanes.of(Some(writer));
        let is_of_visitor = lane.is_some_and(|lane| Some(lane.head.visitor) == self.visitor);
        if is_own || (is_of_visitor && !self.is_own_answered) {
            self.is_own_answered |= is_own;
            self.take_state(answer, body, is_own);
        }
    }

    fn give_up(&mut self, cargo: Cargo) {
        match cargo {
            Cargo::Farewell => drop_first(&mut self.delivery.farewells),
            Cargo::Consent(_) => {}
            Cargo::Events { writer, first, last } => {
                let lost = self.remove(writer, &|sequence| (first..=last).contains(&sequence));
                self.count_lost(Some(writer), lost);
            }
        }
    }

    /// Counts what `writer` lost, for the event that reports it. Where what the device holds rests, nothing is put there.
    pub(crate) fn count_lost(&mut self, writer: Option<WriterId>, lost: u32) {
        if lost == 0 {
            return;
        }
        let is_open = self.is_open();
        if let Some(lane) = self.lanes.of(writer) {
            lane.head.lost = lane.head.lost.saturating_add(lost);
            if is_open {
                lane.store_head(&mut self.effects);
            }
        } else {
            self.untold = self.untold.saturating_add(lost);
        }
        self.lose(lost);
    }

    fn split(&mut self, cargo: Cargo) {
        let Cargo::Events { writer, first, last } = cargo else { return self.give_up(cargo) };
        let lane = self.lanes.of(Some(writer));
        let sent = lane.map_or(0, |lane| {
            lane.events.iter().filter(|queued| (first..=last).contains(&queued.event.sequence.get())).count()
        });
        if sent <= 1 {
            return self.give_up(cargo);
        }
        self.delivery.events_max = Some(sent / 2);
        self.delivery.is_urgent = true;
    }

    /// Full jitter: anywhere between now and a bound that doubles with each failure.
    fn retry_later(&mut self, cargo: Cargo, reply: &Reply, is_patient: bool) {
        self.delivery.must_tell |= matches!(cargo, Cargo::Consent(_));
        if is_planted(Mutation::DroppedSilently) && self.delivery.failures > 1 {
            self.done(cargo, &[]);
        }
        if is_planted(Mutation::RetryRenumbers)
            && let Some(lane) = self.lanes.of(self.lanes.own_writer())
        {
            for queued in &mut lane.events {
                queued.event.sequence = Sequence::new(lane.next).unwrap_or(queued.event.sequence);
                lane.next = lane.next.saturating_add(1);
            }
        }
        self.delivery.is_offline = reply.status == 0;
        let doubled = RETRY_MS_MIN.checked_shl(self.delivery.failures).unwrap_or(RETRY_MS_MAX);
        let bound = if is_patient { RETRY_MS_MAX } else { doubled.clamp(RETRY_MS_MIN, RETRY_MS_MAX) };
        let [a, b, c, d, ..] = reply.random;
        let delay = u64::from(u32::from_le_bytes([a, b, c, d])).checked_rem(bound).unwrap_or(bound);
        let delay = if is_patient { delay.max(RETRY_MS_MAX / 2) } else { delay };
        let delay = delay.max(reply.retry_after_ms.min(RETRY_AFTER_MS_MAX));
        self.delivery.failures = self.delivery.failures.saturating_add(1).min(32);
        self.delivery.retry_ms = self.now_ms.saturating_add(delay.max(1));
        self.delivery.is_urgent = true;
    }

    /// Drops queues that are empty, and sets when this page's own leaves.
    fn sweep(&mut self) {
        self.lanes.sweep(&mut self.effects);
        let waits = self.lanes.own().is_some_and(|lane| !lane.events.is_empty() || lane.head.lost > 0);
        if !waits {
            self.delivery.due_ms = None;
        } else if self.delivery.due_ms.is_none_or(|due_ms| due_ms <= self.now_ms) {
            // What is left came while the request ran: it waits its own turn.
            let flush_ms = self.delivery.flush_ms.unwrap_or(FLUSH_MS);
            self.delivery.due_ms = Some(self.now_ms.saturating_add(flush_ms));
        }
    }

    /// Says when to wake up, where that changed.
    fn schedule(&mut self) {
        let has_orphans = self.lanes.orphan().is_some();
        let waits = has_orphans || !self.delivery.farewells.is_empty() || self.delivery.must_tell;
        let may_send = self.is_open() || !self.delivery.farewells.is_empty();
        let due_ms = if waits || self.delivery.is_urgent { Some(self.now_ms) } else { self.delivery.due_ms };
        let is_idle = self.delivery.flight.is_none() && (waits || self.delivery.due_ms.is_some());
        let wake_ms = due_ms.filter(|_| may_send && is_idle).map(|due_ms| due_ms.max(self.delivery.retry_ms));
        let decision_ms = self.mind.next_wake_ms();
        let wake_ms = match (wake_ms, decision_ms) {
            (Some(wake_ms), Some(decision_ms)) => Some(wake_ms.min(decision_ms)),
            (wake_ms, decision_ms) => wake_ms.or(decision_ms),
        };
        if wake_ms == self.delivery.tick_ms {
            return;
        }
        self.delivery.tick_ms = wake_ms;
        if let Some(wake_ms) = wake_ms {
            let delay_ms = u32::try_from(wake_ms.saturating_sub(self.now_ms)).unwrap_or(u32::MAX);
            self.effects.push(Effect::Schedule { delay_ms });
        }
    }
}

fn drop_first<T>(list: &mut Vec<T>) {
    if !list.is_empty() {
        list.remove(0);
    }
}

/// Counts an event that is lost, reports of losses apart.
fn count(event: &Event, lost: &mut u32, reports: &mut u32) {
    let count = if event.name == LOST_EVENT { reports } else { lost };
    *count = count.saturating_add(1);
}
