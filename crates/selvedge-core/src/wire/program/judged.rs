//! What counts as success, and what experiments are judged by. Only the edge knows.

use crate::tracking_plan::Trust;
use alloc::string::String;
use alloc::vec::Vec;

/// Something that visitors are wanted to reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goal {
    /// Its name.
    pub name: String,
    /// The event that reaches it.
    pub event: String,
    /// The event's property that says what it is worth.
    pub value: Option<String>,
    /// Who must have sent the event.
    pub trust: Trust,
    /// How long after an exposure it counts; `None`: however long.
    pub within_ms: Option<u64>,
}

/// What an experiment is judged by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Study {
    /// The experiment's name.
    pub experiment: String,
    /// The goal it is about, by its place in [`super::EdgeConfig::goals`].
    pub primary: Option<u16>,
    /// Goals that must not suffer.
    pub guardrails: Vec<u16>,
}
