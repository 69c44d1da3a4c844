//! How the command line ends: one number per kind of ending, the same for every command.

use std::error::Error;
use std::fmt;
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

/// The command line is wrong in a way that only its meaning shows: it names what is not there.
#[derive(Debug)]
pub struct Misused(pub String);

impl fmt::Display for Misused {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl Error for Misused {}

/// The failure of a command line that says `what`.
#[must_use]
pub fn misused(what: impl Into<String>) -> anyhow::Error {
    Misused(what.into()).into()
}

/// The exit code of a command's result; a failure is printed with its causes.
#[must_use]
pub fn code(result: &anyhow::Result<Ending>) -> ExitCode {
    match result {
        Ok(Ending::Done) => ExitCode::SUCCESS,
        Ok(Ending::Wrong) => ExitCode::from(1),
        Err(fault) => {
            eprintln!("error: {fault:#}");
            ExitCode::from(of_failure(fault))
        }
    }
}

/// The exit code of a failure.
pub(crate) fn of_failure(fault: &anyhow::Error) -> u8 {
    if fault.is::<Misused>() { 2 } else { 3 }
}
