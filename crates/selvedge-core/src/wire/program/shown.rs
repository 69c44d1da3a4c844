//! What is shown: rules, slots, groups and contents.

use super::deciding::{Cap, Terms};
use super::emit::Emit;
use crate::consent::Purposes;
use alloc::string::String;
use alloc::vec::Vec;

/// Whether a rule acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It acts.
    Live,
    /// It is written, but not acting.
    Draft,
    /// It was stopped.
    Paused,
}

/// How long what was decided stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// Until the page view ends.
    Page,
    /// Until the session ends.
    Session,
    /// For so many milliseconds.
    Time(u64),
}

/// condition -> content in a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its stable id: caps are kept under it.
    pub id: String,
    /// Greater wins.
    pub priority: i32,
    /// Whether it acts.
    pub status: Status,
    /// What acting needs granted.
    pub purpose: Purposes,
    /// The condition's first instruction in [`super::Parts::code`]; `None` is always true.
    pub when: Option<u16>,
    /// Where it shows.
    pub slot: u16,
    /// What it shows.
    pub content: u16,
    /// Its exclusion group.
    pub group: Option<u16>,
    /// How often it may be seen: all must have room.
    pub caps: Vec<Cap>,
    /// How long it stays.
    pub hold: Hold,
    /// Whether it runs in the page too (all of its facts are known there, and it is not private).
    pub in_page: bool,
    /// When it is considered.
    pub timing: Timing,
    /// What it acts under besides.
    pub terms: Terms,
    /// What it tells a destination; such a rule may be without a slot ([`u16::MAX`]).
    pub emit: Option<Emit>,
}

/// When a rule is considered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Timing {
    /// Only at these moments; `None`: at every one.
    pub trigger: Option<Trigger>,
    /// So many milliseconds after its moment, or after its condition became true. Then the condition is asked again.
    pub after_ms: u64,
}

/// The moments at which a rule is considered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trigger {
    /// Events, by name.
    pub events: Vec<String>,
    /// The end of a session.
    pub session_end: bool,
}

/// A named place in a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// Its name.
    pub name: String,
    /// What stands there when no rule wins: a content, or what the page itself holds.
    pub fallback: Option<u16>,
    /// How often anything may be seen there that a rule shows.
    pub caps: Vec<Cap>,
}

/// Rules that share bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// How many of its rules may stand in one page view.
    pub max_per_page: Option<u16>,
    /// How often any of its rules may be seen.
    pub caps: Vec<Cap>,
}

/// A typed thing to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// Its id.
    pub id: String,
    /// What it is.
    pub content_type: ContentType,
    /// Its fields, by type: text `{text}`; link `{href, text}`; image `{src, alt, href?}`; attributes: any names; html
    /// `{html}`; json `{json}`.
    pub fields: Vec<(String, String)>,
}

/// What a content is. The numbers are wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentType {
    /// Text of an element.
    Text = 0,
    /// A link.
    Link = 1,
    /// An image.
    Image = 2,
    /// Attributes of an element (never an event handler or a scripting address).
    Attributes = 3,
    /// Markup of the elements and attributes that cannot run code.
    Html = 4,
    /// Data for the page's own script.
    Json = 5,
}

impl ContentType {
    /// All types, by their numbers.
    pub const ALL: &'static [Self] =
        &[Self::Text, Self::Link, Self::Image, Self::Attributes, Self::Html, Self::Json];

    /// The type as content.yaml and JSON name it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Link => "link",
            Self::Image => "image",
            Self::Attributes => "attributes",
            Self::Html => "html",
            Self::Json => "json",
        }
    }

    /// The type with this wire number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}
