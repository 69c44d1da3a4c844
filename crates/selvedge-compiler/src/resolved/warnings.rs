//! What compiles, but was hardly meant: equal priorities, and what nothing uses.

use super::typed::Used;
use crate::codes::Code;
use crate::diagnostic::Report;
use crate::fields::Spanned;
use crate::source::Span;
use crate::written::content::Content;
use crate::written::rules::{self, RulesFile};
use crate::written::site::Site;
use std::collections::{BTreeMap, BTreeSet};

/// A rule's place in the order of deciding.
pub(super) struct Ranked<'a> {
    pub(super) id: &'a str,
    pub(super) slot: &'a str,
    pub(super) priority: i32,
    pub(super) span: Span,
}

/// Warns of rules that only their ids set in order. `rules` are in the order of deciding.
pub(super) fn equal_priority<'a>(rules: impl Iterator<Item = Ranked<'a>>, report: &mut Report) {
    let mut first: BTreeMap<(i32, &str), &str> = BTreeMap::new();
    for Ranked { id, slot, priority, span } in rules {
        let known = *first.entry((priority, slot)).or_insert(id);
        if known == id {
            continue;
        }
        let message = format!("`{known}` and `{id}` have priority {priority} in `{slot}`: the id decides");
        let help = format!("write `priority: {}`", priority.saturating_sub(1));
        report.add_help(Code::W0002, span, message, help);
    }
}

/// Warns of what is declared and never used. Behind errors this says nothing: what they left out may use it.
pub(super) fn unused(
    rules: &RulesFile,
    contents: &[Content],
    is_shown: impl Fn(&str) -> bool,
    site: &Site,
    used: &Used,
    report: &mut Report,
) {
    if report.has_errors() {
        return;
    }
    let names = |rule: &rules::Rule| [rule.group.clone(), rule.content.clone()];
    let fallbacks = site.slots.iter().filter_map(|slot| slot.fallback.clone());
    let named: BTreeSet<String> =
        rules.rules.iter().flat_map(names).flatten().chain(fallbacks).map(|name| name.value).collect();
    let attributes = rules.attributes.iter().map(|attribute| &attribute.name);
    let metrics = rules.metrics.iter().map(|metric| &metric.name);
    let audiences = rules.audiences.iter().map(|audience| &audience.name);
    by_place(attributes, &used.attributes, "attribute", report);
    by_place(metrics, &used.metrics, "metric", report);
    by_place(audiences, &used.audiences, "audience", report);
    for group in rules.groups.iter().filter(|group| !named.contains(&group.name.value)) {
        warn(&group.name.value, group.name.span, "group", report);
    }
    for content in contents.iter().filter(|content| !named.contains(&content.id) && !is_shown(&content.id)) {
        warn(&content.id, content.id_span, "content", report);
    }
}

fn by_place<'a>(
    names: impl Iterator<Item = &'a Spanned<String>>,
    used: &BTreeSet<usize>,
    what: &str,
    report: &mut Report,
) {
    for (_, name) in names.enumerate().filter(|(at, _)| !used.contains(at)) {
        warn(&name.value, name.span, what, report);
    }
}

fn warn(name: &str, span: Span, what: &str, report: &mut Report) {
    report.add(Code::W0001, span, format!("no rule uses the {what} `{name}`"));
}
