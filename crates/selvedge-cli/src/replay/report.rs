//! What a replay did: counted while it runs, printed at its end.

use super::recording::UnreadableRow;
use hdrhistogram::Histogram;
use selvedge_core::event::RefusalCode;
use selvedge_core::id::VisitorId;
use selvedge_core::wire::answer::{Answer, SlotDecision};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::time::Duration;

/// Unreadable rows that a report shows one by one.
const SHOWN_MAX: usize = 10;
/// The largest latency that is told apart, in microseconds.
const LATENCY_US_MAX: u64 = 600_000_000;

/// What a replay did.
#[derive(Debug, Clone)]
pub struct Report {
    /// Data rows that were read.
    pub rows: u64,
    /// Rows that gave no event.
    pub unreadable: u64,
    /// The first of them.
    pub unreadable_shown: Vec<UnreadableRow>,
    /// Visitors that the rows belong to.
    pub visitors: u64,
    /// Events that were answered.
    pub events: u64,
    /// Requests that were answered 2xx.
    pub requests: u64,
    /// Requests that had to be sent again.
    pub retries: u64,
    /// Bytes of the batches that were answered 2xx.
    pub bytes: u64,
    /// Events that the edge accepted.
    pub accepted: u64,
    /// Events that the edge had accepted before.
    pub deduplicated: u64,
    /// Events that the edge refused, by code.
    pub refused: BTreeMap<RefusalCode, u64>,
    /// What the answers decided.
    pub decisions: BTreeMap<DecisionKey, DecisionCount>,
    /// How long the requests took that were answered 2xx, in microseconds.
    pub latency_us: Histogram<u64>,
    /// How long the replay took.
    pub elapsed: Duration,
}

/// What a slot shows, and by which rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DecisionKey {
    /// The slot.
    pub slot: String,
    /// The rule; `None` is the fallback.
    pub rule: Option<String>,
}

/// How often a decision was answered, and to how many.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DecisionCount {
    /// Answers that held it.
    pub answers: u64,
    /// Visitors it was answered to.
    pub visitors: BTreeSet<VisitorId>,
}

impl Default for Report {
    fn default() -> Self {
        let latency_us = Histogram::new_with_max(LATENCY_US_MAX, 3).expect("bounds that are allowed");
        Self {
            rows: 0,
            unreadable: 0,
            unreadable_shown: Vec::new(),
            visitors: 0,
            events: 0,
            requests: 0,
            retries: 0,
            bytes: 0,
            accepted: 0,
            deduplicated: 0,
            refused: BTreeMap::new(),
            decisions: BTreeMap::new(),
            latency_us,
            elapsed: Duration::ZERO,
        }
    }
}

impl Report {
    /// Counts a row that gave no event.
    pub fn count_unreadable(&mut self, row: UnreadableRow) {
        self.unreadable += 1;
        if self.unreadable_shown.len() < SHOWN_MAX {
            self.unreadable_shown.push(row);
        }
    }

    /// Counts an answer to `events` events of `visitor` that took so long.
    pub fn count_answer(&mut self, visitor: VisitorId, events: usize, answer: &Answer, took: Duration) {
        self.requests += 1;
        self.events += events as u64;
        self.accepted += u64::from(answer.accepted);
        self.deduplicated += u64::from(answer.duplicates);
        for refused in &answer.refused {
            *self.refused.entry(refused.code).or_default() += 1;
        }
        for decision in &answer.decisions {
            self.count_decision(visitor, decision);
        }
        self.latency_us.saturating_record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }

    fn count_decision(&mut self, visitor: VisitorId, decision: &SlotDecision) {
        let key = DecisionKey { slot: decision.slot.clone(), rule: decision.rule.clone() };
        let count = self.decisions.entry(key).or_default();
        count.answers += 1;
        count.visitors.insert(visitor);
    }

    /// Adds what another part of the same replay counted.
    pub fn add(&mut self, other: Self) {
        self.events += other.events;
        self.requests += other.requests;
        self.retries += other.retries;
        self.bytes += other.bytes;
        self.accepted += other.accepted;
        self.deduplicated += other.deduplicated;
        for (code, count) in other.refused {
            *self.refused.entry(code).or_default() += count;
        }
        for (key, count) in other.decisions {
            let sum = self.decisions.entry(key).or_default();
            sum.answers += count.answers;
            sum.visitors.extend(count.visitors);
        }
        // Both histograms have the same bounds, so that adding cannot fail.
        let _ = self.latency_us.add(&other.latency_us);
    }

    /// Events that were refused, whatever the code.
    #[must_use]
    pub fn refused_total(&self) -> u64 {
        self.refused.values().sum()
    }

    /// Whether every row became an event that the edge holds.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.unreadable == 0 && self.accepted + self.deduplicated == self.rows
    }

    /// Events answered per second.
    #[must_use]
    pub fn events_per_second(&self) -> f64 {
        self.events as f64 / self.elapsed.as_secs_f64().max(f64::EPSILON)
    }

    /// The report as people read it.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        let mut line = |name: &str, value: String| {
            let _ = writeln!(out, "{name:<14}{value}");
        };
        line("rows", format!("{} of {} visitors", self.rows, self.visitors));
        line(
            "events/s",
            format!(
                "{:.0} ({} in {:.2} s)",
                self.events_per_second(),
                self.events,
                self.elapsed.as_secs_f64()
            ),
        );
        line("accepted", self.accepted.to_string());
        line("deduplicated", self.deduplicated.to_string());
        line("refused", self.refused_total().to_string());
        for (code, count) in &self.refused {
            line("", format!("{:<24}{count:>10}", code.as_str()));
        }
        line("unreadable", self.unreadable.to_string());
        for row in &self.unreadable_shown {
            line("", format!("line {}: {}", row.line, row.problem));
        }
        line("requests", format!("{} ({} sent again), {} bytes", self.requests, self.retries, self.bytes));
        let [p50, p95, p99] = self.latency_ms();
        line("latency", format!("p50 {p50:.2} ms, p95 {p95:.2} ms, p99 {p99:.2} ms"));
        line("decisions", format!("{:<10} {:<28} {:>8} {:>9}", "slot", "rule", "answers", "visitors"));
        for (DecisionKey { slot, rule }, count) in &self.decisions {
            let rule = rule.as_deref().unwrap_or("(fallback)");
            line("", format!("{slot:<10} {rule:<28} {:>8} {:>9}", count.answers, count.visitors.len()));
        }
        out
    }

    /// The report as programs read it.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        let [p50, p95, p99] = self.latency_ms();
        let refused: serde_json::Map<_, _> =
            self.refused.iter().map(|(code, count)| (code.as_str().to_owned(), json!(count))).collect();
        json!({
            "rows": self.rows,
            "visitors": self.visitors,
            "events": self.events,
            "events_per_second": self.events_per_second(),
            "seconds": self.elapsed.as_secs_f64(),
            "accepted": self.accepted,
            "deduplicated": self.deduplicated,
            "refused": refused,
            "unreadable": self.unreadable,
            "unreadable_shown": self.unreadable_shown.iter().map(unreadable_json).collect::<Vec<_>>(),
            "requests": self.requests,
            "retries": self.retries,
            "bytes": self.bytes,
            "latency_ms": {"p50": p50, "p95": p95, "p99": p99},
            "decisions": self.decisions.iter().map(decision_json).collect::<Vec<_>>(),
        })
    }

    fn latency_ms(&self) -> [f64; 3] {
        [0.5, 0.95, 0.99].map(|quantile| self.latency_us.value_at_quantile(quantile) as f64 / 1_000.0)
    }
}

fn unreadable_json(row: &UnreadableRow) -> serde_json::Value {
    json!({"line": row.line, "problem": row.problem})
}

fn decision_json((key, count): (&DecisionKey, &DecisionCount)) -> serde_json::Value {
    json!({"slot": key.slot, "rule": key.rule, "answers": count.answers, "visitors": count.visitors.len()})
}

#[cfg(test)]
mod tests {
    use super::*;
    use selvedge_core::wire::answer::{Reason, Refused};

    fn answer(accepted: u32, duplicates: u32, rule: Option<&str>) -> Answer {
        let decision = SlotDecision {
            slot: "hero".to_owned(),
            rule: rule.map(str::to_owned),
            content: None,
            reason: Reason::Won,
            detail: String::new(),
            held_out: None,
            body: None,
        };
        let refused = vec![Refused { sequence: 9, code: RefusalCode::UnknownEvent }];
        Answer { accepted, duplicates, refused, decisions: vec![decision], ..Answer::default() }
    }

    fn sample() -> Report {
        let mut lane = Report::default();
        lane.count_answer(
            VisitorId([1; 16]),
            4,
            &answer(3, 0, Some("free-shipping-hero")),
            Duration::from_millis(2),
        );
        lane.count_answer(
            VisitorId([1; 16]),
            4,
            &answer(1, 2, Some("free-shipping-hero")),
            Duration::from_millis(4),
        );
        lane.retries = 1;
        let mut other = Report::default();
        other.count_answer(VisitorId([2; 16]), 2, &answer(1, 0, None), Duration::from_millis(9));
        let mut report =
            Report { rows: 11, visitors: 2, elapsed: Duration::from_secs(2), ..Report::default() };
        report.count_unreadable(UnreadableRow { line: 7, problem: "column `at` is empty".to_owned() });
        report.add(lane);
        report.add(other);
        report
    }

    #[test]
    fn what_the_lanes_counted_is_added_up() {
        let report = sample();
        assert_eq!((report.events, report.accepted, report.deduplicated), (10, 5, 2));
        assert_eq!(report.refused_total(), 3);
        let hero = DecisionKey { slot: "hero".to_owned(), rule: Some("free-shipping-hero".to_owned()) };
        assert_eq!(report.decisions[&hero].answers, 2);
        assert_eq!(report.decisions[&hero].visitors.len(), 1);
        assert!(!report.is_complete());
        assert!(Report { rows: 7, unreadable: 0, ..report }.is_complete());
    }

    #[test]
    fn the_report_reads_well() {
        insta::assert_snapshot!(sample().text());
        insta::assert_snapshot!(serde_json::to_string_pretty(&sample().json()).unwrap());
    }
}
