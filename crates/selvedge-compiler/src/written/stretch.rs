//! How long a decision is held.

use crate::codes::Code;
use crate::diagnostic::Report;
use crate::fields;
use crate::literal;
use crate::yaml::Node;
use selvedge_core::wire::program::Hold;

/// `page`, `session` or a duration.
pub(super) fn read_hold(node: &Node, report: &mut Report) -> Option<Hold> {
    let text = fields::text(node, report)?;
    match text.value.as_str() {
        "page" => Some(Hold::Page),
        "session" => Some(Hold::Session),
        other if literal::duration_ms(other).is_none() => {
            let message = format!("`{other}` is not how long something is held");
            let help = "write `page`, `session`, or for example `30m`".to_owned();
            report.add_help(Code::E0018, text.span, message, help);
            None
        }
        _ => duration(node, literal::DURATION_MS_MAX, report).map(Hold::Time),
    }
}

/// A duration of at most `ms_max`.
pub(crate) fn duration(node: &Node, ms_max: u64, report: &mut Report) -> Option<u64> {
    let text = fields::text(node, report)?;
    let Some(ms) = literal::duration_ms(&text.value) else {
        let message = format!("`{}` is not a duration", text.value);
        report.add_help(Code::E0018, text.span, message, "write for example `30s`, `10m`, `24h`".to_owned());
        return None;
    };
    if ms > ms_max {
        let message = format!("`{}` is too long: at most {}", text.value, literal::duration_text(ms_max));
        report.add(Code::E0016, text.span, message);
        return None;
    }
    Some(ms)
}
