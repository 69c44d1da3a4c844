//! Attributes resolved: what sets them exists and has their type.

use super::fact::FactType;
use super::measured::property_type;
use super::names::attribute_type;
use super::rates::may_be_foreign;
use crate::codes::Code;
use crate::diagnostic::Report;
use crate::literal;
use crate::source::Span;
use crate::suggest::did_you_mean;
use crate::written::attribute::{self as written, AttributeKind, SetTo};
use selvedge_core::date::time_ms;
use selvedge_core::tracking_plan::PlanEvent;
use selvedge_core::wire::program::{self, AttributeScope};

/// An attribute, resolved.
pub(crate) struct Attribute {
    pub name: String,
    pub scope: AttributeScope,
    pub attribute_type: program::AttributeType,
    pub set: Vec<program::AttributeSet>,
    pub private: bool,
    pub ttl: Option<program::Ttl>,
}

impl Attribute {
    /// Whether events set it to amounts that may be of another currency.
    pub fn is_of_amounts(&self) -> bool {
        self.set.iter().any(|set| matches!(set.to, program::SetTo::Amount(_)))
    }
}

/// Resolves an attribute; what is wrong is reported.
pub(super) fn resolve_attribute(
    found: &written::Attribute,
    events: &[PlanEvent],
    report: &mut Report,
) -> Attribute {
    let set: Vec<_> =
        found.set.iter().filter_map(|set| resolve_set(set, found.kind, events, report)).collect();
    check_source_of(found, report);
    Attribute {
        name: found.name.value.clone(),
        scope: found.scope,
        attribute_type: match found.kind {
            AttributeKind::Plain(plain) => plain,
            AttributeKind::Money => program::AttributeType::Number,
        },
        set,
        private: found.private,
        ttl: found.ttl,
    }
}

fn check_source_of(found: &written::Attribute, report: &mut Report) {
    let name = &found.name;
    match found.scope {
        AttributeScope::Session if found.set.is_empty() => {
            let message = format!("nothing ever sets `{}`", name.value);
            let help = "add `set:` with the events that change it, or write `from: visitor`".to_owned();
            report.add_help(Code::E0311, name.span, message, help);
        }
        AttributeScope::Context if found.kind == AttributeKind::Plain(program::AttributeType::List) => {
            let message = "a context holds texts, numbers and yes or no, not lists";
            report.add_help(Code::E0311, name.span, message, "write `from: visitor`".to_owned());
        }
        AttributeScope::Context if !found.set.is_empty() => {
            let message = format!("`{}` comes from the context, so no event can set it", name.value);
            report.add_help(
                Code::E0311,
                name.span,
                message,
                "write `from: visitor`, or remove `set:`".to_owned(),
            );
        }
        _ => {}
    }
}

fn resolve_set(
    set: &written::Set,
    kind: AttributeKind,
    events: &[PlanEvent],
    report: &mut Report,
) -> Option<program::AttributeSet> {
    let Some(event) = events.iter().find(|event| event.name == set.event.value) else {
        let known = events.iter().map(|event| event.name.as_str());
        let message = format!("the tracking plan has no event `{}`", set.event.value);
        report.add_help(Code::E0202, set.event.span, message, did_you_mean(&set.event.value, known));
        return None;
    };
    let to = match &set.to {
        SetTo::Property(name) => set_property(name, kind, event, set.span, report)?,
        constant => set_constant(constant, kind).or_else(|| {
            let message = "the constant has another type than the attribute";
            report.add_help(Code::E0312, set.span, message, constant_help(kind).to_owned());
            None
        })?,
    };
    Some(program::AttributeSet { event: set.event.value.clone(), to })
}

fn set_property(
    name: &str,
    kind: AttributeKind,
    event: &PlanEvent,
    span: Span,
    report: &mut Report,
) -> Option<program::SetTo> {
    if kind == AttributeKind::Plain(program::AttributeType::List) && is_of_items(name, event) {
        return Some(program::SetTo::Property(name.to_owned()));
    }
    let Some(found) = property_type(event, name) else {
        let known = event.properties.iter().map(|property| property.name.as_str());
        let message = format!("`{}` has no property `{name}` in the tracking plan", event.name);
        report.add_help(Code::E0203, span, message, did_you_mean(name, known));
        return None;
    };
    let is_same = match (&found, &attribute_type(kind)) {
        (FactType::Text { .. }, FactType::Text { .. }) => true,
        (found, wanted) => found == wanted && !matches!(found, FactType::Opaque(_)),
    };
    if !is_same {
        let message = format!("the property `{name}` has another type than the attribute");
        report.add(Code::E0312, span, message);
        return None;
    }
    let name = name.to_owned();
    let is_amount = found == FactType::Money && may_be_foreign(event);
    Some(if is_amount { program::SetTo::Amount(name) } else { program::SetTo::Property(name) })
}

/// Whether this is a property of the items of a list: `items.category`.
fn is_of_items(name: &str, event: &PlanEvent) -> bool {
    let mut dots = name.match_indices('.').map(|(dot, _)| &name[..dot]);
    dots.any(|list| property_type(event, list) == Some(FactType::List))
}

const fn constant_help(kind: AttributeKind) -> &'static str {
    use program::AttributeType::{Bool, List, Number, Text, Time};
    match kind {
        AttributeKind::Plain(Bool) => "write `true` or `false`",
        AttributeKind::Plain(Number) | AttributeKind::Money => "write a number with at most six decimals",
        AttributeKind::Plain(Text) => "write a text in quotes",
        AttributeKind::Plain(Time) => "write a day or a moment: `\"2026-12-24\"`",
        AttributeKind::Plain(List) => "set a list from a property of the event: `property: tags`",
    }
}

fn set_constant(constant: &SetTo, kind: AttributeKind) -> Option<program::SetTo> {
    use program::AttributeType::{Bool, Number, Text, Time};
    match (constant, kind) {
        (SetTo::Text(text), AttributeKind::Plain(Time)) => time_ms(text).map(program::SetTo::Number),
        (SetTo::Bool(flag), AttributeKind::Plain(Bool)) => Some(program::SetTo::Bool(*flag)),
        (SetTo::Number(number), AttributeKind::Plain(Number) | AttributeKind::Money) => {
            literal::micro(number).map(program::SetTo::Number)
        }
        (SetTo::Text(text), AttributeKind::Plain(Text)) => Some(program::SetTo::Text(text.clone())),
        (SetTo::Number(text), AttributeKind::Plain(Text)) => Some(program::SetTo::Text(text.clone())),
        _ => None,
    }
}
