//! content.yaml: what rules show. Nothing here can run code in the page.

use crate::codes::Code;
use crate::diagnostic::Report;
use crate::fields::{self, Fields, Later, NameKind, Spanned};
use crate::source::Span;
use crate::yaml::{Entry, Map, Node, Value};
use selvedge_core::limits::{CONTENT_FIELDS_MAX, TEXT_BYTES_MAX};
use selvedge_core::wire::program::{self, ContentType};

/// A content as written.
#[derive(Debug)]
pub(crate) struct Content {
    pub id_span: Span,
    pub content: program::Content,
}

/// Reads content.yaml.
pub(crate) fn read(root: &Node, report: &mut Report) -> Vec<Content> {
    let entries = fields::map(root, report).map(|map| map.entries.as_slice()).unwrap_or_default();
    entries
        .iter()
        .filter_map(|entry| {
            fields::name(&entry.key, entry.key_span, NameKind::Dashed, report);
            let content = read_content(&entry.key, &entry.value, report)?;
            Some(Content { id_span: entry.key_span, content })
        })
        .collect()
}

const TYPES: [(&str, ContentType); 4] = [
    ("text", ContentType::Text),
    ("url", ContentType::Url),
    ("image", ContentType::Image),
    ("attributes", ContentType::Attributes),
];
const TYPES_LATER: [Later; 3] = [
    ("html", "use `text`, `url` or `image`"),
    ("link", "use `url` with `href` and `text`"),
    ("json", "use `attributes`, one `data-...` attribute a value"),
];

fn read_content(id: &str, node: &Node, report: &mut Report) -> Option<program::Content> {
    let mut fields = Fields::of(node, report)?;
    let content_type =
        fields.required("type", report).and_then(|node| fields::word(node, &TYPES, &TYPES_LATER, report))?;
    let found = match content_type {
        ContentType::Text => named(&mut fields, &["text"], &[], report),
        ContentType::Url => named(&mut fields, &["href", "text"], &[], report),
        ContentType::Image => named(&mut fields, &["src", "alt"], &["href"], report),
        ContentType::Attributes => attributes(&mut fields, report),
    };
    fields.finish(&[("locales", "write one content and one rule for each language")], report);
    found.iter().for_each(|(name, value)| check_field(name, value, report));
    let mut found: Vec<(String, String)> =
        found.into_iter().map(|(name, value)| (name, value.value)).collect();
    found.sort();
    Some(program::Content { id: id.to_owned(), content_type, fields: found })
}

type Found = Vec<(String, Spanned<String>)>;

fn named(
    fields: &mut Fields<'_>,
    required: &[&'static str],
    optional: &[&'static str],
    report: &mut Report,
) -> Found {
    let mut found = Vec::new();
    for name in required {
        let text = fields.required(name, report).and_then(|node| fields::text(node, report));
        found.extend(text.map(|text| ((*name).to_owned(), text)));
    }
    for name in optional {
        let text = fields.optional(name).and_then(|node| fields::text(node, report));
        found.extend(text.map(|text| ((*name).to_owned(), text)));
    }
    found
}

fn attributes(fields: &mut Fields<'_>, report: &mut Report) -> Found {
    let Some(Node { value: Value::Map(Map { entries }), .. }) = fields.required("attributes", report) else {
        return Vec::new();
    };
    if entries.len() > CONTENT_FIELDS_MAX {
        let message = format!("{} attributes; a content may set at most {CONTENT_FIELDS_MAX}", entries.len());
        report.add(Code::E0016, entries[0].key_span, message);
    }
    entries.iter().filter_map(|entry| attribute(entry, report)).collect()
}

fn attribute(entry: &Entry, report: &mut Report) -> Option<(String, Spanned<String>)> {
    let name = entry.key.to_lowercase();
    let is_name = !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b':' | b'.'));
    if !is_name {
        let message = format!("`{}` is not the name of an attribute", entry.key);
        report.add(Code::E0014, entry.key_span, message);
        return None;
    }
    if name.starts_with("on") || name == "srcdoc" {
        let message = format!("the attribute `{}` could run code in the page", entry.key);
        let help = "use a `data-...` attribute and let the page's own script read it".to_owned();
        report.add_help(Code::E0403, entry.key_span, message, help);
        return None;
    }
    Some((name, fields::text(&entry.value, report)?))
}

fn check_field(name: &str, value: &Spanned<String>, report: &mut Report) {
    if value.value.len() > TEXT_BYTES_MAX {
        let message = format!("`{name}` has {} bytes; at most {TEXT_BYTES_MAX}", value.value.len());
        report.add(Code::E0016, value.span, message);
    }
    if value.value.contains("{{") {
        fields::not_supported("a placeholder `{{...}}`", "write the text out", value.span, report);
    }
    if is_scripting_address(&value.value) && name != "text" && name != "alt" {
        let message = format!("`{name}` is a scripting address");
        report.add_help(Code::E0403, value.span, message, "use an address of a page: `/sale`".to_owned());
    }
}

/// Browsers ignore control characters and case in front of and within a scheme.
fn is_scripting_address(value: &str) -> bool {
    let is_read = |c: &char| !c.is_control() && !c.is_whitespace();
    let scheme = value.chars().filter(is_read).take(16).collect::<String>().to_lowercase();
    let is_image = scheme.starts_with("data:image/") && !scheme.starts_with("data:image/svg");
    let schemes = ["javascript:", "vbscript:", "data:"];
    !is_image && schemes.iter().any(|bad| scheme.starts_with(bad))
}
