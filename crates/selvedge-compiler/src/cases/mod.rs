//! tests/*.yaml: what a marketer expects of the rules, case by case. Read and checked here against the site; run elsewhere.

mod value;
mod moment;
mod why;
mod reading;
mod tables;
mod events;
mod emits;
mod expects;
mod read;

use selvedge_core::consent::Purposes;
use selvedge_core::event::EventType;
use selvedge_core::value::{Map, Value};
use selvedge_core::wire::answer::Reason;
use selvedge_core::wire::program::LookupRow;

pub use why::{Relation, Why};

pub(crate) use read::read;
pub use reading::can_be_given;

/// One case: what is given, what happens, what is expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// What it is called, in words.
    pub name: String,
    /// Where it stands.
    pub place: CasePlace,
    /// When it begins: `2026-03-29T01:30`, on the clocks of the site's time zone. `None`: any day will do.
    pub now: Option<String>,
    /// What the visitor granted; `None` is everything.
    pub consent: Option<Purposes>,
    /// Facts that hold from the beginning.
    pub given: Vec<Given>,
    /// Rows that tables have instead of their own.
    pub tables: Vec<GivenTable>,
    /// What happens, in the order of time.
    pub events: Vec<CaseEvent>,
    /// What is expected, in the order of time.
    pub expects: Vec<Expect>,
}

/// A place in a file of tests.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct CasePlace {
    /// The file, as named in the site's folder.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1, in characters.
    pub column: u32,
}

/// A fact that holds from the beginning: a built-in fact or an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// Its name, as conditions write it.
    pub name: String,
    /// Its value.
    pub value: Value,
}

/// The rows that a lookup has in a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenTable {
    /// The lookup's name.
    pub name: String,
    /// Its rows, sorted by key, with a cell for each column of the lookup.
    pub rows: Vec<LookupRow>,
}

/// Something that happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseEvent {
    /// Milliseconds behind the beginning.
    pub at_ms: u64,
    /// As written, without the time.
    pub text: String,
    /// What it is.
    pub happening: Happening,
    /// Where it stands.
    pub place: CasePlace,
}

/// What happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happening {
    /// The visitor arrives: a page view begins.
    Arrival,
    /// The visitor changes what is granted.
    Consent {
        /// Granted from now on.
        granted: Purposes,
        /// Taken back.
        denied: Purposes,
    },
    /// An event.
    Event {
        /// What it is called in the tracking plan.
        name: String,
        /// What kind it is.
        event_type: EventType,
        /// What is known of it.
        properties: Map,
        /// Facts of the moment.
        context: Map,
        /// Which of the visitor's tabs it comes from; 0 is the first.
        tab: u32,
        /// Which other member of the visitor's account it comes from; 0 is the visitor.
        member: u32,
    },
}

/// What is expected at one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expect {
    /// Milliseconds behind the beginning; `None` is right behind the last event.
    pub at_ms: Option<u64>,
    /// What slots show.
    pub slots: Vec<ExpectSlot>,
    /// What the rules in these slots must have been told.
    pub why: Vec<Why>,
    /// What becomes of rules.
    pub reasons: Vec<ExpectReason>,
    /// What destinations were told since the expectation before that says it; `None`: it is not said.
    pub emits: Option<Vec<ExpectEmit>>,
    /// Where it stands.
    pub place: CasePlace,
}

/// What a slot shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectSlot {
    /// The slot.
    pub slot: String,
    /// The content; `None`: no rule has the slot.
    pub content: Option<String>,
    /// Where it stands.
    pub place: CasePlace,
}

/// What a destination is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectEmit {
    /// The rule's id.
    pub rule: String,
    /// That the visitor is not what the rule is about any more.
    pub is_exit: bool,
    /// Fields that go with it; others may go too.
    pub fields: Map,
    /// Where it stands.
    pub place: CasePlace,
}

/// What becomes of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectReason {
    /// Its id.
    pub rule: String,
    /// Why it acts or does not.
    pub reason: Reason,
    /// Where it stands.
    pub place: CasePlace,
}
