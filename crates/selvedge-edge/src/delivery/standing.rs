//! How destinations stood when a shard looked last: what waits for each, and whether a new row has to wake it. A look costs
//! as many reads as there are destinations, so it is believed for a moment.

use super::pressure::Waiting;
use super::sent_to;
use super::state::State;
use crate::site::Site;
use alloc::vec::Vec;
use selvedge_core::wire::program::{Destination, Full};

/// How long a look is believed; a delivery ends that too.
pub const BELIEVED_MS: u64 = 1_000;

/// How the destinations of one publish stood at a moment.
#[derive(Debug, Clone)]
pub struct Standing {
    publish: u64,
    at_ms: u64,
    /// Bytes of the log at that moment.
    end_bytes: u64,
    /// By place in the program of that publish: isolates may know different ones.
    all: Vec<Stood>,
}

/// How one destination stood.
#[derive(Debug, Clone, Copy)]
pub struct Stood {
    waiting: Waiting,
    /// It gets a new row at once.
    is_idle: bool,
}

impl Stood {
    /// One for which so much waits.
    #[must_use]
    pub const fn of(state: &State, waiting: Waiting, now_ms: u64) -> Self {
        Self { waiting, is_idle: state.paused.is_none() && now_ms >= state.not_before_ms }
    }

    /// One that the shard has sent nothing to yet.
    pub const NEW: Self = Self { waiting: Waiting { bytes: 0, oldest_ms: None }, is_idle: true };
}

impl Standing {
    /// What a look at `now_ms` found, of each destination of the site that something is sent to, in their order, in a log of
    /// `end_bytes`.
    #[must_use]
    pub const fn new(site: &Site, now_ms: u64, end_bytes: u64, all: Vec<Stood>) -> Self {
        Self { publish: site.publish, at_ms: now_ms, end_bytes, all }
    }

    /// Whether it is to be believed at `now_ms` by who goes by this publish of the site. Another may have other destinations in
    /// the same places.
    #[must_use]
    pub const fn is_believed(&self, site: &Site, now_ms: u64) -> bool {
        self.publish == site.publish && now_ms.abs_diff(self.at_ms) < BELIEVED_MS
    }

    /// What waits for each destination of the site in a log of `end_bytes`: all that was written since, too.
    pub fn waiting<'a>(
        &'a self,
        site: &'a Site,
        end_bytes: u64,
    ) -> impl Iterator<Item = (&'a Destination, Waiting)> {
        let more = end_bytes.saturating_sub(self.end_bytes);
        self.all.iter().zip(sent_to(site)).map(move |(stood, destination)| {
            let bytes = stood.waiting.bytes.saturating_add(more);
            (destination, Waiting { bytes, ..stood.waiting })
        })
    }

    /// Whether a new row wakes somebody: who waits for nothing else, or gives up what is oldest for it.
    #[must_use]
    pub fn is_awaited(&self, site: &Site) -> bool {
        let mut all = self.all.iter().zip(sent_to(site));
        all.any(|(stood, destination)| stood.is_idle || destination.when_full == Full::DropOldest)
    }
}
