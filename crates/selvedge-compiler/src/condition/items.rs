//! Conditions on the items of a list: `any(items, category = "printer" and price > 20 EUR)`.

use super::lexer::Kind;
use super::parser::Parser;
use super::{Items, Operand, Quantity};

impl Parser<'_> {
    /// How many items must pass, where a condition on items begins here.
    pub(super) fn quantity(&self) -> Option<Quantity> {
        let quantity = match self.peek() {
            Kind::Word("any") => Quantity::Any,
            Kind::Word("all") => Quantity::All,
            Kind::Word("none") => Quantity::None,
            _ => return None,
        };
        let is_opened = self.tokens.get(self.at + 1).is_some_and(|token| token.kind == Kind::Sign("("));
        is_opened.then_some(quantity)
    }

    /// The list and the condition behind `any`, `all` or `none`.
    pub(super) fn items(&mut self, quantity: Quantity, depth: usize) -> Option<Operand> {
        const HELP: &str = "write `any(items, category = \"printer\")`";
        self.at += 2;
        let list_span = self.span(self.peek_at());
        let Kind::Word(list) = *self.peek() else {
            return self.unexpected("the name of a list", Some(HELP));
        };
        let list = list.to_owned();
        self.at += 1;
        if !self.take_sign(",") {
            return self.unexpected("`,` and a condition on the items", Some(HELP));
        }
        let depth = self.deeper(depth)?;
        let start = self.peek_at().start;
        let condition = self.or(depth)?;
        let text = self.source(start).text;
        self.expect_sign(")")?;
        Some(Operand::Items(Box::new(Items { quantity, list, list_span, condition, text })))
    }
}
