//! A small site, a visitor, and batches for it.

use selvedge_core::consent::{Mode, Purposes, Signals, Snapshot};
use selvedge_core::event::{Batch, BatchHeader, Clock, Event, EventType, Undecodable};
use selvedge_core::id::{Sequence, VisitorId, WriterId};
use selvedge_core::rules::program::rule_hash;
use selvedge_core::tracking_plan::{Nature, Plan, PlanEvent, PlanProperty, PropertyType, Trust};
use selvedge_core::value::{Map, Value};
use selvedge_core::wire::program::*;
use selvedge_core::wire::stored::VisitorRecord;
use selvedge_edge::gate::Shown;
use selvedge_edge::ingest::{Arrival, Decided, Outcome, Trouble, Watch, step};
use selvedge_edge::publish::hash_of;
use selvedge_edge::site::Site;

/// When batches arrive unless a test says otherwise.
pub const NOW_MS: u64 = 1_795_000_000_000;
/// The purposes of the site's events.
pub const ALL: Purposes = Purposes(0b1110);

/// A site with `product_view` (personalization), `ping` (necessary), `report` (analytics) and one capped rule: two
/// product views show `banner` in `hero`.
pub fn site() -> Site {
    let bytes = parts().encode();
    Site::load(&bytes, hash_of(&bytes), 1).unwrap()
}

/// The same site, where views are counted for a rule of advertising.
pub fn advertising_site() -> Site {
    let mut parts = parts();
    let purposes = Purposes::PERSONALIZATION.or(Purposes::ADVERTISING);
    parts.plan.events.iter_mut().for_each(|event| event.purposes = purposes);
    parts.metrics.iter_mut().for_each(|metric| metric.purpose = Purposes::ADVERTISING);
    parts.rules.iter_mut().for_each(|rule| rule.purpose = Purposes::ADVERTISING);
    let bytes = parts.encode();
    Site::load(&bytes, hash_of(&bytes), 1).unwrap()
}

/// The same site with a rule that tells `mail` of who looked at a product and sent no report within a minute.
pub fn waiting_site() -> Site {
    let mut parts = parts();
    let step = |event: &str| SequenceStep { event: event.into(), filter: None };
    parts.sequences = vec![selvedge_core::wire::program::Sequence {
        name: "left".into(),
        meaning: 78,
        asks: SequenceKind::ThenNo,
        steps: vec![step("product_view")],
        then_no: Some(step("ping")),
        without: None,
        window_ms: 60_000,
        purpose: Purposes::PERSONALIZATION,
        private: false,
    }];
    parts.facts.push(Fact { source: FactSource::Sequence(0), shape: Shape::Number, default: None });
    parts.code.push(Instruction {
        fact: 1,
        test: Test::Range(1, 1),
        on_true: Jump::Accept,
        on_false: Jump::Reject,
    });
    let fields = vec![("left".into(), 1), ("views".into(), 0)];
    let rule = &mut parts.rules[0];
    rule.when = Some(1);
    rule.caps = Vec::new();
    rule.emit =
        Some(Emit { to: "mail".into(), enter: "left".into(), exit_when: None, fields, once_per: None });
    parts.plan.events[0].purposes = ALL;
    let bytes = parts.encode();
    Site::load(&bytes, hash_of(&bytes), 1).unwrap()
}

/// The same site, as its next publish has it: with these events, and these categories besides.
pub fn wider_site(events: &[&str], categories: &[&str]) -> Site {
    let mut parts = parts();
    let more = events.iter().map(|name| event_of(name, ALL));
    parts.plan.events.extend(more);
    parts.plan.events.sort_by(|a, b| a.name.cmp(&b.name));
    for property in parts.plan.events.iter_mut().flat_map(|event| &mut event.properties) {
        if !property.one_of.is_empty() {
            property.one_of.extend(categories.iter().map(|name| (*name).to_owned()));
        }
    }
    let bytes = parts.encode();
    Site::load(&bytes, hash_of(&bytes), 2).unwrap()
}

/// The same site with a rule that tells `mail` at the end of a session in which something was looked at.
pub fn leaving_site() -> Site {
    leaving_site_with(|_| {})
}

/// The same, changed.
pub fn leaving_site_with(change: impl FnOnce(&mut Parts)) -> Site {
    let mut parts = parts();
    parts.metrics[0].window = Window::Session;
    parts.metrics[0].threshold = 2;
    parts.code[0].test = Test::Range(1, i64::MAX);
    let fields = vec![("views".into(), 0)];
    let rule = &mut parts.rules[0];
    rule.caps = Vec::new();
    rule.hold = Hold::Time(1_000);
    rule.timing = Timing { trigger: Some(Trigger { events: Vec::new(), session_end: true }), after_ms: 0 };
    rule.emit =
        Some(Emit { to: "mail".into(), enter: "left".into(), exit_when: None, fields, once_per: None });
    parts.plan.events.iter_mut().for_each(|event| event.purposes = ALL);
    change(&mut parts);
    let bytes = parts.encode();
    Site::load(&bytes, hash_of(&bytes), 1).unwrap()
}

/// The same site, where a rule is shown and `mail` is told from eight to six on weekdays in New York.
pub fn office_site() -> Site {
    let mut parts = parts();
    let offset = |from_minute, minutes| Offset { from_minute, minutes };
    // 1 November 2026, 06:00 UTC: two o'clock becomes one.
    parts.zones = vec![vec![offset(0, -240), offset(29_890_440, -300)]];
    let clock = |builtin, shape| Fact { source: FactSource::Clock(0, builtin), shape, default: None };
    let days = ["fri", "mon", "thu", "tue", "wed"].map(str::to_owned).to_vec();
    parts.facts.push(clock(Builtin::TimeOfDay, Shape::Number));
    parts.facts.push(clock(Builtin::Weekday, Shape::OneOf(days)));
    let test = |fact, test, on_true| Instruction { fact, test, on_true, on_false: Jump::Reject };
    parts.code.push(test(1, Test::Range(8 * 60, 18 * 60 - 1), Jump::To(2)));
    parts.code.push(test(2, Test::Mask(0b111_1100), Jump::Accept));
    let rule = &mut parts.rules[0];
    rule.when = None;
    rule.caps = Vec::new();
    rule.hold = Hold::Time(0);
    rule.terms.schedule = Some(1);
    let fields = Vec::new();
    rule.emit =
        Some(Emit { to: "mail".into(), enter: "open".into(), exit_when: None, fields, once_per: None });
    let bytes = parts.encode();
    Site::load(&bytes, hash_of(&bytes), 1).unwrap()
}

/// The same site after its `publish`-th publish.
pub fn site_at(publish: u64) -> Site {
    Site { publish, ..site() }
}

/// The hash of the site's rule, under which its grants stand.
pub fn rule() -> u64 {
    rule_hash(&parts().rules[0])
}

fn event_of(name: &str, purposes: Purposes) -> PlanEvent {
    let category = PlanProperty {
        name: "category".into(),
        property_type: PropertyType::Text,
        required: false,
        pii: false,
        masked: false,
        one_of: vec!["shoes".into(), "hats".into()],
    };
    let count = PlanProperty {
        name: "count".into(),
        property_type: PropertyType::Integer,
        one_of: Vec::new(),
        ..category.clone()
    };
    PlanEvent {
        name: name.into(),
        version: 1,
        nature: Nature::Behavioural,
        trust: Trust::Client,
        purposes,
        additional_properties: true,
        urgent: false,
        properties: vec![category, count],
    }
}

pub fn parts() -> Parts {
    let text = |id: &str| Content {
        id: id.into(),
        content_type: ContentType::Text,
        fields: vec![("text".into(), format!("the {id}"))],
    };
    Parts {
        site: "shop".into(),
        currency: "EUR".into(),
        late_ms: 30_000,
        edge: Some(EdgeConfig {
            policy_version: 1,
            leaves: vec![Leaf { text: "views >= 2".into(), line: 1, ..Leaf::default() }],
            ..EdgeConfig::default()
        }),
        plan: Plan {
            events: vec![
                event_of("ping", Purposes::NECESSARY),
                event_of("product_view", Purposes::PERSONALIZATION),
                event_of("report", Purposes::ANALYTICS),
            ],
        },
        facts: vec![Fact { source: FactSource::Metric(0), shape: Shape::Number, default: None }],
        metrics: vec![Metric {
            name: "views".into(),
            meaning: 77,
            event: "product_view".into(),
            window: Window::Sliding(600_000),
            threshold: 3,
            purpose: Purposes::PERSONALIZATION,
            ..Metric::default()
        }],
        code: vec![Instruction {
            fact: 0,
            test: Test::Range(2, i64::MAX),
            on_true: Jump::Accept,
            on_false: Jump::Reject,
        }],
        rules: vec![Rule {
            id: "two-views".into(),
            priority: 10,
            status: Status::Live,
            purpose: Purposes::PERSONALIZATION,
            when: Some(0),
            slot: 0,
            content: 0,
            group: None,
            caps: vec![Cap { limit: 2, window: Window::Session }],
            hold: Hold::Page,
            in_page: true,
            timing: selvedge_core::wire::program::Timing::default(),
            terms: Terms::default(),
            emit: None,
        }],
        slots: vec![Slot { name: "hero".into(), fallback: Some(1), caps: Vec::new() }],
        contents: vec![text("banner"), text("house")],
        ..Parts::default()
    }
}

/// The visitor of every batch.
pub const VISITOR: VisitorId = VisitorId([7; 16]);

/// The writer of every batch, unless a test says otherwise.
pub fn writer() -> WriterId {
    WriterId::mint(NOW_MS - 60_000, 5)
}

/// What a visitor said at `time_ms`.
pub fn said(granted: Purposes, denied: Purposes, time_ms: u64) -> Snapshot {
    Snapshot {
        granted,
        denied,
        mode: Mode::OptIn,
        gpc: false,
        signal: Signals::API,
        text_hash: 0,
        policy_version: 1,
        time_ms,
    }
}

/// Everything granted.
pub fn granted() -> Snapshot {
    said(ALL, Purposes::NONE, 1)
}

/// An event of this name.
pub fn event(sequence: u32, name: &str) -> Event {
    Event {
        sequence: Sequence::new(sequence).unwrap(),
        event_type: EventType::Track,
        name: name.into(),
        time_ms: NOW_MS - 10_000 + u64::from(sequence),
        consent: 0,
        properties: [("category".into(), Value::Text("shoes".into()))].into_iter().collect(),
        context: Map::new(),
    }
}

/// A batch of these events under one snapshot.
pub fn batch(consent: Snapshot, events: Vec<Result<Event, Undecodable>>) -> Batch {
    Batch {
        header: BatchHeader {
            write_key: "wk".into(),
            visitor: VISITOR,
            writer: writer(),
            sent_at_ms: NOW_MS,
            skew_ms: 0,
            floor: 1,
            clock: Clock::Received,
            program: None,
            dictionary: None,
            consent: vec![consent],
            context: Map::new(),
            leases: Vec::new(),
            holder: 0,
        },
        events,
    }
}

/// Remembers what it was told.
#[derive(Default)]
pub struct Heard {
    /// Sequences reached.
    pub reached: Vec<u32>,
    /// Sequences taken.
    pub taken: Vec<u32>,
    /// Behind each accepted event: its sequence, and which slots a rule has.
    pub decided: Vec<(u32, Vec<bool>)>,
    /// What the quarantine holds, a line each.
    pub quarantine: Vec<String>,
}

impl Watch for Heard {
    fn reaches(&mut self, sequence: Sequence) {
        self.reached.push(sequence.get());
    }

    fn takes(&mut self, event: &Event) {
        self.taken.push(event.sequence.get());
    }

    fn decides(&mut self, decided: &Decided<'_>) {
        let has_rule = decided.decisions.iter().map(|decision| decision.rule.is_some()).collect();
        self.decided.push((decided.event.sequence.get(), has_rule));
    }

    fn holds(&mut self, fingerprint: u64) -> bool {
        self.quarantine.iter().any(|line| line.contains(&format!(r#""fingerprint":{fingerprint},"#)))
    }
}

/// How a browser's batch arrives.
pub fn arrival() -> Arrival<'static> {
    Arrival {
        received_ms: NOW_MS,
        source: "web",
        trust: Trust::Client,
        shown: Shown::default(),
        country: None,
        account: None,
    }
}

/// Steps a browser's batch.
pub fn stepped(stored: Option<VisitorRecord>, batch: Batch) -> Outcome {
    step(&site(), stored, batch, &arrival(), &Trouble::default(), &mut Heard::default()).unwrap()
}

/// What is stored after an outcome.
pub fn kept(stored: Option<VisitorRecord>, outcome: &Outcome) -> Option<VisitorRecord> {
    outcome.record.clone().or(stored)
}

/// The sequences that an outcome logged, in order.
pub fn logged(outcome: &Outcome) -> Vec<u32> {
    let events = outcome.row.iter().flat_map(|row| &row.events);
    events.map(|logged| logged.event.sequence.get()).collect()
}

/// The refusals of an outcome, as sequence and code.
pub fn refused(outcome: &Outcome) -> Vec<(u32, &'static str)> {
    outcome.answer.refused.iter().map(|refused| (refused.sequence, refused.code.as_str())).collect()
}
