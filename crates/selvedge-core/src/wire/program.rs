//! A program taken apart: what the compiler hands over and what `inspect` shows. Positions in the vectors are the
//! indices that other parts name. [`Parts::encode`] makes the program's bytes, `Program::load` reads them.
//!
//! The bytes are a container: `SVP`, version 1, then sections (tag, length, content) by ascending tag; one that is not
//! known is skipped. What the engine reads are tables of fixed-size records, read in place ([`Image`]); the rest is in the
//! postcard format.

mod decode;
mod encode;
mod image;
mod layout;

pub use decode::edge_config;
pub(crate) use image::{
    ACCEPT, AttributeRow, CapRange, CapRow, Code, FactRow, MetricRow, Op, REJECT, RuleRow, op_of,
};
pub use image::{Image, group_hash, rule_hash};
pub(crate) use layout::{NONE, kind};

use super::codec::WireFault;
use crate::consent::{Mode, Purposes};
use crate::tracking_plan::{Plan, Trust};
use alloc::string::String;
use alloc::vec::Vec;

/// Why bytes are no program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProgramFault {
    /// It does not begin with `SVP`, or has another version.
    #[error("this is no program of version 1")]
    Version,
    /// Unreadable bytes.
    #[error("the program cannot be read: {0}")]
    Wire(#[from] WireFault),
    /// More of something than [`crate::limits`] allows.
    #[error("the program is above a limit")]
    TooLarge,
    /// An index that leads nowhere.
    #[error("the program names something that it does not hold")]
    Index,
    /// A jump that does not lead forward, or out of the code.
    #[error("the program holds a jump that does not lead forward")]
    Jump,
    /// Rules, names or cells out of order, or twice.
    #[error("the program's entries are not sorted, or one appears twice")]
    Unsorted,
}

/// Everything a program holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parts {
    /// The site's name.
    pub site: String,
    /// ISO 4217 code of the site's currency.
    pub currency: String,
    /// How late, against the visitor's newest applied event, an event still counts.
    pub late_ms: u32,
    /// What only the edge knows. `None` in the public program, which is what a page loads.
    pub edge: Option<EdgeConfig>,
    /// The tracking plan.
    pub plan: Plan,
    /// Declared attributes.
    pub attributes: Vec<Attribute>,
    /// Facts that conditions test.
    pub facts: Vec<Fact>,
    /// Counts, in the order conditions name them.
    pub metrics: Vec<Metric>,
    /// All conditions' code, one after the other.
    pub code: Vec<Instruction>,
    /// Bit sets of [`Test::MaskWide`], 64 dictionary indices a word.
    pub masks: Vec<Vec<u64>>,
    /// Rules, sorted by priority descending, then id ascending: the order of deciding.
    pub rules: Vec<Rule>,
    /// Slots, sorted by name.
    pub slots: Vec<Slot>,
    /// Exclusion groups.
    pub groups: Vec<Group>,
    /// Contents, sorted by id.
    pub contents: Vec<Content>,
}

/// What only the edge knows of a site.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EdgeConfig {
    /// Where events enter.
    pub sources: Vec<Source>,
    /// Origins a browser source may send from, besides the worker's own (`https://shop.example`).
    pub origins: Vec<String>,
    /// What unknown consent means where no region says otherwise.
    pub consent_mode: Mode,
    /// Two-letter countries with another mode.
    pub consent_regions: Vec<(String, Mode)>,
    /// The version of the consent policy.
    pub policy_version: u16,
    /// Where each instruction of [`Parts::code`] stands in the source, for explanations; same length as `code`.
    pub leaves: Vec<Leaf>,
}

/// Where events enter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: SourceKind,
    /// The write key itself (browser), or the name of the secret that holds it (server, webhook).
    pub key: String,
}

/// What a source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceKind {
    /// A page; its key is public.
    Browser,
    /// A server; its key is a secret.
    Server,
    /// A webhook; its signature is verified.
    Webhook,
}

impl SourceKind {
    /// The trust its events enter with.
    #[must_use]
    pub const fn trust(self) -> Trust {
        match self {
            Self::Browser => Trust::Client,
            Self::Server | Self::Webhook => Trust::Server,
        }
    }
}

/// One leaf of a condition, as written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Leaf {
    /// The file, as named in the site folder.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
    /// The leaf's own text: `shoe_views >= 2`.
    pub text: String,
}

/// A declared attribute: a value kept in the visitor's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Its name, as conditions write it.
    pub name: String,
    /// How long it lives.
    pub scope: AttributeScope,
    /// What it is.
    pub attribute_type: AttributeType,
    /// Events that change it, besides traits (visitor scope) and context (context scope) of the same name.
    pub set: Vec<AttributeSet>,
    /// What changing it needs granted: the purposes of all rules that read it (personalization where none does). While
    /// one of them is not in force, it is unobserved; only an event that may be used for all of them sets it.
    pub purpose: Purposes,
    /// Whether it stays at the edge.
    pub private: bool,
}

/// How long an attribute lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttributeScope {
    /// Until the session ends.
    Session,
    /// For the life of the visitor; `identify` traits of the same name set it.
    Visitor,
    /// As the latest context says.
    Context,
}

/// What an attribute is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttributeType {
    /// Text.
    Text,
    /// A number or an amount of money, in millionths.
    Number,
    /// Yes or no.
    Bool,
}

/// One event that changes an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeSet {
    /// The event's name.
    pub event: String,
    /// What it sets.
    pub to: SetTo,
}

/// What an attribute is set to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetTo {
    /// A constant: text.
    Text(String),
    /// A constant: millionths.
    Number(i64),
    /// A constant: yes or no.
    Bool(bool),
    /// The event's property of this name.
    Property(String),
}

/// A thing a condition can test: its value is one `i64`, or unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Where the value comes from.
    pub source: FactSource,
    /// How it becomes a number.
    pub shape: Shape,
    /// What stands in for unknown (`x else 0`).
    pub default: Option<i64>,
}

/// Where a fact's value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FactSource {
    /// A built-in fact.
    Builtin(Builtin),
    /// The attribute at this place.
    Attribute(u16),
    /// The metric at this place.
    Metric(u16),
    /// A property of the event being stepped (only in a metric's `where`); dots reach into objects.
    Property(String),
}

/// How a value becomes a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// Numbers, money: millionths (built-in numbers too: `session.pages = 3` tests 3,000,000). Metrics: the count itself.
    /// Times: milliseconds. Bool: 0 or 1.
    Number,
    /// Text: 1 where it is none of these, else 2 plus its place among them (sorted).
    OneOf(Vec<String>),
    /// Text: 1 where it passes, else 0.
    Text(TextTest, String),
}

/// A test of a text against a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextTest {
    /// The pattern occurs in it.
    Contains,
    /// It begins with the pattern.
    StartsWith,
    /// It ends with the pattern.
    EndsWith,
    /// `*` is any run, `?` one character.
    MatchesGlob,
}

macro_rules! builtins {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $text:literal, $kind:ident, $edge_only:literal;)*) => {
        /// Facts every site has.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Builtin { $($(#[$doc])* $name = $number,)* }

        impl Builtin {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The name conditions write.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// What it is.
            #[must_use]
            pub const fn kind(self) -> AttributeType {
                match self { $(Self::$name => AttributeType::$kind,)* }
            }

            /// Whether only the edge knows it.
            #[must_use]
            pub const fn is_edge_only(self) -> bool {
                match self { $(Self::$name => $edge_only,)* }
            }

            /// The fact with this number.
            #[must_use]
            pub const fn from_number(number: u8) -> Option<Self> {
                match number { $($number => Some(Self::$name),)* _ => None }
            }
        }
    };
}

builtins! {
    /// Whether this is the visitor's first session.
    VisitorIsNew = 0, "visitor.is_new", Bool, false;
    /// The session's number, from 1.
    SessionNumber = 1, "session.number", Number, false;
    /// Path of the session's first page.
    SessionEntryPage = 2, "session.entry_page", Text, false;
    /// Page views of the session.
    SessionPages = 3, "session.pages", Number, false;
    /// Whole days between the start of this session and the end of the one before; unknown in the first.
    DaysSinceLastVisit = 4, "days_since_last_visit", Number, false;
    /// Path of the open page.
    PagePath = 5, "page.path", Text, false;
    /// Title of the open page.
    PageTitle = 6, "page.title", Text, false;
    /// The open page's `category` property.
    PageCategory = 7, "page.category", Text, false;
    /// The open page's `sku` property.
    PageSku = 8, "page.sku", Text, false;
    /// Campaign source of the session.
    UtmSource = 9, "utm.source", Text, false;
    /// Campaign medium of the session.
    UtmMedium = 10, "utm.medium", Text, false;
    /// Campaign name of the session.
    UtmCampaign = 11, "utm.campaign", Text, false;
    /// Campaign term of the session.
    UtmTerm = 12, "utm.term", Text, false;
    /// Campaign content of the session.
    UtmContent = 13, "utm.content", Text, false;
    /// Where the session came from: `direct`, `internal`, `search`, `social`, `email`, `referral`, `paid`.
    ReferrerClass = 14, "referrer.class", Text, false;
    /// `desktop`, `mobile`, `tablet`.
    DeviceClass = 15, "device.class", Text, false;
    /// Width of the viewport in CSS pixels.
    ViewportWidth = 16, "viewport.width", Number, false;
    /// Language of the page's reader: BCP 47.
    Language = 17, "language", Text, false;
    /// Two-letter country, as the edge sees it.
    GeoCountry = 18, "geo.country", Text, true;
}

/// A count: how often an event that passes a filter was seen in a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metric {
    /// Its name, as conditions write it (or the parenthesised expression).
    pub name: String,
    /// [`crate::hash::fnv1a_64`] of its meaning in canonical form: the name of its cell in stored state.
    pub meaning: u64,
    /// The event counted.
    pub event: String,
    /// The filter's first instruction in [`Parts::code`]; `None` counts all.
    pub filter: Option<u16>,
    /// Where it counts.
    pub window: Window,
    /// How far it must count: the largest constant it is compared with, plus one. Sliding windows keep as many times, at
    /// most [`crate::limits::COUNT_THRESHOLD_MAX`].
    pub threshold: u16,
    /// What stepping it needs granted.
    pub purpose: Purposes,
    /// Whether it stays at the edge.
    pub private: bool,
}

/// A stretch that something is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// The open page view.
    Page,
    /// The session.
    Session,
    /// The last so many milliseconds, up to and with now.
    Sliding(u64),
}

/// One test and two forward jumps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction {
    /// The fact tested.
    pub fact: u16,
    /// The test. Unknown passes only [`Test::Missing`].
    pub test: Test,
    /// Where to go when it passes.
    pub on_true: Jump,
    /// Where to go when it does not.
    pub on_false: Jump,
}

/// A test of a fact's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Test {
    /// Between the two, both included. (The whole range: it is known.)
    Range(i64, i64),
    /// The bit at the value (below 64) is set.
    Mask(u64),
    /// The bit at the value is set in [`Parts::masks`] at this place.
    MaskWide(u16),
    /// The value is unknown.
    Missing,
}

/// Where code goes on. Always forward, so that every condition ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Jump {
    /// To the instruction at this place, further down.
    To(u16),
    /// The condition is definitely true.
    Accept,
    /// It is not (false or unknown).
    Reject,
}

/// Whether a rule acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It acts.
    Live,
    /// It is written, but not acting.
    Draft,
    /// It was stopped.
    Paused,
}

/// How long what was decided stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// Until the page view ends.
    Page,
    /// Until the session ends.
    Session,
    /// For so many milliseconds.
    Time(u64),
}

/// condition -> content in a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its stable id: caps are kept under it.
    pub id: String,
    /// Greater wins.
    pub priority: i32,
    /// Whether it acts.
    pub status: Status,
    /// What acting needs granted.
    pub purpose: Purposes,
    /// The condition's first instruction in [`Parts::code`]; `None` is always true.
    pub when: Option<u16>,
    /// Where it shows.
    pub slot: u16,
    /// What it shows.
    pub content: u16,
    /// Its exclusion group.
    pub group: Option<u16>,
    /// How often it may be seen: all must have room.
    pub caps: Vec<Cap>,
    /// How long it stays.
    pub hold: Hold,
    /// Whether it runs in the page too (all of its facts are known there, and it is not private).
    pub in_page: bool,
}

/// How often something may be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cap {
    /// So many exposures, 1 to [`crate::limits::COUNT_THRESHOLD_MAX`].
    pub limit: u16,
    /// In such a stretch. Per page is local; the others need grants.
    pub window: Window,
}

/// A named place in a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// Its name.
    pub name: String,
    /// What stands there when no rule wins: a content, or what the page itself holds.
    pub fallback: Option<u16>,
}

/// Rules that share bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// How many of its rules may stand in one page view.
    pub max_per_page: Option<u16>,
    /// How often any of its rules may be seen.
    pub caps: Vec<Cap>,
}

/// A typed thing to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// Its id.
    pub id: String,
    /// What it is.
    pub content_type: ContentType,
    /// Its fields, by type: text `{text}`; url `{href, text}`; image `{src, alt, href?}`; attributes: any names.
    pub fields: Vec<(String, String)>,
}

/// What a content is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentType {
    /// Text of an element.
    Text,
    /// A link.
    Url,
    /// An image.
    Image,
    /// Attributes of an element (never an event handler or a scripting address).
    Attributes,
}
