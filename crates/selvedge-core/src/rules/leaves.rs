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

/// What a test as written came to: `x is not true` is asked as `x`, and such a question is never unknown.
#[must_use]
pub fn as_written(text: &str, truth: Option<bool>) -> Option<bool> {
    let passes = truth == Some(true);
    if asks_for_the_opposite(text) {
        return Some(!passes);
    }
    if text.ends_with(" is true") || text.ends_with(" is false") { Some(passes) } else { truth }
}

/// Whether a test as written holds where it does not pass as it is asked.
#[must_use]
pub fn asks_for_the_opposite(text: &str) -> bool {
    text.ends_with(" is not true") || text.ends_with(" is not false")
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
