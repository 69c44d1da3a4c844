//! Placeholder floor plan.
