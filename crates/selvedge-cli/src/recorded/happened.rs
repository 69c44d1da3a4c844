//! Something that happened, and what the visitor granted then.

use selvedge_core::consent::Purposes;
use selvedge_core::event::{Event, EventType};
use selvedge_core::id::WriterId;
use selvedge_core::value::Map;

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Happened {
    /// In which of the visitor's page loads.
    pub writer: WriterId,
    /// What kind of event.
    pub event_type: EventType,
    /// Its name.
    pub name: String,
    /// When: Unix milliseconds.
    pub time_ms: u64,
    /// What is known of it.
    pub properties: Map,
    /// Facts of the moment.
    pub context: Map,
}

/// A recorded event.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// What happened.
    pub happened: Happened,
    /// What the visitor had granted, where that was recorded.
    pub granted: Option<Purposes>,
}

impl Happened {
    /// An event of a page load.
    #[must_use]
    pub fn of(writer: WriterId, event: Event) -> Self {
        let Event { event_type, name, time_ms, properties, context, .. } = event;
        Self { writer, event_type, name, time_ms, properties, context }
    }
}
