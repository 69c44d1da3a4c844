//! The fuzz targets of `fuzz/`, each for a minute, all at once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use anyhow::{Context, Result, bail};

use crate::repo::Repo;
use crate::{run, setup};

const SECONDS: u32 = 60;
const SECONDS_FULL: u32 = 1_800;
/// How long one input may take.
const TIMEOUT_SECONDS: u32 = 20;
/// Programs change with their format; these are always of the present one.
const PROGRAMS: &str = "tests/fixtures/journey";

/// One target at work.
struct Running {
    name: String,
    child: Child,
    log: PathBuf,
}

/// Builds and runs every target of `fuzz/src/bin`.
///
/// # Errors
/// When one finds something; with the end of its output, and the input kept under `artefacts/fuzz/`.
pub fn run(repo: &Repo, full: bool) -> Result<()> {
    setup::cpp_compiler()?;
    let folder = repo.path("fuzz");
    let built = repo.target.join("fuzz");
    let mut cargo = run::cargo(&folder);
    // Flags of the caller's environment would replace those that fuzz/.cargo/config.toml sets.
    cargo
        .args(["build", "--release", "--quiet", "--bins", "--target-dir"])
        .arg(&built)
        .env_remove("RUSTFLAGS");
    run::shown(&mut cargo)?;
    let seconds = if full { SECONDS_FULL } else { SECONDS };
    let mut running = Vec::new();
    for name in targets(&folder)? {
        running.push(start(repo, &binary(&built, &name)?, name, seconds)?);
    }
    let mut broken = Vec::new();
    for target in running {
        broken.extend(finish(target)?);
    }
    if broken.is_empty() { Ok(()) } else { bail!("{}", broken.join("\n")) }
}

fn targets(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder.join("src/bin"))? {
        let path = entry?.path();
        names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
    }
    names.sort();
    anyhow::ensure!(!names.is_empty(), "fuzz/src/bin holds no target");
    Ok(names)
}

/// The binary stands below a folder that is named after this machine's target.
fn binary(built: &Path, name: &str) -> Result<PathBuf> {
    for entry in fs::read_dir(built)? {
        let place = entry?.path().join("release").join(name);
        if place.is_file() {
            return Ok(place);
        }
    }
    bail!("cargo built no fuzz target {name}")
}

fn start(repo: &Repo, binary: &Path, name: String, seconds: u32) -> Result<Running> {
    let corpus = repo.scratch().join("fuzz").join(&name);
    let artefacts = repo.path("artefacts/fuzz");
    fs::create_dir_all(&corpus)?;
    fs::create_dir_all(&artefacts)?;
    let log = repo.scratch().join("fuzz").join(format!("{name}.log"));
    let mut command = run::command(binary, &repo.path("fuzz"));
    command.arg(format!("-max_total_time={seconds}")).arg("-print_final_stats=1");
    command.arg(format!("-artifact_prefix={}/{name}-", artefacts.display())).arg(corpus);
    // What hangs is found too.
    command.arg(format!("-timeout={TIMEOUT_SECONDS}"));
    let seeds = if name == "program" { PROGRAMS.into() } else { format!("fuzz/seeds/{name}") };
    let seeds = repo.path(&seeds);
    if seeds.is_dir() {
        command.arg(seeds);
    }
    command.stdout(Stdio::null()).stderr(fs::File::create(&log)?);
    let child = command.spawn().with_context(|| format!("cannot start the fuzz target {name}"))?;
    Ok(Running { name, child, log })
}

/// Gives back what to tell where the target found something.
fn finish(mut target: Running) -> Result<Option<String>> {
    let status = target.child.wait()?;
    let bytes = fs::read(&target.log)?;
    let text = String::from_utf8_lossy(&bytes);
    if status.success() {
        let done = text.lines().rev().find(|line| line.starts_with("Done ")).unwrap_or("done");
        println!("fuzz {}: {done}, nothing found", target.name);
        return Ok(None);
    }
    let lines: Vec<&str> = text.lines().collect();
    let end = lines.get(lines.len().saturating_sub(40)..).unwrap_or_default().join("\n");
    Ok(Some(format!(
        "the fuzz target {} found something ({status}); its input is in artefacts/fuzz:\n{end}",
        target.name
    )))
}
