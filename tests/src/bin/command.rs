//! The command line, built beside the tests that run it against a real worker.

use std::process::ExitCode;

fn main() -> ExitCode {
    selvedge_cli::run()
}
