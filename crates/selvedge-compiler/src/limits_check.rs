//! Bounds of a site that no single rule can see: how far counts count, how large the programs are.

use crate::codes::Code;
use crate::diagnostic::Report;
use crate::lower::Shared;
use crate::resolved::{Fact, Leaf, Site, Truth, item_truths, threshold_of};
use crate::source::Span;
use selvedge_core::limits::{
    ATTRIBUTES_MAX, CONTENTS_MAX, GROUPS_MAX, INSTRUCTIONS_MAX, METRICS_MAX, PLAN_EVENTS_MAX, RULES_MAX,
    SITE_ENTRIES_MAX, SLOTS_MAX,
};

/// Reports what is above a bound.
pub(crate) fn check(site: &Site, shared: &Shared, top: Span, report: &mut Report) {
    let written = &site.site;
    for (what, found, limit) in [
        ("rules", site.rules.len(), RULES_MAX),
        ("slots", written.slots.len(), SLOTS_MAX),
        ("groups", site.groups.len(), GROUPS_MAX),
        ("contents", site.contents.len(), CONTENTS_MAX),
        ("attributes", shared.attribute_purposes.len(), ATTRIBUTES_MAX),
        ("metrics", shared.thresholds.len(), METRICS_MAX),
        ("instructions", instructions(site), INSTRUCTIONS_MAX),
        ("events", site.events.len(), PLAN_EVENTS_MAX),
        ("sources", written.sources.len(), SITE_ENTRIES_MAX),
        ("origins", written.origins.len(), SITE_ENTRIES_MAX),
        ("consent regions", written.consent.regions.len(), SITE_ENTRIES_MAX),
    ] {
        if found > limit {
            report.add(Code::E0402, top, format!("the program has {found} {what}; at most {limit}"));
        }
    }
    let conditions = site.rules.iter().flat_map(|rule| rule.conditions(&site.deciding));
    let leaves = conditions.flat_map(|(truth, _)| truth.leaves());
    leaves.for_each(|leaf| check_threshold(leaf, site, report));
}

fn check_threshold(leaf: &Leaf, site: &Site, report: &mut Report) {
    let Fact::Metric(at) = leaf.fact else { return };
    let Some(metric) = site.metric(at).filter(|metric| metric.is_count()) else { return };
    let found = threshold_of(&leaf.test);
    if found > metric.count_max() {
        let most = metric.count_max() - 1;
        let message = format!("compared with {}; a count is known to {most}", found - 1);
        report.add_help(Code::E0306, leaf.source.span, message, format!("compare with at most {most}"));
    }
}

fn instructions(site: &Site) -> usize {
    let suppressions = site.deciding.suppressions.iter().map(|found| &found.truth);
    let conditions = site
        .rules
        .iter()
        .flat_map(|rule| rule.when.iter().chain(&rule.terms.until).chain(&rule.terms.schedule))
        .chain(suppressions);
    let filters = site.metrics.iter().flatten().flat_map(|metric| metric.filters());
    conditions.chain(filters).map(|truth| crate::lower::size(truth) + items(truth)).sum()
}

/// Instructions of the conditions on items.
fn items(truth: &Truth) -> usize {
    let of_leaf = |leaf: &Leaf| match &leaf.fact {
        Fact::AnyItem(test) => item_truths(test).iter().map(crate::lower::size).sum(),
        _ => 0,
    };
    truth.leaves().map(of_leaf).sum()
}
