//! Leases of senders that decide nothing locally: a batch without a program and without reports comes from one. It shows
//! what the edge answers, so it cannot have used a grant but by an exposure that it sends.

use alloc::vec::Vec;
use selvedge_core::event::{BatchHeader, Clock, LeaseReport};
use selvedge_core::tracking_plan::Trust;
use selvedge_core::wire::state::{CapCell, CellBody, Lease, VisitorState};

/// How a batch deals with leases.
#[derive(Debug)]
pub(super) enum Leases {
    /// The sender reports what it used.
    Reported,
    /// It never reports: what expired it did not use. A recording is the same, as no page takes part in it.
    Unused,
    /// A server speaks beside the visitor's page. It proves nothing of the page's leases, which are these, and holds none.
    OfAnother(Vec<(u64, u32)>),
}

impl Leases {
    /// How the batch with this header deals with the leases in `state`, the state before it.
    pub(super) fn new(header: &BatchHeader, trust: Trust, state: &VisitorState) -> Self {
        if header.program.is_some() || !header.leases.is_empty() {
            return Self::Reported;
        }
        match (trust, header.clock) {
            (Trust::Client, _) | (_, Clock::Event) => Self::Unused,
            (Trust::Server, Clock::Received) => Self::OfAnother(
                caps(state)
                    .filter(|(_, cap)| cap.lease.left > 0)
                    .map(|(at, cap)| (at, cap.lease.id))
                    .collect(),
            ),
        }
    }

    /// What a sender that never reports would say of the leases that expired: that it holds no use of them which is still
    /// to be told. Without it they would be burnt, as if all of them had been shown.
    pub(super) fn unused(&self, state: &VisitorState, now_ms: i64) -> Vec<LeaseReport> {
        if !matches!(self, Self::Unused) {
            return Vec::new();
        }
        let expired = |(_, cap): &(u64, &CapCell)| cap.lease.left > 0 && cap.lease.expires_ms <= now_ms;
        let report = |(rule, cap): (u64, &CapCell)| LeaseReport { rule, lease: cap.lease.id, used: 0 };
        caps(state).filter(expired).map(report).collect()
    }

    /// Gives back what was leased for the answer to a server: no device holds it.
    pub(super) fn give_back(&self, state: &mut VisitorState) {
        let Self::OfAnother(held) = self else { return };
        for cell in &mut state.cells {
            if let CellBody::Cap(cap) = &mut cell.body
                && !held.contains(&(cell.hash, cap.lease.id))
            {
                cap.lease = Lease { id: cap.lease.id, ..Lease::default() };
            }
        }
    }
}

fn caps(state: &VisitorState) -> impl Iterator<Item = (u64, &CapCell)> {
    state.cells.iter().filter_map(|cell| match &cell.body {
        CellBody::Cap(cap) => Some((cell.hash, cap)),
        _ => None,
    })
}
