//! From what happened to a queued event: held until it may be captured, shaped, judged, put into the queue, applied.

use crate::address::{Address, cut, referrer_class};
use crate::asking::Claimed;
use crate::client::{Cargo, Client, Flight, Held};
use crate::effect::{Effect, Notice, Show};
use crate::input::Capture;
use crate::lane::Lane;
use crate::stored::{LaneHead, VISITOR, copy, push_hex, queue_name, seen_hash, write_visitor};
use alloc::string::String;
use selvedge_core::consent::{Mode, Purposes, usable};
use selvedge_core::event::{Event, EventType};
use selvedge_core::id::{Sequence, VisitorId, WriterId};
use selvedge_core::limits::{FLUSH_EVENTS, FLUSH_MS, HELD_EVENTS_MAX, KEEPALIVE_BYTES_MAX, QUEUE_BYTES_MAX};
use selvedge_core::masking::mask_event;
use selvedge_core::mutation::{Mutation, is_planted};
use selvedge_core::tracking_plan::reread;
use selvedge_core::value::{Map, Value};
use selvedge_core::wire::answer::Reason;

/// How long this page's queue lets those of earlier pages go first: their events are older, and late ones do not count.
const ADOPTION_MS_MAX: u64 = 1_000;
/// How long an urgent event waits for others of the same moment (a page view and what the site tracks with it).
pub(crate) const GATHER_MS: u64 = 10;
/// Room that a batch's header takes at most, in reckoning.
pub(crate) const HEADER_BYTES: usize = 2 * 1024;

impl Client {
    /// Captures, holds or destroys what happened, as consent says.
    pub(crate) fn capture(&mut self, capture: Capture, context: Map) {
        if self.is_refused() {
            return;
        }
        let is_early = capture.automatic && self.awaits_plan();
        if self.may_capture() && !is_early {
            self.admit(capture, context);
        } else if self.held.len() < HELD_EVENTS_MAX {
            self.held.push(Held { capture, context });
        } else if !is_early {
            self.count_lost(None, 1);
        }
    }

    /// Captures what was held, if it may be captured now.
    pub(crate) fn release_held(&mut self) {
        if self.may_capture() {
            for Held { capture, context } in core::mem::take(&mut self.held) {
                self.capture(capture, context);
            }
        }
    }

    /// Whether the tracking plan is still on its way, which alone says what is captured automatically.
    pub(crate) fn awaits_plan(&self) -> bool {
        let program = self.settings.program;
        let is_coming = !self.is_settled || (program.is_some() && program != self.unreadable);
        self.mind.plan().is_none() && is_coming
    }

    /// A page view: its address is stripped, its campaign and referrer become facts.
    pub(crate) fn page(
        &mut self,
        time_ms: u64,
        url: &str,
        title: String,
        referrer: &str,
        mut properties: Map,
    ) {
        let address = Address::new(url, &self.parameters);
        let mut context = Map::new();
        say(&mut context, "referrer.class", referrer_class(referrer, &address).into());
        for (fact, value) in address.campaign {
            context.set(fact, Value::Text(value));
        }
        let referrer =
            if referrer.is_empty() { String::new() } else { Address::new(referrer, &self.parameters).url };
        say(&mut properties, "path", address.path);
        say(&mut properties, "url", address.url);
        say(&mut properties, "title", title);
        say(&mut properties, "referrer", referrer);
        self.seen.clear();
        self.bar(None);
        self.capture(own(EventType::Page, time_ms, properties), context);
    }

    /// A decision was seen: recorded once per page view and decision, and so is what a visitor is held out from.
    #[inline(never)]
    pub(crate) fn later_seen(&mut self, slot: &str, time_ms: u64) {
        let Some(show) = self.mind.shown(slot).cloned() else { return };
        if let Some(rule) = &show.held_out {
            let held_out =
                Show { reason: Reason::Holdout, content: None, variant: String::new(), ..show.clone() };
            self.expose(&held_out, rule, time_ms, Claimed::Nothing);
        }
        if let Some(rule) = &show.rule {
            // Hands that did not say that it came into view: it was seen, whether there were grants or not.
            let claimed = self.claim(slot);
            self.expose(&show, rule, time_ms, claimed);
        }
    }

    fn expose(&mut self, show: &Show, rule: &str, time_ms: u64, claimed: Claimed) {
        // Of a control and a holdout, nothing was shown that is the rule's.
        let reason = matches!(show.reason, Reason::Control | Reason::Holdout).then(|| show.reason.as_str());
        let seen = seen_hash(&show.slot, rule, reason.unwrap_or_default());
        if self.seen.contains(&seen) {
            return;
        }
        self.seen.push(seen);
        let content = show.content.as_ref().filter(|_| reason.is_none()).map(|content| content.id.clone());
        let program = self.mind.loaded().map(|loaded| {
            let mut name = String::new();
            loaded.hash.0.iter().for_each(|byte| push_hex(&mut name, u64::from(*byte), 2));
            name
        });
        let mut properties = Map::new();
        say(&mut properties, "slot", show.slot.clone());
        say(&mut properties, "rule", rule.into());
        say_or_null(&mut properties, "content", content);
        say_or_null(&mut properties, "program", program);
        let (experiment, variant) = cut(&show.variant, b'/');
        if !variant.is_empty() {
            say(&mut properties, "experiment", experiment.into());
            say(&mut properties, "variant", variant.into());
        }
        if let Some(reason) = reason {
            say(&mut properties, "reason", reason.into());
        } else if matches!(claimed, Claimed::Refused | Claimed::Unasked) {
            // The edge takes an exposure for a grant that was used, where it does not say otherwise.
            properties.set("granted", Value::Bool(false));
        }
        self.capture(own(EventType::Exposure, time_ms, properties), Map::new());
        if reason.is_none() {
            self.mind.spent(rule);
        }
    }

    /// Whether consent is given, and the identity that events need can be had.
    fn may_capture(&self) -> bool {
        let may_mint = self.is_settled && (self.is_recalled || !self.settings.recalls);
        (self.is_open() && (self.visitor.is_some() || may_mint)) || is_planted(Mutation::StoredUnasked)
    }

    /// Consent is given: the event is shaped, judged, queued and applied, unless none of its purposes is in force.
    fn admit(&mut self, mut capture: Capture, context: Map) {
        let automatic = capture.automatic;
        let mut readings = core::mem::take(&mut capture.readings);
        let Some(first) = Sequence::new(1) else { return };
        let mut event = shape(capture, context, first);
        let plan = self.mind.plan();
        if automatic && plan.is_none_or(|plan| plan.event(&event.name).is_none()) {
            return;
        }
        if self.consent.mode == Mode::Exempt
            && matches!(event.event_type, EventType::Identify | EventType::Group | EventType::Alias)
            && !self.consent.in_force().holds(Purposes::PERSONALIZATION)
        {
            // What nobody was asked for stays anonymous.
            return;
        }
        if let Some(plan) = plan {
            reread(plan, &mut event.properties, &event.name, &mut readings);
        }
        mask_event(plan, &mut event, automatic);
        let usable = usable(crate::lane::purposes_of(plan, &event), &self.consent, &self.consent);
        if usable.is_empty() && !is_planted(Mutation::StoredUnasked) {
            return;
        }
        let is_urgent = crate::lane::is_urgent(plan, &event);
        let verdict = self.mind.judge(&event);
        // Only now: what may not be captured gives nobody an identity.
        let Some(sequence) = self.next_sequence() else { return self.count_lost(None, 1) };
        self.effects.emit(Notice::Captured(event.name.clone(), verdict));
        self.enqueue(Event { sequence, ..event }, readings, verdict.is_none(), is_urgent);
    }

    /// Puts an event into the queue, makes room for it, applies it, and sets when it leaves.
    fn enqueue(&mut self, event: Event, readings: Map, applies: bool, is_urgent: bool) {
        let consent = self.consent;
        let Some(lane) = self.lanes.of(self.lanes.own_writer()) else { return };
        let sequence = event.sequence.get();
        lane.push(event, consent, applies, &mut self.effects);
        if let Some(queued) = lane.events.last_mut() {
            queued.readings = readings;
        }
        if lane.events.last().is_some_and(|queued| queued.bytes > event_bytes_max()) {
            lane.remove(&mut self.effects, &|queued| queued.event.sequence.get() == sequence);
            let writer = lane.writer;
            self.count_lost(Some(writer), 1);
            return self.set_departure(false);
        }
        let is_full = lane.events.len() >= FLUSH_EVENTS;
        self.make_room();
        self.apply_newest();
        self.has_news = true;
        self.set_departure(is_urgent || is_full);
    }

    /// Sets when what waits leaves.
    pub(crate) fn set_departure(&mut self, is_urgent: bool) {
        let delivery = &mut self.delivery;
        let flush_ms = delivery.flush_ms.unwrap_or(FLUSH_MS);
        delivery.due_ms.get_or_insert(self.now_ms.saturating_add(flush_ms));
        if is_urgent && !delivery.is_urgent {
            delivery.is_urgent = true;
            delivery.retry_ms = delivery.retry_ms.max(self.now_ms.saturating_add(GATHER_MS));
        }
    }

    /// Lets go of the oldest events where the queue is above its bound.
    pub(crate) fn make_room(&mut self) {
        let flight = self.delivery.flight;
        while self.lanes.bytes() > QUEUE_BYTES_MAX {
            let effects = &mut self.effects;
            let mut lanes = self.lanes.all_mut().iter_mut();
            if !lanes.any(|lane| lane.evict(sent_of(flight, lane.writer), effects)) {
                return;
            }
            self.lose(1);
        }
    }

    /// The sequence of this page's next event; begins its queue, and the visitor, where there is none. Consent is given.
    fn next_sequence(&mut self) -> Option<Sequence> {
        if self.visitor.is_none() {
            self.mint_visitor();
        }
        let next = self.lanes.own().and_then(Lane::next_sequence);
        if next.is_none() {
            self.begin_lane();
        }
        next.or(Sequence::new(1))
    }

    /// Begins this page's queue: the first, or another, where the sequences of the one before are used up or its writer is
    /// refused.
    pub(crate) fn begin_lane(&mut self) {
        let Some(visitor) = self.visitor else { return };
        let [.., a, b, c, d] = self.random;
        let salt = self.lanes.own().map_or(0, |used_up| used_up.next);
        let writer = WriterId::mint(self.now_ms, u32::from_le_bytes([a, b, c, d]).wrapping_add(salt));
        self.effects.push(Effect::Hold { queue: queue_name(writer) });
        self.delivery.retry_ms = self.delivery.retry_ms.max(self.now_ms.saturating_add(ADOPTION_MS_MAX));
        let lost = core::mem::take(&mut self.untold);
        let head = LaneHead { visitor, skew_ms: self.skew_ms, lost, context: copy(&self.context) };
        self.lanes.begin(Lane::new(writer, head));
    }

    fn mint_visitor(&mut self) {
        let mut random = [0; 15];
        for (byte, source) in random.iter_mut().zip(&self.random) {
            *byte = *source;
        }
        let visitor = VisitorId::mint(self.settings.topology, random);
        self.visitor = Some(visitor);
        self.minted_ms = self.now_ms;
        self.mind.forget(self.now_ms.saturating_add_signed(self.skew_ms));
        self.tag(0);
    }

    /// Takes over the tag of the device; draws one where it has none (0) yet.
    pub(crate) fn tag(&mut self, holder: u32) {
        self.holder = holder;
        if holder == 0 {
            let [.., a, b, c, d] = self.random;
            self.holder = u32::from_le_bytes([a, b, c, d]).max(1);
            self.store_visitor();
        }
    }

    /// Keeps the visitor's id on the device.
    pub(crate) fn store_visitor(&mut self) {
        if let Some(visitor) = self.visitor {
            let value = write_visitor(visitor, self.skew_ms, self.minted_ms, self.holder);
            self.effects.store(VISITOR.into(), value);
        }
    }
}

/// Sets a name to text, where it says nothing yet.
#[inline(never)]
fn say(map: &mut Map, name: &str, text: String) {
    if map.get(name).is_none() {
        map.set(name, Value::Text(text));
    }
}

/// Sets a name to text, or to nothing.
#[inline(never)]
fn say_or_null(map: &mut Map, name: &str, text: Option<String>) {
    match text {
        Some(text) => say(map, name, text),
        None => map.set(name, Value::Null),
    }
}

/// What the head captures by itself.
fn own(event_type: EventType, time_ms: u64, properties: Map) -> Capture {
    let (name, readings) = (String::new(), Map::new());
    Capture { event_type, name, time_ms, properties, automatic: false, readings }
}

/// The last sequence of `writer` that is on its way; 0 where none is.
pub(crate) fn sent_of(flight: Option<Flight>, writer: WriterId) -> u32 {
    match flight.map(|flight| flight.cargo) {
        Some(Cargo::Events { writer: sender, last, .. }) if sender == writer => last,
        _ => 0,
    }
}

/// Bytes of one event at most: it must fit a keepalive request.
const fn event_bytes_max() -> usize {
    KEEPALIVE_BYTES_MAX.saturating_sub(HEADER_BYTES)
}

/// The event that `capture` makes. Ids of identify, group and alias become properties.
fn shape(capture: Capture, context: Map, sequence: Sequence) -> Event {
    let Capture { event_type, name, time_ms, mut properties, .. } = capture;
    let id = match event_type {
        EventType::Identify | EventType::Alias => Some("user_id"),
        EventType::Group => Some("account_id"),
        _ => None,
    };
    if let Some(id) = id
        && !name.is_empty()
    {
        properties.set(id, Value::Text(name.clone()));
    }
    let name = if event_type == EventType::Track { name } else { event_type.as_str().into() };
    Event { sequence, event_type, name, time_ms, consent: 0, properties, context }
}
