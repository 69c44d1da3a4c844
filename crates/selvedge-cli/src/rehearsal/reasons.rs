//! Why a rule acts or does not, in words: its one reason, every test of its condition, and how little was missing.

use super::behind::Behind;
use super::capped::cap_text;
use super::stage::Stage;
use super::told::{fact_name, told};
use selvedge_core::rules::{LeafTruth, as_written, asks_for_the_opposite};
use selvedge_core::wire::answer::Reason;
use selvedge_core::wire::program::Jump;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// Why a rule acts or does not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleWords {
    /// Its id.
    pub rule: String,
    /// The slot it shows in.
    pub slot: String,
    /// Its priority.
    pub priority: i32,
    /// The one reason.
    #[serde(serialize_with = "reason_word")]
    pub reason: Reason,
    /// The suppression or the rule that it yields to, the cap that is used up, or the variant that is drawn.
    pub by: Option<String>,
    /// Every test of its condition.
    pub leaves: Vec<LeafWords>,
    /// The fewest tests that would have to come out otherwise for the condition to be true.
    pub missing: Vec<LeafWords>,
}

/// A test of a condition, and what it came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeafWords {
    /// As written.
    pub text: String,
    /// The fact tested.
    pub fact: String,
    /// What the rule was told of it.
    pub value: String,
    /// Whether it holds; `None` where that is not known.
    pub holds: Option<bool>,
    /// The file that it stands in.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
}

fn reason_word<S: serde::Serializer>(reason: &Reason, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(reason.as_str())
}

/// Why the rule at this place acts or does not.
#[must_use]
pub fn rule_words(stage: &Stage, behind: &Behind, rule: u16) -> Option<RuleWords> {
    let found = stage.rule(rule)?;
    let reason = behind.reason(rule)?;
    let tests = behind.leaves(stage, rule);
    let needs_condition = matches!(reason, Reason::False | Reason::Unknown);
    let missing = if needs_condition { missing(stage, behind, &tests, found.when) } else { Vec::new() };
    Some(RuleWords {
        rule: found.id.clone(),
        slot: stage.slot_name(found.slot).to_owned(),
        priority: found.priority,
        reason,
        by: by(stage, behind, rule).or_else(|| has_the_slot(stage, behind, found.slot, reason)),
        leaves: joined(tests.iter().map(|test| as_it_is(stage, behind, test)).collect()),
        missing,
    })
}

impl RuleWords {
    /// The reason, and by what.
    #[must_use]
    pub fn reason_text(&self) -> String {
        match &self.by {
            Some(by) => format!("{} ({by})", self.reason.as_str()),
            None => self.reason.as_str().to_owned(),
        }
    }
}

fn by(stage: &Stage, behind: &Behind, rule: u16) -> Option<String> {
    let program = &stage.site.program;
    let decided = behind.decisions.iter().find(|decision| decision.rule == Some(rule));
    let variant = decided.and_then(|decision| decision.variant).map(|at| program.variant_name(at));
    let suppression = behind.candidates.get(usize::from(rule)).and_then(|candidate| candidate.suppression);
    let cap = || behind.caps.iter().find(|(at, ..)| *at == rule);
    let cap = || cap().and_then(|(_, of, at)| cap_text(stage, rule, *of, *at));
    variant.or_else(|| suppression.map(|at| program.suppression_name(at).to_owned())).or_else(cap)
}

/// Who stands where a rule would win, were it not for that one.
fn has_the_slot(stage: &Stage, behind: &Behind, slot: u16, reason: Reason) -> Option<String> {
    let decision = behind.decision(slot).filter(|_| reason == Reason::LowerPriority)?;
    let winner = stage.rule_id(decision.rule?);
    let held = if decision.reason == Reason::Held { " is held" } else { "" };
    Some(format!("{winner}{held}"))
}

/// A condition on a range is several tests of one text: it holds where one of them does.
fn joined(leaves: Vec<LeafWords>) -> Vec<LeafWords> {
    let mut joined: Vec<LeafWords> = Vec::new();
    for leaf in leaves {
        let is_same = |known: &&mut LeafWords| {
            (&known.file, known.line, known.column, &known.text)
                == (&leaf.file, leaf.line, leaf.column, &leaf.text)
        };
        match joined.iter_mut().find(is_same) {
            Some(known) => {
                known.holds = match (known.holds, leaf.holds) {
                    (Some(true), _) | (_, Some(true)) => Some(true),
                    (Some(false), Some(false)) => Some(false),
                    _ => None,
                }
            }
            None => joined.push(leaf),
        }
    }
    joined
}

/// The test as it is written.
fn as_it_is(stage: &Stage, behind: &Behind, test: &LeafTruth) -> LeafWords {
    let wanted = stage.leaf(test.leaf).is_some_and(|place| !asks_for_the_opposite(&place.text));
    words(stage, behind, test, wanted)
}

/// The test as it is asked, or (`wanted` false) its opposite.
fn words(stage: &Stage, behind: &Behind, test: &LeafTruth, wanted: bool) -> LeafWords {
    let place = stage.leaf(test.leaf).cloned().unwrap_or_default();
    LeafWords {
        fact: fact_name(stage, test.fact, &place.text).to_owned(),
        value: told(stage, behind, test.fact, test.known).to_string(),
        holds: as_written(&place.text, test.truth),
        text: match wanted != asks_for_the_opposite(&place.text) {
            true => place.text,
            false => format!("not {}", place.text),
        },
        file: place.file,
        line: place.line,
        column: place.column,
    }
}

/// The cheapest way through the condition's code to where it is true: a test that must come out otherwise costs one.
fn missing(stage: &Stage, behind: &Behind, tests: &[LeafTruth], start: Option<u16>) -> Vec<LeafWords> {
    let truths: BTreeMap<u16, &LeafTruth> = tests.iter().map(|test| (test.leaf, test)).collect();
    // Jumps lead forward: from the last test to the first, each cost is known when it is asked for.
    let mut costs: BTreeMap<u16, (usize, bool)> = BTreeMap::new();
    for (at, test) in truths.iter().rev() {
        let Some(code) = stage.parts.code.get(usize::from(*at)) else { continue };
        let passes = test.truth == Some(true);
        let on_true = cost(&costs, code.on_true).map(|cost| cost + usize::from(!passes));
        let on_false = cost(&costs, code.on_false).map(|cost| cost + usize::from(passes));
        let best = match (on_true, on_false) {
            (Some(yes), Some(no)) if no < yes => (no, false),
            (Some(yes), _) => (yes, true),
            (None, Some(no)) => (no, false),
            (None, None) => continue,
        };
        costs.insert(*at, best);
    }
    let mut found = Vec::new();
    let mut next = start;
    while let Some(at) = next {
        let (Some(test), Some((_, way))) = (truths.get(&at), costs.get(&at)) else { break };
        if (test.truth == Some(true)) != *way {
            found.push(words(stage, behind, test, *way));
        }
        let code = stage.parts.code.get(usize::from(at));
        next = code.and_then(|code| match if *way { code.on_true } else { code.on_false } {
            Jump::To(at) => Some(at),
            Jump::Accept | Jump::Reject => None,
        });
    }
    found
}

fn cost(costs: &BTreeMap<u16, (usize, bool)>, jump: Jump) -> Option<usize> {
    match jump {
        Jump::Accept => Some(0),
        Jump::Reject => None,
        Jump::To(at) => costs.get(&at).map(|(cost, _)| *cost),
    }
}

impl LeafWords {
    /// What would have to hold: `visitor.is_new (it is false)  rules.yaml:9:11`. (As it is printed, it says what is.)
    #[must_use]
    pub fn needed(&self) -> String {
        let Self { text, value, file, line, column, .. } = self;
        if self.is_truth() {
            format!("{text} (it is {value})  {file}:{line}:{column}")
        } else {
            self.to_string()
        }
    }

    /// Whether it is a fact of yes or no, asked as such.
    fn is_truth(&self) -> bool {
        self.text == self.fact && matches!(self.value.as_str(), "true" | "false" | "unknown")
    }
}

impl fmt::Display for LeafWords {
    /// `shoe_views >= 2 (shoe_views is 1)  rules.yaml:47:11`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, fact, value, file, line, column, .. } = self;
        if self.is_truth() {
            write!(out, "{text} is {value}")?;
        } else if text == fact || fact.contains(' ') {
            write!(out, "{text} (it is {value})")?;
        } else {
            write!(out, "{text} ({fact} is {value})")?;
        }
        if line > &0 { write!(out, "  {file}:{line}:{column}") } else { Ok(()) }
    }
}
