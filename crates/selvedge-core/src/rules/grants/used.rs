//! What an exposure or a dismissal uses up.

use super::{Owner, cap_mut, kept_max, of_dismissals, of_site, of_slot, owners, reaches_on, remove};
use crate::event::Event;
use crate::rules::counts::{count_in_page, insert};
use crate::rules::moment::Moment;
use crate::rules::trials::freeze;
use crate::rules::view::value_of;
use crate::value::Value;
use crate::wire::program::{Image, TermsRow, kind, per_value_of};
use crate::wire::state::{CapCell, CellBody, VisitorState};
use alloc::vec::Vec;

/// The event that says that a visitor put away what a rule (its property `rule`) showed.
pub(in crate::rules) const DISMISSED: &str = "exposure_dismiss";

/// Counts an exposure of the rule that the event names, and consumes its grants. One that took none (`granted: false`: hands
/// that showed it nevertheless) counts, but leaves the lease alone: the device holds all of that still. Where nothing of the rule was shown
/// (`reason`: a control, a holdout), nothing is counted; only what the visitor is in is kept from now on.
pub(in crate::rules) fn expose(image: &Image, state: &mut VisitorState, moment: &Moment, event: &Event) {
    let Some(at) = rule_of(image, event) else { return expose_unknown(image, state, moment, event) };
    freeze(image, state, moment, event, at);
    if event.properties.text("reason").is_some() {
        return;
    }
    let (rule, terms) = (image.rule(at), image.terms(at));
    let held = state.held.iter_mut().find(|held| held.rule == rule.hash());
    held.into_iter().for_each(|held| held.is_seen = true);
    for owner in owners(image, rule, terms) {
        use_up(image, state, moment, owner, is_granted(event));
    }
    if terms.has(kind::TERM_PER_VALUE)
        && let Some(value) = value_of(image, state, moment, terms.value_fact())
    {
        use_up_value(state, per_value_of(rule.hash()), terms, value);
    }
}

/// Of a rule that only the edge knows, the page counts what it knows: the caps of slot and site.
fn expose_unknown(image: &Image, state: &mut VisitorState, moment: &Moment, event: &Event) {
    let properties = &event.properties;
    if properties.text("rule").is_none() || properties.text("reason").is_some() {
        return;
    }
    let slot = properties.text("slot").unwrap_or_default();
    let mut slots = (0..).zip(image.each_slot());
    if let Some((at, _)) = slots.find(|(_, known)| image.text(known.name()) == slot.as_bytes()) {
        use_up(image, state, moment, of_slot(image, at), is_granted(event));
    }
    use_up(image, state, moment, of_site(image), is_granted(event));
}

/// Counts a dismissal of the rule that the event names.
pub(in crate::rules) fn dismiss(image: &Image, state: &mut VisitorState, moment: &Moment, event: &Event) {
    if let Some(at) = rule_of(image, event) {
        use_up(image, state, moment, of_dismissals(image.rule(at), image.terms(at)), false);
    }
}

fn is_granted(event: &Event) -> bool {
    event.properties.get("granted") != Some(&Value::Bool(false))
}

fn rule_of(image: &Image, event: &Event) -> Option<u16> {
    let id = event.properties.text("rule")?.as_bytes();
    (0..).zip(image.each_rule()).find(|(_, rule)| image.text(rule.id()) == id).map(|(at, _)| at)
}

fn use_up(image: &Image, state: &mut VisitorState, moment: &Moment, owner: Owner, is_granted: bool) {
    let time_ms = moment.now_ms;
    if image.caps(owner.caps).any(|cap| cap.window() == kind::WINDOW_PAGE)
        && let Some(page) = state.page_mut(moment.writer).filter(|page| time_ms >= page.start_ms)
    {
        count_in_page(page, owner.hash);
    }
    if reaches_on(image, owner.caps)
        && let Some(cell) = cap_mut(state, owner.hash)
    {
        if is_granted {
            consume(cell, time_ms);
        }
        insert(&mut cell.used_ms, time_ms, kept_max(image, owner.caps));
    }
}

/// An exposure from before a burnt lease's expiry used one of the burnt grants: it takes that one's place.
fn consume(cell: &mut CapCell, time_ms: i64) {
    if cell.burnt.left > 0 && time_ms < cell.burnt.expires_ms {
        remove(&mut cell.used_ms, cell.burnt.expires_ms);
        cell.burnt.left = cell.burnt.left.saturating_sub(1);
    } else {
        cell.lease.left = cell.lease.left.saturating_sub(1);
    }
}

/// The newest value stands last; the oldest is forgotten where there are too many.
fn use_up_value(state: &mut VisitorState, cell: u64, terms: TermsRow, value: u64) {
    if state.body(cell).is_none() {
        state.set_body(cell, CellBody::Values(Vec::new()));
    }
    let Some(CellBody::Values(values)) = state.body_mut(cell) else { return };
    let known = values.iter().position(|(known, _)| *known == value);
    let used = known.map_or(0, |at| values.remove(at).1);
    values.push((value, used.saturating_add(1)));
    if values.len() > usize::from(terms.values_max()) {
        values.remove(0);
    }
}
