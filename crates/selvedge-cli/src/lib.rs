//! The command line of Selvedge, as a library, so that the chores and the tests can use its parts.
#![forbid(unsafe_code)]

pub mod exit;
pub mod remote;
pub mod moment;
pub mod replay;
pub mod site_files;
pub mod recorded;
pub mod rehearsal;
pub mod simulation;
pub mod difference;
pub mod inspection;
pub mod schema;
pub mod records;
pub mod export;
pub mod arguments;
pub mod reference;
pub mod command;
#[cfg(test)]
mod testing;

pub use command::run;
