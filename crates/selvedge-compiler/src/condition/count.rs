//! `count E where P in W`.

use super::Count;
use super::lexer::Kind;
use super::parser::Parser;
use super::words::{KEYWORDS, window_later};
use crate::fields;
use selvedge_core::wire::program::Window;

impl Parser<'_> {
    /// What follows the word `count`.
    pub(super) fn count(&mut self, depth: usize) -> Option<Count> {
        let event_span = self.span(self.peek_at());
        let event = match self.peek().clone() {
            Kind::Word(word) if !KEYWORDS.contains(&word.as_str()) => word,
            Kind::Text(text) => text,
            _ => return self.unexpected("the name of an event", None),
        };
        self.at += 1;
        if self.peek_word("by") {
            return self.refuse_word(self.at, "by");
        }
        let depth = self.deeper(depth)?;
        let filter = if self.take_word("where") { Some(self.or(depth)?) } else { None };
        if !self.take_word("in") {
            return self.unexpected("`in` and a window", Some("write `in page`, `in session` or `in 10m`"));
        }
        let window = self.window()?;
        self.refuse_scope()?;
        Some(Count { event, event_span, filter, window })
    }

    fn window(&mut self) -> Option<Window> {
        let window = match self.peek().clone() {
            Kind::Duration(ms) => Window::Sliding(ms),
            Kind::Word(word) if word == "page" => Window::Page,
            Kind::Word(word) if word == "session" => Window::Session,
            Kind::Word(word) => match window_later(&word) {
                Some(instead) => {
                    let span = self.span(self.peek_at());
                    fields::not_supported(&format!("the window `{word}`"), instead, span, self.report);
                    return None;
                }
                None => return self.unexpected("a window", Some("`page`, `session` or a duration: `10m`")),
            },
            _ => return self.unexpected("a window", Some("`page`, `session` or a duration: `10m`")),
        };
        self.at += 1;
        Some(window)
    }

    fn refuse_scope(&mut self) -> Option<()> {
        for word in ["of", "top", "max"] {
            if self.peek_word(word) {
                return self.refuse_word(self.at, word);
            }
        }
        Some(())
    }
}
