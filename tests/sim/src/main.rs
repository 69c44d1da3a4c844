//! `cargo xtask sim`: many seeds, or one of them line by line.

use anyhow::{Result, bail};
use selvedge_sim::run::{Report, run};
use selvedge_sim::sites;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Seeds after which the progress is told.
const TOLD: u64 = 500;

fn main() -> ExitCode {
    match answer(&std::env::args().skip(1).collect::<Vec<_>>()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("error: {problem:#}");
            ExitCode::FAILURE
        }
    }
}

fn answer(arguments: &[String]) -> Result<bool> {
    let mut numbers = (None, None, 0);
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let number = rest.next().and_then(|text| text.parse().ok());
        match (argument.as_str(), number) {
            ("--seed", Some(number)) => numbers.0 = Some(number),
            ("--seeds", Some(number)) => numbers.1 = Some(number),
            ("--from", Some(number)) => numbers.2 = number,
            _ => bail!("say --seed X, or --seeds N [--from S]"),
        }
    }
    match numbers {
        (Some(seed), ..) => replay(seed),
        (None, count, from) => many(from, count.unwrap_or(2_000)),
    }
}

/// Runs one seed, line by line.
fn replay(seed: u64) -> Result<bool> {
    let report = run(&sites::all()?, seed, true);
    let mut text = report.lines.join("\n");
    text.push_str(&format!("\n{} lines, hash {:016x}\n", report.count, report.hash));
    // A reader that has seen enough is no failure.
    drop(std::io::stdout().write_all(text.as_bytes()));
    Ok(report.violation.is_none())
}

/// Runs many, on all cores.
fn many(from: u64, count: u64) -> Result<bool> {
    let (start, next, done) = (Instant::now(), AtomicU64::new(from), AtomicU64::new(0));
    let (failed, seen) = (Mutex::new(Vec::new()), Mutex::new((0, 0)));
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::panic::set_hook(Box::new(|_| {}));
    std::thread::scope(|scope| {
        let work = || -> Result<()> {
            let files = sites::all()?;
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= from + count {
                    return Ok(());
                }
                let report = run(&files, seed, false);
                let mut all = seen.lock().unwrap_or_else(|poison| poison.into_inner());
                *all = (all.0 + report.logged, all.1 + report.exposures);
                drop(all);
                tell(&report);
                let at = done.fetch_add(1, Ordering::Relaxed) + 1;
                if at % TOLD == 0 {
                    eprintln!("{at} of {count} seeds, {} s", start.elapsed().as_secs());
                }
                if report.violation.is_some() {
                    failed.lock().unwrap_or_else(|poison| poison.into_inner()).push(report);
                }
            }
        };
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        let mut ends = workers.into_iter().map(|worker| worker.join());
        ends.try_for_each(|end| end.unwrap_or_else(|_| bail!("a thread died")))
    })?;
    let failed = failed.into_inner().unwrap_or_default();
    let (logged, exposures) = seen.into_inner().unwrap_or_default();
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{count} seeds in {seconds:.1} s ({:.0}/s): {} failed; {logged} events, {exposures} exposures",
        count as f64 / seconds,
        failed.len()
    );
    Ok(failed.is_empty())
}

/// A seed that failed says how to run it again.
fn tell(report: &Report) {
    if let Some(violation) = &report.violation {
        println!("seed {}: {}: {}", report.seed, violation.invariant, violation.detail);
        println!("    cargo xtask sim --seed {}", report.seed);
    }
}
