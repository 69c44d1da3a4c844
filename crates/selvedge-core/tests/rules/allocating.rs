//! Allocations. Once the vectors of a state and a memory are as long as they get, an event allocates nothing but the texts of
//! it that are kept, and room for what its filters read: neither where it steps the state nor where the rules are decided.

use crate::build::{Build, Condition, PERSONAL, SECOND, at_least, exactly};
use crate::world::{START, all, event, int, map, text};
use selvedge_core::consent::Purposes;
use selvedge_core::event::{Event, EventType};
use selvedge_core::hash::fnv1a_64;
use selvedge_core::id::{VisitorId, WriterId};
use selvedge_core::rules::{Moment, Orders, Place, Program, Recall, decide_in, lease, step};
use selvedge_core::tracking_plan::Trust;
use selvedge_core::value::{Map, Value};
use selvedge_core::wire::program::{
    Attribute, AttributeScope, AttributeSet, AttributeType, Builtin, Cap, CartChange, CartEvent, Content,
    ContentType, Fact, FactSource, Hold, Instruction, Jump, Metric, MetricKind, Parts, Points, Rule, Score,
    SequenceKind, SetTo, Shape, Slot, Status, Terms, Test, Timing, ValueCap, Window,
};
use selvedge_core::wire::state::VisitorState;

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

/// The events of a visitor, one a second, over and over.
struct Journey {
    program: Program,
    events: Vec<Event>,
}

impl Journey {
    /// How many allocations each event made, from the first on.
    fn allocations(&self, events: usize) -> Vec<u64> {
        let mut state = VisitorState::new(START);
        let mut recall = Recall::default();
        let context = map([("device.class", text("silver"))]);
        let mut run = |at: usize, event: &Event| {
            let moment = Moment {
                writer: WriterId::from_bits(1),
                context: &context,
                now_ms: START + i64::try_from(at).expect("few") * SECOND,
                in_force: all(),
                place: Place::Edge,
                trust: Trust::Client,
                account: None,
                visitor: VisitorId([7; 16]),
                orders: Orders::default(),
            };
            step(&self.program, &mut state, event, moment.in_force, &moment);
            lease(&self.program, &mut state, moment.now_ms, &[]);
            decide_in(&self.program, &mut state, &moment, &mut recall).len()
        };
        run(0, &event(EventType::Page, "page", START, map([("path", text("/"))])));
        run(1, &event(EventType::Identify, "identify", START, map([("tier", text("gold"))])));
        let mut events = (2..events).zip(self.events.iter().cycle());
        let counted = |(at, event)| allocation_counter::measure(|| assert_ne!(run(at, event), 0)).count_total;
        events.by_ref().map(counted).collect()
    }
}

fn track(name: &str, properties: Map) -> Event {
    event(EventType::Track, name, START, properties)
}

fn counts() -> Journey {
    Journey { program: program(), events: vec![track("view", Map::new()), track("other", Map::new())] }
}

#[test]
fn an_event_allocates_nothing() {
    assert!(counts().allocations(1_000)[40..].iter().all(|count| *count == 0));
}

#[test]
fn the_first_events_do() {
    assert_ne!(counts().allocations(40).iter().sum::<u64>(), 0, "else nothing is counted");
}

/// A rule above each fact.
fn ruled(mut build: Build, facts: &[u16]) -> Program {
    for fact in facts {
        build.rule(&format!("rule-{fact}"), "hero", Some(at_least(*fact, 1))).hold = Hold::Time(0);
    }
    build.program()
}

/// Views of three things, each with its price, and what is none of them.
fn views() -> Vec<Event> {
    let view = |sku: &str, price| {
        let images = Value::List(vec![text("front"), text(sku)]);
        track("view", map([("sku", text(sku)), ("price", int(price)), ("images", images)]))
    };
    vec![
        view("boot-1", 20),
        track("other", Map::new()),
        view("boot-2", 35),
        view("shoe-7", 5),
        view("boot-1", 20),
    ]
}

/// A metric of this kind in every window.
fn measured(kind: MetricKind, property: Option<&str>, detail: u16) -> Journey {
    let mut build = Build::new();
    let windows: [Window; WINDOWS] = [
        Window::Page,
        Window::Session,
        Window::Sliding(120_000),
        Window::Today,
        Window::Week,
        Window::Month,
        Window::Ever,
    ];
    let metric = |window| Metric {
        kind,
        event: "view".into(),
        property: property.map(Into::into),
        window,
        threshold: 6,
        detail,
        ..Metric::default()
    };
    let facts = windows.map(|window| build.metric(metric(window)));
    Journey { program: ruled(build, &facts), events: views() }
}

/// How many windows [`measured`] measures in.
const WINDOWS: usize = 7;
const COPIED: u64 = WINDOWS as u64;

/// What is measured, and how many allocations an event makes of it at most: a text that is kept is copied, once for each
/// metric that keeps it.
fn kinds() -> Vec<(&'static str, Journey, u64)> {
    let (text, number) = (AttributeType::Text as u16, AttributeType::Number as u16);
    vec![
        ("tally", measured(MetricKind::Tally, None, 0), 0),
        ("sum", measured(MetricKind::Sum, Some("price"), 1), 0),
        ("min", measured(MetricKind::Min, Some("price"), 0), 0),
        ("max", measured(MetricKind::Max, Some("price"), 0), 0),
        ("average", measured(MetricKind::Average, Some("price"), 0), 0),
        ("distinct", measured(MetricKind::Distinct, Some("sku"), 8), 0),
        ("distinct, sampled", measured(MetricKind::Distinct, Some("sku"), 2), 0),
        ("first number", measured(MetricKind::First, Some("price"), number), 0),
        ("first text", measured(MetricKind::First, Some("sku"), text), COPIED),
        ("last number", measured(MetricKind::Last, Some("price"), number), 0),
        ("last text", measured(MetricKind::Last, Some("sku"), text), COPIED),
        ("previous number", measured(MetricKind::Previous, Some("price"), number), 0),
        ("previous text", measured(MetricKind::Previous, Some("sku"), text), COPIED),
        ("since", measured(MetricKind::Since, None, 0), 0),
        ("most frequent", measured(MetricKind::MostFrequent, Some("sku"), 16), 0),
        ("top", measured(MetricKind::Top, Some("sku"), 16), 0),
    ]
}

/// Sequences, one run begun anew by each view, and absences of what is seldom.
fn sequences() -> Journey {
    let mut build = Build::new();
    let facts = [
        build.sequence(SequenceKind::Then, &["view", "add"], [None; 2], 30 * SECOND),
        build.sequence(SequenceKind::Then, &["view", "view", "add"], [None, Some("buy")], 30 * SECOND),
        build.sequence(SequenceKind::ThenNo, &["add"], [Some("buy"), None], 2 * SECOND),
        build.sequence(SequenceKind::Absence, &["buy"], [None; 2], 30 * SECOND),
    ];
    let happen = |name| track(name, Map::new());
    let events = ["view", "view", "add", "other", "view", "add", "other", "other", "buy"].map(happen).into();
    Journey { program: ruled(build, &facts), events }
}

/// A score of several events, one of them filtered.
fn score() -> Journey {
    let mut build = Build::new();
    let price = build.fact(FactSource::Property("price".into()), Shape::Number);
    let filter = Some(build.code(&at_least(price, 30_000_000)));
    let points = |event: &str, filter, micro| Points { event: event.into(), filter, micro };
    let points =
        vec![points("view", None, 1_000_000), points("view", filter, 5_000_000), points("other", None, 2)];
    build.parts.scores.push(Score { half_life_ms: 60_000, min: 0, max: 100_000_000, points });
    let fact = build.metric(Metric { kind: MetricKind::Score, window: Window::Ever, ..Metric::default() });
    Journey { program: ruled(build, &[fact]), events: views() }
}

/// Counts of events that pass a filter of two facts.
fn filtered() -> Journey {
    let mut build = Build::new();
    let price = build.fact(FactSource::Property("price".into()), Shape::Number);
    let sku =
        build.fact(FactSource::Property("sku".into()), Shape::OneOf(vec!["boot-1".into(), "shoe-7".into()]));
    let filter = Condition::And(vec![at_least(price, 10_000_000), exactly(sku, 2)]);
    let fact = build.count_where("view", &filter, Window::Sliding(60_000), 4);
    Journey { program: ruled(build, &[fact]), events: views() }
}

/// An attribute of each type, of session and visitor, set by every view to what it brings.
fn attributes(attribute_type: AttributeType, property: &str) -> Journey {
    let mut build = Build::new();
    let facts = [AttributeScope::Session, AttributeScope::Visitor].map(|scope| {
        let at = build.attribute(&format!("{property} {scope:?}"), scope, attribute_type);
        build.parts.attributes[usize::from(at)].set =
            vec![AttributeSet { event: "view".into(), to: SetTo::Property(property.into()) }];
        let shape = if attribute_type == AttributeType::Text {
            Shape::OneOf(vec!["boot-1".into()])
        } else {
            Shape::Number
        };
        build.fact(FactSource::Attribute(at), shape)
    });
    Journey { program: ruled(build, &facts), events: views() }
}

/// A rule that is always true under caps of every window, seen and dismissed now and then.
fn caps() -> Journey {
    let mut build = Build::new();
    let rule = build.rule("offer", "hero", None);
    rule.hold = Hold::Time(0);
    rule.caps = [Window::Page, Window::Session, Window::Sliding(20_000), Window::Today]
        .map(|window| Cap { limit: 3, window })
        .into();
    rule.terms.dismissals = vec![Cap { limit: 2, window: Window::Sliding(30_000) }];
    let of = |event_type, name: &str| {
        event(event_type, name, START, map([("slot", text("hero")), ("rule", text("offer"))]))
    };
    let events = vec![
        track("view", Map::new()),
        of(EventType::Exposure, "exposure"),
        track("other", Map::new()),
        of(EventType::Track, "exposure_dismiss"),
    ];
    Journey { program: build.program(), events }
}

/// A rule that may be seen twice for each thing that was viewed last.
fn cap_per_value() -> Journey {
    let mut build = Build::new();
    let metric = Metric {
        kind: MetricKind::Last,
        event: "view".into(),
        property: Some("price".into()),
        window: Window::Ever,
        detail: AttributeType::Number as u16,
        ..Metric::default()
    };
    let fact = build.metric(metric);
    let rule = build.rule("offer", "hero", None);
    rule.hold = Hold::Time(0);
    rule.terms.per_value = Some(ValueCap { limit: 2, fact, values_max: 2 });
    let seen = map([("slot", text("hero")), ("rule", text("offer"))]);
    let mut events = views();
    events.push(event(EventType::Exposure, "exposure", START, seen));
    Journey { program: build.program(), events }
}

/// A cart of two things that is emptied, over and over.
fn cart() -> Journey {
    let mut build = Build::new();
    let facts = [Builtin::CartValue, Builtin::CartItems].map(|builtin| build.builtin(builtin));
    let event = |event: &str, does| CartEvent { event: event.into(), does, purpose: PERSONAL };
    build.parts.cart = vec![event("add", CartChange::Adds), event("buy", CartChange::Empties)];
    let line = |sku: &str| map([("sku", text(sku)), ("quantity", int(2)), ("price", int(10))]);
    let events = vec![track("add", line("boot-1")), track("add", line("shoe-7")), track("buy", Map::new())];
    Journey { program: ruled(build, &facts), events }
}

/// What else an event steps. Where a filter is asked, what it reads of the event is listed: one allocation. A list is copied
/// with its two texts, for each of two attributes; an item of the cart with its name, and again where it is the newest.
fn others() -> Vec<(&'static str, Journey, u64)> {
    vec![
        ("sequences", sequences(), 0),
        ("score", score(), 1),
        ("filtered", filtered(), 1),
        ("text attribute", attributes(AttributeType::Text, "sku"), 2),
        ("number attribute", attributes(AttributeType::Number, "price"), 0),
        ("list attribute", attributes(AttributeType::List, "images"), 6),
        ("caps", caps(), 0),
        ("cap per value", cap_per_value(), 0),
        ("cart", cart(), 2),
    ]
}

#[test]
fn once_warm_an_event_allocates_only_the_texts_that_are_kept_and_what_a_filter_reads() {
    for (name, journey, most) in kinds().into_iter().chain(others()) {
        let later = journey.allocations(700).split_off(300);
        assert_eq!(later.into_iter().max(), Some(most), "{name}");
    }
}
