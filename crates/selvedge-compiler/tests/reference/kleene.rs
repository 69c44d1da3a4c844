//! What is known of facts, and what conditions are then.

use super::site::{Condition, Literal, Source, Test};

const MICRO: i64 = 1_000_000;

/// What is known of a fact. Yes-or-no is the number 0 or 1.
#[derive(Debug, Clone, PartialEq)]
pub enum Seen {
    Missing,
    /// Anything, or nothing.
    Unobserved,
    /// There is a value; which is not known.
    Something,
    Text(String),
    /// A number between the two; other numbers than these are in millionths.
    Number(i64, i64),
}

impl Seen {
    pub fn of(literal: Option<&Literal>) -> Self {
        match literal {
            None => Self::Missing,
            Some(Literal::Text(text)) => Self::Text((*text).to_owned()),
            Some(Literal::Things(_)) => panic!("no fact is a list of things"),
            Some(other) => other.number().map_or(Self::Missing, Self::exact),
        }
    }

    pub fn exact(number: i64) -> Self {
        Self::Number(number, number)
    }

    pub fn count(count: usize, is_exact: bool) -> Self {
        let low = i64::try_from(count).unwrap() * MICRO;
        Self::Number(low, if is_exact { low } else { i64::MAX })
    }
}

/// Kleene's strong three-valued logic.
pub fn holds(condition: &Condition, seen: &dyn Fn(&Source) -> Seen) -> Option<bool> {
    match condition {
        Condition::All(parts) => join(parts, seen, false),
        Condition::Any(parts) => join(parts, seen, true),
        Condition::Not(inner) => holds(inner, seen).map(|truth| !truth),
        Condition::Is(inner, state) => Some(match (*state, holds(inner, seen)) {
            ("true", found) => found == Some(true),
            ("not true", found) => found != Some(true),
            ("false", found) => found == Some(false),
            ("not false", found) => found != Some(false),
            ("known", found) => found.is_some(),
            (_, found) => found.is_none(),
        }),
        Condition::Ask { source, otherwise, test } => {
            let found = match (seen(source), otherwise) {
                (Seen::Missing, Some(literal)) => Seen::of(Some(literal)),
                (Seen::Unobserved, Some(_)) => Seen::Something,
                (found, _) => found,
            };
            ask(test, &found)
        }
    }
}

fn join(parts: &[Condition], seen: &dyn Fn(&Source) -> Seen, deciding: bool) -> Option<bool> {
    let found: Vec<Option<bool>> = parts.iter().map(|part| holds(part, seen)).collect();
    if found.contains(&Some(deciding)) {
        return Some(deciding);
    }
    found.iter().all(Option::is_some).then_some(!deciding)
}

fn ask(test: &Test, seen: &Seen) -> Option<bool> {
    match (test, seen) {
        (Test::Known | Test::Missing, Seen::Unobserved) => None,
        (Test::Known, found) => Some(*found != Seen::Missing),
        (Test::Missing, found) => Some(*found == Seen::Missing),
        (_, Seen::Missing | Seen::Unobserved | Seen::Something) => None,
        (test, Seen::Text(text)) => Some(ask_text(test, text)),
        (test, Seen::Number(low, high)) => ask_number(test, *low, *high),
    }
}

fn ask_text(test: &Test, text: &str) -> bool {
    let is = |literal: &Literal| matches!(literal, Literal::Text(other) if *other == text);
    match test {
        Test::Compare("=", literal) => is(literal),
        Test::Compare(_, literal) => !is(literal),
        Test::In(among, literals) => literals.iter().any(is) == *among,
        Test::Text("starts_with", part) => text.starts_with(part),
        Test::Text("ends_with", part) => text.ends_with(part),
        Test::Text("contains", part) => text.contains(part),
        // The one glob that is generated: `*e*`.
        Test::Text(_, _) => text.contains('e'),
        other => panic!("{other:?} is not asked of a text"),
    }
}

/// A test of a number that lies between two: it holds where it holds for all of them. These tests are unions of few ranges.
fn ask_number(test: &Test, low: i64, high: i64) -> Option<bool> {
    let number = |literal: &Literal| literal.number().expect("a number");
    let ranges: Vec<(i64, i64)> = match test {
        Test::Bare => vec![(1, 1)],
        Test::Compare("=", literal) => vec![(number(literal), number(literal))],
        Test::Compare("!=", literal) => {
            vec![(i64::MIN, number(literal) - 1), (number(literal) + 1, i64::MAX)]
        }
        Test::Compare("<", literal) => vec![(i64::MIN, number(literal) - 1)],
        Test::Compare("<=", literal) => vec![(i64::MIN, number(literal))],
        Test::Compare(">", literal) => vec![(number(literal) + 1, i64::MAX)],
        Test::Compare(_, literal) => vec![(number(literal), i64::MAX)],
        Test::Between(from, to) => vec![(number(from), number(to))],
        Test::In(among, literals) => {
            let is_one = |at: i64| literals.iter().any(|literal| number(literal) == at);
            return match low == high {
                true => Some(is_one(low) == *among),
                false if literals.iter().map(number).any(|at| (low..=high).contains(&at)) => None,
                false => Some(!*among),
            };
        }
        other => panic!("{other:?} is not asked of a number"),
    };
    if ranges.iter().any(|(from, to)| *from <= low && high <= *to) {
        return Some(true);
    }
    let may_hold = ranges.iter().any(|(from, to)| *from <= high && low <= *to);
    if may_hold { None } else { Some(false) }
}
