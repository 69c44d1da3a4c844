//! The tracking plan: which events exist and what their properties are. Read from a program; judged here, the same in
//! the page (which marks and does not apply what the edge would refuse) and at the edge (whose verdict counts).

use crate::consent::Purposes;
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
