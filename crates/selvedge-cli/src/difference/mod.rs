//! The same recorded visitors under two programs: which decisions change, for how many visitors, and why on both sides.

pub mod compare;
pub mod report;

pub use compare::{Changes, compare};
