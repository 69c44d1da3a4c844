//! Once the vectors of a state and a memory are as long as they get, an event that brings no new text allocates nothing:
//! neither where it steps the state nor where the rules are decided.

use selvedge_core::consent::Purposes;
use selvedge_core::event::{Event, EventType};
use selvedge_core::hash::fnv1a_64;
use selvedge_core::id::{Sequence, VisitorId, WriterId};
use selvedge_core::rules::{Moment, Orders, Place, Program, Recall, decide_in, step};
use selvedge_core::tracking_plan::Trust;
use selvedge_core::value::{Map, Value};
use selvedge_core::wire::program::{
    Attribute, AttributeScope, AttributeType, Builtin, Content, ContentType, Fact, FactSource, Hold,
    Instruction, Jump, Metric, MetricKind, Parts, Rule, Shape, Slot, Status, Terms, Test, Timing, Window,
};
use selvedge_core::wire::state::VisitorState;

const START_MS: i64 = 1_800_000_000_000;
const RULES: u16 = 100;

/// Rules over counts in every window, an attribute and built-in facts.
fn program() -> Program {
    let windows = [Window::Page, Window::Session, Window::Sliding(600_000), Window::Today, Window::Ever];
    let metrics = windows.map(|window| {
        let kind = match window {
            Window::Today | Window::Ever => MetricKind::Tally,
            _ => MetricKind::Count,
        };
        let name = format!("count in {window:?}");
        Metric {
            meaning: fnv1a_64(name.as_bytes()),
            name,
            kind,
            event: "view".into(),
            window,
            threshold: 6,
            purpose: Purposes::PERSONALIZATION,
            ..Metric::default()
        }
    });
    let fact = |source, shape| Fact { source, shape, default: None };
    let texts = || Shape::OneOf(vec!["gold".into(), "silver".into()]);
    let mut facts: Vec<Fact> = (0..5).map(|at| fact(FactSource::Metric(at), Shape::Number)).collect();
    facts.push(fact(FactSource::Attribute(0), texts()));
    facts.push(fact(FactSource::Builtin(Builtin::DeviceClass), texts()));
    facts.push(fact(FactSource::Builtin(Builtin::SessionPages), Shape::Number));
    let tier = Attribute {
        name: "tier".into(),
        scope: AttributeScope::Visitor,
        attribute_type: AttributeType::Text,
        set: Vec::new(),
        purpose: Purposes::PERSONALIZATION,
        private: false,
        ttl: None,
    };
    let mut parts = Parts {
        facts,
        metrics: metrics.into(),
        attributes: vec![tier],
        slots: vec![Slot { name: "hero".into(), fallback: None, caps: Vec::new() }],
        contents: vec![Content {
            id: "offer".into(),
            content_type: ContentType::Text,
            fields: vec![("text".into(), "offer".into())],
        }],
        ..Parts::default()
    };
    for at in 0..RULES {
        let test = if at % 8 < 5 { Test::Range(1 + i64::from(at % 6), i64::MAX) } else { Test::Mask(0b100) };
        let jumps = (Jump::Accept, Jump::Reject);
        parts.code.push(Instruction { fact: at % 8, test, on_true: jumps.0, on_false: jumps.1 });
        parts.rules.push(rule(at));
    }
    Program::load(&parts.encode()).expect("the program loads")
}

fn rule(at: u16) -> Rule {
    Rule {
        id: format!("rule-{at:03}"),
        priority: 0,
        status: Status::Live,
        purpose: Purposes::PERSONALIZATION,
        when: Some(at),
        slot: 0,
        content: 0,
        group: None,
        caps: Vec::new(),
        hold: Hold::Time(0),
        in_page: true,
        timing: Timing::default(),
        terms: Terms::default(),
        emit: None,
    }
}

fn event(event_type: EventType, name: &str) -> Event {
    let mut properties = Map::new();
    properties.set("tier", Value::Text("gold".into()));
    Event {
        sequence: Sequence::new(1).expect("1 is a sequence"),
        event_type,
        name: name.into(),
        time_ms: START_MS.unsigned_abs(),
        consent: 0,
        properties,
        context: Map::new(),
    }
}

/// A visitor's events, one a second; how many allocations `from` and later ones made.
fn allocations(events: usize, from: usize) -> u64 {
    let program = program();
    let mut state = VisitorState::new(START_MS);
    let mut recall = Recall::default();
    let mut context = Map::new();
    context.set("device.class", Value::Text("silver".into()));
    let mut run = |at: usize, event: &Event| {
        let moment = Moment {
            writer: WriterId::from_bits(1),
            context: &context,
            now_ms: START_MS + i64::try_from(at).expect("few") * 1_000,
            in_force: Purposes(0xf),
            place: Place::Edge,
            trust: Trust::Client,
            account: None,
            visitor: VisitorId([7; 16]),
            orders: Orders::default(),
        };
        step(&program, &mut state, event, moment.in_force, &moment);
        decide_in(&program, &mut state, &moment, &mut recall).len()
    };
    run(0, &event(EventType::Page, "page"));
    run(1, &event(EventType::Identify, "identify"));
    let kinds = [event(EventType::Track, "view"), event(EventType::Track, "other")];
    let mut allocated = 0;
    for at in 2..events {
        let work = || assert_eq!(run(at, &kinds[at % kinds.len()]), 1);
        let counted = allocation_counter::measure(work);
        allocated += if at < from { 0 } else { counted.count_total };
    }
    allocated
}

#[test]
fn an_event_allocates_nothing() {
    assert_eq!(allocations(1_000, 40), 0);
}

#[test]
fn the_first_events_do() {
    assert_ne!(allocations(40, 0), 0, "else nothing is counted");
}
