//! Sessions, and caps of a session, found anew from the log: which session an event is of, and how often a rule was seen in it.
//!
//! A page that is offline cannot know the session that the edge will count its exposure to, so that a count by the world's clock
//! would find too many where nothing is wrong. What is looked at is what the edge counted: the exposures in the log, at the time
//! that rules have for them, between the sessions' beginnings. Of those that took a grant there are never more than the cap.
//!
//! Not counted is what was seen before personalization was taken back and granted again, which the edge forgot; what was seen without a grant (the page says so: it had lost its rule engine, or another tab had taken the
//! last grant while it was in view), and what never came into the log: it was refused, withdrawn, or erased. Of a visitor who
//! ever took analytics back, or was erased, sessions are not known, and caps of one begin anew when they are granted again:
//! there nothing is looked at; nor in worlds whose clocks are wrong, or whose devices keep too little to share grants. Devices of one
//! visitor count together: one of them at a time holds the grants.

use std::collections::BTreeMap;

/// A session ends when nothing was seen for longer.
const IDLE_MS: i64 = 30 * 60 * 1_000;
/// And when it lasted longer.
const LONGEST_MS: i64 = 24 * 60 * 60 * 1_000;

/// What the log says of a visitor's sessions.
#[derive(Debug, Clone, Default)]
pub struct Sessions {
    /// Part of them went unseen.
    pub is_gapped: bool,
    number: u32,
    last_ms: i64,
    begun_ms: Vec<i64>,
    /// When a rule was seen with a grant.
    seen: BTreeMap<String, Vec<i64>>,
}

impl Sessions {
    /// An event of the present session, or of the next; what is wrong with that.
    pub fn event(&mut self, number: u32, at_ms: i64, names_campaign: bool) -> Option<String> {
        if self.begun_ms.is_empty() {
            (self.number, self.last_ms) = (number, at_ms);
            self.begun_ms.push(at_ms);
            return None;
        }
        if at_ms < self.last_ms {
            return None;
        }
        let begun_ms = self.begun_ms.last().copied().unwrap_or(at_ms);
        let (idle_ms, is_next) = (at_ms - self.last_ms, number > self.number);
        let must = idle_ms > IDLE_MS || at_ms - begun_ms > LONGEST_MS;
        let known = core::mem::replace(&mut self.number, number);
        self.last_ms = at_ms;
        if is_next {
            self.begun_ms.push(at_ms);
        }
        let is_wrong = (must && !is_next) || (is_next && !must && !names_campaign) || number < known;
        is_wrong.then(|| format!("session {known} is {number} behind {idle_ms} ms, begun {begun_ms}"))
    }

    /// An exposure with a grant: how many of the rule the session has that it is of; what was before `since_ms` is forgotten.
    pub fn expose(&mut self, rule: &str, at_ms: i64, since_ms: i64) -> usize {
        let next = self.begun_ms.iter().position(|begun_ms| *begun_ms > at_ms).unwrap_or(self.begun_ms.len());
        let from_ms = next.checked_sub(1).map_or(i64::MIN, |at| self.begun_ms[at]).max(since_ms);
        let until_ms = self.begun_ms.get(next).copied().unwrap_or(i64::MAX);
        let seen = self.seen.entry(rule.to_owned()).or_default();
        seen.push(at_ms);
        seen.iter().filter(|seen_ms| (from_ms..until_ms).contains(*seen_ms)).count()
    }
}
