//! `identity` of site.yaml: where a visitor's id stands besides the page's own storage, and which domains hand it on.

use crate::codes::Code;
use crate::diagnostic::Report;
use crate::fields::{self, Fields};
use crate::yaml::Node;

/// Domains that links may hand an id to.
const LINKS_MAX: usize = 32;

/// Reads `identity`, as pages and the edge take it: `cookie` with its domain (empty: the host alone), `link` with a domain.
pub(super) fn read_identity(node: Option<&Node>, report: &mut Report) -> Vec<(String, String)> {
    let mut identity = Vec::new();
    let Some(mut fields) = node.and_then(|node| Fields::of(node, report)) else { return identity };
    if let Some(node) = fields.optional("cookie") {
        let domain = read_cookie(node, report);
        identity.extend(domain.map(|domain| ("cookie".to_owned(), domain)));
    }
    if let Some(items) = fields.optional("links").and_then(|node| fields::list(node, report)) {
        for item in items.iter().take(LINKS_MAX) {
            identity.extend(read_domain(item, 0, report).map(|domain| ("link".to_owned(), domain)));
        }
        if let Some(item) = items.get(LINKS_MAX) {
            report.add(Code::E0015, item.span, "links hand the id to at most 32 domains");
        }
    }
    fields.finish(&[], report);
    identity
}

/// `true` is the host that the page and the edge share; a domain is for all hosts of it.
fn read_cookie(node: &Node, report: &mut Report) -> Option<String> {
    match fields::text(node, report)?.value.as_str() {
        "true" => Some(String::new()),
        "false" => None,
        _ => read_domain(node, 1, report),
    }
}

/// The name of a host, with at least so many dots in it.
fn read_domain(node: &Node, dots_min: usize, report: &mut Report) -> Option<String> {
    let text = fields::text(node, report)?;
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
            && !label.starts_with('-')
    };
    let is_address = text.value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let is_domain = text.value.len() <= 253 && text.value.split('.').all(is_label) && !is_address;
    if is_domain && text.value.matches('.').count() >= dots_min {
        return Some(text.value);
    }
    let message = format!("`{}` is not a domain: lower case, without scheme, port and path", text.value);
    report.add_help(Code::E0015, text.span, message, "write for example `shop.example`".to_owned());
    None
}
