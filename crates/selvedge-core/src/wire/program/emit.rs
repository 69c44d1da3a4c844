//! What a rule tells a destination.

use alloc::string::String;
use alloc::vec::Vec;

/// A message that a rule sends: a visitor enters an audience there, or an event happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emit {
    /// The destination's name.
    pub to: String,
    /// What the visitor enters: the name of an audience or event.
    pub enter: String,
    /// The condition that takes the visitor out again: its first instruction in [`super::Parts::code`].
    pub exit_when: Option<u16>,
    /// What goes with it: names, and facts by their place; at most [`crate::limits::EMIT_FIELDS_MAX`].
    pub fields: Vec<(String, u16)>,
    /// How often it is sent at most.
    pub once_per: Option<OncePer>,
}

/// A stretch in which something is sent once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OncePer {
    /// A session.
    Session,
    /// So many milliseconds.
    Time(u64),
    /// The visitor's life.
    Visitor,
}
