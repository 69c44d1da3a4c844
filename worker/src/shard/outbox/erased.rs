//! What of a visitor waits for destinations, taken out of their way.

use super::{held, store};
use selvedge_core::id::VisitorId;
use selvedge_edge::delivery::item::Item;
use selvedge_edge::delivery::machine::Machine;
use worker::SqlStorage;

/// Forgets what is not sent yet of a visitor, within an open transaction. Gives how many items that were, and of how many it
/// is not known whether they arrived: those are settled first.
pub fn erase(sql: &SqlStorage, visitor: VisitorId) -> worker::Result<(u64, u64)> {
    let (mut unsent, mut unsettled) = (0u64, 0u64);
    for (name, state) in store::states(sql)? {
        let mut machine = Machine { state, flight: store::flight(sql, &name)?, is_flight_new: false };
        let again = store::erase_again(sql, &name, visitor)?;
        machine.erase_again(u32::try_from(again).unwrap_or(u32::MAX));
        let held = held::erase(sql, &name, visitor)?;
        machine.erase_held(u32::try_from(held).unwrap_or(u32::MAX));
        unsent = unsent.saturating_add(held);
        unsent = unsent.saturating_add(machine.erase(visitor)).saturating_add(again);
        let is_theirs = |item: &&Item| item.visitor == visitor;
        let left = machine.flight.iter().filter(is_theirs).count();
        unsettled = unsettled.saturating_add(u64::try_from(left).unwrap_or(u64::MAX));
        store::write(sql, &name, &mut machine)?;
    }
    Ok((unsent, unsettled))
}

/// Forgets what waits to go again of a visitor who took something back: nobody asked for it under the consent of now.
pub fn purge_again(sql: &SqlStorage, visitor: VisitorId) -> worker::Result<()> {
    for (name, state) in store::states(sql)?.into_iter().filter(|(_, state)| state.again > 0) {
        let mut machine = Machine { state, ..Machine::default() };
        let again = store::erase_again(sql, &name, visitor)?;
        machine.erase_again(u32::try_from(again).unwrap_or(u32::MAX));
        store::write_state(sql, &name, &machine.state)?;
    }
    Ok(())
}
