//! The rule engine at work: a program of so many rules over 24 counts and 48 attributes, and a visitor in mid-session.

use crate::visit::{START_MS, Visit, event};
use selvedge_core::consent::Purposes;
use selvedge_core::event::{Event, EventType};
use selvedge_core::hash::short_name;
use selvedge_core::rules::ProgramFault;
use selvedge_core::value::{Map, Value};
use selvedge_core::wire::program::{
    Attribute, AttributeScope, AttributeType, Builtin, Content, ContentType, Fact, FactSource, Hold,
    Instruction, Jump, Metric, Parts, Rule, Shape, Slot, Status, Terms, Test, Window,
};

const METRICS: u16 = 24;
const ATTRIBUTES: u16 = 48;
const SLOTS: u16 = 8;
/// Facts: first the metrics, then the attributes, then these two.
const MEDIUM: u16 = METRICS + ATTRIBUTES;
const PATH: u16 = MEDIUM + 1;
const EVENTS: [&str; 6] = ["product_view", "add_to_cart", "purchase", "search", "article_view", "sign_up"];

/// The bytes of a program of `rules` rules, each `count >= n and attribute = text and medium in [...]` or the like: a
/// quarter of them read a second count, and hardly any is true.
#[must_use]
pub fn program(rules: u16) -> Vec<u8> {
    let mut parts = Parts {
        site: "bench".into(),
        currency: "EUR".into(),
        late_ms: 30_000,
        attributes: (0..ATTRIBUTES).map(attribute).collect(),
        facts: facts(),
        metrics: (0..METRICS).map(metric).collect(),
        slots: (0..SLOTS)
            .map(|at| Slot { name: format!("slot-{at}"), fallback: None, caps: Vec::new() })
            .collect(),
        contents: (0..SLOTS).map(content).collect(),
        ..Parts::default()
    };
    for at in 0..rules {
        let rule = rule(&mut parts, at);
        parts.rules.push(rule);
    }
    parts.encode()
}

fn attribute(at: u16) -> Attribute {
    Attribute {
        name: format!("attribute-{at}"),
        scope: AttributeScope::Visitor,
        attribute_type: AttributeType::Text,
        set: Vec::new(),
        purpose: Purposes::PERSONALIZATION,
        private: false,
        ttl: None,
    }
}

fn facts() -> Vec<Fact> {
    let texts = || Shape::OneOf((0..6).map(|text| format!("value-{text}")).collect());
    let fact = |source, shape| Fact { source, shape, default: None };
    let metrics = (0..METRICS).map(|at| fact(FactSource::Metric(at), Shape::Number));
    let attributes = (0..ATTRIBUTES).map(|at| fact(FactSource::Attribute(at), texts()));
    let media = Shape::OneOf(vec!["cpc".into(), "email".into(), "social".into()]);
    let builtins = [
        fact(FactSource::Builtin(Builtin::UtmMedium), media),
        fact(FactSource::Builtin(Builtin::PagePath), texts()),
    ];
    metrics.chain(attributes).chain(builtins).collect()
}

fn metric(at: u16) -> Metric {
    let windows = [Window::Page, Window::Session, Window::Sliding(600_000), Window::Sliding(86_400_000)];
    let event = EVENTS[usize::from(at) % EVENTS.len()];
    let window = windows[usize::from(at / 6) % windows.len()];
    let name = format!("count {event} in {window:?}");
    Metric {
        meaning: short_name(name.as_bytes()),
        name,
        event: event.into(),
        window,
        threshold: 6,
        purpose: Purposes::PERSONALIZATION,
        ..Metric::default()
    }
}

fn content(at: u16) -> Content {
    let text = format!("content of slot {at}");
    Content {
        id: format!("content-{at}"),
        content_type: ContentType::Text,
        fields: vec![("text".into(), text)],
    }
}

fn rule(parts: &mut Parts, at: u16) -> Rule {
    let count = Test::Range(1 + i64::from(at % 5), i64::MAX);
    let mut leaves = vec![
        (at % METRICS, count),
        (METRICS + at % ATTRIBUTES, Test::Mask(1 << (2 + at % 6))),
        (MEDIUM, Test::Mask(0b1100)),
    ];
    if at.is_multiple_of(4) {
        leaves.push((at / 4 % METRICS, Test::Range(0, 0)));
    }
    if at % 4 == 1 {
        leaves.push((PATH, Test::Mask(!0b11)));
    }
    let when = u16::try_from(parts.code.len()).ok();
    let last = leaves.len() - 1;
    for (leaf, (fact, test)) in leaves.into_iter().enumerate() {
        let next = u16::try_from(parts.code.len() + 1).map_or(Jump::Reject, Jump::To);
        let on_true = if leaf == last { Jump::Accept } else { next };
        parts.code.push(Instruction { fact, test, on_true, on_false: Jump::Reject });
    }
    Rule {
        id: format!("rule-{at:05}"),
        priority: 0,
        status: Status::Live,
        purpose: Purposes::PERSONALIZATION,
        when,
        slot: at % SLOTS,
        content: at % SLOTS,
        group: None,
        caps: Vec::new(),
        hold: Hold::Time(0),
        in_page: true,
        timing: selvedge_core::wire::program::Timing::default(),
        terms: Terms::default(),
        emit: None,
    }
}

/// A program and a visitor who has been around.
pub struct Engine {
    visit: Visit,
    events: Vec<Event>,
}

impl Engine {
    /// The engine with the program of these bytes.
    ///
    /// # Errors
    /// [`ProgramFault`] where they are none.
    pub fn new(program: &[u8]) -> Result<Self, ProgramFault> {
        let named = |name: &&str| event(EventType::Track, name, START_MS, Map::new());
        let mut engine = Self { visit: Visit::new(program)?, events: EVENTS.iter().map(named).collect() };
        let mut landing = event(EventType::Page, "page", START_MS, Map::new());
        landing.context.set("utm.medium", Value::Text("cpc".into()));
        landing.properties.set("path", Value::Text("value-3".into()));
        let mut known = event(EventType::Identify, "identify", START_MS, Map::new());
        for at in 0..ATTRIBUTES {
            known.properties.set(format!("attribute-{at}"), Value::Text(format!("value-{}", at % 7)));
        }
        engine.visit.step(&landing);
        engine.visit.step(&known);
        (0..60).for_each(|at| {
            engine.event(at);
        });
        Ok(engine)
    }

    /// Decides every slot; how many are won.
    pub fn decide(&mut self) -> usize {
        self.winners().filter(Option::is_some).count()
    }

    /// Decides every slot; the rule of each, in the order of slots.
    pub fn winners(&mut self) -> impl Iterator<Item = Option<u16>> {
        self.visit.decide().iter().map(|decision| decision.rule)
    }

    /// Steps by one of the events, a second later, and decides as a page or a batch does: what did not change is not asked
    /// again. How many slots are won.
    pub fn event(&mut self, at: usize) -> usize {
        let decisions = self.visit.event(&self.events[at % self.events.len()]);
        decisions.iter().filter(|decision| decision.rule.is_some()).count()
    }

    /// Bytes of the visitor's state as it is stored.
    #[must_use]
    pub fn state_bytes(&self) -> usize {
        self.visit.state_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::{Engine, program};

    #[test]
    fn some_rules_win_and_most_do_not() {
        let mut engine = Engine::new(&program(1_000)).expect("a program");
        let won = engine.decide();
        assert!((1..8).contains(&won), "{won}");
    }
}
