//! `selvedge log`: the accepted events, from a cursor, as lines for people or as the worker's NDJSON.

use crate::arguments::LogArguments;
use crate::exit::Ending;
use crate::remote::Remote;
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::fmt::Write as _;
use std::io::{BufRead, ErrorKind, Write, stdout};
use std::thread::sleep;
use std::time::Duration;

/// How long a live log waits before it asks a worker again that has gone away.
const RECONNECT: Duration = Duration::from_secs(1);

/// Runs the command. A live log that is cut goes on behind the last event that was printed.
///
/// # Errors
/// Where the worker gives no answer to the first question, or cuts a log that is not live.
pub fn run(arguments: &LogArguments) -> Result<Ending> {
    let mut reader =
        Reader { remote: Remote::new(&arguments.remote), arguments, cursor: arguments.from.clone() };
    let mut read = reader.print_all(reader.open()?)?;
    while arguments.live && read != Read::NobodyReads {
        eprintln!("the log was cut; it goes on when the worker is back");
        read = reader.print_all(reader.reopen())?;
    }
    ensure!(read != Read::Cut, "the log was cut; go on with --from {}", reader.cursor.unwrap_or_default());
    Ok(Ending::Done)
}

/// How reading ended.
#[derive(PartialEq, Eq)]
enum Read {
    AtEnd,
    Cut,
    NobodyReads,
}

struct Reader<'a> {
    remote: Remote,
    arguments: &'a LogArguments,
    /// Behind the last event that was printed.
    cursor: Option<String>,
}

impl Reader<'_> {
    /// The log from the cursor on.
    fn open(&self) -> Result<impl BufRead + use<>> {
        self.remote.stream(&path(self.cursor.as_deref(), self.arguments.live))
    }

    /// The log from the cursor on, once the worker is back; a person ends the wait.
    fn reopen(&self) -> impl BufRead + use<> {
        loop {
            sleep(RECONNECT);
            if let Ok(lines) = self.open() {
                return lines;
            }
        }
    }

    fn print_all(&mut self, mut lines: impl BufRead) -> Result<Read> {
        let mut line = String::new();
        loop {
            line.clear();
            match lines.read_line(&mut line) {
                Ok(0) => return Ok(Read::AtEnd),
                Ok(_) if !line.ends_with('\n') => return Ok(Read::Cut),
                Ok(_) if line.trim().is_empty() => {}
                Ok(_) if !self.print(line.trim_end())? => return Ok(Read::NobodyReads),
                Ok(_) => {}
                Err(_) => return Ok(Read::Cut),
            }
        }
    }

    /// Prints one line at once; false where nobody reads any more.
    fn print(&mut self, line: &str) -> Result<bool> {
        let event: Option<Value> = serde_json::from_str(line).ok();
        let readable = event.as_ref().filter(|_| !self.arguments.json).map(readable);
        let mut out = stdout().lock();
        match writeln!(out, "{}", readable.as_deref().unwrap_or(line)).and_then(|()| out.flush()) {
            Err(fault) if fault.kind() == ErrorKind::BrokenPipe => return Ok(false),
            printed => printed.context("the log cannot be printed")?,
        }
        let cursor = event.as_ref().and_then(|event| event.get("cursor")?.as_str());
        self.cursor = cursor.map(str::to_owned).or(self.cursor.take());
        Ok(true)
    }
}

fn path(cursor: Option<&str>, live: bool) -> String {
    let mut path = "/v1/log?from=".to_owned();
    path.extend(cursor.unwrap_or_default().bytes().map(escaped));
    if live {
        path.push_str("&live=1");
    }
    path
}

/// A byte of a query value: cursors consist of digits, dots, colons and hyphens, all else is escaped.
fn escaped(byte: u8) -> String {
    match byte {
        b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'.' | b'-' | b':' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
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
        assert_eq!(path(Some("0.12-1&live=1"), false), "/v1/log?from=0.12-1%26live%3D1");
        assert_eq!(path(None, true), "/v1/log?from=&live=1");
    }
}
