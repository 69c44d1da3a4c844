//! What is worked out of a program once, when it is opened: which facts stand in which cell, which of them may move though
//! no cell changed, and which rules ask which test.

use super::records::{Code, FactRow, LeafRow};
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
    /// Where the rules of each test begin among `askers`, and where the last ones end. Behind all tests stands what always
    /// passes: only rules that no test stands for ask it.
    starts: Vec<u32>,
    /// Where those that the test stands for end.
    stands: Vec<u32>,
    askers: Vec<u16>,
    /// The rules of each slot, a bit each.
    of_slots: Vec<u64>,
    /// The [`mark`] of each text of the lists.
    pub marks: Vec<u32>,
}

/// So many tests stand in a head.
const HEAD_TESTS: usize = 4;

/// How a condition begins. Most are one test after the other, all of which must pass: so many of them are asked without a
/// branch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    /// Tests that must all pass; where there are fewer, the place behind the last test, which always passes. The first is
    /// the one that fewest visitors pass, as far as it shows: it stands for the rule, which is asked only if it passes.
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
        index.marks = image.each_listed().map(mark).collect();
        let code = image.code();
        let widths: Vec<u8> = code.each_leaf().map(width).collect();
        index.heads = image.each_rule().map(|rule| head_of(code, rule.when(), &widths)).collect();
        index.find_askers(code);
        index.find_slots(image);
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
        let at = usize::from(leaf);
        self.askers.get(place(&self.starts, at)..place(&self.starts, at.wrapping_add(1))).unwrap_or_default()
    }

    /// The rules that a test stands for.
    pub fn rules_behind(&self, leaf: u16) -> &[u16] {
        let at = usize::from(leaf);
        self.askers.get(place(&self.starts, at)..place(&self.stands, at)).unwrap_or_default()
    }

    /// The rules of a slot, a bit each.
    pub fn rules_of(&self, slot: u16) -> &[u64] {
        let words = self.words();
        let rest = self.of_slots.get(usize::from(slot).wrapping_mul(words)..);
        rest.and_then(|rest| rest.get(..words)).unwrap_or_default()
    }

    /// How many words hold a bit for each rule.
    pub const fn words(&self) -> usize {
        self.heads.len().div_ceil(64)
    }

    fn find_slots(&mut self, image: &Image) {
        let words = self.words();
        self.of_slots = vec![0; words.saturating_mul(image.slots().into())];
        for (at, rule) in image.each_rule().enumerate() {
            let word = usize::from(rule.slot()).wrapping_mul(words).wrapping_add(at / 64);
            if let Some(word) = self.of_slots.get_mut(word) {
                *word |= 1 << (at % 64);
            }
        }
    }

    fn find_askers(&mut self, code: Code) {
        let always = code.each_leaf().len();
        let mut counts = vec![0u32; always.wrapping_add(2)];
        let mut found = Vec::with_capacity(code.len());
        let mut count = |leaf: u16| {
            if let Some(count) = counts.get_mut(usize::from(leaf).wrapping_add(1)) {
                *count = count.wrapping_add(1);
            }
        };
        let mut is_reached = Vec::new();
        for (rule, head) in (0..).zip(&self.heads) {
            let [first, others @ ..] = head.tests;
            count(first);
            let mut note = |leaf: u16| {
                if usize::from(leaf) < always {
                    count(leaf);
                    found.push((leaf, rule));
                }
            };
            others.into_iter().for_each(&mut note);
            if code.jump(head.rest).is_some() {
                is_reached.resize(code.len(), 0);
                tests_of_rule(code, head.rest, rule, &mut is_reached, &mut note);
            }
        }
        let mut sum = 0u32;
        for start in &mut counts {
            sum = sum.wrapping_add(*start);
            *start = sum;
        }
        self.starts = counts;
        // Counted, they need no sorting (which takes kilobytes in the page): each goes to its test's next place.
        self.askers = vec![0; usize::try_from(sum).unwrap_or_default()];
        let mut places = self.starts.clone();
        for (rule, head) in (0..).zip(&self.heads) {
            put(&mut self.askers, &mut places, head.tests[0], rule);
        }
        self.stands.clone_from(&places);
        for (leaf, rule) in found {
            put(&mut self.askers, &mut places, leaf, rule);
        }
    }
}

/// Puts a rule at its test's next place.
fn put(askers: &mut [u16], places: &mut [u32], leaf: u16, rule: u16) {
    let at = place(places, leaf.into());
    if let (Some(place), Some(asker)) = (places.get_mut(usize::from(leaf)), askers.get_mut(at)) {
        *place = place.wrapping_add(1);
        *asker = rule;
    }
}

/// What most texts differ in: how long they are, and three of their bytes.
pub(super) fn mark(text: &[u8]) -> u32 {
    let byte = |at: usize| text.get(at).copied().unwrap_or(0);
    let last = text.len().wrapping_sub(1);
    let [length, ..] = text.len().to_le_bytes();
    u32::from_le_bytes([length, byte(0), byte(last / 2), byte(last)])
}

fn place(places: &[u32], at: usize) -> usize {
    places.get(at).and_then(|place| usize::try_from(*place).ok()).unwrap_or(0)
}

/// How many visitors may pass a test, as far as it shows: those that ask for one text of several come first.
fn width(leaf: LeafRow) -> u8 {
    const OF_OTHERS: u8 = 32;
    match leaf.test() {
        kind::TEST_MASK => u8::try_from(leaf.low().count_ones()).unwrap_or(OF_OTHERS),
        _ => OF_OTHERS,
    }
}

/// How the condition at a place begins.
fn head_of(code: Code, when: u16, widths: &[u8]) -> Head {
    let always = u16::try_from(code.each_leaf().len()).unwrap_or(u16::MAX);
    let mut head = Head { tests: [always; HEAD_TESTS], rest: when };
    let (mut narrowest, mut narrow) = (0, u8::MAX);
    for (at, test) in head.tests.iter_mut().enumerate() {
        let Some(row) = code.jump(head.rest).filter(|row| row.on_false() == REJECT) else { break };
        *test = row.leaf();
        head.rest = row.next(head.rest, true);
        let width = widths.get(usize::from(*test)).copied().unwrap_or(u8::MAX);
        if width < narrow {
            (narrowest, narrow) = (at, width);
        }
    }
    head.tests.swap(0, narrowest);
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
fn tests_of_rule(code: Code, when: u16, rule: u16, is_reached: &mut [u16], note: &mut impl FnMut(u16)) {
    let mark = rule.wrapping_add(1);
    let (mut at, mut last) = (when, when);
    while let Some(row) = code.jump(at).filter(|_| at <= last) {
        if at == when || is_reached.get(usize::from(at)) == Some(&mark) {
            note(row.leaf());
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
