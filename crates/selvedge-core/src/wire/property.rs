//! Values and property maps on the wire, by hand. A name of the dictionary takes one varint: its place plus one;
//! 0 says that the name is spelled out.

use super::codec::{Reader, WireFault, Writer};
use super::names::Names;
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

/// Reads a name of at most `bytes_max` bytes.
///
/// # Errors
/// [`WireFault::UnknownName`] where the dictionary does not hold it.
pub fn read_name(
    reader: &mut Reader<'_>,
    names: Option<&Names>,
    bytes_max: usize,
) -> Result<String, WireFault> {
    match reader.varint_u32()?.checked_sub(1) {
        None => reader.text_max(bytes_max).map(String::from),
        Some(place) => {
            let place = usize::try_from(place).map_err(|_| WireFault::UnknownName)?;
            names.and_then(|names| names.get(place)).map(String::from).ok_or(WireFault::UnknownName)
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
    let mut nodes_left = VALUE_NODES_MAX;
    read_entries(reader, names, entries_max, VALUE_DEPTH_MAX, &mut nodes_left)
}

fn read_entries(
    reader: &mut Reader<'_>,
    names: Option<&Names>,
    entries_max: usize,
    depth: usize,
    nodes_left: &mut usize,
) -> Result<Map, WireFault> {
    let count = reader.count()?;
    if count > entries_max {
        return Err(WireFault::TooLarge);
    }
    let mut map = Map::new();
    for _ in 0..count {
        let name = read_name(reader, names, PROPERTY_NAME_BYTES_MAX)?;
        map.set(name, read_value(reader, names, depth, nodes_left)?);
    }
    Ok(map)
}

fn read_value(
    reader: &mut Reader<'_>,
    names: Option<&Names>,
    depth: usize,
    nodes_left: &mut usize,
) -> Result<Value, WireFault> {
    let depth = depth.checked_sub(1).ok_or(WireFault::TooDeep)?;
    *nodes_left = nodes_left.checked_sub(1).ok_or(WireFault::TooLarge)?;
    Ok(match u8::try_from(reader.varint_u32()?).unwrap_or(u8::MAX) {
        NULL => Value::Null,
        BOOL => Value::Bool(reader.flag()?),
        INT => Value::Number(Number::Int(reader.zigzag_i64()?)),
        UINT => Value::Number(Number::Uint(reader.varint_u64()?)),
        DOUBLE => Value::Number(Number::Double(reader.fixed_u64()?)),
        TEXT => Value::Text(reader.text_max(TEXT_BYTES_MAX)?.into()),
        LIST => Value::List(read_list(reader, names, depth, nodes_left)?),
        OBJECT => Value::Object(read_entries(reader, names, PROPERTIES_MAX, depth, nodes_left)?),
        _ => return Err(WireFault::Malformed),
    })
}

fn read_list(
    reader: &mut Reader<'_>,
    names: Option<&Names>,
    depth: usize,
    nodes_left: &mut usize,
) -> Result<Vec<Value>, WireFault> {
    let mut list = Vec::new();
    for _ in 0..reader.count()? {
        list.push(read_value(reader, names, depth, nodes_left)?);
    }
    Ok(list)
}
