//! Texts with `{{placeholders}}` as written: cut into pieces, each placeholder a small syntax tree.

mod lexer;
mod parser;

use crate::codes::Code;
use crate::diagnostic::Report;
use crate::source::Span;
use crate::yaml::Anchor;
use std::ops::Range;

/// A piece of a text.
#[derive(Debug, Clone)]
pub(crate) enum Piece {
    /// As it is; where it stands in the text.
    Text(Range<usize>),
    Placeholder(Placeholder),
}

/// `{{expression as format else literal}}`.
#[derive(Debug, Clone)]
pub(crate) struct Placeholder {
    /// Where it stands in the text, braces included.
    pub at: Range<usize>,
    pub span: Span,
    pub expr: Expr,
    pub format: Option<Format>,
    pub otherwise: Option<Literal>,
}

/// What is computed.
#[derive(Debug, Clone)]
pub(crate) enum Expr {
    Literal(Literal),
    /// A fact, an attribute, a metric or a score.
    Name(String, Span),
    /// A cell of a table, by the text of a fact.
    Lookup(Box<Lookup>),
    /// The time of the decision.
    Now,
    Binary(Operation, Box<Expr>, Box<Expr>, Span),
}

/// `catalog[page.sku].name`.
#[derive(Debug, Clone)]
pub(crate) struct Lookup {
    pub table: String,
    /// The name of the fact that it is looked up by.
    pub key: (String, Span),
    pub column: String,
    pub span: Span,
}

/// What is done with two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Add,
    Subtract,
    Multiply,
    Divide,
}

/// A value as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Literal {
    Text(String),
    /// Millionths.
    Number(i64),
    /// Millionths and a currency.
    Money(i64, String, Span),
    /// Milliseconds.
    Duration(i64),
}

/// How a value is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Format {
    /// `as 0.00`: so many decimals.
    Decimals(u8, Span),
    /// `as days`, `as date`.
    Word(String, Span),
}

/// The pieces of a text; `None` where a placeholder has an error, which is reported.
pub(crate) fn pieces(text: &str, anchor: &Anchor, report: &mut Report) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut at = 0;
    let mut is_sound = true;
    while let Some(open) = text[at..].find("{{").map(|open| at + open) {
        if open > at {
            pieces.push(Piece::Text(at..open));
        }
        let Some(close) = lexer::end(&text[open + 2..]).map(|length| open + 2 + length) else {
            let span = anchor.span(open, open + 2);
            let help = "close it with `}}`".to_owned();
            report.add_help(Code::E0601, span, "the placeholder has no end", help);
            return None;
        };
        at = close + 2;
        match parser::parse(text, open + 2..close, anchor, report) {
            Some(found) => pieces.push(Piece::Placeholder(Placeholder {
                at: open..at,
                span: anchor.span(open, at),
                ..found
            })),
            None => is_sound = false,
        }
    }
    if at < text.len() {
        pieces.push(Piece::Text(at..text.len()));
    }
    is_sound.then_some(pieces)
}
