//! What the page knows: the program's tracking plan, the bytes that the edge answered last, and what stands in the slots.
//! What follows from them, the rule engine is asked; before it is there, and should it be lost, the edge's decisions stand.
//! Nothing here links the engine's code: in the page it is a module of its own.

use crate::asking::{ANSWERED, Ask, BEGIN, Claimed, SHARE, SPENT, write_lane};
use crate::effect::{Show, blank};
use crate::lane::Lane;
use crate::stored::read_leases;
use alloc::boxed::Box;
use alloc::vec::Vec;
use selvedge_core::event::{Event, LeaseReport, RefusalCode};
use selvedge_core::hash::fnv1a_64;
use selvedge_core::id::{ProgramHash, VisitorId};
use selvedge_core::tracking_plan::{self, Plan, Trust};
use selvedge_core::wire::answer::{Answer, Reason, SlotDecision};
use selvedge_core::wire::codec::Writer;
use selvedge_core::wire::names::Names;
use selvedge_core::wire::program::plan_and_rules;
use selvedge_core::wire::tape::Tape;

/// A program that was loaded.
#[derive(Debug)]
pub struct Loaded {
    /// Its name.
    pub hash: ProgramHash,
    /// Its place in the site's history.
    pub publish: u64,
    /// Its bytes.
    pub bytes: Vec<u8>,
    plan: Plan,
    names: Names,
    has_rules: bool,
}

/// Where the engine is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Engine {
    /// Nobody asked for it.
    #[default]
    Unneeded,
    /// It is being fetched.
    Coming,
    /// It answers.
    There,
    /// It could not be had, or gave no answer.
    Lost,
}

/// What the page knows.
#[derive(Debug)]
pub struct Mind {
    link: Option<Box<dyn Ask>>,
    engine: Engine,
    /// The engine was lost, and nobody was told yet.
    is_loss_untold: bool,
    loaded: Option<Loaded>,
    /// What the engine has to begin from changed since it began.
    is_stale: bool,
    /// The engine has not read the program at hand.
    is_program_new: bool,
    /// The visitor is another than the engine's.
    is_visitor_new: bool,
    born_ms: i64,
    /// What is held in the record holds no longer.
    is_let_go: bool,
    /// The visitor was here before, but its state is not at hand: nothing is decided until the edge answers.
    is_blind: bool,
    /// The edge's public state, as it is stored ([`crate::stored::StateRecord`]); empty where there is none, and the visitor was born at
    /// `born_ms`.
    record: Vec<u8>,
    /// The answer that the edge's decisions are of, and they.
    answer: Vec<u8>,
    from_edge: Vec<SlotDecision>,
    /// The record of what this device used of its leases.
    leases: Vec<u8>,
    shown: Vec<Show>,
    /// The engine was lost: what stands stays until the edge answers.
    is_left_standing: bool,
    /// As the engine said last.
    asks_edge: bool,
    wake_ms: Option<u64>,
}

impl Mind {
    /// A mind that knows nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            link: None,
            engine: Engine::Unneeded,
            is_loss_untold: false,
            loaded: None,
            is_stale: true,
            is_program_new: false,
            is_visitor_new: true,
            born_ms: 0,
            is_let_go: false,
            is_blind: false,
            record: Vec::new(),
            answer: Vec::new(),
            from_edge: Vec::new(),
            leases: Vec::new(),
            shown: Vec::new(),
            is_left_standing: false,
            asks_edge: false,
            wake_ms: None,
        }
    }

    /// Which engine is asked, once that is there.
    pub fn reach(&mut self, engine: Box<dyn Ask>) {
        self.link = Some(engine);
    }

    /// Loads a program; false where its bytes are none.
    pub fn load(&mut self, hash: ProgramHash, publish: u64, bytes: Vec<u8>) -> bool {
        let Ok((plan, has_rules)) = plan_and_rules(&bytes) else { return false };
        let names = plan.names();
        self.is_program_new = true;
        self.is_stale = true;
        self.loaded = Some(Loaded { hash, publish, bytes, plan, names, has_rules });
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
        tracking_plan::refusal(self.plan()?, event, Trust::Client)
    }

    /// Whether the engine answers.
    #[must_use]
    pub fn has_engine(&self) -> bool {
        self.engine == Engine::There
    }

    /// Whether there is anything that may be shown, or told: before an engine or an answer came there is not.
    #[must_use]
    pub fn may_show(&self) -> bool {
        self.has_engine() || self.is_loss_untold || !self.from_edge.is_empty() || !self.shown.is_empty()
    }

    fn has_rules(&self) -> bool {
        self.loaded.as_ref().is_some_and(|loaded| loaded.has_rules)
    }

    /// Whether the engine has to be fetched. True once.
    pub fn calls_engine(&mut self) -> bool {
        let calls = self.engine == Engine::Unneeded && self.has_rules();
        if calls {
            self.engine = Engine::Coming;
        }
        calls
    }

    /// The engine is there, or cannot be had. Call [`Self::replay`] next.
    pub fn meet(&mut self, is_there: bool) {
        if is_there {
            self.engine = Engine::There;
        } else {
            self.lose_engine();
        }
    }

    /// Whether the engine was lost since this was asked last.
    pub const fn take_loss(&mut self) -> bool {
        core::mem::replace(&mut self.is_loss_untold, false)
    }

    fn lose_engine(&mut self) {
        self.engine = Engine::Lost;
        self.is_loss_untold = true;
        self.is_left_standing = true;
        self.answer = Vec::new();
        self.wake_ms = None;
    }

    /// The program that decides here, as batches name it. Where none does, the edge answers with contents, and takes leases for
    /// unused: that is not said while a tab of this device may have used some.
    #[must_use]
    pub fn decides_by(&self) -> Option<ProgramHash> {
        let is_ours = self.engine != Engine::Lost || !self.leases.is_empty();
        self.loaded.as_ref().filter(|_| is_ours).map(|loaded| loaded.hash)
    }

    /// Forgets the visitor, who is born anew at `now_ms`.
    pub fn forget(&mut self, now_ms: u64) {
        self.lose();
        self.born_ms = i64::try_from(now_ms).unwrap_or(i64::MAX);
        self.record = Vec::new();
        self.leases = Vec::new();
        self.is_visitor_new = true;
        self.is_let_go = false;
        self.is_blind = false;
    }

    /// A purpose was lost: what was shown under it holds no longer. Call [`Self::replay`] next.
    pub fn lose(&mut self) {
        self.answer = Vec::new();
        self.from_edge = Vec::new();
        self.is_left_standing = false;
        self.is_let_go = true;
        self.is_stale = true;
    }

    /// The visitor was here before, but what the edge knows of it is not at hand.
    pub const fn blind(&mut self) {
        self.is_blind = true;
        self.is_stale = true;
    }

    /// Takes the edge's public state in place of what stood here; false where it cannot be read. Call [`Self::replay`] next.
    pub fn rebase(&mut self, record: Vec<u8>) -> bool {
        self.record = record;
        self.is_let_go = false;
        self.is_blind = false;
        self.is_stale = true;
        !self.has_engine() || self.later_begin()
    }

    /// Takes the edge's decisions: `body` is the answer that they came with.
    pub fn overlay(&mut self, body: Vec<u8>, answer: &mut Answer) {
        self.answer = body;
        self.is_left_standing = false;
        self.is_stale = true;
        self.from_edge = core::mem::take(&mut answer.decisions);
        // Without the engine nobody can take grants.
        self.from_edge.retain(|decision| !answer.needs.iter().any(|need| need.slot == decision.slot));
    }

    /// Tells the engine what it begins from; false where it cannot read the state.
    #[inline(never)]
    fn later_begin(&mut self) -> bool {
        let mut out = Writer::new();
        out.u8(BEGIN);
        out.flag(self.is_visitor_new);
        out.flag(self.is_let_go);
        out.flag(self.is_blind);
        out.zigzag(self.born_ms);
        out.bytes(&self.record);
        out.bytes(&self.answer);
        out.bytes(&self.leases);
        out.flag(self.is_program_new);
        if let Some(loaded) = self.loaded.as_ref().filter(|_| self.is_program_new) {
            out.raw(&loaded.bytes);
        }
        self.is_stale = false;
        self.is_visitor_new = false;
        self.is_program_new = false;
        let Some(answer) = self.put(&out.into_bytes()) else { return true };
        let mut tape = Tape::new(&answer);
        let (_, is_program, is_state) = (tape.u8(), tape.flag(), tape.flag());
        if !is_program {
            self.lose_engine();
        }
        if !is_state {
            self.record = Vec::new();
            self.blind();
        }
        is_state
    }

    #[inline(never)]
    fn ask(&mut self, question: Writer) -> Option<Vec<u8>> {
        if self.has_engine() && self.is_stale {
            self.later_begin();
        }
        self.put(&question.into_bytes())
    }

    #[inline(never)]
    fn put(&mut self, question: &[u8]) -> Option<Vec<u8>> {
        if !self.has_engine() {
            return None;
        }
        let answer = self.link.as_mut().map_or_else(Vec::new, |link| link.ask(question));
        if answer.first() == Some(&ANSWERED) {
            return Some(answer);
        }
        self.lose_engine();
        None
    }

    /// Steps the state by the newest event of `lane`, and decides. The question is a [`crate::asking::STEP`].
    pub fn run_newest(&mut self, lane: &Lane, mut out: Writer) {
        out.flag(false);
        out.flag(false);
        out.count(1);
        write_lane(&mut out, lane, lane.events.len().saturating_sub(1));
        self.ask(out);
    }

    /// Decides without an event: time passed, or consent changed. The question is a [`crate::asking::STEP`].
    pub fn decide(&mut self, mut out: Writer) {
        out.flag(false);
        out.flag(true);
        out.count(0);
        self.ask(out);
    }

    /// Begins again from the edge's state, runs the later events of the visitor's `lanes`, then decides. The question is a
    /// [`crate::asking::STEP`].
    pub fn replay(&mut self, lanes: &[Lane], visitor: Option<VisitorId>, mut out: Writer) {
        let is_theirs = |lane: &&Lane| Some(lane.head.visitor) == visitor;
        out.flag(true);
        out.flag(true);
        out.count(lanes.iter().filter(is_theirs).count());
        lanes.iter().filter(is_theirs).for_each(|lane| write_lane(&mut out, lane, 0));
        self.ask(out);
    }

    /// When a decision may change though nothing happens, by the page's clock; only what is yet to come.
    #[must_use]
    pub const fn next_wake_ms(&self) -> Option<u64> {
        self.wake_ms
    }

    /// What has to change in the slots. What already stands there is left alone. The question is a [`crate::asking::LOOK`].
    pub fn changes(&mut self, look: Writer, paused: &[u64]) -> Vec<Show> {
        let looked = self.ask(look);
        let Some(mut wanted) = (match looked {
            Some(answer) => self.read_look(&answer),
            None => Some(self.wanted_of_edge(paused)),
        }) else {
            return Vec::new();
        };
        for shown in &self.shown {
            if !wanted.iter().any(|show| show.slot == shown.slot) {
                wanted.push(blank(&shown.slot));
            }
        }
        let shown = core::mem::take(&mut self.shown);
        let mut changes = Vec::new();
        for show in wanted {
            let stands = show.content.is_some() || show.is_recorded();
            let is_new = match shown.iter().find(|known| known.slot == show.slot) {
                Some(known) => {
                    known.rule != show.rule
                        || known.content != show.content
                        || known.held_out != show.held_out
                }
                None => stands,
            };
            if is_new {
                changes.push(show.clone());
            }
            if stands {
                self.shown.push(show);
            }
        }
        changes
    }

    /// What the engine wants in the slots; `None` where that is as it was.
    fn read_look(&mut self, answer: &[u8]) -> Option<Vec<Show>> {
        let tape = &mut Tape::new(answer);
        tape.u8();
        self.asks_edge = tape.flag();
        self.wake_ms = Some(tape.u64()).filter(|wake_ms| *wake_ms > 0);
        if !tape.flag() {
            return None;
        }
        let mut wanted = Vec::new();
        for _ in 0..tape.count() {
            let show = Show::take(tape);
            // Only the edge can say, and has not yet: what stands stays.
            let stands = tape.flag().then(|| self.shown(&show.slot)).flatten();
            wanted.push(stands.cloned().unwrap_or(show));
        }
        Some(wanted)
    }

    /// What the edge decided, or what stands until it answers; without rules that were stopped.
    fn wanted_of_edge(&self, paused: &[u64]) -> Vec<Show> {
        let mut wanted = Vec::new();
        let mut want = |show: Show| {
            let rule = show.rule.as_deref().map(|rule| fnv1a_64(rule.as_bytes()));
            if rule.is_none_or(|rule| !paused.contains(&rule)) {
                wanted.push(show);
            }
        };
        if self.is_left_standing {
            self.shown.iter().for_each(|show| want(show.clone()));
        }
        for edge in self.from_edge.iter().filter(|_| !self.is_left_standing) {
            let is_ours = edge.body.is_some() || edge.reason == Reason::Control;
            let (rule, content) = if is_ours { (edge.rule.clone(), edge.body.clone()) } else { (None, None) };
            want(Show {
                rule,
                content,
                reason: edge.reason,
                variant: edge.detail.clone(),
                held_out: edge.held_out.clone(),
                ..blank(&edge.slot)
            });
        }
        wanted
    }

    /// What stands in a slot.
    #[must_use]
    pub fn shown(&self, slot: &str) -> Option<&Show> {
        self.shown.iter().find(|show| show.slot == slot)
    }

    /// The rule that stands in a slot, by the hash of its id.
    #[must_use]
    pub fn rule_in(&self, slot: &str) -> Option<u64> {
        self.shown(slot)?.rule.as_deref().map(|rule| fnv1a_64(rule.as_bytes()))
    }

    /// What this device used of its leases that expired a while ago: no tab will use them any more, which is what the edge
    /// has to know. Of live ones nothing is said, because more may be used while the batch is on its way. The question is a
    /// [`crate::asking::DROPPED`].
    #[must_use]
    pub fn dropped_leases(&mut self, dropped: Writer) -> Vec<LeaseReport> {
        let answer = self.ask(dropped).unwrap_or_default();
        read_leases(answer.get(1..).unwrap_or_default())
    }

    /// Learns what other tabs used of the leases that this tab shares with them.
    pub fn share_leases(&mut self, leases: &[u8]) {
        self.leases = leases.into();
        if self.has_engine() {
            self.later_share();
        }
    }

    #[inline(never)]
    fn later_share(&mut self) {
        let mut out = Writer::new();
        out.u8(SHARE);
        out.raw(&self.leases);
        self.ask(out);
    }

    /// Takes a grant of all that the rule in a slot counts for. Where any was taken, `self.leases()` is another. The question
    /// is a [`crate::asking::CLAIM`].
    pub fn claim(&mut self, slot: &str, rule: &str, mut out: Writer) -> Claimed {
        out.text(slot);
        out.text(rule);
        match self.ask(out).as_deref() {
            Some([_, 0, ..]) => Claimed::Refused,
            Some([_, 2, leases @ ..]) => {
                self.leases = leases.into();
                Claimed::Taken
            }
            None | Some([_, 3, ..]) => Claimed::Unasked,
            Some(_) => Claimed::Nothing,
        }
    }

    /// The record of what this device used of its leases.
    #[must_use]
    pub fn leases(&self) -> &[u8] {
        &self.leases
    }

    /// A rule was seen: the grants that were taken for it are used now.
    pub fn spent(&mut self, rule: &str) {
        let mut out = Writer::new();
        out.u8(SPENT);
        out.text(rule);
        self.ask(out);
    }

    /// Whether only the edge can say what to show: the visitor's state is not at hand, or a slot belongs to a rule that runs
    /// at the edge only and its content is not at hand, or there is no engine.
    #[must_use]
    pub fn wants_edge(&self) -> bool {
        match self.engine {
            Engine::Lost => self.has_rules() && self.answer.is_empty(),
            _ => self.asks_edge,
        }
    }
}
