//! How fast recorded time passes: as fast as the worker answers, or a multiple of real time.

use std::str::FromStr;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How fast a log is replayed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Speed {
    /// As fast as the worker answers.
    Max,
    /// So many times as fast as it was recorded; above 0.
    Times(f64),
}

impl FromStr for Speed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "max" {
            return Ok(Self::Max);
        }
        let times = text.strip_suffix('x').unwrap_or(text).parse::<f64>().ok();
        times
            .filter(|times| times.is_finite() && *times > 0.0)
            .map(Self::Times)
            .ok_or_else(|| format!("`{text}` is no speed; use `max`, or a factor above 0 such as 60"))
    }
}

/// Recorded time, passing at a multiple of real time.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    times: f64,
    recorded_start_ms: u64,
    started: Instant,
}

impl Pace {
    /// Recorded time starts now, at this moment of it.
    #[must_use]
    pub fn start(times: f64, recorded_start_ms: u64) -> Self {
        Self { times, recorded_start_ms, started: Instant::now() }
    }

    /// Waits until it is this moment of recorded time.
    pub fn wait_for(&self, recorded_ms: u64) {
        sleep(self.after_start(recorded_ms).saturating_sub(self.started.elapsed()));
    }

    /// Real time between the start and this moment of recorded time.
    fn after_start(&self, recorded_ms: u64) -> Duration {
        let recorded = Duration::from_millis(recorded_ms.saturating_sub(self.recorded_start_ms));
        Duration::try_from_secs_f64(recorded.as_secs_f64() / self.times).unwrap_or(Duration::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speed_is_max_or_a_factor_above_zero() {
        assert_eq!("max".parse(), Ok(Speed::Max));
        assert_eq!("60".parse(), Ok(Speed::Times(60.0)));
        assert_eq!("0.5x".parse(), Ok(Speed::Times(0.5)));
        for text in ["", "0", "-1", "fast", "inf", "NaN"] {
            assert!(text.parse::<Speed>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_hour_at_sixty_times_takes_a_minute() {
        let pace = Pace::start(60.0, 1_000);
        assert_eq!(pace.after_start(3_601_000), Duration::from_secs(60));
        assert_eq!(pace.after_start(0), Duration::ZERO);
    }
}
