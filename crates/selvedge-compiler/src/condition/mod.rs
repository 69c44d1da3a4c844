//! Conditions and metrics as written: a syntax tree in which everything knows its place in the file.

mod words;
mod hints;
mod lexer;
mod parser;
mod metric;
mod compare;
mod clock;
mod items;
mod history;

use crate::source::Span;
use selvedge_core::wire::program::{Scope, TextTest, WarmUp, Window};

pub(crate) use metric::KEPT;
pub(crate) use parser::{parse_condition, parse_event, parse_metric};

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

/// A fact by name, or a metric on the spot.
#[derive(Debug, Clone)]
pub(crate) enum Operand {
    Name(String),
    Metric(Box<Metric>, String),
    /// `a - b`.
    Difference(Box<Subject>, Box<Subject>),
    /// `any(items, price > 20 EUR)`.
    Items(Box<Items>),
    /// `catalog[page.sku].stock`.
    Lookup(Box<Lookup>),
}

/// A column of the row of a table that a fact's text is the key of.
#[derive(Debug, Clone)]
pub(crate) struct Lookup {
    pub table: String,
    pub key: Subject,
    pub column: String,
}

/// A condition on the items of a list.
#[derive(Debug, Clone)]
pub(crate) struct Items {
    pub quantity: Quantity,
    pub list: String,
    pub list_span: Span,
    pub condition: Expr,
    /// The condition as written.
    pub text: String,
}

/// How many items must pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quantity {
    /// One or more.
    Any,
    /// Every one; so it is of an empty list.
    All,
    /// Not one.
    None,
}

/// What is asked of a fact.
#[derive(Debug, Clone)]
pub(crate) enum Ask {
    /// Nothing: it is a condition by itself.
    Holds,
    Compare(Compare, Literal),
    /// With another fact.
    CompareFact(Compare, Box<Subject>),
    /// So long before (`last`) or after now at most.
    Within(Within, u64),
    Between(Literal, Literal),
    /// In the list, or (`true`) not in it.
    In(Vec<Literal>, bool),
    /// In the list of this name, or (`true`) not in it.
    InList(String, Span, bool),
    Text(TextTest, Literal),
    State(State),
}

/// Which side of now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Within {
    /// From now on.
    Next,
    /// Up to now.
    Last,
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
    /// Minutes since midnight.
    Clock(i64),
    Bool(bool),
}

/// A metric as written.
#[derive(Debug, Clone)]
pub(crate) struct Metric {
    pub class: Class,
    /// The event, and its property where the class needs one.
    pub path: Path,
    pub filter: Option<Expr>,
    pub window: Window,
    pub scope: Scope,
    /// `max N`: how many values are kept.
    pub max: Option<u16>,
    /// What is made of what happened before it was there.
    pub warm_up: WarmUp,
    /// All of it.
    pub source: Source,
}

/// What is worked out of events.
#[derive(Debug, Clone)]
pub(crate) enum Class {
    Count,
    Sum,
    Min,
    Max,
    Average,
    /// How many different values.
    Distinct,
    First,
    Last,
    Previous,
    /// How long ago the newest was.
    Since,
    MostFrequent,
    /// How many had the most frequent value.
    Top,
    /// Written under `scores`, never in a condition.
    Score(Score),
    /// Events in their order.
    Sequence(Box<Follows>),
    /// `no E for W`.
    Absence,
    /// `no E in W`: a count that is 0.
    NoneIn,
    /// `shown(rule) in W` and its kin: a count that is at least 1; whether a window is written.
    History(History, bool),
}

/// What is asked of a visitor's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum History {
    /// The rule's content was seen.
    Shown,
    Clicked,
    Dismissed,
    /// The goal was reached.
    Reached,
}

/// How a score is made.
#[derive(Debug, Clone)]
pub(crate) struct Score {
    pub half_life_ms: u64,
    /// Millionths.
    pub min: i64,
    pub max: i64,
    pub points: Vec<Points>,
}

/// What an event adds to a score.
#[derive(Debug, Clone)]
pub(crate) struct Points {
    pub path: Path,
    pub filter: Option<Expr>,
    /// Millionths.
    pub micro: i64,
}

/// What follows the first event of a sequence.
#[derive(Debug, Clone, Default)]
pub(crate) struct Follows {
    pub then: Vec<Step>,
    pub then_no: Option<Step>,
    pub without: Option<Step>,
}

/// An event of a sequence, and what it must pass.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub path: Path,
    pub filter: Option<Expr>,
}

/// An event, or an event and its property: `purchase.value`, `"Order Completed".value`.
#[derive(Debug, Clone)]
pub(crate) struct Path {
    /// The event's name; where it is a word and the class needs a property, that is behind one of its dots.
    pub name: String,
    /// The property behind a text.
    pub property: Option<String>,
    pub span: Span,
}

impl Metric {
    /// A metric of this class with nothing else said; what reads it fills in the rest.
    pub fn of(class: Class, path: Path) -> Self {
        let source = Source { span: path.span, text: String::new() };
        let (window, scope) = (Window::Session, Scope::Session);
        Self { class, path, filter: None, window, scope, max: None, warm_up: WarmUp::Unknown, source }
    }
}

impl LiteralValue {
    /// What it is, in words for people.
    pub const fn form(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Number(_) => "a number",
            Self::Money(..) => "an amount of money",
            Self::Duration(_) => "a duration",
            Self::Clock(_) => "a time of day",
            Self::Bool(_) => "yes or no",
        }
    }
}
