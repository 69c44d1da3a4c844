//! The consent gate. Before an answer everything waits in memory; a refusal destroys it; a withdrawal erases queue, ids
//! and state from device and memory, and tells the edge with a batch that carries no events.

use crate::client::Client;
use crate::effect::{Effect, Notice};
use crate::input::{Heard, Random, What};
use crate::lane::Lanes;
use crate::stored::{
    CONSENT, LEASES, PAUSED, PROGRAM, STATE, VISITOR, lane_key, read_consent, write_consent,
};
use alloc::vec::Vec;
use selvedge_core::consent::voices::Voice;
use selvedge_core::consent::{Mode, Purposes, Signals, Snapshot, Statement};
use selvedge_core::hash::fnv1a_64;
use selvedge_core::mutation::{Mutation, is_planted};

/// The purposes that every visitor can answer for.
const ASKED: Purposes = Purposes(0b1111);

impl Client {
    /// Whether something besides the necessary is in force. What nobody was asked, and so nobody denied, opens nothing.
    pub(crate) const fn is_open(&self) -> bool {
        let asked = ASKED.or(self.consent.granted).without(Purposes::NECESSARY);
        !self.consent.in_force().and(asked).is_empty()
    }

    /// Whether the visitor answered, and granted nothing.
    pub(crate) const fn is_refused(&self) -> bool {
        self.consent.is_answered() && !self.is_open()
    }

    /// The visitor answered. Denied wins where a purpose stands in both sets.
    pub(crate) fn answer_consent(&mut self, granted: Purposes, denied: Purposes, random: Random) {
        let Statement { granted: before, denied: refused } = self.voices.of(Signals::API).statement;
        let statement = Statement {
            granted: before.or(granted).without(denied),
            denied: refused.without(granted).or(denied),
        };
        self.voices.hear(Signals::API, Voice { statement, text_hash: 0 });
        self.refold(random, true, denied);
    }

    /// A source of consent said something.
    pub(crate) fn hear(&mut self, heard: &Heard, random: Random) {
        let source = heard.source;
        let mut denied = Purposes::NONE;
        match heard.what {
            What::Asks => self.voices.ask(source),
            What::Absent => self.voices.meet(source),
            What::Nothing => self.voices.hear(source, Voice::default()),
            What::Says => {
                denied = heard.denied;
                let text_hash = fnv1a_64(heard.text.as_bytes());
                let statement =
                    Statement { granted: heard.granted.without(heard.denied), denied: heard.denied };
                self.voices.hear(source, Voice { statement, text_hash });
            }
        }
        self.refold(random, false, denied);
    }

    /// What all sources say together is in force from now on. While one is awaited, denials count and nothing new is granted.
    /// `is_said`: the visitor said it at this moment, even if it is what was said before. `denied`: by who spoke.
    fn refold(&mut self, random: Random, is_said: bool, denied: Purposes) {
        if self.visitor.is_none() {
            self.random = random;
        }
        let before = self.consent;
        let fold @ (said, signal, text_hash) = self.voices.fold();
        if self.voices.is_asking() {
            // Whoever grants: there is a question that has no answer.
            if before.time_ms > 0 || before.mode != Mode::OptIn {
                self.rest(said.denied, Mode::OptIn);
            }
            return self.deny_resting(denied, fold, random);
        }
        let is_waiting = self.voices.is_waiting();
        if is_waiting && before.time_ms == 0 {
            self.deny_resting(denied, fold, random);
        }
        let mut next = Snapshot { mode: self.mode(), ..before };
        if signal != Signals::NONE {
            let granted = if is_waiting { said.granted.and(before.granted) } else { said.granted };
            next = Snapshot { granted, denied: said.denied, signal, text_hash, ..next };
            let is_changed = Snapshot { mode: before.mode, ..next } != before;
            if said.is_empty() || (is_waiting && before.time_ms == 0) {
                next.time_ms = 0;
            } else if is_said || is_changed || before.time_ms == 0 {
                next.time_ms = self.after(&before);
                next.policy_version = self.settings.policy_version;
                self.is_answer_unversioned = !self.is_settled;
            }
        }
        self.change_consent(next, random, true);
    }

    /// When what is said now was said: behind what was said before it, also where the page's clock was set back meanwhile. The edge
    /// takes the newer for what counts.
    fn after(&self, before: &Snapshot) -> u64 {
        self.now_ms.max(before.time_ms.max(self.rested.time_ms).saturating_add(1))
    }

    /// What unknown consent means now. Until the config says it, and while a source is awaited, what was known before counts: an
    /// answer denies nothing that it does not speak of.
    fn mode(&self) -> Mode {
        if self.voices.is_asking() {
            Mode::OptIn
        } else if self.settings.policy_version == 0 {
            self.consent.mode
        } else if self.voices.is_waiting() {
            self.settings.mode.strictest(self.consent.mode)
        } else {
            self.settings.mode
        }
    }

    /// What unknown consent means here became known, and the policy in force.
    pub(crate) fn change_mode(&mut self, policy_version: u16) {
        let random = self.random;
        let mut next = Snapshot { mode: self.mode(), ..self.consent };
        if core::mem::take(&mut self.is_answer_unversioned) {
            next.policy_version = policy_version;
        }
        if next.time_ms > 0 && next.policy_version < policy_version {
            return self.ask_again();
        }
        self.change_consent(next, random, true);
    }

    /// The answer was to an older policy, so that it does not count. Where silence would grant it, what was denied stays
    /// denied.
    fn ask_again(&mut self) {
        let mode = self.mode();
        let denied = if mode == Mode::OptIn { Purposes::NONE } else { self.consent.denied };
        self.voices.forget();
        let statement = Statement { granted: Purposes::NONE, denied };
        self.voices.recall(Signals::API, Voice { statement, text_hash: 0 });
        self.rest(denied, mode);
    }

    /// As before an answer: what the device holds rests there until the next.
    fn rest(&mut self, denied: Purposes, mode: Mode) {
        let time_ms = self.rested.time_ms.max(self.consent.time_ms);
        self.rested = Snapshot { time_ms, ..self.consent };
        self.consent = Snapshot { denied, mode, gpc: self.consent.gpc, ..Snapshot::default() };
        if self.is_refused() {
            self.held = Vec::new();
        }
        self.mind.lose();
        self.effects.emit(Notice::Consent(self.consent.in_force()));
        self.release_held();
        self.replay();
    }

    /// What is denied before all have answered is taken back from what rests on the device, so that no later page finds it granted;
    /// also where another denied it already, who may take that back.
    fn deny_resting(&mut self, denied: Purposes, fold: (Statement, Signals, u64), random: Random) {
        if denied.is_empty() {
            return;
        }
        let (before, (_, signal, text_hash)) = (self.rested, fold);
        let granted = before.granted.without(denied);
        self.rested = Snapshot { granted, denied: before.denied.or(denied), signal, text_hash, ..before };
        let is_less = self.rested.in_force() != before.in_force();
        if is_less {
            self.rested.time_ms = self.after(&before);
        }
        if before.time_ms == 0 {
            // Nobody was asked under an older one.
            self.rested.policy_version = self.settings.policy_version;
        }
        let asked = core::mem::replace(&mut self.consent, self.rested);
        if is_less && self.is_open() {
            self.keep_consent(true, true);
            self.effects.erase(STATE.into());
        } else if is_less {
            self.withdraw(&before, true);
            self.random = random;
        }
        self.remember();
        self.consent = asked;
    }

    /// The device does not hold any more what rested there.
    const fn nothing_rests(&mut self) {
        (self.rested.granted, self.rested.mode) = (Purposes::NONE, Mode::OptIn);
    }

    /// Where something is granted, or silence counts as a grant, the next page has to know what was said.
    fn remember(&mut self) {
        if self.is_open() || self.consent.mode != Mode::OptIn {
            self.effects.store(CONSENT.into(), write_consent(&self.consent, &self.voices));
        }
    }

    /// Whether the device may hold something that a refusal has to erase.
    fn has_identity(&self) -> bool {
        self.is_open() || self.visitor.is_some()
    }

    /// Another tab stored or erased the answer.
    pub(crate) fn follow_consent(&mut self, value: Option<&[u8]>, random: Random) {
        self.nothing_rests();
        match value.map(read_consent) {
            Some(Some((next, _)))
                if next.time_ms > 0 && next.policy_version < self.settings.policy_version => {}
            Some(Some((next, voices))) => {
                self.voices.follow(&voices);
                self.change_consent(Snapshot { gpc: self.consent.gpc, ..next }, random, false);
            }
            Some(None) => {}
            None if self.has_identity() => {
                self.voices.forget();
                // What was denied before stays so: silence would grant it where visitors opt out.
                let before =
                    if is_planted(Mutation::DenialForgotten) { Purposes::NONE } else { self.consent.denied };
                let denied = before.or(self.consent.in_force()).without(Purposes::NECESSARY);
                let next = Snapshot { granted: Purposes::NONE, denied, ..self.consent };
                self.change_consent(next, random, false);
            }
            None => {}
        }
    }

    /// `is_mine`: this page heard it first, so it tells the device and the edge.
    fn change_consent(&mut self, next: Snapshot, random: Random, is_mine: bool) {
        let (was_open, has_visitor) = (self.is_open(), self.visitor.is_some());
        let before = self.consent;
        self.consent = next;
        if self.is_refused() {
            self.held = Vec::new();
        }
        // What rests on the device since a question was asked rests until it is answered, or until another tab erased it.
        if !self.is_open() && (was_open || (has_visitor && (!is_mine || self.is_refused()))) {
            self.withdraw(&before, is_mine);
            self.random = random;
        } else if self.is_open() && next != before {
            self.keep_consent(was_open, is_mine);
        } else if is_mine && self.is_refused() && next != before {
            // Whatever stands on the device: who refuses leaves nothing there.
            self.effects.push(Effect::EraseAll);
        }
        if is_mine && self.is_refused() && next != before {
            self.remember();
        }
        self.forget_elsewhere();
        let lost = before.in_force().without(next.in_force());
        if !lost.is_empty() {
            self.mind.lose();
            self.effects.erase(STATE.into());
        }
        if lost.holds(Purposes::PERSONALIZATION) && self.visitor.is_some() {
            // The edge forgets what it leased; should it be granted anew, another tab may know of that first.
            self.mind.forget(self.now_ms);
            self.mind.blind();
        }
        if before.in_force() != next.in_force() || before.is_answered() != next.is_answered() {
            self.effects.emit(Notice::Consent(next.in_force()));
        }
        self.release_held();
        self.replay();
    }

    /// Something is granted: kept on the device; what lost its purpose is destroyed; the edge is told.
    fn keep_consent(&mut self, was_open: bool, is_mine: bool) {
        if is_mine {
            self.remember();
        }
        self.purge();
        if !was_open {
            self.store_program();
        } else if is_mine && self.visitor.is_some() {
            self.delivery.is_urgent = true;
            self.delivery.must_tell = true;
        }
    }

    /// After a refusal the hands let go of what they may know of the visitor from elsewhere.
    pub(crate) fn forget_elsewhere(&mut self) {
        if self.is_refused() && self.settings.recalls {
            self.effects.erase(VISITOR.into());
        }
    }

    /// Destroys queued events that no purpose allows any more.
    pub(crate) fn purge(&mut self) {
        let plan = self.mind.plan();
        for lane in self.lanes.all_mut() {
            lane.purge(plan, &self.consent, &mut self.effects);
        }
    }

    /// The batch that tells the edge of a withdrawal. Where nothing was said anew (a platform takes back what it said), what was in
    /// force is denied there: the edge keeps what it knows until it hears something newer.
    fn farewell(&mut self, before: &Snapshot) -> Option<Vec<u8>> {
        let said = self.consent;
        if said.time_ms <= before.time_ms {
            let denied = before.in_force().without(Purposes::NECESSARY).or(said.denied);
            self.consent = Snapshot { denied, time_ms: self.after(before), ..said };
        }
        let batch = self.empty_batch();
        self.consent = said;
        batch
    }

    /// Erases queue, ids and state. `before` was in force.
    fn withdraw(&mut self, before: &Snapshot, is_mine: bool) {
        if is_mine
            && !is_planted(Mutation::FarewellForgotten)
            && let Some(batch) = self.farewell(before)
        {
            self.delivery.farewells.push(batch);
        }
        if is_planted(Mutation::WithdrawalKeepsQueue) {
            return;
        }
        if is_mine {
            self.effects.push(Effect::EraseAll);
        } else {
            self.erase_own();
        }
        self.nothing_rests();
        self.lanes = Lanes::NONE;
        self.visitor = None;
        self.is_recalled = true;
        self.holder = 0;
        self.is_own_answered = false;
        self.seen = Vec::new();
        self.delivery.flight = None;
        self.delivery.due_ms = None;
        self.delivery.must_tell = false;
        self.mind.forget(self.now_ms);
    }

    /// Another tab has erased the device, and perhaps stored a new answer since: only what this one kept there goes.
    fn erase_own(&mut self) {
        for lane in self.lanes.all_mut() {
            lane.drain(&mut self.effects);
            self.effects.erase(lane_key(lane.writer));
        }
        [VISITOR, STATE, PROGRAM, LEASES, PAUSED].into_iter().for_each(|key| self.effects.erase(key.into()));
    }

    /// The site forgets who this is: what is queued is still sent, for the identity it belongs to.
    pub(crate) fn reset(&mut self, random: Random) {
        self.part(random);
        self.delivery.is_urgent = true;
        for key in [VISITOR, STATE, LEASES] {
            self.effects.erase(key.into());
        }
        self.replay();
    }

    /// Parts from the visitor, in memory.
    pub(crate) fn part(&mut self, random: Random) {
        self.lanes.orphan_own();
        self.visitor = None;
        self.holder = 0;
        self.is_own_answered = false;
        self.is_recalled = true;
        self.random = random;
        self.seen = Vec::new();
        self.mind.forget(self.now_ms.saturating_add_signed(self.skew_ms));
    }
}
