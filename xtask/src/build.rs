//! Everything that runs outside this process, built in order: wasm modules first, then the pages that carry them.

use std::fs::{self, File};

use anyhow::Result;

use crate::repo::Repo;
use crate::{pages, setup, wasm};

/// Sets up what is missing and builds what is out of date.
///
/// # Errors
/// With a sentence on what is missing or the output of the build that failed.
pub fn everything(repo: &Repo) -> Result<()> {
    in_turn(repo, &|repo| {
        wasm::page(repo)?;
        wasm::worker(repo)?;
        pages::build(repo)
    })
}

/// As [`everything`], without the worker.
///
/// # Errors
/// The same.
pub fn page(repo: &Repo) -> Result<()> {
    in_turn(repo, &|repo| {
        wasm::page(repo)?;
        pages::build(repo)
    })
}

/// One build at a time: `dev` may run while the tests start.
fn in_turn(repo: &Repo, build: &dyn Fn(&Repo) -> Result<()>) -> Result<()> {
    fs::create_dir_all(repo.scratch())?;
    let turn = File::create(repo.scratch().join("build.lock"))?;
    turn.lock()?;
    setup::for_build(repo)?;
    build(repo)
}

/// [`everything`], and the files to serve where `worker/wrangler.toml` names them.
///
/// # Errors
/// As [`everything`].
pub fn deployable(repo: &Repo) -> Result<()> {
    everything(repo)?;
    stage(repo)
}

/// Puts the built pages where `worker/wrangler.toml` names them.
///
/// # Errors
/// When a page is not built, or cannot be copied.
pub fn stage(repo: &Repo) -> Result<()> {
    pages::stage(repo, &repo.target.join("assets"))
}

/// Set for child processes once everything is built, so that each test binary need not look again.
pub const BUILT: &str = "SELVEDGE_BUILT";

/// [`everything`], unless the chore that started this process has just done it.
///
/// # Errors
/// As [`everything`].
pub fn once(repo: &Repo) -> Result<()> {
    if std::env::var_os(BUILT).is_some() { Ok(()) } else { everything(repo) }
}
