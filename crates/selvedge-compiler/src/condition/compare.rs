//! Comparisons with other facts and with now: `a < b`, `a - b <= 14d`, `a within next 3d`.

use super::lexer::Kind;
use super::parser::Parser;
use super::words::KEYWORDS;
use super::{Ask, Compare, Literal, LiteralValue, Lookup, Operand, Subject, Within};

impl Parser<'_> {
    /// What stands behind a comparison: a literal, or another fact.
    pub(super) fn compared(&mut self, compare: Compare, depth: usize) -> Option<Ask> {
        let is_fact = match self.peek() {
            Kind::Word(word) => !KEYWORDS.contains(word),
            sign => *sign == Kind::Sign("("),
        };
        if !is_fact {
            return Some(Ask::Compare(compare, self.literal()?));
        }
        let start = self.peek_at().start;
        let operand = self.operand(depth)?;
        let span = self.span(start..self.behind());
        Some(Ask::CompareFact(compare, Box::new(Subject { operand, span, default: None })))
    }

    /// What follows the name of a table: `[key].column`.
    pub(super) fn lookup(&mut self, table: String, depth: usize) -> Option<Operand> {
        const HELP: &str = "write for example `catalog[page.sku].stock`";
        self.at += 1;
        let depth = self.deeper(depth)?;
        let start = self.peek_at().start;
        let operand = self.operand(depth)?;
        let key = Subject { operand, span: self.span(start..self.behind()), default: None };
        self.expect_sign("]")?;
        self.expect_sign(".")?;
        let Kind::Word(column) = *self.peek() else {
            return self.unexpected("the name of a column", Some(HELP));
        };
        self.at += 1;
        Some(Operand::Lookup(Box::new(Lookup { table, key, column: column.to_owned() })))
    }

    /// `first`, or `first - second`.
    pub(super) fn difference(&mut self, first: Operand, start: usize, depth: usize) -> Option<Operand> {
        if !self.peek_sign("-") {
            return Some(first);
        }
        let span = self.span(start..self.behind());
        self.at += 1;
        let start = self.peek_at().start;
        let second = self.operand(depth)?;
        let second = Subject { operand: second, span: self.span(start..self.behind()), default: None };
        let first = Subject { operand: first, span, default: None };
        Some(Operand::Difference(Box::new(first), Box::new(second)))
    }

    /// What follows the word `within`.
    pub(super) fn within(&mut self) -> Option<Ask> {
        const HELP: &str = "write `within next 3d` or `within last 7d`";
        let side = match self.peek() {
            Kind::Word("next") => Within::Next,
            Kind::Word("last") => Within::Last,
            _ => return self.unexpected("`next` or `last`", Some(HELP)),
        };
        self.at += 1;
        match self.literal()? {
            Literal { value: LiteralValue::Duration(ms), .. } => Some(Ask::Within(side, ms)),
            _ => {
                self.at -= 1;
                self.unexpected("a duration", Some(HELP))
            }
        }
    }
}
