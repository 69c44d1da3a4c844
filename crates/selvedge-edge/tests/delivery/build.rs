//! A site, a destination, and rows for it.

use selvedge_core::consent::{Purposes, Signals, Snapshot};
use selvedge_core::event::{Clock, Event, EventType};
use selvedge_core::id::{ProgramHash, Sequence, VisitorId, WriterId};
use selvedge_core::limits::BUCKETS;
use selvedge_core::number::Number;
use selvedge_core::tracking_plan::{Nature, PlanEvent, PlanProperty, PropertyType, Trust};
use selvedge_core::value::{Map, Value};
use selvedge_core::wire::answer::{Reason, SlotDecision};
use selvedge_core::wire::log_row::{Emission, LogEvent, LogNote, LogRow, Said};
use selvedge_core::wire::program::*;
use selvedge_edge::delivery::record::{Record, Routed, route};
use selvedge_edge::publish::hash_of;
use selvedge_edge::site::Site;

pub const NOW_MS: u64 = 1_795_000_000_000;
pub const VISITOR: VisitorId = VisitorId([7; 16]);

/// A site with one experiment, whose filter at place 0 passes records with `properties.value` of 100 and more.
pub fn site() -> Site {
    let bytes = parts().encode();
    Site::load(&bytes, hash_of(&bytes), 3).unwrap()
}

/// What that site is made of.
pub fn parts() -> Parts {
    let at_least_100 = Instruction {
        fact: 0,
        test: Test::Range(100_000_000, i64::MAX),
        on_true: Jump::Accept,
        on_false: Jump::Reject,
    };
    let variant = |name: &str, end| Variant { name: name.into(), end };
    let experiment = Experiment {
        name: "hero-test".into(),
        salt: "hero-test".into(),
        unit: Unit::Visitor,
        traffic_salt: "hero-test".into(),
        traffic: (0, BUCKETS),
        variants: vec![variant("old", 5_000), variant("new", BUCKETS)],
    };
    let value = FactSource::Property("properties.value".into());
    Parts {
        site: "shop".into(),
        edge: Some(EdgeConfig { leaves: vec![Leaf::default()], ..EdgeConfig::default() }),
        facts: vec![Fact { source: value, shape: Shape::Number, default: None }],
        code: vec![at_least_100],
        deciding: Deciding { experiments: vec![experiment], ..Deciding::default() },
        destinations: vec![destination()],
        ..Parts::default()
    }
}

/// The site, whose tracking plan calls the value of an order money; in euros, of which a dollar has so many millionths.
pub fn site_of_money(dollar: Option<i64>) -> Site {
    let value = PlanProperty {
        name: "value".into(),
        property_type: PropertyType::Money,
        required: false,
        pii: false,
        masked: false,
        one_of: Vec::new(),
    };
    let mut parts = parts();
    parts.currency = "EUR".into();
    parts.plan.events = vec![PlanEvent {
        name: "order_completed".into(),
        version: 1,
        nature: Nature::Behavioural,
        trust: Trust::Client,
        purposes: Purposes::ANALYTICS,
        additional_properties: true,
        urgent: false,
        properties: vec![value],
    }];
    let edge = parts.edge.get_or_insert_default();
    edge.leaves = vec![Leaf::default()];
    if let Some(rate) = dollar {
        let row = LookupRow { key: "USD".into(), cells: vec![LookupCell::Number(rate)] };
        parts.lookups =
            vec![Lookup { name: "fx".into(), texts: vec![false], rows: vec![row], ..Lookup::default() }];
        edge.rates = Some(Rates { table: 0, column: 0, items: Vec::new() });
    }
    let bytes = parts.encode();
    Site::load(&bytes, hash_of(&bytes), 3).unwrap()
}

/// A destination of analytics that takes everything.
pub fn destination() -> Destination {
    Destination {
        name: "warehouse".into(),
        way: Way::Log,
        purposes: Purposes::ANALYTICS,
        requires: Requires::All,
        on_unknown: OnUnknown::Drop,
        records: Records::ALL,
        filter: None,
        sample: BUCKETS,
        remove: Vec::new(),
        rename: Vec::new(),
        when_full: Full::Block,
        age_ms_max: 86_400_000,
        bytes_max: 1 << 20,
    }
}

/// An order of so many dollars.
pub fn dollars(value: i64) -> LogEvent {
    let mut order = order(Number::Int(value));
    order.event.properties.set("currency", Value::Text("USD".into()));
    order
}

/// What a visitor said who granted these.
pub fn granted(purposes: Purposes) -> Snapshot {
    Snapshot { granted: purposes, signal: Signals::API, time_ms: 1, policy_version: 1, ..Snapshot::default() }
}

pub fn analytics() -> Snapshot {
    granted(Purposes::ANALYTICS)
}

pub fn event(name: &str) -> LogEvent {
    let context: Map = [("page.path".into(), Value::Text("/cart".into()))].into_iter().collect();
    let event = Event {
        sequence: Sequence::new(9).unwrap(),
        event_type: EventType::Track,
        name: name.into(),
        time_ms: NOW_MS,
        consent: 0,
        properties: Map::new(),
        context,
    };
    let (usable, decisions) = (Purposes::ANALYTICS, Vec::new());
    LogEvent { event, message_id: None, late: false, clock_off: false, usable, decisions, session: 4 }
}

/// An order of this value.
pub fn order(value: Number) -> LogEvent {
    let mut logged = event("order_completed");
    logged.event.properties.set("value", Value::Number(value));
    logged.event.properties.set("email", Value::Text("ann@example.com".into()));
    logged
}

/// What was decided for the hero, for this reason, with this detail.
pub fn decided(reason: Reason, detail: &str) -> SlotDecision {
    SlotDecision {
        slot: "hero".into(),
        rule: Some("two-views".into()),
        content: Some("banner".into()),
        reason,
        detail: detail.into(),
        body: None,
        held_out: None,
    }
}

/// A note of a message to this destination.
pub fn told(to: &str) -> LogNote {
    let fields = [("cart".into(), Value::Number(Number::Int(60)))].into_iter().collect();
    let emission = Emission {
        rule: "reminder".into(),
        to: to.into(),
        enter: "cart-left".into(),
        is_exit: false,
        fields,
        cause: None,
    };
    LogNote { time_ms: NOW_MS, usable: Purposes::ANALYTICS, said: Said::Emitted(emission) }
}

pub fn row(events: Vec<LogEvent>, notes: Vec<LogNote>) -> LogRow {
    LogRow {
        received_ms: NOW_MS + 5,
        site: "shop".into(),
        source: "web".into(),
        trust: Trust::Client,
        visitor: VISITOR,
        anonymous_id: None,
        writer: WriterId::mint(NOW_MS, 1),
        sent_at_ms: NOW_MS,
        skew_ms: 0,
        clock: Clock::Received,
        program: ProgramHash([1; 16]),
        publish: 3,
        lookups: Vec::new(),
        consent: vec![analytics()],
        context: Map::new(),
        events,
        notes,
    }
}

/// What the destination gets of the first item of a row, while analytics are granted.
pub fn routed(destination: &Destination, row: &LogRow) -> Routed {
    route(&site(), destination, row, 0, &analytics())
}

/// The records that leave.
pub fn sent(routed: Routed) -> Vec<Record> {
    match routed {
        Routed::Send(records) => records,
        other => panic!("nothing is sent: {other:?}"),
    }
}

/// What a record says.
pub fn read(record: &Record) -> serde_json::Value {
    serde_json::from_slice(&record.data).unwrap()
}
