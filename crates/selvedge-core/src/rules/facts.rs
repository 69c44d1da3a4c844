//! From state and event to facts. Each fact is resolved once, to what is known of it: the range of values it may have.
//! A condition is definitely true where its code accepts on these ranges.

use super::moment::Moment;
use super::program::{ACCEPT, MISSING, Op, OpTest, Program};
use crate::consent::Purposes;
use crate::number::{MICRO, Micro};
use crate::value::{Map, Value};
use crate::wire::program::{AttributeScope, Builtin, Fact, FactSource, Metric, Shape, TextTest, Window};
use crate::wire::state::{CellBody, PageView, Stored, VisitorState};
use alloc::vec::Vec;

/// What is known of a fact: its value lies between the two, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    pub low: i64,
    pub high: i64,
}

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
        let low = i64::from(count).saturating_mul(MICRO);
        Self { low, high: if is_exact { low } else { i64::MAX } }
    }
}

/// Ends the mark of a text that was cut: what stood behind is not known.
pub(super) const CUT_MARK: &str = "…";

/// A value before a fact gives it its shape.
enum Seen<'a> {
    Known(Known),
    Text(&'a str),
    /// What is left of a text that was cut.
    Cut(&'a str),
}

/// Whether the condition that begins at `at` is definitely true.
pub(super) fn is_true(program: &Program, known: &[Known], mut at: u16) -> bool {
    // Jumps lead forward and ACCEPT and REJECT lie beyond the code, so this ends.
    while let Some(op) = program.ops().get(usize::from(at)) {
        at = if passes(program, op, known) { op.on_true } else { op.on_false };
    }
    at == ACCEPT
}

/// Whether a test is definitely true: it holds for every value that the fact may have.
pub(super) fn passes(program: &Program, op: &Op, known: &[Known]) -> bool {
    let known = known_at(known, op.fact);
    match op.test {
        OpTest::Range => op.low <= known.low && known.high <= op.high,
        OpTest::Mask => has_bits(&[op.low.cast_unsigned()], known),
        OpTest::MaskWide => has_bits(mask_words(program, op), known),
    }
}

pub(super) fn known_at(known: &[Known], fact: u16) -> Known {
    known.get(usize::from(fact)).copied().unwrap_or(Known::UNOBSERVED)
}

pub(super) fn mask_words<'a>(program: &'a Program, op: &Op) -> &'a [u64] {
    let at = usize::try_from(op.low).unwrap_or(usize::MAX);
    program.parts().masks.get(at).map_or(&[], Vec::as_slice)
}

/// Whether every bit of the range is set. It stops at the first that is not, at the latest behind the last word.
fn has_bits(words: &[u64], known: Known) -> bool {
    (known.low..=known.high).all(|bit| has_bit(words, bit))
}

pub(super) fn has_bit(words: &[u64], bit: i64) -> bool {
    let word = usize::try_from(bit >> 6).ok().and_then(|at| words.get(at));
    word.is_some_and(|word| (word >> (bit & 63)) & 1 == 1)
}

/// What is known of every fact at this moment.
pub(super) fn resolve(program: &Program, state: &VisitorState, moment: &Moment) -> Vec<Known> {
    let view = View {
        program,
        state,
        moment,
        page: state.page(moment.writer).filter(|page| page.is_begun),
        now_ms: state.now_ms(moment.now_ms),
        observed: moment.in_force.and(state.in_force),
    };
    program.parts().facts.iter().map(|fact| shape(fact, view.seen(fact))).collect()
}

/// What is known of every fact that a metric's filter tests: properties of the event.
pub(super) fn resolve_event(program: &Program, properties: &Map) -> Vec<Known> {
    let seen = |fact: &Fact| match &fact.source {
        FactSource::Property(name) => shape(fact, property(properties, name).map_or(NOTHING, see)),
        _ => Known::UNOBSERVED,
    };
    program.parts().facts.iter().map(seen).collect()
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
        let (name, rest) = (path.get(..dot)?, path.get(dot.saturating_add(1)..)?);
        let Some(Value::Object(inner)) = map.get(name) else { return None };
        map = inner;
        path = rest;
    }
}

/// A property as a fact sees it. What is no number, text or yes-or-no is not known.
fn see(value: &Value) -> Seen<'_> {
    match value {
        Value::Bool(bool) => Seen::Known(Known::exact((*bool).into())),
        Value::Number(number) => {
            Seen::Known(number.micro().map_or(Known::MISSING, |Micro(micro)| Known::exact(micro)))
        }
        Value::Text(text) => Seen::Text(text),
        Value::Null | Value::List(_) | Value::Object(_) => NOTHING,
    }
}

fn see_stored(value: &Stored) -> Seen<'_> {
    match value {
        Stored::Missing => NOTHING,
        Stored::Unobserved => UNOBSERVED,
        Stored::Text(text) => text.strip_suffix(CUT_MARK).map_or(Seen::Text(text), Seen::Cut),
        Stored::Number(number) => Seen::Known(Known::exact(*number)),
        Stored::Bool(bool) => Seen::Known(Known::exact((*bool).into())),
    }
}

/// Gives a value its fact's shape; the default stands in for what is missing.
fn shape(fact: &Fact, seen: Seen) -> Known {
    let known = match (&fact.shape, seen) {
        (Shape::Number, Seen::Known(known)) => known,
        (Shape::OneOf(texts), Seen::Text(text)) => {
            let at = texts.binary_search_by(|known| known.as_str().cmp(text));
            Known::exact(at.map_or(1, |at| i64::try_from(at).unwrap_or(0).saturating_add(2)))
        }
        (Shape::OneOf(texts), Seen::Cut(kept)) => {
            let may_be_one = texts.iter().any(|text| text.starts_with(kept));
            Known { low: 1, high: if may_be_one { i64::MAX } else { 1 } }
        }
        (Shape::Text(test, pattern), Seen::Text(text)) => {
            Known::exact(passes_text(*test, pattern.as_bytes(), text.as_bytes()).into())
        }
        (Shape::Text(test, pattern), Seen::Cut(kept)) => {
            let (low, high) = passes_cut(*test, pattern.as_bytes(), kept.as_bytes());
            Known { low: low.into(), high: high.into() }
        }
        (_, Seen::Known(known)) if known.high != known.low => Known::UNOBSERVED,
        _ => Known::MISSING,
    };
    match fact.default {
        Some(default) if known == Known::MISSING => Known::exact(default),
        Some(_) => Known { low: known.low.max(MISSING.saturating_add(1)), ..known },
        None => known,
    }
}

fn passes_text(test: TextTest, pattern: &[u8], text: &[u8]) -> bool {
    match test {
        TextTest::Contains => {
            pattern.is_empty() || text.windows(pattern.len()).any(|window| window == pattern)
        }
        TextTest::StartsWith => text.starts_with(pattern),
        TextTest::EndsWith => text.ends_with(pattern),
        TextTest::MatchesGlob => matches_glob(pattern, text, false),
    }
}

/// Whether a text that begins with `kept` passes for sure, and whether it may.
fn passes_cut(test: TextTest, pattern: &[u8], kept: &[u8]) -> (bool, bool) {
    let passes = passes_text(test, pattern, kept);
    match test {
        TextTest::Contains => (passes, true),
        TextTest::StartsWith => (passes, passes || pattern.starts_with(kept)),
        TextTest::EndsWith => (false, true),
        TextTest::MatchesGlob => (passes && pattern.ends_with(b"*"), matches_glob(pattern, kept, true)),
    }
}

/// `*` is any run, `?` one character. On a mismatch the latest `*` takes one character more. Where the text goes on
/// unseen, it matches as far as it is seen.
fn matches_glob(mut pattern: &[u8], mut text: &[u8], goes_on: bool) -> bool {
    let mut retry: Option<(&[u8], &[u8])> = None;
    loop {
        match (pattern.split_first(), text.split_first()) {
            (_, None) if goes_on => return true,
            (None, None) => return true,
            (Some((b'*', after)), _) => {
                pattern = after;
                retry = Some((after, text));
            }
            (Some((b'?', after)), Some(_)) => {
                pattern = after;
                text = after_character(text);
            }
            (Some((wanted, after)), Some((found, rest))) if wanted == found => {
                pattern = after;
                text = rest;
            }
            _ => match retry {
                Some((after, from)) if !from.is_empty() => {
                    pattern = after;
                    text = after_character(from);
                    retry = Some((after, text));
                }
                _ => return false,
            },
        }
    }
}

/// What follows the first character (UTF-8).
fn after_character(text: &[u8]) -> &[u8] {
    let is_start = |byte: &u8| byte & 0xc0 != 0x80;
    let length = text.iter().skip(1).position(is_start).map_or(text.len(), |at| at.saturating_add(1));
    text.get(length..).unwrap_or(&[])
}

/// What facts are resolved from.
struct View<'a> {
    program: &'a Program,
    state: &'a VisitorState,
    moment: &'a Moment<'a>,
    page: Option<&'a PageView>,
    now_ms: i64,
    observed: Purposes,
}

impl<'a> View<'a> {
    fn seen(&self, fact: &Fact) -> Seen<'a> {
        match &fact.source {
            FactSource::Builtin(builtin) => self.builtin(*builtin),
            FactSource::Attribute(at) => self.attribute(usize::from(*at)),
            FactSource::Metric(at) => {
                let metric = self.program.parts().metrics.get(usize::from(*at));
                metric.map_or(UNOBSERVED, |metric| Seen::Known(self.metric(metric)))
            }
            FactSource::Property(_) => UNOBSERVED,
        }
    }

    fn attribute(&self, at: usize) -> Seen<'a> {
        let Some(attribute) = self.program.parts().attributes.get(at) else { return UNOBSERVED };
        if !self.observed.holds(attribute.purpose) {
            return UNOBSERVED;
        }
        match self.program.attribute_hashes().get(at).and_then(|hash| self.state.body(*hash)) {
            Some(CellBody::Attribute(cell)) => see_stored(&cell.value),
            _ if attribute.scope == AttributeScope::Context => {
                property(self.moment.context, &attribute.name).map_or(NOTHING, see)
            }
            _ => NOTHING,
        }
    }

    fn builtin(&self, builtin: Builtin) -> Seen<'a> {
        let session = &self.state.session;
        let is_whole = self.session_is_whole();
        match builtin {
            Builtin::VisitorIsNew => Seen::Known(self.is_new()),
            Builtin::SessionNumber => {
                Seen::Known(Known::number(session.number, is_whole && !session.was_gapped))
            }
            Builtin::SessionPages if self.session_is_observed() => {
                Seen::Known(Known::number(session.pages, is_whole))
            }
            Builtin::SessionPages => Seen::Known(Known::number(0, false)),
            Builtin::DaysSinceLastVisit if is_whole => Seen::Known(self.days_since_last_visit()),
            Builtin::DaysSinceLastVisit => UNOBSERVED,
            Builtin::PagePath | Builtin::PageTitle | Builtin::PageCategory | Builtin::PageSku => {
                match self.page {
                    Some(page) => fact_of(&page.facts, builtin).map_or(NOTHING, see_stored),
                    None => self.of_context(builtin, UNOBSERVED),
                }
            }
            Builtin::DeviceClass | Builtin::ViewportWidth | Builtin::Language | Builtin::GeoCountry => {
                match fact_of(&session.facts, builtin) {
                    Some(value) => see_stored(value),
                    None => self.of_context(builtin, NOTHING),
                }
            }
            _ if is_whole => fact_of(&session.facts, builtin).map_or(NOTHING, see_stored),
            _ if session.number == 0 && self.session_is_observed() => self.of_context(builtin, UNOBSERVED),
            _ => UNOBSERVED,
        }
    }

    /// A fact of the batch's context, where state has none.
    fn of_context(&self, builtin: Builtin, otherwise: Seen<'a>) -> Seen<'a> {
        self.moment.context.get(builtin.name()).map_or(otherwise, see)
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
            let days = session.start_ms.saturating_sub(end_ms) / DAY_MS;
            Known::exact(days.saturating_mul(MICRO))
        })
    }

    /// A count up to its threshold: known where its window was watched whole, else a lower bound.
    fn metric(&self, metric: &Metric) -> Known {
        let top = i64::from(metric.threshold);
        let Some(cell) = self.state.count(metric.meaning) else { return Known { low: 0, high: top } };
        let (count, start_ms, is_whole) = match metric.window {
            Window::Page => match self.page {
                Some(page) => (count_of(page, metric.meaning), page.start_ms, true),
                None => (0, 0, false),
            },
            Window::Session if self.session_is_observed() => {
                let session = &self.state.session;
                (cell.count, session.start_ms, !session.is_gapped)
            }
            Window::Session => (0, 0, false),
            Window::Sliding(window_ms) => {
                let start_ms = window_start_ms(self.now_ms, window_ms);
                (count_from(&cell.times_ms, start_ms), start_ms, true)
            }
        };
        let low = i64::from(count).min(top);
        let is_watched = is_whole
            && self.observed.holds(metric.purpose)
            && cell.since_ms <= start_ms.max(self.state.born_ms);
        Known { low, high: if is_watched { low } else { top } }
    }
}

/// The first millisecond of a sliding window that ends with now.
pub(super) fn window_start_ms(now_ms: i64, window_ms: u64) -> i64 {
    now_ms.saturating_sub_unsigned(window_ms).saturating_add(1)
}

/// How many of the ascending times lie at or after `start_ms`.
pub(super) fn count_from(times_ms: &[i64], start_ms: i64) -> u16 {
    let before = times_ms.partition_point(|time_ms| *time_ms < start_ms);
    u16::try_from(times_ms.len().saturating_sub(before)).unwrap_or(u16::MAX)
}

/// How often something was counted in a page view.
pub(super) fn count_of(page: &PageView, hash: u64) -> u16 {
    let at = page.counts.binary_search_by_key(&hash, |(known, _)| *known).ok();
    at.and_then(|at| page.counts.get(at)).map_or(0, |(_, count)| *count)
}

/// Counts once in a page view.
pub(super) fn count_in_page(page: &mut PageView, hash: u64) {
    match page.counts.binary_search_by_key(&hash, |(known, _)| *known) {
        Ok(at) => {
            if let Some((_, count)) = page.counts.get_mut(at) {
                *count = count.saturating_add(1);
            }
        }
        Err(at) => page.counts.insert(at, (hash, 1)),
    }
}

/// The value of a built-in fact, where it is kept.
pub(super) fn fact_of(facts: &[(Builtin, Stored)], builtin: Builtin) -> Option<&Stored> {
    facts.iter().find(|(known, _)| *known == builtin).map(|(_, value)| value)
}
