//! What the edge knows better than the page: overwritten before anything is kept.

use super::terms::Arrival;
use alloc::string::ToString;
use selvedge_core::event::{BatchHeader, Event};
use selvedge_core::tracking_plan::Trust;
use selvedge_core::value::{Map, Value};

/// The fact that only the edge may state.
const COUNTRY: &str = "geo.country";

/// The header with what the edge knows better.
pub(super) fn enrich(mut header: BatchHeader, arrival: &Arrival<'_>) -> BatchHeader {
    header.context = overwrite_country(header.context, arrival);
    if let Some(country) = arrival.country
        && header.context.get(COUNTRY).is_none()
    {
        header.context.set(COUNTRY, Value::Text(country.to_string()));
    }
    header
}

/// The event without what only the edge may say.
pub(super) fn enrich_event(mut event: Event, arrival: &Arrival<'_>) -> Event {
    event.context = overwrite_country(event.context, arrival);
    event
}

/// A page's own word on its country is dropped; a server's is kept.
fn overwrite_country(context: Map, arrival: &Arrival<'_>) -> Map {
    if arrival.trust == Trust::Server || context.get(COUNTRY).is_none() {
        return context;
    }
    let others = context.iter().filter(|(name, _)| *name != COUNTRY);
    others.map(|(name, value)| (name.to_string(), value.clone())).collect()
}
