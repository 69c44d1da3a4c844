//! Delivery: from rows of the log to what leaves for destinations.
//!
//! A module imports only modules that stand above it here.

pub mod fields;

pub mod transform;

pub mod record;
