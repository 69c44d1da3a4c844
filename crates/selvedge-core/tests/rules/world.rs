//! A visitor in front of a program: events in, what stands in the slots out.

use selvedge_core::consent::Purposes;
use selvedge_core::event::{Event, EventType, LeaseReport};
use selvedge_core::id::{Sequence, VisitorId, WriterId};
use selvedge_core::number::Number;
use selvedge_core::rules::{
    Candidate, CapOf, Decision, Known, Moment, Orders, Place, Program, Recall, Stepped, decide, decide_again,
    exhausted, explain, known_facts, lease, step, step_account,
};
use selvedge_core::tracking_plan::Trust;
use selvedge_core::value::{Map, Value};
use selvedge_core::wire::answer::Reason;
use selvedge_core::wire::state::VisitorState;

/// When every test begins.
pub const START: i64 = 1_800_000_000_000;

pub fn all() -> Purposes {
    Purposes(0xf)
}

pub fn text(text: &str) -> Value {
    Value::Text(text.into())
}

pub fn int(int: i64) -> Value {
    Value::Number(Number::Int(int))
}

pub fn map<const N: usize>(entries: [(&str, Value); N]) -> Map {
    entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

pub fn event(event_type: EventType, name: &str, time_ms: i64, properties: Map) -> Event {
    Event {
        sequence: Sequence::new(1).unwrap(),
        event_type,
        name: name.into(),
        time_ms: u64::try_from(time_ms).unwrap(),
        consent: 0,
        properties,
        context: Map::new(),
    }
}

pub struct World {
    pub program: Program,
    pub state: VisitorState,
    pub writer: WriterId,
    pub context: Map,
    pub in_force: Purposes,
    pub place: Place,
    pub leases: bool,
    /// The state of the visitor's account.
    pub account: Option<VisitorState>,
    pub trust: Trust,
    pub visitor: VisitorId,
    pub orders: Orders<'static>,
    /// What was known and true at the last decision, and the program of it.
    pub recall: Recall,
    pub recalled: Vec<u8>,
}

impl World {
    pub fn new(program: Program) -> Self {
        Self {
            program,
            state: VisitorState::new(START),
            writer: WriterId::mint(1_800_000_000_000, 7),
            context: Map::new(),
            in_force: all(),
            place: Place::Edge,
            leases: true,
            account: None,
            trust: Trust::Client,
            visitor: VisitorId([7; 16]),
            orders: Orders::default(),
            recall: Recall::default(),
            recalled: Vec::new(),
        }
    }

    pub fn moment(&self, at_ms: i64) -> Moment<'_> {
        Moment {
            writer: self.writer,
            context: &self.context,
            now_ms: START + at_ms,
            in_force: self.in_force,
            place: self.place,
            trust: self.trust,
            account: self.account.as_ref(),
            visitor: self.visitor,
            orders: self.orders,
        }
    }

    /// Steps the account's state by an event of this visitor.
    pub fn step_account(&mut self, at_ms: i64, event: &Event) -> Stepped {
        let mut account = self.account.take().expect("an account");
        let moment = self.moment(at_ms);
        let stepped = step_account(&self.program, &mut account, event, self.in_force, &moment);
        self.account = Some(account);
        stepped
    }

    /// Steps by an event `at_ms` after the start that may be used for all that is in force.
    pub fn step(&mut self, at_ms: i64, event: &Event) -> Stepped {
        let moment = Moment {
            context: &self.context.clone(),
            account: None,
            orders: self.orders,
            ..self.moment(at_ms)
        };
        let stepped = step(&self.program, &mut self.state, event, self.in_force, &moment);
        if self.leases {
            lease(&self.program, &mut self.state, START + at_ms, &[]);
        }
        stepped
    }

    /// Steps by an event that may be used for these purposes alone, whatever is in force.
    pub fn step_for(&mut self, usable: Purposes, at_ms: i64, name: &str) {
        let event = event(EventType::Track, name, START + at_ms, Map::new());
        let context = self.context.clone();
        let moment = Moment { context: &context, account: None, orders: self.orders, ..self.moment(at_ms) };
        step(&self.program, &mut self.state, &event, usable, &moment);
        self.lease(at_ms, &[]);
    }

    pub fn lease(&mut self, at_ms: i64, reports: &[LeaseReport]) {
        lease(&self.program, &mut self.state, START + at_ms, reports);
    }

    pub fn track(&mut self, at_ms: i64, name: &str) -> Stepped {
        self.track_with(at_ms, name, Map::new())
    }

    pub fn track_with(&mut self, at_ms: i64, name: &str, properties: Map) -> Stepped {
        self.step(at_ms, &event(EventType::Track, name, START + at_ms, properties))
    }

    pub fn page(&mut self, at_ms: i64, path: &str) -> Stepped {
        self.step(at_ms, &event(EventType::Page, "page", START + at_ms, map([("path", text(path))])))
    }

    pub fn landing(&mut self, at_ms: i64, utm: &[(&str, &str)]) -> Stepped {
        let mut landing = event(EventType::Page, "page", START + at_ms, map([("path", text("/"))]));
        utm.iter().for_each(|(name, value)| landing.context.set(*name, text(value)));
        self.step(at_ms, &landing)
    }

    pub fn identify(&mut self, at_ms: i64, traits: Map) -> Stepped {
        self.step(at_ms, &event(EventType::Identify, "identify", START + at_ms, traits))
    }

    pub fn expose(&mut self, at_ms: i64, rule: &str) -> Stepped {
        let seen = map([("slot", text("hero")), ("rule", text(rule))]);
        self.step(at_ms, &event(EventType::Exposure, "exposure", START + at_ms, seen))
    }

    /// The rule in `slot` and why, decided at that moment.
    pub fn decide(&mut self, at_ms: i64, slot: &str) -> (Option<String>, Reason) {
        let context = self.context.clone();
        let account = self.account.clone();
        let moment = Moment {
            account: account.as_ref(),
            context: &context,
            orders: self.orders,
            ..self.moment(at_ms)
        };
        let decisions = self.decide_both(&moment);
        let parts = self.program.parts();
        assert_eq!(decisions.len(), parts.slots.len());
        let at = parts.slots.iter().position(|known| known.name == slot).unwrap();
        let decision = decisions[at];
        let rule = decision.rule.map(|rule| self.program.rules()[usize::from(rule)].id.clone());
        (rule, decision.reason)
    }

    /// Decides with what is remembered of the decision before; anew, the same facts are known and the same is decided.
    fn decide_both(&mut self, moment: &Moment) -> Vec<Decision> {
        if self.recalled != self.program.bytes() {
            self.recalled = self.program.bytes().to_vec();
            self.recall = Recall::default();
        }
        let mut state = self.state.clone();
        let known = known_facts(&self.program, &state, moment);
        let anew = decide(&self.program, &mut state, moment);
        let decisions = decide_again(&self.program, &mut self.state, moment, &mut self.recall);
        assert_eq!(self.recall.known(), known, "facts that are remembered");
        assert_eq!(decisions, anew, "decisions by what is remembered");
        assert_eq!(self.state, state, "the state after them");
        decisions
    }

    /// The same, to go another way.
    pub fn aside(&self) -> Self {
        Self {
            program: self.program.clone(),
            state: self.state.clone(),
            context: self.context.clone(),
            account: self.account.clone(),
            recall: Recall::default(),
            recalled: Vec::new(),
            ..*self
        }
    }

    /// Whether a rule would stand in `slot`, without remembering it.
    pub fn shows(&self, at_ms: i64, slot: &str) -> bool {
        let mut world = self.aside();
        world.decide(at_ms, slot).0.is_some()
    }

    /// What is known of a yes-or-no fact.
    pub fn holds(&self, at_ms: i64, fact: u16) -> Option<bool> {
        self.all_hold(at_ms)[usize::from(fact)]
    }

    /// What is known of every fact, each of them yes or no.
    pub fn all_hold(&self, at_ms: i64) -> Vec<Option<bool>> {
        let known = known_facts(&self.program, &self.state, &self.moment(at_ms));
        known.iter().map(|known| (known.low == known.high).then_some(known.low == 1)).collect()
    }

    pub fn explain(&self, at_ms: i64) -> Vec<Candidate> {
        explain(&self.program, &self.state, &self.moment(at_ms))
    }

    /// What is known of a fact.
    pub fn known(&self, at_ms: i64, fact: u16) -> Known {
        known_facts(&self.program, &self.state, &self.moment(at_ms))[usize::from(fact)]
    }

    /// The cap that keeps a rule off: whose it is, and which of those.
    pub fn cap(&self, at_ms: i64, rule: &str) -> Option<(CapOf, usize)> {
        let at = self.program.rules().iter().position(|known| known.id == rule).unwrap();
        exhausted(&self.program, &self.state, &self.moment(at_ms), u16::try_from(at).unwrap())
    }

    /// The reason of one rule.
    pub fn why(&self, at_ms: i64, rule: &str) -> Reason {
        let at = self.program.rules().iter().position(|known| known.id == rule).unwrap();
        self.explain(at_ms)[at].reason
    }
}
