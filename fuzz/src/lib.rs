//! What the targets share: a tracking plan to abbreviate names by, and the laws that hold for any bytes.

pub mod rules;

use selvedge_core::event::{Batch, BatchHeader};
use selvedge_core::tracking_plan::{Nature, Plan, PlanEvent, PlanProperty, PropertyType, Trust, judge};
use selvedge_core::wire::batch::{encode_batch, read_event, refusal_of};
use selvedge_core::wire::batch_decode::{decode_batch, decode_events, open};
use selvedge_core::wire::names::Names;

/// A small tracking plan with one event and one property of each type.
#[must_use]
pub fn plan() -> Plan {
    let types = [
        PropertyType::Text,
        PropertyType::Number,
        PropertyType::Integer,
        PropertyType::Bool,
        PropertyType::Money,
        PropertyType::Time,
        PropertyType::List,
        PropertyType::Object,
    ];
    let property = |property_type: PropertyType| PlanProperty {
        name: property_type.as_str().into(),
        property_type,
        required: property_type == PropertyType::Text,
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
            purposes: selvedge_core::consent::Purposes::ANALYTICS,
            additional_properties: false,
            urgent: false,
            properties: types.map(property).into(),
        }],
    }
}

/// What any decoded batch keeps: its events can be judged, and written by hand they are read as they were.
pub fn batch_comes_back(batch: &Batch, plan: &Plan, names: &Names) {
    let events: Vec<_> = batch.events.iter().filter_map(|event| event.as_ref().ok()).collect();
    for event in &events {
        if let Err(violation) = judge(plan, event, Trust::Client) {
            assert!(!violation.path().is_empty() && !violation.message().is_empty());
        }
    }
    let bytes = encode_batch(&batch.header, &events, Some(names));
    let Ok(container) = open(&bytes) else {
        return; // Spelled out it was smaller than a batch may be, written anew it is not.
    };
    let again = decode_batch(container.sections, Some(names)).expect("what was written can be read");
    let dictionary = Some(names.number());
    assert_eq!(again.header, BatchHeader { dictionary, ..batch.header.clone() });
    assert!(again.events.iter().map(Result::as_ref).map(Result::ok).eq(events.into_iter().map(Some)));
}

/// The page's reader by hand and the edge's by serde say the same of any bytes: this event, or that refusal.
pub fn readers_agree(bytes: &[u8], header: &BatchHeader, names: &Names) {
    let mut section = selvedge_core::wire::codec::Writer::new();
    section.section(selvedge_core::wire::batch::TAG_EVENT, bytes);
    let by_serde = decode_events(header, &section.into_bytes(), Some(names)).expect("one whole section");
    let by_serde = by_serde.into_iter().next().expect("one event");
    if bytes.len() <= selvedge_core::limits::EVENT_BYTES_MAX {
        let by_hand = read_event(bytes, header.sent_at_ms, Some(names)).map_err(refusal_of);
        assert_eq!(by_hand, by_serde.map_err(|undecodable| undecodable.code));
    }
}
