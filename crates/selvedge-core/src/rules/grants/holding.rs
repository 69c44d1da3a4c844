//! Which of a visitor's devices holds the leases. A device is answered what it may use, and nothing else tells two devices of one
//! visitor apart: so all leases belong to one of them at a time, and another gets none before they are used or over. The page
//! does not link this.

use super::leasing::{began_ms, burn, capped};
use super::{cap_mut, cap_of, kept_max};
use crate::limits::CLOCKS_APART_MS;
use crate::wire::program::Image;
use crate::wire::state::{CapCell, CellBody, Lease, VisitorState};
use alloc::vec::Vec;

/// Whether a device holds grants that it may still use.
#[must_use]
pub fn is_held(state: &VisitorState, now_ms: i64) -> bool {
    let now_ms = state.now_ms(now_ms);
    let is_live = |lease: &Lease| lease.left > 0 && now_ms < lease.expires_ms;
    state
        .cells
        .iter()
        .any(|cell| matches!(&cell.body, CellBody::Cap(CapCell { lease, .. }) if is_live(lease)))
}

/// Another device holds the leases from now on. What is left of those that are over is burnt, and every lease gets a new number:
/// nothing that is said of the old ones is said of the new.
pub fn pass_on(image: &Image, state: &mut VisitorState, now_ms: i64) {
    let now_ms = state.now_ms(now_ms);
    for owner in capped(image) {
        if cap_of(state, owner.hash).is_none_or(|cell| cell.lease.id == 0) {
            continue;
        }
        if let Some(cell) = cap_mut(state, owner.hash) {
            burn(cell, kept_max(image, owner.caps), now_ms);
            cell.lease = Lease { id: cell.lease.id.saturating_add(1), ..Lease::default() };
        }
    }
}

/// What is left of leases that began behind a moment, put away while an exposure from then is counted: what waited on a device
/// used the lease that the device had then, and none that it or another was granted since.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Later(Vec<(u64, [u16; 2])>);

impl Later {
    /// Puts away what began behind `time_ms`. Call [`Self::put_back`] behind it.
    #[must_use]
    pub fn than(state: &mut VisitorState, time_ms: i64) -> Self {
        let is_later = |lease: &Lease| time_ms.saturating_add(CLOCKS_APART_MS) < began_ms(lease);
        let mut later = Self::default();
        for cell in &mut state.cells {
            let CellBody::Cap(cap) = &mut cell.body else { continue };
            let of = [&mut cap.lease, &mut cap.burnt];
            let left = of.map(|lease| if is_later(lease) { core::mem::take(&mut lease.left) } else { 0 });
            if left != [0, 0] {
                later.0.push((cell.hash, left));
            }
        }
        later
    }

    /// Puts it back.
    pub fn put_back(self, state: &mut VisitorState) {
        for (hash, [lease, burnt]) in self.0 {
            if let Some(CellBody::Cap(cap)) = state.body_mut(hash) {
                cap.lease.left = cap.lease.left.saturating_add(lease);
                cap.burnt.left = cap.burnt.left.saturating_add(burnt);
            }
        }
    }
}

/// Leaves no lease in a state: nothing of it is for the device that gets it.
pub fn without_leases(state: &mut VisitorState) {
    for cell in &mut state.cells {
        if let CellBody::Cap(cap) = &mut cell.body {
            cap.lease = Lease::default();
        }
    }
}
