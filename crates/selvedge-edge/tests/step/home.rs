//! A visitor at home: several devices, each with its tabs, that show whatever they may.

use crate::granting::{a_day, capped_site};
use crate::world::*;
use selvedge_core::consent::{Purposes, Snapshot};
use selvedge_core::event::{Batch, Event, EventType, LeaseReport};
use selvedge_core::hash::fnv1a_64;
use selvedge_core::id::{Sequence, WriterId};
use selvedge_core::rules::program::group_hash;
use selvedge_core::tracking_plan::Trust;
use selvedge_core::value::Value;
use selvedge_core::wire::program::{Cap, Group, Parts};
use selvedge_core::wire::state::{CellBody, Lease, VisitorState};
use selvedge_core::wire::stored::VisitorRecord;
use selvedge_edge::erasure;
use selvedge_edge::ingest::{Arrival, Outcome, Trouble, step};
use selvedge_edge::site::Site;
use std::collections::BTreeMap;

pub const MINUTE: u64 = 60_000;
pub const HOUR: u64 = 3_600_000;
pub const DAY: u64 = 24 * HOUR;
/// How long behind a lease's end a device says what it used of it.
const SETTLED_MS: i64 = 60_000;

pub const RULES: [&str; 2] = ["first", "second"];

/// A device as far as grants go: what its tabs share of what they used, and what it says of consent.
pub struct Device {
    pub tag: u32,
    pub tabs: Vec<Tab>,
    pub has_engine: bool,
    pub used: BTreeMap<u64, (u32, u32)>,
    pub consent: Snapshot,
}

/// A tab of it: what it was answered, and what it has to tell.
pub struct Tab {
    writer: WriterId,
    /// How far its clock is from the edge's.
    pub apart_ms: i64,
    pub state: Option<VisitorState>,
    pub queue: Vec<Event>,
    next: u32,
}

impl Tab {
    fn new(mark: u32) -> Self {
        let writer = WriterId::mint(NOW_MS - 60_000, mark);
        Self { writer, apart_ms: 0, state: None, queue: Vec::new(), next: 0 }
    }

    pub fn leases(&self) -> Vec<(u64, Lease)> {
        let cells = self.state.iter().flat_map(|state| &state.cells);
        let of_cap = |body: &CellBody| if let CellBody::Cap(cap) = body { Some(cap.lease) } else { None };
        cells.filter_map(|cell| Some((cell.hash, of_cap(&cell.body)?))).filter(|(_, of)| of.id > 0).collect()
    }

    fn now_ms(&self, now_ms: u64) -> u64 {
        now_ms.saturating_add_signed(self.apart_ms)
    }

    pub fn push(&mut self, name: &str, rule: &str, now_ms: u64) {
        self.next += 1;
        let known = if name == "exposure" { EventType::Exposure } else { EventType::Track };
        let of = |text: &str| Value::Text(text.into());
        self.queue.push(Event {
            sequence: Sequence::new(self.next).unwrap(),
            event_type: known,
            time_ms: self.now_ms(now_ms),
            properties: [("rule".into(), of(rule)), ("slot".into(), of("hero"))].into_iter().collect(),
            ..event(1, name)
        });
    }
}

impl Device {
    fn new(tag: u32) -> Self {
        let tabs = vec![Tab::new(tag), Tab::new(tag + 100)];
        Self { tag, tabs, has_engine: true, used: BTreeMap::new(), consent: granted() }
    }

    fn used(&self, cap: u64, lease: &Lease) -> u32 {
        let said = self.used.get(&cap).filter(|(id, _)| *id == lease.id).map_or(0, |(_, used)| *used);
        said.max(u32::from(lease.granted - lease.left))
    }

    /// Whether one of its tabs took from a newer lease.
    fn is_old(&self, cap: u64, lease: &Lease) -> bool {
        self.used.get(&cap).is_some_and(|(id, _)| *id > lease.id)
    }

    /// The lease of a cap that has a grant left now, as a tab sees it.
    fn grant(&self, tab: usize, cap: u64, now_ms: u64) -> Option<Lease> {
        let tab = &self.tabs[tab];
        let (_, lease) = tab.leases().into_iter().find(|(of, _)| *of == cap)?;
        let is_live = lease.expires_ms > i64::try_from(tab.now_ms(now_ms)).unwrap();
        (is_live && !self.is_old(cap, &lease) && self.used(cap, &lease) < u32::from(lease.granted))
            .then_some(lease)
    }

    pub fn report(&self, tab: usize, now_ms: u64) -> Vec<LeaseReport> {
        let tab = &self.tabs[tab];
        let now_ms = i64::try_from(tab.now_ms(now_ms)).unwrap();
        let is_over = |lease: &Lease| lease.expires_ms + SETTLED_MS <= now_ms;
        let leases = tab.leases().into_iter();
        let said = leases.filter(|(cap, lease)| is_over(lease) && !self.is_old(*cap, lease));
        said.map(|(rule, lease)| LeaseReport { rule, lease: lease.id, used: self.used(rule, &lease) })
            .collect()
    }
}

/// A visitor at a site with rules of one group, known on several devices.
pub struct Home {
    pub site: Site,
    pub stored: Option<VisitorRecord>,
    is_erased: bool,
    pub now_ms: u64,
    pub devices: Vec<Device>,
    pub seen: Vec<(u64, &'static str)>,
    /// What left a device and has not come yet.
    pub on_its_way: Vec<Batch>,
}

pub fn home(tags: &[u32], change: impl FnOnce(&mut Parts)) -> Home {
    let devices = tags.iter().map(|tag| Device::new(*tag)).collect();
    let (seen, on_its_way) = (Vec::new(), Vec::new());
    let site = capped_site(change);
    Home { site, stored: None, is_erased: false, now_ms: NOW_MS, devices, seen, on_its_way }
}

pub fn daily(of_rule: u16, of_group: u16) -> impl FnOnce(&mut Parts) {
    move |parts| capped(parts, &a_day(of_rule), &a_day(of_group))
}

pub fn capped(parts: &mut Parts, of_rule: &[Cap], of_group: &[Cap]) {
    parts.groups = vec![Group { name: "g".into(), caps: of_group.to_vec(), max_per_page: None }];
    for rule in &mut parts.rules {
        (rule.caps, rule.group) = (of_rule.to_vec(), Some(0));
    }
}

impl Home {
    pub fn see(&mut self, at: usize, rule: &'static str) -> bool {
        self.see_in((at, 0), rule)
    }

    /// A tab of a device shows a rule, if it has the grants.
    pub fn see_in(&mut self, (at, tab): (usize, usize), rule: &'static str) -> bool {
        let group = group_hash(&self.site.program.parts().groups[0]);
        let (caps, now_ms) = ([fnv1a_64(rule.as_bytes()), group], self.now_ms);
        let device = &mut self.devices[at];
        let grants: Vec<_> =
            caps.iter().filter_map(|cap| Some((*cap, device.grant(tab, *cap, now_ms)?))).collect();
        if grants.len() < caps.len() || !device.has_engine {
            return false;
        }
        for (cap, lease) in grants {
            let used = device.used(cap, &lease);
            device.used.insert(cap, (lease.id, used + 1));
        }
        device.tabs[tab].push("exposure", rule, now_ms);
        self.seen.push((now_ms, rule));
        true
    }

    pub fn send(&mut self, at: usize) -> Outcome {
        let now_ms = self.now_ms;
        self.devices[at].tabs[0].push("report", "", now_ms);
        self.send_first((at, 0), usize::MAX)
    }

    /// A tab sends the oldest of what waits there: the rest would be too much for one batch.
    pub fn send_first(&mut self, (at, tab): (usize, usize), count: usize) -> Outcome {
        let sent = self.load((at, tab), count);
        let count = sent.events.len();
        let outcome = self.arrive(sent);
        let tab = &mut self.devices[at].tabs[tab];
        tab.queue.drain(..count);
        tab.state = VisitorState::decode(&outcome.answer.state).ok();
        outcome
    }

    /// What a tab sends: it keeps it until it is answered.
    pub fn load(&mut self, (at, tab): (usize, usize), count: usize) -> Batch {
        let (now_ms, hash) = (self.now_ms, self.site.hash);
        let device = &mut self.devices[at];
        let leases = if device.has_engine { device.report(tab, now_ms) } else { Vec::new() };
        let from = &mut device.tabs[tab];
        if from.queue.is_empty() {
            from.push("report", "", now_ms);
        }
        let count = count.min(from.queue.len());
        let mut sent = batch(device.consent, from.queue[..count].iter().cloned().map(Ok).collect());
        let header = &mut sent.header;
        (header.writer, header.sent_at_ms, header.holder) = (from.writer, from.now_ms(now_ms), device.tag);
        // A device that lost its engine names its program still while it knows of grants that were used.
        header.program = (device.has_engine || !device.used.is_empty()).then_some(hash);
        header.leases = leases;
        sent
    }

    /// What a tab sent comes.
    pub fn arrive(&mut self, sent: Batch) -> Outcome {
        let arrival = Arrival { received_ms: self.now_ms, trust: Trust::Client, ..arrival() };
        if self.is_erased {
            return erasure::refuse(&self.site, sent, &arrival);
        }
        let stored = self.stored.clone();
        let outcome =
            step(&self.site, stored, sent, &arrival, &Trouble::default(), &mut Heard::default()).unwrap();
        self.stored = kept(self.stored.take(), &outcome);
        outcome
    }

    /// The visitor is erased: nothing is kept but that it was, and what comes of it is refused.
    pub fn erase(&mut self) {
        (self.stored, self.is_erased) = (None, true);
    }

    /// A device takes its consent back, or gives it again, and forgets what it knew.
    pub fn say(&mut self, at: usize, purposes: Purposes) {
        let now_ms = self.now_ms;
        let device = &mut self.devices[at];
        device.consent = said(purposes, ALL.without(purposes), now_ms);
        device.used.clear();
        for tab in &mut device.tabs {
            tab.queue.clear();
            tab.state = None;
        }
        self.send_first((at, 0), usize::MAX);
    }

    /// Exposures within `span_ms` up to any of them since a time, at most: of any rule, and of one.
    pub fn most_since(&self, since_ms: u64, span_ms: u64) -> (usize, usize) {
        let of = |only: Option<&str>| {
            let meant = |rule: &str| only.is_none_or(|only| only == rule);
            let until = |now_ms: u64| {
                let in_span = |(at_ms, rule): &&(u64, &str)| {
                    meant(rule) && *at_ms >= since_ms && *at_ms <= now_ms && *at_ms + span_ms > now_ms
                };
                self.seen.iter().filter(in_span).count()
            };
            self.seen.iter().map(|(now_ms, _)| until(*now_ms)).max().unwrap_or(0)
        };
        (of(None), RULES.iter().map(|rule| of(Some(rule))).max().unwrap_or(0))
    }

    /// Exposures within a day's length up to any of them, at most: of any rule, and of one.
    pub fn most(&self) -> (usize, usize) {
        self.most_since(0, DAY)
    }
}
