//! Seeds that every run lives through, and those that once found something.

use selvedge_sim::run::run;
use selvedge_sim::sites;

/// Seeds of a run; `SELVEDGE_FULL` takes ten times as many.
const SEEDS: u64 = 2_000;
/// Seeds that found a defect, which is mended since; one a line, with what it was.
const FOUND: &str = include_str!("found.txt");

/// Runs seeds on all cores; gives back what the first that failed broke.
fn all_hold(seeds: &[u64]) {
    let failed: Vec<String> = std::thread::scope(|scope| {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let workers: Vec<_> = (0..cores)
            .map(|at| {
                scope.spawn(move || {
                    let files = sites::all().expect("the sites compile");
                    let mine = seeds.iter().skip(at).step_by(cores);
                    let reports = mine.map(|seed| run(&files, *seed, false));
                    let broken = reports.filter_map(|report| {
                        let broken = report.violation?;
                        let again = format!("cargo xtask sim --seed {}", report.seed);
                        Some(format!("{again}: {}: {}", broken.invariant, broken.detail))
                    });
                    broken.collect::<Vec<_>>()
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("no worker panics")).collect()
    });
    assert!(failed.is_empty(), "{} seeds failed:\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn whatever_happens_to_pages_networks_and_shards_everything_holds() {
    let times = if std::env::var_os("SELVEDGE_FULL").is_some() { 10 } else { 1 };
    all_hold(&(0..SEEDS * times).collect::<Vec<_>>());
}

#[test]
fn seeds_that_found_something_once_hold_now() {
    all_hold(&numbers(FOUND));
}

fn numbers(list: &str) -> Vec<u64> {
    list.lines().filter_map(|line| line.split_whitespace().next()?.parse().ok()).collect()
}

#[test]
fn a_seed_is_the_same_world_to_the_byte_each_time() {
    let files = sites::all().expect("the sites compile");
    for seed in 0..20 {
        let (once, again) = (run(&files, seed, true), run(&files, seed, true));
        assert_eq!((once.hash, once.lines), (again.hash, again.lines), "seed {seed}");
    }
}
