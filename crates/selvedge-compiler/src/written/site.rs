//! site.yaml: the name, the sources and their keys, the consent policy, the slots.

use super::content::is_language;
use super::zone::zone_name;
use crate::codes::Code;
use crate::diagnostic::Report;
use crate::fields::{self, Elsewhere, Fields, NameKind, Spanned};
use crate::literal::DURATION_MS_MAX;
use crate::source::Files;
use crate::written::SITE_FILE;
use crate::written::caps::read_caps;
use crate::written::capture::{Capture, read_capture};
use crate::written::consent::{Consent, check_exemption, read_consent};
use crate::written::destinations::{Destination, read_destinations};
use crate::written::goals::{Goal, read_goals};
use crate::written::identity::read_identity;
use crate::written::lists::{List, read_lists};
use crate::written::lookups::{Lookup, read_lookups};
use crate::written::stretch::duration;
use crate::yaml::Node;
use selvedge_core::limits::{LOG_KEEP_MS, QUARANTINE_KEEP_MS};
use selvedge_core::wire::program::{Cap, Keep, SourceKind};

/// How late an event may be where the site does not say.
const LATE_MS: u64 = 30_000;
/// How late a site may let events be.
const LATE_MS_MAX: u64 = 3_600_000;
/// Bytes of a slot's selector.
const SELECTOR_BYTES_MAX: usize = 512;

/// site.yaml as written.
#[derive(Debug, Default)]
pub(crate) struct Site {
    pub name: String,
    pub currency: String,
    /// The lookup that says what other currencies are worth.
    pub rates: Option<Spanned<String>>,
    pub timezone: String,
    pub late_ms: u32,
    pub sources: Vec<Source>,
    pub origins: Vec<String>,
    pub consent: Consent,
    pub capture: Capture,
    /// Where a visitor's id stands besides the page's own storage: kind and domain.
    pub identity: Vec<(String, String)>,
    pub keep: Keep,
    pub slots: Vec<Slot>,
    pub lists: Vec<List>,
    pub goals: Vec<Goal>,
    pub destinations: Vec<Destination>,
    /// The language of contents that name none: BCP 47, lower case.
    pub language: String,
    pub lookups: Vec<Lookup>,
}

/// A source as written.
#[derive(Debug)]
pub(crate) struct Source {
    pub name: String,
    pub kind: SourceKind,
    pub key: Spanned<String>,
}

/// A slot as written.
#[derive(Debug)]
pub(crate) struct Slot {
    pub name: String,
    pub caps: Vec<Cap>,
    pub fallback: Option<Spanned<String>>,
    /// Elements of the page that are the slot without a mark.
    pub selector: Option<String>,
}

const ELSEWHERE: [Elsewhere; 1] = [(
    "origin",
    "your own server sends the pages, with the script tag in them",
    "remove it; other sites' pages that may send are listed under `origins`",
)];

/// Reads site.yaml.
pub(crate) fn read(root: &Node, files: &Files<'_>, report: &mut Report) -> Site {
    let Some(mut fields) = Fields::of(root, report) else { return Site::default() };
    let source = files.find(SITE_FILE).map(|file| files.text(file)).unwrap_or_default();
    let site = Site {
        name: read_name(fields.required("name"), report),
        currency: read_currency(fields.required("currency"), report),
        rates: fields.optional("rates").and_then(|node| fields::text(node, report)),
        timezone: read_timezone(fields.optional("timezone"), report),
        late_ms: read_late(fields.optional("late_events"), report),
        sources: read_sources(fields.required("sources"), report),
        origins: read_origins(fields.optional("origins"), report),
        consent: fields.optional("consent").map(|node| read_consent(node, report)).unwrap_or_default(),
        capture: read_capture(fields.optional("capture"), report),
        identity: read_identity(fields.optional("identity"), report),
        keep: Keep {
            log_ms: read_keep(fields.optional("log"), LOG_KEEP_MS, report),
            quarantine_ms: read_keep(fields.optional("quarantine"), QUARANTINE_KEEP_MS, report),
        },
        slots: read_slots(fields.optional("slots"), report),
        destinations: read_destinations(fields.optional("destinations"), source, report),
        goals: read_goals(fields.optional("goals"), report),
        lookups: read_lookups(fields.optional("lookups"), files, report),
        lists: read_lists(fields.optional("lists"), files, report),
        language: read_language(fields.optional("language"), report),
    };
    check_exemption(&site.consent, &site.destinations, report);
    fields.finish(&ELSEWHERE, report);
    site
}

fn read_name(node: Option<&Node>, report: &mut Report) -> String {
    let Some(text) = node.and_then(|node| fields::text(node, report)) else { return String::new() };
    fields::name(&text.value, text.span, NameKind::Dashed, report);
    text.value
}

fn read_currency(node: Option<&Node>, report: &mut Report) -> String {
    let Some(text) = node.and_then(|node| fields::text(node, report)) else { return String::new() };
    if text.value.len() != 3 || !text.value.bytes().all(|byte| byte.is_ascii_uppercase()) {
        let message = format!("`{}` is not a currency: three capital letters of ISO 4217", text.value);
        report.add_help(Code::E0015, text.span, message, "write for example `EUR`".to_owned());
    }
    text.value
}

/// The name of the site's time zone: UTC where none is written.
fn read_timezone(node: Option<&Node>, report: &mut Report) -> String {
    let text = node.and_then(|node| fields::text(node, report));
    text.and_then(|text| zone_name(text, report)).unwrap_or_else(|| "UTC".to_owned())
}

fn read_language(node: Option<&Node>, report: &mut Report) -> String {
    let Some(text) = node.and_then(|node| fields::text(node, report)) else { return "en".to_owned() };
    let language = text.value.to_lowercase();
    if !is_language(&language) {
        let message = format!("`{}` is not a language", text.value);
        report.add_help(Code::E0606, text.span, message, "write for example `en` or `de-AT`".to_owned());
    }
    language
}

fn read_late(node: Option<&Node>, report: &mut Report) -> u32 {
    let late_ms = node.and_then(|node| duration(node, LATE_MS_MAX, report)).unwrap_or(LATE_MS);
    u32::try_from(late_ms).unwrap_or(u32::MAX)
}

/// `{keep: 30d}`.
fn read_keep(node: Option<&Node>, default_ms: u64, report: &mut Report) -> u64 {
    let Some(mut fields) = node.and_then(|node| Fields::of(node, report)) else { return default_ms };
    let keep = fields.required("keep").and_then(|node| duration(node, DURATION_MS_MAX, report));
    fields.finish(&[], report);
    keep.unwrap_or(default_ms)
}

fn read_sources(node: Option<&Node>, report: &mut Report) -> Vec<Source> {
    let Some(map) = node.and_then(|node| fields::map(node, report)) else { return Vec::new() };
    map.entries
        .iter()
        .filter_map(|entry| {
            fields::name(&entry.key, entry.key_span, NameKind::Dashed, report);
            read_source(&entry.key, &entry.value, report)
        })
        .collect()
}

fn read_source(name: &str, node: &Node, report: &mut Report) -> Option<Source> {
    const KINDS: [(&str, SourceKind); 2] = [("browser", SourceKind::Browser), ("server", SourceKind::Server)];
    const KINDS_ELSEWHERE: [Elsewhere; 1] =
        [("webhook", "what a webhook brings enters as events of a server", "write `type: server`")];
    let mut fields = Fields::of(node, report)?;
    let kind = fields.required("type").and_then(|node| fields::word(node, &KINDS, &KINDS_ELSEWHERE, report));
    let key = fields.required("key").and_then(|node| fields::text(node, report));
    fields.finish(&[], report);
    let (kind, key) = (kind?, key?);
    check_key(kind, &key, report);
    Some(Source { name: name.to_owned(), kind, key })
}

/// A browser's key is public and stands here; a server's is a secret, of which only the name stands here.
fn check_key(kind: SourceKind, key: &Spanned<String>, report: &mut Report) {
    let is_secret_name = !key.value.is_empty()
        && key.value.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    match kind {
        SourceKind::Browser => {
            fields::name(&key.value, key.span, NameKind::Dashed, report);
        }
        SourceKind::Server | SourceKind::Webhook if is_secret_name => {}
        SourceKind::Server | SourceKind::Webhook => {
            let message = "the key of a server is a secret: name the secret here, never the key itself";
            let help = "write the name of an environment variable: `SHOP_SERVER_KEY`".to_owned();
            report.add_help(Code::E0014, key.span, message, help);
        }
    }
}

fn read_origins(node: Option<&Node>, report: &mut Report) -> Vec<String> {
    let Some(items) = node.and_then(|node| fields::list(node, report)) else { return Vec::new() };
    items.iter().filter_map(|item| read_origin(item, report)).collect()
}

fn read_origin(node: &Node, report: &mut Report) -> Option<String> {
    let text = fields::text(node, report)?;
    let rest = text.value.strip_prefix("https://").or_else(|| text.value.strip_prefix("http://"));
    if rest.is_none_or(|rest| rest.is_empty() || rest.contains(['/', '*', ' ', '?', '#'])) {
        let message = format!("`{}` is not an origin: scheme and host, no path", text.value);
        report.add_help(
            Code::E0015,
            text.span,
            message,
            "write for example `https://shop.example`".to_owned(),
        );
        return None;
    }
    Some(text.value)
}

fn read_slots(node: Option<&Node>, report: &mut Report) -> Vec<Slot> {
    let Some(map) = node.and_then(|node| fields::map(node, report)) else { return Vec::new() };
    let mut slots = Vec::new();
    for entry in &map.entries {
        fields::name(&entry.key, entry.key_span, NameKind::Dashed, report);
        let Some(mut fields) = Fields::of(&entry.value, report) else { continue };
        let fallback = fields.optional("fallback").and_then(|node| fields::text(node, report));
        let caps = fields.optional("cap").map(|node| read_caps(node, report)).unwrap_or_default();
        let selector = fields.optional("selector").and_then(|node| read_selector(node, report));
        fields.finish(&[], report);
        slots.push(Slot { name: entry.key.clone(), caps, fallback, selector });
    }
    slots
}
/// A CSS selector. The browser has the last word on it; here stands what no browser takes.
fn read_selector(node: &Node, report: &mut Report) -> Option<String> {
    let text = fields::text(node, report)?;
    let fault = match text.value.as_str() {
        selector if selector.trim().is_empty() => "an empty selector finds nothing",
        selector if selector.len() > SELECTOR_BYTES_MAX => "the selector is longer than 512 bytes",
        selector if selector.contains(['{', '}', ';']) => "a selector has no braces and no semicolons",
        selector if !is_balanced(selector) => "a bracket or a quote of the selector is not closed",
        _ => return Some(text.value),
    };
    report.add_help(Code::E0015, text.span, fault, "write for example `\"#hero h1\"`".to_owned());
    None
}

/// Whether brackets and quotes of a selector are closed, in their order.
fn is_balanced(selector: &str) -> bool {
    let mut open = Vec::new();
    for character in selector.chars() {
        let quote = open.last().copied().filter(|last| matches!(last, '"' | '\''));
        match character {
            _ if quote == Some(character) => drop(open.pop()),
            _ if quote.is_some() => {}
            '"' | '\'' => open.push(character),
            '[' => open.push(']'),
            '(' => open.push(')'),
            ']' | ')' if open.pop() != Some(character) => return false,
            _ => {}
        }
    }
    open.is_empty()
}
