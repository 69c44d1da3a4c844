//! What travels and what is stored: batch, answer, program, visitor's state, log row. Nothing else serializes.

pub mod program;
