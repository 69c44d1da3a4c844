//! Caps and the grants that are leased of them. The edge leases what a cap has left; an exposure consumes one; without a
//! grant a capped rule does not act, neither in the page nor at the edge. Caps per page need none: they are kept in the
//! page view; nor do dismissals, which nobody can make beforehand.

mod leasing;
mod holding;
mod promising;
mod used;
mod exhausted;

pub use exhausted::{CapOf, exhausted};
pub use holding::{Later, is_held, pass_on, without_leases};
pub use leasing::{grants_for, lease, lease_beside, take_back};
pub use promising::{Asker, PutAway, offer, promise, redeem, turn_page};
pub(super) use used::{DISMISSED, dismiss, expose};

use super::counts::{count_from, count_of, window_start_ms};
use super::decision::Decision;
use super::moment::Moment;
use super::view::value_of;
use crate::mutation::{Mutation, is_planted};
use crate::wire::answer::Reason;
use crate::wire::program::{
    CapRange, CapRow, Image, RuleRow, TermsRow, dismissals_of, kind, per_value_of, slot_caps_hash,
};
use crate::wire::state::{CapCell, CellBody, VisitorState};
use alloc::vec::Vec;

/// What is capped: a rule, its group, its slot, all rules together; or a rule's dismissals.
#[derive(Clone, Copy)]
struct Owner {
    hash: u64,
    caps: CapRange,
    is_leased: bool,
}

impl Owner {
    const NONE: Self = Self::leased(0, CapRange { start: 0, count: 0 });

    const fn leased(hash: u64, caps: CapRange) -> Self {
        Self { hash, caps, is_leased: true }
    }
}

/// What a rule's exposures count for. A service notice counts for itself alone.
fn owners(image: &Image, rule: RuleRow, terms: TermsRow) -> [Owner; 4] {
    let of_rule = Owner::leased(rule.hash(), rule.caps());
    if terms.has(kind::TERM_SERVICE) {
        return [of_rule, Owner::NONE, Owner::NONE, Owner::NONE];
    }
    let group =
        image.group(rule.group()).map_or(Owner::NONE, |group| Owner::leased(group.hash(), group.caps()));
    [of_rule, group, of_slot(image, rule.slot()), of_site(image)]
}

fn of_slot(image: &Image, slot: u16) -> Owner {
    let slot = image.slot(slot);
    Owner::leased(slot_caps_hash(slot.hash()), slot.caps())
}

fn of_site(image: &Image) -> Owner {
    image.site_caps().map_or(Owner::NONE, |row| Owner::leased(row.hash(), row.caps()))
}

fn of_dismissals(rule: RuleRow, terms: TermsRow) -> Owner {
    Owner { is_leased: false, ..Owner::leased(dismissals_of(rule.hash()), terms.dismissals()) }
}

/// What a grant is to be taken of before what a decision shows is seen: by the names of the rule's caps, group, slot and site.
/// Nothing is needed for what shows nothing of a rule, and for what was seen and is held from one page view to the next.
#[must_use]
pub fn claimed(image: &Image, state: &VisitorState, decision: &Decision) -> Vec<u64> {
    let mut names = Vec::new();
    let is_shown = matches!(decision.reason, Reason::Won | Reason::Held);
    let begun = decision.rule.filter(|_| is_shown && !is_lasting(image, state, decision));
    if let Some(at) = begun {
        let owners = owners(image, image.rule(at), image.terms(at));
        names.extend(owners.iter().filter(|owner| reaches_on(image, owner.caps)).map(|owner| owner.hash));
    }
    names
}

/// Whether what a decision shows was seen since it won, and is held beyond the page view: its grant was taken then.
#[must_use]
pub fn is_lasting(image: &Image, state: &VisitorState, decision: &Decision) -> bool {
    let is_of = |at: u16| {
        let rule = image.rule(at);
        rule.hold() != kind::HOLD_PAGE
            && state.held.iter().any(|held| held.rule == rule.hash() && held.is_seen)
    };
    decision.reason == Reason::Held && decision.rule.is_some_and(is_of)
}

/// Nothing where the rule at this place may be shown once more; else why not.
#[inline(never)]
pub(super) fn check(image: &Image, state: &VisitorState, moment: &Moment, at: u16) -> Result<(), Reason> {
    let (rule, terms) = (image.rule(at), image.terms(at));
    for owner in owners(image, rule, terms) {
        check_owner(image, state, moment, owner)?;
    }
    check_owner(image, state, moment, of_dismissals(rule, terms))?;
    if terms.has(kind::TERM_PER_VALUE) { check_value(image, state, moment, rule, terms) } else { Ok(()) }
}

fn check_owner(image: &Image, state: &VisitorState, moment: &Moment, owner: Owner) -> Result<(), Reason> {
    if owner.caps.count == 0 {
        return Ok(());
    }
    let now_ms = state.now_ms(moment.now_ms);
    let of_page = state.page(moment.writer).map_or(0, |page| count_of(page, owner.hash));
    let room = room(image, owner.caps, state, owner.hash, now_ms);
    let is_open = |cap: CapRow| cap.window() != kind::WINDOW_PAGE || of_page < cap.limit();
    if !image.caps(owner.caps).all(is_open) || room == Some(0) {
        return Err(Reason::Capped);
    }
    let lease = cap_of(state, owner.hash).map(|cell| cell.lease);
    let is_granted = lease.is_some_and(|lease| lease.left > 0 && now_ms < lease.expires_ms);
    if owner.is_leased && room.is_some() && !is_granted { Err(Reason::NoGrant) } else { Ok(()) }
}

/// Of a value that is not known, nothing is known to be left.
fn check_value(
    image: &Image,
    state: &VisitorState,
    moment: &Moment,
    rule: RuleRow,
    terms: TermsRow,
) -> Result<(), Reason> {
    let value = value_of(image, state, moment, terms.value_fact()).ok_or(Reason::Capped)?;
    let used = match state.body(per_value_of(rule.hash())) {
        Some(CellBody::Values(values)) => values.iter().find(|(known, _)| *known == value),
        _ => None,
    };
    if used.map_or(0, |(_, used)| *used) < terms.value_limit() { Ok(()) } else { Err(Reason::Capped) }
}

/// How many exposures the caps leave: the most restrictive wins. `None` where only pages are capped, or nothing.
fn room(image: &Image, caps: CapRange, state: &VisitorState, hash: u64, now_ms: i64) -> Option<u16> {
    let used_ms = cap_of(state, hash).map_or(&[][..], |cell| cell.used_ms.as_slice());
    let mut least = None;
    for cap in image.caps(caps) {
        let start_ms = match cap.window() {
            kind::WINDOW_PAGE => continue,
            kind::WINDOW_SESSION if is_planted(Mutation::SessionCapEndless) => i64::MAX,
            kind::WINDOW_SESSION => state.session.caps_since_ms,
            _ => window_start_ms(now_ms, cap.window_ms()),
        };
        let left = cap.limit().saturating_sub(count_from(used_ms, start_ms));
        least = Some(least.map_or(left, |least| left.min(least)));
    }
    least
}

fn cap_of(state: &VisitorState, hash: u64) -> Option<&CapCell> {
    match state.body(hash)? {
        CellBody::Cap(cell) => Some(cell),
        _ => None,
    }
}

/// What is known of a capped rule or group, to be changed; put there where it is not yet.
fn cap_mut(state: &mut VisitorState, hash: u64) -> Option<&mut CapCell> {
    if cap_of(state, hash).is_none() {
        state.set_body(hash, CellBody::Cap(CapCell::default()));
    }
    match state.body_mut(hash)? {
        CellBody::Cap(cell) => Some(cell),
        _ => None,
    }
}

/// Whether a cap reaches beyond the page view.
fn reaches_on(image: &Image, caps: CapRange) -> bool {
    image.caps(caps).any(|cap| cap.window() != kind::WINDOW_PAGE)
}

/// As many exposures as the largest cap counts: with that many kept, every cap is exact.
fn kept_max(image: &Image, caps: CapRange) -> usize {
    image.caps(caps).map(|cap| usize::from(cap.limit())).max().unwrap_or(0)
}

fn remove(times_ms: &mut Vec<i64>, time_ms: i64) {
    if let Some(at) = times_ms.iter().position(|known_ms| *known_ms == time_ms) {
        times_ms.remove(at);
    }
}
