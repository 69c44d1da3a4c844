//! What the edge itself grants. Hands without a rule engine show what an answer says and cannot take a grant where it is seen: so
//! the answer takes it, and it stands in the visitor's record as a [`Promise`] until its exposure comes, or its time is over. The
//! page does not link this.
//!
//! What a cap has left is divided once: what devices hold of leases, what answers hold, and what is free.

use super::leasing::{burn, capped, count_in, held_of};
use super::{Owner, cap_mut, cap_of, claimed, kept_max, owners, reaches_on, room};
use crate::event::{Event, EventType};
use crate::hash::fnv1a_64;
use crate::limits::{LEASE_MS, PROMISES_MAX};
use crate::rules::decision::Decision;
use crate::rules::moment::Moment;
use crate::rules::view::value_of;
use crate::wire::answer::Reason;
use crate::wire::program::{Image, kind, per_value_of};
use crate::wire::promise::Promise;
use crate::wire::state::{CellBody, Lease, VisitorState};
use alloc::vec::Vec;

/// Who is answered, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asker {
    /// Whose page view shows the answer; [`Asker::NAMELESS`] where nobody says.
    pub holder: u64,
    /// The same was answered before: what was promised to nobody by name stands for this answer too.
    pub is_again: bool,
    /// When, by the edge's clock.
    pub time_ms: i64,
}

impl Asker {
    /// A holder that has no name: each answer takes a grant of its own.
    pub const NAMELESS: u64 = 0;
    /// Holds what is held beyond a page view, whoever shows it.
    pub const ALL_VIEWS: u64 = u64::MAX;
    /// Beside a hash: the holder is a page that is rendered under a name. Writers have no such bit.
    const RENDERED: u64 = 1 << 62;

    /// The holder that a page is which is rendered under this name.
    #[must_use]
    pub fn rendered(name: &str) -> u64 {
        fnv1a_64(name.as_bytes()) >> 2 | Self::RENDERED
    }

    /// Whether a promise is one that an answer to this asker is given under.
    #[must_use]
    pub const fn is_answered_by(self, promise: &Promise) -> bool {
        promise.holder == self.holder || promise.holder == Self::ALL_VIEWS
    }

    fn holds(self, promise: &Promise) -> bool {
        promise.holder == self.holder && (self.holder != Self::NAMELESS || self.is_again)
            || promise.holder == Self::ALL_VIEWS
    }
}

/// The leases of devices, which are put away while the edge itself grants.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PutAway(Vec<(u64, Lease)>);

impl PutAway {
    fn of(&self, hash: u64) -> Lease {
        let found = self.0.iter().find(|(known, _)| *known == hash);
        found.map(|(_, lease)| *lease).unwrap_or_default()
    }

    /// Puts all leases away: they belong to a device that is not asked for.
    #[must_use]
    pub fn all(state: &mut VisitorState) -> Self {
        let mut away = Self::default();
        for cell in &mut state.cells {
            if let CellBody::Cap(cap) = &mut cell.body {
                away.0.push((cell.hash, core::mem::take(&mut cap.lease)));
            }
        }
        away
    }

    /// Puts the leases of devices back, where what they are of is known still.
    pub fn put_back(&self, state: &mut VisitorState) {
        for (hash, lease) in &self.0 {
            if cap_of(state, *hash).is_some()
                && let Some(cell) = cap_mut(state, *hash)
            {
                cell.lease = *lease;
            }
        }
    }
}

/// Before the edge decides for hands that have no engine: the leases of devices are put away, and in their place stands what
/// the edge may grant itself, nothing where it may not (`is_allowed`). Call [`PutAway::put_back`] behind it.
pub fn offer(
    image: &Image,
    state: &mut VisitorState,
    (now_ms, asker): (i64, Asker),
    promised: &mut Vec<Promise>,
    is_allowed: bool,
) -> PutAway {
    let now_ms = state.now_ms(now_ms);
    state.align(image, now_ms);
    promised.retain(|promise| asker.time_ms < promise.expires_ms);
    let held = held_of(image, promised, |promise| !asker.holds(promise));
    let mut away = PutAway::default();
    for owner in capped(image) {
        let room = room(image, owner.caps, state, owner.hash, now_ms).unwrap_or(0);
        let Some(cell) = cap_mut(state, owner.hash) else { continue };
        burn(cell, kept_max(image, owner.caps), now_ms);
        away.0.push((owner.hash, cell.lease));
        let left = room.saturating_sub(cell.lease.left).saturating_sub(count_in(&held, owner.hash));
        let left = if is_allowed { left } else { 0 };
        cell.lease = Lease { id: cell.lease.id, granted: left, left, expires_ms: i64::MAX };
    }
    away
}

/// Takes the grants of what these decisions show, where their holder has none yet.
///
/// # Errors
/// The rule that no grant can be had for, by its place; nothing was taken then.
pub fn promise(
    image: &Image,
    state: &VisitorState,
    moment: &Moment,
    (asker, away): (Asker, &PutAway),
    decisions: &[Decision],
    promised: &mut Vec<Promise>,
) -> Result<(), u16> {
    let before = promised.clone();
    let mut shown: Vec<(u16, &Decision)> =
        decisions.iter().filter_map(|decision| Some((decision.rule?, decision))).collect();
    shown.sort_by_key(|(rule, _)| *rule);
    for (at, decision) in shown {
        let Some(promise) = asked(image, state, moment, (asker, at), decision) else { continue };
        let is_same = |known: &Promise| known.rule == promise.rule && known.value == promise.value;
        if promised.iter().any(|known| is_same(known) && asker.holds(known)) {
            continue;
        }
        if !is_free(image, state, moment, (at, away), promised) || !make_place(promised) {
            *promised = before;
            return Err(at);
        }
        promised.push(promise);
    }
    Ok(())
}

/// What a decision asks a grant for; `None` where it needs none.
fn asked(
    image: &Image,
    state: &VisitorState,
    moment: &Moment,
    (asker, at): (Asker, u16),
    decision: &Decision,
) -> Option<Promise> {
    let (rule, terms) = (image.rule(at), image.terms(at));
    let is_begun = matches!(decision.reason, Reason::Won) || rule.hold() == kind::HOLD_PAGE;
    let is_shown = matches!(decision.reason, Reason::Won | Reason::Held);
    let of_value = terms.has(kind::TERM_PER_VALUE) && is_shown && is_begun;
    if claimed(image, state, decision).is_empty() && !of_value {
        return None;
    }
    let value = if of_value { value_of(image, state, moment, terms.value_fact()) } else { None };
    Some(Promise {
        rule: rule.hash(),
        slot: image.slot(rule.slot()).hash(),
        holder: if rule.hold() == kind::HOLD_PAGE { asker.holder } else { Asker::ALL_VIEWS },
        value: value.unwrap_or(0),
        expires_ms: asker.time_ms.saturating_add(LEASE_MS),
        is_spent: false,
    })
}

/// Whether every cap that the rule counts for has a grant that nobody holds.
fn is_free(
    image: &Image,
    state: &VisitorState,
    moment: &Moment,
    (at, away): (u16, &PutAway),
    promised: &[Promise],
) -> bool {
    let now_ms = state.now_ms(moment.now_ms);
    let held = held_of(image, promised, |_| true);
    let (rule, terms) = (image.rule(at), image.terms(at));
    let has_left = |owner: &Owner| {
        let of_devices = away.of(owner.hash).left;
        let room = room(image, owner.caps, state, owner.hash, now_ms).unwrap_or(0);
        room.saturating_sub(of_devices) > count_in(&held, owner.hash)
    };
    let leased = owners(image, rule, terms);
    leased.iter().filter(|owner| reaches_on(image, owner.caps)).all(has_left)
        && (!terms.has(kind::TERM_PER_VALUE) || {
            let value = value_of(image, state, moment, terms.value_fact()).unwrap_or(0);
            let is_of =
                |known: &&Promise| known.rule == rule.hash() && known.value == value && !known.is_spent;
            let used = used_of(state, per_value_of(rule.hash()), value);
            usize::from(used).saturating_add(promised.iter().filter(is_of).count())
                < usize::from(terms.value_limit())
        })
}

fn used_of(state: &VisitorState, cell: u64, value: u64) -> u16 {
    match state.body(cell) {
        Some(CellBody::Values(values)) => {
            values.iter().find(|(known, _)| *known == value).map_or(0, |(_, used)| *used)
        }
        _ => 0,
    }
}

/// Makes a place for one more; what is spent gives up its own.
fn make_place(promised: &mut Vec<Promise>) -> bool {
    if promised.len() >= PROMISES_MAX
        && let Some(spent) = promised.iter().position(|promise| promise.is_spent)
    {
        promised.remove(spent);
    }
    promised.len() < PROMISES_MAX
}

/// An exposure came from hands without an engine: it takes the place of the promise that it was shown by. Its own holder's
/// promise stays as a mark, so that the page view needs no second one.
pub fn redeem(promised: &mut Vec<Promise>, event: &Event, holder: u64) {
    let properties = &event.properties;
    let Some(rule) = properties.text("rule").map(|id| fnv1a_64(id.as_bytes())) else { return };
    if event.event_type != EventType::Exposure || properties.text("reason").is_some() {
        return;
    }
    let open = |promise: &Promise| promise.rule == rule && !promise.is_spent;
    let of_holder = |promise: &&mut Promise| open(promise) && promise.holder == holder;
    if holder != Asker::NAMELESS
        && let Some(own) = promised.iter_mut().find(of_holder)
    {
        own.is_spent = true;
        return;
    }
    let of_nobody = |promise: &Promise| open(promise) && is_of_all(promise.holder);
    if let Some(at) = promised.iter().position(of_nobody) {
        promised.remove(at);
        return;
    }
    // A page that was rendered under a name tells of it by a writer of its own.
    let of_render = |promise: &&mut Promise| open(promise) && promise.holder & Asker::RENDERED != 0;
    if let Some(rendered) = promised.iter_mut().find(of_render) {
        rendered.is_spent = true;
    }
}

const fn is_of_all(holder: u64) -> bool {
    holder == Asker::NAMELESS || holder == Asker::ALL_VIEWS
}

/// The holder's page view ended. Where `is_over`, nothing of it can be on its way: what it was promised is given back. Else that
/// stands under no name until its time is over.
pub fn turn_page(promised: &mut Vec<Promise>, holder: u64, is_over: bool) {
    if is_of_all(holder) {
        return;
    }
    promised.retain(|promise| promise.holder != holder || !(promise.is_spent || is_over));
    let left = promised.iter_mut().filter(|promise| promise.holder == holder);
    left.for_each(|promise| promise.holder = Asker::NAMELESS);
}
