//! How often something may be seen: `2 per session`, `1 per ticket.id max 8`, `{dismissals: 1 per 30d}`.

use crate::codes::Code;
use crate::diagnostic::Report;
use crate::fields::{self, Fields, Spanned};
use crate::literal;
use crate::source::Span;
use crate::yaml::{Node, Value};
use selvedge_core::limits::{CAPS_MAX, COUNT_THRESHOLD_MAX};
use selvedge_core::wire::program::{Cap, Window};

/// How often a rule may be seen, as written.
#[derive(Debug, Default)]
pub(crate) struct RuleCaps {
    pub shown: Vec<Cap>,
    /// Caps that count dismissals instead.
    pub dismissals: Vec<Cap>,
    pub per_value: Option<ValueCap>,
}

/// `1 per ticket.id max 8`, as written.
#[derive(Debug)]
pub(crate) struct ValueCap {
    pub limit: u16,
    pub fact: Spanned<String>,
    pub values_max: u16,
}

/// Caps of exposures, or a mapping `{shown, dismissals}`.
pub(super) fn read_rule_caps(node: &Node, report: &mut Report) -> RuleCaps {
    if !matches!(node.value, Value::Map(_)) {
        return read_shown(node, report);
    }
    let Some(mut fields) = Fields::of(node, report) else { return RuleCaps::default() };
    let shown = fields.optional("shown").map(|node| read_shown(node, report)).unwrap_or_default();
    let dismissals = fields.optional("dismissals").map(|node| read_caps(node, report));
    fields.finish(&[], report);
    RuleCaps { dismissals: dismissals.unwrap_or_default(), ..shown }
}

fn read_shown(node: &Node, report: &mut Report) -> RuleCaps {
    let Some(text) = fields::text(node, report) else { return RuleCaps::default() };
    let mut caps = RuleCaps::default();
    for written in text.value.split(',').map(str::trim) {
        match value_cap(written, text.span) {
            Some(cap) => caps.per_value = Some(cap),
            None => caps.shown.extend(read_cap(written, text.span, report)),
        }
    }
    check_count(&caps.shown, text.span, report);
    caps
}

/// `1 per FACT max 8`, where it is one; without `max`, 8 values are remembered.
fn value_cap(written: &str, span: Span) -> Option<ValueCap> {
    const VALUES: u16 = 8;
    let words: Vec<&str> = written.split_whitespace().collect();
    let (limit, fact, values) = match words.as_slice() {
        [limit, "per", fact] if fact.contains('.') => (limit, fact, None),
        [limit, "per", fact, "max", values] => (limit, fact, Some(values)),
        _ => return None,
    };
    let bounded = |text: &str| {
        let number = text.parse::<u16>().ok()?;
        (1..=COUNT_THRESHOLD_MAX).contains(&usize::from(number)).then_some(number)
    };
    let values_max = values.map_or(Some(VALUES), |values| bounded(values))?;
    let fact = Spanned { value: (*fact).to_owned(), span };
    Some(ValueCap { limit: bounded(limit)?, fact, values_max })
}

/// `2 per session`, several with commas.
pub(super) fn read_caps(node: &Node, report: &mut Report) -> Vec<Cap> {
    let Some(text) = fields::text(node, report) else { return Vec::new() };
    let caps: Vec<Cap> =
        text.value.split(',').filter_map(|cap| read_cap(cap.trim(), text.span, report)).collect();
    check_count(&caps, text.span, report);
    caps
}

fn check_count(caps: &[Cap], span: Span, report: &mut Report) {
    if caps.len() > CAPS_MAX {
        report.add(Code::E0016, span, format!("{} caps; at most {CAPS_MAX}", caps.len()));
    }
}

fn read_cap(written: &str, span: Span, report: &mut Report) -> Option<Cap> {
    let words: Vec<&str> = written.split_whitespace().collect();
    let [limit, "per", stretch, rest @ ..] = words.as_slice() else { return bad_cap(written, span, report) };
    if !rest.is_empty() {
        return bad_cap(written, span, report);
    }
    let window = match *stretch {
        "page" => Window::Page,
        "session" => Window::Session,
        "today" | "day" | "week" | "month" | "ever" => return calendar_cap(limit, stretch, span, report),
        _ => match literal::duration_ms(stretch) {
            Some(ms) => Window::Sliding(ms),
            None => return bad_cap(written, span, report),
        },
    };
    let Ok(limit) = limit.parse::<u16>() else { return bad_cap(written, span, report) };
    if limit == 0 || usize::from(limit) > COUNT_THRESHOLD_MAX {
        let message = format!("a cap of {limit} is out of bounds: 1 to {COUNT_THRESHOLD_MAX}");
        report.add(Code::E0016, span, message);
        return None;
    }
    Some(Cap { limit, window })
}

/// A cap is counted back from now: a visitor who was shown something at 23:59 has not room for it again at midnight.
fn calendar_cap<T>(limit: &str, stretch: &str, span: Span, report: &mut Report) -> Option<T> {
    let duration = match stretch {
        "week" => "7d",
        "month" => "30d",
        "ever" => "366d",
        _ => "24h",
    };
    let message = format!("a cap is not counted by the calendar: `per {stretch}`");
    report.add_help(Code::E0017, span, message, format!("write `{limit} per {duration}`: back from now"));
    None
}

fn bad_cap<T>(written: &str, span: Span, report: &mut Report) -> Option<T> {
    let help = "write for example `2 per session` or `1 per 24h`".to_owned();
    report.add_help(Code::E0017, span, format!("`{written}` is not a cap"), help);
    None
}
