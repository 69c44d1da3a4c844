//! Kafka's protocol over the platform's sockets. What to say to which broker, and what follows from the answers, says
//! `selvedge-kafka`; here are the sockets, the time that they may take, and the way between its words and the machine's.

mod link;

use super::Sending;
use crate::clock::now_ms;
use crate::settings as deployment;
use link::Link;
use selvedge_core::pairs::Pairs;
use selvedge_core::wire::program::{Kafka, Mechanism};
use selvedge_edge::delivery::encode::kafka_headers;
use selvedge_edge::delivery::reach;
use selvedge_edge::delivery::sent::{Prepared, SendResult, Sent};
use selvedge_kafka::{Address, Burst, Outcome, Producer, Record, Sasl, Settings, Step, Verdict, settings};
use std::time::Duration;
use worker::Delay;

/// How long a broker may take to accept a link, so that the next can be asked in time.
const OPEN_MS_MAX: u64 = 3_000;
/// Steps of one burst. Each is a link, a request, or some bytes of an answer.
const STEPS_MAX: u32 = 100_000;

/// A burst and its open links: kept from one send to the next of one run of the alarm.
struct Run {
    settings: Settings,
    has_tls: bool,
    burst: Burst,
    links: Pairs<usize, Link>,
}

/// Fixes how records are dealt out to partitions; asks a broker for a producer's id where there is none yet.
pub async fn prepare(sending: &Sending<'_>, kafka: &Kafka) -> Prepared {
    let mut run = match Run::of(sending, kafka) {
        Ok(run) => run,
        Err(result) => return Prepared::Failed(result),
    };
    run.burst.prepare(records(sending));
    let outcome = run.carry(sending).await;
    let producer = run.burst.producer().encode();
    run.keep(sending);
    match outcome.verdict {
        Verdict::Left | Verdict::Delivered => Prepared::Ready(producer),
        other => Prepared::Failed(result_of(other, false)),
    }
}

/// Sends what of the records no broker has yet.
pub async fn send(sending: &Sending<'_>, kafka: &Kafka) -> Sent {
    let mut run = match Run::of(sending, kafka) {
        Ok(run) => run,
        Err(result) => return Sent::of(result),
    };
    run.burst.send(records(sending));
    let outcome = run.carry(sending).await;
    let possible_duplicates = run.burst.take_duplicates();
    let transport = Some(run.burst.producer().encode());
    run.keep(sending);
    rest(u64::from(outcome.throttle_ms), sending.give_up_ms).await;
    let Outcome { verdict, may_be_kept, .. } = outcome;
    let result = result_of(verdict, may_be_kept);
    Sent { result, done: 0, transport, possible_duplicates, may_be_kept }
}

/// Records as Kafka takes them: the visitor decides the partition, and what is of one item stays together.
fn records(sending: &Sending<'_>) -> Vec<Record> {
    let items = sending.items.iter().copied().map(u64::from).chain(std::iter::repeat(0));
    let record = |(record, group): (&&selvedge_edge::delivery::record::Record, u64)| Record {
        key: record.visitor.to_string().into(),
        value: record.data.clone().into(),
        headers: kafka_headers(record).map(|(name, value)| (name.to_string(), value.into())).to_vec(),
        time_ms: i64::try_from(record.time_ms).unwrap_or(i64::MAX),
        group,
    };
    sending.records.iter().zip(items).map(record).collect()
}

fn result_of(verdict: Verdict, may_be_kept: bool) -> SendResult {
    match verdict {
        Verdict::Delivered => SendResult::Delivered,
        Verdict::Left => SendResult::Some,
        // A batch that a broker has already is told by its numbers, as long as it goes again as it was.
        Verdict::Again { why } => SendResult::Again { after_ms: None, is_answered: !may_be_kept, why },
        Verdict::Renew { why } => SendResult::Prepare { why },
        Verdict::Poison { records, why } => SendResult::Poison { records, why },
        Verdict::Pause { why } => SendResult::Pause { why },
    }
}

async fn rest(wait_ms: u64, give_up_ms: u64) {
    let wait_ms = wait_ms.min(give_up_ms.saturating_sub(now_ms()));
    if wait_ms > 0 {
        Delay::from(Duration::from_millis(wait_ms)).await;
    }
}

impl Run {
    /// The run that was kept, where it is for the same settings, or a new one; with the producer as it is stored.
    fn of(sending: &Sending<'_>, kafka: &Kafka) -> Result<Run, SendResult> {
        let settings = settings_of(sending, kafka).map_err(|why| SendResult::Pause { why })?;
        let kept = sending.kept.borrow_mut().take().and_then(|kept| kept.downcast::<Run>().ok());
        let same = kept.filter(|run| run.settings == settings && run.has_tls == kafka.tls);
        let mut run = match same {
            Some(run) => *run,
            None => {
                let nonce = link::nonce().map_err(|why| SendResult::Pause { why })?;
                let burst = Burst::new(settings.clone(), Producer::default(), nonce);
                Run { settings, has_tls: kafka.tls, burst, links: Pairs::default() }
            }
        };
        // What cannot be read is as good as nothing: a new producer begins, and says what may arrive twice.
        run.burst.resume(Producer::decode(sending.transport).unwrap_or_default());
        Ok(run)
    }

    fn keep(self, sending: &Sending<'_>) {
        *sending.kept.borrow_mut() = Some(Box::new(self));
    }

    /// Carries out steps until the burst is over.
    async fn carry(&mut self, sending: &Sending<'_>) -> Outcome {
        for _ in 0..STEPS_MAX {
            match self.burst.step() {
                Step::Over(outcome) => return outcome,
                Step::Open { link, address } => match self.open(sending, &address).await {
                    Ok(open) => {
                        self.links.insert(link, open);
                        self.burst.opened(link);
                    }
                    Err(why) => self.lost(link, &why),
                },
                Step::Write { link, bytes } => {
                    let written = match self.links.get_mut(&link) {
                        Some(open) => open.write(&bytes, sending.give_up_ms).await,
                        None => Err("it is not open".into()),
                    };
                    if let Err(why) = written {
                        self.lost(link, &why);
                    }
                }
                Step::Read { link } => {
                    let read = match self.links.get_mut(&link) {
                        Some(open) => open.read(sending.give_up_ms).await,
                        None => Err("it is not open".into()),
                    };
                    match read {
                        Ok(bytes) => self.burst.received(link, &bytes),
                        Err(why) => self.lost(link, &why),
                    }
                }
            }
        }
        let verdict = Verdict::Again { why: "the brokers talk without an end".into() };
        Outcome { verdict, throttle_ms: 0, may_be_kept: true }
    }

    fn lost(&mut self, link: usize, why: &str) {
        self.links.remove(&link);
        self.burst.failed(link, why);
    }

    async fn open(&self, sending: &Sending<'_>, address: &Address) -> Result<Link, String> {
        // Brokers name each other: what they name is judged as what the site names.
        reach::check_broker(&address.host, address.port, deployment::may_reach_loopback(sending.env))?;
        let until_ms = now_ms().saturating_add(OPEN_MS_MAX).min(sending.give_up_ms);
        Link::open(address, self.has_tls, until_ms).await
    }
}

fn settings_of(sending: &Sending<'_>, kafka: &Kafka) -> Result<Settings, String> {
    reach::check(sending.destination, deployment::may_reach_loopback(sending.env))?;
    let brokers = kafka
        .brokers
        .iter()
        .map(|broker| Address::parse(broker).ok_or_else(|| format!("{broker} is not host:port")));
    let sasl = kafka.sasl.as_ref().map(|sasl| {
        let password = deployment::secret(sending.env, &sasl.password)
            .ok_or_else(|| format!("the secret {} is not set", sasl.password))?;
        let mechanism = match sasl.mechanism {
            Mechanism::Plain => settings::Mechanism::Plain,
            Mechanism::ScramSha256 => settings::Mechanism::Scram256,
            Mechanism::ScramSha512 => settings::Mechanism::Scram512,
        };
        Ok::<Sasl, String>(Sasl { mechanism, user: sasl.user.clone(), password })
    });
    Ok(Settings {
        brokers: brokers.collect::<Result<_, _>>()?,
        topic: kafka.topic.clone(),
        sasl: sasl.transpose()?,
        gzip: kafka.gzip,
    })
}
