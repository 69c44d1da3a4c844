//! Deciding: the page's own events run at once, the edge's answers replace the state under them, and only what changed in
//! a slot is shown.

use crate::asking::{CLAIM, Claimed, DROPPED, LOOK, STEP, Setting, question};
use crate::client::Client;
use crate::effect::{Effect, Notice};
use crate::stored::{
    LEASES, PAUSED, PROGRAM, PROGRAM_STORED_BYTES_MAX, STATE, StateRecord, read_paused, seen_hash,
    write_paused, write_program,
};
use alloc::vec::Vec;
use selvedge_core::event::LeaseReport;
use selvedge_core::id::{ProgramHash, VisitorId, WriterId};
use selvedge_core::mutation::{Mutation, is_planted};
use selvedge_core::wire::answer::Answer;
use selvedge_core::wire::codec::Writer;

/// What the state is stepped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Nothing,
    Newest,
    All,
}

impl Client {
    /// A question of this kind, about this page's own queue.
    #[inline(never)]
    fn question(&self, kind: u8) -> Writer {
        let setting = Setting {
            writer: self.lanes.own_writer().unwrap_or(WriterId::from_bits(0)),
            context: &self.context,
            skew_ms: self.skew_ms,
            now_ms: self.now_ms,
            consent: &self.consent,
            visitor: self.visitor.unwrap_or(VisitorId::NOBODY),
            paused: &self.barred,
        };
        question(kind, &setting)
    }

    /// Runs the newest event of this page's queue.
    pub(crate) fn apply_newest(&mut self) {
        self.step(Step::Newest);
    }

    /// Time passed: decides again.
    pub(crate) fn decide(&mut self) {
        self.step(Step::Nothing);
    }

    /// Replays what the edge has not applied yet on its last state, and decides.
    pub(crate) fn replay(&mut self) {
        self.step(Step::All);
    }

    fn step(&mut self, by: Step) {
        if self.mind.has_engine() {
            self.later_step(by);
        }
    }

    #[inline(never)]
    fn later_step(&mut self, by: Step) {
        self.check_whole();
        let question = self.question(STEP);
        match by {
            Step::Nothing => self.mind.decide(question),
            Step::Newest => {
                if let Some(lane) = self.lanes.own() {
                    self.mind.run_newest(lane, question);
                }
            }
            Step::All => self.mind.replay(self.lanes.all(), self.visitor, question),
        }
    }

    #[inline(never)]
    fn later_show(&mut self) {
        self.check_whole();
        let look = self.question(LOOK);
        let changes = self.mind.changes(look, &self.barred);
        changes.into_iter().for_each(|show| self.effects.push(Effect::Show(show)));
        if self.mind.take_loss() {
            self.effects.emit(Notice::EngineLost);
            self.has_news = true;
        }
    }

    /// Shows what changed in the slots, and asks the edge where only that can say.
    pub(crate) fn show_changes(&mut self) {
        if self.mind.may_show() {
            self.later_show();
        }
        let has_news = core::mem::take(&mut self.has_news);
        let waits = self.lanes.own().is_some_and(|lane| !lane.events.is_empty());
        if has_news && waits && (self.mind.wants_edge() || self.is_in_the_dark()) {
            self.set_departure(true);
        }
    }

    /// Whether nothing is known here of what the edge decides: the program in force cannot be read, or none was named and the
    /// edge has not answered yet.
    fn is_in_the_dark(&self) -> bool {
        let is_unread = self.mind.plan().is_none() && !self.awaits_plan();
        is_unread && (self.unreadable.is_some() || !self.is_own_answered)
    }

    /// Has the rule engine fetched, where the program needs it.
    pub(crate) fn call_engine(&mut self) {
        if self.mind.calls_engine() {
            self.effects.push(Effect::Engine);
        }
    }

    /// The rule engine is there, or cannot be had.
    #[inline(never)]
    pub(crate) fn later_meet_engine(&mut self, is_there: bool) {
        self.mind.meet(is_there);
        self.has_news = true;
        self.replay();
    }

    /// The edge says which rules were stopped: they act no longer, whatever the program says.
    pub(crate) fn stop(&mut self, paused: Vec<u64>) {
        if paused == self.paused {
            return;
        }
        self.paused = paused;
        self.bar(None);
        if self.is_open() {
            self.effects.store(PAUSED.into(), write_paused(&self.paused));
        }
        self.decide();
    }

    /// Takes the state and the decisions of an answer; `body` is that answer.
    pub(crate) fn take_state(&mut self, mut answer: Answer, body: &[u8], is_own: bool) {
        if answer.state.is_empty() {
            return;
        }
        if is_own {
            self.mind.overlay(body.into(), &mut answer);
        }
        let Some(visitor) = self.visitor else { return };
        let Answer { publish, applied, state, .. } = answer;
        let record = StateRecord { publish, applied, state }.encode(visitor);
        if self.mind.rebase(record.clone()) {
            self.effects.store(STATE.into(), record);
        }
        self.replay();
    }

    /// Fetches a program that is in force, where it is not at hand and not on its way.
    pub(crate) fn want_program(&mut self, hash: ProgramHash, publish: u64) {
        let is_held =
            self.mind.loaded().is_some_and(|loaded| loaded.hash == hash || loaded.publish > publish);
        let is_coming = self.loading.is_some_and(|(loading, _)| loading == hash);
        if !is_held && !is_coming && self.unreadable != Some(hash) {
            self.loading = Some((hash, publish));
            self.effects.push(Effect::Load(hash));
        }
    }

    /// A program came.
    #[inline(never)]
    pub(crate) fn later_take_program(&mut self, hash: ProgramHash, bytes: Vec<u8>) {
        let Some((_, publish)) = self.loading.take_if(|(loading, _)| *loading == hash) else { return };
        let is_there = !bytes.is_empty();
        if !self.mind.load(hash, publish, bytes) {
            self.unreadable = Some(hash).filter(|_| is_there);
            // What waited for the program's word on when to leave has it now.
            self.has_news = true;
            return;
        }
        if self.is_open() {
            self.judge_again();
            self.store_program();
        }
        self.call_engine();
        self.replay();
        self.release_held();
    }

    /// The tracking plan is another: what waits is read and judged by it, and leaves when it says.
    fn judge_again(&mut self) {
        self.purge();
        for lane in self.lanes.all_mut() {
            if let Some(plan) = self.mind.plan() {
                lane.reread(plan, &mut self.effects);
            }
            lane.events
                .iter_mut()
                .for_each(|queued| queued.applies = self.mind.judge(&queued.event).is_none());
        }
        if self.lanes.own().is_some_and(|lane| lane.is_urgent(self.mind.plan())) {
            self.set_departure(true);
        }
    }

    /// Keeps the program on the device, so that the next page decides at once.
    pub(crate) fn store_program(&mut self) {
        if let Some(loaded) = self.mind.loaded()
            && loaded.bytes.len() <= PROGRAM_STORED_BYTES_MAX
        {
            let value = write_program(loaded.hash, loaded.publish, &loaded.bytes);
            self.effects.store(PROGRAM.into(), value);
        }
    }

    /// What a batch says of this device's leases.
    pub(crate) fn dropped_leases(&mut self) -> Vec<LeaseReport> {
        if self.mind.has_engine() { self.later_dropped_leases() } else { Vec::new() }
    }

    #[inline(never)]
    fn later_dropped_leases(&mut self) -> Vec<LeaseReport> {
        self.check_whole();
        let question = self.question(DROPPED);
        self.mind.dropped_leases(question)
    }

    /// Half of a slot is visible: the grants of what stands there are taken, before it counts as seen. Where another tab took
    /// the last of them, it goes.
    #[inline(never)]
    pub(crate) fn later_in_view(&mut self, slot: &str, leases: &[u8]) {
        self.mind.share_leases(leases);
        self.decide();
        if self.claim(slot) == Claimed::Refused
            && let Some(rule) = self.mind.rule_in(slot)
        {
            self.bar(Some(rule));
            self.decide();
        }
    }

    /// Takes the grants of what stands in a slot, where it has none yet.
    pub(crate) fn claim(&mut self, slot: &str) -> Claimed {
        let Some(rule) = self.mind.shown(slot).and_then(|show| show.rule.clone()) else {
            return Claimed::Nothing;
        };
        if self.seen.contains(&seen_hash(slot, &rule, "")) {
            return Claimed::Nothing;
        }
        let question = self.question(CLAIM);
        let claimed = self.mind.claim(slot, &rule, question);
        if claimed == Claimed::Taken && self.is_open() && !is_planted(Mutation::ClaimUntold) {
            self.effects.store(LEASES.into(), self.mind.leases().into());
        }
        claimed
    }

    /// What stands in a page view counts as stopped once its grants are gone; the next page view asks again.
    pub(crate) fn bar(&mut self, rule: Option<u64>) {
        match rule {
            Some(rule) => self.barred.push(rule),
            None => self.barred = self.paused.clone(),
        }
    }

    /// Another tab heard which rules were stopped.
    pub(crate) fn follow_paused(&mut self, value: &[u8]) {
        self.paused = read_paused(value);
        self.bar(None);
        self.decide();
    }

    /// Another tab used leases.
    pub(crate) fn follow_leases(&mut self, value: &[u8]) {
        self.mind.share_leases(value);
        self.decide();
    }
}
