//! Fewer leaves for the same truth: nested lists of one kind become one, and neighbours that test the same fact become
//! one test. `a >= 2 and a < 5` is one range, `c = "x" or c = "y"` one set.

use super::fact::{Leaf, LeafTest, Range, common, joined};
use super::truth::Truth;
use crate::condition::Source;
use std::collections::BTreeSet;

/// The same truth with fewer leaves.
pub(crate) fn fuse(truth: Truth) -> Truth {
    match truth {
        Truth::All(parts) => list(parts, true),
        Truth::Any(parts) => list(parts, false),
        Truth::Opposite(inner) => Truth::Opposite(Box::new(fuse(*inner))),
        leaf @ Truth::Leaf(_) => leaf,
    }
}

fn list(parts: Vec<Truth>, all: bool) -> Truth {
    let mut fused: Vec<Truth> = Vec::new();
    for part in parts.into_iter().map(fuse) {
        match (part, all) {
            (Truth::All(inner), true) | (Truth::Any(inner), false) => {
                inner.into_iter().for_each(|part| push(&mut fused, part, all));
            }
            (part, _) => push(&mut fused, part, all),
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
fn push(fused: &mut Vec<Truth>, part: Truth, all: bool) {
    if let Truth::Leaf(leaf) = &part {
        for earlier in fused.iter_mut() {
            let Truth::Leaf(known) = earlier else { continue };
            if let Some(both) = join(known, leaf, all) {
                *known = both;
                return;
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
