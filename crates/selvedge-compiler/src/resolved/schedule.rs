//! A schedule, as a condition on clock and calendar.

use super::fact::{Domain, Fact, Leaf, LeafTest, Range, common, complement, joined};
use super::leaf::day_of;
use super::truth::Truth;
use crate::codes::Code;
use crate::condition::Source;
use crate::diagnostic::Report;
use crate::fields::Spanned;
use crate::written::schedule::{Clock, Schedule};
use selvedge_core::wire::program::Builtin;

/// Years in which a day without one is left out.
const YEARS: std::ops::RangeInclusive<i64> = 2025..=2045;
const DAY_MINUTES: i64 = 24 * 60;

/// When the schedule is on; `None` where it says nothing. On the visitor's clock, dates are the site's.
pub(super) fn schedule_of(written: &Schedule, timezone: &str, report: &mut Report) -> Option<Truth> {
    let leaf = |fact, domain, test, text: &str| {
        let source = Source { span: written.span, text: text.to_owned() };
        Truth::Leaf(Leaf { fact, default: None, domain, test, source })
    };
    let of_site = [Builtin::TimeOfDay, Builtin::Weekday];
    let ([time, weekday], timezone) = match &written.clock {
        Clock::Zone(zone) if zone != timezone => {
            (of_site.map(|builtin| Fact::Clock(zone.clone(), builtin)), zone.as_str())
        }
        Clock::Zone(_) | Clock::Site => (of_site.map(Fact::Builtin), timezone),
        Clock::Visitor => ([Builtin::VisitorTimeOfDay, Builtin::VisitorWeekday].map(Fact::Builtin), timezone),
    };
    let mut all = Vec::new();
    if !written.days.is_empty() {
        let days = LeafTest::OneOf(written.days.iter().cloned().collect(), true);
        all.push(leaf(weekday, Domain::Text, days, "days"));
    }
    if let Some((from, to)) = written.hours {
        let within = |from, to: i64| (from, to - 1);
        let ranges = if from < to {
            vec![within(from, to)]
        } else {
            vec![within(0, to), within(from, DAY_MINUTES)].into_iter().filter(|(a, b)| a <= b).collect()
        };
        all.push(leaf(time, Domain::Numbers(0, DAY_MINUTES - 1), LeafTest::Ranges(ranges), "hours"));
    }
    let dates = dates(written, timezone, report);
    if dates.is_empty() {
        let message = "the schedule is on at no time: its last day is before its first, or all are left out";
        report.add_help(
            Code::E0326,
            written.span,
            message,
            "swap `from` and `until`, or leave out less".to_owned(),
        );
        return None;
    }
    if dates != [(i64::MIN, i64::MAX)] {
        all.push(leaf(
            Fact::Builtin(Builtin::Now),
            Domain::Numbers(i64::MIN, i64::MAX),
            LeafTest::Ranges(dates),
            "dates",
        ));
    }
    if all.len() > 1 { Some(Truth::All(all)) } else { all.pop() }
}

/// The moments from the first day to the last, without those left out.
fn dates(written: &Schedule, timezone: &str, report: &mut Report) -> Vec<Range> {
    let mut bound = |day: &Option<Spanned<String>>| {
        let day = day.as_ref()?;
        let found = day_of(&day.value, timezone);
        if found.is_none() {
            bad_date(day, report);
        }
        found
    };
    let start = bound(&written.from).map_or(i64::MIN, |(start, _)| start);
    let end = bound(&written.until).map_or(i64::MAX, |(_, end)| end);
    let mut except = Vec::new();
    for days in &written.except {
        match left_out(&days.value, timezone) {
            Some(found) => except.extend(found),
            None => bad_date(days, report),
        }
    }
    common(&[(start, end)], &complement(&joined(except)))
}

/// `2026-12-24`, `12-24..12-26`: without a year, in every year.
fn left_out(text: &str, timezone: &str) -> Option<Vec<Range>> {
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    let stretch = |first: &str, last: &str| {
        let ((start, _), (_, end)) = day_of(first, timezone).zip(day_of(last, timezone))?;
        (start <= end).then_some((start, end))
    };
    if first.len() == "2026-12-24".len() {
        return stretch(first, last).map(|range| vec![range]);
    }
    // The day that a year lacks (29 February) is left out of the years that have it.
    let of_year = |year: i64| {
        let until = if last < first { year + 1 } else { year };
        stretch(&format!("{year}-{first}"), &format!("{until}-{last}"))
    };
    let found: Vec<Range> = YEARS.filter_map(of_year).collect();
    (!found.is_empty()).then_some(found)
}

fn bad_date(text: &Spanned<String>, report: &mut Report) {
    let message = format!("`{}` is no day", text.value);
    let help = "write `2026-12-24`, or under `except` also `12-24..12-26`".to_owned();
    report.add_help(Code::E0326, text.span, message, help);
}
