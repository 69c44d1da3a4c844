//! `warm_up: log`: a metric that is published later is known as if it had been there, as far as the log tells.

use crate::world::*;
use proptest::prelude::*;
use selvedge_core::consent::{Purposes, Snapshot};
use selvedge_core::event::Event;
use selvedge_core::tracking_plan::Plan;
use selvedge_core::wire::log_row::LogRow;
use selvedge_core::wire::program::{Metric, MetricKind, Parts, Scope, WarmUp, Window};
use selvedge_core::wire::state::{CellBody, MetricCell, VisitorState};
use selvedge_core::wire::stored::VisitorRecord;
use selvedge_edge::ingest::{Arrival, Trouble, step};
use selvedge_edge::publish::hash_of;
use selvedge_edge::site::Site;
use selvedge_edge::warm_up::{is_cold, programs, warm_up};

const MINUTE_MS: u64 = 60_000;
/// Meanings of the metrics that come later.
const EVER: u64 = 91;
const SLIDING: u64 = 92;
const SESSION: u64 = 93;
const REPORTS: u64 = 94;
const LATER: [u64; 4] = [EVER, SLIDING, SESSION, REPORTS];

fn load(parts: &Parts, publish: u64) -> Site {
    let bytes = parts.encode();
    Site::load(&bytes, hash_of(&bytes), publish).unwrap()
}

/// The site as its second publish has it: with metrics that it did not have.
fn later_parts(warm_up: WarmUp) -> Parts {
    let mut parts = parts();
    let purpose = Purposes::PERSONALIZATION;
    let views = Metric { event: "product_view".into(), purpose, warm_up, ..Metric::default() };
    let tally = MetricKind::Tally;
    parts.metrics.extend([
        Metric { meaning: EVER, kind: tally, window: Window::Ever, ..views.clone() },
        Metric { meaning: SLIDING, window: Window::Sliding(3_600_000), threshold: 9, ..views.clone() },
        Metric {
            meaning: SESSION,
            window: Window::Session,
            scope: Scope::Session,
            threshold: 9,
            ..views.clone()
        },
        Metric {
            meaning: REPORTS,
            kind: tally,
            event: "report".into(),
            window: Window::Ever,
            purpose: Purposes::ANALYTICS,
            ..views
        },
    ]);
    parts
}

fn later(publish: u64) -> Site {
    load(&later_parts(WarmUp::Log), publish)
}

/// What one request brings: minutes since the one before, what is said of consent, and the names of its events.
type Request = (u64, Snapshot, Vec<&'static str>);

/// What a shard keeps.
#[derive(Default)]
struct Kept {
    record: Option<VisitorRecord>,
    rows: Vec<LogRow>,
    now_ms: u64,
    sequence: u32,
}

impl Kept {
    fn take(&mut self, site: &Site, (minutes, consent, names): &Request) {
        self.now_ms = self.now_ms.max(NOW_MS) + minutes * MINUTE_MS;
        let events = names.iter().map(|name| {
            self.sequence += 1;
            let time_ms = self.now_ms - 500 + u64::from(self.sequence % 100);
            Ok(Event { time_ms, ..event(self.sequence, name) })
        });
        let mut sent = batch(*consent, events.collect());
        sent.header.sent_at_ms = self.now_ms;
        let arrival = Arrival { received_ms: self.now_ms, ..arrival() };
        let stored = self.record.take();
        let outcome =
            step(site, stored.clone(), sent, &arrival, &Trouble::default(), &mut Heard::default()).unwrap();
        self.record = kept(stored, &outcome);
        self.rows.extend(outcome.row);
    }

    fn all(requests: &[Request], site: &Site) -> Self {
        let mut kept = Self::default();
        requests.iter().for_each(|request| kept.take(site, request));
        kept
    }

    /// Warms up for `site` from these rows, with the plan of every program known.
    fn warm(&mut self, site: &Site, rows: &[LogRow]) {
        let plan = parts().plan;
        self.warm_with(site, rows, Some(&plan));
    }

    fn warm_with(&mut self, site: &Site, rows: &[LogRow], plan: Option<&Plan>) {
        let Some(record) = &mut self.record else { return };
        if is_cold(site, record) {
            let plan = plan.cloned();
            warm_up(site, record, rows, |_| plan.as_ref().map(leak));
        }
    }

    fn cell(&self, meaning: u64) -> Option<MetricCell> {
        let state = VisitorState::decode(&self.record.as_ref()?.state).ok()?;
        state.cells.into_iter().find(|cell| cell.hash == meaning).and_then(|cell| match cell.body {
            CellBody::Metric(metric) => Some(metric),
            _ => None,
        })
    }
}

fn leak(plan: &Plan) -> &'static Plan {
    Box::leak(Box::new(plan.clone()))
}

fn views(minutes: u64, count: usize) -> Request {
    (minutes, granted(), vec!["product_view"; count])
}

fn session() -> Vec<Request> {
    let mixed = (40, granted(), vec!["product_view", "report", "ping"]);
    vec![views(0, 2), views(5, 1), mixed, views(3, 2)]
}

#[test]
fn what_the_log_holds_is_known_as_if_the_metric_had_been_there() {
    let mut warmed = Kept::all(&session(), &site_at(1));
    let rows = warmed.rows.clone();
    let there = Kept::all(&session(), &later(1));
    assert_eq!(warmed.cell(EVER), None);
    warmed.warm(&later(2), &rows);
    for meaning in LATER {
        let expected = there.cell(meaning);
        assert!(expected.is_some() && warmed.cell(meaning) == expected, "{meaning}");
    }
    let state = VisitorState::decode(&warmed.record.as_ref().unwrap().state).unwrap();
    assert_eq!(warmed.cell(EVER).unwrap().since_ms, state.born_ms, "all of it was watched");
}

#[test]
fn the_next_event_counts_on_from_there() {
    let (site, next) = (later(2), views(1, 1));
    let mut warmed = Kept::all(&session(), &site_at(1));
    let rows = warmed.rows.clone();
    warmed.warm(&site, &rows);
    warmed.take(&site, &next);
    let mut there = Kept::all(&session(), &later(1));
    there.take(&site, &next);
    assert!(LATER.iter().all(|meaning| warmed.cell(*meaning) == there.cell(*meaning)));
    assert!(!is_cold(&site, warmed.record.as_ref().unwrap()), "once is enough");
}

#[test]
fn a_log_that_was_cut_makes_lower_bounds_from_where_it_begins() {
    let mut warmed = Kept::all(&session(), &site_at(1));
    let rows = warmed.rows.split_off(2);
    warmed.warm(&later(2), &rows);
    let cell = warmed.cell(EVER).unwrap();
    assert_eq!(cell.kept.count(), 3);
    let begins_ms = i64::try_from(rows[0].received_ms).unwrap();
    assert!(
        cell.since_ms > begins_ms,
        "an event that was removed with its row may be as new as the next row"
    );
}

#[test]
fn without_rows_nothing_is_claimed() {
    let mut warmed = Kept::all(&session(), &site_at(1));
    warmed.warm(&later(2), &[]);
    assert_eq!(warmed.cell(EVER), None, "the step makes it, observed from then on");
}

#[test]
fn where_the_event_was_described_otherwise_the_log_is_not_believed() {
    let mut warmed = Kept::all(&session(), &site_at(1));
    let rows = warmed.rows.clone();
    let mut other = parts().plan;
    other.events.retain(|event| event.name != "product_view");
    warmed.warm_with(&later(2), &rows, Some(&other));
    assert_eq!(warmed.cell(EVER), None);
    assert!(warmed.cell(REPORTS).is_some(), "reports were described as they are");
    let mut unknown = Kept::all(&session(), &site_at(1));
    unknown.warm_with(&later(2), &rows, None);
    assert_eq!(unknown.cell(REPORTS), None, "nor is a plan that cannot be had");
}

#[test]
fn a_plan_that_changed_meanwhile_bounds_how_far_back_is_known() {
    let mut warmed = Kept::all(&session()[..2], &site_at(1));
    let narrower = wider_site(&[], &["ties"]);
    session()[2..].iter().for_each(|request| warmed.take(&narrower, request));
    let rows = warmed.rows.clone();
    let (one, two) = (parts().plan, narrower.program.parts().plan.clone());
    let mut next = later_parts(WarmUp::Log);
    next.plan = two.clone();
    let site = load(&next, 3);
    assert_eq!(programs(&site, &rows).len(), 2);
    let plan_of = |program| Some(if program == narrower.hash { leak(&two) } else { leak(&one) });
    warm_up(&site, warmed.record.as_mut().unwrap(), &rows, plan_of);
    let cell = warmed.cell(EVER).unwrap();
    assert_eq!(cell.kept.count(), 6, "what was counted was counted");
    assert!(
        cell.since_ms > i64::try_from(rows[2].received_ms).unwrap(),
        "but all is watched from then on only"
    );
}

#[test]
fn what_was_taken_back_does_not_return_by_the_log() {
    let denied = said(Purposes::NONE, ALL, NOW_MS + 1);
    let again = said(ALL, Purposes::NONE, NOW_MS + 2);
    let requests = [views(0, 3), (1, denied, vec!["ping"]), (1, again, vec!["product_view"])];
    let mut warmed = Kept::all(&requests, &site_at(1));
    let rows = warmed.rows.clone();
    assert!(
        rows.iter().flat_map(|row| &row.events).filter(|found| found.event.name == "product_view").count()
            >= 4
    );
    warmed.warm(&later(2), &rows);
    assert_eq!(warmed.cell(EVER).unwrap().kept.count(), 1, "three were before the withdrawal");
}

#[test]
fn what_was_captured_without_the_purpose_is_not_counted_for_it() {
    let analytics = said(Purposes::ANALYTICS, Purposes::PERSONALIZATION, 1);
    let mut parts = parts();
    parts.plan.events.iter_mut().for_each(|event| event.purposes = ALL);
    let first = load(&parts, 1);
    let requests =
        [(0, analytics, vec!["product_view"]), (1, said(ALL, Purposes::NONE, 2), vec!["product_view"])];
    let mut warmed = Kept::all(&requests, &first);
    let rows = warmed.rows.clone();
    let mut next = later_parts(WarmUp::Log);
    next.plan = parts.plan.clone();
    warmed.warm_with(&load(&next, 2), &rows, Some(&parts.plan));
    let cell = warmed.cell(EVER).unwrap();
    assert_eq!(cell.kept.count(), 1);
    let born_ms = VisitorState::decode(&warmed.record.as_ref().unwrap().state).unwrap().born_ms;
    assert!(cell.since_ms > born_ms, "what came before the grant is not known");
}

#[test]
fn what_was_sent_in_the_millisecond_of_a_withdrawal_is_before_it() {
    let analytics = said(Purposes::ANALYTICS, Purposes::PERSONALIZATION, 2);
    let requests = [
        (0, granted(), vec!["product_view"]),
        (0, granted(), vec!["product_view"]),
        (0, analytics, vec![]),
        (1, analytics, vec!["report"]),
    ];
    let (mut warmed, there) = (Kept::all(&requests, &site_at(1)), Kept::all(&requests, &later(1)));
    let rows = warmed.rows.clone();
    warmed.warm(&later(2), &rows);
    let (warmed, there) = (warmed.cell(REPORTS).unwrap(), there.cell(REPORTS).unwrap());
    assert!(warmed.since_ms >= there.since_ms, "{warmed:?} {there:?}");
    assert!(warmed.kept.count() <= there.kept.count(), "{warmed:?} {there:?}");
}

#[test]
fn only_what_says_so_is_warmed_up() {
    let kept = Kept::all(&session(), &site_at(1));
    for warm_up in [WarmUp::Unknown, WarmUp::Zero] {
        assert!(!is_cold(&load(&later_parts(warm_up), 2), kept.record.as_ref().unwrap()), "{warm_up:?}");
    }
    assert!(is_cold(&later(2), kept.record.as_ref().unwrap()));
    assert!(!is_cold(&later(2), &VisitorRecord::default()), "a new visitor has no past");
}

fn requests() -> impl Strategy<Value = Vec<Request>> {
    let names = prop::collection::vec(prop::sample::select(vec!["product_view", "report", "ping"]), 0..4);
    let consent = (0u16..16, 0u16..16);
    prop::collection::vec((0u64..50, consent, prop::bool::weighted(0.7), names), 1..8).prop_map(|all| {
        let mut time_ms = 1;
        let mut said_last = granted();
        let request = |(minutes, (yes, no), is_same, names): (u64, (u16, u16), bool, Vec<&'static str>)| {
            if !is_same {
                time_ms += 1;
                said_last = said(Purposes(yes & !no), Purposes(no), time_ms);
            }
            (minutes, said_last, names)
        };
        all.into_iter().map(request).collect()
    })
}

proptest! {
    /// Whatever was granted, denied and sent: the log never makes more known than having been there would have.
    #[test]
    fn warming_up_never_claims_more_than_having_been_there(requests in requests(), cut in 0usize..8) {
        let mut warmed = Kept::all(&requests, &site_at(1));
        let rows: Vec<LogRow> = warmed.rows.iter().skip(cut).cloned().collect();
        let there = Kept::all(&requests, &later(1));
        warmed.warm(&later(2), &rows);
        for meaning in LATER {
            let Some(cell) = warmed.cell(meaning) else { continue };
            let Some(known) = there.cell(meaning) else {
                prop_assert!(false, "{meaning} is kept of somebody of whom it may not be");
                continue;
            };
            prop_assert!(cell.since_ms >= known.since_ms, "{meaning}: {cell:?} {known:?}");
            prop_assert!(cell.kept.count() <= known.kept.count(), "{meaning}: {cell:?} {known:?}");
        }
    }
}
