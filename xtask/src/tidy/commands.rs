//! Every command that a document shows is one: a chore of `cargo xtask`, or a command of `selvedge` as docs/cli.md, which is
//! made from the command line itself, tells it, with the flags that they have.

use anyhow::Result;
use clap::CommandFactory;

use super::Finding;
use super::documents::{documents, spans};
use crate::arguments::Arguments;
use crate::repo::Repo;

/// Every command in the documents that there is not.
///
/// # Errors
/// When a document cannot be read.
pub fn check(repo: &Repo) -> Result<Vec<Finding>> {
    let told = std::fs::read_to_string(repo.path("docs/cli.md"))?;
    let mut findings = Vec::new();
    for document in documents(repo)? {
        for (line, problem) in wrong(&document.text, &told) {
            findings.push(Finding::at_line(&document.file, &repo.root, line, problem));
        }
    }
    Ok(findings)
}

fn wrong(text: &str, told: &str) -> Vec<(usize, String)> {
    let mut wrong = Vec::new();
    let mut is_fenced = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            is_fenced = !is_fenced;
            continue;
        }
        let is_block = is_fenced || line.starts_with("    ");
        let whole = is_block.then(|| line.trim_start().trim_start_matches("$ "));
        let inline = spans(line).filter(|_| !is_block);
        let problems = whole.into_iter().chain(inline).filter_map(|command| problem(command, told));
        wrong.extend(problems.map(|problem| (index + 1, problem)));
    }
    wrong
}

/// What is wrong with a command; nothing where it is none of ours.
fn problem(command: &str, told: &str) -> Option<String> {
    let words: Vec<&str> =
        command.split_whitespace().take_while(|word| !["|", "#", "&&", ">"].contains(word)).collect();
    match words.as_slice() {
        ["cargo", "xtask", name, given @ ..] => chore_problem(name, given),
        ["selvedge", name, ..] if !name.starts_with('-') => command_problem(&words, told),
        _ => None,
    }
}

/// A command may be one of a command's own: `selvedge lookups push`.
fn command_problem(words: &[&str], told: &str) -> Option<String> {
    let of_length = |length| section(told, &words.get(..length)?.join(" "));
    let Some(section) = of_length(3).or_else(|| of_length(2)) else {
        return Some(format!("`{}` is no command", words.get(..2)?.join(" ")));
    };
    let unknown = flags(words).find(|flag| !knows(section, flag))?;
    Some(format!("`{}` has no {unknown}", words.get(..2)?.join(" ")))
}

fn chore_problem(name: &str, given: &[&str]) -> Option<String> {
    let all = Arguments::command();
    let Some(chore) = all.find_subcommand(name) else {
        return Some(format!("`cargo xtask {name}` is no chore"));
    };
    let is_known = |flag: &str| {
        chore
            .get_arguments()
            .any(|known| known.get_long().is_some_and(|long| flag.strip_prefix("--") == Some(long)))
    };
    let unknown = flags(given).find(|flag| !is_known(flag))?;
    Some(format!("`cargo xtask {name}` has no {unknown}"))
}

/// The flags among words, without their values.
fn flags<'a>(words: &[&'a str]) -> impl Iterator<Item = &'a str> {
    let named = words.iter().filter(|word| word.starts_with("--") && word.len() > 2);
    named.filter_map(|word| word.split('=').next())
}

/// What docs/cli.md says under the heading of a command.
fn section<'a>(told: &'a str, command: &str) -> Option<&'a str> {
    let (_, rest) = told.split_once(&format!("## {command}\n"))?;
    rest.split("\n## ").next()?.split("\n### ").next()
}

fn knows(section: &str, flag: &str) -> bool {
    let ends = |rest: &str| !rest.starts_with(|next: char| next.is_ascii_alphanumeric() || next == '-');
    flag == "--help" || section.split(flag).skip(1).any(ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLD: &str = "## selvedge log\n\n  --live\n  --out <DIR>\n\n## selvedge lookups\n\n### selvedge lookups push\n\n  --key\n";

    #[test]
    fn a_command_that_is_not_there_is_caught_with_its_line() {
        let text = "See `cargo xtask drive`.\n\n    selvedge logs --live\n\n```sh\n$ cargo xtask dev --prot 1\n```\n`selvedge log --liv`";
        let found = wrong(text, TOLD);
        assert_eq!(
            found,
            [
                (1, "`cargo xtask drive` is no chore"),
                (3, "`selvedge logs` is no command"),
                (6, "`cargo xtask dev` has no --prot"),
                (8, "`selvedge log` has no --liv"),
            ]
            .map(|(line, problem)| (line, problem.to_string()))
        );
    }

    #[test]
    fn commands_with_what_they_are_given_pass() {
        let text = "`selvedge log --out DIR` `selvedge lookups push stock.csv --key sku` `cargo xtask dev --port 1 | tee --all` \
                    `selvedge --help` `selvedge.track(1)` `cargo test --workspace`";
        assert_eq!(wrong(text, TOLD), Vec::new());
    }
}
