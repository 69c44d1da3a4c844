//! Which events a page sends at once: those on whose account a rule may change a slot.

use crate::resolved::{Fact, Rule, Site, cart_events};
use selvedge_core::consent::Purposes;
use selvedge_core::event::EventType;
use selvedge_core::tracking_plan::{Nature, PlanEvent, Trust};
use selvedge_core::wire::program::{AttributeScope, Status};
use std::collections::BTreeSet;

/// Marks the events of the plan that a live rule depends on.
pub(crate) fn mark(site: &mut Site) {
    let live = site.rules.iter().filter(|rule| rule.status == Status::Live);
    let mut named = BTreeSet::new();
    live.for_each(|rule| name_events(rule, site, &mut named));
    let urgent: BTreeSet<String> = named.into_iter().map(str::to_owned).collect();
    for name in &urgent {
        if !site.events.iter().any(|event| event.name == *name) {
            site.events.push(known_to_every_site(name));
        }
    }
    site.events.sort_by(|a, b| a.name.cmp(&b.name));
    for event in &mut site.events {
        event.urgent = urgent.contains(&event.name);
    }
}

/// Puts the events that a rule depends on to the others.
fn name_events<'a>(rule: &'a Rule, site: &'a Site, events: &mut BTreeSet<&'a str>) {
    // A new page view is decided anew, whatever the condition.
    events.insert(EventType::Page.as_str());
    events.extend(rule.timing.trigger.iter().flat_map(|trigger| &trigger.events).map(String::as_str));
    if !rule.terms.dismissals.is_empty() {
        events.insert(DISMISSED);
    }
    let leaves = rule.conditions(&site.deciding).flat_map(|(truth, _)| truth.leaves());
    for fact in leaves.flat_map(|leaf| leaf.fact.simple()) {
        match fact {
            Fact::Metric(at) => {
                events.extend(site.metric(*at).into_iter().flat_map(|metric| metric.events()));
            }
            Fact::Builtin(builtin) if builtin.is_of_cart() => {
                events.extend(cart_events(&site.events).map(|(event, _)| event));
            }
            Fact::Attribute(at) => {
                let attribute = &site.attributes[*at];
                events.extend(attribute.set.iter().map(|set| set.event.as_str()));
                match attribute.scope {
                    AttributeScope::Visitor | AttributeScope::Profile => {
                        events.insert(EventType::Identify.as_str());
                    }
                    AttributeScope::Account => drop(events.insert(EventType::Group.as_str())),
                    AttributeScope::Session | AttributeScope::Context => {}
                }
            }
            _ => {}
        }
    }
}

/// The event that says that a visitor put away what a rule showed.
const DISMISSED: &str = "exposure_dismiss";

/// An event that needs no description: as the core describes it.
fn known_to_every_site(name: &str) -> PlanEvent {
    PlanEvent {
        name: name.to_owned(),
        version: 1,
        nature: Nature::Behavioural,
        trust: Trust::Client,
        purposes: Purposes::ANALYTICS.or(Purposes::PERSONALIZATION),
        additional_properties: true,
        urgent: true,
        properties: Vec::new(),
    }
}
