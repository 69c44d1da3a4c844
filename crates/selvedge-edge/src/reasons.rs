//! Why each rule acts or does not, with the value of every test and its place in the site's files: for the holder of a preview
//! token.

use crate::json::JsonValue;
use crate::site::Site;
use crate::text::rfc_3339;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use selvedge_core::rules::{self, Candidate, Known, LeafTruth, Moment};
use selvedge_core::wire::answer::Reason;
use selvedge_core::wire::program::{Experiment, Rule, Variant};
use selvedge_core::wire::state::VisitorState;

/// What a preview token brought.
#[derive(Debug, Default, serde::Serialize)]
pub struct Explained<'a> {
    /// Why the token shows nothing; left out where it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<&'static str>,
    /// Until when it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
    /// Every rule, in the order of deciding.
    rules: Vec<RuleJson<'a>>,
    /// Of each slot that no rule has, the rule that lacked least.
    nearest: Vec<NearestJson<'a>>,
}

#[derive(Debug, serde::Serialize)]
struct RuleJson<'a> {
    rule: &'a str,
    slot: &'a str,
    reason: &'static str,
    misses: u16,
    tests: Vec<TestJson<'a>>,
    /// Of its experiment, as `experiment/variant`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    variants: Vec<String>,
}

#[derive(Debug, serde::Serialize)]
struct TestJson<'a> {
    test: &'a str,
    file: &'a str,
    line: u32,
    column: u32,
    /// Null where it is not known.
    holds: Option<bool>,
    /// Null where it is missing or not known.
    value: JsonValue,
}

#[derive(Debug, serde::Serialize)]
struct NearestJson<'a> {
    slot: &'a str,
    rule: &'a str,
    misses: u16,
}

impl Explained<'_> {
    /// A token shows nothing, because of this.
    #[must_use]
    pub fn refused(code: &'static str) -> Self {
        Self { refused: Some(code), ..Self::default() }
    }
}

/// What becomes of every rule at this moment, before it is decided.
#[must_use]
pub fn explained<'a>(
    site: &'a Site,
    state: &VisitorState,
    moment: &Moment<'_>,
    expires_ms: u64,
) -> Explained<'a> {
    let candidates = rules::explain(&site.program, state, moment);
    let known = rules::known_facts(&site.program, state, moment);
    let rules = candidates.iter().filter_map(|candidate| rule(site, state, moment, &known, candidate));
    Explained {
        refused: None,
        expires: Some(rfc_3339(expires_ms)),
        rules: rules.collect(),
        nearest: nearest(site, &candidates),
    }
}

fn rule<'a>(
    site: &'a Site,
    state: &VisitorState,
    moment: &Moment<'_>,
    known: &[Known],
    candidate: &Candidate,
) -> Option<RuleJson<'a>> {
    let rule = rule_of(site, candidate)?;
    let leaves = rule.when.map(|when| rules::leaves(&site.program, known, when)).unwrap_or_default();
    let test = |leaf: LeafTruth| {
        let written = site.config.leaves.get(usize::from(leaf.leaf))?;
        Some(TestJson {
            test: &written.text,
            file: &written.file,
            line: written.line,
            column: written.column,
            holds: rules::as_written(&written.text, leaf.truth),
            value: JsonValue(rules::told(&site.program, state, moment, leaf.fact)),
        })
    };
    Some(RuleJson {
        rule: &rule.id,
        slot: slot_of(site, rule),
        reason: candidate.reason.as_str(),
        misses: candidate.misses,
        tests: leaves.into_iter().filter_map(test).collect(),
        variants: variants(site, rule),
    })
}

fn variants(site: &Site, rule: &Rule) -> Vec<String> {
    let experiments = &site.program.parts().deciding.experiments;
    let of_rule = rule.terms.trial.as_ref().and_then(|trial| experiments.get(usize::from(trial.experiment)));
    let named = |experiment: &Experiment| {
        let name = |variant: &Variant| format!("{}/{}", experiment.name, variant.name);
        experiment.variants.iter().map(name).collect()
    };
    of_rule.map(named).unwrap_or_default()
}

fn nearest<'a>(site: &'a Site, candidates: &[Candidate]) -> Vec<NearestJson<'a>> {
    let mut nearest: Vec<NearestJson<'a>> = Vec::new();
    for slot in &site.program.parts().slots {
        let of_slot = candidates.iter().filter_map(|candidate| {
            let rule = rule_of(site, candidate)?;
            (slot_of(site, rule) == slot.name).then_some((candidate, rule))
        });
        let stands = |candidate: &Candidate| matches!(candidate.reason, Reason::Won | Reason::Held);
        if of_slot.clone().any(|(candidate, _)| stands(candidate)) {
            continue;
        }
        let missed = of_slot.filter(|(candidate, _)| candidate.misses > 0);
        if let Some((candidate, rule)) = missed.min_by_key(|(candidate, _)| candidate.misses) {
            nearest.push(NearestJson { slot: &slot.name, rule: &rule.id, misses: candidate.misses });
        }
    }
    nearest
}

fn rule_of<'a>(site: &'a Site, candidate: &Candidate) -> Option<&'a Rule> {
    site.program.rules().get(usize::from(candidate.rule))
}

fn slot_of<'a>(site: &'a Site, rule: &Rule) -> &'a str {
    site.program.parts().slots.get(usize::from(rule.slot)).map(|slot| slot.name.as_str()).unwrap_or_default()
}
