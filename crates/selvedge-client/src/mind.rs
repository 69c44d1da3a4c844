//! What the page knows and decides: the program, the last public state of the edge with this page's own later events
//! replayed on it, and what stands in the slots. The page's state is never merged: an answer replaces it.

use crate::effect::Show;
use crate::lane::{Lane, Queued, purposes_of};
use crate::stored::seen_hash;
use alloc::string::String;
use alloc::vec::Vec;
use selvedge_core::consent::{Purposes, Snapshot};
use selvedge_core::event::{Clock, Event, LeaseReport, RefusalCode};
use selvedge_core::hash::fnv1a_64;
use selvedge_core::id::{ProgramHash, VisitorId, WriterId};
use selvedge_core::limits::LEASE_REPORTS_MAX;
use selvedge_core::mutation::{Mutation, is_planted};
use selvedge_core::rules::{
    Decision, Image, Moment, Orders, Place, Recall, content, decide_again, end_session, grants_for, make_up,
    next_wake, rule_time, step,
};
use selvedge_core::tracking_plan::{self, Plan, Trust};
use selvedge_core::value::Map;
use selvedge_core::wire::answer::{Applied, Need, Reason, SlotDecision};
use selvedge_core::wire::names::Names;
use selvedge_core::wire::state::{CellBody, VisitorState};

/// How long behind a lease's end no tab uses it any more, however their clocks were measured.
const SETTLED_MS: i64 = 60_000;

/// A program that was loaded.
#[derive(Debug)]
pub struct Loaded {
    /// Its name.
    pub hash: ProgramHash,
    /// Its place in the site's history.
    pub publish: u64,
    /// Its bytes, read in place.
    pub image: Image,
    plan: Plan,
    names: Names,
}

/// Where, when and under what consent events are run.
#[derive(Debug, Clone, Copy)]
pub struct Setting<'a> {
    /// Whose events.
    pub writer: WriterId,
    /// Facts that hold for all of them.
    pub context: &'a Map,
    /// The writer's skew.
    pub skew_ms: i64,
    /// The page's clock.
    pub now_ms: u64,
    /// The consent in force.
    pub consent: &'a Snapshot,
    /// Whose events, where that is known.
    pub visitor: VisitorId,
    /// Rules that were stopped.
    pub paused: &'a [u64],
}

/// What the page knows.
#[derive(Debug)]
pub struct Mind {
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
    shown: Vec<Show>,
    /// The decisions that `shown` was made of; `None` where something else changed since.
    drawn: Option<Vec<Decision>>,
    leases: Vec<LeaseReport>,
    /// Rules that this tab took grants for and that were not seen yet, with what the grants are of.
    claims: Vec<(u64, Vec<u64>)>,
    /// What the edge's decisions need grants of.
    needs: Vec<Need>,
    /// The visitor was here before, but its state is not at hand: nothing is decided until the edge answers.
    is_blind: bool,
}

impl Default for Mind {
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
            shown: Vec::new(),
            drawn: None,
            leases: Vec::new(),
            claims: Vec::new(),
            needs: Vec::new(),
            is_blind: false,
        }
    }
}

impl Mind {
    /// Loads a program; false where its bytes are none.
    pub fn load(&mut self, hash: ProgramHash, publish: u64, bytes: Vec<u8>) -> bool {
        let Ok(image) = Image::open(bytes) else { return false };
        let Ok(plan) = image.plan() else { return false };
        let names = plan.names();
        self.drawn = None;
        self.recall = Recall::default();
        self.loaded = Some(Loaded { hash, publish, image, plan, names });
        true
    }

    /// The program at hand.
    #[must_use]
    pub const fn loaded(&self) -> Option<&Loaded> {
        self.loaded.as_ref()
    }

    /// The tracking plan at hand.
    #[must_use]
    pub fn plan(&self) -> Option<&Plan> {
        self.loaded.as_ref().map(|loaded| &loaded.plan)
    }

    /// The dictionary at hand.
    #[must_use]
    pub fn names(&self) -> Option<&Names> {
        self.loaded.as_ref().map(|loaded| &loaded.names)
    }

    /// What the tracking plan has against `event`, as far as it is known here.
    #[must_use]
    pub fn judge(&self, event: &Event) -> Option<RefusalCode> {
        tracking_plan::judge(self.plan()?, event, Trust::Client).err().map(|violation| violation.code)
    }

    /// Forgets the visitor, who is born anew at `now_ms`.
    pub fn forget(&mut self, now_ms: u64) {
        self.base = Vec::new();
        self.born_ms = i64::try_from(now_ms).unwrap_or(i64::MAX);
        self.rewind();
        self.applied = Vec::new();
        self.drawn = None;
        self.from_edge = Vec::new();
        self.leases = Vec::new();
        self.claims = Vec::new();
        self.needs = Vec::new();
        self.is_blind = false;
    }

    /// A purpose was lost: what was shown under it holds no longer. Call [`Self::replay`] next.
    pub fn lose(&mut self) {
        self.drawn = None;
        self.from_edge = Vec::new();
        self.is_let_go = true;
    }

    /// The visitor was here before, but what the edge knows of it is not at hand.
    pub const fn blind(&mut self) {
        self.is_blind = true;
    }

    /// Takes the edge's public state in place of what stood here. Call [`Self::replay`] next.
    pub fn rebase(&mut self, state: &[u8], applied: Vec<Applied>) -> bool {
        if VisitorState::decode(state).is_err() {
            return false;
        }
        self.base = state.into();
        self.is_let_go = false;
        self.applied = applied;
        self.is_blind = false;
        true
    }

    /// Takes the edge's decisions of rules that run only there.
    pub fn overlay(&mut self, decisions: Vec<SlotDecision>, needs: Vec<Need>) {
        self.drawn = None;
        self.needs = needs;
        self.from_edge = decisions;
        self.from_edge.retain(|decision| is_the_edges(decision) || decision.held_out.is_some());
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
    pub fn is_later(&self, writer: WriterId, event: &Event) -> bool {
        let applied = self.applied.iter().find(|applied| applied.writer == writer);
        applied.is_none_or(|applied| event.sequence.get() > applied.sequence)
    }

    /// Steps the state by one event, and decides.
    pub fn run(&mut self, queued: &Queued, setting: &Setting<'_>) {
        let is_applicable = queued.applies && !self.is_blind;
        let Some(loaded) = self.loaded.as_ref().filter(|_| is_applicable) else { return };
        let event = &queued.event;
        let in_force = queued.snapshot.in_force().and(setting.consent.in_force());
        let usable = purposes_of(Some(&loaded.plan), event).and(in_force);
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
    pub fn decide(&mut self, setting: &Setting<'_>) {
        let Some(loaded) = self.loaded.as_ref().filter(|_| !self.is_blind) else { return };
        let moment = setting.moment(setting.now_ms, setting.consent.in_force());
        make_up(&loaded.image, &mut self.state, &moment);
        self.decided = decide_again(&loaded.image, &mut self.state, &moment, &mut self.recall);
    }

    /// When a decision may change though nothing happens, by the page's clock; only what is yet to come.
    #[must_use]
    pub fn next_wake_ms(&self, setting: &Setting<'_>) -> Option<u64> {
        let loaded = self.loaded.as_ref().filter(|_| !self.is_blind)?;
        let at_ms = next_wake(&loaded.image, &self.state)?.saturating_sub(setting.skew_ms);
        u64::try_from(at_ms).ok().filter(|at_ms| *at_ms > setting.now_ms)
    }

    /// Runs the later events of the visitor's `lanes`, then decides.
    pub fn replay(&mut self, lanes: &[Lane], visitor: Option<VisitorId>, setting: &Setting<'_>) {
        self.rewind();
        for lane in lanes.iter().filter(|lane| Some(lane.head.visitor) == visitor) {
            let setting = Setting {
                writer: lane.writer,
                context: &lane.head.context,
                skew_ms: lane.head.skew_ms,
                ..*setting
            };
            for queued in &lane.events {
                if self.is_later(lane.writer, &queued.event) {
                    self.run(queued, &setting);
                }
            }
        }
        self.spend_leases();
        self.decide(setting);
    }

    /// What has to change in the slots. What already stands there is left alone.
    pub fn changes(&mut self, setting: &Setting<'_>) -> Vec<Show> {
        let has_values = self.loaded.as_ref().is_some_and(|loaded| loaded.image.has_templates());
        if self.drawn.as_ref() == Some(&self.decided) && !has_values {
            return Vec::new();
        }
        self.drawn = Some(self.decided.clone());
        let moment = setting.moment(setting.now_ms, setting.consent.in_force());
        let mut wanted: Vec<Show> =
            self.decided.iter().filter_map(|decision| self.show_of(decision, &moment)).collect();
        for shown in &self.shown {
            if !wanted.iter().any(|show| show.slot == shown.slot) {
                wanted.push(blank(&shown.slot));
            }
        }
        let shown = core::mem::take(&mut self.shown);
        let is_new = |show: &&Show| match shown.iter().find(|known| known.slot == show.slot) {
            Some(known) => {
                known.rule != show.rule || known.content != show.content || known.held_out != show.held_out
            }
            None => show.content.is_some() || show.is_recorded(),
        };
        let changes = wanted.iter().filter(is_new).cloned().collect();
        wanted.retain(|show| show.content.is_some() || show.is_recorded());
        self.shown = wanted;
        changes
    }

    /// What stands in a slot.
    #[must_use]
    pub fn shown(&self, slot: &str) -> Option<&Show> {
        self.shown.iter().find(|show| show.slot == slot)
    }

    /// What this device used of its leases that expired a while ago: no tab will use them any more, which is what the edge
    /// has to know. Of live ones nothing is said, because more may be used while the batch is on its way.
    #[must_use]
    pub fn dropped_leases(&self, setting: &Setting<'_>) -> Vec<LeaseReport> {
        let now_ms = setting.rules_now_ms();
        let report = |hash, body: &CellBody| match body {
            CellBody::Cap(cap)
                if cap.lease.id > 0 && cap.lease.expires_ms.saturating_add(SETTLED_MS) <= now_ms =>
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
        let said = self.leases.iter().find(|report| report.rule == rule && report.lease == lease);
        said.map_or(0, |report| report.used).max(known.into())
    }

    /// What the tabs of this device used, as far as it is known here.
    #[must_use]
    pub fn shared(&self) -> &[LeaseReport] {
        &self.leases
    }

    /// Learns what other tabs used of the leases that this tab shares with them.
    pub fn share_leases(&mut self, leases: Vec<LeaseReport>) {
        leases.into_iter().for_each(|said| self.note(said));
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
    fn spend_leases(&mut self) {
        for report in &self.leases {
            let cell = self.state.cells.iter_mut().find(|cell| cell.hash == report.rule);
            let Some(CellBody::Cap(cap)) = cell.map(|cell| &mut cell.body) else { continue };
            if cap.lease.id == report.lease {
                let of_others = report.used.saturating_sub(pending(&self.claims, report.rule));
                let left = u32::from(cap.lease.granted).saturating_sub(of_others);
                cap.lease.left = cap.lease.left.min(u16::try_from(left).unwrap_or(u16::MAX));
            } else if cap.lease.id < report.lease {
                // Another tab has a newer state.
                cap.lease.left = 0;
            }
        }
    }

    /// The rule that stands in a slot, by the hash of its id.
    #[must_use]
    pub fn rule_in(&self, slot: &str) -> Option<u64> {
        self.shown(slot)?.rule.as_deref().map(|rule| fnv1a_64(rule.as_bytes()))
    }

    /// Takes a grant of all that what stands in a slot counts for. Whether any was taken; `None` where one cannot be had.
    pub fn claim(&mut self, slot: &str, now_ms: i64, seen: &[u64]) -> Option<bool> {
        let Some(rule) = self.shown(slot).and_then(|show| show.rule.as_deref()) else { return Some(false) };
        let is_seen = seen.contains(&seen_hash(slot, rule, ""));
        let rule = fnv1a_64(rule.as_bytes());
        if is_seen || self.claims.iter().any(|(claimed, _)| *claimed == rule) {
            return Some(false);
        }
        let needs = self.needs_of(slot);
        for Need { grant, left, .. } in &needs {
            let known = grant.count.saturating_sub(*left);
            let known = u32::from(known).saturating_add(pending(&self.claims, grant.rule));
            let known = u16::try_from(known).unwrap_or(u16::MAX);
            let is_old = self.leases.iter().any(|said| said.rule == grant.rule && said.lease > grant.lease);
            let is_used_up = self.used(grant.rule, grant.lease, known) >= grant.count.into();
            let is_gone = is_old || is_used_up || grant.expires_ms <= now_ms;
            if is_gone && !is_planted(Mutation::ClaimUnasked) {
                return None;
            }
        }
        let owners: Vec<u64> = needs.iter().map(|need| need.grant.rule).collect();
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
        Some(is_new)
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

    /// What stands in the slots has to be looked at again.
    pub fn redraw(&mut self) {
        self.drawn = None;
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
    fn show_of(&self, decision: &Decision, moment: &Moment<'_>) -> Option<Show> {
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
            (Reason::RunsAtEdge, None) => return self.shown(slot).cloned(),
            _ => {
                show.rule = decision.rule.map(|rule| String::from(image.rule_id(rule)));
                show.content = content(image, &self.state, moment, decision);
                show.variant = decision.variant.map(|at| image.variant_name(at)).unwrap_or_default();
            }
        }
        let held_out = decision.held_out.map(|rule| String::from(image.rule_id(rule)));
        show.held_out = held_out.or_else(|| self.held_out_of(image, slot));
        Some(show)
    }
}

/// Whether a decision is of a rule that runs at the edge only.
fn is_the_edges(decision: &SlotDecision) -> bool {
    decision.body.is_some() || decision.reason == Reason::Control
}

/// Whether the rule that the edge decided for may not act here.
fn is_stopped(edge: &SlotDecision, moment: &Moment<'_>) -> bool {
    edge.rule.as_deref().is_some_and(|rule| moment.orders.pauses(fnv1a_64(rule.as_bytes())))
}

/// How many grants of a cap were taken here and are not used yet.
fn pending(claims: &[(u64, Vec<u64>)], owner: u64) -> u32 {
    claims.iter().fold(0, |count, (_, owners)| count.saturating_add(u32::from(owners.contains(&owner))))
}

/// Nothing of ours in a slot.
fn blank(slot: &str) -> Show {
    Show {
        slot: slot.into(),
        rule: None,
        content: None,
        reason: Reason::Fallback,
        variant: String::new(),
        held_out: None,
    }
}

impl<'a> Setting<'a> {
    /// The rules' time now.
    pub fn rules_now_ms(&self) -> i64 {
        self.moment(self.now_ms, Purposes::NONE).now_ms
    }

    fn moment(&self, time_ms: u64, in_force: Purposes) -> Moment<'a> {
        let received_ms = self.now_ms.saturating_add_signed(self.skew_ms);
        Moment {
            writer: self.writer,
            context: self.context,
            now_ms: rule_time(time_ms, self.skew_ms, Some(received_ms), Clock::Received),
            in_force,
            place: Place::Page,
            trust: Trust::Client,
            account: None,
            visitor: self.visitor,
            orders: Orders { paused: self.paused, forced: &[] },
        }
    }
}
