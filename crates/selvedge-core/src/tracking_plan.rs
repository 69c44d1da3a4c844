//! The tracking plan: which events exist and what their properties are. Read from a program; judged here, the same in
//! the page (which marks and does not apply what the edge would refuse) and at the edge (whose verdict counts).

use crate::consent::Purposes;
use crate::event::{Event, EventType, RefusalCode};
use crate::limits::{
    CONTEXT_ENTRIES_MAX, EVENT_NAME_BYTES_MAX, PROPERTIES_MAX, PROPERTY_NAME_BYTES_MAX, TEXT_BYTES_MAX,
    VALUE_NODES_MAX,
};
use crate::number::Number;
use crate::value::{Map, Value, ValueFault, check_bounds};
use alloc::format;
use alloc::string::{String, ToString};
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
    /// Whether shapes of personal data in it are replaced, as [`crate::masking`] says: it is text that nobody wrote to be sent.
    pub masked: bool,
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

/// Properties that the heads themselves give to events of the types besides `track`: no plan need list them.
pub const OWN_PROPERTIES: [&str; 12] = [
    "path",
    "url",
    "title",
    "referrer",
    "name",
    "user_id",
    "account_id",
    "previous_id",
    "slot",
    "rule",
    "content",
    "program",
];

/// Properties that the heads give besides to exposures of experiments, holdouts and controls, and to what was seen without
/// a grant.
const OF_EXPOSURES: [&str; 4] = ["experiment", "variant", "reason", "granted"];

/// What every site knows without naming it: page views, identify, group, alias and exposures. Its name is empty.
static BUILTIN: PlanEvent = PlanEvent {
    name: String::new(),
    version: 1,
    nature: Nature::Behavioural,
    trust: Trust::Client,
    purposes: Purposes::ANALYTICS.or(Purposes::PERSONALIZATION),
    additional_properties: true,
    urgent: false,
    properties: Vec::new(),
};

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

impl Plan {
    /// The event of this name.
    #[must_use]
    pub fn event(&self, name: &str) -> Option<&PlanEvent> {
        let place = self.events.binary_search_by(|known| known.name.as_str().cmp(name)).ok()?;
        self.events.get(place)
    }

    /// What the plan says of `event`. `track` events go by their name, others by the word of their type; those are known
    /// to every site, with any properties, where the plan does not name them. An exposure is never the plan's to change.
    #[must_use]
    pub fn find(&self, event: &Event) -> Option<&PlanEvent> {
        match event.event_type {
            EventType::Track => self.event(&event.name),
            other => Some(self.find_type(other)),
        }
    }

    /// What the plan says of events of a type other than `track`, which have one name.
    #[must_use]
    pub fn find_type(&self, event_type: EventType) -> &PlanEvent {
        match event_type {
            EventType::Exposure => &BUILTIN,
            other => self.event(other.as_str()).unwrap_or(&BUILTIN),
        }
    }
}

/// What `event` may be used for where its visitor grants it: what the plan says; analytics where the plan does not
/// know it.
#[must_use]
pub fn purposes_of(plan: &Plan, event: &Event) -> Purposes {
    plan.find(event).map_or(Purposes::ANALYTICS, |known| known.purposes)
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

impl PropertyType {
    /// The type's word in a tracking plan.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Integer => "integer",
            Self::Bool => "bool",
            Self::Money => "money",
            Self::Time => "time",
            Self::List => "list",
            Self::Object => "object",
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

/// Puts in place of text what it reads as, where the event's plan has another type for it; true where it did. The readings
/// are used up.
pub fn reread(plan: &Plan, properties: &mut Map, event: &str, readings: &mut Map) -> bool {
    let planned = plan.event(event).map_or(&[][..], |event| &event.properties);
    let mut is_changed = false;
    for (name, value) in core::mem::take(readings) {
        let is_wanted =
            |known: &PlanProperty| known.property_type != PropertyType::Text && known.name == name;
        if planned.iter().any(is_wanted) {
            properties.set(name, value);
            is_changed = true;
        }
    }
    is_changed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Sequence;
    use alloc::vec;

    fn property(name: &str, property_type: PropertyType, required: bool) -> PlanProperty {
        PlanProperty { name: name.into(), property_type, required, pii: false, masked: false, one_of: vec![] }
    }

    fn plan() -> Plan {
        let mut category = property("category", PropertyType::Text, true);
        category.one_of = vec!["shoes".into(), "hats".into()];
        let described = |name: &str, trust, properties| PlanEvent {
            name: name.into(),
            version: 1,
            nature: Nature::Behavioural,
            trust,
            purposes: Purposes::PERSONALIZATION,
            additional_properties: false,
            urgent: false,
            properties,
        };
        let view = vec![
            category,
            property("count", PropertyType::Integer, false),
            property("price", PropertyType::Money, false),
            property("at", PropertyType::Time, false),
        ];
        Plan {
            events: vec![
                described("page", Trust::Client, vec![]),
                described("product_view", Trust::Client, view),
                described("refund", Trust::Server, vec![]),
            ],
        }
    }

    fn event(event_type: EventType, name: &str, properties: &[(&str, Value)]) -> Event {
        Event {
            sequence: Sequence::new(1).unwrap(),
            event_type,
            name: name.into(),
            time_ms: 0,
            consent: 0,
            properties: properties.iter().map(|(name, value)| ((*name).into(), value.clone())).collect(),
            context: Map::new(),
        }
    }

    fn code(event: &Event) -> Option<RefusalCode> {
        judge(&plan(), event, Trust::Client).err().map(|violation| violation.code)
    }

    fn double(value: f64) -> Value {
        Value::Number(Number::Double(value.to_bits()))
    }

    fn text(text: &str) -> Value {
        Value::Text(text.into())
    }

    #[test]
    fn each_breach_of_the_plan_has_its_code() {
        let shoes = ("category", text("shoes"));
        for (name, properties, expected) in [
            ("product_view", vec![shoes.clone()], None),
            ("product_view", vec![shoes.clone(), ("count", double(3.0)), ("price", double(3.5))], None),
            ("product_view", vec![shoes.clone(), ("price", Value::Null)], None),
            ("wave", vec![], Some(RefusalCode::UnknownEvent)),
            ("exposure", vec![("slot", text("hero"))], Some(RefusalCode::UnknownEvent)),
            ("refund", vec![], Some(RefusalCode::Untrusted)),
            ("product_view", vec![], Some(RefusalCode::RequiredMissing)),
            ("product_view", vec![("category", Value::Null)], Some(RefusalCode::RequiredMissing)),
            ("product_view", vec![("category", Value::Bool(true))], Some(RefusalCode::WrongType)),
            ("product_view", vec![shoes.clone(), ("count", double(3.5))], Some(RefusalCode::WrongType)),
            ("product_view", vec![shoes.clone(), ("price", text("3"))], Some(RefusalCode::WrongType)),
            ("product_view", vec![("category", text("ties"))], Some(RefusalCode::NotInEnum)),
            (
                "product_view",
                vec![shoes.clone(), ("color", Value::Null)],
                Some(RefusalCode::AdditionalProperty),
            ),
            ("product_view", vec![shoes.clone(), ("price", double(f64::NAN))], Some(RefusalCode::NotFinite)),
            ("product_view", vec![shoes, ("price", text(&"x".repeat(9_000)))], Some(RefusalCode::TooLarge)),
        ] {
            assert_eq!(code(&event(EventType::Track, name, &properties)), expected, "{name} {properties:?}");
        }
    }

    #[test]
    fn a_violation_says_where_and_what_is_allowed() {
        let said = |value: Value| {
            let event = event(EventType::Track, "product_view", &[("category", value)]);
            let plan = plan();
            let violation = judge(&plan, &event, Trust::Client).unwrap_err();
            [violation.path(), violation.message()]
        };
        assert_eq!(said(text("ties")), ["properties.category", "it is none of shoes, hats"]);
        assert_eq!(
            said(Value::Bool(true)),
            ["properties.category", "it is bool; the tracking plan says text"]
        );
    }

    #[test]
    fn a_server_may_send_what_a_page_may_not() {
        let refund = event(EventType::Track, "refund", &[]);
        assert!(judge(&plan(), &refund, Trust::Server).is_ok());
    }

    #[test]
    fn types_besides_track_go_by_their_word_and_need_no_entry() {
        let anything = [("anything", text("goes"))];
        assert_eq!(code(&event(EventType::Identify, "identify", &anything)), None);
        assert_eq!(
            code(&event(EventType::Identify, "product_view", &anything)),
            Some(RefusalCode::UnknownEvent)
        );
        assert_eq!(code(&event(EventType::Page, "page", &[("path", text("/"))])), None);
        assert_eq!(code(&event(EventType::Page, "page", &anything)), Some(RefusalCode::AdditionalProperty));
    }

    #[test]
    fn an_exposure_is_known_and_names_its_slot() {
        assert_eq!(code(&event(EventType::Exposure, "exposure", &[("slot", text("hero"))])), None);
        assert_eq!(code(&event(EventType::Exposure, "exposure", &[])), Some(RefusalCode::RequiredMissing));
    }

    #[test]
    fn an_unknown_event_counts_as_analytics() {
        let of = |event_type, name| purposes_of(&plan(), &event(event_type, name, &[]));
        assert_eq!(of(EventType::Track, "wave"), Purposes::ANALYTICS);
        assert_eq!(of(EventType::Track, "product_view"), Purposes::PERSONALIZATION);
        let both = Purposes::ANALYTICS.or(Purposes::PERSONALIZATION);
        assert_eq!(of(EventType::Exposure, "exposure"), both);
    }

    #[test]
    fn a_time_is_rfc_3339_or_whole_milliseconds() {
        for good in ["2026-11-22T10:00:00Z", "2026-11-22t10:00:00.123z", "2026-11-22T10:00:00+01:00"] {
            assert!(is_of_type(PropertyType::Time, &text(good)), "{good}");
        }
        for bad in
            ["", "2026-11-22", "2026-11-22T10:00:00", "2026-11-22T10:00:00+0100", "2026-11-22T10:00:00.Z"]
        {
            assert!(!is_of_type(PropertyType::Time, &text(bad)), "{bad}");
        }
        assert!(is_of_type(PropertyType::Time, &Value::Number(Number::Int(1_795_000_000_000))));
        assert!(!is_of_type(PropertyType::Time, &double(0.5)));
    }
}
