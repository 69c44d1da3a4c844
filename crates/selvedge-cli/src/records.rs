//! What a site's records look like: JSON Schema of each kind, and of each event of the tracking plan; and the same as a
//! table for docs/stream.md.

use selvedge_core::tracking_plan::{Plan, PlanEvent, PlanProperty, PropertyType};
use selvedge_core::wire::program::RecordKind;
use selvedge_core::wire::record::{FIELDS, Field, Holds, event_types, type_of};
use serde_json::{Map, Value, json};
use std::fmt::Write;

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The schema of all records of a site: one for each kind, by its type, and one for each event of the plan, by type and
/// name (`selvedge.event.v1/purchase`).
#[must_use]
pub fn schema(site: &str, plan: &Plan) -> Value {
    let of_kind = |kind: RecordKind| (type_of(kind), of_kind(kind));
    let mut defs: Map<String, Value> = RecordKind::ALL.into_iter().map(of_kind).collect();
    let events = type_of(RecordKind::Event);
    for event in &plan.events {
        defs.insert(format!("{events}/{}", event.name), of_event(event));
    }
    let all = RecordKind::ALL.map(|kind| reference(&type_of(kind)));
    json!({
        "$schema": DIALECT,
        "$id": format!("urn:selvedge:records:{site}"),
        "title": format!("Records of {site}"),
        "oneOf": all,
        "$defs": defs,
    })
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/$defs/{}", name.replace('~', "~0").replace('/', "~1"))})
}

/// Every field of the kind, and no other.
fn of_kind(kind: RecordKind) -> Value {
    let fields = || FIELDS.iter().filter(|field| field.kinds.has(kind));
    let properties: Map<String, Value> =
        fields().map(|field| (field.name.to_owned(), of_field(field, kind))).collect();
    let required: Vec<&str> = fields().filter(|field| field.is_required).map(|field| field.name).collect();
    json!({
        "$id": format!("urn:selvedge:schema:{}", type_of(kind)),
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn of_field(field: &Field, kind: RecordKind) -> Value {
    let mut schema = match field.holds {
        Holds::Type => json!({"const": type_of(kind)}),
        Holds::Text => json!({"type": "string"}),
        Holds::Word(words) => json!({"enum": words}),
        Holds::EventType => json!({"enum": event_types()}),
        Holds::Time => json!({"type": "string", "format": "date-time"}),
        Holds::Whole => json!({"type": "integer", "minimum": 0}),
        Holds::Number => json!({"type": "number"}),
        Holds::Flag => json!({"type": "boolean"}),
        Holds::Texts => json!({"type": "array", "items": {"type": "string"}}),
        Holds::Context | Holds::Properties | Holds::Told => json!({"type": "object"}),
    };
    if let Value::Object(schema) = &mut schema {
        schema.insert("description".to_owned(), json!(field.doc));
    }
    schema
}

/// An event of the plan: a record of the kind, whose properties are those of the plan.
fn of_event(event: &PlanEvent) -> Value {
    let of = |property: &PlanProperty| (property.name.clone(), of_property(property));
    let properties: Map<String, Value> = event.properties.iter().map(of).collect();
    let required = event.properties.iter().filter(|property| property.required);
    let required: Vec<&str> = required.map(|property| property.name.as_str()).collect();
    json!({
        "allOf": [reference(&type_of(RecordKind::Event))],
        "properties": {
            "name": {"const": event.name},
            "properties": {
                "type": "object",
                "properties": properties,
                "required": required,
                "additionalProperties": event.additional_properties,
            },
        },
    })
}

fn of_property(property: &PlanProperty) -> Value {
    let mut kinds = match property.property_type {
        PropertyType::Text => vec!["string"],
        PropertyType::Number | PropertyType::Money => vec!["number"],
        PropertyType::Integer => vec!["integer"],
        PropertyType::Bool => vec!["boolean"],
        PropertyType::Time => vec!["string", "number"],
        PropertyType::List => vec!["array"],
        PropertyType::Object => vec!["object"],
    };
    // What may be left out may be sent empty.
    let nothing = (!property.required).then_some(Value::Null);
    kinds.extend(nothing.as_ref().map(|_| "null"));
    let mut schema = json!({"type": kinds});
    if let (Value::Object(schema), false) = (&mut schema, property.one_of.is_empty()) {
        let words = property.one_of.iter().map(|word| json!(word)).chain(nothing);
        schema.insert("enum".to_owned(), words.collect());
    }
    schema
}

/// The fields of all kinds, as a table in Markdown.
#[must_use]
pub fn table() -> String {
    let mut out = String::from("| field | of | holds | what it is |\n|---|---|---|---|\n");
    for field in FIELDS {
        let kinds = RecordKind::ALL.into_iter().filter(|kind| field.kinds.has(*kind)).map(RecordKind::as_str);
        let kinds: Vec<&str> = kinds.collect();
        let of = if kinds.len() == RecordKind::ALL.len() { "all".to_owned() } else { kinds.join(", ") };
        let of = if field.is_required { of } else { format!("{of} (at times)") };
        let _ = writeln!(out, "| `{}` | {of} | {} | {} |", field.name, holds(field.holds), field.doc);
    }
    out
}

fn holds(holds: Holds) -> String {
    match holds {
        Holds::Type => "`selvedge.KIND.v1`".to_owned(),
        Holds::Text => "text".to_owned(),
        Holds::Word(words) => words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
        Holds::EventType => event_types().map(|word| format!("`{word}`")).join(", "),
        Holds::Time => "RFC 3339".to_owned(),
        Holds::Whole => "whole number".to_owned(),
        Holds::Number => "number".to_owned(),
        Holds::Flag => "yes or no".to_owned(),
        Holds::Texts => "texts".to_owned(),
        Holds::Context | Holds::Properties | Holds::Told => "object".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::new_site;
    use selvedge_compiler::compile;
    use std::path::Path;

    /// `SELVEDGE_UPDATE_DOCS=1 cargo test -p selvedge-cli` writes the table.
    #[test]
    fn the_table_of_docs_stream_md_is_current() {
        const MARKS: (&str, &str) = ("<!-- fields -->\n", "<!-- end of fields -->");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/stream.md");
        let page = std::fs::read_to_string(&path).unwrap();
        let (before, rest) = page.split_once(MARKS.0).unwrap();
        let (_, after) = rest.split_once(MARKS.1).unwrap();
        let current = format!("{before}{}{}{}{after}", MARKS.0, table(), MARKS.1);
        if std::env::var_os("SELVEDGE_UPDATE_DOCS").is_some() {
            std::fs::write(&path, &current).unwrap();
            return;
        }
        assert!(page == current, "docs/stream.md is not current: SELVEDGE_UPDATE_DOCS=1 writes it");
    }

    #[test]
    fn a_record_that_lacks_a_property_or_has_a_wrong_one_breaks_its_schema() {
        let full = compile(&new_site()).program.unwrap().full;
        let event = full.plan.events.iter().find(|event| event.name == "product_view").unwrap();
        let mut schema = schema(&full.site, &full.plan);
        schema["oneOf"] = json!([reference("selvedge.event.v1/product_view")]);
        let validator = jsonschema::validator_for(&schema).unwrap();
        let required: Vec<_> = FIELDS.iter().filter(|field| field.kinds.has(RecordKind::Event)).collect();
        let mut record = Map::new();
        for field in required.iter().filter(|field| field.is_required) {
            let value = match field.holds {
                Holds::Type => json!("selvedge.event.v1"),
                Holds::Word(words) => json!(words[0]),
                Holds::EventType => json!("track"),
                Holds::Whole => json!(1),
                Holds::Flag => json!(true),
                Holds::Texts => json!(["analytics"]),
                Holds::Context => json!({}),
                Holds::Properties => json!({"sku": "s", "category": "shoes"}),
                _ => json!("2026-11-22T09:01:01.007Z"),
            };
            record.insert(field.name.to_owned(), value);
        }
        record["name"] = json!("product_view");
        assert!(event.properties.iter().any(|property| property.name == "category"));
        let whole = Value::Object(record);
        assert!(validator.is_valid(&whole), "{:?}", validator.validate(&whole));
        for change in ["visitor", "consent_mode"] {
            let mut broken = whole.clone();
            broken.as_object_mut().unwrap().remove(change);
            assert!(!validator.is_valid(&broken), "{change}");
        }
        for (path, value) in [("/properties/category", json!(7)), ("/name", json!("purchase"))] {
            let mut broken = whole.clone();
            *broken.pointer_mut(path).unwrap() = value;
            assert!(!validator.is_valid(&broken), "{path}");
        }
        let mut more = whole;
        more["colour"] = json!("red");
        assert!(!validator.is_valid(&more));
    }
}
