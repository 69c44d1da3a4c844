//! When a rule acts: `schedule: {from, until, days, hours, timezone, except}`.

use super::zone::zone_name;
use crate::codes::Code;
use crate::diagnostic::Report;
use crate::fields::{self, Fields, Spanned};
use crate::source::Span;
use crate::yaml::Node;

/// A schedule as written.
#[derive(Debug)]
pub(crate) struct Schedule {
    /// The days of the week, `mon` to `sun`; empty: all.
    pub days: Vec<String>,
    /// From this minute of the day, up to that.
    pub hours: Option<(i64, i64)>,
    /// Whose clock it goes by.
    pub clock: Clock,
    pub from: Option<Spanned<String>>,
    pub until: Option<Spanned<String>>,
    pub except: Vec<Spanned<String>>,
    pub span: Span,
}

/// Whose clock days and hours go by, and (but for the visitor's) where dates begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Clock {
    /// The site's.
    Site,
    /// The visitor's own.
    Visitor,
    /// That of a time zone.
    Zone(String),
}

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const DAY_MINUTES: i64 = 24 * 60;

/// Reads a schedule.
pub(super) fn read_schedule(node: &Node, report: &mut Report) -> Option<Schedule> {
    let mut fields = Fields::of(node, report)?;
    let days = fields.optional("days").and_then(|node| read_days(node, report));
    let hours = fields.optional("hours").and_then(|node| read_hours(node, report));
    let clock = fields.optional("timezone").and_then(|node| read_clock(node, report));
    let from = fields.optional("from").and_then(|node| fields::text(node, report));
    let until = fields.optional("until").and_then(|node| fields::text(node, report));
    let except = fields.optional("except").map(fields::items).unwrap_or_default();
    let except = except.iter().filter_map(|node| fields::text(node, report)).collect();
    fields.finish(&[], report);
    let (days, clock) = (days.unwrap_or_default(), clock.unwrap_or(Clock::Site));
    Some(Schedule { days, hours, clock, from, until, except, span: node.span })
}

/// `site`, `visitor_local`, or the name of a time zone.
fn read_clock(node: &Node, report: &mut Report) -> Option<Clock> {
    let text = fields::text(node, report)?;
    match text.value.as_str() {
        "site" => Some(Clock::Site),
        "visitor_local" => Some(Clock::Visitor),
        _ => zone_name(text, report).map(Clock::Zone),
    }
}

/// `mon-fri`, or a list of days and stretches.
fn read_days(node: &Node, report: &mut Report) -> Option<Vec<String>> {
    let mut days = Vec::new();
    for item in fields::items(node) {
        let text = fields::text(item, report)?;
        let (first, last) = text.value.split_once('-').unwrap_or((&text.value, &text.value));
        let place = |name: &str| DAYS.iter().position(|day| *day == name.trim());
        let Some((first, last)) = place(first).zip(place(last)) else {
            let message = format!("`{}` is no day of the week", text.value);
            let help = "write `mon-fri`, or a list: `[sat, sun]`".to_owned();
            report.add_help(Code::E0326, text.span, message, help);
            return None;
        };
        let count = (last + DAYS.len() - first) % DAYS.len() + 1;
        days.extend(DAYS.iter().cycle().skip(first).take(count).map(|day| (*day).to_owned()));
    }
    Some(days)
}

/// `08:00-18:00`.
fn read_hours(node: &Node, report: &mut Report) -> Option<(i64, i64)> {
    let text = fields::text(node, report)?;
    let hours = text.value.split_once('-').and_then(|(from, to)| Some((minute(from)?, minute(to)?)));
    if hours.is_none() {
        let message = format!("`{}` are no hours", text.value);
        let help = "write for example `\"08:00-18:00\"`".to_owned();
        report.add_help(Code::E0326, text.span, message, help);
    }
    hours
}

fn minute(text: &str) -> Option<i64> {
    let (hour, minute) = text.trim().split_once(':')?;
    let of = |part: &str| part.parse::<i64>().ok().filter(|_| part.len() == 2);
    let minute = of(hour)? * 60 + of(minute).filter(|minute| *minute < 60)?;
    (0..=DAY_MINUTES).contains(&minute).then_some(minute)
}
