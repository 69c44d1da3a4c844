//! When a rule is considered: `trigger: [event, session_end]` and `after: 15m`.

use crate::codes::Code;
use crate::diagnostic::Report;
use crate::fields::{self, Fields, Spanned};
use crate::literal;
use crate::written::stretch::duration;
use crate::yaml::Node;
use selvedge_core::limits::TRIGGERS_MAX;

/// When a rule is considered, as written.
#[derive(Debug, Default)]
pub(crate) struct Timing {
    /// The events that trigger it, `session_end` among them; `None`: every event.
    pub trigger: Option<Vec<Spanned<String>>>,
    pub after_ms: u64,
}

/// Takes both keys of a rule.
pub(super) fn read_timing(fields: &mut Fields<'_>, report: &mut Report) -> Timing {
    let trigger = fields.optional("trigger").and_then(|node| read_trigger(node, report));
    let after = fields.optional("after").and_then(|node| duration(node, literal::DURATION_MS_MAX, report));
    Timing { trigger, after_ms: after.unwrap_or(0) }
}

fn read_trigger(node: &Node, report: &mut Report) -> Option<Vec<Spanned<String>>> {
    let items = fields::items(node);
    let events: Vec<Spanned<String>> = items.iter().filter_map(|item| fields::text(item, report)).collect();
    if items.is_empty() || items.len() > TRIGGERS_MAX {
        let message = format!("{} triggers; 1 to {TRIGGERS_MAX}", items.len());
        report.add(Code::E0016, node.span, message);
        return None;
    }
    Some(events)
}
