//! The far end: what arrived of whom, and what is answered.

use selvedge_core::event::{Batch, Event, RefusalCode};
use selvedge_core::id::{ProgramHash, VisitorId, WriterId};
use selvedge_core::rules::{
    Decision, Moment, Orders, Place, Program, decide, grants_for, lease, rule_time, step,
};
use selvedge_core::tracking_plan::Trust;
use selvedge_core::wire::answer::{Answer, Applied, Refused, SlotDecision};
use selvedge_core::wire::batch_decode::{decode_batch, open};
use selvedge_core::wire::program::Parts;
use selvedge_core::wire::state::VisitorState;
use std::collections::{BTreeMap, BTreeSet};

pub const PROGRAM: ProgramHash = ProgramHash([7; 16]);

/// Everything at the far end: what arrived, and the state of one visitor.
pub struct Edge {
    pub program: Option<Program>,
    pub bytes: Vec<u8>,
    /// Batches as they arrived, duplicates included.
    pub batches: Vec<Batch>,
    /// Events by writer and sequence: what a log would hold.
    pub log: BTreeMap<(VisitorId, WriterId, u32), Event>,
    pub duplicates: u32,
    pub states: BTreeMap<VisitorId, VisitorState>,
    pub applied: BTreeMap<WriterId, Mark>,
    /// The status of the next answers; empty: 200.
    pub statuses: Vec<u16>,
    /// Batches of more events are answered with 413.
    pub events_max: usize,
    /// Writers that newer ones displaced.
    pub evicted: Vec<WriterId>,
    /// Visitors who were erased.
    pub erased: Vec<VisitorId>,
    /// Rules that were stopped.
    pub paused: Vec<u64>,
}

impl Edge {
    pub fn new(program: Option<Parts>) -> Self {
        let full = program.as_ref().map(Parts::encode).unwrap_or_default();
        Self {
            program: Program::load(&full).ok(),
            bytes: program.map(|parts| public(parts).encode()).unwrap_or_default(),
            batches: Vec::new(),
            log: BTreeMap::new(),
            duplicates: 0,
            states: BTreeMap::new(),
            applied: BTreeMap::new(),
            statuses: Vec::new(),
            events_max: usize::MAX,
            evicted: Vec::new(),
            erased: Vec::new(),
            paused: Vec::new(),
        }
    }

    pub fn collect(&mut self, body: &[u8], now_ms: u64) -> (u16, Vec<u8>) {
        let names = self.program.as_ref().map(|program| program.parts().plan.names());
        let container = open(body).expect("a batch is a container");
        let batch = decode_batch(container.sections, names.as_ref()).expect("a batch can be read");
        if let Some(status) = (!self.statuses.is_empty()).then(|| self.statuses.remove(0)) {
            return (status, Vec::new());
        }
        if batch.events.len() > self.events_max {
            return (413, Vec::new());
        }
        let answer = self.take(&batch, now_ms);
        self.batches.push(batch);
        (200, answer.encode().expect("an answer can be written"))
    }

    fn take(&mut self, batch: &Batch, now_ms: u64) -> Answer {
        let header = &batch.header;
        let now = header.consent.first().expect("a batch says what is in force").in_force();
        let paused = self.paused.clone();
        let mut answer = Answer { server_time_ms: now_ms, paused, ..Answer::default() };
        if self.erased.contains(&header.visitor) {
            let refused =
                |event: &Event| Refused { sequence: event.sequence.get(), code: RefusalCode::Erased };
            let events = batch.events.iter().map(|event| event.as_ref().expect("an event can be read"));
            return Answer { refused: events.map(refused).collect(), publish: 1, program: PROGRAM, ..answer };
        }
        let mut decided = Vec::new();
        let state = self.states.entry(header.visitor);
        let state = state.or_insert_with(|| VisitorState::new(i64::try_from(now_ms).unwrap()));
        if let Some(program) = &self.program {
            lease(program, state, i64::try_from(now_ms).unwrap(), &header.leases);
            answer.program = PROGRAM;
            answer.publish = 1;
        }
        self.applied.entry(header.writer).or_default().raise(header.floor);
        for event in &batch.events {
            let event = event.as_ref().expect("an event can be read");
            if self.evicted.contains(&header.writer) {
                answer.refused.push(Refused { sequence: event.sequence.get(), code: RefusalCode::TooOld });
                continue;
            }
            let key = (header.visitor, header.writer, event.sequence.get());
            if self.log.insert(key, event.clone()).is_some() {
                self.duplicates += 1;
                answer.duplicates += 1;
                continue;
            }
            answer.accepted += 1;
            self.applied.entry(header.writer).or_default().take(event.sequence.get());
            let Some(program) = &self.program else { continue };
            let snapshot = &header.consent[usize::from(event.consent)];
            let in_force = snapshot.in_force().and(now);
            let moment = Moment {
                writer: header.writer,
                context: &header.context,
                now_ms: rule_time(event.time_ms, header.skew_ms, Some(now_ms), header.clock),
                in_force,
                place: Place::Edge,
                trust: Trust::Client,
                account: None,
                visitor: header.visitor,
                orders: Orders { paused: &self.paused, ..Orders::default() },
            };
            let plan = &program.parts().plan;
            if selvedge_core::tracking_plan::judge(plan, event, Trust::Client).is_ok() {
                let usable = selvedge_core::tracking_plan::purposes_of(plan, event).and(in_force);
                step(program, state, event, usable, &moment);
                lease(program, state, moment.now_ms, &[]);
                decided = decide(program, state, &moment);
            }
        }
        if let Some(program) = &self.program {
            answer.state = state.public(program, header.writer).encode();
            answer.decisions = decided
                .iter()
                .map(|decision| slot_decision(program, decision, header.program.is_none()))
                .collect();
            let slot_name =
                |decision: &Decision| program.parts().slots[usize::from(decision.slot)].name.clone();
            if header.program.is_none() {
                answer.needs = decided
                    .iter()
                    .flat_map(|decision| grants_for(program, state, decision, &slot_name(decision)))
                    .collect();
            }
        }
        answer.applied = self
            .applied
            .iter()
            .map(|(writer, mark)| Applied { writer: *writer, sequence: mark.gapless })
            .collect();
        answer
    }

    /// Names of the logged events of a visitor's writer order.
    pub fn names(&self) -> Vec<String> {
        self.log.values().map(|event| event.name.clone()).collect()
    }
}

/// How far a writer's events were taken: all up to the mark, and some above it.
#[derive(Default)]
pub struct Mark {
    pub gapless: u32,
    above: BTreeSet<u32>,
}

impl Mark {
    fn take(&mut self, sequence: u32) {
        self.above.insert(sequence);
        self.raise(0);
    }

    /// Sequences below `floor` will never come.
    fn raise(&mut self, floor: u32) {
        self.gapless = self.gapless.max(floor.saturating_sub(1));
        while self.above.remove(&(self.gapless + 1)) {
            self.gapless += 1;
        }
        self.above.retain(|sequence| *sequence > self.gapless);
    }
}

/// What a page may know of a program: no rules that run at the edge only.
fn public(mut parts: Parts) -> Parts {
    parts.rules.retain(|rule| rule.in_page);
    parts
}

fn slot_decision(program: &Program, decision: &Decision, is_told_all: bool) -> SlotDecision {
    let (parts, rules) = (program.parts(), program.rules());
    let rule = decision.rule.map(|rule| &rules[usize::from(rule)]);
    let content = decision.content.map(|content| &parts.contents[usize::from(content)]);
    SlotDecision {
        slot: parts.slots[usize::from(decision.slot)].name.clone(),
        rule: rule.map(|rule| rule.id.clone()),
        content: content.map(|content| content.id.clone()),
        reason: decision.reason,
        detail: String::new(),
        body: content.filter(|_| rule.is_some_and(|rule| is_told_all || !rule.in_page)).cloned(),
        held_out: decision.held_out.map(|rule| rules[usize::from(rule)].id.clone()),
    }
}
