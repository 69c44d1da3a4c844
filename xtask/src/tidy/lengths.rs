//! Long files are told; a reader's patience is the limit, so nothing fails.

use std::path::Path;

use anyhow::Result;

use super::Finding;
use crate::repo::Repo;
use crate::run;

const LINES_MAX: usize = 300;

/// Every tracked source file over the length that a file aims for.
///
/// # Errors
/// When git cannot list the files.
pub fn check(repo: &Repo) -> Result<Vec<Finding>> {
    let list = run::quiet(
        run::command("git", &repo.root).args(["ls-files", "-z", "*.rs", "*.ts", "*.tsx", "*.mjs"]),
    )?;
    let read = |name: &str| Some((name.to_string(), std::fs::read_to_string(repo.path(name)).ok()?));
    let files = list.split('\0').filter(|name| !name.is_empty()).filter_map(read);
    Ok(files.filter_map(|(name, text)| too_long(Path::new(&name), &text)).collect())
}

fn too_long(file: &Path, text: &str) -> Option<Finding> {
    let lines = text.lines().count();
    let message = format!("has {lines} lines; aim for {LINES_MAX}");
    (lines > LINES_MAX).then(|| Finding::in_file(file, Path::new(""), message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_301_lines_is_told_and_one_of_300_is_not() {
        assert!(too_long(Path::new("a.rs"), &"x\n".repeat(300)).is_none());
        assert!(too_long(Path::new("a.rs"), &"x\n".repeat(301)).is_some());
    }
}
