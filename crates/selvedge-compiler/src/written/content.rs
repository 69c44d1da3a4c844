//! content.yaml: what rules show, in every language. Nothing here can run code in the page.

mod field;
mod json;

pub(crate) use json::escape as escape_json;

use crate::codes::Code;
use crate::diagnostic::Report;
use crate::fields::{self, Fields, NameKind};
use crate::source::Span;
use crate::template::Placeholder;
use crate::yaml::{Entry, Map, Node, Value};
use selvedge_core::limits::{CONTENT_FIELDS_MAX, LOCALES_MAX};
use selvedge_core::wire::program::{ContentType, Escape};

/// A content as written.
#[derive(Debug)]
pub(crate) struct Content {
    pub id: String,
    pub id_span: Span,
    pub content_type: ContentType,
    /// By language, from the most to the least special; the last is for everybody else.
    pub wordings: Vec<Wording>,
}

/// A content in one language.
#[derive(Debug)]
pub(crate) struct Wording {
    /// BCP 47, lower case; empty for everybody else.
    pub language: String,
    /// Sorted by name.
    pub fields: Vec<Field>,
}

/// A field of a content: its name and its text.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub name: String,
    pub pieces: Vec<Piece>,
}

/// A piece of a field's text.
#[derive(Debug, Clone)]
pub(crate) enum Piece {
    Text(String),
    Value(Placeholder, Escape),
    /// A JSON value of its own: a number stays one.
    Whole(Placeholder),
}

/// Reads content.yaml.
pub(crate) fn read(root: &Node, report: &mut Report) -> Vec<Content> {
    let entries = fields::map(root, report).map(|map| map.entries.as_slice()).unwrap_or_default();
    entries
        .iter()
        .filter_map(|entry| {
            fields::name(&entry.key, entry.key_span, NameKind::Dashed, report);
            read_content(entry, report)
        })
        .collect()
}

const TYPES: [(&str, ContentType); 6] = [
    ("text", ContentType::Text),
    ("html", ContentType::Html),
    ("image", ContentType::Image),
    ("link", ContentType::Link),
    ("attributes", ContentType::Attributes),
    ("json", ContentType::Json),
];

fn read_content(entry: &Entry, report: &mut Report) -> Option<Content> {
    let mut fields = Fields::of(&entry.value, report)?;
    let content_type = fields.required("type").and_then(|node| fields::word(node, &TYPES, &[], report));
    let Some(content_type) = content_type else { return fields.give_up(report) };
    let everybody = read_fields(content_type, &mut fields, true, report);
    let mut wordings = match fields.filled("locales", report) {
        None => Vec::new(),
        Some(node) => read_locales(node, content_type, &everybody, report),
    };
    fields.finish(&[], report);
    wordings.push(Wording { language: String::new(), fields: everybody });
    Some(Content { id: entry.key.clone(), id_span: entry.key_span, content_type, wordings })
}

/// The fields of a type. Those of a language may be left out: then they are everybody's.
fn read_fields(
    content_type: ContentType,
    fields: &mut Fields<'_>,
    is_whole: bool,
    report: &mut Report,
) -> Vec<Field> {
    let names: &[(&'static str, bool)] = match content_type {
        ContentType::Text => &[("text", true)],
        ContentType::Link => &[("href", true), ("text", true)],
        ContentType::Image => &[("src", true), ("alt", true), ("href", false)],
        ContentType::Html => &[("html", true)],
        ContentType::Json => &[("json", true)],
        ContentType::Attributes => return attributes(fields, is_whole, report),
    };
    let mut found = Vec::new();
    for (name, is_required) in names {
        let node = match is_whole && *is_required {
            true => fields.required(name),
            false => fields.filled(name, report),
        };
        let Some(node) = node else { continue };
        let pieces = match content_type {
            ContentType::Json => json::pieces(node, report),
            ContentType::Html => field::markup(node, report),
            _ => field::pieces(name, node, report),
        };
        found.extend(pieces.map(|pieces| Field { name: (*name).to_owned(), pieces }));
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

fn attributes(fields: &mut Fields<'_>, is_whole: bool, report: &mut Report) -> Vec<Field> {
    let node = if is_whole { fields.required("attributes") } else { fields.filled("attributes", report) };
    let Some(Node { value: Value::Map(Map { entries }), .. }) = node else { return Vec::new() };
    if entries.len() > CONTENT_FIELDS_MAX {
        let message = format!("{} attributes; a content may set at most {CONTENT_FIELDS_MAX}", entries.len());
        report.add(Code::E0016, entries[0].key_span, message);
    }
    let mut found: Vec<Field> = entries.iter().filter_map(|entry| field::attribute(entry, report)).collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

fn read_locales(
    node: &Node,
    content_type: ContentType,
    everybody: &[Field],
    report: &mut Report,
) -> Vec<Wording> {
    let entries = fields::map(node, report).map(|map| map.entries.as_slice()).unwrap_or_default();
    if entries.len() >= LOCALES_MAX {
        let message = format!("{} languages; a content may have at most {}", entries.len(), LOCALES_MAX - 1);
        report.add(Code::E0016, entries[0].key_span, message);
    }
    let mut wordings: Vec<Wording> = Vec::new();
    for entry in entries {
        let language = entry.key.to_lowercase();
        if !is_language(&language) || wordings.iter().any(|known| known.language == language) {
            let message = format!("`{}` is not a language that can be chosen here", entry.key);
            let help = "write each once, as browsers do: `de`, `de-AT`, `pt-BR`".to_owned();
            report.add_help(Code::E0606, entry.key_span, message, help);
            continue;
        }
        let Some(mut fields) = Fields::of(&entry.value, report) else { continue };
        let own = read_fields(content_type, &mut fields, false, report);
        fields.finish(&[], report);
        wordings.push(Wording { language, fields: merged(everybody, own) });
    }
    wordings.sort_by(|a, b| (b.language.len(), &a.language).cmp(&(a.language.len(), &b.language)));
    wordings
}

/// Everybody's fields, with those of a language in their place.
fn merged(everybody: &[Field], own: Vec<Field>) -> Vec<Field> {
    let is_own = |field: &&Field| own.iter().any(|other| other.name == field.name);
    let mut fields: Vec<Field> = everybody.iter().filter(|field| !is_own(field)).cloned().collect();
    fields.extend(own);
    fields.sort_by(|a, b| a.name.cmp(&b.name));
    fields
}

/// A language, and what follows it: `de`, `de-at`, `zh-hant`.
pub(crate) fn is_language(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let is_language =
        |part: &str| (2..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphabetic());
    let is_part =
        |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    parts.next().is_some_and(is_language) && parts.all(is_part)
}
