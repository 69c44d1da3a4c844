//! The JavaScript packages of `www/`: each is built by its own `build.mjs` into its `dist/`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::repo::{Repo, copy_tree};
use crate::stamp::{Fingerprint, unless_fresh};
use crate::{run, say};

/// The route prefix that the SDK's files are served under.
pub const SDK_PREFIX: &str = "selvedge/v1";

/// Builds the SDK, the shop and the console. The page's wasm must be built before.
///
/// # Errors
/// With the output of the build that failed.
pub fn build(repo: &Repo) -> Result<()> {
    package(
        repo,
        "sdk",
        "the page's JavaScript",
        &[
            "loader.js",
            "selvedge.js",
            "selvedge.wasm",
            "later.wasm",
            "rules.js",
            "rules.wasm",
            "strings.wasm",
        ],
    )?;
    package(repo, "shop", "the demo shop", &["index.html"])?;
    package(repo, "console", "the console", &["index.html"])
}

fn package(repo: &Repo, name: &str, what: &str, outputs: &[&str]) -> Result<()> {
    let folder = repo.www().join(name);
    let script = folder.join("build.mjs");
    anyhow::ensure!(script.is_file(), "www/{name}/build.mjs is missing: {what} cannot be built");
    let lock = repo.path("www/package-lock.json");
    let inputs = Fingerprint::default().file(&lock)?.tree(&folder)?;
    let outputs: Vec<_> = outputs.iter().map(|file| folder.join("dist").join(file)).collect();
    unless_fresh(repo, &format!("www-{name}"), inputs, &outputs, || {
        say::step(&format!("building {what}"), || {
            run::quiet(run::command("node", &folder).arg("build.mjs"))
        })?;
        Ok(())
    })?;
    Ok(())
}

/// The hashes of the SDK's files (Subresource Integrity), a file on each line.
///
/// # Errors
/// When the SDK is not built.
pub fn integrity(repo: &Repo) -> Result<String> {
    let file = repo.www().join("sdk/dist/integrity.json");
    let text = fs::read_to_string(&file).context("www/sdk is not built")?;
    lines(&text).with_context(|| format!("{} does not hold hashes by file", file.display()))
}

fn lines(json: &str) -> Result<String> {
    let hashes: BTreeMap<String, String> = serde_json::from_str(json)?;
    let width = hashes.keys().map(String::len).max().unwrap_or(0);
    Ok(hashes.iter().map(|(file, hash)| format!("{file:width$}  {hash}\n")).collect())
}

/// Puts everything that is served as a file into `folder`: the shop at its root, the console under `/console/`, the
/// SDK under [`SDK_PREFIX`].
///
/// # Errors
/// When a file cannot be copied.
pub fn stage(repo: &Repo, folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    for (package, prefix) in [("shop", ""), ("console", "console"), ("sdk", SDK_PREFIX)] {
        let dist = repo.www().join(package).join("dist");
        copy_tree(&dist, &folder.join(prefix)).with_context(|| format!("www/{package} is not built"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_said_a_file_on_each_line_and_what_holds_none_is_refused() {
        let json = r#"{"selvedge.js": "sha384-b", "stub": "sha384-c", "loader.js": "sha384-a"}"#;
        let said = lines(json).expect("hashes");
        assert_eq!(said, "loader.js    sha384-a\nselvedge.js  sha384-b\nstub         sha384-c\n");
        assert!(lines(r#"{"selvedge.js": 7}"#).is_err());
    }
}
