//! `cargo xtask bench`: runs the benchmarks and sets their figures beside their targets.
//!
//! A benchmark is a target of the package `selvedge-benches` (`benches/benches/*.rs`, its own `main`), the load on the
//! worker (`tests/src/bin/collect.rs`), or a script for Chromium, `benches/browser/*.bench.mjs` and `benches/page/*.bench.mjs`. It prints
//! each figure as one line of JSON, `{"figure": "rule native", "value": 2.7}`, with `of` where several clients have it; other lines
//! are for people and shown as they are. `benches/peers` runs the same rules in other engines, natively and in a page; `benches/measured` is the engine in wasm.
//! `benches/budgets.toml` says each figure's unit and target.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::beside::{self, Measured};
use crate::budget::{self, Budgets, Figure};
use crate::repo::{Repo, files_under};
use crate::{build, run, say, setup, table, wasm};

const NOT_MEASURED: &str = "not measured";

/// What was measured.
#[derive(Debug, Default)]
struct Figures {
    /// By name; another client's stand under `<figure> of <client>`.
    values: BTreeMap<String, f64>,
    /// Those of several clients.
    beside: Vec<Measured>,
}

/// A part of the benchmarks that can run alone.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub enum Part {
    /// Native code, under `cargo bench`.
    Native,
    /// A real workerd under load.
    Edge,
    /// A real Chromium.
    Browser,
    /// The client in a page, beside those of others.
    Page,
    /// The rule engine alone, natively and in Chromium, and the same rules in other engines. Part of the others.
    Engine,
}

/// Runs `only` that part, or all of them, prints, and gives back whether every figure with a target was measured. A figure that misses its
/// target is marked, and does not fail: these machines are noisy, and byte budgets have `size`.
///
/// # Errors
/// When something cannot be built or a benchmark fails.
pub fn run(repo: &Repo, only: Option<Part>, json: bool) -> Result<bool> {
    if only != Some(Part::Engine) {
        build::everything(repo)?;
    }
    let budgets = budget::read(repo)?;
    let mut figures = Figures::default();
    let all = [Part::Native, Part::Edge, Part::Browser, Part::Page];
    for part in only.map_or(all.to_vec(), |only| vec![only]) {
        for (name, output) in outputs(repo, part)? {
            collect(&output, &mut figures)
                .with_context(|| format!("the benchmark {name} printed a broken figure"))?;
        }
    }
    if json {
        println!("{}", json!(figures.values));
    } else {
        print(&budgets, &figures, only);
    }
    Ok(only.is_some() || budgets.figures.keys().all(|name| figures.values.contains_key(name)))
}

/// What each benchmark of a part printed, by its name.
fn outputs(repo: &Repo, part: Part) -> Result<Vec<(String, String)>> {
    match part {
        Part::Native => cargo_benches(repo, &[]),
        Part::Edge => edge(repo),
        Part::Browser => browser(repo, "benches/browser", ".bench.mjs"),
        Part::Page => browser(repo, "benches/page", ".bench.mjs"),
        Part::Engine => {
            let mut outputs = cargo_benches(repo, &["--bench", "engine", "--bench", "compile"])?;
            outputs.extend(browser(repo, "benches/browser", "engine.bench.mjs")?);
            Ok(outputs)
        }
    }
}

/// The native benchmarks, or those that `wanted` tells cargo, and the peers.
fn cargo_benches(repo: &Repo, wanted: &[&str]) -> Result<Vec<(String, String)>> {
    let output = say::step("running the native benchmarks", || {
        let mut cargo = run::cargo(&repo.root);
        cargo.args(["bench", "--quiet", "--package", "selvedge-benches"]).args(wanted);
        run::quiet(&mut cargo)
    })?;
    Ok(vec![("of cargo".to_string(), output), ("of the peers".to_string(), peers(repo)?)])
}

/// The same rules in other engines: a workspace of its own, so that they are compiled for this alone.
fn peers(repo: &Repo) -> Result<String> {
    say::step("running the same rules in other engines", || {
        let mut cargo = run::cargo(&repo.path("benches/peers"));
        cargo.args(["run", "--release", "--quiet", "--target-dir"]).arg(repo.target.join("peers"));
        run::quiet(&mut cargo)
    })
}

/// The worker and its floors, by the load generator of the end-to-end tests.
fn edge(repo: &Repo) -> Result<Vec<(String, String)>> {
    let output = say::step("running the load on the worker and on its floor", || {
        let mut cargo = run::cargo(&repo.root);
        cargo.args(["run", "--quiet", "--package", "selvedge-tests", "--bin", "collect"]);
        run::quiet(cargo.env(build::BUILT, "1"))
    })?;
    setup::python(repo)?;
    let stream = say::step("running the stream into Kafka, and librdkafka beside it", || {
        let mut cargo = run::cargo(&repo.root);
        cargo.args(["run", "--quiet", "--package", "selvedge-tests", "--bin", "stream"]);
        run::quiet(cargo.env(build::BUILT, "1"))
    })?;
    Ok(vec![("of the edge".to_string(), output), ("of the stream".to_string(), stream)])
}

/// The scripts of a folder whose names end so, one after the other.
fn browser(repo: &Repo, folder: &str, ending: &str) -> Result<Vec<(String, String)>> {
    wasm::measured(repo)?;
    let mut scripts = files_under(&repo.path(folder), &|_| false)?;
    scripts.retain(|file| file.to_string_lossy().ends_with(ending));
    if scripts.iter().any(|file| file.ends_with("peers.engine.bench.mjs")) {
        wasm::peers(repo)?;
    }
    let peers = setup::page_peers(repo)?;
    let serve = ["build", "--quiet", "--package", "selvedge-tests", "--bin", "serve"];
    run::quiet(run::cargo(&repo.root).args(serve))?;
    let mut outputs = Vec::new();
    for script in scripts {
        let name = script.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let mut node = run::command("node", &repo.root);
        node.arg(&script).env(build::BUILT, "1").env("CHROMIUM", setup::chromium()?);
        node.env("SELVEDGE_SERVE", repo.target.join("debug/serve"));
        node.env("SELVEDGE_MEASURED", repo.target.join("measured")).env("SELVEDGE_PAGE_PEERS", &peers);
        node.env("SELVEDGE_PEERS", repo.target.join("peers_page"));
        outputs.push((name.clone(), say::step(&format!("running {name}"), || run::quiet(&mut node))?));
    }
    Ok(outputs)
}

fn collect(output: &str, figures: &mut Figures) -> Result<()> {
    for line in output.lines() {
        if !line.starts_with("{\"figure\"") {
            eprintln!("{line}");
            continue;
        }
        let figure: Value = serde_json::from_str(line).with_context(|| line.to_string())?;
        let name = figure.get("figure").and_then(Value::as_str).context("`figure` is no text")?;
        let value = figure
            .get("value")
            .and_then(Value::as_f64)
            .with_context(|| format!("`{name}` has no `value`"))?;
        let Some(of) = figure.get("of").and_then(Value::as_str) else {
            figures.values.insert(name.to_string(), value);
            continue;
        };
        let key = if of == beside::OURS { name.to_string() } else { format!("{name} of {of}") };
        figures.values.insert(key, value);
        let note = figure.get("note").and_then(Value::as_str).map(str::to_string);
        figures.beside.push(Measured { figure: name.to_string(), of: of.to_string(), value, note });
    }
    Ok(())
}

/// With `only` a part, what the others measure is left out.
fn print(budgets: &Budgets, figures: &Figures, only: Option<Part>) {
    let mut lines = rows(budgets, figures);
    if only.is_some() {
        lines.retain(|[_, measured, ..]| measured != NOT_MEASURED);
    }
    if lines.len() > 1 {
        print!("{}", table::text(&lines));
    }
    // The page's clients and the engines have nothing in common but ours.
    let of_the_page = |one: &Measured| one.figure.starts_with("page: ");
    let (pages, engines): (Vec<Measured>, Vec<Measured>) =
        figures.beside.iter().cloned().partition(of_the_page);
    for beside in [pages, engines].iter().filter(|beside| !beside.is_empty()) {
        let (lines, notes) = beside::rows(beside, budgets);
        println!("{}{}", table::text(&lines), notes.join("\n"));
    }
}

/// The figures that no other client has.
fn rows(budgets: &Budgets, figures: &Figures) -> Vec<[String; 5]> {
    let head = ["figure", "measured", "target", "verdict", "best elsewhere"].map(str::to_string);
    let is_beside = |name: &str| figures.beside.iter().any(|one| name.starts_with(&one.figure));
    let with_target = budgets.figures.iter().filter(|(name, _)| !is_beside(name));
    let with_target = with_target.map(|(name, target)| row(name, figures.values.get(name), Some(target)));
    let others =
        figures.values.iter().filter(|(name, _)| !budgets.figures.contains_key(*name) && !is_beside(name));
    let without = others.map(|(name, value)| row(name, Some(value), None));
    std::iter::once(head).chain(with_target).chain(without).collect()
}

fn row(name: &str, value: Option<&f64>, target: Option<&Figure>) -> [String; 5] {
    let number =
        |value: &f64| target.map_or_else(|| budget::short(*value), |target| target.with_unit(*value));
    let measured = value.map_or(NOT_MEASURED.to_string(), number);
    let wanted = target.map(Figure::wanted).unwrap_or_default();
    let verdict = value.zip(target).map_or("", |(value, target)| target.verdict(*value)).to_string();
    let peer = target.and_then(|target| target.peer.clone()).unwrap_or_default();
    [name.to_string(), measured, wanted, verdict, peer]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_stand_beside_their_targets() -> Result<()> {
        let budgets: Budgets = toml::from_str(
            "[figures.fast]\nunit = 'ns'\nmax = 4\npeer = '14 (x)'\n[figures.many]\nunit = '1/s'\nmin = 100\n[figures.absent]\nunit = 's'",
        )?;
        let mut figures = Figures::default();
        collect(
            "for people\n{\"figure\":\"fast\",\"value\":2.75}\n{\"figure\":\"many\",\"value\":99}",
            &mut figures,
        )?;
        let found = rows(&budgets, &figures);
        let cells =
            |name: &str| found.iter().find(|row| row.first().is_some_and(|cell| cell == name)).cloned();
        assert_eq!(cells("fast"), Some(["fast", "2.75 ns", "<= 4 ns", "ok", "14 (x)"].map(str::to_string)));
        assert_eq!(cells("many"), Some(["many", "99 1/s", ">= 100 1/s", "MISSED", ""].map(str::to_string)));
        figures.values.insert("absent".into(), 3.0);
        let unbounded =
            rows(&budgets, &figures).into_iter().find(|row| row.first().is_some_and(|cell| cell == "absent"));
        assert_eq!(unbounded, Some(["absent", "3 s", "", "", ""].map(str::to_string)));
        assert_eq!(cells("absent"), Some(["absent", "not measured", "", "", ""].map(str::to_string)));
        Ok(())
    }

    #[test]
    fn a_broken_figure_is_told() {
        assert!(collect("{\"figure\": \"fast\"}", &mut Figures::default()).is_err());
    }
}
