//! Tokens of a placeholder in, syntax tree out. Loosest first: `else` < `as` < `+ -` < `* /`.

use super::lexer::{Kind, Token, tokens};
use super::{Expr, Format, Literal, Lookup, Operation, Placeholder};
use crate::codes::Code;
use crate::diagnostic::Report;
use crate::source::Span;
use crate::yaml::Anchor;
use selvedge_core::limits::STEPS_MAX;
use std::ops::Range;

/// Parentheses within parentheses.
const DEPTH_MAX: usize = STEPS_MAX;

/// Reads what stands between the braces; `None` where it has an error, which is reported.
pub(super) fn parse(
    text: &str,
    range: Range<usize>,
    anchor: &Anchor,
    report: &mut Report,
) -> Option<Placeholder> {
    let tokens = tokens(text, range.clone());
    let mut parser = Parser { text, anchor, report, tokens, at: 0 };
    let expr = parser.sum(0)?;
    let format = if parser.take_word("as") { Some(parser.format()?) } else { None };
    let otherwise = if parser.take_word("else") { Some(parser.literal()?) } else { None };
    if *parser.peek() != Kind::End {
        return parser.unexpected("`as`, `else` or `}}`");
    }
    Some(Placeholder { span: parser.anchor.span(range.start, range.end), at: range, expr, format, otherwise })
}

struct Parser<'a> {
    text: &'a str,
    anchor: &'a Anchor,
    report: &'a mut Report,
    tokens: Vec<Token>,
    at: usize,
}

impl Parser<'_> {
    fn sum(&mut self, depth: usize) -> Option<Expr> {
        self.binary(&[('+', Operation::Add), ('-', Operation::Subtract)], Self::product, depth)
    }

    fn product(&mut self, depth: usize) -> Option<Expr> {
        self.binary(&[('*', Operation::Multiply), ('/', Operation::Divide)], Self::value, depth)
    }

    fn binary(
        &mut self,
        signs: &[(char, Operation)],
        part: fn(&mut Self, usize) -> Option<Expr>,
        depth: usize,
    ) -> Option<Expr> {
        let start = self.here().start;
        let mut left = part(self, depth)?;
        while let Some((_, operation)) = signs.iter().find(|(sign, _)| *self.peek() == Kind::Sign(*sign)) {
            self.at += 1;
            let right = part(self, depth)?;
            let span = self.anchor.span(start, self.behind());
            left = Expr::Binary(*operation, Box::new(left), Box::new(right), span);
        }
        Some(left)
    }

    fn value(&mut self, depth: usize) -> Option<Expr> {
        match self.peek().clone() {
            Kind::Sign('(') if depth < DEPTH_MAX => {
                self.at += 1;
                let inner = self.sum(depth + 1)?;
                if *self.peek() != Kind::Sign(')') {
                    return self.unexpected("`)`");
                }
                self.at += 1;
                Some(inner)
            }
            Kind::Word(word) if word == "now" => {
                self.at += 1;
                Some(Expr::Now)
            }
            Kind::Word(word) if word != "else" && word != "as" => {
                let start = self.here().start;
                let span = self.span();
                self.at += 1;
                if *self.peek() == Kind::Sign('[') {
                    self.lookup(word, start)
                } else {
                    Some(Expr::Name(word, span))
                }
            }
            Kind::Word(_) | Kind::Sign(_) | Kind::Other | Kind::End => {
                self.unexpected("the name of a fact, or a number")
            }
            _ => self.literal().map(Expr::Literal),
        }
    }

    /// What stands behind the name of a table: `[page.sku].name`.
    fn lookup(&mut self, table: String, start: usize) -> Option<Expr> {
        self.at += 1;
        let key = (self.word("the name of a fact: `[page.sku]`")?, self.behind_span());
        self.sign(']')?;
        self.sign('.')?;
        let column = self.word("the name of a column: `.stock`")?;
        let span = self.anchor.span(start, self.behind());
        Some(Expr::Lookup(Box::new(Lookup { table, key, column, span })))
    }

    fn word(&mut self, expected: &str) -> Option<String> {
        let Kind::Word(word) = self.peek().clone() else { return self.unexpected(expected) };
        self.at += 1;
        Some(word)
    }

    fn sign(&mut self, sign: char) -> Option<()> {
        if *self.peek() != Kind::Sign(sign) {
            return self.unexpected(&format!("`{sign}`"));
        }
        self.at += 1;
        Some(())
    }

    /// Where the token before stands.
    fn behind_span(&self) -> Span {
        let at = self.tokens.get(self.at.saturating_sub(1)).map_or(0..0, |token| token.at.clone());
        self.anchor.span(at.start, at.end)
    }

    fn literal(&mut self) -> Option<Literal> {
        let is_negative = *self.peek() == Kind::Sign('-');
        self.at += usize::from(is_negative);
        let sign = if is_negative { -1 } else { 1 };
        let (kind, span) = (self.peek().clone(), self.span());
        self.at += 1;
        match kind {
            Kind::Text(text) if !is_negative => Some(Literal::Text(text)),
            Kind::Duration(ms) => Some(Literal::Duration(ms * sign)),
            Kind::Number(micro, _) => match self.peek().clone() {
                Kind::Word(code) if code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase()) => {
                    let span = span.to(self.span());
                    self.at += 1;
                    Some(Literal::Money(micro * sign, code, span))
                }
                _ => Some(Literal::Number(micro * sign)),
            },
            _ => {
                self.at -= 1;
                self.unexpected("a text in quotes, a number or an amount of money")
            }
        }
    }

    fn format(&mut self) -> Option<Format> {
        let (kind, span) = (self.peek().clone(), self.span());
        self.at += 1;
        match kind {
            Kind::Number(0, decimals) if decimals <= 6 => Some(Format::Decimals(decimals, span)),
            Kind::Word(word) => Some(Format::Word(word, span)),
            _ => {
                self.at -= 1;
                self.unexpected("a format: `0`, `0.00`, `days`, `date`")
            }
        }
    }

    fn unexpected<T>(&mut self, expected: &str) -> Option<T> {
        let at = self.here();
        let found = match self.peek() {
            Kind::End => "the end".to_owned(),
            _ => format!("`{}`", self.text.get(at.clone()).unwrap_or_default()),
        };
        let span = self.anchor.span(at.start, at.end);
        let help = "write for example `{{cart.value else 0 EUR}}`".to_owned();
        self.report.add_help(Code::E0601, span, format!("expected {expected}, found {found}"), help);
        None
    }

    fn peek(&self) -> &Kind {
        self.tokens.get(self.at).map_or(&Kind::End, |token| &token.kind)
    }

    fn here(&self) -> Range<usize> {
        let end = self.tokens.last().map_or(0, |token| token.at.end);
        self.tokens.get(self.at).map_or(end..end, |token| token.at.clone())
    }

    fn behind(&self) -> usize {
        self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(0, |token| token.at.end)
    }

    fn span(&self) -> Span {
        let at = self.here();
        self.anchor.span(at.start, at.end)
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Kind::Word(found) if found == word);
        self.at += usize::from(found);
        found
    }
}
