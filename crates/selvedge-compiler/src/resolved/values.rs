//! Metrics that tell values apart: which properties they take, and counts of the value that another fact has.

use super::fact::{Fact, FactType};
use super::measured::property_type;
use super::names::Meaning;
use super::typed::{Checker, TypedMetric};
use crate::codes::Code;
use crate::condition::{Ask, Compare, Expr, KEPT, Metric, Operand, Subject, Test};
use selvedge_core::wire::program::{AttributeType, MetricKind, Window};

/// `sku = page.sku` in a count's `where`: the property, the fact, and what else must be so.
pub(super) struct SameValue {
    pub property: String,
    pub fact: Fact,
    pub rest: Option<Expr>,
}

impl Checker<'_, '_> {
    /// A metric of the values of a property.
    pub(super) fn value(&mut self, metric: &Metric, name: &str, kind: MetricKind) -> Option<TypedMetric> {
        let (event, property, fact_type) = self.property_path(&metric.path)?;
        let value_type = match fact_type {
            FactType::Text { .. } => Some(AttributeType::Text),
            FactType::Number | FactType::Money => Some(AttributeType::Number),
            FactType::Bool => Some(AttributeType::Bool),
            FactType::Time => Some(AttributeType::Time),
            _ => None,
        };
        let detail = match (kind, value_type) {
            (MetricKind::First | MetricKind::Last | MetricKind::Previous, Some(value_type)) => {
                value_type as u16
            }
            (MetricKind::MostFrequent, Some(AttributeType::Text))
            | (MetricKind::Distinct | MetricKind::Top, Some(_)) => metric.max.unwrap_or(KEPT),
            _ => {
                let message = format!("`{property}` of `{event}` is {}", super::leaf::form(&fact_type));
                let help = match kind {
                    MetricKind::MostFrequent => "the most frequent is that of a text".to_owned(),
                    _ => "take a text, a number, an amount, a time, or yes or no".to_owned(),
                };
                self.report.add_help(Code::E0302, metric.path.span, message, help);
                return None;
            }
        };
        if kind == MetricKind::First && matches!(metric.window, Window::Sliding(_)) {
            let help = "write `in session`, `in today`, `in month`, or no window at all".to_owned();
            let message = "the first of a window that slides is not kept";
            self.report.add_help(Code::E0233, metric.source.span, message, help);
            return None;
        }
        let is_money = fact_type == FactType::Money && self.may_be_foreign(&event);
        let typed = self.typed(metric, name, kind, event, Some(property))?;
        Some(TypedMetric { detail, of_money: typed.of_money || is_money, ..typed })
    }

    /// The part of a count's filter that compares a property with a fact of the visitor: at most one.
    pub(super) fn same_value(&self, metric: &Metric) -> Option<SameValue> {
        let parts = match metric.filter.as_ref()? {
            Expr::And(parts) => parts.as_slice(),
            other => std::slice::from_ref(other),
        };
        let at = parts.iter().position(|part| self.same_of(part, &metric.path.name).is_some())?;
        let (property, fact) = self.same_of(&parts[at], &metric.path.name)?;
        let mut rest = parts.to_vec();
        rest.remove(at);
        let rest = if rest.len() > 1 { Some(Expr::And(rest)) } else { rest.pop() };
        Some(SameValue { property, fact, rest })
    }

    fn same_of(&self, part: &Expr, event: &str) -> Option<(String, Fact)> {
        let Expr::Test(Test { subject, ask: Ask::CompareFact(Compare::Equal, other), .. }) = part else {
            return None;
        };
        let event = self.names.event(event)?;
        let (property, name) = (plain(subject)?, plain(other)?);
        let is_text = |fact_type: &FactType| matches!(fact_type, FactType::Text { .. });
        if property_type(event, name).is_some() || !is_text(&property_type(event, property)?) {
            return None;
        }
        match self.names.find(name)? {
            Meaning::Fact(fact, fact_type) if is_text(&fact_type) => Some((property.to_owned(), fact)),
            _ => None,
        }
    }

    /// The fact of a metric: of one that counts the value of another fact, together with that.
    pub(super) fn of_metric(&mut self, at: usize, written: &Metric) -> Fact {
        let fact = Fact::Metric(at);
        match self.same_value(written) {
            Some(same) => {
                if let Fact::Attribute(at) = same.fact {
                    self.used.attributes.insert(at);
                }
                Fact::SameCount(Box::new(fact), Box::new(same.fact))
            }
            None => fact,
        }
    }
}

fn plain(subject: &Subject) -> Option<&str> {
    match (&subject.operand, &subject.default) {
        (Operand::Name(name), None) => Some(name),
        _ => None,
    }
}
