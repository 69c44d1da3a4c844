//! No tracked file names a place of one machine or the host of a package registry.

use std::path::Path;

use anyhow::Result;

use super::Finding;
use crate::repo::Repo;
use crate::run;

/// Home folders and work folders of a machine. Split, so that this file is no finding.
const MACHINE: [&str; 5] = [
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/Us", "ers/"),
    concat!("/wo", "rk/"),
    concat!("/tm", "p/t/"),
];
const HOSTS: [&str; 6] = [
    concat!("registry.npm", "js.org"),
    concat!("static.crates", ".io"),
    concat!("index.crates", ".io"),
    concat!("files.python", "hosted.org"),
    concat!("deb.deb", "ian.org"),
    concat!("proxy.gol", "ang.org"),
];

/// Every line of a tracked file that names one.
///
/// # Errors
/// When git cannot list the files.
pub fn check(repo: &Repo) -> Result<Vec<Finding>> {
    let list = run::quiet(run::command("git", &repo.root).args(["ls-files", "-z"]))?;
    let mut findings = Vec::new();
    for name in list.split('\0').filter(|name| !name.is_empty()) {
        // A file that is not text, or was removed and is not committed yet, names nothing.
        let Ok(text) = std::fs::read_to_string(repo.path(name)) else { continue };
        findings.extend(check_text(Path::new(name), &text));
    }
    Ok(findings)
}

fn check_text(file: &Path, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for found in MACHINE
            .iter()
            .filter(|place| names_machine(line, place))
            .chain(HOSTS.iter().filter(|host| line.contains(**host)))
        {
            findings.push(Finding::at_line(file, Path::new(""), index + 1, format!("names `{found}`")));
        }
    }
    findings
}

/// A machine's folder stands at the start of an absolute path, not inside of a longer one such as an address.
fn names_machine(line: &str, place: &str) -> bool {
    let before = |index: usize| line.get(..index).and_then(|before| before.chars().next_back());
    let inside =
        |character: char| character.is_alphanumeric() || matches!(character, '.' | '_' | '-' | '}' | ')');
    line.match_indices(place).any(|(index, _)| !before(index).is_some_and(inside))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_planted_place_and_host_is_caught() {
        for planted in MACHINE.iter().chain(&HOSTS) {
            let text = format!("fine\nsee {planted}x\n");
            let found = check_text(Path::new("a.md"), &text);
            assert_eq!(
                found.iter().map(|finding| finding.place.as_str()).collect::<Vec<_>>(),
                ["a.md:2"],
                "{planted}"
            );
        }
    }

    #[test]
    fn a_longer_path_that_holds_such_a_word_is_fine() {
        let text = concat!("https://shop.example/ho", "me/shoes and crates/wo", "rk/x");
        assert_eq!(check_text(Path::new("a.md"), text), Vec::new());
    }
}
