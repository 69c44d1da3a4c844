//! Recorded visitors under one program: whom each rule reaches, what stops it, what each slot shows.

pub mod tally;
pub mod report;

pub use report::Report;
pub use tally::{Tally, tally};
