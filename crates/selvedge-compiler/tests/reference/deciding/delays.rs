//! When a rule is considered: at every decision, or behind its triggers only; at once, or after a delay.

use super::Judge;
use std::ops::Range;

impl Judge<'_> {
    /// Whether a rule, which is `ready` now or not, is considered at a moment behind the first events.
    pub(super) fn is_considered(&self, at: usize, events: usize, now_ms: i64, ready: bool) -> bool {
        let rule = &self.rules[at];
        match rule.after_ms {
            _ if !rule.triggers.is_empty() => self.is_triggered(at, events, now_ms),
            Some(after_ms) => self.is_delay_over(at, after_ms, now_ms, ready),
            None => true,
        }
    }

    /// A delay begins when the condition becomes true, and anew when it becomes true again after it was over.
    fn is_delay_over(&self, at: usize, after_ms: i64, now_ms: i64, ready: bool) -> bool {
        let mut over_ms: Option<i64> = None;
        let before = self.before.iter().map(|before| (before.now_ms, before.ready.contains(&at)));
        for (time_ms, is_ready) in before.chain([(now_ms, ready)]) {
            over_ms = match over_ms {
                None => is_ready.then_some(time_ms + after_ms),
                Some(over_ms) if over_ms <= time_ms && !is_ready => None,
                running => running,
            };
        }
        over_ms.is_some_and(|over_ms| over_ms <= now_ms)
    }

    /// The newest trigger counts, once; but who waits for a place is considered at the next decision too.
    fn is_triggered(&self, at: usize, events: usize, now_ms: i64) -> bool {
        let mut due_ms = None;
        let mut heard = 0;
        for before in &self.before {
            due_ms = self.newest_trigger(at, heard..before.events, due_ms);
            heard = before.events;
            if due_ms.is_some_and(|due_ms| due_ms <= before.now_ms) {
                due_ms = before.taken.contains(&at).then_some(i64::MIN);
            }
        }
        self.newest_trigger(at, heard..events, due_ms).is_some_and(|due_ms| due_ms <= now_ms)
    }

    /// When a rule is due, after more was heard of.
    fn newest_trigger(&self, at: usize, heard: Range<usize>, due_ms: Option<i64>) -> Option<i64> {
        let rule = &self.rules[at];
        let triggers = heard.map(|place| (place, &self.history.events[place])).filter(|(place, event)| {
            let usable = event.purposes().and(event.in_force);
            rule.triggers.contains(&event.name) && usable.holds(rule.purpose) && !self.is_late(*place)
        });
        let due = triggers.map(|(_, event)| event.time_ms + rule.after_ms.unwrap_or(0));
        due_ms.into_iter().chain(due).max()
    }
}
