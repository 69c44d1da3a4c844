//! Attributes as written.

use crate::codes::Code;
use crate::diagnostic::Report;
use crate::fields::{self, Fields, NameKind, Spanned};
use crate::literal::DURATION_MS_MAX;
use crate::source::Span;
use crate::written::entries::{name_of, named};
use crate::written::stretch::duration;
use crate::yaml::{Entry, Value};
use selvedge_core::wire::program::{AttributeScope, AttributeType, IfStale, Ttl};

/// An attribute as written.
#[derive(Debug)]
pub(crate) struct Attribute {
    pub name: Spanned<String>,
    pub kind: AttributeKind,
    pub scope: AttributeScope,
    pub set: Vec<Set>,
    pub private: bool,
    pub ttl: Option<Ttl>,
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
    const TYPES: [(&str, AttributeKind); 6] = [
        ("text", AttributeKind::Plain(AttributeType::Text)),
        ("number", AttributeKind::Plain(AttributeType::Number)),
        ("bool", AttributeKind::Plain(AttributeType::Bool)),
        ("money", AttributeKind::Money),
        ("time", AttributeKind::Plain(AttributeType::Time)),
        ("list", AttributeKind::Plain(AttributeType::List)),
    ];
    const SCOPES: [(&str, AttributeScope); 5] = [
        ("session", AttributeScope::Session),
        ("visitor", AttributeScope::Visitor),
        ("context", AttributeScope::Context),
        ("profile", AttributeScope::Profile),
        ("account", AttributeScope::Account),
    ];
    let name = name_of(entry, NameKind::Dotted, report);
    let mut fields = Fields::of(&entry.value, report)?;
    let kind = fields.required("type").and_then(|node| fields::word(node, &TYPES, &[], report));
    let scope = fields.required("from").and_then(|node| fields::word(node, &SCOPES, &[], report));
    let set = named(fields.optional("set"), read_set, report);
    let private = fields.optional("private").and_then(|node| fields::flag(node, report));
    let ttl = read_ttl(&mut fields, report);
    fields.finish(&[], report);
    Some(Attribute { name, kind: kind?, scope: scope?, set, private: private.unwrap_or(false), ttl })
}

/// How long a value counts, and what it is then.
fn read_ttl(fields: &mut Fields<'_>, report: &mut Report) -> Option<Ttl> {
    const WORDS: [(&str, IfStale); 2] = [("unknown", IfStale::Unknown), ("missing", IfStale::Missing)];
    let if_stale = fields.optional("if_stale");
    let ms = match (fields.optional("ttl"), if_stale) {
        (Some(node), _) => duration(node, DURATION_MS_MAX, report)?,
        (None, Some(node)) => {
            let help = "add for example `ttl: 7d`".to_owned();
            report.add_help(Code::E0006, node.span, "`if_stale` needs a `ttl`", help);
            return None;
        }
        (None, None) => return None,
    };
    let if_stale = if_stale.and_then(|node| fields::word(node, &WORDS, &[], report));
    Some(Ttl { ms, if_stale: if_stale.unwrap_or(IfStale::Unknown) })
}

fn read_set(entry: &Entry, report: &mut Report) -> Option<Set> {
    let event = Spanned { value: entry.key.clone(), span: entry.key_span };
    let span = entry.value.span;
    if matches!(entry.value.value, Value::Map(_)) {
        let mut fields = Fields::of(&entry.value, report)?;
        let property = fields.required("property").and_then(|node| fields::text(node, report));
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
