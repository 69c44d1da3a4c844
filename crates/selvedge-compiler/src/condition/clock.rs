//! Times of day: `22:00`, and `now between 22:00 and 07:00 in visitor_local`.

use super::lexer::Kind;
use super::parser::Parser;
use super::{Ask, Literal, LiteralValue, Operand, Subject};
use selvedge_core::number::MICRO;
use selvedge_core::wire::program::Builtin;

impl Parser<'_> {
    /// The time of day that begins with these hours.
    pub(super) fn clock(&mut self, hours: i64) -> Option<LiteralValue> {
        let minutes = self.tokens.get(self.at + 2).map(|token| &token.kind);
        let is_whole =
            |number: i64, below: i64| number % MICRO == 0 && (0..below).contains(&(number / MICRO));
        match minutes {
            Some(Kind::Number(minutes)) if is_whole(hours, 24) && is_whole(*minutes, 60) => {
                let minutes = hours / MICRO * 60 + minutes / MICRO;
                self.at += 2;
                Some(LiteralValue::Clock(minutes))
            }
            _ => self.unexpected("a time of day", Some("write `07:00` or `22:30`")),
        }
    }

    /// `now` compared with times of day is the time of day: of the site, or, where `in visitor_local` follows, of the
    /// visitor.
    pub(super) fn of_clock(&mut self, subject: Subject, ask: &Ask) -> Subject {
        let is_clock = |literal: &Literal| matches!(literal.value, LiteralValue::Clock(_));
        let is_asked = match ask {
            Ask::Compare(_, literal) | Ask::Between(literal, _) => is_clock(literal),
            _ => false,
        };
        match &subject.operand {
            Operand::Name(name) if name == Builtin::Now.name() && is_asked => {
                let is_local = self.peek_word("in") && self.is_word(self.at + 1, "visitor_local");
                self.at += if is_local { 2 } else { 0 };
                let builtin = if is_local { Builtin::VisitorTimeOfDay } else { Builtin::TimeOfDay };
                Subject { operand: Operand::Name(builtin.name().to_owned()), ..subject }
            }
            _ => subject,
        }
    }

    pub(super) fn is_sign(&self, at: usize, sign: &str) -> bool {
        matches!(self.tokens.get(at).map(|token| &token.kind), Some(Kind::Sign(found)) if *found == sign)
    }
}
