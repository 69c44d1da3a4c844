//! Fewer leaves for the same truth: nested lists of one kind become one, and neighbours that test the same fact become
//! one test. `a >= 2 and a < 5` is one range, `c = "x" or c = "y"` one set.

use super::fact::Typed;
use super::fact::{Leaf, LeafTest, Range, common, joined};
use super::truth::{Truth, unless_false, when_true};
use crate::codes::Code;
use crate::condition::Source;
use crate::diagnostic::Report;
use std::collections::BTreeSet;

/// When `typed` is definitely true, in as few tests as it takes; reports tests that exclude each other.
pub(super) fn truth_of(typed: Typed, report: &mut Report) -> Truth {
    fused(when_true(typed), report)
}

/// When `typed` is not definitely false.
pub(super) fn unless_false_of(typed: &Typed, report: &mut Report) -> Truth {
    fused(unless_false(typed), report)
}

fn fused(truth: Truth, report: &mut Report) -> Truth {
    let mut conflicts = Vec::new();
    let truth = fuse(truth, &mut conflicts);
    for conflict in conflicts {
        let message = format!("never true: it excludes `{}`", conflict.first.text);
        let help = "join them with `or`, or drop one".to_owned();
        report.add_help(Code::E0308, conflict.second.span, message, help);
    }
    truth
}

/// The same truth with fewer leaves. Tests that must all pass and cannot are noted in `conflicts`.
pub(crate) fn fuse(truth: Truth, conflicts: &mut Vec<Conflict>) -> Truth {
    match truth {
        Truth::All(parts) => list(parts, true, conflicts),
        Truth::Any(parts) => list(parts, false, conflicts),
        Truth::Opposite(inner) => Truth::Opposite(Box::new(fuse(*inner, conflicts))),
        leaf @ Truth::Leaf(_) => leaf,
    }
}

/// Two tests of one fact that exclude each other.
#[derive(Debug)]
pub(crate) struct Conflict {
    pub first: Source,
    pub second: Source,
}

fn list(parts: Vec<Truth>, all: bool, conflicts: &mut Vec<Conflict>) -> Truth {
    let mut fused: Vec<Truth> = Vec::new();
    for part in parts {
        match (fuse(part, conflicts), all) {
            (Truth::All(inner), true) | (Truth::Any(inner), false) => {
                inner.into_iter().for_each(|part| push(&mut fused, part, all, conflicts));
            }
            (part, _) => push(&mut fused, part, all, conflicts),
        }
    }
    match (fused.len(), fused.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            fused.extend(last);
            if all { Truth::All(fused) } else { Truth::Any(fused) }
        }
    }
}

/// Adds `part`, or joins it with an earlier leaf of the same fact.
fn push(fused: &mut Vec<Truth>, part: Truth, all: bool, conflicts: &mut Vec<Conflict>) {
    if let Truth::Leaf(leaf) = &part {
        for earlier in fused.iter_mut() {
            let Truth::Leaf(known) = earlier else { continue };
            if let Some(both) = join(known, leaf, all) {
                *known = both;
                return;
            }
            if all && exclude_each_other(known, leaf) {
                conflicts.push(Conflict { first: known.source.clone(), second: leaf.source.clone() });
            }
        }
    }
    fused.push(part);
}

fn join(a: &Leaf, b: &Leaf, all: bool) -> Option<Leaf> {
    if a.fact != b.fact || a.default != b.default {
        return None;
    }
    let test = match (&a.test, &b.test) {
        (same, other) if same == other => same.clone(),
        (LeafTest::Ranges(a), LeafTest::Ranges(b)) => ranges(a, b, all)?,
        (LeafTest::OneOf(a, among_a), LeafTest::OneOf(b, among_b)) => one_of(a, *among_a, b, *among_b, all)?,
        _ => return None,
    };
    let text = match a.source.text == b.source.text {
        true => a.source.text.clone(),
        false => format!("{} {} {}", a.source.text, if all { "and" } else { "or" }, b.source.text),
    };
    Some(Leaf { test, source: Source { span: a.source.span, text }, ..a.clone() })
}

/// Whether no value passes both.
fn exclude_each_other(a: &Leaf, b: &Leaf) -> bool {
    if a.fact != b.fact || a.default != b.default {
        return false;
    }
    match (&a.test, &b.test) {
        (LeafTest::Ranges(a), LeafTest::Ranges(b)) => common(a, b).is_empty(),
        (LeafTest::OneOf(a, true), LeafTest::OneOf(b, true)) => a.is_disjoint(b),
        (LeafTest::OneOf(a, true), LeafTest::OneOf(b, false))
        | (LeafTest::OneOf(b, false), LeafTest::OneOf(a, true)) => a.is_subset(b),
        (LeafTest::Missing, other) | (other, LeafTest::Missing) => *other != LeafTest::Missing,
        _ => false,
    }
}

/// `None` where nothing, or everything, would remain: such a leaf is kept apart, as it was written.
fn ranges(a: &[Range], b: &[Range], all: bool) -> Option<LeafTest> {
    let both = if all { common(a, b) } else { joined([a, b].concat()) };
    (!both.is_empty() && both != [(i64::MIN, i64::MAX)]).then_some(LeafTest::Ranges(both))
}

fn one_of(
    a: &BTreeSet<String>,
    among_a: bool,
    b: &BTreeSet<String>,
    among_b: bool,
    all: bool,
) -> Option<LeafTest> {
    let set = |texts: Vec<&String>| texts.into_iter().cloned().collect::<BTreeSet<String>>();
    // Intersection of the sets of values meant; by De Morgan a union is the opposite of one.
    let (texts, among) = match (among_a == all, among_b == all) {
        (true, true) => (set(a.intersection(b).collect()), all),
        (true, false) => (set(a.difference(b).collect()), all),
        (false, true) => (set(b.difference(a).collect()), all),
        (false, false) => (set(a.union(b).collect()), !all),
    };
    (!texts.is_empty()).then_some(LeafTest::OneOf(texts, among))
}
