//! Random rules with their terms, as they stand in `rules.yaml`.

use super::super::history::{Happened, History};
use super::super::random::Random;
use super::super::site::{Condition, Literal, Source};
use super::trials::{EXPERIMENTS, Trials};
use selvedge_core::consent::Purposes;
use std::fmt::{Display, Formatter, Result};

pub const SLOTS: [&str; 2] = ["hero", "inbox"];
pub const IDS: [&str; 6] = ["ash", "birch", "cedar", "elm", "fir", "oak"];

const TRIGGERS: [&[&str]; 3] = [&["product_view"], &["page", "purchase"], &["search", "support_chat"]];
const AFTER_MS: [i64; 4] = [2_000, 60_000, 10 * 60_000, 30 * 60_000];

/// How long what a rule shows stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    Page,
    HalfAnHour,
    Session,
}

/// A rule and its terms.
#[derive(Debug, Clone)]
pub struct Rule {
    pub id: &'static str,
    pub when: Option<Condition>,
    pub slot: usize,
    pub priority: i64,
    pub status: &'static str,
    pub purpose: Purposes,
    pub is_suppressed: bool,
    pub in_group: bool,
    pub is_in_holdout: bool,
    pub experiment: Option<usize>,
    pub hold: Hold,
    /// The events at which it is considered only; none: always.
    pub triggers: Vec<&'static str>,
    pub after_ms: Option<i64>,
    /// What ends it.
    pub until: Option<Condition>,
    pub shown_per_page: Option<usize>,
    pub dismissals_per_hour: Option<usize>,
}

impl Display for Rule {
    fn fmt(&self, to: &mut Formatter<'_>) -> Result {
        let purpose = if self.purpose == Purposes::PERSONALIZATION { "personalization" } else { "analytics" };
        writeln!(to, "  - id: {}\n    priority: {}\n    status: {}", self.id, self.priority, self.status)?;
        writeln!(
            to,
            "    purpose: {purpose}\n    show:\n      slot: {}\n      content: news",
            SLOTS[self.slot]
        )?;
        if let Some(when) = &self.when {
            writeln!(to, "    when: '{when}'")?;
        }
        if self.in_group {
            writeln!(to, "    group: promotions")?;
        }
        if let Some(experiment) = self.experiment {
            writeln!(to, "    experiment: {}", EXPERIMENTS[experiment])?;
        }
        if !self.triggers.is_empty() {
            writeln!(to, "    trigger: [{}]", self.triggers.join(", "))?;
        }
        if let Some(after_ms) = self.after_ms {
            writeln!(to, "    after: {}s", after_ms / 1_000)?;
        }
        match self.hold {
            Hold::Page => {}
            Hold::HalfAnHour => writeln!(to, "    hold: 30m")?,
            Hold::Session => writeln!(to, "    hold: session")?,
        }
        if let Some(until) = &self.until {
            writeln!(to, "    until: '{until}'")?;
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

/// Rules, and what is tried with them at one publish and at the next.
#[derive(Debug, Clone)]
pub struct Site {
    pub rules: Vec<Rule>,
    pub trials: [Trials; 2],
}

impl Site {
    /// The rules as they stand in `rules.yaml` at a publish, with their group, what is tried, and what keeps some of them off.
    pub fn yaml(&self, publish: usize) -> String {
        let trials = &self.trials[publish];
        let mut text = format!("groups:\n  promotions:\n    max_per_page: 1\n{trials}");
        let ids = |is_meant: fn(&Rule) -> bool| -> Vec<&str> {
            self.rules.iter().filter(|rule| is_meant(rule)).map(|rule| rule.id).collect()
        };
        let (suppressed, held_out) = (ids(|rule| rule.is_suppressed), ids(|rule| rule.is_in_holdout));
        if !suppressed.is_empty() {
            text +=
                "suppress:\n  - name: help\n    when: needs_help\n    on_unknown: allow\n    applies_to:\n";
            text += &format!("      rules: [{}]\n", suppressed.join(", "));
        }
        if !held_out.is_empty() {
            text += &trials.holdout(&held_out);
        }
        text += "rules:\n";
        self.rules.iter().for_each(|rule| text += &rule.to_string());
        text
    }
}

impl Random {
    /// Rules in two slots.
    pub fn deciding(&mut self) -> Site {
        let rules = IDS.into_iter().map(|id| self.rule(id)).collect();
        let trials = self.trials();
        let next = self.republished(&trials);
        Site { rules, trials: [trials, next] }
    }

    fn rule(&mut self, id: &'static str) -> Rule {
        let is_personal = self.percent(80);
        let is_triggered = self.percent(25);
        let is_delayed = self.percent(if is_triggered { 60 } else { 20 });
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
            is_in_holdout: self.percent(30),
            experiment: self.percent(40).then(|| self.below(2)),
            hold: self.one_of(&[Hold::Page, Hold::Page, Hold::HalfAnHour, Hold::Session]),
            triggers: if is_triggered { self.triggers(is_personal) } else { Vec::new() },
            after_ms: is_delayed.then(|| self.one_of(&AFTER_MS)),
            until: (is_personal && self.percent(30)).then(|| self.plain_condition()),
            shown_per_page: self.percent(30).then(|| 1 + self.below(2)),
            dismissals_per_hour: self.percent(30).then(|| 1 + self.below(2)),
        }
    }

    /// A search may be used for personalization only.
    fn triggers(&mut self, is_personal: bool) -> Vec<&'static str> {
        self.one_of(&TRIGGERS[..if is_personal { 3 } else { 2 }]).to_vec()
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

    /// Says who the visitor is, where it is identified.
    pub fn log_in(&mut self, history: &mut History) {
        for event in history.events.iter_mut().filter(|event| event.name == "identify") {
            if self.percent(70) {
                event.properties.push(("user_id", Literal::Text(self.one_of(&["ada", "ben", "cleo"]))));
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
