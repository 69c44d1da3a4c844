//! From rows of the log to what leaves for destinations.

mod build;
mod encoding;
mod erasure;
mod holding;
mod machine;
mod routing;
mod standing;
mod under_way;
