//! Deadlines: decided at by the alarm, or before the next event.

use crate::world::*;
use selvedge_core::event::{Batch, Clock, Event};
use selvedge_core::number::Number;
use selvedge_core::rules;
use selvedge_core::value::Value;
use selvedge_core::wire::log_row::{LogNote, LogRow, Said};
use selvedge_core::wire::program::{Experiment, Timing, Trial, Trigger, Unit, Variant};
use selvedge_core::wire::stored::VisitorRecord;
use selvedge_edge::deadlines::{FLOOR_MS, GRACE_MS, is_rewritten, retry_ms, wake};
use selvedge_edge::ingest::{Arrival, Outcome, Trouble, step};
use selvedge_edge::log_line;
use selvedge_edge::site::Site;

/// When the rule becomes true after the first view.
const DUE_MS: u64 = NOW_MS - 10_000 + 1 + 60_000;

fn stepped_at(stored: Option<VisitorRecord>, batch: Batch, now_ms: u64) -> Outcome {
    stepped_of(&waiting_site(), stored, batch, now_ms)
}

fn stepped_of(site: &Site, stored: Option<VisitorRecord>, batch: Batch, now_ms: u64) -> Outcome {
    let arrival = Arrival { received_ms: now_ms, ..arrival() };
    step(site, stored, batch, &arrival, &Trouble::default(), &mut Heard::default()).unwrap()
}

fn viewed() -> Outcome {
    stepped_at(None, batch(granted(), vec![Ok(event(1, "product_view"))]), NOW_MS)
}

fn later(sequence: u32, name: &str, time_ms: u64) -> Batch {
    let mut batch = batch(granted(), vec![Ok(Event { time_ms, ..event(sequence, name) })]);
    batch.header.sent_at_ms = time_ms;
    batch
}

/// Of each note: when, and what: the rules that have slots, or the destination and the fields.
fn said(row: Option<&LogRow>) -> Vec<(u64, String)> {
    let told = |note: &LogNote| match &note.said {
        Said::Decided(decisions) => {
            let rules = decisions.iter().map(|decision| decision.rule.clone().unwrap_or_default());
            (note.time_ms, rules.collect::<Vec<_>>().join(" "))
        }
        Said::Emitted(told) => (note.time_ms, format!("{} {} {}", told.to, told.enter, told.is_exit)),
        Said::Reached(reached) => (note.time_ms, format!("reached {}", reached.goal)),
        Said::Erased => (note.time_ms, "erased".into()),
    };
    row.into_iter().flat_map(|row| &row.notes).map(told).collect()
}

#[test]
fn the_shard_wakes_up_for_a_deadline_and_logs_what_changed() {
    let outcome = viewed();
    assert_eq!(outcome.due_ms, Some(DUE_MS));
    assert_eq!(said(outcome.row.as_ref()), []);
    let site = waiting_site();
    let record = outcome.record.unwrap();
    let early = wake(&site, VISITOR, &record, DUE_MS + GRACE_MS - 1).unwrap();
    assert_eq!((early.row, early.due_ms), (None, Some(DUE_MS)));
    let woken = wake(&site, VISITOR, &record, DUE_MS + GRACE_MS).unwrap();
    let expected = [(DUE_MS, "mail left false".to_owned()), (DUE_MS, "two-views".to_owned())];
    assert_eq!(said(woken.row.as_ref()), expected);
    assert_eq!(woken.due_ms, None);
    let again = wake(&site, VISITOR, &woken.record, DUE_MS + 2 * GRACE_MS).unwrap();
    assert_eq!((again.row, &again.record), (None, &woken.record));
}

#[test]
fn what_nobody_woke_up_for_is_made_up_for_before_the_next_event() {
    let record = viewed().record;
    let now_ms = DUE_MS + 300_000;
    let outcome = stepped_at(record, later(2, "ping", now_ms), now_ms);
    let expected = [(DUE_MS, "mail left false".to_owned()), (DUE_MS, "two-views".to_owned())];
    assert_eq!(said(outcome.row.as_ref()), expected);
}

#[test]
fn what_came_in_time_is_no_deadline() {
    let record = viewed().record;
    let outcome = stepped_at(record, later(2, "ping", NOW_MS), NOW_MS);
    assert_eq!(outcome.due_ms, None);
    let woken = wake(&waiting_site(), VISITOR, &outcome.record.unwrap(), DUE_MS + GRACE_MS).unwrap();
    assert_eq!(woken.row, None);
}

#[test]
fn a_recording_is_its_own_clock() {
    let mut batch = batch(granted(), vec![Ok(event(1, "product_view"))]);
    batch.header.clock = Clock::Event;
    assert_eq!(stepped_at(None, batch, NOW_MS + 1_000_000).due_ms, None, "the next event makes up for it");
}

#[test]
fn the_alarm_and_the_next_event_lead_to_the_same_state() {
    let record = viewed().record.unwrap();
    let now_ms = DUE_MS + 300_000;
    let woken = wake(&waiting_site(), VISITOR, &record, DUE_MS + GRACE_MS).unwrap();
    let after_alarm = stepped_at(Some(woken.record), later(2, "ping", now_ms), now_ms);
    let without = stepped_at(Some(record), later(2, "ping", now_ms), now_ms);
    assert_eq!(said(after_alarm.row.as_ref()), [], "it was said by the alarm");
    assert_eq!(after_alarm.record, without.record);
    assert_eq!(after_alarm.answer.decisions, without.answer.decisions);
}

#[test]
fn a_visitor_of_a_later_program_is_left_alone() {
    let record = viewed().record.unwrap();
    let newer = VisitorRecord { publish: 2, ..record };
    assert!(wake(&waiting_site(), VISITOR, &newer, DUE_MS + GRACE_MS).is_none());
}

#[test]
fn a_message_is_a_line_of_the_log() {
    let record = viewed().record.unwrap();
    let row = wake(&waiting_site(), VISITOR, &record, DUE_MS + GRACE_MS).unwrap().row.unwrap();
    let row = LogRow::decode(&row.encode().unwrap()).unwrap();
    assert_eq!(log_line::count(&row), 2);
    let line = log_line::render_at(&row, 0, &granted(), "0.1").unwrap();
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["kind"], "emit");
    assert_eq!(line["source"], "deadline");
    let emit = serde_json::json!({
        "to": "mail", "rule": "two-views", "message": "enter", "name": "left",
        "fields": {"left": true, "views": 1},
    });
    assert_eq!(line["emit"], emit);
    let denied = said_of_nobody();
    assert_eq!(log_line::render_at(&row, 0, &denied, "0.1"), None, "what was taken back is not handed out");
    assert!(rules::next_deadline(&waiting_site().program, &state_of(&record), 0).is_some());
}

fn said_of_nobody() -> selvedge_core::consent::Snapshot {
    crate::world::said(selvedge_core::consent::Purposes::NONE, ALL, 9)
}

fn state_of(record: &VisitorRecord) -> selvedge_core::wire::state::VisitorState {
    selvedge_core::wire::state::VisitorState::decode(&record.state).unwrap()
}

/// A batch of one event that names a campaign.
fn campaign(sequence: u32, name: &str, time_ms: u64, medium: &str) -> Batch {
    let mut batch = later(sequence, name, time_ms);
    for event in batch.events.iter_mut().flatten() {
        event.context.set("utm.medium", Value::Text(medium.into()));
    }
    batch
}

/// What was said of a visit of these events: minutes from the beginning, name, campaign.
fn visit(events: &[(u64, &str, &str)]) -> Vec<(u64, String, Option<Number>)> {
    let (site, mut record, mut told) = (leaving_site(), None, Vec::new());
    for (sequence, (minutes, name, medium)) in (1..).zip(events) {
        let now_ms = NOW_MS + minutes * 60_000;
        let batch = campaign(sequence, name, now_ms, medium);
        let outcome = stepped_of(&site, record.take(), batch, now_ms);
        for note in outcome.row.iter().flat_map(|row| &row.notes) {
            if let Said::Emitted(emitted) = &note.said {
                let views = match emitted.fields.get("views") {
                    Some(Value::Number(views)) => Some(*views),
                    _ => None,
                };
                told.push(((note.time_ms - NOW_MS) / 60_000, emitted.enter.clone(), views));
            }
        }
        record = outcome.record;
    }
    told
}

#[test]
fn a_session_ends_by_idle_time_by_its_length_and_by_another_campaign() {
    let two = Some(Number::Int(2));
    let left = |minutes, views| vec![(minutes, "left".to_owned(), views)];
    let both = |name| [(0, "product_view", "cpc"), (1, "product_view", ""), (2, name, "email")];
    assert_eq!(visit(&both("ping")), left(2, two), "another campaign");
    assert_eq!(visit(&both("product_view")), left(2, two), "with what was seen in the session that ended");
    let idle = [(0, "product_view", "cpc"), (1, "product_view", ""), (40, "product_view", "email")];
    assert_eq!(visit(&idle), left(31, two), "once: when thirty minutes were over");
    let day = [(0, "product_view", ""), (1, "product_view", "")];
    let rest = (1..=60).map(|at| (1 + at * 25, "ping", ""));
    let day: Vec<(u64, &str, &str)> = day.into_iter().chain(rest).collect();
    assert_eq!(visit(&day), left(1_451, two), "the first event behind a day, which began another session");
    let same = [(0, "product_view", "cpc"), (1, "ping", "cpc"), (20, "ping", "")];
    assert_eq!(visit(&same), vec![], "the session goes on");
    let nothing = [(0, "ping", "cpc"), (1, "ping", "email")];
    assert_eq!(visit(&nothing), vec![], "nothing was looked at in the session that ended");
}

#[test]
fn a_schedule_in_a_zone_of_its_own_opens_and_closes_while_nobody_looks() {
    // Friday, 30 October 2026, 20:00 in New York.
    let night_ms = 1_793_404_800_000;
    let site = office_site();
    let mut batch = later(1, "product_view", night_ms);
    batch.header.sent_at_ms = night_ms;
    let outcome = stepped_of(&site, None, batch, night_ms);
    let hour_ms = 3_600_000;
    // On Monday at eight, a clock change later.
    let opens_ms = night_ms + (60 + 1) * hour_ms;
    assert_eq!(outcome.due_ms, Some(opens_ms));
    let woken = wake(&site, VISITOR, &outcome.record.unwrap(), opens_ms + GRACE_MS).unwrap();
    let expected = [(opens_ms, "mail open false".to_owned()), (opens_ms, "two-views".to_owned())];
    assert_eq!(said(woken.row.as_ref()), expected);
    assert_eq!(woken.due_ms, Some(opens_ms + 10 * hour_ms));
    let woken = wake(&site, VISITOR, &woken.record, opens_ms + 10 * hour_ms + GRACE_MS).unwrap();
    assert_eq!(said(woken.row.as_ref()), [(opens_ms + 10 * hour_ms, String::new())], "the fallback");
    assert_eq!(woken.due_ms, Some(opens_ms + 24 * hour_ms));
    // A week and a day after the event clocks wake nobody any more.
    let mut left = (woken.record, woken.due_ms, 0);
    while let Some(due_ms) = left.1 {
        let woken = wake(&site, VISITOR, &left.0, due_ms + GRACE_MS).unwrap();
        left = (woken.record, woken.due_ms, left.2 + 1);
        assert!(due_ms <= night_ms + 8 * 24 * hour_ms && left.2 < 20);
    }
    assert_eq!(left.2, 8);
}

#[test]
fn alarms_of_a_visitor_keep_a_distance_and_miss_nothing() {
    let site = leaving_site();
    let outcome = stepped_of(&site, None, later(1, "product_view", NOW_MS), NOW_MS);
    let end_ms = outcome.due_ms.unwrap();
    let woken = wake(&site, VISITOR, &outcome.record.unwrap(), end_ms + GRACE_MS).unwrap();
    assert_eq!(woken.due_ms, Some(end_ms + FLOOR_MS), "what it holds ends a second later");
    let woken = wake(&site, VISITOR, &woken.record, end_ms + FLOOR_MS + GRACE_MS).unwrap();
    assert_eq!(said(woken.row.as_ref()), [(end_ms + 1_000, String::new())], "at its own time all the same");
}

#[test]
fn an_alarm_that_fails_comes_again_ever_later_and_is_given_up() {
    let minutes = (1..).map_while(|failures| retry_ms(failures).map(|wait_ms| wait_ms / 60_000));
    assert_eq!(minutes.collect::<Vec<u64>>(), [1, 2, 4, 8, 16, 32, 60, 60]);
    assert_eq!(retry_ms(u64::MAX), None);
}

#[test]
fn a_message_names_the_variant_that_the_visitor_is_in() {
    let variant = |name: &str, end| Variant { name: name.into(), end };
    let site = leaving_site_with(|parts| {
        parts.deciding.experiments = vec![Experiment {
            name: "mail".into(),
            salt: "mail".into(),
            unit: Unit::Visitor,
            traffic_salt: "mail/traffic".into(),
            traffic: (0, 10_000),
            variants: vec![variant("control", 0), variant("mailed", 10_000)],
        }];
        parts.rules[0].terms.trial = Some(Trial { experiment: 0, contents: vec![None, Some(0)] });
    });
    let first = stepped_of(&site, None, campaign(1, "product_view", NOW_MS, "cpc"), NOW_MS);
    let ended =
        stepped_of(&site, first.record, campaign(2, "ping", NOW_MS + 60_000, "email"), NOW_MS + 60_000);
    let notes = ended.row.unwrap().notes;
    let fields = notes.iter().find_map(|note| match &note.said {
        Said::Emitted(emitted) => Some(&emitted.fields),
        _ => None,
    });
    assert_eq!(fields.and_then(|fields| fields.text("variant")), Some("mail/mailed"));
}

#[test]
fn two_events_of_one_millisecond_tell_a_destination_two_things() {
    let site = leaving_site_with(|parts| {
        let trigger = Trigger { events: vec!["product_view".into()], session_end: false };
        parts.rules[0].timing = Timing { trigger: Some(trigger), after_ms: 0 };
    });
    let views = [1, 2].map(|sequence| Ok(event(sequence, "product_view")));
    let row = stepped_of(&site, None, batch(granted(), views.into()), NOW_MS).row.unwrap();
    let line = |at| -> serde_json::Value {
        serde_json::from_str(&log_line::render_at(&row, at, &granted(), "0.1").unwrap()).unwrap()
    };
    let (first, second) = (line(2), line(3));
    assert_eq!(
        (&first["emit"]["fields"]["views"], &second["emit"]["fields"]["views"]),
        (&1.into(), &2.into())
    );
    assert_eq!((&first["event"], &second["event"]), (&line(0)["id"], &line(1)["id"]));
    assert_ne!(first["id"], second["id"], "whoever deduplicates by id keeps both");
}

#[test]
fn a_deadline_is_written_anew_where_it_comes_earlier_begins_or_ends() {
    let kept = [(None, Some(5)), (Some(5), Some(4)), (Some(5), None)];
    assert!(kept.into_iter().all(|(kept_ms, due_ms)| is_rewritten(kept_ms, due_ms)));
    let left = [(None, None), (Some(5), Some(5)), (Some(5), Some(6))];
    assert!(!left.into_iter().any(|(kept_ms, due_ms)| is_rewritten(kept_ms, due_ms)));
}

#[test]
fn an_alarm_that_rings_for_a_deadline_that_moved_away_changes_nothing() {
    let stored = viewed().record.unwrap();
    let woken = wake(&waiting_site(), VISITOR, &stored, DUE_MS - 1).unwrap();
    assert_eq!((woken.record, woken.row, woken.due_ms), (stored, None, Some(DUE_MS)));
}
