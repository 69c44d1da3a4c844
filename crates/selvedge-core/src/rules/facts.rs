//! From values to facts: each value gets the shape that its fact is tested in.

use super::kept::CUT_MARK;
use super::known::{Known, MISSING};
use super::texts::{passes_cut, passes_text};
use crate::number::Micro;
use crate::value::{Map, Value};
use crate::wire::program::{FactRow, Image, kind};
use crate::wire::state::Stored;
use alloc::vec::Vec;

/// A value before a fact gives it its shape.
#[derive(Clone, Copy)]
pub(super) enum Seen<'a> {
    Known(Known),
    Text(&'a str),
    /// What is left of a text that was cut.
    Cut(&'a str),
}

/// What is known of every fact that a metric's filter tests: properties of the event.
pub(super) fn resolve_event(image: &Image, properties: &Map) -> Vec<Known> {
    resolve_each(image, |fact| match fact.source() {
        kind::SOURCE_PROPERTY => property(properties, image.str(fact.name())).map_or(NOTHING, see),
        _ => UNOBSERVED,
    })
}

/// What is known of every fact, each seen as `seen` says.
pub(super) fn resolve_each<'a>(image: &Image, seen: impl Fn(FactRow) -> Seen<'a>) -> Vec<Known> {
    let mut known = Vec::new();
    for fact in image.each_fact() {
        known.push(shape(image, fact, seen(fact)));
    }
    known
}

/// Nothing is there.
pub(super) const NOTHING: Seen = Seen::Known(Known::MISSING);
/// Anything may be there.
pub(super) const UNOBSERVED: Seen = Seen::Known(Known::UNOBSERVED);

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
pub(super) fn see(value: &Value) -> Seen<'_> {
    let known = match value {
        Value::Text(text) => return Seen::Text(text),
        Value::Bool(bool) => Some((*bool).into()),
        Value::Number(number) => number.micro().map(|Micro(micro)| micro),
        Value::Null | Value::List(_) | Value::Object(_) => None,
    };
    Seen::Known(known.map_or(Known::MISSING, Known::exact))
}

/// A kept value as a fact sees it.
pub(super) fn see_stored(value: &Stored) -> Seen<'_> {
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
