//! `cargo xtask test`: set-up, build, every test, and a closing summary.
//!
//! A part that fails does not keep the next from running; the exit code tells in the end.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::repo::{Repo, files_under};
use crate::{budget, build, fuzz, run, say, setup, sim, size, wasm};

/// A part of the tests that can run alone.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub enum Part {
    /// Types, format, lints, the tests of every crate, the budgets of bytes, and a minute of fuzzing.
    Unit,
    /// A real workerd.
    Edge,
    /// A real Chromium on a real workerd.
    Browser,
}

/// One line of the closing summary.
struct Outcome {
    name: &'static str,
    spent: Duration,
    problem: Option<String>,
}

/// Runs `only` that part, or all of them, and gives back whether all passed.
///
/// # Errors
/// When the set-up or the build fails: then nothing could be tested.
pub fn run(repo: &Repo, only: Option<Part>, full: bool) -> Result<bool> {
    let start = Instant::now();
    let wanted = |part| only.is_none_or(|only| only == part);
    let chromium = if wanted(Part::Browser) { Some(setup::chromium()?) } else { None };
    build::everything(repo)?;
    let mut outcomes = vec![Outcome { name: "set-up and build", spent: start.elapsed(), problem: None }];
    let mut record = |name, work: &dyn Fn() -> Result<()>| outcomes.push(outcome(name, work));
    if wanted(Part::Unit) {
        record("types", &|| types(repo));
        record("format", &|| run::shown(run::cargo(&repo.root).args(["fmt", "--all", "--check"])));
        record("lints", &|| lints(repo));
        record("unit", &|| unit(repo, full));
        record("simulator", &|| simulated(repo, full));
        record("unit, JavaScript", &|| node_tests(repo, &repo.www(), full, None));
        record("size", &|| within_budget(repo));
        record("fuzz", &|| fuzz::run(repo, full));
    }
    if wanted(Part::Edge) {
        record("edge", &|| edge(repo, full));
    }
    if let Some(chromium) = &chromium {
        record("browser", &|| browser(repo, chromium, full));
    }
    Ok(summary(&outcomes, start.elapsed()))
}

fn outcome(name: &'static str, work: &dyn Fn() -> Result<()>) -> Outcome {
    println!("\n== {name} ==");
    let start = Instant::now();
    let problem = work().err().map(|problem| format!("{problem:#}"));
    if let Some(problem) = &problem {
        println!("{problem}");
    }
    Outcome { name, spent: start.elapsed(), problem }
}

fn summary(outcomes: &[Outcome], spent: Duration) -> bool {
    println!("\n== summary ==");
    for Outcome { name, spent, problem } in outcomes {
        let verdict = if problem.is_none() { "ok" } else { "FAILED" };
        println!("{verdict:<7} {name:<17} {}", say::duration(*spent));
    }
    let failed = outcomes.iter().filter(|outcome| outcome.problem.is_some()).count();
    println!("{} in {}", if failed == 0 { "all passed" } else { "FAILED" }, say::duration(spent));
    failed == 0
}

/// Every TypeScript package, strictly.
fn types(repo: &Repo) -> Result<()> {
    for package in ["sdk", "shop", "console"] {
        if repo.www().join(package).join("tsconfig.json").is_file() {
            let project = format!("www/{package}");
            run::shown(run::command(repo.npm_binary("tsc"), &repo.root).args(["--project", &project]))?;
        }
    }
    Ok(())
}

/// clippy: it holds the invariant that nothing can panic.
fn lints(repo: &Repo) -> Result<()> {
    let clippy = ["clippy", "--workspace", "--all-targets", "--quiet", "--", "--deny", "warnings"];
    run::shown(run::cargo(&repo.root).args(clippy))
}

fn unit(repo: &Repo, full: bool) -> Result<()> {
    let mut cargo = run::cargo(&repo.root);
    cargo.args([
        "test",
        "--workspace",
        "--exclude",
        "selvedge-tests",
        "--exclude",
        "selvedge-sim",
        "--no-fail-fast",
    ]);
    run::shown(in_tests(&mut cargo, full))
}

/// The simulator: seeds that hold, and planted defects, of which it has to find each.
fn simulated(repo: &Repo, full: bool) -> Result<()> {
    let mut cargo = run::cargo(&repo.root);
    let package = ["--profile", sim::PROFILE, "--package", "selvedge-sim", "--features", "mutation"];
    cargo.arg("test").args(package).arg("--no-fail-fast");
    run::shown(in_tests(&mut cargo, full))
}

fn within_budget(repo: &Repo) -> Result<()> {
    anyhow::ensure!(
        size::run(repo, false, false, false)?,
        "something weighs more than {} allows",
        budget::FILE
    );
    Ok(())
}

fn edge(repo: &Repo, full: bool) -> Result<()> {
    setup::python(repo)?;
    let mut cargo = run::cargo(&repo.root);
    // Each test has a workerd of its own, and some measure: two at a time on two cores.
    cargo.args(["test", "--package", "selvedge-tests", "--no-fail-fast", "--", "--test-threads=2"]);
    run::shown(in_tests(&mut cargo, full))
}

/// The crash soak of `tests/tests/soak.rs`, for so many seconds.
///
/// # Errors
/// When something was lost, came twice, or out of order.
pub fn soak(repo: &Repo, seconds: u64) -> Result<()> {
    setup::python(repo)?;
    build::everything(repo)?;
    let mut cargo = run::cargo(&repo.root);
    cargo.args(["test", "--package", "selvedge-tests", "--test", "soak", "--", "--nocapture"]);
    run::shown(in_tests(cargo.env("SELVEDGE_SOAK_SECONDS", seconds.to_string()), false))
}

fn browser(repo: &Repo, chromium: &PathBuf, full: bool) -> Result<()> {
    wasm::probe(repo)?;
    setup::consumers(repo)?;
    run::shown(run::cargo(&repo.root).args([
        "build",
        "--quiet",
        "--package",
        "selvedge-tests",
        "--bin",
        "serve",
        "--bin",
        "random_sites",
    ]))?;
    node_tests(repo, &repo.path("tests/browser"), full, Some(chromium))
}

/// All `*.test.mjs` under `folder`, one file at a time.
fn node_tests(repo: &Repo, folder: &std::path::Path, full: bool, chromium: Option<&PathBuf>) -> Result<()> {
    let skip = |path: &std::path::Path| path.ends_with("node_modules") || path.ends_with("dist");
    let mut files = files_under(folder, &skip)?;
    files.retain(|file| file.to_string_lossy().ends_with(".test.mjs"));
    if files.is_empty() {
        return Ok(());
    }
    let mut node = run::command("node", &repo.root);
    node.args(["--test", "--test-concurrency=1", "--test-reporter=spec"]).args(files);
    node.env("SELVEDGE_SERVE", repo.target.join("debug/serve"));
    node.env("SELVEDGE_RANDOM_SITES", repo.target.join("debug/random_sites"));
    node.env("SELVEDGE_PROBE", repo.target.join("probe"));
    node.env("SELVEDGE_CONSUMERS", repo.target.join("consumers"));
    if let Some(chromium) = chromium {
        node.env("CHROMIUM", chromium);
    }
    run::shown(in_tests(&mut node, full))
}

/// What every test process is told.
fn in_tests(command: &mut Command, full: bool) -> &mut Command {
    if full {
        command.env("SELVEDGE_FULL", "1");
    }
    command.env(build::BUILT, "1")
}
