//! `warm_up: log`: a metric that is new to a visitor who was there before is worked out of the visitor's own rows of the log.
//! In: the record, the rows, the tracking plans that they were judged by. Out: the record with the metric's cells, known as
//! far back as all was watched and the log holds it. Stepped by the same code that steps what happens.

use crate::gate::STATE_PURPOSES;
use crate::rates;
use crate::site::Site;
use alloc::borrow::Cow;
use alloc::vec::Vec;
use selvedge_core::consent::Purposes;
use selvedge_core::event::Clock;
use selvedge_core::id::ProgramHash;
use selvedge_core::limits::CLAMP_FUTURE_MS;
use selvedge_core::rules::{self, Moment, Orders, Place};
use selvedge_core::tracking_plan::{Plan, PlanEvent, purposes_of};
use selvedge_core::wire::log_row::{LogEvent, LogRow};
use selvedge_core::wire::program::{Metric, MetricKind, Scope, WarmUp, Window};
use selvedge_core::wire::state::{Cell, CellBody, MetricCell, VisitorState};
use selvedge_core::wire::stored::VisitorRecord;

/// Rows of a shard's log, of all of its visitors, that are looked through for one visitor: the newest.
pub const SHARD_ROWS_MAX: u64 = 20_000;
/// Rows of one visitor that are read: the newest.
pub const VISITOR_ROWS_MAX: u64 = 1_000;
/// Programs whose plans are asked for.
pub const PROGRAMS_MAX: usize = 8;

/// Whether the program has a metric that the visitor's state does not, and that the log can tell.
#[must_use]
pub fn is_cold(site: &Site, record: &VisitorRecord) -> bool {
    // What was stepped under this publish was warmed up then.
    record.publish < site.publish
        && from_log(site, record).next().is_some()
        && VisitorState::decode(&record.state)
            .is_ok_and(|state| from_log(site, record).any(|metric| is_missing(&state, metric)))
}

/// The newest programs that the rows were judged by, besides the site's: at most [`PROGRAMS_MAX`].
#[must_use]
pub fn programs(site: &Site, rows: &[LogRow]) -> Vec<ProgramHash> {
    let mut programs = Vec::new();
    for row in rows.iter().rev() {
        if row.program != site.hash && !programs.contains(&row.program) && programs.len() < PROGRAMS_MAX {
            programs.push(row.program);
        }
    }
    programs
}

/// Works out what is missing in the record from `rows`: the visitor's, oldest first, without a gap between them. `plan_of` gives
/// the tracking plan of another program, where it can be had. Before an event was described as it is now, it may have been
/// refused: the log knows nothing of that time.
pub fn warm_up<'a>(
    site: &'a Site,
    record: &mut VisitorRecord,
    rows: &[LogRow],
    plan_of: impl Fn(ProgramHash) -> Option<&'a Plan>,
) {
    let Ok(mut state) = VisitorState::decode(&record.state) else { return };
    let (rows, is_whole) = since_birth(rows, state.born_ms);
    let own = &site.program.parts().plan;
    let plan_of = |program| if program == site.hash { Some(own) } else { plan_of(program) };
    let stepped = replay(site, rows, is_whole, state.born_ms);
    for metric in from_log(site, record).filter(|metric| is_missing(&state, metric)).collect::<Vec<_>>() {
        let is_other = |row: &LogRow| !is_described_alike(site, metric, own, plan_of(row.program));
        let behind = rows.iter().rposition(is_other).map_or(0, |at| at.saturating_add(1));
        let Some(first) = rows.get(behind) else { continue };
        let Some(mut cell) = metric_cell(&stepped, metric.meaning).cloned() else { continue };
        if behind > 0 || !is_whole {
            cell.since_ms = cell.since_ms.max(surely_behind(first));
        }
        put(&mut state, metric.meaning, cell);
    }
    record.state = state.encode();
}

/// The metrics that the log can tell of this visitor: what is used for advertising may have been taken back and granted again
/// without a trace in the state, so that it is never read again.
fn from_log<'a>(site: &'a Site, record: &VisitorRecord) -> impl Iterator<Item = &'a Metric> {
    let readable = record.consent.in_force().and(STATE_PURPOSES.or(Purposes::NECESSARY));
    site.program.parts().metrics.iter().filter(move |metric| {
        metric.warm_up == WarmUp::Log
            && metric.scope != Scope::Account
            && metric.window != Window::Page
            && readable.holds(metric.purpose)
    })
}

fn is_missing(state: &VisitorState, metric: &Metric) -> bool {
    state.cells.iter().all(|cell| cell.hash != metric.meaning || cell.is_old)
}

/// The rows from the one on that brought the visitor's first state, and whether that is among them. What came before it is not
/// to be known: it was taken back, or nothing could be kept.
fn since_birth(rows: &[LogRow], born_ms: i64) -> (&[LogRow], bool) {
    let is_birth = |row: &LogRow| !row.events.is_empty() && time_of(row, row.sent_at_ms) == born_ms;
    match rows.iter().position(is_birth) {
        Some(at) => (rows.get(at..).unwrap_or_default(), true),
        None => {
            let is_before = |row: &LogRow| i64::try_from(row.received_ms).is_ok_and(|ms| ms < born_ms);
            let at = rows.iter().rposition(is_before).map_or(0, |at| at.saturating_add(1));
            (rows.get(at..).unwrap_or_default(), false)
        }
    }
}

/// A state that the rows alone made, under the program of today.
fn replay(site: &Site, rows: &[LogRow], is_whole: bool, born_ms: i64) -> VisitorState {
    let mut state = VisitorState::new(born_ms);
    if !is_whole {
        state.in_force = Purposes::NECESSARY;
    }
    for row in rows {
        for logged in &row.events {
            let now_ms = time_of(row, logged.event.time_ms);
            if is_whole || now_ms >= born_ms {
                step(site, &mut state, row, logged, now_ms);
            }
        }
    }
    state
}

/// One event once more, for what it could be used for when it was logged.
fn step(site: &Site, state: &mut VisitorState, row: &LogRow, logged: &LogEvent, now_ms: i64) {
    let event = &logged.event;
    let capture = row.consent.get(usize::from(event.consent)).copied().unwrap_or_default();
    let missing = purposes_of(&site.program.parts().plan, event).without(logged.usable);
    let moment = Moment {
        writer: row.writer,
        context: &row.context,
        now_ms,
        in_force: capture.in_force().without(missing),
        place: Place::Edge,
        trust: row.trust,
        account: None,
        visitor: row.visitor,
        orders: Orders::default(),
    };
    let told = rates::counted(site, Cow::Borrowed(event), now_ms);
    let orders = Orders { is_converted: told.is_converted, ..moment.orders };
    rules::step(&site.program, state, &told.event, logged.usable, &Moment { orders, ..moment });
}

fn time_of(row: &LogRow, time_ms: u64) -> i64 {
    let received_ms = match row.clock {
        Clock::Received => Some(row.received_ms),
        Clock::Event => None,
    };
    rules::rule_time(time_ms, row.skew_ms, received_ms, row.clock)
}

/// No event before this row can be as new as this.
fn surely_behind(row: &LogRow) -> i64 {
    i64::try_from(row.received_ms).unwrap_or(i64::MAX).saturating_add(CLAMP_FUTURE_MS)
}

/// Whether everything that steps the metric was taken by that plan as it is by ours.
fn is_described_alike(site: &Site, metric: &Metric, own: &Plan, other: Option<&Plan>) -> bool {
    let Some(other) = other else { return false };
    let score = site.program.parts().scores.get(usize::from(metric.detail));
    let score = score.filter(|_| metric.kind == MetricKind::Score);
    let points = score.map(|score| score.points.as_slice()).unwrap_or_default();
    let own_name = Some(metric.event.as_str()).filter(|_| score.is_none());
    let mut names = points.iter().map(|points| points.event.as_str()).chain(own_name);
    names.all(|name| match (described(own, name), described(other, name)) {
        (Some(now), Some(then)) => is_alike(now, then),
        (now, then) => now.is_none() && then.is_none(),
    })
}

fn described<'a>(plan: &'a Plan, name: &str) -> Option<&'a PlanEvent> {
    plan.events.iter().find(|event| event.name == name)
}

fn is_alike(one: &PlanEvent, other: &PlanEvent) -> bool {
    one.trust == other.trust
        && one.purposes == other.purposes
        && one.additional_properties == other.additional_properties
        && one.properties == other.properties
}

fn metric_cell(state: &VisitorState, meaning: u64) -> Option<&MetricCell> {
    state.cells.iter().find_map(|cell| match &cell.body {
        CellBody::Metric(kept) if cell.hash == meaning => Some(kept),
        _ => None,
    })
}

fn put(state: &mut VisitorState, meaning: u64, kept: MetricCell) {
    let cell = Cell { hash: meaning, is_old: false, body: CellBody::Metric(kept) };
    match state.cells.binary_search_by_key(&meaning, |cell| cell.hash) {
        Ok(at) => {
            if let Some(place) = state.cells.get_mut(at) {
                *place = cell;
            }
        }
        Err(at) => state.cells.insert(at, cell),
    }
}
