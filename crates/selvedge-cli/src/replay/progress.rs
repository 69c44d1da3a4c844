//! The bar that a person sees while a replay runs. On anything but a terminal nothing is drawn.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::Read;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

const IN_BYTES: &str = "{wide_bar} {bytes} of {total_bytes} read, {msg}, {eta} left";
const IN_EVENTS: &str = "{wide_bar} {pos} of {len} events answered, {eta} left";

/// How far a replay is.
pub struct Progress {
    bar: ProgressBar,
    answered: AtomicU64,
    counts_events: AtomicBool,
}

impl Progress {
    /// A replay of a file of so many bytes.
    #[must_use]
    pub fn of_bytes(bytes: u64) -> Self {
        let bar = ProgressBar::new(bytes).with_style(style(IN_BYTES));
        Self { bar, answered: AtomicU64::new(0), counts_events: AtomicBool::new(false) }
    }

    /// The file, counted as it is read.
    pub fn reading<R: Read>(&self, file: R) -> impl Read + use<R> {
        self.bar.wrap_read(file)
    }

    /// From now on progress is counted in events, of which there are so many.
    pub fn count_events(&self, total: u64) {
        self.counts_events.store(true, Ordering::Relaxed);
        self.bar.set_style(style(IN_EVENTS));
        self.bar.set_length(total);
        self.bar.set_position(0);
    }

    /// So many more events were answered.
    pub fn answered(&self, events: usize) {
        let events = events as u64;
        let answered = self.answered.fetch_add(events, Ordering::Relaxed).saturating_add(events);
        if self.counts_events.load(Ordering::Relaxed) {
            self.bar.set_position(answered);
        } else {
            self.bar.set_message(format!("{answered} events answered"));
        }
    }

    /// The end: the bar makes room for the report.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
