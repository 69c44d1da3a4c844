//! The rules: how one event steps a visitor's state, and what is decided from it. The same code runs in the page and at
//! the edge: for each event in order [`step::step`], then [`decide::decide`].

pub mod moment;

pub mod program;

mod decision;

mod texts;

mod kept;

mod known;

mod sequences;

mod counts;

mod facts;

mod lists;

mod cart;

mod happening;

mod metric;

mod state;

mod timers;

mod view;

mod recall;
mod fixed;

mod written;

mod gates;

mod turns;

pub mod deadlines;

mod trials;
pub mod emits;

pub mod grants;

pub mod step;

pub mod decide;

mod content;

pub mod explain;

pub mod leaves;

pub use content::content;
pub use deadlines::{next_deadline, next_due, next_wake, wake};
pub use decide::{Decision, decide, decide_again, decide_in, make_up};
pub use emits::{Emitted, emit};
pub use explain::{Candidate, explain, known_facts};
pub use grants::{
    Asker, CapOf, Later, PutAway, claimed, exhausted, grants_for, is_held, is_lasting, lease, lease_beside,
    offer, pass_on, promise, redeem, take_back, turn_page, without_leases,
};
pub use happening::passes;
pub use known::Known;
pub use leaves::{LeafTruth, as_written, asks_for_the_opposite, leaves};
pub use lists::kept_as;
pub use moment::{Moment, Orders, Place, rule_time};
pub use program::{Image, Program, ProgramFault};
pub use recall::Recall;
pub use state::WIPED;
pub use step::{Stepped, end_session, ends_session, step, step_account};
pub use trials::bucket;
pub use view::told;
pub use written::written_number;
