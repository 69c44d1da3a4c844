//! What was expected against what is so, and both in words.

use super::behind::Behind;
use super::reasons::{RuleWords, rule_words};
use super::refused::Refused;
use super::stage::Stage;
use super::told::{Told, fact_name, told};
use selvedge_compiler::cases::{
    CaseEvent, CasePlace, Expect, ExpectEmit, ExpectReason, ExpectSlot, Relation, Why,
};
use selvedge_core::event::RefusalCode;
use selvedge_core::rules::Decision;
use selvedge_core::value::Value;
use selvedge_core::wire::answer::Reason;
use selvedge_core::wire::log_row::Emission;
use selvedge_core::wire::program::Rule;
use selvedge_edge::json::JsonMap;
use serde::Serialize;
use std::collections::BTreeSet;

/// Something that was not as expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// Where the expectation stands.
    pub place: CasePlace,
    /// What was expected.
    pub expected: String,
    /// What was found.
    pub found: String,
    /// Why it is so.
    pub because: Vec<String>,
}

impl Failure {
    /// An event that the edge refused.
    #[must_use]
    pub fn refused(event: &CaseEvent, refused: &Refused) -> Self {
        let consent = "no purpose of it is granted: see `consent`";
        let because =
            if refused.code == RefusalCode::NoConsent { vec![consent.to_owned()] } else { Vec::new() };
        Self {
            place: event.place.clone(),
            expected: format!("{} is accepted", event.text),
            found: format!("refused: {refused}"),
            because,
        }
    }
}

/// What slots show now and did not before, and what was seen.
#[must_use]
pub fn notes(stage: &Stage, before: Option<&Behind>, behind: &Behind) -> Vec<String> {
    if let Some(refused) = &behind.refused {
        return vec![format!("refused: {refused}")];
    }
    let mut notes = Vec::new();
    for decision in &behind.decisions {
        let then = before.and_then(|before| before.decision(decision.slot));
        let is_news = match then {
            Some(then) => (then.rule, then.content) != (decision.rule, decision.content),
            None => decision.rule.is_some(),
        };
        if is_news {
            let slot = stage.slot_name(decision.slot);
            notes.push(format!("{slot} = {}", shown(stage, decision)));
        }
    }
    let seen =
        |(slot, rule): &(u16, u16)| format!("seen: {} in {}", stage.rule_id(*rule), stage.slot_name(*slot));
    notes.extend(behind.exposed.iter().map(seen));
    notes.extend(behind.told.iter().map(|told| format!("{} is told: {}", told.to, message(told))));
    notes
}

/// `free_shipping_banner (free-shipping-hero, won)`.
#[must_use]
pub fn shown(stage: &Stage, decision: &Decision) -> String {
    let content = decision.content.map_or("nothing of ours", |at| stage.content_id(at));
    match decision.rule {
        Some(rule) => format!("{content} ({}, {})", stage.rule_id(rule), decision.reason.as_str()),
        None => format!("{content} ({})", decision.reason.as_str()),
    }
}

/// Everything that is not as expected.
#[must_use]
pub fn check(stage: &Stage, behind: &Behind, expect: &Expect) -> Vec<Failure> {
    let slots = expect.slots.iter().filter_map(|slot| check_slot(stage, behind, slot));
    let whys = expect.why.iter().filter_map(|why| check_why(stage, behind, expect, why));
    let reasons = expect.reasons.iter().filter_map(|reason| check_reason(stage, behind, reason));
    slots.chain(whys).chain(reasons).collect()
}

fn slot_at(stage: &Stage, name: &str) -> Option<u16> {
    let at = stage.parts.slots.iter().position(|slot| slot.name == name)?;
    u16::try_from(at).ok()
}

fn check_slot(stage: &Stage, behind: &Behind, expect: &ExpectSlot) -> Option<Failure> {
    let slot = slot_at(stage, &expect.slot)?;
    let decision = behind.decision(slot)?;
    let content = decision.content.map(|at| stage.content_id(at));
    let is_met = match &expect.content {
        None => decision.rule.is_none(),
        Some(wanted) => content == Some(wanted.as_str()),
    };
    if is_met {
        return None;
    }
    // Only rules that were meant: those that show it, or the one that should not be there.
    let is_meant = |rule: &RuleWords| match &expect.content {
        None => decision.rule.is_some_and(|at| stage.rule_id(at) == rule.rule),
        Some(wanted) => shows(stage, &rule.rule, wanted),
    };
    let of_slot = rules_of(stage, behind, &BTreeSet::from([slot]));
    Some(Failure {
        place: expect.place.clone(),
        expected: format!("{} = {}", expect.slot, expect.content.as_deref().unwrap_or("none")),
        found: shown(stage, decision),
        because: of_slot.iter().filter(|rule| is_meant(rule)).flat_map(because).collect(),
    })
}

fn shows(stage: &Stage, rule: &str, content: &str) -> bool {
    let is_it = |at: u16| stage.content_id(at) == content;
    let in_variant = |rule: &Rule| {
        let trial = rule.terms.trial.as_ref();
        trial.is_some_and(|trial| trial.contents.iter().flatten().any(|at| is_it(*at)))
    };
    let mut rules = stage.parts.rules.iter();
    rules.any(|known| known.id == rule && (is_it(known.content) || in_variant(known)))
}

fn rules_of(stage: &Stage, behind: &Behind, slots: &BTreeSet<u16>) -> Vec<RuleWords> {
    let of_slots = (0u16..).zip(&stage.parts.rules).filter(|(_, rule)| slots.contains(&rule.slot));
    of_slots.filter_map(|(at, _)| rule_words(stage, behind, at)).collect()
}

/// A rule's reason, and what was missing.
fn because(rule: &RuleWords) -> Vec<String> {
    let mut lines = vec![format!("{}: {}", rule.rule, rule.reason_text())];
    lines.extend(rule.missing.iter().map(|leaf| format!("  failed: {leaf}")));
    if matches!(rule.reason, Reason::Won | Reason::Held) {
        lines.extend(rule.leaves.iter().map(|leaf| format!("  {leaf}")));
    }
    lines
}

/// The rules that a `why` speaks of: those that have the expected slots; where none has one, all of these slots.
fn spoken_of(stage: &Stage, behind: &Behind, expect: &Expect) -> Vec<u16> {
    let slots: BTreeSet<u16> = expect.slots.iter().filter_map(|slot| slot_at(stage, &slot.slot)).collect();
    let is_asked = |slot: u16| slots.is_empty() || slots.contains(&slot);
    let decided = behind.decisions.iter().filter(|decision| is_asked(decision.slot));
    let winners: Vec<u16> = decided.filter_map(|decision| decision.rule).collect();
    if !winners.is_empty() {
        return winners;
    }
    (0u16..).zip(&stage.parts.rules).filter(|(_, rule)| is_asked(rule.slot)).map(|(at, _)| at).collect()
}

fn check_why(stage: &Stage, behind: &Behind, expect: &Expect, why: &Why) -> Option<Failure> {
    let (mut found, mut is_bound) = (Vec::new(), false);
    for rule in spoken_of(stage, behind, expect) {
        for leaf in behind.leaves(stage, rule) {
            let text = stage.leaf(leaf.leaf).map_or("", |leaf| leaf.text.as_str());
            let is_meant = fact_name(stage, leaf.fact, text) == why.fact || text.starts_with(&why.fact);
            if !is_meant {
                continue;
            }
            let told = told(stage, behind, leaf.fact, leaf.known);
            if told.agrees(why) {
                return None;
            }
            is_bound |= matches!(told, Told::Number { high: None, .. });
            found.push(format!("{} is {told}", why.fact));
        }
    }
    found.dedup();
    let found =
        if found.is_empty() { format!("no rule here asks for {}", why.fact) } else { found.join(", ") };
    let because = match is_bound && why.relation == Relation::Equal {
        true => vec![format!("it counts as far as rules ask: write `{} >= ...`", why.fact)],
        false => Vec::new(),
    };
    Some(Failure { place: why.place.clone(), expected: why.text.clone(), found, because })
}

/// `cart_reminder (cart-reminder)`, with what goes with it.
fn message(told: &Emission) -> String {
    let leaves = if told.is_exit { " is over" } else { "" };
    let fields: Vec<String> =
        told.fields.iter().map(|(name, value)| format!("{name} = {}", json(value))).collect();
    let with = if fields.is_empty() { String::new() } else { format!(" with {}", fields.join(", ")) };
    format!("{}{leaves} ({}){with}", told.enter, told.rule)
}

fn json(value: &Value) -> String {
    let map = [("value".to_owned(), value.clone())].into_iter().collect();
    let text = serde_json::to_string(&JsonMap(&map)).unwrap_or_default();
    text.trim_start_matches("{\"value\":").trim_end_matches('}').to_owned()
}

/// What destinations were told against what was expected: the same messages, in the same order. Of a message that was not
/// told, why its rule does not act now.
#[must_use]
pub fn check_emits(
    stage: &Stage,
    behind: Option<&Behind>,
    told: &[Emission],
    expect: (&[ExpectEmit], &CasePlace),
) -> Option<Failure> {
    let (expected, place) = expect;
    let is_met = |(told, expected): (&Emission, &ExpectEmit)| {
        let has =
            |(name, value): (&str, &Value)| told.fields.get(name).is_some_and(|told| is_same(told, value));
        told.rule == expected.rule && told.is_exit == expected.is_exit && expected.fields.iter().all(has)
    };
    if told.len() == expected.len() && told.iter().zip(expected).all(is_met) {
        return None;
    }
    let wanted = |expect: &ExpectEmit| {
        let leaves = if expect.is_exit { " exit" } else { "" };
        let fields: Vec<String> =
            expect.fields.iter().map(|(name, value)| format!(" {name} = {}", json(value))).collect();
        format!("{}{leaves}{}", expect.rule, fields.concat())
    };
    let list = |texts: Vec<String>| if texts.is_empty() { "none".to_owned() } else { texts.join(", ") };
    Some(Failure {
        place: expected.first().map_or(place, |expect| &expect.place).clone(),
        expected: format!("emit = {}", list(expected.iter().map(wanted).collect())),
        found: list(told.iter().map(message).collect()),
        because: behind.map(|behind| not_told(stage, behind, told, expected)).unwrap_or_default(),
    })
}

fn not_told(stage: &Stage, behind: &Behind, told: &[Emission], expected: &[ExpectEmit]) -> Vec<String> {
    let is_told = |id: &str| told.iter().any(|told| told.rule == id);
    let ids: BTreeSet<&str> =
        expected.iter().map(|expect| expect.rule.as_str()).filter(|id| !is_told(id)).collect();
    let rules = (0u16..).zip(&stage.parts.rules).filter(|(_, rule)| ids.contains(rule.id.as_str()));
    let words = rules.filter_map(|(at, _)| rule_words(stage, behind, at));
    words.flat_map(|words| because(&words)).collect()
}

/// Whether two values are one, however their numbers are written.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.micro() == other.micro(),
        _ => one == other,
    }
}

fn check_reason(stage: &Stage, behind: &Behind, expect: &ExpectReason) -> Option<Failure> {
    let at = stage.parts.rules.iter().position(|rule| rule.id == expect.rule)?;
    let words = rule_words(stage, behind, u16::try_from(at).ok()?)?;
    (words.reason != expect.reason).then(|| Failure {
        place: expect.place.clone(),
        expected: format!("{}: {}", expect.rule, expect.reason.as_str()),
        found: words.reason_text(),
        because: words.missing.iter().map(|leaf| format!("failed: {leaf}")).collect(),
    })
}
