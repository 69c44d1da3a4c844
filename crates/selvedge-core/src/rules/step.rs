//! One event steps the state: what went unobserved, session, page view, attributes, counts, exposures; in this order.

mod account;
mod session;

mod sequences;

pub use account::step_account;

use super::cart::{miss, take as take_in_cart};
use super::counts::count_in_page;
use super::facts::{is_foreign, property};
use super::grants::{DISMISSED, dismiss, expose};
use super::kept::{cut, fact_of, keep, put, stored};
use super::lists::listed;
use super::metric::{Occurrence, blank, concerns, take};
use super::moment::Moment;
use super::timers::trigger;
use super::trials::user_of;
use crate::consent::Purposes;
use crate::event::{Event, EventType};
use crate::limits::{CLOCK_OFF_MS, PAGES_MAX};
use crate::value::{Map, Value};
use crate::wire::program::{AttributeRow, Builtin, Image, MetricRow, USER, kind};
use crate::wire::state::{AttributeCell, CART, CellBody, PageView, Stored, VisitorState};
use alloc::vec::Vec;

/// What an event did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stepped {
    /// It came too late to count. Of such an event only an exposure changes anything: caps count it nevertheless.
    pub late: bool,
    /// The writer's clock and the rules' time differ by more than [`CLOCK_OFF_MS`].
    pub clock_off: bool,
    /// It began a session.
    pub new_session: bool,
    /// It began a page view.
    pub new_page: bool,
}

/// Facts that are as the latest context says.
const LATEST: [Builtin; 5] = [
    Builtin::DeviceClass,
    Builtin::ViewportWidth,
    Builtin::Language,
    Builtin::GeoCountry,
    Builtin::UtcOffset,
];
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
        late: now_ms.wrapping_sub(time_ms) > image.late_ms(),
        clock_off: sent_ms.abs_diff(time_ms) > CLOCK_OFF_MS.unsigned_abs(),
        ..Stepped::default()
    };
    state.align(image, now_ms);
    let is_newest = state.last_time_ms.is_none_or(|last_ms| time_ms >= last_ms);
    let mut step = Step { image, state, event, usable, moment, ends_session: false, is_account: false };
    if stepped.late {
        step.exposure();
        return stepped;
    }
    stepped.new_session = step.session();
    stepped.new_page = step.page();
    if step.ends_session || stepped.new_page {
        step.state.marks.touch_all();
    }
    if is_newest && !usable.is_empty() {
        step.keep_latest();
    }
    step.metrics();
    step.sequences();
    step.attributes();
    step.cart();
    step.user();
    step.triggers();
    step.caps_without_session();
    step.exposure();
    if !usable.is_empty() {
        state.last_time_ms = Some(now_ms);
    }
    state.in_force = moment.in_force;
    stepped
}

/// Whether an event that comes at the moment ends the session before it, which goes on until then: it is newer than 24
/// hours, or names another campaign. Then the rules that wait for the end of a session are triggered: decide at the
/// moment, with that session's facts, before the event is stepped. The end by 30 idle minutes is a deadline
/// ([`super::wake`]). Of a session that was not observed whole it is not known.
pub fn end_session(
    image: &Image,
    state: &mut VisitorState,
    event: &Event,
    usable: Purposes,
    moment: &Moment,
) -> bool {
    if !ends_session(image, state, event, usable, moment) {
        return false;
    }
    state.align(image, state.now_ms(moment.now_ms));
    trigger(image, state, moment.now_ms, |timer| timer.at_session_end());
    true
}

/// Whether [`end_session`] would find one that ends.
#[must_use]
pub fn ends_session(
    image: &Image,
    state: &VisitorState,
    event: &Event,
    usable: Purposes,
    moment: &Moment,
) -> bool {
    if !image.each_timer().any(|timer| timer.at_session_end()) {
        return false;
    }
    let time_ms = moment.now_ms;
    let is_late = state.now_ms(time_ms).wrapping_sub(time_ms) > image.late_ms();
    let is_observed = usable.and(moment.in_force).holds(Purposes::ANALYTICS);
    let session = &state.session;
    let is_whole = session.number > 0 && !session.is_gap_open && !session.is_gapped;
    let ends = is_whole && is_observed && !is_late && !session::is_idle(state, time_ms);
    ends && session::ends_session(state, event, time_ms)
}

/// An event on its way through the state.
struct Step<'a> {
    image: &'a Image,
    state: &'a mut VisitorState,
    event: &'a Event,
    usable: Purposes,
    moment: &'a Moment<'a>,
    /// What lives as long as the session is emptied: it ended, or whether it lasts is not known.
    ends_session: bool,
    /// The state is that of the visitor's account: only what is of the account is stepped.
    is_account: bool,
}

impl Step<'_> {
    /// Begins a page view on a `page` event; keeps the writer's, or makes a place for it, on any other. Where page views may
    /// not be used for anything, which one is open is not known; what was seen of capped rules stays.
    fn page(&mut self) -> bool {
        let at = self.page_place();
        let (event, moment) = (self.event, self.moment);
        let Some(page) = self.state.pages.get_mut(at) else { return false };
        if moment.in_force.and(self.image.page_purposes()).is_empty() {
            page.is_begun = false;
            page.facts.clear();
            page.held.clear();
        }
        page.last_ms = page.last_ms.max(moment.now_ms);
        let is_overtaken = page.is_begun && moment.now_ms < page.start_ms;
        if event.event_type != EventType::Page || is_overtaken || self.usable.is_empty() {
            return false;
        }
        *page = blank_page(moment);
        page.is_begun = true;
        let told = |builtin: Builtin, name| {
            let value = property(&event.properties, name);
            let value = value.or_else(|| context_value(event, moment, builtin.name()));
            stored(builtin.kind() as u8, value)
        };
        for (builtin, name) in PAGE.into_iter().filter(|(builtin, _)| self.image.index().reads(*builtin)) {
            put(&mut page.facts, builtin, told(builtin, name));
        }
        if self.usable.holds(Purposes::ANALYTICS) && self.is_in_session() {
            let session = &mut self.state.session;
            session.pages = session.pages.saturating_add(1);
            // Where it is not kept, it is not there, and stays unknown.
            if fact_of(&session.facts, Builtin::SessionEntryPage) == Some(&Stored::Missing) {
                put(&mut session.facts, Builtin::SessionEntryPage, told(Builtin::PagePath, "path"));
            }
        }
        true
    }

    /// Where the writer's page view stands; where there is none, it takes the place of the longest inactive.
    fn page_place(&mut self) -> usize {
        let pages = &mut self.state.pages;
        let (mut oldest, mut oldest_ms) = (0, i64::MAX);
        for (at, page) in pages.iter().enumerate() {
            if page.writer == self.moment.writer {
                return at;
            }
            if page.last_ms < oldest_ms {
                (oldest, oldest_ms) = (at, page.last_ms);
            }
        }
        if pages.len() >= PAGES_MAX {
            pages.swap_remove(oldest);
        }
        pages.push(blank_page(self.moment));
        pages.len().saturating_sub(1)
    }

    /// Keeps what the context says of the latest facts: of those that are read, and of those that still stand there from a
    /// program that read them. What was not kept up to now, of a visitor that is known, is not known to be missing.
    fn keep_latest(&mut self) {
        let is_first = self.state.last_time_ms.is_none();
        for builtin in LATEST {
            let is_there = fact_of(&self.state.session.facts, builtin).is_some();
            if !is_there && !self.image.index().reads(builtin) {
                continue;
            }
            let facts = &mut self.state.session.facts;
            keep(facts, builtin, context_value(self.event, self.moment, builtin.name()));
            if !is_there && fact_of(facts, builtin).is_none() {
                put(facts, builtin, if is_first { Stored::Missing } else { Stored::Unobserved });
            }
        }
    }

    /// For every metric: remembers what was not in force, now or since the event before; ends it with the session; steps it.
    fn metrics(&mut self) {
        let (image, time_ms) = (self.image, self.moment.now_ms);
        let (before, now) = (self.state.in_force, self.moment.in_force);
        let is_in_session = self.is_in_session();
        let mut event = Occurrence::new(image, self.event, self.moment, self.state.born_ms);
        for metric in image.each_metric() {
            if (metric.scope() == kind::OF_ACCOUNT) != self.is_account {
                continue;
            }
            // A page view lives on where sessions are not observed.
            let is_of_session = metric.window() == kind::WINDOW_SESSION
                || metric.scope() == kind::OF_SESSION && metric.window() != kind::WINDOW_PAGE;
            let is_usable = self.usable.holds(metric.purpose()) && (is_in_session || !is_of_session);
            let is_missed = !before.and(now).holds(metric.purpose());
            let is_ended = self.ends_session && is_of_session;
            // Most events are none of what most metrics count: their cells are not even looked for.
            if !(is_missed || is_ended || is_usable && concerns(metric, &event)) {
                continue;
            }
            let Some(cell) = self.state.metric_mut(metric.meaning()) else { continue };
            if is_missed {
                let after = i64::from(!now.holds(metric.purpose()));
                cell.since_ms = cell.since_ms.max(time_ms.wrapping_add(after));
            }
            if is_ended {
                cell.kept = blank(metric);
            }
            if is_usable && event.hides_from(metric) {
                cell.since_ms = cell.since_ms.max(time_ms.wrapping_add(1));
            } else if is_usable && metric.window() != kind::WINDOW_PAGE {
                take(metric, &mut cell.kept, &mut cell.since_ms, &mut event);
            } else if is_usable {
                self.metric_of_page(metric, &mut event);
            }
        }
    }

    /// Steps a metric of the open page view.
    fn metric_of_page(&mut self, metric: MetricRow, event: &mut Occurrence) {
        let page = self.state.page_mut(self.moment.writer);
        let Some(page) = page.filter(|page| page.is_begun && event.time_ms >= page.start_ms) else { return };
        let hash = metric.meaning();
        if metric.kind() == kind::METRIC_COUNT {
            if event.is(metric.event(), metric.filter()) {
                count_in_page(page, hash);
            }
            return;
        }
        let known = page.kept.iter().position(|(known, _)| *known == hash);
        let at = known.unwrap_or(page.kept.len());
        if known.is_none() {
            page.kept.push((hash, blank(metric)));
        }
        if let Some((_, kept)) = page.kept.get_mut(at) {
            let mut since_ms = i64::MIN;
            take(metric, kept, &mut since_ms, event);
            // A kind that drops what it should keep has no place in a page view to say so, but a count of how often.
            if since_ms > i64::MIN {
                count_in_page(page, hash);
            }
        }
    }

    /// For every attribute: unobserved where its purpose is not in force; ended with the session; set by the event.
    fn attributes(&mut self) {
        let in_force = self.moment.in_force;
        let tells_traits = matches!(self.event.event_type, EventType::Identify | EventType::Group);
        for attribute in self.image.each_attribute() {
            if (attribute.scope() == kind::SCOPE_ACCOUNT) != self.is_account {
                continue;
            }
            let is_known = in_force.holds(attribute.purpose());
            // Most events say nothing of most attributes.
            let may_be_told =
                tells_traits || attribute.sets_count() > 0 || attribute.scope() == kind::SCOPE_CONTEXT;
            if is_known && !self.ends_session && !may_be_told {
                continue;
            }
            // An event from before the session changes nothing that belongs to the session.
            let is_of_before =
                attribute.scope() == kind::SCOPE_SESSION && self.moment.now_ms < self.state.session.start_ms;
            let is_out_of_it = is_of_before && in_force.holds(Purposes::ANALYTICS);
            if !is_known && !is_out_of_it {
                self.set_attribute(attribute.hash(), Stored::Unobserved);
            } else if is_known
                && self.ends_session
                && attribute.scope() == kind::SCOPE_SESSION
                && self.state.body(attribute.hash()).is_some()
            {
                let is_gapped = self.state.session.is_gapped;
                let ended = if is_gapped { Stored::Unobserved } else { Stored::Missing };
                self.set_attribute(attribute.hash(), ended);
            }
            if self.usable.holds(attribute.purpose())
                && !is_of_before
                && let Some(value) = self.new_value(attribute)
            {
                let is_sure = attribute.scope() != kind::SCOPE_SESSION || !self.is_behind_gap();
                self.set_attribute(attribute.hash(), if is_sure { value } else { Stored::Unobserved });
            }
        }
    }

    /// The cart: unknown where its purpose is not in force; changed by the events of a shop.
    fn cart(&mut self) {
        let (before, now) = (self.state.in_force, self.moment.in_force);
        let Some(CellBody::Cart(cart)) = self.state.body_mut(CART) else { return };
        if self.image.each_cart_event().any(|row| !before.and(now).holds(row.purpose())) {
            miss(cart);
        }
        for row in self.image.each_cart_event() {
            if self.usable.holds(row.purpose()) && self.image.text(row.event()) == self.event.name.as_bytes()
            {
                take_in_cart(self.image, row, cart, self.event, self.moment);
            }
        }
    }

    /// What the event sets an attribute to, if it does.
    fn new_value(&self, attribute: AttributeRow) -> Option<Stored> {
        let (image, event) = (self.image, self.event);
        for at in 0..attribute.sets_count().into() {
            let set = image.set(attribute.sets().saturating_add(at));
            if image.text(set.event()) == event.name.as_bytes() {
                let text = image.str(u32::try_from(set.value()).unwrap_or(u32::MAX));
                return Some(match set.kind() {
                    kind::SET_TEXT => Stored::Text(cut(text)),
                    kind::SET_NUMBER => Stored::Number(set.value()),
                    kind::SET_BOOL => Stored::Bool(set.value() != 0),
                    kind::SET_AMOUNT
                        if is_foreign(image.currency(), &event.properties, self.moment.orders) =>
                    {
                        Stored::Unobserved
                    }
                    _ => read(attribute, &event.properties, text),
                });
            }
        }
        let name = || image.str(attribute.name());
        let is_trait = |name: &str| property(&event.properties, name).is_some();
        match (attribute.scope(), event.event_type) {
            (kind::SCOPE_VISITOR | kind::SCOPE_PROFILE, EventType::Identify | EventType::Group)
            | (kind::SCOPE_ACCOUNT, EventType::Group)
                if is_trait(name()) =>
            {
                Some(read(attribute, &event.properties, name()))
            }
            // A trait of a group may leave out that it is the account's.
            (kind::SCOPE_ACCOUNT, EventType::Group) => {
                let name = name().strip_prefix("account.").filter(|name| is_trait(name))?;
                Some(read(attribute, &event.properties, name))
            }
            (kind::SCOPE_CONTEXT, _) => {
                let value = context_value(event, self.moment, name())?;
                Some(stored(attribute.attribute_type(), Some(value)))
            }
            _ => None,
        }
    }

    /// Keeps whom an event identifies, where experiments go by users.
    fn user(&mut self) {
        if let Some(user) = user_of(self.image, self.event, self.usable) {
            self.set_attribute(USER, Stored::Text(cut(user)));
        }
    }

    /// The latest event wins.
    fn set_attribute(&mut self, hash: u64, value: Stored) {
        let time_ms = self.moment.now_ms;
        match self.state.body(hash) {
            Some(CellBody::Attribute(cell)) if cell.time_ms > time_ms => {}
            _ => self.state.set_body(hash, CellBody::Attribute(AttributeCell { time_ms, value })),
        }
    }

    /// Triggers the rules that wait for this event.
    fn triggers(&mut self) {
        let (image, usable, name) = (self.image, self.usable, self.event.name.as_bytes());
        trigger(image, self.state, self.moment.now_ms, |timer| {
            usable.holds(image.rule(timer.rule()).purpose())
                && image.triggers(timer).any(|event| event == name)
        });
    }

    fn exposure(&mut self) {
        if self.event.event_type == EventType::Exposure && !self.usable.is_empty() {
            expose(self.image, self.state, self.moment, self.event);
        } else if self.event.name == DISMISSED && !self.usable.is_empty() {
            dismiss(self.image, self.state, self.moment, self.event);
        }
    }
}

/// A property as the attribute keeps it.
fn read(attribute: AttributeRow, properties: &Map, path: &str) -> Stored {
    match attribute.attribute_type() {
        kind::TYPE_LIST => listed(properties, path),
        attribute_type => stored(attribute_type, property(properties, path)),
    }
}

/// What the event's context says, else the batch's.
fn context_value<'a>(event: &'a Event, moment: &Moment<'a>, name: &str) -> Option<&'a Value> {
    property(&event.context, name).or_else(|| property(moment.context, name))
}

fn blank_page(moment: &Moment) -> PageView {
    PageView {
        writer: moment.writer,
        start_ms: moment.now_ms,
        last_ms: moment.now_ms,
        is_begun: false,
        facts: Vec::new(),
        held: Vec::new(),
        counts: Vec::new(),
        kept: Vec::new(),
    }
}
