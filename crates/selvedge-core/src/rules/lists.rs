//! Lists: the texts that an attribute keeps of one, and conditions on the items of an event's.

use super::facts::{NOTHING, Seen, UNOBSERVED, property, see, shape};
use super::kept::{CUT_MARK, cut, stored};
use super::known::{Known, is_true_of};
use crate::limits::{ITEMS_MAX, LIST_BYTES_MAX, LIST_ITEMS_MAX};
use crate::value::{Map, Value};
use crate::wire::program::{AttributeType, FactRow, Image, kind};
use crate::wire::state::Stored;
use alloc::vec::Vec;

/// The texts of the list at `path`, or of one property of each of its items (`items.category`), as they are kept: each
/// once, in the order sent.
pub(super) fn listed(map: &Map, path: &str) -> Stored {
    match property(map, path) {
        Some(Value::List(items)) => return keep_texts(&mut items.iter()),
        Some(_) => return Stored::Missing,
        None => {}
    }
    for (dot, _) in path.match_indices('.') {
        let of_item = path.get(dot.saturating_add(1)..).unwrap_or_default();
        if let Some(Value::List(items)) = property(map, path.get(..dot).unwrap_or_default()) {
            return keep_texts(&mut items.iter().filter_map(|item| match item {
                Value::Object(item) => property(item, of_item),
                _ => None,
            }));
        }
    }
    Stored::Missing
}

/// A value that tests and `--given` say an attribute has, as it is kept. Pages do not link this.
#[must_use]
pub fn kept_as(attribute_type: AttributeType, value: &Value) -> Stored {
    let attribute_type = match (attribute_type, value) {
        (AttributeType::List, Value::List(items)) => return keep_texts(&mut items.iter()),
        (AttributeType::List, one) => return keep_texts(&mut core::iter::once(one)),
        (AttributeType::Text, _) => kind::TYPE_TEXT,
        (AttributeType::Number, _) => kind::TYPE_NUMBER,
        (AttributeType::Bool, _) => kind::TYPE_BOOL,
        (AttributeType::Time, _) => kind::TYPE_TIME,
    };
    stored(attribute_type, Some(value))
}

fn keep_texts(values: &mut dyn Iterator<Item = &Value>) -> Stored {
    // One byte more than there may be: as long as some is left, so many or fewer were kept.
    let mut room = LIST_BYTES_MAX.saturating_add(1);
    let mut texts = Vec::new();
    for value in values {
        let Value::Text(text) = value else { continue };
        let text = cut(text);
        if texts.contains(&text) {
            continue;
        }
        room = room.saturating_sub(text.len());
        if texts.len() >= LIST_ITEMS_MAX || room == 0 {
            texts.push(CUT_MARK.into());
            break;
        }
        texts.push(text);
    }
    Stored::List(texts)
}

/// Whether one of the items of the event's list passes the fact's condition. It is known that none does only where every
/// one is seen and fails for sure.
pub(super) fn any_item<'a>(image: &Image, fact: FactRow, list: Option<&Value>) -> Seen<'a> {
    let Some(Value::List(items)) = list else { return NOTHING };
    let [passes, fails] = fact.of_item();
    let mut known = Known { low: 0, high: (items.len() > ITEMS_MAX).into() };
    for item in items.iter().take(ITEMS_MAX) {
        let of_item = |at| {
            let fact = image.fact(at);
            shape(image, fact, see_item(image, fact, item))
        };
        if is_true_of(image, image.code(), passes, of_item) {
            return Seen::Known(Known::exact(1));
        }
        if !is_true_of(image, image.code(), fails, of_item) {
            known.high = 1;
        }
    }
    Seen::Known(known)
}

fn see_item<'a>(image: &Image, fact: FactRow, item: &'a Value) -> Seen<'a> {
    let name = image.str(fact.name());
    match item {
        _ if fact.source() != kind::SOURCE_ITEM => UNOBSERVED,
        Value::Object(map) => property(map, name).map_or(NOTHING, see),
        item if name == "item" => see(item),
        _ => NOTHING,
    }
}
