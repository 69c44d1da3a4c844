//! Conditions with names resolved and types checked: a three-valued tree over definite questions. Audiences are written
//! out where they are used.

mod metric;

mod history;

mod sequence;

pub(crate) use metric::{TypedMetric, TypedScore, TypedSequence, TypedStep};

use super::fact::{Fact, FactType, Typed};
use super::leaf;
use super::measured::{fact_type, property_type};
use super::names::{Meaning, NOTHING, Names};
use super::rates::{Rates, is_money};
use crate::codes::Code;
use crate::condition::{
    Ask, Class, Compare, Expr, Literal, LiteralValue, Operand, Source, State, Subject, Test,
};
use crate::diagnostic::Report;
use crate::source::Span;
use crate::suggest::did_you_mean;
use crate::written::lists::List;
use crate::written::lookups::Lookup;
use selvedge_core::limits::INSTRUCTIONS_MAX;
use selvedge_core::tracking_plan::PlanEvent;
use selvedge_core::wire::program::{Builtin, MetricKind};
use std::collections::BTreeSet;

/// Leaves of one condition, with its audiences written out.
const LEAVES_MAX: usize = 4_096;
/// Audiences within audiences.
const AUDIENCE_DEPTH_MAX: usize = 16;

/// Where a condition stands: what its names mean.
#[derive(Clone, Copy)]
pub(super) enum Scope<'a> {
    /// In a rule or an audience.
    Visitor,
    /// In a count's `where`.
    Event(&'a PlanEvent),
    /// In a condition on the items of a list.
    Item,
    /// In a condition on the records of a destination.
    Record,
}

/// Resolves and checks conditions, and collects the metrics they name on the spot.
pub(crate) struct Checker<'a, 'r> {
    pub names: &'a Names<'a>,
    pub currency: &'a str,
    pub timezone: &'a str,
    pub report: &'r mut Report,
    /// Metrics written inside conditions; they follow the named ones.
    pub metrics: Vec<TypedMetric>,
    /// Which attributes, metrics and audiences a condition named.
    pub used: Used,
    /// Tests of all conditions so far, with their audiences written out.
    pub tests: usize,
    /// The lists of site.yaml.
    pub lists: &'a [List],
    /// The lookups of site.yaml.
    pub lookups: &'a [Lookup],
    /// Which of them holds rates between currencies.
    pub rates: Option<Rates>,
    /// Whether the last filter tests amounts.
    pub reads_money: bool,
    /// Whether the last filter tests amounts against those of other currencies.
    pub reads_rates: bool,
}

/// What conditions named.
#[derive(Debug, Default)]
pub(crate) struct Used {
    pub attributes: BTreeSet<usize>,
    pub metrics: BTreeSet<usize>,
    pub audiences: BTreeSet<usize>,
}

impl<'a> Checker<'a, '_> {
    /// A rule's condition; `None` where it has an error, which is reported.
    pub fn condition(&mut self, expr: &Expr) -> Option<Typed> {
        let mut budget = LEAVES_MAX;
        self.expr(expr, Scope::Visitor, &mut Vec::new(), &mut budget)
    }

    /// A condition on records; `None` where it has an error, which is reported.
    pub(super) fn record_condition(&mut self, expr: &Expr) -> Option<Typed> {
        let mut budget = LEAVES_MAX;
        self.expr(expr, Scope::Record, &mut Vec::new(), &mut budget)
    }

    fn filter(&mut self, filter: &Expr, event: &str) -> Option<Typed> {
        let Some(event) = self.names.event(event) else {
            let span = first_span(filter);
            let message =
                format!("`where` needs the properties of `{event}`, which the tracking plan does not list");
            self.report.add_help(
                Code::E0203,
                span,
                message,
                format!("describe `{event}` in tracking-plan.yaml"),
            );
            return None;
        };
        let mut budget = LEAVES_MAX;
        (self.reads_money, self.reads_rates) = (false, false);
        self.expr(filter, Scope::Event(event), &mut Vec::new(), &mut budget)
    }

    pub(super) fn expr(
        &mut self,
        expr: &Expr,
        scope: Scope<'a>,
        within: &mut Vec<usize>,
        budget: &mut usize,
    ) -> Option<Typed> {
        match expr {
            Expr::And(parts) => self.all(parts, scope, within, budget).map(Typed::And),
            Expr::Or(parts) => self.all(parts, scope, within, budget).map(Typed::Or),
            Expr::Not(inner) => Some(Typed::Not(Box::new(self.expr(inner, scope, within, budget)?))),
            Expr::State(inner, state, _) => {
                Some(Typed::State(Box::new(self.expr(inner, scope, within, budget)?), *state))
            }
            Expr::Test(test) => self.test(test, scope, within, budget),
        }
    }

    /// All parts, each checked even where one before it has an error.
    fn all(
        &mut self,
        parts: &[Expr],
        scope: Scope<'a>,
        within: &mut Vec<usize>,
        budget: &mut usize,
    ) -> Option<Vec<Typed>> {
        let typed: Vec<Option<Typed>> =
            parts.iter().map(|part| self.expr(part, scope, within, budget)).collect();
        typed.into_iter().collect()
    }

    fn test(
        &mut self,
        test: &Test,
        scope: Scope<'a>,
        within: &mut Vec<usize>,
        budget: &mut usize,
    ) -> Option<Typed> {
        self.tests += 1;
        let Some(rest) = budget.checked_sub(1).filter(|_| self.tests <= INSTRUCTIONS_MAX) else {
            let message = format!(
                "more than {LEAVES_MAX} tests in a condition, or {INSTRUCTIONS_MAX} in all, with audiences written out"
            );
            self.report.add(Code::E0402, test.source.span, message);
            return None;
        };
        *budget = rest;
        if let Operand::Items(items) = &test.subject.operand {
            return self.items(items, test, scope, budget);
        }
        let meaning = self.meaning(&test.subject, scope)?;
        if let Meaning::Fact(Fact::Metric(at), _) = meaning
            && matches!(test.ask, Ask::Text(..))
            && self.keeps_hashes(at)
        {
            let message = "of the most frequent value only a hash is kept: it is compared with whole texts";
            self.report.add_help(
                Code::E0302,
                test.source.span,
                message,
                "write `= \"...\"` or `in [...]`".to_owned(),
            );
            return None;
        }
        match meaning {
            Meaning::Audience(at) => self.audience(at, test, within, budget),
            Meaning::Fact(fact, fact_type) => {
                let compared;
                let test = match &test.ask {
                    Ask::InList(name, span, negated) => {
                        let literals = self.imported(name, *span)?;
                        compared = Test { ask: Ask::In(literals, *negated), ..test.clone() };
                        &compared
                    }
                    _ => test,
                };
                self.reads_money |= is_money(&fact_type, &test.ask);
                let settled = self.beside_else(test, matches!(scope, Scope::Event(_) | Scope::Item))?;
                let test = settled.as_ref().unwrap_or(test);
                if self.is_foreign(&fact_type, &test.ask) {
                    return self.foreign_test(test, &fact);
                }
                let none = self.none_in(test)?;
                let asked = none.as_ref().unwrap_or(test);
                let leaf = match &test.ask {
                    Ask::CompareFact(compare, other) => {
                        self.compare_facts(test, (fact, fact_type), *compare, other, scope)?
                    }
                    Ask::Within(side, ms) => leaf::within(test, fact, &fact_type, *side, *ms, self.report)?,
                    _ => leaf::check(asked, fact, &fact_type, (self.currency, self.timezone), self.report)?,
                };
                Some(match test.ask {
                    Ask::State(state @ (State::True | State::NotTrue | State::False | State::NotFalse)) => {
                        Typed::State(Box::new(Typed::Leaf(leaf)), state)
                    }
                    _ => Typed::Leaf(leaf),
                })
            }
        }
    }

    /// `no E in W` as the test that it is: of a count, that it is 0.
    fn none_in(&mut self, test: &Test) -> Option<Option<Test>> {
        let Operand::Metric(metric, _) = &test.subject.operand else { return Some(None) };
        if !matches!(metric.class, Class::NoneIn) {
            return Some(None);
        }
        let asks_whether = matches!(
            test.ask,
            Ask::Holds | Ask::State(State::True | State::NotTrue | State::False | State::NotFalse)
        );
        if !asks_whether || test.subject.default.is_some() {
            let message = "an absence is yes or no: it is not compared, and has no default";
            let help = "count instead: `(count E in session) >= 2`".to_owned();
            self.report.add_help(Code::E0302, test.source.span, message, help);
            return None;
        }
        let zero = Literal { value: LiteralValue::Number(0), span: test.source.span };
        Some(Some(Test { ask: Ask::Compare(Compare::Equal, zero), ..test.clone() }))
    }

    fn keeps_hashes(&self, at: usize) -> bool {
        match self.names.metrics.get(at) {
            Some(named) => {
                named.metric.as_ref().is_some_and(|metric| matches!(metric.class, Class::MostFrequent))
            }
            None => {
                let written = self.metrics.get(at - self.names.metrics.len());
                written.is_some_and(|metric| metric.kind == MetricKind::MostFrequent)
            }
        }
    }

    pub(super) fn meaning(&mut self, subject: &Subject, scope: Scope<'a>) -> Option<Meaning> {
        match (&subject.operand, scope) {
            (Operand::Name(name), Scope::Visitor) => self.visitor_name(name, subject.span),
            (Operand::Name(name), Scope::Event(event)) => self.property(name, event, subject.span),
            (Operand::Metric(metric, text), Scope::Visitor) => {
                let typed = self.metric(metric, text)?;
                self.metrics.push(typed);
                let at = self.names.metrics.len() + self.metrics.len() - 1;
                let fact = self.of_metric(at, metric);
                Some(Meaning::Fact(fact, fact_type(metric, self.names.events)))
            }
            (Operand::Name(name), Scope::Item) => {
                Some(Meaning::Fact(Fact::Item(name.clone()), FactType::Untyped))
            }
            (Operand::Name(name), Scope::Record) => self.record_name(name, subject.span),
            (Operand::Metric(_, text), Scope::Record) => self.not_in_record(text, subject.span),
            (Operand::Lookup(lookup), Scope::Record) => self.not_in_record(&lookup.table, subject.span),
            (Operand::Difference(first, second), _) => self.difference(first, second, scope),
            (Operand::Metric(..), Scope::Event(_) | Scope::Item) => {
                self.fact_in_where("a metric", subject.span)
            }
            (Operand::Lookup(lookup), _) => self.lookup(lookup, subject.span, scope),
            // Read before, in `test`.
            (Operand::Items(_), _) => None,
        }
    }

    fn visitor_name(&mut self, name: &str, span: Span) -> Option<Meaning> {
        let meaning = self.names.find(name);
        match &meaning {
            None => {
                let help = match name {
                    "yes" | "always" => Some("leave out `when`: without it a rule is always true".to_owned()),
                    _ if NOTHING.contains(&name) => Some("write `is missing`, or `is known`".to_owned()),
                    _ if self.names.events.iter().any(|event| event.name == name) => {
                        Some(format!("it is an event, which is counted: `(count {name} in session) >= 1`"))
                    }
                    _ => did_you_mean(name, self.names.all()),
                };
                self.report.add_help(Code::E0201, span, format!("nothing is named `{name}`"), help);
            }
            Some(Meaning::Fact(Fact::Attribute(at), _)) => drop(self.used.attributes.insert(*at)),
            Some(Meaning::Fact(Fact::Metric(at), fact_type)) => {
                self.used.metrics.insert(*at);
                if let Some(written) = &self.names.metrics[*at].metric {
                    return Some(Meaning::Fact(self.of_metric(*at, written), fact_type.clone()));
                }
            }
            Some(Meaning::Audience(at)) => drop(self.used.audiences.insert(*at)),
            Some(Meaning::Fact(..)) => {}
        }
        meaning
    }

    fn property(&mut self, name: &str, event: &PlanEvent, span: Span) -> Option<Meaning> {
        if let Some(fact_type) = property_type(event, name) {
            let fact = match fact_type {
                FactType::Time => Fact::TimeProperty(name.to_owned()),
                _ => Fact::Property(name.to_owned()),
            };
            return Some(Meaning::Fact(fact, fact_type));
        }
        if name == "event.trust" {
            let one_of = vec!["client".to_owned(), "server".to_owned()];
            return Some(Meaning::Fact(Fact::Trust, FactType::Text { one_of, kept: false }));
        }
        if name == Builtin::Now.name() {
            return self.names.find(name);
        }
        if self.names.find(name).is_some() {
            return self.fact_in_where(&format!("`{name}`"), span);
        }
        let known = event.properties.iter().map(|property| property.name.as_str());
        let message = format!("`{}` has no property `{name}` in the tracking plan", event.name);
        self.report.add_help(Code::E0203, span, message, did_you_mean(name, known));
        None
    }

    pub(super) fn fact_in_where<T>(&mut self, what: &str, span: Span) -> Option<T> {
        let message = format!("{what} cannot stand in `where`, which reads properties of the counted event");
        let help = "test it beside the count: `(count E in session) >= 1 and ...`".to_owned();
        self.report.add_help(Code::E0209, span, message, help);
        None
    }

    fn audience(
        &mut self,
        at: usize,
        test: &Test,
        within: &mut Vec<usize>,
        budget: &mut usize,
    ) -> Option<Typed> {
        let audience = &self.names.audiences[at];
        let name = &audience.name.value;
        let state = match (&test.ask, &test.subject.default) {
            (Ask::Holds, None) => None,
            (Ask::State(state), None) => Some(*state),
            _ => {
                let message = format!("`{name}` is an audience: it holds or not, and is not compared");
                let help = format!("write `{name}` or `not {name}`");
                self.report.add_help(Code::E0302, test.source.span, message, help);
                return None;
            }
        };
        if within.contains(&at) || within.len() >= AUDIENCE_DEPTH_MAX {
            self.circle(at, within, test.source.span);
            return None;
        }
        within.push(at);
        let condition = audience
            .condition
            .as_ref()
            .and_then(|condition| self.expr(condition, Scope::Visitor, within, budget));
        within.pop();
        match state {
            None => condition,
            Some(state) => Some(Typed::State(Box::new(condition?), state)),
        }
    }

    fn circle(&mut self, at: usize, within: &[usize], span: Span) {
        let names = within.iter().chain([&at]).map(|at| self.names.audiences[*at].name.value.as_str());
        let path = names.collect::<Vec<_>>().join(" -> ");
        if within.contains(&at) {
            self.report.add(Code::E0208, span, format!("these audiences mean each other: {path}"));
        } else {
            let message = format!("audiences within audiences, more than {AUDIENCE_DEPTH_MAX} deep: {path}");
            self.report.add(Code::E0105, span, message);
        }
    }
}

/// The place of a condition's first test.
pub(crate) fn first_span(expr: &Expr) -> Span {
    match expr {
        Expr::And(parts) | Expr::Or(parts) => {
            parts.first().map_or(Span::top(crate::source::FileId(0)), first_span)
        }
        Expr::Not(inner) => first_span(inner),
        Expr::Test(Test { source: Source { span, .. }, .. }) | Expr::State(_, _, Source { span, .. }) => {
            *span
        }
    }
}
