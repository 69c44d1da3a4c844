//! Pages without an engine: what their visitors do, and what they hear. They are of visitors who have pages with an engine, too.

use crate::hand::{Asks, Hand, Noted, Shown};
use crate::looks::HANDS;
use crate::truth::Captured;
use crate::world::{Happening, START_MS, World};
use selvedge_core::consent::{Mode, Purposes, Snapshot};
use selvedge_core::event::{Event, EventType};
use selvedge_core::id::{Sequence, VisitorId, WriterId};
use selvedge_core::value::{Map, Value};
use selvedge_core::wire::batch::read_snapshot;
use selvedge_core::wire::codec::Reader;

/// The minute since 1970 that writers count from.
const BOOT_EPOCH_MINUTES: u64 = 26_297_280;
/// Pages of a device that are open at once, or a few more; fewer in worlds that last for days.
const OPEN_MAX: usize = 8;
const OPEN_MAX_LONG: usize = 2;
const LONG_MS: u64 = 60_000;
/// How long events wait for others.
const FLUSH_MS: u64 = 1_000;
/// How long half of a slot must be visible to count as seen.
const SEEN_MS: u64 = 1_000;
/// How long a request may take.
const TIMEOUT_MS: u64 = 30_000;
/// How long a server waits for its answer, and then renders without one.
const RENDER_MS: u64 = 300;
/// Times that the wait for the next attempt doubles.
const DOUBLED_MAX: u32 = 8;
/// How far above the numbers of its page an event's is that cannot be taken.
const FAR: u32 = 1_000_000;

impl World<'_> {
    /// A visitor does something in pages without an engine, and later something else.
    pub fn go_plainly(&mut self, device: usize) {
        if self.is_ending {
            return;
        }
        let is_here = |hand: &Hand| !hand.is_gone && hand.device == device;
        let open: Vec<usize> = (0..self.hands.len()).filter(|hand| is_here(&self.hands[*hand])).collect();
        let most = if self.dials.pause_ms_max > LONG_MS { OPEN_MAX_LONG } else { OPEN_MAX };
        if open.is_empty() || (open.len() < most && self.plain.chance(400)) {
            // A visitor may open several at once.
            for _ in 0..self.plain.between(1, 3) {
                self.open_hand(device);
            }
        } else {
            let hand = *self.plain.pick(&open);
            match self.plain.below(10) {
                0..=4 => self.note(hand, EventType::Track, "product_view", &[("sku", "s")]),
                5..=7 if self.hands[hand].asks.is_none() => self.turn(hand),
                8 => self.note(hand, EventType::Track, "add_to_cart", &[]),
                _ if self.hands[hand].queue.is_empty() => self.hands[hand].is_gone = true,
                _ => {}
            }
        }
        let pause_ms = self.plain.between(50, self.dials.pause_ms_max);
        if self.now_ms - START_MS + pause_ms < self.dials.lasts_ms {
            self.after(pause_ms, Happening::Plain(device));
        }
    }

    /// A page begins: a server renders it, or it sends what happens.
    fn open_hand(&mut self, device: usize) {
        let Some(visitor) = self.visitor_on(device).filter(|_| self.devices[device].is_online) else {
            return;
        };
        if self.said_on(device).is_none() {
            return;
        }
        let hand = self.hands.len();
        let minutes = self.devices[device].now_ms(self.now_ms) / 60_000 - BOOT_EPOCH_MINUTES;
        let writer = WriterId::from_bits((minutes << 27) | (1 << 26) | hand as u64);
        let asks = self.plain.chance(600).then(|| Asks {
            render: self.plain.chance(700).then(|| format!("page-{hand}")),
            claims: self.plain.chance(200),
        });
        self.say(format_args!("hand {hand} opens on device {device}: {visitor}, {asks:?}"));
        let is_rendered = asks.is_some();
        self.hands.push(Hand::new(device, visitor, writer, asks));
        if is_rendered {
            let delay_ms = self.plain.between(1, self.dials.latency_ms_max);
            self.after(delay_ms, Happening::Ask(hand));
        } else {
            self.turn(hand);
        }
    }

    /// The visitor that a device knows.
    fn visitor_on(&self, device: usize) -> Option<VisitorId> {
        let record = self.devices[device].read("visitor")?;
        record.first_chunk().map(|id| VisitorId(*id))
    }

    /// What was said on a device of consent.
    pub(crate) fn said_on(&self, device: usize) -> Option<Snapshot> {
        let place = &self.devices[device];
        let known = place.read("consent").and_then(|record| read_snapshot(&mut Reader::new(record)).ok());
        let silent =
            || (place.country == "US").then(|| Snapshot { mode: Mode::OptOut, ..Snapshot::default() });
        Some(Snapshot { gpc: place.gpc, ..known.or_else(silent)? })
    }

    /// The page goes on for its visitor, who is the same and allows something; else it is over.
    fn goes_on(&mut self, hand: usize) -> Option<Snapshot> {
        let page = &self.hands[hand];
        let (device, visitor) = (page.device, page.visitor);
        let said = self.said_on(device).filter(|said| !page.is_gone && is_open(said));
        let said = said.filter(|_| self.visitor_on(device) == Some(visitor));
        if said.is_none() {
            self.hands[hand].is_gone = true;
        }
        said
    }

    /// Another page view begins. What was granted, was granted for the one before.
    fn turn(&mut self, hand: usize) {
        let page = &mut self.hands[hand];
        page.view += 1;
        page.seen.clear();
        page.shown
            .values_mut()
            .filter(|shown| shown.until_ms.is_some())
            .for_each(|shown| shown.until_ms = Some(0));
        self.note(hand, EventType::Page, "page", &[("path", "/p")]);
        let slots: Vec<String> = self.hands[hand].shown.keys().cloned().collect();
        slots.into_iter().for_each(|slot| self.come_into_view(hand, &slot));
    }

    /// Something happens in the page.
    fn note(&mut self, hand: usize, event_type: EventType, name: &str, properties: &[(&str, &str)]) {
        let Some(said) = self.goes_on(hand) else { return };
        let page = &mut self.hands[hand];
        page.sequence += 1;
        let Some(sequence) = Sequence::new(page.sequence) else { return };
        let (device, writer) = (page.device, page.writer);
        let time_ms = self.devices[device].now_ms(self.now_ms);
        let mut kept = Map::new();
        for (name, value) in properties {
            kept.set(*name, Value::Text((*value).into()));
        }
        let (name, context) = (name.to_owned(), Map::new());
        let event = Event { sequence, event_type, name, time_ms, consent: 0, properties: kept, context };
        let key = (self.devices[device].site, (writer, sequence.get()));
        let captured = Captured { key: String::new(), device, snapshot: said, event: event.clone() };
        self.truth.captured.insert(key, captured);
        let is_misnumbered = event_type == EventType::Track && self.numbers.chance(self.dials.misnumbered);
        let wrong = is_misnumbered.then(|| *self.numbers.pick(&[0, sequence.get() + FAR]));
        let numbers = [sequence.get()].into_iter().chain(wrong);
        let noted = numbers.map(|number| Noted { event: event.clone(), said, number });
        self.hands[hand].queue.extend(noted);
        self.flush_later(hand, FLUSH_MS);
    }

    /// As `schedule` in plain.ts: a page has one timer.
    fn flush_later(&mut self, hand: usize, delay_ms: u64) {
        if !core::mem::replace(&mut self.hands[hand].is_timed, true) {
            self.after(delay_ms, Happening::Flush(hand));
        }
    }

    /// What waits is sent, where nothing is under way.
    pub fn flush_hand(&mut self, hand: usize) {
        self.hands[hand].is_timed = false;
        let page = &self.hands[hand];
        if page.is_gone || page.awaits.is_some() || page.queue.is_empty() {
            return;
        }
        let Some(said) = self.goes_on(hand) else { return };
        let device = &self.devices[self.hands[hand].device];
        let (is_online, sent_at_ms) = (device.is_online, device.now_ms(self.now_ms));
        let key = self.files[device.site].key.clone();
        let page = &mut self.hands[hand];
        page.posts += 1;
        let (number, view) = (page.posts, page.view);
        page.awaits = Some(number);
        let body = page.batch(&key, &said, sent_at_ms);
        self.say(format_args!("hand {hand} > posts {number}: {body}"));
        let failed = Happening::Told(hand, Some(number), view, 0, String::new());
        if !is_online {
            return self.after(5, failed);
        }
        self.after(TIMEOUT_MS, failed);
        if self.plain.chance(self.dials.drops) {
            return;
        }
        if self.plain.chance(self.dials.duplicates) {
            let delay_ms = self.plain.between(1, 60_000);
            self.after(delay_ms, Happening::Post(hand, None, body.clone()));
        }
        let is_straggler = self.plain.chance(self.dials.stragglers);
        let most_ms = if is_straggler { 90_000 } else { self.dials.latency_ms_max };
        let delay_ms = self.plain.between(1, most_ms);
        self.after(delay_ms, Happening::Post(hand, Some((number, view)), body));
    }

    /// An answer leaves for a page, or for the server that renders it.
    pub(crate) fn answer_hand(&mut self, hand: usize, to: (Option<u32>, u32), status: u16, text: String) {
        if self.plain.chance(self.dials.lost_answers) {
            return self.say(format_args!("an answer to hand {hand} is lost"));
        }
        let delay_ms = self.plain.between(1, self.dials.latency_ms_max);
        self.after(delay_ms, Happening::Told(hand, to.0, to.1, status, text));
    }

    /// A request of a page ends.
    pub fn told(&mut self, hand: usize, (number, view): (Option<u32>, u32), status: u16, text: &str) {
        if self.hands[hand].is_gone {
            return;
        }
        let Some(number) = number else { return self.rendered(hand, text) };
        let page = &mut self.hands[hand];
        if page.awaits != Some(number) {
            return;
        }
        page.awaits = None;
        let flying = core::mem::take(&mut page.flying);
        let is_over = (200..300).contains(&status) || matches!(status, 400 | 413 | 415 | 422);
        page.failures = if is_over { 0 } else { (page.failures + 1).min(DOUBLED_MAX) };
        let failures = page.failures;
        if is_over {
            page.queue.drain(..flying);
        }
        let wait_ms = if is_over { FLUSH_MS } else { self.plain.below(1_000 << failures) };
        if !self.hands[hand].queue.is_empty() {
            self.flush_later(hand, wait_ms);
        }
        if status == 200 && self.hands[hand].asks.is_none() {
            self.learn_answer(hand, view, text);
        }
    }

    /// A server has its answer: the page is shown, unless the visitor was given one without.
    fn rendered(&mut self, hand: usize, text: &str) {
        let is_shown = self.hands[hand].asks.as_ref().is_some_and(|asks| !asks.claims);
        if is_shown && self.hands[hand].shown.is_empty() {
            self.learn_answer(hand, 0, text);
        }
    }

    /// What an answer shows; one to another page view than this nothing.
    fn learn_answer(&mut self, hand: usize, view: u32, text: &str) {
        let answer: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
        let is_erased =
            answer["refused"].as_array().is_some_and(|all| all.iter().any(|one| one["code"] == "erased"));
        if is_erased {
            self.hands[hand].is_gone = true;
            return;
        }
        if view != self.hands[hand].view {
            return;
        }
        let server_ms = answer["server_time_ms"].as_u64().unwrap_or_default();
        let empty = Vec::new();
        let granted = answer["granted"].as_array().unwrap_or(&empty);
        for decision in answer["decisions"].as_array().unwrap_or(&empty) {
            let slot = decision["slot"].as_str().unwrap_or_default();
            let rule = decision["rule"].as_str().map(str::to_owned);
            let grant = granted.iter().find(|grant| grant["slot"] == slot);
            let until_ms = grant.and_then(|grant| grant["until_ms"].as_u64());
            let until_ms = until_ms.map(|until_ms| (self.now_ms + until_ms).saturating_sub(server_ms));
            let shown = self.hands[hand].shown.entry(slot.to_owned()).or_default();
            let is_same = shown.rule == rule;
            // A grant that was used is not named again: it is the page view's still.
            let until_ms = until_ms.or(shown.until_ms.filter(|_| is_same));
            (shown.rule, shown.until_ms) = (rule.clone(), until_ms);
            if !is_same && rule.is_some() {
                self.say(format_args!("hand {hand} > shows {slot}: {rule:?} until {until_ms:?}"));
                self.come_into_view(hand, slot);
            }
        }
    }

    /// A slot comes into view, or does not. What may not be seen any more steps back.
    fn come_into_view(&mut self, hand: usize, slot: &str) {
        let is_in_view = self.plain.chance(800);
        let now_ms = self.now_ms;
        let Some(shown) = self.hands[hand].shown.get_mut(slot) else { return };
        shown.looks += 1;
        let looks = shown.looks;
        if shown.until_ms.is_some_and(|until_ms| until_ms <= now_ms) {
            *shown = Shown { looks, ..Shown::default() };
        } else if is_in_view && shown.rule.is_some() {
            self.after(SEEN_MS, Happening::Glimpse(hand, slot.to_owned(), looks));
        }
    }

    /// A slot was in view for a second.
    pub fn glimpse(&mut self, hand: usize, slot: &str, looks: u64) {
        let page = &self.hands[hand];
        let shown = page.shown.get(slot).filter(|shown| shown.looks == looks && !page.is_gone);
        let Some(rule) = shown.and_then(|shown| shown.rule.clone()) else { return };
        let Some(said) = self.goes_on(hand) else { return };
        if !said.in_force().holds(Purposes::PERSONALIZATION) {
            self.hands[hand].shown.clear();
            return;
        }
        if !self.hands[hand].seen.insert(format!("{slot}/{rule}")) {
            return;
        }
        self.say(format_args!("hand {hand} > saw {rule} in {slot}"));
        self.note(hand, EventType::Exposure, "exposure", &[("slot", slot), ("rule", &rule)]);
        let (device, visitor) = (self.hands[hand].device, self.hands[hand].visitor);
        self.witness((device, HANDS + hand), visitor, &rule);
    }

    /// A server waits no longer than [`RENDER_MS`]: some ask again, under the same name.
    pub(crate) fn ask_again(&mut self, hand: usize) {
        let is_named = self.hands[hand].asks.as_ref().is_some_and(|asks| asks.render.is_some());
        if is_named && self.plain.chance(200) {
            self.after(RENDER_MS, Happening::Ask(hand));
        }
    }
}

fn is_open(said: &Snapshot) -> bool {
    !said.in_force().without(Purposes::NECESSARY).is_empty()
}
