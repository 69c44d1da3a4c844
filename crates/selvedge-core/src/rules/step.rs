//! One event steps the state.

use super::moment::Moment;
use super::program::Program;
use crate::consent::Purposes;
use crate::event::Event;
use crate::wire::state::VisitorState;

/// What an event did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stepped {
    /// It came too late to count: nothing changed.
    pub late: bool,
    /// The writer's clock and the rules' time differ by more than [`crate::limits::CLOCK_OFF_MS`].
    pub clock_off: bool,
    /// It began a session.
    pub new_session: bool,
    /// It began a page view.
    pub new_page: bool,
}

/// Steps `state` by `event`, which may be used for `usable`.
pub fn step(
    program: &Program,
    state: &mut VisitorState,
    event: &Event,
    usable: Purposes,
    moment: &Moment,
) -> Stepped {
    let _ = (program, state, event, usable, moment);
    Stepped::default()
}
