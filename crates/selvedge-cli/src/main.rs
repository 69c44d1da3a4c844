//! `selvedge`: the command line. All of it is in the library; this only starts it.

use mimalloc::MiMalloc;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    selvedge_cli::run()
}
