//! What stands behind a moment: every slot's decision, every rule's reason, and, where it is asked for, what is known.

use super::refused::Refused;
use super::stage::Stage;
use selvedge_core::id::WriterId;
use selvedge_core::rules::{self, Candidate, CapOf, Decision, Known, LeafTruth, Moment, Stepped};
use selvedge_core::wire::answer::Reason;
use selvedge_core::wire::log_row::Emission;
use selvedge_core::wire::state::VisitorState;

/// How much is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// What slots show.
    Decisions,
    /// Also what became of every rule.
    Reasons,
    /// Also what is known of every fact.
    Facts,
}

/// What stands behind a moment.
#[derive(Debug, Clone)]
pub struct Behind {
    /// The rules' time.
    pub now_ms: i64,
    /// Whose page view it is; the writer of the event.
    pub writer: WriterId,
    /// Every slot's decision, in the program's order.
    pub decisions: Vec<Decision>,
    /// Every rule's reason, in the program's order.
    pub candidates: Vec<Candidate>,
    /// Of the rules that are capped, which cap it is: whose, and its place among the caps of its owner.
    pub caps: Vec<(u16, CapOf, usize)>,
    /// What is known of every fact.
    pub facts: Vec<Known>,
    /// The visitor's state.
    pub state: Option<VisitorState>,
    /// What the event did.
    pub stepped: Stepped,
    /// The event was refused, and nothing was decided.
    pub refused: Option<Refused>,
    /// Rules whose decision was assumed to be seen, with the slot.
    pub exposed: Vec<(u16, u16)>,
    /// What destinations were told.
    pub told: Vec<Emission>,
    /// Deadlines that came due before it, in the order of time.
    pub woken: Vec<Behind>,
}

impl Behind {
    /// What is seen of a moment behind which this was decided.
    #[must_use]
    pub fn new(
        stage: &Stage,
        state: &VisitorState,
        moment: &Moment<'_>,
        decisions: &[Decision],
        detail: Detail,
    ) -> Self {
        let program = &stage.site.program;
        let candidates = match detail {
            Detail::Decisions => Vec::new(),
            Detail::Reasons | Detail::Facts => rules::explain(program, state, moment),
        };
        let capped = candidates.iter().filter(|candidate| candidate.reason == Reason::Capped);
        let caps = capped.filter_map(|candidate| {
            let (of, at) = rules::exhausted(program, state, moment, candidate.rule)?;
            Some((candidate.rule, of, at))
        });
        let caps = caps.collect();
        let facts = match detail {
            Detail::Facts => rules::known_facts(program, state, moment),
            Detail::Decisions | Detail::Reasons => Vec::new(),
        };
        Self {
            now_ms: moment.now_ms,
            writer: moment.writer,
            decisions: decisions.to_vec(),
            candidates,
            caps,
            facts,
            state: (detail == Detail::Facts).then(|| state.clone()),
            stepped: Stepped::default(),
            refused: None,
            exposed: Vec::new(),
            told: Vec::new(),
            woken: Vec::new(),
        }
    }

    /// The decision of the slot at this place.
    #[must_use]
    pub fn decision(&self, slot: u16) -> Option<&Decision> {
        self.decisions.iter().find(|decision| decision.slot == slot)
    }

    /// What became of the rule at this place. What won just now is held from now on, but it won.
    #[must_use]
    pub fn reason(&self, rule: u16) -> Option<Reason> {
        let decided = self.decisions.iter().find(|decision| decision.rule == Some(rule));
        let candidate = self.candidates.get(usize::from(rule));
        decided.map(|decision| decision.reason).or_else(|| candidate.map(|candidate| candidate.reason))
    }

    /// The test that decided against the rule at this place.
    #[must_use]
    pub fn deciding_leaf(&self, rule: u16) -> Option<u16> {
        self.candidates.get(usize::from(rule))?.leaf
    }

    /// Every test of the rule's condition, and what it came to.
    #[must_use]
    pub fn leaves(&self, stage: &Stage, rule: u16) -> Vec<LeafTruth> {
        let when = stage.rule(rule).and_then(|rule| rule.when);
        when.map_or_else(Vec::new, |when| rules::leaves(&stage.site.program, &self.facts, when))
    }
}
