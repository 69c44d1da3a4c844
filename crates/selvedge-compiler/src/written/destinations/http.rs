//! A destination that takes requests.

use super::secret::secret;
use super::{check_address, few};
use crate::codes::Code;
use crate::diagnostic::Report;
use crate::fields::{self, Fields, Spanned};
use crate::yaml::{Entry, Node, Value};
use selvedge_core::address::place_of_url;
use selvedge_core::wire::program::{Header, Http, HttpFormat};

const FORMATS: [(&str, HttpFormat); 3] = [
    ("cloudevents", HttpFormat::CloudEvents),
    ("cloudevents-batch", HttpFormat::CloudEventsBatch),
    ("segment-batch", HttpFormat::SegmentBatch),
];
/// Signatures of one request: by the secret in force, and by the one it replaces.
const SECRETS_MAX: usize = 2;
/// Words in a name that say that it holds a secret.
const SECRET_WORDS: [&str; 8] =
    ["authorization", "cookie", "token", "secret", "password", "api-key", "apikey", "signature"];
/// Headers that are the edge's own to set.
const OWN_HEADERS: [&str; 7] = [
    "content-type",
    "content-length",
    "host",
    "transfer-encoding",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
];

/// Reads `url`, `format`, `secrets` and `headers`.
pub(super) fn read(fields: &mut Fields<'_>, report: &mut Report) -> Option<Http> {
    let url = fields.required("url").and_then(|node| read_url(node, report));
    let format = fields.optional("format").and_then(|node| fields::word(node, &FORMATS, &[], report));
    let secrets = fields.filled("secrets", report).map(|node| read_secrets(node, report));
    let headers = fields.optional("headers").map(|node| read_headers(node, report));
    Some(Http {
        url: url?,
        format: format.unwrap_or_default(),
        secrets: secrets.unwrap_or_default(),
        headers: headers.unwrap_or_default(),
    })
}

fn read_url(node: &Node, report: &mut Report) -> Option<String> {
    let url = fields::text(node, report)?;
    check_address(place_of_url(&url.value), url.span, report);
    let query = url.value.split_once('?').map(|(_, query)| query).unwrap_or_default();
    let names = query.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, _)| name);
    if let Some(name) = names.into_iter().find(|name| holds_secret(name)) {
        let message = format!("`{name}` of the address looks like a secret, and addresses are logged");
        let help = "send it in a header: `headers: {authorization: {secret: MAIL_TOKEN}}`".to_owned();
        report.add_help(Code::E0803, url.span, message, help);
    }
    Some(url.value)
}

fn read_secrets(node: &Node, report: &mut Report) -> Vec<String> {
    let items = fields::items(node);
    if items.len() > SECRETS_MAX {
        let message = format!("{} secrets; a request is signed by at most {SECRETS_MAX}", items.len());
        report.add(Code::E0016, node.span, message);
    }
    items.iter().filter_map(|item| secret(item, report)).collect()
}

fn read_headers(node: &Node, report: &mut Report) -> Vec<Header> {
    let Some(map) = fields::map(node, report) else { return Vec::new() };
    few(map.entries.len(), node.span, report);
    map.entries.iter().filter_map(|entry| read_header(entry, report)).collect()
}

/// `x-shop: nordgang`, or `authorization: {prefix: "Bearer ", secret: MAIL_TOKEN}`.
fn read_header(entry: &Entry, report: &mut Report) -> Option<Header> {
    let name = entry.key.to_lowercase();
    let is_token = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if name.is_empty() || !name.bytes().all(is_token) || OWN_HEADERS.contains(&name.as_str()) {
        let message = format!("`{}` is not a header that a site can set", entry.key);
        report.add(Code::E0014, entry.key_span, message);
        return None;
    }
    if let Value::Map(_) = &entry.value.value {
        let mut fields = Fields::of(&entry.value, report)?;
        let prefix = fields.optional("prefix").and_then(|node| fields::text(node, report));
        let secret = fields.required("secret").and_then(|node| secret(node, report));
        fields.finish(&[], report);
        let value = prefix.map(|text| plain(text, report)).unwrap_or_default();
        return Some(Header { name, value, secret: Some(secret?) });
    }
    let text = fields::text(&entry.value, report)?;
    if holds_secret(&name) {
        let help = format!("write `{name}: {{prefix: \"Bearer \", secret: MAIL_TOKEN}}`");
        report.add_help(Code::E0803, text.span, "a secret is named here, never written", help);
        return None;
    }
    Some(Header { name, value: plain(text, report), secret: None })
}

/// The text, where a header can say it.
fn plain(text: Spanned<String>, report: &mut Report) -> String {
    if !text.value.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        report.add(Code::E0014, text.span, "a header says plain ASCII in one line");
    }
    text.value
}

fn holds_secret(name: &str) -> bool {
    let name = name.to_lowercase().replace('_', "-");
    name == "key" || name == "sig" || SECRET_WORDS.iter().any(|word| name.contains(word))
}
