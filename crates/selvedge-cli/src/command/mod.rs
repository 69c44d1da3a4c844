//! The commands, one file each. A command prints what it has to say and gives how it ended.

pub mod github;
mod query;
mod table;
pub mod check;
pub mod build;
pub mod log;
pub mod new;
pub mod publish;
pub mod order;
pub mod quarantine;
pub mod destinations;
pub mod erase;
pub mod lookups;
pub mod preview;
pub mod replay;
pub mod test;
pub mod simulate;
pub mod diff;
pub mod explain;
pub mod inspect;
pub mod schema;

use crate::arguments::{Arguments, Command};
use crate::exit::{self, Ending};
use anyhow::Result;
use clap::Parser;
use std::process::ExitCode;

/// Runs the command that the process was started with.
#[must_use]
pub fn run() -> ExitCode {
    exit::code(&dispatch(Arguments::parse().command))
}

fn dispatch(command: Command) -> Result<Ending> {
    match command {
        Command::New(arguments) => new::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Test(arguments) => test::run(&arguments),
        Command::Simulate(arguments) => simulate::run(&arguments),
        Command::Diff(arguments) => diff::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Schema(arguments) => schema::run(&arguments),
        Command::Build(arguments) => build::run(&arguments),
        Command::Publish(arguments) => publish::run(&arguments),
        Command::Pause(arguments) => order::pause(&arguments),
        Command::Rollback(arguments) => order::rollback(&arguments),
        Command::Preview(arguments) => preview::run(&arguments),
        Command::Lookups(arguments) => lookups::run(&arguments),
        Command::Log(arguments) => log::run(&arguments),
        Command::Destinations(arguments) => destinations::run(&arguments),
        Command::Erase(arguments) => erase::run(&arguments),
        Command::Quarantine(arguments) => quarantine::run(&arguments.order),
        Command::Replay(arguments) => replay::run(&arguments),
    }
}
