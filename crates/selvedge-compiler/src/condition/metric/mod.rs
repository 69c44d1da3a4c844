//! Metrics as written: each class begins with a word of its own and has a small reader. A class is added by its reader's
//! file and one row of [`CLASSES`].

mod count;

mod amount;

mod sequence;

mod values;

pub(crate) use values::KEPT;

use super::lexer::Kind;
use super::parser::Parser;
use super::words::{KEYWORDS, WINDOWS};
use super::{Expr, Metric, Path};
use crate::codes::Code;
use selvedge_core::wire::program::{Scope, Window};

/// How the metrics of a class are read.
pub(super) struct Reader {
    /// The word they begin with.
    word: &'static str,
    /// They are conditions by themselves and may stand without parentheses.
    pub is_bare: bool,
    /// Reads what follows the word.
    pub read: fn(&mut Parser<'_>, usize) -> Option<Metric>,
}

const CLASSES: [Reader; 13] = [
    Reader { word: "count", is_bare: false, read: count::read },
    Reader { word: "sum", is_bare: false, read: amount::read_sum },
    Reader { word: "min", is_bare: false, read: amount::read_min },
    Reader { word: "max", is_bare: false, read: amount::read_max },
    Reader { word: "avg", is_bare: false, read: amount::read_average },
    Reader { word: "sequence", is_bare: true, read: sequence::read },
    Reader { word: "no", is_bare: true, read: sequence::read_absence },
    Reader { word: "distinct", is_bare: false, read: values::read_distinct },
    Reader { word: "first", is_bare: false, read: values::read_first },
    Reader { word: "last", is_bare: false, read: values::read_last },
    Reader { word: "previous", is_bare: false, read: values::read_previous },
    Reader { word: "time", is_bare: false, read: values::read_since },
    Reader { word: "most_frequent", is_bare: false, read: values::read_most_frequent },
];

const SCOPES: [(&str, Scope); 4] = [
    ("session", Scope::Session),
    ("visitor", Scope::Visitor),
    ("profile", Scope::Profile),
    ("account", Scope::Account),
];

const WINDOW_HELP: &str = "a duration: `10m`, or one of `page`, `session`, `today`, `week`, `month`, `ever`";

impl Parser<'_> {
    /// The class that begins at a token: its word, and behind it the name of an event. (`count` is never a name.)
    pub(super) fn class_at(&self, at: usize) -> Option<&'static Reader> {
        let Kind::Word(word) = self.tokens.get(at)?.kind else { return None };
        let class = CLASSES.iter().find(|class| class.word == word)?;
        if class.word == "previous" && self.is_word(at + 1, "session.start") {
            return None;
        }
        let is_begun = match self.tokens.get(at + 1).map(|token| &token.kind) {
            Some(Kind::Word(next)) => !KEYWORDS.contains(next),
            next => matches!(next, Some(Kind::Text(_))),
        };
        (is_begun || KEYWORDS.contains(&class.word)).then_some(class)
    }

    /// A metric, where one begins here.
    pub(super) fn metric(&mut self, class: &Reader, depth: usize) -> Option<Metric> {
        let start = self.peek_at().start;
        self.at += 1;
        let metric = (class.read)(self, depth)?;
        Some(Metric { source: self.source(start), ..metric })
    }

    /// The name of an event; with its property behind a dot, where one is written.
    pub(super) fn path(&mut self) -> Option<Path> {
        let at = self.peek_at();
        let (name, is_text) = match self.peek().clone() {
            Kind::Word(word) if !KEYWORDS.contains(&word) => (word.to_owned(), false),
            Kind::Text(text) => (text, true),
            _ => return self.unexpected("the name of an event", None),
        };
        self.at += 1;
        let mut property = None;
        if is_text && self.take_sign(".") {
            let Kind::Word(word) = *self.peek() else {
                return self.unexpected("the name of a property", None);
            };
            self.at += 1;
            property = Some(word.to_owned());
        }
        Some(Path { name, property, span: self.span(at.start..self.behind()) })
    }

    /// `where P`, if it is there.
    pub(super) fn filter(&mut self, depth: usize) -> Option<Option<Expr>> {
        let depth = self.deeper(depth)?;
        if self.take_word("where") { Some(Some(self.or(depth)?)) } else { Some(None) }
    }

    /// `in W`.
    pub(super) fn window(&mut self) -> Option<Window> {
        if !self.take_word("in") {
            return self.unexpected("`in` and a window", Some(WINDOW_HELP));
        }
        let window = match *self.peek() {
            Kind::Duration(ms) => Some(Window::Sliding(ms)),
            Kind::Word(word) => WINDOWS.iter().find(|(known, _)| *known == word).map(|(_, window)| *window),
            _ => None,
        };
        if window.is_none() {
            return self.unexpected("a window", Some(WINDOW_HELP));
        }
        self.at += 1;
        window
    }

    /// `of S`, if it is there; else the narrowest that can hold the window.
    pub(super) fn scope(&mut self, window: Window) -> Option<Scope> {
        let is_of_session = matches!(window, Window::Page | Window::Session);
        if !self.take_word("of") {
            return Some(if is_of_session { Scope::Session } else { Scope::Visitor });
        }
        let span = self.span(self.peek_at());
        let Kind::Word(word) = *self.peek() else {
            return self.unexpected("a scope", Some("`session`, `visitor`, `profile` or `account`"));
        };
        let Some((_, scope)) = SCOPES.iter().find(|(known, _)| *known == word) else {
            return self.unexpected("a scope", Some("`session`, `visitor`, `profile` or `account`"));
        };
        self.at += 1;
        if is_of_session && *scope != Scope::Session {
            let message =
                format!("`of {word}` cannot hold a page view or a session: those are a visitor's own");
            let help = "remove it, or write a longer window: `in 30d`, `in ever`".to_owned();
            self.report.add_help(Code::E0220, span, message, help);
            return None;
        }
        Some(*scope)
    }
}
