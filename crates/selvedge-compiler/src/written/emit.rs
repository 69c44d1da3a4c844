//! `emit` of a rule: what it tells a destination.

use crate::codes::Code;
use crate::condition::{Ask, Expr, State, Test};
use crate::diagnostic::Report;
use crate::fields::{self, Fields, NameKind, Spanned};
use crate::literal;
use crate::written::condition::read_condition;
use crate::written::stretch::duration;
use crate::yaml::{Node, Value};
use selvedge_core::limits::EMIT_FIELDS_MAX;
use selvedge_core::wire::program::OncePer;

/// What a rule tells a destination, as written.
#[derive(Debug)]
pub(crate) struct Emit {
    pub to: Spanned<String>,
    pub enter: String,
    pub exit_when: Option<Expr>,
    /// Names, and whether the fact is known: the fact itself is what is sent.
    pub fields: Vec<(String, Expr)>,
    pub once_per: Option<OncePer>,
}

/// Reads `{to, enter, exit_when, fields, once_per}`.
pub(super) fn read_emit(node: &Node, source: &str, report: &mut Report) -> Option<Emit> {
    let mut keys = Fields::of(node, report)?;
    let to = keys.required("to").and_then(|node| fields::text(node, report));
    let enter = keys.required("enter").and_then(|node| fields::text(node, report));
    let exit = keys.filled("exit_when", report).map(|node| read_condition(node, source, report));
    let told = keys.optional("fields").map(|node| read_fields(node, source, report)).unwrap_or_default();
    let once_per = keys.optional("once_per").and_then(|node| read_once(node, report));
    keys.finish(&[], report);
    let enter = enter?;
    fields::name(&enter.value, enter.span, NameKind::Free, report);
    let exit_when = match exit {
        None => None,
        Some(written) => Some(written?),
    };
    Some(Emit { to: to?, enter: enter.value, exit_when, fields: told, once_per })
}

fn read_once(node: &Node, report: &mut Report) -> Option<OncePer> {
    match fields::text(node, report)?.value.as_str() {
        "session" => Some(OncePer::Session),
        "visitor" => Some(OncePer::Visitor),
        _ => duration(node, literal::DURATION_MS_MAX, report).map(OncePer::Time),
    }
}

/// A list of facts, or names and facts.
fn read_fields(node: &Node, source: &str, report: &mut Report) -> Vec<(String, Expr)> {
    let pairs: Vec<(String, &Node)> = if let Value::Map(map) = &node.value {
        map.entries.iter().map(|entry| (entry.key.clone(), &entry.value)).collect()
    } else {
        let items = fields::list(node, report).unwrap_or_default();
        items.iter().filter_map(|item| Some((fields::text(item, report)?.value, item))).collect()
    };
    if pairs.len() > EMIT_FIELDS_MAX {
        let message = format!("{} fields; at most {EMIT_FIELDS_MAX}", pairs.len());
        report.add(Code::E0016, node.span, message);
    }
    let read = |(name, node): (String, &Node)| Some((name, read_fact(node, source, report)?));
    pairs.into_iter().filter_map(read).collect()
}

/// The fact in `node`, as the test whether it is known.
fn read_fact(node: &Node, source: &str, report: &mut Report) -> Option<Expr> {
    match read_condition(node, source, report)? {
        Expr::Test(Test { subject, ask: Ask::Holds, source }) if subject.default.is_none() => {
            Some(Expr::Test(Test { subject, ask: Ask::State(State::Known), source }))
        }
        _ => {
            let help = "write the name of a fact: `cart.value`".to_owned();
            report.add_help(Code::E0344, node.span, "a field of a message is a fact, not a condition", help);
            None
        }
    }
}
