//! Defects that are planted on purpose: each is found within the seeds of a run. The seed that found it is kept; `SELVEDGE_FULL`
//! searches anew, `SELVEDGE_MUTATION=<name>` looks at one.

use selvedge_core::mutation::{Mutation, plant};
use selvedge_sim::run::run;
use selvedge_sim::sites;

/// Seeds within which each is found.
const SEEDS: u64 = 2_000;
/// The name of each defect, and the seed that finds it.
const FINDING: &str = include_str!("finding.txt");

/// The first seed from `seeds` on that finds what is planted, and what it broke.
fn find(seeds: impl Iterator<Item = u64>) -> Option<(u64, &'static str)> {
    let files = sites::all().expect("the sites compile");
    let mut seeds = seeds;
    seeds.find_map(|seed| Some((seed, run(&files, seed, false).violation?.invariant)))
}

fn seed_of(mutation: Mutation) -> Option<u64> {
    let mut lines = FINDING.lines().filter_map(|line| line.split_once(' '));
    let (_, rest) = lines.find(|(name, _)| *name == mutation.as_str())?;
    rest.split_whitespace().next()?.parse().ok()
}

#[test]
fn every_planted_defect_is_found() {
    std::panic::set_hook(Box::new(|_| {}));
    let is_full = std::env::var_os("SELVEDGE_FULL").is_some();
    let mut missed = Vec::new();
    let only = std::env::var("SELVEDGE_MUTATION").ok();
    for mutation in Mutation::ALL {
        if only.as_ref().is_some_and(|only| only != mutation.as_str()) {
            continue;
        }
        plant(Some(*mutation));
        let known = seed_of(*mutation).filter(|_| !is_full);
        let found = match known {
            Some(seed) => find(seed..seed + 1),
            None => find(0..SEEDS),
        };
        match found {
            Some((seed, invariant)) => println!("{} {seed} {invariant}", mutation.as_str()),
            None => missed.push(mutation.as_str()),
        }
    }
    plant(None);
    assert!(missed.is_empty(), "not found: {missed:?}");
}
