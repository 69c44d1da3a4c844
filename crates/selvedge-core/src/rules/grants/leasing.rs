//! What the edge does with caps: it leases, extends and settles. The page does not link this.

use super::{Owner, cap_mut, cap_of, claimed, kept_max, of_site, of_slot, owners, reaches_on, remove, room};
use crate::event::LeaseReport;
use crate::limits::{CLOCKS_APART_MS, LEASE_EXTENDED_MS, LEASE_MS};
use crate::mutation::{Mutation, is_planted};
use crate::rules::counts::insert;
use crate::rules::decision::Decision;
use crate::wire::answer::{Grant, Need};
use crate::wire::program::{Image, slot_caps_hash};
use crate::wire::promise::Promise;
use crate::wire::state::{CapCell, CellBody, Lease, VisitorState};
use alloc::string::String;
use alloc::vec::Vec;

/// Leases what every cap has left, extends live leases, and settles expired ones: their unused grants return where a report
/// proves that the device did not use them, else they are burnt, and age out like used ones. A report is proof only where
/// it was made a minute after the lease expired, when no tab of the device takes it for live (one may know an end that was extended
/// since): with reports, `now_ms` is when their batch was sent. Only the edge calls this:
/// before it steps a batch, with its reports, and after each event before it decides.
pub fn lease(image: &Image, state: &mut VisitorState, now_ms: i64, reports: &[LeaseReport]) {
    lease_beside(image, state, now_ms, reports, &[]);
}

/// What [`lease`] does, of what answers to hands without an engine do not hold.
pub fn lease_beside(
    image: &Image,
    state: &mut VisitorState,
    now_ms: i64,
    reports: &[LeaseReport],
    promised: &[Promise],
) {
    let held = held_of(image, promised, |_| true);
    let sent_ms = now_ms;
    let now_ms = state.now_ms(now_ms);
    state.align(image, now_ms);
    for owner in capped(image) {
        let kept_max = kept_max(image, owner.caps);
        if let Some(cell) = cap_mut(state, owner.hash) {
            let of_owner = reports.iter().filter(|report| report.rule == owner.hash);
            of_owner.for_each(|report| settle(cell, sent_ms, report));
            burn(cell, kept_max, now_ms);
        }
        let room = room(image, owner.caps, state, owner.hash, now_ms).unwrap_or(0);
        if let Some(cell) = cap_mut(state, owner.hash) {
            let room = room.saturating_sub(count_in(&held, owner.hash));
            renew(&mut cell.lease, room, now_ms);
        }
    }
}

/// The grants that a page has to take before what this decision shows is seen in `slot`, where the page does not know the rule.
#[must_use]
pub fn grants_for(image: &Image, state: &VisitorState, decision: &Decision, slot: &str) -> Vec<Need> {
    let need = |rule: u64| {
        let lease = cap_of(state, rule).map(|cell| cell.lease).unwrap_or_default();
        let grant = Grant { rule, lease: lease.id, count: lease.granted, expires_ms: lease.expires_ms };
        Need { slot: String::from(slot), grant, left: lease.left }
    };
    claimed(image, state, decision).into_iter().map(need).collect()
}

/// How many grants of each cap answers hold, by the names of the caps.
pub(super) fn held_of(image: &Image, promised: &[Promise], is_meant: impl Fn(&Promise) -> bool) -> Vec<u64> {
    let meant = promised.iter().filter(|promise| !promise.is_spent && is_meant(promise));
    meant.flat_map(|promise| names_of(image, promise)).collect()
}

/// What a promise counts for; of a rule that is gone, what the exposure of one that is not known counts for.
fn names_of(image: &Image, promise: &Promise) -> [u64; 4] {
    let found = (0..).zip(image.each_rule()).find(|(_, rule)| rule.hash() == promise.rule);
    match found {
        Some((at, rule)) => owners(image, rule, image.terms(at)).map(|owner| owner.hash),
        None => [promise.rule, 0, slot_caps_hash(promise.slot), of_site(image).hash],
    }
}

pub(super) fn count_in(held: &[u64], hash: u64) -> u16 {
    u16::try_from(held.iter().filter(|known| **known == hash).count()).unwrap_or(u16::MAX)
}

/// Everything that is capped beyond the page.
pub(super) fn capped(image: &Image) -> impl Iterator<Item = Owner> {
    let rules = image.each_rule().map(|rule| Owner::leased(rule.hash(), rule.caps()));
    let groups = (0..image.groups()).filter_map(|at| image.group(at));
    let groups = groups.map(|group| Owner::leased(group.hash(), group.caps()));
    let slots = (0..image.slots()).map(|at| of_slot(image, at));
    let all = rules.chain(groups).chain(slots).chain([of_site(image)]);
    all.filter(|owner| reaches_on(image, owner.caps))
}

/// Returns what a report proves unused of an expired or burnt lease. What the device used, but the edge has not seen yet,
/// stays until its exposures come: also where it is reported once more.
fn settle(cell: &mut CapCell, sent_ms: i64, report: &LeaseReport) {
    let settled_ms = |lease: &Lease| lease.expires_ms.saturating_add(CLOCKS_APART_MS);
    let is_over = |lease: &Lease| sent_ms >= settled_ms(lease) || is_planted(Mutation::LeaseUnproven);
    if report.lease == cell.burnt.id && is_over(&cell.burnt) {
        unburn(&mut cell.burnt, &mut cell.used_ms, report.used);
    } else if report.lease == cell.lease.id && is_over(&cell.lease) {
        give_back(&mut cell.lease, report.used);
    }
}

/// Gives back the grants that the device did not use, as if they had not been granted, and says how many they are.
fn give_back(lease: &mut Lease, used: u32) -> u16 {
    let unused = lease.left.saturating_sub(unseen(lease, used));
    lease.left = lease.left.saturating_sub(unused);
    lease.granted = lease.granted.saturating_sub(unused);
    unused
}

/// Gives back what is left of leases that were over at `over_ms`, burnt or not, where their holder never reports and tells of an
/// exposure at once: nothing of them is still to be told. Else they would be burnt, as if all of them had been shown.
pub fn take_back(state: &mut VisitorState, over_ms: i64) {
    for cell in &mut state.cells {
        if let CellBody::Cap(CapCell { lease, burnt, used_ms, .. }) = &mut cell.body
            && lease.expires_ms <= over_ms
        {
            give_back(lease, 0);
            // With another number it was another device's, or has been followed by a lease.
            if burnt.id == lease.id {
                unburn(burnt, used_ms, 0);
            }
        }
    }
}

/// Gives back what the device did not use of a lease that is burnt.
fn unburn(burnt: &mut Lease, used_ms: &mut Vec<i64>, used: u32) {
    for _ in 0..give_back(burnt, used) {
        remove(used_ms, burnt.expires_ms);
    }
}

/// How many grants the device used that no exposure has told of.
fn unseen(lease: &Lease, used: u32) -> u16 {
    let seen = u32::from(lease.granted.saturating_sub(lease.left));
    u16::try_from(used.saturating_sub(seen)).unwrap_or(u16::MAX).min(lease.left)
}

/// Burns what is left of an expired lease: it counts as used at its expiry.
pub(super) fn burn(cell: &mut CapCell, kept_max: usize, now_ms: i64) {
    let lease = cell.lease;
    if lease.left == 0 || now_ms < lease.expires_ms {
        return;
    }
    for _ in 0..lease.left {
        insert(&mut cell.used_ms, lease.expires_ms, kept_max);
    }
    cell.burnt = lease;
    // The device says what it used, and at least what the state says: that is what was seen, and nothing of what is burnt.
    cell.lease.granted = lease.granted.saturating_sub(lease.left);
    cell.lease.left = 0;
}

/// The number of the next lease: the second at which it is granted, or one more than the last, whatever is greater. So it tells
/// when the lease began; and where a cell is there anew, after a withdrawal or an erasure, no number comes twice: devices take a
/// lease with a lower one than they know for one that another tab has done with.
fn next_id(id: u32, now_ms: i64) -> u32 {
    let second = u32::try_from(now_ms.div_euclid(1_000)).unwrap_or(0);
    id.saturating_add(1).max(second)
}

/// When a lease began: its number says it.
pub(super) fn began_ms(lease: &Lease) -> i64 {
    i64::from(lease.id).saturating_mul(1_000)
}

/// Brings a lease up to what the cap has left. A late event never makes it end earlier. It is not extended for ever: an exposure
/// that was lost on its way stays leased until the device says, behind the lease's end, that it used it.
fn renew(lease: &mut Lease, room: u16, now_ms: i64) {
    if (lease.left == 0 || is_planted(Mutation::GrantNotLeased)) && room > 0 {
        *lease = Lease { id: next_id(lease.id, now_ms), ..Lease::default() };
    }
    lease.granted = lease.granted.saturating_add(room.saturating_sub(lease.left));
    lease.left = lease.left.max(room);
    if lease.left > 0 {
        let last_ms = began_ms(lease).saturating_add(LEASE_EXTENDED_MS);
        lease.expires_ms = lease.expires_ms.max(now_ms.saturating_add(LEASE_MS).min(last_ms));
    }
}
