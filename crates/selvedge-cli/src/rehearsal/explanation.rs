//! Why this, why not that: one moment of one visitor, slot by slot.

use super::behind::Behind;
use super::reasons::{RuleWords, rule_words};
use super::stage::Stage;
use super::told::time_text;
use selvedge_core::wire::answer::Reason;
use serde::Serialize;
use std::fmt;

/// One moment of one visitor.
#[derive(Debug, Serialize)]
pub struct Explanation {
    /// Whose.
    pub visitor: String,
    /// When: Unix milliseconds.
    pub time_ms: u64,
    /// Recorded events up to then.
    pub events: usize,
    /// The session's number; 0 before the first.
    pub session: u32,
    /// Every slot.
    pub slots: Vec<SlotWords>,
}

/// What a slot shows, and why.
#[derive(Debug, Serialize)]
pub struct SlotWords {
    /// The slot.
    pub slot: String,
    /// What it shows; `None` leaves what the page itself holds.
    pub content: Option<String>,
    /// The rule that has it.
    pub rule: Option<String>,
    /// Every rule of the slot, in the order of deciding.
    pub candidates: Vec<RuleWords>,
    /// Of the rules whose condition is not true, the one that lacks least.
    pub nearest_miss: Option<String>,
}

/// Explains a moment.
#[must_use]
pub fn explanation(stage: &Stage, behind: &Behind, visitor: String, events: usize) -> Explanation {
    let slots = behind.decisions.iter().map(|decision| {
        let of_slot = (0u16..).zip(&stage.parts.rules).filter(|(_, rule)| rule.slot == decision.slot);
        let candidates: Vec<RuleWords> =
            of_slot.filter_map(|(at, _)| rule_words(stage, behind, at)).collect();
        SlotWords {
            slot: stage.slot_name(decision.slot).to_owned(),
            content: decision.content.map(|content| stage.content_id(content).to_owned()),
            rule: decision.rule.map(|rule| stage.rule_id(rule).to_owned()),
            nearest_miss: nearest_miss(&candidates),
            candidates,
        }
    });
    Explanation {
        visitor,
        time_ms: u64::try_from(behind.now_ms).unwrap_or(0),
        events,
        session: behind.state.as_ref().map_or(0, |state| state.session.number),
        slots: slots.collect(),
    }
}

fn nearest_miss(candidates: &[RuleWords]) -> Option<String> {
    let missed = candidates.iter().filter(|rule| !rule.missing.is_empty());
    missed.min_by_key(|rule| rule.missing.len()).map(|rule| rule.rule.clone())
}

impl fmt::Display for Explanation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { visitor, time_ms, events, session, slots } = self;
        let at = time_text(*time_ms);
        writeln!(out, "visitor {visitor} at {at}, behind {events} events, session {session}")?;
        slots.iter().try_for_each(|slot| write!(out, "\n{slot}"))
    }
}

impl fmt::Display for SlotWords {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let content = self.content.as_deref().unwrap_or("nothing of ours");
        match &self.rule {
            Some(rule) => writeln!(out, "{}: {content} ({rule})", self.slot)?,
            None => writeln!(out, "{}: {content} (fallback)", self.slot)?,
        }
        for rule in &self.candidates {
            writeln!(out, "  {}  {}  {}", rule.rule, rule.priority, rule.reason_text())?;
            for leaf in &rule.leaves {
                let mark = match leaf.holds {
                    Some(true) => "yes",
                    Some(false) => "no",
                    None => "?",
                };
                writeln!(out, "    {mark:<4}{leaf}")?;
            }
        }
        let nearest = self.candidates.iter().find(|rule| Some(&rule.rule) == self.nearest_miss.as_ref());
        if let Some(rule) = nearest.filter(|rule| matches!(rule.reason, Reason::False | Reason::Unknown)) {
            writeln!(out, "  nearest miss: {}", rule.rule)?;
            rule.missing.iter().try_for_each(|leaf| writeln!(out, "    needs {}", leaf.needed()))?;
        }
        Ok(())
    }
}
