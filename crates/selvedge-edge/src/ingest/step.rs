//! One batch of one visitor: consent first of all, then dedup and the tracking plan, then state and decisions. In: the
//! batch, the site, what is stored of the visitor. Out: what to store and what to answer. Nothing is stored here.

mod again;

pub use again::{Again, replay};

use super::enrich::{enrich, enrich_event};
use super::judged;
use super::memory::{forget, recall};
use super::quarantine::{self, Circumstances};
use super::repeated::{self, Named};
use super::terms::{Arrival, Decided, Incoming, Outcome, Sent, Stale, Trouble, Watch};
use crate::deadlines;
use crate::decision::{Decider, contents, needs, slot_decisions};
use crate::dedup::{self, Verdict};
use crate::foreign;
use crate::gate::Gate;
use crate::leases::Leases;
use crate::ledger::{Counter, Ledger};
use crate::rates;
use crate::site::Site;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use selvedge_core::consent::Purposes;
use selvedge_core::event::{BatchHeader, Clock, Event, EventType, LeaseReport, RefusalCode, Undecodable};
use selvedge_core::id::{Sequence, WriterId};
use selvedge_core::limits::WRITERS_KEPT;
use selvedge_core::masking::mask_event;
use selvedge_core::mutation::{Mutation, is_planted};
use selvedge_core::rules::{self, Decision, Later, Moment, Orders, Place};
use selvedge_core::tracking_plan::{Trust, Violation, judge, purposes_of, reread};
use selvedge_core::wire::answer::{Answer, Applied, Grant, Refused};
use selvedge_core::wire::log_row::{LogEvent, LogNote, LogRow, Said};
use selvedge_core::wire::state::{Cell, CellBody, VisitorState};
use selvedge_core::wire::stored::{VisitorRecord, WriterWindow};

/// Steps a visitor by one batch.
///
/// # Errors
/// [`Stale`], before anything was done.
pub fn step(
    site: &Site,
    stored: Option<VisitorRecord>,
    batch: impl Into<Incoming>,
    arrival: &Arrival<'_>,
    trouble: &Trouble<'_>,
    watch: &mut dyn Watch,
) -> Result<Outcome, Stale> {
    if let Some(record) = stored.as_ref().filter(|record| is_newer(record, site)) {
        return Err(Stale { known: record.publish, given: site.publish });
    }
    let Incoming { header, anonymous_id, events, is_plain } = batch.into();
    let header = enrich(header, arrival);
    let known = stored.as_ref().map(|record| &record.consent);
    let gate = Gate::new(&header.consent, known, arrival.shown, arrival.received_ms);
    let mut stepper = Stepper::new(site, &header, arrival, &gate, (stored.as_ref(), is_plain), trouble);
    dedup::raise(&mut stepper.record, header.writer, header.floor);
    stepper.lease(&header.leases);
    stepper.anonymous_id = anonymous_id;
    stepper.count_batch(events.len());
    for Sent { read, message_id, mut readings } in events {
        stepper.message_id = message_id;
        match read {
            Ok(mut event) => {
                watch.reaches(event.sequence);
                let plan = &site.program.parts().plan;
                reread(plan, &mut event.properties, &event.name, &mut readings);
                mask_event(Some(plan), &mut event, false);
                stepper.event(enrich_event(event, arrival), trouble, watch);
            }
            Err(undecodable) => stepper.undecodable(&undecodable, watch),
        }
    }
    Ok(stepper.finish(stored))
}

/// Whether the state was stepped by a newer program than the site's.
fn is_newer(record: &VisitorRecord, site: &Site) -> bool {
    record.publish > site.publish && !is_planted(Mutation::OlderSteps)
}

struct Stepper<'a> {
    site: &'a Site,
    header: &'a BatchHeader,
    arrival: &'a Arrival<'a>,
    gate: &'a Gate,
    program: String,
    record: VisitorRecord,
    state: VisitorState,
    leases: Leases,
    /// The ids that another SDK gave the visitor, and the event at hand.
    anonymous_id: Option<String>,
    message_id: Option<String>,
    /// What was decided last, and under which purposes.
    decided: Option<(Vec<Decision>, Purposes)>,
    /// Which conditions were true when rules were last decided.
    recall: rules::Recall,
    now_ms: i64,
    events: Vec<LogEvent>,
    notes: Vec<LogNote>,
    quarantine: Vec<String>,
    /// The fingerprint of the event at hand, and those of what went into the quarantine without a place in the dedup window.
    fingerprint: Option<u64>,
    unplaced: Vec<u64>,
    ledger: Ledger,
    units: Vec<String>,
    duplicates: u32,
    refused: Vec<Refused>,
    refused_ids: Vec<Option<String>>,
    /// What was refused for consent.
    destroyed: Vec<Sequence>,
    /// What is known of the event at hand where it comes out of the quarantine.
    again: Option<Before>,
}

/// How an event was refused that is taken up again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Before {
    /// When it came.
    received_ms: u64,
    /// Its place among the writer's events was taken when it was refused.
    is_taken: bool,
}

impl<'a> Stepper<'a> {
    fn new(
        site: &'a Site,
        header: &'a BatchHeader,
        arrival: &'a Arrival<'a>,
        gate: &'a Gate,
        (stored, is_plain): (Option<&VisitorRecord>, bool),
        trouble: &Trouble<'_>,
    ) -> Self {
        let mut record = stored.cloned().unwrap_or_default();
        let mut ledger = Ledger::default();
        let now_ms = rule_time(header, header.sent_at_ms, arrival.received_ms);
        let state = recall(&record, stored.is_some(), now_ms, trouble, &mut ledger);
        let mut state = forget(state, site, gate, now_ms);
        let promised = core::mem::take(&mut record.promised);
        let how = (is_plain, header.writer == foreign::writer_of(header.visitor));
        let leases = Leases::of_batch(header, arrival.trust, how, promised, arrival.received_ms);
        let leases = leases.meet(site, &mut state, (record.holder, header.holder), now_ms);
        Self {
            site,
            header,
            arrival,
            gate,
            program: site.hash.to_string(),
            record,
            leases,
            state,
            anonymous_id: None,
            message_id: None,
            decided: None,
            recall: rules::Recall::default(),
            now_ms,
            events: Vec::new(),
            notes: Vec::new(),
            quarantine: Vec::new(),
            fingerprint: None,
            unplaced: Vec::new(),
            ledger,
            units: Vec::new(),
            duplicates: 0,
            refused: Vec::new(),
            refused_ids: Vec::new(),
            destroyed: Vec::new(),
            again: None,
        }
    }

    fn count_batch(&mut self, events: usize) {
        self.ledger.add(Counter::Batches, 1);
        self.ledger.add(Counter::Received, u64::try_from(events).unwrap_or(u64::MAX));
        if !self.gate.lost.is_empty() {
            self.ledger.add(Counter::Withdrawals, 1);
        }
    }

    fn event(&mut self, mut event: Event, trouble: &Trouble<'_>, watch: &mut dyn Watch) {
        let purposes = purposes_of(&self.site.program.parts().plan, &event);
        let usable = self.gate.usable(purposes, event.consent);
        if usable.is_empty() {
            return self.refuse_for_consent(Some(event.sequence));
        }
        let is_poison = trouble.poison.contains(&event.sequence.get());
        if !self.again.is_some_and(|before| before.is_taken) {
            match self.dedup(event.sequence, event.time_ms) {
                Verdict::Duplicate => return self.duplicate(),
                Verdict::TooOld => return self.refuse_unplaced(&event, RefusalCode::TooOld, watch),
                Verdict::Gap => return self.refuse_unplaced(&event, RefusalCode::SequenceGap, watch),
                Verdict::New => event.sequence = self.take(event.sequence, event.time_ms),
            }
        }
        if is_poison {
            return self.refuse(&event, RefusalCode::Poison, None);
        }
        watch.takes(&event);
        match judge(&self.site.program.parts().plan, &event, self.arrival.trust) {
            Ok(_) => {}
            Err(violation) => return self.refuse(&event, violation.code, Some(&violation)),
        }
        self.accept(event, usable, watch);
    }

    /// Whether the event at hand was taken before, by its sequence or by the id that another SDK gave it.
    fn dedup(&self, sequence: Sequence, time_ms: u64) -> Verdict {
        match &self.message_id {
            None => dedup::judge(&self.record, self.header.writer, sequence),
            Some(id) => {
                foreign::judge(&self.record.foreign, foreign::key_of(id), self.foreign_times(time_ms))
            }
        }
    }

    /// Takes the event at hand, and gives the sequence that it has from now on.
    fn take(&mut self, sequence: Sequence, time_ms: u64) -> Sequence {
        let Some(id) = &self.message_id else {
            dedup::take(&mut self.record, self.header.writer, sequence);
            return sequence;
        };
        let (key, times) = (foreign::key_of(id), self.foreign_times(time_ms));
        foreign::take(&mut self.record.foreign, key, times).unwrap_or(sequence)
    }

    fn foreign_times(&self, time_ms: u64) -> foreign::Times {
        foreign::Times::new(&self.record.foreign, time_ms, received(self.header, self.came_ms()))
    }

    /// When the event at hand came first.
    fn came_ms(&self) -> u64 {
        self.again.map_or(self.arrival.received_ms, |before| before.received_ms)
    }

    fn accept(&mut self, event: Event, usable: Purposes, watch: &mut dyn Watch) {
        self.now_ms = rule_time(self.header, event.time_ms, self.came_ms());
        let moment = Moment { in_force: self.gate.in_force(event.consent), ..self.moment() };
        if self.gate.keeps_state() {
            self.make_up(&moment);
            let notes = deadlines::end_session(
                self.site,
                &mut self.state,
                (&event, usable),
                &moment,
                &mut self.leases,
            );
            if let Some(notes) = notes {
                self.notes.extend(notes);
                self.decided = None;
            }
        }
        let before = match self.decided.take() {
            Some((decisions, _)) => decisions,
            None => {
                rules::decide_again(&self.site.program, &mut self.state.clone(), &moment, &mut self.recall)
            }
        };
        let known = judged::kept(self.site, &self.state, &event);
        let stepped = if self.gate.keeps_state() {
            self.step_rules(&event, usable, &moment)
        } else {
            rules::Stepped::default()
        };
        if let Some(known) = known {
            self.units.extend(judged::begun(self.site, &self.state, &known));
        }
        let time_ms = u64::try_from(self.now_ms).unwrap_or(0);
        let reached = judged::reached(self.site, &event, self.arrival.trust, self.now_ms);
        let note = |reached| LogNote { time_ms, usable, said: Said::Reached(reached) };
        self.notes.extend(reached.into_iter().map(note));
        self.ledger.add(Counter::Accepted, 1);
        self.ledger.add(Counter::Late, u64::from(stepped.late));
        self.ledger.add(Counter::ClockOff, u64::from(stepped.clock_off));
        if self.again.is_none() {
            self.lease(&[]);
        }
        if self.gate.keeps_state() {
            let recall = &mut self.recall;
            let emitted = deadlines::emitted(self.site, &mut self.state, &moment, Some(&event), recall);
            self.notes.extend(emitted);
        }
        let after = self.leases.decide(self.site, &mut self.state, &moment, &mut self.recall);
        let (state, moment) = (&self.state, &moment);
        watch.decides(&Decided { event: &event, stepped, state, moment, decisions: &after });
        let changed = deadlines::changed(&after, &before);
        let decider = Decider { site: self.site, state, moment };
        let mut decisions = slot_decisions(&decider, &changed, true);
        // The log names contents: they stand in the program that it names too.
        decisions.iter_mut().for_each(|decision| decision.body = None);
        self.decided = Some((after, moment.in_force));
        let (late, clock_off) = (stepped.late, stepped.clock_off);
        let message_id = self.message_id.take();
        let is_known = self.gate.keeps_state() && !late && usable.holds(Purposes::ANALYTICS);
        let session = if is_known { self.state.session.number } else { 0 };
        self.events.push(LogEvent { event, message_id, late, clock_off, usable, decisions, session });
    }

    /// Rules step by the event. An exposure uses none of the grants that were leased behind it.
    fn step_rules(&mut self, event: &Event, usable: Purposes, moment: &Moment<'_>) -> rules::Stepped {
        let is_in_order = self.message_id.is_none()
            && self.arrival.trust == Trust::Client
            && dedup::is_in_order(&self.record, self.header.writer, event.sequence);
        let told = rates::counted(self.site, self.leases.told(event, is_in_order), self.now_ms);
        let orders = Orders { is_converted: told.is_converted, ..moment.orders };
        let moment = Moment { orders, ..*moment };
        let later = self.later_than(event);
        let stepped = rules::step(&self.site.program, &mut self.state, &told.event, usable, &moment);
        later.put_back(&mut self.state);
        stepped
    }

    /// What was leased behind an exposure, put away: whatever its age, which rules know of a day at most.
    fn later_than(&mut self, event: &Event) -> Later {
        if event.event_type != EventType::Exposure {
            return Later::default();
        }
        let time_ms = rules::rule_time(event.time_ms, self.header.skew_ms, None, self.header.clock);
        Later::than(&mut self.state, time_ms)
    }

    /// Decides at the deadlines that came before the moment, as the alarm would have.
    fn make_up(&mut self, moment: &Moment<'_>) {
        if rules::next_due(&self.site.program, &self.state, moment.now_ms).is_some() {
            self.notes.extend(deadlines::make_up(self.site, &mut self.state, moment, &mut self.leases));
            self.decided = None;
        }
    }

    fn undecodable(&mut self, undecodable: &Undecodable, watch: &mut dyn Watch) {
        let is_resent_with_names = undecodable.code == RefusalCode::DictionaryUnknown;
        if !is_resent_with_names {
            if self.gate.usable(Purposes::ANALYTICS, 0).is_empty() {
                return self.refuse_for_consent(undecodable.sequence);
            }
            // What cannot be read has no time but that of its receipt, and another SDK's event no sequence.
            let (sequence, time_ms) = (undecodable.sequence.or(Sequence::new(1)), self.arrival.received_ms);
            let is_named = undecodable.sequence.is_some() || self.message_id.is_some();
            let verdict =
                sequence.filter(|_| is_named).map(|sequence| (self.dedup(sequence, time_ms), sequence));
            match verdict {
                Some((Verdict::Duplicate, _)) => return self.duplicate(),
                Some((Verdict::New, sequence)) => {
                    self.take(sequence, time_ms);
                }
                Some((Verdict::TooOld | Verdict::Gap, _)) | None => {
                    let Undecodable { sequence, code, bytes } = undecodable;
                    if self.is_told(*code, (*sequence, bytes), watch) {
                        return self.count_refusal(*sequence, *code);
                    }
                }
            }
            let line = quarantine::of_bytes(&self.circumstances(), undecodable, self.gate.captures.first());
            self.keep(line);
        }
        self.count_refusal(undecodable.sequence, undecodable.code);
    }

    /// Counted, then destroyed.
    fn refuse_for_consent(&mut self, sequence: Option<Sequence>) {
        if self.message_id.is_none() && self.again.is_none() {
            self.destroyed.extend(sequence);
        }
        self.count_refusal(sequence, RefusalCode::NoConsent);
    }

    /// What was destroyed beside what is taken stays so: where the answer is lost, and more is granted before it is sent again, it
    /// would come behind what its writer did later. Where nothing is taken, nothing is kept of it.
    fn take_destroyed(&mut self) {
        let writer = self.header.writer;
        for sequence in core::mem::take(&mut self.destroyed) {
            if !self.events.is_empty() && dedup::judge(&self.record, writer, sequence) == Verdict::New {
                dedup::take(&mut self.record, writer, sequence);
            }
        }
    }

    /// Refuses an event whose place is not taken: sent again it comes here again, and is kept once.
    fn refuse_unplaced(&mut self, event: &Event, code: RefusalCode, watch: &mut dyn Watch) {
        if self.is_told(code, (Some(event.sequence), &[]), watch) {
            return self.count_refusal(Some(event.sequence), code);
        }
        self.refuse(event, code, None);
    }

    /// Whether the quarantine holds the event at hand already, by what it is named or by its bytes; else it will.
    fn is_told(
        &mut self,
        code: RefusalCode,
        (sequence, bytes): (Option<Sequence>, &[u8]),
        watch: &mut dyn Watch,
    ) -> bool {
        let (writer, message_id) = (self.header.writer, self.message_id.as_deref());
        let fingerprint = repeated::fingerprint(code, Named { writer, sequence, message_id, bytes });
        // What comes out of the quarantine goes back there, and a withdrawal empties it first.
        let is_asked = self.again.is_none() && self.gate.lost.is_empty();
        let is_known = self.unplaced.contains(&fingerprint) || (is_asked && watch.holds(fingerprint));
        if is_known && !is_planted(Mutation::RepeatUnknown) {
            return true;
        }
        self.fingerprint = Some(fingerprint);
        false
    }

    fn refuse(&mut self, event: &Event, code: RefusalCode, violation: Option<&Violation<'_>>) {
        let consent = self.gate.captures.get(usize::from(event.consent));
        let line = quarantine::of_event(&self.circumstances(), event, (code, violation), consent);
        self.keep(line);
        self.count_refusal(Some(event.sequence), code);
    }

    fn keep(&mut self, line: String) {
        self.unplaced.extend(self.fingerprint.take());
        self.quarantine.push(line);
        self.ledger.add(Counter::Quarantined, 1);
    }

    fn count_refusal(&mut self, sequence: Option<Sequence>, code: RefusalCode) {
        self.ledger.refuse(code);
        if is_planted(Mutation::RefusedTwice) {
            self.ledger.refuse(code);
        }
        // Who names an event itself is told by that name.
        let sequence = sequence.filter(|_| self.message_id.is_none());
        self.refused.push(Refused { sequence: sequence.map_or(0, Sequence::get), code });
        self.refused_ids.push(self.message_id.take());
    }

    fn duplicate(&mut self) {
        self.duplicates = self.duplicates.saturating_add(1);
        let is_mixed_up = is_planted(Mutation::DuplicateAccepted);
        self.ledger.add(if is_mixed_up { Counter::Accepted } else { Counter::Deduplicated }, 1);
    }

    fn lease(&mut self, reports: &[LeaseReport]) {
        let now = (self.now_ms, self.gate.now.in_force());
        self.leases.lease(self.site, &mut self.state, now, reports);
    }

    /// The moment of the batch itself, under the consent in force now.
    fn moment(&self) -> Moment<'a> {
        Moment {
            writer: self.header.writer,
            context: &self.header.context,
            now_ms: self.now_ms,
            in_force: self.gate.now.in_force(),
            place: Place::Edge,
            trust: self.arrival.trust,
            account: self.arrival.account,
            visitor: self.header.visitor,
            orders: self.site.orders(),
        }
    }

    fn circumstances(&self) -> Circumstances<'_> {
        Circumstances {
            site: self.site.name(),
            source: self.arrival.source,
            trust: self.arrival.trust,
            received_ms: self.came_ms(),
            header: self.header,
            anonymous_id: self.anonymous_id.as_deref(),
            message_id: self.message_id.as_deref(),
            fingerprint: self.fingerprint,
            program: &self.program,
            publish: self.site.publish,
        }
    }

    fn finish(mut self, stored: Option<VisitorRecord>) -> Outcome {
        self.take_destroyed();
        let moment = self.moment();
        if self.events.is_empty() && self.duplicates > 0 && self.again.is_none() {
            self.leases.repeat();
            self.lease(&[]);
        }
        if self.gate.keeps_state() && stored.is_some() {
            self.make_up(&moment);
        }
        // The answer is for now: what the last event was decided under may be another consent.
        let decisions = match self.decided.take() {
            Some((decisions, in_force)) if in_force == moment.in_force => decisions,
            _ => self.leases.decide(self.site, &mut self.state, &moment, &mut self.recall),
        };
        self.leases.answer();
        let granted = self.leases.granted(self.site, &decisions);
        let decider = Decider { site: self.site, state: &self.state, moment: &moment };
        let contents = contents(&decider, &decisions);
        // Who decides nothing itself has no program to find contents in.
        let is_told_all = self.header.program.is_none();
        let is_granted = self.leases.grants_itself();
        let needs = if is_granted { Vec::new() } else { needs(&decider, &decisions, is_told_all) };
        let mut decisions = slot_decisions(&decider, &decisions, false);
        if is_told_all {
            decisions
                .iter_mut()
                .zip(&contents)
                .for_each(|(decision, content)| decision.body.clone_from(content));
        }
        let is_kept = self.gate.keeps_state() || is_planted(Mutation::StateKept);
        if is_planted(Mutation::EventLeftOut) && self.events.len() > 3 {
            self.events.pop();
        }
        let promised = self.leases.settle(&mut self.state);
        let may_grant = is_kept && moment.in_force.holds(Purposes::PERSONALIZATION);
        self.record.promised = if may_grant { promised } else { Vec::new() };
        self.state.publish = self.site.publish;
        self.record.holder = if is_kept { self.leases.holder() } else { 0 };
        let public = is_kept.then(|| self.state.public(&self.site.program, self.header.writer));
        let public = public.map(|public| self.leases.shown(public));
        self.record.state = if is_kept { self.state.encode() } else { Vec::new() };
        self.record.publish = self.site.publish;
        self.record.consent = self.gate.now;
        let is_known = stored.is_some();
        // What stands in the log or in the quarantine must be told from what is sent once more.
        let is_taken = !self.events.is_empty() || !self.quarantine.is_empty();
        let is_to_write = is_kept || is_known || self.gate.is_denial() || is_taken;
        let due_ms = deadlines::due_ms(self.site, &self.state, self.header.clock, self.arrival.received_ms);
        let answer = Answer {
            accepted: u32::try_from(self.events.len()).unwrap_or(u32::MAX),
            duplicates: self.duplicates,
            refused: self.refused,
            program: self.site.hash,
            publish: self.site.publish,
            server_time_ms: self.arrival.received_ms,
            next_flush_ms: 0,
            applied: applied(&self.record, self.header.writer),
            grants: public.as_ref().map(grants).unwrap_or_default(),
            state: public.map(|public| public.encode()).unwrap_or_default(),
            decisions,
            needs,
            paused: self.site.paused.clone(),
        };
        let has_row = !self.events.is_empty() || !self.notes.is_empty();
        let row = has_row.then(|| LogRow {
            received_ms: self.arrival.received_ms,
            site: self.site.name().to_string(),
            source: self.arrival.source.to_string(),
            trust: self.arrival.trust,
            visitor: self.header.visitor,
            anonymous_id: self.anonymous_id,
            writer: self.header.writer,
            sent_at_ms: self.header.sent_at_ms,
            skew_ms: self.header.skew_ms,
            clock: self.header.clock,
            program: self.site.hash,
            publish: self.site.publish,
            lookups: self.site.versions(),
            consent: self.gate.captures.clone(),
            context: self.header.context.clone(),
            events: self.events,
            notes: self.notes,
        });
        Outcome {
            record: Some(self.record).filter(|record| is_to_write && stored.as_ref() != Some(record)),
            row,
            due_ms: due_ms.filter(|_| is_kept),
            quarantine: self.quarantine,
            purge_quarantine: !self.gate.lost.is_empty(),
            ledger: self.ledger,
            units: self.units,
            answer,
            refused_ids: self.refused_ids,
            contents,
            granted,
        }
    }
}

fn rule_time(header: &BatchHeader, time_ms: u64, received_ms: u64) -> i64 {
    rules::rule_time(time_ms, header.skew_ms, received(header, received_ms), header.clock)
}

/// When the batch came, where that is its clock.
const fn received(header: &BatchHeader, received_ms: u64) -> Option<u64> {
    match header.clock {
        Clock::Received => Some(received_ms),
        Clock::Event => None,
    }
}

/// How far each writer is applied without a gap. What came before its time (a beacon that overtook a batch) does not count
/// yet: the page must go on replaying what is missing below it. Of writers that no open page is likely to be, nothing is said.
fn applied(record: &VisitorRecord, writer: WriterId) -> Vec<Applied> {
    let of_window = |window: &WriterWindow| Applied { writer: window.writer, sequence: window.mark };
    let first = record.writers.len().saturating_sub(WRITERS_KEPT);
    let is_told = |(at, window): &(usize, &WriterWindow)| *at >= first || window.writer == writer;
    record.writers.iter().enumerate().filter(is_told).map(|(_, window)| of_window(window)).collect()
}

/// The leases that stand in the page's part of the state.
fn grants(public: &VisitorState) -> Vec<Grant> {
    let of_cell = |cell: &Cell| match &cell.body {
        CellBody::Cap(cap) if cap.lease.id > 0 => Some(Grant {
            rule: cell.hash,
            lease: cap.lease.id,
            count: cap.lease.granted,
            expires_ms: cap.lease.expires_ms,
        }),
        _ => None,
    };
    public.cells.iter().filter_map(of_cell).collect()
}
