//! The one entry: an input comes in, effects go out.

use crate::client::Client;
use crate::effect::Effect;
use crate::input::Input;
use alloc::vec::Vec;

impl Client {
    /// What is to be done because of `input`, which happened at `now_ms` (Unix milliseconds of the page's clock), in
    /// order.
    pub fn handle(&mut self, input: Input, now_ms: u64) -> Vec<Effect> {
        self.delivery.turn_back(self.now_ms.saturating_sub(now_ms));
        self.now_ms = now_ms;
        #[cfg(debug_assertions)]
        {
            self.is_whole |= input.is_for_later();
        }
        match input {
            Input::Boot(boot) => self.boot(boot),
            Input::Settings(settings) => self.settle(settings),
            Input::Program { hash, bytes } => self.later_take_program(hash, bytes),
            Input::Consent { granted, denied, random } => self.answer_consent(granted, denied, random),
            Input::Heard { heard, random } => self.hear(&heard, random),
            Input::Capture(capture) => self.capture(capture, selvedge_core::value::Map::new()),
            Input::Page { time_ms, url, title, referrer, properties } => {
                self.page(time_ms, &url, title, &referrer, properties);
            }
            Input::InView { slot, leases } => self.later_in_view(&slot, &leases),
            Input::Seen { slot, time_ms } => self.later_seen(&slot, time_ms),
            Input::Tick => self.tick(),
            Input::Hidden => self.hide(),
            Input::Awake | Input::Flush => self.wake(),
            Input::Reset { random } => self.reset(random),
            Input::Replied(reply) => self.later_reply(reply),
            Input::Adopted(records) => self.later_adopt(&records),
            Input::Engine(is_there) => self.later_meet_engine(is_there),
            Input::Changed { key, value, random } => self.follow(&key, value.as_deref(), random),
        }
        self.show_changes();
        self.pump();
        self.take_effects()
    }
}
