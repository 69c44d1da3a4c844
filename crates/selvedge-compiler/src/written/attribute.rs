//! Attributes as written.

use crate::diagnostic::Report;
use crate::fields::{self, Fields, Later, NameKind, Spanned};
use crate::source::Span;
use crate::written::entries::{name_of, named};
use crate::yaml::{Entry, Value};
use selvedge_core::wire::program::{AttributeScope, AttributeType};

/// An attribute as written.
#[derive(Debug)]
pub(crate) struct Attribute {
    pub name: Spanned<String>,
    pub kind: AttributeKind,
    pub scope: AttributeScope,
    pub set: Vec<Set>,
    pub private: bool,
}

/// What an attribute is: money is told from numbers until it is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AttributeKind {
    Plain(AttributeType),
    Money,
}

/// An event that changes an attribute, as written.
#[derive(Debug)]
pub(crate) struct Set {
    pub event: Spanned<String>,
    pub to: SetTo,
    pub span: Span,
}

/// What it changes to.
#[derive(Debug)]
pub(crate) enum SetTo {
    Property(String),
    Text(String),
    Number(String),
    Bool(bool),
}

/// Reads one entry of `attributes`.
pub(super) fn read_attribute(entry: &Entry, report: &mut Report) -> Option<Attribute> {
    const TYPES: [(&str, AttributeKind); 4] = [
        ("text", AttributeKind::Plain(AttributeType::Text)),
        ("number", AttributeKind::Plain(AttributeType::Number)),
        ("bool", AttributeKind::Plain(AttributeType::Bool)),
        ("money", AttributeKind::Money),
    ];
    const TYPES_LATER: [Later; 2] = [
        ("time", "count the event in a window instead"),
        ("list", "use one attribute of type `bool` a value"),
    ];
    const SCOPES: [(&str, AttributeScope); 3] = [
        ("session", AttributeScope::Session),
        ("visitor", AttributeScope::Visitor),
        ("context", AttributeScope::Context),
    ];
    const SCOPES_LATER: [Later; 2] = [
        ("profile", "use `visitor`: what one device knows"),
        ("account", "use `visitor`, with a trait of the same name"),
    ];
    const LATER: [Later; 2] = [
        ("ttl", "use `from: session`"),
        ("if_stale", "say in the condition what unknown means: `x else false`"),
    ];
    let name = name_of(entry, NameKind::Dotted, report);
    let mut fields = Fields::of(&entry.value, report)?;
    let kind =
        fields.required("type", report).and_then(|node| fields::word(node, &TYPES, &TYPES_LATER, report));
    let scope =
        fields.required("from", report).and_then(|node| fields::word(node, &SCOPES, &SCOPES_LATER, report));
    let set = named(fields.optional("set"), read_set, report);
    let private = fields.optional("private").and_then(|node| fields::flag(node, report));
    fields.finish(&LATER, report);
    Some(Attribute { name, kind: kind?, scope: scope?, set, private: private.unwrap_or(false) })
}

fn read_set(entry: &Entry, report: &mut Report) -> Option<Set> {
    let event = Spanned { value: entry.key.clone(), span: entry.key_span };
    let span = entry.value.span;
    if matches!(entry.value.value, Value::Map(_)) {
        let mut fields = Fields::of(&entry.value, report)?;
        let property = fields.required("property", report).and_then(|node| fields::text(node, report));
        fields.finish(&[], report);
        return Some(Set { event, to: SetTo::Property(property?.value), span });
    }
    let scalar = fields::scalar(&entry.value, "a constant, or `{property: name}`", report)?;
    let to = match scalar.as_bool() {
        Some(flag) => SetTo::Bool(flag),
        None if scalar.is_number() => SetTo::Number(scalar.text.clone()),
        None => SetTo::Text(scalar.text.clone()),
    };
    Some(Set { event, to, span })
}
