//! One event steps the state: what went unobserved, session, page view, attributes, counts, exposures; in this order.

use super::facts::{CUT_MARK, count_in_page, fact_of, is_true, property, resolve_event};
use super::grants::expose;
use super::moment::Moment;
use super::program::Program;
use crate::consent::Purposes;
use crate::event::{Event, EventType};
use crate::limits::{CLOCK_OFF_MS, PAGES_MAX, SESSION_IDLE_MS, SESSION_MS_MAX, STATE_TEXT_BYTES_MAX};
use crate::number::Micro;
use crate::value::Value;
use crate::wire::program::{Attribute, AttributeScope, AttributeType, Builtin, Metric, SetTo, Window};
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

/// Campaign facts: a session begins with them.
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
    program: &Program,
    state: &mut VisitorState,
    event: &Event,
    usable: Purposes,
    moment: &Moment,
) -> Stepped {
    let time_ms = moment.now_ms;
    let sent_ms = i64::try_from(event.time_ms).unwrap_or(i64::MAX);
    let late_ms = state.last_time_ms.map_or(0, |last_ms| last_ms.saturating_sub(time_ms));
    let mut stepped = Stepped {
        late: late_ms > i64::from(program.parts().late_ms),
        clock_off: sent_ms.abs_diff(time_ms) > CLOCK_OFF_MS.unsigned_abs(),
        ..Stepped::default()
    };
    if stepped.late {
        return stepped;
    }
    state.align(program, state.now_ms(time_ms));
    let mut step = Step { program, state, event, usable, moment, time_ms };
    step.mark_unobserved();
    if !usable.is_empty() {
        stepped.new_session = step.session();
        stepped.new_page = step.page();
        step.context();
        step.attributes();
        step.counts();
        step.exposure();
        state.last_time_ms = Some(state.now_ms(time_ms));
    }
    state.in_force = moment.in_force;
    stepped
}

/// An event on its way through the state.
struct Step<'a> {
    program: &'a Program,
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
        for metric in &self.program.parts().metrics {
            let since_ms = match (now.holds(metric.purpose), before.holds(metric.purpose)) {
                (true, true) => continue,
                (true, false) => self.time_ms,
                (false, _) => self.time_ms.saturating_add(1),
            };
            if let Some(count) = self.state.count_mut(metric.meaning) {
                count.since_ms = count.since_ms.max(since_ms);
            }
        }
        let program = self.program;
        for (attribute, hash) in program.parts().attributes.iter().zip(program.attribute_hashes()) {
            if !now.holds(attribute.purpose) {
                self.set_attribute(*hash, Stored::Unobserved);
            }
        }
        if !now.holds(Purposes::ANALYTICS) {
            self.open_session_gap();
        }
        let page_purposes = self.program.parts().plan.find_type(EventType::Page).purposes;
        if now.and(page_purposes).is_empty() {
            let writer = self.moment.writer;
            self.state.pages.retain(|page| page.writer != writer);
        }
    }

    /// Whether the session still lasts is not known from here on; what is counted in it begins anew, as a lower bound.
    fn open_session_gap(&mut self) {
        let session = &mut self.state.session;
        session.is_gapped = true;
        session.was_gapped = true;
        session.is_gap_open = true;
        session.pages = 0;
        self.end_session_cells();
    }

    /// Empties what lives as long as the session.
    fn end_session_cells(&mut self) {
        let program = self.program;
        let parts = program.parts();
        for metric in parts.metrics.iter().filter(|metric| metric.window == Window::Session) {
            if let Some(count) = self.state.count_mut(metric.meaning) {
                count.count = 0;
            }
        }
        let is_gapped = self.state.session.is_gapped;
        for (attribute, hash) in parts.attributes.iter().zip(program.attribute_hashes()) {
            if attribute.scope == AttributeScope::Session && self.state.body(*hash).is_some() {
                let is_observed = !is_gapped && self.moment.in_force.holds(attribute.purpose);
                self.set_attribute(*hash, if is_observed { Stored::Missing } else { Stored::Unobserved });
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
        if begins {
            self.begin_session();
        }
        let session = &mut self.state.session;
        session.is_gap_open = false;
        session.last_ms = session.last_ms.max(self.time_ms);
        begins
    }

    /// 30 minutes idle, 24 hours long, or a new campaign; never by an event from before the session's newest.
    fn session_begins(&self) -> bool {
        let session = &self.state.session;
        let is_old = self.time_ms < session.last_ms;
        session.number == 0
            || !is_old
                && (self.is_idle()
                    || self.time_ms.saturating_sub(session.start_ms) > SESSION_MS_MAX
                    || self.is_new_campaign())
    }

    fn is_idle(&self) -> bool {
        self.time_ms.saturating_sub(self.state.session.last_ms) > SESSION_IDLE_MS
    }

    /// The event itself names a campaign, and not the session's.
    fn is_new_campaign(&self) -> bool {
        let named = |builtin: &Builtin| self.event.context.text(builtin.name()).unwrap_or_default();
        let of_session = |builtin: &Builtin| match fact_of(&self.state.session.facts, *builtin) {
            Some(Stored::Text(text)) => text.as_str(),
            _ => "",
        };
        UTM.iter().any(|builtin| !named(builtin).is_empty())
            && UTM.iter().any(|builtin| cut(named(builtin)) != of_session(builtin))
    }

    fn begin_session(&mut self) {
        let is_idle = self.is_idle();
        let time_ms = self.time_ms;
        let session = &mut self.state.session;
        // After a gap it is not known whether a session truly begins here; only idle time that was watched tells.
        session.is_gapped = session.is_gap_open || session.is_gapped && !is_idle;
        session.previous_end_ms = (session.number > 0).then_some(session.last_ms);
        session.number = session.number.max(1);
        if !session.is_gapped {
            session.caps_since_ms = time_ms;
            session.number = session.number.saturating_add(u32::from(session.previous_end_ms.is_some()));
        }
        session.start_ms = time_ms;
        session.pages = 0;
        session.facts.retain(|(builtin, _)| LATEST.contains(builtin));
        self.end_session_cells();
        for builtin in UTM.into_iter().chain([Builtin::ReferrerClass]) {
            self.keep_of_context(builtin);
        }
    }

    /// Whether an event belongs to the present session, as far as that is observed.
    fn is_in_session(&self) -> bool {
        let session = &self.state.session;
        self.moment.in_force.holds(Purposes::ANALYTICS)
            && session.number > 0
            && !session.is_gap_open
            && self.time_ms >= session.start_ms
    }

    /// Begins a page view on a `page` event; finds the writer's page view, or a place for it, on any other.
    fn page(&mut self) -> bool {
        let writer = self.moment.writer;
        let found = self.state.pages.iter().position(|page| page.writer == writer);
        let mut page = match found {
            Some(at) => self.state.pages.remove(at),
            None => blank_page(self.moment, false),
        };
        let is_overtaken = page.is_begun && self.time_ms < page.start_ms;
        let begins = self.event.event_type == EventType::Page && !is_overtaken;
        if begins {
            page = blank_page(self.moment, true);
            for (builtin, name) in PAGE {
                let value =
                    property(&self.event.properties, name).or_else(|| self.context_value(builtin.name()));
                keep(&mut page.facts, builtin, value);
            }
            self.count_page(&page);
        }
        self.state.pages.push(page);
        if self.state.pages.len() > PAGES_MAX {
            self.state.pages.remove(0);
        }
        begins
    }

    fn count_page(&mut self, page: &PageView) {
        if !self.usable.holds(Purposes::ANALYTICS) || !self.is_in_session() {
            return;
        }
        let session = &mut self.state.session;
        session.pages = session.pages.saturating_add(1);
        if let (None, Some(path)) =
            (fact_of(&session.facts, Builtin::SessionEntryPage), fact_of(&page.facts, Builtin::PagePath))
        {
            put(&mut session.facts, Builtin::SessionEntryPage, path.clone());
        }
    }

    /// Facts that are as the latest context says.
    fn context(&mut self) {
        if self.state.last_time_ms.is_none_or(|last_ms| self.time_ms >= last_ms) {
            LATEST.into_iter().for_each(|builtin| self.keep_of_context(builtin));
        }
    }

    fn keep_of_context(&mut self, builtin: Builtin) {
        let value = self.context_value(builtin.name());
        keep(&mut self.state.session.facts, builtin, value);
    }

    /// What the event's context says, else the batch's.
    fn context_value(&self, name: &str) -> Option<&'a Value> {
        property(&self.event.context, name).or_else(|| property(self.moment.context, name))
    }

    fn attributes(&mut self) {
        let program = self.program;
        for (attribute, hash) in program.parts().attributes.iter().zip(program.attribute_hashes()) {
            if self.usable.holds(attribute.purpose)
                && let Some(value) = self.new_value(attribute)
            {
                self.set_attribute(*hash, value);
            }
        }
    }

    /// What the event sets an attribute to, if it does.
    fn new_value(&self, attribute: &Attribute) -> Option<Stored> {
        let convert = |value: &Value| stored(attribute.attribute_type, value);
        if let Some(set) = attribute.set.iter().find(|set| set.event == self.event.name) {
            return Some(match &set.to {
                SetTo::Text(text) => Stored::Text(cut(text)),
                SetTo::Number(micro) => Stored::Number(*micro),
                SetTo::Bool(bool) => Stored::Bool(*bool),
                SetTo::Property(name) => {
                    property(&self.event.properties, name).map_or(Stored::Missing, convert)
                }
            });
        }
        let source = match (attribute.scope, self.event.event_type) {
            (AttributeScope::Visitor, EventType::Identify | EventType::Group) => {
                property(&self.event.properties, &attribute.name)
            }
            (AttributeScope::Context, _) => self.context_value(&attribute.name),
            _ => None,
        };
        source.map(convert)
    }

    /// The latest event wins.
    fn set_attribute(&mut self, hash: u64, value: Stored) {
        let time_ms = self.time_ms;
        match self.state.body_mut(hash) {
            Some(CellBody::Attribute(cell)) if cell.time_ms > time_ms => {}
            Some(CellBody::Attribute(cell)) => *cell = AttributeCell { time_ms, value },
            _ => self.state.set_body(hash, CellBody::Attribute(AttributeCell { time_ms, value })),
        }
    }

    fn counts(&mut self) {
        let program = self.program;
        let mut known = None;
        for metric in &program.parts().metrics {
            if metric.event != self.event.name || !self.usable.holds(metric.purpose) {
                continue;
            }
            let is_counted = metric.filter.is_none_or(|filter| {
                let known = known.get_or_insert_with(|| resolve_event(program, &self.event.properties));
                is_true(program, known, filter)
            });
            if is_counted {
                self.count(metric);
            }
        }
    }

    fn count(&mut self, metric: &Metric) {
        let time_ms = self.time_ms;
        let is_in_session = self.is_in_session();
        match metric.window {
            Window::Page => {
                let page = self.state.page_mut(self.moment.writer);
                if let Some(page) = page.filter(|page| page.is_begun && time_ms >= page.start_ms) {
                    count_in_page(page, metric.meaning);
                }
            }
            Window::Session => {
                if let Some(count) = self.state.count_mut(metric.meaning).filter(|_| is_in_session) {
                    count.count = count.count.saturating_add(1);
                }
            }
            Window::Sliding(window_ms) => {
                if let Some(count) = self.state.count_mut(metric.meaning) {
                    insert_time(count, time_ms, window_ms, usize::from(metric.threshold));
                }
            }
        }
    }

    fn exposure(&mut self) {
        if self.event.event_type == EventType::Exposure
            && let Some(rule) = self.event.properties.text("rule")
        {
            expose(self.program, self.state, self.moment.writer, rule, self.time_ms);
        }
    }
}

fn blank_page(moment: &Moment, is_begun: bool) -> PageView {
    PageView {
        writer: moment.writer,
        start_ms: moment.now_ms,
        is_begun,
        facts: Vec::new(),
        held: Vec::new(),
        counts: Vec::new(),
    }
}

/// Puts a time in its order. What fell out of the window is dropped; where more than `kept_max` are left, the oldest is
/// dropped too, and all is kept only since then.
fn insert_time(count: &mut CountCell, time_ms: i64, window_ms: u64, kept_max: usize) {
    let times_ms = &mut count.times_ms;
    let at = times_ms.partition_point(|known_ms| *known_ms <= time_ms);
    times_ms.insert(at, time_ms);
    let newest_ms = times_ms.last().copied().unwrap_or(time_ms);
    let start_ms = newest_ms.saturating_sub_unsigned(window_ms);
    let outside = times_ms.partition_point(|known_ms| *known_ms <= start_ms);
    let dropped = outside.max(times_ms.len().saturating_sub(kept_max));
    if let Some(dropped_ms) = times_ms.drain(..dropped).next_back().filter(|_| dropped > outside) {
        count.since_ms = count.since_ms.max(dropped_ms.saturating_add(1));
    }
}

/// Keeps a built-in fact, where there is a value for it.
fn keep(facts: &mut Vec<(Builtin, Stored)>, builtin: Builtin, value: Option<&Value>) {
    match value.map(|value| stored(builtin.kind(), value)) {
        Some(Stored::Missing) | None => {}
        Some(value) => put(facts, builtin, value),
    }
}

fn put(facts: &mut Vec<(Builtin, Stored)>, builtin: Builtin, value: Stored) {
    facts.retain(|(known, _)| *known != builtin);
    let at = facts.partition_point(|(known, _)| *known < builtin);
    facts.insert(at, (builtin, value));
}

/// A value as it is kept; one of another type counts as missing.
fn stored(kind: AttributeType, value: &Value) -> Stored {
    match (kind, value) {
        (AttributeType::Text, Value::Text(text)) => Stored::Text(cut(text)),
        (AttributeType::Bool, Value::Bool(bool)) => Stored::Bool(*bool),
        (AttributeType::Number, Value::Number(number)) => {
            number.micro().map_or(Stored::Missing, |Micro(micro)| Stored::Number(micro))
        }
        _ => Stored::Missing,
    }
}

/// A text as it is kept: where it is too long, cut at a character border and marked.
fn cut(text: &str) -> String {
    if text.len() <= STATE_TEXT_BYTES_MAX {
        return text.into();
    }
    let end = text.floor_char_boundary(STATE_TEXT_BYTES_MAX.saturating_sub(CUT_MARK.len()));
    let mut kept = String::from(text.get(..end).unwrap_or_default());
    kept.push_str(CUT_MARK);
    kept
}
