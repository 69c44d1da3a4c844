//! A world around the head: a device that stores, a network that can be cut, an edge that counts, a clock that is told.

#![allow(dead_code, unused_imports)]

pub mod edge;
pub mod shop;

pub use edge::{Edge, Mark, PROGRAM};
pub use shop::{reporting, shop};

use selvedge_client::{Ask, Boot, Capture, Client, Effect, Engine, Input, Notice, Reply, Settings, Show};
use selvedge_core::consent::{Mode, Purposes, Signals};
use selvedge_core::event::EventType;
use selvedge_core::id::ProgramHash;
use selvedge_core::value::{Map, Value};
use selvedge_core::wire::program::Parts;
use std::collections::BTreeMap;

pub const START_MS: u64 = 1_800_000_000_000;

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
