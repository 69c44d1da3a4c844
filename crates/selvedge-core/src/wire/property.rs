//! Values and property maps on the wire, by hand. A name of the dictionary takes one varint: its place plus one;
//! 0 says that the name is spelled out.

use super::codec::{Reader, WireFault, Writer};
use super::names::Names;
use super::tape::Tape;
use crate::limits::{
    PROPERTIES_MAX, PROPERTY_NAME_BYTES_MAX, TEXT_BYTES_MAX, VALUE_DEPTH_MAX, VALUE_NODES_MAX,
};
use crate::number::Number;
use crate::value::{Map, Value};
use alloc::string::String;
use alloc::vec::Vec;

/// Wire number of [`Value::Null`].
pub const NULL: u8 = 0;
/// Wire number of [`Value::Bool`].
pub const BOOL: u8 = 1;
/// Wire number of [`Number::Int`].
pub const INT: u8 = 2;
/// Wire number of [`Number::Uint`].
pub const UINT: u8 = 3;
/// Wire number of [`Number::Double`].
pub const DOUBLE: u8 = 4;
/// Wire number of [`Value::Text`].
pub const TEXT: u8 = 5;
/// Wire number of [`Value::List`].
pub const LIST: u8 = 6;
/// Wire number of [`Value::Object`].
pub const OBJECT: u8 = 7;

/// Writes a name: its place in the dictionary, or itself.
pub fn write_name(out: &mut Writer, name: &str, names: Option<&Names>) {
    match names.and_then(|names| names.find(name)) {
        Some(place) => out.count(place.saturating_add(1)),
        None => {
            out.u8(0);
            out.text(name);
        }
    }
}

/// Writes a map: its count, then names and values.
pub fn write_map(out: &mut Writer, map: &Map, names: Option<&Names>) {
    out.count(map.len());
    for (name, value) in map.iter() {
        write_name(out, name, names);
        write_value(out, value, names);
    }
}

/// Writes a value: its wire number, then what it holds.
pub fn write_value(out: &mut Writer, value: &Value, names: Option<&Names>) {
    match value {
        Value::Null => out.u8(NULL),
        Value::Bool(flag) => {
            out.u8(BOOL);
            out.flag(*flag);
        }
        Value::Number(number) => write_number(out, *number),
        Value::Text(text) => {
            out.u8(TEXT);
            out.text(text);
        }
        Value::List(list) => {
            out.u8(LIST);
            out.count(list.len());
            list.iter().for_each(|item| write_value(out, item, names));
        }
        Value::Object(map) => {
            out.u8(OBJECT);
            write_map(out, map, names);
        }
    }
}

fn write_number(out: &mut Writer, number: Number) {
    match number {
        Number::Int(int) => {
            out.u8(INT);
            out.zigzag(int);
        }
        Number::Uint(uint) => {
            out.u8(UINT);
            out.varint(uint);
        }
        Number::Double(bits) => {
            out.u8(DOUBLE);
            out.fixed_u64(bits);
        }
    }
}

/// Reads a map of at most `entries_max` entries, within the bounds of [`crate::limits`].
///
/// # Errors
/// The first [`WireFault`] met.
pub fn read_map(
    reader: &mut Reader<'_>,
    names: Option<&Names>,
    entries_max: usize,
) -> Result<Map, WireFault> {
    let mut tape = Tape::new(reader.rest());
    let map = take_map(&mut tape, names, entries_max);
    *reader = Reader::new(tape.rest());
    tape.check()?;
    Ok(map)
}

/// A map of at most `entries_max` entries off the tape.
pub fn take_map(tape: &mut Tape<'_>, names: Option<&Names>, entries_max: usize) -> Map {
    Tree { tape, names, nodes_left: VALUE_NODES_MAX, depth_left: VALUE_DEPTH_MAX }.entries(entries_max)
}

/// A name of at most `bytes_max` bytes off the tape: spelled out, or by its place in the dictionary.
pub fn take_name(tape: &mut Tape<'_>, names: Option<&Names>, bytes_max: usize) -> String {
    let Some(place) = tape.u32().checked_sub(1) else {
        return tape.string_max(bytes_max);
    };
    let place = usize::try_from(place).unwrap_or(usize::MAX);
    match names.and_then(|names| names.get(place)) {
        Some(name) => name.into(),
        None => {
            tape.fail(WireFault::UnknownName);
            String::new()
        }
    }
}

/// One tree of values: what is left of the bounds while it is read.
struct Tree<'t, 'a> {
    tape: &'t mut Tape<'a>,
    names: Option<&'t Names>,
    nodes_left: usize,
    depth_left: usize,
}

impl Tree<'_, '_> {
    fn entries(&mut self, entries_max: usize) -> Map {
        let mut map = Map::new();
        let count = self.tape.count();
        if count > entries_max {
            self.tape.fail(WireFault::TooLarge);
        }
        for _ in 0..count {
            if !self.tape.is_sound() {
                break;
            }
            let name = take_name(self.tape, self.names, PROPERTY_NAME_BYTES_MAX);
            map.set(name, self.value());
        }
        map
    }

    fn value(&mut self) -> Value {
        match (self.depth_left.checked_sub(1), self.nodes_left.checked_sub(1)) {
            (None, _) => self.tape.fail(WireFault::TooDeep),
            (_, None) => self.tape.fail(WireFault::TooLarge),
            (Some(depth_left), Some(nodes_left)) => {
                self.nodes_left = nodes_left;
                let depth_here = core::mem::replace(&mut self.depth_left, depth_left);
                let value = self.variant();
                self.depth_left = depth_here;
                return value;
            }
        }
        Value::Null
    }

    fn variant(&mut self) -> Value {
        match u8::try_from(self.tape.u32()).unwrap_or(u8::MAX) {
            NULL => Value::Null,
            BOOL => Value::Bool(self.tape.flag()),
            INT => Value::Number(Number::Int(self.tape.i64())),
            UINT => Value::Number(Number::Uint(self.tape.u64())),
            DOUBLE => Value::Number(Number::Double(self.tape.read(Reader::fixed_u64))),
            TEXT => Value::Text(self.tape.string_max(TEXT_BYTES_MAX)),
            LIST => Value::List(self.list()),
            OBJECT => Value::Object(self.entries(PROPERTIES_MAX)),
            _ => {
                self.tape.fail(WireFault::Malformed);
                Value::Null
            }
        }
    }

    fn list(&mut self) -> Vec<Value> {
        let mut list = Vec::new();
        for _ in 0..self.tape.count() {
            if !self.tape.is_sound() {
                break;
            }
            list.push(self.value());
        }
        list
    }
}
