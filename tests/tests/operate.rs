//! docs/operate.md and ops/alerts.yaml against a running worker: every metric is told, and no alert watches what there is
//! not.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use selvedge_tests::World;
use serde_json::Value;
use xtask::repo::Repo;
use xtask::setup;

fn text(path: &str) -> Result<String> {
    Ok(std::fs::read_to_string(Repo::find()?.path(path))?)
}

/// The metrics of a running worker, as they are asked for: those of counters end with `_total`.
fn metrics() -> Result<BTreeMap<String, String>> {
    let world = World::start()?;
    let page = world.admin_get("/metrics")?.text();
    let families = page.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let family = |line: &str| {
        let (name, kind) = line.split_once(' ').with_context(|| line.to_owned())?;
        let suffix = if kind == "counter" { "_total" } else { "" };
        Ok((format!("{name}{suffix}"), kind.to_owned()))
    };
    families.map(family).collect()
}

/// The first cells of the rows of the tables below a heading, without their quotes.
fn table(page: &str, heading: &str) -> BTreeSet<String> {
    let part = page.split("\n## ").find(|part| part.starts_with(heading)).unwrap_or_default();
    let cells = part.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    cells.map(|(name, _)| name.to_owned()).collect()
}

/// Words that begin as our metrics do.
fn named(expression: &str) -> BTreeSet<String> {
    let words = expression.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
    words.filter(|word| word.starts_with("selvedge_")).map(str::to_owned).collect()
}

#[test]
fn every_metric_of_the_worker_is_in_the_docs_and_no_other() -> Result<()> {
    let told = table(&text("docs/operate.md")?, "Metrics");
    let found: BTreeSet<String> = metrics()?.into_keys().collect();
    assert_eq!(told, found, "docs/operate.md and /metrics");
    Ok(())
}

#[test]
fn every_alert_watches_what_there_is_and_says_what_to_do() -> Result<()> {
    let (rules, page) = (text("ops/alerts.yaml")?, text("docs/operate.md")?);
    let rules: Value = serde_saphyr::from_str(&rules).context("ops/alerts.yaml")?;
    let found = metrics()?;
    let mut names = BTreeSet::new();
    for rule in
        rules["groups"].as_array().into_iter().flatten().flat_map(|group| group["rules"].as_array()).flatten()
    {
        let of = |pointer: &str| rule.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let name = of("/alert");
        names.insert(name.to_owned());
        for metric in named(of("/expr")) {
            assert!(found.contains_key(&metric), "{name} watches {metric}, which there is not");
        }
        assert!(!of("/annotations/summary").is_empty() && !of("/labels/severity").is_empty(), "{name}");
        for heading in of("/annotations/description").split('`').skip(1).step_by(2) {
            let is_command = heading.starts_with("selvedge") || heading == "poison";
            assert!(is_command || page.contains(&format!("\n### {heading}\n")), "{name}: `{heading}`");
        }
    }
    assert_eq!(names, table(&page, "Alerts"), "docs/operate.md and ops/alerts.yaml");
    Ok(())
}

#[test]
fn prometheus_takes_the_alerts() -> Result<()> {
    let repo = Repo::find()?;
    let promtool = setup::promtool(&repo)?;
    let check = |rules: &Path| -> Result<(bool, String)> {
        let checked = Command::new(&promtool).args(["check", "rules"]).arg(rules).output()?;
        let told = [checked.stdout, checked.stderr].concat();
        Ok((checked.status.success(), String::from_utf8_lossy(&told).into_owned()))
    };
    let (is_taken, told) = check(&repo.path("ops/alerts.yaml"))?;
    ensure!(is_taken && told.contains("rules found"), "{told}");
    // It did read them: an expression that is none is refused.
    let folder = tempfile::tempdir()?;
    let broken = folder.path().join("alerts.yaml");
    std::fs::write(&broken, text("ops/alerts.yaml")?.replacen("> 0", "> > 0", 1))?;
    let (is_taken, told) = check(&broken)?;
    ensure!(!is_taken && told.contains("parse"), "{told}");
    Ok(())
}
