//! From state and event to facts. Each fact is resolved once, to what is known of it: the range of values it may have.
//! A condition is definitely true where its code accepts on these ranges.

use super::moment::Moment;
use super::texts::{passes_cut, passes_text};
use crate::consent::Purposes;
use crate::number::{MICRO, Micro};
use crate::value::{Map, Value};
use crate::wire::program::{ACCEPT, Builtin, Code, FactRow, Image, MetricRow, Op, kind, op_of};
use crate::wire::state::{CellBody, PageView, Stored, VisitorState};
use alloc::vec::Vec;

/// What is known of a fact: its value lies between the two, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    pub low: i64,
    pub high: i64,
}

/// What stands for "no such thing" among the values of a fact: below everything that a test can ask for.
pub(super) const MISSING: i64 = i64::MIN;

impl Known {
    /// There is no value, and that is known.
    pub const MISSING: Self = Self { low: MISSING, high: MISSING };
    /// There may be any value, or none.
    pub const UNOBSERVED: Self = Self { low: MISSING, high: i64::MAX };

    /// The value is known.
    pub const fn exact(value: i64) -> Self {
        Self { low: value, high: value }
    }

    /// A number of things, in millionths: known, or a lower bound.
    fn number(count: u32, is_exact: bool) -> Self {
        let low = i64::from(count).wrapping_mul(MICRO);
        Self { low, high: if is_exact { low } else { i64::MAX } }
    }
}

/// Ends the mark of a text that was cut: what stood behind is not known.
pub(super) const CUT_MARK: &str = "…";

/// A value before a fact gives it its shape.
#[derive(Clone, Copy)]
enum Seen<'a> {
    Known(Known),
    Text(&'a str),
    /// What is left of a text that was cut.
    Cut(&'a str),
}

/// Whether the condition that begins at `at` is definitely true.
pub(super) fn is_true(image: &Image, code: Code, known: &[Known], mut at: u16) -> bool {
    // Jumps lead forward, and ACCEPT and REJECT lie beyond the code, so this ends.
    while let Some(op) = op_of(code, at) {
        at = op.next(at, passes(image, op, known_at(known, op.fact())));
    }
    at == ACCEPT
}

/// Whether a test is definitely true: it holds for every value that the fact may have.
#[inline(always)]
pub(super) fn passes(image: &Image, op: Op, known: Known) -> bool {
    match op.test() {
        kind::TEST_RANGE => op.low() <= known.low && known.high <= op.high() && known.low != MISSING,
        kind::TEST_MISSING => known.high == MISSING,
        // The usual mask and an exact value; then the general case.
        kind::TEST_MASK if known.low == known.high => {
            (0..64).contains(&known.low) && (op.low() >> known.low) & 1 == 1
        }
        _ => has_bits(image, op, known),
    }
}

#[inline]
pub(super) fn known_at(known: &[Known], fact: u16) -> Known {
    known.get(usize::from(fact)).copied().unwrap_or(Known::UNOBSERVED)
}

/// Whether every bit of the range is set in the mask. It stops at the first that is not, at the latest behind the mask.
fn has_bits(image: &Image, op: Op, known: Known) -> bool {
    let mut bit = known.low;
    while bit < known.high && has_bit(image, op, bit) {
        bit = bit.wrapping_add(1);
    }
    has_bit(image, op, bit)
}

pub(super) fn has_bit(image: &Image, op: Op, bit: i64) -> bool {
    let narrow = op.low().to_le_bytes();
    let mask = match op.test() {
        kind::TEST_MASK => &narrow[..],
        _ => u16::try_from(op.low()).ok().and_then(|at| image.mask_words(at)).unwrap_or_default(),
    };
    let byte = usize::try_from(bit >> 3).ok().and_then(|at| mask.get(at)).copied().unwrap_or(0);
    (byte >> (bit & 7)) & 1 == 1
}

/// What is known of every fact at this moment.
pub(super) fn resolve(image: &Image, state: &VisitorState, moment: &Moment) -> Vec<Known> {
    let view = View {
        image,
        state,
        moment,
        page: state.page(moment.writer).filter(|page| page.is_begun),
        now_ms: state.now_ms(moment.now_ms),
        observed: moment.in_force.and(state.in_force),
    };
    resolve_each(image, |fact| view.seen(fact))
}

/// What is known of every fact that a metric's filter tests: properties of the event.
pub(super) fn resolve_event(image: &Image, properties: &Map) -> Vec<Known> {
    resolve_each(image, |fact| match fact.source() {
        kind::SOURCE_PROPERTY => property(properties, image.str(fact.name())).map_or(NOTHING, see),
        _ => UNOBSERVED,
    })
}

fn resolve_each<'a>(image: &Image, seen: impl Fn(FactRow) -> Seen<'a>) -> Vec<Known> {
    let mut known = Vec::new();
    for fact in image.each_fact() {
        known.push(shape(image, fact, seen(fact)));
    }
    known
}

const NOTHING: Seen = Seen::Known(Known::MISSING);
const UNOBSERVED: Seen = Seen::Known(Known::UNOBSERVED);

/// The value of a property; dots reach into objects.
pub(super) fn property<'a>(mut map: &'a Map, mut path: &str) -> Option<&'a Value> {
    loop {
        if let Some(value) = map.get(path) {
            return Some(value);
        }
        let dot = path.bytes().position(|byte| byte == b'.')?;
        let Some(Value::Object(inner)) = map.get(path.get(..dot)?) else { return None };
        map = inner;
        path = path.get(dot.saturating_add(1)..)?;
    }
}

/// A property as a fact sees it. What is no number, text or yes-or-no is not known.
fn see(value: &Value) -> Seen<'_> {
    let known = match value {
        Value::Text(text) => return Seen::Text(text),
        Value::Bool(bool) => Some((*bool).into()),
        Value::Number(number) => number.micro().map(|Micro(micro)| micro),
        Value::Null | Value::List(_) | Value::Object(_) => None,
    };
    Seen::Known(known.map_or(Known::MISSING, Known::exact))
}

fn see_stored(value: &Stored) -> Seen<'_> {
    Seen::Known(match value {
        Stored::Text(text) => return text.strip_suffix(CUT_MARK).map_or(Seen::Text(text), Seen::Cut),
        Stored::Missing => Known::MISSING,
        Stored::Unobserved => Known::UNOBSERVED,
        Stored::Number(number) => Known::exact(*number),
        Stored::Bool(bool) => Known::exact((*bool).into()),
    })
}

/// Gives a value its fact's shape; the default stands in for what is missing.
fn shape(image: &Image, fact: FactRow, seen: Seen) -> Known {
    let known = match seen {
        Seen::Text(text) => shape_text(image, fact, text.as_bytes(), false),
        Seen::Cut(kept) => shape_text(image, fact, kept.as_bytes(), true),
        Seen::Known(known) if fact.shape() == kind::SHAPE_NUMBER || known.high == i64::MAX => known,
        Seen::Known(_) => Known::MISSING,
    };
    match fact.default() {
        Some(default) if known.high == MISSING => Known::exact(default),
        Some(_) => Known { low: known.low.max(MISSING + 1), ..known },
        None => known,
    }
}

fn shape_text(image: &Image, fact: FactRow, text: &[u8], is_cut: bool) -> Known {
    match fact.shape() {
        kind::SHAPE_NUMBER => Known::MISSING,
        kind::SHAPE_ONE_OF if is_cut => {
            let mut among =
                (0..u32::from(fact.count())).map(|at| image.listed(fact.texts().wrapping_add(at)));
            let may_be_one = among.any(|longer| longer.starts_with(text));
            Known { low: 1, high: if may_be_one { i64::MAX } else { 1 } }
        }
        kind::SHAPE_ONE_OF => Known::exact(place_among(image, fact, text)),
        test if is_cut => {
            let (low, high) = passes_cut(test, image.text(fact.texts()), text);
            Known { low: low.into(), high: high.into() }
        }
        test => Known::exact(passes_text(test, image.text(fact.texts()), text).into()),
    }
}

/// 1 where the text is none of the fact's, else 2 plus its place among them (they are sorted).
fn place_among(image: &Image, fact: FactRow, text: &[u8]) -> i64 {
    let (mut low, mut high) = (0, u32::from(fact.count()));
    while low < high {
        let middle = low.midpoint(high);
        match image.listed(fact.texts().wrapping_add(middle)).cmp(text) {
            core::cmp::Ordering::Equal => return i64::from(middle).wrapping_add(2),
            core::cmp::Ordering::Less => low = middle.wrapping_add(1),
            core::cmp::Ordering::Greater => high = middle,
        }
    }
    1
}

/// What facts are resolved from.
struct View<'a> {
    image: &'a Image,
    state: &'a VisitorState,
    moment: &'a Moment<'a>,
    page: Option<&'a PageView>,
    now_ms: i64,
    observed: Purposes,
}

impl<'a> View<'a> {
    fn seen(&self, fact: FactRow) -> Seen<'a> {
        match fact.source() {
            kind::SOURCE_BUILTIN => match u8::try_from(fact.index()).ok().and_then(Builtin::from_number) {
                Some(builtin) => self.builtin(builtin),
                None => UNOBSERVED,
            },
            kind::SOURCE_ATTRIBUTE => self.attribute(fact.index()),
            kind::SOURCE_METRIC => Seen::Known(self.metric(self.image.metric(fact.index()))),
            _ => UNOBSERVED,
        }
    }

    fn attribute(&self, at: u16) -> Seen<'a> {
        let attribute = self.image.attribute(at);
        if !self.observed.holds(attribute.purpose()) {
            return UNOBSERVED;
        }
        match self.state.body(attribute.hash()) {
            Some(CellBody::Attribute(cell)) => see_stored(&cell.value),
            _ if attribute.scope() == kind::SCOPE_CONTEXT => {
                self.of_context(self.image.str(attribute.name()), NOTHING)
            }
            _ => NOTHING,
        }
    }

    fn builtin(&self, builtin: Builtin) -> Seen<'a> {
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
            Builtin::DaysSinceLastVisit if is_whole => Seen::Known(self.days_since_last_visit()),
            Builtin::DaysSinceLastVisit => UNOBSERVED,
            _ if is_of_page(builtin) => match self.page {
                Some(page) => fact_of(&page.facts, builtin).map_or(NOTHING, see_stored),
                None => self.of_context(builtin.name(), UNOBSERVED),
            },
            _ if is_of_latest(builtin) => match of_session {
                Some(value) => see_stored(value),
                None => self.of_context(builtin.name(), NOTHING),
            },
            _ if is_whole => of_session.map_or(NOTHING, see_stored),
            _ if session.number == 0 && self.session_is_observed() => {
                self.of_context(builtin.name(), UNOBSERVED)
            }
            _ => UNOBSERVED,
        }
    }

    /// A fact of the batch's context, where state has none.
    fn of_context(&self, name: &str, otherwise: Seen<'a>) -> Seen<'a> {
        property(self.moment.context, name).map_or(otherwise, see)
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

    /// A count up to its threshold: known where its window was watched whole, else a lower bound.
    fn metric(&self, metric: MetricRow) -> Known {
        let top = i64::from(metric.threshold());
        let unknown = Known { low: 0, high: top };
        let Some(CellBody::Count(cell)) = self.state.body(metric.meaning()) else { return unknown };
        let session = &self.state.session;
        let (count, start_ms, is_whole) = match (metric.window(), self.page) {
            (kind::WINDOW_PAGE, Some(page)) => (count_of(page, metric.meaning()), page.start_ms, true),
            (kind::WINDOW_SESSION, _) if self.session_is_observed() => {
                (cell.count, session.start_ms, !session.is_gapped)
            }
            (kind::WINDOW_SLIDING, _) => {
                let start_ms = window_start_ms(self.now_ms, metric.window_ms());
                (count_from(&cell.times_ms, start_ms), start_ms, true)
            }
            _ => return unknown,
        };
        let low = i64::from(count).min(top);
        let is_watched = is_whole
            && self.observed.holds(metric.purpose())
            && cell.since_ms <= start_ms.max(self.state.born_ms);
        Known { low, high: if is_watched { low } else { top } }
    }
}

/// Facts of the open page.
const fn is_of_page(builtin: Builtin) -> bool {
    matches!(builtin, Builtin::PagePath | Builtin::PageTitle | Builtin::PageCategory | Builtin::PageSku)
}

/// Facts that are as the latest context says.
pub(super) const fn is_of_latest(builtin: Builtin) -> bool {
    matches!(builtin, Builtin::DeviceClass | Builtin::ViewportWidth | Builtin::Language | Builtin::GeoCountry)
}

/// The first millisecond of a sliding window that ends with now.
pub(super) fn window_start_ms(now_ms: i64, window_ms: u64) -> i64 {
    now_ms.wrapping_sub(window_ms.cast_signed()).wrapping_add(1)
}

/// How many of the times lie at or after `start_ms`.
pub(super) fn count_from(times_ms: &[i64], start_ms: i64) -> u16 {
    times_ms.iter().fold(0, |count, time_ms| u16::from(*time_ms >= start_ms).saturating_add(count))
}

/// How often something was counted in a page view.
pub(super) fn count_of(page: &PageView, hash: u64) -> u16 {
    page.counts.iter().find(|(known, _)| *known == hash).map_or(0, |(_, count)| *count)
}

/// Counts once in a page view.
pub(super) fn count_in_page(page: &mut PageView, hash: u64) {
    match page.counts.iter_mut().find(|(known, _)| *known == hash) {
        Some((_, count)) => *count = count.saturating_add(1),
        None => page.counts.push((hash, 1)),
    }
}

/// The value of a built-in fact, where it is kept.
pub(super) fn fact_of(facts: &[(Builtin, Stored)], builtin: Builtin) -> Option<&Stored> {
    facts.iter().find(|(known, _)| *known == builtin).map(|(_, value)| value)
}
