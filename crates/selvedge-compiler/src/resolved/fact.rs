//! Facts, their types, and the one test that a leaf of a condition makes.

use crate::condition::{Source, State};
use selvedge_core::wire::program::{Builtin, TextTest};
use std::cmp::Ordering;
use std::collections::BTreeSet;

/// Where a leaf's value comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fact {
    Builtin(Builtin),
    /// The time of day, or the day of the week, in a time zone other than the site's.
    Clock(String, Builtin),
    /// The attribute at this place among the resolved.
    Attribute(usize),
    /// The metric at this place among the resolved.
    Metric(usize),
    /// The counted event's property (only in `where`).
    Property(String),
    /// As [`Self::Property`], read as a moment.
    TimeProperty(String),
    /// A property of a list's item (only in a condition on items).
    Item(String),
    /// As [`Self::Item`], read as a moment.
    TimeItem(String),
    /// Who the counted event came from (only in `where`).
    Trust,
    /// One number or moment minus another.
    Difference(Box<Term>, Box<Term>),
    /// Whether two texts are the same.
    SameText(Box<Fact>, Box<Fact>),
    /// How many events of a metric had the text that another fact has.
    SameCount(Box<Fact>, Box<Fact>),
    /// What a table says.
    Lookup(Box<LookedUp>),
    /// What an amount of another currency is worth.
    Amount(Box<Amount>),
    /// Whether the counted event's amounts are in the site's currency, and whether others are converted (only in `where`).
    OwnCurrency(bool),
    /// Whether an item of the counted event's list passes (only in `where`).
    AnyItem(Box<ItemTest>),
}

/// A column of a table, looked up by the text of a fact.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LookedUp {
    /// The table, by its place in site.yaml.
    pub table: usize,
    pub column: usize,
    pub key: Fact,
}

/// What an amount of another currency is worth.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Amount {
    pub micro: i64,
    pub currency: String,
    /// Where its rate stands.
    pub table: usize,
    pub column: usize,
}

/// One side of a difference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Term {
    pub fact: Fact,
    /// Whether its value is a whole count, not millionths.
    pub is_count: bool,
}

/// A condition on the items of a list. Two with the same words are the same.
#[derive(Debug, Clone)]
pub(crate) struct ItemTest {
    pub list: String,
    pub condition: Typed,
    pub text: String,
    /// The properties that it compares with amounts of money.
    pub amounts: BTreeSet<String>,
}

impl ItemTest {
    fn key(&self) -> (&str, &str) {
        (&self.list, &self.text)
    }
}

impl PartialEq for ItemTest {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for ItemTest {}

impl PartialOrd for ItemTest {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ItemTest {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl Fact {
    /// The facts that this one is made of; itself where it is made of none.
    pub const fn simple(&self) -> Simple<'_> {
        Simple { next: Some(self), behind: Vec::new() }
    }

    /// Whether its value is found with the help of others'.
    pub const fn is_made_of_others(&self) -> bool {
        matches!(self, Self::Difference(..) | Self::SameText(..) | Self::SameCount(..) | Self::Lookup(_))
    }

    /// Whether it is made of other facts, so that its values are used, not only compared with constants.
    pub const fn uses_values(&self) -> bool {
        matches!(self, Self::Difference(..) | Self::SameText(..))
    }
}

/// The facts that a fact is made of, in the order written. Most are made of none: nothing is allocated for them.
pub(crate) struct Simple<'a> {
    next: Option<&'a Fact>,
    behind: Vec<&'a Fact>,
}

impl<'a> Iterator for Simple<'a> {
    type Item = &'a Fact;

    fn next(&mut self) -> Option<&'a Fact> {
        loop {
            let fact = self.next.take().or_else(|| self.behind.pop())?;
            match fact {
                Fact::Difference(first, second) => {
                    self.behind.push(&second.fact);
                    self.next = Some(&first.fact);
                }
                Fact::SameText(first, second) | Fact::SameCount(first, second) => {
                    self.behind.push(second);
                    self.next = Some(first);
                }
                Fact::Lookup(found) => {
                    self.next = Some(&found.key);
                    return Some(fact);
                }
                simple => return Some(simple),
            }
        }
    }
}

/// A condition: true, false or unknown.
#[derive(Debug, Clone)]
pub(crate) enum Typed {
    And(Vec<Typed>),
    Or(Vec<Typed>),
    Not(Box<Typed>),
    Leaf(Leaf),
    State(Box<Typed>, State),
}

/// What a fact's values are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FactType {
    Text {
        /// The only values it has; empty where it may be any text.
        one_of: Vec<String>,
        /// Whether it is kept in state, where texts are cut.
        kept: bool,
    },
    Number,
    Money,
    Bool,
    Count,
    /// Unix milliseconds.
    Time,
    /// Milliseconds.
    Duration,
    /// Minutes since midnight.
    Clock,
    /// Texts.
    List,
    /// A property of a list's item: what it is compared with says what it is.
    Untyped,
    /// An object: nothing can be asked of it.
    Opaque(&'static str),
}

/// A definite question: yes, no, or, where its fact is unknown, neither.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Leaf {
    pub fact: Fact,
    pub default: Option<Default>,
    pub domain: Domain,
    pub test: LeafTest,
    pub source: Source,
}

/// The values that a fact can have at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Domain {
    Text,
    /// Between the two, both included.
    Numbers(i64, i64),
}

/// What stands in for an unknown fact.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Default {
    Text(String),
    /// A number in the fact's own scale: millionths, whole counts, 0 or 1.
    Number(i64),
}

/// The test of a leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LeafTest {
    /// A text among these, or (`false`) among none of these.
    OneOf(BTreeSet<String>, bool),
    /// A text that passes, or (`false`) that does not.
    Text(TextTest, String, bool),
    /// A number in one of these ranges, both ends included; sorted, apart.
    Ranges(Vec<Range>),
    /// Any value at all.
    Known,
    /// No value.
    Missing,
}

/// From and to, both included.
pub(crate) type Range = (i64, i64);

impl Leaf {
    /// Whether it is never unknown.
    pub const fn is_always_known(&self) -> bool {
        matches!(self.test, LeafTest::Known | LeafTest::Missing)
    }

    /// The leaf that is passed exactly by the known values that do not pass this one; its words say so too.
    pub fn opposite(&self) -> Self {
        let test = match &self.test {
            LeafTest::OneOf(texts, among) => LeafTest::OneOf(texts.clone(), !among),
            LeafTest::Text(test, pattern, passes) => LeafTest::Text(*test, pattern.clone(), !passes),
            LeafTest::Ranges(ranges) => LeafTest::Ranges(self.domain.within(&complement(ranges))),
            LeafTest::Known => LeafTest::Missing,
            LeafTest::Missing => LeafTest::Known,
        };
        let text = match self.source.text.strip_prefix("not ") {
            Some(text) => text.to_owned(),
            None => format!("not {}", self.source.text),
        };
        let source = Source { text, ..self.source.clone() };
        Self { test, source, ..self.clone() }
    }
}

impl Domain {
    /// The part of the ranges that the fact can be in.
    pub fn within(self, ranges: &[Range]) -> Vec<Range> {
        match self {
            Self::Text => Vec::new(),
            Self::Numbers(low, high) => common(ranges, &[(low, high)]),
        }
    }
}

/// What lies between and around sorted ranges.
pub(crate) fn complement(ranges: &[Range]) -> Vec<Range> {
    let mut rest = Vec::new();
    let mut from = Some(i64::MIN);
    for (low, high) in ranges {
        if let (Some(start), Some(end)) = (from, low.checked_sub(1))
            && start <= end
        {
            rest.push((start, end));
        }
        from = high.checked_add(1);
    }
    rest.extend(from.map(|start| (start, i64::MAX)));
    rest
}

/// The ranges sorted, those that touch joined.
pub(crate) fn joined(mut ranges: Vec<Range>) -> Vec<Range> {
    ranges.sort_unstable();
    let mut joined: Vec<Range> = Vec::new();
    for (low, high) in ranges {
        match joined.last_mut() {
            Some((_, end)) if end.checked_add(1).is_none_or(|next| low <= next) => *end = (*end).max(high),
            _ => joined.push((low, high)),
        }
    }
    joined
}

/// What lies in both.
pub(crate) fn common(a: &[Range], b: &[Range]) -> Vec<Range> {
    let pairs = a.iter().flat_map(|one| b.iter().map(move |other| (one.0.max(other.0), one.1.min(other.1))));
    joined(pairs.filter(|(low, high)| low <= high).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_a_set_algebra() {
        assert_eq!(complement(&[]), [(i64::MIN, i64::MAX)]);
        assert_eq!(complement(&[(i64::MIN, i64::MAX)]), []);
        assert_eq!(complement(&[(0, 0)]), [(i64::MIN, -1), (1, i64::MAX)]);
        assert_eq!(complement(&[(i64::MIN, 4), (6, i64::MAX)]), [(5, 5)]);
        assert_eq!(joined(vec![(5, 9), (0, 2), (3, 4), (20, 30)]), [(0, 9), (20, 30)]);
        assert_eq!(common(&[(0, 10)], &[(5, 20)]), [(5, 10)]);
        assert_eq!(common(&[(0, 1)], &[(5, 20)]), []);
    }
}
