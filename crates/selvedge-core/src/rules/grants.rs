//! Caps and the grants that are leased of them. The edge leases what a cap has left; an exposure consumes one; without a
//! grant a capped rule does not act, neither in the page nor at the edge. Caps per page need none: they are kept in the
//! page view.

mod leasing;

pub use leasing::lease;

use super::counts::{count_from, count_in_page, count_of, insert, window_start_ms};
use crate::id::WriterId;
use crate::wire::answer::Reason;
use crate::wire::program::{CapRange, Image, RuleRow, kind};
use crate::wire::state::{CapCell, CellBody, VisitorState};
use alloc::vec::Vec;

/// What is capped: a rule, or a group.
#[derive(Clone, Copy)]
struct Owner {
    hash: u64,
    caps: CapRange,
}

/// What a rule's exposures count for: the rule itself, and its group.
fn owners(image: &Image, rule: RuleRow) -> [Owner; 2] {
    let of_rule = Owner { hash: rule.hash(), caps: rule.caps() };
    let none = Owner { hash: 0, caps: CapRange { start: 0, count: 0 } };
    let group = image.group(rule.group());
    [of_rule, group.map_or(none, |group| Owner { hash: group.hash(), caps: group.caps() })]
}

/// Nothing where a rule may be shown once more; else why not.
pub(super) fn check(
    image: &Image,
    state: &VisitorState,
    writer: WriterId,
    rule: RuleRow,
    now_ms: i64,
) -> Result<(), Reason> {
    for owner in owners(image, rule) {
        let of_page = state.page(writer).map_or(0, |page| count_of(page, owner.hash));
        let room = room(image, owner.caps, state, owner.hash, now_ms);
        let is_open =
            |cap: crate::wire::program::CapRow| cap.window() != kind::WINDOW_PAGE || of_page < cap.limit();
        if !image.caps(owner.caps).all(is_open) || room == Some(0) {
            return Err(Reason::Capped);
        }
        let lease = cap_of(state, owner.hash).map(|cell| cell.lease);
        if room.is_some() && !lease.is_some_and(|lease| lease.left > 0 && now_ms < lease.expires_ms) {
            return Err(Reason::NoGrant);
        }
    }
    Ok(())
}

/// How many exposures the caps leave: the most restrictive wins. `None` where only pages are capped, or nothing.
fn room(image: &Image, caps: CapRange, state: &VisitorState, hash: u64, now_ms: i64) -> Option<u16> {
    let used_ms = cap_of(state, hash).map_or(&[][..], |cell| cell.used_ms.as_slice());
    let mut least = None;
    for cap in image.caps(caps) {
        let start_ms = match cap.window() {
            kind::WINDOW_PAGE => continue,
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

/// Counts an exposure of the rule with this id, and consumes its grants.
pub(super) fn expose(image: &Image, state: &mut VisitorState, writer: WriterId, rule: &str, time_ms: i64) {
    let Some(rule) = image.each_rule().find(|known| image.text(known.id()) == rule.as_bytes()) else {
        return;
    };
    for owner in owners(image, rule) {
        for cap in image.caps(owner.caps).filter(|cap| cap.window() == kind::WINDOW_PAGE).take(1) {
            let page = state.page_mut(writer).filter(|page| time_ms >= page.start_ms && cap.limit() > 0);
            if let Some(page) = page {
                count_in_page(page, owner.hash);
            }
        }
        if needs_grant(image, owner.caps)
            && let Some(cell) = cap_mut(state, owner.hash)
        {
            consume(cell, time_ms, kept_max(image, owner.caps));
        }
    }
}

/// Whether a cap reaches beyond the page view.
fn needs_grant(image: &Image, caps: CapRange) -> bool {
    image.caps(caps).any(|cap| cap.window() != kind::WINDOW_PAGE)
}

/// An exposure from before a burnt lease's expiry used one of the burnt grants: it takes that one's place.
fn consume(cell: &mut CapCell, time_ms: i64, kept_max: usize) {
    if cell.burnt.left > 0 && time_ms < cell.burnt.expires_ms {
        remove(&mut cell.used_ms, cell.burnt.expires_ms);
        cell.burnt.left = cell.burnt.left.saturating_sub(1);
    } else {
        cell.lease.left = cell.lease.left.saturating_sub(1);
    }
    insert(&mut cell.used_ms, time_ms, kept_max);
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
