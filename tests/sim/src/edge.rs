//! The edge: a request comes to an isolate, goes to its shard, and is answered behind the commit; alarms ring.

use crate::held;
use crate::outbox;
use crate::ring::ONCE_MORE;
use crate::shard::{self, Envelope, Stepped, Stopped, Write};
use crate::world::{Happening, World};
use selvedge_core::id::VisitorId;
use selvedge_core::mutation::{Mutation, is_planted};
use selvedge_core::wire::program::OnUnknown;
use selvedge_edge::access::{self, Credentials};
use selvedge_edge::deadlines::GRACE_MS;
use selvedge_edge::fault::Fault;
use selvedge_edge::ingest::{self, Form};
use selvedge_edge::site::Site;
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
        let ended = match self.collect(self.tabs[tab].device, body) {
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

    /// What a page without an engine is answered; nothing where nobody does.
    pub(crate) fn collect_plain(&mut self, device: usize, body: &[u8]) -> (u16, Option<String>) {
        match self.collect(device, body) {
            Ok(Ended::Silent) => (0, None),
            Ok(Ended::Answered(status, body)) => (status, String::from_utf8(body).ok()),
            Err(fault) => {
                self.say(format_args!("edge > {} {}", fault.status, fault.code));
                (fault.status, Some(String::new()))
            }
        }
    }

    fn collect(&mut self, device: usize, body: &[u8]) -> Result<Ended, Fault> {
        let opened = ingest::open(body)?;
        let address = ingest::address(&opened)?;
        let isolate = usize::try_from(self.random.below(self.isolates.len() as u64)).unwrap_or(0);
        let known = self.isolates[isolate].sites(&mut self.registry, self.files, self.now_ms);
        let known = known?;
        let configs: Vec<_> = known.iter().map(|site| &site.config).collect();
        let shown = Credentials { write_key: &address.write_key, bearer: None, origin: None, own_origin: "" };
        let (site, sender) = access::enter(&configs, None, &|_| None, &shown)?;
        let device = &self.devices[device];
        let country = Some(device.country.to_owned());
        let at = self.shard_of(site, address.whose.visitor(known[site].name()));
        let envelope = Envelope {
            form: opened.form,
            site: known[site].name().to_owned(),
            publish: known[site].publish,
            received_ms: self.shard_ms(at),
            source: sender.source,
            gpc: device.gpc,
            mode: known[site].mode_in(country.as_deref()),
            country,
        };
        self.post(at, &envelope, &opened.bytes)
    }

    /// The shard of a visitor.
    pub(crate) fn shard_of(&self, site: usize, visitor: VisitorId) -> usize {
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
        self.alarm_by(at, None);
        let mut publish = envelope.publish;
        let mut stepped = self.step(at, publish, envelope, body);
        if let Err(Stopped::Stale(stale)) = &stepped {
            publish = stale.known;
            stepped = self.step(at, publish, envelope, body);
        }
        let stepped = stepped.map_err(|stopped| match stopped {
            Stopped::Fault(fault) => fault,
            Stopped::Stale(stale) => Fault::stale_program(stale.to_string()),
        });
        let stepped = match stepped {
            Ok(_) if self.random.chance(self.dials.storage_errors) => {
                Err(Fault::storage("the storage failed; nothing was kept"))
            }
            other => other,
        };
        let stepped = stepped.inspect_err(|_| {
            self.shards[at].memory.forget();
            self.shards[at].memory.alarm.forget();
        })?;
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
        let site = site.map_err(Stopped::Fault)?;
        let now_ms = self.now_ms.saturating_add_signed(shard.ahead_ms);
        shard.memory.admit(&shard.tables, &site, now_ms).map_err(Stopped::Fault)?;
        let mut stepped = shard::collect(&shard.tables, &site, envelope, body)?;
        let named = shard.memory.before_row(&shard.tables, &site);
        if stepped.outcome.purge_quarantine {
            // It does no harm where the rest is not committed; what follows reads it.
            shard.tables.apply(named);
            stepped.writes.extend(outbox::purge_again(&shard.tables, stepped.batch.header.visitor));
        } else {
            stepped.writes.splice(0..0, named);
        }
        let visitor = stepped.batch.header.visitor;
        let before = shard.tables.record(visitor).map(|record| record.consent);
        let now = stepped.outcome.record.as_ref().map(|record| record.consent);
        let holds = site.destinations.iter().any(|known| known.on_unknown == OnUnknown::Hold);
        if now.is_some() && now != before && holds {
            stepped.writes.extend(held::answered(&shard.tables, visitor));
        }
        (stepped.site, stepped.before) = (Some(site), before);
        Ok(stepped)
    }

    /// As `Alarm::by`, in the transaction.
    pub(crate) fn alarm_by(&mut self, at: usize, wanted_ms: Option<u64>) {
        let now_ms = self.shard_ms(at);
        let shard = &mut self.shards[at];
        if let Some(time_ms) = shard.memory.by(&shard.tables, wanted_ms, now_ms) {
            shard.tables.alarm_ms = Some(time_ms);
        }
        self.alarm(at);
    }

    /// Behind a row, and a change of deadlines: whoever waits for them is woken.
    pub(crate) fn wake_behind(&mut self, at: usize, site: &Site, writes: &[Write]) {
        if writes.iter().any(|write| matches!(write, Write::Row(_))) {
            let wanted_ms = self.shards[at].memory.after_row(site, self.shard_ms(at));
            self.alarm_by(at, wanted_ms);
        }
        if writes.iter().any(|write| matches!(write, Write::Answered(..))) {
            let now_ms = self.shard_ms(at);
            self.alarm_by(at, Some(now_ms));
        }
        for write in writes {
            if let Write::Deadline(_, Some(due_ms)) = write {
                self.alarm_by(at, Some(due_ms.saturating_add(GRACE_MS)));
            }
        }
    }

    fn commit(&mut self, at: usize, stepped: Stepped) -> Vec<u8> {
        let Stepped { writes, answer, outcome, batch, last, site, form, before } = stepped;
        let told = &outcome.answer;
        self.say(format_args!(
            "shard {at} commits a batch of {} ({}..): {} accepted, {} duplicate, refused {:?}",
            batch.events.len(),
            batch.header.floor,
            told.accepted,
            told.duplicates,
            told.refused
        ));
        self.check_admitted(at, site.as_deref(), &writes);
        self.shards[at].tables.apply(writes.clone());
        if let Some(site) = site {
            self.shards[at].memory.named(site.publish);
            self.wake_behind(at, &site, &writes);
        }
        self.check_commit(at, &outcome, &batch, last.as_ref());
        if form == Form::Json {
            let said = batch.header.consent.first().copied();
            let text = String::from_utf8_lossy(&answer);
            self.check_answer(at, batch.header.visitor, (before, said), &text);
        }
        self.check_streams(at);
        answer
    }

    /// The shard dies before its commit: nothing of the request is left, and nobody answers.
    fn die(&mut self, at: usize, stepped: Stepped) -> Ended {
        self.say(format_args!("shard {at} dies before its commit"));
        self.restart(at);
        if is_planted(Mutation::WindowsOutside) {
            let records = stepped.writes.iter().filter(|write| matches!(write, Write::Record(..)));
            self.shards[at].tables.apply(records.cloned().collect());
        }
        if is_planted(Mutation::AckBeforeCommit) {
            self.check_acknowledged(at, &stepped.outcome, &stepped.batch);
            return Ended::Answered(200, stepped.answer);
        }
        Ended::Silent
    }

    /// The platform notes when to ring.
    pub(crate) fn alarm(&mut self, at: usize) {
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
            if self.random.chance(self.dials.late_alarms / 4) {
                self.after(delay_ms + late_ms + 1_500, Happening::Alarm(at, ONCE_MORE));
            }
        }
    }
}
