//! What a person reads while a chore runs: one line per long step, with its time.

use std::time::{Duration, Instant};

use anyhow::Result;

/// Says `what` is being done, does it, and says how long it took where that was over a second.
///
/// # Errors
/// Those of `work`.
pub fn step<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    eprintln!("{what} ...");
    let start = Instant::now();
    let result = work()?;
    let spent = start.elapsed();
    if spent >= Duration::from_secs(1) {
        eprintln!("  done in {}", duration(spent));
    }
    Ok(result)
}

/// A duration as people read it: `840 ms`, `12.3 s`, `4 min 07 s`.
pub fn duration(spent: Duration) -> String {
    let (seconds, ms) = (spent.as_secs(), spent.as_millis());
    match seconds {
        0 => format!("{ms} ms"),
        1..60 => format!("{}.{} s", seconds, ms % 1000 / 100),
        _ => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_say_them() {
        let cases = [(840, "840 ms"), (12_345, "12.3 s"), (247_000, "4 min 07 s")];
        for (ms, expected) in cases {
            assert_eq!(duration(Duration::from_millis(ms)), expected);
        }
    }
}
