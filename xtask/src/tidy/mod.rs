//! `cargo xtask tidy`: the house rules that no compiler checks. The same runs inside `cargo test -p xtask`.
//!
//! Each rule is a module here. It gives back findings, never stops at the first, and has tests that plant a violation
//! and see it caught.

pub mod source;

pub mod tree;

pub mod documents;

pub mod arrows;
pub mod commands;
pub mod headers;
pub mod leaks;
pub mod lengths;
pub mod module_order;
pub mod paths;
pub mod purity;

use std::fmt;
use std::path::Path;

use anyhow::Result;

use crate::repo::Repo;

/// One place that breaks a rule.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// Where: a path, with a line where there is one.
    pub place: String,
    /// What is wrong there, and what to do.
    pub message: String,
}

impl Finding {
    fn in_file(file: &Path, root: &Path, message: String) -> Finding {
        Finding { place: relative(file, root), message }
    }

    fn at_line(file: &Path, root: &Path, line: usize, message: String) -> Finding {
        Finding { place: format!("{}:{line}", relative(file, root)), message }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.place, self.message)
    }
}

fn relative(file: &Path, root: &Path) -> String {
    file.strip_prefix(root).unwrap_or(file).display().to_string()
}

/// All findings, by the rule that they break.
///
/// # Errors
/// When a file or cargo's metadata cannot be read.
pub fn findings(repo: &Repo) -> Result<Vec<(&'static str, Vec<Finding>)>> {
    Ok(vec![
        ("module order", module_order::check(repo)?),
        ("arrows between crates", arrows::check(repo)?),
        ("pure crates", purity::check(repo)?),
        ("lint headers", headers::check(repo)?),
        ("paths in the documents", paths::check(repo)?),
        ("commands in the documents", commands::check(repo)?),
        ("machine paths and hosts", leaks::check(repo)?),
    ])
}

/// Checks, prints, and gives back whether the house is tidy. Long files are told, but do not fail.
///
/// # Errors
/// When a file or cargo's metadata cannot be read.
pub fn run(repo: &Repo) -> Result<bool> {
    let mut failed = 0_usize;
    for (rule, findings) in findings(repo)? {
        println!("{:<7} {rule}", if findings.is_empty() { "ok" } else { "FAILED" });
        findings.iter().for_each(|finding| println!("        {finding}"));
        failed = failed.saturating_add(findings.len());
    }
    for warning in lengths::check(repo)? {
        println!("warning {warning}");
    }
    println!("{}", if failed == 0 { "tidy".to_string() } else { format!("{failed} findings") });
    Ok(failed == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_repository_is_tidy() -> Result<()> {
        let all = findings(&Repo::find()?)?;
        let told: Vec<String> =
            all.iter().flat_map(|(_, findings)| findings).map(Finding::to_string).collect();
        assert!(told.is_empty(), "\n{}", told.join("\n"));
        Ok(())
    }
}
