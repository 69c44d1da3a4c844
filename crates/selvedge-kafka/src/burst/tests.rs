use super::*;
use crate::brokers::{Brokers, Fault, PORT};
use crate::settings::{Mechanism, Sasl};
use bytes::Bytes;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn settings() -> Settings {
    let address = |port| Address { host: "broker".into(), port };
    Settings { brokers: vec![address(PORT)], topic: "shop".into(), sasl: None, gzip: false }
}

fn records(from: usize, count: usize) -> Vec<Record> {
    let record = |index: usize| Record {
        key: Bytes::from(format!("visitor-{}", index % 17)),
        value: Bytes::from(format!("{index:05}")),
        headers: vec![("ce_id".into(), Bytes::from(format!("id-{index}")))],
        time_ms: 1_700_000_000_000 + index as i64,
        group: index as u64,
    };
    (from..from + count).map(record).collect()
}

/// A shell that crashes: it commits the producer where the real one does, and nothing else outlives it.
struct Shell {
    settings: Settings,
    committed: Vec<u8>,
    duplicates: u64,
    throttle_ms: u32,
    may_be_kept: bool,
    burst: Option<Burst>,
}

impl Shell {
    fn new() -> Shell {
        let (duplicates, throttle_ms, may_be_kept) = (0, 0, false);
        Shell { settings: settings(), committed: vec![], duplicates, throttle_ms, may_be_kept, burst: None }
    }

    fn crash(&mut self) {
        self.burst = None;
    }

    fn run(&mut self, brokers: &mut Brokers, wish: impl FnOnce(&mut Burst)) -> Verdict {
        let producer = Producer::decode(&self.committed).unwrap();
        let mut burst = self
            .burst
            .take()
            .unwrap_or_else(|| Burst::new(self.settings.clone(), Producer::default(), [7; 18]));
        burst.resume(producer);
        wish(&mut burst);
        let outcome = brokers.carry(&mut burst);
        self.duplicates += burst.take_duplicates();
        self.throttle_ms = outcome.throttle_ms;
        self.may_be_kept = outcome.may_be_kept;
        self.committed = burst.producer().encode();
        self.burst = Some(burst);
        outcome.verdict
    }

    fn prepare(&mut self, brokers: &mut Brokers, records: &[Record]) -> Verdict {
        self.run(brokers, |burst| burst.prepare(records.to_vec()))
    }

    fn send(&mut self, brokers: &mut Brokers, records: &[Record]) -> Verdict {
        self.run(brokers, |burst| burst.send(records.to_vec()))
    }

    /// Prepares and sends, taking out what is poison, until all is delivered. Gives back the poison.
    fn deliver(&mut self, brokers: &mut Brokers, mut records: Vec<Record>) -> Vec<Record> {
        let mut poison = Vec::new();
        assert_eq!(self.prepare(brokers, &records), Verdict::Left);
        for _ in 0..200 {
            match self.send(brokers, &records) {
                Verdict::Delivered => return poison,
                Verdict::Left | Verdict::Again { .. } => {}
                Verdict::Renew { .. } => assert_eq!(self.prepare(brokers, &records), Verdict::Left),
                Verdict::Poison { records: places, .. } => {
                    places.iter().rev().for_each(|place| poison.push(records.remove(*place)));
                    assert_eq!(self.prepare(brokers, &records), Verdict::Left);
                }
                Verdict::Pause { why } => panic!("{why}"),
            }
        }
        panic!("never delivered");
    }
}

/// Every record is there once, in order, and each in the partition of its key.
fn all_there(brokers: &Brokers, records: &[Record]) {
    let mut expected: BTreeMap<u32, Vec<Bytes>> = BTreeMap::new();
    for record in records {
        let partition = crate::murmur2::partition(&record.key, brokers.leaders.len() as u32);
        expected.entry(partition).or_default().push(record.value.clone());
    }
    assert_eq!(brokers.values(), expected.into_values().collect::<Vec<_>>());
}

#[test]
fn records_reach_the_leaders_of_their_partitions() {
    let (mut shell, mut brokers) = (Shell::new(), Brokers::new(5));
    shell.deliver(&mut brokers, records(0, 100));
    shell.deliver(&mut brokers, records(100, 50));
    all_there(&brokers, &records(0, 150));
    assert_eq!((brokers.ids_given, brokers.opened.len()), (1, 3), "one id, one link to each broker");
    let header = &brokers.kept[&0][0].headers;
    assert!(header.get("ce_id".as_bytes()).is_some());
}

#[test]
fn a_broker_that_asks_for_quiet_is_obeyed_within_a_bound() {
    let (mut shell, mut brokers) = (Shell::new(), Brokers::new(3));
    for (asked, expected) in [(0, 0), (250, 250), (i32::MAX, crate::limits::THROTTLE_MS_MAX), (-1, 0)] {
        brokers.throttle_ms = asked;
        shell.deliver(&mut brokers, records(0, 9));
        assert_eq!(shell.throttle_ms, expected, "asked for {asked} ms");
    }
}

#[test]
fn compressed_records_arrive_too() {
    let (mut shell, mut brokers) = (Shell::new(), Brokers::new(2));
    shell.settings.gzip = true;
    shell.deliver(&mut brokers, records(0, 100));
    all_there(&brokers, &records(0, 100));
}

#[test]
fn a_batch_whose_answer_was_lost_is_sent_again_byte_for_byte_and_kept_once() {
    let (mut shell, mut brokers) = (Shell::new(), Brokers::new(1));
    let records = records(0, 40);
    shell.prepare(&mut brokers, &records);
    brokers.faults.extend([Fault::AnswerLost, Fault::Lost]);
    for _ in 0..2 {
        assert!(matches!(shell.send(&mut brokers, &records), Verdict::Again { .. }));
        shell.crash();
    }
    assert_eq!(shell.send(&mut brokers, &records), Verdict::Delivered);
    assert_eq!(brokers.seen.len(), 3);
    assert!(brokers.seen.windows(2).all(|pair| pair[0] == pair[1]));
    all_there(&brokers, &records);
    assert_eq!(shell.duplicates, 0);
}

/// The shell takes nothing out of such a send then: without one of its records the others would go under new numbers.
#[test]
fn what_brokers_may_have_is_told_whatever_else_is_told() {
    let (all, lost) = (records(0, 40), Fault::AnswerLost);
    for (fault, partitions, expected) in [
        (lost, 1, true),
        (Fault::Lost, 1, true),
        (Fault::Code(7), 1, true),
        (Fault::Code(6), 1, true),
        (Fault::Code(19), 1, false),
        (Fault::Code(29), 1, false),
        (Fault::Code(45), 1, false),
        // The other partitions have theirs.
        (Fault::Code(19), 3, true),
        (Fault::Code(29), 3, true),
        (Fault::Code(45), 3, true),
    ] {
        let (mut shell, mut brokers) = (Shell::new(), Brokers::new(partitions));
        shell.prepare(&mut brokers, &all);
        brokers.faults.push_back(fault.clone());
        let verdict = shell.send(&mut brokers, &all);
        assert!(!matches!(verdict, Verdict::Delivered | Verdict::Left), "{fault:?}: {verdict:?}");
        assert_eq!(shell.may_be_kept, expected, "{fault:?} of {partitions}: {verdict:?}");
    }
    let (mut shell, mut brokers) = (Shell::new(), Brokers::new(3));
    shell.prepare(&mut brokers, &all);
    shell.crash();
    brokers.is_down = true;
    assert!(matches!(shell.send(&mut brokers, &all), Verdict::Again { .. }));
    assert!(!shell.may_be_kept, "nothing was sent");
}

#[test]
fn a_leader_that_moved_is_found_again() {
    let (mut shell, mut brokers) = (Shell::new(), Brokers::new(4));
    shell.deliver(&mut brokers, records(0, 60));
    brokers.leaders.rotate_left(1);
    let more = records(60, 60);
    shell.prepare(&mut brokers, &more);
    assert!(matches!(shell.send(&mut brokers, &more), Verdict::Again { .. }));
    assert_eq!(shell.send(&mut brokers, &more), Verdict::Delivered);
    brokers.leaders[2] = -1;
    let last = records(120, 60);
    shell.prepare(&mut brokers, &last);
    shell.crash();
    let Verdict::Again { why } = shell.send(&mut brokers, &last) else { panic!("it waits") };
    assert_eq!(why, "partition 2 has no leader now");
    brokers.leaders[2] = 0;
    assert_eq!(shell.send(&mut brokers, &last), Verdict::Delivered);
    all_there(&brokers, &records(0, 180));
}

#[test]
fn the_next_broker_is_asked_where_the_first_is_away() {
    let (mut shell, mut brokers) = (Shell::new(), Brokers::new(1));
    shell.settings.brokers.insert(0, Address { host: "gone".into(), port: 1 });
    shell.deliver(&mut brokers, records(0, 5));
    shell.settings.brokers.truncate(1);
    shell.crash();
    shell.committed.clear();
    let Verdict::Again { why } = shell.prepare(&mut brokers, &records(0, 5)) else { panic!("it waits") };
    assert_eq!(why, "gone:1: refused");
}

#[test]
fn a_batch_that_is_too_large_goes_in_pieces_and_in_order() {
    let (mut shell, mut brokers) = (Shell::new(), Brokers::new(2));
    brokers.batch_records_max = 3;
    shell.deliver(&mut brokers, records(0, 50));
    all_there(&brokers, &records(0, 50));
}

/// A broker knows a batch again by its first and its last number only. A copy of the whole that it refused may still be under
/// way; where it takes that after all, its limit having been raised, it does not know the halves.
#[test]
fn a_copy_of_a_refused_batch_that_is_taken_later_is_counted_as_what_may_be_there_twice() {
    let (mut shell, mut brokers) = (Shell::new(), Brokers::new(1));
    brokers.batch_records_max = 25;
    shell.prepare(&mut brokers, &records(0, 40));
    let under_way = shell.committed.clone();
    assert_eq!(shell.send(&mut brokers, &records(0, 40)), Verdict::Left);
    brokers.batch_records_max = usize::MAX;
    let mut copy = Shell { committed: under_way, ..Shell::new() };
    assert_eq!(copy.send(&mut brokers, &records(0, 40)), Verdict::Delivered);
    assert_eq!(shell.deliver(&mut brokers, records(0, 40)), []);
    let kept = &brokers.values()[0];
    let twice = kept.len() - 40;
    assert!(twice > 0 && twice as u64 <= shell.duplicates, "{twice} twice, {} said", shell.duplicates);
}

#[test]
fn a_group_is_not_torn_and_a_lone_one_that_is_too_large_is_poison() {
    let (mut shell, mut brokers) = (Shell::new(), Brokers::new(1));
    brokers.batch_records_max = 3;
    let mut records = records(0, 20);
    for record in &mut records {
        record.group = if (4..8).contains(&record.group) { 4 } else { record.group };
    }
    let poison = shell.deliver(&mut brokers, records.clone());
    assert_eq!(poison.len(), 4);
    assert!(poison.iter().all(|record| record.group == 4));
    records.retain(|record| record.group != 4);
    all_there(&brokers, &records);
}

#[test]
fn only_the_named_records_are_poison() {
    let (mut shell, mut brokers) = (Shell::new(), Brokers::new(3));
    let bad = records(9, 1).remove(0);
    brokers.faults.extend(std::iter::repeat_n(Fault::Names(bad.value.clone()), 6));
    assert_eq!(shell.deliver(&mut brokers, records(0, 50)), std::slice::from_ref(&bad));
    let rest: Vec<Record> = records(0, 50).into_iter().filter(|record| *record != bad).collect();
    all_there(&brokers, &rest);
    assert_eq!((brokers.ids_given, shell.duplicates), (1, 0));
}

#[test]
fn a_producer_that_was_forgotten_begins_anew_and_counts_what_may_be_there_twice() {
    let (mut shell, mut brokers) = (Shell::new(), Brokers::new(1));
    shell.deliver(&mut brokers, records(0, 10));
    brokers.forget_producers();
    shell.deliver(&mut brokers, records(10, 10));
    all_there(&brokers, &records(0, 20));
    assert_eq!((brokers.ids_given, shell.duplicates), (2, 10));
}

#[test]
fn another_cluster_gives_another_id() {
    let (mut shell, mut brokers) = (Shell::new(), Brokers::new(1));
    shell.deliver(&mut brokers, records(0, 10));
    shell.crash();
    let mut elsewhere = Brokers::new(1);
    elsewhere.cluster = "there";
    shell.deliver(&mut elsewhere, records(10, 10));
    all_there(&elsewhere, &records(10, 10));
    assert_eq!((elsewhere.ids_given, shell.duplicates), (1, 0));
}

#[test]
fn codes_that_somebody_must_act_on_pause() {
    for code in [17, 29, 31, 35, 58, 44, -1] {
        let (mut shell, mut brokers) = (Shell::new(), Brokers::new(1));
        shell.prepare(&mut brokers, &records(0, 5));
        brokers.faults.push_back(Fault::Code(code));
        let verdict = shell.send(&mut brokers, &records(0, 5));
        let Verdict::Pause { why } = verdict else { panic!("{code}: {verdict:?}") };
        assert!(why.contains(&format!("({code})")), "{why}");
        assert_eq!(shell.send(&mut brokers, &records(0, 5)), Verdict::Delivered, "it resumes");
        all_there(&brokers, &records(0, 5));
    }
}

#[test]
fn a_missing_topic_is_waited_for_and_a_wrong_password_pauses() {
    let (mut shell, mut brokers) = (Shell::new(), Brokers::new(1));
    brokers.topic_code = 3;
    let Verdict::Again { why } = shell.prepare(&mut brokers, &records(0, 5)) else { panic!("it waits") };
    assert_eq!(why, "the topic `shop`: UNKNOWN_TOPIC_OR_PARTITION (3)");
    brokers.topic_code = 0;
    brokers.password = Some("right".into());
    let sasl = |password: &str, mechanism| Sasl { mechanism, user: "shop".into(), password: password.into() };
    let rows = [
        ("wrong", Mechanism::Plain, false, "logging in as `shop`: SASL_AUTHENTICATION_FAILED (58)"),
        ("wrong", Mechanism::Scram256, false, "logging in as `shop`: SASL_AUTHENTICATION_FAILED (58)"),
        ("wrong", Mechanism::Scram512, false, "logging in as `shop`: SASL_AUTHENTICATION_FAILED (58)"),
        ("right", Mechanism::Scram256, true, "logging in by SCRAM-SHA-256: UNSUPPORTED_SASL_MECHANISM (33)"),
    ];
    for (password, mechanism, is_plain_only, expected) in rows {
        shell.settings.sasl = Some(sasl(password, mechanism));
        brokers.is_plain_only = is_plain_only;
        shell.crash();
        let verdict = shell.prepare(&mut brokers, &records(0, 5));
        assert_eq!(verdict, Verdict::Pause { why: expected.into() });
    }
    brokers.is_plain_only = false;
    for (at, mechanism) in
        [Mechanism::Plain, Mechanism::Scram256, Mechanism::Scram512].into_iter().enumerate()
    {
        shell.settings.sasl = Some(sasl("right", mechanism));
        shell.crash();
        shell.deliver(&mut brokers, records(at * 5, 5));
    }
    all_there(&brokers, &records(0, 15));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever fails and whenever the shell crashes: every record is kept once, in order.
    #[test]
    fn nothing_is_lost_doubled_or_reordered(
        partitions in 1_usize..6,
        rounds in prop::collection::vec((1_usize..40, prop::collection::vec(0_u8..6, 0..6), any::<bool>()), 1..6),
        batch_records_max in 1_usize..30,
    ) {
        let (mut shell, mut brokers) = (Shell::new(), Brokers::new(partitions));
        brokers.batch_records_max = batch_records_max;
        let mut sent = 0;
        for (count, faults, crashes) in rounds {
            brokers.faults.extend(faults.into_iter().map(|fault| match fault {
                0 => Fault::Code(6),
                1 => Fault::Code(7),
                2 => Fault::Code(10),
                3 => Fault::Lost,
                _ => Fault::AnswerLost,
            }));
            // Where a lone record is refused as too large it is poison: that is another test.
            if batch_records_max == 1 {
                brokers.faults.retain(|fault| !matches!(fault, Fault::Code(10)));
            }
            let poison = shell.deliver(&mut brokers, records(sent, count));
            prop_assume!(poison.is_empty());
            if crashes {
                shell.crash();
            }
            brokers.leaders.rotate_left(1);
            sent += count;
        }
        all_there(&brokers, &records(0, sent));
        prop_assert_eq!(shell.duplicates, 0);
    }

    /// A broker that answers anything at all: no panic, and an end.
    #[test]
    fn hostile_answers_come_to_an_end(answers in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 1..20)) {
        let mut burst = Burst::new(settings(), Producer::default(), [1; 18]);
        burst.prepare(records(0, 3));
        let mut answers = answers.into_iter();
        let is_over = (0..200).any(|_| match burst.step() {
            Step::Over(outcome) => outcome.verdict != Verdict::Delivered,
            Step::Open { link, .. } => {
                burst.opened(link);
                false
            }
            Step::Write { .. } => false,
            Step::Read { link } => {
                match answers.next() {
                    Some(answer) => {
                        let length = (answer.len() as i32 + 4).to_be_bytes();
                        burst.received(link, &[&length[..], &1_i32.to_be_bytes(), &answer].concat());
                    }
                    None => burst.failed(link, "closed"),
                }
                false
            }
        });
        prop_assert!(is_over);
    }
}
