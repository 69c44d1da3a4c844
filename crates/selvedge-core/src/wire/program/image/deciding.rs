//! The terms that rules act under, read in place, and the names of the cells they keep.

use super::Image;
use super::records::{ExperimentRow, GroupRow, SuppressionRow, TermsRow, VariantRow};
use crate::hash::fnv1a_64;
use crate::wire::program::deciding::{Deciding, Experiment, Variant};
use crate::wire::program::layout::{NONE, tag};
use alloc::string::String;
use alloc::vec::Vec;

/// The cell of the caps of all rules together.
pub(crate) const SITE_CAPS: u64 = fnv1a_64(b"caps of the site");
/// The cell of the user's id: units of experiments.
pub(crate) const USER: u64 = fnv1a_64(b"unit/user");

/// The cell of a slot's caps, by the slot's own name.
pub(crate) const fn slot_caps_hash(slot: u64) -> u64 {
    slot ^ fnv1a_64(b"caps of a slot")
}

/// The cell of a rule's dismissals, by the rule's own name.
pub(crate) const fn dismissals_of(rule: u64) -> u64 {
    rule ^ fnv1a_64(b"dismissals of a rule")
}

/// The cell of a rule's exposures for each value, by the rule's own name.
pub(crate) const fn per_value_of(rule: u64) -> u64 {
    rule ^ fnv1a_64(b"exposures for each value")
}

/// The name of the cell in which a visitor's variant is kept: of the experiment's name and salt, so that another salt
/// draws anew.
#[must_use]
pub fn experiment_hash(experiment: &Experiment) -> u64 {
    fnv1a_64(&joined(&["experiment", &experiment.name, &experiment.salt]))
}

/// The name of a variant, as it is kept and forced: of `experiment/variant`.
#[must_use]
pub fn variant_hash(experiment: &Experiment, variant: &Variant) -> u64 {
    fnv1a_64(&joined(&[&experiment.name, &variant.name]))
}

fn joined(parts: &[&str]) -> Vec<u8> {
    parts.join("/").into_bytes()
}

impl Image {
    /// Whether the names that stand in the tables are those of the parts.
    pub(super) fn is_of_deciding(&self, deciding: &Deciding) -> bool {
        let is_of = |(at, experiment): (u16, &Experiment)| {
            let row = self.experiment(at);
            let mut variants = (row.variants()..).zip(&experiment.variants);
            row.hash() == experiment_hash(experiment)
                && variants.all(|(place, variant)| {
                    let row = self.variant(place);
                    row.hash() == variant_hash(experiment, variant) && row.experiment() == at
                })
        };
        (0..).zip(&deciding.experiments).all(is_of)
            && self.site_caps().is_none_or(|row| row.hash() == SITE_CAPS)
    }

    /// The terms of the rule at a place; of zeros where it has none.
    #[inline]
    pub(crate) fn terms(&self, rule: u16) -> TermsRow<'_> {
        TermsRow::at(self.rows(tag::TERMS), rule.into())
    }

    /// Whether any rule has terms.
    pub(crate) fn has_terms(&self) -> bool {
        !self.table(tag::TERMS).is_empty()
    }

    /// Whether there are experiments or holdouts.
    pub(crate) fn has_experiments(&self) -> bool {
        !self.table(tag::EXPERIMENTS).is_empty()
    }

    /// The caps of all rules together.
    pub(crate) fn site_caps(&self) -> Option<GroupRow<'_>> {
        self.rows(tag::SITE_CAPS).first().map(GroupRow)
    }

    /// Where the condition of a suppression begins.
    pub(crate) fn suppression_when(&self, at: u16) -> u16 {
        self.suppression(at).when()
    }

    pub(in crate::wire::program) fn suppression(&self, at: u16) -> SuppressionRow<'_> {
        SuppressionRow::at(self.rows(tag::SUPPRESSIONS), at.into())
    }

    /// The name of the suppression at a place; empty where there is none.
    #[must_use]
    pub fn suppression_name(&self, at: u16) -> &str {
        self.str(self.suppression(at).name())
    }

    pub(crate) fn experiment(&self, at: u16) -> ExperimentRow<'_> {
        ExperimentRow::at(self.rows(tag::EXPERIMENTS), at.into())
    }

    pub(crate) fn variant(&self, at: u16) -> VariantRow<'_> {
        VariantRow::at(self.rows(tag::VARIANTS), at.into())
    }

    /// The variant at a place, as it is written in logs: `experiment/variant`.
    #[must_use]
    pub fn variant_name(&self, at: u16) -> String {
        let row = self.variant(at);
        [self.str(self.experiment(row.experiment()).name()), self.str(row.name())].join("/")
    }

    /// What a rule shows in the variant at a place; `None` is a control.
    pub(crate) fn trial_content(&self, terms: TermsRow, variant: u16) -> Option<u16> {
        let number = variant.wrapping_sub(self.experiment(terms.experiment()).variants());
        self.trial(terms, number).filter(|content| *content != NONE)
    }

    pub(in crate::wire::program) fn trial(&self, terms: TermsRow, number: u16) -> Option<u16> {
        let at = usize::from(terms.trials()).checked_add(number.into())?;
        u16::try_from(u32::from_le_bytes(*self.rows(tag::TRIALS).get(at)?)).ok()
    }
}
