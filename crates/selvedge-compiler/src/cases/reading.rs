//! What cases are checked against: the names of a site, and where things stand in its files.

use super::CasePlace;
use crate::resolved::{Rule, Site};
use crate::source::{Files, Span};
use crate::written::lookups::Lookup;
use selvedge_core::tracking_plan::Plan;
use selvedge_core::wire::program::Builtin;

/// Whether a built-in fact can hold from the beginning: the cart is made by events, the clock is what it is.
#[must_use]
pub const fn can_be_given(builtin: Builtin) -> bool {
    !matches!(
        builtin,
        Builtin::CartValue
            | Builtin::CartItems
            | Builtin::CartLastSku
            | Builtin::Now
            | Builtin::TimeOfDay
            | Builtin::Weekday
            | Builtin::VisitorTimeOfDay
            | Builtin::VisitorWeekday
            | Builtin::SessionStart
            | Builtin::SessionPreviousStart
    )
}

/// What cases are checked against.
pub(super) struct Reading<'a> {
    files: &'a Files<'a>,
    site: &'a Site,
    pub plan: Plan,
}

impl<'a> Reading<'a> {
    pub fn new(files: &'a Files<'a>, site: &'a Site) -> Self {
        Self { files, site, plan: Plan { events: site.events.clone() } }
    }

    /// Where a span begins.
    pub fn place(&self, span: Span) -> CasePlace {
        let at = self.files.position(span.file, span.start);
        CasePlace { file: self.files.name(span.file).to_owned(), line: at.line, column: at.column }
    }

    /// Every fact that a case may begin with.
    pub fn givable(&self) -> impl Iterator<Item = &'a str> {
        let attributes = self.site.attributes.iter().map(|attribute| attribute.name.as_str());
        Builtin::ALL
            .iter()
            .filter(|builtin| can_be_given(**builtin))
            .map(|builtin| builtin.name())
            .chain(attributes)
    }

    pub fn may_be_given(&self, name: &str) -> bool {
        self.givable().any(|known| known == name)
    }

    /// Whether the fact is one that events make.
    pub fn is_computed(&self, name: &str) -> bool {
        self.facts().any(|known| known == name)
    }

    /// Every fact that a rule can be told.
    pub fn facts(&self) -> impl Iterator<Item = &'a str> {
        let others =
            Builtin::ALL.iter().filter(|builtin| !can_be_given(**builtin)).map(|builtin| builtin.name());
        self.givable()
            .chain(others)
            .chain(self.site.metrics.iter().flatten().map(|metric| metric.name.as_str()))
    }

    /// Whether the fact is made by events, not by the clock.
    pub fn is_made_by_events(&self, name: &str) -> bool {
        name.starts_with("cart.") || !Builtin::ALL.iter().any(|builtin| builtin.name() == name)
    }

    pub fn slots(&self) -> impl Iterator<Item = &'a str> {
        self.site.site.slots.iter().map(|slot| slot.name.as_str())
    }

    pub fn rules(&self) -> impl Iterator<Item = &'a str> {
        self.site.rules.iter().map(|rule| rule.id.as_str())
    }

    /// The rules that tell a destination something.
    pub fn emitting(&self) -> impl Iterator<Item = &'a str> {
        self.site.rules.iter().filter(|rule| rule.emit.is_some()).map(|rule| rule.id.as_str())
    }

    pub fn lookups(&self) -> &'a [Lookup] {
        &self.site.site.lookups
    }

    pub fn contents(&self) -> impl Iterator<Item = &'a str> {
        self.site.contents.iter().map(|content| content.id.as_str())
    }

    /// What can stand in a slot: what its rules show, in any variant, and its fallback.
    pub fn shown_in(&self, slot: &str) -> impl Iterator<Item = &'a str> {
        let of_rules = self.site.rules.iter().filter(move |rule| rule.slot == slot);
        let slots = self.site.site.slots.iter().filter(move |known| known.name == slot);
        let fallbacks = slots.filter_map(|slot| slot.fallback.as_ref()).map(|id| id.value.as_str());
        let of_trial = |rule: &'a Rule| {
            let contents = rule.terms.trial.iter().flat_map(|(_, contents)| contents.iter().flatten());
            contents.map(String::as_str).chain([rule.content.as_str()])
        };
        of_rules.flat_map(of_trial).chain(fallbacks)
    }
}
