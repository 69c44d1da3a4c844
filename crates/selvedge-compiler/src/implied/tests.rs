//! What is said to be implied is so in every state of a few small facts, however little is known of them.

use super::Ways;
use proptest::prelude::*;
use selvedge_core::wire::program::{Instruction, Jump, Parts, Test};

/// Numbers, numbers, texts.
const FACTS: u16 = 3;
const TEXTS: u16 = 2;
/// Bit 1 is any other text; the wide mask has a second word, of which nothing is known here.
const WIDE: [[u64; 2]; 3] = [[0b0110, 1], [0b0100, 0], [0b1110, 1]];

/// A condition as the compiler emits it: the opposite of a part (`is not true`) has its jumps swapped.
#[derive(Debug, Clone)]
enum Truth {
    Test(u16, Test),
    All(Vec<Truth>),
    Any(Vec<Truth>),
    Opposite(Box<Truth>),
}

impl Truth {
    fn size(&self) -> u16 {
        match self {
            Self::Test(..) => 1,
            Self::All(parts) | Self::Any(parts) => parts.iter().map(Self::size).sum(),
            Self::Opposite(inner) => inner.size(),
        }
    }

    fn emit(&self, code: &mut Vec<Instruction>, on_true: Jump, on_false: Jump) {
        let (parts, is_all) = match self {
            Self::Test(fact, test) => {
                return code.push(Instruction { fact: *fact, test: *test, on_true, on_false });
            }
            Self::Opposite(inner) => return inner.emit(code, on_false, on_true),
            Self::All(parts) => (parts, true),
            Self::Any(parts) => (parts, false),
        };
        for (at, part) in parts.iter().enumerate() {
            let next = Jump::To(u16::try_from(code.len()).unwrap() + part.size());
            match (at + 1 == parts.len(), is_all) {
                (true, _) => part.emit(code, on_true, on_false),
                (false, true) => part.emit(code, next, on_false),
                (false, false) => part.emit(code, on_true, next),
            }
        }
    }
}

/// The two conditions one after the other, and where the second begins.
fn parts_of(lower: &Truth, upper: &Truth) -> (Parts, u16) {
    let mut parts = Parts { masks: WIDE.map(Vec::from).into(), ..Parts::default() };
    lower.emit(&mut parts.code, Jump::Accept, Jump::Reject);
    let start = lower.size();
    upper.emit(&mut parts.code, Jump::Accept, Jump::Reject);
    (parts, start)
}

fn is_implied(lower: &Truth, upper: &Truth) -> bool {
    let (parts, start) = parts_of(lower, upper);
    Ways::of(&parts, 0).is_some_and(|mut ways| ways.all_lead_to(&parts, start))
}

/// A stretch that a fact lies in. The least number is that of what is missing.
type Known = (i64, i64);

/// As the engine does: a test passes where every value of the stretch does.
fn passes(parts: &Parts, test: Test, (low, high): Known) -> bool {
    let has = |words: &[u64], bit: i64| {
        usize::try_from(bit)
            .is_ok_and(|bit| words.get(bit / 64).is_some_and(|word| word >> (bit % 64) & 1 == 1))
    };
    let has_all = |words: &[u64]| high < 1_000 && low >= 0 && (low..=high).all(|bit| has(words, bit));
    match test {
        Test::Range(from, to) => from <= low && high <= to && low != i64::MIN,
        Test::Missing => high == i64::MIN,
        Test::Mask(bits) => has_all(&[bits]),
        Test::MaskWide(at) => has_all(&parts.masks[usize::from(at)]),
    }
}

fn is_true(parts: &Parts, start: u16, known: &[Known]) -> bool {
    let mut jump = Jump::To(start);
    while let Jump::To(at) = jump {
        let code = parts.code[usize::from(at)];
        let passed = passes(parts, code.test, known[usize::from(code.fact)]);
        jump = if passed { code.on_true } else { code.on_false };
    }
    jump == Jump::Accept
}

/// Every stretch between these ends.
fn stretches(ends: &[i64]) -> Vec<Known> {
    let from = |(at, low): (usize, &i64)| ends[at..].iter().map(|high| (*low, *high)).collect::<Vec<_>>();
    ends.iter().enumerate().flat_map(from).collect()
}

/// Whether the upper is true wherever the lower is, and the lower is somewhere: all states are tried.
fn is_implied_by_all_states(lower: &Truth, upper: &Truth) -> (bool, bool) {
    let (parts, start) = parts_of(lower, upper);
    let numbers = stretches(&[i64::MIN, 0, 1, 2, 3, i64::MAX]);
    let texts = stretches(&[i64::MIN, 1, 2, 3, i64::MAX]);
    let (mut holds, mut is_ever) = (true, false);
    for a in &numbers {
        for b in &numbers {
            for c in &texts {
                let known = [*a, *b, *c];
                if is_true(&parts, 0, &known) {
                    is_ever = true;
                    holds &= is_true(&parts, start, &known);
                }
            }
        }
    }
    (holds, is_ever)
}

fn test(fact: u16) -> BoxedStrategy<Truth> {
    let number = prop_oneof![
        4 => (0..4i64, 0..4i64).prop_map(|(a, b)| Test::Range(a.min(b), a.max(b))),
        4 => (0..4i64).prop_map(|low| Test::Range(low, i64::MAX)),
        2 => (0..4i64).prop_map(|high| Test::Range(i64::MIN, high)),
        1 => Just(Test::Range(i64::MIN, i64::MAX)),
        1 => Just(Test::Missing),
    ];
    let text = prop_oneof![
        6 => (1..8u64).prop_map(|bits| Test::Mask(bits << 1)),
        2 => (0..3u16).prop_map(Test::MaskWide),
        1 => Just(Test::Range(i64::MIN, i64::MAX)),
        1 => Just(Test::Missing),
    ];
    let test = if fact == TEXTS { text.boxed() } else { number.boxed() };
    test.prop_map(move |test| Truth::Test(fact, test)).boxed()
}

fn truth() -> impl Strategy<Value = Truth> {
    let leaf = (0..FACTS).prop_flat_map(test);
    leaf.prop_recursive(3, 6, 3, |inner| {
        prop_oneof![
            3 => prop::collection::vec(inner.clone(), 2..4).prop_map(Truth::All),
            3 => prop::collection::vec(inner.clone(), 2..3).prop_map(Truth::Any),
            1 => inner.prop_map(|inner| Truth::Opposite(Box::new(inner))),
        ]
    })
}

/// Two conditions that may have much in common.
fn two() -> impl Strategy<Value = (Truth, Truth)> {
    (truth(), truth(), truth(), 0..4u8).prop_map(|(one, other, third, kind)| match kind {
        0 => (Truth::All(vec![one.clone(), other]), Truth::Any(vec![third, one])),
        1 => (Truth::All(vec![one.clone(), other]), one),
        2 => (one.clone(), Truth::Any(vec![other, one])),
        _ => (one, other),
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_said_to_be_implied_is_so_in_every_state((lower, upper) in two()) {
        if is_implied(&lower, &upper) {
            let (holds, _) = is_implied_by_all_states(&lower, &upper);
            prop_assert!(holds, "{:?} does not imply {:?}", lower, upper);
        }
    }
}

#[test]
fn most_of_what_is_implied_is_found() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let (mut implied, mut found) = (0, 0);
    for _ in 0..1_000 {
        let (lower, upper) = two().new_tree(&mut runner).unwrap().current();
        if is_implied_by_all_states(&lower, &upper) == (true, true) {
            implied += 1;
            found += usize::from(is_implied(&lower, &upper));
        }
    }
    assert!(implied > 300 && found * 100 > implied * 80, "{found} of {implied}");
}
