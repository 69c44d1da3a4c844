//! When rules are considered, from the tables.

use super::{Decoded, Reading, size, tag};
use crate::limits::TRIGGERS_MAX;
use crate::wire::codec::WireFault;
use crate::wire::program::{ProgramFault, TimerRow, Timing, Trigger};
use alloc::string::String;

/// The timing of the rule at a place.
pub(super) fn timing(from: &Reading, rule: u16) -> Decoded<Timing> {
    let Some(row) = from.image.timer(rule) else { return Ok(Timing::default()) };
    let trigger = if row.is_triggered() { Some(trigger(from, row)?) } else { None };
    Ok(Timing { trigger, after_ms: row.after_ms() })
}

fn trigger(from: &Reading, row: TimerRow) -> Decoded<Trigger> {
    let end = usize::from(row.events()).saturating_add(row.events_count().into());
    if usize::from(row.events_count()) > TRIGGERS_MAX {
        return Err(ProgramFault::TooLarge);
    }
    if end > usize::from(from.image.count(tag::TRIGGERS, size::PLACE)) {
        return Err(ProgramFault::Index);
    }
    let mut trigger = Trigger { session_end: row.at_session_end(), ..Trigger::default() };
    for event in from.image.triggers(row) {
        from.take(event.len().saturating_add(size_of::<String>()))?;
        let event = core::str::from_utf8(event).map_err(|_| WireFault::BadText)?;
        trigger.events.push(event.into());
    }
    Ok(trigger)
}
