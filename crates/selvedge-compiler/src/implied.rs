//! Whether a condition is true whenever another is, whatever their facts are and however little is known of them. All that a
//! fact may be lies in a stretch of values; a test passes where it holds for the whole stretch. So a test that passed says
//! where the stretch lies, and one that did not says only that no narrower test passes either.

use selvedge_core::wire::program::{Instruction, Jump, Parts, Test};

/// Ways through a condition that are looked at; of one with more, nothing is said.
const WAYS_MAX: usize = 16;

/// Tests that are asked along the ways of one condition; above it nothing is said.
const TESTS_MAX: usize = 64;

/// A test that was asked of a fact, and whether it passed.
#[derive(Debug, Clone, Copy)]
struct Asked {
    fact: u16,
    test: Test,
    passed: bool,
}

/// What was asked on the way to where a condition is true.
type Way = Vec<Asked>;

/// The ways on which a condition becomes true.
#[derive(Debug)]
pub(crate) struct Ways(Vec<Way>);

impl Ways {
    /// Those of the condition that begins at `start`; `None` where there are too many, or none.
    pub(crate) fn of(parts: &Parts, start: u16) -> Option<Self> {
        let mut ways = Vec::new();
        let mut left = TESTS_MAX;
        find(parts, Jump::To(start), &mut Vec::new(), &mut ways, &mut left)?;
        (!ways.is_empty()).then_some(Self(ways))
    }

    /// Whether the condition that begins at `start` is true on each of them.
    pub(crate) fn all_lead_to(&mut self, parts: &Parts, start: u16) -> bool {
        let mut left = TESTS_MAX;
        self.0.iter_mut().all(|way| accepts(parts, Jump::To(start), way, &mut left))
    }
}

/// Collects the ways from a jump on; `None` where there are too many. Jumps lead forward, so none is longer than the code.
fn find(parts: &Parts, jump: Jump, way: &mut Way, ways: &mut Vec<Way>, left: &mut usize) -> Option<()> {
    let at = match jump {
        Jump::Reject => return Some(()),
        Jump::Accept => {
            ways.push(way.clone());
            return (ways.len() <= WAYS_MAX).then_some(());
        }
        Jump::To(at) => at,
    };
    *left = left.checked_sub(1)?;
    let Instruction { fact, test, on_true, on_false } = *parts.code.get(usize::from(at))?;
    let known = answer(parts, way, fact, test);
    for (jump, passed) in [(on_true, true), (on_false, false)] {
        if known.is_none_or(|known| known == passed) {
            way.push(Asked { fact, test, passed });
            find(parts, jump, way, ways, left)?;
            way.pop();
        }
    }
    Some(())
}

/// Whether a condition is true from a jump on, however what was not asked on the way comes out.
fn accepts(parts: &Parts, jump: Jump, way: &mut Way, left: &mut usize) -> bool {
    let at = match jump {
        Jump::Accept => return true,
        Jump::Reject => return false,
        Jump::To(at) => at,
    };
    let Some(fewer) = left.checked_sub(1) else { return false };
    *left = fewer;
    let Some(Instruction { fact, test, on_true, on_false }) = parts.code.get(usize::from(at)).copied() else {
        return false;
    };
    if let Some(passed) = answer(parts, way, fact, test) {
        return accepts(parts, if passed { on_true } else { on_false }, way, left);
    }
    // Mostly a test that does not pass ends the condition at once.
    [(on_false, false), (on_true, true)].into_iter().all(|(jump, passed)| {
        way.push(Asked { fact, test, passed });
        let is_true = accepts(parts, jump, way, left);
        way.pop();
        is_true
    })
}

/// Whether a test passes after what was asked; `None` where it may or may not.
fn answer(parts: &Parts, way: &[Asked], fact: u16, test: Test) -> Option<bool> {
    let (mut low, mut high) = (i64::MIN, i64::MAX);
    for asked in way.iter().filter(|asked| asked.fact == fact) {
        if !asked.passed {
            if is_within(parts, test, asked.test) {
                return Some(false);
            }
            continue;
        }
        if is_within(parts, asked.test, test) {
            return Some(true);
        }
        if excludes(parts, asked.test, test) {
            return Some(false);
        }
        if let Test::Range(from, to) = asked.test {
            (low, high) = (low.max(from), high.min(to));
        }
    }
    let both = Test::Range(low, high);
    let is_bounded = (low, high) != (i64::MIN, i64::MAX);
    match test {
        Test::Range(..) if is_bounded && is_within(parts, both, test) => Some(true),
        Test::Range(..) if is_bounded && excludes(parts, both, test) => Some(false),
        _ => None,
    }
}

/// Whether all values that pass one test pass the other; no where that is not known.
fn is_within(parts: &Parts, inner: Test, outer: Test) -> bool {
    match (inner, outer) {
        (Test::Range(low, high), Test::Range(from, to)) => from <= low.max(LEAST) && high <= to,
        (Test::Mask(inner), Test::Mask(outer)) => inner & !outer == 0,
        (Test::MaskWide(inner), Test::MaskWide(outer)) => {
            inner == outer || pairs(parts, inner, outer).is_some_and(|mut all| all.all(|(a, b)| a & !b == 0))
        }
        // Whatever is asked of a text, it is known.
        (Test::Mask(_) | Test::MaskWide(_), Test::Range(i64::MIN, i64::MAX)) => true,
        (Test::Missing, Test::Missing) => true,
        _ => false,
    }
}

/// Below every value: there is none.
const LEAST: i64 = i64::MIN + 1;

/// Whether no value passes both tests; no where that is not known.
fn excludes(parts: &Parts, one: Test, other: Test) -> bool {
    match (one, other) {
        (Test::Range(low, high), Test::Range(from, to)) => high < from || to < low,
        (Test::Mask(one), Test::Mask(other)) => one & other == 0,
        (Test::MaskWide(one), Test::MaskWide(other)) => {
            pairs(parts, one, other).is_some_and(|mut all| all.all(|(a, b)| a & b == 0))
        }
        (Test::Missing, Test::Missing) => false,
        (Test::Missing, _) | (_, Test::Missing) => true,
        _ => false,
    }
}

/// The words of two masks, side by side; `None` where one is longer.
fn pairs(parts: &Parts, one: u16, other: u16) -> Option<impl Iterator<Item = (u64, u64)>> {
    let words = |at: u16| parts.masks.get(usize::from(at));
    let (one, other) = (words(one)?, words(other)?);
    (one.len() == other.len()).then(|| one.iter().copied().zip(other.iter().copied()))
}

#[cfg(test)]
mod tests;
