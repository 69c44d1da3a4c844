//! `cargo xtask sim`: the simulator of `tests/sim`, over many seeds or one of them line by line.

use anyhow::Result;

use crate::repo::Repo;
use crate::run;

/// The profile that it is built in: it runs for longer than it compiles.
pub const PROFILE: &str = "sim";

/// Which seeds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Seeds {
    /// One, line by line.
    One(u64),
    /// So many, from this one on.
    Many {
        /// The first.
        from: u64,
        /// How many.
        count: u64,
    },
}

/// Runs the simulator.
///
/// # Errors
/// When it cannot be built, or a seed fails: it is printed with the command that runs it again.
pub fn run(repo: &Repo, seeds: Seeds) -> Result<()> {
    let mut cargo = run::cargo(&repo.root);
    cargo.args(["run", "--quiet", "--profile", PROFILE, "--package", "selvedge-sim", "--bin", "sim", "--"]);
    match seeds {
        Seeds::One(seed) => cargo.arg("--seed").arg(seed.to_string()),
        Seeds::Many { from, count } => {
            cargo.args(["--seeds", &count.to_string(), "--from", &from.to_string()])
        }
    };
    run::shown(&mut cargo)
}
