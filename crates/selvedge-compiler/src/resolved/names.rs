//! The one space of names that conditions read: built-in facts, attributes, metrics, audiences; and within `where` the
//! properties of the counted event.

use super::fact::{Fact, FactType};
use super::measured;
use crate::written::attribute::{Attribute, AttributeKind};
use crate::written::goals::Goal;
use crate::written::metric::Metric;
use crate::written::rules::{Audience, Rule, RulesFile};
use selvedge_core::event::EventType;
use selvedge_core::tracking_plan::PlanEvent;
use selvedge_core::wire::program::{AttributeType, Builtin};

/// What other languages call a fact that is not there.
pub(super) const NOTHING: [&str; 5] = ["null", "none", "nil", "undefined", "unknown"];

/// What a name in a condition means.
pub(crate) enum Meaning {
    Fact(Fact, FactType),
    Audience(usize),
}

/// All names of a site.
pub(crate) struct Names<'a> {
    pub attributes: &'a [Attribute],
    pub metrics: &'a [Metric],
    pub audiences: &'a [Audience],
    pub events: &'a [PlanEvent],
    pub rules: &'a [Rule],
    pub goals: &'a [Goal],
}

impl<'a> Names<'a> {
    pub fn new(file: &'a RulesFile, events: &'a [PlanEvent], goals: &'a [Goal]) -> Self {
        let RulesFile { attributes, metrics, audiences, rules, .. } = file;
        Self { attributes, metrics, audiences, events, rules, goals }
    }

    /// What `name` means in a condition.
    pub fn find(&self, name: &str) -> Option<Meaning> {
        if let Some(builtin) = Builtin::ALL.iter().find(|builtin| builtin.name() == name) {
            return Some(Meaning::Fact(Fact::Builtin(*builtin), builtin_type(*builtin)));
        }
        if let Some(at) = self.attributes.iter().position(|attribute| attribute.name.value == name) {
            return Some(Meaning::Fact(Fact::Attribute(at), attribute_type(self.attributes[at].kind)));
        }
        if let Some(at) = self.metrics.iter().position(|metric| metric.name.value == name) {
            let written = self.metrics[at].metric.as_ref();
            let fact_type =
                written.map_or(FactType::Number, |metric| measured::fact_type(metric, self.events));
            return Some(Meaning::Fact(Fact::Metric(at), fact_type));
        }
        let at = self.audiences.iter().position(|audience| audience.name.value == name)?;
        Some(Meaning::Audience(at))
    }

    /// Every name that a condition can read.
    pub fn all(&self) -> impl Iterator<Item = &'a str> {
        Builtin::ALL
            .iter()
            .map(|builtin| builtin.name())
            .chain(self.attributes.iter().map(|attribute| attribute.name.value.as_str()))
            .chain(self.metrics.iter().map(|metric| metric.name.value.as_str()))
            .chain(self.audiences.iter().map(|audience| audience.name.value.as_str()))
    }

    /// The event of this name: in the plan, or known to every site.
    pub fn has_event(&self, name: &str) -> bool {
        self.event(name).is_some() || EventType::ALL[1..].iter().any(|known| known.as_str() == name)
    }

    /// The event of this name in the plan.
    pub fn event(&self, name: &str) -> Option<&'a PlanEvent> {
        self.events.iter().find(|event| event.name == name)
    }
}

/// The type of an attribute.
pub(crate) fn attribute_type(kind: AttributeKind) -> FactType {
    match kind {
        AttributeKind::Money => FactType::Money,
        AttributeKind::Plain(AttributeType::Text) => FactType::Text { one_of: Vec::new(), kept: true },
        AttributeKind::Plain(AttributeType::Number) => FactType::Number,
        AttributeKind::Plain(AttributeType::Bool) => FactType::Bool,
        AttributeKind::Plain(AttributeType::Time) => FactType::Time,
        AttributeKind::Plain(AttributeType::List) => FactType::List,
    }
}

fn builtin_type(builtin: Builtin) -> FactType {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    match (builtin, builtin.kind()) {
        (Builtin::ReferrerClass, _) => FactType::Text {
            one_of: words(&["direct", "email", "internal", "paid", "referral", "search", "social"]),
            kept: true,
        },
        (Builtin::DeviceClass, _) => {
            FactType::Text { one_of: words(&["desktop", "mobile", "tablet"]), kept: true }
        }
        (Builtin::CartValue, _) => FactType::Money,
        (Builtin::TimeOfDay | Builtin::VisitorTimeOfDay, _) => FactType::Clock,
        (Builtin::Weekday | Builtin::VisitorWeekday, _) => {
            FactType::Text { one_of: words(&["mon", "tue", "wed", "thu", "fri", "sat", "sun"]), kept: true }
        }
        (_, AttributeType::Text) => FactType::Text { one_of: Vec::new(), kept: true },
        (_, AttributeType::Number) => FactType::Number,
        (_, AttributeType::Bool) => FactType::Bool,
        (_, AttributeType::Time) => FactType::Time,
        (_, AttributeType::List) => FactType::List,
    }
}
