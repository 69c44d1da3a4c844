//! `selvedge log`: the accepted events, from a cursor, as lines for people, as the worker's NDJSON, or in files.

use super::query::query;
use crate::arguments::log::LogArguments;
use crate::exit::Ending;
use crate::export::columns::columns;
use crate::export::days::Days;
use crate::export::ndjson::Lines;
use crate::remote::Remote;
use crate::site_files;
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::fmt::Write as _;
use std::io::{BufRead, ErrorKind, Write, stdout};
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

/// How long a live log waits before it asks a worker again that has gone away.
const RECONNECT: Duration = Duration::from_secs(1);

/// Runs the command. A live log that is cut goes on behind the last event that was written.
///
/// # Errors
/// Where the worker gives no answer to the first question, or cuts a log that is not live; where a file cannot be written.
pub fn run(arguments: &LogArguments) -> Result<Ending> {
    let sink = Sink::open(arguments)?;
    let cursor = arguments.from.clone().or_else(|| sink.cursor());
    let mut reader =
        Reader { remote: Remote::new(&arguments.remote), arguments, cursor, left: arguments.limit, sink };
    let mut read = reader.take_all(reader.open()?)?;
    while arguments.live && matches!(read, Read::AtEnd | Read::Cut) {
        eprintln!("the log was cut; it goes on when the worker is back");
        read = reader.take_all(reader.reopen())?;
    }
    let cursor = reader.cursor.unwrap_or_default();
    reader.sink.finish(&cursor)?;
    ensure!(read != Read::Cut, "the log was cut; go on with --from {cursor}");
    Ok(Ending::Done)
}

/// Where lines go.
enum Sink {
    /// Lines for people.
    Readable,
    /// The worker's lines.
    Json,
    /// The same, to a file.
    File(Lines),
    /// Parquet by day.
    Days(Box<Days>),
}

impl Sink {
    fn open(arguments: &LogArguments) -> Result<Self> {
        match (&arguments.out, &arguments.parquet) {
            (Some(path), _) => Ok(Self::File(Lines::open(path)?)),
            (None, Some(folder)) => Ok(Self::Days(Box::new(days(folder, arguments.plan.as_deref())?))),
            (None, None) if arguments.json => Ok(Self::Json),
            (None, None) => Ok(Self::Readable),
        }
    }

    /// Behind which line an earlier run ended.
    fn cursor(&self) -> Option<String> {
        match self {
            Self::File(lines) => lines.cursor(),
            Self::Days(days) => days.cursor(),
            Self::Readable | Self::Json => None,
        }
    }

    /// Takes a line; false where nobody reads any more.
    fn take(&mut self, line: &str, event: Option<&Value>, is_live: bool) -> Result<bool> {
        match self {
            Self::File(lines) => {
                lines.push(line)?;
                if is_live { lines.flush().map(|()| true) } else { Ok(true) }
            }
            Self::Days(days) => days.push(line).map(|()| true),
            Self::Json => print(line),
            Self::Readable => print(event.map(readable).as_deref().unwrap_or(line)),
        }
    }

    fn finish(self, cursor: &str) -> Result<()> {
        match self {
            Self::File(lines) => eprintln!("{} events written", lines.finish()?),
            Self::Days(days) => {
                let (rows, files) = days.finish(Some(cursor).filter(|cursor| !cursor.is_empty()))?;
                eprintln!("{rows} events written to {files} files");
            }
            Self::Readable | Self::Json => {}
        }
        Ok(())
    }
}

fn days(folder: &Path, site: Option<&Path>) -> Result<Days> {
    let plan = match site {
        None => None,
        Some(site) => {
            let compilation = selvedge_compiler::compile(&site_files::read(site)?);
            let program = compilation.program.context("the site has errors: run selvedge check")?;
            Some(program.full.plan)
        }
    };
    Days::open(folder, columns(plan.as_ref()))
}

/// How reading ended.
#[derive(PartialEq, Eq)]
enum Read {
    AtEnd,
    Cut,
    /// Nobody reads any more, or all that were asked for are there.
    Enough,
}

struct Reader<'a> {
    remote: Remote,
    arguments: &'a LogArguments,
    /// Behind the last event that was taken.
    cursor: Option<String>,
    /// Events that are still asked for, where there is a bound.
    left: Option<u64>,
    sink: Sink,
}

impl Reader<'_> {
    /// The log from the cursor on.
    fn open(&self) -> Result<impl BufRead + use<>> {
        self.remote.stream(&path(self.arguments, self.cursor.as_deref(), self.left))
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

    fn take_all(&mut self, mut lines: impl BufRead) -> Result<Read> {
        let mut line = String::new();
        while self.left != Some(0) {
            line.clear();
            match lines.read_line(&mut line) {
                Ok(0) => return Ok(Read::AtEnd),
                Ok(_) if !line.ends_with('\n') => return Ok(Read::Cut),
                Ok(_) if line.trim().is_empty() => {}
                Ok(_) if !self.take(line.trim_end())? => return Ok(Read::Enough),
                Ok(_) => {}
                Err(_) => return Ok(Read::Cut),
            }
        }
        Ok(Read::Enough)
    }

    /// Takes one line; false where nobody reads any more.
    fn take(&mut self, line: &str) -> Result<bool> {
        let event: Option<Value> = serde_json::from_str(line).ok();
        let text = |name: &str| event.as_ref().and_then(|event| event.get(name)?.as_str());
        if text("kind") == Some("gap") {
            eprintln!("a gap: {}", text("message").unwrap_or("events are missing"));
        }
        self.cursor = text("cursor").map(str::to_owned).or(self.cursor.take());
        self.left = self.left.map(|left| left.saturating_sub(1));
        self.sink.take(line, event.as_ref(), self.arguments.live)
    }
}

fn print(line: &str) -> Result<bool> {
    let mut out = stdout().lock();
    match writeln!(out, "{line}").and_then(|()| out.flush()) {
        Err(fault) if fault.kind() == ErrorKind::BrokenPipe => Ok(false),
        printed => printed.context("the log cannot be printed").map(|()| true),
    }
}

fn path(arguments: &LogArguments, cursor: Option<&str>, left: Option<u64>) -> String {
    let mut pairs = vec![("from", cursor.unwrap_or_default().to_owned())];
    pairs.extend(arguments.site.clone().map(|site| ("site", site)));
    pairs.extend(arguments.visitor.clone().map(|visitor| ("visitor", visitor)));
    let times = [("since", arguments.since), ("until", arguments.until)];
    pairs.extend(times.into_iter().filter_map(|(name, time)| Some((name, time?.0.to_string()))));
    pairs.extend(left.map(|left| ("limit", left.to_string())));
    if arguments.live {
        pairs.push(("live", "1".to_owned()));
    }
    query("/v1/log", &pairs)
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
}
