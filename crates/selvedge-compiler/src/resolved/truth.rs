//! When a condition is *definitely* true: three-valued logic by pushing negation to the leaves. What remains is yes or
//! no, because a leaf whose fact is unknown simply does not pass.

use super::fact::{ItemTest, Leaf, Typed};
use crate::condition::{Source, State};
use std::mem;
use std::slice;

/// A yes-or-no formula over leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Truth {
    /// Every one of them, two or more.
    All(Vec<Truth>),
    /// At least one of them, two or more.
    Any(Vec<Truth>),
    /// Not so (unknown included).
    Opposite(Box<Truth>),
    Leaf(Leaf),
}

/// When `typed` is definitely true.
pub(crate) fn when_true(typed: Typed) -> Truth {
    match typed {
        Typed::And(parts) => Truth::All(parts.into_iter().map(when_true).collect()),
        Typed::Or(parts) => Truth::Any(parts.into_iter().map(when_true).collect()),
        Typed::Not(inner) => when_false(&inner),
        Typed::Leaf(leaf) => Truth::Leaf(leaf),
        Typed::State(inner, state) => in_state(&inner, state),
    }
}

/// When `typed` is definitely false.
fn when_false(typed: &Typed) -> Truth {
    match typed {
        Typed::And(parts) => Truth::Any(parts.iter().map(when_false).collect()),
        Typed::Or(parts) => Truth::All(parts.iter().map(when_false).collect()),
        Typed::Not(inner) => when_true((**inner).clone()),
        Typed::Leaf(leaf) => Truth::Leaf(leaf.opposite()),
        Typed::State(inner, state) => in_state(inner, other(*state)),
    }
}

/// When `typed` is not definitely false.
pub(super) fn unless_false(typed: &Typed) -> Truth {
    opposite(when_false(typed))
}

/// When an item passes a condition for sure, and when it fails it for sure.
pub(crate) fn item_truths(test: &ItemTest) -> [Truth; 2] {
    [when_true(test.condition.clone()), when_false(&test.condition)]
}

/// The state that something is in where it is not in `state`.
const fn other(state: State) -> State {
    match state {
        State::True => State::NotTrue,
        State::NotTrue => State::True,
        State::False => State::NotFalse,
        State::NotFalse => State::False,
        State::Known => State::Missing,
        State::Missing => State::Known,
    }
}

/// When `typed` is in `state`: never unknown. A test of its own says so in its words.
fn in_state(typed: &Typed, state: State) -> Truth {
    let words = match state {
        State::True => "is true",
        State::NotTrue => "is not true",
        State::False => "is false",
        State::NotFalse => "is not false",
        State::Known | State::Missing => return state_of(typed, state),
    };
    let truth = state_of(typed, state);
    match typed {
        Typed::Leaf(leaf) => worded(truth, &format!("{} {words}", subject(&leaf.source.text))),
        _ => truth,
    }
}

/// What is asked whether it is true.
fn subject(text: &str) -> String {
    let states = [" is not true", " is not false", " is true", " is false"];
    match states.iter().find_map(|words| text.strip_suffix(words)) {
        Some(subject) => subject.to_owned(),
        None if text.contains(' ') && !text.starts_with('(') => format!("({text})"),
        None => text.to_owned(),
    }
}

fn worded(truth: Truth, text: &str) -> Truth {
    match truth {
        Truth::Opposite(inner) => Truth::Opposite(Box::new(worded(*inner, text))),
        Truth::Leaf(leaf) => {
            let source = Source { text: text.to_owned(), ..leaf.source.clone() };
            Truth::Leaf(Leaf { source, ..leaf })
        }
        list => list,
    }
}

fn state_of(typed: &Typed, state: State) -> Truth {
    match state {
        State::True => apart(when_true(typed.clone())),
        State::NotTrue => opposite(when_true(typed.clone())),
        State::False => apart(when_false(typed)),
        State::NotFalse => opposite(when_false(typed)),
        State::Known => is_known(typed),
        State::Missing => opposite(is_known(typed)),
    }
}

fn is_known(typed: &Typed) -> Truth {
    Truth::Any(vec![apart(when_true(typed.clone())), apart(when_false(typed))])
}

/// The same, but its tests are not joined with others of the same fact: `a > 4` and `a <= 4` are together every number, and
/// yet neither is known where `a` is a lower bound.
fn apart(truth: Truth) -> Truth {
    opposite(opposite(truth))
}

/// The opposite of an opposite stays one: its tests are asked whether they are known to pass, and must not be joined with
/// others of the same fact either.
fn opposite(truth: Truth) -> Truth {
    Truth::Opposite(Box::new(truth))
}

impl Truth {
    /// Every leaf, in the order written.
    pub fn leaves(&self) -> Leaves<'_> {
        Leaves { next: slice::from_ref(self).iter(), behind: Vec::new() }
    }
}

/// The leaves of a truth. Of a list of leaves, as most are, nothing is allocated.
pub(crate) struct Leaves<'a> {
    next: slice::Iter<'a, Truth>,
    /// What is left of the lists around.
    behind: Vec<slice::Iter<'a, Truth>>,
}

impl<'a> Iterator for Leaves<'a> {
    type Item = &'a Leaf;

    fn next(&mut self) -> Option<&'a Leaf> {
        loop {
            let parts = match self.next.next() {
                Some(Truth::Leaf(leaf)) => return Some(leaf),
                Some(Truth::All(parts) | Truth::Any(parts)) => parts.as_slice(),
                Some(Truth::Opposite(inner)) => slice::from_ref(inner.as_ref()),
                None => {
                    self.next = self.behind.pop()?;
                    continue;
                }
            };
            let around = mem::replace(&mut self.next, parts.iter());
            if !around.as_slice().is_empty() {
                self.behind.push(around);
            }
        }
    }
}
