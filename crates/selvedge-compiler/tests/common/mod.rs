//! Sites for tests: folders of the repository, and a small one that tests change.
#![allow(dead_code, reason = "each test file uses a part of it")]

pub mod kleene;
pub mod machine;
pub mod visit;

use selvedge_compiler::{Code, Compilation, Compiled, compile, render};
use std::collections::BTreeMap;
use std::path::Path;

/// The files of a site.
pub type Site = BTreeMap<String, String>;

/// The files of a folder, relative to the repository's root.
pub fn site_folder(folder: &str) -> Site {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder);
    let mut files = Site::new();
    for entry in std::fs::read_dir(&root).expect("the folder is there") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        if path.is_file() && name.ends_with(".yaml") {
            files.insert(name, std::fs::read_to_string(&path).expect("readable"));
        }
    }
    files
}

/// A small site with everything that a rule may name.
pub fn small_site() -> Site {
    site_folder("crates/selvedge-compiler/tests/site")
}

/// The small site with these rules.
pub fn with_rules(rules: &str) -> Site {
    let mut files = small_site();
    files.insert("rules.yaml".to_owned(), rules.to_owned());
    files
}

/// The small site with one rule of this condition, under these attributes, metrics and audiences.
pub fn with_condition(head: &str, condition: &str) -> Site {
    let quoted = condition.replace('\'', "''");
    with_rules(&format!(
        "{head}rules:\n  - id: offer-hero\n    when: '{quoted}'\n    show:\n      slot: hero\n      content: offer\n"
    ))
}

/// What people see of a compilation.
pub fn rendered(files: &Site, compilation: &Compilation) -> String {
    let texts = compilation.diagnostics.iter().map(|found| render(found, &files[&found.file]));
    texts.collect::<Vec<_>>().join("\n\n")
}

/// The program of a site that must compile.
pub fn compiled(files: &Site) -> Compiled {
    let mut compilation = compile(files);
    match compilation.program.take() {
        Some(program) => program,
        None => panic!("{}", rendered(files, &compilation)),
    }
}

/// The codes found in a site, sorted.
pub fn codes(files: &Site) -> Vec<Code> {
    let mut codes: Vec<Code> = compile(files).diagnostics.iter().map(|found| found.code).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}
