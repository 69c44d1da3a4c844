//! What is worked out of a program once, when it is opened: which facts stand in which cell, which of them may move though
//! no cell changed, and which rules ask which test.

use super::records::{Code, FactRow};
use super::{Image, REJECT};
use crate::wire::program::Builtin;
use crate::wire::program::layout::kind;
use alloc::vec;
use alloc::vec::Vec;

/// Who reads what.
#[derive(Debug, Clone, Default)]
pub(crate) struct Index {
    /// Facts that are read from a cell of the visitor, by the cell's name.
    pub cells: Vec<(u64, u16)>,
    /// Facts that may move though no cell changed, ascending: they are found anew each time.
    pub moving: Vec<u16>,
    /// A bit for each built-in fact that is read.
    builtins: u64,
    /// What each rule asks first.
    pub heads: Vec<Head>,
    /// Where the rules of each test begin among `askers`, and where the last ones end.
    starts: Vec<u32>,
    askers: Vec<u16>,
}

/// So many tests stand in a head.
const HEAD_TESTS: usize = 4;

/// How a condition begins. Most are one test after the other, all of which must pass: so many of them are asked without a
/// branch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    /// Tests that must all pass; where there are fewer, the place behind the last test, which always passes.
    pub tests: [u16; HEAD_TESTS],
    /// Where the condition goes on when they do.
    pub rest: u16,
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
        let code = image.code();
        index.heads = image.each_rule().map(|rule| head_of(code, rule.when())).collect();
        index.find_askers(code);
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

    /// The rules that ask a test.
    pub fn askers_of(&self, leaf: u16) -> &[u16] {
        let place =
            |at: usize| self.starts.get(at).and_then(|start| usize::try_from(*start).ok()).unwrap_or(0);
        let at = usize::from(leaf);
        self.askers.get(place(at)..place(at.wrapping_add(1))).unwrap_or_default()
    }

    fn find_askers(&mut self, code: Code) {
        let mut found = Found {
            askers: Vec::with_capacity(code.len()),
            counts: vec![0; code.each_leaf().len().wrapping_add(1)],
        };
        let mut is_reached = Vec::new();
        for (rule, head) in (0..).zip(&self.heads) {
            head.tests.iter().for_each(|leaf| found.note(*leaf, rule));
            if code.jump(head.rest).is_some() {
                is_reached.resize(code.len(), 0);
                tests_of_rule(code, head.rest, rule, &mut is_reached, &mut found);
            }
        }
        let Found { askers: found, counts } = found;
        self.starts = counts;
        let mut sum = 0u32;
        for start in &mut self.starts {
            sum = sum.wrapping_add(*start);
            *start = sum;
        }
        // Counted, they need no sorting (which takes kilobytes in the page): each goes to its test's next place.
        let mut places = self.starts.clone();
        self.askers = vec![0; found.len()];
        for (leaf, rule) in found {
            let Some(place) = places.get_mut(usize::from(leaf)) else { continue };
            let at = usize::try_from(*place).unwrap_or(usize::MAX);
            *place = place.wrapping_add(1);
            if let Some(asker) = self.askers.get_mut(at) {
                *asker = rule;
            }
        }
    }
}

/// Rules that were found to ask a test, and how many do: each is counted one place behind its test. Where a head has less
/// tests than room, what always passes is left out by having no such place.
struct Found {
    askers: Vec<(u16, u16)>,
    counts: Vec<u32>,
}

impl Found {
    fn note(&mut self, leaf: u16, rule: u16) {
        if let Some(count) = self.counts.get_mut(usize::from(leaf).wrapping_add(1)) {
            *count = count.wrapping_add(1);
            self.askers.push((leaf, rule));
        }
    }
}

/// How the condition at a place begins.
fn head_of(code: Code, when: u16) -> Head {
    let always = u16::try_from(code.each_leaf().len()).unwrap_or(u16::MAX);
    let mut head = Head { tests: [always; HEAD_TESTS], rest: when };
    for test in &mut head.tests {
        let Some(row) = code.jump(head.rest).filter(|row| row.on_false() == REJECT) else { break };
        *test = row.leaf();
        head.rest = row.next(head.rest, true);
    }
    head
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
        kind::SOURCE_PROPERTY
        | kind::SOURCE_ITEM
        | kind::SOURCE_ANY_ITEM
        | kind::SOURCE_TRUST
        | kind::SOURCE_OWN_CURRENCY => Reading::OfEvents,
        _ => Reading::Anything,
    }
}

/// The tests that a condition can come to. Jumps lead forward, so one pass finds them; a place is marked with the rule
/// that reached it (plus one), so that the marks of the rules before need not be wiped.
fn tests_of_rule(code: Code, when: u16, rule: u16, is_reached: &mut [u16], found: &mut Found) {
    let mark = rule.wrapping_add(1);
    let (mut at, mut last) = (when, when);
    while let Some(row) = code.jump(at).filter(|_| at <= last) {
        if at == when || is_reached.get(usize::from(at)) == Some(&mark) {
            found.note(row.leaf(), rule);
            for next in [row.next(at, true), row.next(at, false)] {
                if let Some(reached) = is_reached.get_mut(usize::from(next)) {
                    *reached = mark;
                    last = last.max(next);
                }
            }
        }
        at = at.wrapping_add(1);
    }
}
