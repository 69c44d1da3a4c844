//! Whether an event keeps to the plan and to the bounds, and what is told of one that does not.

use super::{OWN_PROPERTIES, Plan, PlanEvent, PlanProperty, PropertyType, Trust};
use crate::event::{Event, EventType, RefusalCode};
use crate::limits::{
    CONTEXT_ENTRIES_MAX, EVENT_NAME_BYTES_MAX, PROPERTIES_MAX, PROPERTY_NAME_BYTES_MAX, TEXT_BYTES_MAX,
    VALUE_NODES_MAX,
};
use crate::number::Number;
use crate::value::{Map, Value, ValueFault, check_bounds};
use alloc::format;
use alloc::string::{String, ToString};

/// Properties that the heads give besides to exposures of experiments, holdouts and controls, and to what was seen without
/// a grant.
const OF_EXPOSURES: [&str; 4] = ["experiment", "variant", "reason", "granted"];

/// Why an event breaks the plan or the bounds. Borrowed, so that a page pays only for the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Violation<'a> {
    /// The code it is refused with.
    pub code: RefusalCode,
    part: &'static str,
    name: &'a str,
    planned: Option<&'a PlanProperty>,
    found: Option<&'a Value>,
}

/// What is told of an event that breaks the plan or the bounds: all of it, or no more than the code, so that a page carries
/// nothing else.
trait Told<'a>: Sized {
    fn of(violation: Violation<'a>) -> Self;
}

impl<'a> Told<'a> for Violation<'a> {
    fn of(violation: Self) -> Self {
        violation
    }
}

impl Told<'_> for RefusalCode {
    fn of(violation: Violation<'_>) -> Self {
        violation.code
    }
}

/// What the plan says of `event`, which came with `trust`, where it keeps to it.
///
/// # Errors
/// The first [`Violation`]: of the bounds, then of being known and trusted, then of the properties in the plan's
/// order, then of what the plan does not list.
///
/// An event `product_view` that the plan does not name is refused as [`RefusalCode::UnknownEvent`] at `name`.
pub fn judge<'a>(plan: &'a Plan, event: &'a Event, trust: Trust) -> Result<&'a PlanEvent, Violation<'a>> {
    judged(plan, event, trust)
}

/// The code under which [`judge`] refuses `event`.
#[must_use]
pub fn refusal(plan: &Plan, event: &Event, trust: Trust) -> Option<RefusalCode> {
    judged(plan, event, trust).err()
}

fn judged<'a, T: Told<'a>>(plan: &'a Plan, event: &'a Event, trust: Trust) -> Result<&'a PlanEvent, T> {
    judge_bounds(event)?;
    let Some(known) = plan.find(event) else {
        return Err(violation(RefusalCode::UnknownEvent, "name", &event.name));
    };
    if known.trust > trust {
        return Err(violation(RefusalCode::Untrusted, "name", &event.name));
    }
    judge_properties(known, &event.properties)?;
    judge_additional(known, event)?;
    if event.event_type == EventType::Exposure && event.properties.text("slot").is_none() {
        return Err(violation(RefusalCode::RequiredMissing, "properties", "slot"));
    }
    Ok(known)
}

/// Bounds that hold for every event, and that its name is the word of its type where it is not `track`.
fn judge_bounds<'a, T: Told<'a>>(event: &'a Event) -> Result<(), T> {
    if event.name.len() > EVENT_NAME_BYTES_MAX {
        return Err(violation(RefusalCode::TooLarge, "name", ""));
    }
    if event.event_type != EventType::Track && event.name != event.event_type.as_str() {
        return Err(violation(RefusalCode::UnknownEvent, "name", &event.name));
    }
    judge_map(&event.properties, "properties", PROPERTIES_MAX)?;
    judge_map(&event.context, "context", CONTEXT_ENTRIES_MAX)
}

fn judge_map<'a, T: Told<'a>>(map: &'a Map, part: &'static str, entries_max: usize) -> Result<(), T> {
    if map.len() > entries_max {
        return Err(violation(RefusalCode::TooLarge, part, ""));
    }
    check_bounds(map).map_err(|fault| {
        let code = match fault {
            ValueFault::NotFinite => RefusalCode::NotFinite,
            ValueFault::TooDeep => RefusalCode::TooDeep,
            ValueFault::TooMany | ValueFault::TooLong => RefusalCode::TooLarge,
        };
        violation(code, part, "")
    })
}

/// A property that is sent but empty counts as missing.
fn judge_properties<'a, T: Told<'a>>(known: &'a PlanEvent, sent: &'a Map) -> Result<(), T> {
    for property in &known.properties {
        let found = sent.get(&property.name);
        let code = match found {
            None | Some(Value::Null) if property.required => RefusalCode::RequiredMissing,
            None | Some(Value::Null) => continue,
            Some(value) if !is_of_type(property.property_type, value) => RefusalCode::WrongType,
            Some(Value::Text(text)) if !property.one_of.is_empty() && !property.one_of.contains(text) => {
                RefusalCode::NotInEnum
            }
            Some(_) => continue,
        };
        let planned = Some(property);
        let bare = Violation { code, part: "properties", name: &property.name, planned, found };
        return Err(T::of(bare));
    }
    Ok(())
}

fn judge_additional<'a, T: Told<'a>>(known: &PlanEvent, event: &'a Event) -> Result<(), T> {
    let is_own = |name: &str| {
        event.event_type != EventType::Track
            && (OWN_PROPERTIES.contains(&name) || OF_EXPOSURES.contains(&name))
    };
    if known.additional_properties {
        return Ok(());
    }
    let is_listed = |name: &str| known.properties.iter().any(|property| property.name == name);
    for (name, _) in event.properties.iter() {
        if !is_own(name) && !is_listed(name) {
            return Err(violation(RefusalCode::AdditionalProperty, "properties", name));
        }
    }
    Ok(())
}

fn violation<'a, T: Told<'a>>(code: RefusalCode, part: &'static str, name: &'a str) -> T {
    T::of(Violation { code, part, name, planned: None, found: None })
}

impl Violation<'_> {
    /// Where: `name`, `properties`, `properties.price`, `context`.
    #[must_use]
    pub fn path(&self) -> String {
        match (self.part, self.name) {
            ("name", _) | (_, "") => self.part.into(),
            (part, name) => [part, ".", name].concat(),
        }
    }

    /// What was found and what is allowed, for people.
    #[must_use]
    pub fn message(&self) -> String {
        match (self.code, self.planned, self.found) {
            (RefusalCode::WrongType, Some(planned), Some(found)) => {
                format!("it is {}; the tracking plan says {}", kind_of(found), planned.property_type.as_str())
            }
            (RefusalCode::NotInEnum, Some(planned), _) => {
                format!("it is none of {}", planned.one_of.join(", "))
            }
            (RefusalCode::UnknownEvent, ..) => {
                format!("the tracking plan has no event `{}` of this type", self.name)
            }
            (RefusalCode::Untrusted, ..) => format!("only an authenticated server may send `{}`", self.name),
            (RefusalCode::RequiredMissing, ..) => "it is required".into(),
            (RefusalCode::AdditionalProperty, ..) => "the tracking plan lists no such property".into(),
            (RefusalCode::NotFinite, ..) => ValueFault::NotFinite.to_string(),
            (RefusalCode::TooDeep, ..) => ValueFault::TooDeep.to_string(),
            _ => format!(
                "it is too large; a name takes at most {PROPERTY_NAME_BYTES_MAX} bytes, a text {TEXT_BYTES_MAX}, an \
                 event {PROPERTIES_MAX} properties, {CONTEXT_ENTRIES_MAX} facts of context and {VALUE_NODES_MAX} values"
            ),
        }
    }
}

fn is_of_type(property_type: PropertyType, value: &Value) -> bool {
    match (property_type, value) {
        (PropertyType::Text, Value::Text(_))
        | (PropertyType::Number | PropertyType::Money, Value::Number(_))
        | (PropertyType::Bool, Value::Bool(_))
        | (PropertyType::List, Value::List(_))
        | (PropertyType::Object, Value::Object(_)) => true,
        (PropertyType::Integer | PropertyType::Time, Value::Number(number)) => number.is_whole(),
        (PropertyType::Time, Value::Text(text)) => is_rfc_3339(text),
        _ => false,
    }
}

/// What a value is, in the words of a tracking plan.
const fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "empty",
        Value::Bool(_) => "bool",
        Value::Number(Number::Int(_) | Number::Uint(_)) => "integer",
        Value::Number(Number::Double(_)) => "number",
        Value::Text(_) => "text",
        Value::List(_) => "list",
        Value::Object(_) => "object",
    }
}

/// Whether a text has the shape of RFC 3339: `2026-11-22T10:55:00Z`, with any fraction of a second and any offset. Whether
/// the day exists is not asked.
fn is_rfc_3339(text: &str) -> bool {
    const SHAPE: &[u8] = b"0000-00-00T00:00:00";
    match text.as_bytes().split_at_checked(SHAPE.len()) {
        Some((moment, rest)) => has_shape(moment, SHAPE) && is_offset(after_fraction(rest)),
        None => false,
    }
}

fn is_offset(rest: &[u8]) -> bool {
    match rest {
        [b'Z' | b'z'] => true,
        [b'+' | b'-', offset @ ..] => has_shape(offset, b"00:00"),
        _ => false,
    }
}

fn after_fraction(rest: &[u8]) -> &[u8] {
    let [b'.', digits @ ..] = rest else {
        return rest;
    };
    match digits.iter().position(|byte| !byte.is_ascii_digit()) {
        Some(end @ 1..) => digits.get(end..).unwrap_or_default(),
        _ => &[],
    }
}

/// Whether `bytes` are as long as `shape` and have a digit wherever that has 0, and the same letter elsewhere.
fn has_shape(bytes: &[u8], shape: &[u8]) -> bool {
    bytes.len() == shape.len()
        && bytes.iter().zip(shape).all(|(byte, place)| match place {
            b'0' => byte.is_ascii_digit(),
            _ => byte.eq_ignore_ascii_case(place),
        })
}

#[cfg(test)]
mod tests;
