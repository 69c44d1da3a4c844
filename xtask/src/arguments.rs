//! The command line of `cargo xtask`, as data.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::{bench, test};

/// Every chore of the repository.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
pub struct Arguments {
    /// What is to be done.
    #[command(subcommand)]
    pub chore: Chore,
}

/// A chore, with what it is told.
#[derive(Debug, Subcommand)]
pub enum Chore {
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
