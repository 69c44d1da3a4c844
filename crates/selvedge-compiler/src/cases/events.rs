//! `10s product_view {category: shoes}`: what happens in a case, judged by the tracking plan.

use super::moment::offset_ms;
use super::reading::Reading;
use super::tables;
use super::value::{map, value};
use super::{CaseEvent, Happening};
use crate::codes::Code;
use crate::diagnostic::Report;
use crate::fields::{self, Fields};
use crate::source::Span;
use crate::suggest::did_you_mean;
use crate::yaml::{self, Entry, Node, Value as Yaml};
use selvedge_core::consent::Purposes;
use selvedge_core::event::{Event, EventType, RefusalCode};
use selvedge_core::id::Sequence;
use selvedge_core::tracking_plan::{Trust, judge};
use selvedge_core::value::{Map, Value};

/// The visitor's arrival.
const ARRIVAL: &str = "session_start";
/// A change of what is granted.
const CONSENT: &str = "consent";
/// Tabs of one visitor.
const TABS_MAX: i64 = 8;
/// Other members of an account.
const MEMBERS_MAX: i64 = 100;

/// Reads `events`; they are in the order of time.
pub(super) fn read_events(node: &Node, reading: &Reading<'_>, report: &mut Report) -> Vec<CaseEvent> {
    let Some(items) = fields::list(node, report) else { return Vec::new() };
    let mut events: Vec<CaseEvent> = Vec::new();
    for item in items {
        let Some(event) = read_event(item, reading, report) else { continue };
        if let Some(before) = events.last().filter(|before| before.at_ms > event.at_ms) {
            let message = format!("`{}` happens before `{}`, which stands above it", event.text, before.text);
            report.add_help(Code::E0505, item.span, message, "write them in the order of time".to_owned());
        }
        events.push(event);
    }
    events
}

/// An event as written, before it is known what it is.
#[derive(Default)]
struct Written {
    at: String,
    name: String,
    properties: Map,
    context: Map,
    tab: u32,
    member: u32,
}

fn read_event(node: &Node, reading: &Reading<'_>, report: &mut Report) -> Option<CaseEvent> {
    let written = match &node.value {
        Yaml::Scalar(scalar) => of_line(&scalar.text, node.span, report)?,
        Yaml::Map(entries) if entries.entries.iter().any(|entry| entry.key == "event") => {
            of_fields(node, report)?
        }
        Yaml::Map(entries) => return without_quotes(entries, node.span, report),
        Yaml::List(_) => return unreadable(node.span, "this is not one line of text", report),
    };
    let Some(at_ms) = offset_ms(&written.at) else {
        let message = format!("`{}` is not a time since the beginning", written.at);
        report.add_help(Code::E0505, node.span, message, "write for example `0s`, `70s`, `1h30m`".to_owned());
        return None;
    };
    let text = text_of(&written);
    let happening = happening(written, node.span, reading, report)?;
    Some(CaseEvent { at_ms, text, happening, place: reading.place(node.span) })
}

fn of_line(line: &str, span: Span, report: &mut Report) -> Option<Written> {
    let (at, rest) = line.trim().split_once(char::is_whitespace).unwrap_or((line, ""));
    let (name, braces) = match rest.find('{') {
        Some(brace) => (rest[..brace].trim(), Some(&rest[brace..])),
        None => (rest.trim(), None),
    };
    if name.is_empty() || name.contains(char::is_whitespace) {
        return unreadable(span, "it is not a time and the name of an event", report);
    }
    let properties = match braces {
        None => Map::new(),
        Some(braces) => {
            let mut inner = Report::default();
            match yaml::parse_whole(span.file, braces, &mut inner).map(|node| node.value) {
                Some(Yaml::Map(entries)) if !inner.has_errors() => map(&entries),
                _ => return unreadable(span, "its properties cannot be read", report),
            }
        }
    };
    Some(Written { at: at.to_owned(), name: name.to_owned(), properties, ..Written::default() })
}

fn of_fields(node: &Node, report: &mut Report) -> Option<Written> {
    let mut fields = Fields::of(node, report)?;
    let at = fields.required("at").and_then(|node| fields::text(node, report));
    let name = fields.required("event").and_then(|node| fields::text(node, report));
    let entries = |node: Option<&Node>, report: &mut Report| {
        node.and_then(|node| fields::map(node, report)).map(map).unwrap_or_default()
    };
    let properties = entries(fields.optional("properties"), report);
    let context = entries(fields.optional("context"), report);
    let tab = fields.optional("tab").and_then(|node| fields::whole(node, 0, TABS_MAX, report));
    let member = fields.optional("member").and_then(|node| fields::whole(node, 0, MEMBERS_MAX, report));
    fields.finish(&[], report);
    let small = |number: Option<i64>| number.and_then(|number| u32::try_from(number).ok()).unwrap_or(0);
    let (tab, member) = (small(tab), small(member));
    Some(Written { at: at?.value, name: name?.value, properties, context, tab, member })
}

/// A line that YAML took for a mapping, because of the colon in its braces.
fn without_quotes<T>(entries: &yaml::Map, span: Span, report: &mut Report) -> Option<T> {
    let [Entry { key, value: Node { value: Yaml::Scalar(scalar), .. }, .. }] = entries.entries.as_slice()
    else {
        return unreadable(span, "this is not one line of text", report);
    };
    let help = format!("write `- \"{key}: {}\"`, with the quotes", scalar.text);
    let message = "the event cannot be read: YAML takes it for a mapping, because of the colon";
    report.add_help(Code::E0502, span, message, help);
    None
}

fn unreadable<T>(span: Span, why: &str, report: &mut Report) -> Option<T> {
    let help = "write for example `- \"10s product_view {category: shoes}\"`, with the quotes".to_owned();
    report.add_help(Code::E0502, span, format!("the event cannot be read: {why}"), help);
    None
}

/// The event in one line, as timelines show it.
fn text_of(written: &Written) -> String {
    let mut text = written.name.clone();
    if !written.properties.is_empty() {
        let pairs: Vec<String> =
            written.properties.iter().map(|(name, value)| format!("{name}: {}", plain(value))).collect();
        text.push_str(&format!(" {{{}}}", pairs.join(", ")));
    }
    if written.tab > 0 {
        text.push_str(&format!(" (tab {})", written.tab));
    }
    if written.member > 0 {
        text.push_str(&format!(" (member {})", written.member));
    }
    text
}

fn plain(value: &Value) -> String {
    use selvedge_core::number::Number;
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(Number::Int(int)) => int.to_string(),
        Value::Number(Number::Uint(uint)) => uint.to_string(),
        Value::Number(Number::Double(bits)) => f64::from_bits(*bits).to_string(),
        Value::Text(text) => text.clone(),
        Value::List(items) => format!("[{}]", items.iter().map(plain).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => {
            let pairs: Vec<String> =
                map.iter().map(|(name, value)| format!("{name}: {}", plain(value))).collect();
            format!("{{{}}}", pairs.join(", "))
        }
    }
}

fn happening(written: Written, span: Span, reading: &Reading<'_>, report: &mut Report) -> Option<Happening> {
    let is_planned = reading.plan.event(&written.name).is_some();
    match written.name.as_str() {
        ARRIVAL if !is_planned => return Some(Happening::Arrival),
        CONSENT if !is_planned => return consent(&written.properties, span, report),
        _ => {}
    }
    let Written { name, properties, context, tab, member, .. } = written;
    let typed = EventType::named(&name).filter(|known| *known != EventType::Track);
    let event_type = typed.unwrap_or(EventType::Track);
    let event =
        Event { sequence: Sequence::new(1)?, event_type, name, time_ms: 0, consent: 0, properties, context };
    if let Err(violation) = judge(&reading.plan, &event, Trust::Server) {
        refused(&event, violation.code, &violation.path(), &violation.message(), span, reading, report);
        return None;
    }
    let Event { name, properties, context, .. } = event;
    Some(Happening::Event { name, event_type, properties, context, tab, member })
}

fn refused(
    event: &Event,
    code: RefusalCode,
    path: &str,
    message: &str,
    span: Span,
    reading: &Reading<'_>,
    report: &mut Report,
) {
    if code == RefusalCode::UnknownEvent {
        let own = EventType::ALL[1..].iter().map(|known| known.as_str()).chain([ARRIVAL, CONSENT]);
        let known = reading.plan.events.iter().map(|known| known.name.as_str()).chain(own);
        let help = did_you_mean(&event.name, known);
        let message = format!("the tracking plan has no event `{}`", event.name);
        return report.add_help(Code::E0202, span, message, help);
    }
    let message = format!("the tracking plan refuses `{}`: {path}: {message}", event.name);
    let help = "send what tracking-plan.yaml says of it".to_owned();
    report.add_help(Code::E0503, span, message, help);
}

fn consent(properties: &Map, span: Span, report: &mut Report) -> Option<Happening> {
    let (mut granted, mut denied) = (Purposes::NONE, Purposes::NONE);
    for (name, said) in properties.iter() {
        let (Some(purpose), Value::Bool(said)) = (Purposes::named(name), said) else {
            let message = format!("`{name}` is not a purpose that is `true` or `false`");
            let help = did_you_mean(name, Purposes::NAMES);
            report.add_help(Code::E0015, span, message, help);
            return None;
        };
        let of = if *said { &mut granted } else { &mut denied };
        *of = of.or(purpose);
    }
    Some(Happening::Consent { granted, denied })
}

/// Facts that hold from the beginning.
pub(super) fn read_given(node: &Node, reading: &Reading<'_>, report: &mut Report) -> Vec<super::Given> {
    let entries = fields::map(node, report).map(|map| map.entries.as_slice()).unwrap_or_default();
    let mut given = Vec::new();
    for entry in entries.iter().filter(|entry| entry.key != tables::KEY) {
        if reading.may_be_given(&entry.key) {
            given.push(super::Given { name: entry.key.clone(), value: value(&entry.value) });
            continue;
        }
        let message = format!("no fact `{}` can be given", entry.key);
        let help = if reading.is_computed(&entry.key) {
            let of_time =
                "write when the case begins: `now: 2026-03-29T01:30`; `utc_offset` is the visitor's clock";
            let is_made = reading.is_made_by_events(&entry.key);
            let of_events = format!("send the events that `{}` is made from", entry.key);
            Some(if is_made { of_events } else { of_time.to_owned() })
        } else {
            did_you_mean(&entry.key, reading.givable())
        };
        report.add_help(Code::E0501, entry.key_span, message, help);
    }
    given
}
