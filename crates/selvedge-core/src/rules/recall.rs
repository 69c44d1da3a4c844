//! What was found of a program's facts, and which conditions were true, remembered from one decision to the next. Only a
//! fact whose cell changed, or that may move without it, is found anew; conditions depend on facts alone, so only a rule
//! that tests a fact which moved over an edge of the test is asked again. It makes no difference to what is decided.

use super::decision::Decision;
use super::known::{Known, is_true};
use super::moment::Moment;
use super::view::{Basis, View};
use crate::wire::program::{FactTest, Image, SCANNED_MAX};
use crate::wire::state::VisitorState;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// What was known of the facts of a program when its rules were last decided, and which conditions were true. It belongs
/// to one program, not to a visitor: for another program, begin with [`Recall::default`].
#[derive(Debug, Default)]
pub struct Recall {
    known: Vec<Known>,
    /// A bit a rule.
    is_true: Vec<u64>,
    /// By which states know it again, and how often it has learned.
    reader: Option<Arc<()>>,
    turn: u64,
    basis: Basis,
    /// Where each fact's cell stands in the state, where it has one; and of how many cells.
    places: Vec<Option<u16>>,
    cells: usize,
    /// Facts that moved, and what was known of them before.
    moved: Vec<(u16, Known)>,
    pub(super) desk: Desk,
}

/// What deciding works with, kept so that it need not be made anew.
#[derive(Debug, Default)]
pub(super) struct Desk {
    pub decisions: Vec<Decision>,
    /// Per exclusion group, how many of its rules stand.
    pub standing: Vec<u16>,
    /// Rules that are not considered now.
    pub waiting: Vec<u16>,
    /// Where the rules stand that were held.
    held: Vec<(u64, Option<u16>)>,
}

/// As many held rules are remembered.
const HELD_MAX: usize = 64;

impl Desk {
    /// Where the rule of this name stands.
    pub fn rule_of(&mut self, image: &Image, name: u64) -> Option<u16> {
        if let Some((_, at)) = self.held.iter().find(|(known, _)| *known == name) {
            return *at;
        }
        let at = image.rule_named(name);
        if self.held.len() >= HELD_MAX {
            self.held.clear();
        }
        self.held.push((name, at));
        at
    }
}

impl Recall {
    /// What was known of every fact at the last decision.
    #[must_use]
    pub fn known(&self) -> &[Known] {
        &self.known
    }

    /// What is known of every fact, and what deciding works with.
    pub(super) fn known_and_desk(&mut self) -> (&[Known], &mut Desk) {
        (&self.known, &mut self.desk)
    }

    /// What was decided last.
    #[must_use]
    pub fn decisions(&self) -> &[Decision] {
        &self.desk.decisions
    }

    /// Forgets what was known and what was true, so that the next decision asks everything anew.
    pub fn forget(&mut self) {
        self.known.clear();
        self.turn = self.turn.wrapping_add(1);
    }

    /// Takes what is known now, and asks the conditions that it touches.
    pub(super) fn learn(&mut self, image: &Image, state: &mut VisitorState, moment: &Moment) {
        let is_first = self.known.len() != usize::from(image.facts()) || self.known.is_empty();
        self.find(image, state, moment, is_first);
        self.turn = self.turn.wrapping_add(1);
        // What decides once only needs not be known again.
        if !is_first {
            state.marks.begin(self.reader.get_or_insert_default(), self.turn);
        }
        if is_first || image.rules() < SCANNED_MAX && !self.moved.is_empty() {
            self.scan(image);
        } else if image.rules() >= SCANNED_MAX {
            self.ask_touched(image);
        }
    }

    /// Finds the facts that may have moved, and notes those that did.
    fn find(&mut self, image: &Image, state: &VisitorState, moment: &Moment, is_first: bool) {
        let mut view = View::new(image, state, moment);
        let reader = self.reader.as_ref().filter(|_| !is_first);
        let changed = reader.and_then(|reader| state.marks.since(reader, self.turn));
        let changed = changed.filter(|_| self.basis == view.basis());
        self.basis = view.basis();
        self.moved.clear();
        if changed.is_none() || self.cells != state.cells.len() {
            place(image, state, &mut self.places);
            self.cells = state.cells.len();
        }
        view.places = &self.places;
        if is_first {
            self.known.clear();
            self.known.reserve(image.facts().into());
            for fact in 0..image.facts() {
                self.known.push(view.known(fact, &self.known));
            }
            return;
        }
        let Some(changed) = changed else {
            for fact in 0..image.facts() {
                note(&view, fact, &mut self.known, &mut self.moved);
            }
            return;
        };
        for fact in changed.iter().flat_map(|cell| image.index().facts_of(*cell)) {
            note(&view, fact, &mut self.known, &mut self.moved);
        }
        for fact in &image.index().moving {
            note(&view, *fact, &mut self.known, &mut self.moved);
        }
    }

    /// Asks the rules that test what moved.
    fn ask_touched(&mut self, image: &Image) {
        for at in 0..self.moved.len() {
            let Some((fact, then)) = self.moved.get(at).copied() else { return };
            let Some(now) = self.known.get(usize::from(fact)).copied() else { return };
            for test in image.index().tests_of(fact) {
                if is_moved(*test, then, now) {
                    self.ask(image, test.rule);
                }
            }
        }
    }

    /// The rules whose condition is definitely true, in the order of deciding.
    pub(super) fn true_rules(&self) -> impl Iterator<Item = u16> {
        self.is_true.iter().zip(0u16..).flat_map(|(word, at)| {
            let mut left = *word;
            core::iter::from_fn(move || {
                let bit = u16::try_from(left.trailing_zeros()).ok().filter(|bit| *bit < 64)?;
                left &= left.wrapping_sub(1);
                Some(at.wrapping_mul(64).wrapping_add(bit))
            })
        })
    }

    /// Asks every condition.
    fn scan(&mut self, image: &Image) {
        let code = image.code();
        self.is_true.clear();
        let (mut word, mut bit) = (0, 1u64);
        for rule in image.each_rule() {
            if is_true(image, code, &self.known, rule.when()) {
                word |= bit;
            }
            bit = bit.rotate_left(1);
            if bit == 1 {
                self.is_true.push(core::mem::take(&mut word));
            }
        }
        self.is_true.push(word);
    }

    /// Asks one condition again.
    fn ask(&mut self, image: &Image, rule: u16) {
        let holds = is_true(image, image.code(), &self.known, image.rule(rule).when());
        let bit = 1 << (rule % 64);
        if let Some(word) = self.is_true.get_mut(usize::from(rule / 64)) {
            *word = if holds { *word | bit } else { *word & !bit };
        }
    }
}

/// Where the cell of each fact stands: one pass over the cells of the program and of the state, which are both sorted.
fn place(image: &Image, state: &VisitorState, places: &mut Vec<Option<u16>>) {
    places.clear();
    places.resize(image.facts().into(), None);
    let mut cells = (0u16..).zip(&state.cells).peekable();
    for (hash, fact) in &image.index().cells {
        while cells.next_if(|(_, cell)| cell.hash < *hash).is_some() {}
        let found = cells.peek().filter(|(_, cell)| cell.hash == *hash);
        if let Some(place) = places.get_mut(usize::from(*fact)) {
            *place = Some(found.map_or(View::ABSENT, |(at, _)| *at));
        }
    }
}

/// Finds a fact anew, and notes whether it moved.
fn note(view: &View, fact: u16, known: &mut [Known], moved: &mut Vec<(u16, Known)>) {
    let now = view.known(fact, known);
    if let Some(known) = known.get_mut(usize::from(fact)).filter(|known| **known != now) {
        moved.push((fact, core::mem::replace(known, now)));
    }
}

/// Whether either end of what is known moved over an edge. A test that is no range counts every move; that a value is
/// missing is an edge of its own.
#[inline]
fn is_moved(test: FactTest, then: Known, now: Known) -> bool {
    let (low, high) = test.edges;
    let side = |value: i64| (value == i64::MIN, value >= low, value >= high);
    low == high || side(then.low) != side(now.low) || side(then.high) != side(now.high)
}
