//! Metrics, by kind: what one keeps at first, how an event steps it, what is known of it. One file for each family; what
//! all have in common (window, scope, purpose, since when all was observed) is seen to by [`super::step`] and
//! [`super::view`].

mod count;

mod amount;

mod latest;

pub(super) mod values;

mod distinct;

pub(super) mod score;

use super::facts::{Seen, UNOBSERVED, is_foreign};
use super::happening::resolve_event;
use super::known::{Known, MISSING, is_true};
use super::moment::Moment;
use crate::event::Event;
use crate::wire::program::{Image, MetricRow, NONE, kind};
use crate::wire::state::{Distinct, Faded, Kept};
use alloc::vec::Vec;

/// An event on its way through the metrics.
pub(super) struct Occurrence<'a> {
    pub image: &'a Image,
    pub event: &'a Event,
    moment: &'a Moment<'a>,
    /// The rules' time of the event.
    pub time_ms: i64,
    /// When the visitor was born: the start of what never ends.
    pub born_ms: i64,
    /// What is known of the event's properties, once it was asked.
    known: Vec<Known>,
}

impl<'a> Occurrence<'a> {
    pub const fn new(image: &'a Image, event: &'a Event, moment: &'a Moment<'a>, born_ms: i64) -> Self {
        Self { image, event, moment, time_ms: moment.now_ms, born_ms, known: Vec::new() }
    }

    /// Whether it is an event of this name that passes this filter.
    pub fn is(&mut self, event: u32, filter: u16) -> bool {
        self.has_name(event) && self.passes(filter)
    }

    /// Whether it may step a metric of amounts that are in another currency: of those nothing is known.
    pub fn hides_from(&self, metric: MetricRow) -> bool {
        metric.of_money()
            && self.has_name(metric.event())
            && is_foreign(self.image.currency(), &self.event.properties, self.moment.orders)
    }

    fn has_name(&self, name: u32) -> bool {
        self.image.text(name) == self.event.name.as_bytes()
    }

    fn passes(&mut self, filter: u16) -> bool {
        if filter != NONE && self.known.is_empty() {
            self.known = resolve_event(self.image, &self.event.properties, &self.moment.happening());
        }
        is_true(self.image, self.image.code(), &self.known, filter)
    }
}

/// Whether an event may step a metric at all, by its name alone.
pub(super) fn concerns(metric: MetricRow, event: &Occurrence) -> bool {
    metric.kind() == kind::METRIC_SCORE || event.has_name(metric.event())
}

/// What a metric is read from.
pub(super) struct Reading<'a> {
    pub image: &'a Image,
    pub metric: MetricRow<'a>,
    pub kept: &'a Kept,
    /// How many were counted in the open page view, where that is its window.
    pub in_page: u16,
    /// The first millisecond of its window.
    pub start_ms: i64,
    pub now_ms: i64,
    /// From here on it was observed; never, where it is not now.
    pub since_ms: i64,
    /// All that happened in the window since then was observed.
    pub is_watched: bool,
}

/// The value with which a range begins to be passed, and the first with which it is not any more.
pub(super) const fn edges(low: i64, high: i64, is_rising: bool) -> [i64; 2] {
    if is_rising { [low, high.saturating_add(1)] } else { [high, low.saturating_sub(1)] }
}

/// What a metric keeps before anything happened.
pub(super) fn blank(metric: MetricRow) -> Kept {
    match metric.kind() {
        kind::METRIC_COUNT => count::blank(metric),
        kind::METRIC_TALLY..=kind::METRIC_AVERAGE => Kept::Panes(Vec::new()),
        kind::METRIC_SCORE => Kept::Score(Faded::default()),
        kind::METRIC_DISTINCT => Kept::Distinct(Distinct::default()),
        kind::METRIC_FIRST..=kind::METRIC_SINCE => Kept::Latest(Vec::new()),
        kind::METRIC_MOST_FREQUENT..=kind::METRIC_SAME => Kept::Values(Vec::new()),
        _ => Kept::Count(0),
    }
}

/// The first millisecond of a window of time as this metric keeps it; `None` for a kind that keeps every time.
pub(super) fn pane_start_ms(image: &Image, metric: MetricRow, now_ms: i64) -> Option<i64> {
    match metric.kind() {
        kind::METRIC_TALLY..=kind::METRIC_AVERAGE => Some(amount::window_start_ms(image, metric, now_ms)),
        kind::METRIC_SCORE => Some(i64::MIN),
        kind::METRIC_DISTINCT..=kind::METRIC_SAME => Some(amount::exact_start_ms(image, metric, now_ms)),
        _ => None,
    }
}

/// Steps what a metric keeps by an event that may be used for it, within its window. `since_ms` is when it begins to be
/// observed whole: a kind that drops what it should keep puts it off.
pub(super) fn take(metric: MetricRow, kept: &mut Kept, since_ms: &mut i64, event: &mut Occurrence) {
    match metric.kind() {
        kind::METRIC_COUNT => count::take(metric, kept, since_ms, event),
        kind::METRIC_TALLY..=kind::METRIC_AVERAGE => amount::take(metric, kept, event),
        kind::METRIC_SCORE => score::take(metric, kept, event),
        kind::METRIC_DISTINCT => distinct::take(metric, kept, event),
        kind::METRIC_FIRST..=kind::METRIC_SINCE => latest::take(metric, kept, event),
        kind::METRIC_MOST_FREQUENT..=kind::METRIC_SAME => values::take(metric, kept, since_ms, event),
        _ => {}
    }
}

/// What is known of a metric.
pub(super) fn seen<'a>(reading: &Reading<'a>) -> Seen<'a> {
    match reading.metric.kind() {
        kind::METRIC_COUNT => Seen::Known(count::known(reading)),
        kind::METRIC_TALLY..=kind::METRIC_AVERAGE => Seen::Known(amount::known(reading)),
        kind::METRIC_SCORE => Seen::Known(score::known(reading)),
        kind::METRIC_DISTINCT => Seen::Known(distinct::known(reading)),
        kind::METRIC_FIRST..=kind::METRIC_SINCE => latest::seen(reading),
        kind::METRIC_MOST_FREQUENT..=kind::METRIC_SAME => values::seen(reading),
        _ => UNOBSERVED,
    }
}

/// What is known of a metric of which nothing is kept.
pub(super) fn unseen<'a>(metric: MetricRow) -> Seen<'a> {
    match metric.kind() {
        kind::METRIC_COUNT => Seen::Known(Known { low: 0, high: metric.threshold().into() }),
        kind::METRIC_TALLY | kind::METRIC_DISTINCT | kind::METRIC_TOP | kind::METRIC_SAME => {
            Seen::Known(Known { low: 0, high: i64::MAX })
        }
        kind::METRIC_SUM => Seen::Known(amount::any_sum(metric)),
        kind::METRIC_SCORE => Seen::Known(Known { low: MISSING + 1, high: i64::MAX }),
        _ => UNOBSERVED,
    }
}
