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
const OWN_PROPERTIES: [&str; 11] = [
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

/// Why the plan refuses an event: the first thing found, in the plan's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Violation<'a> {
    /// The one reason.
    pub code: RefusalCode,
    /// The property at fault; empty where it is the event itself.
    pub property: &'a str,
}

/// What an event that is not of type `track` may be used for where the plan does not describe it.
pub const BUILT_IN_PURPOSES: Purposes = Purposes::ANALYTICS.or(Purposes::PERSONALIZATION);

impl Plan {
    /// The event of this name.
    #[must_use]
    pub fn event(&self, name: &str) -> Option<&PlanEvent> {
        let at = self.events.binary_search_by(|known| known.name.as_str().cmp(name)).ok()?;
        self.events.get(at)
    }

    /// What an event may be used for: as the plan says; [`BUILT_IN_PURPOSES`] for a type that is not `track`, where the
    /// plan is silent; [`Purposes::ANALYTICS`] for what the plan does not know.
    #[must_use]
    pub fn purposes_of(&self, event_type: EventType, name: &str) -> Purposes {
        match (self.event(name), event_type) {
            (Some(event), _) => event.purposes,
            (None, EventType::Track) => Purposes::ANALYTICS,
            (None, _) => BUILT_IN_PURPOSES,
        }
    }

    /// Judges an event against the plan. A type that is not `track` and that the plan does not describe may carry
    /// anything.
    ///
    /// # Errors
    /// The first [`Violation`]: the event unknown or its sender not trusted enough, then each property of the plan in
    /// order (missing, wrong type, not in its list), then properties that the plan does not list.
    pub fn judge<'a>(
        &'a self,
        event_type: EventType,
        name: &str,
        properties: &'a Map,
        trust: Trust,
    ) -> Result<(), Violation<'a>> {
        let of_event = |code| Err(Violation { code, property: "" });
        let Some(event) = self.event(name) else {
            return if event_type == EventType::Track { of_event(RefusalCode::UnknownEvent) } else { Ok(()) };
        };
        if trust < event.trust {
            return of_event(RefusalCode::Untrusted);
        }
        for property in &event.properties {
            let judged = property.judge(properties.get(&property.name));
            judged.map_err(|code| Violation { code, property: &property.name })?;
        }
        match properties.iter().find(|(name, _)| !event.allows(name)) {
            Some((property, _)) => Err(Violation { code: RefusalCode::AdditionalProperty, property }),
            None => Ok(()),
        }
    }
}

impl PlanEvent {
    fn allows(&self, name: &str) -> bool {
        self.additional_properties || self.properties.iter().any(|known| known.name == name)
    }
}

impl PlanProperty {
    fn judge(&self, value: Option<&Value>) -> Result<(), RefusalCode> {
        match value {
            None | Some(Value::Null) if self.required => Err(RefusalCode::RequiredMissing),
            None | Some(Value::Null) => Ok(()),
            Some(value) if !self.property_type.takes(value) => Err(RefusalCode::WrongType),
            Some(Value::Text(text)) if !self.one_of.is_empty() && !self.one_of.contains(text) => {
                Err(RefusalCode::NotInEnum)
            }
            Some(_) => Ok(()),
        }
    }
}

impl PropertyType {
    fn takes(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Text, Value::Text(_))
            | (Self::Number | Self::Money, Value::Number(_))
            | (Self::Bool, Value::Bool(_))
            | (Self::List, Value::List(_))
            | (Self::Object, Value::Object(_)) => true,
            (Self::Integer, Value::Number(number)) => is_whole(*number),
            (Self::Time, Value::Number(Number::Int(_) | Number::Uint(_))) => true,
            (Self::Time, Value::Text(text)) => is_moment(text.as_bytes()),
            _ => false,
        }
    }
}

/// Whether a number has no fraction. A double that is too large for millionths has none.
fn is_whole(number: Number) -> bool {
    match number {
        Number::Int(_) | Number::Uint(_) => true,
        Number::Double(_) => {
            number.is_finite() && number.micro().is_none_or(|micro| micro.0.checked_rem(MICRO) == Some(0))
        }
    }
}

/// Whether a text has the shape of RFC 3339: `2026-11-22T10:00:00`, an optional fraction, then `Z` or an offset.
fn is_moment(text: &[u8]) -> bool {
    const SHAPE: &[u8] = b"0000-00-00T00:00:00";
    let Some((seconds, rest)) = text.split_at_checked(SHAPE.len()) else {
        return false;
    };
    let fits = |(byte, shape): (&u8, &u8)| match shape {
        b'0' => byte.is_ascii_digit(),
        other => byte.eq_ignore_ascii_case(other),
    };
    let fraction = |byte: &u8| *byte == b'.' || byte.is_ascii_digit();
    let zone = rest.iter().position(|byte| !fraction(byte)).and_then(|at| rest.get(at..)).unwrap_or_default();
    let zone_fits = match zone {
        [b'Z' | b'z'] => true,
        [b'+' | b'-', clock @ ..] => clock.len() == 5 && clock.iter().zip(b"00:00").all(fits),
        _ => false,
    };
    seconds.iter().zip(SHAPE).all(fits) && zone_fits
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn property(name: &str, property_type: PropertyType, required: bool) -> PlanProperty {
        PlanProperty { name: name.into(), property_type, required, pii: false, one_of: vec![] }
    }

    fn plan() -> Plan {
        let mut category = property("category", PropertyType::Text, true);
        category.one_of = vec!["shoes".into(), "hats".into()];
        Plan {
            events: vec![PlanEvent {
                name: "product_view".into(),
                version: 1,
                nature: Nature::Behavioural,
                trust: Trust::Client,
                purposes: Purposes::PERSONALIZATION,
                additional_properties: false,
                urgent: false,
                properties: vec![category, property("price", PropertyType::Integer, false)],
            }],
        }
    }

    fn judged(name: &str, properties: &[(&str, Value)]) -> Option<RefusalCode> {
        let properties: Map =
            properties.iter().map(|(name, value)| ((*name).into(), value.clone())).collect();
        let plan = plan();
        plan.judge(EventType::Track, name, &properties, Trust::Client).err().map(|violation| violation.code)
    }

    #[test]
    fn each_breach_of_the_plan_has_its_code() {
        let shoes = ("category", Value::Text("shoes".into()));
        let whole = |bits: f64| ("price", Value::Number(Number::Double(bits.to_bits())));
        assert_eq!(judged("product_view", &[shoes.clone()]), None);
        assert_eq!(judged("product_view", &[shoes.clone(), whole(3.0)]), None);
        assert_eq!(judged("product_view", &[shoes.clone(), ("price", Value::Null)]), None);
        for (name, properties, code) in [
            ("wave", vec![], RefusalCode::UnknownEvent),
            ("product_view", vec![], RefusalCode::RequiredMissing),
            ("product_view", vec![("category", Value::Null)], RefusalCode::RequiredMissing),
            ("product_view", vec![("category", Value::Bool(true))], RefusalCode::WrongType),
            ("product_view", vec![("category", Value::Text("ties".into()))], RefusalCode::NotInEnum),
            ("product_view", vec![shoes.clone(), whole(3.5)], RefusalCode::WrongType),
            ("product_view", vec![shoes, ("color", Value::Null)], RefusalCode::AdditionalProperty),
        ] {
            assert_eq!(judged(name, &properties), Some(code), "{name} {properties:?}");
        }
    }

    #[test]
    fn an_event_that_demands_a_server_is_refused_from_a_page() {
        let mut plan = plan();
        plan.events[0].trust = Trust::Server;
        let judged = plan.judge(EventType::Track, "product_view", &Map::new(), Trust::Client).err();
        assert_eq!(judged.map(|violation| violation.code), Some(RefusalCode::Untrusted));
    }

    #[test]
    fn a_type_the_plan_does_not_describe_may_carry_anything() {
        let properties: Map = [("plan".into(), Value::Null)].into_iter().collect();
        assert_eq!(plan().judge(EventType::Identify, "identify", &properties, Trust::Client), Ok(()));
        assert_eq!(plan().purposes_of(EventType::Identify, "identify"), BUILT_IN_PURPOSES);
        assert_eq!(plan().purposes_of(EventType::Track, "wave"), Purposes::ANALYTICS);
    }

    #[test]
    fn times_are_rfc_3339_or_milliseconds() {
        for good in ["2026-11-22T10:00:00Z", "2026-11-22t10:00:00.123z", "2026-11-22T10:00:00+01:00"] {
            assert!(is_moment(good.as_bytes()), "{good}");
        }
        for bad in
            ["", "2026-11-22", "2026-11-22T10:00:00", "2026-11-22T10:00:00+0100", "22.11.2026 10:00:00Z"]
        {
            assert!(!is_moment(bad.as_bytes()), "{bad}");
        }
    }
}
