//! A program's bytes.

use super::{
    ACCEPT, Attribute, AttributeSet, Cap, Content, EdgeConfig, Fact, FactSource, Group, Hold, Instruction,
    Jump, MAGIC, Metric, Parts, REJECT, Rule, SetTo, Shape, Slot, Test, Window, tag,
};
use crate::tracking_plan::{PlanEvent, PlanProperty};
use crate::wire::codec::Writer;
use alloc::string::String;
use alloc::vec::Vec;

impl Parts {
    /// The program's bytes. The same parts give the same bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.raw(MAGIC);
        section(&mut out, tag::SITE, |out| {
            out.text(&self.site);
            out.text(&self.currency);
            out.varint(self.late_ms.into());
        });
        section(&mut out, tag::PLAN, |out| list(out, &self.plan.events, plan_event));
        section(&mut out, tag::ATTRIBUTES, |out| list(out, &self.attributes, attribute));
        section(&mut out, tag::FACTS, |out| list(out, &self.facts, fact));
        section(&mut out, tag::METRICS, |out| list(out, &self.metrics, metric));
        section(&mut out, tag::CODE, |out| self.code.iter().for_each(|code| instruction(out, code)));
        section(&mut out, tag::MASKS, |out| {
            list(out, &self.masks, |out, words| list(out, words, |out, word| out.fixed_u64(*word)));
        });
        section(&mut out, tag::RULES, |out| list(out, &self.rules, rule));
        section(&mut out, tag::SLOTS, |out| list(out, &self.slots, slot));
        section(&mut out, tag::GROUPS, |out| list(out, &self.groups, group));
        section(&mut out, tag::CONTENTS, |out| list(out, &self.contents, content));
        if let Some(edge) = &self.edge {
            section(&mut out, tag::EDGE, |out| edge_config(out, edge));
        }
        out.into_bytes()
    }
}

fn section(out: &mut Writer, tag: u8, write: impl FnOnce(&mut Writer)) {
    let mut content = Writer::new();
    write(&mut content);
    out.section(tag, &content.into_bytes());
}

fn list<T>(out: &mut Writer, items: &[T], write: impl Fn(&mut Writer, &T)) {
    out.count(items.len());
    items.iter().for_each(|item| write(out, item));
}

/// 0 for none, else the index plus 1.
fn optional_index(out: &mut Writer, index: Option<u16>) {
    out.varint(index.map_or(0, |index| u64::from(index).saturating_add(1)));
}

fn optional_number(out: &mut Writer, number: Option<i64>) {
    out.flag(number.is_some());
    if let Some(number) = number {
        out.zigzag(number);
    }
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
    out.flag(property.pii);
    list(out, &property.one_of, |out, text| out.text(text));
}

fn attribute(out: &mut Writer, attribute: &Attribute) {
    out.text(&attribute.name);
    out.u8(attribute.scope as u8);
    out.u8(attribute.attribute_type as u8);
    out.varint(attribute.purpose.0.into());
    out.flag(attribute.private);
    list(out, &attribute.set, attribute_set);
}

fn attribute_set(out: &mut Writer, set: &AttributeSet) {
    out.text(&set.event);
    match &set.to {
        SetTo::Text(text) => {
            out.u8(0);
            out.text(text);
        }
        SetTo::Number(micro) => {
            out.u8(1);
            out.zigzag(*micro);
        }
        SetTo::Bool(bool) => {
            out.u8(2);
            out.flag(*bool);
        }
        SetTo::Property(name) => {
            out.u8(3);
            out.text(name);
        }
    }
}

fn fact(out: &mut Writer, fact: &Fact) {
    match &fact.source {
        FactSource::Builtin(builtin) => {
            out.u8(0);
            out.u8(*builtin as u8);
        }
        FactSource::Attribute(at) => {
            out.u8(1);
            out.varint((*at).into());
        }
        FactSource::Metric(at) => {
            out.u8(2);
            out.varint((*at).into());
        }
        FactSource::Property(name) => {
            out.u8(3);
            out.text(name);
        }
    }
    match &fact.shape {
        Shape::Number => out.u8(0),
        Shape::OneOf(texts) => {
            out.u8(1);
            list(out, texts, |out, text| out.text(text));
        }
        Shape::Text(test, pattern) => {
            out.u8(2);
            out.u8(*test as u8);
            out.text(pattern);
        }
    }
    optional_number(out, fact.default);
}

fn metric(out: &mut Writer, metric: &Metric) {
    out.text(&metric.name);
    out.fixed_u64(metric.meaning);
    out.text(&metric.event);
    optional_index(out, metric.filter);
    window(out, metric.window);
    out.varint(metric.threshold.into());
    out.varint(metric.purpose.0.into());
    out.flag(metric.private);
}

fn window(out: &mut Writer, window: Window) {
    match window {
        Window::Page => out.u8(0),
        Window::Session => out.u8(1),
        Window::Sliding(window_ms) => {
            out.u8(2);
            out.varint(window_ms);
        }
    }
}

fn instruction(out: &mut Writer, instruction: &Instruction) {
    let (kind, low, high) = match instruction.test {
        Test::Range(low, high) => (0, low, high),
        Test::Mask(bits) => (1, bits.cast_signed(), 0),
        Test::MaskWide(at) => (2, i64::from(at), 0),
        Test::Missing => (3, 0, 0),
    };
    out.raw(&instruction.fact.to_le_bytes());
    out.raw(&[kind, 0]);
    out.raw(&jump(instruction.on_true).to_le_bytes());
    out.raw(&jump(instruction.on_false).to_le_bytes());
    out.raw(&low.to_le_bytes());
    out.raw(&high.to_le_bytes());
}

const fn jump(jump: Jump) -> u16 {
    match jump {
        Jump::To(at) => at,
        Jump::Accept => ACCEPT,
        Jump::Reject => REJECT,
    }
}

fn rule(out: &mut Writer, rule: &Rule) {
    out.text(&rule.id);
    out.zigzag(rule.priority.into());
    out.u8(rule.status as u8);
    out.varint(rule.purpose.0.into());
    optional_index(out, rule.when);
    out.varint(rule.slot.into());
    out.varint(rule.content.into());
    optional_index(out, rule.group);
    list(out, &rule.caps, cap);
    match rule.hold {
        Hold::Page => out.u8(0),
        Hold::Session => out.u8(1),
        Hold::Time(hold_ms) => {
            out.u8(2);
            out.varint(hold_ms);
        }
    }
    out.flag(rule.in_page);
}

fn cap(out: &mut Writer, cap: &Cap) {
    out.varint(cap.limit.into());
    window(out, cap.window);
}

fn slot(out: &mut Writer, slot: &Slot) {
    out.text(&slot.name);
    optional_index(out, slot.fallback);
}

fn group(out: &mut Writer, group: &Group) {
    out.text(&group.name);
    optional_index(out, group.max_per_page);
    list(out, &group.caps, cap);
}

fn content(out: &mut Writer, content: &Content) {
    out.text(&content.id);
    out.u8(content.content_type as u8);
    list(out, &content.fields, |out, (name, value)| {
        out.text(name);
        out.text(value);
    });
}

fn edge_config(out: &mut Writer, edge: &EdgeConfig) {
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
    let files = files(edge);
    list(out, &files, |out, file| out.text(file));
    list(out, &edge.leaves, |out, leaf| {
        let file = files.iter().position(|file| *file == leaf.file).unwrap_or_default();
        out.count(file);
        out.varint(leaf.line.into());
        out.varint(leaf.column.into());
        out.text(&leaf.text);
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
