//! From values to facts: each value gets the shape that its fact is tested in.

use super::kept::CUT_MARK;
use super::known::{Known, MISSING, known_at};
use super::moment::Orders;
use super::texts::{passes_cut, passes_text};
use crate::date::time_ms;
use crate::hash::fnv1a_64;
use crate::number::{MICRO, Micro};
use crate::value::{Map, Value};
use crate::wire::program::{FactRow, Image, kind};
use crate::wire::state::Stored;
use alloc::string::String;

/// A value before a fact gives it its shape.
#[derive(Clone, Copy)]
pub(super) enum Seen<'a> {
    Known(Known),
    Text(&'a str),
    /// What is left of a text that was cut.
    Cut(&'a str),
    /// A text of which only the hash is kept.
    Hash(u64),
    /// Texts as they are kept.
    List(&'a [String]),
    /// A list as it was sent.
    Items(&'a [Value]),
}

/// What is known of a fact, its values seen as `seen` says, which is told whether it is the fact itself. What is made of
/// other facts reads those before it from `known`.
#[inline(always)]
pub(super) fn found<'a>(
    image: &Image,
    fact: FactRow,
    known: &[Known],
    seen: impl Fn(FactRow, bool) -> Seen<'a>,
) -> Known {
    let seen = match fact.source() {
        kind::SOURCE_DIFFERENCE => Seen::Known(difference(fact, known)),
        kind::SOURCE_SAME_TEXT => {
            same_text(seen(image.fact(fact.index()), false), seen(image.fact(fact.second()), false))
        }
        _ => seen(fact, true),
    };
    shape(image, fact, seen)
}

fn difference(fact: FactRow, known: &[Known]) -> Known {
    let term = |at: u16, flag: u16| {
        let known = known_at(known, at);
        if fact.count() & flag == 0 { known } else { known.in_millionths() }
    };
    term(fact.index(), kind::FIRST_IS_COUNT).minus(term(fact.second(), kind::SECOND_IS_COUNT))
}

/// Whether two texts are the same: where one is cut, they may be.
fn same_text<'a>(first: Seen, second: Seen) -> Seen<'a> {
    let high = match (first, second) {
        (Seen::Text(a), Seen::Text(b)) => return Seen::Known(Known::exact((a == b).into())),
        (Seen::Text(whole), Seen::Cut(kept)) | (Seen::Cut(kept), Seen::Text(whole)) => {
            whole.starts_with(kept)
        }
        (Seen::Cut(a), Seen::Cut(b)) => a.starts_with(b) || b.starts_with(a),
        (Seen::Hash(a), Seen::Hash(b)) => return Seen::Known(Known::exact((a == b).into())),
        (Seen::Hash(hash), Seen::Text(text)) | (Seen::Text(text), Seen::Hash(hash)) => {
            return Seen::Known(Known::exact((fnv1a_64(text.as_bytes()) == hash).into()));
        }
        (Seen::Hash(_), Seen::Cut(_)) | (Seen::Cut(_), Seen::Hash(_)) => true,
        (Seen::Known(Known::UNOBSERVED), _) | (_, Seen::Known(Known::UNOBSERVED)) => return UNOBSERVED,
        _ => return NOTHING,
    };
    Seen::Known(Known { low: 0, high: high.into() })
}

/// Nothing is there.
pub(super) const NOTHING: Seen = Seen::Known(Known::MISSING);
/// Anything may be there.
pub(super) const UNOBSERVED: Seen = Seen::Known(Known::UNOBSERVED);

/// The value of a property; dots reach into objects.
pub(super) fn property<'a>(mut map: &'a Map, mut path: &str) -> Option<&'a Value> {
    while !map.is_empty() {
        if let Some(value) = map.get(path) {
            return Some(value);
        }
        let dot = path.bytes().position(|byte| byte == b'.')?;
        let Some(Value::Object(inner)) = map.get(path.get(..dot)?) else { return None };
        map = inner;
        path = path.get(dot.saturating_add(1)..)?;
    }
    None
}

/// Whether an event's amounts are in another currency than the site's: then nothing is known of them.
#[inline(never)]
pub(super) fn is_foreign(own: &[u8], properties: &Map, orders: Orders) -> bool {
    let is_other = |currency: &str| currency.as_bytes() != own;
    !orders.is_converted && properties.text("currency").is_some_and(is_other)
}

/// What an amount of another currency is worth at this moment.
#[inline(never)]
pub(super) fn worth(image: &Image, fact: FactRow, now_ms: i64) -> Known {
    let currency = image.text(fact.name());
    let rate = image.rate((fact.index(), fact.column()), currency, now_ms);
    let worth = rate.and_then(|rate| Micro(fact.default_value()).at_rate(rate));
    worth.map_or(Known::UNOBSERVED, |Micro(worth)| Known::exact(worth))
}

/// A property as a fact sees it. What is no number, text or yes-or-no is not known.
pub(super) fn see(value: &Value) -> Seen<'_> {
    let known = match value {
        Value::Text(text) => return Seen::Text(text),
        Value::Bool(bool) => Some((*bool).into()),
        Value::Number(number) => number.micro().map(|Micro(micro)| micro),
        Value::List(items) => return Seen::Items(items),
        Value::Null | Value::Object(_) => None,
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
        Stored::List(texts) => return Seen::List(texts),
    })
}

/// Gives a value its fact's shape; the default stands in for what is missing.
pub(super) fn shape(image: &Image, fact: FactRow, seen: Seen) -> Known {
    let known = match seen {
        seen if fact.shape() == kind::SHAPE_TIME => as_time(seen),
        Seen::List(texts) => shape_list(image, fact, &mut texts.iter().map(String::as_str)),
        Seen::Items(items) => shape_list(image, fact, &mut items.iter().filter_map(as_text)),
        Seen::Text(text) => shape_text(image, fact, text.as_bytes(), false),
        Seen::Cut(kept) => shape_text(image, fact, kept.as_bytes(), true),
        Seen::Hash(hash) => shape_hash(image, fact, hash),
        Seen::Known(known) if fact.shape() == kind::SHAPE_NUMBER || known.high == i64::MAX => known,
        Seen::Known(_) => Known::MISSING,
    };
    match fact.default() {
        Some(default) if known.high == MISSING => Known::exact(default),
        Some(_) => Known { low: known.low.max(MISSING + 1), ..known },
        None => known,
    }
}

/// A value as a moment, in Unix milliseconds.
pub(super) fn as_time(seen: Seen) -> Known {
    match seen {
        Seen::Text(text) => time_ms(text).map_or(Known::MISSING, Known::exact),
        Seen::Known(known) if known.low == known.high && known.low != MISSING => {
            Known::exact(known.low / MICRO)
        }
        Seen::Known(known) => known,
        _ => Known::MISSING,
    }
}

fn as_text(value: &Value) -> Option<&str> {
    if let Value::Text(text) = value { Some(text) } else { None }
}

/// Whether a list holds the fact's text: 1 or 0. Where it was cut, it may.
fn shape_list(image: &Image, fact: FactRow, texts: &mut dyn Iterator<Item = &str>) -> Known {
    let mut known = Known::exact(0);
    if fact.shape() == kind::SHAPE_CONTAINS {
        let wanted = image.text(fact.texts());
        for text in texts {
            match text.strip_suffix(CUT_MARK) {
                None if text.as_bytes() == wanted => return Known::exact(1),
                Some(kept) if wanted.starts_with(kept.as_bytes()) => known.high = 1,
                _ => {}
            }
        }
    }
    known
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

/// As a text, where it is compared with whole texts.
fn shape_hash(image: &Image, fact: FactRow, hash: u64) -> Known {
    if fact.shape() != kind::SHAPE_ONE_OF {
        return Known { low: 0, high: 1 };
    }
    let mut among = (0..u32::from(fact.count())).map(|at| image.listed(fact.texts().wrapping_add(at)));
    let place = among.position(|text| fnv1a_64(text) == hash);
    Known::exact(place.and_then(|at| i64::try_from(at).ok()).map_or(1, |at| at.wrapping_add(2)))
}

/// 1 where the text is none of the fact's, else 2 plus its place among them (they are sorted).
fn place_among(image: &Image, fact: FactRow, text: &[u8]) -> i64 {
    image.place_among(fact, text).map_or(1, |at| i64::from(at).wrapping_add(2))
}
