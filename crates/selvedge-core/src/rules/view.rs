//! What a state and a moment tell of every fact.

use super::cart::seen as seen_in_cart;
use super::counts::{count_of, window_start_ms};
use super::facts::{NOTHING, Seen, UNOBSERVED, as_time, found, property, see, see_stored, worth};
use super::kept::fact_of;
use super::known::{Known, MISSING};
use super::metric::values::same;
use super::metric::{Reading, pane_start_ms, seen, unseen};
use super::moment::Moment;
use super::sequences::value;
use crate::consent::Purposes;
use crate::hash::fnv1a_64;
use crate::id::WriterId;
use crate::number::{MICRO, Micro, Number};
use crate::value::Value;
use crate::wire::program::{
    AttributeRow, Builtin, FactRow, Image, Local, LookedUp, MetricRow, SequenceRow, kind,
};
use crate::wire::state::{CART, CellBody, PageView, Stored, VisitorState};
use alloc::vec::Vec;

/// What is known of every fact at this moment.
pub(super) fn resolve(image: &Image, state: &VisitorState, moment: &Moment) -> Vec<Known> {
    let view = View::new(image, state, moment);
    let mut known = Vec::with_capacity(image.facts().into());
    for fact in 0..image.facts() {
        known.push(view.known(fact, &known));
    }
    known
}

/// What facts that stand in cells depend on besides: while it is the same, and the cell, they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Basis {
    observed: Purposes,
    born_ms: i64,
    session_ms: i64,
    is_session_observed: bool,
    is_session_gapped: bool,
    page: Option<(WriterId, i64)>,
}

/// A fact as a value that people read; null where it is missing or not known.
#[must_use]
pub fn told(image: &Image, state: &VisitorState, moment: &Moment, at: u16) -> Value {
    let view = View::new(image, state, moment);
    let fact = image.fact(at);
    let known = match view.seen(fact) {
        Seen::Text(text) | Seen::Cut(text) => return Value::Text(text.into()),
        Seen::Known(known) if known.low == known.high && known.low != MISSING => known.low,
        _ => return Value::Null,
    };
    let whole = |number: i64| Value::Number(Number::Int(number));
    match view.type_of(fact) {
        kind::TYPE_BOOL => Value::Bool(known != 0),
        kind::TYPE_TIME => whole(known),
        _ if known.checked_rem(MICRO) == Some(0) => whole(known.checked_div(MICRO).unwrap_or(known)),
        _ => Value::Number(Micro(known).number()),
    }
}

/// The state that a fact is kept in.
struct Home<'a> {
    state: &'a VisitorState,
    now_ms: i64,
    observed: Purposes,
}

/// Whether a metric of this kind is a count or a time, and not in millionths.
fn is_whole(metric_kind: u8) -> bool {
    use kind::{METRIC_COUNT, METRIC_DISTINCT, METRIC_SAME, METRIC_SINCE, METRIC_TALLY, METRIC_TOP};
    matches!(
        metric_kind,
        METRIC_COUNT | METRIC_TALLY | METRIC_DISTINCT | METRIC_SINCE | METRIC_TOP | METRIC_SAME
    )
}

/// Whether a value was set longer ago than it counts.
fn is_stale(attribute: AttributeRow, set_ms: i64, now_ms: i64) -> bool {
    let ttl_ms = attribute.ttl_ms();
    ttl_ms > 0 && now_ms.wrapping_sub(set_ms) > ttl_ms.cast_signed()
}

/// The name of the value that a fact has at this moment; `None` where it is not known.
#[inline(never)]
pub(super) fn value_of(image: &Image, state: &VisitorState, moment: &Moment, fact: u16) -> Option<u64> {
    match View::new(image, state, moment).seen(image.fact(fact)) {
        Seen::Text(text) | Seen::Cut(text) => Some(fnv1a_64(text.as_bytes())),
        Seen::Known(known) if known.low == known.high && known != Known::MISSING => {
            Some(fnv1a_64(&known.low.to_le_bytes()))
        }
        Seen::Hash(hash) => Some(hash),
        Seen::Known(_) | Seen::List(_) | Seen::Items(_) => None,
    }
}

/// What facts are resolved from.
pub(super) struct View<'a> {
    image: &'a Image,
    state: &'a VisitorState,
    moment: &'a Moment<'a>,
    page: Option<&'a PageView>,
    pub(super) now_ms: i64,
    observed: Purposes,
    /// Where the cell of each fact stands: its place, [`Self::ABSENT`], or [`Self::UNKNOWN`].
    pub(super) places: &'a [u16],
}

impl<'a> View<'a> {
    /// The place of a cell that is not there.
    pub(super) const ABSENT: u16 = u16::MAX;
    /// The place of a cell that nobody looked for.
    pub(super) const UNKNOWN: u16 = u16::MAX - 1;

    pub(super) fn new(image: &'a Image, state: &'a VisitorState, moment: &'a Moment<'a>) -> Self {
        Self {
            image,
            state,
            moment,
            page: state.page(moment.writer).filter(|page| page.is_begun),
            now_ms: state.now_ms(moment.now_ms),
            observed: moment.in_force.and(state.in_force),
            places: &[],
        }
    }

    pub(super) fn basis(&self) -> Basis {
        let session = &self.state.session;
        Basis {
            observed: self.observed,
            born_ms: self.state.born_ms,
            session_ms: session.start_ms,
            is_session_observed: self.session_is_observed(),
            is_session_gapped: session.is_gapped,
            page: self.page.map(|page| (page.writer, page.start_ms)),
        }
    }

    /// What is known of the fact at a place. What is made of other facts reads those before it from `known`.
    pub(super) fn known(&self, at: u16, known: &[Known]) -> Known {
        let fact = self.image.fact(at);
        let place = self.places.get(usize::from(at)).copied().unwrap_or(Self::UNKNOWN);
        found(self.image, fact, known, |fact, is_own| {
            self.seen_in(fact, if is_own { place } else { Self::UNKNOWN })
        })
    }

    /// The type of what a fact is read from. A count is one of numbers.
    fn type_of(&self, fact: FactRow) -> u8 {
        match fact.source() {
            kind::SOURCE_BUILTIN => match u8::try_from(fact.index()).ok().and_then(Builtin::from_number) {
                Some(builtin) => builtin.kind() as u8,
                None => kind::TYPE_NUMBER,
            },
            kind::SOURCE_ATTRIBUTE => self.image.attribute(fact.index()).attribute_type(),
            kind::SOURCE_SEQUENCE => kind::TYPE_BOOL,
            // Counts are whole already, as times are.
            kind::SOURCE_METRIC if is_whole(self.image.metric(fact.index()).kind()) => kind::TYPE_TIME,
            kind::SOURCE_SAME_COUNT => kind::TYPE_TIME,
            _ => kind::TYPE_NUMBER,
        }
    }

    /// The value of a fact, before it gets its shape.
    pub(super) fn seen(&self, fact: FactRow) -> Seen<'a> {
        self.seen_in(fact, Self::UNKNOWN)
    }

    /// The value of a fact whose cell stands at `place`, where that is known.
    fn seen_in(&self, fact: FactRow, place: u16) -> Seen<'a> {
        match fact.source() {
            kind::SOURCE_BUILTIN => match u8::try_from(fact.index()).ok().and_then(Builtin::from_number) {
                Some(builtin) => self.builtin(builtin),
                None => UNOBSERVED,
            },
            kind::SOURCE_ATTRIBUTE => self.attribute(fact.index(), place),
            kind::SOURCE_METRIC => self.metric(self.image.metric(fact.index()), place),
            kind::SOURCE_SAME_COUNT => self.same_count(fact),
            kind::SOURCE_LOOKUP => self.lookup(fact),
            kind::SOURCE_AMOUNT => Seen::Known(worth(self.image, fact, self.now_ms)),
            kind::SOURCE_CLOCK => match Builtin::from_number(fact.column()) {
                Some(builtin) => clock(builtin, self.image.named_zone(fact.index()).local(self.now_ms)),
                None => UNOBSERVED,
            },
            kind::SOURCE_SEQUENCE => Seen::Known(self.sequence(self.image.sequence(fact.index()))),
            _ => UNOBSERVED,
        }
    }

    fn attribute(&self, at: u16, place: u16) -> Seen<'a> {
        let attribute = self.image.attribute(at);
        let Some(home) = self.home(attribute.scope() == kind::SCOPE_ACCOUNT) else { return UNOBSERVED };
        if !home.observed.holds(attribute.purpose()) {
            return UNOBSERVED;
        }
        match body(home.state, attribute.hash(), place) {
            Some(CellBody::Attribute(cell)) if is_stale(attribute, cell.time_ms, home.now_ms) => {
                if attribute.if_stale() == kind::STALE_MISSING { NOTHING } else { UNOBSERVED }
            }
            Some(CellBody::Attribute(cell)) => see_stored(&cell.value),
            _ if attribute.scope() == kind::SCOPE_CONTEXT => {
                let seen = self.of_context(self.image.str(attribute.name()), NOTHING);
                if attribute.attribute_type() == kind::TYPE_TIME { Seen::Known(as_time(seen)) } else { seen }
            }
            _ => NOTHING,
        }
    }

    /// What tells of the visitor, or of its account where that is known.
    fn home(&self, is_of_account: bool) -> Option<Home<'a>> {
        if !is_of_account {
            return Some(Home { state: self.state, now_ms: self.now_ms, observed: self.observed });
        }
        let state = self.moment.account?;
        let observed = self.moment.in_force.and(state.in_force);
        Some(Home { state, now_ms: state.now_ms(self.now_ms), observed })
    }

    pub(super) fn builtin(&self, builtin: Builtin) -> Seen<'a> {
        let session = &self.state.session;
        let is_whole = self.session_is_whole();
        let of_session = fact_of(&session.facts, builtin);
        match builtin {
            Builtin::VisitorIsNew => Seen::Known(self.is_new()),
            Builtin::SessionNumber => {
                Seen::Known(Known::number(session.number, is_whole && !session.was_gapped))
            }
            Builtin::SessionPages => {
                let pages = if self.session_is_observed() { session.pages } else { 0 };
                Seen::Known(Known::number(pages, is_whole))
            }
            _ if builtin.is_of_cart() => match self.state.body(CART) {
                Some(CellBody::Cart(cart)) if self.cart_is_observed() => seen_in_cart(cart, builtin),
                _ => UNOBSERVED,
            },
            Builtin::TimeOfDay | Builtin::Weekday => clock(builtin, self.image.local(self.now_ms)),
            Builtin::VisitorTimeOfDay | Builtin::VisitorWeekday => {
                self.visitor_local().map_or(UNOBSERVED, |local| clock(builtin, local))
            }
            Builtin::Now => Seen::Known(Known::exact(self.now_ms)),
            Builtin::SessionStart if is_whole => Seen::Known(Known::exact(session.start_ms)),
            Builtin::SessionPreviousStart if is_whole => {
                Seen::Known(session.previous_start_ms.map_or(Known::MISSING, Known::exact))
            }
            Builtin::DaysSinceLastVisit if is_whole => Seen::Known(self.days_since_last_visit()),
            Builtin::DaysSinceLastVisit | Builtin::SessionStart | Builtin::SessionPreviousStart => UNOBSERVED,
            _ if is_of_page(builtin) => match self.page {
                Some(page) => fact_of(&page.facts, builtin).map_or(UNOBSERVED, see_stored),
                None => self.of_context(builtin.name(), UNOBSERVED),
            },
            _ if is_of_latest(builtin) => match of_session {
                Some(value @ (Stored::Missing | Stored::Unobserved)) => {
                    self.of_context(builtin.name(), see_stored(value))
                }
                Some(value) => see_stored(value),
                None if self.state.last_time_ms.is_some() => self.of_context(builtin.name(), UNOBSERVED),
                None => self.of_context(builtin.name(), NOTHING),
            },
            _ if is_whole => of_session.map_or(UNOBSERVED, |value| see_kept(builtin, value)),
            _ if session.number == 0 && self.session_is_observed() => {
                self.of_context(builtin.name(), UNOBSERVED)
            }
            _ => UNOBSERVED,
        }
    }

    /// This moment on the visitor's own clock, where that is known.
    pub(super) fn visitor_local(&self) -> Option<Local> {
        match self.builtin(Builtin::UtcOffset) {
            Seen::Known(known)
                if known.low == known.high && (-OFFSET_MAX..=OFFSET_MAX).contains(&known.low) =>
            {
                Some(Local::at(self.now_ms, known.low / MICRO))
            }
            _ => None,
        }
    }

    /// When a kept attribute becomes too old to count.
    pub(super) fn stale_ms(&self, attribute: AttributeRow) -> Option<i64> {
        match self.state.body(attribute.hash()) {
            Some(CellBody::Attribute(cell)) if attribute.ttl_ms() > 0 => {
                Some(cell.time_ms.saturating_add_unsigned(attribute.ttl_ms()).saturating_add(1))
            }
            _ => None,
        }
    }

    /// A fact of the batch's context, where state has none.
    fn of_context(&self, name: &str, otherwise: Seen<'a>) -> Seen<'a> {
        property(self.moment.context, name).map_or(otherwise, see)
    }

    fn cart_is_observed(&self) -> bool {
        self.image.each_cart_event().all(|row| self.observed.holds(row.purpose()))
    }

    /// Whether sessions were observed up to now.
    fn session_is_observed(&self) -> bool {
        self.observed.holds(Purposes::ANALYTICS) && !self.state.session.is_gap_open
    }

    /// Whether all of the present session was observed.
    fn session_is_whole(&self) -> bool {
        let session = &self.state.session;
        self.session_is_observed() && session.number > 0 && !session.is_gapped
    }

    fn is_new(&self) -> Known {
        let session = &self.state.session;
        match session.number {
            2.. => Known::exact(0),
            1 if self.session_is_whole() && !session.was_gapped => Known::exact(1),
            _ => Known { low: 0, high: 1 },
        }
    }

    fn days_since_last_visit(&self) -> Known {
        const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
        let session = &self.state.session;
        session.previous_end_ms.map_or(Known::MISSING, |end_ms| {
            let days = session.start_ms.wrapping_sub(end_ms) / DAY_MS;
            Known::exact(days.wrapping_mul(MICRO))
        })
    }

    fn sequence(&self, row: SequenceRow) -> Known {
        let is_observed = self.observed.holds(row.purpose());
        let cell = self.state.sequence(row.meaning());
        cell.map_or(Known { low: 0, high: 1 }, |cell| {
            value(cell, row, self.now_ms, self.state.born_ms, is_observed)
        })
    }

    /// What is known of a metric; nothing where its window is not observed at all.
    fn metric(&self, metric: MetricRow<'a>, place: u16) -> Seen<'a> {
        self.reading(metric, place).map_or(unseen(metric), |reading| seen(&reading))
    }

    /// How many events had the text that a fact has now.
    fn same_count(&self, fact: FactRow) -> Seen<'a> {
        let (metric, other) = (self.image.metric(fact.index()), self.image.fact(fact.second()));
        let hash = match other.source() {
            // A fact is never made of its own kind.
            kind::SOURCE_SAME_COUNT | kind::SOURCE_LOOKUP => return UNOBSERVED,
            _ => match self.seen(other) {
                Seen::Text(text) => fnv1a_64(text.as_bytes()),
                Seen::Hash(hash) => hash,
                Seen::Known(Known::MISSING) => return NOTHING,
                _ => return UNOBSERVED,
            },
        };
        self.reading(metric, Self::UNKNOWN)
            .map_or(unseen(metric), |reading| Seen::Known(same(&reading, hash)))
    }

    /// What a table says of the text that a fact has now.
    #[inline(never)]
    fn lookup(&self, fact: FactRow) -> Seen<'a> {
        let key = self.image.fact(fact.second());
        match key.source() {
            // A key is never made of other facts.
            kind::SOURCE_LOOKUP | kind::SOURCE_SAME_COUNT => UNOBSERVED,
            _ => match self.seen(key) {
                Seen::Text(key) => {
                    match self.image.look_up(fact.index(), fact.column(), key.as_bytes(), self.now_ms) {
                        None => NOTHING,
                        Some(LookedUp::Unknown) => UNOBSERVED,
                        Some(LookedUp::Text(text)) => Seen::Text(text),
                        Some(LookedUp::Number(number)) => Seen::Known(Known::exact(number)),
                    }
                }
                Seen::Known(Known::MISSING) => NOTHING,
                _ => UNOBSERVED,
            },
        }
    }

    /// What a metric is read from; `None` where nothing of it is observed.
    pub(super) fn reading(&self, metric: MetricRow<'a>, place: u16) -> Option<Reading<'a>> {
        let home = self.home(metric.scope() == kind::OF_ACCOUNT)?;
        let Some(CellBody::Metric(cell)) = body(home.state, metric.meaning(), place) else { return None };
        let (start_ms, is_whole) = self.stretch(metric, home.now_ms)?;
        let is_seen = is_whole && home.observed.holds(metric.purpose());
        let since_ms = if is_seen { cell.since_ms } else { i64::MAX };
        let is_watched = since_ms <= start_ms.max(home.state.born_ms);
        let (hash, now_ms) = (metric.meaning(), home.now_ms);
        let page = self.page.filter(|_| metric.window() == kind::WINDOW_PAGE);
        let of_page = page.and_then(|page| page.kept.iter().find(|(known, _)| *known == hash));
        let kept = of_page.map_or(&cell.kept, |(_, kept)| kept);
        let in_page = page.map_or(0, |page| count_of(page, hash));
        let is_dropped = metric.kind() != kind::METRIC_COUNT && in_page > 0;
        let is_watched = is_watched && !is_dropped;
        Some(Reading { image: self.image, metric, kept, in_page, start_ms, now_ms, since_ms, is_watched })
    }

    /// When the window of a metric began, and whether all of it since then was observed but for the metric's own purpose;
    /// `None` where nothing is known of it.
    fn stretch(&self, metric: MetricRow, now_ms: i64) -> Option<(i64, bool)> {
        let session = &self.state.session;
        let of_time_ms = match metric.window() {
            kind::WINDOW_PAGE => return self.page.map(|page| (page.start_ms, true)),
            kind::WINDOW_SESSION => session.start_ms,
            _ => match pane_start_ms(self.image, metric, now_ms) {
                Some(start_ms) => start_ms,
                None => window_start_ms(now_ms, metric.window_ms()),
            },
        };
        if metric.window() != kind::WINDOW_SESSION && metric.scope() != kind::OF_SESSION {
            return Some((of_time_ms, true));
        }
        let start_ms = of_time_ms.max(session.start_ms);
        self.session_is_observed().then_some((start_ms, !session.is_gapped))
    }
}

/// What a cell holds, found at its place where that is known. A place that is not the cell's own any more is not believed.
fn body(state: &VisitorState, hash: u64, place: u16) -> Option<&CellBody> {
    match state.cells.get(usize::from(place)) {
        Some(cell) if cell.hash == hash => Some(&cell.body),
        _ if place == View::ABSENT => None,
        _ => state.body(hash),
    }
}

/// No clock is further from UTC: millionths of a minute.
const OFFSET_MAX: i64 = 18 * 60 * MICRO;

/// The time of day, or the day of the week.
fn clock<'a>(builtin: Builtin, local: Local) -> Seen<'a> {
    const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    match builtin {
        Builtin::TimeOfDay | Builtin::VisitorTimeOfDay => Seen::Known(Known::exact(local.minute)),
        _ => {
            let day = usize::try_from(local.weekday()).ok().and_then(|day| DAYS.get(day));
            day.map_or(UNOBSERVED, |day| Seen::Text(day))
        }
    }
}

/// A built-in fact as it is seen: of a text that only a mark was kept of, nothing is known.
fn see_kept(builtin: Builtin, value: &Stored) -> Seen<'_> {
    match value {
        Stored::Number(_) if builtin.kind() as u8 == kind::TYPE_TEXT => UNOBSERVED,
        value => see_stored(value),
    }
}

/// Facts of the open page.
const fn is_of_page(builtin: Builtin) -> bool {
    matches!(builtin, Builtin::PagePath | Builtin::PageTitle | Builtin::PageCategory | Builtin::PageSku)
}

/// Facts that are as the latest context says.
pub(super) const fn is_of_latest(builtin: Builtin) -> bool {
    matches!(
        builtin,
        Builtin::DeviceClass
            | Builtin::ViewportWidth
            | Builtin::Language
            | Builtin::GeoCountry
            | Builtin::UtcOffset
    )
}
