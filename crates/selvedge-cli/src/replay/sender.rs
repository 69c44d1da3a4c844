//! Batches to the worker: encoded as wire v1, sent with the admin token, sent again until they are answered.

use super::batches::Outgoing;
use super::report::Report;
use crate::remote::{RawAnswer, Remote};
use anyhow::{Context, Result};
use selvedge_core::consent::{Mode, Purposes, Signals, Snapshot};
use selvedge_core::event::{BatchHeader, Clock, Event, LeaseReport};
use selvedge_core::id::VisitorId;
use selvedge_core::limits::BATCH_BYTES_MAX;
use selvedge_core::value::Map;
use selvedge_core::wire::answer::{self, Answer, Grant};
use selvedge_core::wire::batch::encode_batch;
use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::{Duration, Instant};

const PATH: &str = "/v1/collect";
/// First and largest delay before a batch is sent again.
const RETRY_MIN: Duration = Duration::from_millis(50);
const RETRY_MAX: Duration = Duration::from_secs(2);

/// What is the same in every batch of a replay.
#[derive(Debug, Clone)]
pub struct SenderSettings {
    /// The write key of the source.
    pub write_key: String,
    /// The version of the consent policy in force.
    pub policy_version: u16,
    /// How long one batch is tried before the replay gives up.
    pub patience: Duration,
}

/// Sends the batches of some visitors, one at a time.
pub struct Sender {
    remote: Remote,
    settings: SenderSettings,
    grants: BTreeMap<VisitorId, Vec<Grant>>,
    /// What was sent so far.
    pub report: Report,
}

impl Sender {
    /// A sender that has sent nothing.
    #[must_use]
    pub fn new(remote: Remote, settings: SenderSettings) -> Self {
        Self { remote, settings, grants: BTreeMap::new(), report: Report::default() }
    }

    /// Sends a batch, in as many requests as its bytes need, each until it is answered 2xx.
    ///
    /// # Errors
    /// Where the worker refuses the request as a whole, or gives no answer for as long as the patience lasts.
    pub fn send(&mut self, batch: &Outgoing) -> Result<()> {
        let mut rest = batch.events.as_slice();
        while !rest.is_empty() {
            let (body, count) = self.encode(batch, rest);
            self.request(batch.visitor, count, &body)?;
            (_, rest) = rest.split_at(count);
        }
        Ok(())
    }

    /// A request with as many of the events as fit, at least one, and how many that are.
    fn encode(&self, batch: &Outgoing, events: &[Event]) -> (Vec<u8>, usize) {
        let mut fitting = events;
        loop {
            let header = self.header(batch, fitting);
            let body = encode_batch(&header, &fitting.iter().collect::<Vec<_>>(), None);
            if body.len() <= BATCH_BYTES_MAX || fitting.len() <= 1 {
                return (body, fitting.len());
            }
            (fitting, _) = fitting.split_at(fitting.len() / 2);
        }
    }

    fn header(&self, batch: &Outgoing, events: &[Event]) -> BatchHeader {
        let first = events.first();
        let time_ms = first.map_or(0, |event| event.time_ms);
        BatchHeader {
            write_key: self.settings.write_key.clone(),
            visitor: batch.visitor,
            writer: batch.writer,
            sent_at_ms: events.last().map_or(time_ms, |event| event.time_ms),
            skew_ms: 0,
            floor: first.map_or(1, |event| event.sequence.get()),
            clock: Clock::Event,
            program: None,
            dictionary: None,
            consent: vec![granted(self.settings.policy_version, time_ms)],
            context: Map::new(),
            leases: self.leases(batch.visitor),
            holder: 0,
        }
    }

    /// A recorded log shows nothing to anyone: no grant is ever used.
    fn leases(&self, visitor: VisitorId) -> Vec<LeaseReport> {
        let grants = self.grants.get(&visitor).map(Vec::as_slice).unwrap_or_default();
        grants.iter().map(|grant| LeaseReport { rule: grant.rule, lease: grant.lease, used: 0 }).collect()
    }

    fn request(&mut self, visitor: VisitorId, events: usize, body: &[u8]) -> Result<()> {
        let (answer, took) = self.answered(body)?;
        self.report.bytes += body.len() as u64;
        self.report.count_answer(visitor, events, &answer, took);
        self.grants.insert(visitor, answer.grants);
        Ok(())
    }

    /// The answer to a request and how long it took, whatever number of tries it needs.
    fn answered(&mut self, body: &[u8]) -> Result<(Answer, Duration)> {
        let deadline = Instant::now() + self.settings.patience;
        let mut delay = RETRY_MIN;
        loop {
            let started = Instant::now();
            let outcome = self.remote.post(PATH, body);
            let wait = match judge(outcome) {
                Verdict::Answered(answer) => return Ok((*answer, started.elapsed())),
                Verdict::Final(fault) => return Err(fault),
                Verdict::Again(fault, _) if Instant::now() >= deadline => {
                    return Err(fault.context("the worker did not recover in time"));
                }
                Verdict::Again(_, wait) => wait.unwrap_or(delay).min(RETRY_MAX),
            };
            self.report.retries += 1;
            sleep(wait);
            delay = delay.saturating_mul(2).min(RETRY_MAX);
        }
    }
}

/// The purposes that every site has.
const ALL: Purposes =
    Purposes::NECESSARY.or(Purposes::ANALYTICS).or(Purposes::PERSONALIZATION).or(Purposes::ADVERTISING);

/// All purposes granted, vouched for by the operator who replays.
fn granted(policy_version: u16, time_ms: u64) -> Snapshot {
    Snapshot {
        granted: ALL,
        denied: Purposes::NONE,
        mode: Mode::OptIn,
        gpc: false,
        signal: Signals::SERVER,
        policy_version,
        time_ms,
        text_hash: 0,
    }
}

enum Verdict {
    Answered(Box<Answer>),
    Again(anyhow::Error, Option<Duration>),
    Final(anyhow::Error),
}

/// What an outcome means: no answer, 429, 5xx are tried again; any other status but 200 ends the replay.
fn judge(outcome: Result<RawAnswer>) -> Verdict {
    let raw = match outcome {
        Ok(raw) => raw,
        Err(fault) => return Verdict::Again(fault, None),
    };
    match raw.status {
        200 => match read(&raw) {
            Ok(answer) => Verdict::Answered(Box::new(answer)),
            Err(fault) => Verdict::Final(fault),
        },
        429 | 500..=599 => {
            let fault = anyhow::anyhow!("the worker answered {}: {}", raw.status, raw.text());
            Verdict::Again(fault, raw.retry_after_s.map(Duration::from_secs))
        }
        _ => Verdict::Final(refused(&raw)),
    }
}

fn read(raw: &RawAnswer) -> Result<Answer> {
    answer::read_answer(&raw.body).context("the worker's answer cannot be read")
}

fn refused(raw: &RawAnswer) -> anyhow::Error {
    let said = raw.text();
    match raw.status {
        401 => anyhow::anyhow!("the worker does not know the write key or the admin token (401): {said}"),
        status => anyhow::anyhow!("the worker refused a batch with {status}: {said}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::RemoteArguments;
    use crate::testing::{Reply, decode, worker};
    use selvedge_core::event::EventType;
    use selvedge_core::id::{Sequence, WriterId};
    use selvedge_core::value::Value;

    fn sender(url: String, patience: Duration) -> Sender {
        let remote = Remote::new(&RemoteArguments { url, token: "token".to_owned() });
        Sender::new(remote, SenderSettings { write_key: "wk".to_owned(), policy_version: 3, patience })
    }

    fn batch(events: u32, text_bytes: usize) -> Outgoing {
        let event = |sequence| Event {
            sequence: Sequence::new(sequence).unwrap(),
            event_type: EventType::Track,
            name: "home".to_owned(),
            time_ms: 1_000 * u64::from(sequence),
            consent: 0,
            properties: [("text".to_owned(), Value::Text("x".repeat(text_bytes)))].into_iter().collect(),
            context: Map::new(),
        };
        let events = (1..=events).map(event).collect();
        Outgoing { visitor: VisitorId([0; 16]), writer: WriterId::mint(0, 7), events }
    }

    #[test]
    fn a_batch_is_sent_again_unchanged_until_it_is_answered() {
        let (url, worker) =
            worker(vec![Reply::Status(503), Reply::Cut, Reply::Status(429), Reply::Accept(Vec::new())]);
        let mut sender = sender(url, Duration::from_secs(30));
        sender.send(&batch(3, 1)).unwrap();
        assert_eq!((sender.report.accepted, sender.report.requests, sender.report.retries), (3, 1, 3));
        let bodies = worker.join().unwrap();
        assert!(bodies.iter().all(|body| *body == bodies[0]));
        let header = decode(&bodies[0]).header;
        assert_eq!((header.clock, header.sent_at_ms, header.floor), (Clock::Event, 3_000, 1));
        assert_eq!((header.consent[0].signal, header.consent[0].policy_version), (Signals::SERVER, 3));
    }

    #[test]
    fn a_refused_batch_ends_the_replay_at_once() {
        let (url, worker) = worker(vec![Reply::Status(401)]);
        let fault = sender(url, Duration::from_secs(30)).send(&batch(1, 1)).unwrap_err();
        assert!(fault.to_string().contains("401"), "{fault}");
        worker.join().unwrap();
    }

    #[test]
    fn a_worker_that_stays_away_ends_the_replay_when_patience_is_over() {
        let (url, worker) = worker(Vec::new());
        worker.join().unwrap();
        let fault = sender(url, Duration::from_millis(120)).send(&batch(1, 1)).unwrap_err();
        assert!(fault.to_string().contains("did not recover"), "{fault}");
    }

    #[test]
    fn events_that_do_not_fit_one_request_travel_in_several() {
        let (url, worker) = worker(vec![Reply::Accept(Vec::new()), Reply::Accept(Vec::new())]);
        let mut sender = sender(url, Duration::from_secs(5));
        sender.send(&batch(100, 8_000)).unwrap();
        assert_eq!((sender.report.accepted, sender.report.events, sender.report.requests), (100, 100, 2));
        assert!(worker.join().unwrap().iter().all(|body| body.len() <= BATCH_BYTES_MAX));
    }

    #[test]
    fn a_grant_is_reported_as_unused_with_the_next_batch() {
        let grant = Grant { rule: 5, lease: 2, count: 1, expires_ms: 9 };
        let (url, worker) = worker(vec![Reply::Accept(vec![grant]), Reply::Accept(Vec::new())]);
        let mut sender = sender(url, Duration::from_secs(5));
        sender.send(&batch(1, 1)).unwrap();
        sender.send(&batch(1, 1)).unwrap();
        let bodies = worker.join().unwrap();
        let leases = |body: &[u8]| decode(body).header.leases;
        assert_eq!(leases(&bodies[0]), []);
        assert_eq!(leases(&bodies[1]), [LeaseReport { rule: 5, lease: 2, used: 0 }]);
    }
}
