//! How the command line ends: one number per kind of ending, the same for every command.

use std::process::ExitCode;

/// What `--help` says of the exit codes.
pub const HELP: &str = "\
Exit codes:
  0  done
  1  what was given is wrong: the site has errors, rows were refused or could not be read
  2  the command line is wrong
  3  the work could not be done: a file cannot be read or written, the worker gives no answer or refuses";

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// All was done.
    Done,
    /// What was given is wrong; the command has said what.
    Wrong,
}

/// The exit code of a command's result; a failure is printed with its causes.
#[must_use]
pub fn code(result: &anyhow::Result<Ending>) -> ExitCode {
    match result {
        Ok(Ending::Done) => ExitCode::SUCCESS,
        Ok(Ending::Wrong) => ExitCode::from(1),
        Err(fault) => {
            eprintln!("error: {fault:#}");
            ExitCode::from(3)
        }
    }
}
