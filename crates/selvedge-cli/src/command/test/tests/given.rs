//! What is given to a case beside its events, and what destinations are told in it.

use super::{reported, site_with};
use crate::testing::new_site;
use selvedge_compiler::{Severity, compile};

pub(super) const ACCOUNTS: &str = "
attributes:
  account.plan:
    type: text
    from: account
suppress:
  - name: gold-members
    when: account.plan = \"gold\"
    on_unknown: allow
rules:
  - id: remind
    when: sequence add_to_cart then no product_view within 8m
    show:
      slot: hero
      content: free-shipping
";

const KINDS: &str = "
attributes:
  ends:
    type: time
    from: visitor
  likes:
    type: list
    from: visitor
rules:
  - id: ends-soon
    when: ends within next 3d and likes contains \"hats\"
    show:
      slot: hero
      content: free-shipping
    priority: 2
  - id: later
    trigger: product_view
    after: 15m
    when: (count product_view in session) >= 2
    show:
      slot: hero
      content: free-shipping
    priority: 9
  - id: looks
    when: (count product_view in session) >= 1
    show:
      slot: hero
      content: free-shipping
    priority: 1
";

#[test]
fn times_and_lists_are_given_and_a_case_is_looked_at_in_the_order_of_time() {
    let compiled = site_with(
        KINDS,
        "
- name: a time as text, a list as a list
  now: 2026-03-28T12:00
  given:
    ends: \"2026-03-31T10:00:00Z\"
    likes: [shoes, hats]
  events:
    - 0s session_start
    - \"1m product_view {sku: a, category: shoes}\"
    - \"5m product_view {sku: b, category: shoes}\"
  expect:
    - hero: free-shipping
      reasons:
        ends-soon: held
        later: waits
    - at: 0s
      hero: free-shipping
    - at: 19m
      reasons:
        later: waits
    - at: 21m
      reasons:
        later: lower_priority
",
    );
    let text = reported(&compiled);
    assert_eq!(text, "ok    a time as text, a list as a list\n1 passed, 0 failed\n");
}

#[test]
fn who_has_the_slot_and_how_far_a_count_goes_is_said() {
    let compiled = site_with(
        KINDS,
        "
- name: another has the slot
  given:
    ends: \"2026-06-01T20:00:00Z\"
    likes: hats
  events:
    - 0s session_start
    - \"1m product_view {sku: a, category: shoes}\"
  expect:
    reasons:
      looks: won
- name: more is asked than is counted
  events:
    - 0s session_start
    - \"1m product_view {sku: a, category: shoes}\"
    - \"2m product_view {sku: a, category: shoes}\"
    - \"3m product_view {sku: a, category: shoes}\"
    - \"4m product_view {sku: a, category: shoes}\"
  expect:
    why: (count product_view in session) = 4
",
    );
    let text = reported(&compiled);
    for part in
        ["found     lower_priority (ends-soon is held)", "write `(count product_view in session) >= ...`"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn facts_of_an_account_are_given_like_others() {
    let compiled = site_with(
        ACCOUNTS,
        "
- name: gold members are left alone
  given:
    account.plan: gold
  events:
    - 0s session_start
    - \"1m add_to_cart {sku: a}\"
  expect:
    at: 10m
    hero: none
    reasons:
      remind: suppressed_by
- name: somebody else of the account turns it to gold
  events:
    - 0s session_start
    - \"1m add_to_cart {sku: a}\"
    - at: 2m
      event: group
      member: 1
      properties:
        account.plan: gold
  expect:
    at: 10m
    reasons:
      remind: suppressed_by
",
    );
    assert!(reported(&compiled).ends_with("2 passed, 0 failed\n"), "{}", reported(&compiled));
}

const TOLD: &str = "
attributes:
  tier:
    type: text
    from: visitor
rules:
  - id: left-behind
    when: sequence add_to_cart then no product_view within 8m and catalog[page.sku].stock >= 1
    emit:
      to: mail
      enter: reminder
      exit_when: (count product_view in session) >= 1
      fields: [tier]
";

fn told(tests: &str) -> String {
    let mut files = new_site();
    let catalog = "lookups:\n  catalog:\n    key: sku\n    from: csv catalog.csv\n";
    let mail = "destinations:\n  mail:\n    type: log\n    purposes: [personalization]\n";
    let site = format!("{}\n{catalog}{mail}", files["site.yaml"]);
    files.insert("site.yaml".to_owned(), site);
    files.insert("catalog.csv".to_owned(), "sku,stock,name\na,0,Boot\nb,1,Cap\n".to_owned());
    files.insert("rules.yaml".to_owned(), TOLD.to_owned());
    files.insert("tests/hero.yaml".to_owned(), tests.to_owned());
    let compilation = compile(&files);
    reported(&compilation.program.unwrap_or_else(|| panic!("{:?}", compilation.diagnostics)))
}

#[test]
fn what_destinations_are_told_is_expected_or_its_absence_and_rows_of_tables_are_given() {
    let text = told(
        "
- name: told of what is there, and taken back
  given:
    tier: gold
    lookups:
      catalog:
        - sku: a
          stock: 3
  events:
    - \"0s page {path: /a, sku: a}\"
    - \"1m add_to_cart {sku: a}\"
    - \"20m product_view {sku: a, category: shoes}\"
  expect:
    - at: 8m
      emit: none
    - at: 9m
      emit:
        rule: left-behind
        fields:
          tier: gold
    - at: 10m
      emit: none
    - at: 20m
      emit: left-behind exit
- name: not told of what the file says is gone
  events:
    - \"0s page {path: /a, sku: a}\"
    - \"1m add_to_cart {sku: a}\"
  expect:
    at: 20m
    emit: none
- name: told of what the file says is there
  events:
    - \"0s page {path: /a, sku: b}\"
    - \"1m add_to_cart {sku: b}\"
  expect:
    at: 20m
    emit: [left-behind]
",
    );
    assert!(text.ends_with("3 passed, 0 failed\n"), "{text}");
}

#[test]
fn a_message_too_many_too_few_or_with_other_fields_fails_the_case() {
    insta::assert_snapshot!(told(
        "
- name: nothing is told
  events:
    - \"0s page {path: /a, sku: b}\"
    - \"1m add_to_cart {sku: b}\"
  expect:
    at: 20m
    emit: none
- name: told with another tier
  given:
    tier: gold
  events:
    - \"0s page {path: /a, sku: b}\"
    - \"1m add_to_cart {sku: b}\"
  expect:
    at: 20m
    emit:
      - rule: left-behind
        fields:
          tier: silver
- name: told twice
  events:
    - \"0s page {path: /a, sku: b}\"
  expect:
    at: 20m
    emit: [left-behind, left-behind exit]
"
    ));
}

#[test]
fn what_cannot_be_given_or_told_is_found_by_check() {
    for (given, expect, code) in [
        ("lookups:\n      stock: []", "hero: none", "E0234"),
        ("lookups:\n      catalog:\n        - sku: a\n          weight: 1", "hero: none", "E0234"),
        ("lookups:\n      catalog:\n        - sku: a\n          stock: many", "hero: none", "E0501"),
        ("lookups:\n      catalog:\n        - stock: 1", "hero: none", "E0501"),
        ("tier: gold", "emit: left", "E0501"),
        ("cart.value: 50", "hero: none", "E0501"),
        ("time_of_day: \"22:00\"", "hero: none", "E0501"),
    ] {
        let tests = format!("- name: wrong\n  given:\n    {given}\n  expect:\n    {expect}\n");
        let mut files = new_site();
        let catalog = "lookups:\n  catalog:\n    key: sku\n    from: csv catalog.csv\n";
        let mail = "destinations:\n  mail:\n    type: log\n    purposes: [personalization]\n";
        files.insert("site.yaml".to_owned(), format!("{}\n{catalog}{mail}", new_site()["site.yaml"]));
        files.insert("catalog.csv".to_owned(), "sku,stock\na,0\n".to_owned());
        files.insert("rules.yaml".to_owned(), TOLD.to_owned());
        files.insert("tests/hero.yaml".to_owned(), tests);
        let found = compile(&files).diagnostics;
        let errors = found.iter().filter(|found| found.code.severity() == Severity::Error);
        let found: Vec<String> = errors.map(|found| found.code.to_string()).collect();
        assert_eq!(found, [code], "{given} {expect}");
    }
}
