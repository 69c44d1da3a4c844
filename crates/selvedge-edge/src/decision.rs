//! Decisions in words: names for the places that the rules give.

use crate::site::Site;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use selvedge_core::rules::{self, Decision, Moment};
use selvedge_core::wire::answer::{Need, Reason, SlotDecision};
use selvedge_core::wire::program::Content;
use selvedge_core::wire::state::VisitorState;

/// What decisions are put into words with.
#[derive(Debug, Clone, Copy)]
pub struct Decider<'a> {
    /// The site.
    pub site: &'a Site,
    /// The state they were made from.
    pub state: &'a VisitorState,
    /// The moment they were made in.
    pub moment: &'a Moment<'a>,
}

/// The decisions with names. `with_detail` adds, to a fallback, the leaf that kept the slot's first rule from winning.
#[must_use]
pub fn slot_decisions(decider: &Decider<'_>, decisions: &[Decision], with_detail: bool) -> Vec<SlotDecision> {
    let is_fallback = |decision: &Decision| decision.reason == Reason::Fallback;
    let details = if with_detail && decisions.iter().any(is_fallback) { leaves(decider) } else { Vec::new() };
    let detail_of = |decision: &Decision| {
        let leaf = details.iter().find(|(slot, _)| is_fallback(decision) && *slot == decision.slot);
        leaf.map(|(_, text)| (*text).to_string()).unwrap_or_default()
    };
    let detail_of = |decision: &Decision| match decision.variant {
        Some(variant) => decider.site.program.variant_name(variant),
        None => detail_of(decision),
    };
    decisions.iter().filter_map(|decision| named(decider, decision, detail_of(decision))).collect()
}

/// The grants that a page has to take for what it is answered of rules that it does not know: of those that run only here,
/// or of `all`, where it decides nothing itself.
#[must_use]
pub fn needs(decider: &Decider<'_>, decisions: &[Decision], all: bool) -> Vec<Need> {
    let parts = decider.site.program.parts();
    let of_decision = |decision: &Decision| {
        let rule = decision.rule.and_then(|at| decider.site.program.rules().get(usize::from(at)));
        let slot = parts
            .slots
            .get(usize::from(decision.slot))
            .filter(|_| rule.is_some_and(|rule| all || !rule.in_page));
        slot.map(|slot| rules::grants_for(&decider.site.program, decider.state, decision, &slot.name))
    };
    decisions.iter().filter_map(of_decision).flatten().collect()
}

/// What each of the decisions shows, in the visitor's language and with the values written out.
#[must_use]
pub fn contents(decider: &Decider<'_>, decisions: &[Decision]) -> Vec<Option<Content>> {
    decisions.iter().map(|decision| content(decider, decision)).collect()
}

fn content(decider: &Decider<'_>, decision: &Decision) -> Option<Content> {
    rules::content(&decider.site.program, decider.state, decider.moment, decision)
}

fn named(decider: &Decider<'_>, decision: &Decision, detail: String) -> Option<SlotDecision> {
    let parts = decider.site.program.parts();
    let rule = decision.rule.and_then(|at| decider.site.program.rules().get(usize::from(at)));
    let shown = decision.content.and_then(|at| parts.contents.get(usize::from(at)));
    let is_unknown_to_page = rule.is_some_and(|rule| !rule.in_page);
    Some(SlotDecision {
        slot: parts.slots.get(usize::from(decision.slot))?.name.clone(),
        rule: rule.map(|rule| rule.id.clone()),
        content: shown.map(|content| content.id.clone()),
        reason: decision.reason,
        detail,
        body: if is_unknown_to_page { content(decider, decision) } else { None },
        held_out: decision
            .held_out
            .and_then(|at| decider.site.program.rules().get(usize::from(at)))
            .map(|rule| rule.id.clone()),
    })
}

/// Per slot, the leaf at which its first rule (in the order of deciding) failed.
fn leaves<'a>(decider: &Decider<'a>) -> Vec<(u16, &'a str)> {
    let mut leaves: Vec<(u16, &str)> = Vec::new();
    for candidate in rules::explain(&decider.site.program, decider.state, decider.moment) {
        let rule = decider.site.program.rules().get(usize::from(candidate.rule));
        let leaf = candidate.leaf.and_then(|at| decider.site.config.leaves.get(usize::from(at)));
        if let (Some(rule), Some(leaf)) = (rule, leaf)
            && !leaves.iter().any(|(slot, _)| *slot == rule.slot)
        {
            leaves.push((rule.slot, &leaf.text));
        }
    }
    leaves
}
