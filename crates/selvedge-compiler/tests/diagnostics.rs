//! Every code has an example that triggers it and nothing else, and what people see of it is a snapshot.

mod common;

use common::{Site, rendered, small_site};
use selvedge_compiler::{Code, Severity, compile, compile_beside, docs};
use selvedge_core::wire::program::Parts;
use std::path::Path;

/// Ends the first line of an example for a site that is not the first.
const BESIDE: &str = " beside an older program";

/// The program of the small site, before it was changed.
fn older() -> Parts {
    compile(&small_site()).program.expect("the small site compiles").full
}

/// The small site of these tests, changed as the example's first line says.
fn site_with(example: &str) -> Site {
    let (first, text) = example.split_once('\n').expect("a first line");
    let name = first.trim_start_matches("# ").trim_end_matches(BESIDE);
    let mut files = small_site();
    match name.strip_suffix(" is missing") {
        Some(missing) => {
            files.remove(missing);
        }
        None => {
            files.insert(name.to_owned(), text.to_owned());
        }
    }
    files
}

#[test]
fn the_small_site_is_without_fault() {
    let files = small_site();
    let compilation = compile(&files);
    assert_eq!(rendered(&files, &compilation), "");
    assert!(compilation.program.is_some());
}

#[test]
fn every_code_is_triggered_by_its_example_and_nothing_else_is() {
    let mut wrong = Vec::new();
    for code in Code::ALL {
        let files = site_with(code.example());
        let older = code.example().lines().next().is_some_and(|first| first.ends_with(BESIDE)).then(older);
        let compilation = compile_beside(&files, older.as_ref());
        for found in &compilation.diagnostics {
            assert!(found.help.is_some(), "{code} says nothing of what to do: {}", found.message);
        }
        let only_this = !compilation.diagnostics.is_empty()
            && compilation.diagnostics.iter().all(|found| found.code == *code);
        if !only_this {
            wrong.push(format!("{code}:\n{}", rendered(&files, &compilation)));
        }
        let is_error = code.severity() == Severity::Error;
        assert_eq!(compilation.program.is_none(), is_error, "{code}");
        insta::assert_snapshot!(code.as_str(), rendered(&files, &compilation));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn every_code_has_a_page() {
    for code in Code::ALL {
        assert!(code.doc().len() > 30, "{code} needs a doc");
        assert_eq!(code.as_str().parse(), Ok(*code));
        assert_eq!(code.as_str().starts_with('E'), code.severity() == Severity::Error, "{code}");
    }
}

/// `SELVEDGE_UPDATE_DOCS=1 cargo test -p selvedge-compiler` writes the page.
#[test]
fn docs_diagnostics_md_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/diagnostics.md");
    let page = docs::diagnostics();
    if std::env::var_os("SELVEDGE_UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).expect("docs/diagnostics.md can be written");
    }
    let found = std::fs::read_to_string(&path).expect("docs/diagnostics.md is there");
    assert!(found == page, "docs/diagnostics.md is not current: SELVEDGE_UPDATE_DOCS=1 writes it");
}
