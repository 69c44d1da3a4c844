//! What is decided of a slot.

use crate::wire::answer::Reason;

/// The outcome for one slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// The slot, by its place in the program.
    pub slot: u16,
    /// The rule that has it, by its place in the program.
    pub rule: Option<u16>,
    /// What it shows, by its place in the program; `None`: what the page itself holds.
    pub content: Option<u16>,
    /// [`Reason::Won`], [`Reason::Held`], [`Reason::Control`] (the rule has the slot, which shows its fallback) or
    /// [`Reason::Fallback`]; in the page also [`Reason::RunsAtEdge`]: a rule that only the edge knows has the slot, what
    /// the edge answered stays.
    pub reason: Reason,
    /// The variant that the rule shows, where it belongs to an experiment and the visitor takes part: by its place, for
    /// [`crate::wire::program::Image::variant_name`].
    pub variant: Option<u16>,
    /// The rule that would have the slot, were the visitor not held out from it.
    pub held_out: Option<u16>,
}
