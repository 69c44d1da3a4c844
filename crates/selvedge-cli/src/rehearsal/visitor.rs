//! One visitor on the stage: events in, what stands behind each out.

use super::account::Account;
use super::behind::{Behind, Detail};
use super::given::Given;
use super::refused::{self, Refused};
use super::stage::Stage;
use crate::recorded::happened::Happened;
use anyhow::{Result, anyhow};
use selvedge_core::consent::{Mode, Purposes, Signals, Snapshot};
use selvedge_core::event::{Batch, BatchHeader, Clock, Event, EventType};
use selvedge_core::id::{Sequence, VisitorId, WriterId};
use selvedge_core::limits::WAKES_MAX;
use selvedge_core::rules::{self, Decision, Moment, Place, Recall};
use selvedge_core::tracking_plan::Trust;
use selvedge_core::value::{Map, Value};
use selvedge_core::wire::answer::Reason;
use selvedge_core::wire::log_row::{Emission, LogNote, Said};
use selvedge_core::wire::state::VisitorState;
use selvedge_core::wire::stored::VisitorRecord;
use selvedge_edge::deadlines;
use selvedge_edge::gate::Shown;
use selvedge_edge::ingest::{self, Arrival, Decided, Trouble, Watch};
use std::collections::{BTreeMap, BTreeSet};

/// Every purpose there is.
pub const ALL_PURPOSES: Purposes = Purposes(u16::MAX);

/// A visitor on the stage.
pub struct Visitor<'a> {
    stage: &'a Stage,
    id: VisitorId,
    record: Option<VisitorRecord>,
    consent: Snapshot,
    given: Given,
    detail: Detail,
    /// Whether what a slot shows counts as seen.
    is_seen: bool,
    account: Account,
    counts: BTreeMap<WriterId, u32>,
    /// What each page view has seen: slot and rule.
    seen: BTreeMap<WriterId, BTreeSet<(u16, u16)>>,
    /// What it was counted under, of experiments.
    units: Vec<String>,
}

impl<'a> Visitor<'a> {
    /// A visitor of whom nothing is known, who grants these purposes.
    #[must_use]
    pub fn new(stage: &'a Stage, id: VisitorId, granted: Purposes, detail: Detail) -> Self {
        let consent = Snapshot {
            granted,
            denied: Purposes::NONE,
            mode: Mode::OptIn,
            gpc: false,
            signal: Signals::SERVER,
            policy_version: stage.site.config.policy_version,
            time_ms: 1,
            text_hash: 0,
        };
        Self {
            stage,
            id,
            record: None,
            consent,
            given: Given::default(),
            detail,
            is_seen: true,
            account: Account::default(),
            counts: BTreeMap::new(),
            seen: BTreeMap::new(),
            units: Vec::new(),
        }
    }

    /// What the visitor was counted under, of experiments.
    #[must_use]
    pub fn units(&self) -> &[String] {
        &self.units
    }

    /// The visitor, of whom these facts are known.
    #[must_use]
    pub fn with(mut self, given: Given) -> Self {
        self.given = given;
        self
    }

    /// The visitor, of whom only exposures that happen count as seen.
    #[must_use]
    pub const fn without_exposures(mut self) -> Self {
        self.is_seen = false;
        self
    }

    /// Puts the visitor under another program, as a publish does in the middle of a session.
    pub const fn publish(&mut self, stage: &'a Stage) {
        self.stage = stage;
    }

    /// Changes what is granted.
    pub fn consent(&mut self, granted: Purposes, denied: Purposes, time_ms: u64) {
        self.consent.granted = self.consent.granted.or(granted).without(denied);
        self.consent.denied = self.consent.denied.or(denied).without(granted);
        self.consent.time_ms = time_ms;
    }

    /// Sets what is granted from now on.
    pub const fn grant(&mut self, granted: Purposes, time_ms: u64) {
        if self.consent.granted.0 != granted.0 {
            self.consent.granted = granted;
            self.consent.time_ms = time_ms;
        }
    }

    /// Ends the page view of a page load, as the next `page` event would.
    ///
    /// # Errors
    /// Where the visitor's state cannot be read.
    pub fn end_page_view(&mut self, writer: WriterId) -> Result<()> {
        self.seen.remove(&writer);
        let Some(record) = self.record.as_mut().filter(|record| !record.state.is_empty()) else {
            return Ok(());
        };
        let mut state = VisitorState::decode(&record.state)?;
        if state.pages.iter().any(|page| page.writer == writer) {
            state.pages.retain(|page| page.writer != writer);
            record.state = state.encode();
        }
        Ok(())
    }

    /// Steps the visitor by what happened. What slots show behind it counts as seen.
    ///
    /// # Errors
    /// Where the edge itself fails.
    pub fn step(&mut self, happened: &Happened) -> Result<Behind> {
        self.arrive(happened.writer, happened.time_ms)?;
        let woken = self.pass(happened.writer, happened.time_ms)?;
        let mut behind = self.step_one(happened)?;
        behind.woken = woken;
        if behind.stepped.new_page || behind.stepped.new_session {
            self.seen.remove(&happened.writer);
        }
        if self.is_seen && happened.event_type != EventType::Exposure && behind.refused.is_none() {
            behind.exposed = self.expose(&behind, happened.writer, happened.time_ms)?;
        }
        Ok(behind)
    }

    /// What is decided at a time at which nothing happens. Nothing is held because of it.
    ///
    /// # Errors
    /// Where the visitor's state cannot be read.
    pub fn look(&mut self, writer: WriterId, time_ms: u64) -> Result<Behind> {
        self.arrive(writer, time_ms)?;
        let woken = self.pass(writer, time_ms)?;
        let now_ms = i64::try_from(time_ms)?;
        let mut state = self.state(now_ms)?;
        let moment = self.moment(writer, now_ms);
        rules::lease(&self.stage.site.program, &mut state, now_ms, &[]);
        let decisions = rules::decide(&self.stage.site.program, &mut state, &moment);
        let behind = Behind::new(self.stage, &state, &moment, &decisions, self.detail);
        Ok(Behind { woken, ..behind })
    }

    /// Lets time pass: every deadline up to then is decided at its own moment, as the edge's alarm does, and what slots show
    /// because of it counts as seen.
    fn pass(&mut self, writer: WriterId, until_ms: u64) -> Result<Vec<Behind>> {
        let mut woken = Vec::new();
        if !self.stage.has_deadlines() {
            return Ok(woken);
        }
        let until_ms = i64::try_from(until_ms)?;
        for _ in 0..WAKES_MAX {
            let Some(record) = self.record.clone().filter(|record| !record.state.is_empty()) else { break };
            let mut state = VisitorState::decode(&record.state)?;
            let program = &self.stage.site.program;
            let Some(at_ms) = rules::wake(program, &mut state, &self.moment(writer, until_ms)) else { break };
            let moment = self.moment(writer, at_ms);
            rules::lease(program, &mut state, at_ms, &[]);
            let mut recall = Recall::default();
            let told = deadlines::emitted(&self.stage.site, &mut state, &moment, None, &mut recall);
            let told = emissions(told);
            let decisions = rules::decide_again(program, &mut state, &moment, &mut recall);
            let mut behind = Behind::new(self.stage, &state, &moment, &decisions, self.detail);
            behind.told = told;
            self.record = Some(VisitorRecord { state: state.encode(), ..record });
            if self.is_seen {
                behind.exposed = self.expose(&behind, writer, u64::try_from(at_ms)?)?;
            }
            woken.push(behind);
        }
        Ok(woken)
    }

    fn moment(&self, writer: WriterId, now_ms: i64) -> Moment<'_> {
        Moment {
            writer,
            context: &self.given.context,
            now_ms,
            in_force: self.consent.in_force(),
            place: Place::Edge,
            trust: Trust::Client,
            account: self.account.state(),
            visitor: self.id,
            orders: self.stage.site.orders(),
        }
    }

    /// Steps only the visitor's account, by what another of its members did.
    ///
    /// # Errors
    /// Where the event cannot be counted.
    pub fn step_member(&mut self, happened: &Happened) -> Result<()> {
        self.arrive(happened.writer, happened.time_ms)?;
        let event = self.event(happened)?;
        self.step_account(happened.writer, &event)
    }

    fn step_account(&mut self, writer: WriterId, event: &Event) -> Result<()> {
        let mut account = std::mem::take(&mut self.account);
        let trust = self.stage.parts.plan.find(event).map_or(Trust::Client, |known| known.trust);
        let moment = Moment { trust, ..self.moment(writer, i64::try_from(event.time_ms)?) };
        account.step(self.stage, event, &moment);
        self.account = account;
        Ok(())
    }

    fn state(&self, now_ms: i64) -> Result<VisitorState> {
        match self.record.as_ref().filter(|record| !record.state.is_empty()) {
            Some(record) => Ok(VisitorState::decode(&record.state)?),
            None => Ok(VisitorState::new(now_ms)),
        }
    }

    /// Where facts are given that a state keeps: the session begins, and they are kept.
    fn arrive(&mut self, writer: WriterId, time_ms: u64) -> Result<()> {
        self.account.begin(self.stage, &self.given, i64::try_from(time_ms)?);
        if self.record.is_some() || !self.given.is_kept() {
            return Ok(());
        }
        let now_ms = i64::try_from(time_ms)?;
        let mut state = VisitorState::new(now_ms);
        let moment = self.moment(writer, now_ms);
        let event = Event {
            sequence: Sequence::new(1).ok_or_else(|| anyhow!("a sequence begins with 1"))?,
            event_type: EventType::Track,
            name: String::new(),
            time_ms,
            consent: 0,
            properties: Map::new(),
            context: Map::new(),
        };
        rules::step(&self.stage.site.program, &mut state, &event, moment.in_force, &moment);
        self.given.keep(self.stage, &mut state);
        let publish = self.stage.site.publish;
        state.publish = publish;
        let state = state.encode();
        self.record =
            Some(VisitorRecord { publish, consent: self.consent, state, ..VisitorRecord::default() });
        Ok(())
    }

    fn step_one(&mut self, happened: &Happened) -> Result<Behind> {
        let event = self.event(happened)?;
        self.step_account(happened.writer, &event)?;
        let trust = self.stage.parts.plan.find(&event).map_or(Trust::Client, |known| known.trust);
        let time_ms = event.time_ms;
        let against = refused::against(&self.stage.parts.plan, &event, trust);
        let batch = Batch { header: self.header(happened, event.sequence), events: vec![Ok(event)] };
        let arrival = Arrival {
            received_ms: time_ms,
            source: self.stage.source(trust),
            trust,
            shown: Shown::default(),
            country: self.given.country(),
            account: self.account.state(),
        };
        let mut eye = Eye { stage: self.stage, detail: self.detail, behind: None };
        let stored = self.record.clone();
        let outcome = ingest::step(&self.stage.site, stored, batch, &arrival, &Trouble::default(), &mut eye)?;
        let refused = outcome.answer.refused.first().map(|found| {
            let told = against.filter(|told| told.code == found.code);
            told.unwrap_or(Refused { code: found.code, at: None })
        });
        let seen = eye.behind;
        let told = emissions(outcome.row.into_iter().flat_map(|row| row.notes).collect());
        self.units.extend(outcome.units);
        if outcome.record.is_some() {
            self.record = outcome.record;
        }
        match seen {
            Some(behind) => Ok(Behind { told, ..behind }),
            None => Ok(Behind { refused, told, ..self.look(happened.writer, time_ms)? }),
        }
    }

    fn event(&mut self, happened: &Happened) -> Result<Event> {
        let count = self.counts.entry(happened.writer).or_default();
        *count += 1;
        let sequence = Sequence::new(*count).ok_or_else(|| anyhow!("a visitor has too many events"))?;
        Ok(Event {
            sequence,
            event_type: happened.event_type,
            name: happened.name.clone(),
            time_ms: happened.time_ms,
            consent: 0,
            properties: happened.properties.clone(),
            context: happened.context.clone(),
        })
    }

    fn header(&self, happened: &Happened, sequence: Sequence) -> BatchHeader {
        BatchHeader {
            write_key: String::new(),
            visitor: self.id,
            writer: happened.writer,
            sent_at_ms: happened.time_ms,
            skew_ms: 0,
            floor: sequence.get(),
            clock: Clock::Event,
            program: None,
            dictionary: None,
            consent: vec![self.consent],
            context: self.given.context.clone(),
            leases: Vec::new(),
            holder: 0,
        }
    }

    /// What slots show counts as seen, once a page view.
    fn expose(&mut self, behind: &Behind, writer: WriterId, time_ms: u64) -> Result<Vec<(u16, u16)>> {
        let seen = self.seen.entry(writer).or_default();
        let rule_of = |decision: &Decision| {
            let rule = decision.rule.or(decision.held_out)?;
            Some((decision.slot, rule))
        };
        let shown: BTreeSet<(u16, u16)> = behind.decisions.iter().filter_map(rule_of).collect();
        // What a slot showed before and shows again counts again.
        seen.retain(|known| shown.contains(known));
        let new: Vec<(u16, u16)> = shown.into_iter().filter(|one| seen.insert(*one)).collect();
        for (slot, rule) in &new {
            let Some(decision) = behind.decision(*slot) else { continue };
            let exposure = self.exposure(*slot, *rule, decision, (writer, time_ms));
            let detail = std::mem::replace(&mut self.detail, Detail::Decisions);
            let stepped = self.step_one(&exposure);
            self.detail = detail;
            stepped?;
        }
        Ok(new)
    }

    /// That a decision was really seen: what is shown, or (`reason`) that nothing was shown on purpose.
    fn exposure(&self, slot: u16, rule: u16, decision: &Decision, moment: (WriterId, u64)) -> Happened {
        let text = |text: &str| Value::Text(text.to_owned());
        let mut properties = Map::new();
        properties.set("slot", text(self.stage.slot_name(slot)));
        properties.set("rule", text(self.stage.rule_id(rule)));
        if let Some(content) = decision.content {
            properties.set("content", text(self.stage.content_id(content)));
        }
        if decision.held_out == Some(rule) {
            properties.set("reason", text(Reason::Holdout.as_str()));
        } else if decision.reason == Reason::Control {
            properties.set("reason", text(Reason::Control.as_str()));
        }
        let variant = decision.variant.map(|variant| self.stage.site.program.variant_name(variant));
        if let Some((experiment, variant)) = variant.as_deref().and_then(|name| name.split_once('/')) {
            properties.set("experiment", text(experiment));
            properties.set("variant", text(variant));
        }
        let (writer, time_ms) = moment;
        Happened {
            event_type: EventType::Exposure,
            name: EventType::Exposure.as_str().to_owned(),
            properties,
            context: Map::new(),
            writer,
            time_ms,
        }
    }
}

/// What the notes of a row tell destinations.
fn emissions(notes: Vec<LogNote>) -> Vec<Emission> {
    let told = notes.into_iter().filter_map(|note| match note.said {
        Said::Emitted(emission) => Some(emission),
        Said::Decided(_) | Said::Reached(_) | Said::Erased => None,
    });
    told.collect()
}

/// Watches a step.
struct Eye<'a> {
    stage: &'a Stage,
    detail: Detail,
    behind: Option<Behind>,
}

impl Watch for Eye<'_> {
    fn reaches(&mut self, _: Sequence) {}

    fn takes(&mut self, _: &Event) {}

    fn decides(&mut self, decided: &Decided<'_>) {
        let behind = Behind::new(self.stage, decided.state, decided.moment, decided.decisions, self.detail);
        self.behind = Some(Behind { stepped: decided.stepped, ..behind });
    }
}
