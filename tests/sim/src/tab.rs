//! Pages: the real head, driven as `www/sdk` drives it (host.ts, locks.ts, storage.ts, main.ts).

use crate::page::Tab;
use crate::sites;
use crate::truth::{Exposure, queued};
use crate::world::{Happening, Shard, World};
use selvedge_client::{Boot, Effect, Input, Notice, Reply, Settings, Show};
use selvedge_core::consent::{Mode, Purposes, Signals, Snapshot};
use selvedge_core::event::EventType;
use selvedge_core::hash::fnv1a_64;
use selvedge_core::id::VisitorId;
use selvedge_core::limits::LEASE_MS;
use selvedge_core::value::{Map, Value};
use selvedge_core::wire::answer::Reason;
use selvedge_core::wire::batch::read_snapshot;
use selvedge_core::wire::batch_decode::{decode_events, decode_header, open};
use selvedge_core::wire::codec::{Reader, Writer};

/// Records that are read at once, where consent allows it.
const RECORDS: [&str; 6] = ["consent", "visitor", "state", "program", "leases", "paused"];
/// How long a request may take.
const TIMEOUT_MS: u64 = 30_000;
/// Pages without an engine are told apart from those with one by numbers from here on.
pub const HANDS: usize = 1_000_000;
/// How long locks take that nobody holds.
const TAKE_OVER_MS: u64 = 2;
/// How long half of a slot must be visible to count as seen.
const SEEN_MS: u64 = 1_000;
/// How much clocks that were measured over a slow network may be wrong.
pub const SLACK_MS: u64 = 10_000;

impl World<'_> {
    /// Opens a page on a device.
    pub fn open_tab(&mut self, device: usize) -> usize {
        self.link(device);
        let tab = self.tabs.len();
        self.tabs.push(Tab::new(device, tab));
        self.say(format_args!("tab {tab} opens on device {device}"));
        self.tabs[tab].said = (self.dials.sources != Signals::NONE).then_some(Purposes::NONE);
        let place = &self.devices[device];
        let has_consent = place.read("consent").is_some();
        let stored = if has_consent { place.entries(&RECORDS.map(str::to_owned)) } else { Vec::new() };
        self.learn(tab, &stored);
        let boot = Boot {
            write_key: self.files[self.devices[device].site].key.clone(),
            random: self.random.bytes(),
            parameters: Vec::new(),
            context: [("language".to_owned(), Value::Text("de".into()))].into_iter().collect(),
            gpc: self.devices[device].gpc,
            stored,
        };
        self.tell(tab, Input::Boot(boot));
        self.view(tab);
        let delay_ms = self.latency_ms();
        self.after(delay_ms, Happening::Config(tab));
        tab
    }

    /// A device that knows no visitor yet takes over that of the first, with the visitor's answer: by a link from one site's
    /// address to another's, or by what links devices.
    fn link(&mut self, device: usize) {
        let (first, own) = (&self.devices[0], &self.devices[device]);
        let is_apart = device == 0 || first.site != own.site || own.stored.is_none();
        if !self.dials.is_linked || self.is_ending || is_apart || own.read("visitor").is_some() {
            return;
        }
        let records = ["consent", "visitor"].map(|key| (key, first.read(key).cloned()));
        let granted = first.granted;
        if let [(_, Some(_)), (_, Some(_))] = records {
            self.say(format_args!("device {device} is linked to the first"));
            let own = &mut self.devices[device];
            own.granted = own.granted.or(granted);
            // What was captured under another answer may go with this one.
            own.is_withdrawn = true;
            for (key, value) in records {
                let value = value.unwrap_or_default();
                own.store(key, if key == "visitor" { untagged(&value) } else { value });
            }
        }
    }

    /// A page goes for good. Where it is killed, it hears nothing of it.
    pub fn close_tab(&mut self, tab: usize, is_killed: bool) {
        self.say(format_args!("tab {tab} {}", if is_killed { "is killed" } else { "closes" }));
        if !is_killed {
            self.tell(tab, Input::Hidden);
        }
        let device = self.tabs[tab].device;
        self.devices[device].has_kills |= is_killed;
        if !self.is_ending {
            // What it had to tell went with it.
            self.truth.farewells.retain(|_, teller| *teller != tab);
        }
        self.tabs[tab].is_alive = false;
        self.devices[device].release(tab);
    }

    /// A page view begins.
    pub fn view(&mut self, tab: usize) {
        let time_ms = self.device_ms(tab);
        let path = self.random.below(5);
        let url = format!("https://shop.test/p{path}?utm_medium=cpc");
        self.tabs[tab].seen.clear();
        self.tell(
            tab,
            Input::Page { time_ms, url, title: "T".into(), referrer: String::new(), properties: Map::new() },
        );
        self.look_again(tab);
    }

    /// What is visible is looked at again.
    pub fn look_again(&mut self, tab: usize) {
        let slots: Vec<String> = self.tabs[tab].shown.keys().cloned().collect();
        slots.into_iter().for_each(|slot| self.watch(tab, slot));
    }

    /// The clock of a tab's device.
    pub fn device_ms(&self, tab: usize) -> u64 {
        self.devices[self.tabs[tab].device].now_ms(self.now_ms)
    }

    /// Tells the head of a page, and does what it says.
    pub fn tell(&mut self, tab: usize, input: Input) {
        if !self.tabs[tab].is_alive || self.violation.is_some() {
            return;
        }
        self.notice(tab, &input);
        self.say(format_args!("tab {tab} < {}", brief(&input)));
        let now_ms = self.device_ms(tab);
        let is_settling = matches!(&input, Input::Settings(Some(_)));
        let effects = self.tabs[tab].client.handle(input, now_ms);
        self.learn_said(tab, &effects);
        for effect in effects {
            self.perform(tab, effect);
        }
        if is_settling {
            self.await_platforms(tab);
        }
    }

    /// What the world itself learns from what it tells.
    fn notice(&mut self, tab: usize, input: &Input) {
        let page = &mut self.tabs[tab];
        let (was_open, visitor, site) = (page.is_open(), page.visitor, self.devices[page.device].site);
        match input {
            Input::Consent { granted, denied, .. } => {
                let place = &mut self.devices[page.device];
                place.granted = place.granted.or(*granted);
                let known = page.consent;
                page.consent.granted = known.granted.or(*granted).without(*denied);
                page.consent.denied = known.denied.without(*granted).or(*denied);
                page.consent.time_ms = 1;
                page.is_unversioned = page.policy.is_none();
                page.consent.policy_version = page.policy.unwrap_or_default();
            }
            Input::Settings(Some(settings)) => page.settle(settings.mode, settings.policy_version),
            Input::Changed { key, value, .. } if key == "consent" => match value {
                Some(value) => {
                    let gpc = page.consent.gpc;
                    let next = read_snapshot(&mut Reader::new(value)).ok();
                    // What holds no answer is of no policy.
                    let counts = |next: &Snapshot| {
                        next.time_ms == 0 || next.policy_version >= page.policy.unwrap_or_default()
                    };
                    if let Some(next) = next.filter(counts) {
                        page.consent = Snapshot { gpc, ..next };
                    }
                }
                None => {
                    let before = page.consent.denied.or(page.consent.in_force());
                    page.consent.denied = before.without(Purposes::NECESSARY);
                    page.consent.granted = Purposes::NONE;
                }
            },
            Input::Changed { key, value, .. } if key == "visitor" => {
                page.visitor = value.as_deref().and_then(visitor_of);
            }
            Input::Reset { .. } => page.visitor = None,
            _ => {}
        }
        let opens = page.is_open();
        if let (Some(visitor), Input::Consent { .. }) = (visitor, input)
            && was_open
            && !opens
            && self.tabs[tab].said.is_none()
        {
            self.truth.farewells.insert((site, visitor), tab);
        }
        if let (Some(visitor), Input::Consent { .. }, true) = (visitor, input, opens) {
            // Granted again in a tab that had not heard of the withdrawal yet: the newer word counts.
            self.truth.farewells.remove(&(site, visitor));
        }
        let page = &self.tabs[tab];
        let device = page.device;
        self.devices[device].is_opened |= opens;
    }

    /// What a page knows from its device as it begins.
    fn learn(&mut self, tab: usize, stored: &[(String, Vec<u8>)]) {
        for (key, value) in stored {
            match key.as_str() {
                "consent" => {
                    if let Ok(known) = read_snapshot(&mut Reader::new(value)) {
                        self.tabs[tab].consent = known;
                    }
                }
                "visitor" => self.tabs[tab].visitor = visitor_of(value),
                _ => {}
            }
        }
        let device = self.tabs[tab].device;
        self.tabs[tab].consent.gpc = self.devices[device].gpc;
        self.devices[device].is_opened |= self.tabs[tab].is_open();
    }

    fn perform(&mut self, tab: usize, effect: Effect) {
        let device = self.tabs[tab].device;
        match effect {
            Effect::Store { key, value } => self.store(tab, &key, value),
            Effect::Erase { key } => {
                self.devices[device].erase(&key);
                self.spread(tab, &key, None);
            }
            Effect::EraseAll => {
                self.say(format_args!("tab {tab} > erases all"));
                for key in self.devices[device].keys("") {
                    self.devices[device].erase(&key);
                    self.spread(tab, &key, None);
                }
                self.tabs[tab].visitor = None;
            }
            Effect::Send { request, body } => self.send(tab, request, body),
            Effect::Beacon { body } => self.beacon(tab, body),
            Effect::Schedule { delay_ms } => {
                self.say(format_args!("tab {tab} > schedules {delay_ms}"));
                self.tabs[tab].timer += 1;
                let generation = self.tabs[tab].timer;
                self.after(u64::from(delay_ms), Happening::Tick(tab, generation));
            }
            Effect::Load(hash) => {
                let delay_ms = self.latency_ms() + self.latency_ms();
                let is_lost = !self.devices[device].is_online || self.random.chance(self.dials.drops);
                let programs = &self.files[self.devices[device].site].programs;
                let program = programs.iter().find(|program| program.hash == hash && !is_lost);
                let bytes = program.map(|program| program.public.clone()).unwrap_or_default();
                self.after(delay_ms, Happening::Tell(tab, Box::new(Input::Program { hash, bytes })));
            }
            Effect::Engine => {
                // Told apart by the tab, so that no other chance of the world moves. Some never get one.
                let (delay_ms, is_there) = ((tab as u64 * 37) % 400, tab % 11 != 7);
                self.after(delay_ms, Happening::Tell(tab, Box::new(Input::Engine(is_there))));
            }
            Effect::Hold { queue } => {
                self.devices[device].lock(&queue, tab);
                (self.tabs[tab].queue, self.tabs[tab].takes_over) = (Some(queue), true);
                let delay_ms = self.random.between(1, 20);
                self.after(delay_ms, Happening::TakeOver(tab));
            }
            Effect::Show(show) => {
                let rule = show.rule.clone().unwrap_or_default();
                self.say(format_args!("tab {tab} > shows {}: {rule} {}", show.slot, show.reason.as_str()));
                let slot = show.slot.clone();
                self.tabs[tab].shown.insert(slot.clone(), show);
                self.watch(tab, slot);
            }
            Effect::Emit(Notice::Lost(lost)) => {
                let known = core::mem::replace(&mut self.tabs[tab].lost, lost);
                self.devices[device].lost += u64::from(lost.saturating_sub(known));
            }
            Effect::Emit(Notice::EngineLost) => self.tabs[tab].has_lost_engine = true,
            Effect::Emit(Notice::Consent(in_force)) if !in_force.without(Purposes::NECESSARY).is_empty() => {
                // As `open` in locks.ts.
                self.tabs[tab].takes_over = true;
                self.after(TAKE_OVER_MS, Happening::TakeOver(tab));
            }
            Effect::Emit(_) => {}
        }
    }

    fn store(&mut self, tab: usize, key: &str, value: Vec<u8>) {
        let device = self.tabs[tab].device;
        let site = self.devices[device].site;
        self.say(format_args!("tab {tab} > stores {key}"));
        let is_refusal = key == "consent"
            && read_snapshot(&mut Reader::new(&value)).is_ok_and(|said| said.mode == Mode::OptOut);
        if !self.tabs[tab].is_open() && !is_refusal {
            self.fail("nothing is stored without consent", format!("tab {tab} stores {key}"));
        }
        if key == "visitor" {
            self.tabs[tab].visitor = visitor_of(&value);
        }
        let place = &self.devices[device];
        let is_there = |key: &str| place.read(key).is_some();
        if let Some(event) = self.truth.stored((site, device), (key, &value), &is_there) {
            self.tabs[tab].is_ungranted |= event.event_type == EventType::Exposure
                && event.properties.get("granted") == Some(&Value::Bool(false));
        }
        if self.devices[device].store(key, value.clone()) {
            self.spread(tab, key, Some(&value));
        }
    }

    /// Other tabs hear what one stored or erased. Queues are nobody's else.
    fn spread(&mut self, tab: usize, key: &str, value: Option<&Vec<u8>>) {
        if queued(key).is_some() || key.starts_with("w.") {
            return;
        }
        let device = self.tabs[tab].device;
        for other in 0..self.tabs.len() {
            if other != tab && self.tabs[other].is_alive && self.tabs[other].device == device {
                // Whatever is late, nothing overtakes.
                let delay_ms = self.random.between(0, self.dials.storage_event_ms_max);
                let heard_ms = self.tabs[other].heard_ms.max(self.now_ms + delay_ms);
                self.tabs[other].heard_ms = heard_ms;
                self.after(heard_ms - self.now_ms, Happening::Heard(other, key.to_owned(), value.cloned()));
            }
        }
    }

    /// As `tellOfOtherTabs` in main.ts.
    pub fn hear(&mut self, tab: usize, key: &str, value: Option<Vec<u8>>) {
        let stored = |world: &Self, key: &str| world.devices[world.tabs[tab].device].read(key).cloned();
        if key == "consent" && value.is_some() {
            let visitor = stored(self, "visitor");
            if visitor.is_some() {
                self.tell_change(tab, "visitor", visitor);
            }
        }
        if key != "visitor" {
            return self.tell_change(tab, key, value);
        }
        let visitor = stored(self, key);
        if visitor.is_none() {
            let consent = stored(self, "consent");
            self.tell_change(tab, "consent", consent);
        }
        self.tell_change(tab, key, visitor);
    }

    fn tell_change(&mut self, tab: usize, key: &str, value: Option<Vec<u8>>) {
        let random = self.random.bytes();
        self.tell(tab, Input::Changed { key: key.to_owned(), value, random });
    }

    fn send(&mut self, tab: usize, request: u32, body: Vec<u8>) {
        self.say(format_args!("tab {tab} > sends request {request}, {} bytes", body.len()));
        self.check_leaving(tab, &body);
        self.tabs[tab].pending.insert(request);
        self.after(TIMEOUT_MS, Happening::Reply(tab, request, 0, Vec::new()));
        if !self.devices[self.tabs[tab].device].is_online {
            return self.after(5, Happening::Reply(tab, request, 0, Vec::new()));
        }
        if self.random.chance(self.dials.drops) {
            self.say(format_args!("request {request} of tab {tab} is lost"));
            return;
        }
        let is_straggler = self.random.chance(self.dials.stragglers);
        let delay_ms = if is_straggler { self.random.between(20_000, 90_000) } else { self.latency_ms() };
        if self.random.chance(self.dials.duplicates) {
            let delay_ms = self.random.between(1, 60_000);
            self.after(delay_ms, Happening::Arrive(tab, None, body.clone()));
        }
        self.after(delay_ms, Happening::Arrive(tab, Some(request), body));
    }

    fn beacon(&mut self, tab: usize, body: Vec<u8>) {
        self.say(format_args!("tab {tab} > beacon, {} bytes", body.len()));
        self.check_leaving(tab, &body);
        if let Ok(container) = open(&body)
            && let Ok((header, _)) = decode_header(container.sections)
        {
            self.truth.beaconed.insert(header.writer);
        }
        if self.devices[self.tabs[tab].device].is_online && !self.random.chance(self.dials.drops) {
            let delay_ms = self.latency_ms();
            self.after(delay_ms, Happening::Arrive(tab, None, body));
        }
    }

    /// Without consent nothing leaves but word of that.
    fn check_leaving(&mut self, tab: usize, body: &[u8]) {
        if self.tabs[tab].is_open() {
            return;
        }
        let container = open(body).ok();
        let header = container.and_then(|container| {
            decode_header(container.sections)
                .ok()
                .map(|(header, rest)| decode_events(&header, rest, None).map_or(1, |events| events.len()))
        });
        if header != Some(0) || !self.devices[self.tabs[tab].device].is_opened {
            self.fail("nothing is sent without consent", format!("tab {tab} sends {header:?} events"));
        }
    }

    /// A request ends in the page.
    pub fn reply(&mut self, tab: usize, request: u32, status: u16, body: Vec<u8>) {
        if self.tabs[tab].pending.remove(&request) {
            let drawn = self.random.below(1 << 32).to_le_bytes();
            let mut random = [0; 19];
            random.iter_mut().zip(drawn.iter().take(4).cycle()).for_each(|(byte, drawn)| *byte = *drawn);
            let retry_after_ms = if status == 503 { 1_000 } else { 0 };
            self.tell(tab, Input::Replied(Reply { request, status, retry_after_ms, random, body }));
        }
    }

    /// A timer rings.
    pub fn tick(&mut self, tab: usize, generation: u64) {
        if self.tabs[tab].timer == generation {
            self.tell(tab, Input::Tick);
        }
    }

    /// The page learns the site's config.
    pub fn configure(&mut self, tab: usize) {
        let place = &self.devices[self.tabs[tab].device];
        if !place.is_online || self.random.chance(self.dials.drops) {
            return self.tell(tab, Input::Settings(None));
        }
        let (site, country) = (place.site, place.country);
        let isolate = usize::try_from(self.random.below(self.isolates.len() as u64)).unwrap_or(0);
        let known = self.isolates[isolate].site(&mut self.registry, self.files, (site, 0), self.now_ms);
        let Ok(known) = known else { return self.tell(tab, Input::Settings(None)) };
        self.tell(
            tab,
            Input::Settings(Some(Settings {
                recalls: false,
                topology: 0,
                mode: known.mode_in(Some(country)),
                policy_version: known.config.policy_version,
                clock_ms: self.now_ms,
                program: Some(known.hash),
                publish: known.publish,
                paused: known.paused.clone(),
                sources: self.dials.sources,
            })),
        );
    }

    /// As `takeOver` in locks.ts.
    pub fn take_over(&mut self, tab: usize) {
        if !self.tabs[tab].is_alive || !self.tabs[tab].takes_over {
            return;
        }
        let own = self.tabs[tab].queue.clone();
        let device = &mut self.devices[self.tabs[tab].device];
        let mut records = Vec::new();
        for key in device.keys("w.") {
            let queue = key.trim_start_matches("w.").to_owned();
            if own.as_ref() != Some(&queue) && !device.locks.contains_key(&queue) && device.lock(&queue, tab)
            {
                let mut keys = vec![key];
                keys.extend(device.keys(&format!("q.{queue}.")));
                records.extend(device.entries(&keys));
            }
        }
        self.tell(tab, Input::Adopted(records));
    }

    /// A slot comes into view, or does not.
    fn watch(&mut self, tab: usize, slot: String) {
        let page = &mut self.tabs[tab];
        let generation = page.looks.entry(slot.clone()).or_default();
        *generation += 1;
        let generation = *generation;
        let is_recorded = page.shown.get(&slot).is_some_and(Show::is_recorded);
        if is_recorded && (self.random.chance(800) || self.is_ending) {
            self.after(1, Happening::Look(tab, slot.clone(), generation));
            self.after(SEEN_MS, Happening::Seen(tab, slot, generation));
        }
    }

    /// A slot comes into view: as `alone` in locks.ts, no other tab is told of one meanwhile.
    pub fn look(&mut self, tab: usize, slot: &str, generation: u64) {
        let page = &mut self.tabs[tab];
        let is_last = page.looks.get(slot) == Some(&generation);
        if page.is_hidden && is_last {
            // Its second begins when the page is back, as in slots.ts.
            page.looks.insert(slot.to_owned(), generation + 1);
        } else if page.is_alive && is_last {
            let leases = self.devices[page.device].read("leases").cloned().unwrap_or_default();
            self.tell(tab, Input::InView { slot: slot.to_owned(), leases });
        }
    }

    /// A slot was seen.
    pub fn seen(&mut self, tab: usize, slot: &str, generation: u64) {
        let page = &self.tabs[tab];
        if !page.is_alive || page.is_hidden || page.looks.get(slot) != Some(&generation) {
            return;
        }
        let (show, visitor) = (page.shown.get(slot).cloned(), page.visitor);
        let time_ms = self.device_ms(tab);
        self.tabs[tab].is_ungranted = false;
        self.tell(tab, Input::Seen { slot: slot.to_owned(), time_ms });
        self.expose(tab, visitor, show.as_ref());
    }

    /// Something was seen. A page that lost its rule engine cannot take grants, and says so of each exposure: those alone do
    /// not count.
    fn expose(&mut self, tab: usize, visitor: Option<VisitorId>, show: Option<&Show>) {
        let Some(show) = show.filter(|show| show.reason != Reason::Control) else { return };
        let (Some(rule), Some(visitor)) = (&show.rule, visitor) else { return };
        let is_first = self.tabs[tab].seen.insert(fnv1a_64(format!("{}/{rule}", show.slot).as_bytes()));
        let is_ungranted = self.tabs[tab].has_lost_engine && self.tabs[tab].is_ungranted;
        if !is_first || is_ungranted {
            return;
        }
        let device = self.tabs[tab].device;
        self.witness((device, tab), visitor, rule);
    }

    /// A rule was seen, in a page of a device.
    pub(crate) fn witness(&mut self, (device, tab): (usize, usize), visitor: VisitorId, rule: &str) {
        let programs = &self.files[self.devices[device].site].programs;
        let all: Vec<_> = programs.iter().map(|program| sites::capped(&program.parts, rule)).collect();
        let knows = |cap: &(String, u16, u64)| all.iter().all(|caps| caps.is_empty() || caps.contains(cap));
        let caps: Vec<_> = all.iter().find(|caps| !caps.is_empty()).into_iter().flatten().cloned().collect();
        let caps = caps.into_iter().filter(knows).collect();
        let (own_since_ms, all_since_ms) = self.remembered_since(visitor);
        // What the edge granted by itself it forgets with a withdrawal, as what devices held.
        let is_forgotten = self.dials.is_plain && self.devices[device].is_withdrawn;
        let all_since_ms = all_since_ms.filter(|_| !is_forgotten);
        let (is_plain, at_ms) = (tab >= HANDS, self.now_ms);
        let is_of_all = all_since_ms.is_some_and(|since_ms| since_ms <= at_ms);
        let (holder, rule) = (if is_plain { tab } else { device }, rule.to_owned());
        let exposure = Exposure { at_ms, rule, device: holder, own_since_ms, all_since_ms, tab, caps };
        // Caps count in corrected time: a clock that jumps, or that nobody could measure yet, is no witness; nor is a device that
        // keeps nothing, or not all.
        let is_counted = !self.dials.wrong_clocks
            && !self.dials.has_jumps
            && !self.dials.quota
            && !self.dials.clock_jumps
            && self.devices[device].stored.is_some()
            && (is_of_all || !is_plain);
        let found = self.truth.expose(visitor, exposure, SLACK_MS).filter(|_| is_counted);
        if let Some(violation) = found {
            self.fail(violation.invariant, violation.detail);
        }
    }

    /// From when on the edge remembers what a visitor was shown, and from when on no other device holds grants that it forgot. Who
    /// takes personalization back is forgotten: whoever comes then gets grants that a device which has not heard of it may hold
    /// still, until they are over.
    fn remembered_since(&self, visitor: VisitorId) -> (u64, Option<u64>) {
        let of_shard = |shard: &Shard| {
            let now = shard.consents.get(&visitor).and_then(|changes| changes.last());
            let is_granted = now.is_none_or(|(_, in_force)| in_force.holds(Purposes::PERSONALIZATION));
            let since_ms = shard.renewed.get(&visitor).copied().unwrap_or(0);
            let is_apart = !is_granted || shard.erased.contains_key(&visitor);
            let over_ms = if since_ms == 0 { 0 } else { since_ms.saturating_add_signed(LEASE_MS) };
            (since_ms, (!is_apart).then_some(over_ms))
        };
        let each: Vec<(u64, Option<u64>)> = self.shards.iter().map(of_shard).collect();
        let own_ms = each.iter().map(|(since_ms, _)| *since_ms).max().unwrap_or(0);
        let all_ms = each.iter().map(|(_, over_ms)| *over_ms).collect::<Option<Vec<u64>>>();
        (own_ms, all_ms.map(|all_ms| all_ms.into_iter().max().unwrap_or(0)))
    }
}

/// The visitor of its record.
fn visitor_of(value: &[u8]) -> Option<VisitorId> {
    value.first_chunk().map(|id| VisitorId(*id))
}

/// The record of a visitor as it comes from another device: without the tag of that.
fn untagged(value: &[u8]) -> Vec<u8> {
    let (id, rest) = value.split_at(16.min(value.len()));
    let mut reader = Reader::new(rest);
    let (skew_ms, minted_ms) = (reader.zigzag_i64().unwrap_or(0), reader.varint_u64().unwrap_or(0));
    let mut out = Writer::new();
    out.raw(id);
    out.zigzag(skew_ms);
    out.varint(minted_ms);
    out.into_bytes()
}

fn brief(input: &Input) -> String {
    match input {
        Input::Boot(boot) => format!("boot with {} records", boot.stored.len()),
        Input::Program { hash, bytes } => format!("program {hash}, {} bytes", bytes.len()),
        Input::Replied(reply) => {
            format!("reply {} {} ({} bytes)", reply.request, reply.status, reply.body.len())
        }
        Input::Adopted(records) => format!("adopted {} records", records.len()),
        Input::Changed { key, value, .. } => {
            format!("changed {key}: {:?} bytes", value.as_ref().map(Vec::len))
        }
        Input::Capture(capture) => format!("capture {:?} {}", capture.event_type, capture.name),
        Input::Page { url, .. } => format!("page {url}"),
        Input::Consent { granted, denied, .. } => format!("consent {granted:?} not {denied:?}"),
        Input::Reset { .. } => "reset".into(),
        other => format!("{other:?}"),
    }
}
