//! Values in JSON, read within their bounds: depth, number of values, sizes of texts and names are counted while reading.

use alloc::borrow::Cow;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::cell::Cell;
use core::fmt;
use selvedge_core::event::RefusalCode;
use selvedge_core::limits::{
    PROPERTIES_MAX, PROPERTY_NAME_BYTES_MAX, TEXT_BYTES_MAX, VALUE_DEPTH_MAX, VALUE_NODES_MAX,
};
use selvedge_core::number::Number;
use selvedge_core::value::{Map, Value};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// A JSON object as a map, within the bounds of values.
///
/// # Errors
/// The [`RefusalCode`] of the first bound broken, or of what cannot be read.
pub fn map(text: &str, entries_max: usize) -> Result<Map, RefusalCode> {
    let budget = Budget { nodes: Cell::new(VALUE_NODES_MAX), broken: Cell::new(None) };
    let mut json = serde_json::Deserializer::from_str(text);
    let seed = MapSeed { budget: &budget, depth: VALUE_DEPTH_MAX, entries_max };
    seed.deserialize(&mut json).map_err(|error| budget.broken.get().unwrap_or_else(|| code_of(&error)))
}

/// The code of what the JSON reader found. It tells these apart by its message only.
pub(super) fn code_of(error: &serde_json::Error) -> RefusalCode {
    let message = error.to_string();
    let begins = |text: &str| message.starts_with(text);
    if begins("number out of range") {
        RefusalCode::NotFinite
    } else if begins("lone leading surrogate")
        || begins("unexpected end of hex escape")
        || begins("invalid unicode")
    {
        RefusalCode::InvalidText
    } else if begins("recursion limit") {
        RefusalCode::TooDeep
    } else {
        RefusalCode::Undecodable
    }
}

/// What is left of the bounds of one map, and which of them was broken first.
struct Budget {
    nodes: Cell<usize>,
    broken: Cell<Option<RefusalCode>>,
}

impl Budget {
    fn fail<E: serde::de::Error>(&self, code: RefusalCode) -> E {
        self.broken.set(Some(code));
        E::custom(code.as_str())
    }

    fn take<E: serde::de::Error>(&self) -> Result<(), E> {
        let left = self.nodes.get().checked_sub(1).ok_or_else(|| self.fail(RefusalCode::TooLarge))?;
        self.nodes.set(left);
        Ok(())
    }
}

struct MapSeed<'b> {
    budget: &'b Budget,
    depth: usize,
    entries_max: usize,
}

impl<'de> DeserializeSeed<'de> for MapSeed<'_> {
    type Value = Map;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Map, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for MapSeed<'_> {
    type Value = Map;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Map, A::Error> {
        let mut map = Map::new();
        while let Some(name) = entries.next_key::<Cow<'de, str>>()? {
            if map.len() >= self.entries_max || name.len() > PROPERTY_NAME_BYTES_MAX {
                return Err(self.budget.fail(RefusalCode::TooLarge));
            }
            map.set(name, entries.next_value_seed(ValueSeed { budget: self.budget, depth: self.depth })?);
        }
        Ok(map)
    }
}

struct ValueSeed<'b> {
    budget: &'b Budget,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for ValueSeed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.budget.take()?;
        let depth = self.depth.checked_sub(1).ok_or_else(|| self.budget.fail(RefusalCode::TooDeep))?;
        deserializer.deserialize_any(ValueSeed { depth, ..self })
    }
}

impl<'de> Visitor<'de> for ValueSeed<'_> {
    type Value = Value;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E>(self, int: i64) -> Result<Value, E> {
        Ok(Value::Number(Number::Int(int)))
    }

    fn visit_u64<E>(self, uint: u64) -> Result<Value, E> {
        Ok(Value::Number(i64::try_from(uint).map_or(Number::Uint(uint), Number::Int)))
    }

    fn visit_f64<E: serde::de::Error>(self, double: f64) -> Result<Value, E> {
        let number = Number::Double(double.to_bits());
        if number.is_finite() {
            Ok(Value::Number(number))
        } else {
            Err(self.budget.fail(RefusalCode::NotFinite))
        }
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Value, E> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(self.budget.fail(RefusalCode::TooLarge));
        }
        Ok(Value::Text(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) =
            items.next_element_seed(ValueSeed { budget: self.budget, depth: self.depth })?
        {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Value, A::Error> {
        let seed = MapSeed { budget: self.budget, depth: self.depth, entries_max: PROPERTIES_MAX };
        seed.visit_map(entries).map(Value::Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use proptest::prelude::*;
    use selvedge_core::limits::PROPERTIES_MAX;

    #[test]
    fn depth_is_counted_as_in_the_core() {
        let nested = |depth: usize| format!(r#"{{"a":{}1{}}}"#, "[".repeat(depth - 1), "]".repeat(depth - 1));
        assert!(map(&nested(VALUE_DEPTH_MAX), 1).is_ok());
        assert_eq!(map(&nested(VALUE_DEPTH_MAX + 1), 1), Err(RefusalCode::TooDeep));
        assert!(selvedge_core::value::check_bounds(&map(&nested(VALUE_DEPTH_MAX), 1).unwrap()).is_ok());
    }

    proptest! {
        #[test]
        fn any_text_is_a_map_or_refused(text in "\\PC{0,200}") {
            let _ = map(&text, PROPERTIES_MAX);
        }

        /// A number or text comes out of the JSON form as it went in.
        #[test]
        fn values_survive_the_json_form(int: i64, uint: u64, bits: u64, text in "\\PC{0,40}") {
            let mut sent = Map::new();
            sent.set("int", Value::Number(Number::Int(int)));
            sent.set("uint", Value::Number(i64::try_from(uint).map_or(Number::Uint(uint), Number::Int)));
            sent.set("text", Value::Text(text));
            if Number::Double(bits).is_finite() {
                sent.set("double", Value::Number(Number::Double(bits)));
            }
            let json = serde_json::to_string(&crate::json::JsonMap(&sent)).unwrap();
            prop_assert_eq!(map(&json, PROPERTIES_MAX), Ok(sent));
        }
    }
}
