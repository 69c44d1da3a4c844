//! Contents that differ from visitor to visitor: by language, and by values in their texts. A program holds them taken
//! apart, so that nobody who shows them searches texts for placeholders.

mod decode;

mod encode;

use alloc::string::String;
use alloc::vec::Vec;

pub(super) use decode::templates;
pub(super) use encode::template;

/// Stands in [`Template::reads`] for the time of the decision.
pub const READS_NOW: u16 = u16::MAX;

/// What a content shows in each language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// The content, by its place in [`super::Parts::contents`]; its fields there are empty.
    pub content: u16,
    /// The name of what [`Self::reads`] means: values that were fixed under another name are not its own.
    pub meaning: u64,
    /// The values that it reads, by their places in [`super::Parts::values`]; [`READS_NOW`] is the decision's time. At most
    /// [`crate::limits::CONTENT_VALUES_MAX`].
    pub reads: Vec<u16>,
    /// By language; the last is for everybody else.
    pub wordings: Vec<Wording>,
}

/// What a content shows in one language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wording {
    /// BCP 47, lower case: `de`, `de-at`. Empty for everybody else.
    pub language: String,
    /// The fields, as [`super::Content::fields`] has them.
    pub fields: Vec<(String, Vec<Piece>)>,
}

/// A piece of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// As it is.
    Text(String),
    /// A value.
    Value(Placeholder),
}

/// A value in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placeholder {
    /// How it is computed, on a stack; what is left at the end is the value.
    pub steps: Vec<Step>,
    /// How it is written.
    pub format: Format,
    /// What it stands in.
    pub escape: Escape,
    /// What stands there when the value is unknown, escaped already. Without it the content is not shown then.
    pub otherwise: Option<String>,
}

/// One step of a computation. All numbers are in the scale of their facts: millionths, counts, milliseconds. What does not
/// fit 64 bits is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Puts a constant on the stack.
    Constant(i64),
    /// Puts a value on the stack, by its place in [`Template::reads`].
    Read(u8),
    /// Takes two, puts their sum.
    Add,
    /// Takes two, puts the first less the second.
    Subtract,
    /// Takes two in millionths, puts their product.
    Multiply,
    /// Takes two, puts the first divided by the second, in millionths. By 0: unknown.
    Divide,
    /// Takes a moment, puts a part of it as clocks in the site's time zone show it.
    Local(LocalPart),
}

/// A part of a moment in local time, in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LocalPart {
    /// 2026.
    Year = 0,
    /// 1 to 12.
    Month = 1,
    /// 1 to 31.
    Day = 2,
    /// 1 for Monday to 7.
    Weekday = 3,
    /// Hours, and minutes as hundredths: 18.05.
    Clock = 4,
    /// The same of a clock with twelve hours: 6.05, and 12.05 behind noon and midnight.
    TwelveHourClock = 5,
    /// 1 before noon, 2 from noon on.
    HalfOfDay = 6,
}

/// How a value is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// A text as it is: the only step reads it.
    Text,
    /// A number in millionths.
    Number(NumberFormat),
    /// A whole number from 1, in millionths, as the word in its place; at most [`crate::limits::WORDS_MAX`].
    Words(Vec<String>),
}

/// How a number is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberFormat {
    /// Decimals at most, up to 6.
    pub decimals: u8,
    /// Which zeros at the end stay.
    pub zeros: Zeros,
    /// Whether it is rounded up; else to the nearest, halves away from zero.
    pub rounds_up: bool,
    /// What stands before the decimals.
    pub point: String,
    /// What stands between groups of three digits.
    pub group: String,
    /// What stands before the first digit, behind the sign.
    pub prefix: String,
    /// What stands behind the last.
    pub suffix: String,
}

/// Which zeros at the end of the decimals stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zeros {
    /// None: `12.5`.
    Drop = 0,
    /// All, unless there is nothing but zeros: `12.50`, `12`.
    Pair = 1,
    /// All: `12.50`, `12.00`.
    Keep = 2,
}

/// What a value stands in, and so how it is made harmless.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Escape {
    /// In text that is never read as markup: as it is.
    Text = 0,
    /// In markup, between tags or in a quoted attribute: `& < > " '` become references.
    Html = 1,
    /// In an address, behind its host: all but letters, digits and `- . _ ~` is percent-encoded; nothing, and dots alone,
    /// are unknown.
    Address = 2,
    /// In a JSON text.
    Json = 3,
}

/// Which kind of piece follows.
pub(crate) mod piece {
    pub const TEXT: u8 = 0;
    pub const VALUE: u8 = 1;
}

/// Which step follows.
pub(crate) mod step {
    pub const CONSTANT: u8 = 0;
    pub const READ: u8 = 1;
    pub const ADD: u8 = 2;
    pub const SUBTRACT: u8 = 3;
    pub const MULTIPLY: u8 = 4;
    pub const DIVIDE: u8 = 5;
    pub const LOCAL: u8 = 6;
}

/// Which format follows.
pub(crate) mod format {
    pub const TEXT: u8 = 0;
    pub const NUMBER: u8 = 1;
    pub const WORDS: u8 = 2;
}
