//! What conditions test: attributes, facts, and the code that tests them.

use crate::consent::Purposes;
use alloc::string::String;
use alloc::vec::Vec;

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
    /// How long a value counts after the event that set it; `None`: for good.
    pub ttl: Option<Ttl>,
}

/// How long a value counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ttl {
    /// Milliseconds since the event that set it.
    pub ms: u64,
    /// What it is from then on.
    pub if_stale: IfStale,
}

/// What a value is that was set too long ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfStale {
    /// Anything may be so.
    Unknown,
    /// There is none.
    Missing,
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
    /// As the visitor, until several devices are known to be one person's.
    Profile,
    /// For the life of the account, in a state of its own; `group` traits of the same name set it.
    Account,
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
    /// A moment: Unix milliseconds.
    Time,
    /// Texts, at most [`crate::limits::LIST_ITEMS_MAX`].
    List,
}

/// An event of a shop that changes the cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CartEvent {
    /// Its name.
    pub event: String,
    /// What it does.
    pub does: CartChange,
    /// What changing the cart needs granted: the purposes of all rules that read it.
    pub purpose: Purposes,
}

/// What an event does to the cart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CartChange {
    /// It puts something in.
    Adds,
    /// It takes something out.
    Removes,
    /// It empties it: all is bought.
    Empties,
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
    /// The event's property of this name, an amount: unknown where it is in another currency than the site's.
    Amount(String),
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
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum FactSource {
    /// A built-in fact.
    Builtin(Builtin),
    /// The attribute at this place.
    Attribute(u16),
    /// The metric at this place.
    Metric(u16),
    /// The sequence at this place.
    Sequence(u16),
    /// A property of the event being stepped (only in a metric's `where`); dots reach into objects.
    Property(String),
    /// One number or moment minus another.
    Difference(Term, Term),
    /// Whether the texts of two facts are the same: 1 or 0. Both stand before this one.
    SameText(u16, u16),
    /// Whether one of the items of the event's list passes a condition: 1 or 0 (only in a metric's `where`).
    AnyItem {
        /// The property that holds the list.
        list: String,
        /// The first instruction of the condition.
        passes: u16,
        /// The first instruction of its opposite.
        fails: u16,
    },
    /// A property of the item that [`Self::AnyItem`] looks at; `item` is the item itself, where it is no object.
    Item(String),
    /// What a table says of the text of a fact.
    Lookup {
        /// The table's place.
        table: u16,
        /// The column.
        column: u8,
        /// The fact's place, before this one.
        key: u16,
    },
    /// What an amount of another currency is worth in the site's, by a rate that stands in a table.
    Amount {
        /// Millionths.
        micro: i64,
        /// The key of the rate: ISO 4217.
        currency: String,
        /// The table's place.
        table: u16,
        /// The column of the rates.
        column: u8,
    },
    /// How many events of a metric of kind [`super::MetricKind::Same`] (the first place) had the text of a fact (the second).
    SameCount(u16, u16),
    /// The time of day, or the day of the week ([`Builtin::TimeOfDay`], [`Builtin::Weekday`]), in the named time zone at this
    /// place.
    Clock(u16, Builtin),
    /// Who the event came from, `client` or `server` (only in a metric's `where`).
    Trust,
    /// Whether the event's amounts are in the site's currency: 1 or 0 (only in a metric's `where`).
    OwnCurrency,
}

/// One side of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Term {
    /// The fact's place, before that of the difference.
    pub fact: u16,
    /// Whether it is a whole count, of which the difference takes millionths.
    pub is_count: bool,
}

/// How a value becomes a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// Numbers, money: millionths (built-in numbers too: `session.pages = 3` tests 3,000,000). Metrics: the count itself.
    /// Times: milliseconds. Bool: 0 or 1.
    Number,
    /// A property that is a moment: text of RFC 3339, or Unix milliseconds.
    Time,
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

            /// Whether it is a fact of the cart.
            #[must_use]
            pub const fn is_of_cart(self) -> bool {
                matches!(self, Self::CartValue | Self::CartItems | Self::CartLastSku)
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
    /// This moment.
    Now = 19, "now", Time, false;
    /// When the session began.
    SessionStart = 20, "session.start", Time, false;
    /// When the session before began; missing in the first.
    SessionPreviousStart = 21, "session.previous_start", Time, false;
    /// Minutes since midnight, in the site's time zone.
    TimeOfDay = 25, "time_of_day", Number, false;
    /// The day of the week, in the site's time zone: `mon` to `sun`.
    Weekday = 26, "weekday", Text, false;
    /// As [`Self::TimeOfDay`], on the visitor's own clock.
    VisitorTimeOfDay = 27, "visitor.time_of_day", Number, false;
    /// As [`Self::Weekday`], on the visitor's own clock.
    VisitorWeekday = 28, "visitor.weekday", Text, false;
    /// How many minutes the visitor's clock is ahead of UTC.
    UtcOffset = 29, "utc_offset", Number, false;
    /// What all in the cart costs.
    CartValue = 22, "cart.value", Number, false;
    /// How many things are in the cart.
    CartItems = 23, "cart.items", Number, false;
    /// What was put into the cart last.
    CartLastSku = 24, "cart.last_sku", Text, false;
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Test {
    /// Between the two, both included. (The whole range: it is known.)
    Range(i64, i64),
    /// The bit at the value (below 64) is set.
    Mask(u64),
    /// The bit at the value is set in [`super::Parts::masks`] at this place.
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
