//! Caps and the grants that are leased of them.

use super::program::Program;
use crate::event::LeaseReport;
use crate::wire::state::VisitorState;

/// Leases what every cap has left, extends live leases, and settles expired ones. Only the edge calls this: before a
/// batch is stepped and after each of its events.
pub fn lease(program: &Program, state: &mut VisitorState, now_ms: i64, reports: &[LeaseReport]) {
    let _ = (program, state, now_ms, reports);
}
