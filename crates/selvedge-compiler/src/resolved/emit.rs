//! What rules tell destinations, resolved: the destination is there, and may be told for the rule's purpose.

use super::fact::{Fact, Leaf, LeafTest};
use super::fuse::truth_of;
use super::truth::{Truth, when_true};
use super::typed::Checker;
use crate::codes::Code;
use crate::suggest::{did_you_mean, names};
use crate::written::emit;
use crate::written::rules::Rule;
use crate::written::site::Site;
use selvedge_core::wire::program::OncePer;

/// What a rule tells a destination, resolved.
pub(crate) struct Emit {
    pub to: String,
    pub enter: String,
    pub exit_when: Option<Truth>,
    /// Names, and a test of each fact.
    pub fields: Vec<(String, Truth)>,
    pub once_per: Option<OncePer>,
}

impl Emit {
    /// The condition that ends it, and tests of what goes with it.
    pub fn conditions(&self) -> impl Iterator<Item = &Truth> {
        self.exit_when.iter().chain(self.fields.iter().map(|(_, truth)| truth))
    }
}

/// What the rule tells a destination; `None` where it has an error, which is reported.
pub(super) fn resolve_emit(
    written: &emit::Emit,
    rule: &Rule,
    site: &Site,
    checker: &mut Checker<'_, '_>,
) -> Option<Emit> {
    check_destination(written, rule, site, checker);
    let exit = written.exit_when.as_ref().map(|expr| checker.condition(expr));
    let mut fields = Vec::new();
    for (name, expr) in &written.fields {
        if let Some(typed) = checker.condition(expr) {
            fields.push((name.clone(), whole(when_true(typed))));
        }
    }
    let exit_when = match exit {
        None => None,
        Some(typed) => Some(truth_of(typed?, checker.report)),
    };
    let (to, enter) = (written.to.value.clone(), written.enter.clone());
    Some(Emit { to, enter, exit_when, fields, once_per: written.once_per })
}

/// A count is sent as it is, not only as far as conditions compare it.
fn whole(truth: Truth) -> Truth {
    match truth {
        Truth::Leaf(leaf @ Leaf { fact: Fact::Metric(_), .. }) => {
            Truth::Leaf(Leaf { test: LeafTest::Ranges(vec![(0, i64::from(u32::MAX) - 1)]), ..leaf })
        }
        other => other,
    }
}

fn check_destination(written: &emit::Emit, rule: &Rule, site: &Site, checker: &mut Checker<'_, '_>) {
    let known = site.destinations.iter().map(|destination| destination.name.value.as_str());
    let found = site.destinations.iter().find(|destination| destination.name.value == written.to.value);
    match found {
        None => {
            let message = format!("there is no destination `{}`", written.to.value);
            let help = did_you_mean(&written.to.value, known)
                .unwrap_or_else(|| "declare it under `destinations` in site.yaml".to_owned());
            checker.report.add_help(Code::E0342, written.to.span, message, help);
        }
        Some(found) if !found.purposes.holds(rule.purpose) => {
            let message = format!("`{}` may not be told anything for this rule's purpose", written.to.value);
            let (purpose, name) = (names(rule.purpose), &written.to.value);
            let help = format!("add `{purpose}` to the `purposes` of `{name}` in site.yaml");
            checker.report.add_help(Code::E0343, written.to.span, message, help);
        }
        Some(_) => {}
    }
}
