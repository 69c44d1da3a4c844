//! Stretches of time in rules: how long a decision is held, how often something may be seen.

use crate::codes::Code;
use crate::diagnostic::Report;
use crate::fields;
use crate::literal;
use crate::source::Span;
use crate::written::site::duration;
use crate::yaml::Node;
use selvedge_core::limits::{CAPS_MAX, COUNT_THRESHOLD_MAX};
use selvedge_core::wire::program::{Cap, Hold, Window};

/// `page`, `session` or a duration.
pub(super) fn read_hold(node: &Node, report: &mut Report) -> Option<Hold> {
    let text = fields::text(node, report)?;
    match text.value.as_str() {
        "page" => Some(Hold::Page),
        "session" => Some(Hold::Session),
        _ => duration(node, literal::DURATION_MS_MAX, report).map(Hold::Time),
    }
}

/// `2 per session`, several with commas.
pub(super) fn read_caps(node: &Node, report: &mut Report) -> Vec<Cap> {
    let Some(text) = fields::text(node, report) else { return Vec::new() };
    let caps: Vec<Cap> =
        text.value.split(',').filter_map(|cap| read_cap(cap.trim(), text.span, report)).collect();
    if caps.len() > CAPS_MAX {
        report.add(Code::E0016, text.span, format!("{} caps; at most {CAPS_MAX}", caps.len()));
    }
    caps
}

fn read_cap(written: &str, span: Span, report: &mut Report) -> Option<Cap> {
    let words: Vec<&str> = written.split_whitespace().collect();
    let [limit, "per", stretch, rest @ ..] = words.as_slice() else { return bad_cap(written, span, report) };
    if !rest.is_empty() || stretch.contains('.') {
        fields::not_supported("a cap for each value", "cap per session or per time", span, report);
        return None;
    }
    let window = match *stretch {
        "page" => Window::Page,
        "session" => Window::Session,
        "today" | "day" | "week" | "month" | "ever" => {
            fields::not_supported(
                &format!("a cap per `{stretch}`"),
                "use a duration: `24h`, `7d`, `30d`",
                span,
                report,
            );
            return None;
        }
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

fn bad_cap<T>(written: &str, span: Span, report: &mut Report) -> Option<T> {
    let help = "write for example `2 per session` or `1 per 24h`".to_owned();
    report.add_help(Code::E0017, span, format!("`{written}` is not a cap"), help);
    None
}
