//! The program of a shop.

use selvedge_core::consent::Purposes;
use selvedge_core::hash::fnv1a_64;
use selvedge_core::tracking_plan::{Nature, Plan, PlanEvent, PlanProperty, PropertyType, Trust};
use selvedge_core::wire::program::{
    Cap, Content, ContentType, Fact, FactSource, Hold, Instruction, Jump, Metric, Parts, Rule, Shape, Slot,
    Status, Terms, Test, Timing, Window,
};

/// The same shop, whose tracking plan knows of lost events.
pub fn reporting(mut parts: Parts) -> Parts {
    let PlanEvent { properties, .. } = parts.plan.events[0].clone();
    let count = PlanProperty {
        name: "count".into(),
        property_type: PropertyType::Integer,
        required: false,
        ..properties[0].clone()
    };
    let lost = PlanEvent {
        name: "events_lost".into(),
        nature: Nature::Operational,
        purposes: Purposes::ANALYTICS,
        properties: vec![count],
        ..parts.plan.events[0].clone()
    };
    parts.plan.events.insert(0, lost);
    parts
}

/// A shop: the hero shows free shipping once two shoes were viewed in 10 minutes, at most twice per session.
pub fn shop() -> Parts {
    let content = |id: &str, text: &str| Content {
        id: id.into(),
        content_type: ContentType::Text,
        fields: vec![("text".into(), text.into())],
    };
    let category = PlanProperty {
        name: "category".into(),
        property_type: PropertyType::Text,
        required: true,
        pii: false,
        masked: false,
        one_of: Vec::new(),
    };
    let fact = |source, shape| Fact { source, shape, default: None };
    Parts {
        site: "shop".into(),
        currency: "EUR".into(),
        late_ms: 30_000,
        plan: Plan {
            events: vec![PlanEvent {
                name: "product_view".into(),
                version: 1,
                nature: Nature::Behavioural,
                trust: Trust::Client,
                purposes: Purposes::ANALYTICS.or(Purposes::PERSONALIZATION),
                additional_properties: false,
                urgent: false,
                properties: vec![category],
            }],
        },
        facts: vec![
            fact(FactSource::Property("category".into()), Shape::OneOf(vec!["shoes".into()])),
            fact(FactSource::Metric(0), Shape::Number),
        ],
        metrics: vec![Metric {
            name: "shoe_views".into(),
            meaning: fnv1a_64(b"count product_view where category = shoes in 10m"),
            event: "product_view".into(),
            filter: Some(0),
            window: Window::Sliding(600_000),
            threshold: 3,
            purpose: Purposes::PERSONALIZATION,
            ..Metric::default()
        }],
        code: vec![
            Instruction { fact: 0, test: Test::Range(2, 2), on_true: Jump::Accept, on_false: Jump::Reject },
            Instruction {
                fact: 1,
                test: Test::Range(2, i64::MAX),
                on_true: Jump::Accept,
                on_false: Jump::Reject,
            },
        ],
        rules: vec![Rule {
            id: "free-shipping-hero".into(),
            priority: 60,
            status: Status::Live,
            purpose: Purposes::PERSONALIZATION,
            when: Some(1),
            slot: 1,
            content: 0,
            group: None,
            caps: vec![Cap { limit: 2, window: Window::Session }],
            hold: Hold::Page,
            in_page: true,
            timing: Timing::default(),
            terms: Terms::default(),
            emit: None,
        }],
        slots: vec![
            Slot { name: "banner".into(), fallback: None, caps: Vec::new() },
            Slot { name: "hero".into(), fallback: None, caps: Vec::new() },
        ],
        contents: vec![content("free_shipping", "Free shipping")],
        ..Parts::default()
    }
}
