//! The consent gate: the first thing every batch meets. It weighs the snapshots of the batch, what the request itself
//! shows (Global Privacy Control, the visitor's region) and the newest consent that is known of the visitor.

use alloc::vec::Vec;
use selvedge_core::consent::{Mode, Purposes, Snapshot, usable};
use selvedge_core::mutation::{Mutation, is_planted};

/// What may be done with a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    /// The consent in force now.
    pub now: Snapshot,
    /// The batch's snapshots, as they count here.
    pub captures: Vec<Snapshot>,
    /// Purposes that were in force before this batch and are not any more.
    pub lost: Purposes,
}

/// What a request shows of consent besides the snapshots of its batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shown {
    /// `Sec-GPC: 1`.
    pub gpc: bool,
    /// What unknown means where the visitor is.
    pub mode: Mode,
}

impl Gate {
    /// The gate for a batch with these snapshots that came at `received_ms`, of a visitor whose newest known consent is
    /// `known`.
    ///
    /// The newer of what is known and what the batch says is in force; where the batch says nothing, what is known.
    /// Privacy control counts from wherever it comes, and unknown counts as granted only where batch and region both say
    /// so.
    #[must_use]
    pub fn new(snapshots: &[Snapshot], known: Option<&Snapshot>, shown: Shown, received_ms: u64) -> Self {
        let captures: Vec<Snapshot> = snapshots.iter().map(|snapshot| strictest(snapshot, shown)).collect();
        let now = match (captures.first(), known) {
            (Some(said), Some(known)) if known.time_ms > said.time_ms => outlast(known, said, received_ms),
            (Some(said), _) => *said,
            (None, Some(known)) => Snapshot { gpc: known.gpc || shown.gpc, ..*known },
            (None, None) => Snapshot::default(),
        };
        let before = known.map_or(Purposes::NONE, Snapshot::in_force);
        Self { now, captures, lost: before.without(now.in_force()) }
    }

    /// The gate for an event that is taken up again: captured under `capture`, of a visitor whose newest known consent is
    /// `known`. What is known of today is in force; the event itself says nothing newer.
    #[must_use]
    pub fn again(capture: Snapshot, known: Option<&Snapshot>) -> Self {
        let now = known.copied().unwrap_or(capture);
        Self { now, captures: Vec::from([capture]), lost: Purposes::NONE }
    }

    /// What an event may be used for that has these purposes and names this snapshot. Empty: count it, then destroy it.
    /// An event that names no snapshot of its batch has none.
    #[must_use]
    pub fn usable(&self, purposes: Purposes, snapshot: u8) -> Purposes {
        match self.captures.get(usize::from(snapshot)) {
            Some(capture) if is_planted(Mutation::ConsentAtCaptureOnly) => usable(purposes, capture, capture),
            Some(_) if is_planted(Mutation::CaptureIgnored) => usable(purposes, &self.now, &self.now),
            Some(capture) => usable(purposes, capture, &self.now),
            None => Purposes::NONE,
        }
    }

    /// The purposes in force both at capture and now.
    #[must_use]
    pub fn in_force(&self, snapshot: u8) -> Purposes {
        self.usable(Purposes(u16::MAX), snapshot)
    }

    /// Whether the rules may keep state of the visitor.
    #[must_use]
    pub const fn keeps_state(&self) -> bool {
        !self.now.in_force().and(STATE_PURPOSES).is_empty()
    }

    /// Whether the visitor has explicitly denied something: that alone is remembered even of an unknown visitor, so that
    /// a batch captured under an older consent is refused when it comes.
    #[must_use]
    pub const fn is_denial(&self) -> bool {
        self.now.time_ms > 0 && !self.now.denied.is_empty()
    }
}

/// Purposes that state is kept for: sessions and first touch belong to analytics, rules to personalization.
pub const STATE_PURPOSES: Purposes = Purposes::ANALYTICS.or(Purposes::PERSONALIZATION);

/// What is in force where what is known is newer than what is said. What is known from the future was said by a clock that
/// ran ahead: nobody can tell whether it is newer, so what is denied since stays denied.
fn outlast(known: &Snapshot, said: &Snapshot, received_ms: u64) -> Snapshot {
    let mode = known.mode.strictest(said.mode);
    let kept = Snapshot { gpc: known.gpc || said.gpc, mode, ..*known };
    if known.time_ms <= received_ms || kept.in_force().and(said.denied).is_empty() {
        return kept;
    }
    Snapshot {
        granted: kept.granted.without(said.denied),
        denied: kept.denied.or(said.denied),
        time_ms: said.time_ms,
        ..kept
    }
}

fn strictest(snapshot: &Snapshot, shown: Shown) -> Snapshot {
    let mode = snapshot.mode.strictest(shown.mode);
    Snapshot { gpc: snapshot.gpc || shown.gpc, mode, ..*snapshot }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW_MS: u64 = 1_000;

    fn said(granted: u16, denied: u16, time_ms: u64) -> Snapshot {
        Snapshot { granted: Purposes(granted), denied: Purposes(denied), time_ms, ..Snapshot::default() }
    }

    #[test]
    fn a_newer_denial_binds_what_was_captured_before() {
        let known = said(0, 0b110, 20);
        let gate = Gate::new(&[said(0b110, 0, 10)], Some(&known), Shown::default(), NOW_MS);
        assert!(gate.usable(Purposes::ANALYTICS, 0).is_empty());
        assert!(!gate.keeps_state());
    }

    #[test]
    fn a_denial_binds_where_the_grant_was_stamped_by_a_clock_that_ran_ahead() {
        let ahead = said(0b110, 0, 90);
        let denied = Gate::new(&[said(0, 0b110, 20)], Some(&ahead), Shown::default(), 21);
        assert!(!denied.keeps_state() && denied.lost.holds(STATE_PURPOSES));
        let late = Gate::new(&[said(0b010, 0, 20)], Some(&ahead), Shown::default(), 21);
        assert_eq!(late.now, ahead);
    }

    #[test]
    fn where_nothing_is_said_what_is_known_counts() {
        let known = Snapshot { mode: Mode::OptOut, ..Snapshot::default() };
        let gate = Gate::new(&[], Some(&known), Shown::default(), NOW_MS);
        assert!(gate.now.in_force().holds(STATE_PURPOSES) && gate.lost.is_empty());
        assert!(gate.usable(Purposes(u16::MAX), 0).is_empty());
    }

    #[test]
    fn a_newer_grant_does_not_reach_back() {
        let known = said(0b110, 0, 20);
        let gate = Gate::new(&[said(0b010, 0b100, 10)], Some(&known), Shown::default(), NOW_MS);
        assert_eq!(gate.usable(STATE_PURPOSES, 0), Purposes::ANALYTICS);
    }

    #[test]
    fn a_withdrawal_names_what_was_lost() {
        let gate = Gate::new(&[said(0b010, 0b100, 30)], Some(&said(0b110, 0, 20)), Shown::default(), NOW_MS);
        assert_eq!(gate.lost, Purposes::PERSONALIZATION);
        assert!(gate.is_denial() && gate.keeps_state());
    }

    #[test]
    fn an_event_that_is_taken_up_again_says_nothing_of_today() {
        let capture = said(0b110, 0, 10);
        assert_eq!(Gate::again(capture, None).usable(STATE_PURPOSES, 0), STATE_PURPOSES);
        // Of the same moment, but seen with privacy control since.
        let known = Snapshot { gpc: true, ..said(0b1010, 0, 10) };
        let gate = Gate::again(said(0b1110, 0, 10), Some(&known));
        assert_eq!((gate.now, gate.usable(Purposes(0b1110), 0)), (known, Purposes::ANALYTICS));
        let denied = Gate::again(capture, Some(&said(0, 0b110, 20)));
        assert!(denied.usable(STATE_PURPOSES, 0).is_empty() && denied.lost.is_empty());
    }

    #[test]
    fn privacy_control_counts_from_the_header_alone() {
        let shown = Shown { gpc: true, mode: Mode::OptIn };
        let gate = Gate::new(&[said(0b1010, 0, 1)], None, shown, NOW_MS);
        assert_eq!(gate.usable(Purposes(0b1010), 0), Purposes::ANALYTICS);
    }

    #[test]
    fn unknown_is_granted_only_where_batch_and_region_say_so() {
        let page = Snapshot { mode: Mode::OptOut, ..Snapshot::default() };
        let opt_in = Gate::new(&[page], None, Shown { gpc: false, mode: Mode::OptIn }, NOW_MS);
        assert!(opt_in.usable(Purposes::ANALYTICS, 0).is_empty());
        let opt_out = Gate::new(&[page], None, Shown { gpc: false, mode: Mode::OptOut }, NOW_MS);
        assert!(!opt_out.usable(Purposes::ANALYTICS, 0).is_empty());
    }

    #[test]
    fn an_event_without_a_snapshot_has_no_purpose_at_all() {
        let gate = Gate::new(&[], None, Shown::default(), NOW_MS);
        assert!(gate.usable(Purposes(u16::MAX), 0).is_empty());
    }

    #[test]
    fn the_exemption_counts_only_where_the_region_has_it() {
        let page = Snapshot { mode: Mode::Exempt, ..Snapshot::default() };
        let usable =
            |mode| Gate::new(&[page], None, Shown { gpc: false, mode }, NOW_MS).usable(STATE_PURPOSES, 0);
        assert!(usable(Mode::OptIn).is_empty());
        assert_eq!(usable(Mode::Exempt), Purposes::ANALYTICS);
        assert_eq!(usable(Mode::OptOut), Purposes::ANALYTICS);
    }

    proptest! {
        /// Less consent, wherever it comes from, never allows more.
        #[test]
        fn less_consent_never_allows_more(
            granted: u16, known: u16, purposes: u16, less: u16, gpc: bool, time_ms in 0u64..3, now_ms in 0u64..3
        ) {
            let shown = Shown { gpc, mode: Mode::OptIn };
            let more = Gate::new(&[said(granted, 0, 1)], Some(&said(known, 0, time_ms)), shown, now_ms);
            for (capture, newest) in [
                (said(granted & less, 0, 1), said(known, 0, time_ms)),
                (said(granted, !less, 1), said(known, 0, time_ms)),
                (said(granted, 0, 1), said(known & less, 0, time_ms)),
                (said(granted, 0, 1), said(known, !less, time_ms)),
            ] {
                let fewer = Gate::new(&[capture], Some(&newest), shown, now_ms);
                let (more, fewer) = (more.usable(Purposes(purposes), 0), fewer.usable(Purposes(purposes), 0));
                prop_assert!(more.holds(fewer), "{more:?} {fewer:?}");
            }
        }
    }
}
