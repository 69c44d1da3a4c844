//! Days, weeks and months in Berlin.

use super::metric::Window;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// When clocks change in Europe from 2026 to 2028, in hours since 1970: to summer and back, in turn.
const CHANGES_H: [i64; 6] = [492_985, 498_025, 501_721, 506_929, 510_457, 515_665];

fn offset_ms(time_ms: i64) -> i64 {
    let passed = CHANGES_H.iter().filter(|change_h| time_ms >= **change_h * HOUR_MS).count();
    if passed % 2 == 1 { 2 * HOUR_MS } else { HOUR_MS }
}

fn day_of(time_ms: i64) -> i64 {
    (time_ms + offset_ms(time_ms)).div_euclid(DAY_MS)
}

/// The first moment of a local day: clocks never change at midnight.
fn day_start_ms(day: i64) -> i64 {
    let winter_ms = day * DAY_MS - HOUR_MS;
    let summer_ms = winter_ms - HOUR_MS;
    if day_of(summer_ms) == day && offset_ms(summer_ms) == 2 * HOUR_MS { summer_ms } else { winter_ms }
}

/// The first moment of the day, the week from Monday or the month that `now_ms` lies in.
pub fn start_ms(window: Window, now_ms: i64) -> i64 {
    let today = day_of(now_ms);
    let first = match window {
        Window::Today => today,
        // 1970 began on a Thursday.
        Window::Week => today - (today + 3).rem_euclid(7),
        _ => month_start(today),
    };
    day_start_ms(first)
}

/// The first day of a day's month, by going back through the months since 2026 began.
fn month_start(today: i64) -> i64 {
    const JANUARY_2026: i64 = 20_454;
    let mut first = JANUARY_2026;
    for year in 2026.. {
        let february = if year % 4 == 0 { 29 } else { 28 };
        for days in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
            if first + days > today {
                return first;
            }
            first += days;
        }
    }
    first
}
