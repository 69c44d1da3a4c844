//! YAML as written: a tree in which everything knows where it stands. Built from the events of serde-saphyr's own
//! parser, because deserializing into structs stops at the first error and loses the style of scalars, which is where
//! the traps are.

mod anchor;
pub(crate) mod traps;
mod parse;
mod halves;

pub(crate) use anchor::Anchor;
pub(crate) use halves::parse;
pub(crate) use parse::parse_whole;

use crate::source::Span;

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub span: Span,
    pub value: Value,
}

/// What a value is, before anything is known of its key.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Map),
}

/// A scalar: its text, and how it was written.
#[derive(Debug, Clone)]
pub(crate) struct Scalar {
    pub text: String,
    pub quoted: bool,
    /// Inside `{...}` or `[...]`.
    pub in_flow: bool,
    /// Where each byte of the text stands in the file.
    pub anchor: Anchor,
}

/// A mapping, in the order written, each key once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Map {
    pub entries: Vec<Entry>,
}

/// A key and its value.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub key: String,
    pub key_span: Span,
    pub value: Node,
}

impl Scalar {
    /// Whether it is YAML's empty value.
    pub fn is_null(&self) -> bool {
        !self.quoted && matches!(self.text.as_str(), "" | "~" | "null" | "Null" | "NULL")
    }

    /// Yes or no, as YAML 1.2 has it: `true` and `false`, nothing else.
    pub fn as_bool(&self) -> Option<bool> {
        match self.text.as_str() {
            "true" | "True" | "TRUE" if !self.quoted => Some(true),
            "false" | "False" | "FALSE" if !self.quoted => Some(false),
            _ => None,
        }
    }

    /// Whether YAML 1.2 reads it as a number.
    pub fn is_number(&self) -> bool {
        !self.quoted && self.text.parse::<f64>().is_ok_and(f64::is_finite)
    }
}

impl Node {
    /// What it is, in words for people.
    pub fn form(&self) -> &'static str {
        match &self.value {
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
            Value::Scalar(scalar) if scalar.is_null() => "nothing",
            Value::Scalar(scalar) if scalar.as_bool().is_some() => "yes or no",
            Value::Scalar(scalar) if scalar.is_number() => "a number",
            Value::Scalar(_) => "a text",
        }
    }
}
