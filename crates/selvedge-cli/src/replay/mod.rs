//! A recorded log through a running worker: rows, the map's meaning, batches, requests, the closing report.
//!
//! One thread reads; lanes send, each a share of the visitors, one request at a time. So each visitor's rows arrive in
//! file order, and no more is held in memory than the lanes have before them.

pub mod dataset;
pub mod pace;
pub mod progress;
pub mod time;
pub mod value;
pub mod rows;
pub mod derivation;
pub mod map;
pub mod recording;
pub mod batches;
pub mod report;
pub mod sender;
pub mod lanes;

use crate::remote::{Remote, expect_ok};
use anyhow::{Context, Result, ensure};
use batches::{BatchPolicy, Batches};
use lanes::Lanes;
use map::Map;
use pace::{Pace, Speed};
use progress::Progress;
use recording::{Recorded, Recording};
use report::Report;
use rows::Rows;
use sender::{Sender, SenderSettings};
use serde::Deserialize;
use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

/// How a log is replayed.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How fast.
    pub speed: Speed,
    /// Rows after which the replay stops.
    pub limit: Option<u64>,
    /// Requests that may be under way at once.
    pub lanes: usize,
    /// Events that one batch holds at most.
    pub batch_events_max: usize,
    /// How long one batch is tried before the replay gives up.
    pub patience: Duration,
    /// Another write key than the map's.
    pub write_key: Option<String>,
}

/// Replays the log at `path`, as `map` says, through the worker.
///
/// # Errors
/// Where the log or the map cannot be read, the site has no program, or the worker refuses a request as a whole.
pub fn replay(path: &Path, map: &Map, remote: &Remote, settings: &Settings) -> Result<Report> {
    let file = File::open(path).with_context(|| format!("{} cannot be opened", path.display()))?;
    let progress = Progress::of_bytes(file.metadata().map_or(0, |metadata| metadata.len()));
    let rows = Rows::open(progress.reading(file))?;
    rows.require(&[&map.user, &map.time.column, &map.event.column])?;
    let sender = SenderSettings {
        write_key: settings.write_key.clone().unwrap_or_else(|| map.write_key.clone()),
        policy_version: published(remote, &map.site)?,
        patience: settings.patience,
    };
    let started = Instant::now();
    let report = std::thread::scope(|scope| {
        let lanes =
            Lanes::start(scope, settings.lanes, &progress, || Sender::new(remote.clone(), sender.clone()));
        let mut source = Source::new(rows, map, settings.limit)?;
        let fed = feed(&mut source, settings, &lanes, &progress);
        let sent = lanes.finish()?;
        fed?;
        Ok::<_, anyhow::Error>(source.report(sent))
    })?;
    progress.finish();
    Ok(Report { elapsed: started.elapsed(), ..report })
}

/// What a replay needs of the site's config.
#[derive(Deserialize)]
struct SiteConfig {
    program: Option<String>,
    #[serde(default)]
    policy_version: u16,
}

/// The version of the consent policy of a site that has a program.
fn published(remote: &Remote, site: &str) -> Result<u16> {
    let path = format!("/s/{site}/config");
    let answer = remote.get(&path)?;
    ensure!(
        answer.status != 404,
        "nothing is published for the map's site `{site}`; `selvedge publish` does that"
    );
    let config = expect_ok(answer, &path)?;
    let config: SiteConfig = serde_json::from_slice(&config).context("the site's config cannot be read")?;
    ensure!(config.program.is_some(), "the site `{site}` has no program; `selvedge publish` makes one");
    Ok(config.policy_version)
}

/// The events of the log, in file order; counts what gives none.
struct Source<'a> {
    rows: std::iter::Take<Rows>,
    recording: Recording<'a>,
    counted: Report,
}

impl<'a> Source<'a> {
    fn new(rows: Rows, map: &'a Map, limit: Option<u64>) -> Result<Self> {
        let limit = usize::try_from(limit.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
        let recording = Recording::new(map, map.time_format()?);
        Ok(Self { rows: rows.take(limit), recording, counted: Report::default() })
    }

    /// What was read and what was sent.
    fn report(self, sent: Report) -> Report {
        let mut report = self.counted;
        report.visitors = self.recording.visitors() as u64;
        report.add(sent);
        report
    }
}

impl Iterator for Source<'_> {
    type Item = Result<Recorded>;

    fn next(&mut self) -> Option<Result<Recorded>> {
        loop {
            let row = match self.rows.next()? {
                Ok(row) => row,
                Err(fault) => return Some(Err(fault)),
            };
            self.counted.rows += 1;
            match self.recording.event(&row) {
                Ok(recorded) => return Some(Ok(recorded)),
                Err(unreadable) => self.counted.count_unreadable(unreadable),
            }
        }
    }
}

fn feed(source: &mut Source<'_>, settings: &Settings, lanes: &Lanes<'_>, progress: &Progress) -> Result<()> {
    match settings.speed {
        Speed::Max => feed_fast(source, BatchPolicy::fast(settings.batch_events_max), lanes),
        Speed::Times(times) => {
            let mut events = source.collect::<Result<Vec<_>>>()?;
            events.sort_by_key(|recorded| recorded.event.time_ms);
            progress.count_events(events.len() as u64);
            feed_paced(events, times, BatchPolicy::paced(settings.batch_events_max), lanes)
        }
    }
}

fn feed_fast(source: &mut Source<'_>, policy: BatchPolicy, lanes: &Lanes<'_>) -> Result<()> {
    let mut batches = Batches::new(policy);
    for recorded in source {
        for batch in batches.push(recorded?) {
            lanes.put(batch)?;
        }
    }
    put_rest(batches, lanes)
}

/// The events, which are in the order of time, each at its time; each batch when a page would let it go.
fn feed_paced(events: Vec<Recorded>, times: f64, policy: BatchPolicy, lanes: &Lanes<'_>) -> Result<()> {
    let pace = Pace::start(times, events.first().map_or(0, |recorded| recorded.event.time_ms));
    let mut batches = Batches::new(policy);
    for recorded in events {
        let time_ms = recorded.event.time_ms;
        while let Some(due_ms) = batches.next_due_ms().filter(|due_ms| *due_ms < time_ms) {
            pace.wait_for(due_ms);
            batches.take_oldest().map_or(Ok(()), |batch| lanes.put(batch))?;
        }
        pace.wait_for(time_ms);
        for batch in batches.push(recorded) {
            lanes.put(batch)?;
        }
    }
    put_rest(batches, lanes)
}

fn put_rest(mut batches: Batches, lanes: &Lanes<'_>) -> Result<()> {
    while let Some(batch) = batches.take_oldest() {
        lanes.put(batch)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::RemoteArguments;
    use crate::testing::accepting_worker;
    use selvedge_core::event::Batch;
    use std::collections::BTreeMap;
    use std::io::Write;

    const MAP: &str = "\
dataset: small
site: shop
write_key: wk
user: user
time: {column: at, format: unix_s}
event: {column: event}
";

    /// A log of so many rows by seven users, a minute apart.
    fn log(rows: u64) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "user,at,event").unwrap();
        for row in 0..rows {
            writeln!(file, "user-{},{},home", row % 7, 1_710_325_000 + row * 60).unwrap();
        }
        file
    }

    fn run(rows: u64, speed: Speed, limit: Option<u64>) -> (Report, Vec<Batch>) {
        let (url, batches) = accepting_worker();
        let remote = Remote::new(&RemoteArguments { url, token: "token".to_owned() });
        let patience = Duration::from_secs(10);
        let settings = Settings { speed, limit, lanes: 3, batch_events_max: 20, patience, write_key: None };
        let report = replay(log(rows).path(), &Map::parse(MAP).unwrap(), &remote, &settings).unwrap();
        let batches = std::mem::take(&mut *batches.lock().unwrap());
        (report, batches)
    }

    /// Whether each visitor's events arrived once, in order, without a gap.
    fn is_in_order(batches: &[Batch]) -> bool {
        let mut next = BTreeMap::new();
        batches.iter().all(|batch| {
            let next = next.entry(batch.header.visitor).or_insert(1);
            batch.events.iter().all(|event| {
                let sequence = event.as_ref().unwrap().sequence.get();
                std::mem::replace(next, sequence + 1) == sequence
            })
        })
    }

    #[test]
    fn a_fast_replay_keeps_each_visitors_order_over_all_lanes() {
        let (report, batches) = run(500, Speed::Max, None);
        assert_eq!((report.rows, report.visitors, report.accepted), (500, 7, 500));
        assert!(report.is_complete());
        assert!(is_in_order(&batches));
        assert!(batches.iter().all(|batch| batch.events.len() <= 20));
        assert_eq!(batches[0].header.consent[0].policy_version, 2);
    }

    #[test]
    fn a_paced_replay_takes_its_time_and_sends_what_a_page_would() {
        let (report, batches) = run(8, Speed::Times(2_000.0), None);
        assert_eq!((report.accepted, batches.len()), (8, 8));
        assert!(report.elapsed >= Duration::from_millis(7 * 60_000 / 2_000), "{:?}", report.elapsed);
        assert!(is_in_order(&batches));
    }

    #[test]
    fn a_limit_ends_the_replay_after_so_many_rows() {
        let (report, _) = run(500, Speed::Max, Some(9));
        assert_eq!((report.rows, report.accepted), (9, 9));
    }
}
