//! Jump code: one test and two forward jumps an instruction. `and` and `or` become where the jumps lead; the opposite
//! of a part is the part with its jumps swapped.

use super::facts::Dictionary;
use crate::condition::Source;
use crate::resolved::{Leaf, LeafTest, Truth};
use selvedge_core::wire::program::{Instruction, Jump, Test};
use std::collections::{BTreeMap, BTreeSet};

/// Bits that [`Test::Mask`] holds.
const MASK_BITS: usize = 64;

/// The code of a program, with the source of each instruction.
#[derive(Debug, Default)]
pub(super) struct Code {
    pub instructions: Vec<Instruction>,
    pub sources: Vec<Source>,
    /// Pages are not told where a test is written.
    names_sources: bool,
    /// The places of tests behind `is true` and the like.
    pub settled: Vec<u16>,
    pub masks: Vec<Vec<u64>>,
    mask_places: BTreeMap<Vec<u64>, usize>,
}

/// How many instructions `truth` takes.
pub(crate) fn size(truth: &Truth) -> usize {
    match truth {
        Truth::All(parts) | Truth::Any(parts) => parts.iter().map(size).sum(),
        Truth::Opposite(inner) => size(inner),
        Truth::Leaf(leaf) => match &leaf.test {
            LeafTest::Ranges(ranges) => ranges.len(),
            _ => 1,
        },
    }
}

impl Code {
    /// No code yet; `names_sources`: each instruction is to be told with its source.
    pub fn new(names_sources: bool) -> Self {
        Self { names_sources, ..Self::default() }
    }

    /// Appends the code of `truth`; gives back where it begins. `fact` places a leaf's fact and gives its dictionary.
    pub fn append(&mut self, truth: &Truth, fact: &mut impl FnMut(&Leaf) -> (usize, Dictionary)) -> u16 {
        let start = self.instructions.len();
        self.emit(truth, start, Jump::Accept, Jump::Reject, fact);
        self.settle(truth, start, false);
        index(start)
    }

    /// Notes the tests behind `is true` and the like: what is asked there is yes or no.
    fn settle(&mut self, truth: &Truth, at: usize, is_settled: bool) {
        match truth {
            Truth::Opposite(inner) => self.settle(inner, at, true),
            Truth::Leaf(_) if is_settled => self.settled.extend((at..at + size(truth)).map(index)),
            Truth::Leaf(_) => {}
            Truth::All(parts) | Truth::Any(parts) => {
                let mut next = at;
                for part in parts {
                    self.settle(part, next, is_settled);
                    next += size(part);
                }
            }
        }
    }

    fn emit(
        &mut self,
        truth: &Truth,
        at: usize,
        on_true: Jump,
        on_false: Jump,
        fact: &mut impl FnMut(&Leaf) -> (usize, Dictionary),
    ) {
        match truth {
            Truth::Opposite(inner) => self.emit(inner, at, on_false, on_true, fact),
            Truth::Leaf(leaf) => self.leaf(leaf, at, on_true, on_false, fact),
            Truth::All(parts) | Truth::Any(parts) => {
                let all = matches!(truth, Truth::All(_));
                let mut next = at;
                for (number, part) in parts.iter().enumerate() {
                    let start = next;
                    next += size(part);
                    let go_on = Jump::To(index(next));
                    match (number + 1 == parts.len(), all) {
                        (true, _) => self.emit(part, start, on_true, on_false, fact),
                        (false, true) => self.emit(part, start, go_on, on_false, fact),
                        (false, false) => self.emit(part, start, on_true, go_on, fact),
                    }
                }
            }
        }
    }

    fn leaf(
        &mut self,
        leaf: &Leaf,
        at: usize,
        on_true: Jump,
        on_false: Jump,
        fact: &mut impl FnMut(&Leaf) -> (usize, Dictionary),
    ) {
        let (place, dictionary) = fact(leaf);
        let tests = self.tests(&leaf.test, &dictionary);
        let last = tests.len().saturating_sub(1);
        for (number, test) in tests.into_iter().enumerate() {
            let on_false = if number == last { on_false } else { Jump::To(index(at + number + 1)) };
            self.instructions.push(Instruction { fact: index(place), test, on_true, on_false });
            if self.names_sources {
                self.sources.push(leaf.source.clone());
            }
        }
    }

    /// The tests of which one must pass.
    fn tests(&mut self, test: &LeafTest, dictionary: &[String]) -> Vec<Test> {
        match test {
            LeafTest::OneOf(texts, among) => vec![self.mask(dictionary, texts, *among)],
            LeafTest::Text(_, _, passes) => vec![Test::Range(i64::from(*passes), i64::from(*passes))],
            LeafTest::Ranges(ranges) => ranges.iter().map(|(low, high)| Test::Range(*low, *high)).collect(),
            LeafTest::Known => vec![Test::Range(i64::MIN, i64::MAX)],
            LeafTest::Missing => vec![Test::Missing],
        }
    }

    /// Bit 0 is never set, bit 1 is any other text, bit 2 and up the dictionary's.
    fn mask(&mut self, dictionary: &[String], texts: &BTreeSet<String>, among: bool) -> Test {
        let bits = dictionary.len() + 2;
        let mut words = vec![0u64; bits.div_ceil(MASK_BITS)];
        if !among {
            (1..bits).for_each(|bit| words[bit / MASK_BITS] |= 1 << (bit % MASK_BITS));
        }
        for at in texts.iter().filter_map(|text| dictionary.binary_search(text).ok()) {
            words[(at + 2) / MASK_BITS] ^= 1 << ((at + 2) % MASK_BITS);
        }
        if let [only] = words.as_slice() {
            return Test::Mask(*only);
        }
        let next = self.masks.len();
        let at = *self.mask_places.entry(words).or_insert_with_key(|words| {
            self.masks.push(words.clone());
            next
        });
        Test::MaskWide(index(at))
    }
}

/// An index of the program. What is above the bound is refused before, by the limits of [`selvedge_core::limits`].
pub(super) fn index(at: usize) -> u16 {
    u16::try_from(at).unwrap_or(u16::MAX)
}
