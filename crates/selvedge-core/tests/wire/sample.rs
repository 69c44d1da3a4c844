//! Values by hand, with every field set, and the dictionary they are abbreviated by.

use selvedge_core::consent::{Mode, Purposes, Signals, Snapshot};
use selvedge_core::event::{BatchHeader, Clock, Event, EventType, LeaseReport, RefusalCode};
use selvedge_core::id::{ProgramHash, Sequence, VisitorId, WriterId};
use selvedge_core::number::Number;
use selvedge_core::tracking_plan::{Nature, Plan, PlanEvent, PlanProperty, PropertyType, Trust};
use selvedge_core::value::{Map, Value};
use selvedge_core::wire::answer::{Answer, Applied, Grant, Reason, Refused, SlotDecision};
use selvedge_core::wire::log_row::{LogEvent, LogRow};
use selvedge_core::wire::program::{Content, ContentType};

pub const SENT_AT_MS: u64 = 1_795_345_200_123;

pub fn text(text: &str) -> Value {
    Value::Text(text.into())
}

pub fn double(value: f64) -> Value {
    Value::Number(Number::Double(value.to_bits()))
}

pub fn map(entries: &[(&str, Value)]) -> Map {
    entries.iter().map(|(name, value)| ((*name).into(), value.clone())).collect()
}

pub fn plan() -> Plan {
    let property = |name: &str| PlanProperty {
        name: name.into(),
        property_type: PropertyType::Text,
        required: false,
        pii: false,
        masked: false,
        one_of: vec![],
    };
    Plan {
        events: vec![PlanEvent {
            name: "product_view".into(),
            version: 1,
            nature: Nature::Behavioural,
            trust: Trust::Client,
            purposes: Purposes::ANALYTICS,
            additional_properties: true,
            urgent: true,
            properties: ["sku", "category", "price", "order_id", "place"].map(property).into(),
        }],
    }
}

pub fn header() -> BatchHeader {
    BatchHeader {
        write_key: "wk_shop_browser".into(),
        visitor: VisitorId::mint(0, [0xa5; 15]),
        writer: WriterId::mint(SENT_AT_MS, 0x0123_4567),
        sent_at_ms: SENT_AT_MS,
        skew_ms: -1_500,
        floor: 41,
        clock: Clock::Received,
        program: Some(ProgramHash([0x11; 16])),
        dictionary: None,
        consent: vec![
            Snapshot {
                granted: Purposes::ANALYTICS.or(Purposes::PERSONALIZATION),
                denied: Purposes::ADVERTISING,
                mode: Mode::OptIn,
                gpc: true,
                signal: Signals::API,
                policy_version: 300,
                time_ms: SENT_AT_MS - 60_000,
                text_hash: 0,
            },
            Snapshot { mode: Mode::OptOut, signal: Signals::SERVER, ..Snapshot::default() },
        ],
        context: map(&[
            ("page.path", text("/shoes/😀")),
            ("utm.medium", text("cpc")),
            ("viewport.width", Value::Number(Number::Int(1_440))),
            ("shop.theme", text("dark")),
        ]),
        leases: vec![LeaseReport { rule: 0xfeed_beef_dead_c0de, lease: 7, used: 2 }],
        holder: 0x9abc_def0,
    }
}

pub fn events() -> Vec<Event> {
    let rich = map(&[
        ("sku", text("A-1")),
        ("price", double(129.95)),
        ("order_id", Value::Number(Number::Uint(u64::MAX))),
        ("least", Value::Number(Number::Int(i64::MIN))),
        ("place", Value::List(vec![double(52.520_006_6), double(13.404_954_0)])),
        ("gift", Value::Bool(true)),
        ("note", Value::Null),
        ("nested", Value::Object(map(&[("category", text("schuhe 👟")), ("deep", Value::List(vec![]))]))),
    ]);
    let event = |sequence, event_type: EventType, name: &str, time_ms, properties, context| Event {
        sequence: Sequence::new(sequence).unwrap(),
        event_type,
        name: name.into(),
        time_ms,
        consent: 0,
        properties,
        context,
    };
    vec![
        event(41, EventType::Track, "product_view", SENT_AT_MS - 2_345, rich, Map::new()),
        event(42, EventType::Page, "page", SENT_AT_MS, map(&[("path", text("/"))]), Map::new()),
        event(
            Sequence::MAX,
            EventType::Exposure,
            "exposure",
            SENT_AT_MS + 3 * 86_400_000,
            map(&[("slot", text("hero")), ("rule", text("free_shipping"))]),
            map(&[("page.path", text("/cart"))]),
        ),
    ]
}

pub fn decisions() -> Vec<SlotDecision> {
    vec![
        SlotDecision {
            slot: "hero".into(),
            rule: Some("free_shipping".into()),
            content: Some("free_shipping_banner".into()),
            reason: Reason::Won,
            detail: "shoe_views >= 2".into(),
            body: Some(Content {
                id: "free_shipping_banner".into(),
                content_type: ContentType::Link,
                fields: vec![("href".into(), "/shoes".into()), ("text".into(), "Free shipping 🚚".into())],
            }),
            held_out: None,
        },
        SlotDecision {
            slot: "banner".into(),
            rule: None,
            content: None,
            reason: Reason::Fallback,
            detail: String::new(),
            body: None,
            held_out: None,
        },
    ]
}

pub fn answer() -> Answer {
    Answer {
        accepted: 2,
        duplicates: 300,
        refused: vec![
            Refused { sequence: 43, code: RefusalCode::UnknownEvent },
            Refused { sequence: 0, code: RefusalCode::Undecodable },
        ],
        program: ProgramHash([0x22; 16]),
        publish: 12,
        server_time_ms: SENT_AT_MS + 80,
        next_flush_ms: 30_000,
        applied: vec![Applied { writer: header().writer, sequence: 42 }],
        state: vec![1, 2, 3, 0xff],
        decisions: decisions(),
        grants: vec![Grant { rule: 1 << 63, lease: 8, count: 3, expires_ms: -1 }],
        needs: Vec::new(),
        paused: Vec::new(),
    }
}

pub fn log_row() -> LogRow {
    let header = header();
    let logged = |event: Event, decisions| LogEvent {
        message_id: (event.consent > 0).then(|| "msg-9f2".into()),
        late: event.consent == 0,
        clock_off: false,
        usable: Purposes::ANALYTICS,
        event,
        decisions,
        session: 3,
    };
    let mut events = events();
    let last = events.pop().unwrap();
    LogRow {
        received_ms: SENT_AT_MS + 70,
        site: "shop".into(),
        source: "browser".into(),
        trust: Trust::Client,
        visitor: header.visitor,
        anonymous_id: Some("anon-7".into()),
        writer: header.writer,
        sent_at_ms: SENT_AT_MS,
        skew_ms: header.skew_ms,
        clock: Clock::Event,
        program: ProgramHash([0x22; 16]),
        publish: 12,
        lookups: Vec::new(),
        consent: header.consent,
        context: header.context,
        events: events
            .into_iter()
            .map(|event| logged(event, vec![]))
            .chain([logged(last, decisions())])
            .collect(),
        notes: Vec::new(),
    }
}
