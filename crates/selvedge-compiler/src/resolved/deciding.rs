//! The terms that rules act under, resolved: which suppressions, holdout and experiment each rule has.

use super::fact::{Fact, Typed};
use super::fuse::{truth_of, unless_false_of};
use super::names::Meaning;
use super::schedule::schedule_of;
use super::truth::Truth;
use super::typed::Checker;
use crate::codes::Code;
use crate::condition::{Expr, State};
use crate::diagnostic::Report;
use crate::fields::Spanned;
use crate::suggest::{declare, did_you_mean};
use crate::written::content;
use crate::written::deciding::{AppliesTo, Contents, Experiment, Suppression, Variant};
use crate::written::goals::Goal;
use crate::written::rules::{self, RulesFile};
use selvedge_core::limits::BUCKETS;
use selvedge_core::tracking_plan::Trust;
use selvedge_core::wire::program::{self, Cap};
use std::collections::BTreeMap;

/// What rules share of their terms.
pub(crate) struct Deciding {
    pub suppressions: Vec<Suppressor>,
    /// The experiments, then the holdout where there is one.
    pub experiments: Vec<program::Experiment>,
    pub caps: Vec<Cap>,
    pub goals: Vec<program::Goal>,
    /// Of experiments that say what they are judged by.
    pub studies: Vec<program::Study>,
}

/// A suppression, resolved: while `truth` is true, rules yield to it.
pub(crate) struct Suppressor {
    pub name: String,
    pub truth: Truth,
}

/// The terms of one rule.
#[derive(Default)]
pub(crate) struct RuleTerms {
    pub service: bool,
    pub until: Option<Truth>,
    pub schedule: Option<Truth>,
    /// By their places among the suppressions.
    pub suppressed_by: Vec<usize>,
    /// By its place among the experiments.
    pub holdout: Option<usize>,
    /// Its experiment, and what it shows in each variant.
    pub trial: Option<(usize, Vec<Option<String>>)>,
    pub dismissals: Vec<Cap>,
    pub per_value: Option<ValueCap>,
}

/// A cap for each value of a fact.
pub(crate) struct ValueCap {
    pub limit: u16,
    pub fact: Fact,
    pub values_max: u16,
}

/// Resolves what rules share.
pub(super) fn resolve_deciding(rules: &RulesFile, checker: &mut Checker<'_, '_>) -> Deciding {
    let written = &rules.deciding;
    let goals = checker.names.goals;
    goals.iter().for_each(|goal| check_goal(goal, checker));
    let suppressions = written.suppressions.iter();
    let suppressions = suppressions.map(|found| suppressor(found, checker)).collect();
    check_layers(&written.experiments, checker.report);
    for experiment in &written.experiments {
        for goal in experiment.primary.iter().chain(&experiment.guardrails) {
            let names = goals.iter().map(|goal| goal.name.value.as_str());
            known(goal, names, "goal", checker.report);
        }
    }
    let all = written.suppressions.iter().filter_map(|found| found.applies_to.as_ref());
    let all = all.chain(written.holdout.as_ref().and_then(|holdout| holdout.applies_to.as_ref()));
    for applies_to in all {
        check_applies_to(applies_to, rules, checker.report);
    }
    let mut experiments: Vec<program::Experiment> = written.experiments.iter().map(experiment).collect();
    experiments.extend(written.holdout.as_ref().map(|holdout| {
        let name = "holdout".to_owned();
        let variants = [("held-out", holdout.share), ("active", BUCKETS)];
        let variants = variants.map(|(name, end)| program::Variant { name: name.to_owned(), end });
        let (salt, traffic_salt) = (holdout.salt.clone(), holdout.salt.clone());
        let traffic = (0, BUCKETS);
        program::Experiment {
            name,
            salt,
            unit: holdout.unit,
            traffic_salt,
            traffic,
            variants: variants.into(),
        }
    }));
    Deciding {
        suppressions,
        experiments,
        caps: written.caps.clone(),
        goals: goals.iter().map(goal_part).collect(),
        studies: written.experiments.iter().filter_map(|experiment| study(experiment, goals)).collect(),
    }
}

/// The event of a goal exists, is worth what it says, and comes from where it must.
fn check_goal(goal: &Goal, checker: &mut Checker<'_, '_>) {
    if !checker.known_event(&goal.event.value, goal.event.span) {
        return;
    }
    let event = checker.names.event(&goal.event.value);
    if let (Some(value), Some(event)) = (&goal.value, event) {
        let properties = event.properties.iter().map(|property| property.name.as_str());
        known_as(value, properties, (Code::E0203, "property"), checker.report);
    }
    let trust = event.map_or(Trust::Client, |event| event.trust);
    if let Some((Trust::Server, span)) = goal.trust
        && trust == Trust::Client
    {
        let message = format!("anyone may send `{}`, so the goal cannot trust it", goal.event.value);
        let help = format!("write `trust: server` at `{}` in tracking-plan.yaml", goal.event.value);
        checker.report.add_help(Code::E0325, span, message, help);
    }
}

fn goal_part(goal: &Goal) -> program::Goal {
    program::Goal {
        name: goal.name.value.clone(),
        event: goal.event.value.clone(),
        value: goal.value.as_ref().map(|value| value.value.clone()),
        trust: goal.trust.map_or(Trust::Client, |(trust, _)| trust),
        within_ms: goal.within_ms,
    }
}

/// What an experiment is judged by; `None` where it does not say.
fn study(experiment: &Experiment, goals: &[Goal]) -> Option<program::Study> {
    let place = |name: &Spanned<String>| {
        let at = goals.iter().position(|goal| goal.name.value == name.value)?;
        u16::try_from(at).ok()
    };
    let primary = experiment.primary.as_ref().and_then(place);
    let guardrails: Vec<u16> = experiment.guardrails.iter().filter_map(place).collect();
    let says = primary.is_some() || !guardrails.is_empty();
    says.then(|| program::Study { experiment: experiment.name.value.clone(), primary, guardrails })
}

fn suppressor(found: &Suppression, checker: &mut Checker<'_, '_>) -> Suppressor {
    let name = found.name.value.clone();
    let typed = found.when.as_ref().and_then(|when: &Expr| checker.condition(when));
    let Some(typed) = typed else { return Suppressor { name, truth: Truth::Any(Vec::new()) } };
    if found.on_unknown.is_none() && may_be_unknown(&typed) {
        let message = format!("`{name}` does not say what holds where its condition is unknown");
        let help = "add `on_unknown: suppress` or `on_unknown: allow`".to_owned();
        checker.report.add_help(Code::E0320, found.name.span, message, help);
    }
    let truth = match found.on_unknown {
        Some(true) => unless_false_of(&typed, checker.report),
        _ => truth_of(typed, checker.report),
    };
    Suppressor { name, truth }
}

/// Whether a condition may be neither true nor false.
fn may_be_unknown(typed: &Typed) -> bool {
    match typed {
        Typed::And(parts) | Typed::Or(parts) => parts.iter().any(may_be_unknown),
        Typed::Not(inner) => may_be_unknown(inner),
        Typed::State(_, State::Known | State::Missing | State::True | State::NotTrue)
        | Typed::State(_, State::False | State::NotFalse) => false,
        Typed::Leaf(leaf) => leaf.default.is_none() && !leaf.is_always_known(),
    }
}

/// Stretches of one layer do not overlap.
fn check_layers(experiments: &[Experiment], report: &mut Report) {
    let mut layers: BTreeMap<&str, Vec<&Experiment>> = BTreeMap::new();
    for experiment in experiments {
        let Some(layer) = &experiment.layer else { continue };
        let before = layers.entry(layer).or_default();
        let overlaps = |other: &&&Experiment| {
            other.traffic.0 < experiment.traffic.1 && experiment.traffic.0 < other.traffic.1
        };
        if let Some(other) = before.iter().find(overlaps) {
            let message = format!(
                "`{}` and `{}` take the same stretch of `{layer}`",
                other.name.value, experiment.name.value
            );
            let end = other.traffic.1 / 100;
            let help = format!("write for example `traffic: {end}%-100%`");
            report.add_help(Code::E0322, experiment.span, message, help);
        }
        before.push(experiment);
    }
}

fn experiment(found: &Experiment) -> program::Experiment {
    let layer = found.layer.as_ref().map(|layer| format!("layer/{layer}"));
    program::Experiment {
        name: found.name.value.clone(),
        salt: found.salt.clone(),
        unit: found.unit,
        traffic_salt: layer.unwrap_or_else(|| format!("{}/traffic", found.salt)),
        traffic: found.traffic,
        variants: variants(&found.variants),
    }
}

/// Variants take stretches of the buckets in the order written, as long as their shares.
fn variants(found: &[Variant]) -> Vec<program::Variant> {
    let total = found.iter().fold(0u64, |total, variant| total.saturating_add(variant.share)).max(1);
    let mut sum = 0u64;
    let with_end = found.iter().map(|variant| {
        sum = sum.saturating_add(variant.share);
        let end = sum.saturating_mul(BUCKETS.into()).checked_div(total).unwrap_or(0);
        program::Variant { name: variant.name.clone(), end: u16::try_from(end).unwrap_or(BUCKETS) }
    });
    with_end.collect()
}

fn check_applies_to(applies_to: &AppliesTo, rules: &RulesFile, report: &mut Report) {
    for group in &applies_to.groups {
        let groups = rules.groups.iter().map(|group| group.name.value.as_str());
        known_as(group, groups, (Code::E0206, "group"), report);
    }
    for rule in &applies_to.rules {
        known(rule, rules.rules.iter().map(|rule| rule.id.value.as_str()), "rule", report);
    }
}

/// Whether the name is one of those known; else it is reported.
pub(super) fn known<'a>(
    name: &Spanned<String>,
    names: impl Iterator<Item = &'a str> + Clone,
    what: &str,
    report: &mut Report,
) -> bool {
    known_as(name, names, (Code::E0321, what), report)
}

fn known_as<'a>(
    name: &Spanned<String>,
    names: impl Iterator<Item = &'a str> + Clone,
    (code, what): (Code, &str),
    report: &mut Report,
) -> bool {
    if names.clone().any(|known| known == name.value) {
        return true;
    }
    let help = did_you_mean(&name.value, names).unwrap_or_else(|| declare(what));
    report.add_help(code, name.span, format!("there is no {what} `{}`", name.value), help);
    false
}

/// Resolves the terms of one rule.
pub(super) fn resolve_terms(
    rule: &rules::Rule,
    file: &RulesFile,
    contents: &[content::Content],
    timezone: &str,
    checker: &mut Checker<'_, '_>,
) -> RuleTerms {
    let written = &file.deciding;
    let applies = |applies_to: &Option<AppliesTo>| {
        let is_named = |names: &[Spanned<String>], name: &str| names.iter().any(|known| known.value == name);
        match applies_to {
            _ if rule.service && applies_to.is_none() => false,
            None => true,
            Some(AppliesTo { groups, rules }) => {
                is_named(rules, &rule.id.value)
                    || rule.group.as_ref().is_some_and(|group| is_named(groups, &group.value))
            }
        }
    };
    let holdout = written.holdout.as_ref().filter(|holdout| !rule.service && applies(&holdout.applies_to));
    let suppressed_by = written.suppressions.iter().enumerate();
    let until = rule.until.as_ref().and_then(|until| until.as_ref());
    let until = until.and_then(|until| checker.condition(until));
    RuleTerms {
        service: rule.service,
        schedule: rule.schedule.as_ref().and_then(|found| schedule_of(found, timezone, checker.report)),
        until: until.map(|until| truth_of(until, checker.report)),
        suppressed_by: suppressed_by
            .filter(|(_, found)| applies(&found.applies_to))
            .map(|(at, _)| at)
            .collect(),
        holdout: holdout.map(|_| written.experiments.len()),
        trial: trial(rule, file, contents, checker.report),
        dismissals: rule.caps.dismissals.clone(),
        per_value: rule.caps.per_value.as_ref().and_then(|cap| value_cap(cap, checker)),
    }
}

/// The variant in which a rule that shows nothing does nothing, where no variant has a content.
const CONTROL: &str = "control";

fn trial(
    rule: &rules::Rule,
    file: &RulesFile,
    contents: &[content::Content],
    report: &mut Report,
) -> Option<(usize, Vec<Option<String>>)> {
    let name = rule.experiment.as_ref()?;
    let experiments = &file.deciding.experiments;
    if !known(name, experiments.iter().map(|known| known.name.value.as_str()), "experiment", report) {
        return None;
    }
    if rule.service {
        let help = "remove `experiment`, or `service: true`".to_owned();
        report.add_help(Code::E0324, name.span, "a service notice belongs to no experiment", help);
    }
    let at = experiments.iter().position(|known| known.name.value == name.value)?;
    let slot = rule.slot.as_ref().map(|slot| slot.value.as_str()).unwrap_or_default();
    let mut content = |variant: &Variant| {
        let content = match &variant.content {
            Contents::Nothing => None,
            Contents::One(content) => Some(content),
            // A rule that only tells a destination does so in every variant that does something.
            Contents::Slots(slots) if rule.slot.is_none() => slots.first().map(|(_, content)| content),
            Contents::Slots(slots) => {
                slots.iter().find(|(known, _)| known.value == slot).map(|(_, content)| content)
            }
        }?;
        let ids = contents.iter().map(|content| content.id.as_str());
        known_as(content, ids, (Code::E0205, "content"), report).then(|| content.value.clone())
    };
    let variants = &experiments.get(at)?.variants;
    let shows = |variant: &Variant| !matches!(variant.content, Contents::Nothing);
    if rule.slot.is_none() && !variants.iter().any(shows) {
        // Nothing is shown anywhere: which variant does nothing, its name says. Some content stands for doing something.
        let any = contents.first().map(|content| content.id.clone());
        let told = variants.iter().map(|variant| any.clone().filter(|_| variant.name != CONTROL));
        return Some((at, told.collect()));
    }
    let contents = variants.iter().map(&mut content).collect();
    Some((at, contents))
}

/// A fact whose values can be told apart: an attribute or a built-in fact.
fn value_cap(cap: &crate::written::caps::ValueCap, checker: &mut Checker<'_, '_>) -> Option<ValueCap> {
    match checker.names.find(&cap.fact.value) {
        Some(Meaning::Fact(fact @ (Fact::Attribute(_) | Fact::Builtin(_)), _)) => {
            if let Fact::Attribute(at) = &fact {
                checker.used.attributes.insert(*at);
            }
            Some(ValueCap { limit: cap.limit, fact, values_max: cap.values_max })
        }
        Some(_) => {
            let message = format!("`{}` has no values that a cap can tell apart", cap.fact.value);
            let help = "name an attribute or a built-in fact: `1 per ticket.id max 8`".to_owned();
            checker.report.add_help(Code::E0017, cap.fact.span, message, help);
            None
        }
        None => {
            let help = did_you_mean(&cap.fact.value, checker.names.all());
            let message = format!("nothing is named `{}`", cap.fact.value);
            checker.report.add_help(Code::E0201, cap.fact.span, message, help);
            None
        }
    }
}
