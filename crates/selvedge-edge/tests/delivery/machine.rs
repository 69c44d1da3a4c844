//! The state machine of a destination against receivers that do everything wrong, with crashes between any two effects.

use proptest::prelude::*;
use selvedge_core::consent::Purposes;
use selvedge_core::id::{ProgramHash, VisitorId};
use selvedge_core::wire::program::RecordKind;
use selvedge_edge::cursor::Position;
use selvedge_edge::delivery::item::{self, Item, Refused};
use selvedge_edge::delivery::machine::{Machine, Sending, Step};
use selvedge_edge::delivery::record::Record;
use selvedge_edge::delivery::sent::{Prepared, SendResult, Sent};
use selvedge_edge::delivery::state::State;
use selvedge_edge::delivery::take::Taken;
use std::collections::{BTreeMap, BTreeSet};

/// Items of the log: how many records each has, and whose it is. An item a row.
type Log = Vec<(usize, u8)>;

/// What a destination and the world do at one effect.
#[derive(Debug, Clone, Copy)]
enum Chance {
    Fine,
    AgainRefused,
    /// It takes the records, and the answer is lost.
    AnswerLost,
    /// It takes the first records and fails at the next.
    Part(usize),
    /// It takes a part and goes on.
    Some,
    Prepare,
    PrepareFails,
    Pause,
    TooLarge,
    CrashBeforeCommit,
    CrashBeforeSend,
    CrashAfterSend,
    /// A visitor is erased.
    Erase(u8),
}

fn chance() -> impl Strategy<Value = Chance> {
    prop_oneof![
        6 => Just(Chance::Fine),
        1 => Just(Chance::AgainRefused),
        1 => Just(Chance::AnswerLost),
        1 => (0usize..6).prop_map(Chance::Part),
        1 => Just(Chance::Some),
        1 => Just(Chance::Prepare),
        1 => Just(Chance::PrepareFails),
        1 => Just(Chance::Pause),
        1 => Just(Chance::TooLarge),
        1 => Just(Chance::CrashBeforeCommit),
        1 => Just(Chance::CrashBeforeSend),
        1 => Just(Chance::CrashAfterSend),
        1 => (0u8..4).prop_map(Chance::Erase),
    ]
}

/// A shard's storage, a destination, and what crossed between them.
struct World {
    log: Log,
    poison: BTreeSet<String>,
    names_poison: bool,
    state: Vec<u8>,
    flight: Vec<u8>,
    quarantine: Vec<Refused>,
    held: Vec<(String, VisitorId)>,
    sends: BTreeMap<String, Vec<String>>,
    send_count: usize,
    now_ms: u64,
    /// Who was erased, and what of theirs was on its way then.
    erased: BTreeMap<VisitorId, BTreeSet<String>>,
}

fn record(row: usize, place: usize, visitor: u8) -> Record {
    Record {
        id: format!("{row:05}-{place}"),
        kind: RecordKind::Event,
        source: "/shop/web".into(),
        visitor: VisitorId([visitor; 16]),
        time_ms: 1,
        usable: Purposes::ANALYTICS,
        data: vec![b'x'; 10],
    }
}

/// How many items a send is of.
fn rows_of(records: &[Record]) -> usize {
    records.iter().map(|record| &record.id[..5]).collect::<BTreeSet<_>>().len()
}

impl World {
    fn new(log: Log, poison: &BTreeSet<usize>, names_poison: bool) -> Self {
        let poison = poison.iter().map(|row| record(*row, 0, 0).id).collect();
        let state = State::beginning(Position::default(), 0, 1).encode();
        let flight = item::encode(&[]);
        let (quarantine, held, sends) = (Vec::new(), Vec::new(), BTreeMap::new());
        Self {
            log,
            poison,
            names_poison,
            state,
            flight,
            quarantine,
            held,
            sends,
            send_count: 0,
            now_ms: 1_000,
            erased: BTreeMap::new(),
        }
    }

    fn stored(&self) -> Machine {
        Machine::stored(State::decode(&self.state).unwrap(), item::decode(&self.flight).unwrap())
    }

    /// Everything that stands in one commit, and the identity that holds after each.
    fn commit(&mut self, machine: &mut Machine, refused: Vec<Refused>) {
        self.quarantine.extend(refused);
        self.state = machine.state.encode();
        if machine.is_flight_new {
            self.flight = item::encode(&machine.flight);
            machine.is_flight_new = false;
        }
        let behind = self.log.len() - usize::try_from(machine.state.cursor.row).unwrap();
        let pending = behind as u64 + machine.state.held();
        assert_eq!(machine.state.counts.settled() + pending, self.log.len() as u64);
        assert_eq!(self.quarantine.len() as u64, machine.state.counts.quarantined);
        assert_eq!(self.stored().flight, machine.flight);
    }

    fn take(&self, cursor: Position) -> Taken {
        let from = usize::try_from(cursor.row).unwrap();
        let rows = self.log.iter().enumerate().skip(from).take(40);
        let items: Vec<Item> = rows
            .map(|(row, (records, visitor))| Item {
                row: row as u64 + 1,
                at: 0,
                visitor: VisitorId([*visitor; 16]),
                received_ms: 1,
                program: ProgramHash::default(),
                publish: 1,
                records: (0..*records).map(|place| record(row, place, *visitor)).collect(),
            })
            .collect();
        let until = Position { row: cursor.row + items.len() as u64, events: 0 };
        let (items, blank): (Vec<_>, Vec<_>) =
            items.into_iter().partition(|item| !self.erased.contains_key(&item.visitor));
        // What has no record does not go there.
        let (items, filtered): (Vec<_>, Vec<_>) =
            items.into_iter().partition(|item| !item.records.is_empty());
        let (filtered, purged) = (filtered.len() as u64, blank.len() as u64);
        Taken { until, items, filtered, purged, ..Taken::default() }
    }

    /// A visitor is erased between two steps: their rows are blank from now on, and of what is in flight only what may be
    /// on its way, or there already, stays.
    fn erase(&mut self, machine: &mut Machine, visitor: VisitorId) {
        let window = machine.state.window.filter(|window| window.is_in_air || window.is_unsure);
        let settled = usize::try_from(machine.state.settled).unwrap();
        let kept =
            usize::try_from(window.map_or(0, |window| window.items).max(machine.state.unsure)).unwrap();
        let maybe_there = machine.flight.iter().skip(settled).take(kept).flat_map(|item| &item.records);
        let ids = maybe_there.map(|record| record.id.clone()).collect();
        self.erased.entry(visitor).or_insert(ids);
        let before = machine.state.held();
        let erased = machine.erase(visitor);
        assert_eq!(machine.state.held() + erased, before);
        self.commit(machine, Vec::new());
        assert!(kept > 0 || machine.flight.iter().all(|item| item.visitor != visitor));
    }

    /// The destination takes the first records of a send.
    fn hold(&mut self, sending: &[Record]) {
        self.held.extend(sending.iter().map(|record| (record.id.clone(), record.visitor)));
    }

    fn receive(&mut self, id: &str, records: &[Record], chance: Chance) -> Sent {
        self.send_count += 1;
        let ids: Vec<String> = records.iter().map(|record| record.id.clone()).collect();
        let known = self.sends.entry(id.to_owned()).or_insert_with(|| ids.clone());
        assert_eq!(*known, ids, "a send of one name is of the same records");
        for record in records {
            let left = self.erased.get(&record.visitor);
            assert!(left.is_none_or(|left| left.contains(&record.id)), "{} leaves after erasure", record.id);
        }
        let again = |is_answered| SendResult::Again { after_ms: None, is_answered, why: "no".into() };
        match chance {
            Chance::AgainRefused => return Sent::of(again(true)),
            Chance::Prepare => return Sent::of(SendResult::Prepare { why: "fenced".into() }),
            Chance::Pause => return Sent::of(SendResult::Pause { why: "401".into() }),
            Chance::TooLarge if rows_of(records) > 1 => {
                return Sent::of(SendResult::Split { why: "413".into() });
            }
            _ => {}
        }
        let bad: Vec<usize> =
            (0..records.len()).filter(|place| self.poison.contains(&records[*place].id)).collect();
        if let Some(first) = bad.first() {
            let why = "400".to_owned();
            return match (chance, self.names_poison) {
                (Chance::Part(_), true) => {
                    self.hold(&records[..*first]);
                    let result = SendResult::Poison { records: vec![*first], why };
                    Sent { done: *first, ..Sent::of(result) }
                }
                (_, true) => Sent::of(SendResult::Poison { records: bad, why }),
                (_, false) => Sent::of(SendResult::Poison { records: Vec::new(), why }),
            };
        }
        match chance {
            Chance::AnswerLost => {
                self.hold(records);
                Sent::of(again(false))
            }
            Chance::Part(part) => {
                let done = part.min(records.len());
                self.hold(&records[..done]);
                Sent { done, ..Sent::of(again(true)) }
            }
            Chance::Some => Sent::of(SendResult::Some),
            _ => {
                self.hold(records);
                Sent::of(SendResult::Delivered)
            }
        }
    }

    /// One step of the shell's loop; what `chance` says happens on the way. Whether anything is left to do.
    fn step(&mut self, machine: &mut Machine, chance: Chance) -> bool {
        let has_rows = usize::try_from(machine.state.cursor.row).unwrap() < self.log.len();
        if let Chance::Erase(visitor) = chance {
            self.erase(machine, VisitorId([visitor; 16]));
        }
        let is_crash = matches!(chance, Chance::CrashBeforeCommit);
        match machine.step(self.now_ms, has_rows) {
            Step::Wait { until_ms: Some(until_ms) } => self.now_ms = until_ms,
            Step::Wait { until_ms: None } if machine.state.paused.is_some() => {
                machine.resume();
                self.commit(machine, Vec::new());
            }
            Step::Wait { until_ms: None } => return false,
            Step::Take => {
                let taken = self.take(machine.state.cursor);
                let refused = machine.take(taken);
                if !is_crash {
                    self.commit(machine, refused);
                }
            }
            Step::Prepare => {
                let prepared = match chance {
                    Chance::PrepareFails => {
                        let why = "no broker".to_owned();
                        Prepared::Failed(SendResult::Again { after_ms: None, is_answered: true, why })
                    }
                    _ => Prepared::Ready(vec![7]),
                };
                let refused = machine.prepared(prepared, self.now_ms, 1 << 31);
                if !is_crash {
                    self.commit(machine, refused);
                }
            }
            Step::Resend => {
                machine.send_again();
                if !is_crash {
                    self.commit(machine, Vec::new());
                }
            }
            Step::Send => self.send(machine, chance),
        }
        if is_crash {
            *machine = self.stored();
        }
        true
    }

    fn send(&mut self, machine: &mut Machine, chance: Chance) {
        if matches!(chance, Chance::CrashBeforeSend) {
            *machine = self.stored();
            return;
        }
        let Sending { id, records, .. } = machine.sending();
        let records: Vec<Record> = records.into_iter().cloned().collect();
        assert!(!records.is_empty());
        let sent = self.receive(&id, &records, chance);
        if matches!(chance, Chance::CrashAfterSend | Chance::CrashBeforeCommit) {
            *machine = self.stored();
            return;
        }
        let refused = machine.sent(sent, self.now_ms, 1 << 31);
        self.commit(machine, refused);
    }

    /// Runs through the chances, then without faults until nothing is left.
    fn run(&mut self, chances: &[Chance]) {
        let mut machine = self.stored();
        for chance in chances {
            self.step(&mut machine, *chance);
        }
        let mut steps = 0;
        while self.step(&mut machine, Chance::Fine) {
            steps += 1;
            assert!(steps < 4_000, "it drains: {machine:?}");
        }
        assert_eq!(machine.state.held(), 0);
    }

    fn check(&self) {
        let refused: BTreeSet<&str> = self.quarantine.iter().map(|refused| refused.id.as_str()).collect();
        let mut first: BTreeMap<&str, usize> = BTreeMap::new();
        for (place, (id, _)) in self.held.iter().enumerate() {
            first.entry(id).or_insert(place);
        }
        for (row, (count, visitor)) in self.log.iter().enumerate() {
            let records: Vec<Record> = (0..*count).map(|place| record(row, place, *visitor)).collect();
            let is_bad = records.iter().any(|record| self.poison.contains(&record.id));
            let is_refused = records.iter().any(|record| refused.contains(record.id.as_str()));
            let may_be_gone = self.erased.contains_key(&VisitorId([*visitor; 16]));
            assert!(
                is_bad == is_refused || (may_be_gone && !is_refused),
                "row {row}: what is refused, and nothing else, is in quarantine"
            );
            if !is_bad && !may_be_gone {
                assert!(
                    records.iter().all(|record| first.contains_key(record.id.as_str())),
                    "row {row} is lost"
                );
            }
        }
        let mut last: BTreeMap<VisitorId, &str> = BTreeMap::new();
        let mut by_place: Vec<(&usize, &&str)> = first.iter().map(|(id, place)| (place, id)).collect();
        by_place.sort();
        for (place, id) in by_place {
            let visitor = self.held[*place].1;
            let before = last.insert(visitor, id);
            assert!(before.is_none_or(|before| before < *id), "a visitor's order: {before:?} before {id}");
        }
    }
}

fn log() -> impl Strategy<Value = Log> {
    prop::collection::vec((0usize..4, 0u8..4), 0..90)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_nothing_is_lost_and_a_visitors_order_is_kept(
        log in log(),
        bad in prop::collection::btree_set(0usize..90, 0..8),
        names_poison: bool,
        chances in prop::collection::vec(chance(), 0..200),
    ) {
        let bad = bad.into_iter().filter(|row| log.get(*row).is_some_and(|(count, _)| *count > 0)).collect();
        let mut world = World::new(log, &bad, names_poison);
        world.run(&chances);
        world.check();
    }

    #[test]
    fn without_crashes_and_lost_answers_nothing_arrives_twice(
        log in log(),
        chances in prop::collection::vec(
            prop_oneof![Just(Chance::Fine), (0usize..6).prop_map(Chance::Part), Just(Chance::AgainRefused),
                Just(Chance::TooLarge), Just(Chance::Pause), Just(Chance::Some)], 0..100),
    ) {
        let mut world = World::new(log, &BTreeSet::new(), false);
        world.run(&chances);
        let distinct: BTreeSet<_> = world.held.iter().collect();
        prop_assert_eq!(distinct.len(), world.held.len());
    }
}

#[test]
fn a_poison_event_is_isolated_within_log2_n_sends() {
    for count in 1..=40usize {
        for bad in 0..count {
            let mut world = World::new(vec![(1, 1); count], &BTreeSet::from([bad]), false);
            let mut machine = world.stored();
            while world.quarantine.is_empty() {
                assert!(world.step(&mut machine, Chance::Fine));
            }
            // The first send of all, the halves, and, where only the others were tried, one of it alone.
            let halves = count.next_power_of_two().trailing_zeros() as usize;
            assert!(world.send_count <= halves + 2, "{bad} of {count}: {}", world.send_count);
            world.run(&[]);
            world.check();
        }
    }
}

#[test]
fn waits_double_with_full_jitter_and_retry_after_is_obeyed() {
    let again = |after_ms| Sent::of(SendResult::Again { after_ms, is_answered: true, why: "503".into() });
    let failing = |random: u32| {
        let mut world = World::new(vec![(1, 1)], &BTreeSet::new(), false);
        let mut machine = world.stored();
        for _ in 0..2 {
            world.step(&mut machine, Chance::Fine);
        }
        let mut waits = Vec::new();
        for _ in 0..11 {
            machine.sent(again(None), 1_000, random);
            waits.push(machine.state.not_before_ms - 1_000);
            machine.send_again();
        }
        (machine, waits)
    };
    let bounds = [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300].map(|seconds: u64| seconds * 1_000);
    let (mut machine, longest) = failing(u32::MAX);
    assert_eq!(longest, bounds.map(|bound_ms| bound_ms - 1));
    // Full jitter: anything up to the bound, evenly; never nothing.
    assert_eq!(failing(1 << 31).1, bounds.map(|bound_ms| bound_ms / 2));
    assert_eq!(failing(0).1, [50; 11]);
    machine.sent(again(Some(7_000)), 1_000, 0);
    assert_eq!(machine.state.not_before_ms, 8_000, "it asked for seven seconds");
    assert_eq!(machine.step(7_999, true), Step::Wait { until_ms: Some(8_000) });
    assert_eq!(machine.step(8_000, true), Step::Resend);
}

#[test]
fn a_pause_ends_by_an_operator_or_by_another_secret() {
    let mut world = World::new(vec![(1, 1)], &BTreeSet::new(), false);
    let mut machine = world.stored();
    machine.configure(1, 1);
    for chance in [Chance::Fine, Chance::Fine, Chance::Pause] {
        world.step(&mut machine, chance);
    }
    assert_eq!(machine.step(5_000, true), Step::Wait { until_ms: None });
    machine.configure(1, 1);
    assert!(machine.state.paused.is_some(), "nothing changed");
    machine.configure(2, 1);
    assert_eq!(machine.step(5_000, true), Step::Resend);
    machine.pause("maintenance");
    machine.configure(3, 1);
    assert_eq!(machine.step(5_000, true), Step::Wait { until_ms: None }, "an operator's pause stays");
    machine.resume();
    assert_eq!(machine.step(5_000, true), Step::Resend);
}

#[test]
fn a_destination_that_refuses_everything_is_paused() {
    let bad: BTreeSet<usize> = (0..80).collect();
    let mut world = World::new(vec![(1, 1); 80], &bad, true);
    let mut machine = world.stored();
    for _ in 0..6 {
        world.step(&mut machine, Chance::Fine);
    }
    assert!(
        machine.state.paused.as_ref().is_some_and(|paused| paused.why.contains("in a row")),
        "{machine:?}"
    );
}

#[test]
fn a_destination_that_leaves_keeps_its_place_for_one_publish() {
    let mut machine = World::new(vec![(1, 1)], &BTreeSet::new(), false).stored();
    assert!(!machine.named(false, 5));
    assert_eq!(machine.step(0, true), Step::Wait { until_ms: None });
    assert!(!machine.named(false, 5), "the same publish, seen again");
    assert!(!machine.named(true, 6), "a rollback names it again");
    assert_eq!(machine.step(0, true), Step::Take);
    assert!(!machine.named(false, 7));
    assert!(machine.named(false, 8));
}

#[test]
fn what_was_learnt_of_another_way_is_forgotten() {
    let mut world = World::new(vec![(1, 1)], &BTreeSet::new(), false);
    let mut machine = world.stored();
    machine.configure(1, 1);
    for _ in 0..2 {
        world.step(&mut machine, Chance::Fine);
    }
    assert_eq!((machine.state.transport.as_slice(), machine.step(0, true)), (&[7][..], Step::Send));
    machine.configure(2, 2);
    assert!(machine.state.transport.is_empty());
    assert_eq!(machine.step(5_000, true), Step::Prepare);
}
