//! The gates before a rule: what keeps it from acting, and ends what stands. Its condition, caps and group are asked only when
//! it begins.

use super::known::{Known, is_true};
use super::moment::{Moment, Place};
use super::recall::Desk;
use crate::wire::answer::Reason;
use crate::wire::program::{Image, TermsRow, kind};
use crate::wire::state::{Held, VisitorState};

/// The suppression that a rule of these terms yields to, by its place.
pub(super) fn suppression_of(image: &Image, known: &[Known], terms: TermsRow) -> Option<u16> {
    let all = terms.suppressions();
    let is_set = |at: &u16| all.checked_shr((*at).into()).unwrap_or(0) & 1 == 1;
    (0..SUPPRESSION_BITS)
        .filter(is_set)
        .find(|at| is_true(image, image.code(), known, image.suppression_when(*at)))
}

const SUPPRESSION_BITS: u16 = 32;

/// Whether a rule of these terms has a schedule, and this is no time of it.
pub(super) fn is_outside(image: &Image, known: &[Known], terms: TermsRow) -> bool {
    terms.has(kind::TERM_SCHEDULE) && !is_true(image, image.code(), known, terms.schedule())
}

/// Whether the condition that ends a rule is true.
pub(super) fn is_over(image: &Image, known: &[Known], terms: TermsRow) -> bool {
    terms.has(kind::TERM_UNTIL) && is_true(image, image.code(), known, terms.until())
}

/// Lets go for good of what is held until a condition is true that is true now.
pub(super) fn release(
    image: &Image,
    state: &mut VisitorState,
    moment: &Moment,
    known: &[Known],
    desk: &mut Desk,
) {
    if !image.has_terms() {
        return;
    }
    let mut lasts = |held: &Held| {
        let at = desk.rule_of(image, held.rule);
        at.is_none_or(|at| !is_over(image, known, image.terms(at)))
    };
    state.held.retain(&mut lasts);
    if let Some(page) = state.page_mut(moment.writer) {
        page.held.retain(lasts);
    }
}

/// Why a rule may not act, where it may not; the order of these is that of deciding.
pub(super) fn barrier(
    image: &Image,
    moment: &Moment,
    known: &[Known],
    at: u16,
) -> Option<(Reason, Option<u16>)> {
    let (rule, terms) = (image.rule(at), image.terms(at));
    match rule.status() {
        kind::STATUS_DRAFT => Some((Reason::Draft, None)),
        kind::STATUS_LIVE if moment.orders.pauses(rule.hash()) => Some((Reason::Paused, None)),
        kind::STATUS_LIVE if is_outside(image, known, terms) => Some((Reason::OutsideSchedule, None)),
        kind::STATUS_LIVE if moment.place == Place::Page && !rule.in_page() => {
            Some((Reason::RunsAtEdge, None))
        }
        kind::STATUS_LIVE if !moment.in_force.holds(rule.purpose()) => Some((Reason::NoPurpose, None)),
        kind::STATUS_LIVE => suppression_of(image, known, terms).map(|at| (Reason::SuppressedBy, Some(at))),
        _ => Some((Reason::Paused, None)),
    }
}
