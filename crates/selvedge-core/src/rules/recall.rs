//! What was found of a program's facts, and which conditions were true, remembered from one decision to the next. Only a
//! fact whose cell changed, or that may move without it, is found anew; conditions depend on facts alone, so only a rule
//! of whose tests one came out otherwise is asked again. It makes no difference to what is decided.

use super::decision::Decision;
use super::known::{Known, known_at, passes};
use super::moment::Moment;
use super::view::{Basis, View};
use crate::wire::program::{ACCEPT, Code, Head, Image};
use crate::wire::state::VisitorState;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// What was known of the facts of a program when its rules were last decided, and which conditions were true. It belongs
/// to one program, not to a visitor: for another program, begin with [`Recall::default`].
#[derive(Debug, Default)]
pub struct Recall {
    known: Vec<Known>,
    /// Of each test, 1 where it is definitely passed; and a 1 behind them.
    passed: Vec<u8>,
    /// A bit a rule.
    is_true: Vec<u64>,
    /// By which states know it again, and how often it has learned.
    reader: Option<Arc<()>>,
    turn: u64,
    basis: Basis,
    /// Where each fact's cell stands in the state ([`View::places`]); and of how many cells.
    places: Vec<u16>,
    cells: usize,
    /// Facts that moved.
    moved: Vec<u16>,
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
    /// Rules that are due, and whose place is another's.
    pub taken: Vec<u16>,
    /// Rules that are true and whose slot is open, a bit each.
    pub candidates: Vec<u64>,
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

    /// What was learned, and what deciding works with.
    pub(super) fn learned_and_desk(&mut self) -> (Learned<'_>, &mut Desk) {
        (Learned { known: &self.known, is_true: &self.is_true }, &mut self.desk)
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
        if is_first {
            self.scan(image);
        } else {
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

    /// Asks the tests of what moved, and the rules of those that came out otherwise. A rule of which another test is yet to
    /// be asked is asked again then.
    fn ask_touched(&mut self, image: &Image) {
        let code = image.code();
        for fact in &self.moved {
            let known = known_at(&self.known, *fact);
            for (at, leaf) in code.leaves_of(*fact) {
                let now = passes(image, leaf, known).into();
                let Some(passed) = self.passed.get_mut(usize::from(at)).filter(|passed| **passed != now)
                else {
                    continue;
                };
                *passed = now;
                for rule in image.index().askers_of(at) {
                    ask(
                        code,
                        image.index().heads.get(usize::from(*rule)),
                        *rule,
                        &self.passed,
                        &mut self.is_true,
                    );
                }
            }
        }
    }

    /// Asks every test and every condition.
    fn scan(&mut self, image: &Image) {
        let code = image.code();
        self.passed.clear();
        self.passed.reserve(code.each_leaf().len().wrapping_add(1));
        for leaf in code.each_leaf() {
            self.passed.push(passes(image, leaf, known_at(&self.known, leaf.fact())).into());
        }
        self.passed.push(1);
        self.is_true.clear();
        self.is_true.resize(image.index().words(), 0);
        for at in (0..).zip(&self.passed).filter(|(_, passed)| **passed == 1).map(|(at, _)| at) {
            for rule in image.index().rules_behind(at) {
                ask(
                    code,
                    image.index().heads.get(usize::from(*rule)),
                    *rule,
                    &self.passed,
                    &mut self.is_true,
                );
            }
        }
    }
}

/// What is known now of every fact, and which conditions are definitely true.
#[derive(Clone, Copy)]
pub(super) struct Learned<'a> {
    pub known: &'a [Known],
    /// A bit a rule.
    pub is_true: &'a [u64],
}

impl<'a> Learned<'a> {
    /// The rules whose condition is definitely true, in the order of deciding.
    pub fn true_rules(self) -> impl Iterator<Item = u16> + use<'a> {
        (0..).zip(self.is_true).flat_map(|(word, bits)| {
            let mut left = *bits;
            core::iter::from_fn(move || next_bit(&mut left, word))
        })
    }
}

/// Takes the next bit of a word; which it is among all bits of the words.
#[inline]
pub(super) fn next_bit(left: &mut u64, word: usize) -> Option<u16> {
    let bit = usize::try_from(left.trailing_zeros()).ok().filter(|bit| *bit < 64)?;
    *left &= left.wrapping_sub(1);
    u16::try_from(word.wrapping_mul(64).wrapping_add(bit)).ok()
}

/// Asks one condition again.
fn ask(code: Code, head: Option<&Head>, rule: u16, passed: &[u8], is_true: &mut [u64]) {
    let holds = head.is_some_and(|head| holds(code, head, passed));
    let bit = 1 << (rule % 64);
    if let Some(word) = is_true.get_mut(usize::from(rule / 64)) {
        *word = if holds { *word | bit } else { *word & !bit };
    }
}

/// Whether a condition is definitely true: its head without a branch, what is left of it by its jumps.
#[inline]
fn holds(code: Code, head: &Head, passed: &[u8]) -> bool {
    // Spelled out: compiled for few bytes, a loop over them goes through memory and takes three times as long.
    let [a, b, c, d] = head.tests;
    let all = is_passed(passed, a) & is_passed(passed, b) & is_passed(passed, c) & is_passed(passed, d);
    all == 1 && (head.rest == ACCEPT || holds_from(code, head.rest, passed))
}

#[inline(never)]
fn holds_from(code: Code, mut at: u16, passed: &[u8]) -> bool {
    // Jumps lead forward, and ACCEPT and REJECT lie beyond the code, so this ends.
    while let Some(row) = code.jump(at) {
        at = row.next(at, is_passed(passed, row.leaf()) == 1);
    }
    at == ACCEPT
}

#[inline(always)]
fn is_passed(passed: &[u8], test: u16) -> u8 {
    passed.get(usize::from(test)).copied().unwrap_or(0)
}

/// Where the cell of each fact stands: one pass over the cells of the program and of the state, which are both sorted.
fn place(image: &Image, state: &VisitorState, places: &mut Vec<u16>) {
    places.clear();
    places.resize(image.facts().into(), View::UNKNOWN);
    let mut cells = (0..View::UNKNOWN).zip(&state.cells);
    let mut next = cells.next();
    for (hash, fact) in &image.index().cells {
        while next.is_some_and(|(_, cell)| cell.hash < *hash) {
            next = cells.next();
        }
        let found = next.filter(|(_, cell)| cell.hash == *hash);
        if let Some(place) = places.get_mut(usize::from(*fact)) {
            *place = found.map_or(View::ABSENT, |(at, _)| at);
        }
    }
}

/// Finds a fact anew, and notes whether it moved.
fn note(view: &View, fact: u16, known: &mut [Known], moved: &mut Vec<u16>) {
    let now = view.known(fact, known);
    if let Some(known) = known.get_mut(usize::from(fact)).filter(|known| **known != now) {
        *known = now;
        moved.push(fact);
    }
}
