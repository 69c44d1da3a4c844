//! The parts of a program that are in the postcard format, to bytes.

use super::super::layout::NONE;
use super::super::{Content, EdgeConfig, Keep, Rates};
use crate::tracking_plan::{Plan, PlanEvent, PlanProperty};
use crate::wire::codec::Writer;
use alloc::string::String;
use alloc::vec::Vec;

/// The tracking plan.
pub(super) fn plan(out: &mut Writer, plan: &Plan) {
    list(out, &plan.events, plan_event);
}

/// One content.
pub(super) fn content(out: &mut Writer, content: &Content) {
    out.text(&content.id);
    out.u8(content.content_type as u8);
    list(out, &content.fields, |out, (name, value)| {
        out.text(name);
        out.text(value);
    });
}

pub(super) fn list<T>(out: &mut Writer, items: &[T], write: impl Fn(&mut Writer, &T)) {
    out.count(items.len());
    items.iter().for_each(|item| write(out, item));
}

fn plan_event(out: &mut Writer, event: &PlanEvent) {
    out.text(&event.name);
    out.varint(event.version.into());
    out.u8(event.nature as u8);
    out.u8(event.trust as u8);
    out.varint(event.purposes.0.into());
    out.flag(event.additional_properties);
    out.flag(event.urgent);
    list(out, &event.properties, plan_property);
}

fn plan_property(out: &mut Writer, property: &PlanProperty) {
    out.text(&property.name);
    out.u8(property.property_type as u8);
    out.flag(property.required);
    out.u8(u8::from(property.pii) | u8::from(property.masked) << 1);
    list(out, &property.one_of, |out, text| out.text(text));
}

/// What only the edge knows.
pub(super) fn edge_config(out: &mut Writer, edge: &EdgeConfig) {
    list(out, &edge.sources, |out, source| {
        out.text(&source.name);
        out.u8(source.kind as u8);
        out.text(&source.key);
    });
    list(out, &edge.origins, |out, origin| out.text(origin));
    out.u8(edge.consent_mode as u8);
    list(out, &edge.consent_regions, |out, (country, mode)| {
        out.text(country);
        out.u8(*mode as u8);
    });
    out.varint(edge.policy_version.into());
    pairs(out, &edge.selectors);
    let files = files(edge);
    list(out, &files, |out, file| out.text(file));
    list(out, &edge.leaves, |out, leaf| {
        let file = files.iter().position(|file| *file == leaf.file).unwrap_or_default();
        out.count(file);
        out.varint(leaf.line.into());
        out.varint(leaf.column.into());
        out.text(&leaf.text);
    });
    if edge.keep != Keep::default() {
        out.varint(edge.keep.log_ms);
        out.varint(edge.keep.quarantine_ms);
    }
}

/// Pairs of texts.
pub(super) fn pairs(out: &mut Writer, pairs: &[(String, String)]) {
    list(out, pairs, |out, (first, second)| {
        out.text(first);
        out.text(second);
    });
}

/// Goals, and what experiments are judged by.
pub(super) fn judged(out: &mut Writer, edge: &EdgeConfig) {
    list(out, &edge.goals, |out, goal| {
        out.text(&goal.name);
        out.text(&goal.event);
        out.text(goal.value.as_deref().unwrap_or_default());
        out.u8(goal.trust as u8);
        out.varint(goal.within_ms.unwrap_or(0));
    });
    list(out, &edge.studies, |out, study| {
        out.text(&study.experiment);
        out.varint(study.primary.unwrap_or(NONE).into());
        list(out, &study.guardrails, |out, goal| out.varint((*goal).into()));
    });
}

/// Where rates of other currencies stand.
pub(super) fn rates(out: &mut Writer, rates: &Rates) {
    out.varint(rates.table.into());
    out.u8(rates.column);
    list(out, &rates.items, |out, name| out.text(name));
}

/// Tables whose rows are pushed.
pub(super) fn pushed(out: &mut Writer, edge: &EdgeConfig) {
    list(out, &edge.pushed, |out, table| {
        out.text(&table.name);
        out.varint(table.table.unwrap_or(NONE).into());
        out.text(&table.key);
        list(out, &table.columns, |out, (name, kind)| {
            out.text(name);
            out.u8(*kind as u8);
        });
        out.varint(table.ttl_ms.unwrap_or(0));
    });
}

/// The files that leaves stand in, each once, in order of appearance.
fn files(edge: &EdgeConfig) -> Vec<String> {
    let mut files: Vec<String> = Vec::new();
    for leaf in &edge.leaves {
        if !files.contains(&leaf.file) {
            files.push(leaf.file.clone());
        }
    }
    files
}
