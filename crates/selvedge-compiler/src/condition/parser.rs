//! Tokens in, syntax tree out, by precedence: `or` < `and` < `not` < tests < `else`.

use super::hints::hint;
use super::lexer::{Kind, Token, tokens};
use super::words::{KEYWORDS, WINDOWS};
use super::{
    Ask, Class, Compare, Expr, Literal, LiteralValue, Metric, Operand, Path, Source, State, Subject, Test,
};
use crate::codes::Code;
use crate::diagnostic::Report;
use crate::source::Span;
use crate::yaml::Anchor;
use selvedge_core::limits::{CONDITION_BYTES_MAX, CONDITION_DEPTH_MAX};
use selvedge_core::wire::program::TextTest;
use std::ops::Range;

/// Reads a condition; `None` where it has an error, which is reported.
pub(crate) fn parse_condition(text: &str, anchor: &Anchor, report: &mut Report) -> Option<Expr> {
    let mut parser = Parser::new(text, anchor, report)?;
    let condition = parser.or(0)?;
    parser.end()?;
    Some(condition)
}

/// Reads a metric; `None` where it has an error, which is reported.
pub(crate) fn parse_metric(text: &str, anchor: &Anchor, report: &mut Report) -> Option<Metric> {
    let mut parser = Parser::new(text, anchor, report)?;
    let Some(class) = parser.class_at(parser.at) else {
        return parser.unexpected("a metric", Some("write for example `count purchase in session`"));
    };
    let metric = parser.metric(class, 0)?;
    parser.end()?;
    if matches!(metric.class, Class::NoneIn) {
        let help = "name it under `audiences`".to_owned();
        let message = "`no ... in ...` is a condition, not a metric";
        parser.report.add_help(Code::E0340, metric.source.span, message, help);
        return None;
    }
    Some(metric)
}

/// Reads `E where P`; `None` where it has an error, which is reported.
pub(crate) fn parse_event(text: &str, anchor: &Anchor, report: &mut Report) -> Option<(Path, Option<Expr>)> {
    let mut parser = Parser::new(text, anchor, report)?;
    let path = parser.path()?;
    let filter = parser.filter(0)?;
    parser.end()?;
    Some((path, filter))
}

/// Reads tokens from left to right.
pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    anchor: &'a Anchor,
    pub(super) report: &'a mut Report,
    pub(super) tokens: Vec<Token<'a>>,
    pub(super) at: usize,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, anchor: &'a Anchor, report: &'a mut Report) -> Option<Self> {
        if text.len() > CONDITION_BYTES_MAX {
            let message = format!("the condition has {} bytes; at most {CONDITION_BYTES_MAX}", text.len());
            let help = "name parts of it under `audiences`".to_owned();
            report.add_help(Code::E0106, anchor.span(0, text.len()), message, help);
            return None;
        }
        let tokens = tokens(text, anchor, report)?;
        Some(Self { text, anchor, report, tokens, at: 0 })
    }

    pub(super) fn or(&mut self, depth: usize) -> Option<Expr> {
        self.joined(depth, "or", Self::and, Expr::Or)
    }

    fn and(&mut self, depth: usize) -> Option<Expr> {
        self.joined(depth, "and", Self::not, Expr::And)
    }

    fn joined(
        &mut self,
        depth: usize,
        word: &str,
        part: fn(&mut Self, usize) -> Option<Expr>,
        join: fn(Vec<Expr>) -> Expr,
    ) -> Option<Expr> {
        let first = part(self, depth)?;
        let mut parts = vec![first];
        while self.take_word(word) {
            parts.push(part(self, depth)?);
        }
        if parts.len() == 1 { parts.pop() } else { Some(join(parts)) }
    }

    fn not(&mut self, depth: usize) -> Option<Expr> {
        let depth = self.deeper(depth)?;
        if self.take_word("not") {
            return Some(Expr::Not(Box::new(self.not(depth)?)));
        }
        self.test(depth)
    }

    pub(super) fn deeper(&mut self, depth: usize) -> Option<usize> {
        if depth < CONDITION_DEPTH_MAX {
            return Some(depth + 1);
        }
        let message = format!("nested deeper than {CONDITION_DEPTH_MAX} levels");
        let help = "name parts of it under `audiences`".to_owned();
        let span = self.span(self.peek_at());
        self.report.add_help(Code::E0105, span, message, help);
        None
    }

    /// A fact and what is asked of it, or a condition in parentheses.
    fn test(&mut self, depth: usize) -> Option<Expr> {
        let start = self.peek_at().start;
        if self.peek_sign("(") && self.class_at(self.at + 1).is_none() {
            self.at += 1;
            let inner = self.or(depth)?;
            self.expect_sign(")")?;
            return self.grouped(inner, start, depth);
        }
        if let Some(history) = self.history_at() {
            return self.history(history, depth);
        }
        let subject = self.subject(depth)?;
        let ask = self.ask(depth)?;
        let subject = self.of_clock(subject, &ask);
        Some(Expr::Test(Test { subject, ask, source: self.source(start) }))
    }

    /// What may follow parentheses: `is true` and its kin behind a condition, any test behind a fact.
    pub(super) fn grouped(&mut self, inner: Expr, start: usize, depth: usize) -> Option<Expr> {
        if let Expr::Test(Test { subject, ask: Ask::Holds, .. }) = inner {
            let ask = self.ask(depth)?;
            return Some(Expr::Test(Test { subject, ask, source: self.source(start) }));
        }
        if self.take_word("is") {
            let state = self.state()?;
            return Some(Expr::State(Box::new(inner), state, self.source(start)));
        }
        Some(inner)
    }

    fn subject(&mut self, depth: usize) -> Option<Subject> {
        let start = self.peek_at().start;
        let operand = self.operand(depth)?;
        let operand = self.difference(operand, start, depth)?;
        let span = self.span(start..self.behind());
        let default = if self.take_word("else") { Some(self.literal()?) } else { None };
        Some(Subject { operand, span, default })
    }

    /// One fact.
    pub(super) fn operand(&mut self, depth: usize) -> Option<Operand> {
        let at = self.peek_at();
        if let Some(quantity) = self.quantity() {
            return self.items(quantity, depth);
        }
        if self.peek_word("previous") && self.is_word(self.at + 1, "session.start") {
            self.at += 2;
            return Some(Operand::Name("session.previous_start".to_owned()));
        }
        Some(match self.peek().clone() {
            Kind::Sign("(") => {
                self.at += 1;
                let Some(class) = self.class_at(self.at) else {
                    return self.unexpected("a metric", Some("write `(count purchase in 30d)`"));
                };
                let metric = self.metric(class, depth)?;
                self.expect_sign(")")?;
                let text = self.source(at.start).text;
                Operand::Metric(Box::new(metric), text)
            }
            Kind::Word(word) if self.class_at(self.at).is_some() => {
                let class = self.class_at(self.at)?;
                if !class.is_bare {
                    return self.bare_metric(word);
                }
                let metric = self.metric(class, depth)?;
                let text = self.source(at.start).text;
                Operand::Metric(Box::new(metric), text)
            }
            Kind::Word(word) if !KEYWORDS.contains(&word) => {
                self.at += 1;
                if self.peek_sign("[") {
                    return self.lookup(word.to_owned(), depth);
                }
                Operand::Name(word.to_owned())
            }
            Kind::Word(_) | Kind::Sign(_) | Kind::End => return self.unexpected("a fact", None),
            _ => return self.literal_first(),
        })
    }

    /// Whether the token at a place is this word.
    pub(super) fn is_word(&self, at: usize, word: &str) -> bool {
        matches!(self.tokens.get(at).map(|token| &token.kind), Some(Kind::Word(found)) if *found == word)
    }

    fn bare_metric<T>(&mut self, word: &str) -> Option<T> {
        let span = self.span(self.peek_at());
        let help = format!("write `({word} ... in ...) >= 2`, or name it under `metrics`");
        self.report.add_help(Code::E0107, span, "a metric inside a condition needs parentheses", help);
        None
    }

    fn literal_first<T>(&mut self) -> Option<T> {
        let help = "write the fact first: `shoe_views >= 2`";
        self.unexpected("a fact", Some(help))
    }

    fn ask(&mut self, depth: usize) -> Option<Ask> {
        let at = self.at;
        if let Kind::Sign(sign) = self.peek() {
            let Some(compare) = compare(sign) else { return Some(Ask::Holds) };
            self.at += 1;
            return self.compared(compare, depth);
        }
        let Kind::Word(word) = *self.peek() else { return Some(Ask::Holds) };
        self.at += 1;
        match word {
            "between" => self.between(),
            "is" => Some(Ask::State(self.state()?)),
            "in" if self.list_follows() => self.list(false),
            "not" if self.take_word("in") => self.list(true),
            "contains" => Some(Ask::Text(TextTest::Contains, self.literal()?)),
            "starts_with" => Some(Ask::Text(TextTest::StartsWith, self.literal()?)),
            "ends_with" => Some(Ask::Text(TextTest::EndsWith, self.literal()?)),
            "matches_glob" => Some(Ask::Text(TextTest::MatchesGlob, self.literal()?)),
            "within" if !matches!(self.peek(), Kind::Duration(_)) => self.within(),
            _ => {
                self.at = at;
                Some(Ask::Holds)
            }
        }
    }

    fn between(&mut self) -> Option<Ask> {
        let low = self.literal()?;
        if !self.take_word("and") {
            return self.unexpected("`and`", Some("write `x between 20 and 60`"));
        }
        Some(Ask::Between(low, self.literal()?))
    }

    fn state(&mut self) -> Option<State> {
        let negated = self.take_word("not");
        let state = match (self.peek(), negated) {
            (Kind::Word("known"), false) => State::Known,
            (Kind::Word("missing"), false) => State::Missing,
            (Kind::Word("true"), false) => State::True,
            (Kind::Word("true"), true) => State::NotTrue,
            (Kind::Word("false"), false) => State::False,
            (Kind::Word("false"), true) => State::NotFalse,
            _ => {
                let help = "`is known`, `is missing`, `is true`, `is not true`, `is false`, `is not false`";
                return self.unexpected("`known`, `missing`, `true` or `false`", Some(help));
            }
        };
        self.at += 1;
        Some(state)
    }

    /// Whether `in` begins a list, not the window of a metric.
    fn list_follows(&self) -> bool {
        match self.peek() {
            Kind::Duration(_) => false,
            Kind::Word(word) => WINDOWS.iter().all(|(window, _)| window != word),
            _ => true,
        }
    }

    fn list(&mut self, negated: bool) -> Option<Ask> {
        if let Kind::Word(word) = *self.peek() {
            let span = self.span(self.peek_at());
            self.at += 1;
            return Some(Ask::InList(word.to_owned(), span, negated));
        }
        self.expect_sign("[")?;
        let mut literals = vec![self.literal()?];
        while self.take_sign(",") {
            if self.peek_sign("]") {
                break;
            }
            literals.push(self.literal()?);
        }
        self.expect_sign("]")?;
        Some(Ask::In(literals, negated))
    }

    pub(super) fn literal(&mut self) -> Option<Literal> {
        let at = self.peek_at();
        let value = match self.peek().clone() {
            Kind::Text(text) => LiteralValue::Text(text),
            Kind::Number(hours) if self.is_sign(self.at + 1, ":") => self.clock(hours)?,
            Kind::Number(number) => self.currency(number),
            Kind::Duration(ms) => LiteralValue::Duration(ms),
            Kind::Word("true") => LiteralValue::Bool(true),
            Kind::Word("false") => LiteralValue::Bool(false),
            Kind::Word(word) if !KEYWORDS.contains(&word) => return self.word_for_literal(word),
            _ => return self.unexpected("a text, a number or an amount of money", None),
        };
        self.at += 1;
        Some(Literal { value, span: self.span(at.start..self.behind()) })
    }

    fn word_for_literal<T>(&mut self, word: &str) -> Option<T> {
        let help = format!("write \"{word}\" if a text is meant");
        self.unexpected("a text, a number or an amount of money", Some(&help))
    }

    /// The number before us, with the currency behind it where there is one.
    fn currency(&mut self, number: i64) -> LiteralValue {
        match self.tokens.get(self.at + 1).map(|token| &token.kind) {
            Some(Kind::Word(word))
                if word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_uppercase()) =>
            {
                let currency = (*word).to_owned();
                self.at += 1;
                LiteralValue::Money(number, currency)
            }
            _ => LiteralValue::Number(number),
        }
    }

    fn end(&mut self) -> Option<()> {
        match self.peek() {
            Kind::End => Some(()),
            Kind::Sign(")") => self.unexpected("the end", Some("there is one `)` too many")),
            _ => self.unexpected("`and`, `or` or the end", None),
        }
    }

    pub(super) fn unexpected<T>(&mut self, expected: &str, help: Option<&str>) -> Option<T> {
        let at = self.peek_at();
        let found = match self.peek() {
            Kind::End => "the end".to_owned(),
            _ => format!("`{}`", self.text.get(at.clone()).unwrap_or_default()),
        };
        let before = self.text.get(..at.start).unwrap_or_default();
        let meant = hint(before, self.text.get(at.clone()).unwrap_or_default());
        let span = self.span(at);
        let message = format!("expected {expected}, found {found}");
        self.report.add_help(Code::E0103, span, message, meant.or_else(|| help.map(str::to_owned)));
        None
    }

    pub(super) fn peek(&self) -> &Kind<'a> {
        self.tokens.get(self.at).map_or(&Kind::End, |token| &token.kind)
    }

    pub(super) fn peek_at(&self) -> Range<usize> {
        self.tokens.get(self.at).map_or(self.text.len()..self.text.len(), |token| token.at.clone())
    }

    pub(super) fn peek_word(&self, word: &str) -> bool {
        matches!(self.peek(), Kind::Word(found) if *found == word)
    }

    pub(super) fn peek_sign(&self, sign: &str) -> bool {
        matches!(self.peek(), Kind::Sign(found) if *found == sign)
    }

    pub(super) fn take_word(&mut self, word: &str) -> bool {
        let found = self.peek_word(word);
        self.at += usize::from(found);
        found
    }

    pub(super) fn take_sign(&mut self, sign: &str) -> bool {
        let found = self.peek_sign(sign);
        self.at += usize::from(found);
        found
    }

    pub(super) fn expect_sign(&mut self, sign: &str) -> Option<()> {
        if self.take_sign(sign) {
            return Some(());
        }
        self.unexpected(&format!("`{sign}`"), None)
    }

    /// The end of the token before the next one.
    pub(super) fn behind(&self) -> usize {
        self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(0, |token| token.at.end)
    }

    pub(super) fn source(&self, start: usize) -> Source {
        let at = start..self.behind().max(start);
        let text = self.text.get(at.clone()).unwrap_or_default();
        Source { span: self.span(at), text: in_one_line(text) }
    }

    pub(super) fn span(&self, at: Range<usize>) -> Span {
        self.anchor.span(at.start, at.end)
    }
}

/// The text with one space wherever it has some. Most have no more.
fn in_one_line(text: &str) -> String {
    let mut before = b' ';
    let is_odd = text.bytes().any(|byte| {
        let is_odd = matches!(byte, b'\t'..=b'\r' | 128..) || (before, byte) == (b' ', b' ');
        before = byte;
        is_odd
    });
    if is_odd || before == b' ' {
        return text.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    text.to_owned()
}

fn compare(sign: &str) -> Option<Compare> {
    match sign {
        "=" => Some(Compare::Equal),
        "!=" => Some(Compare::NotEqual),
        "<" => Some(Compare::Less),
        "<=" => Some(Compare::LessOrEqual),
        ">" => Some(Compare::Greater),
        ">=" => Some(Compare::GreaterOrEqual),
        _ => None,
    }
}
