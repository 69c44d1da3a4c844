//! YAML values as events carry them.

use crate::yaml::{Map as YamlMap, Node, Scalar, Value as Yaml};
use selvedge_core::number::Number;
use selvedge_core::value::{Map, Value};

/// The value of a node.
pub(super) fn value(node: &Node) -> Value {
    match &node.value {
        Yaml::Scalar(scalar) => of_scalar(scalar),
        Yaml::List(items) => Value::List(items.iter().map(value).collect()),
        Yaml::Map(entries) => Value::Object(map(entries)),
    }
}

/// The values of a mapping.
pub(super) fn map(entries: &YamlMap) -> Map {
    entries.entries.iter().map(|entry| (entry.key.clone(), value(&entry.value))).collect()
}

fn of_scalar(scalar: &Scalar) -> Value {
    match scalar.as_bool() {
        Some(flag) => Value::Bool(flag),
        None if scalar.is_null() => Value::Null,
        None if scalar.is_number() => number(&scalar.text),
        None => Value::Text(scalar.text.clone()),
    }
}

fn number(text: &str) -> Value {
    let whole = text.parse::<i64>().ok().map(Number::Int);
    let double = || text.parse::<f64>().ok().map(|double| Number::Double(double.to_bits()));
    whole.or_else(double).map_or_else(|| Value::Text(text.to_owned()), Value::Number)
}
