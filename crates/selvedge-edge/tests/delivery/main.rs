//! From rows of the log to what leaves for destinations.

mod build;
mod machine;
mod routing;
