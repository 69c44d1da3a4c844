//! `cargo xtask size`: what a visitor loads and what the worker weighs, against `benches/budgets.toml`.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;

use anyhow::{Context, Result, bail};
use serde_json::json;

use crate::budget::{self, Budgets, Encoding, Weight};
use crate::repo::Repo;
use crate::{build, features, shares, table};

const BROTLI_QUALITY: u32 = 11;
const BROTLI_WINDOW_BITS: u32 = 24;
const BUFFER_BYTES: usize = 1 << 16;

/// Builds, weighs, prints, and gives back whether every weight is within its budget. With `page_only`, what stands in the
/// target folder is left out; with `docs`, docs/bytes.md is written.
///
/// # Errors
/// When something cannot be built or a weighed file is missing.
pub fn run(repo: &Repo, json: bool, page_only: bool, docs: bool) -> Result<bool> {
    let mut budgets = budget::read(repo)?;
    if page_only {
        build::page(repo)?;
        budgets
            .bytes
            .retain(|_, weight| weight.file.as_ref().is_none_or(|file| !file.starts_with("{target}/")));
    } else {
        build::everything(repo)?;
    }
    let weights = weigh(repo, &budgets)?;
    if docs {
        let features = features::section(repo, &|module| Ok(brotli(module)?.len() as u64))?;
        shares::write(repo, &budgets, &weights, &features)?;
    }
    if json {
        println!("{}", json!(weights));
    } else {
        print(&budgets, &weights);
    }
    let stale = shares::stale(repo, &weights)?;
    if !stale.is_empty() {
        eprintln!("{} is of other bytes (`cargo xtask size --docs`):\n{}", shares::FILE, stale.join("\n"));
    }
    Ok(stale.is_empty()
        && budgets
            .bytes
            .iter()
            .all(|(name, budget)| weights.get(name).is_some_and(|bytes| *bytes <= budget.max)))
}

fn weigh(repo: &Repo, budgets: &Budgets) -> Result<BTreeMap<String, u64>> {
    let mut weights = BTreeMap::new();
    for (name, weight) in &budgets.bytes {
        if let Some(file) = &weight.file {
            weights.insert(name.clone(), file_weight(repo, file, weight.encoding)?);
        }
    }
    for (name, weight) in budgets.bytes.iter().filter(|(_, weight)| weight.file.is_none()) {
        weights.insert(name.clone(), sum(&weights, name, weight)?);
    }
    Ok(weights)
}

fn sum(weights: &BTreeMap<String, u64>, name: &str, weight: &Weight) -> Result<u64> {
    if weight.sum.is_empty() {
        bail!("{}: `{name}` has neither `file` nor `sum`", budget::FILE);
    }
    let parts = weight
        .sum
        .iter()
        .map(|part| weights.get(part).with_context(|| format!("`{name}` sums `{part}`, which is no file")));
    parts.sum::<Result<u64>>()
}

fn file_weight(repo: &Repo, file: &str, encoding: Encoding) -> Result<u64> {
    let place = match file.strip_prefix("{target}/") {
        Some(inside) => repo.target.join(inside),
        None => repo.path(file),
    };
    let bytes =
        fs::read(&place).with_context(|| format!("{} is weighed, but was not built", place.display()))?;
    let travelling = match encoding {
        Encoding::None => bytes.len(),
        Encoding::Brotli => brotli(&bytes)?.len(),
        Encoding::Gzip => gzip(&bytes)?.len(),
    };
    Ok(travelling as u64)
}

fn brotli(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut writer =
        brotli::CompressorWriter::new(Vec::new(), BUFFER_BYTES, BROTLI_QUALITY, BROTLI_WINDOW_BITS);
    writer.write_all(bytes)?;
    Ok(writer.into_inner())
}

fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    writer.write_all(bytes)?;
    Ok(writer.finish()?)
}

fn print(budgets: &Budgets, weights: &BTreeMap<String, u64>) {
    let mut rows = vec![["part", "bytes", "budget", "left", "target", "to go"].map(str::to_string)];
    for (name, budget) in &budgets.bytes {
        let bytes = weights.get(name).copied().unwrap_or_default();
        let left = match budget.max.checked_sub(bytes) {
            Some(left) => left.to_string(),
            None => format!("OVER by {}", bytes - budget.max),
        };
        let target = budget.target.unwrap_or(budget.max);
        let to_go = match bytes.saturating_sub(target) {
            0 => "reached".to_string(),
            more => more.to_string(),
        };
        rows.push([name.clone(), bytes.to_string(), budget.max.to_string(), left, target.to_string(), to_go]);
    }
    print!("{}", table::text(&rows));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weights(text: &str) -> Result<BTreeMap<String, u64>> {
        let folder = tempfile::tempdir()?;
        let repo = Repo { root: folder.path().to_path_buf(), target: folder.path().join("target") };
        fs::create_dir_all(&repo.target)?;
        fs::write(folder.path().join("zeros"), vec![0; 10_000])?;
        fs::write(repo.target.join("raw"), vec![1; 700])?;
        weigh(&repo, &toml::from_str(text)?)
    }

    #[test]
    fn files_are_weighed_as_they_travel_and_summed() -> Result<()> {
        let found = weights(
            "[bytes.page]\nfile = 'zeros'\nmax = 100\n[bytes.worker]\nfile = '{target}/raw'\nencoding = 'none'\nmax = 1\n\
             [bytes.all]\nsum = ['page', 'worker']\nmax = 1",
        )?;
        let page = found.get("page").copied().unwrap_or_default();
        assert!((1..100).contains(&page), "brotli of zeros is small: {page}");
        assert_eq!(found.get("worker"), Some(&700));
        assert_eq!(found.get("all"), Some(&(page + 700)));
        Ok(())
    }

    #[test]
    fn a_missing_file_and_an_unknown_part_of_a_sum_are_told() {
        let missing =
            weights("[bytes.page]\nfile = 'nothing'\nmax = 1").map_err(|problem| problem.to_string());
        assert!(missing.is_err_and(|text| text.contains("was not built")));
        let unknown = weights("[bytes.all]\nsum = ['page']\nmax = 1").map_err(|problem| problem.to_string());
        assert!(unknown.is_err_and(|text| text.contains("`page`")));
    }
}
