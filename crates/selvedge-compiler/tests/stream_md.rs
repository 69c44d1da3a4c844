//! docs/stream.md says what is so: its destinations compile, without a word.

mod common;

use common::{rendered, small_site};
use selvedge_compiler::compile;
use std::path::Path;

/// The fenced blocks of the page that are marked so.
fn blocks(mark: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/stream.md");
    let page = std::fs::read_to_string(path).expect("docs/stream.md is there");
    let parts: Vec<&str> = page.split("\n```").collect();
    let inside = parts.iter().skip(1).step_by(2);
    inside.filter_map(|block| Some(format!("{}\n", block.strip_prefix(&format!("{mark}\n"))?))).collect()
}

#[test]
fn every_destination_of_the_page_compiles_and_takes_something() {
    let mut all = String::from("destinations:\n");
    let found = blocks("yaml site.yaml");
    assert!(found.len() >= 5, "{found:?}");
    found.iter().for_each(|block| all.push_str(block.strip_prefix("destinations:\n").expect("destinations")));
    let mut files = small_site();
    let site = files.get_mut("site.yaml").expect("a site");
    let before = site.find("destinations:").expect("destinations");
    site.truncate(before);
    site.push_str(&all);
    site.push_str("goals:\n  order:\n    event: purchase\n    value: value\n");
    let plan = files.get_mut("tracking-plan.yaml").expect("a plan");
    *plan = plan.replace(
        "  purchase:\n    purposes: [analytics, personalization]\n    properties:\n",
        "  purchase:\n    purposes: [analytics, personalization]\n    properties:\n      email:\n        type: text\n        pii: true\n",
    );
    let emitting = blocks("yaml rules.yaml").concat();
    let rules = files.get_mut("rules.yaml").expect("rules");
    rules.push_str(emitting.strip_prefix("rules:\n").expect("rules"));
    rules.push_str("metrics:\n  cart_adds: count add_to_cart in session\n");
    let compilation = compile(&files);
    assert_eq!(rendered(&files, &compilation), "");
    let destinations = compilation.program.expect("a program").full.destinations;
    assert_eq!(destinations.len(), found.len());
}
