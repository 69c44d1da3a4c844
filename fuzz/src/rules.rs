//! What holds of any program that loads or is only opened, and of any site that compiles.

use selvedge_benches::visit::{START_MS, event, moment};
use selvedge_compiler::compile;
use selvedge_core::event::{Event, EventType};
use selvedge_core::number::Number;
use selvedge_core::rules::{
    Image, Moment, Place, Program, Recall, content, decide, decide_again, end_session, explain, grants_for, is_lasting,
    lease, make_up, next_wake, step, wake,
};
use selvedge_core::tracking_plan::{PlanEvent, PropertyType};
use selvedge_core::value::{Map, Value};
use selvedge_core::wire::state::VisitorState;
use std::collections::BTreeMap;

/// Events of the tracking plan that a visitor goes through.
const EVENTS_MAX: usize = 8;
/// Moments without an event that are woken up for.
const WAKES_MAX: usize = 16;

const SITE: [(&str, &str); 4] = [
    ("site.yaml", include_str!("../../crates/selvedge-compiler/tests/site/site.yaml")),
    ("tracking-plan.yaml", include_str!("../../crates/selvedge-compiler/tests/site/tracking-plan.yaml")),
    ("content.yaml", include_str!("../../crates/selvedge-compiler/tests/site/content.yaml")),
    ("rules.yaml", include_str!("../../crates/selvedge-compiler/tests/site/rules.yaml")),
];

/// A small site, with this text in place of one of its files.
#[must_use]
pub fn site_with(name: &str, text: &str) -> BTreeMap<String, String> {
    let mut files: BTreeMap<String, String> =
        SITE.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    files.insert(name.to_owned(), text.to_owned());
    files
}

/// A site is refused with something to say, or its programs load, and a visitor's state under them is read as it was.
pub fn site_holds(files: &BTreeMap<String, String>) {
    let compilation = compile(files);
    let Some(compiled) = compilation.program else {
        assert!(!compilation.diagnostics.is_empty(), "refused without a word");
        return;
    };
    for bytes in [&compiled.full_bytes, &compiled.public_bytes] {
        let program = Program::load(bytes).expect("what was compiled loads");
        let state = visit(&program);
        let stored = state.encode();
        assert!(stored.len() <= program.state_bytes_max() + program.cap_bytes_max());
        assert_eq!(VisitorState::decode(&stored).expect("a state comes back").encode(), stored);
    }
}

/// Takes a visitor through the events of a program's tracking plan; whatever the program holds, it ends.
#[must_use]
pub fn visit(program: &Program) -> VisitorState {
    let mut state = VisitorState::new(START_MS);
    let context = Map::new();
    let mut now_ms = START_MS;
    for planned in program.parts().plan.events.iter().take(EVENTS_MAX) {
        now_ms += 61_000;
        let event = event_of(planned, now_ms);
        let moment = moment(&context, now_ms);
        for _ in 0..WAKES_MAX {
            let Some(at_ms) = wake(program, &mut state, &moment) else { break };
            let _ = decide(program, &mut state, &Moment { now_ms: at_ms, ..moment });
        }
        step(program, &mut state, &event, planned.purposes, &moment);
        lease(program, &mut state, now_ms, &[]);
        let decisions = decide(program, &mut state, &moment);
        assert_eq!(decisions.len(), program.parts().slots.len());
        assert_eq!(explain(program, &state, &moment).len(), program.rules().len());
    }
    state
}

/// Takes a visitor through a page view and the events of a tracking plan, as the page's engine does: it only opens a
/// program's image, whatever the bytes are, and verifies nothing.
pub fn page_visit(image: &Image) {
    let mut events = vec![event(EventType::Page, "page", START_MS, Map::new())];
    let planned = image.plan().map(|plan| plan.events).unwrap_or_default();
    events.extend((1..).zip(&planned).take(EVENTS_MAX).map(|(at, planned)| event_of(planned, START_MS + at * 61_000)));
    let mut state = VisitorState::new(START_MS);
    let mut recall = Recall::default();
    let context = Map::new();
    for event in &events {
        let moment = Moment { place: Place::Page, ..moment(&context, event.time_ms.cast_signed()) };
        make_up(image, &mut state, &moment);
        if end_session(image, &mut state, event, moment.in_force, &moment) {
            decide_again(image, &mut state, &moment, &mut recall);
        }
        step(image, &mut state, event, moment.in_force, &moment);
        for decision in decide_again(image, &mut state, &moment, &mut recall) {
            let slot = image.slot_name(decision.slot);
            let _ = content(image, &state, &moment, &decision);
            let _ = decision.rule.map(|rule| image.rule_id(rule));
            let _ = decision.variant.map(|variant| image.variant_name(variant));
            let _ = (is_lasting(image, &state, &decision), grants_for(image, &state, &decision, slot));
        }
        if let Some(at_ms) = next_wake(image, &state) {
            let later = Moment { now_ms: at_ms, ..moment };
            make_up(image, &mut state, &later);
            decide_again(image, &mut state, &later, &mut recall);
        }
    }
}

fn event_of(planned: &PlanEvent, now_ms: i64) -> Event {
    let mut properties = Map::new();
    for property in planned.properties.iter().take(EVENTS_MAX) {
        properties.set(property.name.as_str(), value_of(property.property_type));
    }
    event(event_type(&planned.name), &planned.name, now_ms, properties)
}

fn event_type(name: &str) -> EventType {
    EventType::ALL.into_iter().find(|known| known.as_str() == name).unwrap_or(EventType::Track)
}

fn value_of(property_type: PropertyType) -> Value {
    match property_type {
        PropertyType::Bool => Value::Bool(true),
        PropertyType::Number | PropertyType::Integer | PropertyType::Money => Value::Number(Number::Int(3)),
        PropertyType::Time => Value::Text("2026-11-22T10:00:00Z".to_owned()),
        PropertyType::List => Value::List(vec![Value::Text("shoes".to_owned())]),
        PropertyType::Text | PropertyType::Object => Value::Text("shoes".to_owned()),
    }
}
