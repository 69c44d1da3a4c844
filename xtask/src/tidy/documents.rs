//! The documents that people read, and what stands in them as code.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::repo::Repo;
use crate::run;

/// A document: where it is, and its text.
#[derive(Debug)]
pub struct Document {
    /// Its file.
    pub file: PathBuf,
    /// What stands in it.
    pub text: String,
}

/// Every tracked document but the changelog, which speaks of what was.
///
/// # Errors
/// When git cannot list them, or one cannot be read.
pub fn documents(repo: &Repo) -> Result<Vec<Document>> {
    let list = run::quiet(run::command("git", &repo.root).args(["ls-files", "-z", "*.md"]))?;
    let names = list.split('\0').filter(|name| !name.is_empty() && *name != "CHANGELOG.md");
    let read = |name| {
        let file = repo.path(name);
        Ok(Document { text: std::fs::read_to_string(&file)?, file })
    };
    names.map(read).collect()
}

impl Document {
    /// The folder that its links start from.
    pub fn folder(&self) -> &Path {
        self.file.parent().unwrap_or(&self.file)
    }
}

/// What stands in `code` on a line.
pub fn spans(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').enumerate().filter(|(place, _)| place % 2 == 1).map(|(_, span)| span)
}
