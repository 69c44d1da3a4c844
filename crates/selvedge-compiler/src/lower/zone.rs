//! The site's time zone as the program holds it: a table of offsets, where something asks for local time.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use selvedge_core::limits::ZONE_OFFSETS_MAX;
use selvedge_core::wire::program::{Builtin, Fact, FactSource, Offset, Parts, Piece, Step, Template, Window};

/// 1 January 2020 and 1 January 2050: the zone's rules are written out between them.
const FROM_SECOND: i64 = 1_577_836_800;
const TO_SECOND: i64 = 2_524_608_000;

/// The offsets of the zone of this name; none where nothing in the program asks for them.
pub(super) fn zone_of(parts: &Parts, name: &str) -> Vec<Offset> {
    if asks_for_local_time(parts) { offsets(name) } else { Vec::new() }
}

fn asks_for_local_time(parts: &Parts) -> bool {
    let is_of_calendar = |window| matches!(window, Window::Today | Window::Week | Window::Month);
    let is_clock =
        |fact: &Fact| matches!(fact.source, FactSource::Builtin(Builtin::TimeOfDay | Builtin::Weekday));
    parts.metrics.iter().any(|metric| is_of_calendar(metric.window))
        || parts.facts.iter().any(is_clock)
        || parts.templates.iter().any(writes_local_time)
}

fn writes_local_time(template: &Template) -> bool {
    let fields = template.wordings.iter().flat_map(|wording| &wording.fields);
    let is_local = |piece: &Piece| match piece {
        Piece::Text(_) => false,
        Piece::Value(value) => value.steps.iter().any(|step| matches!(step, Step::Local(_))),
    };
    fields.flat_map(|(_, pieces)| pieces).any(is_local)
}

/// The zone from the first of these years on; what comes after the last keeps its offset.
pub(super) fn offsets(name: &str) -> Vec<Offset> {
    let (Ok(zone), Ok(from)) = (TimeZone::get(name), Timestamp::from_second(FROM_SECOND)) else {
        return Vec::new();
    };
    let first = Offset { from_minute: 0, minutes: minutes(zone.to_offset(from).seconds()) };
    let changes = zone.following(from).take_while(|change| change.timestamp().as_second() < TO_SECOND);
    let mut offsets = vec![first];
    for change in changes.take(ZONE_OFFSETS_MAX - 1) {
        let minutes = minutes(change.offset().seconds());
        if offsets.last().is_some_and(|before| before.minutes != minutes) {
            let from_minute = u32::try_from(change.timestamp().as_second() / 60).unwrap_or(u32::MAX);
            offsets.push(Offset { from_minute, minutes });
        }
    }
    offsets
}

fn minutes(seconds: i32) -> i16 {
    i16::try_from(seconds / 60).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Minutes ahead of UTC, as the program's table says.
    fn minutes_at(offsets: &[Offset], second: i64) -> i64 {
        let minute = u32::try_from(second / 60).unwrap();
        let offset = offsets.iter().take_while(|offset| offset.from_minute <= minute).last();
        offset.unwrap().minutes.into()
    }

    #[test]
    fn every_zone_fits_the_table() {
        for name in jiff::tz::db().available() {
            let found = offsets(&name.to_string());
            assert!((1..=ZONE_OFFSETS_MAX).contains(&found.len()), "{name}: {}", found.len());
            let last = found.last().unwrap().from_minute;
            assert!(
                found.len() < ZONE_OFFSETS_MAX || i64::from(last) * 60 > TO_SECOND - 31_536_000,
                "{name}"
            );
        }
    }

    proptest! {
        #[test]
        fn the_table_says_what_the_zone_says(
            name in prop::sample::select(&[
                "Europe/Berlin", "America/New_York", "America/Havana", "Asia/Kolkata", "Africa/Casablanca",
                "Australia/Lord_Howe", "Pacific/Chatham", "Asia/Beirut", "America/Nuuk", "UTC",
            ][..]),
            second in FROM_SECOND..TO_SECOND,
        ) {
            let zone = TimeZone::get(name).unwrap();
            let expected = zone.to_offset(Timestamp::from_second(second).unwrap()).seconds() / 60;
            prop_assert_eq!(minutes_at(&offsets(name), second), i64::from(expected));
        }
    }
}
