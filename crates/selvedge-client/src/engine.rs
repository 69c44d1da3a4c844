//! The rule engine: the program, the last public state of the edge with this page's own later events replayed on it, and
//! what follows for the slots. The page's state is never merged: an answer replaces it.

use crate::asking::Claimed;
use crate::effect::{Show, blank};
use crate::stored::{StateRecord, read_leases};
use alloc::string::String;
use alloc::vec::Vec;
use selvedge_core::consent::{Purposes, Snapshot};
use selvedge_core::event::{Clock, Event, LeaseReport};
use selvedge_core::hash::fnv1a_64;
use selvedge_core::id::{VisitorId, WriterId};
use selvedge_core::limits::{CLOCKS_APART_MS, LEASE_REPORTS_MAX};
use selvedge_core::mutation::{Mutation, is_planted};
use selvedge_core::rules::{
    Decision, Image, Moment, Orders, Place, Recall, content, decide_again, end_session, grants_for,
    is_lasting, make_up, next_wake, rule_time, step,
};
use selvedge_core::tracking_plan::{Plan, Trust, purposes_of};
use selvedge_core::value::Map;
use selvedge_core::wire::answer::{Applied, Need, Reason, SlotDecision, read_answer};
use selvedge_core::wire::state::{CellBody, VisitorState};

/// Where, when and under what consent is decided: [`crate::asking::Setting`], read.
#[derive(Debug)]
pub struct Heard {
    /// The page's clock.
    pub now_ms: u64,
    /// The consent in force.
    pub consent: Snapshot,
    /// Whose events, where that is known.
    pub visitor: VisitorId,
    /// Rules that were stopped.
    pub paused: Vec<u64>,
    /// Whose events.
    pub writer: WriterId,
    /// The writer's skew.
    pub skew_ms: i64,
    /// Facts that hold for all of them.
    pub context: Map,
}

/// What an engine begins from.
#[derive(Debug)]
pub struct Beginning<'a> {
    /// The visitor is another than before.
    pub is_visitor_new: bool,
    /// What is held in the state holds no longer.
    pub is_let_go: bool,
    /// The visitor was here before, but its state is not at hand: nothing is decided until the edge answers.
    pub is_blind: bool,
    /// When the visitor was born, where there is no state.
    pub born_ms: i64,
    /// A [`StateRecord`], or nothing.
    pub record: &'a [u8],
    /// The edge's answer that decisions are taken from, or nothing.
    pub answer: &'a [u8],
    /// The record of leases.
    pub leases: &'a [u8],
    /// The program, where it is another than before.
    pub program: Option<&'a [u8]>,
}

/// What a grant was taken of: a cap, and which of its leases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Taken {
    owner: u64,
    lease: u32,
}

/// The program, and who may be stepped by what.
#[derive(Debug)]
struct Loaded {
    image: Image,
    plan: Plan,
}

/// The rule engine of one page. It is asked through [`crate::Ask`].
#[derive(Debug)]
pub struct Engine {
    loaded: Option<Loaded>,
    /// The edge's public state, encoded; empty where there is none, and the visitor was born at `born_ms`. It is read anew
    /// where something begins from it: a copy of a state takes more bytes in the page than reading one.
    base: Vec<u8>,
    born_ms: i64,
    /// What is held in the base holds no longer.
    is_let_go: bool,
    applied: Vec<Applied>,
    state: VisitorState,
    decided: Vec<Decision>,
    recall: Recall,
    from_edge: Vec<SlotDecision>,
    /// The decisions that were told last, and which rules were stopped then; `None` where something else changed since.
    told: Option<(Vec<Decision>, Vec<u64>)>,
    leases: Vec<LeaseReport>,
    /// Rules that this tab took grants for and that were not seen yet, with what the grants are of.
    claims: Vec<(u64, Vec<Taken>)>,
    /// What the edge's decisions need grants of.
    needs: Vec<Need>,
    /// The visitor was here before, but its state is not at hand: nothing is decided until the edge answers.
    is_blind: bool,
}

impl Default for Engine {
    fn default() -> Self {
        Self {
            loaded: None,
            base: Vec::new(),
            born_ms: 0,
            is_let_go: false,
            applied: Vec::new(),
            state: VisitorState::new(0),
            decided: Vec::new(),
            recall: Recall::default(),
            from_edge: Vec::new(),
            told: None,
            leases: Vec::new(),
            claims: Vec::new(),
            needs: Vec::new(),
            is_blind: false,
        }
    }
}

impl Engine {
    /// Begins anew; says whether a program is at hand, and whether the state could be read.
    pub fn begin(&mut self, from: &Beginning<'_>) -> (bool, bool) {
        self.told = None;
        if let Some(program) = from.program {
            self.recall = Recall::default();
            self.decided = Vec::new();
            self.loaded = load(program);
        }
        if from.is_visitor_new {
            // What was decided for another stands no longer, also where nothing can be decided yet.
            self.decided = Vec::new();
            self.leases = Vec::new();
            self.claims = Vec::new();
        }
        let answer = read_answer(from.answer).unwrap_or_default();
        self.needs = answer.needs;
        self.from_edge = answer.decisions;
        self.from_edge.retain(|decision| is_the_edges(decision) || decision.held_out.is_some());
        self.born_ms = from.born_ms;
        self.is_let_go = from.is_let_go;
        self.is_blind = from.is_blind;
        let record = StateRecord::decode(from.record).unwrap_or_default();
        let is_read = from.record.is_empty() || VisitorState::decode(&record.state).is_ok();
        self.is_blind |= !is_read;
        (self.base, self.applied) = (record.state, record.applied);
        self.rewind();
        self.share_leases(read_leases(from.leases));
        (self.loaded.is_some(), is_read)
    }

    /// Begins again from the edge's state. The events of [`Self::run`] come next.
    pub fn rewind(&mut self) {
        self.state = match VisitorState::decode(&self.base) {
            Ok(state) => state,
            Err(_) => VisitorState::new(self.born_ms),
        };
        if self.is_let_go {
            self.state.held = Vec::new();
            self.state.pages.iter_mut().for_each(|page| page.held = Vec::new());
        }
    }

    /// Whether an event is later than what the edge's state holds.
    #[must_use]
    fn is_later(&self, writer: WriterId, event: &Event) -> bool {
        let applied = self.applied.iter().find(|applied| applied.writer == writer);
        applied.is_none_or(|applied| event.sequence.get() > applied.sequence)
    }

    /// Steps the state by one event, and decides, unless the edge's state holds the event.
    pub fn run(&mut self, event: &Event, captured: &Snapshot, setting: &Heard) {
        if self.is_blind || !self.is_later(setting.writer, event) {
            return;
        }
        let Some(loaded) = &self.loaded else { return };
        let in_force = captured.in_force().and(setting.consent.in_force());
        let usable = purposes_of(&loaded.plan, event).and(in_force);
        let moment = setting.moment(event.time_ms, in_force);
        make_up(&loaded.image, &mut self.state, &moment);
        if end_session(&loaded.image, &mut self.state, event, usable, &moment) {
            decide_again(&loaded.image, &mut self.state, &moment, &mut self.recall);
        }
        step(&loaded.image, &mut self.state, event, usable, &moment);
        self.decided = decide_again(&loaded.image, &mut self.state, &moment, &mut self.recall);
        self.spend_leases();
    }

    /// Decides without an event: time passed, or consent changed.
    pub fn decide(&mut self, setting: &Heard) {
        let Some(loaded) = self.loaded.as_ref().filter(|_| !self.is_blind) else { return };
        let moment = setting.moment(setting.now_ms, setting.consent.in_force());
        make_up(&loaded.image, &mut self.state, &moment);
        self.decided = decide_again(&loaded.image, &mut self.state, &moment, &mut self.recall);
    }

    /// When a decision may change though nothing happens, by the page's clock; only what is yet to come.
    #[must_use]
    pub fn next_wake_ms(&self, setting: &Heard) -> Option<u64> {
        let loaded = self.loaded.as_ref().filter(|_| !self.is_blind)?;
        let at_ms = next_wake(&loaded.image, &self.state)?.saturating_sub(setting.skew_ms);
        u64::try_from(at_ms).ok().filter(|at_ms| *at_ms > setting.now_ms)
    }

    /// What is to stand in the slots; `None` where that is as it was told last.
    pub fn wanted(&mut self, setting: &Heard) -> Option<Vec<Wanted>> {
        let has_values = self.loaded.as_ref().is_some_and(|loaded| loaded.image.has_templates());
        let is_told = |(decided, paused): &(Vec<Decision>, Vec<u64>)| {
            *decided == self.decided && *paused == setting.paused
        };
        if self.told.as_ref().is_some_and(is_told) && !has_values {
            return None;
        }
        self.told = Some((self.decided.clone(), setting.paused.clone()));
        let moment = setting.moment(setting.now_ms, setting.consent.in_force());
        Some(self.decided.iter().filter_map(|decision| self.show_of(decision, &moment)).collect())
    }

    /// What this device used of its leases that expired a while ago: no tab will use them any more, which is what the edge
    /// has to know. Of live ones nothing is said, because more may be used while the batch is on its way; nor of one that a newer one
    /// followed on this device, because what was used of it is forgotten.
    #[must_use]
    pub fn dropped_leases(&self, setting: &Heard) -> Vec<LeaseReport> {
        let now_ms = setting.rules_now_ms();
        let report = |hash, body: &CellBody| match body {
            CellBody::Cap(cap)
                if cap.lease.id > 0
                    && (cap.lease.expires_ms.saturating_add(CLOCKS_APART_MS) <= now_ms
                        || is_planted(Mutation::LeaseUnproven))
                    && !self.is_old(hash, cap.lease.id) =>
            {
                let used = self.used(hash, cap.lease.id, cap.lease.granted.saturating_sub(cap.lease.left));
                Some(LeaseReport { rule: hash, lease: cap.lease.id, used })
            }
            _ => None,
        };
        let cells = self.state.cells.iter();
        cells.filter_map(|cell| report(cell.hash, &cell.body)).take(LEASE_REPORTS_MAX).collect()
    }

    /// What the tabs of this device used of a lease: as the record says, and at least what is known here.
    fn used(&self, rule: u64, lease: u32, known: u16) -> u32 {
        let mut said = self.leases.iter().filter(|_| !is_planted(Mutation::AnswerTwice));
        let said = said.find(|report| report.rule == rule && report.lease == lease);
        said.map_or(0, |report| report.used).max(known.into())
    }

    /// Whether a tab of this device took from a newer lease of the cap.
    fn is_old(&self, rule: u64, lease: u32) -> bool {
        self.leases.iter().any(|said| said.rule == rule && said.lease > lease)
    }

    /// What the tabs of this device used, as far as it is known here.
    #[must_use]
    pub fn shared(&self) -> &[LeaseReport] {
        &self.leases
    }

    /// Learns what other tabs used of the leases that this tab shares with them.
    pub fn share_leases(&mut self, leases: Vec<LeaseReport>) {
        leases.into_iter().take(LEASE_REPORTS_MAX).for_each(|said| self.note(said));
        self.spend_leases();
    }

    /// Keeps the newest that is said of a cap's leases: of one lease what was used of it only grows.
    fn note(&mut self, said: LeaseReport) {
        match self.leases.iter_mut().find(|known| known.rule == said.rule) {
            None => self.leases.push(said),
            Some(known) if (known.lease, known.used) < (said.lease, said.used) => *known = said,
            Some(_) => {}
        }
    }

    /// Takes what other tabs used from what is left; what this one took and has not used yet stays its own. Grants are
    /// never given back here.
    pub fn spend_leases(&mut self) {
        if is_planted(Mutation::AnswerTwice) {
            return;
        }
        for report in &self.leases {
            let cell = self.state.cells.iter_mut().find(|cell| cell.hash == report.rule);
            let Some(CellBody::Cap(cap)) = cell.map(|cell| &mut cell.body) else { continue };
            if cap.lease.id == report.lease {
                let of_others = report.used.saturating_sub(pending(&self.claims, report.rule, report.lease));
                let left = u32::from(cap.lease.granted).saturating_sub(of_others);
                cap.lease.left = cap.lease.left.min(u16::try_from(left).unwrap_or(u16::MAX));
            } else if cap.lease.id < report.lease {
                // Another tab has a newer state.
                cap.lease.left = 0;
            }
        }
    }

    /// Takes a grant of all that the rule in a slot counts for.
    pub fn claim(&mut self, slot: &str, rule: &str, now_ms: i64) -> Claimed {
        let rule = fnv1a_64(rule.as_bytes());
        let needs = self.needs_of(slot);
        if let Some(at) = self.claims.iter().position(|(claimed, _)| *claimed == rule) {
            if !self.is_outdated(at, &needs) {
                return Claimed::Nothing;
            }
            self.claims.remove(at);
        }
        if needs.is_empty() && self.lasts(slot) {
            return Claimed::Unasked;
        }
        for Need { grant, left, .. } in &needs {
            let known = grant.count.saturating_sub(*left);
            let known = u32::from(known).saturating_add(pending(&self.claims, grant.rule, grant.lease));
            let known = u16::try_from(known).unwrap_or(u16::MAX);
            let is_used_up = self.used(grant.rule, grant.lease, known) >= grant.count.into();
            let is_gone = self.is_old(grant.rule, grant.lease) || is_used_up || grant.expires_ms <= now_ms;
            if is_gone && !is_planted(Mutation::ClaimUnasked) {
                return Claimed::Refused;
            }
        }
        let owners: Vec<Taken> =
            needs.iter().map(|need| Taken { owner: need.grant.rule, lease: need.grant.lease }).collect();
        for Need { grant, left, .. } in needs {
            let known = grant.count.saturating_sub(left);
            let used = self.used(grant.rule, grant.lease, known).saturating_add(1);
            self.note(LeaseReport { rule: grant.rule, lease: grant.lease, used });
        }
        let is_new = !owners.is_empty();
        if is_new {
            self.claims.push((rule, owners));
        }
        self.spend_leases();
        if is_new { Claimed::Taken } else { Claimed::Nothing }
    }

    /// Whether the edge gave out anew what grants were taken of: what was taken before counts no longer.
    fn is_outdated(&self, claim: usize, needs: &[Need]) -> bool {
        let taken = self.claims.get(claim).map_or(&[][..], |(_, taken)| taken);
        taken.iter().any(|Taken { owner, lease }| {
            needs.iter().any(|need| need.grant.rule == *owner && need.grant.lease > *lease)
                || self.leases.iter().any(|said| said.rule == *owner && said.lease > *lease)
        })
    }

    /// Whether what stands in a slot was held from an earlier page view, where its grant was taken.
    fn lasts(&self, slot: &str) -> bool {
        let Some(Loaded { image, .. }) = &self.loaded else { return false };
        let decision = self.decided.iter().find(|decision| image.slot_name(decision.slot) == slot);
        decision.is_some_and(|decision| match decision.reason {
            Reason::RunsAtEdge => self.edge_of(slot).is_some_and(|edge| edge.reason == Reason::Held),
            _ => is_lasting(image, &self.state, decision),
        })
    }

    /// What a slot's decision needs grants of: of its own rules the page knows it, of others the edge said.
    fn needs_of(&self, slot: &str) -> Vec<Need> {
        let Some(loaded) = &self.loaded else { return Vec::new() };
        let of_slot = |decision: &&Decision| loaded.image.slot_name(decision.slot) == slot;
        let Some(decision) = self.decided.iter().find(of_slot) else { return Vec::new() };
        match decision.reason {
            Reason::RunsAtEdge => self.needs.iter().filter(|need| need.slot == slot).cloned().collect(),
            _ => grants_for(&loaded.image, &self.state, decision, slot),
        }
    }

    /// A rule was seen: the grants that were taken for it are used now.
    pub fn spent(&mut self, rule: &str) {
        let rule = fnv1a_64(rule.as_bytes());
        self.claims.retain(|(claimed, _)| *claimed != rule);
        self.spend_leases();
    }

    /// Whether only the edge can say what to show: the visitor's state is not at hand, or a slot belongs to a rule that runs
    /// at the edge only and its content is not at hand.
    #[must_use]
    pub fn wants_edge(&self) -> bool {
        if self.is_blind {
            return true;
        }
        let mut at_edge = self.decided.iter().filter(|decision| decision.reason == Reason::RunsAtEdge);
        at_edge.any(|decision| self.slot_of(decision).is_some_and(|slot| self.edge_of(slot).is_none()))
    }

    fn slot_of(&self, decision: &Decision) -> Option<&str> {
        Some(self.loaded.as_ref()?.image.slot_name(decision.slot))
    }

    fn edge_of(&self, slot: &str) -> Option<&SlotDecision> {
        self.from_edge.iter().find(|edge| edge.slot == slot && is_the_edges(edge))
    }

    /// The rule of the edge's own that the visitor is held out from in a slot. What the page knows of its rules is newer.
    fn held_out_of(&self, image: &Image, slot: &str) -> Option<String> {
        let edge = self.from_edge.iter().find(|edge| edge.slot == slot)?;
        let rule = edge.held_out.as_deref()?;
        let is_known = (0..image.rules()).any(|at| image.rule_id(at) == rule);
        (!is_known).then(|| rule.into())
    }

    /// What a decision shows. Where the slot is the edge's, what the edge answered; until then, what stands there.
    fn show_of(&self, decision: &Decision, moment: &Moment<'_>) -> Option<Wanted> {
        let image = &self.loaded.as_ref()?.image;
        let slot = self.slot_of(decision)?;
        let mut show = Show { reason: decision.reason, ..blank(slot) };
        match (decision.reason, self.edge_of(slot)) {
            (Reason::RunsAtEdge, Some(edge)) if is_stopped(edge, moment) => {}
            (Reason::RunsAtEdge, Some(edge)) => {
                show.rule.clone_from(&edge.rule);
                show.content.clone_from(&edge.body);
                if edge.reason == Reason::Control {
                    show.reason = edge.reason;
                }
                show.variant.clone_from(&edge.detail);
            }
            (Reason::RunsAtEdge, None) => return Some(Wanted { show, stands: true }),
            _ => {
                show.rule = decision.rule.map(|rule| String::from(image.rule_id(rule)));
                show.content = content(image, &self.state, moment, decision);
                show.variant = decision.variant.map(|at| image.variant_name(at)).unwrap_or_default();
            }
        }
        let held_out = decision.held_out.map(|rule| String::from(image.rule_id(rule)));
        show.held_out = held_out.or_else(|| self.held_out_of(image, slot));
        Some(Wanted { show, stands: false })
    }
}

/// What is to stand in a slot.
#[derive(Debug)]
pub struct Wanted {
    /// That, or what the page itself holds.
    pub show: Show,
    /// Only the edge can say, and has not yet: what stands there stays, if anything does.
    pub stands: bool,
}

/// The program of these bytes, where they are one.
fn load(program: &[u8]) -> Option<Loaded> {
    let image = Image::open(program.into()).ok()?;
    let plan = image.plan().ok()?;
    Some(Loaded { image, plan })
}

/// Whether a decision is of a rule that runs at the edge only.
fn is_the_edges(decision: &SlotDecision) -> bool {
    decision.body.is_some() || decision.reason == Reason::Control
}

/// Whether the rule that the edge decided for may not act here.
fn is_stopped(edge: &SlotDecision, moment: &Moment<'_>) -> bool {
    edge.rule.as_deref().is_some_and(|rule| moment.orders.pauses(fnv1a_64(rule.as_bytes())))
}

/// How many grants of a cap's lease were taken here and are not used yet.
fn pending(claims: &[(u64, Vec<Taken>)], owner: u64, lease: u32) -> u32 {
    let taken = Taken { owner, lease };
    claims.iter().fold(0, |count, (_, all)| count.saturating_add(u32::from(all.contains(&taken))))
}

impl Heard {
    /// The rules' time now.
    #[must_use]
    pub fn rules_now_ms(&self) -> i64 {
        self.moment(self.now_ms, Purposes::NONE).now_ms
    }

    fn moment(&self, time_ms: u64, in_force: Purposes) -> Moment<'_> {
        let received_ms = self.now_ms.saturating_add_signed(self.skew_ms);
        Moment {
            writer: self.writer,
            context: &self.context,
            now_ms: rule_time(time_ms, self.skew_ms, Some(received_ms), Clock::Received),
            in_force,
            place: Place::Page,
            trust: Trust::Client,
            account: None,
            visitor: self.visitor,
            orders: Orders { paused: &self.paused, ..Orders::default() },
        }
    }
}
