//! What each slot shows, by going over everything that was decided and seen before.

use super::history::{Happened, History, value};
use super::kleene::Seen;
use super::random::Random;
use super::reading::Reading;
use super::site::{Condition, Literal, Source};
use selvedge_core::consent::Purposes;
use std::fmt::{Display, Formatter, Result};

pub const SLOTS: [&str; 2] = ["hero", "inbox"];
pub const IDS: [&str; 6] = ["ash", "birch", "cedar", "elm", "fir", "oak"];
const HOLD_MS: i64 = 30 * 60_000;

/// A rule and its terms.
#[derive(Debug, Clone)]
pub struct Rule {
    pub id: &'static str,
    pub when: Option<Condition>,
    slot: usize,
    priority: i64,
    status: &'static str,
    pub purpose: Purposes,
    is_suppressed: bool,
    in_group: bool,
    is_held_by_time: bool,
    shown_per_page: Option<usize>,
    dismissals_per_hour: Option<usize>,
}

impl Display for Rule {
    fn fmt(&self, to: &mut Formatter<'_>) -> Result {
        let purpose = if self.purpose == Purposes::PERSONALIZATION { "personalization" } else { "analytics" };
        writeln!(to, "  - id: {}\n    priority: {}\n    status: {}", self.id, self.priority, self.status)?;
        writeln!(
            to,
            "    purpose: {purpose}\n    show:\n      slot: {}\n      content: offer",
            SLOTS[self.slot]
        )?;
        if let Some(when) = &self.when {
            writeln!(to, "    when: '{when}'")?;
        }
        if self.in_group {
            writeln!(to, "    group: promotions")?;
        }
        if self.is_held_by_time {
            writeln!(to, "    hold: 30m")?;
        }
        if self.shown_per_page.is_some() || self.dismissals_per_hour.is_some() {
            writeln!(to, "    cap:")?;
        }
        if let Some(limit) = self.shown_per_page {
            writeln!(to, "      shown: {limit} per page")?;
        }
        if let Some(limit) = self.dismissals_per_hour {
            writeln!(to, "      dismissals: {limit} per 1h")?;
        }
        Ok(())
    }
}

/// The rules as they stand in `rules.yaml`, with their group and what keeps some of them off.
pub fn yaml(rules: &[Rule]) -> String {
    let mut text = "groups:\n  promotions:\n    max_per_page: 1\n".to_owned();
    let kept_off: Vec<&str> = rules.iter().filter(|rule| rule.is_suppressed).map(|rule| rule.id).collect();
    if !kept_off.is_empty() {
        text += "suppress:\n  - name: help\n    when: needs_help\n    on_unknown: allow\n    applies_to:\n";
        text += &format!("      rules: [{}]\n", kept_off.join(", "));
    }
    text += "rules:\n";
    rules.iter().for_each(|rule| text += &rule.to_string());
    text
}

impl Random {
    pub fn rules(&mut self) -> Vec<Rule> {
        IDS.into_iter().map(|id| self.rule(id)).collect()
    }

    fn rule(&mut self, id: &'static str) -> Rule {
        let is_personal = self.percent(80);
        let personal = Purposes::PERSONALIZATION;
        Rule {
            id,
            when: (is_personal && self.percent(80)).then(|| self.plain_condition()),
            slot: self.below(SLOTS.len()),
            priority: self.number(1, 4),
            status: self.one_of(&["live", "live", "live", "live", "live", "draft", "paused"]),
            purpose: if is_personal { personal } else { Purposes::ANALYTICS },
            is_suppressed: is_personal && self.percent(30),
            in_group: self.percent(40),
            is_held_by_time: self.percent(30),
            shown_per_page: self.percent(30).then(|| 1 + self.below(2)),
            dismissals_per_hour: self.percent(30).then(|| 1 + self.below(2)),
        }
    }

    /// One of which is known exactly what the engine knows, whatever consent did.
    fn plain_condition(&mut self) -> Condition {
        loop {
            let condition = self.condition(0);
            let Condition::Ask { source, .. } = &condition else { continue };
            if !matches!(source, Source::Sequence(_) | Source::Score(_)) {
                return condition;
            }
        }
    }

    /// Says of what was seen and put away, behind events of the history.
    pub fn see(&mut self, history: &mut History) {
        let mut newest_ms = i64::MIN;
        for event in std::mem::take(&mut history.events) {
            let is_newest = event.time_ms >= newest_ms;
            newest_ms = newest_ms.max(event.time_ms);
            history.events.push(event.clone());
            if is_newest && self.percent(50) {
                let name = self.one_of(&["exposure", "exposure", "exposure_dismiss"]);
                let rule = Literal::Text(self.one_of(&IDS));
                let properties = vec![("rule", rule)];
                history.events.push(Happened { name, properties, asked_after_ms: Vec::new(), ..event });
            }
        }
    }
}

/// What was decided once: behind so many events, at a time, for a writer.
struct Decided {
    events: usize,
    now_ms: i64,
    writer: u64,
    /// The rule of each slot that began there.
    began: [Option<usize>; 2],
}

/// Who decides, with all that was decided before.
pub struct Judge<'a> {
    rules: &'a [Rule],
    history: &'a History,
    before: Vec<Decided>,
}

impl<'a> Judge<'a> {
    pub fn new(rules: &'a [Rule], history: &'a History) -> Self {
        Self { rules, history, before: Vec::new() }
    }

    /// The rule that each slot shows behind the first events, while the rules `stopped` are.
    pub fn decide(&mut self, events: usize, stopped: &[&str]) -> [Option<usize>; 2] {
        let asking = &self.history.events[events - 1];
        let reading = Reading::new(self.history, events, asking.time_ms, false);
        let may_act = |at: &usize| {
            let rule = &self.rules[*at];
            let is_off = rule.is_suppressed && reading.attribute("needs_help") == Seen::exact(1);
            let is_live = rule.status == "live" && !stopped.contains(&rule.id);
            is_live && asking.in_force.holds(rule.purpose) && !is_off
        };
        let mut shown =
            [0, 1].map(|slot| self.held(slot, events, &reading).into_iter().flatten().find(may_act));
        let mut began = [None; 2];
        let mut order: Vec<usize> = (0..self.rules.len()).collect();
        order.sort_by_key(|at| (-self.rules[*at].priority, self.rules[*at].id));
        for at in order {
            let rule = &self.rules[at];
            let is_grouped = |other: &usize| self.rules[*other].in_group;
            let is_excluded = rule.in_group && shown.iter().flatten().any(is_grouped);
            let holds = rule.when.as_ref().is_none_or(|when| reading.holds(when) == Some(true));
            let is_open = shown[rule.slot].is_none() && may_act(&at);
            if is_open && holds && self.has_room(rule, events, &reading) && !is_excluded {
                (shown[rule.slot], began[rule.slot]) = (Some(at), Some(at));
            }
        }
        // Of a writer who only told of what came too late, no page view is known that could hold anything.
        let is_heard = reading.applied.iter().any(|(_, event)| event.writer == asking.writer);
        let lasts = |at: &usize| is_heard || self.rules[*at].is_held_by_time;
        let began = began.map(|at| at.filter(lasts));
        self.before.push(Decided { events, now_ms: reading.now_ms, writer: asking.writer, began });
        shown
    }

    /// What began in this page view stays until it ends; else what began at most its time ago.
    fn held(&self, slot: usize, events: usize, reading: &Reading) -> [Option<usize>; 2] {
        let writer = self.history.events[events - 1].writer;
        let begun_at = reading.page_begun_at();
        let newest = |is_by_time: bool| {
            let began = self.before.iter().rev().filter(move |before| match is_by_time {
                true => true,
                false => before.writer == writer && before.events > begun_at.unwrap_or(0),
            });
            let mut began = began.filter_map(move |before| Some((before.now_ms, before.began[slot]?)));
            began.find(|(_, at)| self.rules[*at].is_held_by_time == is_by_time)
        };
        let by_time = newest(true).filter(|(now_ms, _)| reading.now_ms - now_ms < HOLD_MS);
        [newest(false), by_time].map(|found| found.map(|(_, at)| at))
    }

    fn has_room(&self, rule: &Rule, events: usize, reading: &Reading) -> bool {
        let is_of = |name: &'static str| {
            let told = self.history.events[..events].iter().enumerate();
            told.filter(move |(_, event)| {
                event.name == name && value(&event.properties, "rule") == Some(&Literal::Text(rule.id))
            })
        };
        let writer = self.history.events[events - 1].writer;
        let begun_at = reading.page_begun_at().unwrap_or(0);
        let shown = is_of("exposure").filter(|(at, event)| *at >= begun_at && event.writer == writer);
        let dismissed = is_of("exposure_dismiss");
        let dismissed = dismissed.filter(|(_, event)| reading.now_ms - event.time_ms < 60 * 60_000);
        rule.shown_per_page.is_none_or(|limit| shown.count() < limit)
            && rule.dismissals_per_hour.is_none_or(|limit| dismissed.count() < limit)
    }
}
