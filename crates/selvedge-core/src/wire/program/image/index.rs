//! What is worked out of a program once, when it is opened: which facts stand in which cell, which of them may move though
//! no cell changed, and which rules test which fact.

use super::records::FactRow;
use super::{Image, op_of};
use crate::wire::program::Builtin;
use crate::wire::program::layout::kind;
use alloc::vec;
use alloc::vec::Vec;

/// Below so many rules, asking all of them is as fast as finding those that are touched.
pub(crate) const SCANNED_MAX: u16 = 64;

/// Who reads what.
#[derive(Debug, Clone, Default)]
pub(crate) struct Index {
    /// Facts that are read from a cell of the visitor, by the cell's name.
    pub cells: Vec<(u64, u16)>,
    /// Facts that may move though no cell changed, ascending: they are found anew each time.
    pub moving: Vec<u16>,
    /// A bit for each built-in fact that is read.
    builtins: u64,
    /// Where the tests of each fact begin among `tests`, and where the last ones end. Empty below [`SCANNED_MAX`] rules.
    starts: Vec<u32>,
    tests: Vec<FactTest>,
}

/// That a rule tests a fact: it is touched when the fact moves over an edge of the test.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FactTest {
    /// The first value on the one side, and the first beyond the other; the same where every move counts.
    pub edges: (i64, i64),
    pub rule: u16,
}

/// How a fact is read.
enum Reading {
    /// From the cell of this name; it moves only when that does, or the session, the page view or the purposes do.
    Cell(u64),
    /// From the cell of this name and the time.
    CellAndTime(u64),
    /// From anything else.
    Anything,
    /// It is known of events only.
    OfEvents,
}

impl Index {
    pub fn of(image: &Image) -> Self {
        let mut index = Self::default();
        for (at, fact) in (0..).zip(image.each_fact()) {
            let reading = reading(image, fact);
            if let Reading::Cell(cell) | Reading::CellAndTime(cell) = reading {
                let place = index.cells.partition_point(|known| *known < (cell, at));
                index.cells.insert(place, (cell, at));
            }
            if let Reading::CellAndTime(_) | Reading::Anything = reading {
                index.moving.push(at);
            }
        }
        index.find_builtins(image);
        if image.rules() >= SCANNED_MAX {
            index.find_tests(image);
        }
        index
    }

    /// Whether the program reads a built-in fact, so that it has to be kept.
    pub const fn reads(&self, builtin: Builtin) -> bool {
        (self.builtins >> (builtin as u8 & 63)) & 1 == 1
    }

    fn find_builtins(&mut self, image: &Image) {
        let facts = image.each_fact().chain(image.each_value());
        for fact in facts.filter(|fact| fact.source() == kind::SOURCE_BUILTIN) {
            self.builtins |= 1 << (fact.index() & 63);
        }
        if self.reads(Builtin::VisitorTimeOfDay) || self.reads(Builtin::VisitorWeekday) {
            self.builtins |= 1 << Builtin::UtcOffset as u8;
        }
        // Which wording a content has depends on it.
        if image.has_templates() {
            self.builtins |= 1 << Builtin::Language as u8;
        }
    }

    /// The facts that are read from a cell.
    pub fn facts_of(&self, cell: u64) -> impl Iterator<Item = u16> + use<'_> {
        let first = self.cells.partition_point(|(known, _)| *known < cell);
        let rest = self.cells.get(first..).unwrap_or_default().iter();
        rest.take_while(move |(known, _)| *known == cell).map(|(_, fact)| *fact)
    }

    /// Who tests a fact.
    pub fn tests_of(&self, fact: u16) -> &[FactTest] {
        let place =
            |at: usize| self.starts.get(at).and_then(|start| usize::try_from(*start).ok()).unwrap_or(0);
        let at = usize::from(fact);
        self.tests.get(place(at)..place(at.wrapping_add(1))).unwrap_or_default()
    }

    fn find_tests(&mut self, image: &Image) {
        let mut found: Vec<(u16, FactTest)> = Vec::with_capacity(image.code().len());
        let mut is_reached = vec![0u16; image.code().len()];
        for (rule, row) in (0..).zip(image.each_rule()) {
            tests_of_rule(image, row.when(), rule, &mut is_reached, &mut found);
        }
        self.starts = vec![0; usize::from(image.facts()).wrapping_add(1)];
        for (fact, _) in &found {
            if let Some(count) = self.starts.get_mut(usize::from(*fact).wrapping_add(1)) {
                *count = count.wrapping_add(1);
            }
        }
        let mut sum = 0u32;
        for start in &mut self.starts {
            sum = sum.wrapping_add(*start);
            *start = sum;
        }
        // Counted, the tests need no sorting (which takes kilobytes in the page): each goes to its fact's next place.
        let mut places = self.starts.clone();
        self.tests = vec![FactTest { edges: (0, 0), rule: 0 }; found.len()];
        for (fact, test) in found {
            let Some(place) = places.get_mut(usize::from(fact)) else { continue };
            let at = usize::try_from(*place).unwrap_or(usize::MAX);
            *place = place.wrapping_add(1);
            if let Some(known) = self.tests.get_mut(at) {
                *known = test;
            }
        }
    }
}

fn reading(image: &Image, fact: FactRow) -> Reading {
    match fact.source() {
        kind::SOURCE_ATTRIBUTE => {
            let row = image.attribute(fact.index());
            match row.scope() {
                kind::SCOPE_CONTEXT | kind::SCOPE_ACCOUNT => Reading::Anything,
                _ if row.ttl_ms() > 0 => Reading::CellAndTime(row.hash()),
                _ => Reading::Cell(row.hash()),
            }
        }
        kind::SOURCE_METRIC => {
            let row = image.metric(fact.index());
            let fades = matches!(row.kind(), kind::METRIC_SCORE | kind::METRIC_SINCE);
            let is_of_time = fades || !matches!(row.window(), kind::WINDOW_PAGE | kind::WINDOW_SESSION);
            match row.scope() {
                kind::OF_ACCOUNT => Reading::Anything,
                _ if is_of_time => Reading::CellAndTime(row.meaning()),
                _ => Reading::Cell(row.meaning()),
            }
        }
        kind::SOURCE_PROPERTY | kind::SOURCE_ITEM | kind::SOURCE_ANY_ITEM | kind::SOURCE_TRUST => {
            Reading::OfEvents
        }
        _ => Reading::Anything,
    }
}

/// The tests that a condition can come to. Jumps lead forward, so one pass finds them; a place is marked with the rule
/// that reached it (plus one), so that the marks of the rules before need not be wiped.
fn tests_of_rule(
    image: &Image,
    when: u16,
    rule: u16,
    is_reached: &mut [u16],
    found: &mut Vec<(u16, FactTest)>,
) {
    let mark = rule.wrapping_add(1);
    let (mut at, mut last) = (when, when);
    while let Some(op) = op_of(image.code(), at).filter(|_| at <= last) {
        if at == when || is_reached.get(usize::from(at)) == Some(&mark) {
            found.push((op.fact(), FactTest { edges: edges(op.test(), op.low(), op.high()), rule }));
            for next in [op.next(at, true), op.next(at, false)] {
                if let Some(reached) = is_reached.get_mut(usize::from(next)) {
                    *reached = mark;
                    last = last.max(next);
                }
            }
        }
        at = at.wrapping_add(1);
    }
}

fn edges(test: u8, low: i64, high: i64) -> (i64, i64) {
    if test == kind::TEST_RANGE { (low, high.saturating_add(1)) } else { (0, 0) }
}
