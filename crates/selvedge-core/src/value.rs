//! Property values: what an event carries, exactly as it was sent.

use crate::limits::{
    PROPERTIES_MAX, PROPERTY_NAME_BYTES_MAX, TEXT_BYTES_MAX, VALUE_DEPTH_MAX, VALUE_NODES_MAX,
};
use crate::number::Number;
use alloc::string::String;
use alloc::vec::Vec;

/// A value of a property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Sent, but empty. Rules read it as unknown.
    Null,
    /// Yes or no.
    Bool(bool),
    /// A number, as it was sent.
    Number(Number),
    /// Text.
    Text(String),
    /// A list, in the order sent.
    List(Vec<Value>),
    /// A nested object, in the order sent.
    Object(Map),
}

/// Names and values in the order sent. A name that appears twice keeps its first place; the last value wins.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Map(Vec<(String, Value)>);

impl Map {
    /// An empty map.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Sets `name` to `value`, replacing what stood there.
    pub fn set(&mut self, name: impl Into<String>, value: Value) {
        self.put(name.into(), value);
    }

    /// One body for all kinds of names.
    #[inline(never)]
    fn put(&mut self, name: String, value: Value) {
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, place)) => *place = value,
            None => self.0.push((name, value)),
        }
    }

    /// The value of `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The text of `name`, where it is text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Names and values, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Names, and values to be changed, in order.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&str, &mut Value)> {
        self.0.iter_mut().map(|(name, value)| (name.as_str(), value))
    }

    /// How many names there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Names and values, in order, as they are.
impl IntoIterator for Map {
    type Item = (String, Value);
    type IntoIter = alloc::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl FromIterator<(String, Value)> for Map {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(entries: I) -> Self {
        let mut map = Self::new();
        entries.into_iter().for_each(|(name, value)| map.set(name, value));
        map
    }
}

/// What a value breaks of the bounds in [`crate::limits`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ValueFault {
    /// A number that is NaN or infinite.
    #[error("a number is NaN or infinite; numbers must be finite")]
    NotFinite,
    /// Nested deeper than [`VALUE_DEPTH_MAX`].
    #[error("a value is nested too deep; at most {VALUE_DEPTH_MAX} levels")]
    TooDeep,
    /// More values than [`VALUE_NODES_MAX`], or entries of one object than [`PROPERTIES_MAX`].
    #[error("too many values; at most {VALUE_NODES_MAX} in all, {PROPERTIES_MAX} in one object")]
    TooMany,
    /// A text above [`TEXT_BYTES_MAX`] or a name above [`PROPERTY_NAME_BYTES_MAX`].
    #[error(
        "a text or name is too long; text at most {TEXT_BYTES_MAX} bytes, names {PROPERTY_NAME_BYTES_MAX}"
    )]
    TooLong,
}

/// Checks a property map against the bounds.
///
/// # Errors
/// The first [`ValueFault`] met, in the order sent.
pub fn check_bounds(map: &Map) -> Result<(), ValueFault> {
    let mut budget = VALUE_NODES_MAX;
    check_map(map, VALUE_DEPTH_MAX, &mut budget)
}

fn check_map(map: &Map, depth: usize, budget: &mut usize) -> Result<(), ValueFault> {
    for (name, value) in map.iter() {
        if name.len() > PROPERTY_NAME_BYTES_MAX {
            return Err(ValueFault::TooLong);
        }
        check_value(value, depth, budget)?;
    }
    Ok(())
}

fn check_value(value: &Value, depth: usize, budget: &mut usize) -> Result<(), ValueFault> {
    let depth = depth.checked_sub(1).ok_or(ValueFault::TooDeep)?;
    *budget = budget.checked_sub(1).ok_or(ValueFault::TooMany)?;
    match value {
        Value::Null | Value::Bool(_) => Ok(()),
        Value::Number(number) if number.is_finite() => Ok(()),
        Value::Number(_) => Err(ValueFault::NotFinite),
        Value::Text(text) if text.len() <= TEXT_BYTES_MAX => Ok(()),
        Value::Text(_) => Err(ValueFault::TooLong),
        Value::List(list) => list.iter().try_for_each(|item| check_value(item, depth, budget)),
        Value::Object(map) if map.len() > PROPERTIES_MAX => Err(ValueFault::TooMany),
        Value::Object(map) => check_map(map, depth, budget),
    }
}
