//! The crates that answer a visitor say in their root that nothing in them panics; the heads also that they need no std.

use anyhow::Result;

use super::{Finding, source};
use crate::repo::Repo;

const PANIC_LINTS: [&str; 6] =
    ["unwrap_used", "expect_used", "panic", "indexing_slicing", "arithmetic_side_effects", "unreachable"];

/// A crate root and what its attributes must name.
const ROOTS: [(&str, bool); 8] = [
    ("crates/selvedge-core/src/lib.rs", true),
    ("crates/selvedge-client/src/lib.rs", true),
    ("crates/selvedge-edge/src/lib.rs", true),
    // `kafka-protocol` needs std.
    ("crates/selvedge-kafka/src/lib.rs", false),
    ("worker/src/lib.rs", false),
    ("crates/selvedge-browser/src/lib.rs", false),
    ("crates/selvedge-rules/src/lib.rs", false),
    ("crates/selvedge-strings/src/lib.rs", false),
];

/// Every crate root that lacks a lint it must deny, or `no_std`.
///
/// # Errors
/// When a crate root cannot be read.
pub fn check(repo: &Repo) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for (root, is_head) in ROOTS {
        let file = repo.path(root);
        for message in lacking(&std::fs::read_to_string(&file)?, is_head) {
            findings.push(Finding::in_file(&file, &repo.root, message));
        }
    }
    Ok(findings)
}

fn lacking(text: &str, is_head: bool) -> Vec<String> {
    let code = source::code(text);
    let tokens: Vec<&str> = source::tokens(&code).into_iter().map(|(_, token)| token).collect();
    let denied = tokens.windows(4).filter_map(|window| match window {
        ["clippy", ":", ":", lint] => Some(*lint),
        _ => None,
    });
    let denied: Vec<&str> = denied.collect();
    let mut lacking: Vec<String> = Vec::new();
    for lint in PANIC_LINTS.iter().filter(|lint| !denied.contains(lint)) {
        lacking.push(format!("the crate root does not deny `clippy::{lint}`"));
    }
    if !tokens.contains(&"deny") {
        lacking.push("the crate root denies no lint".to_string());
    }
    if is_head && !tokens.contains(&"no_std") {
        lacking.push("a head is `#![no_std]`".to_string());
    }
    lacking
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "#![no_std]\n#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, \
                        clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::unreachable))]";

    #[test]
    fn a_complete_header_is_fine() {
        assert_eq!(lacking(GOOD, true), Vec::<String>::new());
    }

    #[test]
    fn each_lint_is_missed() {
        for lint in PANIC_LINTS {
            let text = GOOD.replace(&format!("clippy::{lint}"), "clippy::other");
            assert_eq!(lacking(&text, true), [format!("the crate root does not deny `clippy::{lint}`")]);
        }
        let text = GOOD.replace("#![no_std]", "// no_std");
        assert_eq!(lacking(&text, true), ["a head is `#![no_std]`"]);
        assert!(lacking(&text, false).is_empty());
    }
}
