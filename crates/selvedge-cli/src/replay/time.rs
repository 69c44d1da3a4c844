//! How a recorded log writes time. In: the format and time zone of a map, then one cell after another. Out: Unix
//! milliseconds.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, fmt::strtime};

/// How the cells of a time column are read.
#[derive(Debug, Clone)]
pub enum TimeFormat {
    /// `2024-03-13T10:21:14.5Z`.
    Rfc3339,
    /// Unix milliseconds.
    UnixMs,
    /// Unix seconds.
    UnixS,
    /// A strftime pattern; a time without offset is read in the zone, the earlier one where the clocks go back.
    Pattern {
        /// The pattern.
        pattern: String,
        /// The zone.
        zone: TimeZone,
    },
}

impl TimeFormat {
    /// The format that a map names.
    ///
    /// # Errors
    /// What is wrong, as the end of a sentence, for a time zone that does not exist or a word that is no format.
    pub fn new(format: &str, timezone: &str) -> Result<Self, String> {
        let zone = TimeZone::get(timezone).map_err(|_| {
            format!("zone `{timezone}` does not exist; use an IANA name such as Europe/Berlin")
        })?;
        match format {
            "rfc3339" => Ok(Self::Rfc3339),
            "unix_ms" => Ok(Self::UnixMs),
            "unix_s" => Ok(Self::UnixS),
            pattern if pattern.contains('%') => Ok(Self::Pattern { pattern: pattern.to_owned(), zone }),
            other => Err(format!(
                "format `{other}` is unknown; use rfc3339, unix_ms, unix_s or a pattern such as %Y-%m-%d %H:%M:%S"
            )),
        }
    }

    /// The Unix milliseconds that `cell` says; `None` where it does not fit the format or lies before 1970.
    #[must_use]
    pub fn read(&self, cell: &str) -> Option<u64> {
        let cell = cell.trim();
        match self {
            Self::Rfc3339 => milliseconds(cell.parse().ok()?),
            Self::UnixMs => cell.parse().ok(),
            Self::UnixS => seconds(cell),
            Self::Pattern { pattern, zone } => from_pattern(pattern, zone, cell),
        }
    }
}

fn milliseconds(timestamp: Timestamp) -> Option<u64> {
    u64::try_from(timestamp.as_millisecond()).ok()
}

/// Seconds with at most three digits after the point, read without floating point.
fn seconds(cell: &str) -> Option<u64> {
    let (whole, fraction) = cell.split_once('.').unwrap_or((cell, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths: u64 = format!("{fraction:0<3}").parse().ok()?;
    whole.parse::<u64>().ok()?.checked_mul(1_000)?.checked_add(thousandths)
}

fn from_pattern(pattern: &str, zone: &TimeZone, cell: &str) -> Option<u64> {
    let parsed = strtime::parse(pattern, cell).ok()?;
    if let Ok(timestamp) = parsed.to_timestamp() {
        return milliseconds(timestamp);
    }
    let civil: DateTime = parsed.to_datetime().ok()?;
    milliseconds(zone.to_zoned(civil).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::TimeFormat;

    fn read(format: &str, zone: &str, cell: &str) -> Option<u64> {
        TimeFormat::new(format, zone).unwrap().read(cell)
    }

    #[test]
    fn each_format_reads_the_same_moment() {
        let moment = Some(1_710_325_274_000);
        for (format, zone, cell) in [
            ("rfc3339", "UTC", "2024-03-13T10:21:14Z"),
            ("rfc3339", "UTC", "2024-03-13T11:21:14+01:00"),
            ("unix_ms", "UTC", "1710325274000"),
            ("unix_s", "UTC", "1710325274"),
            ("unix_s", "UTC", "1710325274.000"),
            ("%Y-%m-%d %H:%M:%S", "UTC", "2024-03-13 10:21:14"),
            ("%Y-%m-%d %H:%M:%S", "Europe/Berlin", "2024-03-13 11:21:14"),
            ("%Y-%m-%d %H:%M:%S %z", "Europe/Berlin", "2024-03-13 10:21:14 +0000"),
        ] {
            assert_eq!(read(format, zone, cell), moment, "{format} {zone} {cell}");
        }
        assert_eq!(read("unix_s", "UTC", "1710325274.25"), Some(1_710_325_274_250));
    }

    #[test]
    fn a_cell_that_does_not_fit_is_refused() {
        for (format, cell) in [
            ("rfc3339", "2024-03-13 10:21"),
            ("unix_ms", "12.5"),
            ("unix_s", "1.2345"),
            ("unix_s", "1.-5"),
            ("unix_ms", "-5"),
            ("rfc3339", "1960-01-01T00:00:00Z"),
            ("%Y-%m-%d %H:%M:%S", "2024-03-13"),
            ("%Y-%m-%d %H:%M:%S", ""),
        ] {
            assert_eq!(read(format, "UTC", cell), None, "{format} {cell}");
        }
        assert!(TimeFormat::new("iso", "UTC").is_err());
    }
}
