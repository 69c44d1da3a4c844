//! Sequences and absences: what happened in which order, and what did not happen for how long.

use crate::consent::Purposes;
use alloc::string::String;
use alloc::vec::Vec;

/// A sequence of events, or the absence of one. As a fact it is yes or no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequence {
    /// Its name, as conditions write it (or the sequence as written).
    pub name: String,
    /// [`crate::hash::fnv1a_64`] of its meaning in canonical form: the name of its cell in stored state.
    pub meaning: u64,
    /// What it asks.
    pub asks: SequenceKind,
    /// The events in their order, at most [`crate::limits::SEQUENCE_STEPS_MAX`]. Of an absence the one that must stay away.
    pub steps: Vec<SequenceStep>,
    /// What ends a run: the event that must not come last ([`SequenceKind::ThenNo`]).
    pub then_no: Option<SequenceStep>,
    /// What ends a run at any place of it (`without`).
    pub without: Option<SequenceStep>,
    /// How long after the first event a run may last; of an absence how long it must last. Milliseconds.
    pub window_ms: u64,
    /// What stepping it needs granted.
    pub purpose: Purposes,
    /// Whether it stays at the edge.
    pub private: bool,
}

/// What a sequence asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SequenceKind {
    /// Whether the steps came one after the other, the last within the window after the first.
    Then,
    /// Whether they came and the window passed without the one that must not come.
    ThenNo,
    /// Whether the window passed without the event.
    Absence,
}

/// An event of a sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SequenceStep {
    /// Its name.
    pub event: String,
    /// The first instruction of what it must pass, in [`super::Parts::code`]; `None` takes all.
    pub filter: Option<u16>,
}
