//! Pages: the real head, driven as `www/sdk` drives it (host.ts, locks.ts, storage.ts, main.ts).

use crate::page::Tab;
use crate::truth::queued;
use crate::world::{Happening, World};
use selvedge_client::{Boot, Effect, Input, Notice};
use selvedge_core::consent::{Mode, Purposes, Signals, Snapshot};
use selvedge_core::event::EventType;
use selvedge_core::id::VisitorId;
use selvedge_core::value::{Map, Value};
use selvedge_core::wire::batch::read_snapshot;
use selvedge_core::wire::codec::{Reader, Writer};

/// Records that are read at once, where consent allows it.
const RECORDS: [&str; 6] = ["consent", "visitor", "state", "program", "leases", "paused"];
/// How long locks take that nobody holds.
const TAKE_OVER_MS: u64 = 2;

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
        let is_taken_back = key == "consent" && self.takes_back(device, &value);
        // A private window keeps nothing, so that it cannot be said what would be less there.
        let is_kept = key != "consent" || self.devices[device].stored.is_some();
        if !self.tabs[tab].is_open() && !is_taken_back && is_kept {
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

    /// Whether this consent is a refusal that silence would undo, or less than what stands on the device: what a source takes back
    /// beside an open question.
    fn takes_back(&self, device: usize, value: &[u8]) -> bool {
        let read = |bytes: &[u8]| read_snapshot(&mut Reader::new(bytes)).ok();
        let (said, known) = (read(value), self.devices[device].read("consent").and_then(|known| read(known)));
        let is_less =
            |said: &Snapshot| known.is_some_and(|known| said.granted.without(known.granted).is_empty());
        said.is_some_and(|said| said.mode == Mode::OptOut || is_less(&said))
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

    /// A timer rings.
    pub fn tick(&mut self, tab: usize, generation: u64) {
        if self.tabs[tab].timer == generation {
            self.tell(tab, Input::Tick);
        }
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
