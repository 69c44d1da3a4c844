//! What a page sends, and what comes back to it: batches, beacons and the site's config, as `www/sdk` does it (host.ts).

use crate::world::{Happening, World};
use selvedge_client::{Input, Reply, Settings};
use selvedge_core::wire::batch_decode::{decode_events, decode_header, open};

/// How long a request may take.
const TIMEOUT_MS: u64 = 30_000;

impl World<'_> {
    pub(crate) fn send(&mut self, tab: usize, request: u32, body: Vec<u8>) {
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

    pub(crate) fn beacon(&mut self, tab: usize, body: Vec<u8>) {
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
}
