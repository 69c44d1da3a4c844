//! tracking-plan.yaml: which events exist and what their properties are.

use crate::codes::Code;
use crate::diagnostic::Report;
use crate::fields::{self, Elsewhere, Fields, NameKind};
use crate::yaml::Node;
use selvedge_core::consent::Purposes;
use selvedge_core::event::EventType;
use selvedge_core::limits::PROPERTIES_MAX;
use selvedge_core::tracking_plan::{Nature, PlanEvent, PlanProperty, PropertyType, Trust};

const PURPOSES: [(&str, Purposes); 4] = [
    ("necessary", Purposes::NECESSARY),
    ("analytics", Purposes::ANALYTICS),
    ("personalization", Purposes::PERSONALIZATION),
    ("advertising", Purposes::ADVERTISING),
];

/// The purpose a key names.
pub(crate) fn purpose(node: &Node, report: &mut Report) -> Option<Purposes> {
    fields::word(node, &PURPOSES, &[], report)
}

/// Reads tracking-plan.yaml.
pub(crate) fn read(root: &Node, report: &mut Report) -> Vec<PlanEvent> {
    let Some(mut fields) = Fields::of(root, report) else { return Vec::new() };
    let events = fields.required("events").and_then(|node| fields::map(node, report));
    fields.finish(&[], report);
    let entries = events.map(|map| map.entries.as_slice()).unwrap_or_default();
    entries
        .iter()
        .filter_map(|entry| {
            fields::name(&entry.key, entry.key_span, NameKind::Free, report);
            if entry.key == EventType::Exposure.as_str() {
                let message = "`exposure` is described by Selvedge itself";
                report.add_help(Code::E0207, entry.key_span, message, "remove it from the plan".to_owned());
            }
            read_event(&entry.key, &entry.value, report)
        })
        .collect()
}

fn read_event(name: &str, node: &Node, report: &mut Report) -> Option<PlanEvent> {
    const NATURES: [(&str, Nature); 2] =
        [("behavioural", Nature::Behavioural), ("operational", Nature::Operational)];
    const TRUSTS: [(&str, Trust); 2] = [("client", Trust::Client), ("server", Trust::Server)];
    let mut fields = Fields::of(node, report)?;
    let version = fields.optional("version").and_then(|node| fields::whole(node, 1, 65_535, report));
    let nature = fields.optional("nature").and_then(|node| fields::word(node, &NATURES, &[], report));
    let trust = fields.optional("trust").and_then(|node| fields::word(node, &TRUSTS, &[], report));
    let purposes = fields.required("purposes").map(|node| read_purposes(node, report));
    let additional = fields.optional("additional_properties").and_then(|node| fields::flag(node, report));
    let properties = fields.optional("properties").map(|node| read_properties(node, report));
    for documentation in ["owner", "description"] {
        if let Some(node) = fields.optional(documentation) {
            fields::text(node, report);
        }
    }
    fields.finish(&[], report);
    Some(PlanEvent {
        name: name.to_owned(),
        version: version.and_then(|version| u16::try_from(version).ok()).unwrap_or(1),
        nature: nature.unwrap_or(Nature::Behavioural),
        trust: trust.unwrap_or(Trust::Client),
        purposes: purposes.unwrap_or_default(),
        additional_properties: additional.unwrap_or(false),
        urgent: false,
        properties: properties.unwrap_or_default(),
    })
}

fn read_purposes(node: &Node, report: &mut Report) -> Purposes {
    let items = fields::items(node);
    if items.is_empty() {
        report.add(Code::E0006, node.span, "an event without a purpose could never be captured");
    }
    let named: Vec<Purposes> = items.iter().filter_map(|item| purpose(item, report)).collect();
    named.into_iter().fold(Purposes::NONE, Purposes::or)
}

fn read_properties(node: &Node, report: &mut Report) -> Vec<PlanProperty> {
    let Some(map) = fields::map(node, report) else { return Vec::new() };
    if map.entries.len() > PROPERTIES_MAX {
        let message = format!("{} properties; an event may have at most {PROPERTIES_MAX}", map.entries.len());
        report.add(Code::E0016, node.span, message);
    }
    let mut properties: Vec<PlanProperty> = map
        .entries
        .iter()
        .filter_map(|entry| {
            fields::name(&entry.key, entry.key_span, NameKind::Free, report);
            read_property(&entry.key, &entry.value, report)
        })
        .collect();
    properties.sort_by(|a, b| a.name.cmp(&b.name));
    properties
}

const TYPES: [(&str, PropertyType); 8] = [
    ("text", PropertyType::Text),
    ("number", PropertyType::Number),
    ("integer", PropertyType::Integer),
    ("bool", PropertyType::Bool),
    ("money", PropertyType::Money),
    ("time", PropertyType::Time),
    ("list", PropertyType::List),
    ("object", PropertyType::Object),
];

fn read_property(name: &str, node: &Node, report: &mut Report) -> Option<PlanProperty> {
    const ELSEWHERE: [Elsewhere; 4] = [
        ("pattern", "texts are bounded by an `enum`", "list the values under `enum`, or remove it"),
        ("min", "the tracking plan judges types, not bounds", "ask in `where`: `where value >= 0 EUR`"),
        ("max", "the tracking plan judges types, not bounds", "ask in `where`: `where value <= 500 EUR`"),
        ("properties", "an `object` holds any properties, and they are not described", "remove it"),
    ];
    let mut fields = Fields::of(node, report)?;
    let property_type = fields.required("type").and_then(|node| fields::word(node, &TYPES, &[], report));
    let required = fields.optional("required").and_then(|node| fields::flag(node, report));
    let pii = fields.optional("pii").and_then(|node| fields::flag(node, report));
    let masked = fields.optional("masked").and_then(|node| fields::flag(node, report));
    let one_of = fields.optional("enum").map(|node| read_enum(node, property_type, report));
    if let Some(node) = fields.optional("description") {
        fields::text(node, report);
    }
    fields.finish(&ELSEWHERE, report);
    Some(PlanProperty {
        name: name.to_owned(),
        property_type: property_type?,
        required: required.unwrap_or(false),
        pii: pii.unwrap_or(false),
        masked: masked.unwrap_or(false),
        one_of: one_of.unwrap_or_default(),
    })
}

fn read_enum(node: &Node, property_type: Option<PropertyType>, report: &mut Report) -> Vec<String> {
    if property_type.is_some_and(|known| known != PropertyType::Text) {
        report.add_help(
            Code::E0007,
            node.span,
            "only a text can have an `enum`",
            "remove `enum`, or write `type: text`".to_owned(),
        );
        return Vec::new();
    }
    let Some(items) = fields::list(node, report) else { return Vec::new() };
    let mut values: Vec<String> =
        items.iter().filter_map(|item| fields::text(item, report)).map(|text| text.value).collect();
    values.sort();
    values.dedup();
    values
}
