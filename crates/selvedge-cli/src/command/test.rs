//! `selvedge test`: the cases of a site's tests, and what happened in those that fail.

use super::check::compiled;
use crate::arguments::TestArguments;
use crate::exit::Ending;
use crate::rehearsal::Stage;
use crate::rehearsal::case::{CaseOutcome, run as run_case};
use crate::site_files;
use anyhow::Result;
use selvedge_compiler::cases::Case;
use serde_json::json;
use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _, stdout};
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

/// How often the files are looked at.
const WATCH: Duration = Duration::from_millis(300);
/// Clears a terminal and puts the cursor at its top.
const CLEAR: &str = "\x1b[2J\x1b[H";

/// Runs the command.
///
/// # Errors
/// Where the site's files cannot be read.
pub fn run(arguments: &TestArguments) -> Result<Ending> {
    if !arguments.watch {
        return once(arguments);
    }
    loop {
        let files = site_files::read(&arguments.site)?;
        if stdout().is_terminal() {
            print!("{CLEAR}");
            // What is wrong with the site goes to standard error: at once, it would be cleared away with the rest.
            stdout().flush()?;
        }
        once(arguments)?;
        println!("watching {}; press Ctrl-C to end", arguments.site.display());
        while site_files::read(&arguments.site).is_ok_and(|now| now == files) {
            sleep(WATCH);
        }
    }
}

fn once(arguments: &TestArguments) -> Result<Ending> {
    let Some(compiled) = compiled(&arguments.site)? else { return Ok(Ending::Wrong) };
    let stage = Stage::of(&compiled)?;
    let wanted = arguments.filter.as_deref().unwrap_or_default().to_lowercase();
    let is_wanted = |case: &&Case| {
        case.name.to_lowercase().contains(&wanted) || case.place.file.to_lowercase().contains(&wanted)
    };
    let mut report = Report { site: &arguments.site, cases: Vec::new(), left_out: 0 };
    for case in &compiled.cases {
        if is_wanted(&case) {
            report.cases.push((case, run_case(&stage, case, &compiled.timezone)?));
        } else {
            report.left_out += 1;
        }
    }
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&report.json())?);
    } else {
        print!("{}", report.text());
    }
    Ok(if report.failed() == 0 { Ending::Done } else { Ending::Wrong })
}

/// All cases and what became of them.
#[derive(Debug)]
struct Report<'a> {
    site: &'a Path,
    cases: Vec<(&'a Case, CaseOutcome)>,
    left_out: usize,
}

impl Report<'_> {
    fn failed(&self) -> usize {
        self.cases.iter().filter(|(_, outcome)| !outcome.failures.is_empty()).count()
    }

    fn text(&self) -> String {
        let mut out = String::new();
        for (case, outcome) in &self.cases {
            match outcome.failures.as_slice() {
                [] => {
                    let _ = writeln!(out, "ok    {}", case.name);
                }
                _ => out.push_str(&self.failure(case, outcome)),
            }
        }
        if self.cases.is_empty() && self.left_out == 0 {
            let _ =
                writeln!(out, "{} has no tests; docs/rules.md says how to write one", self.site.display());
        }
        let left_out =
            if self.left_out > 0 { format!(", {} left out", self.left_out) } else { String::new() };
        let passed = self.cases.len() - self.failed();
        let _ = writeln!(out, "{passed} passed, {} failed{left_out}", self.failed());
        out
    }

    fn failure(&self, case: &Case, outcome: &CaseOutcome) -> String {
        let mut out = format!("FAIL  {}\n", case.name);
        for failure in &outcome.failures {
            let file = self.site.join(&failure.place.file);
            let (line, column) = (failure.place.line, failure.place.column);
            let _ = writeln!(out, "      {}:{line}:{column}", file.display());
            let _ = writeln!(out, "        expected  {}", failure.expected);
            let _ = writeln!(out, "        found     {}", failure.found);
            for line in &failure.because {
                let _ = writeln!(out, "          {line}");
            }
        }
        let _ = writeln!(out, "      what happened");
        for line in &outcome.timeline {
            let _ = writeln!(out, "        {:>8}  {}", offset(line.at_ms), line.text);
            for note in &line.notes {
                let _ = writeln!(out, "                    {note}");
            }
        }
        out.push('\n');
        out
    }

    fn json(&self) -> serde_json::Value {
        let of_case = |(case, outcome): &(&Case, CaseOutcome)| {
            json!({
                "name": case.name,
                "place": case.place,
                "passed": outcome.failures.is_empty(),
                "failures": outcome.failures,
                "timeline": outcome.timeline,
            })
        };
        json!({
            "passed": self.cases.len() - self.failed(),
            "failed": self.failed(),
            "left_out": self.left_out,
            "cases": self.cases.iter().map(of_case).collect::<Vec<_>>(),
        })
    }
}

/// `70s`, `12m`, `1h30m5s`, `20d`.
fn offset(ms: u64) -> String {
    let (days, hours) = (ms / 86_400_000, ms / 3_600_000 % 24);
    let (minutes, seconds) = (ms / 60_000 % 60, ms / 1_000 % 60);
    let part = |number: u64, unit: &str| if number > 0 { format!("{number}{unit}") } else { String::new() };
    let text = part(days, "d") + &part(hours, "h") + &part(minutes, "m") + &part(seconds, "s");
    if text.is_empty() { "0s".to_owned() } else { text }
}

#[cfg(test)]
mod tests;
