//! Every test of a condition and what it came to: for people who ask why. The page does not link this.

use super::explain::may_pass;
use super::known::{Known, known_at, passes};
use crate::wire::program::{Image, op_of};
use alloc::vec;
use alloc::vec::Vec;

/// One test of a condition, and what it came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeafTruth {
    /// The test, by its place in the program's code (and in [`crate::wire::program::EdgeConfig::leaves`]).
    pub leaf: u16,
    /// The fact tested, by its place in the program.
    pub fact: u16,
    /// What is known of the fact.
    pub known: Known,
    /// Whether the test holds; `None` where that is not known.
    pub truth: Option<bool>,
}

/// The tests of the condition that begins at `start`, in the order of the code: also those that were not reached, since one
/// before them had decided. `known` is what [`super::known_facts`] gives.
#[must_use]
pub fn leaves(image: &Image, known: &[Known], start: u16) -> Vec<LeafTruth> {
    let mut leaves = Vec::new();
    let mut reached = vec![start];
    // Jumps lead forward, so that the least place not visited yet is never jumped to again from behind it.
    while let Some(at) = reached.iter().copied().min() {
        reached.retain(|other| *other != at);
        let Some(op) = op_of(image.code(), at) else { continue };
        reached.extend([op.jumps.on_true(), op.jumps.on_false()]);
        let known = known_at(known, op.fact());
        let truth = match (passes(image, op.leaf, known), may_pass(image, op.leaf, known)) {
            (true, _) => Some(true),
            (false, false) => Some(false),
            (false, true) => None,
        };
        leaves.push(LeafTruth { leaf: at, fact: op.fact(), known, truth });
    }
    leaves
}
