//! An alarm rings: deadlines are decided at, then each destination goes on, step by step, as `worker/src/shard/outbox/ring.rs` and
//! `sending.rs` do it. Every change is committed before what follows from it is done; what is sent travels as a parcel.

use crate::held;
use crate::outbox::{self, needs_preparation};
use crate::outside::{Back, Parcel, Taken};
use crate::ring::{Lane, ONCE_MORE, Ring};
use crate::shard::{self, Write};
use crate::world::{Happening, World};
use selvedge_core::limits::RETRY_AFTER_MS_MAX;
use selvedge_core::wire::program::Destination;
use selvedge_edge::delivery::fingerprint;
use selvedge_edge::delivery::item::Refused;
use selvedge_edge::delivery::keeping::newest_publish;
use selvedge_edge::delivery::machine::{Machine, Step};
use selvedge_edge::delivery::sent::{Prepared, SendResult, Sent};
use std::rc::Rc;

/// How long one ring begins new work.
const RING_MS: u64 = 10_000;
/// How long a destination waits whose step failed.
const FAILED_MS: u64 = 30_000;
/// Steps of one destination without a wait, at most.
const STEPS_MAX: u32 = 20_000;
/// When the platform rings again where a ring was cut off.
const RETRY_MS: u64 = 2_000;

/// Why a step was not taken.
enum Broken {
    /// The storage failed.
    Storage,
    /// The shard died.
    Died,
}

impl World<'_> {
    /// The clock of a shard.
    #[must_use]
    pub fn shard_ms(&self, at: usize) -> u64 {
        self.now_ms.saturating_add_signed(self.shards[at].ahead_ms)
    }

    /// The platform rings a shard.
    pub fn ring(&mut self, at: usize, at_ms: u64) {
        let is_wanted = self.shards[at].alarm_ms == Some(at_ms);
        if self.shards[at].ring.is_some() {
            // No two rings at once.
            return if is_wanted {
                self.after(1_000, Happening::Alarm(at, at_ms))
            };
        }
        if at_ms != ONCE_MORE && !is_wanted {
            return;
        }
        if is_wanted {
            self.shards[at].alarm_ms = None;
            self.shards[at].tables.alarm_ms = None;
        }
        if is_wanted && self.random.chance(self.dials.lost_alarms) {
            return self.say(format_args!("an alarm of shard {at} is lost"));
        }
        self.shards[at].memory.alarm.rings();
        if !self.decide_due(at) {
            return;
        }
        self.rings += 1;
        let (number, until_ms) = (self.rings, self.shard_ms(at) + RING_MS);
        self.shards[at].ring = Some(Ring { number, until_ms, lanes: Vec::new() });
        if self.open_lanes(at) {
            self.go_on(at);
        }
    }

    /// The shard begins anew, with what is durable. An alarm that was ringing rings again: the platform saw it fail.
    pub fn restart(&mut self, at: usize) {
        // It may find itself in an isolate that has heard of programs already.
        let isolate = usize::try_from(self.random.below(self.isolates.len() as u64 + 1)).unwrap_or(0);
        let shard = &mut self.shards[at];
        shard.isolate = self.isolates.get(isolate).cloned().unwrap_or_default();
        let is_ringing = shard.ring.take().is_some() || shard.memory.alarm == ringing();
        shard.memory = outbox::Memory::default();
        if is_ringing && shard.tables.alarm_ms.is_none() {
            let again_ms = self.shard_ms(at) + RETRY_MS;
            self.shards[at].tables.alarm_ms = Some(again_ms);
            self.alarm(at);
        }
    }

    /// As `deadlines::ring`; whether the shard lives on.
    fn decide_due(&mut self, at: usize) -> bool {
        let now_ms = self.shard_ms(at);
        let due = shard::due(&self.shards[at].tables, now_ms);
        self.say(format_args!("shard {at} rings for {}", due.len()));
        for (visitor, due_ms) in due {
            if self.shards[at].tables.deadlines.get(&visitor) != Some(&due_ms) {
                continue;
            }
            let publish = self.shards[at].tables.record(visitor).map_or(0, |record| record.publish);
            let shard = &mut self.shards[at];
            let site = shard.isolate.site(&mut self.registry, self.files, (shard.site, publish), self.now_ms);
            let mut writes = match site {
                Ok(site) => shard::wake(&shard.tables, &site, visitor, now_ms),
                Err(_) => shard::put_off(&shard.tables, visitor, now_ms),
            };
            if writes.iter().all(|write| !matches!(write, Write::PutOff(..))) {
                writes.push(Write::PutOff(visitor, 0));
            }
            if self.random.chance(self.dials.crashes_before) {
                self.say(format_args!("shard {at} dies in its alarm"));
                self.restart(at);
                return false;
            }
            self.shards[at].tables.apply(writes);
            self.check_publish(at, visitor);
        }
        self.check_rows(at);
        true
    }

    /// As `site_of`, and `Lane::open` of each destination. Whether the shard lives on.
    fn open_lanes(&mut self, at: usize) -> bool {
        let newest = self.shards[at].tables.log.last_key_value();
        if newest.is_none() {
            return true;
        }
        let shard = &mut self.shards[at];
        let states = outbox::states(&shard.tables);
        let publish = newest_publish(states.iter().map(|(_, state)| state));
        let site = shard.isolate.site(&mut self.registry, self.files, (shard.site, publish), self.now_ms);
        let Ok(site) = site else {
            self.say(format_args!("shard {at} cannot learn of its destinations"));
            self.put_off(at);
            return true;
        };
        let writes = outbox::name_all(&shard.tables, &site);
        match self.commit_delivery(at, writes) {
            Ok(()) => {}
            Err(Broken::Died) => return false,
            Err(Broken::Storage) => {
                self.put_off(at);
                return true;
            }
        }
        self.shards[at].memory.named(site.publish);
        self.shards[at].memory.keep_ms = site.config.keep.log_ms;
        for place in 0..site.destinations.len() {
            let name = site.destinations[place].name.clone();
            let Some(machine) = outbox::machine(&self.shards[at].tables, &name) else { continue };
            let (site, erasures) = (Rc::clone(&site), self.shards[at].erasures);
            let mut lane = Lane { place, name, site, machine, erasures, is_away: false, is_over: false };
            match self.configure_lane(at, &mut lane) {
                Ok(()) => {}
                Err(Broken::Died) => return false,
                Err(Broken::Storage) => {
                    self.put_off(at);
                    lane.is_over = true;
                }
            }
            if let Some(ring) = &mut self.shards[at].ring {
                ring.lanes.push(lane);
            }
        }
        true
    }

    fn configure_lane(&mut self, at: usize, lane: &mut Lane) -> Result<(), Broken> {
        let destination = &lane.site.destinations[lane.place];
        let secret = self.secret(self.shards[at].site, &lane.name).to_string();
        let config = fingerprint::of_config(destination, &[Some(&secret)]);
        let way = fingerprint::of_way(destination);
        if (lane.machine.state.config, lane.machine.state.way) == (config, way) {
            return Ok(());
        }
        self.watched(at, &lane.name).until_ms = 0;
        self.transact(at, lane, |machine, _| {
            machine.configure(config, way);
            (Vec::new(), Vec::new())
        })
    }

    fn put_off(&mut self, at: usize) {
        let until_ms = self.shard_ms(at) + FAILED_MS;
        self.shards[at].memory.put_off_ms = until_ms;
    }

    /// Everybody who waits for nothing goes on; where nobody does, the ring ends.
    fn go_on(&mut self, at: usize) {
        let count = self.shards[at].ring.as_ref().map_or(0, |ring| ring.lanes.len());
        for lane in 0..count {
            if !self.drive(at, lane) {
                return;
            }
        }
        let is_busy =
            self.shards[at].ring.as_ref().is_some_and(|ring| ring.lanes.iter().any(|lane| lane.is_away));
        if !is_busy {
            self.end_ring(at);
        }
    }

    /// As the end of `Shard::ring`.
    fn end_ring(&mut self, at: usize) {
        self.shards[at].ring = None;
        let now_ms = self.shard_ms(at);
        let writes = outbox::sweep(&self.shards[at].tables, self.shards[at].memory.keep_ms, now_ms);
        if !writes.is_empty() {
            self.say(format_args!("shard {at} removes old rows"));
            match self.commit_delivery(at, writes) {
                Err(Broken::Died) => return,
                Ok(()) | Err(Broken::Storage) => {}
            }
        }
        let shard = &mut self.shards[at];
        shard.memory.forget();
        if let Some(time_ms) = shard.memory.arm(&shard.tables, None, now_ms) {
            shard.tables.alarm_ms = Some(time_ms);
        }
        self.check_alarm(at);
        self.alarm(at);
    }

    /// As `run` of a lane: steps until it waits for something. Whether the shard lives on.
    fn drive(&mut self, at: usize, place: usize) -> bool {
        for _ in 0..STEPS_MAX {
            let now_ms = self.shard_ms(at);
            let Some(ring) = &mut self.shards[at].ring else { return false };
            if ring.lanes[place].is_away || ring.lanes[place].is_over || now_ms >= ring.until_ms {
                return true;
            }
            let mut lane = ring.lanes.remove(place);
            let stepped = self.step_lane(at, place, &mut lane);
            if matches!(stepped, Err(Broken::Storage)) {
                self.put_off(at);
                lane.is_over = true;
            }
            let Some(ring) = &mut self.shards[at].ring else { return false };
            ring.lanes.insert(place, lane);
            match stepped {
                Ok(true) => {}
                Ok(false) | Err(Broken::Storage) => return true,
                Err(Broken::Died) => return false,
            }
        }
        self.fail("everything comes to rest", format!("a destination of shard {at} steps without an end"));
        false
    }

    /// One step of a machine; whether another follows at once.
    fn step_lane(&mut self, at: usize, place: usize, lane: &mut Lane) -> Result<bool, Broken> {
        if !self.refresh(at, lane) {
            return Ok(false);
        }
        let now_ms = self.shard_ms(at);
        let destination = lane.site.destinations[lane.place].clone();
        if outbox::waits(&self.shards[at].tables, &lane.machine.state).overflows(&destination, now_ms) {
            self.transact(at, lane, |machine, tables| {
                outbox::drop_oldest(tables, &destination, machine, now_ms);
                (Vec::new(), Vec::new())
            })?;
        }
        let tables = &self.shards[at].tables;
        let state = &lane.machine.state;
        let over_ms = now_ms.saturating_sub(destination.age_ms_max);
        let is_due = state.waiting > 0 && held::is_due(tables, &lane.name, over_ms);
        let has_rows = state.again > 0 || tables.newest() > state.cursor.row || is_due;
        match lane.machine.step(now_ms, has_rows) {
            Step::Wait { .. } => return Ok(false),
            Step::Take => {
                let (site, place) = (Rc::clone(&lane.site), lane.place);
                self.transact(at, lane, move |machine, tables| {
                    outbox::take(tables, &site, place, machine, now_ms)
                })?;
                self.check_flight(at, &destination);
            }
            Step::Prepare if needs_preparation(&destination.way) => {
                self.depart(at, place, lane, &destination, true);
                return Ok(false);
            }
            Step::Prepare => self.prepared(at, lane, Prepared::Ready(Vec::new()))?,
            Step::Resend => self.transact(at, lane, |machine, _| {
                machine.send_again();
                (Vec::new(), Vec::new())
            })?,
            Step::Send => {
                self.depart(at, place, lane, &destination, false);
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// As `Lane::refresh`.
    fn refresh(&mut self, at: usize, lane: &mut Lane) -> bool {
        let Some(stored) = outbox::state(&self.shards[at].tables, &lane.name) else { return false };
        let window = lane.machine.state.window;
        lane.machine.state = stored;
        if lane.machine.state.window.is_some() {
            lane.machine.state.window = window;
        }
        let erasures = self.shards[at].erasures;
        if core::mem::replace(&mut lane.erasures, erasures) != erasures {
            lane.machine.flight = outbox::flight(&self.shards[at].tables, &lane.name);
        }
        true
    }

    fn prepared(&mut self, at: usize, lane: &mut Lane, prepared: Prepared) -> Result<(), Broken> {
        let (now_ms, random) = (self.shard_ms(at), self.number());
        self.transact(at, lane, move |machine, _| (Vec::new(), machine.prepared(prepared, now_ms, random)))
    }

    fn sent(&mut self, at: usize, lane: &mut Lane, sent: Sent) -> Result<(), Broken> {
        let (now_ms, random) = (self.shard_ms(at), self.number());
        let asked_ms = match &sent.result {
            SendResult::Again { after_ms: Some(after_ms), .. } => Some(*after_ms.min(&RETRY_AFTER_MS_MAX)),
            _ => None,
        };
        let done =
            self.transact(at, lane, move |machine, _| (Vec::new(), machine.sent(sent, now_ms, random)));
        let stored = outbox::state(&self.shards[at].tables, &lane.name);
        let is_kept = stored.is_some_and(|state| state == lane.machine.state);
        if let Some(asked_ms) = asked_ms.filter(|_| is_kept) {
            self.watched(at, &lane.name).until_ms = self.now_ms + asked_ms;
        }
        done
    }

    fn number(&mut self) -> u32 {
        u32::try_from(self.random.below(1 << 32)).unwrap_or(0)
    }

    /// As `Lane::transact`: changes the machine, and stores it with what was refused.
    fn transact(
        &mut self,
        at: usize,
        lane: &mut Lane,
        change: impl FnOnce(&mut Machine, &shard::Tables) -> (Vec<Write>, Vec<Refused>),
    ) -> Result<(), Broken> {
        let now_ms = self.shard_ms(at);
        let tables = &self.shards[at].tables;
        let (mut writes, refused) = change(&mut lane.machine, tables);
        writes.extend(outbox::kept(tables, &lane.site, &lane.name, &refused, now_ms));
        writes.extend(outbox::stored(&lane.name, &mut lane.machine));
        self.shards[at].memory.forget();
        self.commit_if(at, writes)?;
        if !refused.is_empty() {
            self.say(format_args!("shard {at}: {} refuses {} of its events", lane.name, refused.len()));
        }
        self.check_refused(at, &lane.name, &refused);
        self.live_on(at)
    }

    /// Commits what a destination changed, if the shard lives and the storage works.
    fn commit_delivery(&mut self, at: usize, writes: Vec<Write>) -> Result<(), Broken> {
        self.commit_if(at, writes)?;
        self.live_on(at)
    }

    fn commit_if(&mut self, at: usize, writes: Vec<Write>) -> Result<(), Broken> {
        if self.random.chance(self.dials.storage_errors / 4) {
            self.say(format_args!("the storage of shard {at} fails"));
            return Err(Broken::Storage);
        }
        if self.random.chance(self.dials.crashes_before / 4) {
            self.say(format_args!("shard {at} dies in a delivery, before its commit"));
            self.restart(at);
            return Err(Broken::Died);
        }
        self.shards[at].tables.apply(writes);
        self.check_streams(at);
        Ok(())
    }

    /// The shard lives on behind a commit, or does not.
    fn live_on(&mut self, at: usize) -> Result<(), Broken> {
        if self.random.chance(self.dials.crashes_after / 4) {
            self.say(format_args!("shard {at} dies in a delivery, behind its commit"));
            self.restart(at);
            return Err(Broken::Died);
        }
        Ok(())
    }

    /// A parcel leaves.
    fn depart(
        &mut self,
        at: usize,
        place: usize,
        lane: &mut Lane,
        destination: &Destination,
        is_prepared: bool,
    ) {
        let ring = self.shards[at].ring.as_ref().map_or(0, |ring| ring.number);
        let site = self.shards[at].site;
        let sending = lane.machine.sending();
        let first = lane.machine.state.settled as usize;
        let place_of = |item: &u32| {
            let item = lane.machine.flight.get(first + *item as usize);
            item.map_or((0, 0), |item| (item.row, item.at))
        };
        let parcel = Parcel {
            shard: at,
            ring,
            lane: place,
            site,
            destination: destination.clone(),
            secret: self.secret(site, &destination.name),
            places: sending.items.iter().map(place_of).collect(),
            records: sending.records.iter().map(|record| (*record).clone()).collect(),
            id: sending.id,
            items: sending.items,
            transport: lane.machine.state.transport.clone(),
            is_unsure: sending.is_unsure,
            is_prepared,
        };
        lane.is_away = true;
        let (name, count) = (&destination.name, parcel.records.len());
        let what = if is_prepared { "prepares" } else { "sends" };
        self.say(format_args!("shard {at} {what} {count} records to {name}: {}", parcel.id));
        if !is_prepared {
            self.check_departure(at, &parcel, sending.attempt);
        }
        let delay_ms = self.latency_ms();
        self.after(delay_ms, Happening::Parcel(Box::new(parcel)));
    }

    /// A parcel arrives, and what becomes of it is on its way back.
    pub fn parcel(&mut self, parcel: &Parcel) {
        let (site, name) = (parcel.site, parcel.destination.name.clone());
        let mut outside = self.outside(site, &parcel.destination);
        let Taken { back, after_ms, kept, is_stranger } = outside.take(parcel, &self.dials, &mut self.random);
        self.outsides.insert((site, name), outside);
        self.say(format_args!(
            "{}: keeps {} of {}, says {back:?}",
            parcel.destination.name,
            kept.len(),
            parcel.records.len()
        ));
        self.check_kept_outside(parcel, &kept);
        if is_stranger && (!back.is_pause() || !kept.is_empty()) {
            let detail = format!("{}: {back:?}, {} kept", parcel.destination.name, kept.len());
            self.fail("a wrong password opens nothing, and stops the destination", detail);
        }
        self.after(after_ms, Happening::Back(parcel.shard, parcel.ring, parcel.lane, Box::new(back)));
    }

    /// What became of a parcel is heard of, if the ring that sent it still is.
    pub fn back(&mut self, at: usize, number: u64, place: usize, back: Back) {
        let Some(ring) = self.shards[at].ring.as_mut().filter(|ring| ring.number == number) else { return };
        let mut lane = ring.lanes.remove(place);
        lane.is_away = false;
        let erasures = lane.erasures;
        let done = if self.refresh(at, &mut lane) {
            match back {
                // What was prepared may be of records that are no more.
                Back::Prepared(_) if lane.erasures != erasures => Ok(()),
                Back::Prepared(prepared) => self.prepared(at, &mut lane, prepared),
                Back::Sent(sent) => self.sent(at, &mut lane, sent),
            }
        } else {
            Ok(())
        };
        if matches!(done, Err(Broken::Storage)) {
            self.put_off(at);
            lane.is_over = true;
        }
        let Some(ring) = &mut self.shards[at].ring else { return };
        ring.lanes.insert(place, lane);
        self.go_on(at);
    }
}

const fn ringing() -> selvedge_edge::alarm::Alarm {
    let mut alarm = selvedge_edge::alarm::Alarm::unknown();
    alarm.rings();
    alarm
}
