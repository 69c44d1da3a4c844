//! What each feature of the page costs, by difference: what travels is made once more without the feature's code, whose functions do
//! nothing then, so that what only it needs goes too. Scripts are bundled anew (www/sdk/features.mjs); in the wasm modules the
//! functions are found by their names. Features share code: what two of them need stays with either, and the sum of all is less than
//! the whole.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use crate::repo::Repo;
use crate::{run, say, wasm};

/// Modules of wasm, and what budgets.toml calls them.
const MODULES: [(&str, &str); 3] =
    [("selvedge", "wasm and later"), ("rules", "rule engine"), ("strings", "consent strings")];

/// Module, feature, and the modules of Rust that are the feature.
const PARTS: [(&str, &str, &[&str]); 12] = [
    ("strings", "TCF: TC strings", &["selvedge_core::consent::tcf", "selvedge_core::consent::vendors"]),
    (
        "strings",
        "GPP strings, of its US sections",
        &["selvedge_core::consent::gpp", "selvedge_core::consent::us"],
    ),
    ("selvedge", "consent: several sources, the strictest", &["selvedge_core::consent::voices"]),
    ("selvedge", "events judged by the tracking plan", &["selvedge_core::tracking_plan"]),
    ("selvedge", "e-mail, phone and card numbers masked", &["selvedge_core::masking"]),
    (
        "selvedge",
        "addresses stripped, campaigns, referrers",
        &["selvedge_client::address", "selvedge_core::address"],
    ),
    (
        "selvedge",
        "records on the device, and what earlier pages left",
        &["selvedge_client::stored", "selvedge_client::restore"],
    ),
    ("selvedge", "batches", &["selvedge_client::batching"]),
    (
        "selvedge",
        "decisions: asking the rule engine, answers, grants",
        &["selvedge_client::mind", "selvedge_client::asking", "selvedge_client::deciding"],
    ),
    (
        "rules",
        "sequences, timers and deadlines",
        &[
            "selvedge_core::rules::sequences",
            "selvedge_core::rules::timers",
            "selvedge_core::rules::deadlines",
        ],
    ),
    ("rules", "caps and grants", &["selvedge_core::rules::grants"]),
    ("rules", "metrics and scores", &["selvedge_core::rules::metric", "selvedge_core::rules::counts"]),
];

/// The section of docs/bytes.md.
///
/// # Errors
/// When something was not built.
pub fn section(repo: &Repo, weigh: &(dyn Fn(&[u8]) -> Result<u64> + Sync)) -> Result<String> {
    let mut text = String::from(
        "\n## What each feature costs\n\nBy difference: so many bytes less would travel without it. Features share code, which stays \
         with either of two: the sum is less than the whole.\n\n| fetched with | feature | bytes |\n|---|---|--:|\n",
    );
    let rows = say::step("weighing each feature by leaving it out", || {
        let mut rows = scripts(repo)?;
        rows.extend(modules(repo, weigh)?);
        Ok(rows)
    })?;
    for (part, feature, bytes) in rows {
        text.push_str(&format!("| {part} | {feature} | {bytes} |\n"));
    }
    Ok(text)
}

type Row = (String, String, i64);

fn scripts(repo: &Repo) -> Result<Vec<Row>> {
    let mut node = run::command("node", &repo.path("www/sdk"));
    let said = run::quiet(node.arg("features.mjs"))?;
    let table: BTreeMap<String, BTreeMap<String, i64>> =
        serde_json::from_str(&said).context("www/sdk/features.mjs printed no table")?;
    let rows = table.into_iter().flat_map(|(script, features)| {
        features.into_iter().map(move |(feature, bytes)| (script.clone(), feature, bytes))
    });
    Ok(rows.collect())
}

/// Two at a time: wasm-opt takes a while.
fn modules(repo: &Repo, weigh: &(dyn Fn(&[u8]) -> Result<u64> + Sync)) -> Result<Vec<Row>> {
    let weight = |at: usize, module: &str, paths: &[&str]| {
        weigh(&wasm::page_without(repo, module, at, |name| paths.iter().any(|path| is_in(name, path)))?)
    };
    let mut wholes = BTreeMap::new();
    for (module, part) in MODULES {
        wholes.insert(module, (part, weight(PARTS.len(), module, &[])?));
    }
    let half = |first: usize| -> Result<Vec<(usize, Row)>> {
        let mine = PARTS.iter().enumerate().skip(first).step_by(2);
        let rows = mine.map(|(at, (module, feature, paths))| {
            let (part, whole) = wholes.get(module).context("a part is of a module")?;
            let bytes = i64::try_from(*whole)? - i64::try_from(weight(at, module, paths)?)?;
            Ok((at, ((*part).to_string(), (*feature).to_string(), bytes)))
        });
        rows.collect()
    };
    let (even, odd) = std::thread::scope(|scope| {
        let other = scope.spawn(|| half(1));
        (half(0), other.join())
    });
    let mut rows = even?;
    rows.extend(odd.map_err(|_| anyhow::anyhow!("weighing ended early"))??);
    rows.sort_by_key(|(at, _)| *at);
    Ok(rows.into_iter().map(|(_, row)| row).collect())
}

/// Whether a mangled name is of this module or below it: each segment stands behind its length.
fn is_in(name: &str, path: &str) -> bool {
    let mangled = path.split("::").map(|segment| format!("{}{segment}", segment.len()));
    name.contains(&mangled.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_belongs_to_its_module_and_those_above() {
        let name = "_ZN13selvedge_core7consent3tcf6Reader4read17h82E";
        assert!(is_in(name, "selvedge_core::consent::tcf") && is_in(name, "selvedge_core::consent"));
        assert!(!is_in(name, "selvedge_core::consent::gpp") && !is_in(name, "selvedge_client::consent"));
    }
}
