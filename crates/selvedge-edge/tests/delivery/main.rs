//! From rows of the log to what leaves for destinations.

mod build;
mod encoding;
mod machine;
mod routing;
