//! Why this, why not that. The page does not link this.

use super::decide::{Decision, is_excluded, judge};
use super::facts::{Known, has_bit, known_at, mask_words, passes, resolve};
use super::grants::check;
use super::moment::{Moment, Place};
use super::program::{ACCEPT, MISSING, Op, OpTest, Program};
use crate::wire::answer::Reason;
use crate::wire::program::{Rule, Status};
use crate::wire::state::VisitorState;
use alloc::vec;
use alloc::vec::Vec;

/// What became of one rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// The rule, by its place in the program.
    pub rule: u16,
    /// The one reason.
    pub reason: Reason,
    /// Where the condition was decided, by its place in [`crate::wire::program::EdgeConfig::leaves`]: for
    /// [`Reason::False`] and [`Reason::Unknown`].
    pub leaf: Option<u16>,
}

/// Exactly one reason for every rule of the program, in the program's order, as [`super::decide()`] decides at this
/// moment. Asked after `decide`, what won there is held.
#[must_use]
pub fn explain(program: &Program, state: &VisitorState, moment: &Moment) -> Vec<Candidate> {
    let mut state = state.clone();
    let now_ms = state.now_ms(moment.now_ms);
    state.align(program, now_ms);
    state.held.retain(|held| held.until_ms.is_none_or(|until_ms| until_ms > now_ms));
    let known = resolve(program, &state, moment);
    let decisions = judge(program, &state, moment, &known);
    let standing = standing(program, &decisions);
    let case =
        Case { program, state: &state, moment, known: &known, decisions: &decisions, standing: &standing };
    program.parts().rules.iter().zip(0u16..).map(|(rule, at)| case.candidate(rule, at)).collect()
}

/// Per exclusion group, how many of its rules stand in the end.
fn standing(program: &Program, decisions: &[Decision]) -> Vec<u16> {
    let parts = program.parts();
    let mut standing = vec![0u16; parts.groups.len()];
    for rule in decisions.iter().filter_map(|decision| parts.rules.get(usize::from(decision.rule?))) {
        if let Some(count) = rule.group.and_then(|group| standing.get_mut(usize::from(group))) {
            *count = count.saturating_add(1);
        }
    }
    standing
}

/// What a rule is judged by.
struct Case<'a> {
    program: &'a Program,
    state: &'a VisitorState,
    moment: &'a Moment<'a>,
    known: &'a [Known],
    decisions: &'a [Decision],
    standing: &'a [u16],
}

impl Case<'_> {
    fn candidate(&self, rule: &Rule, at: u16) -> Candidate {
        let decision = self.decisions.get(usize::from(rule.slot));
        if let Some(decision) = decision.filter(|decision| decision.rule == Some(at)) {
            return Candidate { rule: at, reason: decision.reason, leaf: None };
        }
        let (reason, leaf) = match rule.status {
            Status::Draft => (Reason::Draft, None),
            Status::Paused => (Reason::Paused, None),
            Status::Live if self.moment.place == Place::Page && !rule.in_page => (Reason::RunsAtEdge, None),
            Status::Live if !self.moment.in_force.holds(rule.purpose) => (Reason::NoPurpose, None),
            Status::Live => self.of_condition(rule),
        };
        Candidate { rule: at, reason, leaf }
    }

    fn of_condition(&self, rule: &Rule) -> (Reason, Option<u16>) {
        let truth = rule.when.map_or(Truth::True, |at| truth(self.program, self.known, at));
        match truth {
            Truth::False(leaf) => (Reason::False, Some(leaf)),
            Truth::Unknown(leaf) => (Reason::Unknown, Some(leaf)),
            Truth::True => (self.of_caps(rule), None),
        }
    }

    fn of_caps(&self, rule: &Rule) -> Reason {
        let now_ms = self.state.now_ms(self.moment.now_ms);
        match check(self.program, self.state, self.moment.writer, rule, now_ms) {
            Err(reason) => reason,
            Ok(()) if is_excluded(self.program, rule, self.standing) => Reason::ExcludedByGroup,
            Ok(()) => Reason::LowerPriority,
        }
    }
}

/// What a condition is, and the leaf that made it so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Truth {
    True,
    False(u16),
    Unknown(u16),
}

/// Strong Kleene: a condition is unknown where it is not definitely true, but would be if every unknown leaf were.
pub(super) fn truth(program: &Program, known: &[Known], start: u16) -> Truth {
    let definite = walk(program, start, |op| passes(program, op, known));
    if definite.accepts {
        return Truth::True;
    }
    let possible = walk(program, start, |op| may_pass(program, op, known));
    if !possible.accepts {
        return Truth::False(possible.last);
    }
    let mut leaf = None;
    let test = |op: &Op| passes(program, op, known);
    walk_each(program, start, test, |at, op| {
        if leaf.is_none() && !passes(program, op, known) && may_pass(program, op, known) {
            leaf = Some(at);
        }
    });
    Truth::Unknown(leaf.unwrap_or(start))
}

/// Where code ended, and the last leaf before that.
struct Walk {
    accepts: bool,
    last: u16,
}

fn walk(program: &Program, start: u16, test: impl Fn(&Op) -> bool) -> Walk {
    let mut last = start;
    let end = walk_each(program, start, test, |at, _| last = at);
    Walk { accepts: end == ACCEPT, last }
}

fn walk_each(
    program: &Program,
    start: u16,
    test: impl Fn(&Op) -> bool,
    mut visit: impl FnMut(u16, &Op),
) -> u16 {
    let mut at = start;
    while let Some(op) = program.ops().get(usize::from(at)) {
        visit(at, op);
        at = if test(op) { op.on_true } else { op.on_false };
    }
    at
}

/// Whether a test holds for at least one value that the fact may have. A missing value leaves every test open but those
/// that ask for it.
fn may_pass(program: &Program, op: &Op, known: &[Known]) -> bool {
    let known = known_at(known, op.fact);
    let is_missing_possible = known.low == MISSING;
    match op.test {
        OpTest::Range if op.high == MISSING => is_missing_possible,
        OpTest::Range if is_missing_possible && op.is_known_test() => known.high != MISSING,
        _ if is_missing_possible => true,
        OpTest::Range => op.low <= known.high && known.low <= op.high,
        OpTest::Mask => may_have_bit(&[op.low.cast_unsigned()], known),
        OpTest::MaskWide => may_have_bit(mask_words(program, op), known),
    }
}

fn may_have_bit(words: &[u64], known: Known) -> bool {
    let bits = i64::try_from(words.len()).unwrap_or(0).saturating_mul(64);
    (known.low.max(0)..=known.high.min(bits)).any(|bit| has_bit(words, bit))
}
