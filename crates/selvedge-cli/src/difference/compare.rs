//! Two programs, step by step, over the same events.

use crate::recorded::History;
use crate::recorded::happened::Recorded;
use crate::rehearsal::behind::Detail;
use crate::rehearsal::given::Given;
use crate::rehearsal::reasons::{RuleWords, rule_words};
use crate::rehearsal::walk::{Manner, Walker, each_visitor};
use crate::rehearsal::{Behind, Stage};
use anyhow::Result;
use selvedge_core::id::VisitorId;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What a slot shows under one program.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Shown {
    /// The rule; `None` is no rule.
    pub rule: Option<String>,
    /// The content; `None` leaves what the page itself holds.
    pub content: Option<String>,
}

/// A change of what a slot shows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Change {
    /// The slot.
    pub slot: String,
    /// What it shows under the old program; `None`: there is no such slot.
    pub old: Option<Shown>,
    /// What it shows under the new one.
    pub new: Option<Shown>,
}

/// How often a change is met, and the first time that it is.
#[derive(Debug)]
pub struct Changed {
    /// Moments at which the slot shows something else.
    pub moments: u64,
    /// Visitors who meet it.
    pub visitors: u64,
    /// The first.
    pub example: Example,
}

/// One moment at which a slot shows something else.
#[derive(Debug, Clone, Serialize)]
pub struct Example {
    /// Whose.
    pub visitor: String,
    /// When: Unix milliseconds.
    pub time_ms: u64,
    /// Behind which event.
    pub event: String,
    /// What becomes of the rules of the change under the old program.
    pub old: Vec<RuleWords>,
    /// And under the new one.
    pub new: Vec<RuleWords>,
}

/// Everything that changes.
#[derive(Debug, Default)]
pub struct Changes {
    /// Moments that were looked at.
    pub moments: u64,
    /// Moments at which any slot shows something else.
    pub moments_changed: u64,
    /// Visitors that were looked at.
    pub visitors: u64,
    /// Visitors who meet any change.
    pub visitors_changed: u64,
    /// Change by change.
    pub changes: BTreeMap<Change, Changed>,
}

/// Compares what recorded visitors are shown.
///
/// # Errors
/// Where the edge itself fails.
pub fn compare(old: &Stage, new: &Stage, history: &History, manner: &Manner) -> Result<Changes> {
    let walk = |id, events: &[Recorded], changes: &mut Changes| {
        let walker = |stage| Walker::new(stage, id, manner, Given::default(), Detail::Facts);
        of_visitor((old, walker(old)), (new, walker(new)), id, events, changes)
    };
    each_visitor(history, walk, Changes::add)
}

fn of_visitor(
    (old_stage, mut old): (&Stage, Walker<'_>),
    (new_stage, mut new): (&Stage, Walker<'_>),
    id: VisitorId,
    events: &[Recorded],
    changes: &mut Changes,
) -> Result<()> {
    changes.visitors += 1;
    let mut met = BTreeSet::new();
    for recorded in events {
        let sides = Sides { old: (old_stage, old.step(recorded)?), new: (new_stage, new.step(recorded)?) };
        changes.moments += 1;
        let found = sides.changes();
        changes.moments_changed += u64::from(!found.is_empty());
        for change in found {
            let is_first = met.insert(change.clone());
            let known = changes.changes.entry(change);
            let changed = known.or_insert_with_key(|change| Changed {
                moments: 0,
                visitors: 0,
                example: sides.example(change, id, recorded),
            });
            changed.moments += 1;
            changed.visitors += u64::from(is_first);
        }
    }
    changes.visitors_changed += u64::from(!met.is_empty());
    Ok(())
}

/// One moment on both sides.
struct Sides<'a> {
    old: (&'a Stage, Behind),
    new: (&'a Stage, Behind),
}

impl Sides<'_> {
    fn changes(&self) -> Vec<Change> {
        let (old, new) = (shown(&self.old), shown(&self.new));
        let slots: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        let change = |slot: &String| {
            let (old, new) = (old.get(slot).cloned(), new.get(slot).cloned());
            (old != new).then(|| Change { slot: slot.clone(), old, new })
        };
        slots.into_iter().filter_map(change).collect()
    }

    fn example(&self, change: &Change, id: VisitorId, recorded: &Recorded) -> Example {
        let rules: BTreeSet<&String> = [&change.old, &change.new]
            .into_iter()
            .flatten()
            .filter_map(|shown| shown.rule.as_ref())
            .collect();
        Example {
            visitor: id.to_string(),
            time_ms: recorded.happened.time_ms,
            event: recorded.happened.name.clone(),
            old: words(&self.old, &rules),
            new: words(&self.new, &rules),
        }
    }
}

fn shown((stage, behind): &(&Stage, Behind)) -> BTreeMap<String, Shown> {
    let of_slot = |decision: &selvedge_core::rules::Decision| {
        let shown = Shown {
            rule: decision.rule.map(|rule| stage.rule_id(rule).to_owned()),
            content: decision.content.map(|content| stage.content_id(content).to_owned()),
        };
        (stage.slot_name(decision.slot).to_owned(), shown)
    };
    behind.decisions.iter().map(of_slot).collect()
}

fn words((stage, behind): &(&Stage, Behind), rules: &BTreeSet<&String>) -> Vec<RuleWords> {
    let meant = (0u16..).zip(&stage.parts.rules).filter(|(_, rule)| rules.contains(&rule.id));
    meant.filter_map(|(at, _)| rule_words(stage, behind, at)).collect()
}

impl Changes {
    /// Adds what changes for other visitors; the example of those before stays.
    pub fn add(&mut self, other: Self) {
        self.moments += other.moments;
        self.moments_changed += other.moments_changed;
        self.visitors += other.visitors;
        self.visitors_changed += other.visitors_changed;
        for (change, found) in other.changes {
            match self.changes.get_mut(&change) {
                Some(known) => {
                    known.moments += found.moments;
                    known.visitors += found.visitors;
                }
                None => {
                    self.changes.insert(change, found);
                }
            }
        }
    }
}
