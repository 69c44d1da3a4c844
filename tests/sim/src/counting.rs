//! Sessions and their caps, looked at in each row that comes into a log: see `sessions`.

use crate::sessions::Sessions;
use crate::sites;
use crate::truth::Violation;
use crate::world::World;
use selvedge_core::consent::Purposes;
use selvedge_core::event::EventType;
use selvedge_core::rules::rule_time;
use selvedge_core::value::Value;
use selvedge_core::wire::log_row::{LogEvent, LogRow};

/// What names a campaign begins with this.
const CAMPAIGN: &str = "utm.";

impl World<'_> {
    /// A row that came into the log.
    pub fn check_sessions(&mut self, at: usize, row: &LogRow) {
        if !self.is_time_known() {
            return;
        }
        let mut known = self.shards[at].sessions.remove(&row.visitor).unwrap_or_default();
        known.is_gapped |= self.is_gapped(at, row);
        if !known.is_gapped {
            for logged in &row.events {
                if let Some(violation) = self.session_of(at, &mut known, row, logged) {
                    self.fail(violation.invariant, violation.detail);
                }
            }
        }
        self.shards[at].sessions.insert(row.visitor, known);
    }

    /// Whether the world's clocks agree, and grants can be shared wherever they are taken.
    fn is_time_known(&self) -> bool {
        let are_clocks_right = !self.dials.wrong_clocks && !self.dials.clock_jumps && !self.dials.has_jumps;
        are_clocks_right && !self.dials.quota && !self.dials.private
    }

    fn session_of(
        &self,
        at: usize,
        known: &mut Sessions,
        row: &LogRow,
        logged: &LogEvent,
    ) -> Option<Violation> {
        let event = &logged.event;
        if logged.late || logged.clock_off {
            return None;
        }
        let at_ms = rule_time(event.time_ms, row.skew_ms, Some(row.received_ms), row.clock);
        if logged.session > 0 {
            let mut context = event.context.iter();
            let names_campaign = context.any(|(name, _)| name.starts_with(CAMPAIGN));
            if let Some(wrong) = known.event(logged.session, at_ms, names_campaign) {
                let detail = format!("{}: {wrong}", row.visitor);
                return Some(Violation { invariant: "a session lasts as long as it is used", detail });
            }
        }
        let rule = event.properties.text("rule").filter(|_| event.event_type == EventType::Exposure)?;
        let is_granted = event.properties.get("granted") != Some(&Value::Bool(false));
        let program = &self.files[self.shards[at].site].programs[0].parts;
        let limit = sites::per_session(program, rule)?;
        if !is_granted || event.properties.text("reason").is_some() {
            return None;
        }
        let renewed_ms = self.shards[at].renewed.get(&row.visitor).copied();
        if self.dials.is_linked && renewed_ms.is_some() {
            // What another device held before is forgotten with the consent for it.
            return None;
        }
        let since_ms =
            renewed_ms.map_or(i64::MIN, |renewed_ms| i64::try_from(renewed_ms).unwrap_or(i64::MAX));
        let seen = known.expose(rule, at_ms, since_ms);
        let detail = || format!("{}: {rule} has {limit} a session, seen {seen} times", row.visitor);
        (seen > usize::from(limit))
            .then(|| Violation { invariant: "a session's cap is never exceeded", detail: detail() })
    }

    /// Whether part of a visitor's sessions went unseen.
    fn is_gapped(&self, at: usize, row: &LogRow) -> bool {
        let without = |in_force: Purposes| !in_force.holds(Purposes::ANALYTICS);
        let shard = &self.shards[at];
        let record = shard.tables.record(row.visitor).unwrap_or_default();
        let changes: &[_] = shard.consents.get(&row.visitor).map_or(&[], Vec::as_slice);
        without(record.consent.in_force())
            || changes.iter().any(|(_, in_force)| without(*in_force))
            || row.consent.iter().any(|said| without(said.in_force()))
            || shard.erased.contains_key(&row.visitor)
    }
}
