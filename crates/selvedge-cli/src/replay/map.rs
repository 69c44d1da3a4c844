//! The map of a recorded log: which column is what, and how what is missing is derived.
//!
//! In: the YAML of a map file. Out: a [`Map`] whose parts are known to fit together. It reads no rows.

use super::derivation::Derivation;
use super::time::TimeFormat;
use selvedge_core::event::EventType;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What a recorded log means, as its map file says it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Map {
    /// The data set's name: part of every writer's id, so that two logs of one user never share a writer.
    pub dataset: String,
    /// The site whose visitors these are: part of every visitor's id.
    pub site: String,
    /// The write key of the source that the events enter by.
    pub write_key: String,
    /// The column that tells one user from another.
    pub user: String,
    /// Where the time of a row stands, and how it is written.
    pub time: TimeColumn,
    /// Where the event's name stands.
    pub event: EventColumn,
    /// Facts of the moment, by the name that rules use.
    #[serde(default)]
    pub context: BTreeMap<String, Derivation>,
    /// Properties, each group for the events it names.
    #[serde(default)]
    pub properties: Vec<PropertyGroup>,
}

/// Where the time of a row stands, and how it is written.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeColumn {
    /// The column.
    pub column: String,
    /// `rfc3339`, `unix_ms`, `unix_s`, or a pattern such as `%Y-%m-%d %H:%M:%S`.
    pub format: String,
    /// The time zone of a pattern without offset, by its IANA name. UTC where it is left out.
    #[serde(default = "utc")]
    pub timezone: String,
}

fn utc() -> String {
    "UTC".to_owned()
}

/// Where the event's name stands.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventColumn {
    /// The column.
    pub column: String,
    /// The tracking plan's name for a recorded one; a name that is not listed stays.
    #[serde(default)]
    pub rename: BTreeMap<String, String>,
    /// The type of a (renamed) event that is not `track`: `page`, `identify`, `group`, `alias` or `exposure`.
    #[serde(default)]
    pub types: BTreeMap<String, String>,
}

/// Properties and the events that have them.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PropertyGroup {
    /// The events, by their (renamed) names; none means every event.
    #[serde(default)]
    pub events: Vec<String>,
    /// The properties.
    pub set: BTreeMap<String, Derivation>,
}

/// Why a map cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MapFault {
    /// The YAML could not be read as a map.
    #[error("the map cannot be read: {0}")]
    Unreadable(String),
    /// A part of the map that cannot mean anything.
    #[error("the map's {place} {problem}")]
    Meaningless {
        /// Which part.
        place: String,
        /// What is wrong with it, and what is allowed.
        problem: String,
    },
}

impl Map {
    /// Reads and checks the YAML of a map file.
    ///
    /// # Errors
    /// [`MapFault`] with the line, or the name of the part that is wrong.
    pub fn parse(yaml: &str) -> Result<Self, MapFault> {
        let map: Self =
            serde_saphyr::from_str(yaml).map_err(|fault| MapFault::Unreadable(fault.to_string()))?;
        map.check()?;
        Ok(map)
    }

    /// The time format of the map, ready to read cells.
    ///
    /// # Errors
    /// [`MapFault::Meaningless`] for a time zone that does not exist.
    pub fn time_format(&self) -> Result<TimeFormat, MapFault> {
        TimeFormat::new(&self.time.format, &self.time.timezone)
            .map_err(|problem| MapFault::Meaningless { place: "time".to_owned(), problem })
    }

    /// The event's name in the tracking plan, and its type.
    #[must_use]
    pub fn event<'a>(&'a self, recorded: &'a str) -> (&'a str, EventType) {
        let name = self.event.rename.get(recorded).map_or(recorded, String::as_str);
        let event_type = self.event.types.get(name).and_then(|word| event_type(word));
        match event_type {
            None | Some(EventType::Track) => (name, EventType::Track),
            Some(other) => (other.as_str(), other),
        }
    }

    /// The derivations of the properties of the event with this (renamed) name, in the order of the map.
    pub fn properties_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a str, &'a Derivation)> {
        self.properties
            .iter()
            .filter(move |group| group.events.is_empty() || group.events.iter().any(|known| known == name))
            .flat_map(|group| group.set.iter().map(|(property, derivation)| (property.as_str(), derivation)))
    }

    fn check(&self) -> Result<(), MapFault> {
        self.time_format()?;
        for word in self.event.types.values() {
            event_type(word).ok_or_else(|| unknown_type(word))?;
        }
        let properties = self.properties.iter().flat_map(|group| group.set.iter());
        for (name, derivation) in self.context.iter().chain(properties) {
            derivation
                .check()
                .map_err(|problem| MapFault::Meaningless { place: format!("`{name}`"), problem })?;
        }
        Ok(())
    }
}

fn event_type(word: &str) -> Option<EventType> {
    EventType::ALL.into_iter().find(|event_type| event_type.as_str() == word)
}

fn unknown_type(word: &str) -> MapFault {
    let allowed = EventType::ALL.map(EventType::as_str).join(", ");
    MapFault::Meaningless {
        place: "event types".to_owned(),
        problem: format!("hold `{word}`; allowed are {allowed}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = "\
dataset: small
site: shop
write_key: wk
user: who
time:
  column: at
  format: unix_s
event:
  column: what
  rename:
    view: product_view
    pv: page_view
  types:
    page_view: page
context:
  utm.medium:
    table:
      column: channel
      values:
        paid_search: cpc
properties:
  - events: [product_view]
    set:
      category:
        choose: [shoes, jackets]
  - set:
      test:
        constant: true
";

    #[test]
    fn a_map_renames_events_and_gives_them_types() {
        let map = Map::parse(SMALL).unwrap();
        assert_eq!(map.event("view"), ("product_view", EventType::Track));
        assert_eq!(map.event("pv"), ("page", EventType::Page));
        assert_eq!(map.event("other"), ("other", EventType::Track));
    }

    #[test]
    fn a_group_without_events_is_for_every_event() {
        let map = Map::parse(SMALL).unwrap();
        let names = |event| map.properties_of(event).map(|(name, _)| name.to_owned()).collect::<Vec<_>>();
        assert_eq!(names("product_view"), ["category", "test"]);
        assert_eq!(names("home"), ["test"]);
    }

    #[test]
    fn a_map_that_cannot_mean_anything_is_refused_with_the_part_that_is_wrong() {
        for (from, to, expected) in [
            ("user: who", "usr: who", "usr"),
            ("types:\n    page_view: page", "types:\n    page_view: pages", "`pages`"),
            ("format: unix_s", "format: unix_s\n  timezone: Mars/Base", "Mars/Base"),
            ("choose: [shoes, jackets]", "choose: []", "`category`"),
            ("choose: [shoes, jackets]", "chose: [shoes]", "chose"),
        ] {
            let yaml = SMALL.replace(from, to);
            assert_ne!(yaml, SMALL);
            let message = Map::parse(&yaml).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
    }
}
