//! Deadlines at the edge: decided at where nothing happened, by the shard's alarm or before the next event.

use crate::decision::{Decider, slot_decisions};
use crate::leases::Leases;
use crate::ledger::Ledger;
use crate::site::Site;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use selvedge_core::consent::Purposes;
use selvedge_core::event::{Clock, Event};
use selvedge_core::id::{VisitorId, WriterId};
use selvedge_core::limits::{SEQUENCE_REORDER_MS, WAKES_MAX};
use selvedge_core::rules::{self, Decision, Moment, Place, Recall};
use selvedge_core::tracking_plan::Trust;
use selvedge_core::value::{Map, Value};
use selvedge_core::wire::log_row::{Cause, Emission, LogNote, LogRow, Said};
use selvedge_core::wire::state::VisitorState;
use selvedge_core::wire::stored::VisitorRecord;

/// How long the shard waits behind a deadline, so that an event from before it may still arrive.
pub const GRACE_MS: u64 = SEQUENCE_REORDER_MS.unsigned_abs();

/// How long the shard waits at least between two alarms of one visitor. What came due meanwhile is decided at its own time
/// all the same.
pub const FLOOR_MS: u64 = 5_000;

/// How long a visitor waits whom the alarm could not decide for so many times: a minute, then twice as long each time, an
/// hour at most. `None` where it is given up: the visitor's next event decides, as it always does.
#[must_use]
pub fn retry_ms(failures: u64) -> Option<u64> {
    const RETRY_MS: u64 = 60_000;
    const RETRY_MS_MAX: u64 = 60 * 60_000;
    let doublings = u32::try_from(failures.saturating_sub(1)).unwrap_or(u32::MAX);
    let wait_ms = RETRY_MS.checked_shl(doublings.min(16)).unwrap_or(RETRY_MS_MAX);
    (failures <= FAILURES_MAX).then_some(wait_ms.min(RETRY_MS_MAX))
}

/// Whether a visitor's deadline is to be written anew, where `kept_ms` is written and `due_ms` is when it is now. One that moved
/// away, as the end of a session does with each event, stays: the alarm that rings for it finds nothing to do, and writes
/// where it stands by then.
#[must_use]
pub fn is_rewritten(kept_ms: Option<u64>, due_ms: Option<u64>) -> bool {
    match (kept_ms, due_ms) {
        (Some(kept_ms), Some(due_ms)) => due_ms < kept_ms,
        _ => kept_ms != due_ms,
    }
}

/// Alarms of one visitor that fail in a row before the deadline is given up: three hours.
pub const FAILURES_MAX: u64 = 8;

/// The field of a message that names the variant of its rule's experiment, as `experiment/variant`.
const VARIANT: &str = "variant";

/// The source of log rows that no request brought.
pub const SOURCE: &str = "deadline";

/// Decides at every deadline up to the moment, each at its own time, and gives what is to be logged of it.
pub(crate) fn make_up(
    site: &Site,
    state: &mut VisitorState,
    moment: &Moment<'_>,
    leases: &mut Leases,
) -> Vec<LogNote> {
    let mut notes = Vec::new();
    for _ in 0..WAKES_MAX {
        let Some(due_ms) = rules::wake(&site.program, state, moment) else { break };
        let moment = Moment { now_ms: due_ms, ..*moment };
        let just_before = Moment { now_ms: due_ms.saturating_sub(1), ..moment };
        let before = rules::decide(&site.program, &mut state.clone(), &just_before);
        decide(site, state, &moment, (&before, leases), &mut notes);
    }
    notes
}

/// Decides at the end of a session that an event brings, before that event is stepped, and gives what is to be logged of it;
/// `None` where the event ends none, or no rule waits for that.
pub(crate) fn end_session(
    site: &Site,
    state: &mut VisitorState,
    (event, usable): (&Event, Purposes),
    moment: &Moment<'_>,
    leases: &mut Leases,
) -> Option<Vec<LogNote>> {
    if !rules::ends_session(&site.program, state, event, usable, moment) {
        return None;
    }
    let mut notes = Vec::new();
    let before = rules::decide(&site.program, &mut state.clone(), moment);
    rules::end_session(&site.program, state, event, usable, moment);
    decide(site, state, moment, (&before, leases), &mut notes);
    Some(notes)
}

/// Decides at a moment at which nothing happened, and notes what destinations are told and what changed against `before`.
fn decide(
    site: &Site,
    state: &mut VisitorState,
    moment: &Moment<'_>,
    (before, leases): (&[Decision], &mut Leases),
    notes: &mut Vec<LogNote>,
) {
    leases.lease(site, state, (moment.now_ms, moment.in_force), &[]);
    let mut recall = Recall::default();
    notes.extend(emitted(site, state, moment, None, &mut recall));
    let after = leases.decide(site, state, moment, &mut recall);
    let changed = changed(&after, before);
    if !changed.is_empty() {
        let decider = Decider { site, state, moment };
        let mut decisions = slot_decisions(&decider, &changed, true);
        decisions.iter_mut().for_each(|decision| decision.body = None);
        notes.push(note(moment, moment.in_force, Said::Decided(decisions)));
    }
}

/// What rules tell destinations at this moment, which an event led to, or time alone. Asked before its decisions, with their
/// `recall`.
pub fn emitted(
    site: &Site,
    state: &mut VisitorState,
    moment: &Moment<'_>,
    event: Option<&Event>,
    recall: &mut Recall,
) -> Vec<LogNote> {
    let cause = event.map(|event| Cause { event: event.sequence, event_time_ms: event.time_ms });
    let told = rules::emit(&site.program, state, moment, recall);
    let of_rule = |told: rules::Emitted| {
        let rule = site.program.rules().get(usize::from(told.rule))?;
        let emit = rule.emit.as_ref()?;
        let (id, to, enter) = (rule.id.clone(), emit.to.clone(), emit.enter.clone());
        let mut fields = told.fields;
        if let Some(variant) = told.variant.filter(|_| fields.get(VARIANT).is_none()) {
            fields.set(VARIANT, Value::Text(site.program.variant_name(variant)));
        }
        let emission = Emission { rule: id, to, enter, is_exit: told.is_exit, fields, cause };
        Some(note(moment, rule.purpose, Said::Emitted(emission)))
    };
    told.into_iter().filter_map(of_rule).collect()
}

/// The slots that another rule or content has now.
pub fn changed(after: &[Decision], before: &[Decision]) -> Vec<Decision> {
    let pairs = after.iter().zip(before);
    let is_other =
        |(now, then): &(&Decision, &Decision)| (now.rule, now.content) != (then.rule, then.content);
    pairs.filter(is_other).map(|(now, _)| *now).collect()
}

fn note(moment: &Moment<'_>, usable: Purposes, said: Said) -> LogNote {
    LogNote { time_ms: u64::try_from(moment.now_ms).unwrap_or(0), usable, said }
}

/// When the shard is to wake up for a visitor, by the edge's clock; `None` where time changes nothing. Where the events
/// themselves are the clock (a recording that is played) and the deadline is in the past, the next event makes up for it.
#[must_use]
pub fn due_ms(site: &Site, state: &VisitorState, clock: Clock, now_ms: u64) -> Option<u64> {
    let due_ms = u64::try_from(rules::next_wake(&site.program, state)?).ok()?;
    (clock == Clock::Received || due_ms > now_ms).then_some(due_ms)
}

/// What the shard's alarm did for a visitor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Woken {
    /// The visitor's record to write.
    pub record: VisitorRecord,
    /// The log's row; `None` where nothing changed.
    pub row: Option<LogRow>,
    /// When to wake up for the visitor again.
    pub due_ms: Option<u64>,
    /// What to count.
    pub ledger: Ledger,
}

/// Decides for a visitor at whom nobody looks, at `now_ms` of the edge's clock: at the deadlines that came [`GRACE_MS`]
/// before. `None` where nothing is kept of the visitor, or under a later program.
#[must_use]
pub fn wake(site: &Site, visitor: VisitorId, stored: &VisitorRecord, now_ms: u64) -> Option<Woken> {
    let mut state = VisitorState::decode(&stored.state).ok()?;
    if stored.publish > site.publish {
        return None;
    }
    let context = Map::new();
    let newest = state.pages.iter().max_by_key(|page| page.last_ms);
    let moment = Moment {
        writer: newest.map_or(WriterId::from_bits(0), |page| page.writer),
        context: &context,
        now_ms: i64::try_from(now_ms.saturating_sub(GRACE_MS)).unwrap_or(i64::MAX),
        in_force: stored.consent.in_force(),
        place: Place::Edge,
        trust: Trust::Client,
        account: None,
        visitor,
        orders: site.orders(),
    };
    let is_due = rules::next_due(&site.program, &state, moment.now_ms).is_some();
    let mut leases = Leases::of_nobody(&state, stored.promised.clone());
    let notes = make_up(site, &mut state, &moment, &mut leases);
    leases.settle(&mut state);
    state.publish = site.publish;
    let next_ms = rules::next_wake(&site.program, &state);
    let record = VisitorRecord { publish: site.publish, state: state.encode(), ..stored.clone() };
    let row = (!notes.is_empty()).then(|| row(site, visitor, stored, &moment, (notes, now_ms)));
    let earliest_ms = now_ms.saturating_sub(GRACE_MS).saturating_add(FLOOR_MS);
    let due_ms = next_ms.and_then(|due_ms| u64::try_from(due_ms).ok());
    let due_ms = due_ms.map(|due_ms| if is_due { due_ms.max(earliest_ms) } else { due_ms });
    Some(Woken { record, row, due_ms, ledger: Ledger::default() })
}

fn row(
    site: &Site,
    visitor: VisitorId,
    stored: &VisitorRecord,
    moment: &Moment<'_>,
    (notes, now_ms): (Vec<LogNote>, u64),
) -> LogRow {
    LogRow {
        received_ms: now_ms,
        site: site.name().to_string(),
        source: String::from(SOURCE),
        trust: Trust::Server,
        visitor,
        anonymous_id: None,
        writer: moment.writer,
        sent_at_ms: now_ms,
        skew_ms: 0,
        clock: Clock::Received,
        program: site.hash,
        publish: site.publish,
        lookups: site.versions(),
        consent: [stored.consent].into(),
        context: Map::new(),
        events: Vec::new(),
        notes,
    }
}
