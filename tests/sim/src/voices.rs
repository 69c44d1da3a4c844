//! Consent platforms in pages: each page hears of those of its device a while after it learned which are read, and of changes
//! where the visitor makes them, in other pages perhaps.

use crate::platforms::{ASKED, SOURCES, Word, any_word};
use crate::world::{Happening, World};
use selvedge_client::{Effect, Input, Notice};
use selvedge_core::consent::{Mode, Signals};

/// How long a platform takes to be there, at most; what is silent for longer is not there.
const WAIT_MS: u64 = 2_000;

impl World<'_> {
    /// A page learned which platforms are read.
    pub fn await_platforms(&mut self, tab: usize) {
        for source in SOURCES {
            if self.dials.sources.0 & source.0 != 0 {
                let is_there = self.word(tab, source) != Word::Absent;
                let delay_ms = if is_there { self.later.between(0, WAIT_MS) } else { WAIT_MS };
                self.after(delay_ms, Happening::Voice(tab, source));
            }
        }
    }

    /// What a platform says now in the device of a page.
    fn word(&self, tab: usize, source: Signals) -> Word {
        let words = &self.devices[self.tabs[tab].device].words;
        words.iter().find(|(known, _)| *known == source).map_or(Word::Absent, |(_, word)| *word)
    }

    /// A page hears what a platform says.
    pub fn voice(&mut self, tab: usize, source: Signals) {
        let word = self.word(tab, source);
        let device = &mut self.devices[self.tabs[tab].device];
        let said = word.statement();
        device.granted = device.granted.or(said.granted);
        device.is_withdrawn |= !said.denied.is_empty() || word == Word::Asks;
        let random = self.random.bytes();
        self.tell(tab, Input::Heard { heard: word.heard(source), random });
        self.check_denied(tab, word);
    }

    /// The visitor changes what a platform says; other pages may hear of that too.
    pub fn change_word(&mut self, tab: usize) {
        let sources: Vec<Signals> =
            SOURCES.into_iter().filter(|source| self.dials.sources.0 & source.0 != 0).collect();
        let source = *self.later.pick(&sources);
        let word = any_word(&mut self.later).of(source);
        let device = self.tabs[tab].device;
        self.say(format_args!("device {device}: {source:?} says {word:?}"));
        self.devices[device].words.retain(|(known, _)| *known != source);
        self.devices[device].words.push((source, word));
        for other in 0..self.tabs.len() {
            let page = &self.tabs[other];
            let hears = other == tab || self.later.chance(500);
            if page.device == device
                && page.is_alive
                && page.policy.is_some()
                && hears
                && word != Word::Absent
            {
                self.after(if other == tab { 0 } else { 50 }, Happening::Voice(other, source));
            }
        }
    }

    /// In worlds with platforms a page is as open as its head says: that this is never more than was granted is looked at apart.
    pub fn learn_said(&mut self, tab: usize, effects: &[Effect]) {
        let of_consent = |effect: &Effect| match effect {
            Effect::Emit(Notice::Consent(in_force)) => Some(*in_force),
            _ => None,
        };
        let Some(in_force) = effects.iter().rev().find_map(of_consent) else { return };
        if self.dials.sources == Signals::NONE {
            return;
        }
        let was_open = self.tabs[tab].is_open();
        let before = self.tabs[tab].said.unwrap_or_default();
        let visitor = self.tabs[tab].visitor;
        self.tabs[tab].said = Some(in_force);
        let is_open = self.tabs[tab].is_open();
        let page = &self.tabs[tab];
        let (device, mode) = (page.device, page.consent.mode);
        self.devices[device].is_opened |= is_open;
        self.devices[device].is_withdrawn |= !before.without(in_force).is_empty();
        let erases = effects.iter().any(|effect| matches!(effect, Effect::EraseAll));
        if let Some(visitor) = visitor.filter(|_| was_open && !is_open && erases) {
            self.truth.farewells.insert((self.devices[device].site, visitor), tab);
        }
        if let Some(visitor) = visitor.filter(|_| is_open) {
            self.truth.farewells.remove(&(self.devices[device].site, visitor));
        }
        let device = &self.devices[device];
        let unfounded = in_force.and(ASKED).without(device.granted);
        if mode == Mode::OptIn && !unfounded.is_empty() {
            let detail = format!("tab {tab}: {in_force:?}, granted ever {:?}", device.granted);
            self.fail("nothing is in force that nobody granted", detail);
        }
    }

    /// A page heard of a denial, or of a question: what is denied is not in force, and behind a question nothing is.
    fn check_denied(&mut self, tab: usize, word: Word) {
        let page = &self.tabs[tab];
        let Some(in_force) = page.said.filter(|_| page.is_alive) else { return };
        let denied = if word == Word::Asks { ASKED } else { word.statement().denied };
        if !in_force.and(denied).is_empty() {
            let detail = format!("tab {tab}: {in_force:?} behind {word:?}");
            self.fail("the strictest source counts", detail);
        }
    }

    /// At rest, what a page has in force is what no platform of its device denies or asks for.
    pub fn check_voices_rest(&mut self) {
        for device in 0..self.devices.len() {
            let newest = self.tabs.iter().rposition(|tab| tab.device == device && tab.is_alive);
            let words: Vec<Word> = self.devices[device].words.iter().map(|(_, word)| *word).collect();
            let Some(tab) = newest.filter(|tab| self.tabs[*tab].policy.is_some()) else { continue };
            words.into_iter().for_each(|word| self.check_denied(tab, word));
        }
    }
}
