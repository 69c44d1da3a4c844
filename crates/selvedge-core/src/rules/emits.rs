//! What rules tell destinations: that a visitor is what they are about, and that it is so no more. At the edge only.

use super::gates::barrier;
use super::known::is_true;
use super::moment::{Moment, may_act};
use super::recall::Recall;
use super::timers;
use super::trials::{is_control, is_held_out, variant_of};
use super::view::told;
use crate::value::Map;
use crate::wire::program::{EmitRow, Image, kind};
use crate::wire::state::{CellBody, MemberCell, VisitorState};
use alloc::vec::Vec;

/// A message to a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emitted {
    /// The rule that sends it, by its place in the program.
    pub rule: u16,
    /// The variant of the rule's experiment that the visitor is in, by its place.
    pub variant: Option<u16>,
    /// The visitor is taken out again.
    pub is_exit: bool,
    /// What goes with it.
    pub fields: Map,
}

/// What is to be told at this moment. Ask before [`super::decide()`], which ends the moment's triggers. What was told is
/// kept: a visitor enters once, and leaves once. `recall` is what the decision of this moment takes, and those before took:
/// what was found of the facts for one is not found again for the other.
pub fn emit(image: &Image, state: &mut VisitorState, moment: &Moment, recall: &mut Recall) -> Vec<Emitted> {
    let mut emitted = Vec::new();
    if image.each_emit().next().is_none() {
        return emitted;
    }
    let now_ms = state.now_ms(moment.now_ms);
    state.align(image, now_ms);
    recall.learn(image, state, moment);
    let known = recall.known();
    timers::run(image, state, moment, known);
    for row in image.each_emit().filter(|row| may_act(image.rule(row.rule()), moment)) {
        let holds = |condition: u16| is_true(image, image.code(), known, condition);
        let timer = image.timer(row.rule());
        // A message does not wait for a place: it was sent, or not, when the rule came due.
        let is_due = timer.is_none_or(|timer| {
            !timers::waits(state, timer, now_ms) && !timers::waits_for_place(state, timer)
        });
        let is_about = holds(image.rule(row.rule()).when());
        let member = member(state, row);
        let next = if member.is_member && row.has_exit() {
            holds(row.exit_when()).then_some(MemberCell { is_member: false, ..member })
        } else if member.is_member && !is_about {
            // Nobody is told where nothing says when it ends: the next time is a new one.
            put(state, row, MemberCell { is_member: false, ..member });
            None
        } else {
            let is_out = row.has_exit() && holds(row.exit_when());
            let is_open = barrier(image, moment, known, row.rule()).is_none()
                && !is_held_out(image, state, moment, image.terms(row.rule()));
            let enters = !member.is_member
                && is_due
                && is_about
                && !is_out
                && is_open
                && may_enter(state, row, member, now_ms)
                && !is_control(image, state, moment, row.rule());
            // What is triggered happens, and does not last, unless something says when it ends.
            let lasts = row.has_exit() || image.timer(row.rule()).is_none_or(|timer| !timer.is_triggered());
            enters.then_some(MemberCell { is_member: lasts, entered_ms: Some(now_ms) })
        };
        if let Some(next) = next {
            put(state, row, next);
            let is_exit = next.entered_ms == member.entered_ms && member.is_member;
            let terms = image.terms(row.rule());
            let experiment = terms.has(kind::TERM_TRIAL).then(|| terms.experiment());
            let variant = experiment.and_then(|at| variant_of(image, state, moment, at));
            let fields = fields(image, state, moment, row);
            emitted.push(Emitted { rule: row.rule(), variant, is_exit, fields });
        }
    }
    emitted
}

/// Whether as much was not sent yet in the stretch that the rule names.
fn may_enter(state: &VisitorState, row: EmitRow, member: MemberCell, now_ms: i64) -> bool {
    let Some(entered_ms) = member.entered_ms else { return true };
    match row.once() {
        kind::ONCE_PER_SESSION => entered_ms < state.session.start_ms,
        kind::ONCE_PER_TIME => now_ms.wrapping_sub(entered_ms) >= row.once_ms().cast_signed(),
        kind::ONCE_PER_VISITOR => false,
        _ => true,
    }
}

fn fields(image: &Image, state: &VisitorState, moment: &Moment, row: EmitRow) -> Map {
    let mut fields = Map::new();
    for field in image.emit_fields(row) {
        fields.set(image.str(field.name()), told(image, state, moment, field.fact()));
    }
    fields
}

fn member(state: &VisitorState, row: EmitRow) -> MemberCell {
    match state.body(row.hash()) {
        Some(CellBody::Member(member)) => *member,
        _ => MemberCell::default(),
    }
}

fn put(state: &mut VisitorState, row: EmitRow, member: MemberCell) {
    state.set_body(row.hash(), CellBody::Member(member));
}
