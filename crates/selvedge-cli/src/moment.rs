//! A moment as people write it on the command line.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds of the units of "how long ago".
const UNITS: [(char, u64); 4] = [('s', 1_000), ('m', 60_000), ('h', 3_600_000), ('d', 86_400_000)];

/// A moment: Unix milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub u64);

/// What is no moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a time; write 2026-11-22T10:00:00Z, 2026-11-22 (UTC), Unix milliseconds, or how long ago: 30m, 2h, 7d"
)]
pub struct NoMoment;

impl Moment {
    /// The moment that `text` names, where it is `now_ms`.
    ///
    /// # Errors
    /// [`NoMoment`].
    pub fn parse(text: &str, now_ms: u64) -> Result<Self, NoMoment> {
        if text == "now" {
            return Ok(Self(now_ms));
        }
        if let Ok(time_ms) = text.parse() {
            return Ok(Self(time_ms));
        }
        if let Some(ago_ms) = ago(text) {
            return Ok(Self(now_ms.saturating_sub(ago_ms)));
        }
        let time = text.parse::<Timestamp>().or_else(|_| {
            let day = text.parse::<Date>()?;
            day.to_zoned(TimeZone::UTC).map(|start| start.timestamp())
        });
        let ms = time.map_err(|_| NoMoment)?.as_millisecond();
        u64::try_from(ms).map(Self).map_err(|_| NoMoment)
    }
}

impl FromStr for Moment {
    type Err = NoMoment;

    fn from_str(text: &str) -> Result<Self, NoMoment> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::parse(text, u64::try_from(now.as_millis()).unwrap_or(u64::MAX))
    }
}

fn ago(text: &str) -> Option<u64> {
    let (_, unit_ms) = UNITS.iter().find(|(unit, _)| text.ends_with(*unit))?;
    text.get(..text.len() - 1)?.parse::<u64>().ok()?.checked_mul(*unit_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_in_four_ways() {
        let now_ms = 1_795_338_061_007;
        for (text, time_ms) in [
            ("now", now_ms),
            ("1795338061000", 1_795_338_061_000),
            ("2h", now_ms - 7_200_000),
            ("7d", now_ms - 604_800_000),
            ("2026-11-22T09:01:01Z", 1_795_338_061_000),
            ("2026-11-22T10:01:01+01:00", 1_795_338_061_000),
            ("2026-11-22", 1_795_305_600_000),
        ] {
            assert_eq!(Moment::parse(text, now_ms), Ok(Moment(time_ms)), "{text}");
        }
        for text in ["", "yesterday", "h", "-2h", "2026-13-01"] {
            assert_eq!(Moment::parse(text, now_ms), Err(NoMoment), "{text}");
        }
    }
}
