//! Names, values and property maps.

use crate::limits::{
    CONTEXT_ENTRIES_MAX, EVENT_NAME_BYTES_MAX, PROPERTIES_MAX, PROPERTY_NAME_BYTES_MAX, TEXT_BYTES_MAX,
    VALUE_DEPTH_MAX, VALUE_NODES_MAX,
};
use crate::number::Number;
use crate::value::{Map, Value};
use crate::wire::codec::WireFault;
use crate::wire::names::Names;
use crate::wire::property::{BOOL, DOUBLE, INT, LIST, NULL, OBJECT, TEXT, UINT};
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::Cell;
use core::fmt;
use serde::de::{DeserializeSeed, Deserializer, EnumAccess, Error, SeqAccess, VariantAccess, Visitor};
use serde::ser::{Serialize, SerializeSeq, Serializer};

/// How large things may be where they are read.
#[derive(Debug, Clone, Copy)]
pub(in crate::wire) struct Sizes {
    pub(super) event_name_bytes: usize,
    pub(super) name_bytes: usize,
    pub(super) text_bytes: usize,
    pub(super) properties: usize,
    pub(super) context_entries: usize,
    nodes: usize,
    depth: usize,
}

/// What may come from outside.
pub(in crate::wire) const WIRE_SIZES: Sizes = Sizes {
    event_name_bytes: EVENT_NAME_BYTES_MAX,
    name_bytes: PROPERTY_NAME_BYTES_MAX,
    text_bytes: TEXT_BYTES_MAX,
    properties: PROPERTIES_MAX,
    context_entries: CONTEXT_ENTRIES_MAX,
    nodes: VALUE_NODES_MAX,
    depth: VALUE_DEPTH_MAX,
};

/// What stands in the log was checked when it came, and the edge added to it: only the stack is guarded.
pub(in crate::wire) const ROW_SIZES: Sizes = Sizes {
    event_name_bytes: usize::MAX,
    name_bytes: usize::MAX,
    text_bytes: usize::MAX,
    properties: usize::MAX,
    context_entries: usize::MAX,
    nodes: usize::MAX,
    depth: 4 * VALUE_DEPTH_MAX,
};

/// What reading goes by: the dictionary, the sizes, and the fault that a bound noted (postcard's errors carry none).
pub(in crate::wire) struct Bounds<'n> {
    pub(super) names: Option<&'n Names>,
    pub(super) sizes: Sizes,
    pub(super) noted: Cell<Option<WireFault>>,
    nodes_left: Cell<usize>,
}

impl<'n> Bounds<'n> {
    pub(in crate::wire) const fn new(names: Option<&'n Names>, sizes: Sizes) -> Self {
        Self { names, sizes, noted: Cell::new(None), nodes_left: Cell::new(sizes.nodes) }
    }

    fn fail<E: Error>(&self, fault: WireFault) -> E {
        self.noted.set(Some(fault));
        E::custom(fault)
    }

    /// How many items a list promises. Postcard gives no hint where that is more than there are bytes.
    fn promised<E: Error>(&self, hint: Option<usize>) -> Result<usize, E> {
        hint.ok_or_else(|| self.fail(WireFault::Truncated))
    }

    /// One value more, or the fault that there were too many.
    fn spend_node<E: Error>(&self) -> Result<(), E> {
        let left = self.nodes_left.get().checked_sub(1).ok_or_else(|| self.fail(WireFault::TooLarge))?;
        self.nodes_left.set(left);
        Ok(())
    }
}

/// A map as it is written.
pub(in crate::wire) struct MapForm<'a> {
    pub(in crate::wire) map: &'a Map,
    pub(in crate::wire) names: Option<&'a Names>,
}

impl Serialize for MapForm<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut entries = serializer.serialize_seq(Some(self.map.len()))?;
        for (name, value) in self.map.iter() {
            entries.serialize_element(&(
                NameForm { name, names: self.names },
                ValueForm { value, names: self.names },
            ))?;
        }
        entries.end()
    }
}

/// A name as it is written: variant 0 spells it out, the variants above are places in the dictionary.
pub(super) struct NameForm<'a> {
    pub(super) name: &'a str,
    pub(super) names: Option<&'a Names>,
}

impl Serialize for NameForm<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let place = self.names.and_then(|names| names.find(self.name));
        match place.and_then(|place| u32::try_from(place).ok()?.checked_add(1)) {
            Some(variant) => serializer.serialize_unit_variant("Name", variant, "Known"),
            None => serializer.serialize_newtype_variant("Name", 0, "Spelled", self.name),
        }
    }
}

struct ValueForm<'a> {
    value: &'a Value,
    names: Option<&'a Names>,
}

impl Serialize for ValueForm<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let names = self.names;
        match self.value {
            Value::Null => out.serialize_unit_variant("Value", u32::from(NULL), "Null"),
            Value::Bool(flag) => out.serialize_newtype_variant("Value", u32::from(BOOL), "Bool", flag),
            Value::Number(Number::Int(int)) => {
                out.serialize_newtype_variant("Value", u32::from(INT), "Int", int)
            }
            Value::Number(Number::Uint(uint)) => {
                out.serialize_newtype_variant("Value", u32::from(UINT), "Uint", uint)
            }
            Value::Number(Number::Double(bits)) => {
                out.serialize_newtype_variant("Value", u32::from(DOUBLE), "Double", &bits.to_le_bytes())
            }
            Value::Text(text) => out.serialize_newtype_variant("Value", u32::from(TEXT), "Text", text),
            Value::List(list) => {
                out.serialize_newtype_variant("Value", u32::from(LIST), "List", &ListForm { list, names })
            }
            Value::Object(map) => {
                out.serialize_newtype_variant("Value", u32::from(OBJECT), "Object", &MapForm { map, names })
            }
        }
    }
}

struct ListForm<'a> {
    list: &'a [Value],
    names: Option<&'a Names>,
}

impl Serialize for ListForm<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_seq(self.list.iter().map(|value| ValueForm { value, names: self.names }))
    }
}

/// Reads a text of bounded length.
struct TextSeed<'b, 'n> {
    bounds: &'b Bounds<'n>,
    bytes_max: usize,
}

impl<'de> DeserializeSeed<'de> for TextSeed<'_, '_> {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for TextSeed<'_, '_> {
    type Value = String;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "a text of at most {} bytes", self.bytes_max)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<String, E> {
        if text.len() > self.bytes_max { Err(self.bounds.fail(WireFault::TooLarge)) } else { Ok(text.into()) }
    }
}

/// Reads a name: spelled out, or by its place in the dictionary.
pub(super) struct NameSeed<'b, 'n> {
    pub(super) bounds: &'b Bounds<'n>,
    pub(super) bytes_max: usize,
}

impl<'de> DeserializeSeed<'de> for NameSeed<'_, '_> {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_enum("Name", &[], self)
    }
}

impl<'de> Visitor<'de> for NameSeed<'_, '_> {
    type Value = String;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a name")
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<String, A::Error> {
        let Self { bounds, bytes_max } = self;
        let (variant, content) = access.variant::<u32>()?;
        let Some(place) = variant.checked_sub(1) else {
            return content.newtype_variant_seed(TextSeed { bounds, bytes_max });
        };
        content.unit_variant()?;
        let known = usize::try_from(place).ok().and_then(|place| bounds.names?.get(place));
        known.map(String::from).ok_or_else(|| bounds.fail(WireFault::UnknownName))
    }
}

/// Reads a map of at most `entries_max` entries.
pub(in crate::wire) struct MapSeed<'b, 'n> {
    bounds: &'b Bounds<'n>,
    entries_max: usize,
    depth: usize,
}

impl<'b, 'n> MapSeed<'b, 'n> {
    /// A tree's topmost map; the count of values starts anew.
    pub(super) fn new(bounds: &'b Bounds<'n>, entries_max: usize) -> Self {
        bounds.nodes_left.set(bounds.sizes.nodes);
        Self { bounds, entries_max, depth: bounds.sizes.depth }
    }

    /// A context.
    pub(in crate::wire) fn context(bounds: &'b Bounds<'n>) -> Self {
        Self::new(bounds, bounds.sizes.context_entries)
    }
}

impl<'de> DeserializeSeed<'de> for MapSeed<'_, '_> {
    type Value = Map;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Map, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for MapSeed<'_, '_> {
    type Value = Map;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "a map of at most {} entries", self.entries_max)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Map, A::Error> {
        if self.bounds.promised(entries.size_hint())? > self.entries_max {
            return Err(self.bounds.fail(WireFault::TooLarge));
        }
        let mut map = Map::new();
        while let Some((name, value)) =
            entries.next_element_seed(EntrySeed { bounds: self.bounds, depth: self.depth })?
        {
            map.set(name, value);
        }
        Ok(map)
    }
}

struct EntrySeed<'b, 'n> {
    bounds: &'b Bounds<'n>,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for EntrySeed<'_, '_> {
    type Value = (String, Value);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_tuple(2, self)
    }
}

impl<'de> Visitor<'de> for EntrySeed<'_, '_> {
    type Value = (String, Value);

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a name and a value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Self::Value, A::Error> {
        let Self { bounds, depth } = self;
        let name = NameSeed { bounds, bytes_max: bounds.sizes.name_bytes };
        let name = parts.next_element_seed(name)?.ok_or_else(|| A::Error::custom("no name"))?;
        let value = ValueSeed { bounds, depth };
        let value = parts.next_element_seed(value)?.ok_or_else(|| A::Error::custom("no value"))?;
        Ok((name, value))
    }
}

struct ValueSeed<'b, 'n> {
    bounds: &'b Bounds<'n>,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for ValueSeed<'_, '_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_enum("Value", &[], self)
    }
}

impl<'de> Visitor<'de> for ValueSeed<'_, '_> {
    type Value = Value;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a value")
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<Value, A::Error> {
        let bounds = self.bounds;
        let depth = self.depth.checked_sub(1).ok_or_else(|| bounds.fail(WireFault::TooDeep))?;
        bounds.spend_node()?;
        let (variant, content) = access.variant::<u32>()?;
        match u8::try_from(variant).unwrap_or(u8::MAX) {
            NULL => content.unit_variant().map(|()| Value::Null),
            BOOL => content.newtype_variant().map(Value::Bool),
            INT => content.newtype_variant().map(|int| Value::Number(Number::Int(int))),
            UINT => content.newtype_variant().map(|uint| Value::Number(Number::Uint(uint))),
            DOUBLE => content
                .newtype_variant()
                .map(|bytes| Value::Number(Number::Double(u64::from_le_bytes(bytes)))),
            TEXT => content
                .newtype_variant_seed(TextSeed { bounds, bytes_max: bounds.sizes.text_bytes })
                .map(Value::Text),
            LIST => content.newtype_variant_seed(ListSeed { bounds, depth }).map(Value::List),
            OBJECT => content
                .newtype_variant_seed(MapSeed { bounds, entries_max: bounds.sizes.properties, depth })
                .map(Value::Object),
            _ => Err(bounds.fail(WireFault::Malformed)),
        }
    }
}

struct ListSeed<'b, 'n> {
    bounds: &'b Bounds<'n>,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for ListSeed<'_, '_> {
    type Value = Vec<Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for ListSeed<'_, '_> {
    type Value = Vec<Value>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        self.bounds.promised(items.size_hint())?;
        let mut list = Vec::new();
        while let Some(item) =
            items.next_element_seed(ValueSeed { bounds: self.bounds, depth: self.depth })?
        {
            list.push(item);
        }
        Ok(list)
    }
}
