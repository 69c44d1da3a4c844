//! The dictionary of names: what a batch writes in one byte instead of spelling it out.

use super::program::Builtin;
use crate::event::EventType;
use crate::hash::fnv1a_64;
use crate::tracking_plan::{OWN_PROPERTIES, Plan};
use alloc::string::String;
use alloc::vec::Vec;

/// The names that the context of a batch abbreviates, sorted. They are part of wire version 1: a later name is
/// spelled out. So a header can be read before it is known whose plan it belongs to.
const CONTEXT_NAMES: [&str; 17] = [
    "device.class",
    "geo.country",
    "language",
    "page.category",
    "page.path",
    "page.sku",
    "page.title",
    "page.url",
    "referrer",
    "referrer.class",
    "timezone",
    "utm.campaign",
    "utm.content",
    "utm.medium",
    "utm.source",
    "utm.term",
    "viewport.width",
];

/// A dictionary: names sorted, each once, and the number by which both sides know that they hold the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    sorted: Vec<String>,
    number: u64,
}

impl Names {
    /// The dictionary of these names, in whatever order they come.
    #[must_use]
    pub fn new(names: &[&str]) -> Self {
        let mut known = Self { sorted: Vec::new(), number: 0 };
        names.iter().for_each(|name| known.add(name));
        known.numbered()
    }

    /// The dictionary of a batch's own context, fixed by the version of the wire.
    #[must_use]
    pub fn of_context() -> Self {
        Self::new(&CONTEXT_NAMES)
    }

    fn add(&mut self, name: &str) {
        if let Err(place) = self.place(name) {
            self.sorted.insert(place, name.into());
        }
    }

    fn numbered(mut self) -> Self {
        let mut ended = Vec::new();
        for name in &self.sorted {
            ended.extend_from_slice(name.as_bytes());
            ended.push(0);
        }
        self.number = fnv1a_64(&ended);
        self
    }

    fn place(&self, name: &str) -> Result<usize, usize> {
        self.sorted.binary_search_by(|known| known.as_str().cmp(name))
    }

    /// [`fnv1a_64`] over the names, each with a zero byte behind it.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// The place of `name`.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<usize> {
        self.place(name).ok()
    }

    /// The name at `place`.
    #[must_use]
    pub fn get(&self, place: usize) -> Option<&str> {
        self.sorted.get(place).map(String::as_str)
    }

    /// All names, sorted.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.sorted.iter().map(String::as_str)
    }
}

impl Plan {
    /// The plan's dictionary: names of its events, their properties, the built-in facts and events. Build it once for a
    /// program and keep it.
    #[must_use]
    pub fn names(&self) -> Names {
        let mut names = Names::new(&CONTEXT_NAMES);
        OWN_PROPERTIES.iter().for_each(|name| names.add(name));
        Builtin::ALL.iter().for_each(|fact| names.add(fact.name()));
        EventType::ALL.iter().for_each(|event_type| names.add(event_type.as_str()));
        for event in &self.events {
            names.add(&event.name);
            event.properties.iter().for_each(|property| names.add(&property.name));
        }
        names.numbered()
    }

    /// The number of [`Self::names`], by which a batch says which names it abbreviates.
    #[must_use]
    pub fn dictionary(&self) -> u64 {
        self.names().number()
    }
}
