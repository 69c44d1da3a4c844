//! The tracking plan: which events exist and what their properties are. Read from a program; judged here, the same in
//! the page (which marks and does not apply what the edge would refuse) and at the edge (whose verdict counts).

use crate::consent::Purposes;
use crate::event::{Event, EventType, RefusalCode};
use crate::number::{MICRO, Micro, Number};
use crate::value::{Value, ValueFault, check_bounds};
use alloc::string::String;
use alloc::vec::Vec;

/// What a property may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PropertyType {
    /// Text.
    Text,
    /// Any finite number.
    Number,
    /// A number without fraction.
    Integer,
    /// Yes or no.
    Bool,
    /// An amount of the site's currency: a finite number.
    Money,
    /// A moment: text of RFC 3339, or Unix milliseconds.
    Time,
    /// A list.
    List,
    /// A nested object.
    Object,
}

/// A property as the plan describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanProperty {
    /// Its name.
    pub name: String,
    /// What it may be.
    pub property_type: PropertyType,
    /// Whether an event without it is refused.
    pub required: bool,
    /// Whether it identifies a person.
    pub pii: bool,
    /// The texts it may be; empty means any.
    pub one_of: Vec<String>,
}

/// Whether an event is about behaviour or about running the site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nature {
    /// What a visitor did.
    Behavioural,
    /// What the site or its systems did.
    Operational,
}

/// Who may send an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trust {
    /// Anyone with a browser write key.
    Client,
    /// Only an authenticated server or webhook.
    Server,
}

/// An event as the plan describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanEvent {
    /// Its name.
    pub name: String,
    /// The version of its description.
    pub version: u16,
    /// Behaviour or operation.
    pub nature: Nature,
    /// Who may send it.
    pub trust: Trust,
    /// What it may be used for; captured if any is granted, used only for those granted.
    pub purposes: Purposes,
    /// Whether properties outside the list are allowed.
    pub additional_properties: bool,
    /// Whether a page sends it at once, because a rule may change a slot on its account.
    pub urgent: bool,
    /// Its properties.
    pub properties: Vec<PlanProperty>,
}

/// The tracking plan of a program: events sorted by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// The events, sorted by name.
    pub events: Vec<PlanEvent>,
}

/// Properties that the page and the heads themselves give to events of the built-in types: a plan need not list them.
pub const OWN_PROPERTIES: [&str; 11] = [
    "path",
    "url",
    "title",
    "referrer",
    "name",
    "user_id",
    "account_id",
    "slot",
    "rule",
    "content",
    "program",
];

impl Plan {
    /// What the plan says of `event`.
    #[must_use]
    pub fn find(&self, event: &Event) -> Option<&PlanEvent> {
        let at = self.events.binary_search_by(|known| known.name.as_str().cmp(&event.name)).ok()?;
        self.events.get(at)
    }

    /// What `event` may be used for. Outside the plan it counts as analytics; an exposure counts as personalization
    /// too, because caps are kept by it.
    #[must_use]
    pub fn purposes(&self, event: &Event) -> Purposes {
        match self.find(event) {
            Some(planned) => planned.purposes,
            None if event.event_type == EventType::Exposure => {
                Purposes::ANALYTICS.or(Purposes::PERSONALIZATION)
            }
            None => Purposes::ANALYTICS,
        }
    }

    /// Whether `event`, sent with `trust`, is as the plan says. Events of the built-in types need no entry.
    ///
    /// # Errors
    /// The first [`RefusalCode`] met: bounds, then whether it is planned and trusted, then its properties in the order
    /// of the plan, then properties the plan does not list.
    pub fn judge(&self, event: &Event, trust: Trust) -> Result<(), RefusalCode> {
        check_bounds(&event.properties).map_err(refusal_of_bounds)?;
        let Some(planned) = self.find(event) else {
            let is_track = event.event_type == EventType::Track;
            return if is_track { Err(RefusalCode::UnknownEvent) } else { Ok(()) };
        };
        if trust < planned.trust {
            return Err(RefusalCode::Untrusted);
        }
        for property in &planned.properties {
            judge_property(property, event.properties.get(&property.name))?;
        }
        let is_own = |name: &str| event.event_type != EventType::Track && OWN_PROPERTIES.contains(&name);
        let is_planned = |name: &str| planned.properties.iter().any(|property| property.name == name);
        let strays = event.properties.iter().any(|(name, _)| !is_planned(name) && !is_own(name));
        if strays && !planned.additional_properties {
            return Err(RefusalCode::AdditionalProperty);
        }
        Ok(())
    }
}

const fn refusal_of_bounds(fault: ValueFault) -> RefusalCode {
    match fault {
        ValueFault::NotFinite => RefusalCode::NotFinite,
        ValueFault::TooDeep => RefusalCode::TooDeep,
        ValueFault::TooMany | ValueFault::TooLong => RefusalCode::TooLarge,
    }
}

/// A property that is sent but empty counts as missing.
fn judge_property(property: &PlanProperty, value: Option<&Value>) -> Result<(), RefusalCode> {
    match value {
        None | Some(Value::Null) if property.required => Err(RefusalCode::RequiredMissing),
        None | Some(Value::Null) => Ok(()),
        Some(value) if !is_of_type(property.property_type, value) => Err(RefusalCode::WrongType),
        Some(Value::Text(text)) if !property.one_of.is_empty() && !property.one_of.contains(text) => {
            Err(RefusalCode::NotInEnum)
        }
        Some(_) => Ok(()),
    }
}

fn is_of_type(property_type: PropertyType, value: &Value) -> bool {
    match (property_type, value) {
        (PropertyType::Text, Value::Text(_))
        | (PropertyType::Bool, Value::Bool(_))
        | (PropertyType::List, Value::List(_))
        | (PropertyType::Object, Value::Object(_))
        | (PropertyType::Number | PropertyType::Money, Value::Number(_)) => true,
        (PropertyType::Integer | PropertyType::Time, Value::Number(number)) => is_whole(*number),
        (PropertyType::Time, Value::Text(text)) => is_rfc_3339(text),
        _ => false,
    }
}

/// Whether a number has no fraction. Doubles above what rules can read are whole too: they have no bits for one.
fn is_whole(number: Number) -> bool {
    match number {
        Number::Int(_) | Number::Uint(_) => true,
        Number::Double(_) => number.micro().is_none_or(|Micro(micro)| micro.checked_rem(MICRO) == Some(0)),
    }
}

/// Whether a text has the form of a date and time (`2026-11-20T10:00:00Z`); whether the day exists is not asked.
fn is_rfc_3339(text: &str) -> bool {
    let form = b"0000-00-00T00:00:00";
    let begins = text.len() > form.len()
        && text.bytes().zip(form).all(|(byte, place)| match place {
            b'0' => byte.is_ascii_digit(),
            b'T' => matches!(byte, b'T' | b't' | b' '),
            _ => byte == *place,
        });
    begins
        && text.get(form.len()..).is_some_and(|rest| {
            let zone = rest.trim_start_matches(|letter: char| letter == '.' || letter.is_ascii_digit());
            matches!(zone, "Z" | "z") || (zone.len() == 6 && zone.starts_with(['+', '-']))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Sequence;
    use crate::value::Map;
    use alloc::vec;

    fn plan() -> Plan {
        let property = |name: &str, property_type, required| PlanProperty {
            name: name.into(),
            property_type,
            required,
            pii: false,
            one_of: Vec::new(),
        };
        let category =
            PlanProperty { one_of: vec!["shoes".into()], ..property("category", PropertyType::Text, true) };
        Plan {
            events: vec![PlanEvent {
                name: "product_view".into(),
                version: 1,
                nature: Nature::Behavioural,
                trust: Trust::Client,
                purposes: Purposes::PERSONALIZATION,
                additional_properties: false,
                urgent: false,
                properties: vec![category, property("at", PropertyType::Time, false)],
            }],
        }
    }

    fn event(name: &str, properties: &[(&str, Value)]) -> Event {
        Event {
            sequence: Sequence::new(1).unwrap(),
            event_type: EventType::Track,
            name: name.into(),
            time_ms: 0,
            consent: 0,
            properties: properties.iter().map(|(name, value)| ((*name).into(), value.clone())).collect(),
            context: Map::new(),
        }
    }

    #[test]
    fn a_refusal_has_one_code() {
        let text = |text: &str| Value::Text(text.into());
        let shoes = ("category", text("shoes"));
        for (name, properties, verdict) in [
            ("product_view", vec![shoes.clone()], Ok(())),
            ("product_viewed", vec![shoes.clone()], Err(RefusalCode::UnknownEvent)),
            ("product_view", vec![], Err(RefusalCode::RequiredMissing)),
            ("product_view", vec![("category", Value::Null)], Err(RefusalCode::RequiredMissing)),
            ("product_view", vec![("category", Value::Bool(true))], Err(RefusalCode::WrongType)),
            ("product_view", vec![("category", text("hats"))], Err(RefusalCode::NotInEnum)),
            ("product_view", vec![shoes.clone(), ("x", Value::Null)], Err(RefusalCode::AdditionalProperty)),
            ("product_view", vec![shoes.clone(), ("at", text("2026-11-20T10:00:00.5Z"))], Ok(())),
            ("product_view", vec![shoes.clone(), ("at", text("20 November"))], Err(RefusalCode::WrongType)),
            (
                "product_view",
                vec![("category", Value::Number(Number::Double(f64::NAN.to_bits())))],
                Err(RefusalCode::NotFinite),
            ),
        ] {
            assert_eq!(
                plan().judge(&event(name, &properties), Trust::Client),
                verdict,
                "{name} {properties:?}"
            );
        }
    }

    #[test]
    fn an_event_of_a_built_in_type_needs_no_entry() {
        let page =
            Event { event_type: EventType::Page, ..event("page", &[("path", Value::Text("/".into()))]) };
        assert_eq!(plan().judge(&page, Trust::Client), Ok(()));
        assert_eq!(plan().purposes(&page), Purposes::ANALYTICS);
    }
}
