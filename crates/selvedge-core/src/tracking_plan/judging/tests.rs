use super::*;
use crate::consent::Purposes;
use crate::id::Sequence;
use crate::tracking_plan::{Nature, purposes_of};
use alloc::vec;

fn property(name: &str, property_type: PropertyType, required: bool) -> PlanProperty {
    PlanProperty { name: name.into(), property_type, required, pii: false, masked: false, one_of: vec![] }
}

fn plan() -> Plan {
    let mut category = property("category", PropertyType::Text, true);
    category.one_of = vec!["shoes".into(), "hats".into()];
    let described = |name: &str, trust, properties| PlanEvent {
        name: name.into(),
        version: 1,
        nature: Nature::Behavioural,
        trust,
        purposes: Purposes::PERSONALIZATION,
        additional_properties: false,
        urgent: false,
        properties,
    };
    let view = vec![
        category,
        property("count", PropertyType::Integer, false),
        property("price", PropertyType::Money, false),
        property("at", PropertyType::Time, false),
    ];
    Plan {
        events: vec![
            described("page", Trust::Client, vec![]),
            described("product_view", Trust::Client, view),
            described("refund", Trust::Server, vec![]),
        ],
    }
}

fn event(event_type: EventType, name: &str, properties: &[(&str, Value)]) -> Event {
    Event {
        sequence: Sequence::new(1).unwrap(),
        event_type,
        name: name.into(),
        time_ms: 0,
        consent: 0,
        properties: properties.iter().map(|(name, value)| ((*name).into(), value.clone())).collect(),
        context: Map::new(),
    }
}

fn code(event: &Event) -> Option<RefusalCode> {
    judge(&plan(), event, Trust::Client).err().map(|violation| violation.code)
}

fn double(value: f64) -> Value {
    Value::Number(Number::Double(value.to_bits()))
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

#[test]
fn each_breach_of_the_plan_has_its_code() {
    let shoes = ("category", text("shoes"));
    for (name, properties, expected) in [
        ("product_view", vec![shoes.clone()], None),
        ("product_view", vec![shoes.clone(), ("count", double(3.0)), ("price", double(3.5))], None),
        ("product_view", vec![shoes.clone(), ("price", Value::Null)], None),
        ("wave", vec![], Some(RefusalCode::UnknownEvent)),
        ("exposure", vec![("slot", text("hero"))], Some(RefusalCode::UnknownEvent)),
        ("refund", vec![], Some(RefusalCode::Untrusted)),
        ("product_view", vec![], Some(RefusalCode::RequiredMissing)),
        ("product_view", vec![("category", Value::Null)], Some(RefusalCode::RequiredMissing)),
        ("product_view", vec![("category", Value::Bool(true))], Some(RefusalCode::WrongType)),
        ("product_view", vec![shoes.clone(), ("count", double(3.5))], Some(RefusalCode::WrongType)),
        ("product_view", vec![shoes.clone(), ("price", text("3"))], Some(RefusalCode::WrongType)),
        ("product_view", vec![("category", text("ties"))], Some(RefusalCode::NotInEnum)),
        ("product_view", vec![shoes.clone(), ("color", Value::Null)], Some(RefusalCode::AdditionalProperty)),
        ("product_view", vec![shoes.clone(), ("price", double(f64::NAN))], Some(RefusalCode::NotFinite)),
        ("product_view", vec![shoes, ("price", text(&"x".repeat(9_000)))], Some(RefusalCode::TooLarge)),
    ] {
        assert_eq!(code(&event(EventType::Track, name, &properties)), expected, "{name} {properties:?}");
    }
}

#[test]
fn a_violation_says_where_and_what_is_allowed() {
    let said = |value: Value| {
        let event = event(EventType::Track, "product_view", &[("category", value)]);
        let plan = plan();
        let violation = judge(&plan, &event, Trust::Client).unwrap_err();
        [violation.path(), violation.message()]
    };
    assert_eq!(said(text("ties")), ["properties.category", "it is none of shoes, hats"]);
    assert_eq!(said(Value::Bool(true)), ["properties.category", "it is bool; the tracking plan says text"]);
}

#[test]
fn a_server_may_send_what_a_page_may_not() {
    let refund = event(EventType::Track, "refund", &[]);
    assert!(judge(&plan(), &refund, Trust::Server).is_ok());
}

#[test]
fn types_besides_track_go_by_their_word_and_need_no_entry() {
    let anything = [("anything", text("goes"))];
    assert_eq!(code(&event(EventType::Identify, "identify", &anything)), None);
    assert_eq!(code(&event(EventType::Identify, "product_view", &anything)), Some(RefusalCode::UnknownEvent));
    assert_eq!(code(&event(EventType::Page, "page", &[("path", text("/"))])), None);
    assert_eq!(code(&event(EventType::Page, "page", &anything)), Some(RefusalCode::AdditionalProperty));
}

#[test]
fn an_exposure_is_known_and_names_its_slot() {
    assert_eq!(code(&event(EventType::Exposure, "exposure", &[("slot", text("hero"))])), None);
    assert_eq!(code(&event(EventType::Exposure, "exposure", &[])), Some(RefusalCode::RequiredMissing));
}

#[test]
fn an_unknown_event_counts_as_analytics() {
    let of = |event_type, name| purposes_of(&plan(), &event(event_type, name, &[]));
    assert_eq!(of(EventType::Track, "wave"), Purposes::ANALYTICS);
    assert_eq!(of(EventType::Track, "product_view"), Purposes::PERSONALIZATION);
    let both = Purposes::ANALYTICS.or(Purposes::PERSONALIZATION);
    assert_eq!(of(EventType::Exposure, "exposure"), both);
}

#[test]
fn a_time_is_rfc_3339_or_whole_milliseconds() {
    for good in ["2026-11-22T10:00:00Z", "2026-11-22t10:00:00.123z", "2026-11-22T10:00:00+01:00"] {
        assert!(is_of_type(PropertyType::Time, &text(good)), "{good}");
    }
    for bad in ["", "2026-11-22", "2026-11-22T10:00:00", "2026-11-22T10:00:00+0100", "2026-11-22T10:00:00.Z"]
    {
        assert!(!is_of_type(PropertyType::Time, &text(bad)), "{bad}");
    }
    assert!(is_of_type(PropertyType::Time, &Value::Number(Number::Int(1_795_000_000_000))));
    assert!(!is_of_type(PropertyType::Time, &double(0.5)));
}
