//! What each slot shows. First what is held; then the rules in their order (priority, then id): status, purpose, condition,
//! caps, exclusion group; then the slot's fallback.

use super::facts::{Known, is_true, resolve};
use super::grants::check;
use super::moment::{Moment, Place};
use super::program::{ACCEPT, Program, RuleHead, rule_hash};
use crate::hash::fnv1a_64;
use crate::wire::answer::Reason;
use crate::wire::program::{Hold, Rule, Slot};
use crate::wire::state::{Held, VisitorState};
use alloc::vec;
use alloc::vec::Vec;

/// The outcome for one slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// The slot, by its place in the program.
    pub slot: u16,
    /// The rule that has it, by its place in the program.
    pub rule: Option<u16>,
    /// What it shows, by its place in the program; `None`: what the page itself holds.
    pub content: Option<u16>,
    /// [`Reason::Won`], [`Reason::Held`] or [`Reason::Fallback`]; in the page also [`Reason::RunsAtEdge`]: a rule that
    /// only the edge knows has the slot, what the edge answered stays.
    pub reason: Reason,
}

/// Decides every slot of the program, in the program's order. What wins is held from now on: that is why the state
/// changes.
pub fn decide(program: &Program, state: &mut VisitorState, moment: &Moment) -> Vec<Decision> {
    let now_ms = state.now_ms(moment.now_ms);
    state.align(program, now_ms);
    state.held.retain(|held| held.until_ms.is_none_or(|until_ms| until_ms > now_ms));
    let known = resolve(program, state, moment);
    let decisions = judge(program, state, moment, &known);
    for decision in decisions.iter().filter(|decision| decision.reason == Reason::Won) {
        hold(program, state, moment, decision);
    }
    decisions
}

/// What [`decide`] decides, the state as it is.
pub(super) fn judge(
    program: &Program,
    state: &VisitorState,
    moment: &Moment,
    known: &[Known],
) -> Vec<Decision> {
    let parts = program.parts();
    let fallback = |(slot, at): (&Slot, u16)| Decision {
        slot: at,
        rule: None,
        content: slot.fallback,
        reason: Reason::Fallback,
    };
    let mut court = Court {
        program,
        state,
        moment,
        now_ms: state.now_ms(moment.now_ms),
        decisions: parts.slots.iter().zip(0..).map(fallback).collect(),
        open: parts.slots.len(),
        standing: vec![0; parts.groups.len()],
    };
    court.keep_held();
    court.run_rules(known);
    court.decisions
}

/// Whether a rule may act at all, before its condition is asked.
pub(super) fn may_act(head: &RuleHead, moment: &Moment) -> bool {
    head.is_live && (head.in_page || moment.place == Place::Edge) && moment.in_force.holds(head.purpose)
}

/// Slots on their way to a decision.
struct Court<'a> {
    program: &'a Program,
    state: &'a VisitorState,
    moment: &'a Moment<'a>,
    now_ms: i64,
    decisions: Vec<Decision>,
    /// Slots that are not decided yet.
    open: usize,
    /// Per exclusion group, how many of its rules stand.
    standing: Vec<u16>,
}

impl Court<'_> {
    fn keep_held(&mut self) {
        let of_page = self.state.page(self.moment.writer).map_or(&[][..], |page| page.held.as_slice());
        if of_page.is_empty() && self.state.held.is_empty() {
            return;
        }
        for (slot, at) in self.program.parts().slots.iter().zip(0u16..) {
            let hash = fnv1a_64(slot.name.as_bytes());
            let held = of_page.iter().chain(&self.state.held).find(|held| held.slot == hash);
            if let Some(held) = held {
                self.keep(at, held);
            }
        }
    }

    /// Keeps a held rule in its slot, unless it was stopped or its purpose is not granted any more. One that the page's
    /// program does not hold stands by the edge's answer.
    fn keep(&mut self, slot: u16, held: &Held) {
        let rules = self.program.parts().rules.iter();
        let found = rules.zip(0u16..).find(|(rule, _)| rule.slot == slot && rule_hash(rule) == held.rule);
        let head = found.and_then(|(_, at)| self.program.candidates().get(usize::from(at)));
        match (found, head) {
            (Some((rule, at)), Some(head)) if may_act(head, self.moment) => {
                self.stand(at, rule, Reason::Held);
            }
            (None, _) if self.moment.place == Place::Page => {
                self.settle(slot, None, None, Reason::RunsAtEdge)
            }
            _ => {}
        }
    }

    fn run_rules(&mut self, known: &[Known]) {
        for (head, at) in self.program.candidates().iter().zip(0u16..) {
            if self.open == 0 {
                return;
            }
            if self.is_open(head.slot)
                && may_act(head, self.moment)
                && (head.when == ACCEPT || is_true(self.program, known, head.when))
            {
                self.admit(at);
            }
        }
    }

    fn is_open(&self, slot: u16) -> bool {
        let decision = self.decisions.get(usize::from(slot));
        decision.is_some_and(|decision| decision.reason == Reason::Fallback)
    }

    /// Lets a rule whose condition is true stand, if caps and group allow.
    fn admit(&mut self, at: u16) {
        let Some(rule) = self.program.parts().rules.get(usize::from(at)) else { return };
        let is_admitted = check(self.program, self.state, self.moment.writer, rule, self.now_ms).is_ok();
        if is_admitted && !self.is_excluded(rule) {
            self.stand(at, rule, Reason::Won);
        }
    }

    fn is_excluded(&self, rule: &Rule) -> bool {
        is_excluded(self.program, rule, &self.standing)
    }

    fn stand(&mut self, at: u16, rule: &Rule, reason: Reason) {
        if let Some(standing) = rule.group.and_then(|group| self.standing.get_mut(usize::from(group))) {
            *standing = standing.saturating_add(1);
        }
        self.settle(rule.slot, Some(at), Some(rule.content), reason);
    }

    fn settle(&mut self, slot: u16, rule: Option<u16>, content: Option<u16>, reason: Reason) {
        if let Some(decision) = self.decisions.get_mut(usize::from(slot)) {
            *decision = Decision { slot, rule, content, reason };
            self.open = self.open.saturating_sub(1);
        }
    }
}

/// Whether as many rules of its group stand in the page view as may.
pub(super) fn is_excluded(program: &Program, rule: &Rule, standing: &[u16]) -> bool {
    let group = rule.group.map(usize::from);
    let max = group.and_then(|at| program.parts().groups.get(at)).and_then(|group| group.max_per_page);
    let standing = group.and_then(|at| standing.get(at)).copied().unwrap_or(0);
    max.is_some_and(|max| standing >= max)
}

/// Remembers a winner for as long as its rule says. Where no page view is open, or the session is not observed, there is
/// nothing that a hold could end with: then there is none.
fn hold(program: &Program, state: &mut VisitorState, moment: &Moment, decision: &Decision) {
    let parts = program.parts();
    let rule = decision.rule.and_then(|at| parts.rules.get(usize::from(at)));
    let (Some(rule), Some(slot)) = (rule, parts.slots.get(usize::from(decision.slot))) else { return };
    let mut held = Held { slot: fnv1a_64(slot.name.as_bytes()), rule: rule_hash(rule), until_ms: None };
    let now_ms = state.now_ms(moment.now_ms);
    let list = match rule.hold {
        Hold::Page => state.page_mut(moment.writer).map(|page| &mut page.held),
        Hold::Session if state.session.is_gap_open => None,
        Hold::Session => Some(&mut state.held),
        Hold::Time(hold_ms) => {
            held.until_ms = Some(now_ms.saturating_add_unsigned(hold_ms));
            Some(&mut state.held)
        }
    };
    if let Some(list) = list {
        list.retain(|known| known.slot != held.slot);
        list.push(held);
    }
}
