//! One round of batches: a part for each partition, its fate, and what all fates come to.

use bytes::Bytes;

use crate::answer::Produced;
use crate::cluster::Stop;
use crate::code::{self, Meaning};
use crate::producer::{Part, Producer};
use crate::record::{self, Record};

/// What came of the records in flight.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// The brokers have all of them.
    Delivered,
    /// The next step can be taken at once: send, after preparing; send the rest, after sending some.
    Left,
    /// The brokers do not know us any more: prepare, then send. What was sent may arrive twice.
    Renew {
        /// What happened.
        why: String,
    },
    /// Nothing more now: try again later.
    Again {
        /// What is in the way.
        why: String,
    },
    /// A broker refuses these records, by their place among those in flight. Without them the rest can go at once.
    Poison {
        /// Their places, in order.
        records: Vec<usize>,
        /// What the broker says.
        why: String,
    },
    /// Nothing goes until somebody changes something.
    Pause {
        /// What must change.
        why: String,
    },
}

enum Fate {
    Waiting,
    Asked {
        link: usize,
    },
    Done,
    Failed {
        trouble: Trouble,
        /// The broker may have the batch for all that.
        may_be_kept: bool,
    },
}

enum Trouble {
    Stop(Stop),
    Split,
    Poison { records: Vec<usize>, why: String },
    NewProducer { why: String },
}

/// The parts of one round.
pub struct Sending {
    parts: Vec<(Part, Bytes, Fate)>,
    pub throttle_ms: u32,
    pub is_stale: bool,
}

impl Sending {
    pub fn new(producer: &Producer, records: &[Record]) -> Sending {
        let written = |part: Part| {
            let chosen: Vec<&Record> = part.records.iter().filter_map(|index| records.get(*index)).collect();
            let batch = record::batch(&chosen, part.stamp, producer.gzip());
            (part, batch, Fate::Waiting)
        };
        let parts = producer.parts(records).into_iter().map(written).collect();
        Sending { parts, throttle_ms: 0, is_stale: false }
    }

    /// The partitions whose batch has not left.
    pub fn waiting(&self) -> impl Iterator<Item = i32> + '_ {
        let waits = self.parts.iter().filter(|(_, _, fate)| matches!(fate, Fate::Waiting));
        waits.map(|(part, _, _)| part.partition)
    }

    /// Takes the batches of these partitions for a link.
    pub fn leave(&mut self, partitions: &[i32], link: usize) -> Vec<(i32, Bytes)> {
        let mut batches = Vec::new();
        for (part, batch, fate) in &mut self.parts {
            if matches!(fate, Fate::Waiting) && partitions.contains(&part.partition) {
                *fate = Fate::Asked { link };
                batches.push((part.partition, batch.clone()));
            }
        }
        batches
    }

    /// No batch of a partition for which `is_hit` holds, waiting or under way on the link, gets an answer.
    pub fn fail(&mut self, hit_link: Option<usize>, is_hit: impl Fn(i32) -> bool, stop: &Stop) {
        self.is_stale = true;
        for (part, _, fate) in &mut self.parts {
            let is_lost = match fate {
                Fate::Waiting => is_hit(part.partition),
                Fate::Asked { link } => Some(*link) == hit_link,
                _ => false,
            };
            if is_lost {
                let may_be_kept = matches!(fate, Fate::Asked { .. });
                *fate = Fate::Failed { trouble: Trouble::Stop(stop.clone()), may_be_kept };
            }
        }
    }

    /// Takes what a broker said over a link. A batch of that link that it does not mention is sent again.
    pub fn answered(&mut self, link: usize, answers: &[Produced]) {
        for (part, _, fate) in &mut self.parts {
            if !matches!(fate, Fate::Asked { link: asked } if *asked == link) {
                continue;
            }
            let answer = answers.iter().find(|answer| answer.partition == part.partition);
            *fate = match answer {
                Some(answer) => fate_of(answer, part, &mut self.is_stale),
                None => {
                    let why = format!("the broker says nothing of partition {}", part.partition);
                    Fate::Failed { trouble: Trouble::Stop(Stop::Again(why)), may_be_kept: true }
                }
            };
        }
    }

    pub fn is_over(&self) -> bool {
        self.parts.iter().all(|(_, _, fate)| matches!(fate, Fate::Done | Fate::Failed { .. }))
    }

    /// Whether a broker may have the batch of a part that is not done.
    pub fn may_be_kept(&self) -> bool {
        let is_unsure =
            |fate: &Fate| matches!(fate, Fate::Asked { .. } | Fate::Failed { may_be_kept: true, .. });
        self.parts.iter().any(|(_, _, fate)| is_unsure(fate))
    }

    /// Writes into the producer what came of each part, and gives back the worst.
    pub fn settle(self, producer: &mut Producer, records: &[Record]) -> Verdict {
        let (mut worst, mut undone, mut is_forgotten) = (Verdict::Delivered, 0_usize, false);
        for (part, _, fate) in self.parts {
            let trouble = match fate {
                Fate::Done => {
                    producer.advance(&part, records);
                    continue;
                }
                Fate::Failed { trouble, .. } => trouble,
                Fate::Waiting | Fate::Asked { .. } => Trouble::Stop(Stop::Again("no answer came".into())),
            };
            undone = undone.saturating_add(producer.exposed(&part, records));
            is_forgotten |= matches!(trouble, Trouble::NewProducer { .. });
            worst = worse(worst, verdict_of(trouble, &part, producer, records));
        }
        if is_forgotten {
            producer.forget(undone);
        }
        closed(worst, producer, records)
    }
}

fn verdict_of(trouble: Trouble, part: &Part, producer: &mut Producer, records: &[Record]) -> Verdict {
    match trouble {
        Trouble::Stop(Stop::Again(why)) => Verdict::Again { why },
        Trouble::Stop(Stop::Pause(why)) => Verdict::Pause { why },
        Trouble::NewProducer { why } => Verdict::Renew { why },
        Trouble::Poison { records, why } => {
            producer.release(part.partition);
            Verdict::Poison { records, why }
        }
        Trouble::Split => {
            producer.halve(part, records);
            Verdict::Left
        }
    }
}

/// Delivered is only said where nothing is left.
fn closed(worst: Verdict, producer: &mut Producer, records: &[Record]) -> Verdict {
    if worst != Verdict::Delivered {
        return worst;
    }
    if producer.parts(records).is_empty() {
        producer.finish();
        return Verdict::Delivered;
    }
    Verdict::Left
}

/// A pause outweighs poison, poison a new producer, that a wait, and a wait what can go at once. Poison of several partitions adds up.
fn worse(one: Verdict, other: Verdict) -> Verdict {
    fn weight(verdict: &Verdict) -> u8 {
        match verdict {
            Verdict::Delivered => 0,
            Verdict::Left => 1,
            Verdict::Again { .. } => 2,
            Verdict::Renew { .. } => 3,
            Verdict::Poison { .. } => 4,
            Verdict::Pause { .. } => 5,
        }
    }
    match (one, other) {
        (Verdict::Poison { mut records, why }, Verdict::Poison { records: more, .. }) => {
            records.extend(more);
            records.sort_unstable();
            Verdict::Poison { records, why }
        }
        (one, other) => {
            if weight(&other) > weight(&one) {
                other
            } else {
                one
            }
        }
    }
}

fn fate_of(answer: &Produced, part: &Part, is_stale: &mut bool) -> Fate {
    let words = if answer.message.is_empty() { String::new() } else { format!(": {}", answer.message) };
    let why = format!("partition {}: {} ({}){words}", part.partition, code::name(answer.code), answer.code);
    let trouble = match code::meaning(answer.code) {
        Meaning::Done => return Fate::Done,
        Meaning::Resend { refresh } => {
            *is_stale |= refresh;
            Trouble::Stop(Stop::Again(why))
        }
        Meaning::Pause => Trouble::Stop(Stop::Pause(why)),
        Meaning::NewProducer => Trouble::NewProducer { why },
        Meaning::Split => divided(part, &[], why),
        Meaning::Poison => divided(part, &answer.refused, why),
    };
    Fate::Failed { trouble, may_be_kept: code::may_be_kept(answer.code) }
}

/// The records that a broker names are poison; where it names none, a lone group is, and several are sent in halves.
fn divided(part: &Part, named: &[usize], why: String) -> Trouble {
    let named: Vec<usize> = named.iter().filter_map(|place| part.records.get(*place).copied()).collect();
    if !named.is_empty() {
        return Trouble::Poison { records: named, why };
    }
    if part.groups > 1 { Trouble::Split } else { Trouble::Poison { records: part.records.clone(), why } }
}
