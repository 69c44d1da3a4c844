//! Facts made of two facts, lists by name, and conditions on the items of a list.

use super::fact::{Domain, Fact, FactType, ItemTest, Leaf, LeafTest, Term, Typed};
use super::leaf::{self, form};
use super::measured::property_type;
use super::names::{Meaning, NOTHING};
use super::rates::is_money;
use super::typed::{Checker, Scope};
use crate::codes::Code;
use crate::condition::{
    Ask, Compare, Expr, Items, Literal, LiteralValue, Operand, Quantity, State, Subject, Test,
};
use crate::source::Span;
use crate::suggest::{did_you_mean, nearest};
use std::collections::BTreeSet;

impl<'a> Checker<'a, '_> {
    /// A fact compared with another: their difference compared with 0, or whether two texts are the same.
    pub(super) fn compare_facts(
        &mut self,
        test: &Test,
        (fact, fact_type): (Fact, FactType),
        compare: Compare,
        other: &Subject,
        scope: Scope<'a>,
    ) -> Option<Leaf> {
        if let Some(default) = &test.subject.default {
            let help = "compare each with a constant, or leave out `else`".to_owned();
            let message = "`else` stands for an unknown fact, and here are two";
            self.report.add_help(Code::E0302, default.span, message, help);
            return None;
        }
        self.is_text_meant(&fact_type, other)?;
        let (other_fact, other_type) = self.fact(other, scope)?;
        let is_equality = matches!(compare, Compare::Equal | Compare::NotEqual);
        match (&fact_type, &other_type) {
            (FactType::Text { .. }, FactType::Text { .. }) if is_equality => {
                let value = i64::from(compare == Compare::Equal);
                let test_of = LeafTest::Ranges(vec![(value, value)]);
                let fact = Fact::SameText(Box::new(fact), Box::new(other_fact));
                let source = test.source.clone();
                Some(Leaf { fact, default: None, domain: Domain::Numbers(0, 1), test: test_of, source })
            }
            (FactType::Text { .. } | FactType::Bool, same)
                if !is_equality && form(same) == form(&fact_type) =>
            {
                let message = format!("{} has no order: only `=` and `!=` can compare it", form(&fact_type));
                self.report.add(Code::E0302, test.source.span, message);
                None
            }
            (FactType::Bool, FactType::Bool) => {
                let (first, second) = (term(fact, &fact_type), term(other_fact, &other_type));
                let fact = Fact::Difference(Box::new(first), Box::new(second));
                Some(leaf::compare_with_zero(test, fact, compare))
            }
            _ => {
                let first = (fact, fact_type, test.subject.span);
                let (fact, _) = self.minus(first, (other_fact, other_type, other.span))?;
                Some(leaf::compare_with_zero(test, fact, compare))
            }
        }
    }

    /// Reports a name that is none, where a text without its quotes is meant, or `yes` for `true`.
    fn is_text_meant(&mut self, fact_type: &FactType, other: &Subject) -> Option<()> {
        let Operand::Name(name) = &other.operand else { return Some(()) };
        let truth = match name.as_str() {
            "yes" | "on" => Some("true"),
            "no" | "off" => Some("false"),
            _ => None,
        };
        if let (FactType::Bool, Some(truth), None) = (fact_type, truth, self.names.find(name)) {
            let help = format!("write `{truth}`");
            self.report.add_help(Code::E0201, other.span, format!("nothing is named `{name}`"), help);
            return None;
        }
        let is_known = self.names.find(name).is_some() || nearest(name, self.names.all()).is_some();
        if is_known || !matches!(fact_type, FactType::Text { .. }) || NOTHING.contains(&name.as_str()) {
            return Some(());
        }
        let help = format!("write `\"{name}\"` if a text is meant");
        self.report.add_help(Code::E0201, other.span, format!("nothing is named `{name}`"), help);
        None
    }

    /// `first - second`.
    pub(super) fn difference(
        &mut self,
        first: &Subject,
        second: &Subject,
        scope: Scope<'a>,
    ) -> Option<Meaning> {
        let (first_fact, first_type) = self.fact(first, scope)?;
        let (second_fact, second_type) = self.fact(second, scope)?;
        let first = (first_fact, first_type, first.span);
        let (fact, fact_type) = self.minus(first, (second_fact, second_type, second.span))?;
        Some(Meaning::Fact(fact, fact_type))
    }

    fn minus(
        &mut self,
        (first, first_type, first_span): (Fact, FactType, Span),
        (second, second_type, second_span): (Fact, FactType, Span),
    ) -> Option<(Fact, FactType)> {
        use FactType::{Count, Duration, Money, Number, Time};
        let fact_type = match (&first_type, &second_type) {
            (Time, Time) | (Duration, Duration) => Duration,
            (Number | Count, Number | Count) => Number,
            (Money, Money) => Money,
            _ => {
                let message = format!("{} and {} are not compared", form(&first_type), form(&second_type));
                let help = "both are numbers, amounts of money, durations or times".to_owned();
                self.report.add_help(Code::E0301, second_span, message, help);
                return None;
            }
        };
        for (fact, span) in [(&first, first_span), (&second, second_span)] {
            if fact.uses_values() {
                let help = "compare two facts: `a - b <= 14d`".to_owned();
                self.report.add_help(Code::E0302, span, "a difference of a difference", help);
                return None;
            }
        }
        let (first, second) = (term(first, &first_type), term(second, &second_type));
        Some((Fact::Difference(Box::new(first), Box::new(second)), fact_type))
    }

    /// What a subject is, where it is no audience.
    fn fact(&mut self, subject: &Subject, scope: Scope<'a>) -> Option<(Fact, FactType)> {
        match self.meaning(subject, scope)? {
            Meaning::Fact(fact, fact_type) => Some((fact, fact_type)),
            Meaning::Audience(_) => {
                let message = "an audience holds or not, and is not compared";
                self.report.add(Code::E0302, subject.span, message);
                None
            }
        }
    }

    /// The texts of a list of site.yaml, as if they stood in the condition.
    pub(super) fn imported(&mut self, name: &str, span: Span) -> Option<Vec<Literal>> {
        let Some(list) = self.lists.iter().find(|list| list.name == name) else {
            let known = self.lists.iter().map(|list| list.name.as_str());
            let help = did_you_mean(name, known).unwrap_or_else(|| {
                "list the values: `in [\"a\", \"b\"]`, or name them under `lists` in site.yaml".to_owned()
            });
            self.report.add_help(Code::E0231, span, format!("there is no list `{name}`"), help);
            return None;
        };
        let literal = |text: &String| Literal { value: LiteralValue::Text(text.clone()), span };
        Some(list.texts.iter().map(literal).collect())
    }

    /// `any(items, P)`; `all` and `none` are the opposites of `any`.
    pub(super) fn items(
        &mut self,
        items: &Items,
        test: &Test,
        scope: Scope<'a>,
        budget: &mut usize,
    ) -> Option<Typed> {
        let Scope::Event(event) = scope else {
            let message = "items are looked at in a count's `where`, of the event's own list";
            let help = "write `(count purchase where any(items, ...) in 90d) >= 1`; of a list attribute, ask `contains`";
            self.report.add_help(Code::E0230, test.source.span, message, help.to_owned());
            return None;
        };
        match property_type(event, &items.list) {
            Some(FactType::List) => {}
            found => {
                let message = match found {
                    Some(other) => format!("`{}` is {}, not a list", items.list, form(&other)),
                    None => format!("`{}` has no property `{}` in the tracking plan", event.name, items.list),
                };
                let known = event.properties.iter().map(|property| property.name.as_str());
                let help = did_you_mean(&items.list, known);
                self.report.add_help(Code::E0203, items.list_span, message, help);
                return None;
            }
        }
        let condition = self.expr(&items.condition, Scope::Item, &mut Vec::new(), budget)?;
        let amounts = amounts(&items.condition);
        let (condition, text) = match items.quantity {
            Quantity::All => (Typed::Not(Box::new(condition)), format!("not ({})", items.text)),
            Quantity::Any | Quantity::None => (condition, items.text.clone()),
        };
        let fact = Fact::AnyItem(Box::new(ItemTest { list: items.list.clone(), condition, text, amounts }));
        let passes = LeafTest::Ranges(vec![(1, 1)]);
        let domain = Domain::Numbers(0, 1);
        let any =
            Typed::Leaf(Leaf { fact, default: None, domain, test: passes, source: test.source.clone() });
        let holds = match items.quantity {
            Quantity::Any => any,
            Quantity::All | Quantity::None => Typed::Not(Box::new(any)),
        };
        match (&test.ask, &test.subject.default) {
            (Ask::Holds, None) => Some(holds),
            (Ask::State(state @ (State::True | State::NotTrue | State::False | State::NotFalse)), None) => {
                Some(Typed::State(Box::new(holds), *state))
            }
            _ => {
                let message = "a condition on items holds or not, and is not compared";
                self.report.add(Code::E0302, test.source.span, message);
                None
            }
        }
    }
}

/// The properties of an item that are compared with amounts of money.
fn amounts(condition: &Expr) -> BTreeSet<String> {
    match condition {
        Expr::And(parts) | Expr::Or(parts) => parts.iter().flat_map(amounts).collect(),
        Expr::Not(inner) | Expr::State(inner, ..) => amounts(inner),
        Expr::Test(test) => match &test.subject.operand {
            Operand::Name(name) if is_money(&FactType::Untyped, &test.ask) => [name.clone()].into(),
            _ => BTreeSet::new(),
        },
    }
}

fn term(fact: Fact, fact_type: &FactType) -> Term {
    Term { fact, is_count: *fact_type == FactType::Count }
}
