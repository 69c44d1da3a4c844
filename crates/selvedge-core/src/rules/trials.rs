//! Experiments and holdouts: which variant a visitor is in. A unit's bucket never changes; what was seen first is kept.

use super::moment::Moment;
use crate::consent::Purposes;
use crate::event::{Event, EventType};
use crate::hash::murmur3_32;
use crate::id::VisitorId;
use crate::limits::BUCKETS;
use crate::wire::program::{ExperimentRow, Image, TermsRow, USER, kind};
use crate::wire::state::{CellBody, Stored, VisitorState};
use alloc::vec::Vec;

/// The bucket of a unit, below [`BUCKETS`]: MurmurHash3 (x86, 32 bit, seed 0) of `salt:unit`, modulo their number. Published
/// with vectors in docs/rules.md: it may never change.
#[must_use]
pub fn bucket(salt: &str, unit: &str) -> u16 {
    bucket_of(salt.as_bytes(), unit.as_bytes())
}

fn bucket_of(salt: &[u8], unit: &[u8]) -> u16 {
    let mut text = Vec::from(salt);
    text.push(b':');
    text.extend_from_slice(unit);
    let bucket = murmur3_32(&text, 0).checked_rem(BUCKETS.into()).unwrap_or(0);
    u16::try_from(bucket).unwrap_or(0)
}

/// Whether the visitor is held out from the rule of these terms.
pub(super) fn is_held_out(image: &Image, state: &VisitorState, moment: &Moment, terms: TermsRow) -> bool {
    terms.has(kind::TERM_HOLDOUT)
        && variant_of(image, state, moment, terms.holdout())
            == Some(image.experiment(terms.holdout()).variants())
}

/// Whether the visitor is in a variant of the rule's experiment in which the rule does nothing. Who gets this far is in it
/// from now on, as with an exposure.
pub(super) fn is_control(image: &Image, state: &mut VisitorState, moment: &Moment, rule: u16) -> bool {
    let terms = image.terms(rule);
    if !terms.has(kind::TERM_TRIAL) {
        return false;
    }
    let variant = variant_of(image, state, moment, terms.experiment());
    keep(image, state, terms.experiment(), variant);
    variant.is_some_and(|variant| image.trial_content(terms, variant).is_none())
}

/// The variant that a visitor is in, by its place; `None` where it takes no part. First what is forced, then what was seen
/// first, then the bucket.
#[inline(never)]
pub(super) fn variant_of(
    image: &Image,
    state: &VisitorState,
    moment: &Moment,
    experiment: u16,
) -> Option<u16> {
    let row = image.experiment(experiment);
    let forced = variants(row).find(|at| moment.orders.forced.contains(&image.variant(*at).hash()));
    let kept = || match state.body(row.hash()) {
        Some(CellBody::Variant(kept)) => variants(row).find(|at| image.variant(*at).hash() == *kept),
        _ => None,
    };
    forced.or_else(kept).or_else(|| drawn(image, state, moment, row))
}

fn variants(row: ExperimentRow) -> impl Iterator<Item = u16> {
    let first = row.variants();
    first..first.saturating_add(row.variants_count().into())
}

fn drawn(image: &Image, state: &VisitorState, moment: &Moment, row: ExperimentRow) -> Option<u16> {
    let unit = unit_of(state, moment, row)?;
    let place = bucket_of(image.text(row.traffic_salt()), &unit);
    if !(row.traffic_start()..row.traffic_end()).contains(&place) {
        return None;
    }
    let bucket = bucket_of(image.text(row.salt()), &unit);
    variants(row).find(|at| bucket < image.variant(*at).end())
}

/// Whose bucket decides: the user, where the experiment goes by users and one was identified; else the visitor. Nobody,
/// before there is one.
fn unit_of(state: &VisitorState, moment: &Moment, row: ExperimentRow) -> Option<Vec<u8>> {
    match state.body(USER) {
        Some(CellBody::Attribute(user)) if row.unit() != kind::UNIT_VISITOR => match &user.value {
            Stored::Text(user) => Some(Vec::from(user.as_bytes())),
            _ => None,
        },
        _ => Some(Vec::from(moment.visitor.digits())).filter(|_| moment.visitor != VisitorId::NOBODY),
    }
}

/// The user that an event identifies, where there is a use for it.
pub(super) fn user_of<'a>(image: &Image, event: &'a Event, usable: Purposes) -> Option<&'a str> {
    let is_wanted = event.event_type == EventType::Identify
        && usable.holds(Purposes::PERSONALIZATION)
        && image.is_cell(USER);
    event.properties.text("user_id").filter(|user| is_wanted && !user.is_empty())
}

/// Keeps, with an exposure of the rule at this place, the variants that the visitor is in from now on.
pub(super) fn freeze(image: &Image, state: &mut VisitorState, moment: &Moment, event: &Event, rule: u16) {
    let terms = image.terms(rule);
    if terms.has(kind::TERM_HOLDOUT) {
        let variant = variant_of(image, state, moment, terms.holdout());
        keep(image, state, terms.holdout(), variant);
    }
    if terms.has(kind::TERM_TRIAL) && event.properties.text("reason") != Some("holdout") {
        let row = image.experiment(terms.experiment());
        let shown = event.properties.text("variant");
        let is_shown = |at: &u16| shown == Some(image.str(image.variant(*at).name()));
        let variant = variants(row).find(is_shown);
        let variant = variant.or_else(|| variant_of(image, state, moment, terms.experiment()));
        keep(image, state, terms.experiment(), variant);
    }
}

fn keep(image: &Image, state: &mut VisitorState, experiment: u16, variant: Option<u16>) {
    let name = image.experiment(experiment).hash();
    if let (Some(variant), None) = (variant, state.body(name)) {
        state.set_body(name, CellBody::Variant(image.variant(variant).hash()));
    }
}
