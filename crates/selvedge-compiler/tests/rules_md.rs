//! docs/rules.md says what is so: its examples compile, what it calls refused is refused, its tables are complete.

mod common;

use common::{Site, codes, rendered, small_site};
use selvedge_compiler::{Code, Severity, compile};
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

/// What stands under a heading of the page.
fn section(heading: &str) -> String {
    let page = page();
    let (_, rest) = page.split_once(&format!("\n## {heading}\n")).expect("the page has it");
    rest.split("\n## ").next().expect("it is there").to_owned()
}

/// The words between backticks, without file names and codes.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).filter(|word| !word.contains('.')).collect()
}

/// The codes of the small site, where these words of one of its files are others.
fn codes_with(file: &str, from: &str, to: &str) -> Vec<Code> {
    let mut files = small_site();
    let text = files.get_mut(file).expect("the small site has it");
    assert!(text.contains(from), "{text}");
    *text = text.replacen(from, to, 1);
    codes(&files)
}

#[test]
fn what_is_said_otherwise_is_refused_with_what_to_write() {
    let section = section("Said otherwise");
    let (list, _) = section.split_once("\n\nWhat is").expect("a paragraph behind it");
    let mut words = quoted(list);
    // What a rule calls them instead, and whose they are, is no word of other systems.
    words.retain(|word| !["trigger", "when", "id", "consent"].contains(word));
    let of_rule = |word: &str, key: &str| ("rules.yaml", format!("{key}:"), format!("{word}:"));
    let of_site = |from: &str, to: &str| ("site.yaml", from.to_owned(), to.to_owned());
    let of_property =
        |key: &str| ("tracking-plan.yaml", "type: money".to_owned(), format!("type: money\n        {key}"));
    let written = [
        ("on", ("rules.yaml", "    when:".to_owned(), "    on: page\n    when:".to_owned())),
        ("if", of_rule("if", "when")),
        ("condition", of_rule("condition", "when")),
        ("name", of_rule("name", "id")),
        ("origin", of_site("currency: EUR", "currency: EUR\norigin: https://shop.example")),
        ("webhook", of_site("type: browser", "type: webhook")),
        ("cmp", of_site("mode: opt-in", "mode: opt-in\n  cmp: tcf")),
        ("purposes", of_site("mode: opt-in", "mode: opt-in\n  purposes: [analytics]")),
        ("pattern", of_property("pattern: a*")),
        ("min", of_property("min: 0")),
        ("max", of_property("max: 9")),
        ("properties", of_property("properties: {}")),
    ];
    assert_eq!(words, written.clone().map(|(word, _)| word), "each word of the page, in its order");
    for (word, (file, from, to)) in written {
        let found = codes_with(file, &from, &to);
        assert!(found.contains(&Code::E0008), "{word}: {found:?}");
    }
}

#[test]
fn what_yaml_does_silently_is_an_error() {
    let section = section("What YAML does silently");
    let rows = section.lines().filter(|line| line.starts_with('|')).skip(2).collect::<Vec<_>>();
    let when = "when: session.pages >= 2";
    let written = [
        ("`when: ! x`", when, "when: ! visitor.is_new", Code::E0009),
        ("`when: a >= 2 # and b`", when, "when: session.pages >= 2 # and visitor.is_new", Code::E0010),
        (
            "`{when: a in [\"x\", \"y\"], ...}`",
            "  - id: offer-hero\n    when: session.pages >= 2\n    show:\n      slot: hero\n      content: offer\n",
            "  - {id: a, when: utm.medium in [\"x\", \"y\"], show: {slot: hero, content: offer}}\n",
            Code::E0011,
        ),
        ("a key indented deeper", when, "when: session.pages >= 2\n      priority: 5", Code::E0012),
    ];
    assert_eq!(rows.len(), written.len(), "each row of the page is written here");
    for (row, (words, from, to, code)) in rows.iter().zip(written) {
        assert!(row.starts_with(&format!("| {words}")), "{row}");
        assert_eq!(codes_with("rules.yaml", from, to), [code], "{words}");
    }
}
