//! The moment that rules are run in: who, where, when, under what consent.

use crate::consent::Purposes;
use crate::event::Clock;
use crate::id::{VisitorId, WriterId};
use crate::limits::{CLAMP_FUTURE_MS, CLAMP_PAST_MS};
use crate::tracking_plan::Trust;
use crate::value::Map;
use crate::wire::program::{RuleRow, kind};
use crate::wire::state::VisitorState;

/// Where rules run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the page: only rules whose facts are all known there.
    Page,
    /// At the edge: every rule.
    Edge,
}

/// The moment of an event, or of a question without one.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// Whose event it is: page facts and page holds are those of this writer's open page view.
    pub writer: WriterId,
    /// The batch's context; an event's own context wins over it.
    pub context: &'a Map,
    /// The rules' time ([`rule_time`]) of the event, or of the question.
    pub now_ms: i64,
    /// The purposes in force: at the event's capture *and* now. A rule acts only if its purpose is among them; what was
    /// not in force at an event counts as unobserved at that time.
    pub in_force: Purposes,
    /// Where this is.
    pub place: Place,
    /// Who the event came from. A count can demand a server.
    pub trust: Trust,
    /// The state of the visitor's account, where it is known: facts of the account are read from it, and are unknown
    /// without it.
    pub account: Option<&'a VisitorState>,
    /// Whose moment it is: units of experiments. [`VisitorId::NOBODY`] takes part in none.
    pub visitor: VisitorId,
    /// What holds besides the program.
    pub orders: Orders<'a>,
}

/// What holds besides the program, from one moment to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Orders<'a> {
    /// Rules that were stopped since the program was published, by [`crate::hash::fnv1a_64`] of their ids;
    /// [`Orders::ALL`] among them stops all.
    pub paused: &'a [u64],
    /// Variants that are forced, for a preview: by [`crate::hash::fnv1a_64`] of `experiment/variant`.
    pub forced: &'a [u64],
    /// Whether amounts of the event are in the site's currency whatever it says: they were converted.
    pub is_converted: bool,
}

/// What filters of events read besides the event's properties.
pub(super) struct Happening<'a> {
    /// Who the event came from.
    pub trust: Trust,
    /// The rules' time of the event.
    pub now_ms: i64,
    /// What holds besides the program.
    pub orders: Orders<'a>,
}

impl<'a> Moment<'a> {
    /// What filters of its event read.
    pub(super) const fn happening(&self) -> Happening<'a> {
        Happening { trust: self.trust, now_ms: self.now_ms, orders: self.orders }
    }
}

impl Orders<'_> {
    /// Stands for every rule in [`Self::paused`].
    pub const ALL: u64 = 0;

    /// Whether the rule of this name was stopped.
    #[must_use]
    #[inline]
    pub fn pauses(&self, rule: u64) -> bool {
        self.paused.iter().any(|paused| *paused == rule || *paused == Self::ALL)
    }
}

/// Whether a rule may act at all, before its condition is asked.
#[inline]
pub(super) fn may_act(rule: RuleRow, moment: &Moment) -> bool {
    rule.status() == kind::STATUS_LIVE
        && (rule.in_page() || moment.place == Place::Edge)
        && moment.in_force.holds(rule.purpose())
        && !moment.orders.pauses(rule.hash())
}

/// Times beyond this (the 48 bits that an event id keeps) are cut to it.
const TIME_MS_MAX: i64 = (1 << 48) - 1;

/// The time that rules use for an event: the writer's clock corrected by its skew, and under [`Clock::Received`] kept
/// within [`CLAMP_PAST_MS`] before and [`CLAMP_FUTURE_MS`] after receipt. In the page nothing is received: the page's
/// own now is what `received_ms` should be there.
#[must_use]
pub fn rule_time(event_time_ms: u64, skew_ms: i64, received_ms: Option<u64>, clock: Clock) -> i64 {
    let whole = |time_ms: u64| i64::try_from(time_ms).unwrap_or(TIME_MS_MAX).min(TIME_MS_MAX);
    let time_ms = whole(event_time_ms);
    match (clock, received_ms) {
        (Clock::Event, _) => time_ms,
        (Clock::Received, None) => time_ms.saturating_add(skew_ms).clamp(0, TIME_MS_MAX),
        (Clock::Received, Some(received_ms)) => {
            let received_ms = whole(received_ms);
            let earliest_ms = received_ms.saturating_sub(CLAMP_PAST_MS);
            let latest_ms = received_ms.saturating_add(CLAMP_FUTURE_MS);
            time_ms.saturating_add(skew_ms).max(earliest_ms).min(latest_ms)
        }
    }
}
