//! The pure crates know no clock, no randomness, no IO and no hash order; core, client and edge no floats either.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Result;

use super::{Finding, source};
use crate::repo::{Repo, files_under};

/// Names that stand for a clock, randomness, IO, threads or an order that differs from run to run.
const IMPURE: [&str; 18] = [
    "Instant",
    "SystemTime",
    "UNIX_EPOCH",
    "HashMap",
    "HashSet",
    "RandomState",
    "DefaultHasher",
    "rand",
    "fastrand",
    "getrandom",
    "thread",
    "thread_local",
    "println",
    "eprintln",
    "fs",
    "env",
    "net",
    "process",
];
/// Floats, whose results may differ from target to target. Their bits may pass through.
const FLOATS: [&str; 2] = ["f32", "f64"];
/// A line that names one of these only passes bits on: to and from an encoder, without arithmetic.
const FLOAT_BITS: [&str; 4] = ["from_bits", "to_bits", "visit_f64", "serialize_f64"];

/// The one file that knows threads: it gives two pieces of work to two of them, and what comes out does not depend on which
/// is done first.
const KNOWS_THREADS: &str = "crates/selvedge-compiler/src/threads.rs";

/// The crates, and whether floats are banned in them too. The compiler reads decimals as a person wrote them.
const CRATES: [(&str, bool); 5] = [
    ("crates/selvedge-core", true),
    ("crates/selvedge-client", true),
    ("crates/selvedge-edge", true),
    ("crates/selvedge-kafka", true),
    ("crates/selvedge-compiler", false),
];

/// Every place in a pure crate that names something impure.
///
/// # Errors
/// When a source file cannot be read.
pub fn check(repo: &Repo) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for (folder, ban_floats) in CRATES {
        findings.extend(check_crate(&repo.path(folder).join("src"), &repo.root, ban_floats)?);
    }
    Ok(findings)
}

fn check_crate(sources: &Path, root: &Path, ban_floats: bool) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let is_test = |path: &Path| path.file_name().is_some_and(|name| name == "tests" || name == "tests.rs");
    for file in files_under(sources, &is_test)? {
        let text = std::fs::read_to_string(&file)?;
        let allowed = if file == root.join(KNOWS_THREADS) { "thread" } else { "" };
        for (line, name) in impurities(&text, ban_floats).into_iter().filter(|(_, name)| name != allowed) {
            let message = format!("`{name}` in a pure crate: time, randomness and IO come in as values");
            findings.push(Finding::at_line(&file, root, line, message));
        }
    }
    Ok(findings)
}

fn impurities(text: &str, ban_floats: bool) -> Vec<(usize, String)> {
    let code = source::code(text);
    let tokens = source::tokens(&code);
    let passes_bits: BTreeSet<usize> =
        tokens.iter().filter(|(_, token)| FLOAT_BITS.contains(token)).map(|(line, _)| *line).collect();
    let is_impure = |index: usize, line: usize, token: &str| {
        let float = FLOATS.contains(&token) || float_literal(token);
        (ban_floats && float && !passes_bits.contains(&line))
            || (IMPURE.contains(&token) && is_path(&tokens, index, token))
    };
    let found = tokens.iter().enumerate().filter(|(index, (line, token))| is_impure(*index, *line, token));
    found.map(|(_, (line, token))| (*line, (*token).to_string())).collect()
}

/// Modules of std have names that fields may have too: they count only as part of a path or as a macro.
fn is_path(tokens: &[(usize, &str)], index: usize, token: &str) -> bool {
    if token.starts_with(char::is_uppercase) {
        return true;
    }
    let at = |place: Option<usize>| place.and_then(|place| tokens.get(place)).map_or("", |(_, token)| *token);
    let (before, after) = (at(index.checked_sub(1)), at(index.checked_add(1)));
    let root = at(index.checked_sub(3));
    after == "!"
        || (before == ":" && root == "std")
        || (before != ":" && after == ":" && at(index.checked_add(2)) == ":")
}

/// `1.5f64` and `1f32` are one token each.
fn float_literal(token: &str) -> bool {
    token.starts_with(|first: char| first.is_ascii_digit())
        && FLOATS.iter().any(|float| token.ends_with(float))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_impure_is_caught() {
        let cases = [
            "use std::time::Instant;",
            "let map = HashMap::new();",
            "fn f(x: f64) {}",
            "let x = 1f64;",
            "let x = std::env::var(\"A\");",
            "use std::{thread, fs};\nfs::read(\"a\");",
            "rand::random()",
            "println!(\"a\")",
        ];
        for text in cases {
            assert!(!impurities(text, true).is_empty(), "{text}");
        }
    }

    #[test]
    fn what_is_pure_is_left_alone() {
        let cases = [
            "// Instant and f64\nlet a = \"HashMap\";",
            "f64::from_bits(bits)",
            "let env = self.net;",
            "#[cfg(test)]\nmod tests { use std::collections::HashMap; }",
            "serializer.serialize_f64(f64::from_bits(*bits))",
            "fn visit_f64<E>(self, double: f64) -> Result<Value, E> {",
        ];
        for text in cases {
            assert_eq!(impurities(text, true), Vec::new(), "{text}");
        }
    }

    #[test]
    fn floats_are_banned_only_where_it_is_said() {
        assert!(impurities("fn f(x: f64) {}", false).is_empty());
    }

    #[test]
    fn threads_are_known_in_one_file_and_nothing_else_there() -> Result<()> {
        let root = tempfile::tempdir()?;
        let sources = root.path().join("crates/selvedge-compiler/src");
        std::fs::create_dir_all(&sources)?;
        for file in ["threads.rs", "other.rs"] {
            std::fs::write(sources.join(file), "use std::thread::scope;\nuse std::time::Instant;\n")?;
        }
        let findings = check_crate(&sources, root.path(), false)?;
        let mut places: Vec<&str> = findings.iter().map(|finding| finding.place.as_str()).collect();
        places.sort_unstable();
        let folder = "crates/selvedge-compiler/src";
        assert_eq!(
            places,
            [
                format!("{folder}/other.rs:1"),
                format!("{folder}/other.rs:2"),
                format!("{folder}/threads.rs:2"),
            ]
        );
        Ok(())
    }

    #[test]
    fn a_planted_clock_is_found_in_its_file_and_line() -> Result<()> {
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join("lib.rs"), "//! Doc.\n\nuse std::time::SystemTime;\n")?;
        let findings = check_crate(folder.path(), folder.path(), true)?;
        assert_eq!(findings.iter().map(|finding| finding.place.as_str()).collect::<Vec<_>>(), ["lib.rs:3"]);
        Ok(())
    }
}
