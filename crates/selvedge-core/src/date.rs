//! Moments written as text, as rules read them: Unix milliseconds. No clock, no time zones but the offset in the text.

/// Milliseconds of a day.
pub const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// The Unix milliseconds of a text of RFC 3339 (`2026-12-24T18:00:00+01:00`), or of midnight UTC of a day alone
/// (`2026-12-24`). `None` where it is neither, or the day does not exist.
///
/// ```
/// use selvedge_core::date::time_ms;
/// assert_eq!(time_ms("1970-01-02T01:00:00.5+01:00"), Some(86_400_500));
/// assert_eq!(time_ms("2026-02-30"), None);
/// ```
#[must_use]
pub fn time_ms(text: &str) -> Option<i64> {
    let (day, rest) = text.as_bytes().split_at_checked(10)?;
    let midnight_ms = day_of(day)?.wrapping_mul(DAY_MS);
    if rest.is_empty() {
        return Some(midnight_ms);
    }
    let (clock, rest) = rest.split_at_checked(9)?;
    let [b'T' | b't', h0, h1, b':', m0, m1, b':', s0, s1] = *clock else { return None };
    let (hours, minutes, seconds) = (number(&[h0, h1])?, number(&[m0, m1])?, number(&[s0, s1])?);
    // A leap second is the second before it.
    if hours > 23 || minutes > 59 || seconds > 60 {
        return None;
    }
    let (fraction_ms, rest) = fraction(rest)?;
    let clock_ms = clock_ms(hours, minutes).wrapping_add(seconds.min(59).wrapping_mul(1_000));
    Some(midnight_ms.wrapping_add(clock_ms).wrapping_add(fraction_ms).wrapping_sub(offset_ms(rest)?))
}

/// The day that an `0000-00-00` names, counted from 1970-01-01.
fn day_of(text: &[u8]) -> Option<i64> {
    let [y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1] = *text else { return None };
    let (year, month, day) = (number(&[y0, y1, y2, y3])?, number(&[m0, m1])?, number(&[d0, d1])?);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28_i64.wrapping_add(is_leap.into()),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    (1..=days).contains(&day).then(|| day_number(year, month, day))
}

/// Days from 1970-01-01 to a day of the Gregorian calendar (after Howard Hinnant, `days_from_civil`).
fn day_number(year: i64, month: i64, day: i64) -> i64 {
    // The year begins in March, so that its last day is the leap day.
    let year = year.wrapping_sub((month <= 2).into());
    let month = if month > 2 { month.wrapping_sub(3) } else { month.wrapping_add(9) };
    let of_year = (month.wrapping_mul(153).wrapping_add(2) / 5).wrapping_add(day).wrapping_sub(1);
    let era = year.div_euclid(400);
    let year = year.rem_euclid(400);
    let of_era = year.wrapping_mul(365).wrapping_add(year / 4).wrapping_sub(year / 100).wrapping_add(of_year);
    era.wrapping_mul(146_097).wrapping_add(of_era).wrapping_sub(719_468)
}

/// Milliseconds of a fraction of a second, cut behind the third digit; and what follows it.
fn fraction(rest: &[u8]) -> Option<(i64, &[u8])> {
    let Some(digits) = rest.strip_prefix(b".") else { return Some((0, rest)) };
    let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = digits.split_at_checked(count).filter(|_| count > 0)?;
    let digit = |at: usize| digits.get(at).map_or(0, |byte| i64::from(byte.wrapping_sub(b'0')));
    let ms = digit(0).wrapping_mul(100).wrapping_add(digit(1).wrapping_mul(10)).wrapping_add(digit(2));
    Some((ms, rest))
}

/// How far local time is ahead of UTC: of `Z`, `+01:00`, `-05:30`.
fn offset_ms(text: &[u8]) -> Option<i64> {
    match *text {
        [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), h0, h1, b':', m0, m1] => {
            let ms = clock_ms(number(&[h0, h1])?, number(&[m0, m1])?);
            Some(if sign == b'-' { ms.wrapping_neg() } else { ms })
        }
        _ => None,
    }
}

fn clock_ms(hours: i64, minutes: i64) -> i64 {
    hours.wrapping_mul(60).wrapping_add(minutes).wrapping_mul(60_000)
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0i64, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| i64::from(byte.wrapping_sub(b'0')))?;
        Some(number.wrapping_mul(10).wrapping_add(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::time_ms;

    #[test]
    fn texts_of_rfc_3339_are_moments() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1969-12-31T23:59:59.999Z", -1),
            ("2000-02-29", 951_782_400_000),
            ("2026-12-24T18:00:00+01:00", 1_798_131_600_000),
            ("2026-12-24T12:30:00.123456-04:30", 1_798_131_600_123),
            ("2016-12-31T23:59:60Z", 1_483_228_799_000),
            ("0000-03-01", -62_162_035_200_000),
        ] {
            assert_eq!(time_ms(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_none() {
        for text in [
            "",
            "2026",
            "2026-13-01",
            "2026-02-29",
            "2026-00-10",
            "2026-01-00",
            "2026-1-010",
            "2026-12-24T18:00:00",
            "2026-12-24 18:00:00Z",
            "2026-12-24T24:00:00Z",
            "2026-12-24T18:60:00Z",
            "2026-12-24T18:00:00.Z",
            "2026-12-24T18:00:00+0100",
            "2026-12-24T18:00:00Zx",
            "20é6-12-24",
        ] {
            assert_eq!(time_ms(text), None, "{text}");
        }
    }
}
