//! The session: when it begins, and what is known of it where part of it was not observed.

use super::{Step, context_value};
use crate::consent::Purposes;
use crate::event::Event;
use crate::limits::{SESSION_IDLE_MS, SESSION_MS_MAX};
use crate::mutation::{Mutation, is_planted};
use crate::rules::kept::{cut, fact_of, mark_of, put, stored};
use crate::value::Value;
use crate::wire::program::Builtin;
use crate::wire::state::{Stored, VisitorState};

/// Facts of a campaign.
const UTM: [Builtin; 5] =
    [Builtin::UtmSource, Builtin::UtmMedium, Builtin::UtmCampaign, Builtin::UtmTerm, Builtin::UtmContent];
/// Facts that begin anew with a session. No context names the entry page: it is missing until the first page view.
const OF_SESSION: [Builtin; 7] = [
    Builtin::SessionEntryPage,
    Builtin::UtmSource,
    Builtin::UtmMedium,
    Builtin::UtmCampaign,
    Builtin::UtmTerm,
    Builtin::UtmContent,
    Builtin::ReferrerClass,
];

/// Whether the session lasts no more when an event comes that is newer than all of it: after 30 minutes idle, 24 hours, or
/// with a new campaign.
pub(super) fn ends_session(state: &VisitorState, event: &Event, time_ms: i64) -> bool {
    let session = &state.session;
    let is_over = time_ms.wrapping_sub(session.start_ms) > SESSION_MS_MAX;
    time_ms >= session.last_ms && (is_over || is_idle(state, time_ms) || is_new_campaign(state, event))
}

/// Whether nothing was seen for as long as ends a session.
pub(super) fn is_idle(state: &VisitorState, time_ms: i64) -> bool {
    time_ms.wrapping_sub(state.session.last_ms) > SESSION_IDLE_MS
}

/// The event itself names a campaign, and not the session's; of a session that was not observed whole, which one it has is
/// not known, and it may be a new one.
fn is_new_campaign(state: &VisitorState, event: &Event) -> bool {
    let (mut is_named, mut differs) = (false, false);
    for builtin in UTM {
        let named = event.context.text(builtin.name()).unwrap_or_default();
        is_named |= !named.is_empty();
        differs |= match fact_of(&state.session.facts, builtin) {
            Some(Stored::Text(text)) => *text != cut(named),
            Some(Stored::Number(mark)) => *mark != mark_of(named),
            _ => !named.is_empty(),
        };
    }
    is_named && (differs || state.session.is_gapped)
}

impl Step<'_> {
    /// Keeps the session; whether a new one began. Where analytics is not in force, whether it still lasts is not known from
    /// here on, and what is counted in it begins anew, as a lower bound.
    pub(super) fn session(&mut self) -> bool {
        let is_observed = self.moment.in_force.holds(Purposes::ANALYTICS) && !self.is_behind_gap();
        let begins = is_observed && self.usable.holds(Purposes::ANALYTICS) && self.session_begins();
        self.ends_session = begins || !is_observed;
        if self.ends_session {
            self.state.session.pages = 0;
            self.state.prune_held(true, i64::MIN);
        }
        let session = &mut self.state.session;
        if !is_observed {
            session.is_gapped = true;
            session.was_gapped = true;
            session.is_gap_open = true;
        } else if self.usable.holds(Purposes::ANALYTICS) {
            session.is_gap_open = false;
            if begins || !is_planted(Mutation::SessionNotRenewed) {
                session.last_ms = session.last_ms.max(self.moment.now_ms);
            }
        }
        if begins {
            self.state.age(self.moment.now_ms);
            self.keep_of_session();
        }
        begins
    }

    /// Whether a newer event went unseen: where the session began that this one belongs to is not known.
    pub(super) fn is_behind_gap(&self) -> bool {
        let is_older = self.state.last_time_ms.is_some_and(|last_ms| self.moment.now_ms < last_ms);
        self.state.session.is_gap_open && is_older
    }

    /// Keeps what the session begins with, as far as it is read; of a campaign that nobody reads what tells it from another.
    /// What a program before kept is gone with the session before.
    fn keep_of_session(&mut self) {
        let (image, event, moment) = (self.image, self.event, self.moment);
        let facts = &mut self.state.session.facts;
        facts.retain(|(builtin, _)| image.index().reads(*builtin));
        for builtin in OF_SESSION {
            let value = context_value(event, moment, builtin.name());
            match stored(builtin.kind() as u8, value) {
                value if image.index().reads(builtin) => put(facts, builtin, value),
                _ => {
                    if let Some(Value::Text(name)) = value.filter(|_| UTM.contains(&builtin)) {
                        put(facts, builtin, Stored::Number(mark_of(name)));
                    }
                }
            }
        }
    }

    /// Begins a session after 30 minutes idle, 24 hours, or with a new campaign; never by an event from before the
    /// session's newest.
    fn session_begins(&mut self) -> bool {
        let time_ms = self.moment.now_ms;
        let is_idle = is_idle(self.state, time_ms);
        if self.state.session.number > 0 && !ends_session(self.state, self.event, time_ms) {
            return false;
        }
        let session = &mut self.state.session;
        // After a gap it is not known whether a session truly begins here; only idle time that was watched tells.
        session.is_gapped = session.is_gap_open || session.is_gapped && !is_idle;
        session.previous_start_ms = (session.number > 0).then_some(session.start_ms);
        session.previous_end_ms = (session.number > 0).then_some(session.last_ms);
        session.number = session.number.max(1);
        if !session.is_gapped {
            session.caps_since_ms = time_ms;
            session.number = session.number.saturating_add(session.previous_end_ms.is_some().into());
        }
        session.start_ms = time_ms;
        true
    }

    /// Whether the event belongs to the present session, as far as that is observed.
    pub(super) fn is_in_session(&self) -> bool {
        let session = &self.state.session;
        let is_observed = self.moment.in_force.holds(Purposes::ANALYTICS) && !session.is_gap_open;
        is_observed && session.number > 0 && self.moment.now_ms >= session.start_ms
    }

    /// An event that analytics may not use keeps no session: then caps per session, and nothing else, begin anew after idle
    /// time.
    pub(super) fn caps_without_session(&mut self) {
        let time_ms = self.moment.now_ms;
        let is_idle = |last_ms| time_ms.wrapping_sub(last_ms) > SESSION_IDLE_MS && !self.usable.is_empty();
        if !self.usable.holds(Purposes::ANALYTICS) && self.state.last_time_ms.is_some_and(is_idle) {
            self.state.session.caps_since_ms = time_ms;
        }
    }
}
