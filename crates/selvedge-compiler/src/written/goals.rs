//! `goals` of site.yaml: what counts as success.

use crate::codes::Code;
use crate::diagnostic::Report;
use crate::fields::{self, Fields, NameKind, Spanned};
use crate::literal;
use crate::source::Span;
use crate::written::entries::{name_of, named};
use crate::written::stretch::duration;
use crate::yaml::{Entry, Node};
use selvedge_core::limits::GOALS_MAX;
use selvedge_core::tracking_plan::Trust;

/// A goal as written.
#[derive(Debug)]
pub(crate) struct Goal {
    pub name: Spanned<String>,
    pub event: Spanned<String>,
    /// The property that says what it is worth.
    pub value: Option<Spanned<String>>,
    /// What the event must be trusted with, and where that is written.
    pub trust: Option<(Trust, Span)>,
    /// How long after an exposure it counts.
    pub within_ms: Option<u64>,
}

/// Reads the goals.
pub(super) fn read_goals(node: Option<&Node>, report: &mut Report) -> Vec<Goal> {
    let goals = named(node, read_goal, report);
    if let Some(node) = node.filter(|_| goals.len() > GOALS_MAX) {
        report.add(Code::E0016, node.span, format!("{} goals; at most {GOALS_MAX}", goals.len()));
    }
    goals
}

fn read_goal(entry: &Entry, report: &mut Report) -> Option<Goal> {
    const TRUSTS: [(&str, Trust); 2] = [("client", Trust::Client), ("server", Trust::Server)];
    let name = name_of(entry, NameKind::Dashed, report);
    let mut fields = Fields::of(&entry.value, report)?;
    let event = fields.required("event").and_then(|node| fields::text(node, report));
    let value = fields.optional("value").and_then(|node| fields::text(node, report));
    let trust = fields.optional("trust");
    let trust = trust.and_then(|node| Some((fields::word(node, &TRUSTS, &[], report)?, node.span)));
    let within = fields.optional("within").and_then(|node| duration(node, literal::DURATION_MS_MAX, report));
    fields.finish(&[], report);
    Some(Goal { name, event: event?, value, trust, within_ms: within })
}
