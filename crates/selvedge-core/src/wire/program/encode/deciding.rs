//! The terms that rules act under, to bytes.

use super::super::deciding::{Deciding, Experiment, Terms, Unit, ValueCap};
use super::super::image::{
    SITE_CAPS, USER, dismissals_of, experiment_hash, per_value_of, rule_hash, slot_caps_hash, slot_hash,
    variant_hash,
};
use super::super::layout::{NONE, kind, size, tag};
use super::super::{Parts, Rule};
use super::{Tables, count_u8};
use alloc::string::String;
use alloc::vec::Vec;

impl Parts {
    /// Adds the names of the cells that rules keep for their terms: caps, variants, and whose they are.
    pub(super) fn deciding_cells<'a>(&self, rules: impl Iterator<Item = &'a Rule>, cells: &mut Vec<u64>) {
        let keeps = |rule: &Rule| {
            !rule.caps.is_empty() || !rule.terms.dismissals.is_empty() || rule.terms.per_value.is_some()
        };
        for rule in rules.filter(|rule| keeps(rule)) {
            let name = rule_hash(rule);
            let kept = [
                (!rule.caps.is_empty(), name),
                (!rule.terms.dismissals.is_empty(), dismissals_of(name)),
                (rule.terms.per_value.is_some(), per_value_of(name)),
            ];
            cells.extend(kept.iter().filter(|(is_kept, _)| *is_kept).map(|(_, cell)| *cell));
        }
        let capped_slots = self.slots.iter().filter(|slot| !slot.caps.is_empty());
        cells.extend(capped_slots.map(|slot| slot_caps_hash(slot_hash(slot))));
        cells.extend((!self.deciding.caps.is_empty()).then_some(SITE_CAPS));
        cells.extend(self.deciding.experiments.iter().map(experiment_hash));
        cells.extend(self.names_users().then_some(USER));
    }

    /// Whether an experiment goes by users.
    pub(crate) fn names_users(&self) -> bool {
        self.deciding.experiments.iter().any(|experiment| experiment.unit == Unit::UserOrVisitor)
    }
}

impl Tables {
    /// What rules share of their terms.
    pub(super) fn deciding(&mut self, deciding: &Deciding) {
        for suppression in &deciding.suppressions {
            let name = self.text(&suppression.name);
            self.table(tag::SUPPRESSIONS).fixed(name).fixed(suppression.when).end(size::NARROW);
        }
        for (at, experiment) in (0u16..).zip(&deciding.experiments) {
            self.experiment(at, experiment);
        }
        if !deciding.caps.is_empty() {
            let caps = self.caps(&deciding.caps);
            let row = self.table(tag::SITE_CAPS).fixed(SITE_CAPS).fixed(0u32).fixed(NONE).fixed(caps);
            row.fixed(count_u8(&deciding.caps)).end(size::NARROW);
        }
    }

    fn experiment(&mut self, at: u16, experiment: &Experiment) {
        let [name, salt, traffic_salt] = [&experiment.name, &experiment.salt, &experiment.traffic_salt]
            .map(|text: &String| self.text(text));
        let variants = u16::try_from(self.table(tag::VARIANTS).next(size::NARROW)).unwrap_or(u16::MAX);
        for variant in &experiment.variants {
            let text = self.text(&variant.name);
            let row = self.table(tag::VARIANTS).fixed(variant_hash(experiment, variant)).fixed(text);
            row.fixed(at).fixed(variant.end).end(size::NARROW);
        }
        let count = u8::try_from(experiment.variants.len()).unwrap_or(u8::MAX);
        let row = self.table(tag::EXPERIMENTS).fixed(experiment_hash(experiment)).fixed(name).fixed(salt);
        row.fixed(traffic_salt).fixed(experiment.traffic.0).fixed(experiment.traffic.1).fixed(variants);
        row.raw(&[count, experiment.unit as u8]).end(size::WIDE);
    }

    /// The terms of the rule at a place. Where it has none, nothing is written; those before it that have none either are
    /// filled up.
    pub(super) fn terms(&mut self, rule: usize, terms: &Terms) {
        if *terms == Terms::default() {
            return;
        }
        let (flags, trials) = (flags(terms), self.trials(terms));
        let dismissals = self.caps(&terms.dismissals);
        let suppressions = terms
            .suppressed_by
            .iter()
            .fold(0u32, |bits, at| bits | 1u32.checked_shl(u32::from(*at)).unwrap_or(0));
        let ValueCap { limit, fact, values_max } =
            terms.per_value.unwrap_or(ValueCap { limit: 0, fact: 0, values_max: 0 });
        let table = self.table(tag::TERMS);
        table.0.resize(rule.saturating_mul(size::NARROW), 0);
        let experiment = terms.trial.as_ref().map_or(0, |trial| trial.experiment);
        table.fixed(suppressions).fixed(experiment).fixed(trials).fixed(terms.until.unwrap_or(0));
        table
            .fixed(terms.holdout.unwrap_or(0))
            .fixed(dismissals)
            .fixed(count_u8(&terms.dismissals))
            .fixed(flags);
        table.fixed(fact).fixed(limit).fixed(values_max).fixed(terms.schedule.unwrap_or(0)).end(size::NARROW);
    }

    fn trials(&mut self, terms: &Terms) -> u16 {
        let Some(trial) = &terms.trial else { return 0 };
        let table = self.table(tag::TRIALS);
        let start = table.next(size::PLACE);
        for content in &trial.contents {
            table.fixed(u32::from(content.unwrap_or(NONE)));
        }
        u16::try_from(start).unwrap_or(u16::MAX)
    }
}

fn flags(terms: &Terms) -> u8 {
    let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
    flag(terms.service, kind::TERM_SERVICE)
        | flag(terms.holdout.is_some(), kind::TERM_HOLDOUT)
        | flag(terms.trial.is_some(), kind::TERM_TRIAL)
        | flag(terms.until.is_some(), kind::TERM_UNTIL)
        | flag(terms.per_value.is_some(), kind::TERM_PER_VALUE)
        | flag(terms.schedule.is_some(), kind::TERM_SCHEDULE)
}
