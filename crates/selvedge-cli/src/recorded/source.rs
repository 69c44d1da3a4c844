//! Where recorded events come from.

use super::happened::{Happened, Recorded};
use super::{History, log_line};
use crate::exit::misused;
use crate::remote::{Remote, RemoteArguments};
use crate::replay::dataset::{DATASETS, Dataset, cache_dir};
use crate::replay::map::Map;
use crate::replay::recording::Recording;
use crate::replay::rows::Rows;
use anyhow::{Context, Result, ensure};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

/// Where the log is asked for.
const LOG_PATH: &str = "/v1/log";

/// Recorded events on the command line.
#[derive(Debug, Clone, Default, Args)]
pub struct RecordedArguments {
    /// Recorded events: a log with its --map, what `selvedge log --json` printed, or the address of a worker
    #[arg(long, value_name = "FILE|URL", conflicts_with = "dataset")]
    pub events: Option<String>,
    /// A recorded log that is known by name: `ecom`. Fetched with pip, once
    #[arg(long, value_name = "NAME")]
    pub dataset: Option<String>,
    /// What the columns of the log mean; a data set brings its own
    #[arg(long, value_name = "FILE")]
    pub map: Option<PathBuf>,
    /// Rows after which to stop
    #[arg(long, value_name = "ROWS")]
    pub limit: Option<u64>,
    /// Admin token, where the events are those of a worker
    #[arg(long, env = "SELVEDGE_ADMIN_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub token: Option<String>,
}

impl RecordedArguments {
    /// Whether any events are named.
    #[must_use]
    pub const fn is_given(&self) -> bool {
        self.events.is_some() || self.dataset.is_some()
    }

    /// Reads all events.
    ///
    /// # Errors
    /// Where no events are named, or they cannot be read.
    pub fn read(&self) -> Result<History> {
        let limit = self.limit.unwrap_or(u64::MAX);
        match (&self.events, &self.dataset) {
            (_, Some(name)) => {
                let dataset = dataset(name)?;
                let map = self.map.as_deref().map_or_else(|| parse(name, dataset.map), map_of)?;
                mapped(&dataset.fetch(&cache_dir())?, &map, limit)
            }
            (Some(url), None) if url.starts_with("http://") || url.starts_with("https://") => {
                remote(url, self.token.as_deref(), limit)
            }
            (Some(path), None) => match &self.map {
                Some(map) => mapped(Path::new(path), &map_of(map)?, limit),
                None => {
                    let file = File::open(path).with_context(|| format!("{path} cannot be opened"))?;
                    let history = lines(BufReader::new(file), limit).with_context(|| path.clone())?;
                    ensure!(
                        !history.visitors.is_empty(),
                        "{path} holds no line of `selvedge log --json` ({}); name its map with --map",
                        history.unreadable.first().map_or("it is empty", String::as_str)
                    );
                    Ok(history)
                }
            },
            (None, None) => Err(misused("name recorded events with --events or --dataset")),
        }
    }

    /// The map that says which column is what, where there is one.
    ///
    /// # Errors
    /// Where the map cannot be read.
    pub fn map(&self) -> Result<Option<Map>> {
        match (&self.map, &self.dataset) {
            (Some(path), _) => map_of(path).map(Some),
            (None, Some(name)) => parse(name, dataset(name)?.map).map(Some),
            (None, None) => Ok(None),
        }
    }
}

fn dataset(name: &str) -> Result<Dataset> {
    let known = DATASETS.map(|dataset| dataset.name).join(", ");
    Dataset::named(name).ok_or_else(|| misused(format!("there is no data set `{name}`; known are {known}")))
}

fn map_of(path: &Path) -> Result<Map> {
    let yaml = fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    parse(&path.display().to_string(), &yaml)
}

fn parse(name: &str, yaml: &str) -> Result<Map> {
    Map::parse(yaml).with_context(|| format!("the map of {name}"))
}

/// The events of a log whose columns a map explains.
fn mapped(path: &Path, map: &Map, limit: u64) -> Result<History> {
    let file = File::open(path).with_context(|| format!("{} cannot be opened", path.display()))?;
    let bar = bytes_bar(file.metadata().map_or(0, |metadata| metadata.len()));
    let rows = Rows::open(bar.wrap_read(file))?;
    rows.require(&[&map.user, &map.time.column, &map.event.column])?;
    let mut recording = Recording::new(map, map.time_format()?);
    let mut history = History::default();
    for row in rows.take(usize::try_from(limit).unwrap_or(usize::MAX)) {
        let row = row?;
        history.rows += 1;
        match recording.event(&row) {
            Ok(found) => {
                let happened = Happened::of(found.writer, found.event);
                history.push(found.visitor, Recorded { happened, granted: None });
            }
            Err(unreadable) => history.count_unreadable(unreadable.line, &unreadable.problem),
        }
    }
    bar.finish_and_clear();
    Ok(history)
}

fn remote(url: &str, token: Option<&str>, limit: u64) -> Result<History> {
    let (base, from) = url.split_once(LOG_PATH).unwrap_or((url, "?from="));
    let token = token.ok_or_else(|| {
        misused("the log of a worker is open to its admin only; name the token with --token")
    })?;
    let remote = Remote::new(&RemoteArguments { url: base.to_owned(), token: token.to_owned() });
    lines(remote.stream(&format!("{LOG_PATH}{from}"))?, limit)
}

/// The events of the log's own lines.
fn lines(mut reader: impl BufRead, limit: u64) -> Result<History> {
    let mut history = History::default();
    let mut line = String::new();
    while history.rows < limit && reader.read_line(&mut line).context("the log was cut")? > 0 {
        // What a deadline changed and what destinations were told follows from the events; it is worked out anew.
        if !line.trim().is_empty() && !log_line::is_note(&line) {
            history.rows += 1;
            match log_line::read(line.trim()) {
                Ok((visitor, recorded)) => history.push(visitor, recorded),
                Err(problem) => history.count_unreadable(history.rows, &problem),
            }
        }
        line.clear();
    }
    Ok(history)
}

fn bytes_bar(bytes: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{wide_bar} {bytes} of {total_bytes} read, {eta} left");
    ProgressBar::new(bytes).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
