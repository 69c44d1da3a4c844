//! The terms of one rule.

use super::parts::{Builder, place};
use crate::resolved::Rule;
use selvedge_core::consent::Purposes;
use selvedge_core::wire::program::{self, Terms, Trial};
use std::collections::BTreeMap;

impl Builder<'_> {
    /// Places the code of every suppression.
    pub(super) fn suppressions(&mut self) {
        for at in self.deciding.suppressions.keys().copied().collect::<Vec<_>>() {
            let site = self.site;
            let Some(found) = site.deciding.suppressions.get(at) else { continue };
            let when = self.condition(&found.truth, Purposes::PERSONALIZATION);
            self.deciding.parts.suppressions.push(program::Suppression { name: found.name.clone(), when });
        }
    }

    /// The terms of a rule.
    pub(super) fn terms(&mut self, rule: &Rule) -> Terms {
        let terms = &rule.terms;
        let until = terms.until.as_ref().map(|until| self.condition(until, rule.purpose));
        let schedule = terms.schedule.as_ref().map(|schedule| self.condition(schedule, rule.purpose));
        let per_value = terms.per_value.as_ref().map(|cap| program::ValueCap {
            limit: cap.limit,
            fact: self.plain_fact(&cap.fact),
            values_max: cap.values_max,
        });
        let find = |places: &BTreeMap<usize, u16>, at: &usize| places.get(at).copied().unwrap_or(u16::MAX);
        let ids = || self.contents.iter().map(|content| content.id.as_str());
        Terms {
            service: terms.service,
            suppressed_by: terms
                .suppressed_by
                .iter()
                .map(|at| find(&self.deciding.suppressions, at))
                .collect(),
            holdout: terms.holdout.as_ref().map(|at| find(&self.deciding.experiments, at)),
            trial: terms.trial.as_ref().map(|(at, contents)| Trial {
                experiment: find(&self.deciding.experiments, at),
                contents: contents.iter().map(|id| id.as_ref().map(|id| place(ids(), id))).collect(),
            }),
            until,
            schedule,
            dismissals: terms.dismissals.clone(),
            per_value,
        }
    }
}
