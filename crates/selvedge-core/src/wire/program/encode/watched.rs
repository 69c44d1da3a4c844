//! The tests that time alone may make come out otherwise, found among the conditions of rules.

use super::{Tables, tag};
use crate::wire::program::{AttributeScope, Builtin, Fact, FactSource, Jump, MetricKind, Parts, Rule, Test};
use alloc::vec;
use alloc::vec::Vec;

impl Tables {
    /// Writes them, those that are the same once; whether there are any.
    pub(super) fn watched(&mut self, parts: &Parts) -> bool {
        let is_moving = moving(parts);
        let mut marks = vec![0; parts.code.len()];
        let mut tests: Vec<(u16, Test)> = Vec::new();
        for (at, rule) in (0u32..).zip(&parts.rules) {
            let found = tests_of(parts, rule, &is_moving, (&mut marks, at.saturating_add(1)));
            if !found.is_empty() {
                self.table(tag::WATCHING).fixed(at);
            }
            tests.extend(found);
        }
        tests.sort_unstable();
        tests.dedup();
        for (fact, test) in &tests {
            self.leaf(tag::WATCHED, *fact, *test);
        }
        !tests.is_empty()
    }
}

/// For each fact, whether it moves with time alone. What a window of events holds does not count here: it is found with the
/// next event.
fn moving(parts: &Parts) -> Vec<bool> {
    let mut is_moving = Vec::with_capacity(parts.facts.len());
    for fact in &parts.facts {
        is_moving.push(moves(parts, fact, &is_moving));
    }
    is_moving
}

fn moves(parts: &Parts, fact: &Fact, before: &[bool]) -> bool {
    let of = |at: u16| before.get(usize::from(at)).copied().unwrap_or(false);
    match &fact.source {
        FactSource::Builtin(builtin) => matches!(
            builtin,
            Builtin::Now
                | Builtin::TimeOfDay
                | Builtin::Weekday
                | Builtin::VisitorTimeOfDay
                | Builtin::VisitorWeekday
        ),
        FactSource::Clock(..) => true,
        FactSource::Attribute(at) => {
            let attribute = parts.attributes.get(usize::from(*at));
            attribute.is_some_and(|known| known.ttl.is_some() && known.scope != AttributeScope::Account)
        }
        FactSource::Metric(at) => {
            let metric = parts.metrics.get(usize::from(*at));
            metric.is_some_and(|metric| matches!(metric.kind, MetricKind::Since | MetricKind::Score))
        }
        FactSource::Difference(first, second) => of(first.fact) || of(second.fact),
        FactSource::SameText(first, second) => of(*first) || of(*second),
        FactSource::Lookup { key, .. } => of(*key),
        FactSource::SameCount(_, text) => of(*text),
        _ => false,
    }
}

/// The tests of moving facts in the conditions of a rule: its own, its schedule's, what ends it, what it yields to, what
/// takes a visitor out again. Code that was looked at is marked, with another mark for each rule.
fn tests_of(
    parts: &Parts,
    rule: &Rule,
    is_moving: &[bool],
    (marks, mark): (&mut [u32], u32),
) -> Vec<(u16, Test)> {
    if !is_moving.contains(&true) {
        return Vec::new();
    }
    let suppressions = rule.terms.suppressed_by.iter();
    let suppressions =
        suppressions.filter_map(|at| Some(parts.deciding.suppressions.get(usize::from(*at))?.when));
    let exit = rule.emit.iter().filter_map(|emit| emit.exit_when);
    let starts = [rule.when, rule.terms.schedule, rule.terms.until].into_iter().flatten();
    let mut open: Vec<u16> = starts.chain(suppressions).chain(exit).collect();
    let mut tests = Vec::new();
    while let Some(at) = open.pop() {
        let Some(known) = marks.get_mut(usize::from(at)).filter(|known| **known != mark) else { continue };
        *known = mark;
        let Some(code) = parts.code.get(usize::from(at)) else { continue };
        for jump in [code.on_true, code.on_false] {
            if let Jump::To(next) = jump {
                open.push(next);
            }
        }
        if is_moving.get(usize::from(code.fact)) == Some(&true) {
            tests.push((code.fact, code.test));
        }
    }
    tests
}
