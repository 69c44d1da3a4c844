//! Amounts of other currencies in conditions: each is compared with what it is worth at that moment.

use super::fact::{Fact, FactType, Term, Typed};
use super::leaf::{check, compare_with_zero};
use super::rates::{Exchange, is_money, literals, literals_mut, may_be_foreign};
use super::typed::Checker;
use crate::codes::Code;
use crate::condition::{Ask, Compare, Literal, LiteralValue, Test};
use crate::literal::micro_text;

impl Checker<'_, '_> {
    /// Whether events of this name may bring amounts of another currency.
    pub(super) fn may_be_foreign(&self, event: &str) -> bool {
        self.names.event(event).is_some_and(may_be_foreign)
    }

    /// Whether the literals of a test have to be converted.
    pub(super) fn is_foreign(&self, fact_type: &FactType, ask: &Ask) -> bool {
        self.rates.is_some()
            && is_money(fact_type, ask)
            && literals(ask).into_iter().any(|one| self.is_other(one))
    }

    fn is_other(&self, literal: &Literal) -> bool {
        matches!(&literal.value, LiteralValue::Money(_, currency) if currency != self.currency)
    }

    /// A test that has `else`, with all amounts in the site's currency; nothing to change where they are. The rates are those of
    /// a file: what is pushed later cannot stand in for what is unknown. In `where` a new rate would make another metric of it.
    pub(super) fn beside_else(&mut self, test: &Test, is_counted: bool) -> Option<Option<Test>> {
        let Some(default) = test.subject.default.as_ref().filter(|_| self.rates.is_some()) else {
            return Some(None);
        };
        let is_other = |literal: &&Literal| self.is_other(literal);
        let Some(other) = literals(&test.ask).into_iter().chain([default]).find(is_other) else {
            return Some(None);
        };
        let span = other.span;
        let exchange = Exchange { currency: self.currency, lookups: self.lookups, rates: self.rates };
        let mut test = test.clone();
        let Test { subject, ask, .. } = &mut test;
        for literal in literals_mut(ask).into_iter().chain(&mut subject.default) {
            let LiteralValue::Money(micro, currency) = &literal.value else { continue };
            if currency == self.currency {
                continue;
            }
            let worth = exchange.worth(*micro, currency, literal.span, self.report)?;
            let Some(settled) = worth.settled.filter(|_| !is_counted) else {
                let message = match is_counted {
                    true => format!("in `where`, `else` stands beside amounts in {} only", self.currency),
                    false => format!(
                        "beside `else`, amounts are in {}, or have the rates of a file",
                        self.currency
                    ),
                };
                let help = format!("leave out `else`, or write amounts in {}", self.currency);
                self.report.add_help(Code::E0304, span, message, help);
                return None;
            };
            literal.value = LiteralValue::Money(settled, self.currency.to_owned());
        }
        Some(Some(test))
    }

    /// A test against amounts of other currencies: each is compared with what it is worth at that moment.
    pub(super) fn foreign_test(&mut self, test: &Test, fact: &Fact) -> Option<Typed> {
        self.reads_rates = true;
        let mut side = |compare, literal: &Literal| self.foreign_side(test, fact, compare, literal);
        match &test.ask {
            Ask::Compare(compare, literal) => side(*compare, literal),
            Ask::Between(low, high) => {
                let (low, high) = (side(Compare::GreaterOrEqual, low), side(Compare::LessOrEqual, high));
                Some(Typed::And(vec![low?, high?]))
            }
            Ask::In(literals, is_negated) => {
                let sides: Vec<_> = literals.iter().map(|literal| side(Compare::Equal, literal)).collect();
                let any = Typed::Or(sides.into_iter().collect::<Option<_>>()?);
                Some(if *is_negated { Typed::Not(Box::new(any)) } else { any })
            }
            _ => None,
        }
    }

    fn foreign_side(
        &mut self,
        test: &Test,
        fact: &Fact,
        compare: Compare,
        literal: &Literal,
    ) -> Option<Typed> {
        let LiteralValue::Money(micro, currency) = &literal.value else {
            return self.own_side(test, fact, compare, literal);
        };
        if currency == self.currency {
            return self.own_side(test, fact, compare, literal);
        }
        let exchange = Exchange { currency: self.currency, lookups: self.lookups, rates: self.rates };
        let amount = exchange.worth(*micro, currency, literal.span, self.report)?.fact;
        if fact.uses_values() {
            let message = format!("the difference of two amounts is in {}", self.currency);
            let help = format!("write `{} {}`", micro_text(*micro), self.currency);
            self.report.add_help(Code::E0304, literal.span, message, help);
            return None;
        }
        let term = |fact| Box::new(Term { fact, is_count: false });
        let difference = Fact::Difference(term(fact.clone()), term(Fact::Amount(Box::new(amount))));
        Some(Typed::Leaf(compare_with_zero(test, difference, compare)))
    }

    fn own_side(&mut self, test: &Test, fact: &Fact, compare: Compare, literal: &Literal) -> Option<Typed> {
        let test = Test { ask: Ask::Compare(compare, literal.clone()), ..test.clone() };
        let setting = (self.currency, self.timezone);
        check(&test, fact.clone(), &FactType::Money, setting, self.report).map(Typed::Leaf)
    }
}
