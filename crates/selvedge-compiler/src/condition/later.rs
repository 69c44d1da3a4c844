//! What the language has but what is not built yet: refused by name, with what to use instead.

use super::lexer::Kind;
use super::parser::Parser;
use super::words::{KEYWORDS, LATER, NEVER_NAMES};
use crate::fields;

impl Parser<'_> {
    pub(super) fn refuse_later_operand(&mut self) -> Option<()> {
        let Kind::Word(word) = self.peek() else { return Some(()) };
        let Some((word, instead)) = LATER.iter().find(|(later, _)| later == word) else { return Some(()) };
        let is_begun = match self.tokens.get(self.at + 1).map(|token| &token.kind) {
            Some(Kind::Word(next)) => !KEYWORDS.contains(&next.as_str()) || NEVER_NAMES.contains(word),
            followed => followed == Some(&Kind::Sign("(")) || NEVER_NAMES.contains(word),
        };
        if !is_begun {
            return Some(());
        }
        let span = self.span(self.peek_at());
        fields::not_supported(&format!("`{word}`"), instead, span, self.report);
        None
    }
}
