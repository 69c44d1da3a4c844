//! A page, and what the world knows of it.

use selvedge_client::{Ask, Client, Engine, Show};
use selvedge_core::consent::{Mode, Purposes, Snapshot};
use selvedge_core::id::VisitorId;
use std::collections::{BTreeMap, BTreeSet};

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

/// A page.
#[derive(Debug)]
pub struct Tab {
    /// On which device.
    pub device: usize,
    /// The head.
    pub client: Client,
    /// Its rule engine failed: it shows what the edge decided, and claims nothing.
    pub has_lost_engine: bool,
    /// The exposure that it recorded last says that it took no grant.
    pub is_ungranted: bool,
    /// It is open.
    pub is_alive: bool,
    /// Nobody looks at it.
    pub is_hidden: bool,
    /// What stands in its slots.
    pub shown: BTreeMap<String, Show>,
    /// Requests whose end it waits for.
    pub pending: BTreeSet<u32>,
    /// The consent that it knows of.
    pub consent: Snapshot,
    /// What its head says is in force, where platforms are read.
    pub said: Option<Purposes>,
    /// The version of the policy, once the config came.
    pub policy: Option<u16>,
    /// It was answered before that.
    pub is_unversioned: bool,
    /// The visitor that it says it is of.
    pub visitor: Option<VisitorId>,
    /// Events that it says were lost.
    pub lost: u32,
    /// How often its timer was set.
    pub timer: u64,
    /// How often a slot came into view.
    pub looks: BTreeMap<String, u64>,
    /// What was seen in this page view.
    pub seen: BTreeSet<u64>,
    /// When it heard of other tabs last, or will.
    pub heard_ms: u64,
    /// Its queue, as keys name it.
    pub queue: Option<String>,
    /// It may look for queues of pages that are gone.
    pub takes_over: bool,
}

impl Tab {
    /// Whether it may keep and send something, as far as it knows.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        if let Some(in_force) = self.said {
            return !in_force.and(Purposes(0b1110)).is_empty();
        }
        let asked = Purposes(0b1110).or(self.consent.granted);
        !self.consent.in_force().and(asked).without(Purposes::NECESSARY).is_empty()
    }

    /// The config came: an answer to an older policy does not count.
    pub fn settle(&mut self, mode: Mode, policy: u16) {
        self.policy = Some(policy);
        self.consent.mode = mode;
        if core::mem::take(&mut self.is_unversioned) {
            self.consent.policy_version = policy;
        }
        if self.consent.time_ms > 0 && self.consent.policy_version < policy {
            let denied = if mode == Mode::OptOut { self.consent.denied } else { Purposes::NONE };
            let gpc = self.consent.gpc;
            self.consent = Snapshot { denied, mode, gpc, ..Snapshot::default() };
        }
    }

    /// A page that begins, the `number`th of its world. Some of them lose their rule engine after so many questions.
    #[must_use]
    pub fn new(device: usize, number: usize) -> Self {
        let questions = if number % 13 == 5 { 40 } else { usize::MAX };
        let mut client = Client::new();
        client.reach(Box::new(Failing { engine: Engine::default(), questions }));
        Self {
            device,
            client,
            has_lost_engine: false,
            is_ungranted: false,
            is_alive: true,
            is_hidden: false,
            shown: BTreeMap::new(),
            pending: BTreeSet::new(),
            consent: Snapshot::default(),
            said: None,
            policy: None,
            is_unversioned: false,
            visitor: None,
            lost: 0,
            timer: 0,
            looks: BTreeMap::new(),
            seen: BTreeSet::new(),
            heard_ms: 0,
            queue: None,
            takes_over: false,
        }
    }
}
