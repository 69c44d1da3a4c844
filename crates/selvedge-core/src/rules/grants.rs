//! Caps and the grants that are leased of them. The edge leases what a cap has left; an exposure consumes one; without a
//! grant a capped rule does not act, neither in the page nor at the edge. Caps per page need none: they are kept in the
//! page view.

use super::facts::{count_from, count_in_page, count_of, window_start_ms};
use super::program::{Program, group_hash, needs_grant, rule_hash};
use crate::event::LeaseReport;
use crate::id::WriterId;
use crate::limits::LEASE_MS;
use crate::wire::answer::Reason;
use crate::wire::program::{Cap, Rule, Window};
use crate::wire::state::{CapCell, CellBody, Lease, VisitorState};
use alloc::vec::Vec;

/// Leases what every cap has left, extends live leases, and settles expired ones: their unused grants return where a report
/// proves that the device did not use them, else they are burnt, and age out like used ones. A report is proof only where
/// it was made after the lease expired: with reports, `now_ms` is when their batch was sent. Only the edge calls this:
/// before it steps a batch, with its reports, and after each event before it decides.
pub fn lease(program: &Program, state: &mut VisitorState, now_ms: i64, reports: &[LeaseReport]) {
    let sent_ms = now_ms;
    let now_ms = state.now_ms(now_ms);
    state.align(program, now_ms);
    let session_ms = state.session.caps_since_ms;
    for (hash, caps) in program.capped().filter(|(_, caps)| needs_grant(caps)) {
        let mut cell = state.cap(hash).cloned().unwrap_or_default();
        for report in reports.iter().filter(|report| report.rule == hash) {
            settle(&mut cell, sent_ms, report);
        }
        burn(&mut cell, caps, now_ms);
        let room = room(&cell, caps, session_ms, now_ms);
        renew(&mut cell, room, now_ms);
        state.set_body(hash, CellBody::Cap(cell));
    }
}

/// Returns what a report proves unused of an expired or burnt lease. What the device used, but the edge has not seen yet,
/// stays until its exposures come.
fn settle(cell: &mut CapCell, sent_ms: i64, report: &LeaseReport) {
    if report.lease == cell.burnt.id && sent_ms >= cell.burnt.expires_ms {
        let kept = unseen(&cell.burnt, report.used);
        for _ in kept..cell.burnt.left {
            remove(&mut cell.used_ms, cell.burnt.expires_ms);
        }
        cell.burnt.left = kept;
    } else if report.lease == cell.lease.id && sent_ms >= cell.lease.expires_ms {
        cell.lease.left = unseen(&cell.lease, report.used);
    }
}

/// How many grants the device used that no exposure has told of.
fn unseen(lease: &Lease, used: u32) -> u16 {
    let seen = u32::from(lease.granted.saturating_sub(lease.left));
    u16::try_from(used.saturating_sub(seen)).unwrap_or(u16::MAX).min(lease.left)
}

/// Burns what is left of an expired lease: it counts as used at its expiry.
fn burn(cell: &mut CapCell, caps: &[Cap], now_ms: i64) {
    let lease = cell.lease;
    if lease.left == 0 || now_ms < lease.expires_ms {
        return;
    }
    for _ in 0..lease.left {
        insert(&mut cell.used_ms, lease.expires_ms, kept_max(caps));
    }
    cell.burnt = lease;
    cell.lease.left = 0;
}

/// Brings the lease up to what the cap has left.
fn renew(cell: &mut CapCell, room: u16, now_ms: i64) {
    let lease = &mut cell.lease;
    if lease.left == 0 && room > 0 {
        *lease = Lease { id: lease.id.saturating_add(1), ..Lease::default() };
    }
    lease.granted = lease.granted.saturating_add(room.saturating_sub(lease.left));
    lease.left = lease.left.max(room);
    if lease.left > 0 {
        lease.expires_ms = now_ms.saturating_add(LEASE_MS);
    }
}

/// How many exposures the caps leave: the most restrictive wins.
fn room(cell: &CapCell, caps: &[Cap], session_ms: i64, now_ms: i64) -> u16 {
    let left = |cap: &Cap| {
        let start_ms = match cap.window {
            Window::Page => return None,
            Window::Session => session_ms,
            Window::Sliding(window_ms) => window_start_ms(now_ms, window_ms),
        };
        Some(cap.limit.saturating_sub(count_from(&cell.used_ms, start_ms)))
    };
    caps.iter().filter_map(left).min().unwrap_or(0)
}

/// Nothing where a rule may be shown once more; else why not.
pub(super) fn check(
    program: &Program,
    state: &VisitorState,
    writer: WriterId,
    rule: &Rule,
    now_ms: i64,
) -> Result<(), Reason> {
    owners(program, rule)
        .into_iter()
        .try_for_each(|(hash, caps)| check_owner(state, writer, hash, caps, now_ms))
}

/// What a rule's exposures count for, where it is capped: the rule itself and its group.
fn owners<'a>(program: &'a Program, rule: &'a Rule) -> Vec<(u64, &'a [Cap])> {
    let mut owners = Vec::new();
    if !rule.caps.is_empty() {
        owners.push((rule_hash(rule), rule.caps.as_slice()));
    }
    let group = rule.group.and_then(|at| program.parts().groups.get(usize::from(at)));
    if let Some(group) = group.filter(|group| !group.caps.is_empty()) {
        owners.push((group_hash(group), group.caps.as_slice()));
    }
    owners
}

fn check_owner(
    state: &VisitorState,
    writer: WriterId,
    hash: u64,
    caps: &[Cap],
    now_ms: i64,
) -> Result<(), Reason> {
    let of_page = state.page(writer).map_or(0, |page| count_of(page, hash));
    if caps.iter().any(|cap| cap.window == Window::Page && of_page >= cap.limit) {
        return Err(Reason::Capped);
    }
    if !needs_grant(caps) {
        return Ok(());
    }
    let cell = state.cap(hash).ok_or(Reason::NoGrant)?;
    if room(cell, caps, state.session.caps_since_ms, now_ms) == 0 {
        return Err(Reason::Capped);
    }
    if cell.lease.left == 0 || now_ms >= cell.lease.expires_ms { Err(Reason::NoGrant) } else { Ok(()) }
}

/// Counts an exposure of the rule with this id, and consumes its grants.
pub(super) fn expose(
    program: &Program,
    state: &mut VisitorState,
    writer: WriterId,
    rule: &str,
    time_ms: i64,
) {
    let Some(rule) = program.parts().rules.iter().find(|known| known.id == rule) else { return };
    for (hash, caps) in owners(program, rule) {
        let page = state.page_mut(writer).filter(|page| time_ms >= page.start_ms);
        if let Some(page) = page.filter(|_| caps.iter().any(|cap| cap.window == Window::Page)) {
            count_in_page(page, hash);
        }
        if needs_grant(caps) {
            let mut cell = state.cap(hash).cloned().unwrap_or_default();
            consume(&mut cell, caps, time_ms);
            state.set_body(hash, CellBody::Cap(cell));
        }
    }
}

/// An exposure from before a burnt lease's expiry used one of the burnt grants: it takes that one's place.
fn consume(cell: &mut CapCell, caps: &[Cap], time_ms: i64) {
    if cell.burnt.left > 0 && time_ms < cell.burnt.expires_ms {
        remove(&mut cell.used_ms, cell.burnt.expires_ms);
        cell.burnt.left = cell.burnt.left.saturating_sub(1);
    } else {
        cell.lease.left = cell.lease.left.saturating_sub(1);
    }
    insert(&mut cell.used_ms, time_ms, kept_max(caps));
}

/// As many exposures as the largest cap counts: with that many kept, every cap is exact.
fn kept_max(caps: &[Cap]) -> usize {
    caps.iter().map(|cap| usize::from(cap.limit)).max().unwrap_or(0)
}

/// Puts a time in its order; the oldest goes where there are more than `kept_max`.
fn insert(times_ms: &mut Vec<i64>, time_ms: i64, kept_max: usize) {
    let at = times_ms.partition_point(|known_ms| *known_ms <= time_ms);
    times_ms.insert(at, time_ms);
    if times_ms.len() > kept_max {
        times_ms.remove(0);
    }
}

fn remove(times_ms: &mut Vec<i64>, time_ms: i64) {
    if let Ok(at) = times_ms.binary_search(&time_ms) {
        times_ms.remove(at);
    }
}
