//! docs/rules.md says what is so: its examples compile, what it calls refused is refused, its tables are complete.

mod common;

use common::{Site, rendered};
use selvedge_compiler::{Severity, compile};
use selvedge_core::limits;
use selvedge_core::wire::answer::Reason;
use selvedge_core::wire::program::Builtin;
use std::path::Path;

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/rules.md");
    std::fs::read_to_string(path).expect("docs/rules.md is there")
}

/// Rules of the page that suppressions and conditions name.
const NAMED: [&str; 3] = ["free-shipping-hero", "summer-hero", "cart-reminder"];

/// The fenced blocks that are marked so.
fn blocks(mark: &str) -> Vec<String> {
    let page = page();
    let parts = page.split("\n```").collect::<Vec<_>>();
    // Outside and inside take turns; a block begins with its mark.
    let inside = parts.iter().skip(1).step_by(2);
    let found: Vec<String> = inside
        .filter_map(|block| block.strip_prefix(&format!("{mark}\n")))
        .map(|text| format!("{text}\n"))
        .collect();
    assert!(!found.is_empty(), "no block is marked {mark}");
    found
}

/// The site that the page's blocks make together.
fn site() -> Site {
    ["site.yaml", "tracking-plan.yaml", "content.yaml", "rules.yaml", "tests/hero.yaml"]
        .map(|name| (name.to_owned(), blocks(&format!("yaml {name}")).concat()))
        .into_iter()
        .chain([("catalog.csv".to_owned(), blocks("csv catalog.csv").concat())])
        .collect()
}

/// The page's site with one more rule of this condition, and of its own rules only those that are named elsewhere: all of
/// them and the largest condition would need more than a visitor's state may have.
fn with_condition(condition: &str) -> Site {
    let mut files = site();
    let mut parts = files["rules.yaml"].split("  - id: ");
    let mut rules = parts.next().expect("what stands before the rules").to_owned();
    for rule in parts.filter(|rule| NAMED.iter().any(|named| rule.lines().next() == Some(named))) {
        rules.push_str(&format!("  - id: {rule}"));
    }
    let rules = rules.trim_end().to_owned();
    let rule = format!(
        "{rules}\n  - id: the-example\n    when: '{}'\n    show:\n      slot: hero\n      content: hero_collection\n",
        condition.replace('\'', "''")
    );
    files.insert("rules.yaml".to_owned(), rule);
    files.remove("tests/hero.yaml");
    files
}

#[test]
fn the_site_of_the_page_compiles() {
    let files = site();
    let compilation = compile(&files);
    let errors = compilation.diagnostics.iter().filter(|found| found.severity == Severity::Error);
    assert_eq!(errors.count(), 0, "{}", rendered(&files, &compilation));
}

#[test]
fn every_condition_of_the_page_compiles() {
    for condition in blocks("conditions").concat().lines() {
        let files = with_condition(condition);
        let compilation = compile(&files);
        assert!(compilation.program.is_some(), "{condition}\n{}", rendered(&files, &compilation));
    }
}

#[test]
fn the_page_names_every_fact_reason_and_bound() {
    let page = page();
    for builtin in Builtin::ALL {
        assert!(page.contains(&format!("`{}`", builtin.name())), "{}", builtin.name());
    }
    for reason in Reason::ALL {
        let is_outcome = matches!(reason, Reason::Won | Reason::Held | Reason::Fallback);
        assert!(is_outcome || page.contains(&format!("`{}`", reason.as_str())), "{}", reason.as_str());
    }
    for bound in [
        limits::CONDITION_BYTES_MAX,
        limits::CONDITION_DEPTH_MAX,
        limits::RULES_MAX,
        limits::SLOTS_MAX,
        limits::GROUPS_MAX,
        limits::METRICS_MAX,
        limits::ATTRIBUTES_MAX,
        limits::CONTENTS_MAX,
        limits::INSTRUCTIONS_MAX,
        limits::STATE_BYTES_MAX,
        limits::STATE_TEXT_BYTES_MAX,
        limits::COUNT_THRESHOLD_MAX - 1,
        limits::LOCALES_MAX,
        limits::CONTENT_FIELDS_MAX,
        limits::TEXT_BYTES_MAX,
        limits::CONTENT_VALUES_MAX,
        limits::STEPS_MAX,
    ] {
        assert!(page.contains(&grouped(bound)), "{bound}");
    }
}

/// A number as the page prints it: `60,000`.
fn grouped(number: usize) -> String {
    match number / 1_000 {
        0 => number.to_string(),
        thousands => format!("{thousands},{:03}", number % 1_000),
    }
}
