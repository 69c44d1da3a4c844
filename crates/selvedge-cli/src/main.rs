//! `selvedge`: the command line. All of it is in the library; this only starts it.

use std::process::ExitCode;

fn main() -> ExitCode {
    selvedge_cli::run()
}
