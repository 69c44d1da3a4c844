//! Three-valued logic: the jump code against an evaluator that follows Kleene's tables leaf by leaf.

use crate::build::{Build, Condition};
use crate::world::{World, map};
use proptest::prelude::*;
use selvedge_core::number::Number;
use selvedge_core::value::Value;
use selvedge_core::wire::answer::Reason;
use selvedge_core::wire::program::{AttributeScope, AttributeType, FactSource, Shape, Test};

const FACTS: u16 = 4;

/// False, unknown, true: `and` is the least, `or` the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kleene {
    False,
    Unknown,
    True,
}

fn leaf(test: Test, value: Option<i64>) -> Kleene {
    let passes = match (test, value) {
        (Test::Missing, _) => return if value.is_none() { Kleene::True } else { Kleene::False },
        (Test::Range(i64::MIN, i64::MAX), _) => {
            return if value.is_some() { Kleene::True } else { Kleene::False };
        }
        (_, None) => return Kleene::Unknown,
        (Test::Range(low, high), Some(value)) => low <= value && value <= high,
        (Test::Mask(bits), Some(value)) => (0..64).contains(&value) && bits >> value & 1 == 1,
        (Test::MaskWide(_), Some(value)) => (0..128).contains(&value) && value % 3 == 0,
    };
    if passes { Kleene::True } else { Kleene::False }
}

fn evaluate(condition: &Condition, values: &[Option<i64>]) -> Kleene {
    match condition {
        Condition::Leaf(fact, test) => leaf(*test, values[usize::from(*fact)]),
        Condition::And(all) => all.iter().map(|part| evaluate(part, values)).min().unwrap(),
        Condition::Or(any) => any.iter().map(|part| evaluate(part, values)).max().unwrap(),
    }
}

fn test() -> impl Strategy<Value = Test> {
    prop_oneof![
        4 => (-2i64..70, 0i64..20).prop_map(|(low, more)| Test::Range(low, low + more)),
        1 => (-2i64..70).prop_map(|low| Test::Range(low, i64::MAX)),
        1 => (-2i64..70).prop_map(|high| Test::Range(i64::MIN, high)),
        1 => Just(Test::Range(i64::MIN, i64::MAX)),
        2 => any::<u64>().prop_map(Test::Mask),
        1 => Just(Test::MaskWide(0)),
        1 => Just(Test::Missing),
    ]
}

pub fn condition() -> impl Strategy<Value = Condition> {
    let leaf = (0..FACTS, test()).prop_map(|(fact, test)| Condition::Leaf(fact, test));
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(Condition::And),
            prop::collection::vec(inner, 1..4).prop_map(Condition::Or),
        ]
    })
}

proptest! {
    #[test]
    fn jump_code_agrees_with_kleene(
        condition in condition(),
        values in prop::collection::vec(prop::option::of(-3i64..72), usize::from(FACTS)),
    ) {
        let mut build = Build::new();
        for name in ["a", "b", "c", "d"] {
            let at = build.attribute(name, AttributeScope::Visitor, AttributeType::Number);
            build.fact(FactSource::Attribute(at), Shape::Number);
        }
        build.parts.masks.push((0..2u32).map(|word| (0..64).filter(|bit| (word * 64 + bit) % 3 == 0).map(|bit| 1u64 << bit).sum()).collect());
        build.rule("r", "hero", Some(condition.clone()));
        let mut world = World::new(build.program());
        let traits = ["a", "b", "c", "d"].into_iter().zip(&values);
        let traits = traits.filter_map(|(name, value)| Some((name.to_owned(), millionths((*value)?)))).collect();
        world.identify(0, traits);
        let expected = match evaluate(&condition, &values) {
            Kleene::True => Reason::Won,
            Kleene::False => Reason::False,
            Kleene::Unknown => Reason::Unknown,
        };
        prop_assert_eq!(world.why(0, "r"), expected);
        prop_assert_eq!(world.decide(0, "hero").0.is_some(), expected == Reason::Won);
    }
}

/// The number that rules read as so many millionths.
fn millionths(micro: i64) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "the numbers are small")]
    let number = micro as f64 / 1e6;
    Value::Number(Number::Double(number.to_bits()))
}

#[test]
fn an_unknown_leaf_makes_neither_itself_nor_its_negation_true() {
    let mut build = Build::new();
    let at = build.attribute("a", AttributeScope::Visitor, AttributeType::Number);
    let fact = build.fact(FactSource::Attribute(at), Shape::Number);
    build.rule("is", "hero", Some(Condition::Leaf(fact, Test::Range(5, 5))));
    let outside = [Test::Range(i64::MIN, 4), Test::Range(6, i64::MAX)];
    let not = Condition::Or(outside.map(|test| Condition::Leaf(fact, test)).into());
    build.rule("is-not", "banner", Some(not));
    let mut world = World::new(build.program());
    world.identify(0, map([("b", millionths(5))]));
    assert_eq!((world.why(0, "is"), world.why(0, "is-not")), (Reason::Unknown, Reason::Unknown));
    world.identify(0, map([("a", millionths(4))]));
    assert_eq!((world.why(0, "is"), world.why(0, "is-not")), (Reason::False, Reason::Won));
}
