//! What leaves a shard, over tables in memory, as `worker/src/shard/outbox` does it: places in the log, which destinations there
//! are, whether one keeps the shard from taking more, and the commits of one destination.

use crate::held;
use crate::shard::{Tables, Write, rows_of};
use selvedge_core::id::VisitorId;
use selvedge_core::limits::{DELIVERY_ITEMS_MAX, LOG_KEEP_MS};
use selvedge_core::wire::answer_encode::EncodeFault;
use selvedge_core::wire::codec::Reader;
use selvedge_core::wire::log_row::{LogRow, StoredRow};
use selvedge_core::wire::program::{Destination, OnUnknown, Way};
use selvedge_edge::alarm::{Alarm, Wish};
use selvedge_edge::cursor::Position;
use selvedge_edge::delivery::item::{self, Item, Refused};
use selvedge_edge::delivery::keeping::{self, Behind, Naming, excess, give_up, naming};
use selvedge_edge::delivery::machine::Machine;
use selvedge_edge::delivery::pressure::Waiting;
use selvedge_edge::delivery::record::{may_go_again, route};
use selvedge_edge::delivery::report::{Marks, Report, waiting};
use selvedge_edge::delivery::sent::Prepared;
use selvedge_edge::delivery::sent_to;
use selvedge_edge::delivery::standing::{Standing, Stood};
use selvedge_edge::delivery::state::State;
use selvedge_edge::delivery::take::{Held, Taking};
use selvedge_edge::erasure::{self, Tombstone};
use selvedge_edge::fault::Fault;
use selvedge_edge::ingest::quarantine::{DeliveryCode, Undelivered, UndeliveredRecord, of_delivery};
use selvedge_edge::ledger::{Counter, Ledger};
use selvedge_edge::site::Site;
use serde_json::value::RawValue;

/// How long a row waits for others, so that they leave together.
pub const LINGER_MS: u64 = 100;
/// How often it is looked for rows whose time is over, at most.
const SWEEP_MS: u64 = 60_000;
/// Rows that are dropped in one commit.
const DROPPED_ROWS_MAX: usize = 256;

/// What a shard remembers besides the tables. It dies with the isolate.
#[derive(Debug)]
pub struct Memory {
    /// Its alarm.
    pub alarm: Alarm,
    /// Nothing is sent before: a delivery failed.
    pub put_off_ms: u64,
    /// How long rows of the log are kept.
    pub keep_ms: u64,
    /// The publish whose destinations the tables have.
    pub publish: u64,
    known: Option<Standing>,
}

impl Default for Memory {
    fn default() -> Self {
        Self { alarm: Alarm::unknown(), put_off_ms: 0, keep_ms: LOG_KEEP_MS, publish: 0, known: None }
    }
}

impl Memory {
    /// As `Outbox::named`.
    pub fn named(&mut self, publish: u64) {
        self.publish = self.publish.max(publish);
    }

    /// As `Outbox::forget`.
    pub fn forget(&mut self) {
        self.known = None;
    }

    /// As `Outbox::before_row`.
    pub fn before_row(&mut self, tables: &Tables, site: &Site) -> Vec<Write> {
        if self.publish >= site.publish {
            return Vec::new();
        }
        self.forget();
        name_all(tables, site)
    }

    /// As `Outbox::after_row`: when the alarm is wanted.
    #[must_use]
    pub fn after_row(&self, site: &Site, now_ms: u64) -> Option<u64> {
        let is_awaited =
            sent_to(site).count() > 0 && self.known.as_ref().is_none_or(|known| known.is_awaited(site));
        is_awaited.then(|| now_ms + LINGER_MS)
    }

    /// As `Outbox::admit`.
    ///
    /// # Errors
    /// Where too much waits for a destination that nothing may be lost for.
    pub fn admit(&mut self, tables: &Tables, site: &Site, now_ms: u64) -> Result<(), Fault> {
        self.look(tables, site, now_ms);
        let end = Marks::of(&tables.counted());
        for (destination, waiting) in self.known.iter().flat_map(|known| known.waiting(site, end.bytes)) {
            if waiting.blocks(destination, now_ms) {
                return Err(Fault::backlog_full("too much waits for a destination"));
            }
        }
        Ok(())
    }

    fn look(&mut self, tables: &Tables, site: &Site, now_ms: u64) {
        if self.known.as_ref().is_some_and(|known| known.is_believed(site, now_ms)) {
            return;
        }
        let (_, end) = end(tables);
        let stood = |destination: &Destination| match state(tables, &destination.name) {
            None => Stood::NEW,
            Some(state) => Stood::of(&state, waits(tables, &state), now_ms),
        };
        let all = sent_to(site).map(stood).collect();
        self.known = Some(Standing::new(site, now_ms, end.bytes, all));
    }

    /// As `Alarm::by`: the time that the alarm is to be set to.
    pub fn by(&mut self, tables: &Tables, wanted_ms: Option<u64>, now_ms: u64) -> Option<u64> {
        let set_ms = match self.alarm.by(wanted_ms, now_ms) {
            Wish::Nothing => return None,
            Wish::Set(time_ms) => Some(time_ms),
            Wish::Ask => return self.arm(tables, wanted_ms, now_ms),
        };
        self.alarm.set(set_ms);
        set_ms
    }

    /// As `Alarm::arm`.
    pub fn arm(&mut self, tables: &Tables, wanted_ms: Option<u64>, now_ms: u64) -> Option<u64> {
        let of_outbox = next_ms(tables, now_ms, self.keep_ms).map(|next_ms| next_ms.max(self.put_off_ms));
        let of_deadlines = tables.deadlines.values().min();
        let of_deadlines = of_deadlines.map(|due_ms| due_ms + selvedge_edge::deadlines::GRACE_MS);
        let all = [wanted_ms, of_outbox, of_deadlines, self.alarm.last(now_ms)];
        let earliest_ms = all.into_iter().flatten().min();
        self.alarm.set(earliest_ms);
        earliest_ms
    }
}

/// All destinations, by name.
#[must_use]
pub fn states(tables: &Tables) -> Vec<(String, State)> {
    let read = |(name, bytes): (&String, &Vec<u8>)| Some((name.clone(), State::decode(bytes).ok()?));
    tables.destinations.iter().filter_map(read).collect()
}

/// Where a destination stands.
#[must_use]
pub fn state(tables: &Tables, name: &str) -> Option<State> {
    State::decode(tables.destinations.get(name)?).ok()
}

/// What of it is in flight.
#[must_use]
pub fn flight(tables: &Tables, name: &str) -> Vec<Item> {
    tables.flights.get(name).and_then(|bytes| item::decode(bytes).ok()).unwrap_or_default()
}

/// The machine of a destination, as it is stored.
#[must_use]
pub fn machine(tables: &Tables, name: &str) -> Option<Machine> {
    Some(Machine::stored(state(tables, name)?, flight(tables, name)))
}

/// As `places::end`.
#[must_use]
pub fn end(tables: &Tables) -> (Position, Marks) {
    (Position { row: tables.newest(), events: 0 }, Marks::of(&tables.counted()))
}

/// As `places::marks_at`.
#[must_use]
pub fn marks_at(tables: &Tables, row: u64) -> Marks {
    let known = tables.log.range(..=row).next_back();
    known.map_or_else(Marks::default, |(_, logged)| marks_of(&logged.ledger))
}

fn marks_of(ledger: &[u8]) -> Marks {
    Marks::of(&Ledger::decode(ledger).unwrap_or_default())
}

/// Rows behind this one.
fn behind(tables: &Tables, row: u64) -> impl Iterator<Item = Behind> + '_ {
    tables.log.range(row + 1..).map(|(row, logged)| Behind {
        row: *row,
        received_ms: received_ms(&logged.body),
        marks: marks_of(&logged.ledger),
    })
}

fn received_ms(body: &[u8]) -> u64 {
    let mut reader = Reader::new(body);
    reader.u8().and_then(|_| reader.varint_u64()).unwrap_or(0)
}

/// As `places::waits`.
#[must_use]
pub fn waits(tables: &Tables, state: &State) -> Waiting {
    let oldest = tables.log.range(state.cursor.row + 1..).next();
    let oldest_ms = oldest.map(|(_, logged)| received_ms(&logged.body));
    waiting(state, (marks_at(tables, state.cursor.row), end(tables).1), oldest_ms)
}

/// As `orders::reports`.
#[must_use]
pub fn report(tables: &Tables, name: &str, state: &State) -> Report {
    let oldest = tables.log.range(state.cursor.row + 1..).next();
    let oldest_ms = oldest.map(|(_, logged)| received_ms(&logged.body));
    Report::of(name, state, (marks_at(tables, state.cursor.row), end(tables).1), oldest_ms)
}

/// As `kept::next_ms`.
fn next_ms(tables: &Tables, now_ms: u64, keep_ms: u64) -> Option<u64> {
    let newest = tables.newest();
    let states = states(tables);
    let second = tables.log.iter().nth(1).filter(|(row, _)| **row < hindmost(tables, &states, newest));
    let over = second.map(|(_, logged)| (received_ms(&logged.body) + keep_ms).max(now_ms + SWEEP_MS));
    let of_states = states
        .iter()
        .filter_map(|(name, state)| keeping::next_ms(state, newest, held::is_answered(tables, name), now_ms));
    of_states.chain(over).min()
}

fn hindmost(tables: &Tables, states: &[(String, State)], newest: u64) -> u64 {
    let hindmost = keeping::hindmost(states.iter().map(|(_, state)| state), newest);
    held::first_row(tables).map_or(hindmost, |row| row.min(hindmost))
}

/// As `kept::sweep`, all pieces at once.
#[must_use]
pub fn sweep(tables: &Tables, keep_ms: u64, now_ms: u64) -> Vec<Write> {
    let (rows, states) = (behind(tables, 0).collect::<Vec<_>>(), states(tables));
    let count =
        keeping::over(&rows, now_ms.saturating_sub(keep_ms), hindmost(tables, &states, tables.newest()));
    let Some(last) = count.checked_sub(1).and_then(|last| rows.get(last)) else { return Vec::new() };
    let mut writes = Vec::new();
    for (name, state) in states {
        if state.gone_since.is_some() && state.cursor.row < last.row {
            let before = marks_at(tables, state.cursor.row);
            let mut machine = Machine { state, ..Machine::default() };
            give_up(&mut machine, last.row, before, last.marks);
            writes.push(Write::State(name, machine.state.encode()));
        }
    }
    // The row itself is the first that stays: its ledger counts those before it.
    if last.row > 1 {
        writes.push(Write::Unlog(last.row - 1));
    }
    writes
}

/// As `named::name_all`.
#[must_use]
pub fn name_all(tables: &Tables, site: &Site) -> Vec<Write> {
    let changes = naming(site, states(tables), end(tables));
    let write = |change| match change {
        Naming::Write(name, state) => Write::State(name, state.encode()),
        Naming::Forget(name) => Write::Forget(name),
    };
    changes.into_iter().map(write).collect()
}

/// As `refused::keep`, of all that a destination refused.
#[must_use]
pub fn kept(tables: &Tables, site: &Site, name: &str, refused: &[Refused], now_ms: u64) -> Vec<Write> {
    let mut writes = Vec::new();
    let mut ledger = tables.counted();
    for refused in refused {
        let visitor = refused.item.visitor;
        ledger.add(Counter::Quarantined, 1);
        if tables.erased.contains(&Tombstone::of(visitor)) || is_taken_back(tables, site, name, refused) {
            ledger.add(Counter::QuarantinePurged, 1);
        } else {
            writes.push(Write::Quarantine(visitor, line_of(site.name(), name, refused, now_ms)));
        }
        ledger.add(Counter::QuarantineChanges, 1);
    }
    if !refused.is_empty() {
        writes.push(Write::Ledger(ledger.encode()));
    }
    writes
}

/// As `store::write`.
pub fn stored(name: &str, machine: &mut Machine) -> Vec<Write> {
    let mut writes = vec![Write::State(name.to_owned(), machine.state.encode())];
    if core::mem::take(&mut machine.is_flight_new) {
        let bytes = if machine.flight.is_empty() { Vec::new() } else { item::encode(&machine.flight) };
        writes.push(Write::Flight(name.to_owned(), bytes));
    }
    writes
}

/// As `refused::is_taken_back`.
fn is_taken_back(tables: &Tables, site: &Site, name: &str, refused: &Refused) -> bool {
    let named = site.destinations.iter().find(|named| named.name == name);
    let now = tables.record(refused.item.visitor).unwrap_or_default().consent;
    named.is_some_and(|named| !may_go_again(named, &refused.item.records, &now))
}

/// As `refused::keep`.
fn line_of(site: &str, destination: &str, refused: &Refused, now_ms: u64) -> String {
    let item = &refused.item;
    let records: Vec<UndeliveredRecord<'_>> = item
        .records
        .iter()
        .map(|record| UndeliveredRecord {
            id: &record.id,
            kind: record.kind.as_str(),
            source: &record.source,
            time_ms: record.time_ms,
            usable: record.usable,
            data: serde_json::from_slice(&record.data).unwrap_or(RawValue::NULL),
        })
        .collect();
    of_delivery(&Undelivered {
        site,
        destination,
        visitor: item.visitor,
        refused_ms: now_ms,
        code: match refused.code {
            "too_large" => DeliveryCode::TooLarge,
            "transform" => DeliveryCode::Transform,
            _ => DeliveryCode::Rejected,
        },
        message: &refused.why,
        row: item.row,
        item: item.at,
        item_received_ms: item.received_ms,
        program: &item.program.to_string(),
        publish: item.publish,
        records: &records,
    })
}

/// Whether a way prepares before records are sent for the first time.
#[must_use]
pub const fn needs_preparation(way: &Way) -> bool {
    matches!(way, Way::Kafka(_))
}

/// As `Lane::take`: what it writes besides the machine, and what was refused.
pub fn take(
    tables: &Tables,
    site: &Site,
    place: usize,
    machine: &mut Machine,
    now_ms: u64,
) -> (Vec<Write>, Vec<Refused>) {
    let destination = &site.destinations[place];
    if machine.state.again > 0 {
        let of_it = tables.again.iter().filter(|(_, (name, _))| *name == destination.name);
        let (numbers, items): (Vec<u64>, Vec<Vec<Item>>) = of_it
            .take(DELIVERY_ITEMS_MAX)
            .map(|(number, (_, bytes))| (*number, item::decode(bytes).unwrap_or_default()))
            .unzip();
        let items: Vec<Item> = items.into_iter().flatten().collect();
        if items.is_empty() {
            machine.state.again = 0;
        }
        machine.take_again(items);
        return (numbers.into_iter().map(Write::Unagain).collect(), Vec::new());
    }
    let over_ms = now_ms.saturating_sub(destination.age_ms_max);
    let (asked, mut writes) = if machine.state.waiting > 0 {
        held::due(tables, &destination.name, over_ms)
    } else {
        (Vec::new(), Vec::new())
    };
    let taking = if asked.is_empty() {
        taking(tables, site, destination, machine)
    } else {
        asking(tables, site, destination, machine, (&asked, over_ms))
    };
    let taken = taking.end();
    let waits = taken.waits.clone();
    let refused = machine.take(taken);
    writes.extend(held::settle(tables, &destination.name, &waits, &asked));
    if machine.state.in_flight > 0 && !needs_preparation(&destination.way) {
        machine.prepared(Prepared::Ready(Vec::new()), now_ms, 0);
    }
    (writes, refused)
}

/// As `taking` of `sending.rs`.
fn taking(tables: &Tables, site: &Site, destination: &Destination, machine: &Machine) -> Taking {
    let mut taking = Taking::from(machine.state.cursor, destination);
    for (number, logged) in tables.log.range(machine.state.cursor.row + 1..) {
        let now = tables.record(logged.visitor).unwrap_or_default().consent;
        let goes_on = match StoredRow::decode(&logged.body) {
            Ok(StoredRow::Whole(row)) => {
                if held::of(tables, &destination.name).any(|held| held.visitor == row.visitor) {
                    taking.waits(row.visitor);
                }
                taking.row(*number, &row, |at| route(site, destination, &row, at, &now))
            }
            Ok(StoredRow::Blank(row)) => taking.blank(*number, &row),
            Err(_) => {
                taking.skip(*number);
                true
            }
        };
        if !goes_on {
            break;
        }
    }
    taking
}

/// As `asking` of `sending.rs`.
fn asking(
    tables: &Tables,
    site: &Site,
    destination: &Destination,
    machine: &Machine,
    (asked, over_ms): (&[Held], u64),
) -> Taking {
    let mut taking = Taking::from(machine.state.cursor, destination);
    let unanswered = Destination { on_unknown: OnUnknown::Drop, ..destination.clone() };
    for held in asked {
        let logged = tables.log.get(&held.row);
        let row = logged.and_then(|logged| LogRow::decode(&logged.body).ok());
        let Some(row) = row else {
            taking.gone(*held);
            continue;
        };
        let now = tables.record(held.visitor).unwrap_or_default().consent;
        let destination = if held.received_ms < over_ms { &unanswered } else { destination };
        let place = usize::try_from(held.at).unwrap_or(usize::MAX);
        if !taking.again(held.row, &row, place, route(site, destination, &row, place, &now)) {
            break;
        }
    }
    taking
}

/// As `Lane::drop_oldest`: whether the machine gave something up.
pub fn drop_oldest(tables: &Tables, destination: &Destination, machine: &mut Machine, now_ms: u64) -> bool {
    let waiting = waits(tables, &machine.state);
    if !waiting.overflows(destination, now_ms) {
        return false;
    }
    let cursor = machine.state.cursor.row;
    let (before, (_, end)) = (marks_at(tables, cursor), end(tables));
    let rows: Vec<Behind> = behind(tables, cursor).take(DROPPED_ROWS_MAX).collect();
    let given_up = excess(&machine.state, destination, (before, end), &rows, now_ms);
    if let Some((until, marks)) = given_up {
        give_up(machine, until, before, marks);
    }
    given_up.is_some()
}

/// As `outbox::erase`: what of a visitor waits for destinations goes out of their way.
fn erase_unsent(tables: &Tables, visitor: VisitorId) -> Vec<Write> {
    let mut writes = Vec::new();
    for (name, state) in states(tables) {
        let mut machine = Machine { state, flight: flight(tables, &name), is_flight_new: false };
        machine.erase_again(unagain(tables, &name, visitor, &mut writes));
        machine.erase_held(held::erase(tables, &name, visitor, &mut writes));
        machine.erase(visitor);
        writes.extend(stored(&name, &mut machine));
    }
    writes
}

/// As `outbox::purge_again`.
#[must_use]
pub fn purge_again(tables: &Tables, visitor: VisitorId) -> Vec<Write> {
    let mut writes = Vec::new();
    for (name, state) in states(tables).into_iter().filter(|(_, state)| state.again > 0) {
        let mut machine = Machine { state, ..Machine::default() };
        machine.erase_again(unagain(tables, &name, visitor, &mut writes));
        writes.push(Write::State(name, machine.state.encode()));
    }
    writes
}

/// As `store::erase_again`.
fn unagain(tables: &Tables, name: &str, visitor: VisitorId, writes: &mut Vec<Write>) -> u32 {
    let is_theirs =
        |bytes: &[u8]| item::decode(bytes).unwrap_or_default().iter().any(|item| item.visitor == visitor);
    let of_it = tables.again.iter().filter(|(_, (known, bytes))| known == name && is_theirs(bytes));
    let numbers: Vec<u64> = of_it.map(|(number, _)| *number).collect();
    let count = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
    writes.extend(numbers.into_iter().map(Write::Unagain));
    count
}

/// The erasure of a visitor, as `erased.rs` does it.
///
/// # Errors
/// Where the row that tells of it cannot be written.
pub fn erase(
    tables: &Tables,
    site: &Site,
    visitor: VisitorId,
    now_ms: u64,
) -> Result<Vec<Write>, EncodeFault> {
    let mut writes = Vec::new();
    for (row, logged) in tables.log.iter().filter(|(_, logged)| logged.visitor == visitor) {
        if let Ok(Some(blank)) = erasure::blank(&logged.body) {
            writes.push(Write::Blank(*row, blank.encode()));
        }
    }
    let held = tables.quarantine.values().filter(|(whose, _)| *whose == visitor).count();
    writes.push(Write::Purge(visitor));
    writes.extend(erase_unsent(tables, visitor));
    writes.extend([Write::Unrecord(visitor), Write::Deadline(visitor, None)]);
    writes.push(Write::Stone(Tombstone::of(visitor)));
    let mut ledger = erasure::counted(tables.counted(), held as u64);
    writes.extend(rows_of(visitor, erasure::notice(site, visitor, None, now_ms), &mut ledger)?);
    writes.push(Write::Ledger(ledger.encode()));
    Ok(writes)
}
