//! One event steps the state: what went unobserved, session, page view, attributes, counts, exposures; in this order.

use super::facts::{CUT_MARK, count_in_page, fact_of, is_of_latest, is_true, property, resolve_event};
use super::grants::{expose, insert};
use super::moment::Moment;
use crate::consent::Purposes;
use crate::event::{Event, EventType};
use crate::limits::{CLOCK_OFF_MS, PAGES_MAX, SESSION_IDLE_MS, SESSION_MS_MAX, STATE_TEXT_BYTES_MAX};
use crate::number::Micro;
use crate::value::Value;
use crate::wire::program::{AttributeRow, Builtin, Image, MetricRow, NONE, kind};
use crate::wire::state::{AttributeCell, CellBody, CountCell, PageView, Stored, VisitorState};
use alloc::string::String;
use alloc::vec::Vec;

/// What an event did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stepped {
    /// It came too late to count: nothing changed.
    pub late: bool,
    /// The writer's clock and the rules' time differ by more than [`CLOCK_OFF_MS`].
    pub clock_off: bool,
    /// It began a session.
    pub new_session: bool,
    /// It began a page view.
    pub new_page: bool,
}

/// Campaign facts: a session begins with them. They stand in a row among the built-in facts.
const UTM: [Builtin; 5] =
    [Builtin::UtmSource, Builtin::UtmMedium, Builtin::UtmCampaign, Builtin::UtmTerm, Builtin::UtmContent];
/// Facts that are as the latest context says.
const LATEST: [Builtin; 4] =
    [Builtin::DeviceClass, Builtin::ViewportWidth, Builtin::Language, Builtin::GeoCountry];
/// Facts of a page view, with the property of a `page` event that tells them.
const PAGE: [(Builtin, &str); 4] = [
    (Builtin::PagePath, "path"),
    (Builtin::PageTitle, "title"),
    (Builtin::PageCategory, "category"),
    (Builtin::PageSku, "sku"),
];

/// Steps `state` by `event`, which may be used for `usable`. An event that may be used for nothing leaves only the mark of
/// what went unobserved.
pub fn step(
    image: &Image,
    state: &mut VisitorState,
    event: &Event,
    usable: Purposes,
    moment: &Moment,
) -> Stepped {
    let time_ms = moment.now_ms;
    let now_ms = state.now_ms(time_ms);
    let sent_ms = event.time_ms.cast_signed();
    let mut stepped = Stepped {
        late: now_ms.saturating_sub(time_ms) > image.late_ms(),
        clock_off: sent_ms.abs_diff(time_ms) > CLOCK_OFF_MS.unsigned_abs(),
        ..Stepped::default()
    };
    if stepped.late {
        return stepped;
    }
    state.align(image, now_ms);
    let mut step = Step { image, state, event, usable, moment, time_ms };
    step.mark_unobserved();
    if !usable.is_empty() {
        stepped.new_session = step.session();
        stepped.new_page = step.page();
        step.context();
        step.attributes();
        step.counts();
        step.exposure();
        step.state.last_time_ms = Some(now_ms);
    }
    state.in_force = moment.in_force;
    stepped
}

/// An event on its way through the state.
struct Step<'a> {
    image: &'a Image,
    state: &'a mut VisitorState,
    event: &'a Event,
    usable: Purposes,
    moment: &'a Moment<'a>,
    time_ms: i64,
}

impl<'a> Step<'a> {
    /// Remembers what was not in force, at this event or since the one before: it went unobserved.
    fn mark_unobserved(&mut self) {
        let (before, now) = (self.state.in_force, self.moment.in_force);
        for at in 0..self.image.metrics() {
            let metric = self.image.metric(at);
            if !now.and(before).holds(metric.purpose())
                && let Some(count) = self.state.count_mut(metric.meaning())
            {
                let after = i64::from(!now.holds(metric.purpose()));
                count.since_ms = count.since_ms.max(self.time_ms.saturating_add(after));
            }
        }
        for at in 0..self.image.attributes() {
            let attribute = self.image.attribute(at);
            if !now.holds(attribute.purpose()) {
                self.set_attribute(attribute.hash(), Stored::Unobserved);
            }
        }
        if !now.holds(Purposes::ANALYTICS) {
            self.open_session_gap();
        }
        if now.and(self.image.page_purposes()).is_empty()
            && let Some(page) = self.state.page_mut(self.moment.writer)
        {
            // Which page is open is not known; what was seen of capped rules stays.
            page.is_begun = false;
            page.facts.clear();
            page.held.clear();
        }
    }

    /// Whether the session still lasts is not known from here on; what is counted in it begins anew, as a lower bound.
    fn open_session_gap(&mut self) {
        let session = &mut self.state.session;
        session.is_gapped = true;
        session.was_gapped = true;
        session.is_gap_open = true;
        self.end_session_cells();
    }

    /// Empties what lives as long as the session.
    fn end_session_cells(&mut self) {
        self.state.session.pages = 0;
        for at in 0..self.image.metrics() {
            if let Some(count) = self.state.count_mut(self.image.metric(at).meaning()) {
                count.count = 0;
            }
        }
        let is_gapped = self.state.session.is_gapped;
        for at in 0..self.image.attributes() {
            let attribute = self.image.attribute(at);
            if attribute.scope() == kind::SCOPE_SESSION && self.state.body(attribute.hash()).is_some() {
                let is_observed = !is_gapped && self.moment.in_force.holds(attribute.purpose());
                self.set_attribute(
                    attribute.hash(),
                    if is_observed { Stored::Missing } else { Stored::Unobserved },
                );
            }
        }
        self.state.held.retain(|held| held.until_ms.is_some());
    }

    /// Keeps the session; whether a new one began.
    fn session(&mut self) -> bool {
        if !self.usable.holds(Purposes::ANALYTICS) {
            return false;
        }
        let begins = self.session_begins();
        let session = &mut self.state.session;
        session.is_gap_open = false;
        session.last_ms = session.last_ms.max(self.time_ms);
        begins
    }

    /// Begins a session after 30 minutes idle, 24 hours, or with a new campaign; never by an event from before the
    /// session's newest.
    fn session_begins(&mut self) -> bool {
        let is_campaign = self.is_new_campaign();
        let time_ms = self.time_ms;
        let session = &mut self.state.session;
        let idle_ms = time_ms.saturating_sub(session.last_ms);
        let is_idle = idle_ms > SESSION_IDLE_MS;
        let is_over = is_idle || is_campaign || time_ms.saturating_sub(session.start_ms) > SESSION_MS_MAX;
        if session.number > 0 && (idle_ms < 0 || !is_over) {
            return false;
        }
        // After a gap it is not known whether a session truly begins here; only idle time that was watched tells.
        session.is_gapped = session.is_gap_open || session.is_gapped && !is_idle;
        session.previous_end_ms = (session.number > 0).then_some(session.last_ms);
        session.number = session.number.max(1);
        if !session.is_gapped {
            session.caps_since_ms = time_ms;
            session.number = session.number.saturating_add(u32::from(session.previous_end_ms.is_some()));
        }
        session.start_ms = time_ms;
        session.facts.retain(|(builtin, _)| is_of_latest(*builtin));
        self.end_session_cells();
        for builtin in UTM {
            self.keep_of_context(builtin);
        }
        self.keep_of_context(Builtin::ReferrerClass);
        true
    }

    /// The event itself names a campaign, and not the session's.
    fn is_new_campaign(&self) -> bool {
        let mut is_named = false;
        let mut differs = false;
        for builtin in UTM {
            let named = self.event.context.text(builtin.name()).unwrap_or_default();
            is_named |= !named.is_empty();
            differs |= match fact_of(&self.state.session.facts, builtin) {
                Some(Stored::Text(text)) => *text != cut(named),
                _ => !named.is_empty(),
            };
        }
        is_named && differs
    }

    /// Whether an event belongs to the present session, as far as that is observed.
    fn is_in_session(&self) -> bool {
        let session = &self.state.session;
        self.moment.in_force.holds(Purposes::ANALYTICS)
            && session.number > 0
            && !session.is_gap_open
            && self.time_ms >= session.start_ms
    }

    /// Begins a page view on a `page` event; keeps the writer's, or makes a place for it, on any other.
    fn page(&mut self) -> bool {
        let at = self.page_place();
        let (event, moment) = (self.event, self.moment);
        let Some(page) = self.state.pages.get_mut(at) else { return false };
        page.last_ms = page.last_ms.max(self.time_ms);
        let is_overtaken = page.is_begun && self.time_ms < page.start_ms;
        if event.event_type != EventType::Page || is_overtaken {
            return false;
        }
        *page = blank_page(moment, true);
        for (builtin, name) in PAGE {
            let value = property(&event.properties, name);
            keep(&mut page.facts, builtin, value.or_else(|| context_value(event, moment, builtin.name())));
        }
        let path = fact_of(&page.facts, Builtin::PagePath).cloned();
        if self.usable.holds(Purposes::ANALYTICS) && self.is_in_session() {
            let session = &mut self.state.session;
            session.pages = session.pages.saturating_add(1);
            if let (None, Some(path)) = (fact_of(&session.facts, Builtin::SessionEntryPage), path) {
                put(&mut session.facts, Builtin::SessionEntryPage, path);
            }
        }
        true
    }

    /// Where the writer's page view stands; where there is none, it takes the place of the longest inactive.
    fn page_place(&mut self) -> usize {
        let pages = &mut self.state.pages;
        if let Some(at) = pages.iter().position(|page| page.writer == self.moment.writer) {
            return at;
        }
        let page = blank_page(self.moment, false);
        if pages.len() < PAGES_MAX {
            pages.push(page);
            return pages.len().saturating_sub(1);
        }
        let mut oldest = (i64::MAX, 0);
        for (at, page) in pages.iter().enumerate() {
            oldest = oldest.min((page.last_ms, at));
        }
        if let Some(place) = pages.get_mut(oldest.1) {
            *place = page;
        }
        oldest.1
    }

    /// Facts that are as the latest context says.
    fn context(&mut self) {
        if self.state.last_time_ms.is_none_or(|last_ms| self.time_ms >= last_ms) {
            for builtin in LATEST {
                self.keep_of_context(builtin);
            }
        }
    }

    fn keep_of_context(&mut self, builtin: Builtin) {
        let value = context_value(self.event, self.moment, builtin.name());
        keep(&mut self.state.session.facts, builtin, value);
    }

    fn attributes(&mut self) {
        for at in 0..self.image.attributes() {
            let attribute = self.image.attribute(at);
            if self.usable.holds(attribute.purpose())
                && let Some(value) = self.new_value(attribute)
            {
                self.set_attribute(attribute.hash(), value);
            }
        }
    }

    /// What the event sets an attribute to, if it does.
    fn new_value(&self, attribute: AttributeRow) -> Option<Stored> {
        let (image, event) = (self.image, self.event);
        for at in 0..attribute.sets_count() {
            let set = image.set(attribute.sets().saturating_add(at.into()));
            if image.text(set.event()) != event.name.as_bytes() {
                continue;
            }
            let text = image.str(u32::try_from(set.value()).unwrap_or(u32::MAX));
            return Some(match set.kind() {
                kind::SET_TEXT => Stored::Text(cut(text)),
                kind::SET_NUMBER => Stored::Number(set.value()),
                kind::SET_BOOL => Stored::Bool(set.value() != 0),
                _ => stored(attribute.attribute_type(), property(&event.properties, text)),
            });
        }
        let name = image.str(attribute.name());
        let value = match (attribute.scope(), event.event_type) {
            (kind::SCOPE_VISITOR, EventType::Identify | EventType::Group) => {
                property(&event.properties, name)
            }
            (kind::SCOPE_CONTEXT, _) => context_value(event, self.moment, name),
            _ => None,
        };
        value.map(|value| stored(attribute.attribute_type(), Some(value)))
    }

    /// The latest event wins.
    fn set_attribute(&mut self, hash: u64, value: Stored) {
        let time_ms = self.time_ms;
        let is_later = |body: &CellBody| matches!(body, CellBody::Attribute(cell) if cell.time_ms > time_ms);
        if !self.state.body(hash).is_some_and(is_later) {
            self.state.set_body(hash, CellBody::Attribute(AttributeCell { time_ms, value }));
        }
    }

    fn counts(&mut self) {
        let image = self.image;
        let mut known = Vec::new();
        for at in 0..image.metrics() {
            let metric = image.metric(at);
            let is_counted = image.text(metric.event()) == self.event.name.as_bytes();
            if !is_counted || !self.usable.holds(metric.purpose()) {
                continue;
            }
            if metric.filter() != NONE && known.is_empty() {
                known = resolve_event(image, &self.event.properties);
            }
            if is_true(image, image.code(), &known, metric.filter()) {
                self.count(metric);
            }
        }
    }

    fn count(&mut self, metric: MetricRow) {
        let time_ms = self.time_ms;
        let is_in_session = self.is_in_session();
        if metric.window() == kind::WINDOW_PAGE {
            let page = self.state.page_mut(self.moment.writer);
            if let Some(page) = page.filter(|page| page.is_begun && time_ms >= page.start_ms) {
                count_in_page(page, metric.meaning());
            }
            return;
        }
        let Some(count) = self.state.count_mut(metric.meaning()) else { return };
        if metric.window() == kind::WINDOW_SLIDING {
            insert_time(count, time_ms, metric);
        } else if is_in_session {
            count.count = count.count.saturating_add(1);
        }
    }

    fn exposure(&mut self) {
        if self.event.event_type == EventType::Exposure
            && let Some(rule) = self.event.properties.text("rule")
        {
            expose(self.image, self.state, self.moment.writer, rule, self.time_ms);
        }
    }
}

/// What the event's context says, else the batch's.
fn context_value<'a>(event: &'a Event, moment: &Moment<'a>, name: &str) -> Option<&'a Value> {
    property(&event.context, name).or_else(|| property(moment.context, name))
}

fn blank_page(moment: &Moment, is_begun: bool) -> PageView {
    PageView {
        writer: moment.writer,
        start_ms: moment.now_ms,
        last_ms: moment.now_ms,
        is_begun,
        facts: Vec::new(),
        held: Vec::new(),
        counts: Vec::new(),
    }
}

/// Puts a time in its order. What fell out of the window is dropped; where more are left than are counted to, the oldest is
/// dropped too, and all is kept only since then.
fn insert_time(count: &mut CountCell, time_ms: i64, metric: MetricRow) {
    let newest_ms = count.times_ms.last().map_or(time_ms, |last_ms| time_ms.max(*last_ms));
    let start_ms = newest_ms.saturating_sub_unsigned(metric.window_ms());
    count.times_ms.retain(|known_ms| *known_ms > start_ms);
    if time_ms > start_ms
        && let Some(dropped_ms) = insert(&mut count.times_ms, time_ms, metric.threshold().into())
    {
        count.since_ms = count.since_ms.max(dropped_ms.saturating_add(1));
    }
}

/// Keeps a built-in fact, where there is a value for it.
fn keep(facts: &mut Vec<(Builtin, Stored)>, builtin: Builtin, value: Option<&Value>) {
    match stored(builtin.kind() as u8, value) {
        Stored::Missing => {}
        value => put(facts, builtin, value),
    }
}

fn put(facts: &mut Vec<(Builtin, Stored)>, builtin: Builtin, value: Stored) {
    match facts.iter_mut().find(|(known, _)| *known == builtin) {
        Some((_, place)) => *place = value,
        None => facts.push((builtin, value)),
    }
}

/// A value as it is kept; one of another type counts as missing.
fn stored(attribute_type: u8, value: Option<&Value>) -> Stored {
    match (attribute_type, value) {
        (kind::TYPE_TEXT, Some(Value::Text(text))) => Stored::Text(cut(text)),
        (kind::TYPE_BOOL, Some(Value::Bool(bool))) => Stored::Bool(*bool),
        (kind::TYPE_NUMBER, Some(Value::Number(number))) => {
            number.micro().map_or(Stored::Missing, |Micro(micro)| Stored::Number(micro))
        }
        _ => Stored::Missing,
    }
}

/// A text as it is kept: where it is too long, cut at a character border and marked.
fn cut(text: &str) -> String {
    let is_long = text.len() > STATE_TEXT_BYTES_MAX;
    let kept = if is_long { STATE_TEXT_BYTES_MAX.saturating_sub(CUT_MARK.len()) } else { text.len() };
    let mut kept = String::from(text.get(..text.floor_char_boundary(kept)).unwrap_or_default());
    if is_long {
        kept.push_str(CUT_MARK);
    }
    kept
}
