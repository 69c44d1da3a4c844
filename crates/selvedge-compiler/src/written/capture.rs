//! `capture` of site.yaml: what the page captures by itself, and where.

use crate::codes::Code;
use crate::default_plan::{KINDS, Kind, Takes};
use crate::diagnostic::Report;
use crate::fields::{self, Fields, NameKind, Spanned, wrong_form};
use crate::yaml::{Node, Value};

/// The kind that tells of lost events.
const LOSS: &str = "loss";

/// `capture` as written.
#[derive(Debug, Default)]
pub(crate) struct Capture {
    /// What every page captures: the kind, and what the page needs to know besides.
    pub kinds: Vec<(String, String)>,
    /// The kinds whose events are known, also those that only some pages ask for.
    pub known: Vec<&'static Kind>,
    /// Events that entries of data layers become.
    pub targets: Vec<Spanned<String>>,
}

/// Where a kind is captured.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Where {
    Nowhere,
    /// Only on pages whose script tag asks for it.
    OnPages,
    Everywhere,
}

/// Reads `capture`.
pub(super) fn read_capture(node: Option<&Node>, report: &mut Report) -> Capture {
    let mut capture = Capture::default();
    let unsaid = KINDS.iter().filter(|kind| kind.name == LOSS);
    let Some(mut fields) = node.and_then(|node| Fields::of(node, report)) else {
        capture.known.extend(unsaid);
        return capture;
    };
    for kind in KINDS {
        match fields.optional(kind.name) {
            Some(node) => read_kind(kind, node, &mut capture, report),
            None if kind.name == LOSS => capture.known.push(kind),
            None => {}
        }
    }
    fields.finish(&[], report);
    capture
}

fn read_kind(kind: &'static Kind, node: &Node, capture: &mut Capture, report: &mut Report) {
    let found = match (kind.takes, &node.value) {
        (Takes::Parameters, Value::List(_)) => Some((Where::Everywhere, parameters(node, report))),
        (Takes::Names, Value::Map(_)) => Some((Where::Everywhere, names(node, capture, report))),
        (Takes::Parameters, _) => switch(node, report)
            .filter(|found| *found != Where::Everywhere)
            .map(|found| (found, String::new()))
            .or_else(|| wrong_form(node, "a list of URL parameters, `page` or `false`", report)),
        _ => switch(node, report).map(|found| (found, String::new())),
    };
    let Some((place, option)) = found else { return };
    // Routes are captured where nothing is said.
    let (place, option) = match (kind.name, place) {
        ("routes", Where::Nowhere) => (Where::Everywhere, "off".to_owned()),
        ("routes", _) => return,
        // What was lost is told where nothing is said; only pages that keep silent need a word of it.
        (LOSS, Where::Nowhere) => return capture.kinds.push((LOSS.to_owned(), "off".to_owned())),
        (LOSS, Where::Everywhere) => (Where::OnPages, option),
        _ => (place, option),
    };
    if place != Where::Nowhere {
        capture.known.push(kind);
    }
    if place == Where::Everywhere {
        capture.kinds.push((kind.name.to_owned(), option));
    }
}

fn switch(node: &Node, report: &mut Report) -> Option<Where> {
    const PLACES: [(&str, Where); 3] =
        [("true", Where::Everywhere), ("false", Where::Nowhere), ("page", Where::OnPages)];
    fields::word(node, &PLACES, &[], report)
}

/// `q,query`.
fn parameters(node: &Node, report: &mut Report) -> String {
    let items = fields::list(node, report).unwrap_or_default();
    let mut parameters = Vec::new();
    for item in items {
        let Some(text) = fields::text(item, report) else { continue };
        if fields::name(&text.value, text.span, NameKind::Dashed, report) {
            parameters.push(text.value);
        }
    }
    if items.is_empty() {
        report.add(Code::E0006, node.span, "a search without a parameter is never found");
    }
    parameters.join(",")
}

/// `generate_lead:newsletter_signup,...`.
fn names(node: &Node, capture: &mut Capture, report: &mut Report) -> String {
    let mut names = Vec::new();
    for entry in fields::map(node, report).map(|map| map.entries.as_slice()).unwrap_or_default() {
        let Some(target) = fields::text(&entry.value, report) else { continue };
        for (name, span) in [(&entry.key, entry.key_span), (&target.value, target.span)] {
            if name.contains([',', ':']) {
                report.add(
                    Code::E0014,
                    span,
                    "the name of an event in a data layer has no comma and no colon",
                );
            }
        }
        names.push(format!("{}:{}", entry.key, target.value));
        capture.targets.push(target);
    }
    names.join(",")
}
