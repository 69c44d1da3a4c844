//! What each slot shows. First what is held; then the rules in their order (priority, then id): status, purpose, condition,
//! caps, exclusion group; then the slot's fallback.

use super::grants::check;
use super::moment::{Moment, Place, may_act};
use super::recall::Recall;
use super::timers;
use super::view::resolve;
use crate::wire::answer::Reason;
use crate::wire::program::{Image, NONE, RuleRow, kind};
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
pub fn decide(image: &Image, state: &mut VisitorState, moment: &Moment) -> Vec<Decision> {
    decide_again(image, state, moment, &mut Recall::default())
}

/// What [`decide`] decides, with what `recall` holds of the last time that this program's rules were decided: where little
/// changed since, little is asked.
pub fn decide_again(
    image: &Image,
    state: &mut VisitorState,
    moment: &Moment,
    recall: &mut Recall,
) -> Vec<Decision> {
    let now_ms = state.now_ms(moment.now_ms);
    state.align(image, now_ms);
    state.prune_held(false, now_ms);
    recall.learn(image, resolve(image, state, moment));
    timers::run(image, state, moment, recall.known());
    let decisions = judge(image, state, moment, recall);
    for decision in &decisions {
        if let (Some(rule), Reason::Won) = (decision.rule, decision.reason) {
            hold(image, state, moment, image.rule(rule));
        }
    }
    timers::spend(image, state, now_ms);
    decisions
}

/// What [`decide`] decides, the state as it is.
pub(super) fn judge(image: &Image, state: &VisitorState, moment: &Moment, recall: &Recall) -> Vec<Decision> {
    let mut court = Court {
        image,
        state,
        moment,
        now_ms: state.now_ms(moment.now_ms),
        decisions: Vec::new(),
        open: image.slots(),
        standing: vec![0; image.groups().into()],
        waiting: timers::waiting(image, state, state.now_ms(moment.now_ms)),
    };
    for (slot, at) in image.each_slot().zip(0..) {
        let content = Some(slot.fallback()).filter(|content| *content != NONE);
        court.decisions.push(Decision { slot: at, rule: None, content, reason: Reason::Fallback });
    }
    court.keep_held();
    court.run_rules(recall);
    court.decisions
}

/// Slots on their way to a decision.
struct Court<'a> {
    image: &'a Image,
    state: &'a VisitorState,
    moment: &'a Moment<'a>,
    now_ms: i64,
    decisions: Vec<Decision>,
    /// Slots that are not decided yet.
    open: u16,
    /// Per exclusion group, how many of its rules stand.
    standing: Vec<u16>,
    /// Rules that are not considered now.
    waiting: Vec<u16>,
}

impl Court<'_> {
    fn keep_held(&mut self) {
        let state = self.state;
        let of_page = state.page(self.moment.writer).map_or(&[][..], |page| page.held.as_slice());
        for held in of_page.iter().chain(&state.held) {
            for (slot, at) in self.image.each_slot().zip(0..) {
                if slot.hash() == held.slot && self.is_open(at) {
                    self.keep(at, held);
                }
            }
        }
    }

    /// Keeps a held rule in its slot, unless it was stopped or its purpose is not granted any more. One that the page's
    /// program does not hold stands by the edge's answer.
    fn keep(&mut self, slot: u16, held: &Held) {
        for (at, rule) in (0..).zip(self.image.each_rule()) {
            if rule.hash() == held.rule && rule.slot() == slot {
                if may_act(rule, self.moment) {
                    self.stand(at, rule, Reason::Held);
                }
                return;
            }
        }
        if self.moment.place == Place::Page {
            self.settle(Decision { slot, rule: None, content: None, reason: Reason::RunsAtEdge });
        }
    }

    fn run_rules(&mut self, recall: &Recall) {
        for at in recall.true_rules() {
            if self.open == 0 {
                return;
            }
            let rule = self.image.rule(at);
            if self.is_open(rule.slot())
                && may_act(rule, self.moment)
                && self.waiting.binary_search(&at).is_err()
                && check(self.image, self.state, self.moment.writer, rule, self.now_ms).is_ok()
                && !is_excluded(self.image, rule, &self.standing)
            {
                self.stand(at, rule, Reason::Won);
            }
        }
    }

    #[inline]
    fn is_open(&self, slot: u16) -> bool {
        let decision = self.decisions.get(usize::from(slot));
        decision.is_some_and(|decision| decision.reason == Reason::Fallback)
    }

    fn stand(&mut self, at: u16, rule: RuleRow, reason: Reason) {
        if let Some(standing) = self.standing.get_mut(usize::from(rule.group())) {
            *standing = standing.saturating_add(1);
        }
        self.settle(Decision { slot: rule.slot(), rule: Some(at), content: Some(rule.content()), reason });
    }

    fn settle(&mut self, decided: Decision) {
        if let Some(decision) = self.decisions.get_mut(usize::from(decided.slot)) {
            *decision = decided;
            self.open = self.open.saturating_sub(1);
        }
    }
}

/// Whether as many rules of its group stand in the page view as may.
pub(super) fn is_excluded(image: &Image, rule: RuleRow, standing: &[u16]) -> bool {
    let max = image.group(rule.group()).map_or(NONE, |group| group.max_per_page());
    let standing = standing.get(usize::from(rule.group())).copied().unwrap_or(0);
    max != NONE && standing >= max
}

/// Remembers a winner for as long as its rule says. Where no page view is open, or the session is not observed, there is
/// nothing that a hold could end with: then there is none.
fn hold(image: &Image, state: &mut VisitorState, moment: &Moment, rule: RuleRow) {
    let now_ms = state.now_ms(moment.now_ms);
    let until_ms =
        (rule.hold() == kind::HOLD_TIME).then_some(now_ms.wrapping_add(rule.hold_ms().cast_signed()));
    let held = Held { slot: image.slot(rule.slot()).hash(), rule: rule.hash(), until_ms };
    let list = match rule.hold() {
        kind::HOLD_PAGE => state.page_mut(moment.writer).map(|page| &mut page.held),
        kind::HOLD_SESSION if state.session.is_gap_open => None,
        _ => Some(&mut state.held),
    };
    if let Some(list) = list {
        match list.iter_mut().find(|known| known.slot == held.slot) {
            Some(known) => *known = held,
            None => list.push(held),
        }
    }
}
