//! `selvedge check`: everything that is wrong with a site, in one run.

use super::github::annotations;
use crate::arguments::{CheckArguments, CheckFormat};
use crate::exit::Ending;
use crate::site_files;
use anyhow::{Context, Result};
use selvedge_compiler::{
    Compilation, Compiled, Diagnostic, Severity, compile, compile_beside, render, render_colored,
};
use selvedge_core::wire::program::Parts;
use serde_json::json;
use std::collections::BTreeMap;
use std::io::{IsTerminal, stderr, stdout};
use std::path::Path;

/// Runs the command.
///
/// # Errors
/// Where the site's files cannot be read.
pub fn run(arguments: &CheckArguments) -> Result<Ending> {
    let files = site_files::read(&arguments.site)?;
    let older = arguments.against.as_deref().map(program).transpose()?;
    let compilation = compile_beside(&files, older.as_ref());
    let format = if arguments.json { CheckFormat::Json } else { arguments.format };
    match format {
        CheckFormat::Json => println!("{}", serde_json::to_string_pretty(&as_json(&compilation))?),
        CheckFormat::Github => print!("{}", annotations(&compilation, &arguments.site)),
        CheckFormat::Text => {
            print!("{}", as_text(&compilation, &arguments.site, &files, stdout().is_terminal()));
        }
    }
    Ok(if compilation.program.is_some() { Ending::Done } else { Ending::Wrong })
}

/// The parts of a program's file.
fn program(path: &Path) -> Result<Parts> {
    let bytes = std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    Parts::decode(&bytes).with_context(|| format!("{} is no program", path.display()))
}

/// The site in `folder`, compiled; `None` where it has errors. What was found is printed to standard error.
///
/// # Errors
/// Where the site's files cannot be read.
pub fn compiled(folder: &Path) -> Result<Option<Compiled>> {
    let files = site_files::read(folder)?;
    told(folder, &files, compile(&files))
}

/// The same beside the program in force; `None` also where its visitors could never be known by something.
///
/// # Errors
/// Where the site's files cannot be read.
pub fn compiled_beside(folder: &Path, older: &Parts) -> Result<Option<Compiled>> {
    let files = site_files::read(folder)?;
    let compilation = compile_beside(&files, Some(older));
    // What is wrong with the site itself was said before.
    if compilation.program.is_some() { Ok(compilation.program) } else { told(folder, &files, compilation) }
}

fn told(
    folder: &Path,
    files: &BTreeMap<String, String>,
    compilation: Compilation,
) -> Result<Option<Compiled>> {
    if compilation.diagnostics.is_empty() {
        return Ok(compilation.program);
    }
    eprint!("{}", diagnostics_as_text(&compilation, folder, files, stderr().is_terminal()));
    eprintln!("{}", counts(&compilation));
    Ok(compilation.program)
}

/// All that was found, with the lines it was found in, and a summary.
#[must_use]
pub fn as_text(
    compilation: &Compilation,
    folder: &Path,
    files: &BTreeMap<String, String>,
    colored: bool,
) -> String {
    let found = diagnostics_as_text(compilation, folder, files, colored);
    let counts = counts(compilation);
    match &compilation.program {
        None => format!("{found}{counts}: no program\n"),
        Some(Compiled { summary, hash, .. }) => format!("{found}{summary}\n{counts}: program {hash}\n"),
    }
}

/// All that was found, each with its path as it can be opened from here.
fn diagnostics_as_text(
    compilation: &Compilation,
    folder: &Path,
    files: &BTreeMap<String, String>,
    colored: bool,
) -> String {
    let render = if colored { render_colored } else { render };
    let text = |found: &Diagnostic| {
        let source = files.get(&found.file).map_or("", String::as_str);
        let file = folder.join(&found.file).display().to_string();
        render(&Diagnostic { file, ..found.clone() }, source) + "\n\n"
    };
    compilation.diagnostics.iter().map(text).collect()
}

/// `1 error and 2 warnings`, and how many errors more are gone once these are mended.
fn counts(compilation: &Compilation) -> String {
    let errors = count(&compilation.diagnostics, Severity::Error);
    let warnings = count(&compilation.diagnostics, Severity::Warning);
    let more = match compilation.held_back {
        0 => String::new(),
        1 => " (and 1 error that follows from these)".to_owned(),
        more => format!(" (and {more} errors that follow from these)"),
    };
    format!("{} and {}{more}", plural(errors, "error"), plural(warnings, "warning"))
}

fn count(diagnostics: &[Diagnostic], severity: Severity) -> usize {
    diagnostics.iter().filter(|found| found.severity == severity).count()
}

fn plural(count: usize, word: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {word}{ending}")
}

fn as_json(compilation: &Compilation) -> serde_json::Value {
    json!({
        "errors": count(&compilation.diagnostics, Severity::Error),
        "warnings": count(&compilation.diagnostics, Severity::Warning),
        "diagnostics": compilation.diagnostics,
        "held_back": compilation.held_back,
        "program": compilation.program.as_ref().map(|compiled| compiled.hash.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::new_site;

    fn site(rules: impl Fn(&str) -> String) -> BTreeMap<String, String> {
        let mut files = new_site();
        let changed = rules(&files["rules.yaml"]);
        files.insert("rules.yaml".to_owned(), changed);
        files
    }

    #[test]
    fn what_is_wrong_is_shown_with_place_caret_and_fix() {
        let files = site(|rules| rules.replace("when: shoe_views", "when: shoe_viws"));
        let text = as_text(&compile(&files), Path::new("my-site"), &files, false);
        for part in [
            "error[E0201]",
            " --> my-site/rules.yaml:9:11\n",
            "when: shoe_viws >= 2",
            "^^^^^^^^^\n",
            "help: did you mean `shoe_views`?",
        ] {
            assert!(text.contains(part), "no {part:?} in\n{text}");
        }
        assert!(text.ends_with(": no program\n"), "{text}");
    }

    #[test]
    fn what_is_right_is_summed_up() {
        let files = site(str::to_owned);
        let compilation = compile(&files);
        let hash = compilation.program.as_ref().unwrap().hash;
        let text = as_text(&compilation, Path::new("."), &files, false);
        assert!(text.starts_with("rules, in the order of deciding: "), "{text}");
        assert!(text.ends_with(&format!("\n0 errors and 0 warnings: program {hash}\n")), "{text}");
    }
}
