//! A condition: one line of YAML.

use crate::codes::Code;
use crate::condition::{Expr, parse_condition};
use crate::diagnostic::Report;
use crate::fields;
use crate::yaml::{Node, Value, traps};

/// The condition in `node`; reports where it is none.
pub(super) fn read_condition(node: &Node, source: &str, report: &mut Report) -> Option<Expr> {
    if let Value::Map(map) = &node.value {
        return condition_mapping(map, node, report);
    }
    let scalar = fields::scalar(node, "a condition", report)?;
    traps::check_condition(node, scalar, source, report);
    parse_condition(&scalar.text, &scalar.anchor, report)
}

/// A condition that YAML took for a mapping, because of a `: ` or a brace in it.
fn condition_mapping(map: &crate::yaml::Map, node: &Node, report: &mut Report) -> Option<Expr> {
    let span = map.entries.first().map_or(node.span, |entry| entry.key_span);
    let help = "write one line: `when: a >= 2 and b`; quote it if it contains `: `".to_owned();
    report.add_help(Code::E0007, span, "expected a condition, found a mapping", help);
    None
}
