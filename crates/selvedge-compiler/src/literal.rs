//! Numbers and durations as people write them.

use selvedge_core::number::Micro;

/// Milliseconds of one unit: `s`, `m`, `h`, `d`.
const UNITS: [(&str, u64); 4] = [("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// The longest duration a site may write.
pub(crate) const DURATION_MS_MAX: u64 = selvedge_core::limits::WINDOW_MS_MAX;

/// `10m`, `24h`, `7d`, `30s` in milliseconds; `None` where it is no duration, is 0, or is above [`DURATION_MS_MAX`].
pub(crate) fn duration_ms(text: &str) -> Option<u64> {
    let (unit, unit_ms) = UNITS.iter().find(|(unit, _)| text.ends_with(unit))?;
    let digits = text.strip_suffix(unit)?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let duration = digits.parse::<u64>().ok()?.checked_mul(*unit_ms)?;
    (1..=DURATION_MS_MAX).contains(&duration).then_some(duration)
}

/// A duration as it is written, in the largest unit that holds it whole.
pub(crate) fn duration_text(ms: u64) -> String {
    UNITS
        .iter()
        .rev()
        .find(|(_, unit_ms)| ms.is_multiple_of(*unit_ms))
        .map_or_else(|| format!("{ms} ms"), |(unit, unit_ms)| format!("{}{unit}", ms / unit_ms))
}

/// `12`, `-0.5`, `1299.95` in millionths; `None` where it is no number, has more than six decimals, or does not fit.
pub(crate) fn micro(text: &str) -> Option<i64> {
    Micro::parse(text).map(|parsed| parsed.0)
}

/// Millionths as they are written, without needless zeros.
pub(crate) fn micro_text(micro: i64) -> String {
    let sign = if micro < 0 { "-" } else { "" };
    let magnitude = micro.unsigned_abs();
    let (whole, fraction) = (magnitude / 1_000_000, magnitude % 1_000_000);
    if fraction == 0 {
        return format!("{sign}{whole}");
    }
    let fraction = format!("{fraction:06}");
    format!("{sign}{whole}.{}", fraction.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_one_unit_and_are_never_zero() {
        assert_eq!(duration_ms("10m"), Some(600_000));
        assert_eq!(duration_ms("24h"), Some(86_400_000));
        assert_eq!(duration_ms("30d"), Some(2_592_000_000));
        for bad in ["", "m", "0m", "10", "10 m", "-1h", "1.5h", "1w", "367d", "99999999999999999999d", "é"] {
            assert_eq!(duration_ms(bad), None, "{bad}");
        }
        assert_eq!(duration_text(86_400_000), "1d");
        assert_eq!(duration_text(90_000), "90s");
    }

    #[test]
    fn numbers_become_millionths_exactly() {
        assert_eq!(micro("2"), Some(2_000_000));
        assert_eq!(micro("-0.5"), Some(-500_000));
        assert_eq!(micro("129.950000"), Some(129_950_000));
        assert_eq!(micro("9223372036854"), Some(9_223_372_036_854_000_000));
        for bad in ["", "-", "1.", ".5", "1e3", "9223372036855", "0.0000001", "1_000"] {
            assert_eq!(micro(bad), None, "{bad}");
        }
        assert_eq!(micro_text(-129_950_000), "-129.95");
        assert_eq!(micro_text(7_000_000), "7");
    }
}
