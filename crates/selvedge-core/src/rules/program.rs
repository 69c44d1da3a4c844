//! A program, loaded: verified once, then run without further checks.

mod bounds;
mod verify;

use crate::consent::Purposes;
use crate::hash::fnv1a_64;
pub use crate::wire::program::ProgramFault;
use crate::wire::program::{Attribute, Cap, Group, Instruction, Jump, Parts, Rule, Status, Test, Window};
use alloc::vec::Vec;

/// A loaded program. Nothing in it is out of bounds.
#[derive(Debug, Clone)]
pub struct Program {
    parts: Parts,
    ops: Vec<Op>,
    candidates: Vec<RuleHead>,
    attributes: Vec<u64>,
    cells: Vec<u64>,
    layout: u64,
}

/// An instruction in the form that runs: jumps are places in the code, [`ACCEPT`] or [`REJECT`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Op {
    pub low: i64,
    pub high: i64,
    pub fact: u16,
    pub on_true: u16,
    pub on_false: u16,
    pub test: OpTest,
}

/// How an [`Op`] reads its two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OpTest {
    /// Between low and high, both included.
    Range,
    /// The bit at the value is set in low.
    Mask,
    /// The bit at the value is set in the wide mask at low.
    MaskWide,
}

impl Op {
    /// Whether this asks only whether there is a value at all.
    pub fn is_known_test(&self) -> bool {
        self.test == OpTest::Range && self.low == MISSING.saturating_add(1) && self.high == i64::MAX
    }
}

/// The condition is definitely true.
pub(super) const ACCEPT: u16 = u16::MAX;
/// It is not.
pub(super) const REJECT: u16 = u16::MAX - 1;
/// What stands for "no such thing" among the values of a fact: below everything that a test can ask for, except
/// [`Test::Missing`].
pub(super) const MISSING: i64 = i64::MIN;

/// What deciding reads of every rule, close together.
#[derive(Debug, Clone, Copy)]
pub(super) struct RuleHead {
    /// The first instruction, or [`ACCEPT`].
    pub when: u16,
    pub slot: u16,
    pub purpose: Purposes,
    pub is_live: bool,
    pub in_page: bool,
}

impl Program {
    /// The program of `bytes`, as [`Parts::encode`] made them; full or public alike. What only the edge knows is not
    /// read here, but by [`crate::wire::program::edge_config`].
    ///
    /// # Errors
    /// [`ProgramFault`] for anything malformed, above a limit, or pointing where nothing is.
    pub fn load(bytes: &[u8]) -> Result<Self, ProgramFault> {
        let mut parts = Parts::decode_shared(bytes)?;
        verify::verify(&parts)?;
        let ops = core::mem::take(&mut parts.code).iter().map(op).collect();
        let candidates = parts.rules.iter().map(head).collect();
        let attributes: Vec<u64> = parts.attributes.iter().map(attribute_hash).collect();
        let mut program = Self { parts, ops, candidates, attributes, cells: Vec::new(), layout: 0 };
        program.cells = program.cell_hashes()?;
        program.layout = layout(&program.cells);
        Ok(program)
    }

    /// What it is made of. [`Parts::edge`] and [`Parts::code`] are empty here.
    #[must_use]
    pub const fn parts(&self) -> &Parts {
        &self.parts
    }

    /// The name of its set of cells, never 0: states are aligned when it changes.
    #[must_use]
    pub const fn layout(&self) -> u64 {
        self.layout
    }

    /// Every capped rule and group, by hash, with its caps.
    pub fn capped(&self) -> impl Iterator<Item = (u64, &[Cap])> {
        let rules = self.parts.rules.iter().filter(|rule| !rule.caps.is_empty());
        let groups = self.parts.groups.iter().filter(|group| !group.caps.is_empty());
        let rules = rules.map(|rule| (rule_hash(rule), rule.caps.as_slice()));
        rules.chain(groups.map(|group| (group_hash(group), group.caps.as_slice())))
    }

    pub(super) fn ops(&self) -> &[Op] {
        &self.ops
    }

    pub(super) fn candidates(&self) -> &[RuleHead] {
        &self.candidates
    }

    /// The names of the attributes' cells, in the order of the attributes.
    pub(super) fn attribute_hashes(&self) -> &[u64] {
        &self.attributes
    }

    /// The names of all cells, sorted.
    pub(super) fn cells(&self) -> &[u64] {
        &self.cells
    }

    fn cell_hashes(&self) -> Result<Vec<u64>, ProgramFault> {
        let metrics = self.parts.metrics.iter().map(|metric| metric.meaning);
        let caps = self.capped().map(|(hash, _)| hash);
        let mut cells: Vec<u64> = metrics.chain(self.attributes.iter().copied()).chain(caps).collect();
        cells.sort_unstable();
        let is_strict = cells.is_sorted_by(|before, next| before < next);
        if is_strict { Ok(cells) } else { Err(ProgramFault::Unsorted) }
    }
}

/// Whether a cap reaches beyond the page view, so that showing needs a grant.
pub(super) fn needs_grant(caps: &[Cap]) -> bool {
    caps.iter().any(|cap| cap.window != Window::Page)
}

/// The name of a rule's cap: of its id alone, so that an edit does not reset it.
#[must_use]
pub fn rule_hash(rule: &Rule) -> u64 {
    fnv1a_64(rule.id.as_bytes())
}

/// The name of a group's cap.
#[must_use]
pub fn group_hash(group: &Group) -> u64 {
    let mut name = Vec::from(b"group/");
    name.extend_from_slice(group.name.as_bytes());
    fnv1a_64(&name)
}

/// The name of an attribute's cell: its name, scope and type.
fn attribute_hash(attribute: &Attribute) -> u64 {
    let mut name = Vec::from(b"attribute/");
    name.extend_from_slice(attribute.name.as_bytes());
    name.push(attribute.scope as u8);
    name.push(attribute.attribute_type as u8);
    fnv1a_64(&name)
}

fn layout(cells: &[u64]) -> u64 {
    let bytes: Vec<u8> = cells.iter().flat_map(|hash| hash.to_le_bytes()).collect();
    fnv1a_64(&bytes).max(1)
}

fn head(rule: &Rule) -> RuleHead {
    RuleHead {
        when: rule.when.unwrap_or(ACCEPT),
        slot: rule.slot,
        purpose: rule.purpose,
        is_live: rule.status == Status::Live,
        in_page: rule.in_page,
    }
}

fn op(instruction: &Instruction) -> Op {
    let (test, low, high) = match instruction.test {
        Test::Range(low, high) => (OpTest::Range, low.max(MISSING.saturating_add(1)), high),
        Test::Mask(bits) => (OpTest::Mask, bits.cast_signed(), 0),
        Test::MaskWide(at) => (OpTest::MaskWide, at.into(), 0),
        Test::Missing => (OpTest::Range, MISSING, MISSING),
    };
    Op {
        low,
        high,
        fact: instruction.fact,
        on_true: place(instruction.on_true),
        on_false: place(instruction.on_false),
        test,
    }
}

const fn place(jump: Jump) -> u16 {
    match jump {
        Jump::To(at) => at,
        Jump::Accept => ACCEPT,
        Jump::Reject => REJECT,
    }
}
