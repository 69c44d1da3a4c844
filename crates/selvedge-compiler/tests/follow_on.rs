//! One mistake is one error: what follows from it is counted, and not told.

mod common;

use common::{Site, small_site};
use selvedge_compiler::{Code, compile};

const HERO: &str = "\
- name: the offer stands in the hero
  events:
    - 0s session_start
    - \"10s purchase {value: 20}\"
  expect:
    hero: offer
    why: orders = 1
    reasons:
      buyers: capped
";

const RULES: &str = "\
metrics:
  orders: count purchase in session
groups:
  promotions:
    cap: 3 per session
rules:
  - id: buyers
    when: orders >= 1
    show:
      slot: hero
      content: offer
    group: promotions
";

/// The codes that are told of the site with `old` written as `new` in a file, and how many follow from them.
fn told(file: &str, old: &str, new: &str) -> (Vec<Code>, usize) {
    let mut files: Site = small_site();
    files.insert("rules.yaml".to_owned(), RULES.to_owned());
    files.insert("tests/hero.yaml".to_owned(), HERO.to_owned());
    let text = files.get_mut(file).expect("the site has the file");
    assert!(text.contains(old), "{file} has no {old:?}");
    *text = text.replacen(old, new, 1);
    let compilation = compile(&files);
    (compilation.diagnostics.iter().map(|found| found.code).collect(), compilation.held_back)
}

#[test]
fn the_site_of_these_tests_has_no_fault() {
    assert_eq!(told("rules.yaml", "orders >= 1", "orders >= 2").1, 0);
}

#[test]
fn a_rule_that_cannot_be_read_is_no_unknown_rule_to_the_tests() {
    let (codes, held_back) = told("rules.yaml", "orders >= 1", "orders >= 1 x");
    assert_eq!(codes, [Code::E0103]);
    assert_eq!(held_back, 1);
}

#[test]
fn a_count_of_an_unknown_event_is_no_unknown_fact_to_the_tests() {
    let (codes, held_back) = told("rules.yaml", "count purchase", "count purchse");
    assert_eq!(codes, [Code::E0202]);
    assert!(held_back > 0);
}

#[test]
fn a_content_with_an_error_is_no_unknown_content() {
    let (codes, held_back) = told("content.yaml", "type: text", "type: txt");
    assert_eq!(codes, [Code::E0015]);
    assert!(held_back > 0);
}

#[test]
fn all_below_a_misspelt_key_follows_from_it() {
    assert_eq!(told("rules.yaml", "groups:", "group:").0, [Code::E0005]);
}

#[test]
fn a_misspelt_key_is_not_missing_besides() {
    assert_eq!(told("rules.yaml", "- id: buyers", "- name: buyers").0, [Code::E0008]);
    assert_eq!(told("rules.yaml", "      slot: hero", "      slott: hero").0, [Code::E0005]);
}

#[test]
fn what_is_wrong_by_itself_is_told_beside_another_mistake() {
    let mut files: Site = small_site();
    files.insert("rules.yaml".to_owned(), RULES.replace("group: promotions", "group: promotion"));
    files.insert("tests/hero.yaml".to_owned(), HERO.replace("buyers: capped", "bayers: capped"));
    let codes: Vec<Code> = compile(&files).diagnostics.iter().map(|found| found.code).collect();
    assert_eq!(codes, [Code::E0206, Code::E0501]);
}
