//! Rules tried on visitors that are not there: each event goes through the edge's own step, alone in its batch, with the
//! event's time as the clock. So nothing is decided here otherwise than at the edge.
//!
//! What a slot shows is assumed to be seen at once, unless the events say themselves what was seen.

pub mod stage;
pub mod refused;
pub mod behind;
pub mod told;
mod capped;
pub mod given;
pub mod account;
pub mod visitor;
pub mod reasons;
pub mod explanation;
pub mod walk;
pub mod verdict;
pub mod case;

pub use behind::Behind;
pub use stage::Stage;
pub use visitor::Visitor;
