//! `cargo xtask`: what the command line says, handed to the chore that does it.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use xtask::arguments::{Arguments, Chore};
use xtask::repo::Repo;
use xtask::sim::{self, Seeds};
use xtask::{bench, build, dev, pages, setup, size, test, tidy};

fn main() -> ExitCode {
    match run(Arguments::parse().chore) {
        Ok(code) => code,
        Err(problem) => {
            eprintln!("error: {problem:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(chore: Chore) -> Result<ExitCode> {
    let repo = Repo::find()?;
    let held = match chore {
        Chore::Setup => {
            setup::for_build(&repo)?;
            println!("brokers of the tests: {}", setup::python(&repo)?.display());
            println!("bundlers of the tests: {}", setup::consumers(&repo)?.display());
            println!("browser: {}", setup::chromium()?.display());
            true
        }
        Chore::Build => {
            build::deployable(&repo)?;
            print!("{}", pages::integrity(&repo)?);
            true
        }
        Chore::Dev { port, data, site } => {
            let options = dev::Options { port, data: here(&repo, data), site: here(&repo, site) };
            dev::run(&repo, &options).map(|()| true)?
        }
        Chore::Test { only, full } => test::run(&repo, only, full)?,
        Chore::Soak { seconds } => test::soak(&repo, seconds).map(|()| true)?,
        Chore::Bench { only, json } => bench::run(&repo, only, json)?,
        Chore::Size { json, page, docs } => size::run(&repo, json, page, docs)?,
        Chore::Sim { seeds, from, seed } => {
            let seeds = seed.map_or(Seeds::Many { from, count: seeds }, Seeds::One);
            sim::run(&repo, seeds).map(|()| true)?
        }
        Chore::Tidy => tidy::run(&repo)?,
    };
    Ok(if held { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A path of the command line: as given where it is absolute or is there from the current folder, else under the root.
fn here(repo: &Repo, path: PathBuf) -> PathBuf {
    if path.exists() { std::path::absolute(&path).unwrap_or(path) } else { repo.path(path) }
}
