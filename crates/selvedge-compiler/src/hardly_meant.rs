//! What compiles and loads, but was hardly meant: conditions that are never or always true, rules that never win, caps that
//! are never reached.

use crate::analysis::{Facts, Tests, can_be, is_open, tests_of};
use crate::codes::Code;
use crate::diagnostic::Report;
use crate::implied::Ways;
use crate::resolved::{Rule, Site};
use crate::source::Span;
use selvedge_core::wire::program::{
    AttributeScope, AttributeType, Cap, Fact, FactSource, Parts, Rule as RulePart, Scope, Shape, Status,
    Terms, Test, Timing, Window,
};
use std::collections::{BTreeMap, BTreeSet};

/// Warns of it. The full program's rules are those of the site, in the same order.
pub(crate) fn check(site: &Site, full: &Parts, report: &mut Report) {
    let named: Vec<(u16, &str)> =
        (0u16..).zip(&full.facts).filter_map(|(at, fact)| Some((at, told_by_name(fact, full)?))).collect();
    let mut told = 0;
    let mut uppers: BTreeMap<u16, Vec<Upper>> = BTreeMap::new();
    for (rule, part) in site.rules.iter().zip(&full.rules) {
        if part.status == Status::Live {
            let found = part.when.map(|start| tests_of(full, start));
            let facts = found.as_ref().map_or(0, facts_of);
            let is_told = found.is_some_and(|found| check_condition(rule, part, full, found, &named, report));
            let above = uppers.entry(part.slot).or_default();
            if part.slot != MUTE {
                // A condition of which something else was told is mended first.
                let is_walked = !is_told && told < TOLD_MAX;
                told += usize::from(check_overshadowed(
                    rule,
                    &Upper { part, facts },
                    above,
                    is_walked,
                    full,
                    report,
                ));
            }
            if has_no_terms(part) && (part.when.is_none() || above.len() < UPPERS_MAX) {
                above.push(Upper { part, facts });
            }
        }
        check_caps(&rule.caps, rule.id_span, report);
    }
}

/// So many rules of a slot that have a condition are asked whether they leave the slot to those below them.
const UPPERS_MAX: usize = 64;

/// So many rules are told never to win; after them, those below a rule that has a condition are not looked for.
const TOLD_MAX: usize = 64;

/// The slot of a rule that shows nothing.
const MUTE: u16 = u16::MAX;

/// A rule that nothing keeps from its slot but its purpose and its condition; or one that is compared with such.
struct Upper<'a> {
    part: &'a RulePart,
    /// A bit for each fact of its condition, by the last digits of its place.
    facts: u64,
}

fn facts_of(found: &Tests) -> u64 {
    found.tests.iter().fold(0, |facts, (fact, _)| facts | 1 << (fact % 64))
}

/// Whether something was told of the condition.
fn check_condition(
    rule: &Rule,
    part: &RulePart,
    full: &Parts,
    found: Tests,
    named: &[(u16, &str)],
    report: &mut Report,
) -> bool {
    let (Some(start), Some(truth)) = (part.when, rule.when.as_ref()) else { return false };
    let mut leaves = truth.leaves();
    let Some(first) = leaves.next() else { return false };
    let last = leaves.last().unwrap_or(first);
    let span = first.source.span.to(last.source.span);
    let is_open = is_open(full, &found);
    let tests = found.tests;
    let facts: BTreeSet<u16> = tests.iter().map(|(fact, _)| *fact).collect();
    // Where each fact is tested once, no test decides another.
    let is_entangled = facts.len() < tests.len();
    if !is_open && can_be(full, start, true, Facts::Any) == Some(false) {
        let help = "two of its parts exclude each other: join them with `or`, or drop one".to_owned();
        let message = format!("the condition of `{}` is never true", rule.id);
        report.add_help(Code::W0503, span, message, help);
        return true;
    }
    // Of facts that are never missing (counts, defaults) one test may let every value through.
    let is_always = !is_open
        && (can_be(full, start, false, Facts::Any) == Some(false)
            || (is_entangled && can_be(full, start, false, Facts::Known) == Some(false)));
    if is_always {
        let help = "drop `when`, or move one of its bounds".to_owned();
        let message = format!("the condition of `{}` is true whatever its facts are", rule.id);
        report.add_help(Code::W0504, span, message, help);
        return true;
    }
    let of_account = facts.iter().copied().filter(|at| is_of_account(*at, full)).collect::<Vec<u16>>();
    if !of_account.is_empty() && can_be(full, start, true, Facts::Without(&of_account)) == Some(false) {
        warn_of_account(rule, span, report);
        return true;
    }
    let of_rule: Vec<(u16, &str)> = named.iter().filter(|(at, _)| facts.contains(at)).copied().collect();
    if of_rule.is_empty() {
        return false;
    }
    let mut absent = of_rule.iter().filter(|(at, _)| asks_for_absence(*at, &tests, full));
    let places: Vec<u16> = of_rule.iter().map(|(at, _)| *at).collect();
    if let Some((_, name)) = absent.next()
        && can_be(full, start, true, Facts::Without(&places)) == Some(false)
    {
        warn_of_anonymous(rule, name, span, report);
        return true;
    }
    false
}

/// Facts that only `identify` and `group` tell are missing of visitors who are not known by name. That is what rules for
/// members mean; one that asks what somebody is *not* seldom does.
fn warn_of_anonymous(rule: &Rule, name: &str, span: Span, report: &mut Report) {
    let message = format!(
        "the condition of `{}` is never true for anonymous visitors: `{name}` is unknown of them, and unknown is \
         neither equal nor unequal to anything",
        rule.id
    );
    let help = format!("write `({name} = ...) is not true`, if they are meant too");
    report.add_help(Code::W0505, span, message, help);
}

/// The edge keeps no state of accounts, so that only rehearsals know what is in one.
fn warn_of_account(rule: &Rule, span: Span, report: &mut Report) {
    let message = format!(
        "the condition of `{}` is never true at the edge: it needs a fact of the account, and no state of accounts is kept",
        rule.id
    );
    let help = "ask `of visitor`, or an attribute `from: visitor`; or make the rule a draft".to_owned();
    report.add_help(Code::W0506, span, message, help);
}

/// Whether the fact is one of the account.
fn is_of_account(fact: u16, full: &Parts) -> bool {
    let source = full.facts.get(usize::from(fact)).map(|fact| &fact.source);
    match source {
        Some(FactSource::Attribute(at)) => {
            let attribute = full.attributes.get(usize::from(*at));
            attribute.is_some_and(|attribute| attribute.scope == AttributeScope::Account)
        }
        Some(FactSource::Metric(at)) => {
            let metric = full.metrics.get(usize::from(*at));
            metric.is_some_and(|metric| metric.scope == Scope::Account)
        }
        _ => false,
    }
}

/// The attribute's name, where only `identify` or `group` gives it a value.
fn told_by_name<'a>(fact: &Fact, full: &'a Parts) -> Option<&'a str> {
    let FactSource::Attribute(at) = fact.source else { return None };
    let attribute = full.attributes.get(usize::from(at))?;
    let is_of_person = !matches!(attribute.scope, AttributeScope::Session | AttributeScope::Context);
    (is_of_person && attribute.set.is_empty() && fact.default.is_none()).then_some(attribute.name.as_str())
}

/// Whether the condition has a test of the fact that wants it to be other than something.
fn asks_for_absence(fact: u16, tests: &[(u16, Test)], full: &Parts) -> bool {
    let Some(known) = full.facts.get(usize::from(fact)) else { return false };
    let mut tests = tests.iter().filter(|(of, _)| *of == fact).map(|(_, test)| *test);
    let is_flag = match known.source {
        FactSource::Attribute(at) => {
            let attribute = full.attributes.get(usize::from(at));
            attribute.is_some_and(|attribute| attribute.attribute_type == AttributeType::Bool)
        }
        _ => false,
    };
    tests.any(|test| match (test, &known.shape) {
        (Test::Mask(bits), Shape::OneOf(_)) => bits & 0b10 != 0,
        (Test::MaskWide(at), _) => full
            .masks
            .get(usize::from(at))
            .is_some_and(|words| words.first().is_some_and(|word| word & 0b10 != 0)),
        (Test::Range(0, 0), Shape::Text(..)) => true,
        (Test::Range(0, 0), _) => is_flag,
        _ => false,
    })
}

/// Warns of a rule below one that has the slot whenever this one could, and says whether it did; `is_walked`: also where the
/// one above has a condition.
fn check_overshadowed(
    rule: &Rule,
    lower: &Upper,
    above: &[Upper],
    is_walked: bool,
    full: &Parts,
    report: &mut Report,
) -> bool {
    let mut ways = None;
    let mut takes_slot = |upper: &&Upper| {
        let Some(start) = upper.part.when else { return true };
        is_walked && is_implied(lower.part.when, start, &mut ways, full)
    };
    // What the upper rule asks, the lower one must ask too; of most pairs that is all that is looked at.
    let mut above =
        above.iter().filter(|upper| upper.facts & !lower.facts == 0 && acts_wherever(upper.part, lower.part));
    let Some(Upper { part: upper, .. }) = above.find(|upper| takes_slot(upper)) else { return false };
    let (message, help) = match upper.when {
        None => (
            format!("`{}` never wins: `{}` stands above it and is always true", rule.id, upper.id),
            format!("give `{}` a `when`, or a lower priority", upper.id),
        ),
        Some(_) => (
            format!("`{}` never wins: `{}` stands above it and is true whenever it is", rule.id, upper.id),
            format!(
                "give `{}` a lower priority, or a `when` that leaves something to `{}`",
                upper.id, rule.id
            ),
        ),
    };
    report.add_help(Code::W0501, rule.id_span, message, help);
    true
}

/// Whether the condition that begins at `start` is true whenever that of the lower rule is. Its ways are found when they are
/// first asked for.
fn is_implied(lower: Option<u16>, start: u16, ways: &mut Option<Option<Ways>>, full: &Parts) -> bool {
    let Some(lower) = lower else { return false };
    let ways = ways.get_or_insert_with(|| Ways::of(full, lower)).as_mut();
    ways.is_some_and(|ways| ways.all_lead_to(full, start))
}

/// Whether the upper rule may act wherever and under whatever consent the lower one does.
fn acts_wherever(upper: &RulePart, lower: &RulePart) -> bool {
    lower.purpose.holds(upper.purpose)
        && (upper.in_page || !lower.in_page)
        // Notices are exempt from the caps of slot and site.
        && (upper.terms.service || !lower.terms.service)
}

/// Whether nothing keeps the rule from its slot but its purpose and its condition.
fn has_no_terms(rule: &RulePart) -> bool {
    let has_terms = Terms { service: false, ..rule.terms.clone() } != Terms::default();
    rule.caps.is_empty() && rule.group.is_none() && rule.timing == Timing::default() && !has_terms
}

/// Warns of caps that others, or the page view, keep from being reached.
fn check_caps(caps: &[Cap], span: Span, report: &mut Report) {
    for cap in caps {
        let Some(most) =
            caps.iter().filter(|other| *other != cap).filter_map(|other| most(*other, *cap)).min()
        else {
            continue;
        };
        if u64::from(cap.limit) > most {
            let message =
                format!("a cap of {} is never reached: another lets at most {most} through", cap.limit);
            report.add_help(Code::W0502, span, message, "drop the larger cap".to_owned());
        }
    }
}

/// How many exposures `first` lets through in the window of `second`.
fn most(first: Cap, second: Cap) -> Option<u64> {
    match (first.window, second.window) {
        (Window::Sliding(first_ms), Window::Sliding(second_ms)) => {
            Some(u64::from(first.limit).saturating_mul(second_ms.div_ceil(first_ms.max(1))))
        }
        (a, b) if a == b => Some(first.limit.into()),
        (Window::Session, Window::Page) => Some(first.limit.into()),
        _ => None,
    }
}
