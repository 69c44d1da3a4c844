//! Counting while recorded visitors walk.

use crate::recorded::History;
use crate::recorded::happened::Recorded;
use crate::rehearsal::behind::Detail;
use crate::rehearsal::given::Given;
use crate::rehearsal::refused::Refused;
use crate::rehearsal::walk::{Manner, Walker, each_visitor};
use crate::rehearsal::{Behind, Stage};
use anyhow::Result;
use selvedge_core::id::VisitorId;
use selvedge_core::wire::answer::Reason;
use std::collections::{BTreeMap, BTreeSet};

/// How often, and how many visitors met it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Count {
    /// How often.
    pub times: u64,
    /// How many visitors.
    pub visitors: u64,
}

/// What was counted.
#[derive(Debug, Default)]
pub struct Tally {
    /// Visitors that walked.
    pub visitors: u64,
    /// Events that were stepped.
    pub accepted: u64,
    /// Events that came too late to count.
    pub late: u64,
    /// Events that were refused, by why and at what.
    pub refused: BTreeMap<Refused, u64>,
    /// By slot and rule (`None`: the fallback): how many moments the slot showed it.
    pub shown: BTreeMap<(u16, Option<u16>), Count>,
    /// By rule: how often it took its slot.
    pub won: BTreeMap<u16, Count>,
    /// By rule: how often it was seen.
    pub seen: BTreeMap<u16, Count>,
    /// By variant of an experiment: how often it took its slot.
    pub variants: BTreeMap<u16, Count>,
    /// Visitors by what they are counted under: their variant of an experiment, at their first exposure.
    pub units: BTreeMap<String, u64>,
    /// By rule and reason: how often the reason began to hold.
    pub reasons: BTreeMap<(u16, Reason), Count>,
    /// By loser and winner of one slot: how often the loser's condition was true while the winner had the slot.
    pub conflicts: BTreeMap<(u16, u16), Count>,
}

/// Counts what comes of all recorded visitors.
///
/// # Errors
/// Where the edge itself fails.
pub fn tally(stage: &Stage, history: &History, manner: &Manner) -> Result<Tally> {
    each_visitor(
        history,
        |id, events, tally: &mut Tally| {
            let walker = Walker::new(stage, id, manner, Given::default(), Detail::Reasons);
            of_visitor(stage, walker, events, id, tally)
        },
        Tally::add,
    )
}

fn of_visitor(
    stage: &Stage,
    mut walker: Walker<'_>,
    events: &[Recorded],
    _: VisitorId,
    tally: &mut Tally,
) -> Result<()> {
    let mut met = Met::default();
    tally.visitors += 1;
    for recorded in events {
        let behind = walker.step(recorded)?;
        match &behind.refused {
            Some(refused) => *tally.refused.entry(refused.clone()).or_default() += 1,
            None => {
                tally.accepted += 1;
                tally.late += u64::from(behind.stepped.late);
                behind.woken.iter().for_each(|woken| met.take(stage, woken, tally));
                met.take(stage, &behind, tally);
            }
        }
    }
    for unit in walker.units() {
        *tally.units.entry(unit.clone()).or_default() += 1;
    }
    Ok(())
}

/// What one visitor met so far.
#[derive(Default)]
struct Met {
    reasons: Vec<Option<Reason>>,
    shown: BTreeSet<(u16, Option<u16>)>,
    won: BTreeSet<u16>,
    seen: BTreeSet<u16>,
    for_reason: BTreeSet<(u16, Reason)>,
    lost: BTreeSet<(u16, u16)>,
    variants: BTreeSet<u16>,
    slots: BTreeMap<u16, Option<u16>>,
}

impl Met {
    fn take(&mut self, stage: &Stage, behind: &Behind, tally: &mut Tally) {
        for decision in &behind.decisions {
            let key = (decision.slot, decision.rule);
            count(tally.shown.entry(key).or_default(), self.shown.insert(key));
            let before = self.slots.insert(decision.slot, decision.rule).flatten();
            if let Some(rule) = decision.rule.filter(|rule| before != Some(*rule)) {
                count(tally.won.entry(rule).or_default(), self.won.insert(rule));
                if let Some(variant) = decision.variant {
                    count(tally.variants.entry(variant).or_default(), self.variants.insert(variant));
                }
            }
        }
        for (_, rule) in &behind.exposed {
            count(tally.seen.entry(*rule).or_default(), self.seen.insert(*rule));
        }
        self.reasons.resize(stage.parts.rules.len(), None);
        for rule in 0..u16::try_from(stage.parts.rules.len()).unwrap_or(u16::MAX) {
            self.reason(stage, behind, rule, tally);
        }
    }

    /// A reason counts where it begins to hold.
    fn reason(&mut self, stage: &Stage, behind: &Behind, rule: u16, tally: &mut Tally) {
        let reason = behind.reason(rule);
        let Some(before) = self.reasons.get_mut(usize::from(rule)) else { return };
        if std::mem::replace(before, reason) == reason {
            return;
        }
        let Some(reason) = reason else { return };
        count(tally.reasons.entry((rule, reason)).or_default(), self.for_reason.insert((rule, reason)));
        let slot = stage.rule(rule).map(|rule| rule.slot);
        let winner = slot.and_then(|slot| behind.decision(slot)).and_then(|decision| decision.rule);
        if let (Reason::LowerPriority, Some(winner)) = (reason, winner) {
            count(tally.conflicts.entry((rule, winner)).or_default(), self.lost.insert((rule, winner)));
        }
    }
}

fn count(count: &mut Count, is_first: bool) {
    count.times += 1;
    count.visitors += u64::from(is_first);
}

fn add_all<K: Ord>(into: &mut BTreeMap<K, Count>, from: BTreeMap<K, Count>) {
    for (key, found) in from {
        let count = into.entry(key).or_default();
        count.times += found.times;
        count.visitors += found.visitors;
    }
}

impl Tally {
    /// Adds what was counted of other visitors.
    pub fn add(&mut self, other: Self) {
        self.visitors += other.visitors;
        self.accepted += other.accepted;
        self.late += other.late;
        for (refused, count) in other.refused {
            *self.refused.entry(refused).or_default() += count;
        }
        for (unit, count) in other.units {
            *self.units.entry(unit).or_default() += count;
        }
        add_all(&mut self.shown, other.shown);
        add_all(&mut self.won, other.won);
        add_all(&mut self.seen, other.seen);
        add_all(&mut self.variants, other.variants);
        add_all(&mut self.reasons, other.reasons);
        add_all(&mut self.conflicts, other.conflicts);
    }
}
