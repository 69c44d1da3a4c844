//! The log in files: NDJSON that goes on where it was cut, and Parquet that DuckDB reads as the same events.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use selvedge_cli::arguments::log::LogArguments;
use selvedge_cli::command::log;
use selvedge_cli::remote::RemoteArguments;
use selvedge_tests::{Visitor, World, now_ms};
use serde_json::{Value, json};
use xtask::repo::Repo;
use xtask::setup;

fn arguments(world: &World) -> LogArguments {
    LogArguments {
        from: None,
        since: None,
        until: None,
        visitor: None,
        limit: None,
        live: false,
        json: false,
        out: None,
        parquet: None,
        plan: None,
        site: None,
        remote: RemoteArguments { url: world.url(), token: world.admin_token().to_owned() },
    }
}

/// Some visitors who do what the plan has typed properties for, and send what it has not.
fn visit(world: &World, seeds: std::ops::Range<u64>) -> Result<()> {
    for seed in seeds {
        let mut visitor = Visitor::new(seed);
        let events = [
            visitor.track("home", json!({})),
            visitor.track("search", json!({"query": "naïve 👟 \"boots\"", "results": 7, "big": u64::MAX})),
            visitor.track(
                "product_view",
                json!({"category": "shoes", "sku": "NG-1", "value": 129.95, "currency": "EUR", "row": 3,
                    "nested": {"a": [1, null, true]}}),
            ),
            visitor.track("filter_results", json!({"category": "hats", "waterproof": seed % 2 == 0})),
        ];
        let batch = visitor.batch(&events).to_string();
        let answer = world.client().post("/v1/collect", &[], batch.as_bytes())?;
        ensure!(answer.status == 200 && answer.json()?["accepted"] == 4, "{}", answer.text());
    }
    Ok(())
}

fn lines(path: &Path) -> Result<Vec<Value>> {
    let text = std::fs::read_to_string(path)?;
    text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

#[test]
fn an_export_goes_on_behind_its_last_line_and_is_what_the_worker_sends() -> Result<()> {
    let world = World::start()?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("log.ndjson");
    visit(&world, 1..6)?;
    log::run(&LogArguments { out: Some(path.clone()), limit: Some(7), ..arguments(&world) })?;
    assert_eq!(lines(&path)?.len(), 7);
    // A run that was killed leaves half a line.
    std::fs::OpenOptions::new()
        .append(true)
        .open(&path)
        .and_then(|mut file| std::io::Write::write_all(&mut file, br#"{"cursor":"0.9","id":"half"#))?;
    visit(&world, 6..9)?;
    for _ in 0..2 {
        log::run(&LogArguments { out: Some(path.clone()), ..arguments(&world) })?;
        let text = std::fs::read_to_string(&path)?;
        let mut exported: Vec<&str> = text.lines().collect();
        assert_eq!(exported.len(), 32);
        let sent = world.admin_get("/v1/log?from=")?.text();
        // Between shards the order is that of receipt, as far as it was known; cursors differ with it.
        let mut sent: Vec<&str> = sent.lines().collect();
        let without_cursor = |line: &mut &str| *line = line.split_once("\",").map_or("", |(_, rest)| rest);
        exported.iter_mut().for_each(without_cursor);
        sent.iter_mut().for_each(without_cursor);
        exported.sort_unstable();
        sent.sort_unstable();
        assert_eq!(exported, sent);
    }
    Ok(())
}

#[test]
fn a_time_bounds_what_is_read() -> Result<()> {
    let world = World::start()?;
    visit(&world, 1..3)?;
    let between = now_ms() + 1;
    while now_ms() <= between {}
    visit(&world, 3..4)?;
    let count = |query: &str| -> Result<usize> {
        Ok(world.admin_get(&format!("/v1/log?{query}"))?.json_lines()?.len())
    };
    assert_eq!(count(&format!("since={between}"))?, 4);
    assert_eq!(count(&format!("until={between}"))?, 8);
    assert_eq!(count(&format!("since=0&until={}", now_ms() + 1_000))?, 12);
    assert_eq!(world.admin_get("/v1/log?since=yesterday")?.status, 400);
    Ok(())
}

/// What DuckDB says of the files.
fn read_by_duckdb(folder: &Path) -> Result<Value> {
    let repo = Repo::find()?;
    let script = repo.path("tests/oracle/parquet.py");
    let output = Command::new(setup::python(&repo)?).arg(script).arg(folder).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).context("what DuckDB says")
}

/// A cell as the line has it: nested values are JSON text in the file.
fn expected(line: &Value, column: &str) -> Value {
    let of_line = |name: &str| line.get(name).cloned().unwrap_or(Value::Null);
    match column {
        "time" => of_line("time_ms"),
        "received_at" => of_line("received_at_ms"),
        name => match name.strip_prefix("property_") {
            Some(property) => line["properties"].get(property).cloned().unwrap_or(Value::Null),
            None => of_line(name),
        },
    }
}

fn is_same(cell: &Value, kind: &str, expected: &Value) -> bool {
    match (cell, kind) {
        (Value::String(text), "JSON") => {
            serde_json::from_str::<Value>(text).is_ok_and(|read| read == *expected)
        }
        _ => cell == expected,
    }
}

#[test]
fn duckdb_reads_the_parquet_files_as_the_same_events() -> Result<()> {
    let world = World::start()?;
    let folder = tempfile::tempdir()?;
    let plan: PathBuf = Repo::find()?.path("examples/shop");
    let parquet = || LogArguments {
        parquet: Some(folder.path().to_path_buf()),
        plan: Some(plan.clone()),
        ..arguments(&world)
    };
    visit(&world, 1..40)?;
    log::run(&parquet())?;
    visit(&world, 40..50)?;
    log::run(&parquet())?;
    let read = read_by_duckdb(folder.path())?;
    let rows = read["rows"].as_array().context("rows")?;
    let by_id: BTreeMap<String, Value> = world
        .log()?
        .into_iter()
        .map(|line| (line["id"].as_str().unwrap_or_default().to_owned(), line))
        .collect();
    assert_eq!((rows.len(), by_id.len()), (49 * 4, 49 * 4), "no event twice, none missing");
    let kinds = read["columns"].as_object().context("columns")?;
    for (name, kind) in [
        ("time", "TIMESTAMP WITH TIME ZONE"),
        ("late", "BOOLEAN"),
        ("sequence", "BIGINT"),
        ("properties", "JSON"),
        ("property_value", "DOUBLE"),
        ("property_results", "BIGINT"),
        ("property_waterproof", "BOOLEAN"),
        ("property_sku", "VARCHAR"),
    ] {
        assert_eq!(kinds[name], kind, "{name}");
    }
    for row in rows {
        let line = &by_id[row["id"].as_str().unwrap_or_default()];
        for (column, kind) in kinds.iter().filter(|(column, _)| *column != "cursor") {
            let (cell, expected) = (&row[column], expected(line, column));
            assert!(
                is_same(cell, kind.as_str().unwrap_or_default(), &expected),
                "{column}: {cell} is not {expected}"
            );
        }
    }
    Ok(())
}
