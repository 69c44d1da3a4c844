//! What follows from who shows a content: under which purposes its values are kept, whether they are surely known, and that
//! its counts are counted as numbers.

use super::content::{Content, Need};
use super::fact::{Fact, LeafTest};
use super::metric::Metric;
use super::truth::Truth;
use crate::codes::Code;
use crate::diagnostic::Report;
use crate::written::site::Site;
use selvedge_core::consent::Purposes;
use selvedge_core::wire::program::MetricKind;
use std::collections::BTreeMap;

/// A rule that shows a content.
pub(super) struct Showing<'a> {
    pub content: &'a str,
    pub purpose: Purposes,
    pub when: Option<&'a Truth>,
}

/// Settles what contents read, and reports values that may be unknown where they are shown.
pub(super) fn settle(
    contents: &mut [Content],
    showings: &[Showing<'_>],
    site: &Site,
    metrics: &mut Vec<Option<Metric>>,
    report: &mut Report,
) {
    let mut numbers: BTreeMap<usize, usize> = BTreeMap::new();
    for content in contents {
        let shown_by: Vec<&Showing<'_>> =
            showings.iter().filter(|showing| showing.content == content.id).collect();
        let is_fallback =
            site.slots.iter().any(|slot| slot.fallback.as_ref().is_some_and(|id| id.value == content.id));
        for need in &content.needs {
            let is_known =
                |showing: &&Showing<'_>| showing.when.is_some_and(|when| is_certain(when, &need.fact));
            if is_fallback || !shown_by.iter().all(is_known) {
                report_unknown(need, is_fallback, report);
            }
        }
        let purposes = shown_by.iter().map(|showing| showing.purpose);
        content.purpose = purposes.fold(Purposes::NONE, Purposes::or);
        if is_fallback || shown_by.is_empty() {
            content.purpose = content.purpose.or(Purposes::PERSONALIZATION);
        }
        content.reads_mut().for_each(|leaf| {
            if let Fact::Metric(at) = &mut leaf.fact {
                *at = *numbers.entry(*at).or_insert_with(|| counted_as_number(*at, metrics));
            }
        });
    }
}

/// The place of the metric whose value is a number: of a count, another that counts without an end.
fn counted_as_number(at: usize, metrics: &mut Vec<Option<Metric>>) -> usize {
    match metrics.get(at) {
        Some(Some(metric)) if metric.kind == MetricKind::Count => {
            let tally = Metric { kind: MetricKind::Tally, ..metric.clone() };
            metrics.push(Some(tally));
            metrics.len() - 1
        }
        _ => at,
    }
}

fn report_unknown(need: &Need, is_fallback: bool, report: &mut Report) {
    let Need { name, span, .. } = need;
    let message = if is_fallback {
        format!("`{name}` may be unknown, and a fallback is shown to everybody")
    } else {
        format!("`{name}` may be unknown where this is shown")
    };
    let help = format!("write what stands there then: `{{{{{name} else \"...\"}}}}`");
    report.add_help(Code::E0602, *span, message, help);
}

/// Whether the fact has one known value wherever the condition is definitely true.
fn is_certain(when: &Truth, fact: &Fact) -> bool {
    match when {
        Truth::All(parts) => parts.iter().any(|part| is_certain(part, fact)),
        Truth::Any(parts) => parts.iter().all(|part| is_certain(part, fact)),
        Truth::Opposite(_) => false,
        // Of what a fact is made of (`trial_ends_at - now`), each part is known where it is.
        Truth::Leaf(leaf) if leaf.default.is_none() && leaf.fact.simple().any(|part| part == fact) => {
            match &leaf.test {
                // Of a count that was not watched whole a lower bound is known: only an upper bound proves the value.
                LeafTest::Ranges(ranges) => {
                    matches!(fact, Fact::Attribute(_) | Fact::Lookup(_) | Fact::Amount(_))
                        || ranges.iter().all(|(_, high)| *high != i64::MAX)
                }
                LeafTest::OneOf(..) | LeafTest::Text(..) => true,
                LeafTest::Known => matches!(fact, Fact::Attribute(_) | Fact::Lookup(_)),
                LeafTest::Missing => false,
            }
        }
        Truth::Leaf(_) => false,
    }
}
