//! What is remembered of a visitor between batches, and what is forgotten when a purpose is taken back.

use super::terms::Trouble;
use crate::gate::{Gate, STATE_PURPOSES};
use crate::ledger::{Counter, Ledger};
use crate::site::Site;
use alloc::vec::Vec;
use selvedge_core::consent::Purposes;
use selvedge_core::rules::WIPED;
use selvedge_core::wire::state::{CellBody, Session, VisitorState};
use selvedge_core::wire::stored::VisitorRecord;

/// The visitor's state as it is stored. A visitor that is known without one was watched only in part: nothing of what came
/// before is known of it.
pub(super) fn recall(
    record: &VisitorRecord,
    is_known: bool,
    now_ms: i64,
    trouble: &Trouble<'_>,
    ledger: &mut Ledger,
) -> VisitorState {
    let born = VisitorState::new(now_ms);
    let unwatched = |born| VisitorState { in_force: Purposes::NECESSARY, ..born };
    if record.state.is_empty() {
        return if is_known { unwatched(born) } else { born };
    }
    match VisitorState::decode(&record.state) {
        Ok(state) if !trouble.fresh_state => state,
        _ => {
            ledger.add(Counter::StateResets, 1);
            unwatched(born)
        }
    }
}

/// Wipes what is kept for purposes that were taken back. Caps and holds stay while the rules may act at all. Who is wiped is born
/// anew behind that moment: what was sent in the same millisecond, before, is told by its time to be of the state that is gone.
pub(super) fn forget(state: VisitorState, site: &Site, gate: &Gate, now_ms: i64) -> VisitorState {
    if gate.lost.is_empty() {
        return state;
    }
    let in_force = gate.now.in_force();
    let rules_act = in_force.holds(Purposes::PERSONALIZATION);
    let is_state_lost = !gate.lost.and(STATE_PURPOSES).is_empty();
    let parts = site.program.parts();
    let may_count = |hash: u64| {
        parts.metrics.iter().any(|metric| metric.meaning == hash && in_force.holds(metric.purpose))
    };
    let may_follow = |hash: u64| {
        parts.sequences.iter().any(|known| known.meaning == hash && in_force.holds(known.purpose))
    };
    let may_know =
        !is_state_lost && parts.attributes.iter().all(|attribute| in_force.holds(attribute.purpose));
    let mut cells = state.cells;
    cells.retain(|cell| match cell.body {
        CellBody::Metric(_) => may_count(cell.hash),
        CellBody::Sequence(_) => may_follow(cell.hash),
        CellBody::Cap(_)
        | CellBody::Timer(_)
        | CellBody::Member(_)
        | CellBody::Variant(_)
        | CellBody::Values(_) => rules_act,
        CellBody::Attribute(_) => may_know,
        CellBody::Cart(_) => parts.cart.iter().all(|event| in_force.holds(event.purpose)),
    });
    if !is_state_lost {
        return VisitorState { layout: WIPED, cells, ..state };
    }
    let session = if in_force.holds(Purposes::ANALYTICS) {
        state.session
    } else {
        Session {
            caps_since_ms: state.session.caps_since_ms,
            is_gapped: true,
            was_gapped: true,
            ..Session::default()
        }
    };
    VisitorState {
        layout: WIPED,
        last_time_ms: state.last_time_ms,
        in_force: Purposes::NECESSARY,
        session,
        held: if rules_act { state.held } else { Vec::new() },
        cells,
        ..VisitorState::new(now_ms.saturating_add(1))
    }
}
