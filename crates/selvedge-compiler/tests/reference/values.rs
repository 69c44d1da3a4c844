//! Which values events had: the first, those of most, and how many had the same.

use super::history::{Happened, value};
use super::kleene::Seen;
use super::metric::{Class, Metric, SAME_AS};
use super::reading::Reading;
use super::site::Literal;

impl Reading<'_> {
    /// The oldest value in the window; of two at once the one heard of first.
    pub(super) fn first(&self, metric: &Metric) -> Seen {
        let Some(start_ms) = self.start_ms(metric) else { return Seen::Unobserved };
        if !self.is_whole(metric, start_ms) {
            return Seen::Unobserved;
        }
        let found = self.valued(metric, start_ms);
        Seen::of(found.first().map(|(_, literal)| *literal))
    }

    /// The events that have the property, in the order of their time.
    fn valued(&self, metric: &Metric, start_ms: i64) -> Vec<(i64, &Literal)> {
        let name = metric.property.expect("a property");
        let of = |event: &&'_ Happened| value(&event.properties, name).is_some();
        let measured = self.measured(metric, start_ms);
        let mut found: Vec<(i64, &Literal)> = measured
            .into_iter()
            .filter(of)
            .map(|event| (event.time_ms, value(&event.properties, name).expect("it has one")))
            .collect();
        found.sort_by_key(|(time_ms, _)| *time_ms);
        found
    }

    /// What the newest events of the window tell of their values.
    pub(super) fn frequent(&self, metric: &Metric) -> Seen {
        let is_value = metric.class == Class::MostFrequent;
        let same_as = match (metric.class, self.attribute(SAME_AS)) {
            (Class::Same, Seen::Text(text)) => Some(text),
            (Class::Same, Seen::Missing) => return Seen::Missing,
            (Class::Same, _) => return Seen::Unobserved,
            _ => None,
        };
        let Some(start_ms) = self.start_ms(metric) else {
            return if is_value { Seen::Unobserved } else { Seen::count(0, false) };
        };
        let is_whole = self.is_whole(metric, start_ms);
        let found = self.valued(metric, start_ms);
        // Who saw everything counts more than is kept.
        let kept_max = if self.knows_all && !is_value { found.len() } else { metric.events_max };
        let newest = &found[found.len().saturating_sub(kept_max)..];
        let had = |literal: &Literal| newest.iter().filter(|(_, other)| *other == literal).count();
        // Of equals the last: `max_by_key` gives back the last of the greatest.
        let top = newest.iter().max_by_key(|(_, literal)| had(literal)).map(|(_, literal)| *literal);
        if is_value {
            return if is_whole { Seen::of(top) } else { Seen::Unobserved };
        }
        let is_same = |literal: &Literal| matches!((literal, &same_as), (Literal::Text(text), Some(same)) if *text == same);
        let count = match metric.class {
            Class::Same => newest.iter().filter(|(_, literal)| is_same(literal)).count(),
            _ => top.map_or(0, had),
        };
        Seen::count(count, is_whole && newest.len() == found.len())
    }
}
