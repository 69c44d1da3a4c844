//! What the command prints of a site's cases.

mod given;

mod time;

use super::*;
use crate::testing::new_site;
use selvedge_compiler::{Compiled, compile};

fn site(tests: &str) -> Compiled {
    site_with(&new_site()["rules.yaml"], tests)
}

fn site_with(rules: &str, tests: &str) -> Compiled {
    let mut files = new_site();
    files.insert("rules.yaml".to_owned(), rules.to_owned());
    files.insert("tests/hero.yaml".to_owned(), tests.to_owned());
    let compilation = compile(&files);
    compilation.program.unwrap_or_else(|| panic!("{:?}", compilation.diagnostics))
}

fn report(tests: &str) -> String {
    reported(&site(tests))
}

fn reported(compiled: &Compiled) -> String {
    let stage = Stage::of(compiled).unwrap();
    let cases = compiled.cases.iter();
    let cases = cases.map(|case| (case, run_case(&stage, case, &compiled.timezone).unwrap())).collect();
    Report { site: Path::new("my-site"), cases, left_out: 0 }.text()
}

#[test]
fn the_tests_of_a_new_site_pass() {
    insta::assert_snapshot!(report(&new_site()["tests/hero.yaml"]));
}

#[test]
fn a_failure_says_what_was_found_why_and_what_happened() {
    insta::assert_snapshot!(report(
        "
- name: one shoe view ships free
  events:
    - 0s session_start
    - \"10s product_view {sku: s-1, category: shoes}\"
  expect:
    hero: free-shipping
    why: shoe_views = 2
- name: the third time it is still there
  events:
    - 0s session_start
    - \"1s product_view {sku: s-1, category: shoes}\"
    - \"2s product_view {sku: s-2, category: shoes}\"
    - \"1m page {path: /a}\"
    - \"2m page {path: /b}\"
  expect:
    - at: 2s
      hero: none
    - at: 2m
      hero: free-shipping
"
    ));
}

#[test]
fn a_count_leaves_its_window_while_nothing_happens() {
    let text = report(
        "
- name: a look is forgotten after ten minutes
  events:
    - \"0s product_view {sku: s-1, category: shoes}\"
    - \"5m product_view {sku: s-2, category: shoes}\"
  expect:
    - at: 599s
      why: shoe_views = 2
    - at: 10m
      hero: free-shipping
      why: shoe_views = 1
      reasons:
        free-shipping: held
",
    );
    assert_eq!(text, "ok    a look is forgotten after ten minutes\n1 passed, 0 failed\n");
}

#[test]
fn an_event_that_nothing_allows_fails_the_case() {
    let text = report(
        "
- name: without consent nothing is known
  consent: none
  events:
    - \"10s add_to_cart {sku: s-1}\"
  expect:
    hero: none
",
    );
    assert!(text.contains("refused: no_consent"), "{text}");
}

#[test]
fn consent_may_change_and_the_clocks_too() {
    let text = report(
        "
- name: what is granted on the way counts from there
  now: 2026-03-29T01:30
  consent: none
  events:
    - \"10s consent {analytics: true, personalization: true}\"
    - \"20s product_view {sku: s-1, category: shoes}\"
    - \"30s product_view {sku: s-2, category: shoes}\"
  expect:
    hero: free-shipping
",
    );
    assert!(text.starts_with("ok "), "{text}");
}

#[test]
fn every_example_passes_its_own_tests() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let folders = std::fs::read_dir(examples).unwrap().map(|entry| entry.unwrap().path());
    for folder in folders.filter(|path| path.is_dir()) {
        let compilation = compile(&site_files::read(&folder).unwrap());
        let report = reported(&compilation.program.expect("the example compiles"));
        assert!(report.ends_with(" 0 failed\n") && !report.starts_with("0 passed"), "{report}");
    }
}

#[test]
fn times_read_as_they_are_written() {
    let written = [(0, "0s"), (70_000, "1m10s"), (3_600_000, "1h"), (90_061_000, "1d1h1m1s")];
    for (ms, text) in written {
        assert_eq!(offset(ms), text);
    }
}
