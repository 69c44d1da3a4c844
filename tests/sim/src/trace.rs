//! What happened, line by line: hashed, so that two runs of a seed can be compared to the byte, and kept where somebody reads.

use selvedge_core::hash::fnv1a_64;
use std::fmt::Arguments;

/// The lines of one world.
#[derive(Debug, Default)]
pub struct Trace {
    hash: u64,
    count: u64,
    lines: Option<Vec<String>>,
}

impl Trace {
    /// A trace whose lines are kept, or only hashed.
    #[must_use]
    pub fn new(is_kept: bool) -> Self {
        Self { lines: is_kept.then(Vec::new), ..Self::default() }
    }

    /// Adds a line, `now_ms` after the world began.
    pub fn line(&mut self, now_ms: u64, what: Arguments<'_>) {
        let (seconds, millis) = (now_ms / 1_000, now_ms % 1_000);
        let line = format!("{seconds:>8}.{millis:03} {what}");
        self.hash = fnv1a_64(line.as_bytes()) ^ self.hash.rotate_left(5);
        self.count += 1;
        if let Some(lines) = &mut self.lines {
            lines.push(line);
        }
    }

    /// A number that stands for all lines.
    #[must_use]
    pub const fn hash(&self) -> u64 {
        self.hash
    }

    /// How many lines there were.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The lines, where they are kept.
    #[must_use]
    pub fn lines(&self) -> &[String] {
        self.lines.as_deref().unwrap_or_default()
    }
}
