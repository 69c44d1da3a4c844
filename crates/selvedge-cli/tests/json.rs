//! What the commands print with `--json`: programs read it, so that a key which goes or changes breaks somebody.

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn selvedge(folder: &Path, command: &[&str]) -> Output {
    let mut run = Command::new(env!("CARGO_BIN_EXE_selvedge"));
    run.args(command).current_dir(folder).output().expect("it runs")
}

/// The folder that `selvedge new` makes.
fn site(test: &str) -> PathBuf {
    let parent = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let folder = parent.join(format!("json-{test}"));
    let _ = fs::remove_dir_all(&folder);
    let made = selvedge(parent, &["new", &format!("json-{test}")]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    folder
}

fn change(folder: &Path, file: &str, from: &str, to: &str) {
    let text = fs::read_to_string(folder.join(file)).expect("it is there");
    assert!(text.contains(from), "{text}");
    fs::write(folder.join(file), text.replace(from, to)).expect("it is written");
}

/// The one document that the command prints, without what changes with every change of a program's format: its bytes, and
/// the name that they give it.
fn printed(folder: &Path, command: &[&str]) -> String {
    let output = selvedge(folder, command);
    let mut document: Value = serde_json::from_slice(&output.stdout).expect("one document of JSON");
    redact(&mut document);
    serde_json::to_string_pretty(&document).expect("it is JSON")
}

fn redact(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match (key.as_str(), &*value) {
                    ("bytes" | "public_bytes" | "state_bytes_max", Value::Number(_)) => {
                        *value = "bytes".into();
                    }
                    ("state_bound", Value::Array(_)) => *value = "bytes by purpose".into(),
                    ("hash" | "program", Value::String(_)) => *value = "HASH".into(),
                    ("full" | "public", Value::String(path)) => {
                        let kind = path.split_once('.').map(|(_, kind)| kind).unwrap_or_default();
                        *value = format!("HASH.{kind}").into();
                    }
                    _ => redact(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(redact),
        _ => {}
    }
}

/// docs/cli.md: `selvedge check --json | jq .errors`.
#[test]
fn check_counts_the_errors_and_says_where_they_are() {
    let folder = site("check");
    assert!(printed(&folder, &["check", "--json"]).contains("\"errors\": 0"));
    change(&folder, "rules.yaml", "when: shoe_views", "when: shoe_viws");
    let checked = printed(&folder, &["check", "--json"]);
    assert!(checked.contains("\"errors\": 1"), "{checked}");
    insta::assert_snapshot!(checked);
}

#[test]
fn test_says_of_each_case_what_happened() {
    let folder = site("test");
    change(&folder, "tests/hero.yaml", "shoe_views = 2", "shoe_views = 3");
    insta::assert_snapshot!(printed(&folder, &["test", "--json"]));
}

#[test]
fn explain_gives_every_test_of_every_rule() {
    let command = ["explain", ".", "--at", "2026-03-02T09:00:00Z", "--json"];
    insta::assert_snapshot!(printed(&site("explain"), &command));
}

#[test]
fn inspect_gives_every_part_of_a_program() {
    insta::assert_snapshot!(printed(&site("inspect"), &["inspect", ".", "--json"]));
}

#[test]
fn build_names_the_files_that_it_wrote() {
    let folder = site("build");
    let built = printed(&folder, &["build", "--json", "--out", "built"]);
    insta::assert_snapshot!(built);
    let programs = fs::read_dir(folder.join("built"))
        .expect("it is there")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    assert_eq!(programs.filter(|name| name.ends_with(".svp")).count(), 2);
}
