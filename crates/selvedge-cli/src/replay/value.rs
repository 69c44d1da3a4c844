//! Values of a recorded log as an event carries them: numbers stay exactly as they were written.

use selvedge_core::number::Number;
use selvedge_core::value::{Map, Value};

/// Nesting that a JSON value of a log may have.
const DEPTH_MAX: usize = selvedge_core::limits::VALUE_DEPTH_MAX;

/// The value of a JSON value.
///
/// # Errors
/// A sentence, for a value that is nested deeper than an event may be.
pub fn from_json(json: &serde_json::Value) -> Result<Value, String> {
    convert(json, DEPTH_MAX)
}

fn convert(json: &serde_json::Value, depth: usize) -> Result<Value, String> {
    let depth =
        depth.checked_sub(1).ok_or_else(|| format!("a value is nested deeper than {DEPTH_MAX} levels"))?;
    Ok(match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(yes) => Value::Bool(*yes),
        serde_json::Value::Number(number) => Value::Number(json_number(number)),
        serde_json::Value::String(text) => Value::Text(text.clone()),
        serde_json::Value::Array(list) => {
            Value::List(list.iter().map(|item| convert(item, depth)).collect::<Result<_, _>>()?)
        }
        serde_json::Value::Object(object) => Value::Object(convert_object(object, depth)?),
    })
}

fn convert_object(object: &serde_json::Map<String, serde_json::Value>, depth: usize) -> Result<Map, String> {
    object.iter().map(|(name, value)| Ok((name.clone(), convert(value, depth)?))).collect()
}

fn json_number(number: &serde_json::Number) -> Number {
    number
        .as_i64()
        .map(Number::Int)
        .or_else(|| number.as_u64().map(Number::Uint))
        .unwrap_or_else(|| Number::Double(number.as_f64().unwrap_or_default().to_bits()))
}

/// The number that a cell writes: an integer where it is one, else the double nearest to it.
#[must_use]
pub fn number(cell: &str) -> Option<Number> {
    let cell = cell.trim();
    let integer = cell.parse().ok().map(Number::Int).or_else(|| cell.parse().ok().map(Number::Uint));
    let double = || cell.parse::<f64>().ok().filter(|double| double.is_finite());
    integer.or_else(|| double().map(|double| Number::Double(double.to_bits())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_numbers_keep_every_digit() {
        let json =
            serde_json::json!({"order": 9_007_199_254_740_993i64, "big": u64::MAX, "latitude": 52.520_008_1});
        let Value::Object(map) = from_json(&json).unwrap() else { panic!("an object") };
        assert_eq!(map.get("order"), Some(&Value::Number(Number::Int(9_007_199_254_740_993))));
        assert_eq!(map.get("big"), Some(&Value::Number(Number::Uint(u64::MAX))));
        assert_eq!(map.get("latitude"), Some(&Value::Number(Number::Double(52.520_008_1f64.to_bits()))));
    }

    #[test]
    fn cells_that_are_no_finite_number_are_none() {
        for cell in ["", "abc", "NaN", "inf", "1e999", "1,5"] {
            assert_eq!(number(cell), None, "{cell}");
        }
        assert_eq!(number(" 7 "), Some(Number::Int(7)));
    }

    #[test]
    fn a_value_nested_too_deep_is_refused() {
        let deep = (0..20).fold(serde_json::Value::Null, |inner, _| serde_json::json!([inner]));
        assert!(from_json(&deep).is_err());
    }
}
