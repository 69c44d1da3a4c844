//! Which conditions are true, remembered from one decision to the next. Conditions depend on facts alone: only a rule that
//! reads a fact that moved across one of its tests is asked again. It makes no difference to what is decided.

use super::known::{Known, is_true};
use crate::wire::program::{Image, kind, op_of};
use alloc::vec;
use alloc::vec::Vec;

/// Below so many rules, asking all of them is as fast as finding those that are touched.
const SCANNED_MAX: u16 = 64;

/// What was known of the facts of a program when its rules were last decided, and which conditions were true. It belongs
/// to one program, not to a visitor: for another program, begin with [`Recall::default`].
#[derive(Debug, Clone, Default)]
pub struct Recall {
    known: Vec<Known>,
    /// A bit a rule.
    is_true: Vec<u64>,
    /// Where the tests of each fact begin among `tests`, and where the last ones end. Empty until it pays.
    starts: Vec<u32>,
    tests: Vec<FactTest>,
}

/// That a rule tests a fact: it is touched when the fact moves over an edge of the test.
#[derive(Debug, Clone, Copy)]
struct FactTest {
    /// The first value on the one side, and the first beyond the other; the same where every move counts.
    edges: (i64, i64),
    rule: u16,
}

impl Recall {
    /// What is known of every fact.
    pub(super) fn known(&self) -> &[Known] {
        &self.known
    }

    /// Takes what is known now, and asks the conditions that it touches.
    pub(super) fn learn(&mut self, image: &Image, known: Vec<Known>) {
        let is_same_program = self.known.len() == known.len() && !known.is_empty();
        if !is_same_program || image.rules() < SCANNED_MAX {
            self.known = known;
            self.scan(image);
            return;
        }
        if self.starts.is_empty() {
            self.index(image);
        }
        let before = core::mem::replace(&mut self.known, known);
        for (fact, then) in before.iter().enumerate() {
            let Some(now) = self.known.get(fact).copied().filter(|now| now != then) else { continue };
            for at in self.tests_of(fact) {
                if let Some(test) = self.tests.get(at).copied().filter(|test| test.is_moved(*then, now)) {
                    self.ask(image, test.rule);
                }
            }
        }
    }

    /// The rules whose condition is definitely true, in the order of deciding.
    pub(super) fn true_rules(&self) -> impl Iterator<Item = u16> {
        self.is_true.iter().zip(0u16..).flat_map(|(word, at)| {
            let mut left = *word;
            core::iter::from_fn(move || {
                let bit = u16::try_from(left.trailing_zeros()).ok().filter(|bit| *bit < 64)?;
                left &= left.wrapping_sub(1);
                Some(at.wrapping_mul(64).wrapping_add(bit))
            })
        })
    }

    /// Asks every condition.
    fn scan(&mut self, image: &Image) {
        let code = image.code();
        self.is_true.clear();
        let (mut word, mut bit) = (0, 1u64);
        for rule in image.each_rule() {
            if is_true(image, code, &self.known, rule.when()) {
                word |= bit;
            }
            bit = bit.rotate_left(1);
            if bit == 1 {
                self.is_true.push(core::mem::take(&mut word));
            }
        }
        self.is_true.push(word);
    }

    /// Asks one condition again.
    fn ask(&mut self, image: &Image, rule: u16) {
        let holds = is_true(image, image.code(), &self.known, image.rule(rule).when());
        let bit = 1 << (rule % 64);
        if let Some(word) = self.is_true.get_mut(usize::from(rule / 64)) {
            *word = if holds { *word | bit } else { *word & !bit };
        }
    }

    fn tests_of(&self, fact: usize) -> core::ops::Range<usize> {
        let place =
            |at: usize| self.starts.get(at).and_then(|start| usize::try_from(*start).ok()).unwrap_or(0);
        place(fact)..place(fact.wrapping_add(1))
    }

    /// Finds who reads what.
    fn index(&mut self, image: &Image) {
        let mut found: Vec<(u16, FactTest)> = Vec::new();
        let mut is_reached = vec![0u16; image.code().len()];
        for (rule, row) in (0..).zip(image.each_rule()) {
            tests_of_rule(image, row.when(), rule, &mut is_reached, &mut found);
        }
        self.starts = vec![0; self.known.len().wrapping_add(1)];
        for (fact, _) in &found {
            if let Some(count) = self.starts.get_mut(usize::from(*fact).wrapping_add(1)) {
                *count = count.wrapping_add(1);
            }
        }
        let mut sum = 0u32;
        for start in &mut self.starts {
            sum = sum.wrapping_add(*start);
            *start = sum;
        }
        // Counted, the tests need no sorting (which takes kilobytes in the page): each goes to its fact's next place.
        let mut places = self.starts.clone();
        self.tests = vec![FactTest { edges: (0, 0), rule: 0 }; found.len()];
        for (fact, test) in found {
            let Some(place) = places.get_mut(usize::from(fact)) else { continue };
            let at = usize::try_from(*place).unwrap_or(usize::MAX);
            *place = place.wrapping_add(1);
            if let Some(known) = self.tests.get_mut(at) {
                *known = test;
            }
        }
    }
}

/// The tests that a condition can come to. Jumps lead forward, so one pass finds them; a place is marked with the rule
/// that reached it (plus one), so that the marks of the rules before need not be wiped.
fn tests_of_rule(
    image: &Image,
    when: u16,
    rule: u16,
    is_reached: &mut [u16],
    found: &mut Vec<(u16, FactTest)>,
) {
    let mark = rule.wrapping_add(1);
    let (mut at, mut last) = (when, when);
    while let Some(op) = op_of(image.code(), at).filter(|_| at <= last) {
        if at == when || is_reached.get(usize::from(at)) == Some(&mark) {
            found.push((op.fact(), FactTest { edges: edges(op.test(), op.low(), op.high()), rule }));
            for next in [op.next(at, true), op.next(at, false)] {
                if let Some(reached) = is_reached.get_mut(usize::from(next)) {
                    *reached = mark;
                    last = last.max(next);
                }
            }
        }
        at = at.wrapping_add(1);
    }
}

fn edges(test: u8, low: i64, high: i64) -> (i64, i64) {
    if test == kind::TEST_RANGE { (low, high.saturating_add(1)) } else { (0, 0) }
}

impl FactTest {
    /// Whether either end of what is known moved over an edge. A test that is no range counts every move; that a value is
    /// missing is an edge of its own.
    #[inline]
    fn is_moved(self, then: Known, now: Known) -> bool {
        let (low, high) = self.edges;
        let side = |value: i64| (value == i64::MIN, value >= low, value >= high);
        low == high || side(then.low) != side(now.low) || side(then.high) != side(now.high)
    }
}
