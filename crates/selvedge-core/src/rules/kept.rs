//! Values as a state keeps them.

use crate::date::time_ms;
use crate::hash::fnv1a_64;
use crate::limits::STATE_TEXT_BYTES_MAX;
use crate::number::{MICRO, Micro};
use crate::value::Value;
use crate::wire::program::{Builtin, kind};
use crate::wire::state::Stored;
use alloc::string::String;
use alloc::vec::Vec;

/// Ends the mark of a text that was cut: what stood behind is not known.
pub(super) const CUT_MARK: &str = "…";

/// The value of a built-in fact, where it is kept.
pub(super) fn fact_of(facts: &[(Builtin, Stored)], builtin: Builtin) -> Option<&Stored> {
    facts.iter().find(|(known, _)| *known == builtin).map(|(_, value)| value)
}

/// Keeps a built-in fact, where there is a value for it.
pub(super) fn keep(facts: &mut Vec<(Builtin, Stored)>, builtin: Builtin, value: Option<&Value>) {
    if let (Some(Value::Text(text)), Some(Stored::Text(known))) = (value, fact_of(facts, builtin))
        && text == known
    {
        return;
    }
    match stored(builtin.kind() as u8, value) {
        Stored::Missing => {}
        value => put(facts, builtin, value),
    }
}

/// What tells one campaign from another where no rule reads its name: less to keep, and nothing to read.
pub(super) fn mark_of(name: &str) -> i64 {
    fnv1a_64(name.as_bytes()).cast_signed()
}

pub(super) fn put(facts: &mut Vec<(Builtin, Stored)>, builtin: Builtin, value: Stored) {
    match facts.iter_mut().find(|(known, _)| *known == builtin) {
        Some((_, place)) => *place = value,
        None => facts.push((builtin, value)),
    }
}

/// A value as it is kept; one of another type counts as missing.
pub(super) fn stored(attribute_type: u8, value: Option<&Value>) -> Stored {
    match (attribute_type, value) {
        (kind::TYPE_TEXT, Some(Value::Text(text))) => Stored::Text(cut(text)),
        (kind::TYPE_BOOL, Some(Value::Bool(bool))) => Stored::Bool(*bool),
        (kind::TYPE_NUMBER, Some(Value::Number(number))) => {
            number.micro().map_or(Stored::Missing, |Micro(micro)| Stored::Number(micro))
        }
        (kind::TYPE_TIME, Some(Value::Text(text))) => time_ms(text).map_or(Stored::Missing, Stored::Number),
        (kind::TYPE_TIME, Some(Value::Number(number))) => {
            number.micro().map_or(Stored::Missing, |Micro(micro)| Stored::Number(micro / MICRO))
        }
        _ => Stored::Missing,
    }
}

/// A text as it is kept: where it is too long, cut at a character border and marked.
pub(super) fn cut(text: &str) -> String {
    let is_long = text.len() > STATE_TEXT_BYTES_MAX;
    let kept = if is_long { STATE_TEXT_BYTES_MAX.saturating_sub(CUT_MARK.len()) } else { text.len() };
    let mut kept = String::from(text.get(..text.floor_char_boundary(kept)).unwrap_or_default());
    if is_long {
        kept.push_str(CUT_MARK);
    }
    kept
}
