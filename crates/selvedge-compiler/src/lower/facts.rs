//! The facts of a program: each tested value once, with the dictionary of the texts that conditions compare it with.

use crate::resolved::{Default, Domain, Fact, Leaf, LeafTest};
use selvedge_core::wire::program::{self, FactSource, Shape, TextTest};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Form {
    Number,
    Time,
    OneOf,
    Text(u8, String),
}

/// One metric may be written in several rules, each with a dictionary of its own: then it is several facts.
type Key = (FactSource, Option<Default>, Form, Dictionary);

/// The texts each fact is compared with, sorted; known whole before the first instruction is made.
#[derive(Debug, Default)]
pub(super) struct Dictionaries {
    texts: BTreeMap<(Fact, Option<Default>), Dictionary>,
}

/// The texts that one fact tells apart, sorted.
pub(super) type Dictionary = Rc<[String]>;

impl Dictionaries {
    /// The constants of these leaves.
    pub fn of<'a>(leaves: impl Iterator<Item = &'a Leaf>) -> Self {
        let mut found: BTreeMap<(Fact, Option<Default>), BTreeSet<&String>> = BTreeMap::new();
        for leaf in leaves {
            if let LeafTest::OneOf(texts, _) = &leaf.test {
                found.entry((leaf.fact.clone(), leaf.default.clone())).or_default().extend(texts);
            }
        }
        let texts = found.into_iter().map(|(fact, texts)| (fact, texts.into_iter().cloned().collect()));
        Self { texts: texts.collect() }
    }

    fn find(&self, leaf: &Leaf) -> Dictionary {
        let found = self.texts.get(&(leaf.fact.clone(), leaf.default.clone()));
        found.cloned().unwrap_or_default()
    }
}

/// The facts of a program, in the order conditions first name them.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub facts: Vec<program::Fact>,
    places: BTreeMap<Key, usize>,
}

impl Facts {
    /// The place of the leaf's fact, and its dictionary where it has one. `source` is what the leaf's fact is in the
    /// program.
    pub fn place(
        &mut self,
        leaf: &Leaf,
        source: FactSource,
        dictionaries: &Dictionaries,
    ) -> (usize, Dictionary) {
        let form = form(leaf);
        let dictionary = if form == Form::OneOf { dictionaries.find(leaf) } else { Dictionary::default() };
        let key = (source.clone(), leaf.default.clone(), form, dictionary.clone());
        let next = self.facts.len();
        let at = *self.places.entry(key).or_insert(next);
        if at == next {
            let shape = shape(leaf, &dictionary);
            let default = leaf.default.as_ref().map(|default| default_of(default, &shape));
            self.facts.push(program::Fact { source, shape, default });
        }
        (at, dictionary)
    }

    /// The place of a fact that others are made of.
    pub fn place_part(&mut self, fact: &Fact, source: FactSource) -> usize {
        let (form, shape) = match fact {
            Fact::TimeProperty(_) | Fact::TimeItem(_) => (Form::Time, Shape::Time),
            _ => (Form::Number, Shape::Number),
        };
        let next = self.facts.len();
        let key = (source.clone(), None, form, Dictionary::default());
        let at = *self.places.entry(key).or_insert(next);
        if at == next {
            self.facts.push(program::Fact { source, shape, default: None });
        }
        at
    }
}

fn form(leaf: &Leaf) -> Form {
    match &leaf.test {
        LeafTest::Text(test, pattern, _) => Form::Text(*test as u8, pattern.clone()),
        LeafTest::OneOf(..) => Form::OneOf,
        _ if matches!(leaf.fact, Fact::TimeProperty(_) | Fact::TimeItem(_)) => Form::Time,
        LeafTest::Ranges(_) => Form::Number,
        LeafTest::Known | LeafTest::Missing => {
            if leaf.domain == Domain::Text {
                Form::OneOf
            } else {
                Form::Number
            }
        }
    }
}

fn shape(leaf: &Leaf, dictionary: &[String]) -> Shape {
    match form(leaf) {
        Form::Number => Shape::Number,
        Form::Time => Shape::Time,
        Form::OneOf => Shape::OneOf(dictionary.to_vec()),
        Form::Text(..) => match &leaf.test {
            LeafTest::Text(test, pattern, _) => Shape::Text(*test, pattern.clone()),
            _ => Shape::Number,
        },
    }
}

/// What stands in for unknown, in the scale of the shape.
fn default_of(default: &Default, shape: &Shape) -> i64 {
    match (default, shape) {
        (Default::Number(number), _) => *number,
        (Default::Text(text), Shape::OneOf(dictionary)) => {
            dictionary.binary_search(text).map_or(1, |at| i64::try_from(at).unwrap_or(0).saturating_add(2))
        }
        (Default::Text(text), Shape::Text(test, pattern)) => i64::from(passes(*test, pattern, text)),
        (Default::Text(_), Shape::Number | Shape::Time) => 0,
    }
}

fn passes(test: TextTest, pattern: &str, text: &str) -> bool {
    match test {
        TextTest::Contains => text.contains(pattern),
        TextTest::StartsWith => text.starts_with(pattern),
        TextTest::EndsWith => text.ends_with(pattern),
        TextTest::MatchesGlob => {
            glob(&pattern.chars().collect::<Vec<_>>(), &text.chars().collect::<Vec<_>>())
        }
    }
}

/// `*` is any run, `?` one character: each `*` takes as little as possible, and more only when what follows fails.
fn glob(pattern: &[char], text: &[char]) -> bool {
    let (mut at, mut read) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while read < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(wanted) if *wanted == '?' || text.get(read) == Some(wanted) => {
                at += 1;
                read += 1;
            }
            _ => {
                let Some((star_at, taken)) = star else { return false };
                star = Some((star_at, taken + 1));
                at = star_at + 1;
                read = taken + 1;
            }
        }
    }
    pattern.get(at..).is_some_and(|rest| rest.iter().all(|left| *left == '*'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_is_tested_as_the_fact_would_be() {
        for (pattern, text, expected) in [
            ("/shoes/*", "/shoes/trail", true),
            ("/shoes/*", "/shoes", false),
            ("*b*b", "abcb", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("**", "", true),
        ] {
            assert_eq!(passes(TextTest::MatchesGlob, pattern, text), expected, "{pattern} {text}");
        }
    }
}
