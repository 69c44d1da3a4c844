//! A world around the head: a device that stores, a network that can be cut, an edge that counts, a clock that is told.

#![allow(dead_code)]

use selvedge_client::{Ask, Boot, Capture, Client, Effect, Engine, Input, Notice, Reply, Settings, Show};
use selvedge_core::consent::{Mode, Purposes, Signals};
use selvedge_core::event::{Batch, Event, EventType, RefusalCode};
use selvedge_core::hash::fnv1a_64;
use selvedge_core::id::{ProgramHash, VisitorId, WriterId};
use selvedge_core::rules::{
    Decision, Moment, Orders, Place, Program, decide, grants_for, lease, rule_time, step,
};
use selvedge_core::tracking_plan::{Nature, Plan, PlanEvent, PlanProperty, PropertyType, Trust};
use selvedge_core::value::{Map, Value};
use selvedge_core::wire::answer::{Answer, Applied, Refused, SlotDecision};
use selvedge_core::wire::batch_decode::{decode_batch, open};
use selvedge_core::wire::program::{
    Cap, Content, ContentType, Fact, FactSource, Hold, Instruction, Jump, Metric, Parts, Rule, Shape, Slot,
    Status, Terms, Test, Window,
};
use selvedge_core::wire::state::VisitorState;
use std::collections::{BTreeMap, BTreeSet};

pub const START_MS: u64 = 1_800_000_000_000;
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

/// A rule engine that traps after so many questions.
#[derive(Debug)]
struct Failing {
    engine: Engine,
    questions: usize,
}

impl Ask for Failing {
    fn ask(&mut self, question: &[u8]) -> Vec<u8> {
        self.questions = self.questions.saturating_sub(1);
        if self.questions == 0 { Vec::new() } else { self.engine.ask(question) }
    }
}

fn client(questions: usize) -> Client {
    let mut client = Client::new();
    client.reach(Box::new(Failing { engine: Engine::default(), questions }));
    client
}

/// One page in its world.
pub struct World {
    pub client: Client,
    pub edge: Edge,
    pub now_ms: u64,
    pub device: BTreeMap<String, Vec<u8>>,
    pub is_online: bool,
    /// The next answer is lost on its way back.
    pub loses_answer: bool,
    pub requests: u32,
    pub beacons: u32,
    /// Programs that were fetched.
    pub fetches: u32,
    pub tick_ms: Option<u64>,
    pub shown: BTreeMap<String, Show>,
    pub shows: u32,
    pub notices: Vec<Notice>,
    pub boots: u8,
    pub gpc: bool,
    pub mode: Mode,
    pub policy_version: u16,
    pub sources: Signals,
    pub is_storage_denied: bool,
    sends: Vec<(u32, Vec<u8>)>,
    loads: Vec<ProgramHash>,
    /// Locks are asked for, and answered later.
    hold: Option<String>,
    /// The rule engine is asked for, and comes at once; `None`: it does not come until [`Self::bring_engine`].
    pub engine: Option<bool>,
    pub is_engine_called: bool,
    /// How many questions the rule engine of the next page answers before it traps.
    pub engine_questions: usize,
}

impl World {
    pub fn new(program: Option<Parts>) -> Self {
        let mut world = Self {
            client: client(usize::MAX),
            edge: Edge::new(program),
            now_ms: START_MS,
            device: BTreeMap::new(),
            is_online: true,
            loses_answer: false,
            requests: 0,
            beacons: 0,
            fetches: 0,
            tick_ms: None,
            shown: BTreeMap::new(),
            shows: 0,
            notices: Vec::new(),
            boots: 0,
            gpc: false,
            mode: Mode::OptIn,
            policy_version: 1,
            sources: Signals::NONE,
            is_storage_denied: false,
            sends: Vec::new(),
            loads: Vec::new(),
            hold: None,
            engine: Some(true),
            is_engine_called: false,
            engine_questions: usize::MAX,
        };
        world.boot();
        world
    }

    /// A page begins on this device; queues of pages before are adopted once this one has its own.
    pub fn boot(&mut self) {
        self.client = client(self.engine_questions);
        self.is_engine_called = false;
        self.sends.clear();
        self.loads.clear();
        self.shown.clear();
        self.tick_ms = None;
        self.boots += 1;
        let stored = self.device.clone().into_iter().filter(|(key, _)| !key.contains('.')).collect();
        let boot = Boot {
            write_key: "wk_shop_browser".into(),
            random: [self.boots; 19],
            parameters: vec!["q".into()],
            context: [("language".to_owned(), Value::Text("de".into()))].into_iter().collect(),
            gpc: self.gpc,
            stored,
        };
        self.input(Input::Boot(boot));
    }

    pub fn settle(&mut self) {
        self.hear_settings();
        self.run();
    }

    /// The configuration came; the program it names is on its way.
    pub fn hear_settings(&mut self) {
        let program = self.edge.program.is_some().then_some(PROGRAM);
        self.input(Input::Settings(Some(Settings {
            paused: self.edge.paused.clone(),
            topology: 3,
            mode: self.mode,
            sources: self.sources,
            policy_version: self.policy_version,
            clock_ms: self.now_ms,
            program,
            publish: 1,
            ..Settings::default()
        })));
    }

    pub fn reopen(&mut self) {
        self.boot();
        self.settle();
    }

    pub fn grant(&mut self) {
        self.consent(Purposes::ANALYTICS.or(Purposes::PERSONALIZATION), Purposes::NONE);
    }

    pub fn consent(&mut self, granted: Purposes, denied: Purposes) {
        self.boots += 1;
        self.input(Input::Consent { granted, denied, random: [self.boots; 19] });
    }

    pub fn track(&mut self, name: &str, properties: &[(&str, Value)]) {
        self.click(name, properties, &[]);
    }

    /// An event of the page's markup: its properties are text; `readings` says what they are besides.
    pub fn click(&mut self, name: &str, properties: &[(&str, Value)], readings: &[(&str, Value)]) {
        let map = |entries: &[(&str, Value)]| -> Map {
            entries.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
        };
        self.input(Input::Capture(Capture {
            event_type: EventType::Track,
            name: name.into(),
            time_ms: self.now_ms,
            properties: map(properties),
            automatic: false,
            readings: map(readings),
        }));
    }

    /// What the hands capture by themselves: nobody wrote it to be sent.
    pub fn notice(&mut self, name: &str, properties: &[(&str, &str)]) {
        self.input(Input::Capture(Capture {
            event_type: EventType::Track,
            name: name.into(),
            time_ms: self.now_ms,
            properties: properties
                .iter()
                .map(|(name, text)| ((*name).into(), Value::Text((*text).into())))
                .collect(),
            automatic: true,
            readings: Map::new(),
        }));
    }

    pub fn view_shoes(&mut self) {
        self.track("product_view", &[("category", Value::Text("shoes".into()))]);
    }

    pub fn page(&mut self, url: &str) {
        self.input(Input::Page {
            time_ms: self.now_ms,
            url: url.into(),
            title: "Shop".into(),
            referrer: String::new(),
            properties: Map::new(),
        });
    }

    pub fn input(&mut self, input: Input) {
        let effects = self.client.handle(input, self.now_ms);
        effects.into_iter().for_each(|effect| self.perform(effect));
        if let Some(queue) = self.hold.take() {
            self.adopt(&queue);
        }
        if let Some(is_there) = self.engine.filter(|_| self.is_engine_called) {
            self.bring_engine(is_there);
        }
    }

    /// The rule engine comes, or it is said that it cannot be had.
    pub fn bring_engine(&mut self, is_there: bool) {
        assert!(core::mem::take(&mut self.is_engine_called), "nobody called the engine");
        self.input(Input::Engine(is_there));
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Store { .. } if self.is_storage_denied => {}
            Effect::Store { key, value } => drop(self.device.insert(key, value)),
            Effect::Erase { key } => drop(self.device.remove(&key)),
            Effect::EraseAll => self.device.clear(),
            Effect::Send { request, body } => {
                self.requests += 1;
                self.sends.push((request, body));
            }
            Effect::Beacon { body } => {
                self.beacons += 1;
                if self.is_online {
                    self.edge.collect(&body, self.now_ms);
                }
            }
            Effect::Schedule { delay_ms } => self.tick_ms = Some(self.now_ms + u64::from(delay_ms)),
            Effect::Load(hash) => {
                self.fetches += 1;
                self.loads.push(hash);
            }
            Effect::Engine => self.is_engine_called = true,
            Effect::Hold { queue } => self.hold = Some(queue),
            Effect::Show(show) => {
                self.shows += 1;
                self.shown.insert(show.slot.clone(), show);
            }
            Effect::Emit(notice) => self.notices.push(notice),
        }
    }

    fn adopt(&mut self, own: &str) {
        let records: Vec<_> = self
            .device
            .clone()
            .into_iter()
            .filter(|(key, _)| key.contains('.') && !key.contains(own))
            .collect();
        self.input(Input::Adopted(records));
    }

    /// Answers what is on its way, until nothing is.
    pub fn run(&mut self) {
        for _ in 0..100 {
            if let Some(hash) = self.loads.pop() {
                let bytes = if self.is_online { self.edge.bytes.clone() } else { Vec::new() };
                self.input(Input::Program { hash, bytes });
            } else if !self.sends.is_empty() {
                let (request, body) = self.sends.remove(0);
                self.answer(request, &body);
            } else {
                return;
            }
        }
        panic!("the head sends without end");
    }

    fn answer(&mut self, request: u32, body: &[u8]) {
        let (mut status, mut answer) = (0, Vec::new());
        if self.is_online {
            (status, answer) = self.edge.collect(body, self.now_ms);
            if core::mem::take(&mut self.loses_answer) {
                (status, answer) = (0, Vec::new());
            }
        }
        self.input(Input::Replied(Reply {
            request,
            status,
            retry_after_ms: 0,
            random: [200u8.wrapping_add(self.boots); 19],
            body: answer,
        }));
    }

    /// Lets time pass; alarms ring when they are due.
    pub fn pass(&mut self, ms: u64) {
        let end_ms = self.now_ms + ms;
        for _ in 0..1_000 {
            self.run();
            let Some(tick_ms) = self.tick_ms.filter(|tick_ms| *tick_ms <= end_ms) else {
                self.now_ms = end_ms;
                return;
            };
            self.tick_ms = None;
            self.now_ms = self.now_ms.max(tick_ms);
            self.input(Input::Tick);
        }
        panic!("the head asks to be woken without end");
    }

    pub fn lost(&self) -> u32 {
        self.notices
            .iter()
            .fold(0, |lost, notice| if let Notice::Lost(count) = notice { *count } else { lost })
    }
}

/// The same shop, whose tracking plan knows of lost events.
pub fn reporting(mut parts: Parts) -> Parts {
    let PlanEvent { properties, .. } = parts.plan.events[0].clone();
    let count = PlanProperty {
        name: "count".into(),
        property_type: PropertyType::Integer,
        required: false,
        ..properties[0].clone()
    };
    let lost = PlanEvent {
        name: "events_lost".into(),
        nature: Nature::Operational,
        purposes: Purposes::ANALYTICS,
        properties: vec![count],
        ..parts.plan.events[0].clone()
    };
    parts.plan.events.insert(0, lost);
    parts
}

/// A shop: the hero shows free shipping once two shoes were viewed in 10 minutes, at most twice per session.
pub fn shop() -> Parts {
    let content = |id: &str, text: &str| Content {
        id: id.into(),
        content_type: ContentType::Text,
        fields: vec![("text".into(), text.into())],
    };
    let category = PlanProperty {
        name: "category".into(),
        property_type: PropertyType::Text,
        required: true,
        pii: false,
        masked: false,
        one_of: Vec::new(),
    };
    let fact = |source, shape| Fact { source, shape, default: None };
    Parts {
        site: "shop".into(),
        currency: "EUR".into(),
        late_ms: 30_000,
        plan: Plan {
            events: vec![PlanEvent {
                name: "product_view".into(),
                version: 1,
                nature: Nature::Behavioural,
                trust: Trust::Client,
                purposes: Purposes::ANALYTICS.or(Purposes::PERSONALIZATION),
                additional_properties: false,
                urgent: false,
                properties: vec![category],
            }],
        },
        facts: vec![
            fact(FactSource::Property("category".into()), Shape::OneOf(vec!["shoes".into()])),
            fact(FactSource::Metric(0), Shape::Number),
        ],
        metrics: vec![Metric {
            name: "shoe_views".into(),
            meaning: fnv1a_64(b"count product_view where category = shoes in 10m"),
            event: "product_view".into(),
            filter: Some(0),
            window: Window::Sliding(600_000),
            threshold: 3,
            purpose: Purposes::PERSONALIZATION,
            ..Metric::default()
        }],
        code: vec![
            Instruction { fact: 0, test: Test::Range(2, 2), on_true: Jump::Accept, on_false: Jump::Reject },
            Instruction {
                fact: 1,
                test: Test::Range(2, i64::MAX),
                on_true: Jump::Accept,
                on_false: Jump::Reject,
            },
        ],
        rules: vec![Rule {
            id: "free-shipping-hero".into(),
            priority: 60,
            status: Status::Live,
            purpose: Purposes::PERSONALIZATION,
            when: Some(1),
            slot: 1,
            content: 0,
            group: None,
            caps: vec![Cap { limit: 2, window: Window::Session }],
            hold: Hold::Page,
            in_page: true,
            timing: selvedge_core::wire::program::Timing::default(),
            terms: Terms::default(),
            emit: None,
        }],
        slots: vec![
            Slot { name: "banner".into(), fallback: None, caps: Vec::new() },
            Slot { name: "hero".into(), fallback: None, caps: Vec::new() },
        ],
        contents: vec![content("free_shipping", "Free shipping")],
        ..Parts::default()
    }
}
