//! What a site's files may hold, as data: `selvedge schema` makes a JSON Schema of it for editors. A test holds it to the
//! keys that the compiler really reads, in both directions.

mod content;
mod plan;
mod rules;
mod site;
mod tests;

pub use content::CONTENT;
pub use plan::TRACKING_PLAN;
pub use rules::RULES;
pub use site::SITE;
pub use tests::TESTS;

/// The files of a site: name, and what it holds.
pub const FILES: [(&str, &Form); 5] = [
    ("site", &SITE),
    ("tracking-plan", &TRACKING_PLAN),
    ("rules", &RULES),
    ("content", &CONTENT),
    ("tests", &TESTS),
];

/// What a value may be.
#[derive(Debug)]
pub enum Form {
    /// Text; a number or yes-or-no that is not quoted counts as its digits or its word.
    Text,
    /// Text of a certain form: a regular expression, for editors.
    Pattern(&'static str),
    /// A whole number between the two, both included.
    Whole(i64, i64),
    /// Any number.
    Number,
    /// Yes or no.
    Flag,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Any of these forms.
    Either(&'static [Form]),
    /// A list of things of one form.
    List(&'static Form),
    /// A list of them, or one of them alone.
    Items(&'static Form),
    /// Names and things of one form.
    Map(&'static Form),
    /// A mapping with these keys, and no others.
    Object(&'static [Key]),
    /// A mapping with these keys, and no others; at least one of the named must be there.
    ObjectWith(&'static [Key], &'static [&'static str]),
    /// A mapping with these keys, and others of one form.
    Open(&'static [Key], &'static Form),
    /// Anything.
    Any,
}

/// A key of a mapping.
#[derive(Debug)]
pub struct Key {
    /// The key.
    pub name: &'static str,
    /// What it means, in one line.
    pub doc: &'static str,
    /// What stands behind it.
    pub form: Form,
    /// Whether it must be there.
    pub is_required: bool,
}

/// A key that may be left out.
const fn key(name: &'static str, form: Form, doc: &'static str) -> Key {
    Key { name, doc, form, is_required: false }
}

/// A key that must be there.
const fn required(name: &'static str, form: Form, doc: &'static str) -> Key {
    Key { name, doc, form, is_required: true }
}

/// `10m`, `24h`, `7d`.
const DURATION: Form = Form::Pattern("^[0-9]+[smhd]$");
/// The four purposes.
const PURPOSE: Form = Form::Word(&["necessary", "analytics", "personalization", "advertising"]);
