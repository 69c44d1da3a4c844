//! A whole site resolved: every name leads somewhere, every rule has its slot, content, group and condition.

use super::attribute::{Attribute, resolve_attribute};
use super::content::{self, Content, Setting};
use super::deciding::{Deciding, RuleTerms, resolve_deciding, resolve_terms};
use super::destination;
use super::emit::{Emit, resolve_emit};
use super::fuse::truth_of;
use super::metric::{Metric, count_as_values, metric};
use super::names::Names;
use super::rates::{Exchange, Rates, rates_of};
use super::shown::{self, Showing};
use super::truth::Truth;
use super::typed::{Checker, TypedMetric, Used};
use super::warnings::{self, Ranked};
use crate::codes::Code;
use crate::diagnostic::Report;
use crate::fields::Spanned;
use crate::source::Span;
use crate::suggest::{declare, did_you_mean};
use crate::written::capture::Capture;
use crate::written::rules::{self, RulesFile};
use crate::written::timing::Timing as WrittenTiming;
use crate::written::{Written, content as written_content, site};
use selvedge_core::consent::Purposes;
use selvedge_core::tracking_plan::PlanEvent;
use selvedge_core::wire::program::{self, Builtin, Cap, Hold, Status, Timing, Trigger};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// A site, resolved.
pub(crate) struct Site {
    pub site: site::Site,
    pub events: Vec<PlanEvent>,
    pub attributes: Vec<Attribute>,
    /// The named metrics, then those written inside conditions.
    pub metrics: Vec<Option<Metric>>,
    pub contents: Vec<Content>,
    pub groups: Vec<program::Group>,
    /// Sorted by priority descending, then id.
    pub rules: Vec<Rule>,
    pub deciding: Deciding,
    /// What the records of each destination must pass, in their order.
    pub filters: Vec<Option<Truth>>,
    /// Which lookup holds rates between currencies.
    pub rates: Option<Rates>,
}

/// A rule, resolved.
pub(crate) struct Rule {
    pub id: String,
    /// Where its id is written.
    pub id_span: Span,
    pub priority: i32,
    pub status: Status,
    pub purpose: Purposes,
    pub when: Option<Truth>,
    pub slot: String,
    pub content: String,
    pub group: Option<String>,
    pub caps: Vec<Cap>,
    pub hold: Hold,
    pub private: bool,
    pub timing: Timing,
    /// Where its triggers are written, in their order.
    pub trigger_spans: Vec<Span>,
    pub terms: RuleTerms,
    pub emit: Option<Emit>,
}

impl Rule {
    /// Every condition that the rule acts by, with the purpose that its facts are kept for: its own, what ends it, and what
    /// it yields to.
    pub fn conditions<'a>(&'a self, deciding: &'a Deciding) -> impl Iterator<Item = (&'a Truth, Purposes)> {
        let told = self.emit.iter().flat_map(Emit::conditions);
        let terms = self.terms.until.iter().chain(&self.terms.schedule);
        let own = self.when.iter().chain(terms).chain(told).map(|truth| (truth, self.purpose));
        let suppressions = self.terms.suppressed_by.iter().filter_map(|at| deciding.suppressions.get(*at));
        own.chain(suppressions.map(|found| (&found.truth, Purposes::PERSONALIZATION)))
    }
}

impl Rule {
    /// Whether it may show the content of this id.
    pub fn shows(&self, content: &str) -> bool {
        let of_trial = self.terms.trial.iter().flat_map(|(_, contents)| contents.iter().flatten());
        of_trial.into_iter().any(|shown| shown == content) || self.content == content
    }
}

/// Resolves what was written; what is wrong is reported and left out.
pub(crate) fn resolve(written: Written, report: &mut Report) -> Site {
    let Written { site, plan, rules, contents } = written;
    let events = plan_events(plan, &site.capture, report);
    check_names(&site, &rules, report);
    let names = Names::new(&rules, &events, &site.goals);
    let currency = site.currency.clone();
    let rates = rates_of(&site, report);
    let mut checker = Checker {
        names: &names,
        currency: &currency,
        timezone: &site.timezone,
        report,
        metrics: Vec::new(),
        used: Used::default(),
        tests: 0,
        lists: &site.lists,
        lookups: &site.lookups,
        rates,
        reads_money: false,
        reads_rates: false,
    };
    let named: Vec<Option<TypedMetric>> = rules
        .metrics
        .iter()
        .map(|metric| checker.metric(metric.metric.as_ref()?, &metric.name.value))
        .collect();
    let deciding = resolve_deciding(&rules, &mut checker);
    let resolved_rules = resolve_rules(&rules, &site, &contents, &mut checker);
    check_audiences(&rules, &mut checker);
    let filters = destination::resolve_filters(&site, &mut checker);
    let Checker { metrics, mut used, .. } = checker;
    let attributes = rules.attributes.iter().map(|found| resolve_attribute(found, &events, report)).collect();
    let metrics = named.into_iter().chain(metrics.into_iter().map(Some));
    let mut metrics: Vec<Option<Metric>> = metrics
        .map(|found| found.map(|found| metric(found, (&site.timezone, rates.is_some()), report)))
        .collect();
    let conditions = resolved_rules.iter().flat_map(|rule| rule.conditions(&deciding));
    count_as_values(conditions.map(|(truth, _)| truth), &mut metrics);
    check_fallbacks(&site, &contents, report);
    let exchange = Exchange { currency: &currency, lookups: &site.lookups, rates };
    let setting = Setting { names: &names, exchange, language: &site.language };
    let mut resolved_contents: Vec<Content> =
        contents.iter().map(|found| content::resolve(found, &setting, &mut used, report)).collect();
    let showings: Vec<Showing<'_>> = resolved_rules.iter().flat_map(showings_of).collect();
    shown::settle(&mut resolved_contents, &showings, &site, &mut metrics, report);
    let is_shown = |id: &str| resolved_rules.iter().any(|rule| rule.shows(id));
    destination::check(&site, &rules, &events, report);
    warnings::unused(&rules, &contents, is_shown, &site, &used, report);
    Site {
        attributes,
        metrics,
        contents: resolved_contents,
        groups: rules.groups.iter().map(group).collect(),
        rules: resolved_rules,
        deciding,
        filters,
        rates,
        site,
        events,
    }
}

/// Each content that a rule shows.
fn showings_of(rule: &Rule) -> impl Iterator<Item = Showing<'_>> {
    let of_trial = rule.terms.trial.iter().flat_map(|(_, contents)| contents.iter().flatten());
    let contents = of_trial.chain([&rule.content]);
    contents.map(|content| Showing { content, purpose: rule.purpose, when: rule.when.as_ref() })
}

/// The site's events, and those of what it captures by itself. What the site describes is as it says.
fn plan_events(mut events: Vec<PlanEvent>, capture: &Capture, report: &mut Report) -> Vec<PlanEvent> {
    for event in capture.known.iter().flat_map(|kind| kind.planned()) {
        if events.iter().all(|known| known.name != event.name) {
            events.push(event);
        }
    }
    events.sort_by(|a, b| a.name.cmp(&b.name));
    for target in &capture.targets {
        if events.iter().all(|known| known.name != target.value) {
            let message = format!("the tracking plan has no event `{}`", target.value);
            let help = did_you_mean(&target.value, events.iter().map(|known| known.name.as_str()));
            report.add_help(Code::E0860, target.span, message, help);
        }
    }
    events
}

fn group(group: &rules::Group) -> program::Group {
    program::Group {
        name: group.name.value.clone(),
        max_per_page: group.max_per_page,
        caps: group.caps.clone(),
    }
}

/// One space of names for what conditions read.
fn check_names(site: &site::Site, rules: &RulesFile, report: &mut Report) {
    let mut taken: BTreeMap<&str, &str> =
        Builtin::ALL.iter().map(|builtin| (builtin.name(), "a built-in fact")).collect();
    let attributes = rules.attributes.iter().map(|attribute| (&attribute.name, "an attribute"));
    let metrics = rules.metrics.iter().map(|metric| (&metric.name, "a metric"));
    let audiences = rules.audiences.iter().map(|audience| (&audience.name, "an audience"));
    for (name, what) in attributes.chain(metrics).chain(audiences) {
        if let Some(other) = taken.insert(&name.value, what) {
            let message = format!("`{}` is already the name of {other}", name.value);
            report.add(Code::E0207, name.span, message);
        }
    }
    check_sources(site, report);
}

fn check_sources(site: &site::Site, report: &mut Report) {
    let mut keys = BTreeSet::new();
    for source in &site.sources {
        if !keys.insert(&source.key.value) {
            let message = format!("two sources have the key `{}`", source.key.value);
            report.add(Code::E0207, source.key.span, message);
        }
    }
}

fn resolve_rules(
    rules: &RulesFile,
    site: &site::Site,
    contents: &[written_content::Content],
    checker: &mut Checker<'_, '_>,
) -> Vec<Rule> {
    let mut resolved: Vec<(Rule, Span)> = Vec::with_capacity(rules.rules.len());
    let mut ids = BTreeSet::new();
    for rule in &rules.rules {
        if !ids.insert(&rule.id.value) {
            let message = format!("two rules have the id `{}`", rule.id.value);
            let help = format!("write `id: {}-2`", rule.id.value);
            checker.report.add_help(Code::E0207, rule.id.span, message, help);
        }
        if let Some(found) = resolve_rule(rule, rules, site, contents, checker) {
            resolved.push((found, rule.id.span));
        }
    }
    // By places, not by moving: a rule is large.
    resolved.sort_by_cached_key(|(rule, _)| (Reverse(rule.priority), rule.id.clone()));
    let shown = resolved.iter().filter(|(rule, _)| !rule.slot.is_empty());
    let ranked = shown.map(|(rule, span)| Ranked {
        id: &rule.id,
        slot: &rule.slot,
        priority: rule.priority,
        span: *span,
    });
    warnings::equal_priority(ranked, checker.report);
    resolved.into_iter().map(|(rule, _)| rule).collect()
}

fn resolve_rule(
    rule: &rules::Rule,
    rules: &RulesFile,
    site: &site::Site,
    contents: &[written_content::Content],
    checker: &mut Checker<'_, '_>,
) -> Option<Rule> {
    let slots = site.slots.iter().map(|slot| slot.name.as_str());
    let ids = contents.iter().map(|content| content.id.as_str());
    let groups = rules.groups.iter().map(|group| group.name.value.as_str());
    let slot = known(rule.slot.as_ref(), slots, Code::E0204, "slot", checker.report);
    let content = known(rule.content.as_ref(), ids, Code::E0205, "content", checker.report);
    let group = known(rule.group.as_ref(), groups, Code::E0206, "group", checker.report);
    let when = rule.when.as_ref().map(|written| written.as_ref().and_then(|expr| checker.condition(expr)));
    let emit = rule.emit.iter().flatten().find_map(|emit| resolve_emit(emit, rule, site, checker));
    Some(Rule {
        id: rule.id.value.clone(),
        id_span: rule.id.span,
        priority: rule.priority,
        status: rule.status,
        purpose: rule.purpose,
        when: match when {
            None => None,
            Some(typed) => Some(truth_of(typed?, checker.report)),
        },
        slot: if rule.is_mute { String::new() } else { slot? },
        content: if rule.is_mute { String::new() } else { content? },
        group,
        caps: rule.caps.shown.clone(),
        hold: rule.hold,
        private: rule.private,
        timing: timing(&rule.timing, checker),
        trigger_spans: trigger_spans(&rule.timing),
        terms: resolve_terms(rule, rules, contents, &site.timezone, checker),
        emit,
    })
}

/// When the rule is considered; events that are in no plan are reported.
fn timing(written: &WrittenTiming, checker: &mut Checker<'_, '_>) -> Timing {
    let events = written.trigger.as_ref().map(|events| {
        let is_end = |event: &&Spanned<String>| event.value == SESSION_END;
        let mut trigger =
            Trigger { session_end: events.iter().any(|event| is_end(&event)), events: Vec::new() };
        for event in events.iter().filter(|event| !is_end(event)) {
            checker.known_event(&event.value, event.span);
            trigger.events.push(event.value.clone());
        }
        trigger
    });
    Timing { trigger: events, after_ms: written.after_ms }
}

fn trigger_spans(written: &WrittenTiming) -> Vec<Span> {
    let events = written.trigger.iter().flatten().filter(|event| event.value != SESSION_END);
    events.map(|event| event.span).collect()
}

/// The trigger that is no event.
const SESSION_END: &str = "session_end";

/// The name, where it is one of those known; else it is reported.
fn known<'a>(
    name: Option<&Spanned<String>>,
    mut names: impl Iterator<Item = &'a str> + Clone,
    code: Code,
    what: &str,
    report: &mut Report,
) -> Option<String> {
    let name = name?;
    if names.clone().any(|known| known == name.value) {
        return Some(name.value.clone());
    }
    let message = format!("there is no {what} `{}`", name.value);
    let help = did_you_mean(&name.value, names.by_ref()).unwrap_or_else(|| declare(what));
    report.add_help(code, name.span, message, help);
    None
}

/// Audiences that no rule uses are checked all the same.
fn check_audiences(rules: &RulesFile, checker: &mut Checker<'_, '_>) {
    let used_by_rules = std::mem::take(&mut checker.used);
    let metrics = checker.metrics.len();
    for (at, audience) in rules.audiences.iter().enumerate() {
        if !used_by_rules.audiences.contains(&at) {
            audience.condition.as_ref().and_then(|condition| checker.condition(condition));
        }
    }
    checker.metrics.truncate(metrics);
    checker.used = used_by_rules;
}

fn check_fallbacks(site: &site::Site, contents: &[written_content::Content], report: &mut Report) {
    for slot in &site.slots {
        let ids = contents.iter().map(|content| content.id.as_str());
        known(slot.fallback.as_ref(), ids, Code::E0205, "content", report);
    }
}
