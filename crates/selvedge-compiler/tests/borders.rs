//! Borders of time, to the millisecond. What stands here is told by another calendar (jiff's, over the zones' own rules); the rest
//! of the inventory stands where its subject does:
//!
//! | border | shown in |
//! |---|---|
//! | days, weeks and months in eight time zones, both changes of the clock, leap days, midnight that is skipped | here |
//! | panes of a sliding window, and a window that counts one by one | here |
//! | sessions: 30 idle minutes; 24 hours; another campaign | here; core `rules/sessions.rs`, edge `step/deadlines.rs` |
//! | hours and weekdays of a schedule on both days of change; the visitor's own clock | core `rules/turning.rs`, `facts_run.rs` |
//! | dates, `within next`, `within last`, `time since`, a value's `ttl`, a score's edge | core `rules/turning.rs`, `facts_run.rs` |
//! | amounts and counts around the change of the clock, against the whole history | core `rules/amounts.rs`, `reread.rs` |
//! | sequences, absences, delays, holds at their deadline | core `rules/sequences.rs`, `rules/deadlines.rs` |
//! | caps: sliding windows, sessions, expired and burnt grants, proofs before and behind the expiry | core `rules/caps.rs` |
//! | caps in two tabs, lost answers, requests that come twice, expired grants, in whole worlds | `tests/sim/tests/caps.rs`, `cargo xtask sim` |
//! | late, overtaken and clamped events | core `rules/counts.rs`, `rules/sessions.rs`, `reread.rs` |
//! | what the log still holds of a metric that is new | edge `step/warming.rs` |
//! | days and times in texts, in eight time zones | `contents_times.rs` |

mod common;

use common::visit::{DAY, HOUR, MINUTE, START_MS, Visit, int};
use common::{Site, with_condition};
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

const ZONES: [&str; 8] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    // Half an hour forward and back.
    "Australia/Lord_Howe",
    // Midnight does not exist on the day of the change.
    "America/Santiago",
    "Africa/Cairo",
    "Asia/Kolkata",
    "Pacific/Apia",
];

fn site(timezone: &str, condition: &str) -> Site {
    let mut files = with_condition("", condition);
    let lines = files["site.yaml"].lines().filter(|line| !line.starts_with("timezone:"));
    let rest = lines.collect::<Vec<_>>().join("\n");
    files.insert("site.yaml".to_owned(), format!("timezone: {timezone}\n{rest}\n"));
    files
}

/// A visitor who can be asked at any later millisecond.
struct Clocked {
    visit: Visit,
    now_ms: i64,
}

impl Clocked {
    fn new(site: &Site) -> Self {
        Self { visit: Visit::new(site), now_ms: START_MS }
    }

    fn at(&mut self, time_ms: i64) -> &mut Visit {
        assert!(time_ms >= self.now_ms, "time goes on");
        self.visit.wait(time_ms - self.now_ms);
        self.now_ms = time_ms;
        &mut self.visit
    }

    fn looks(&mut self, time_ms: i64) {
        self.at(time_ms).event("product_view", &[]);
    }

    fn truth(&mut self, time_ms: i64) -> Option<bool> {
        self.at(time_ms).truth()
    }
}

/// The first millisecond of a local day: right behind midnight where that is skipped.
fn begins_ms(zone: &TimeZone, day: Date) -> i64 {
    let midnight = day.at(0, 0, 0, 0).to_zoned(zone.clone()).unwrap();
    midnight.start_of_day().unwrap().timestamp().as_millisecond()
}

/// The days of 2027 on which the clocks of the zone change.
fn changes(zone: &TimeZone) -> Vec<Date> {
    let from: Timestamp = "2027-01-01T12:00:00Z".parse().unwrap();
    let until: Timestamp = "2028-01-01T12:00:00Z".parse().unwrap();
    let in_year = zone.following(from).take_while(|change| change.timestamp() < until);
    in_year.map(|change| change.timestamp().to_zoned(zone.clone()).date()).collect()
}

/// The first day of the stretch of a window that holds a day, and of the next.
fn stretch(window: &str, day: Date) -> (Date, Date) {
    match window {
        "week" => {
            let monday = day - i64::from(day.weekday().to_monday_zero_offset()).days();
            (monday, monday + 7.days())
        }
        "month" => (day.first_of_month(), day.first_of_month() + 1.month()),
        _ => (day, day + 1.day()),
    }
}

/// Stretches that do not touch each other: around the changes of the clock, leap days, the turns of months and years.
fn stretches(window: &str, zone: &TimeZone) -> Vec<(i64, i64)> {
    let mut days = changes(zone);
    days.extend([
        date(2026, 12, 31),
        date(2027, 2, 28),
        date(2027, 4, 30),
        date(2027, 7, 4),
        date(2027, 12, 31),
        date(2028, 2, 29),
    ]);
    days.sort_unstable();
    let mut found: Vec<(i64, i64)> = Vec::new();
    for (first, next) in days.into_iter().map(|day| stretch(window, day)) {
        let (begins, ends) = (begins_ms(zone, first), begins_ms(zone, next));
        if found.last().is_none_or(|(_, last)| begins > *last + 1) {
            found.push((begins, ends));
        }
    }
    found
}

#[test]
fn days_weeks_and_months_begin_and_end_with_the_calendar_of_each_zone() {
    let mut checked = 0;
    for (name, window) in ZONES.into_iter().flat_map(|zone| ["today", "week", "month"].map(|w| (zone, w))) {
        let zone = TimeZone::get(name).unwrap();
        let mut clocked = Clocked::new(&site(name, &format!("(count product_view in {window}) >= 1")));
        for (begins, ends) in stretches(window, &zone) {
            let label = || format!("{name} {window} {}", Timestamp::from_millisecond(begins).unwrap());
            clocked.looks(begins - 1);
            assert_eq!(clocked.truth(begins), Some(false), "what was before is over: {}", label());
            clocked.looks(begins);
            assert_eq!(clocked.truth(ends - 1), Some(true), "its last millisecond: {}", label());
            assert_eq!(clocked.truth(ends), Some(false), "the first behind it: {}", label());
            checked += 1;
        }
    }
    assert!(checked > 120, "{checked} stretches");
}

#[test]
fn a_day_of_change_is_an_hour_shorter_or_longer_and_half_an_hour_on_lord_howe() {
    let hours = |name: &str| -> Vec<i64> {
        let zone = TimeZone::get(name).unwrap();
        let length = |day: Date| begins_ms(&zone, day + 1.day()) - begins_ms(&zone, day);
        changes(&zone).into_iter().map(|day| length(day) - DAY).collect()
    };
    // What the test above was asked, lest it be nothing.
    assert_eq!(hours("Europe/Berlin"), [-HOUR, HOUR]);
    assert_eq!(hours("America/New_York"), [-HOUR, HOUR]);
    assert_eq!(hours("Australia/Lord_Howe"), [30 * MINUTE, -30 * MINUTE]);
    assert!(hours("Asia/Kolkata").is_empty());
}

#[test]
fn a_pane_leaves_a_sliding_window_at_its_border_and_not_a_millisecond_before() {
    // A twelfth of the window, aligned to the epoch: five minutes, two hours, two and a half days.
    for (window, window_ms) in [("1h", HOUR), ("24h", DAY), ("30d", 30 * DAY)] {
        let pane_ms = window_ms / 12;
        let border = (START_MS / pane_ms + 2) * pane_ms;
        let buys = |offset_ms: i64, asked_ms: i64| {
            let condition = format!("(sum purchase.value in {window}) >= 1 EUR");
            let mut clocked = Clocked::new(&site("Europe/Berlin", &condition));
            clocked.at(border + offset_ms).event("purchase", &[("value", int(5))]);
            clocked.truth(border + asked_ms)
        };
        for (bought_ms, leaves_ms, which) in [
            (0, window_ms, "the first millisecond of a pane stays the whole window"),
            (-1, window_ms - pane_ms, "the last of the pane before stays eleven twelfths"),
            (pane_ms - 1, window_ms, "a pane goes as a whole"),
        ] {
            assert_eq!(buys(bought_ms, leaves_ms - 1), Some(true), "{window}: {which}");
            assert_eq!(buys(bought_ms, leaves_ms), Some(false), "{window}: {which}");
        }
    }
}

#[test]
fn a_window_that_counts_one_by_one_ends_to_the_millisecond() {
    for (window, ms) in [("10s", 10_000), ("10m", 10 * MINUTE), ("7d", 7 * DAY)] {
        let mut clocked = Clocked::new(&site("UTC", &format!("(count product_view in {window}) >= 2")));
        clocked.looks(START_MS + 3);
        clocked.looks(START_MS + 7);
        assert_eq!(clocked.truth(START_MS + 2 + ms), Some(true), "{window}");
        assert_eq!(clocked.truth(START_MS + 3 + ms), Some(false), "{window}: the first is so old now");
    }
}

#[test]
fn a_session_goes_on_after_thirty_minutes_to_the_millisecond_and_not_one_more() {
    for (idle_ms, expected) in [(30 * MINUTE, Some(true)), (30 * MINUTE + 1, Some(false))] {
        let mut clocked = Clocked::new(&site("UTC", "(count product_view in session) >= 2"));
        clocked.looks(START_MS);
        clocked.looks(START_MS + idle_ms);
        assert_eq!(clocked.truth(START_MS + idle_ms), expected, "{idle_ms}");
    }
}
