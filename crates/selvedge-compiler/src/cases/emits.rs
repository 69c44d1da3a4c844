//! `emit` of an expectation: what destinations are told.

use super::ExpectEmit;
use super::reading::Reading;
use super::value::value;
use crate::codes::Code;
use crate::diagnostic::Report;
use crate::fields::{self, Fields, Spanned};
use crate::suggest::did_you_mean;
use crate::yaml::{Node, Value as Yaml};
use selvedge_core::value::Map;

/// Nothing is told.
const NONE: &str = "none";
const MESSAGES: [(&str, bool); 2] = [("enter", false), ("exit", true)];

/// Reads `emit`: `none`, or one message or several, in the order in which they are told.
pub(super) fn read_emits(node: &Node, reading: &Reading<'_>, report: &mut Report) -> Vec<ExpectEmit> {
    if matches!(&node.value, Yaml::Scalar(scalar) if scalar.text == NONE) {
        return Vec::new();
    }
    fields::items(node).iter().filter_map(|item| emit(item, reading, report)).collect()
}

/// `cart-reminder`, `cart-reminder exit`, or a mapping of `rule`, `message` and `fields`.
fn emit(node: &Node, reading: &Reading<'_>, report: &mut Report) -> Option<ExpectEmit> {
    let Yaml::Map(_) = &node.value else {
        let text = fields::text(node, report)?;
        let (rule, is_exit) = match text.value.strip_suffix(" exit") {
            Some(rule) => (rule.trim().to_owned(), true),
            None => (text.value.clone(), false),
        };
        return told(Spanned { value: rule, span: text.span }, is_exit, Map::new(), reading, report);
    };
    let mut from = Fields::of(node, report)?;
    let rule = from.required("rule").and_then(|node| fields::text(node, report));
    let message = from.optional("message").and_then(|node| fields::word(node, &MESSAGES, &[], report));
    let said = from.optional("fields").and_then(|node| fields::map(node, report));
    from.finish(&[], report);
    let entries = said.map(|map| map.entries.as_slice()).unwrap_or_default();
    let said = entries.iter().map(|entry| (entry.key.clone(), value(&entry.value))).collect();
    told(rule?, message.unwrap_or(false), said, reading, report)
}

fn told(
    rule: Spanned<String>,
    is_exit: bool,
    fields: Map,
    reading: &Reading<'_>,
    report: &mut Report,
) -> Option<ExpectEmit> {
    if !reading.emitting().any(|known| known == rule.value) {
        let message = format!("no rule `{}` tells a destination anything", rule.value);
        let help = did_you_mean(&rule.value, reading.emitting().chain([NONE]));
        report.add_help(Code::E0501, rule.span, message, help);
        return None;
    }
    Some(ExpectEmit { rule: rule.value, is_exit, fields, place: reading.place(rule.span) })
}
