//! What `worker/wrangler.toml` names is what `cargo xtask build` makes.

use std::fs;

use anyhow::{Context, Result};
use xtask::build;
use xtask::repo::Repo;

/// The value of a key of the file, as its line has it.
fn named<'a>(config: &'a str, key: &str) -> Result<&'a str> {
    let line = config.lines().find(|line| line.starts_with(&format!("{key} = ")));
    let value = line.and_then(|line| line.split('"').nth(1));
    value.with_context(|| format!("worker/wrangler.toml names no {key}"))
}

#[test]
fn what_is_deployed_is_built() -> Result<()> {
    let repo = Repo::find()?;
    build::once(&repo)?;
    build::stage(&repo)?;
    let config = fs::read_to_string(repo.path("worker/wrangler.toml"))?;
    for (key, file) in [
        ("main", ""),
        ("base_dir", "/worker_bg.wasm"),
        ("directory", "/index.html"),
        ("directory", "/console/index.html"),
        ("directory", "/selvedge/v1/selvedge.wasm"),
    ] {
        let place = named(&config, key)?.strip_prefix("../target").context("a folder of the build")?;
        let place = repo.target.join(place.trim_start_matches('/').to_owned() + file);
        assert!(place.is_file(), "{key}: {} is not there", place.display());
    }
    Ok(())
}
