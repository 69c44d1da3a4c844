//! Every path of this repository that README.md or ARCHITECTURE.md names is there.

use std::path::Path;

use anyhow::Result;

use super::Finding;
use crate::repo::Repo;

const DOCUMENTS: [&str; 2] = ["README.md", "ARCHITECTURE.md"];
/// A word in `code` whose first part is one of these is a path of the repository.
const TOP: [&str; 12] = [
    "crates", "worker", "www", "examples", "tests", "benches", "fuzz", "xtask", "docs", ".ci", ".cargo",
    ".github",
];
const EXTENSIONS: [&str; 6] = [".md", ".toml", ".yaml", ".json", ".rs", ".mjs"];

/// Every path in the documents that leads nowhere.
///
/// # Errors
/// When a document cannot be read.
pub fn check(repo: &Repo) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for document in DOCUMENTS {
        let file = repo.path(document);
        let text = std::fs::read_to_string(&file)?;
        for (line, path) in dead(&text, &repo.root) {
            findings.push(Finding::at_line(&file, &repo.root, line, format!("`{path}` is not there")));
        }
    }
    Ok(findings)
}

fn dead(text: &str, root: &Path) -> Vec<(usize, String)> {
    let mut dead = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let named = spans(line).into_iter().filter(|word| is_path(word)).chain(links(line));
        let missing = named.filter(|path| !root.join(path.trim_end_matches('/')).exists());
        dead.extend(missing.map(|path| (index + 1, path)));
    }
    dead
}

/// The words inside of `code`.
fn spans(line: &str) -> Vec<String> {
    let inside = line.split('`').enumerate().filter(|(place, _)| place % 2 == 1).map(|(_, span)| span);
    inside.flat_map(str::split_whitespace).map(str::to_string).collect()
}

/// The targets of [links](to files).
fn links(line: &str) -> Vec<String> {
    let targets = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let files = targets.filter(|target| !target.contains("://") && !target.starts_with(['#', '/']));
    files.filter_map(|target| target.split('#').next()).map(str::to_string).collect()
}

fn is_path(word: &str) -> bool {
    let placeholder = word.contains(['*', '<', '{', '$', '(', '=', ':']) || word.starts_with(['/', '-']);
    let first = word.split('/').next().unwrap_or("");
    let file = !word.contains('/') && EXTENSIONS.iter().any(|extension| word.ends_with(extension));
    let capital = word.starts_with(char::is_uppercase);
    !placeholder && (word.contains('/') && TOP.contains(&first) || file && capital)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_leads_nowhere_is_caught_with_its_line() -> Result<()> {
        let folder = tempfile::tempdir()?;
        std::fs::create_dir_all(folder.path().join("docs"))?;
        std::fs::write(folder.path().join("docs/there.md"), "")?;
        let text = "See `docs/there.md` and [this](docs/there.md#part).\nSee `docs/gone.md`, [that](docs/lost.md) and `GONE.md`.";
        let found = dead(text, folder.path());
        assert_eq!(
            found,
            [(2, "docs/gone.md"), (2, "GONE.md"), (2, "docs/lost.md")]
                .map(|(line, path)| (line, path.to_string()))
        );
        Ok(())
    }

    #[test]
    fn routes_commands_and_addresses_are_no_paths() {
        let text = "`GET /v1/log` `cargo xtask dev` `selvedge_core::wire` `examples/<site>` `site.yaml` [x](https://a.example/docs/b)";
        assert_eq!(dead(text, Path::new("nowhere")), Vec::new());
    }
}
