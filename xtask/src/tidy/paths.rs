//! Every path of this repository that a document names is there, and so is every room of the house in ARCHITECTURE.md.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Result;

use super::Finding;
use super::documents::{documents, spans};
use crate::repo::Repo;
use crate::run;

/// A word in `code` whose first part is one of these is a path of the repository.
const TOP: [&str; 13] = [
    "crates", "worker", "www", "examples", "tests", "benches", "fuzz", "xtask", "docs", "ops", ".ci",
    ".cargo", ".github",
];
/// The folders whose folders are rooms of their own.
const FLOORS: [&str; 3] = ["crates", "www", "examples"];
const EXTENSIONS: [&str; 6] = [".md", ".toml", ".yaml", ".json", ".rs", ".mjs"];

/// Every path in the documents that leads nowhere, and every room that the code map leaves out.
///
/// # Errors
/// When a document cannot be read, or git cannot list the files.
pub fn check(repo: &Repo) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for document in documents(repo)? {
        for (line, path) in dead(&document.text, &repo.root, document.folder()) {
            findings.push(Finding::at_line(
                &document.file,
                &repo.root,
                line,
                format!("`{path}` is not there"),
            ));
        }
    }
    let file = repo.path("ARCHITECTURE.md");
    let files = run::quiet(run::command("git", &repo.root).args(["ls-files", "-z"]))?;
    let missing = unnamed(&std::fs::read_to_string(&file)?, files.split('\0'));
    let left_out =
        |room| Finding::in_file(&file, &repo.root, format!("the code map has no row for `{room}`"));
    findings.extend(missing.into_iter().map(left_out));
    Ok(findings)
}

/// The rooms that no row of the code map begins with.
fn unnamed<'a>(map: &str, files: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    let rows = map.lines().filter_map(|line| line.strip_prefix("| ")?.split('|').next());
    let named: BTreeSet<&str> = rows.flat_map(spans).collect();
    files.filter_map(room_of).filter(|room| !named.contains(room.as_str())).collect()
}

/// `crates/selvedge-core`, `xtask`; nothing for a file that stands in no room.
fn room_of(file: &str) -> Option<String> {
    let parts: Vec<&str> = file.split('/').collect();
    match parts.as_slice() {
        [floor, room, _, ..] if FLOORS.contains(floor) => Some(format!("{floor}/{room}")),
        [room, _, ..] if !FLOORS.contains(room) && !room.starts_with('.') => Some((*room).to_owned()),
        _ => None,
    }
}

/// Links start from the document's folder; what stands in `code` from there or from the root.
fn dead(text: &str, root: &Path, folder: &Path) -> Vec<(usize, String)> {
    let is_there = |path: &str, from: &Path| from.join(path.trim_end_matches('/')).exists();
    let mut dead = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let words = spans(line).flat_map(str::split_whitespace).filter(|word| is_path(word));
        let words = words.filter(|path| !is_there(path, root) && !is_there(path, folder));
        let links = links(line).filter(|path| !is_there(path, folder));
        dead.extend(words.chain(links).map(|path| (index + 1, path.to_owned())));
    }
    dead
}

/// The targets of [links](to files).
fn links(line: &str) -> impl Iterator<Item = &str> {
    let targets = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let files = targets.filter(|target| !target.contains("://") && !target.starts_with(['#', '/']));
    files.filter_map(|target| target.split('#').next())
}

fn is_path(word: &str) -> bool {
    let placeholder = word.contains(['*', '<', '{', '$', '(', '=', ':']) || word.starts_with(['/', '-']);
    let first = word.split('/').next().unwrap_or("");
    let file = !word.contains('/') && EXTENSIONS.iter().any(|extension| word.ends_with(extension));
    let capital = word.starts_with(char::is_uppercase);
    // A site has a folder `tests` too.
    let of_a_site = first == "tests" && word.ends_with(".yaml");
    !placeholder && !of_a_site && (word.contains('/') && TOP.contains(&first) || file && capital)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_leads_nowhere_is_caught_with_its_line() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let docs = folder.path().join("docs");
        std::fs::create_dir_all(&docs)?;
        std::fs::write(docs.join("there.md"), "")?;
        let text = "See `docs/there.md` and [this](there.md#part).\nSee `docs/gone.md`, [that](docs/there.md) and `GONE.md`.";
        let found = dead(text, folder.path(), &docs);
        assert_eq!(
            found,
            [(2, "docs/gone.md"), (2, "GONE.md"), (2, "docs/there.md")]
                .map(|(line, path)| (line, path.to_string()))
        );
        Ok(())
    }

    #[test]
    fn routes_commands_and_addresses_are_no_paths() {
        let text = "`GET /v1/log` `cargo xtask dev` `selvedge_core::wire` `examples/<site>` `site.yaml` \
                    `tests/hero.yaml` [x](https://a.example/docs/b)";
        assert_eq!(dead(text, Path::new("nowhere"), Path::new("nowhere")), Vec::new());
    }

    #[test]
    fn a_room_that_the_code_map_leaves_out_is_caught() {
        let map = "| `crates/there` | a room |\n| `www/one`, `www/two` | `ops` is not named here |\n`fuzz`";
        let files =
            ["crates/there/a.rs", "crates/gone/b.rs", "www/two/c.ts", "www/package.json", "ops/d", "fuzz/e"];
        assert_eq!(
            unnamed(map, files.into_iter()),
            BTreeSet::from(["crates/gone", "fuzz", "ops"].map(String::from))
        );
    }
}
