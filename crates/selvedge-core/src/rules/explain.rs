//! Why this, why not that. The page does not link this.

use super::decide::{Decision, is_excluded, judge};
use super::grants::check;
use super::known::{Known, MISSING, has_bit, known_at, passes};
use super::moment::{Moment, Place};
use super::recall::Recall;
use super::timers;
use super::view::resolve;
use crate::limits::MASK_WORDS_MAX;
use crate::wire::answer::Reason;
use crate::wire::program::{ACCEPT, Image, Op, RuleRow, kind, op_of};
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
pub fn explain(image: &Image, state: &VisitorState, moment: &Moment) -> Vec<Candidate> {
    let mut state = state.clone();
    let now_ms = state.now_ms(moment.now_ms);
    state.align(image, now_ms);
    state.prune_held(false, now_ms);
    let mut recall = Recall::default();
    recall.learn(image, resolve(image, &state, moment));
    let decisions = judge(image, &state, moment, &recall);
    let (known, standing) = (recall.known(), standing(image, &decisions));
    let case = Case { image, state: &state, moment, known, decisions: &decisions, standing: &standing };
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
}

impl Case<'_> {
    fn candidate(&self, rule: RuleRow, at: u16) -> Candidate {
        let decision = self.decisions.get(usize::from(rule.slot()));
        if let Some(decision) = decision.filter(|decision| decision.rule == Some(at)) {
            return Candidate { rule: at, reason: decision.reason, leaf: None };
        }
        let (reason, leaf) = match rule.status() {
            kind::STATUS_DRAFT => (Reason::Draft, None),
            kind::STATUS_LIVE if self.moment.place == Place::Page && !rule.in_page() => {
                (Reason::RunsAtEdge, None)
            }
            kind::STATUS_LIVE if !self.moment.in_force.holds(rule.purpose()) => (Reason::NoPurpose, None),
            kind::STATUS_LIVE => self.of_timing(rule, at),
            _ => (Reason::Paused, None),
        };
        Candidate { rule: at, reason, leaf }
    }

    /// A rule that waits for its trigger is not asked; one that waits for its delay is.
    fn of_timing(&self, rule: RuleRow, at: u16) -> (Reason, Option<u16>) {
        let now_ms = self.state.now_ms(self.moment.now_ms);
        let timer = self.image.timer(at);
        let waits = timer.is_some() && timers::waiting(self.image, self.state, now_ms).contains(&at);
        match self.of_condition(rule) {
            _ if waits && timer.is_some_and(|timer| timer.is_triggered()) => (Reason::NotTriggered, None),
            found @ (Reason::False | Reason::Unknown, _) => found,
            _ if waits => (Reason::Waits, None),
            found => found,
        }
    }

    fn of_condition(&self, rule: RuleRow) -> (Reason, Option<u16>) {
        match truth(self.image, self.known, rule.when()) {
            Truth::False(leaf) => (Reason::False, Some(leaf)),
            Truth::Unknown(leaf) => (Reason::Unknown, Some(leaf)),
            Truth::True => (self.of_caps(rule), None),
        }
    }

    fn of_caps(&self, rule: RuleRow) -> Reason {
        let now_ms = self.state.now_ms(self.moment.now_ms);
        match check(self.image, self.state, self.moment.writer, rule, now_ms) {
            Err(reason) => reason,
            Ok(()) if is_excluded(self.image, rule, self.standing) => Reason::ExcludedByGroup,
            Ok(()) => Reason::LowerPriority,
        }
    }
}

/// What a condition is, and the leaf that made it so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Truth {
    True,
    False(u16),
    Unknown(u16),
}

/// Strong Kleene: a condition is unknown where it is not definitely true, but would be if every unknown leaf were.
fn truth(image: &Image, known: &[Known], start: u16) -> Truth {
    let is_true = |op: Op| passes(image, op, known_at(known, op.fact()));
    let may_be_true = |op: Op| may_pass(image, op, known_at(known, op.fact()));
    let mut unknown = None;
    let (definite, _) = walk(image, start, |at, op| {
        if unknown.is_none() && !is_true(op) && may_be_true(op) {
            unknown = Some(at);
        }
        is_true(op)
    });
    let (possible, last) = walk(image, start, |_, op| may_be_true(op));
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
pub(super) fn may_pass(image: &Image, op: Op, known: Known) -> bool {
    let asks_only_whether = op.low() <= MISSING.saturating_add(1) && op.high() == i64::MAX;
    match op.test() {
        kind::TEST_MISSING => known.low == MISSING,
        kind::TEST_RANGE if asks_only_whether => known.high != MISSING,
        _ if known.low == MISSING => true,
        kind::TEST_RANGE => op.low() <= known.high && known.low <= op.high(),
        _ => (known.low.max(0)..=known.high.min(MASK_BITS_MAX)).any(|bit| has_bit(image, op, bit)),
    }
}

/// No bit of a mask lies beyond this one.
const MASK_BITS_MAX: i64 = MASK_WORDS_MAX.cast_signed() as i64 * 64;
