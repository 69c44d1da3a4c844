//! The events that change the cart, in the field's terms: those of them that the tracking plan has.

use selvedge_core::tracking_plan::PlanEvent;
use selvedge_core::wire::program::CartChange;

/// The names that shops give them.
const EVENTS: [(&str, CartChange); 8] = [
    ("add_to_cart", CartChange::Adds),
    ("Product Added", CartChange::Adds),
    ("remove_from_cart", CartChange::Removes),
    ("Product Removed", CartChange::Removes),
    ("purchase", CartChange::Empties),
    ("Order Completed", CartChange::Empties),
    ("cart_emptied", CartChange::Empties),
    ("Cart Emptied", CartChange::Empties),
];

/// The cart's events in the plan, in the plan's order.
pub(crate) fn cart_events(plan: &[PlanEvent]) -> impl Iterator<Item = (&str, CartChange)> {
    plan.iter().filter_map(|event| {
        let (_, does) = EVENTS.iter().find(|(name, _)| *name == event.name)?;
        Some((event.name.as_str(), *does))
    })
}
