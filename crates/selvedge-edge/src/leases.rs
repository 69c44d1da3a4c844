//! Who holds the grants of caps: devices, that lease them and decide for themselves; or the edge, for hands that show what it
//! answers. One answer is one request's: what is granted for it is kept with everything else that the request changes.

use crate::site::Site;
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use selvedge_core::consent::Purposes;
use selvedge_core::event::{BatchHeader, Clock, Event, EventType, LeaseReport};
use selvedge_core::limits::{CLOCKS_APART_MS, LEASE_MS, PROMISE_SEEN_MS};
use selvedge_core::mutation::{Mutation, is_planted};
use selvedge_core::rules::{self, Asker, Decision, Moment, Orders, PutAway, Recall};
use selvedge_core::tracking_plan::Trust;
use selvedge_core::value::Value;
use selvedge_core::wire::promise::Promise;
use selvedge_core::wire::state::{CapCell, CellBody, Lease, VisitorState};

/// How often it is decided anew without a rule that no grant can be had for, before nothing is shown.
const TRIES: usize = 8;
/// The property of an exposure that says whether a grant of the device's lease was taken for it.
const GRANTED: &str = "granted";

/// A grant that an answer holds.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Granted {
    /// For what is shown in this slot,
    pub slot: String,
    /// of this rule.
    pub rule: String,
    /// Until when it may be seen: Unix milliseconds.
    pub until_ms: i64,
}

/// Who shows what is decided.
#[derive(Debug)]
enum Hands {
    /// A device with an engine: it reports what it used.
    Reporting,
    /// A device that has not loaded its engine, or lost it, and shows nothing that needs a grant; or a recording, in which no page
    /// takes part. What of its lease is over for so many milliseconds it did not use: by the clock of another tab, which has its
    /// engine, a device's may last longer.
    Silent(i64),
    /// Nobody is answered, or by a page that leases for itself: devices keep what they have (these leases), others get nothing.
    Nobody(Vec<(u64, u32)>),
    /// Hands without an engine: the edge takes the grants.
    Plain(Asker),
    /// The same, whose event is taken up again long after: nothing is shown.
    PlainAgain(u64),
}

/// How one request deals with grants.
#[derive(Debug)]
pub struct Leases {
    hands: Hands,
    /// What answers hold.
    promised: Vec<Promise>,
    /// What they hold once the decisions that were made last are answered.
    next: Option<Vec<Promise>>,
    away: PutAway,
    /// Which of the visitor's devices holds the leases.
    holder: u32,
    /// The request is of another device than that, which may use them still: it gets none, and what it says is not of them.
    is_apart: bool,
    /// It holds them only since this request: what it says is of none of them.
    is_new: bool,
    /// The slots that are asked for; empty stands for all.
    slots: Vec<u16>,
    /// Whether anything may be granted at all.
    is_allowed: bool,
}

impl Leases {
    fn of(hands: Hands, promised: Vec<Promise>) -> Self {
        let away = PutAway::default();
        let (holder, is_apart, is_new) = (0, false, false);
        Self {
            hands,
            promised,
            next: None,
            away,
            holder,
            is_apart,
            is_new,
            slots: Vec::new(),
            is_allowed: true,
        }
    }

    /// How the batch with this header deals with grants, beside what answers hold (`promised`). `is_plain`: it came as JSON, and
    /// `is_named` its events name themselves, so that no writer tells page views apart.
    pub(crate) fn of_batch(
        header: &BatchHeader,
        trust: Trust,
        (is_plain, is_named): (bool, bool),
        promised: Vec<Promise>,
        received_ms: u64,
    ) -> Self {
        let is_server = trust == Trust::Server;
        let hands = if header.program.is_some() || !header.leases.is_empty() {
            Hands::Reporting
        } else if header.clock == Clock::Event {
            Hands::Silent(0)
        } else if !(is_plain || is_server) {
            Hands::Silent(CLOCKS_APART_MS)
        } else {
            let holder = if is_named { Asker::NAMELESS } else { header.writer.bits() };
            Hands::Plain(Asker { holder, is_again: false, time_ms: clock(received_ms) })
        };
        Self::of(hands, promised)
    }

    /// Whose the leases are (`known`), beside who asks with this tag. They are put away while the device that holds them may use
    /// them; behind that who asks holds what comes.
    pub(crate) fn meet(
        mut self,
        site: &Site,
        state: &mut VisitorState,
        (known, tag): (u32, u32),
        now_ms: i64,
    ) -> Self {
        self.holder = known;
        let is_device = matches!(self.hands, Hands::Reporting | Hands::Silent(_));
        if !is_device || tag == known || is_planted(Mutation::LeasesOfAnyDevice) {
            return self;
        }
        if rules::is_held(state, now_ms) {
            self.is_apart = true;
            self.away = PutAway::all(state);
        } else {
            rules::pass_on(&site.program, state, now_ms);
            (self.holder, self.is_new) = (tag, true);
        }
        self
    }

    /// Which of the visitor's devices holds the leases from now on, by its tag.
    pub(crate) const fn holder(&self) -> u32 {
        self.holder
    }

    /// What a page gets of the state: of leases that are another device's nothing.
    pub(crate) fn shown(&self, mut public: VisitorState) -> VisitorState {
        if self.is_apart {
            rules::without_leases(&mut public);
        }
        public
    }

    /// Where an event is taken up again: nobody is answered.
    pub(crate) fn again(mut self) -> Self {
        if let Hands::Plain(asker) = self.hands {
            self.hands = Hands::PlainAgain(asker.holder);
        }
        self
    }

    /// Where nobody is answered, or somebody who leases by itself: what is leased for the decision is given back.
    pub(crate) fn of_nobody(state: &VisitorState, promised: Vec<Promise>) -> Self {
        let held = caps(state).filter(|(_, cap)| cap.lease.left > 0);
        Self::of(Hands::Nobody(held.map(|(at, cap)| (at, cap.lease.id)).collect()), promised)
    }

    /// For a question about these slots (all, where there are none), whose answer takes the grants of what it shows, where it
    /// may.
    pub(crate) fn of_question(
        (holder, slots): (u64, Vec<u16>),
        promised: Vec<Promise>,
        now_ms: u64,
        is_allowed: bool,
    ) -> Self {
        let asker = Asker { holder, is_again: false, time_ms: clock(now_ms) };
        Self { slots, is_allowed, ..Self::of(Hands::Plain(asker), promised) }
    }

    /// Grants what caps have left, before rules are decided at `now_ms`, where the consent in force allows to keep it.
    pub(crate) fn lease(
        &mut self,
        site: &Site,
        state: &mut VisitorState,
        (now_ms, in_force): (i64, Purposes),
        reports: &[LeaseReport],
    ) {
        let is_allowed = in_force.holds(Purposes::PERSONALIZATION) && !self.is_apart;
        let reports = if self.is_new { &[] } else { reports };
        if let Hands::Plain(asker) = self.hands {
            core::mem::take(&mut self.away).put_back(state);
            let is_allowed = is_allowed && self.is_allowed;
            self.away = rules::offer(&site.program, state, (now_ms, asker), &mut self.promised, is_allowed);
        } else if is_allowed && !matches!(self.hands, Hands::PlainAgain(_)) {
            if let Hands::Silent(apart_ms) = self.hands
                && !self.is_new
            {
                rules::take_back(state, now_ms.saturating_sub(apart_ms));
            }
            rules::lease_beside(&site.program, state, now_ms, reports, &self.promised);
        }
    }

    /// The event as rules step by it. An exposure from hands without an engine used what an answer held, none of what a device
    /// leased; one from another device none of what the holder has. A page view that begins there ends the one before, of which nothing is on its way where `is_in_order`.
    pub(crate) fn told<'a>(&mut self, event: &'a Event, is_in_order: bool) -> Cow<'a, Event> {
        let of_plain = match self.hands {
            Hands::Plain(Asker { holder, .. }) | Hands::PlainAgain(holder) => Some(holder),
            _ if self.is_apart => None,
            _ => return Cow::Borrowed(event),
        };
        if let Some(holder) = of_plain.filter(|_| event.event_type == EventType::Page) {
            rules::turn_page(&mut self.promised, holder, is_in_order);
        }
        if event.event_type != EventType::Exposure {
            return Cow::Borrowed(event);
        }
        if let Some(holder) = of_plain {
            rules::redeem(&mut self.promised, event, holder);
        }
        let mut told = event.clone();
        told.properties.set(GRANTED, Value::Bool(false));
        Cow::Owned(told)
    }

    /// The batch brought nothing that was not known: its answer is the one that was given before.
    pub(crate) const fn repeat(&mut self) {
        if let Hands::Plain(asker) = &mut self.hands {
            asker.is_again = true;
        }
    }

    /// Decides every slot. What would be shown to hands without an engine and cannot be granted is not: the next candidate wins.
    pub(crate) fn decide(
        &mut self,
        site: &Site,
        state: &mut VisitorState,
        moment: &Moment<'_>,
        recall: &mut Recall,
    ) -> Vec<Decision> {
        let Hands::Plain(asker) = self.hands else {
            return rules::decide_again(&site.program, state, moment, recall);
        };
        let mut barred = moment.orders.paused.to_vec();
        loop {
            let moment = Moment { orders: Orders { paused: &barred, ..moment.orders }, ..*moment };
            let (mut tried, mut next) = (state.clone(), self.promised.clone());
            let decisions = rules::decide_again(&site.program, &mut tried, &moment, recall);
            let shown: Vec<Decision> =
                decisions.iter().filter(|decision| self.is_asked(decision.slot)).copied().collect();
            let granted =
                rules::promise(&site.program, &tried, &moment, (asker, &self.away), &shown, &mut next);
            let Err(at) = granted else {
                *state = tried;
                self.next = Some(next);
                return decisions;
            };
            let is_last = barred.len() >= moment.orders.paused.len().saturating_add(TRIES);
            let rule = site.program.rules().get(usize::from(at)).map(rules::program::rule_hash);
            barred.push(rule.filter(|_| !is_last).unwrap_or(Orders::ALL));
        }
    }

    fn is_asked(&self, slot: u16) -> bool {
        self.slots.is_empty() || self.slots.contains(&slot)
    }

    /// Whether the edge takes the grants, so that who is answered needs none.
    pub(crate) const fn grants_itself(&self) -> bool {
        matches!(self.hands, Hands::Plain(_))
    }

    /// The decisions that were made last are answered: what was promised for them stands.
    pub(crate) fn answer(&mut self) {
        if let Some(next) = self.next.take().filter(|_| !is_planted(Mutation::AnswerUngranted)) {
            self.promised = next;
        }
    }

    /// The grants that these decisions are answered with.
    pub(crate) fn granted(&self, site: &Site, decisions: &[Decision]) -> Vec<Granted> {
        let Hands::Plain(asker) = self.hands else { return Vec::new() };
        let parts = site.program.parts();
        let of_decision = |decision: &Decision| {
            let rule = site.program.rules().get(usize::from(decision.rule?))?;
            let hash = rules::program::rule_hash(rule);
            let is_of = |promise: &&Promise| promise.rule == hash && !promise.is_spent;
            let promise =
                self.promised.iter().filter(is_of).rev().find(|promise| asker.is_answered_by(promise))?;
            Some(Granted {
                slot: parts.slots.get(usize::from(decision.slot))?.name.clone(),
                rule: rule.id.clone(),
                until_ms: promise.expires_ms.saturating_sub(LEASE_MS).saturating_add(PROMISE_SEEN_MS),
            })
        };
        decisions.iter().filter_map(of_decision).collect()
    }

    /// Ends the request: devices have their leases again, and what was leased for nobody is given back.
    pub(crate) fn settle(&mut self, state: &mut VisitorState) -> Vec<Promise> {
        core::mem::take(&mut self.away).put_back(state);
        if let Hands::Nobody(held) = &self.hands {
            for cell in &mut state.cells {
                if let CellBody::Cap(cap) = &mut cell.body
                    && !held.contains(&(cell.hash, cap.lease.id))
                {
                    cap.lease = Lease { id: cap.lease.id, ..Lease::default() };
                }
            }
        }
        core::mem::take(&mut self.promised)
    }
}

fn clock(time_ms: u64) -> i64 {
    i64::try_from(time_ms).unwrap_or(i64::MAX)
}

fn caps(state: &VisitorState) -> impl Iterator<Item = (u64, &CapCell)> {
    state.cells.iter().filter_map(|cell| match &cell.body {
        CellBody::Cap(cap) => Some((cell.hash, cap)),
        _ => None,
    })
}
