//! `selvedge log`: the accepted events, from a cursor, as lines for people or as the worker's NDJSON.

use crate::arguments::LogArguments;
use crate::exit::Ending;
use crate::remote::Remote;
use anyhow::{Context, Result};
use serde_json::Value;
use std::fmt::Write as _;
use std::io::{BufRead, ErrorKind, Write, stdout};

/// Runs the command.
///
/// # Errors
/// Where the worker gives no answer, or cuts it.
pub fn run(arguments: &LogArguments) -> Result<Ending> {
    let mut lines = Remote::new(&arguments.remote).stream(&path(arguments))?;
    let mut line = String::new();
    loop {
        line.clear();
        if lines.read_line(&mut line).context("the log was cut")? == 0 {
            return Ok(Ending::Done);
        }
        if !line.trim().is_empty() && !print(arguments.json, line.trim_end())? {
            return Ok(Ending::Done);
        }
    }
}

fn path(arguments: &LogArguments) -> String {
    let mut path = "/v1/log?from=".to_owned();
    path.extend(arguments.from.as_deref().unwrap_or_default().bytes().map(escaped));
    if arguments.live {
        path.push_str("&live=1");
    }
    path
}

/// A byte of a query value: cursors consist of digits, dots and hyphens, all else is escaped.
fn escaped(byte: u8) -> String {
    match byte {
        b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'.' | b'-' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    }
}

/// Prints one line at once; false where nobody reads any more.
fn print(json: bool, line: &str) -> Result<bool> {
    let readable = if json { None } else { serde_json::from_str(line).ok().map(|event| readable(&event)) };
    let mut out = stdout().lock();
    match writeln!(out, "{}", readable.as_deref().unwrap_or(line)).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(fault) if fault.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(fault) => Err(fault).context("the log cannot be printed"),
    }
}

/// `TIME VISITOR NAME {properties} -> slot=content (rule, reason)`.
fn readable(event: &Value) -> String {
    let text = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or("-");
    let visitor: String = text("visitor").chars().take(8).collect();
    let mut out = format!("{} {visitor} {:<18}", text("time"), text("name"));
    if let Some(properties) = event.get("properties").and_then(Value::as_object) {
        let pairs: Vec<_> =
            properties.iter().map(|(name, value)| format!("{name}={}", plain(value))).collect();
        out.push_str(&pairs.join(" "));
    }
    for decision in event.get("decisions").and_then(Value::as_array).into_iter().flatten() {
        let field = |name: &str| decision.get(name).and_then(Value::as_str).unwrap_or("-");
        let _ = write!(
            out,
            " -> {}={} ({}, {})",
            field("slot"),
            field("content"),
            field("rule"),
            field("reason")
        );
    }
    for flag in ["late", "clock_off"] {
        if event.get(flag).and_then(Value::as_bool) == Some(true) {
            let _ = write!(out, " [{flag}]");
        }
    }
    out.trim_end().to_owned()
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_line_says_when_who_what_and_what_was_decided() {
        let event = json!({
            "time": "2024-03-13T10:21:14.000Z",
            "visitor": "00112233445566778899aabbccddeeff",
            "name": "product_view",
            "properties": {"category": "shoes", "value": 19},
            "decisions": [{"slot": "hero", "rule": "free-shipping-hero", "content": "banner", "reason": "won"}],
            "late": true
        });
        assert_eq!(
            readable(&event),
            "2024-03-13T10:21:14.000Z 00112233 product_view      category=shoes value=19 \
             -> hero=banner (free-shipping-hero, won) [late]"
        );
        assert_eq!(readable(&json!({})), "- - -");
    }

    #[test]
    fn a_cursor_cannot_add_to_the_query() {
        let text: String = "0.12-1&live=1".bytes().map(escaped).collect();
        assert_eq!(text, "0.12-1%26live%3D1");
    }
}
