//! The summary as people read it, in 80 columns where names allow it.

use super::{MetricSummary, RuleSummary, Summary};
use std::fmt::{Formatter, Result};

const COLUMNS: usize = 80;

impl std::fmt::Display for Summary {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        rules(&self.rules, out)?;
        metrics(&self.metrics, out)?;
        writeln!(out, "events that pages send at once:")?;
        wrapped(&self.urgent, out)?;
        let Self { full_bytes, public_bytes, state_bytes_max, cap_bytes_max, .. } = self;
        writeln!(out, "program: {full_bytes} bytes, of which pages load {public_bytes}")?;
        writeln!(out, "a visitor's state: at most {state_bytes_max} bytes, and {cap_bytes_max} of caps:")?;
        let bound = self.state_bound.iter().map(|(what, bytes)| format!("{what} {bytes}"));
        wrapped(&bound.collect::<Vec<_>>(), out)
    }
}

/// One line a rule, and a second one where it runs at the edge only: why.
fn rules(rules: &[RuleSummary], out: &mut Formatter<'_>) -> Result {
    writeln!(out, "rules, in the order of deciding: priority, what they do, and where")?;
    let does: Vec<String> = rules.iter().map(does).collect();
    let id_width = rules.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    let does_width = does.iter().map(String::len).max().unwrap_or(0);
    let priority_width = rules.iter().map(|rule| rule.priority.to_string().len()).max().unwrap_or(0);
    for (rule, does) in rules.iter().zip(&does) {
        let RuleSummary { id, priority, in_page, why, tests_max, .. } = rule;
        let place = if *in_page { "page" } else { "edge" };
        let tests = counted(*tests_max, "test");
        writeln!(
            out,
            "  {priority:priority_width$}  {id:id_width$}  {does:does_width$}  {place}  {tests}{}",
            status(rule)
        )?;
        if !in_page {
            writeln!(out, "  {:priority_width$}  edge only: {}", "", why.join(", "))?;
        }
    }
    Ok(())
}

/// `hero <- banner`, `tells email`, or both.
fn does(rule: &RuleSummary) -> String {
    let shows = (!rule.slot.is_empty()).then(|| format!("{} <- {}", rule.slot, rule.content));
    let tells = rule.tells.as_ref().map(|to| format!("tells {to}"));
    shows.into_iter().chain(tells).collect::<Vec<_>>().join(", ")
}

fn status(rule: &RuleSummary) -> String {
    if rule.status == "live" { String::new() } else { format!(", {}", rule.status) }
}

fn metrics(metrics: &[MetricSummary], out: &mut Formatter<'_>) -> Result {
    if metrics.is_empty() {
        return Ok(());
    }
    writeln!(out, "metrics: bytes, and when they are known of a visitor who was there before them")?;
    let width = metrics.iter().map(|metric| metric.name.len().min(COLUMNS / 3)).max().unwrap_or(0);
    let bytes_width = metrics.iter().map(|metric| metric.bytes_max.to_string().len()).max().unwrap_or(0);
    for metric in metrics {
        let MetricSummary { name, events, threshold, bytes_max, known_after, purpose } = metric;
        let is_kept_twice = metrics.iter().any(|other| other.name == *name && other.purpose != *purpose);
        let purpose = if is_kept_twice { format!(" ({purpose})") } else { String::new() };
        let known = match known_after.strip_prefix("never") {
            Some(rest) => format!("never{rest}"),
            None => format!("after {known_after}"),
        };
        let to = threshold.map(|threshold| format!(" up to {threshold}")).unwrap_or_default();
        writeln!(
            out,
            "  {name:width$}  {bytes_max:bytes_width$}  {known}: {}{to}{purpose}",
            events.join(", ")
        )?;
    }
    Ok(())
}

/// `1 test`, `2 tests`.
fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// The words with commas, in as many lines as it takes.
fn wrapped(words: &[String], out: &mut Formatter<'_>) -> Result {
    let mut line = String::new();
    for (at, word) in words.iter().enumerate() {
        let comma = if at + 1 == words.len() { "" } else { "," };
        if !line.is_empty() && line.len() + word.len() + 4 > COLUMNS {
            writeln!(out, " {line}")?;
            line.clear();
        }
        line.push_str(&format!(" {word}{comma}"));
    }
    if line.is_empty() { writeln!(out, "  none") } else { writeln!(out, " {line}") }
}
