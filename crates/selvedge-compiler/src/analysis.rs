//! What a condition can come to, whatever the facts are: every way through its code is walked, with what each test leaves of
//! the values that its fact may have. Facts count as independent of each other, and as known exactly or missing; so what is
//! called impossible is impossible.

use crate::resolved::fact::complement;
use selvedge_core::number::MICRO;
use selvedge_core::wire::program::{
    AttributeType, Builtin, Fact, FactSource, Instruction, Jump, MetricKind, Parts, Scope, Shape, Test,
};
use std::collections::{BTreeMap, BTreeSet};

/// Tests that all ways of one condition may take together; above it nothing is said.
const TESTS_MAX: usize = 4_096;

/// The number of a visitor's first session, in millionths.
const FIRST: Range = (MICRO, MICRO);

/// Values from and to, both included.
type Range = (i64, i64);

/// What a fact may be.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Possible {
    values: Vec<Range>,
    missing: bool,
}

/// What is assumed of facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Facts<'a> {
    /// Each has any value, or none.
    Any,
    /// Each has some value.
    Known,
    /// These (by place) have none; each other has any value, or none.
    Without(&'a [u16]),
}

/// Whether the condition that begins at `start` can come to `end`; `None` where that takes too long to find out.
pub(crate) fn can_be(parts: &Parts, start: u16, end: bool, facts: Facts<'_>) -> Option<bool> {
    let mut walk = Walk { parts, facts, end, left: TESTS_MAX };
    walk.from(Jump::To(start), &BTreeMap::new())
}

/// The tests of a condition, and where its jumps lead.
pub(crate) struct Tests {
    /// Of which fact, and what is asked.
    pub tests: Vec<(u16, Test)>,
    /// Whether some jump ends it as true, and whether some ends it otherwise.
    ends: [bool; 2],
}

/// The tests of the condition that begins at `start`.
pub(crate) fn tests_of(parts: &Parts, start: u16) -> Tests {
    let mut open = BTreeSet::from([start]);
    let mut found = Tests { tests: Vec::new(), ends: [false; 2] };
    // Jumps lead forward, so the first that is open is behind all that were looked at.
    while let Some(at) = open.pop_first() {
        let Some(code) = parts.code.get(usize::from(at)) else { continue };
        found.tests.push((code.fact, code.test));
        for jump in [code.on_true, code.on_false] {
            match jump {
                Jump::To(next) => drop(open.insert(next)),
                Jump::Accept => found.ends[0] = true,
                Jump::Reject => found.ends[1] = true,
            }
        }
    }
    found
}

/// Whether every way through the condition is open, and one leads to each end: each of its facts is tested once, and each test
/// may pass and may fail. Most conditions are so; of them [`can_be`] need not be asked.
pub(crate) fn is_open(parts: &Parts, found: &Tests) -> bool {
    let walk = Walk { parts, facts: Facts::Any, end: true, left: 0 };
    let is_new = |at: u16| {
        let fact = parts.facts.get(usize::from(at));
        fact.is_some_and(|fact| fact.source == FactSource::Builtin(Builtin::VisitorIsNew))
    };
    let may_be_either = |fact: u16, test: Test| {
        let (possible, passed) = (walk.possible(fact), walk.passed(test));
        [true, false].into_iter().all(|wanted| {
            let left = possible.after(test, &passed, wanted);
            left.missing || !left.values.is_empty()
        })
    };
    let mut facts: Vec<u16> = found.tests.iter().map(|(fact, _)| *fact).collect();
    facts.sort_unstable();
    let once = facts.is_sorted_by(|before, next| before < next);
    once && found.ends == [true; 2]
        && found.tests.iter().all(|(fact, test)| !is_new(*fact) && may_be_either(*fact, *test))
}

struct Walk<'a> {
    parts: &'a Parts,
    facts: Facts<'a>,
    end: bool,
    left: usize,
}

impl Walk<'_> {
    /// Whether the end is reached from here. Jumps lead forward, so no way is longer than the code.
    fn from(&mut self, jump: Jump, known: &BTreeMap<u16, Possible>) -> Option<bool> {
        let at = match jump {
            Jump::Accept => return Some(self.end),
            Jump::Reject => return Some(!self.end),
            Jump::To(at) => at,
        };
        self.left = self.left.checked_sub(1)?;
        let Instruction { fact, test, on_true, on_false } = *self.parts.code.get(usize::from(at))?;
        let possible = known.get(&fact).cloned().unwrap_or_else(|| self.possible(fact));
        let passed = self.passed(test);
        for (jump, wanted) in [(on_true, true), (on_false, false)] {
            let left = possible.after(test, &passed, wanted);
            if left.values.is_empty() && !left.missing {
                continue;
            }
            let mut known = known.clone();
            known.insert(fact, left);
            if self.excludes_itself(&known) {
                continue;
            }
            if self.from(jump, &known)? {
                return Some(true);
            }
        }
        Some(false)
    }

    /// Whether somebody would be here for the first time and yet have been here before.
    fn excludes_itself(&self, known: &BTreeMap<u16, Possible>) -> bool {
        let of = |wanted: Builtin| {
            let is_it = |at: &u16| {
                let fact = self.parts.facts.get(usize::from(*at));
                fact.is_some_and(|fact| fact.source == FactSource::Builtin(wanted) && fact.default.is_none())
            };
            known.iter().find(|(at, left)| is_it(at) && !left.missing).map(|(_, left)| left.values.as_slice())
        };
        let is_new = of(Builtin::VisitorIsNew).is_some_and(|values| values == [(1, 1)]);
        let is_first = of(Builtin::SessionNumber).is_none_or(|values| !common(values, &[FIRST]).is_empty());
        let was_here = [Builtin::DaysSinceLastVisit, Builtin::SessionPreviousStart];
        is_new && (!is_first || was_here.into_iter().any(|fact| of(fact).is_some()))
    }

    fn possible(&self, at: u16) -> Possible {
        let Some(fact) = self.parts.facts.get(usize::from(at)) else {
            return Possible { values: vec![(i64::MIN + 1, i64::MAX)], missing: true };
        };
        let values = vec![self.domain(fact)];
        match self.facts {
            Facts::Known => Possible { values, missing: false },
            _ if fact.default.is_some() => Possible { values, missing: false },
            Facts::Without(without) if without.contains(&at) => {
                Possible { values: Vec::new(), missing: true }
            }
            _ => Possible { values, missing: self.may_be_missing(fact) },
        }
    }

    /// A count is never missing, but that of an account that is not known.
    fn may_be_missing(&self, fact: &Fact) -> bool {
        match fact.source {
            FactSource::Metric(at) => {
                let metric = self.parts.metrics.get(usize::from(at));
                metric.is_none_or(|metric| {
                    let is_count = matches!(metric.kind, MetricKind::Count | MetricKind::Tally);
                    !is_count || metric.scope == Scope::Account
                })
            }
            FactSource::Sequence(_) => false,
            _ => true,
        }
    }

    fn domain(&self, fact: &Fact) -> Range {
        match &fact.shape {
            Shape::OneOf(texts) => (1, i64::try_from(texts.len()).unwrap_or(i64::MAX).saturating_add(1)),
            Shape::Text(..) => (0, 1),
            _ => self.number_domain(fact),
        }
    }

    fn number_domain(&self, fact: &Fact) -> Range {
        let is_flag = match fact.source {
            FactSource::Builtin(builtin) => builtin.kind() == AttributeType::Bool,
            FactSource::Attribute(at) => {
                let attribute = self.parts.attributes.get(usize::from(at));
                attribute.is_some_and(|attribute| attribute.attribute_type == AttributeType::Bool)
            }
            FactSource::Sequence(_) | FactSource::SameText(..) | FactSource::AnyItem { .. } => true,
            _ => false,
        };
        let metric = match fact.source {
            FactSource::Metric(at) => self.parts.metrics.get(usize::from(at)),
            _ => None,
        };
        match metric.map(|metric| metric.kind) {
            _ if is_flag => (0, 1),
            Some(MetricKind::Count) => (0, metric.map_or(i64::MAX, |metric| metric.threshold.into())),
            Some(MetricKind::Tally) => (0, i64::MAX),
            _ => (i64::MIN + 1, i64::MAX),
        }
    }

    /// The values that pass a test.
    fn passed(&self, test: Test) -> Vec<Range> {
        match test {
            Test::Range(low, high) => vec![(low.max(i64::MIN + 1), high)],
            Test::Missing => Vec::new(),
            Test::Mask(bits) => bits_of(&[bits]),
            Test::MaskWide(at) => {
                bits_of(self.parts.masks.get(usize::from(at)).map(Vec::as_slice).unwrap_or_default())
            }
        }
    }
}

fn bits_of(words: &[u64]) -> Vec<Range> {
    let bits = words.iter().zip(0i64..).flat_map(|(word, at)| {
        (0..64i64).filter(move |bit| (word >> bit) & 1 == 1).map(move |bit| at * 64 + bit)
    });
    bits.map(|bit| (bit, bit)).collect()
}

impl Possible {
    /// What is left where the test passes, or (`wanted` false) does not.
    fn after(&self, test: Test, passed: &[Range], wanted: bool) -> Self {
        let is_missing_asked = test == Test::Missing;
        let kept = match (is_missing_asked, wanted) {
            (true, true) => Vec::new(),
            (true, false) => self.values.clone(),
            (false, true) => common(&self.values, passed),
            (false, false) => common(&self.values, &complement(passed)),
        };
        Self { values: kept, missing: self.missing && (is_missing_asked == wanted) }
    }
}

/// What lies in both lists of ranges.
fn common(a: &[Range], b: &[Range]) -> Vec<Range> {
    let pairs = a.iter().flat_map(|one| b.iter().map(move |other| (one.0.max(other.0), one.1.min(other.1))));
    pairs.filter(|(low, high)| low <= high).collect()
}
