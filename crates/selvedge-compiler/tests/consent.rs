//! The consent policy of site.yaml, as it stands in the program; and the examples of docs/consent.md.

mod common;

use common::{Site, rendered, small_site};
use selvedge_compiler::{Code, compile};
use selvedge_core::consent::Mode;
use selvedge_core::wire::program::EdgeConfig;
use serde_json::{Value, json};

/// The small site with this consent policy, and the destinations that stand behind it, if any.
fn site(consent: &str) -> Site {
    let mut files = small_site();
    let text = files.get_mut("site.yaml").expect("a site.yaml");
    let (mut kept, mut is_replaced) = (String::new(), false);
    let replaces = |line: &str| line == "consent:" || (line == "destinations:" && consent.contains(line));
    for line in text.lines() {
        is_replaced = replaces(line) || (is_replaced && line.starts_with(' '));
        if !is_replaced {
            kept.extend([line, "\n"]);
        }
    }
    *text = format!("{kept}{consent}\n");
    files
}

fn edge(consent: &str) -> EdgeConfig {
    let files = site(consent);
    let compilation = compile(&files);
    let said = rendered(&files, &compilation);
    let compiled = compilation.program.unwrap_or_else(|| panic!("{said}"));
    let bytes = compiled.full.encode();
    let edge =
        selvedge_core::wire::program::edge_config(&bytes).expect("it can be read").expect("it is full");
    assert!(selvedge_core::wire::program::edge_config(&compiled.public.encode()).unwrap().is_none());
    edge
}

fn sources(consent: &str) -> Value {
    serde_json::from_str(&edge(consent).consent_sources).expect("it is JSON")
}

fn codes(consent: &str) -> Vec<Code> {
    compile(&site(consent)).diagnostics.iter().map(|found| found.code).collect()
}

#[test]
fn a_site_without_sources_tells_its_pages_of_none() {
    assert_eq!(edge("consent:\n  mode: opt-in").consent_sources, "");
}

#[test]
fn the_profile_of_the_cnil_is_a_mode() {
    let edge = edge("consent:\n  mode: opt-in\n  regions: {FR: cnil, US: opt-out}");
    assert_eq!(edge.consent_regions, [("FR".to_owned(), Mode::Exempt), ("US".to_owned(), Mode::OptOut)]);
}

#[test]
fn the_purposes_of_the_framework_are_bits_and_those_that_are_not_named_stay() {
    let consent = "consent:\n  mode: opt-in\n  wait: 2s\n  sources:\n    tcf:\n      vendor: 755\n      purposes: {analytics: [1, 8]}\n    gpp: true";
    let expected = json!({"read": 12, "wait": 2_000, "vendor": 755, "asked": [0x81, 0x31, 0x4f]});
    assert_eq!(sources(consent), expected);
}

#[test]
fn a_known_platform_is_spelled_out_and_may_be_changed() {
    let found = sources("consent:\n  mode: opt-in\n  sources:\n    platform: onetrust");
    assert_eq!(found["read"], 32);
    assert_eq!(found["platform"]["read"], "OnetrustActiveGroups");
    assert_eq!(found["platform"]["map"], json!([["C0002"], ["C0003"], ["C0004"]]));
    let changed = "consent:\n  mode: opt-in\n  sources:\n    platform:\n      preset: onetrust\n      map: {analytics: [C0002, C0007]}";
    assert_eq!(sources(changed)["platform"]["map"], json!([["C0002", "C0007"], ["C0003"], ["C0004"]]));
    for name in ["onetrust", "cookiebot", "didomi", "usercentrics", "klaro"] {
        let found = sources(&format!("consent:\n  mode: opt-in\n  sources:\n    platform: {name}"));
        let texts = found["platform"]["map"].as_array().unwrap();
        assert!(texts.iter().all(|names| !names.as_array().unwrap().is_empty()), "{name}");
    }
}

#[test]
fn only_paths_are_followed() {
    let read = |read: &str| {
        codes(&format!(
            "consent:\n  mode: opt-in\n  sources:\n    platform:\n      read: {read}\n      map: {{analytics: a}}"
        ))
    };
    for good in ["acme.choices()", "a", "a.b().c", "$a._b"] {
        assert_eq!(read(good), [], "{good}");
    }
    for bad in ["\"a[0]\"", "a('b')", "a..b", "\"a; alert(1)\"", "\"()=>1\"", "a.b(c)", "\"a b\""] {
        assert_eq!(read(bad), [Code::E0870], "{bad}");
    }
}

#[test]
fn under_the_profile_of_the_cnil_nobody_else_is_told_of_analytics() {
    let with = |purposes: &str, requires: &str| {
        codes(&format!(
            "consent:\n  mode: cnil\ndestinations:\n  out:\n    type: queue\n    queue: A\n    dead_letter: B\n    purposes: {purposes}\n    requires: {requires}"
        ))
    };
    assert!(with("[analytics]", "all").contains(&Code::E0872));
    assert!(with("[analytics, personalization]", "any").contains(&Code::E0872));
    assert!(!with("[analytics, personalization]", "all").contains(&Code::E0872));
    assert!(!with("[personalization]", "all").contains(&Code::E0872));
    let log =
        codes("consent:\n  mode: cnil\ndestinations:\n  own:\n    type: log\n    purposes: [analytics]");
    assert!(!log.contains(&Code::E0872));
}

/// Every example of docs/consent.md compiles: the blocks of YAML that begin with `consent:`.
#[test]
fn the_examples_of_consent_md_compile() {
    let page = include_str!("../../../docs/consent.md");
    let blocks: Vec<&str> =
        page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(blocks.len() >= 8, "{}", blocks.len());
    for block in blocks {
        let files = site(block);
        let compilation = compile(&files);
        let errors = compilation.diagnostics.iter().filter(|found| found.code.as_str().starts_with('E'));
        assert_eq!(errors.count(), 0, "{block}\n{}", rendered(&files, &compilation));
    }
}
