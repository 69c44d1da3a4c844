//! A burst: from the first link to the last batch of what is to be sent now.
//!
//! The shell calls [`Burst::prepare`], carries out steps until one is an [`Outcome`], commits the producer, calls
//! [`Burst::send`], carries out steps again, and commits the producer once more. It may go on with further records over the
//! same links.

use crate::answer::{Api, METADATA, Metadata, PRODUCE, PRODUCER_ID, ProducerId, Receipt};
use crate::ask;
use crate::cluster::{Cluster, Stop};
use crate::code::{self, Meaning};
use crate::limits::{LINKS_MAX, THROTTLE_MS_MAX};
use crate::link::{Link, Want};
use crate::login::Identity;
use crate::producer::Producer;
use crate::record::Record;
use crate::scram::Stretched;
use crate::sending::Sending;
pub use crate::sending::Verdict;
use crate::settings::{Address, Settings};

/// What the shell does next.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Step {
    /// Open a link and report [`Burst::opened`] or [`Burst::failed`].
    Open {
        /// The number that the link is called by.
        link: usize,
        /// Where to.
        address: Address,
    },
    /// Write all of these bytes; report [`Burst::failed`] where that fails.
    Write {
        /// The link.
        link: usize,
        /// A whole request.
        bytes: Vec<u8>,
    },
    /// Wait for some bytes and report [`Burst::received`] or [`Burst::failed`].
    Read {
        /// The link.
        link: usize,
    },
    /// There is nothing to do.
    Over(Outcome),
}

/// What came of the last wish.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Outcome {
    /// After `prepare`, [`Verdict::Left`] says that the records can be sent.
    pub verdict: Verdict,
    /// For how long a broker asks to be left alone.
    pub throttle_ms: u32,
    /// Brokers have some of the records, or may have: unless all were delivered they go again exactly as they were, with
    /// the same records before and between them. Under new numbers a broker would not know them again.
    pub may_be_kept: bool,
}

enum Wish {
    None,
    Prepare {
        search: Search,
        records: Vec<Record>,
    },
    /// To know who leads, before sending.
    Look {
        search: Search,
        records: Vec<Record>,
    },
    Send {
        sending: Sending,
        records: Vec<Record>,
    },
}

/// How far the search for a broker that answers came.
#[derive(Default)]
struct Search {
    tried: usize,
    problem: Option<Stop>,
}

/// See the module.
pub struct Burst {
    settings: Settings,
    producer: Producer,
    nonce: [u8; 18],
    stretched: Stretched,
    cluster: Option<Cluster>,
    links: Vec<Link>,
    wish: Wish,
    last: Outcome,
}

impl Burst {
    /// Nothing is open yet. `nonce` must be random.
    #[must_use]
    pub fn new(settings: Settings, producer: Producer, nonce: [u8; 18]) -> Burst {
        Burst {
            settings,
            producer,
            nonce,
            stretched: Stretched::default(),
            cluster: None,
            links: Vec::new(),
            wish: Wish::None,
            last: outcome(Verdict::Delivered),
        }
    }

    /// What must be committed with the outcome.
    #[must_use]
    pub fn producer(&self) -> &Producer {
        &self.producer
    }

    /// How many records may have arrived twice since the last call, because brokers lost track of us.
    pub fn take_duplicates(&mut self) -> u64 {
        self.producer.take_duplicates()
    }

    /// Goes on with the producer as it was committed, over the links that are open.
    pub fn resume(&mut self, producer: Producer) {
        self.producer = producer;
    }

    /// Wishes to have a producer's id, and fixes how these records are dealt out. Asks a broker only where we do not know
    /// enough.
    pub fn prepare(&mut self, records: Vec<Record>) {
        if !self.producer.is_of(&self.settings.topic) {
            self.producer.forget(0);
        }
        self.wish = Wish::Prepare { search: Search::default(), records };
    }

    /// Wishes to send what of these records is not done. They are the records that were prepared: all of them, in order,
    /// the same at every attempt.
    pub fn send(&mut self, records: Vec<Record>) {
        self.wish = Wish::Look { search: Search::default(), records };
    }

    /// What to do next.
    pub fn step(&mut self) -> Step {
        // Each turn puts a request on its way, gives up a link, or ends the wish; there are at most LINKS_MAX links.
        for _ in 0..LINKS_MAX.saturating_mul(4) {
            if let Some(step) = self.link_step() {
                return step;
            }
            if let Some(outcome) = self.advance() {
                self.wish = Wish::None;
                self.last = outcome;
            }
            if matches!(self.wish, Wish::None) {
                return Step::Over(self.last.clone());
            }
        }
        let may_be_kept = matches!(self.wish, Wish::Send { .. });
        Step::Over(Outcome {
            may_be_kept,
            ..outcome(Verdict::Again { why: "the brokers lead nowhere".into() })
        })
    }

    /// The link is open.
    pub fn opened(&mut self, link: usize) {
        if let Some(Err(stop)) = self.links.get_mut(link).map(Link::opened) {
            self.lose(link, stop);
        }
    }

    /// Bytes arrived.
    pub fn received(&mut self, link: usize, bytes: &[u8]) {
        match self.links.get_mut(link) {
            Some(open) if !open.is_broken() => open.push(bytes),
            _ => return,
        }
        while let Some(found) = self.take(link) {
            let stop = match found {
                Ok((api, body)) => match self.answered(link, api, &body) {
                    Ok(()) => continue,
                    Err(stop) => stop,
                },
                Err(stop) => stop,
            };
            self.lose(link, stop);
            return;
        }
    }

    /// The link could not be opened, broke, or was silent for too long.
    pub fn failed(&mut self, link: usize, why: &str) {
        let place = self.links.get(link).map(|link| format!("{}:{}", link.address.host, link.address.port));
        self.lose(link, Stop::Again(format!("{}: {why}", place.unwrap_or_default())));
    }

    fn take(&mut self, link: usize) -> Option<Result<(Api, Vec<u8>), Stop>> {
        let mut nonce = self.nonce;
        if let Some(first) = nonce.first_mut() {
            *first ^= (link & 0xff) as u8;
        }
        let mut identity =
            Identity { sasl: self.settings.sasl.as_ref(), nonce, stretched: &mut self.stretched };
        self.links.get_mut(link)?.take(&mut identity).transpose()
    }

    fn lose(&mut self, link: usize, stop: Stop) {
        let Some(lost) = self.links.get_mut(link) else { return };
        lost.break_off();
        let address = lost.address.clone();
        match &mut self.wish {
            Wish::None => {}
            Wish::Prepare { search, .. } | Wish::Look { search, .. } => search.problem = Some(stop),
            Wish::Send { sending, .. } => {
                let cluster = self.cluster.as_ref();
                let led = |partition| {
                    cluster
                        .and_then(|cluster| cluster.address(cluster.leader(partition)?))
                        .is_some_and(|leader| *leader == address)
                };
                sending.fail(Some(link), led, &stop);
            }
        }
    }

    fn link_step(&mut self) -> Option<Step> {
        let urgent = self.links.iter().enumerate().filter_map(|(link, open)| Some((open.urgency()?, link)));
        let (_, link) = urgent.min()?;
        let open = self.links.get_mut(link)?;
        Some(match open.want()? {
            Want::Open => Step::Open { link, address: open.address.clone() },
            Want::Write(bytes) => Step::Write { link, bytes },
            Want::Read => Step::Read { link },
        })
    }

    fn advance(&mut self) -> Option<Outcome> {
        match std::mem::replace(&mut self.wish, Wish::None) {
            Wish::None => None,
            Wish::Prepare { search, records } => {
                if !self.producer.is_unknown() {
                    self.producer.lay_out(self.settings.gzip, &records);
                }
                if !self.producer.is_unknown() {
                    return Some(outcome(Verdict::Left));
                }
                let api = if self.cluster.is_none() { METADATA } else { PRODUCER_ID };
                let wish = |search| Wish::Prepare { search, records };
                self.ask_anyone(search, api, wish)
            }
            Wish::Look { search, records } if self.cluster.is_none() => {
                let wish = |search| Wish::Look { search, records };
                self.ask_anyone(search, METADATA, wish)
            }
            Wish::Look { records, .. } => {
                if self.producer.is_unknown() || !self.producer.knows(&records) {
                    let why = "the cluster, the topic or the records are not those that were prepared for";
                    return Some(outcome(Verdict::Renew { why: why.into() }));
                }
                let sending = Sending::new(&self.producer, &records);
                self.wish = Wish::Send { sending, records };
                None
            }
            Wish::Send { sending, records } => self.advance_send(sending, records),
        }
    }

    /// Asks any broker, opening a link to the next that the settings name where none is ready.
    fn ask_anyone(
        &mut self,
        mut search: Search,
        api: Api,
        wish: impl FnOnce(Search) -> Wish,
    ) -> Option<Outcome> {
        if let Some(Stop::Pause(why)) = search.problem {
            return Some(outcome(Verdict::Pause { why }));
        }
        if let Some(link) = self.links.iter().position(Link::is_ready) {
            self.wish = wish(search);
            let topic = &self.settings.topic;
            let asked = self.links.get_mut(link)?.ask(api, |correlation| {
                if api == METADATA {
                    ask::metadata(correlation, topic)
                } else {
                    ask::producer_id(correlation)
                }
            });
            if let Err(stop) = asked {
                self.lose(link, stop);
            }
            return None;
        }
        let address = self.settings.brokers.get(search.tried).filter(|_| self.links.len() < LINKS_MAX);
        let Some(address) = address else {
            let why = match search.problem {
                Some(Stop::Again(why) | Stop::Pause(why)) => why,
                None => "no broker is named".to_string(),
            };
            return Some(outcome(Verdict::Again { why }));
        };
        self.links.push(Link::new(address.clone()));
        search.tried = search.tried.saturating_add(1);
        self.wish = wish(search);
        None
    }

    fn advance_send(&mut self, mut sending: Sending, records: Vec<Record>) -> Option<Outcome> {
        if sending.is_over() {
            if sending.is_stale {
                self.cluster = None;
            }
            let throttle_ms = sending.throttle_ms.min(THROTTLE_MS_MAX);
            let is_unsure = sending.may_be_kept();
            let verdict = sending.settle(&mut self.producer, &records);
            let may_be_kept = is_unsure || self.producer.has_begun();
            return Some(Outcome { verdict, throttle_ms, may_be_kept });
        }
        let mut by_link: Vec<(usize, Vec<i32>)> = Vec::new();
        let waiting: Vec<i32> = sending.waiting().collect();
        for partition in waiting {
            match self.link_to_leader(partition) {
                Some(link) => match by_link.iter_mut().find(|(known, _)| *known == link) {
                    Some((_, partitions)) => partitions.push(partition),
                    None => by_link.push((link, vec![partition])),
                },
                None => {
                    let stop = Stop::Again(format!("partition {partition} has no leader now"));
                    sending.fail(None, |other| other == partition, &stop);
                }
            }
        }
        let mut lost = Vec::new();
        for (link, partitions) in by_link {
            let Some(open) = self.links.get_mut(link).filter(|open| open.is_ready()) else { continue };
            let batches = sending.leave(&partitions, link);
            let topic = &self.settings.topic;
            if let Err(stop) = open.ask(PRODUCE, |correlation| ask::produce(correlation, topic, batches)) {
                lost.push((link, stop));
            }
        }
        self.wish = Wish::Send { sending, records };
        lost.into_iter().for_each(|(link, stop)| self.lose(link, stop));
        None
    }

    /// The link to the broker that leads a partition; a new one where there is none.
    fn link_to_leader(&mut self, partition: i32) -> Option<usize> {
        let cluster = self.cluster.as_ref()?;
        let address = cluster.address(cluster.leader(partition)?)?;
        let known = self.links.iter().position(|link| !link.is_broken() && link.address == *address);
        if known.is_some() || self.links.len() >= LINKS_MAX {
            return known;
        }
        self.links.push(Link::new(address.clone()));
        self.links.len().checked_sub(1)
    }

    fn answered(&mut self, link: usize, api: Api, body: &[u8]) -> Result<(), Stop> {
        match &mut self.wish {
            Wish::Send { sending, .. } if api == PRODUCE => {
                let receipt = Receipt::read(body)?;
                sending.throttle_ms = sending.throttle_ms.max(receipt.throttle_ms);
                sending.answered(link, &receipt.partitions);
            }
            Wish::Prepare { .. } | Wish::Look { .. } if api == METADATA => {
                let cluster = Cluster::of(Metadata::read(body)?, &self.settings.topic)?;
                self.producer.recognise(&cluster.id, &self.settings.topic, cluster.partitions());
                self.cluster = Some(cluster);
            }
            Wish::Prepare { .. } if api == PRODUCER_ID => {
                let ProducerId { code, id, epoch } = ProducerId::read(body)?;
                match code::meaning_of_init(code) {
                    Meaning::Done if id >= 0 => self.producer.identify(id, epoch),
                    meaning => return Err(Stop::by_code("asking for a producer's id", code, meaning)),
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn outcome(verdict: Verdict) -> Outcome {
    Outcome { verdict, throttle_ms: 0, may_be_kept: false }
}

#[cfg(test)]
mod tests;
