//! Why this, why not that. The page does not link this.

use super::decide::{Decision, is_excluded, judge, prepare};
use super::gates::{barrier, is_over};
use super::grants::check;
use super::known::{Known, MISSING, has_bit, known_at, passes};
use super::moment::Moment;
use super::recall::Recall;
use super::timers;
use super::trials::is_held_out;
use super::view::resolve;
use crate::limits::MASK_WORDS_MAX;
use crate::wire::answer::Reason;
use crate::wire::program::{ACCEPT, Image, LeafRow, NONE, Op, RuleRow, kind, op_of};
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
    /// [`Reason::False`] and [`Reason::Unknown`]. Where it is the condition of `until` that keeps it off, that one's.
    pub leaf: Option<u16>,
    /// What it yields to, by its place among the suppressions: for [`Reason::SuppressedBy`].
    pub suppression: Option<u16>,
    /// How many tests of its condition would have to come out otherwise, at least: the nearest miss has the fewest.
    pub misses: u16,
}

/// Exactly one reason for every rule of the program, in the program's order, as [`super::decide()`] decides at this
/// moment. Asked after `decide`, what won there is held.
#[must_use]
pub fn explain(image: &Image, state: &VisitorState, moment: &Moment) -> Vec<Candidate> {
    let mut state = state.clone();
    let mut recall = Recall::default();
    prepare(image, &mut state, moment, &mut recall);
    judge(image, &state, moment, &mut recall);
    let (known, decisions) = (recall.known(), recall.decisions());
    let standing = standing(image, decisions);
    let misses = misses(image, known);
    let case = Case { image, state: &state, moment, known, decisions, standing: &standing, misses: &misses };
    (0..image.rules()).map(|at| case.candidate(image.rule(at), at)).collect()
}

/// What is known of every fact of the program at this moment, in the program's order: what its tests are asked of.
#[must_use]
pub fn known_facts(image: &Image, state: &VisitorState, moment: &Moment) -> Vec<Known> {
    let mut state = state.clone();
    let now_ms = state.now_ms(moment.now_ms);
    state.align(image, now_ms);
    resolve(image, &state, moment)
}

/// Per exclusion group, how many of its rules stand in the end.
fn standing(image: &Image, decisions: &[Decision]) -> Vec<u16> {
    let mut standing = vec![0u16; image.groups().into()];
    for rule in decisions.iter().filter_map(|decision| decision.rule) {
        if let Some(count) = standing.get_mut(usize::from(image.rule(rule).group())) {
            *count = count.saturating_add(1);
        }
    }
    standing
}

/// What a rule is judged by.
struct Case<'a> {
    image: &'a Image,
    state: &'a VisitorState,
    moment: &'a Moment<'a>,
    known: &'a [Known],
    decisions: &'a [Decision],
    standing: &'a [u16],
    misses: &'a [u16],
}

impl Case<'_> {
    fn candidate(&self, rule: RuleRow, at: u16) -> Candidate {
        let decision = self.decisions.get(usize::from(rule.slot()));
        let stands = decision.filter(|decision| decision.rule == Some(at)).map(|decision| decision.reason);
        let barrier = barrier(self.image, self.moment, self.known, at);
        let (reason, leaf, suppression) = match (stands, barrier) {
            (Some(reason), _) => (reason, None, None),
            (None, Some((reason, suppression))) => (reason, None, suppression),
            (None, None) => {
                let (reason, leaf) = self.of_timing(rule, at);
                (reason, leaf, None)
            }
        };
        let misses = if stands.is_some() { 0 } else { misses_at(self.misses, rule.when()) };
        Candidate { rule: at, reason, leaf, suppression, misses }
    }

    /// A rule that waits for its trigger is not asked; one that waits for its delay is.
    fn of_timing(&self, rule: RuleRow, at: u16) -> (Reason, Option<u16>) {
        let now_ms = self.state.now_ms(self.moment.now_ms);
        let timer = self.image.timer(at);
        let waits = timer.is_some_and(|timer| timers::waits(self.state, timer, now_ms));
        match self.of_condition(rule, at) {
            found @ (Reason::Holdout, _) => found,
            _ if waits && timer.is_some_and(|timer| timer.is_triggered()) => {
                let runs = timer.is_some_and(|timer| timers::due_ms(self.state, timer.hash()).is_some());
                (if runs { Reason::Waits } else { Reason::NotTriggered }, None)
            }
            found @ (Reason::False | Reason::Unknown, _) => found,
            _ if waits => (Reason::Waits, None),
            found => found,
        }
    }

    fn of_condition(&self, rule: RuleRow, at: u16) -> (Reason, Option<u16>) {
        let terms = self.image.terms(at);
        if is_held_out(self.image, self.state, self.moment, terms) {
            return (Reason::Holdout, None);
        }
        if is_over(self.image, self.known, terms) {
            return (Reason::False, Some(last_leaf(self.image, self.known, terms.until())));
        }
        match truth(self.image, self.known, rule.when()) {
            Truth::False(leaf) => (Reason::False, Some(leaf)),
            Truth::Unknown(leaf) => (Reason::Unknown, Some(leaf)),
            Truth::True if rule.slot() == NONE => (Reason::Emits, None),
            Truth::True => (self.of_caps(rule, at), None),
        }
    }

    fn of_caps(&self, rule: RuleRow, at: u16) -> Reason {
        match check(self.image, self.state, self.moment, at) {
            Err(reason) => reason,
            Ok(()) if is_excluded(self.image, rule, self.standing) => Reason::ExcludedByGroup,
            Ok(()) => Reason::LowerPriority,
        }
    }
}

/// For each instruction, how many tests would have to come out otherwise, at least, for its condition to be true. Jumps lead
/// forward: one pass from the end finds it for all.
fn misses(image: &Image, known: &[Known]) -> Vec<u16> {
    let code = image.code();
    let mut misses = vec![u16::MAX; code.len()];
    for at in (0..u16::try_from(code.len()).unwrap_or(u16::MAX)).rev() {
        let Some(op) = op_of(code, at) else { continue };
        let is_passed = passes(image, op.leaf, known_at(known, op.fact()));
        let as_is = misses_at(&misses, op.next(at, is_passed));
        let otherwise = misses_at(&misses, op.next(at, !is_passed)).saturating_add(1);
        if let Some(place) = misses.get_mut(usize::from(at)) {
            *place = as_is.min(otherwise);
        }
    }
    misses
}

fn misses_at(misses: &[u16], at: u16) -> u16 {
    if at == ACCEPT { 0 } else { misses.get(usize::from(at)).copied().unwrap_or(u16::MAX) }
}

/// The leaf at which a condition that is true was decided.
fn last_leaf(image: &Image, known: &[Known], start: u16) -> u16 {
    walk(image, start, |_, op| passes(image, op.leaf, known_at(known, op.fact()))).1
}

/// What a condition is, and the leaf that made it so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Truth {
    True,
    False(u16),
    Unknown(u16),
}

/// Strong Kleene: a condition is unknown where it is not definitely true, but would be if every unknown leaf were. Behind
/// `is true` and the like no leaf is unknown: what is not definitely so is not.
fn truth(image: &Image, known: &[Known], start: u16) -> Truth {
    let is_true = |op: Op| passes(image, op.leaf, known_at(known, op.fact()));
    let may_be_true = |at: u16, op: Op| match image.is_settled(at) {
        true => is_true(op),
        false => may_pass(image, op.leaf, known_at(known, op.fact())),
    };
    let mut unknown = None;
    let (definite, _) = walk(image, start, |at, op| {
        if unknown.is_none() && !is_true(op) && may_be_true(at, op) {
            unknown = Some(at);
        }
        is_true(op)
    });
    let (possible, last) = walk(image, start, may_be_true);
    match (definite, possible) {
        (ACCEPT, _) => Truth::True,
        (_, ACCEPT) => Truth::Unknown(unknown.unwrap_or(start)),
        _ => Truth::False(last),
    }
}

/// Where code ends, and the last leaf before that.
fn walk(image: &Image, start: u16, mut test: impl FnMut(u16, Op) -> bool) -> (u16, u16) {
    let (mut at, mut last) = (start, start);
    while let Some(op) = op_of(image.code(), at) {
        last = at;
        at = op.next(at, test(at, op));
    }
    (at, last)
}

/// Whether a test holds for at least one value that the fact may have. A missing value leaves every test open but those
/// that ask whether there is one.
pub(super) fn may_pass(image: &Image, leaf: LeafRow, known: Known) -> bool {
    let asks_only_whether = leaf.low() <= MISSING.saturating_add(1) && leaf.high() == i64::MAX;
    match leaf.test() {
        kind::TEST_MISSING => known.low == MISSING,
        kind::TEST_RANGE if asks_only_whether => known.high != MISSING,
        _ if known.low == MISSING => true,
        kind::TEST_RANGE => leaf.low() <= known.high && known.low <= leaf.high(),
        _ => (known.low.max(0)..=known.high.min(MASK_BITS_MAX)).any(|bit| has_bit(image, leaf, bit)),
    }
}

/// No bit of a mask lies beyond this one.
const MASK_BITS_MAX: i64 = MASK_WORDS_MAX.cast_signed() as i64 * 64;
