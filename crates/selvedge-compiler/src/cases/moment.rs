//! Times of a case: how long after its beginning something happens, and when it begins.

const UNITS: [(char, u64); 4] = [('d', 86_400_000), ('h', 3_600_000), ('m', 60_000), ('s', 1_000)];
/// No case takes longer than this.
const OFFSET_MS_MAX: u64 = 10 * 366 * 86_400_000;

/// `0s`, `70s`, `1h30m` in milliseconds.
pub(super) fn offset_ms(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).filter(|at| *at > 0)?;
        let unit = rest[digits..].chars().next()?;
        let (_, unit_ms) = UNITS.iter().find(|(known, _)| *known == unit)?;
        total = total.checked_add(rest[..digits].parse::<u64>().ok()?.checked_mul(*unit_ms)?)?;
        rest = &rest[digits + unit.len_utf8()..];
    }
    (!text.is_empty() && total <= OFFSET_MS_MAX).then_some(total)
}

/// Whether the text is a day and, where it goes on, a time: `2026-03-29`, `2026-03-29T01:30`, `2026-03-29T01:30:15`.
pub(super) fn is_civil(text: &str) -> bool {
    let (date, time) = text.split_once('T').unwrap_or((text, "00:00"));
    let numbers = |text: &str, separator: char, widths: &[usize]| -> Option<Vec<u32>> {
        let parts: Vec<&str> = text.split(separator).collect();
        let good = |(part, width): (&&str, &usize)| {
            part.len() == *width && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        let fits = parts.len() == widths.len() && parts.iter().zip(widths).all(good);
        fits.then(|| parts.iter().filter_map(|part| part.parse().ok()).collect())
    };
    let date = numbers(date, '-', &[4, 2, 2]);
    let time = numbers(time, ':', &[2, 2]).or_else(|| numbers(time, ':', &[2, 2, 2]));
    let is_day = |date: &[u32]| (1..=12).contains(&date[1]) && (1..=31).contains(&date[2]);
    let is_time = |time: &[u32]| time[0] < 24 && time[1..].iter().all(|part| *part < 60);
    date.is_some_and(|date| is_day(&date)) && time.is_some_and(|time| is_time(&time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_a_case_begin_at_nothing_and_may_be_joined() {
        assert_eq!(offset_ms("0s"), Some(0));
        assert_eq!(offset_ms("70s"), Some(70_000));
        assert_eq!(offset_ms("1h30m"), Some(5_400_000));
        for bad in ["", "s", "10", "10 s", "-1s", "1w", "1.5h", "99999999999999999999d"] {
            assert_eq!(offset_ms(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_case_begins_on_a_day_that_there_is() {
        for good in ["2026-03-29", "2026-03-29T01:30", "2026-03-29T23:59:59"] {
            assert!(is_civil(good), "{good}");
        }
        for bad in ["", "tomorrow", "2026-13-01", "2026-3-29", "2026-03-29T24:00", "2026-03-29T01:30Z"] {
            assert!(!is_civil(bad), "{bad}");
        }
    }
}
