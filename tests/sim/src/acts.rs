//! What visitors do.

use crate::world::{Happening, START_MS, World};
use selvedge_client::{Capture, Input};
use selvedge_core::consent::{Purposes, Signals};
use selvedge_core::event::EventType;
use selvedge_core::value::{Map, Value};

const BOTH: Purposes = Purposes(0b0110);

impl World<'_> {
    /// A visitor does something, and later something else.
    pub fn act(&mut self, device: usize) {
        if self.is_ending {
            return;
        }
        self.act_once(device);
        let pause_ms = self.random.between(50, self.dials.pause_ms_max);
        if self.now_ms - START_MS + pause_ms < self.dials.lasts_ms {
            self.after(pause_ms, Happening::Act(device));
        }
    }

    fn act_once(&mut self, device: usize) {
        let open: Vec<usize> = (0..self.tabs.len())
            .filter(|tab| self.tabs[*tab].is_alive && self.tabs[*tab].device == device)
            .collect();
        if open.is_empty() || (open.len() < self.dials.tabs_max && self.random.chance(150)) {
            self.open_tab(device);
            return;
        }
        let tab = *self.random.pick(&open);
        if self.random.chance(self.dials.offline) {
            let is_online = &mut self.devices[device].is_online;
            *is_online = !*is_online;
            let is_online = *is_online;
            self.say(format_args!("device {device} is {}", if is_online { "online" } else { "offline" }));
            if is_online {
                open.iter().for_each(|tab| self.tell(*tab, Input::Awake));
            }
            return;
        }
        if self.later.chance(self.dials.jumps) {
            return self.jump(device);
        }
        if self.dials.sources != Signals::NONE && self.later.chance(self.dials.words) {
            return self.change_word(tab);
        }
        if self.random.chance(self.dials.kills) {
            return self.close_tab(tab, true);
        }
        if self.random.chance(self.dials.hides) {
            return self.hide(tab);
        }
        let is_answered =
            self.tabs[tab].consent.is_answered() || self.devices[device].read("consent").is_some();
        if self.random.chance(if is_answered { self.dials.consents } else { 400 }) {
            return self.answer(tab, is_answered);
        }
        self.use_page(tab);
    }

    /// The device's clock jumps: it was set, or corrected.
    fn jump(&mut self, device: usize) {
        let hours = 60 * 60 * 1_000;
        let ahead_ms = *self.later.pick(&[-26 * hours, -3 * hours, -hours, 0, hours, 3 * hours, 26 * hours]);
        self.devices[device].ahead_ms = ahead_ms;
        self.say(format_args!("the clock of device {device} is {ahead_ms} ms ahead now"));
    }

    fn hide(&mut self, tab: usize) {
        let is_hidden = &mut self.tabs[tab].is_hidden;
        *is_hidden = !*is_hidden;
        if *is_hidden {
            return self.tell(tab, Input::Hidden);
        }
        self.tell(tab, Input::Awake);
        self.take_over(tab);
        self.look_again(tab);
    }

    fn answer(&mut self, tab: usize, is_answered: bool) {
        let random = self.random.bytes();
        let (granted, denied) = match self.random.below(if is_answered { 6 } else { 12 }) {
            0 => (Purposes::NONE, Purposes(0b1110)),
            1 => (Purposes::ANALYTICS, Purposes(0b1100)),
            2 => (Purposes::PERSONALIZATION, Purposes(0b1010)),
            3 => (Purposes(0b1110), Purposes::NONE),
            _ => (BOTH, Purposes::ADVERTISING),
        };
        let (granted, denied) = if self.dials.streams.holds && self.later.chance(500) {
            // Of some purposes nothing is said yet.
            (Purposes(*self.later.pick(&[2, 4, 8, 6, 10])), Purposes::NONE)
        } else {
            (granted, denied)
        };
        let device = self.tabs[tab].device;
        // A page without the site's config takes what is left open for denied, and lets go of it.
        let is_whole = granted.holds(Purposes(0b1110));
        self.devices[device].is_withdrawn |= self.devices[device].is_opened && !is_whole;
        self.tell(tab, Input::Consent { granted, denied, random });
    }

    fn use_page(&mut self, tab: usize) {
        if self.random.chance(self.dials.bad_events) {
            let name = *self.random.pick(&["unheard_of", "product_view"]);
            return self.track(tab, name, &[("sku", Value::Bool(true))]);
        }
        match self.random.below(20) {
            0..=7 => self.track(tab, "product_view", &[("sku", Value::Text("s".into()))]),
            8..=9 => self.track(tab, "add_to_cart", &[]),
            10 => self.track(tab, "purchase", &[]),
            11 => self.track(tab, "ad_click", &[]),
            12..=15 => self.view(tab),
            16 => self.tell(tab, Input::Flush),
            17 => self.close_tab(tab, false),
            18 if self.random.chance(200) => {
                let random = self.random.bytes();
                self.tell(tab, Input::Reset { random });
            }
            _ => self.capture(tab, EventType::Identify, "u-1", &[]),
        }
    }

    fn track(&mut self, tab: usize, name: &str, properties: &[(&str, Value)]) {
        self.capture(tab, EventType::Track, name, properties);
    }

    fn capture(&mut self, tab: usize, event_type: EventType, name: &str, properties: &[(&str, Value)]) {
        let time_ms = self.device_ms(tab);
        let properties = properties.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let (name, readings) = (name.to_owned(), Map::new());
        self.tell(
            tab,
            Input::Capture(Capture { event_type, name, time_ms, properties, automatic: false, readings }),
        );
    }
}
