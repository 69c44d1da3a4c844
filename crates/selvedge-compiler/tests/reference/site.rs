//! Conditions with their text.

use super::history::Values;
use super::metric::Metric;
use super::score::Score;
use std::fmt::{Display, Formatter, Result};

/// A constant, or the value of a property.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// Milliseconds, written in seconds.
    Duration(i64),
    /// In millionths.
    Number(i64),
    /// In millionths of the site's currency.
    Money(i64),
    Text(&'static str),
    Bool(bool),
    /// The items of an event, which no condition names.
    Things(Vec<Values>),
}

impl Literal {
    /// Anything but a text as a number.
    pub fn number(&self) -> Option<i64> {
        match self {
            Self::Number(micro) | Self::Money(micro) => Some(*micro),
            Self::Duration(ms) => Some(*ms),
            Self::Bool(flag) => Some(i64::from(*flag)),
            Self::Text(_) | Self::Things(_) => None,
        }
    }
}

impl Display for Literal {
    fn fmt(&self, to: &mut Formatter<'_>) -> Result {
        match self {
            Self::Duration(ms) => write!(to, "{}s", ms / 1_000),
            Self::Number(micro) => write!(to, "{}", decimal(*micro)),
            Self::Money(micro) => write!(to, "{} EUR", decimal(*micro)),
            Self::Text(text) => write!(to, "\"{text}\""),
            Self::Bool(flag) => write!(to, "{flag}"),
            Self::Things(things) => panic!("{things:?} cannot be written"),
        }
    }
}

fn decimal(micro: i64) -> String {
    match micro % 1_000_000 {
        0 => (micro / 1_000_000).to_string(),
        rest => format!("{}.{:06}", micro / 1_000_000, rest.abs()),
    }
}

/// What happened in which order, or did not for how long.
#[derive(Debug, Clone, PartialEq)]
pub struct Sequence {
    /// One to three events that follow each other; of an absence the one that did not come.
    pub steps: Vec<&'static str>,
    /// What must not follow.
    pub then_no: Option<&'static str>,
    pub without: Option<&'static str>,
    pub within_ms: i64,
    pub is_absence: bool,
}

impl Display for Sequence {
    fn fmt(&self, to: &mut Formatter<'_>) -> Result {
        let seconds = self.within_ms / 1_000;
        if self.is_absence {
            return write!(to, "no {} for {seconds}s", self.steps[0]);
        }
        write!(to, "sequence {}", self.steps.join(" then "))?;
        if let Some(event) = self.then_no {
            write!(to, " then no {event}")?;
        }
        write!(to, " within {seconds}s")?;
        match self.without {
            Some(event) => write!(to, " without {event}"),
            None => Ok(()),
        }
    }
}

/// Where a fact comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    Metric(Box<Metric>),
    Sequence(Box<Sequence>),
    Score(&'static Score),
    Builtin(&'static str),
    Attribute(&'static str),
    /// In a filter: a property of the event.
    Property(&'static str),
}

impl Display for Source {
    fn fmt(&self, to: &mut Formatter<'_>) -> Result {
        match self {
            Self::Metric(metric) => write!(to, "{metric}"),
            Self::Sequence(sequence) => write!(to, "{sequence}"),
            Self::Score(score) => write!(to, "score.{}", score.name),
            Self::Builtin(name) | Self::Attribute(name) | Self::Property(name) => write!(to, "{name}"),
        }
    }
}

/// What is asked of a fact.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    Compare(&'static str, Literal),
    In(bool, Vec<Literal>),
    Between(Literal, Literal),
    Text(&'static str, &'static str),
    /// A yes-or-no fact alone.
    Bare,
    Known,
    Missing,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Is(Box<Condition>, &'static str),
    Ask { source: Source, otherwise: Option<Literal>, test: Test },
}

impl Condition {
    /// Whether it asks for the amount of an event.
    pub fn asks_for_an_amount(&self) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().any(Self::asks_for_an_amount),
            Self::Not(inner) | Self::Is(inner, _) => inner.asks_for_an_amount(),
            Self::Ask { source, .. } => *source == Source::Property("value"),
        }
    }
}

impl Display for Condition {
    fn fmt(&self, to: &mut Formatter<'_>) -> Result {
        match self {
            Self::All(parts) => write!(to, "{}", joined(parts, " and ")),
            Self::Any(parts) => write!(to, "{}", joined(parts, " or ")),
            Self::Not(inner) => write!(to, "not ({inner})"),
            Self::Is(inner, state) => write!(to, "({inner}) is {state}"),
            Self::Ask { source, otherwise, test } => {
                write!(to, "{source}")?;
                if let Some(literal) = otherwise {
                    write!(to, " else {literal}")?;
                }
                write_test(to, test)
            }
        }
    }
}

fn joined(parts: &[Condition], word: &str) -> String {
    parts.iter().map(|part| format!("({part})")).collect::<Vec<_>>().join(word)
}

fn write_test(to: &mut Formatter<'_>, test: &Test) -> Result {
    match test {
        Test::Compare(sign, literal) => write!(to, " {sign} {literal}"),
        Test::In(among, literals) => {
            let literals: Vec<String> = literals.iter().map(Literal::to_string).collect();
            write!(to, " {} [{}]", if *among { "in" } else { "not in" }, literals.join(", "))
        }
        Test::Between(low, high) => write!(to, " between {low} and {high}"),
        Test::Text(word, text) => write!(to, " {word} \"{text}\""),
        Test::Bare => Ok(()),
        Test::Known => write!(to, " is known"),
        Test::Missing => write!(to, " is missing"),
    }
}
