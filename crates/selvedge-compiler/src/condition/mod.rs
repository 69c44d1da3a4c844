//! Conditions and counts as written: a syntax tree in which everything knows its place in the file.

mod words;
mod lexer;
mod parser;
mod count;
mod later;

use crate::source::Span;
use selvedge_core::wire::program::TextTest;

pub(crate) use parser::{parse_condition, parse_count};

/// A condition, or a part of one.
#[derive(Debug, Clone)]
pub(crate) enum Expr {
    /// All of them, two or more.
    And(Vec<Expr>),
    /// One of them, two or more.
    Or(Vec<Expr>),
    /// The opposite.
    Not(Box<Expr>),
    /// A test of one fact.
    Test(Test),
    /// `(a or b) is not true`: what became of a condition, as yes or no.
    State(Box<Expr>, State, Source),
}

/// The place of a part of a condition, and its own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    pub span: Span,
    pub text: String,
}

/// One fact and what is asked of it.
#[derive(Debug, Clone)]
pub(crate) struct Test {
    pub subject: Subject,
    pub ask: Ask,
    pub source: Source,
}

/// What is tested.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub operand: Operand,
    pub span: Span,
    /// `x else 0`.
    pub default: Option<Literal>,
}

/// A fact by name, or a count on the spot.
#[derive(Debug, Clone)]
pub(crate) enum Operand {
    Name(String),
    Count(Box<Count>, String),
}

/// What is asked of a fact.
#[derive(Debug, Clone)]
pub(crate) enum Ask {
    /// Nothing: it is a condition by itself.
    Holds,
    Compare(Compare, Literal),
    Between(Literal, Literal),
    /// In the list, or (`true`) not in it.
    In(Vec<Literal>, bool),
    Text(TextTest, Literal),
    State(State),
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compare {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// `is known`, `is missing`, `is true`, ...: always yes or no, never unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Known,
    Missing,
    True,
    NotTrue,
    False,
    NotFalse,
}

/// A value as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Literal {
    pub value: LiteralValue,
    pub span: Span,
}

/// What a literal is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LiteralValue {
    Text(String),
    /// Millionths.
    Number(i64),
    /// Millionths and a currency.
    Money(i64, String),
    /// Milliseconds.
    Duration(u64),
    Bool(bool),
}

/// `count E where P in W`.
#[derive(Debug, Clone)]
pub(crate) struct Count {
    pub event: String,
    pub event_span: Span,
    pub filter: Option<Expr>,
    pub window: selvedge_core::wire::program::Window,
}

impl LiteralValue {
    /// What it is, in words for people.
    pub const fn form(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Number(_) => "a number",
            Self::Money(..) => "an amount of money",
            Self::Duration(_) => "a duration",
            Self::Bool(_) => "yes or no",
        }
    }
}
