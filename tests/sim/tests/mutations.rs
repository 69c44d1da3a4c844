//! Defects that are planted on purpose: each is found within the seeds of a run. The seed that found it is kept, with what it
//! breaks; `SELVEDGE_FULL` searches anew, `SELVEDGE_MUTATION=<name>` looks at one.

use selvedge_core::mutation::{Mutation, plant};
use selvedge_sim::run::run;
use selvedge_sim::sites;

/// Seeds within which each is found.
const SEEDS: u64 = 2_000;
/// What a world says of itself that did not live to its end.
const PANICS: &str = "nothing panics";
/// The name of each defect, the seed that finds it, and what it breaks there.
const FINDING: &str = include_str!("finding.txt");

/// The first seed from `seeds` on that finds what is planted, and what it broke.
fn find(seeds: impl Iterator<Item = u64>) -> Option<(u64, &'static str)> {
    let files = sites::all().expect("the sites compile");
    let mut seeds = seeds;
    seeds.find_map(|seed| Some((seed, run(&files, seed, false).violation?.invariant)))
}

fn known(mutation: Mutation) -> Option<(u64, &'static str)> {
    let mut lines = FINDING.lines().filter_map(|line| line.split_once(' '));
    let (_, rest) = lines.find(|(name, _)| *name == mutation.as_str())?;
    let (seed, invariant) = rest.split_once(' ')?;
    Some((seed.parse().ok()?, invariant))
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
        let known = known(*mutation).filter(|_| !is_full);
        let found = match known {
            Some((seed, _)) => find(seed..seed + 1),
            None => find(0..SEEDS),
        };
        if let Some((seed, invariant)) = found {
            println!("{} {seed} {invariant}", mutation.as_str());
        }
        // What crashes a world is found by chance, not by what has to hold.
        if found.is_none_or(|found| found.1 == PANICS || known.is_some_and(|known| known != found)) {
            missed.push((mutation.as_str(), known, found));
        }
    }
    plant(None);
    assert!(missed.is_empty(), "not found, or otherwise than it is written: {missed:#?}");
}
