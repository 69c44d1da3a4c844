//! What each slot shows. First what is held; then the rules in their order (priority, then id): status, purpose, suppression,
//! holdout, experiment, condition, caps, exclusion group; then the slot's fallback.

use super::deadlines::wake;
pub use super::decision::Decision;
use super::fixed::fix;
use super::gates::{is_outside, is_over, release, suppression_of};
use super::grants::check;
use super::moment::{Moment, Place, may_act};
use super::recall::{Desk, Learned, Recall, next_bit};
use super::timers;
use super::trials::{is_held_out, variant_of};
use crate::limits::WAKES_MAX;
use crate::mutation::{Mutation, is_planted};
use crate::wire::answer::Reason;
use crate::wire::program::{Image, NONE, RuleRow, kind};
use crate::wire::state::{Fixed, Held, VisitorState};
use alloc::vec::Vec;

/// Decides every slot of the program, in the program's order. What wins is held from now on: that is why the state
/// changes.
pub fn decide(image: &Image, state: &mut VisitorState, moment: &Moment) -> Vec<Decision> {
    let mut recall = Recall::default();
    decide_in(image, state, moment, &mut recall);
    recall.desk.decisions
}

/// What [`decide`] decides, with what `recall` holds of the last time that this program's rules were decided: where little
/// changed since, little is asked.
pub fn decide_again(
    image: &Image,
    state: &mut VisitorState,
    moment: &Moment,
    recall: &mut Recall,
) -> Vec<Decision> {
    decide_in(image, state, moment, recall).to_vec()
}

/// What [`decide_again`] decides, kept in `recall`: once its vectors are as long as they get, nothing is allocated.
pub fn decide_in<'a>(
    image: &Image,
    state: &mut VisitorState,
    moment: &Moment,
    recall: &'a mut Recall,
) -> &'a [Decision] {
    prepare(image, state, moment, recall);
    timers::run(image, state, moment, recall.known());
    judge(image, state, moment, recall);
    for decision in recall.decisions() {
        if let (Some(rule), Reason::Won | Reason::Control) = (decision.rule, decision.reason) {
            let fixed = decision.content.and_then(|content| fix(image, state, moment, content));
            hold(image, state, moment, image.rule(rule), fixed);
        }
    }
    timers::spend(image, state, state.now_ms(moment.now_ms), &recall.desk.taken);
    recall.decisions()
}

/// Fits the state to program and moment, resolves every fact, and lets go of what is held no longer.
pub(super) fn prepare(image: &Image, state: &mut VisitorState, moment: &Moment, recall: &mut Recall) {
    let now_ms = state.now_ms(moment.now_ms);
    state.align(image, now_ms);
    state.prune_held(false, now_ms);
    recall.learn(image, state, moment);
    let (learned, desk) = recall.learned_and_desk();
    release(image, state, moment, learned.known, desk);
}

/// Decides at every deadline up to the moment that was not decided at yet, each at its own time.
pub fn make_up(image: &Image, state: &mut VisitorState, moment: &Moment) {
    for _ in 0..WAKES_MAX {
        let Some(now_ms) = wake(image, state, moment) else { return };
        decide(image, state, &Moment { now_ms, ..*moment });
    }
}

/// What [`decide`] decides, the state as it is.
pub(super) fn judge(image: &Image, state: &VisitorState, moment: &Moment, recall: &mut Recall) {
    let (learned, desk) = recall.learned_and_desk();
    desk.decisions.clear();
    desk.decisions.reserve(image.slots().into());
    desk.standing.clear();
    desk.standing.resize(image.groups().into(), 0);
    timers::waiting(image, state, state.now_ms(moment.now_ms), &mut desk.waiting);
    for slot in 0..image.slots() {
        desk.decisions.push(Decision {
            slot,
            rule: None,
            content: fallback(image, slot),
            reason: Reason::Fallback,
            variant: None,
            held_out: None,
        });
    }
    let mut court = Court { image, state, moment, learned, desk, open: image.slots() };
    court.keep_held();
    court.run_rules();
    if image.has_experiments() {
        court.note_held_out();
    }
    court.note_taken();
}

fn fallback(image: &Image, slot: u16) -> Option<u16> {
    Some(image.slot(slot).fallback()).filter(|content| *content != NONE)
}

/// Slots on their way to a decision.
struct Court<'a> {
    image: &'a Image,
    state: &'a VisitorState,
    moment: &'a Moment<'a>,
    learned: Learned<'a>,
    desk: &'a mut Desk,
    /// Slots that are not decided yet.
    open: u16,
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

    /// Keeps a held rule in its slot, unless it may not act any more. One that the page's program does not hold stands by
    /// the edge's answer.
    fn keep(&mut self, slot: u16, held: &Held) {
        if let Some(at) = self.desk.rule_of(self.image, held.rule)
            && self.image.rule(at).slot() == slot
        {
            let is_let_go = self.moment.place == Place::Page && is_planted(Mutation::HeldLetGo);
            if may_act(self.image.rule(at), self.moment) && !is_let_go {
                self.admit(at, Reason::Held);
            }
            return;
        }
        if self.moment.place == Place::Page
            && !self.moment.orders.pauses(held.rule)
            && let Some(decision) = self.desk.decisions.get_mut(usize::from(slot))
        {
            *decision = Decision { content: None, reason: Reason::RunsAtEdge, ..*decision };
            self.open = self.open.saturating_sub(1);
        }
    }

    fn run_rules(&mut self) {
        let mut candidates = core::mem::take(&mut self.desk.candidates);
        candidates.clear();
        candidates.extend_from_slice(self.learned.is_true);
        for slot in (0..self.image.slots()).filter(|slot| !self.is_open(*slot)) {
            self.leave(&mut candidates, slot);
        }
        for word in 0..candidates.len() {
            while self.open > 0
                && let Some(at) = candidates.get_mut(word).and_then(|left| next_bit(left, word))
            {
                let rule = self.image.rule(at);
                if self.is_open(rule.slot()) && self.would_begin(at, rule) {
                    self.admit(at, Reason::Won);
                    if !self.is_open(rule.slot()) {
                        self.leave(&mut candidates, rule.slot());
                    }
                }
            }
        }
        self.desk.candidates = candidates;
    }

    /// Nobody needs to look at the rules of a slot any more.
    fn leave(&self, candidates: &mut [u64], slot: u16) {
        for (left, of_slot) in candidates.iter_mut().zip(self.image.index().rules_of(slot)) {
            *left &= !of_slot;
        }
    }

    /// Whether a rule whose condition is true may act, and caps and group leave room.
    fn would_begin(&self, at: u16, rule: RuleRow) -> bool {
        self.may_begin(at, rule) && !is_excluded(self.image, rule, &self.desk.standing)
    }

    fn may_begin(&self, at: u16, rule: RuleRow) -> bool {
        may_act(rule, self.moment)
            && self.desk.waiting.binary_search(&at).is_err()
            && check(self.image, self.state, self.moment, at).is_ok()
    }

    /// Lets a rule have its slot, unless its terms forbid it; in a control it shows the slot's fallback.
    #[inline(never)]
    fn admit(&mut self, at: u16, reason: Reason) {
        let (image, terms) = (self.image, self.image.terms(at));
        let rule = image.rule(at);
        if terms.flags() == 0 && terms.suppressions() == 0 {
            return self.stand(at, Some(rule.content()), reason, None);
        }
        if self.is_barred(at) || is_held_out(image, self.state, self.moment, terms) {
            return;
        }
        let takes_part = terms.has(kind::TERM_TRIAL);
        let variant =
            takes_part.then(|| variant_of(image, self.state, self.moment, terms.experiment())).flatten();
        match variant.map(|variant| image.trial_content(terms, variant)) {
            None => self.stand(at, Some(rule.content()), reason, None),
            Some(None) => self.stand(at, fallback(image, rule.slot()), Reason::Control, variant),
            Some(content) => self.stand(at, content, reason, variant),
        }
    }

    fn is_barred(&self, at: u16) -> bool {
        let terms = self.image.terms(at);
        let known = self.learned.known;
        is_outside(self.image, known, terms)
            || suppression_of(self.image, known, terms).is_some()
            || is_over(self.image, known, terms)
    }

    /// For each slot, notes the first rule that the visitor is held out from, where no rule above it has the slot.
    #[inline(never)]
    fn note_held_out(&mut self) {
        let (image, state, moment) = (self.image, self.state, self.moment);
        for at in self.learned.true_rules() {
            let (rule, terms) = (image.rule(at), image.terms(at));
            let Some(decision) = self.desk.decisions.get(usize::from(rule.slot())) else { continue };
            if terms.has(kind::TERM_HOLDOUT)
                && decision.held_out.is_none()
                && decision.rule.is_none_or(|standing| standing > at)
                && decision.reason != Reason::RunsAtEdge
                && is_held_out(image, state, moment, terms)
                && self.would_begin(at, rule)
                && !self.is_barred(at)
                && let Some(decision) = self.desk.decisions.get_mut(usize::from(rule.slot()))
            {
                decision.held_out = Some(at);
            }
        }
    }

    /// Notes the rules whose delay is over and that would show, were not their slot, or their group's place, another's.
    #[inline(never)]
    fn note_taken(&mut self) {
        let (image, state, moment) = (self.image, self.state, self.moment);
        self.desk.taken.clear();
        for timer in image.each_timer().filter(|timer| timer.is_triggered() && timer.after_ms() > 0) {
            let at = timer.rule();
            let rule = image.rule(at);
            let decision = self.desk.decisions.get(usize::from(rule.slot()));
            if decision.is_some_and(|decision| decision.rule != Some(at))
                && self.learned.true_rules().any(|is_true| is_true == at)
                && self.may_begin(at, rule)
                && !self.is_barred(at)
                && !is_held_out(image, state, moment, image.terms(at))
            {
                self.desk.taken.push(at);
            }
        }
    }

    #[inline]
    fn is_open(&self, slot: u16) -> bool {
        let decision = self.desk.decisions.get(usize::from(slot));
        decision.is_some_and(|decision| decision.reason == Reason::Fallback)
    }

    fn stand(&mut self, at: u16, content: Option<u16>, reason: Reason, variant: Option<u16>) {
        let rule = self.image.rule(at);
        if let Some(standing) = self.desk.standing.get_mut(usize::from(rule.group())) {
            *standing = standing.saturating_add(1);
        }
        if let Some(decision) = self.desk.decisions.get_mut(usize::from(rule.slot())) {
            *decision = Decision { rule: Some(at), content, reason, variant, ..*decision };
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
fn hold(image: &Image, state: &mut VisitorState, moment: &Moment, rule: RuleRow, fixed: Option<Fixed>) {
    let now_ms = state.now_ms(moment.now_ms);
    let until_ms =
        (rule.hold() == kind::HOLD_TIME).then_some(now_ms.wrapping_add(rule.hold_ms().cast_signed()));
    let held =
        Held { slot: image.slot(rule.slot()).hash(), rule: rule.hash(), until_ms, fixed, is_seen: false };
    let list = match rule.hold() {
        kind::HOLD_PAGE => state.page_mut(moment.writer).map(|page| &mut page.held),
        kind::HOLD_SESSION if state.session.is_gap_open => None,
        _ => Some(&mut state.held),
    };
    if let Some(list) = list {
        match list.iter_mut().find(|known| known.slot == held.slot) {
            Some(known) if known.rule == held.rule => {}
            Some(known) => *known = held,
            None => list.push(held),
        }
    }
}
