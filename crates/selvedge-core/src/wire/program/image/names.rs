//! The names that a program's tables bear for what it keeps, and whether they are those of its parts.

use super::Image;
use crate::event::EventType;
use crate::hash::{fnv1a_64, short_name_of};
use crate::wire::program::layout::tag;
use crate::wire::program::{Attribute, Group, Parts, Rule, Slot};
use alloc::vec::Vec;

impl Image {
    /// Whether the names and sums that stand in the tables, but those of the rules, are those of the parts, and the names of `cells` all there are.
    /// `rules` are those that come with more than a condition, with their places.
    pub(crate) fn is_of(&self, parts: &Parts, rules: &[(u16, Rule)], cells: &[u64]) -> bool {
        let rule_at = |at: u16| {
            let place = rules.binary_search_by_key(&at, |(at, _)| *at).ok()?;
            rules.get(place).map(|(_, rule)| rule)
        };
        self.each_emit().is_sorted_by(|before, next| before.rule() < next.rule())
            && self
                .each_emit()
                .all(|emit| rule_at(emit.rule()).is_some_and(|rule| emit_hash(rule) == emit.hash()))
            && self.each_timer().is_sorted_by(|before, next| before.rule() < next.rule())
            && self
                .each_timer()
                .all(|timer| rule_at(timer.rule()).is_some_and(|rule| timer_hash(rule) == timer.hash()))
            && (0..).zip(&parts.slots).all(|(at, slot)| self.slot(at).hash() == slot_hash(slot))
            && (0..)
                .zip(&parts.attributes)
                .all(|(at, known)| self.attribute(at).hash() == attribute_hash(known))
            && (0..)
                .zip(&parts.groups)
                .all(|(at, group)| self.group(at).is_some_and(|row| row.hash() == group_hash(group)))
            && self.is_of_deciding(&parts.deciding)
            && self.page_purposes() == parts.plan.find_type(EventType::Page).purposes
            && self.rows(tag::CELLS).iter().map(|cell| u64::from_le_bytes(*cell)).eq(cells.iter().copied())
            && self.table(tag::CELLS).len() == size_of_val(cells)
    }
}

/// The name of a rule's cap: of its id alone, so that an edit does not reset it.
#[must_use]
pub fn rule_hash(rule: &Rule) -> u64 {
    fnv1a_64(rule.id.as_bytes())
}

/// The name of a rule's timer.
#[must_use]
pub fn timer_hash(rule: &Rule) -> u64 {
    let mut name = Vec::from(b"timer/");
    name.extend_from_slice(rule.id.as_bytes());
    fnv1a_64(&name)
}

/// The name of what is known of a visitor at a rule's destination.
#[must_use]
pub fn emit_hash(rule: &Rule) -> u64 {
    let mut name = Vec::from(b"emit/");
    name.extend_from_slice(rule.id.as_bytes());
    fnv1a_64(&name)
}

/// The name of the cart's cell.
pub const CART: u64 = fnv1a_64(b"cart");
/// The name of the cell that says up to when deadlines were made up for.
pub(crate) const WOKEN: u64 = fnv1a_64(b"woken");

/// The name of a slot, in holds.
pub(in crate::wire::program) fn slot_hash(slot: &Slot) -> u64 {
    fnv1a_64(slot.name.as_bytes())
}

/// The name of a group's cap.
#[must_use]
pub fn group_hash(group: &Group) -> u64 {
    let mut name = Vec::from(b"group/");
    name.extend_from_slice(group.name.as_bytes());
    fnv1a_64(&name)
}

/// The name of an attribute's cell: its name, scope and type.
#[must_use]
pub fn attribute_hash(attribute: &Attribute) -> u64 {
    let kinds = [attribute.scope as u8, attribute.attribute_type as u8];
    short_name_of([b"attribute/", attribute.name.as_bytes(), &kinds])
}
