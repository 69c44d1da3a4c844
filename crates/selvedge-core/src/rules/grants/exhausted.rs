//! Which cap keeps a rule off. The page does not link this.

use super::{Owner, cap_of, check_value, of_dismissals, owners};
use crate::rules::counts::{count_from, count_of, window_start_ms};
use crate::rules::moment::Moment;
use crate::wire::program::{CapRow, Image, kind};
use crate::wire::state::VisitorState;

/// Whose cap it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CapOf {
    /// The rule's own.
    Rule,
    /// Its group's.
    Group,
    /// Its slot's.
    Slot,
    /// That of all rules together.
    Site,
    /// The rule's, of dismissals.
    Dismissals,
    /// The rule's, for each value of a fact.
    Value,
}

/// The cap that leaves nothing of the rule at this place: the first that is used up, in the order of rule, group, slot, site,
/// dismissals, by its place among the caps of its owner; a rule has one [`CapOf::Value`]. `None` where all caps leave something.
#[must_use]
pub fn exhausted(image: &Image, state: &VisitorState, moment: &Moment, at: u16) -> Option<(CapOf, usize)> {
    let (rule, terms) = (image.rule(at), image.terms(at));
    let [of_rule, of_group, of_slot, of_site] = owners(image, rule, terms);
    let all = [
        (CapOf::Rule, of_rule),
        (CapOf::Group, of_group),
        (CapOf::Slot, of_slot),
        (CapOf::Site, of_site),
        (CapOf::Dismissals, of_dismissals(rule, terms)),
    ];
    let used_up = |(of, owner): (CapOf, Owner)| {
        let mut caps = image.caps(owner.caps);
        Some((of, caps.position(|cap| is_used_up(state, moment, owner, cap))?))
    };
    let of_value =
        || terms.has(kind::TERM_PER_VALUE) && check_value(image, state, moment, rule, terms).is_err();
    all.into_iter().find_map(used_up).or_else(|| of_value().then_some((CapOf::Value, 0)))
}

fn is_used_up(state: &VisitorState, moment: &Moment, owner: Owner, cap: CapRow) -> bool {
    let start_ms = match cap.window() {
        kind::WINDOW_PAGE => {
            let of_page = state.page(moment.writer).map_or(0, |page| count_of(page, owner.hash));
            return of_page >= cap.limit();
        }
        kind::WINDOW_SESSION => state.session.caps_since_ms,
        _ => window_start_ms(state.now_ms(moment.now_ms), cap.window_ms()),
    };
    let used_ms = cap_of(state, owner.hash).map_or(&[][..], |cell| cell.used_ms.as_slice());
    count_from(used_ms, start_ms) >= cap.limit()
}
