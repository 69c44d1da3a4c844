//! The sites of docs/rules.md, checked, tested, simulated and explained by the commands that people use: the shop, and the
//! one with other currencies.

mod common;

use common::{MAP, selvedge};
use std::fs;
use std::path::{Path, PathBuf};

/// The files of the page's example, under the names that its blocks have.
const FILES: [(&str, &str); 6] = [
    ("yaml", "site.yaml"),
    ("csv", "rates.csv"),
    ("yaml", "tracking-plan.yaml"),
    ("yaml", "content.yaml"),
    ("yaml", "rules.yaml"),
    ("yaml", "tests/gift.yaml"),
];

/// What is recorded of a purchase besides.
const CURRENCY: &str = "      currency:
        column: currency
";

/// The blocks that are marked with this language and this file's name, one after the other.
fn blocks(language: &str, name: &str) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/rules.md");
    let page = fs::read_to_string(page).expect("docs/rules.md is there");
    let mark = format!("{language} {name}\n");
    // Outside and inside of fences take turns; a block begins with its mark.
    let inside = page.split("\n```").skip(1).step_by(2);
    let found: Vec<String> =
        inside.filter_map(|block| block.strip_prefix(&mark)).map(|text| format!("{text}\n")).collect();
    assert!(!found.is_empty(), "the page has {name}");
    found.concat()
}

/// A folder with the blocks of these names in it, which stand in the page under this prefix; one of them changed.
fn folder(
    test: &str,
    prefix: &str,
    files: &[(&str, &str)],
    changed: &str,
    change: impl Fn(String) -> String,
) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(folder.join("tests")).expect("a folder");
    for (language, name) in files {
        let text = blocks(language, &format!("{prefix}{name}"));
        let text = if *name == changed { change(text) } else { text };
        fs::write(folder.join(name), text).expect("a file");
    }
    folder
}

/// The example in a folder of its own, one of its files changed.
fn site(test: &str, changed: &str, change: impl Fn(String) -> String) -> PathBuf {
    folder(&format!("rates-{test}"), "rates/", &FILES, changed, change)
}

#[test]
fn the_shop_of_the_page_does_what_its_tests_say() {
    let mut files = FILES.to_vec();
    files.retain(|(_, name)| !matches!(*name, "rates.csv" | "tests/gift.yaml"));
    files.extend([("csv", "catalog.csv"), ("yaml", "tests/hero.yaml")]);
    let folder = folder("page", "", &files, "", |text| text);
    let (is_good, said) = selvedge(&folder, &["test", "."]);
    assert!(is_good && said.contains("1 passed, 0 failed"), "{said}");
}

#[test]
fn the_example_of_the_page_does_what_its_tests_say_and_runs_at_the_edge() {
    let folder = site("example", "", |text| text);
    let (is_good, said) = selvedge(&folder, &["check", "."]);
    assert!(is_good && said.contains("0 errors and 0 warnings"), "{said}");
    assert!(said.contains("converted by `fx`, which is known at the edge only"), "{said}");
    let (is_good, said) = selvedge(&folder, &["test", "."]);
    assert!(is_good && said.contains("3 passed, 0 failed"), "{said}");
}

#[test]
fn a_currency_without_a_rate_is_an_error_where_a_file_has_the_rates() {
    let to_francs = |text: String| text.replace("50 USD", "50 CHF");
    let (is_good, said) = selvedge(&site("francs", "rules.yaml", to_francs), &["check", "."]);
    assert!(!is_good && said.contains("E0304") && said.contains("`fx` has no rate of CHF"), "{said}");
}

#[test]
fn pushed_rates_convert_and_where_none_came_nothing_is_known() {
    let pushed =
        |text: String| text.replace("from: csv rates.csv", "from: push\n    columns: {rate: number}");
    let folder = site("pushed", "site.yaml", pushed);
    let case = "- name: at another rate
  given:
    lookups:
      fx:
        - currency: USD
          rate: 2
  events:
    - \"0s purchase {value: 50, currency: USD}\"
  expect:
    - hero: offer
- name: no rate came
  events:
    - \"0s purchase {value: 500, currency: USD}\"
    - \"1s purchase {value: 500, currency: EUR}\"
  expect:
    - hero: none
      reasons:
        gift: unknown
";
    fs::write(folder.join("tests/gift.yaml"), case).expect("a file");
    let (is_good, said) = selvedge(&folder, &["test", "."]);
    assert!(is_good && said.contains("2 passed, 0 failed"), "{said}");
}

#[test]
fn the_prices_of_items_are_converted_with_their_event() {
    let dear = "(count purchase where any(items, price > 50 EUR) in 7d) >= 1";
    let rules = |text: String| {
        let (head, rest) = text.split_once("when: ").expect("a condition");
        let (_, rest) = rest.split_once('\n').expect("it ends");
        format!("{head}when: {dear}\n{rest}")
    };
    let folder = site("items", "rules.yaml", rules);
    let case = |price: u32, hero: &str| {
        format!(
            "- name: {price} dollars
  events:
    - \"0s purchase {{currency: USD, items: [{{price: {price}}}]}}\"
  expect:
    - hero: {hero}
"
        )
    };
    fs::write(folder.join("tests/gift.yaml"), case(55, "offer") + &case(54, "none")).expect("a file");
    let (is_good, said) = selvedge(&folder, &["test", "."]);
    assert!(is_good && said.contains("2 passed, 0 failed"), "{said}");
}

#[test]
fn rates_convert_in_simulations_and_explanations() {
    let folder = site("recorded", "", |text| text);
    fs::write(folder.with_extension("map.yaml"), [MAP, CURRENCY].concat()).expect("a file");
    let mut events = String::from("visitor,time,event,value,currency\n");
    events.push_str(
        "anna,2026-11-01T10:00:00Z,purchase,100,GBP\nberta,2026-11-01T10:00:00Z,purchase,100,USD\n",
    );
    fs::write(folder.with_extension("csv"), events).expect("a file");
    let (is_good, said) = selvedge(
        &folder,
        &[
            "simulate",
            ".",
            "--events",
            "../rates-recorded.csv",
            "--map",
            "../rates-recorded.map.yaml",
            "--json",
        ],
    );
    assert!(is_good, "{said}");
    for (visitor, won) in [("anna", true), ("berta", false)] {
        let command = [
            "explain",
            ".",
            "--events",
            "../rates-recorded.csv",
            "--map",
            "../rates-recorded.map.yaml",
            "--visitor",
            visitor,
            "--at",
            "2026-11-01T10:00:05Z",
        ];
        let (is_good, told) = selvedge(&folder, &command);
        assert!(is_good, "{told}");
        assert_eq!(told.contains("hero: offer (gift)"), won, "{told}\n{said}");
    }
}
