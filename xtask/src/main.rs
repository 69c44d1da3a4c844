//! Placeholder floor plan.
fn main() {}
