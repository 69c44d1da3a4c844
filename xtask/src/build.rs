//! Everything that runs outside this process, built in order: wasm modules first, then the pages that carry them.

use anyhow::Result;

use crate::repo::Repo;
use crate::{pages, setup, wasm};

/// Sets up what is missing and builds what is out of date.
///
/// # Errors
/// With a sentence on what is missing or the output of the build that failed.
pub fn everything(repo: &Repo) -> Result<()> {
    setup::for_build(repo)?;
    wasm::page(repo)?;
    wasm::worker(repo)?;
    pages::build(repo)
}
