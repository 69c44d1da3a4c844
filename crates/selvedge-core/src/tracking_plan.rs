//! The tracking plan: which events exist and what their properties are. Read from a program; judged here, the same in
//! the page (which marks and does not apply what the edge would refuse) and at the edge (whose verdict counts).

mod judging;

pub use judging::{Violation, judge, refusal};

use crate::consent::Purposes;
use crate::event::{Event, EventType};
use crate::value::Map;
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
