//! Defects that tests plant, to see that they are found. Without the feature `mutation`, which no shipped build has, each
//! question is answered with no where it stands, and nothing of this is left.

/// A defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Mutation {
    /// The shard answers before its transaction is committed.
    AckBeforeCommit,
    /// What was taken is written outside the transaction of the rest.
    WindowsOutside,
    /// The ledger is not written with the rows that it counts.
    LedgerOutside,
    /// A withdrawal leaves what the quarantine holds.
    QuarantineKept,
    /// A request goes to the shard of another site.
    SitesMixed,
    /// Consent is checked as it was at capture, not as it is now.
    ConsentAtCaptureOnly,
    /// What was taken is not remembered.
    DedupForgotten,
    /// A refused event that comes again is not known again.
    RepeatUnknown,
    /// A refusal is counted twice.
    RefusedTwice,
    /// What is quarantined has no reason.
    NoReason,
    /// State is kept without a purpose for it.
    StateKept,
    /// The log is read out whatever was withdrawn.
    ReadOutAlways,
    /// The last of many events is counted and not logged.
    EventLeftOut,
    /// A duplicate is counted as accepted.
    DuplicateAccepted,
    /// A grant that a page takes is not told to other tabs.
    ClaimUntold,
    /// A page shows what is capped though no grant is left.
    ClaimUnasked,
    /// A page captures before it may.
    StoredUnasked,
    /// A withdrawal leaves what the device holds.
    WithdrawalKeepsQueue,
    /// A withdrawal in another tab forgets what was denied before it.
    DenialForgotten,
    /// The edge is not told of a withdrawal.
    FarewellForgotten,
    /// A page gives up events that failed often, and does not say so.
    DroppedSilently,
    /// A page lets go of events that the edge did not take.
    DoneBeforeAnswer,
    /// A page lets go of what left by beacon.
    BeaconIsDone,
    /// A retry sends events under new ids.
    RetryRenumbers,
    /// A batch holds its events in the wrong order.
    BatchReversed,
    /// What was sent without an answer counts as delivered.
    CursorBeforeAck,
    /// Of a send that was too large only the first half goes again.
    SplitLosesHalf,
    /// A send that goes again has another name.
    ResendRenamed,
    /// A destination that is paused is sent to.
    PauseIgnored,
    /// Nobody wakes up for what waits to go again.
    AlarmNotRearmed,
    /// Rows of the log are removed that a destination has not taken.
    RowsRemovedEarly,
    /// What leaves is ordered by the clock, not by the log.
    ClockForOrder,
    /// What leaves is judged by the consent at capture alone.
    SentAfterWithdrawal,
    /// What leaves is judged by the consent of now alone.
    SentUngranted,
    /// A destination that stopped never goes on, whatever an operator mends or says.
    PausedForGood,
    /// Whatever changes of a destination, a producer's numbers are forgotten.
    NumbersOutlived,
    /// A page lets go of a rule that is held.
    HeldLetGo,
    /// What is in flight is not recorded before it leaves.
    FlightNotRecorded,
    /// What is given up because too much waits is not counted.
    DropUncounted,
    /// What a destination may hold twice is not counted.
    DuplicatesUncounted,
    /// What a transport gives to be stored is not.
    NumbersForgotten,
    /// With an event that is refused the next one is.
    PoisonTakesNext,
    /// A destination that asks for time is given none.
    WaitIgnored,
    /// However much waits for a destination, more is taken.
    BacklogIgnored,
    /// An erasure leaves what is not sent yet.
    ErasureLeavesUnsent,
    /// An older program steps the state of a newer one.
    OlderSteps,
    /// What was granted is not put aside: the next answer grants it again.
    GrantNotLeased,
    /// A lease is taken back though it may still be used.
    LeaseUnproven,
    /// What happens in a session does not renew it.
    SessionNotRenewed,
    /// Each answer that a page applies gives its grants once more, whatever was used of them.
    AnswerTwice,
    /// What nobody answered for leaves.
    UnknownGranted,
    /// The leases of one device are answered to every other of the visitor.
    LeasesOfAnyDevice,
    /// The edge answers hands without an engine what is capped, and takes no grant for it.
    AnswerUngranted,
    /// Consent is checked as it is now, not as it was at capture.
    CaptureIgnored,
    /// Of several sources of consent one counts, and not the strictest.
    LastSourceCounts,
    /// A page sends before it may.
    SentUnasked,
    /// A question is answered with content that nobody may show.
    AskedUngranted,
    /// A cap of a session counts nothing.
    SessionCapEndless,
    /// A destination that failed often is not tried again.
    GivesUp,
}

impl Mutation {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::AckBeforeCommit,
        Self::WindowsOutside,
        Self::LedgerOutside,
        Self::QuarantineKept,
        Self::SitesMixed,
        Self::ConsentAtCaptureOnly,
        Self::DedupForgotten,
        Self::RepeatUnknown,
        Self::RefusedTwice,
        Self::NoReason,
        Self::StateKept,
        Self::ReadOutAlways,
        Self::EventLeftOut,
        Self::DuplicateAccepted,
        Self::ClaimUntold,
        Self::ClaimUnasked,
        Self::StoredUnasked,
        Self::WithdrawalKeepsQueue,
        Self::DenialForgotten,
        Self::FarewellForgotten,
        Self::DroppedSilently,
        Self::DoneBeforeAnswer,
        Self::BeaconIsDone,
        Self::RetryRenumbers,
        Self::BatchReversed,
        Self::CursorBeforeAck,
        Self::SplitLosesHalf,
        Self::ResendRenamed,
        Self::PauseIgnored,
        Self::AlarmNotRearmed,
        Self::RowsRemovedEarly,
        Self::ClockForOrder,
        Self::SentAfterWithdrawal,
        Self::SentUngranted,
        Self::PausedForGood,
        Self::NumbersOutlived,
        Self::HeldLetGo,
        Self::FlightNotRecorded,
        Self::DropUncounted,
        Self::DuplicatesUncounted,
        Self::NumbersForgotten,
        Self::PoisonTakesNext,
        Self::WaitIgnored,
        Self::BacklogIgnored,
        Self::ErasureLeavesUnsent,
        Self::OlderSteps,
        Self::GrantNotLeased,
        Self::LeaseUnproven,
        Self::SessionNotRenewed,
        Self::AnswerTwice,
        Self::UnknownGranted,
        Self::LeasesOfAnyDevice,
        Self::AnswerUngranted,
        Self::CaptureIgnored,
        Self::LastSourceCounts,
        Self::SentUnasked,
        Self::AskedUngranted,
        Self::SessionCapEndless,
        Self::GivesUp,
    ];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AckBeforeCommit => "ack-before-commit",
            Self::WindowsOutside => "windows-outside",
            Self::LedgerOutside => "ledger-outside",
            Self::QuarantineKept => "quarantine-kept",
            Self::SitesMixed => "sites-mixed",
            Self::ConsentAtCaptureOnly => "consent-at-capture-only",
            Self::DedupForgotten => "dedup-forgotten",
            Self::RepeatUnknown => "repeat-unknown",
            Self::RefusedTwice => "refused-twice",
            Self::NoReason => "no-reason",
            Self::StateKept => "state-kept",
            Self::ReadOutAlways => "read-out-always",
            Self::EventLeftOut => "event-left-out",
            Self::DuplicateAccepted => "duplicate-accepted",
            Self::ClaimUntold => "claim-untold",
            Self::ClaimUnasked => "claim-unasked",
            Self::StoredUnasked => "stored-unasked",
            Self::WithdrawalKeepsQueue => "withdrawal-keeps-queue",
            Self::DenialForgotten => "denial-forgotten",
            Self::FarewellForgotten => "farewell-forgotten",
            Self::DroppedSilently => "dropped-silently",
            Self::DoneBeforeAnswer => "done-before-answer",
            Self::BeaconIsDone => "beacon-is-done",
            Self::RetryRenumbers => "retry-renumbers",
            Self::BatchReversed => "batch-reversed",
            Self::CursorBeforeAck => "cursor-before-ack",
            Self::SplitLosesHalf => "split-loses-half",
            Self::ResendRenamed => "resend-renamed",
            Self::PauseIgnored => "pause-ignored",
            Self::AlarmNotRearmed => "alarm-not-rearmed",
            Self::RowsRemovedEarly => "rows-removed-early",
            Self::ClockForOrder => "clock-for-order",
            Self::SentAfterWithdrawal => "sent-after-withdrawal",
            Self::SentUngranted => "sent-ungranted",
            Self::PausedForGood => "paused-for-good",
            Self::NumbersOutlived => "numbers-outlived",
            Self::HeldLetGo => "held-let-go",
            Self::FlightNotRecorded => "flight-not-recorded",
            Self::DropUncounted => "drop-uncounted",
            Self::DuplicatesUncounted => "duplicates-uncounted",
            Self::NumbersForgotten => "numbers-forgotten",
            Self::PoisonTakesNext => "poison-takes-next",
            Self::WaitIgnored => "wait-ignored",
            Self::BacklogIgnored => "backlog-ignored",
            Self::ErasureLeavesUnsent => "erasure-leaves-unsent",
            Self::OlderSteps => "older-steps",
            Self::GrantNotLeased => "grant-not-leased",
            Self::LeaseUnproven => "lease-unproven",
            Self::SessionNotRenewed => "session-not-renewed",
            Self::AnswerTwice => "answer-twice",
            Self::UnknownGranted => "unknown-granted",
            Self::LeasesOfAnyDevice => "leases-of-any-device",
            Self::AnswerUngranted => "answer-ungranted",
            Self::CaptureIgnored => "capture-ignored",
            Self::LastSourceCounts => "last-source-counts",
            Self::SentUnasked => "sent-unasked",
            Self::AskedUngranted => "asked-ungranted",
            Self::SessionCapEndless => "session-cap-endless",
            Self::GivesUp => "gives-up",
        }
    }
}

/// Whether a defect is planted: never, here.
#[cfg(not(feature = "mutation"))]
#[inline(always)]
#[must_use]
pub const fn is_planted(_: Mutation) -> bool {
    false
}

#[cfg(feature = "mutation")]
pub use planted::{is_planted, plant};

#[cfg(feature = "mutation")]
mod planted {
    use super::Mutation;
    use core::sync::atomic::{AtomicU8, Ordering};

    /// The one that is planted, counted from 1.
    static PLANTED: AtomicU8 = AtomicU8::new(0);

    /// Plants a defect in place of what was planted before; `None` mends it.
    pub fn plant(mutation: Option<Mutation>) {
        PLANTED.store(mutation.map_or(0, number), Ordering::SeqCst);
    }

    /// Whether a defect is planted.
    #[must_use]
    pub fn is_planted(mutation: Mutation) -> bool {
        PLANTED.load(Ordering::Relaxed) == number(mutation)
    }

    const fn number(mutation: Mutation) -> u8 {
        (mutation as u8).saturating_add(1)
    }
}
