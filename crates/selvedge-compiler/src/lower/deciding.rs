//! What a program needs of suppressions, experiments and holdouts, and nothing else.

use super::code::index;
use crate::resolved::{Rule, Site};
use selvedge_core::wire::program::Deciding;
use std::collections::BTreeMap;

/// The shared terms of one program, and where they stand in it.
pub(super) struct DecidingParts {
    pub parts: Deciding,
    /// Suppressions and experiments of this program, by their places among the resolved.
    pub suppressions: BTreeMap<usize, u16>,
    pub experiments: BTreeMap<usize, u16>,
}

impl DecidingParts {
    /// What these rules need.
    pub fn of(site: &Site, rules: &[(usize, &Rule)]) -> Self {
        let terms = || rules.iter().map(|(_, rule)| &rule.terms);
        let trials = terms().filter_map(|terms| terms.trial.as_ref().map(|(at, _)| *at));
        let experiments = places(trials.chain(terms().filter_map(|terms| terms.holdout)));
        let suppressions = places(terms().flat_map(|terms| terms.suppressed_by.iter().copied()));
        let of_site = &site.deciding;
        let named = experiments.keys().filter_map(|at| of_site.experiments.get(*at));
        let parts = Deciding {
            suppressions: Vec::new(),
            experiments: named.cloned().collect(),
            caps: of_site.caps.clone(),
        };
        Self { parts, suppressions, experiments }
    }
}

/// Each once, in their order, with its new place.
fn places(found: impl Iterator<Item = usize>) -> BTreeMap<usize, u16> {
    let mut places: BTreeMap<usize, u16> = found.map(|at| (at, 0)).collect();
    places.values_mut().enumerate().for_each(|(place, at)| *at = index(place));
    places
}
