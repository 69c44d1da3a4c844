//! Whether the events that a rule depends on may be used for its purpose at all.

use crate::codes::Code;
use crate::diagnostic::Report;
use crate::lower::Shared;
use crate::resolved::{Fact, Leaf, Rule, Site, Truth, cart_events};
use crate::source::Span;
use crate::suggest::names;
use selvedge_core::consent::Purposes;

/// Reports every test of a fact that an event would change, had it the purpose.
pub(crate) fn check(site: &Site, shared: &Shared, report: &mut Report) {
    for rule in &site.rules {
        warn_of_shared(rule, site, shared, report);
        for (truth, purpose) in rule.conditions(&site.deciding) {
            for leaf in truth.leaves() {
                check_leaf(leaf, purpose, site, report);
            }
        }
        let triggers = rule.timing.trigger.iter().flat_map(|trigger| &trigger.events);
        for (event, span) in triggers.zip(&rule.trigger_spans) {
            check_event(event, rule.purpose, *span, site, report);
        }
    }
    for content in site.contents.iter().filter(|content| site.is_shown(content)) {
        content.leaves().for_each(|leaf| check_leaf(leaf, content.purpose, site, report));
    }
}

/// Warns of facts that are kept for rules of other purposes too: only where all of these are granted.
fn warn_of_shared(rule: &Rule, site: &Site, shared: &Shared, report: &mut Report) {
    for leaf in rule.when.iter().flat_map(Truth::leaves) {
        for fact in leaf.fact.simple() {
            let (name, purposes) = match fact {
                Fact::Builtin(builtin) if builtin.is_of_cart() => (builtin.name(), shared.cart_purposes),
                Fact::Attribute(at) if !site.attributes[*at].set.is_empty() => {
                    (site.attributes[*at].name.as_str(), shared.attribute_purposes.get(at).copied())
                }
                _ => continue,
            };
            let others = purposes.unwrap_or_default().without(rule.purpose).without(Purposes::NECESSARY);
            if others != Purposes::NONE {
                let message = format!(
                    "`{name}` is known to `{}` only where {} is granted too: a rule of that purpose reads it as well",
                    rule.id,
                    names(others)
                );
                let help = "read it by a metric in one of them (`last E.prop`, `count E`): a metric is kept for each \
                            purpose";
                report.add_help(Code::W0740, leaf.source.span, message, help.to_owned());
            }
        }
    }
}

fn check_leaf(leaf: &Leaf, purpose: Purposes, site: &Site, report: &mut Report) {
    for fact in leaf.fact.simple() {
        check_fact(fact, leaf, purpose, site, report);
    }
}

fn check_fact(fact: &Fact, leaf: &Leaf, purpose: Purposes, site: &Site, report: &mut Report) {
    match fact {
        Fact::Metric(at) => {
            for event in site.metric(*at).into_iter().flat_map(|metric| metric.events()) {
                check_event(event, purpose, leaf.source.span, site, report);
            }
        }
        Fact::Builtin(builtin) if builtin.is_of_cart() => {
            let mut events = cart_events(&site.events).peekable();
            if events.peek().is_none() {
                let message = format!(
                    "nothing is known of `{}`: the tracking plan has no event of a cart",
                    builtin.name()
                );
                let help =
                    "add `add_to_cart`, `remove_from_cart` and `purchase` to tracking-plan.yaml".to_owned();
                report.add_help(Code::E0202, leaf.source.span, message, help);
            }
            events.for_each(|(event, _)| check_event(event, purpose, leaf.source.span, site, report));
        }
        Fact::Attribute(at) => {
            for set in &site.attributes[*at].set {
                check_event(&set.event, purpose, leaf.source.span, site, report);
            }
        }
        _ => {}
    }
}

fn check_event(event: &str, wanted: Purposes, span: Span, site: &Site, report: &mut Report) {
    let known = site.events.iter().find(|known| known.name == event);
    let allowed = known.map_or(Purposes::ANALYTICS.or(Purposes::PERSONALIZATION), |known| known.purposes);
    if allowed.holds(wanted) {
        return;
    }
    let missing = names(wanted.without(allowed));
    let message = format!("`{event}` may be used for {}, and this needs {missing}", names(allowed));
    let help = format!("add `{missing}` to the `purposes` of `{event}` in tracking-plan.yaml");
    report.add_help(Code::E0210, span, message, help);
}
