//! The edge: a request comes to an isolate, goes to its shard, and is answered behind the commit; alarms ring.

use crate::shard::{self, Envelope, Stepped, Stopped, Write};
use crate::world::{Happening, World};
use selvedge_core::id::VisitorId;
use selvedge_core::mutation::{Mutation, is_planted};
use selvedge_edge::access::{self, Credentials};
use selvedge_edge::fault::Fault;
use selvedge_edge::ingest;
use selvedge_edge::topology::Topology;

/// How a request ended at the edge.
enum Ended {
    /// It is answered.
    Answered(u16, Vec<u8>),
    /// The shard died on it: nobody answers.
    Silent,
}

impl World<'_> {
    /// A request arrives.
    pub fn arrive(&mut self, tab: usize, request: Option<u32>, body: &[u8]) {
        let ended = match self.collect(tab, body) {
            Ok(ended) => ended,
            Err(fault) => {
                self.say(format_args!("edge > {} {}", fault.status, fault.code));
                Ended::Answered(fault.status, Vec::new())
            }
        };
        let (Some(request), Ended::Answered(status, body)) = (request, ended) else { return };
        if self.random.chance(self.dials.lost_answers) {
            self.say(format_args!("the answer to request {request} of tab {tab} is lost"));
            return;
        }
        let delay_ms = self.latency_ms();
        self.after(delay_ms, Happening::Reply(tab, request, status, body));
    }

    fn collect(&mut self, tab: usize, body: &[u8]) -> Result<Ended, Fault> {
        let opened = ingest::open(body)?;
        let address = ingest::address(&opened)?;
        let isolate = usize::try_from(self.random.below(self.isolates.len() as u64)).unwrap_or(0);
        let known = self.isolates[isolate].sites(&mut self.registry, self.files, self.now_ms);
        let known = known.map_err(|_| Fault::bad_program("a program cannot be loaded"))?;
        let configs: Vec<_> = known.iter().map(|site| &site.config).collect();
        let shown = Credentials { write_key: &address.write_key, bearer: None, origin: None, own_origin: "" };
        let (site, sender) = access::enter(&configs, None, &|_| None, &shown)?;
        let device = &self.devices[self.tabs[tab].device];
        let country = Some(device.country.to_owned());
        let at = self.shard_of(site, address.whose.visitor(known[site].name()));
        let envelope = Envelope {
            site: known[site].name().to_owned(),
            publish: known[site].publish,
            received_ms: self.now_ms.saturating_add_signed(self.shards[at].ahead_ms),
            source: sender.source,
            gpc: device.gpc,
            mode: known[site].mode_in(country.as_deref()),
            country,
        };
        self.post(at, &envelope, &opened.bytes)
    }

    /// The shard of a visitor.
    fn shard_of(&self, site: usize, visitor: VisitorId) -> usize {
        let place = Topology::single(self.dials.shards).place(visitor);
        let in_site = place.map_or(0, |place| place.shard);
        let site = if is_planted(Mutation::SitesMixed) { 0 } else { site };
        site * self.dials.shards as usize + in_site as usize
    }

    /// One request of a shard, as its `collect`.
    fn post(&mut self, at: usize, envelope: &Envelope, body: &[u8]) -> Result<Ended, Fault> {
        if self.random.chance(self.dials.evictions) {
            self.restart(at);
        }
        let mut publish = envelope.publish;
        let mut stepped = self.step(at, publish, envelope, body);
        if let Err(Stopped::Stale(stale)) = &stepped {
            publish = stale.known;
            stepped = self.step(at, publish, envelope, body);
        }
        let stepped = stepped.map_err(|stopped| match stopped {
            Stopped::Fault(fault) => fault,
            Stopped::Stale(stale) => Fault::stale_program(stale.to_string()),
        })?;
        if self.random.chance(self.dials.storage_errors) {
            return Err(Fault::storage("the storage failed; nothing was kept"));
        }
        if self.random.chance(self.dials.crashes_before) {
            return Ok(self.die(at, stepped));
        }
        let answer = self.commit(at, stepped);
        if self.random.chance(self.dials.crashes_after) {
            self.say(format_args!("shard {at} dies behind its commit"));
            self.restart(at);
            return Ok(Ended::Silent);
        }
        Ok(Ended::Answered(200, answer))
    }

    fn step(
        &mut self,
        at: usize,
        publish: u64,
        envelope: &Envelope,
        body: &[u8],
    ) -> Result<Stepped, Stopped> {
        let shard = &mut self.shards[at];
        let site = shard.isolate.site(&mut self.registry, self.files, (shard.site, publish), self.now_ms);
        let site = site.map_err(|_| Stopped::Fault(Fault::bad_program("a program cannot be loaded")))?;
        shard::collect(&shard.tables, &site, envelope, body)
    }

    fn commit(&mut self, at: usize, stepped: Stepped) -> Vec<u8> {
        let Stepped { writes, answer, outcome, batch, last } = stepped;
        let told = &outcome.answer;
        self.say(format_args!(
            "shard {at} commits a batch of {} ({}..): {} accepted, {} duplicate, refused {:?}",
            batch.events.len(),
            batch.header.floor,
            told.accepted,
            told.duplicates,
            told.refused
        ));
        self.shards[at].tables.commit(writes);
        self.alarm(at);
        self.check_commit(at, &outcome, &batch, last.as_ref());
        answer
    }

    /// The shard dies before its commit: nothing of the request is left, and nobody answers.
    fn die(&mut self, at: usize, stepped: Stepped) -> Ended {
        self.say(format_args!("shard {at} dies before its commit"));
        self.restart(at);
        if is_planted(Mutation::WindowsOutside) {
            let records = stepped.writes.iter().filter(|write| matches!(write, Write::Record(..)));
            self.shards[at].tables.commit(records.cloned().collect());
        }
        if is_planted(Mutation::AckBeforeCommit) {
            self.check_acknowledged(at, &stepped.outcome, &stepped.batch);
            return Ended::Answered(200, stepped.answer);
        }
        Ended::Silent
    }

    /// The shard begins anew, with what is durable.
    fn restart(&mut self, at: usize) {
        // It may find itself in an isolate that has heard of programs already.
        let isolate = usize::try_from(self.random.below(self.isolates.len() as u64 + 1)).unwrap_or(0);
        self.shards[at].isolate = self.isolates.get(isolate).cloned().unwrap_or_default();
    }

    /// The platform notes when to ring.
    fn alarm(&mut self, at: usize) {
        let wanted_ms = self.shards[at].tables.alarm_ms;
        if wanted_ms == self.shards[at].alarm_ms {
            return;
        }
        self.shards[at].alarm_ms = wanted_ms;
        if let Some(at_ms) = wanted_ms {
            let is_late = self.random.chance(self.dials.late_alarms);
            let late_ms = if is_late { self.random.between(1_000, 600_000) } else { 0 };
            let ahead_ms = self.shards[at].ahead_ms;
            let delay_ms = at_ms.saturating_add_signed(-ahead_ms).saturating_sub(self.now_ms);
            self.after(delay_ms + late_ms, Happening::Alarm(at, at_ms));
        }
    }

    /// As `deadlines::ring`.
    pub fn ring(&mut self, at: usize, at_ms: u64) {
        if self.shards[at].alarm_ms != Some(at_ms) {
            return;
        }
        self.shards[at].alarm_ms = None;
        self.shards[at].tables.alarm_ms = None;
        let now_ms = self.now_ms.saturating_add_signed(self.shards[at].ahead_ms);
        let due = shard::due(&self.shards[at].tables, now_ms);
        self.say(format_args!("shard {at} rings for {}", due.len()));
        for (visitor, due_ms) in due {
            if self.shards[at].tables.deadlines.get(&visitor) != Some(&due_ms) {
                continue;
            }
            let publish = self.shards[at].tables.record(visitor).map_or(0, |record| record.publish);
            let shard = &mut self.shards[at];
            let site = shard.isolate.site(&mut self.registry, self.files, (shard.site, publish), self.now_ms);
            let Ok(site) = site else { continue };
            let writes = shard::wake(&shard.tables, &site, visitor, now_ms);
            if self.random.chance(self.dials.crashes_before) {
                self.say(format_args!("shard {at} dies in its alarm"));
                self.restart(at);
                break;
            }
            self.shards[at].tables.apply(writes);
        }
        self.shards[at].tables.arm();
        self.check_rows(at);
        self.alarm(at);
    }
}
