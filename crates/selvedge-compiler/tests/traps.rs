//! What YAML does silently, said aloud; and no file, however broken, that the compiler does not survive.

mod common;

use common::{codes, compiled, small_site, with_rules};
use proptest::prelude::*;
use selvedge_compiler::{Code, compile};

const SHOW: &str = "    show:\n      slot: hero\n      content: offer\n";

fn check(rules: &str, expected: &[Code]) {
    let found = codes(&with_rules(rules));
    assert_eq!(found, expected, "{rules}");
}

#[test]
fn an_exclamation_mark_is_never_swallowed() {
    check(&format!("rules:\n  - id: a\n    when: ! visitor.is_new\n{SHOW}"), &[Code::E0009]);
    check(
        &format!("rules:\n  - id: a\n    when: !visitor.is_new session.pages >= 2\n{SHOW}"),
        &[Code::E0009],
    );
    check(&format!("rules:\n  - id: a\n    when: '!visitor.is_new'\n{SHOW}"), &[Code::E0104]);
}

#[test]
fn a_comment_behind_an_unquoted_condition_is_refused_and_elsewhere_allowed() {
    check(&format!("rules:\n  - id: a\n    when: visitor.is_new # yes\n{SHOW}"), &[Code::E0010]);
    check(
        &format!("rules:\n  - id: a\n    when: page.path = \"/a #b\"\n{SHOW}"),
        &[Code::E0010, Code::E0102],
    );
    check("metrics:\n  m: count purchase in 10m # ten\n", &[Code::E0010]);
    check(
        &format!(
            "rules:\n  - id: a # the first\n    # new visitors\n    when: 'visitor.is_new' # yes\n{SHOW}"
        ),
        &[],
    );
}

#[test]
fn a_selector_that_no_browser_takes_is_refused() {
    let found = |selector: &str| {
        let mut files = small_site();
        let site = files.get_mut("site.yaml").expect("the small site has one");
        *site = site.replacen("  hero:", &format!("  hero:\n    selector: {selector}"), 1);
        codes(&files)
    };
    for selector in ["'#hero h1'", "'a[href=\"/x)\"]:not(.b)'", "main > p"] {
        assert_eq!(found(selector), [], "{selector}");
    }
    for selector in ["''", "'a['", "'a)'", "'a[b=\"]'", "'a {color: red}'"] {
        assert_eq!(found(selector), [Code::E0015], "{selector}");
    }
}

#[test]
fn a_condition_in_flow_style_is_refused_where_it_would_be_cut() {
    let show = "show: {slot: hero, content: offer}";
    check(&format!("rules:\n  - {{id: a, when: utm.medium in [\"a\", \"b\"], {show}}}\n"), &[Code::E0011]);
    check(&format!("rules: [{{id: a, {show}, when: session.pages >= 1,000}}]\n"), &[Code::E0011]);
    check("audiences: {paid: utm.medium in [\"a\", \"b\"]}\n", &[Code::E0011]);
    check(&format!("rules:\n  - {{id: a, when: visitor.is_new, {show}}}\n"), &[]);
    check(&format!("rules:\n  - {{id: a, when: 'utm.medium in [\"a\", \"b\"]', {show}}}\n"), &[]);
}

#[test]
fn a_key_swallowed_by_the_value_above_is_found() {
    check(
        &format!("rules:\n  - id: a\n{SHOW}    when: visitor.is_new\n      cap: 1 per session\n"),
        &[Code::E0012],
    );
    let folded = "    when: >-\n      visitor.is_new\n      cap: 1 per session\n";
    assert!(codes(&with_rules(&format!("rules:\n  - id: a\n{SHOW}{folded}"))).contains(&Code::E0012));
}

#[test]
fn an_empty_condition_is_not_always_true() {
    check(&format!("rules:\n  - id: a\n    when:\n{SHOW}"), &[Code::E0006]);
    check(&format!("rules:\n  - id: a\n{SHOW}"), &[]);
}

#[test]
fn words_that_yaml_once_took_for_yes_and_no_are_texts() {
    let rules = "rules:\n  - id: no\n    private: yes\n    show:\n      slot: hero\n      content: offer\n";
    check(rules, &[Code::E0007]);
}

#[test]
fn json_of_the_same_shape_is_accepted() {
    let json = r#"{"rules": [{"id": "a", "when": "utm.medium in [\"cpc\", \"ppc\"]", "show": {"slot": "hero", "content": "offer"}}]}"#;
    let yaml = format!("rules:\n  - id: a\n    when: utm.medium in [\"cpc\", \"ppc\"]\n{SHOW}");
    assert_eq!(compiled(&with_rules(json)).public_bytes, compiled(&with_rules(&yaml)).public_bytes);
}

#[test]
fn a_diagnostic_in_a_folded_condition_points_at_its_own_line() {
    let rules =
        format!("rules:\n  - id: a\n    when: >-\n      visitor.is_new and\n      sesion.pages >= 2\n{SHOW}");
    let found = compile(&with_rules(&rules)).diagnostics;
    assert_eq!((found[0].code, found[0].line, found[0].column), (Code::E0201, 5, 7));
    assert_eq!((found[0].end.line, found[0].end.column), (5, 19));
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_change_nothing() {
    let plain = with_rules(&format!(
        "rules:\n  - id: a\n    when: >-\n      visitor.is_new and\n      session.pages >= 2\n{SHOW}"
    ));
    let marked =
        plain.iter().map(|(name, text)| (name.clone(), format!("\u{feff}{}", text.replace('\n', "\r\n"))));
    assert_eq!(compiled(&plain).public_bytes, compiled(&marked.collect()).public_bytes);
    let rules = format!("\u{feff}rules:\r\n  - id: a\r\n    when: sesion.pages >= 2\r\n{SHOW}");
    let found = compile(&with_rules(&rules)).diagnostics;
    assert_eq!((found[0].line, found[0].column, found[0].end.column), (3, 11, 23));
}

#[test]
fn all_errors_of_all_files_are_found_in_one_run() {
    let mut files = small_site();
    for (name, from, to) in [
        ("site.yaml", "currency: EUR", "currency: euro"),
        ("tracking-plan.yaml", "type: money", "type: cash"),
        ("content.yaml", "type: text", "type: txet"),
        ("rules.yaml", "session.pages >= 2", "sesion.pages >= 2 and visitor.is_old"),
    ] {
        let text = files[name].replace(from, to);
        files.insert(name.to_owned(), text);
    }
    let found = compile(&files).diagnostics;
    let mut named: Vec<&str> = found.iter().map(|found| found.file.as_str()).collect();
    assert!(named.is_sorted());
    named.dedup();
    assert_eq!(named, ["content.yaml", "rules.yaml", "site.yaml", "tracking-plan.yaml"]);
    assert_eq!(found.iter().filter(|found| found.code == Code::E0201).count(), 2);
}

#[test]
fn an_empty_folder_is_said_to_be_empty() {
    let found = compile(&[].into()).diagnostics;
    assert_eq!(found.iter().map(|found| found.code).collect::<Vec<_>>(), [Code::E0001, Code::E0001]);
}

/// Pieces of conditions, good and bad.
fn piece() -> impl Strategy<Value = String> {
    let words = vec![
        "and",
        "or",
        "not",
        "in",
        "between",
        "is",
        "else",
        "where",
        "count",
        "contains",
        "starts_with",
        "known",
        "missing",
        "true",
        "false",
        "visitor.is_new",
        "session.pages",
        "utm.medium",
        "product_view",
        "session",
        "page",
        "10m",
        "2",
        "50 EUR",
        "\"cpc\"",
        "'",
        "\"",
        "(",
        ")",
        "[",
        "]",
        ",",
        "=",
        "!=",
        ">=",
        "!",
        "#",
        "é",
        "“",
        "\\",
        "-",
        "-1",
        "0.5.5",
        "9999999999999999999",
        "sum",
        "sequence",
        "now",
        "any",
        "catalog[",
    ];
    prop_oneof![6 => prop::sample::select(words).prop_map(str::to_owned), 1 => "\\PC{0,3}"]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn no_condition_makes_the_compiler_panic(pieces in prop::collection::vec(piece(), 0..14)) {
        let files = common::with_condition("", &pieces.join(" "));
        let compilation = compile(&files);
        common::rendered(&files, &compilation);
        prop_assert!(compilation.program.is_some() || !compilation.diagnostics.is_empty());
        for found in &compilation.diagnostics {
            prop_assert!(found.help.is_some(), "{} says nothing of what to do: {}", found.code, found.message);
        }
    }

    #[test]
    fn no_broken_file_makes_the_compiler_panic(
        name in prop::sample::select(vec!["site.yaml", "tracking-plan.yaml", "rules.yaml", "content.yaml"]),
        at in 0usize..10_000,
        cut in 0usize..40,
        put in prop::sample::select(vec!["", " ", "\n", "  ", ":", "- ", "{", "[", "'", "\"", "é", "#", "!", "&a ", "*a", "\t", "---\n", "|", ">"]),
    ) {
        let mut files = common::site_folder("examples/shop");
        let characters: Vec<char> = files[name].chars().collect();
        let at = at % characters.len();
        let rest = &characters[(at + cut).min(characters.len())..];
        let text: String = characters[..at].iter().copied().chain(put.chars()).chain(rest.iter().copied()).collect();
        files.insert(name.to_owned(), text);
        let compilation = compile(&files);
        common::rendered(&files, &compilation);
        prop_assert!(compilation.program.is_some() || !compilation.diagnostics.is_empty());
        for found in &compilation.diagnostics {
            prop_assert!(found.help.is_some(), "{} says nothing of what to do: {}", found.code, found.message);
        }
    }
}

#[test]
fn an_empty_file_declares_nothing_and_is_not_refused_without_a_word() {
    for empty in ["", "# nothing yet\n"] {
        let mut files = common::small_site();
        files.insert("rules.yaml".to_owned(), empty.to_owned());
        let compilation = selvedge_compiler::compile(&files);
        assert!(compilation.program.is_some(), "{}", common::rendered(&files, &compilation));
        files.insert("site.yaml".to_owned(), empty.to_owned());
        assert!(!selvedge_compiler::compile(&files).diagnostics.is_empty());
    }
}
