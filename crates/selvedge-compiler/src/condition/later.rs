//! What the language has but what is not built yet: refused by name, with what to use instead.

use super::lexer::Kind;
use super::parser::{KEYWORDS, Parser};
use crate::fields;

/// What begins an expression that the language has but that is not built yet, and what to use.
const LATER: [(&str, &str); 19] = [
    ("sum", "`count` is there; keep a running total as an attribute"),
    ("min", "`count` is there"),
    ("max", "`count` is there"),
    ("avg", "`count` is there"),
    ("distinct", "`count` is there"),
    ("first", "keep the value as an attribute, set by the event"),
    ("last", "keep the value as an attribute, set by the event"),
    ("previous", "`days_since_last_visit` is there"),
    ("time", "count the event in a window: `(count E in 10m) = 0`"),
    ("most_frequent", "count the values that matter, one metric each"),
    ("sequence", "count the events in a window, and join the counts with `and`"),
    ("no", "count it: `(count E in session) = 0`"),
    ("any", "send what matters as a property of the event"),
    ("shown", "use `cap`"),
    ("dismissed", "count an event of your own"),
    ("clicked", "count an event of your own"),
    ("reached", "count the goal's event"),
    ("now", "use `status` to switch a rule on and off"),
    ("weekday", "use `status` to switch a rule on and off"),
];

/// Of these, the ones that stand alone: they are never names.
const NEVER_NAMES: [&str; 2] = ["now", "weekday"];

/// Windows that are not built yet, and what to use.
pub(super) fn window_later(word: &str) -> Option<&'static str> {
    match word {
        "today" => Some("use `in 24h`"),
        "week" => Some("use `in 7d`"),
        "month" => Some("use `in 30d`"),
        "ever" => Some("use a long window: `in 365d`, or an attribute that the event sets"),
        _ => None,
    }
}

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

    pub(super) fn refuse_lookup(&mut self) -> Option<()> {
        if !self.peek_sign("[") {
            return Some(());
        }
        let span = self.span(self.peek_at());
        fields::not_supported("a lookup", "send the value as a property of an event", span, self.report);
        None
    }

    pub(super) fn refuse_word<T>(&mut self, at: usize, word: &str) -> Option<T> {
        let span = self.tokens.get(at).map(|token| self.span(token.at.clone()))?;
        fields::not_supported(&format!("`{word}`"), "compare the fact with a literal", span, self.report);
        None
    }
}
