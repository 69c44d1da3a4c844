//! Local time: time zones as tables of offsets, and the calendar. Whole numbers only.

use super::super::Offset;
use super::super::layout::{kind, size, tag};
use super::Image;
use super::records::Field;

/// Milliseconds of a minute.
const MINUTE_MS: i64 = 60 * 1_000;
/// Minutes of a day.
pub(crate) const DAY_MINUTES: i64 = 24 * 60;

/// A moment in local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Local {
    /// Local days since 1 January 1970.
    pub day: i64,
    /// Minute of the day, 0 to 1,439.
    pub minute: i64,
}

/// A date of the Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Date {
    pub year: i64,
    /// 1 to 12.
    pub month: i64,
    /// 1 to 31.
    pub day: i64,
}

impl Local {
    /// The moment `now_ms`, so many minutes ahead of UTC.
    pub const fn at(now_ms: i64, offset_minutes: i64) -> Self {
        let minutes = now_ms.div_euclid(MINUTE_MS).wrapping_add(offset_minutes);
        Self { day: minutes.div_euclid(DAY_MINUTES), minute: minutes.rem_euclid(DAY_MINUTES) }
    }

    /// The day of the week, 0 for Monday to 6 for Sunday.
    pub const fn weekday(self) -> i64 {
        // 1 January 1970 was a Thursday.
        self.day.wrapping_add(3).rem_euclid(7)
    }

    /// The date, by Howard Hinnant's `civil_from_days`.
    pub const fn date(self) -> Date {
        let days = self.day.wrapping_add(719_468);
        let era = days.div_euclid(146_097);
        let of_era = days.rem_euclid(146_097);
        let leaps = (of_era / 1_460).wrapping_sub(of_era / 36_524).wrapping_add(of_era / 146_096);
        let year = of_era.wrapping_sub(leaps) / 365;
        let before = year.wrapping_mul(365).wrapping_add(year / 4).wrapping_sub(year / 100);
        let of_year = of_era.wrapping_sub(before);
        // Months from March on, so that the leap day is the last of a year.
        let from_march = of_year.wrapping_mul(5).wrapping_add(2) / 153;
        let day = of_year.wrapping_sub(from_march.wrapping_mul(153).wrapping_add(2) / 5).wrapping_add(1);
        let month = from_march.wrapping_add(2) % 12;
        let year = year.wrapping_add(era.wrapping_mul(400)).wrapping_add((month < 2) as i64);
        Date { year, month: month.wrapping_add(1), day }
    }
}

/// A time zone: its offsets, one behind the other. Without any it is UTC.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Zone<'a>(&'a [[u8; size::OFFSET]]);

impl Zone<'_> {
    /// The moment on the clocks there.
    pub fn local(self, now_ms: i64) -> Local {
        let minute = now_ms.div_euclid(MINUTE_MS);
        let mut minutes = self.offset(0).minutes;
        for offset in self.each_offset().take_while(|offset| i64::from(offset.from_minute) <= minute) {
            minutes = offset.minutes;
        }
        Local::at(now_ms, minutes.into())
    }

    /// The first moment behind `now_ms` at which the clocks there are put forward or back.
    pub fn next_change_ms(self, now_ms: i64) -> Option<i64> {
        let mut changes =
            self.each_offset().map(|offset| i64::from(offset.from_minute).wrapping_mul(MINUTE_MS));
        changes.find(|change_ms| *change_ms > now_ms)
    }

    /// The first millisecond of a local day. Where the clock skips midnight, the first after it.
    fn day_start_ms(self, day: i64) -> i64 {
        let local_minute = day.wrapping_mul(DAY_MINUTES);
        let mut start = local_minute.wrapping_sub(self.offset(0).minutes.into());
        for offset in self.each_offset() {
            let from = i64::from(offset.from_minute);
            if start < from {
                break;
            }
            start = local_minute.wrapping_sub(offset.minutes.into()).max(from);
        }
        start.wrapping_mul(MINUTE_MS)
    }

    fn each_offset(self) -> impl Iterator<Item = Offset> {
        (0..self.0.len()).map(move |at| self.offset(at))
    }

    /// An offset; of UTC where there is none.
    fn offset(self, at: usize) -> Offset {
        let row = self.0.get(at).copied().unwrap_or_default();
        Offset { from_minute: u32::read(&row, 0), minutes: i16::read(&row, 4) }
    }
}

impl Image {
    /// The site's time zone; UTC where the program holds none.
    pub(crate) fn zone(&self) -> Zone<'_> {
        Zone(self.rows(tag::ZONE))
    }

    /// A time zone that a schedule names, by its place. Each begins with an offset from minute 0 on.
    pub(crate) fn named_zone(&self, at: u16) -> Zone<'_> {
        let rows = self.rows::<{ size::OFFSET }>(tag::ZONES);
        let is_first = |row: &[u8; size::OFFSET]| u32::read(row, 0) == 0;
        let mut starts = (0..).zip(rows).filter(|(_, row)| is_first(row)).map(|(place, _)| place);
        let start = starts.nth(at.into()).unwrap_or(rows.len());
        let rest = rows.get(start..).unwrap_or_default();
        let more = rest.iter().skip(1).take_while(|row| !is_first(row)).count();
        Zone(rest.get(..more.wrapping_add(1)).unwrap_or_default())
    }

    /// The moment in the site's time zone; in UTC where the program holds none.
    pub(crate) fn local(&self, now_ms: i64) -> Local {
        self.zone().local(now_ms)
    }

    /// When the calendar day, week or month of `now_ms` began in the site's time zone: its first millisecond.
    pub(crate) fn period_start_ms(&self, window: u8, now_ms: i64) -> i64 {
        let local = self.local(now_ms);
        let back = match window {
            kind::WINDOW_WEEK => local.weekday(),
            kind::WINDOW_MONTH => local.date().day.wrapping_sub(1),
            _ => 0,
        };
        self.zone().day_start_ms(local.day.wrapping_sub(back))
    }

    /// An offset of the site's time zone, or of those that schedules name.
    pub(in super::super) fn offset(&self, section: u8, at: usize) -> Offset {
        Zone(self.rows(section)).offset(at)
    }
}
