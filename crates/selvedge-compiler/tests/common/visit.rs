//! A visitor in front of a compiled site: events in, what the slot of one rule shows out.

use super::{Site, compiled};
use selvedge_core::consent::Purposes;
use selvedge_core::event::{Event, EventType};
use selvedge_core::id::{Sequence, WriterId};
use selvedge_core::rules::{Moment, Place, Program, decide, explain, lease, step, step_account};
use selvedge_core::tracking_plan::Trust;
use selvedge_core::value::{Map, Value};
use selvedge_core::wire::answer::Reason;
use selvedge_core::wire::program::{LookupCell, LookupRow, with_live, with_rows};
use selvedge_core::wire::state::VisitorState;

/// When every visit begins: Sunday, 22 November 2026, 10:00 UTC.
pub const START_MS: i64 = 1_795_341_600_000;
pub const MINUTE: i64 = 60_000;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;

pub struct Visit {
    program: Program,
    pub state: VisitorState,
    pub account: Option<VisitorState>,
    pub trust: Trust,
    /// What is granted.
    pub in_force: Purposes,
    pub context: Map,
    now_ms: i64,
    sequence: u32,
}

pub fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

pub fn int(value: i64) -> Value {
    Value::Number(selvedge_core::number::Number::Int(value))
}

pub fn list(values: &[Value]) -> Value {
    Value::List(values.to_vec())
}

pub fn object(entries: &[(&str, Value)]) -> Value {
    Value::Object(map(entries))
}

pub fn map(entries: &[(&str, Value)]) -> Map {
    entries.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

impl Visit {
    /// A new visitor at the edge of the site.
    pub fn new(site: &Site) -> Self {
        Self {
            program: Program::load(&compiled(site).full_bytes).expect("loads"),
            state: VisitorState::new(START_MS),
            account: None,
            trust: Trust::Client,
            in_force: Purposes(0xf),
            context: Map::new(),
            now_ms: START_MS,
            sequence: 0,
        }
    }

    /// The same visitor where these rows were pushed into the first table, each until its time.
    pub fn pushed(&mut self, site: &Site, rows: &[(&str, &[LookupCell])]) -> &mut Self {
        let row =
            |(key, cells): &(&str, &[LookupCell])| LookupRow { key: (*key).into(), cells: cells.to_vec() };
        let full = compiled(site).full_bytes;
        let with = with_rows(&full, &[(0, rows.iter().map(row).collect())]).expect("fits");
        // As a preview has it, which holds the same rows.
        let with = with_live(&with, &[]).expect("is a program");
        self.program = Program::load(&with).expect("loads");
        self
    }

    /// Lets time pass.
    pub fn wait(&mut self, ms: i64) -> &mut Self {
        self.now_ms += ms;
        self
    }

    /// One event now. It steps the account too, where there is one.
    pub fn event(&mut self, name: &str, properties: &[(&str, Value)]) -> &mut Self {
        self.sequence += 1;
        let known = EventType::ALL.into_iter().find(|known| known.as_str() == name);
        let event = Event {
            sequence: Sequence::new(self.sequence).expect("small"),
            event_type: known.unwrap_or(EventType::Track),
            name: name.to_owned(),
            time_ms: u64::try_from(self.now_ms).unwrap(),
            consent: 0,
            properties: map(properties),
            context: Map::new(),
        };
        let context = self.context.clone();
        let moment = self.moment(&context, None);
        let in_plan = self.program.parts().plan.find(&event).expect("in the plan");
        let usable = in_plan.purposes.and(moment.in_force);
        assert!(!step(&self.program, &mut self.state, &event, usable, &moment).late);
        if let Some(account) = &mut self.account {
            step_account(&self.program, account, &event, usable, &moment);
        }
        lease(&self.program, &mut self.state, self.now_ms, &[]);
        self
    }

    fn moment<'a>(&self, context: &'a Map, account: Option<&'a VisitorState>) -> Moment<'a> {
        Moment {
            writer: WriterId::mint(1_795_341_600_000, 7),
            context,
            now_ms: self.now_ms,
            in_force: self.in_force,
            place: Place::Edge,
            trust: self.trust,
            account,
            visitor: selvedge_core::id::VisitorId([7; 16]),
            orders: selvedge_core::rules::Orders::default(),
        }
    }

    /// Whether the condition of the first rule is true, false or not known now.
    pub fn truth(&self) -> Option<bool> {
        let moment = self.moment(&self.context, self.account.as_ref());
        match explain(&self.program, &self.state, &moment)[0].reason {
            Reason::Won | Reason::Held | Reason::LowerPriority => Some(true),
            Reason::False => Some(false),
            Reason::Unknown => None,
            other => panic!("{other:?} says nothing of the condition"),
        }
    }

    /// Whether a rule stands in the slot `hero` now.
    pub fn shows(&self) -> bool {
        let mut state = self.state.clone();
        let moment = self.moment(&self.context, self.account.as_ref());
        let decisions = decide(&self.program, &mut state, &moment);
        let hero = self.program.parts().slots.iter().position(|slot| slot.name == "hero").expect("a hero");
        decisions[hero].rule.is_some()
    }
}
