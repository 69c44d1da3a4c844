//! `cargo xtask`: what the command line says, handed to the chore that does it.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use xtask::repo::Repo;
use xtask::{build, setup};

/// Every chore of the repository.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Installs what is missing: the wasm target, the npm packages, Chromium.
    Setup,
    /// Builds the wasm modules and the pages, where they are out of date.
    Build,
}

fn main() -> ExitCode {
    match run(Arguments::parse().chore) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(chore: Chore) -> Result<()> {
    let repo = Repo::find()?;
    match chore {
        Chore::Setup => {
            setup::for_build(&repo)?;
            println!("browser: {}", setup::chromium()?.display());
            Ok(())
        }
        Chore::Build => build::everything(&repo),
    }
}
