//! What stands outside: receivers, a queue, a cluster of brokers, each with its bad days; and how the transports of
//! `worker/src/delivery` take what they answer.

use crate::dials::Dials;
use crate::random::Random;
use bytes::Bytes;
use selvedge_core::hash::fnv1a_64;
use selvedge_core::wire::program::{Destination, Way};
use selvedge_edge::delivery::encode::{self, kafka_headers};
use selvedge_edge::delivery::packing::pack;
use selvedge_edge::delivery::record::Record;
use selvedge_edge::delivery::sent::{Prepared, SendResult, Sent};
use selvedge_edge::delivery::status::{Meaning, is_refusal, meaning_of};
use selvedge_kafka::brokers::{Brokers, Fault, PORT};
use selvedge_kafka::{self as kafka, Address, Burst, Mechanism, Producer, Sasl, Settings, Verdict};
use std::collections::BTreeMap;

/// How long one send may take.
pub const SEND_MS_MAX: u64 = 10_000;

/// What a shard sends, or prepares to.
#[derive(Debug, Clone)]
pub struct Parcel {
    /// From which shard.
    pub shard: usize,
    /// In which of its rings.
    pub ring: u64,
    /// To which of that ring's destinations.
    pub lane: usize,
    /// Whose site.
    pub site: usize,
    /// Where to.
    pub destination: Destination,
    /// The secret that it shows.
    pub secret: u64,
    /// The send's name.
    pub id: String,
    /// The records.
    pub records: Vec<Record>,
    /// The item of each, by its place in the send.
    pub items: Vec<u32>,
    /// Where each stands in the shard's log.
    pub places: Vec<(u64, u32)>,
    /// What the transport keeps.
    pub transport: Vec<u8>,
    /// The destination may hold them.
    pub is_unsure: bool,
    /// It is prepared, not sent.
    pub is_prepared: bool,
}

/// What comes back.
#[derive(Debug, Clone)]
pub enum Back {
    /// Of a preparation.
    Prepared(Prepared),
    /// Of a send.
    Sent(Sent),
}

/// What a destination did with a parcel.
#[derive(Debug)]
pub struct Taken {
    /// What it says.
    pub back: Back,
    /// After how long.
    pub after_ms: u64,
    /// The records that it kept, by their place in the parcel, in the order kept. One that it has kept before may be there.
    pub kept: Vec<usize>,
    /// Brokers were asked to let somebody in by a wrong password.
    pub is_stranger: bool,
}

impl Taken {
    fn of(back: Back, after_ms: u64, kept: Vec<usize>) -> Self {
        Self { back, after_ms, kept, is_stranger: false }
    }
}

impl Back {
    /// Whether it stops the destination.
    #[must_use]
    pub const fn is_pause(&self) -> bool {
        match self {
            Self::Prepared(Prepared::Failed(result)) => matches!(result, SendResult::Pause { .. }),
            Self::Prepared(Prepared::Ready(_)) => false,
            Self::Sent(sent) => matches!(sent.result, SendResult::Pause { .. }),
        }
    }
}

/// A destination of a site, as it is outside.
#[derive(Debug)]
pub struct Outside {
    /// The secret that it takes.
    pub secret: u64,
    /// It tells a record from its repetition.
    pub knows_again: bool,
    /// Its brokers forgot producers: what they got of them they may get again.
    pub has_forgotten: bool,
    brokers: Brokers,
    counted: BTreeMap<i32, usize>,
}

impl Outside {
    /// A destination that nobody has sent anything to.
    #[must_use]
    pub fn new(destination: &Destination, random: &mut Random) -> Self {
        let partitions = usize::try_from(random.between(1, 4)).unwrap_or(1);
        Self {
            secret: 0,
            knows_again: matches!(destination.way, Way::Kafka(_)),
            has_forgotten: false,
            brokers: Brokers::new(partitions),
            counted: BTreeMap::new(),
        }
    }

    /// A parcel arrives.
    pub fn take(&mut self, parcel: &Parcel, dials: &Dials, random: &mut Random) -> Taken {
        match &parcel.destination.way {
            Way::Log => Taken::of(Back::Sent(Sent::of(SendResult::Delivered)), 0, Vec::new()),
            Way::Http(http) => {
                let records_max = encode::records_max(http.format).max(1);
                let sizes = parcel.records.chunks(records_max).map(<[Record]>::len).collect();
                self.requests(parcel, sizes, records_max == 1, dials, random)
            }
            Way::Queue { .. } => {
                let records: Vec<&Record> = parcel.records.iter().collect();
                let sizes =
                    pack(&records).unwrap_or_default().iter().map(|message| message.records).collect();
                let dials = Dials { poison: 0, records_max: usize::MAX, ..dials.clone() };
                self.requests(parcel, sizes, false, &dials, random)
            }
            Way::Kafka(_) => self.burst(parcel, dials, random),
        }
    }

    /// As `http::send` and `queue::send`: one request after the other, until one is not answered well.
    fn requests(
        &self,
        parcel: &Parcel,
        sizes: Vec<usize>,
        is_single: bool,
        dials: &Dials,
        random: &mut Random,
    ) -> Taken {
        let (mut done, mut possible_duplicates, mut after_ms, mut kept) = (0, 0, 0, Vec::new());
        let is_queue = matches!(parcel.destination.way, Way::Queue { .. });
        for size in sizes {
            let records = &parcel.records[done..done + size];
            let answer = self.answer(parcel, records, is_queue, dials, random);
            after_ms += answer.after_ms;
            if answer.keeps {
                kept.extend(done..done + size);
            }
            if answer.result != SendResult::Delivered {
                let result = told_of(answer.result, done, is_single);
                let sent = Sent { done, possible_duplicates, ..Sent::of(result) };
                return Taken::of(Back::Sent(sent), after_ms.min(SEND_MS_MAX), kept);
            }
            done += size;
            if parcel.is_unsure {
                possible_duplicates += size as u64;
            }
            if after_ms >= SEND_MS_MAX && done < parcel.records.len() {
                let sent = Sent { done, possible_duplicates, ..Sent::of(SendResult::Some) };
                return Taken::of(Back::Sent(sent), SEND_MS_MAX, kept);
            }
        }
        let sent = Sent { done, possible_duplicates, ..Sent::of(SendResult::Delivered) };
        Taken::of(Back::Sent(sent), after_ms, kept)
    }

    /// One request.
    fn answer(
        &self,
        parcel: &Parcel,
        records: &[Record],
        is_queue: bool,
        dials: &Dials,
        random: &mut Random,
    ) -> Answer {
        let after_ms = random.between(1, dials.latency_ms_max);
        let silent = |keeps, why: &str| Answer {
            keeps,
            after_ms: SEND_MS_MAX,
            result: SendResult::Again { after_ms: None, is_answered: false, why: why.into() },
        };
        if random.chance(dials.hangs) {
            return silent(is_queue || self.takes(parcel, records, dials), "no answer in time");
        }
        if random.chance(dials.unreachable) {
            return silent(false, "no answer");
        }
        if is_queue {
            let result = SendResult::Delivered;
            return Answer { keeps: true, after_ms, result };
        }
        let status = self.status(parcel, records, dials, random);
        let wait_ms = random.chance(500).then(|| 1_000 * *random.pick(&[1, 20, 300, 7_200]));
        let why = format!("it answered {status}");
        let result = match meaning_of(status) {
            Meaning::Delivered => SendResult::Delivered,
            Meaning::Again => SendResult::Again {
                after_ms: wait_ms.filter(|_| status == 429 || status == 503),
                is_answered: is_refusal(status),
                why,
            },
            Meaning::Split => SendResult::Split { why },
            Meaning::Poison => SendResult::Poison { records: Vec::new(), why },
            Meaning::Pause => SendResult::Pause { why },
        };
        let is_slow = random.chance(dials.slow);
        let after_ms = if is_slow { random.between(1_000, SEND_MS_MAX - 1) } else { after_ms };
        Answer { keeps: matches!(status, 200 | 504), after_ms, result }
    }

    /// Whether it would take the records on a good day.
    fn takes(&self, parcel: &Parcel, records: &[Record], dials: &Dials) -> bool {
        let is_poisoned = records.iter().any(|record| is_poison(&record.id, dials));
        parcel.secret == self.secret && records.len() <= dials.records_max && !is_poisoned
    }

    fn status(&self, parcel: &Parcel, records: &[Record], dials: &Dials, random: &mut Random) -> u16 {
        if parcel.secret != self.secret {
            401
        } else if random.chance(dials.busy) {
            *random.pick(&[429, 503])
        } else if random.chance(dials.broken) {
            *random.pick(&[500, 502])
        } else if random.chance(dials.gateways) && self.takes(parcel, records, dials) {
            504
        } else if records.len() > dials.records_max {
            413
        } else if records.iter().any(|record| is_poison(&record.id, dials)) {
            *random.pick(&[400, 422])
        } else {
            200
        }
    }

    /// As `kafka::prepare` and `kafka::send`.
    fn burst(&mut self, parcel: &Parcel, dials: &Dials, random: &mut Random) -> Taken {
        self.mood(parcel, dials, random);
        let settings = Settings {
            brokers: vec![Address { host: "broker".into(), port: PORT }],
            topic: "events".into(),
            sasl: dials.streams.sasl.map(|mechanism| sasl(mechanism, parcel.secret)),
            gzip: dials.streams.gzip,
        };
        let producer = Producer::decode(&parcel.transport).unwrap_or_default();
        let mut burst = Burst::new(settings, producer, [7; 18]);
        let records = kafka_records(parcel);
        if parcel.is_prepared {
            burst.prepare(records);
        } else {
            burst.send(records);
        }
        self.brokers.opened.clear();
        let outcome = self.brokers.carry(&mut burst);
        self.brokers.seen.clear();
        let transport = burst.producer().encode();
        let may_be_kept = outcome.may_be_kept;
        let back = match (parcel.is_prepared, outcome.verdict) {
            (true, Verdict::Left | Verdict::Delivered) => Back::Prepared(Prepared::Ready(transport)),
            (true, other) => Back::Prepared(Prepared::Failed(result_of(other, false))),
            (false, verdict) => Back::Sent(Sent {
                transport: Some(transport),
                possible_duplicates: burst.take_duplicates(),
                may_be_kept,
                ..Sent::of(result_of(verdict, may_be_kept))
            }),
        };
        let is_slow = random.chance(dials.slow);
        let after_ms = if is_slow { SEND_MS_MAX } else { random.between(1, dials.latency_ms_max) };
        let is_asked =
            dials.streams.sasl.is_some() && !self.brokers.is_down && !self.brokers.opened.is_empty();
        let is_stranger = is_asked && parcel.secret != self.secret;
        Taken { is_stranger, ..Taken::of(back, after_ms, self.newly_kept(parcel)) }
    }

    /// What the brokers are like today.
    fn mood(&mut self, parcel: &Parcel, dials: &Dials, random: &mut Random) {
        let brokers = &mut self.brokers;
        brokers.is_down = random.chance(dials.unreachable);
        brokers.batch_records_max = dials.batch_records_max;
        brokers.faults.clear();
        brokers.password = dials.streams.sasl.map(|_| self.secret.to_string());
        for _ in 0..3 {
            let code = *random.pick(&[6, 7, 19]);
            let fault = if parcel.secret != self.secret && dials.streams.sasl.is_none() {
                Some(Fault::Code(29))
            } else if random.chance(dials.hangs) {
                Some(Fault::AnswerLost)
            } else if random.chance(dials.broken) {
                Some(*random.pick(&[&Fault::Lost, &Fault::Code(code)])).cloned()
            } else {
                None
            };
            match fault {
                Some(fault) => brokers.faults.push_back(fault),
                None => break,
            }
        }
        if random.chance(dials.broken / 2) {
            brokers.leaders.rotate_left(1);
        }
        if random.chance(dials.forgetful) {
            brokers.forget_producers();
            self.has_forgotten = true;
        }
        let poison = parcel.records.iter().filter(|record| is_poison(&record.id, dials));
        brokers.refused.extend(poison.map(|record| Bytes::from(record.data.clone())));
    }

    /// What came into the partitions with this parcel.
    fn newly_kept(&mut self, parcel: &Parcel) -> Vec<usize> {
        let mut kept = Vec::new();
        for (partition, records) in &self.brokers.kept {
            let counted = self.counted.entry(*partition).or_default();
            for record in &records[*counted..] {
                let of_it = |known: &Record| record.value.as_deref() == Some(known.data.as_slice());
                kept.extend(parcel.records.iter().position(of_it));
            }
            *counted = records.len();
        }
        kept
    }
}

struct Answer {
    keeps: bool,
    after_ms: u64,
    result: SendResult,
}

/// Whether a destination refuses a record for what it is.
#[must_use]
pub fn is_poison(id: &str, dials: &Dials) -> bool {
    fnv1a_64(id.as_bytes()) % 1_000 < dials.poison
}

/// As in `http.rs`.
fn told_of(result: SendResult, done: usize, is_single: bool) -> SendResult {
    match result {
        SendResult::Poison { why, .. } | SendResult::Split { why } if is_single => {
            SendResult::Poison { records: vec![done], why }
        }
        other => other,
    }
}

/// Who logs in at brokers, by this secret.
fn sasl(mechanism: Mechanism, secret: u64) -> Sasl {
    Sasl { mechanism, user: "shop".into(), password: secret.to_string() }
}

fn kafka_records(parcel: &Parcel) -> Vec<kafka::Record> {
    let record = |(record, group): (&Record, &u32)| kafka::Record {
        key: record.visitor.to_string().into(),
        value: record.data.clone().into(),
        headers: kafka_headers(record).map(|(name, value)| (name.to_string(), value.into())).to_vec(),
        time_ms: i64::try_from(record.time_ms).unwrap_or(i64::MAX),
        group: u64::from(*group),
    };
    parcel.records.iter().zip(&parcel.items).map(record).collect()
}

/// As in `kafka.rs`.
fn result_of(verdict: Verdict, may_be_kept: bool) -> SendResult {
    match verdict {
        Verdict::Delivered => SendResult::Delivered,
        Verdict::Left => SendResult::Some,
        Verdict::Again { why } => SendResult::Again { after_ms: None, is_answered: !may_be_kept, why },
        Verdict::Renew { why } => SendResult::Prepare { why },
        Verdict::Poison { records, why } => SendResult::Poison { records, why },
        Verdict::Pause { why } => SendResult::Pause { why },
    }
}
