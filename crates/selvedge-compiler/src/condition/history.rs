//! History: `shown(rule) in W`, `clicked(rule)`, `dismissed(rule)`, `reached(goal) in W`. Each is a count that is at least 1.

use super::lexer::Kind;
use super::parser::Parser;
use super::{
    Ask, Class, Compare, Expr, History, Literal, LiteralValue, Metric, Operand, Path, Subject, Test,
};
use selvedge_core::number::MICRO;
use selvedge_core::wire::program::Window;

const WORDS: [(&str, History); 4] = [
    ("shown", History::Shown),
    ("clicked", History::Clicked),
    ("dismissed", History::Dismissed),
    ("reached", History::Reached),
];

impl Parser<'_> {
    /// What of a visitor's history is asked here: its word, and a parenthesis behind it.
    pub(super) fn history_at(&self) -> Option<History> {
        let Kind::Word(word) = self.peek() else { return None };
        let (_, history) = WORDS.iter().find(|(known, _)| known == word)?;
        let next = self.tokens.get(self.at + 1).map(|token| &token.kind);
        (next == Some(&Kind::Sign("("))).then_some(*history)
    }

    /// Reads it; `is not true` and its kin may follow.
    pub(super) fn history(&mut self, history: History, depth: usize) -> Option<Expr> {
        let start = self.peek_at().start;
        self.at += 2;
        let path = self.history_of()?;
        let is_windowed = self.peek_word("in");
        let window = if is_windowed { self.window()? } else { Window::Ever };
        let scope = self.scope(window)?;
        let source = self.source(start);
        let class = Class::History(history, is_windowed);
        let metric = Metric { window, scope, source: source.clone(), ..Metric::of(class, path) };
        let span = source.span;
        let subject =
            Subject { operand: Operand::Metric(Box::new(metric), source.text.clone()), span, default: None };
        let once = Literal { value: LiteralValue::Number(MICRO), span };
        let test = Test { subject, ask: Ask::Compare(Compare::GreaterOrEqual, once), source };
        self.grouped(Expr::Test(test), start, depth)
    }

    /// The name in the parentheses: a rule's id may hold hyphens, which are signs elsewhere.
    fn history_of(&mut self) -> Option<Path> {
        let from = self.peek_at().start;
        while !matches!(self.peek(), Kind::Sign(")") | Kind::End) {
            self.at += 1;
        }
        let to = self.peek_at().start;
        let name = self.text.get(from..to).unwrap_or_default().trim().trim_matches(['"', '\'']).to_owned();
        if name.is_empty() {
            return self.unexpected("a name", Some("write for example `shown(free-shipping-hero) in 7d`"));
        }
        let span = self.span(from..to);
        self.expect_sign(")")?;
        Some(Path { name, property: None, span })
    }
}
