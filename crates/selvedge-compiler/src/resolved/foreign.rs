//! Amounts of other currencies in conditions: each is compared with what it is worth at that moment.

use super::fact::{Amount, Fact, FactType, Term, Typed};
use super::leaf::{check, compare_with_zero};
use super::rates::{Rates, is_money, literals, may_be_foreign};
use super::typed::Checker;
use crate::codes::Code;
use crate::condition::{Ask, Compare, Literal, LiteralValue, Test};
use crate::literal::micro_text;
use crate::source::Span;

impl Checker<'_, '_> {
    /// Whether events of this name may bring amounts of another currency.
    pub(super) fn may_be_foreign(&self, event: &str) -> bool {
        self.names.event(event).is_some_and(may_be_foreign)
    }

    /// Whether the literals of a test have to be converted.
    pub(super) fn is_foreign(&self, fact_type: &FactType, ask: &Ask) -> bool {
        let is_other = |literal: &&Literal| matches!(&literal.value, LiteralValue::Money(_, currency) if currency != self.currency);
        self.rates.is_some() && is_money(fact_type, ask) && literals(ask).iter().any(is_other)
    }

    /// A test against amounts of other currencies: each is compared with what it is worth at that moment.
    pub(super) fn foreign_test(&mut self, test: &Test, fact: &Fact) -> Option<Typed> {
        self.reads_rates = true;
        if let Some(default) = &test.subject.default {
            let message = format!("`else` stands beside amounts in {} only", self.currency);
            let help = format!("leave out `else`, or compare with an amount in {}", self.currency);
            self.report.add_help(Code::E0304, default.span, message, help);
            return None;
        }
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
        let Rates { table, column } = self.rates?;
        self.has_rate(table, *micro, currency, literal.span)?;
        if fact.uses_values() {
            let message = format!("the difference of two amounts is in {}", self.currency);
            let help = format!("write `{} {}`", micro_text(*micro), self.currency);
            self.report.add_help(Code::E0304, literal.span, message, help);
            return None;
        }
        let amount = Amount { micro: *micro, currency: currency.clone(), table, column };
        let term = |fact| Box::new(Term { fact, is_count: false });
        let difference = Fact::Difference(term(fact.clone()), term(Fact::Amount(Box::new(amount))));
        Some(Typed::Leaf(compare_with_zero(test, difference, compare)))
    }

    fn own_side(&mut self, test: &Test, fact: &Fact, compare: Compare, literal: &Literal) -> Option<Typed> {
        let test = Test { ask: Ask::Compare(compare, literal.clone()), ..test.clone() };
        let setting = (self.currency, self.timezone);
        check(&test, fact.clone(), &FactType::Money, setting, self.report).map(Typed::Leaf)
    }

    /// Reports a currency that the file of rates does not have. What is pushed, is not known here.
    fn has_rate(&mut self, table: usize, micro: i64, currency: &str, span: Span) -> Option<()> {
        let lookup = self.lookups.get(table)?;
        let is_there = lookup.push.is_some() || lookup.rows.iter().any(|row| row.key == currency);
        if is_there {
            return Some(());
        }
        let message = format!("`{}` has no rate of {currency}", lookup.name);
        let help = format!("write `{} {}`, or add a row to the file", micro_text(micro), self.currency);
        self.report.add_help(Code::E0304, span, message, help);
        None
    }
}
