//! Who may depend on whom, from cargo's own metadata.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

use super::Finding;
use crate::repo::Repo;
use crate::run;

/// A crate of ours and the crates of ours that it may depend on. What is not listed (tests, benches, xtask) may use all.
const ARROWS: [(&str, &[&str]); 11] = [
    ("selvedge-core", &[]),
    ("selvedge-client", &["selvedge-core"]),
    ("selvedge-edge", &["selvedge-core"]),
    ("selvedge-kafka", &[]),
    ("selvedge-compiler", &["selvedge-core"]),
    ("selvedge-cli", &["selvedge-core", "selvedge-compiler", "selvedge-edge"]),
    ("selvedge-browser", &["selvedge-core", "selvedge-client"]),
    ("selvedge-rules", &["selvedge-core", "selvedge-client"]),
    ("selvedge-strings", &["selvedge-core"]),
    ("selvedge-worker", &["selvedge-core", "selvedge-edge", "selvedge-kafka"]),
    ("selvedge-floor", &[]),
];
/// The crates of the wasm boundary, and the only crates of ours that may use them.
const WASM: [&str; 6] =
    ["wasm-bindgen", "wasm-bindgen-futures", "js-sys", "web-sys", "serde-wasm-bindgen", "worker"];
const WASM_USERS: [&str; 7] = [
    "selvedge-browser",
    "selvedge-rules",
    "selvedge-strings",
    "selvedge-worker",
    "selvedge-floor",
    "selvedge-measured",
    "selvedge-probe",
];
/// What the page must not carry.
const NOT_IN_PAGE: [&str; 4] = ["serde", "postcard", "js-sys", "web-sys"];

/// Every arrow between crates that points the wrong way, and every dependency that stands in the wrong crate.
///
/// # Errors
/// When cargo cannot read the workspace.
pub fn check(repo: &Repo) -> Result<Vec<Finding>> {
    let metadata = MetadataCommand::new().manifest_path(repo.path("Cargo.toml")).no_deps().exec()?;
    let mut findings = wrong_arrows(&metadata);
    findings.extend(heavy_page(&page_tree(repo)?));
    Ok(findings)
}

fn wrong_arrows(metadata: &Metadata) -> Vec<Finding> {
    let ours: BTreeSet<&str> = metadata.packages.iter().map(|package| package.name.as_str()).collect();
    metadata.packages.iter().flat_map(|package| wrong_dependencies(package, &ours)).collect()
}

fn wrong_dependencies(package: &Package, ours: &BTreeSet<&str>) -> Vec<Finding> {
    let name = package.name.as_str();
    let allowed = ARROWS.iter().find(|(from, _)| *from == name).map(|(_, to)| *to);
    let mut findings = Vec::new();
    for dependency in
        package.dependencies.iter().filter(|dependency| dependency.kind != DependencyKind::Development)
    {
        let to = dependency.name.as_str();
        if ours.contains(to) && allowed.is_some_and(|allowed| !allowed.contains(&to)) {
            findings.push(finding(
                name,
                format!("must not depend on {to}: arrows between crates point down only"),
            ));
        }
        if WASM.contains(&to) && !WASM_USERS.contains(&name) {
            findings.push(finding(name, format!("must not depend on {to}: only the wasm boundaries do")));
        }
    }
    findings
}

/// The names of all crates in the page's module, as cargo resolves them for wasm.
fn page_tree(repo: &Repo) -> Result<Vec<String>> {
    let words =
        ["tree", "--package", "selvedge-browser", "--target", "wasm32-unknown-unknown", "--edges", "normal"];
    let text = run::quiet(run::cargo(&repo.root).args(words).args(["--prefix", "none", "--format", "{p}"]))
        .context("cargo cannot resolve the page's crates")?;
    Ok(text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_string).collect())
}

fn heavy_page(crates: &[String]) -> Vec<Finding> {
    let heavy = NOT_IN_PAGE.iter().filter(|name| crates.iter().any(|found| found == *name));
    heavy
        .map(|name| {
            finding("selvedge-browser", format!("carries {name} into the page; the page encodes by hand"))
        })
        .collect()
}

fn finding(package: &str, message: String) -> Finding {
    Finding { place: package.to_string(), message }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn workspace(members: &[(&str, &str)]) -> Result<Vec<String>> {
        let folder = tempfile::tempdir()?;
        let names: Vec<String> = members.iter().map(|(name, _)| format!("'{name}'")).collect();
        fs::write(folder.path().join("Cargo.toml"), format!("[workspace]\nmembers = [{}]", names.join(",")))?;
        for (name, dependencies) in members {
            let manifest =
                format!("[package]\nname = '{name}'\nversion = '0.1.0'\nedition = '2024'\n{dependencies}");
            fs::create_dir_all(folder.path().join(name).join("src"))?;
            fs::write(folder.path().join(name).join("src/lib.rs"), "")?;
            fs::write(folder.path().join(name).join("Cargo.toml"), manifest)?;
        }
        let manifest = folder.path().join("Cargo.toml");
        let metadata = MetadataCommand::new().manifest_path(manifest).no_deps().exec()?;
        Ok(wrong_arrows(&metadata).iter().map(Finding::to_string).collect())
    }

    #[test]
    fn arrows_that_point_down_are_fine() -> Result<()> {
        let client = ("selvedge-client", "[dependencies]\nselvedge-core = { path = '../selvedge-core' }");
        assert_eq!(workspace(&[("selvedge-core", ""), client])?, Vec::<String>::new());
        Ok(())
    }

    #[test]
    fn an_arrow_that_points_up_or_sideways_is_caught() -> Result<()> {
        let worker =
            ("selvedge-worker", "[dependencies]\nselvedge-compiler = { path = '../selvedge-compiler' }");
        let findings = workspace(&[("selvedge-compiler", ""), worker])?;
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(
            findings
                .iter()
                .all(|finding| finding.contains("selvedge-worker: must not depend on selvedge-compiler"))
        );
        Ok(())
    }

    #[test]
    fn a_wasm_crate_outside_the_boundary_is_caught() -> Result<()> {
        let findings = workspace(&[("selvedge-edge", "[dependencies]\njs-sys = '0.3'")])?;
        assert_eq!(findings, ["selvedge-edge: must not depend on js-sys: only the wasm boundaries do"]);
        Ok(())
    }

    #[test]
    fn serde_in_the_page_is_caught() {
        let crates = ["selvedge-browser", "wasm-bindgen", "serde"].map(str::to_string);
        assert_eq!(heavy_page(&crates).len(), 1);
    }
}
