//! `cargo xtask`: what the command line says, handed to the chore that does it.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use xtask::repo::Repo;
use xtask::sim::{self, Seeds};
use xtask::{bench, build, dev, pages, setup, size, test, tidy};

/// Every chore of the repository.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Installs what is missing: the wasm target, the npm packages, Chromium, the brokers of the tests.
    Setup,
    /// Builds the wasm modules and the pages, where they are out of date.
    Build,
    /// Runs the worker, the demo shop and the console on this machine, and publishes every saved change of a site.
    Dev {
        /// The port on 127.0.0.1.
        #[arg(long, default_value_t = 8787)]
        port: u16,
        /// The folder that state is kept in.
        #[arg(long, default_value = ".selvedge/data")]
        data: PathBuf,
        /// The folder with the site's YAML files.
        #[arg(long, default_value = "examples/shop")]
        site: PathBuf,
    },
    /// Runs all tests, with their own set-up.
    Test {
        /// Only one part.
        #[arg(long)]
        only: Option<test::Part>,
        /// Larger counts: hours of crash rounds instead of minutes.
        #[arg(long)]
        full: bool,
    },
    /// Kills the worker again and again while brokers lose its answers, and counts what arrived: 0 lost, 0 twice.
    Soak {
        /// For so many seconds.
        #[arg(long, default_value_t = 600)]
        seconds: u64,
    },
    /// Runs the benchmarks and sets their figures beside their targets.
    Bench {
        /// Only one part.
        #[arg(long)]
        only: Option<bench::Part>,
        /// One JSON object instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Weighs what visitors load and the worker, against benches/budgets.toml.
    Size {
        /// One JSON object instead of a table.
        #[arg(long)]
        json: bool,
        /// Only what visitors load: the worker is not built.
        #[arg(long)]
        page: bool,
        /// Writes docs/bytes.md.
        #[arg(long)]
        docs: bool,
    },
    /// Runs the simulator: pages, networks and shards around the real heads, all from a seed.
    Sim {
        /// How many seeds.
        #[arg(long, default_value_t = 2_000)]
        seeds: u64,
        /// The first of them.
        #[arg(long, default_value_t = 0)]
        from: u64,
        /// Only this one, line by line.
        #[arg(long)]
        seed: Option<u64>,
    },
    /// Checks the house rules that no compiler checks.
    Tidy,
}

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
