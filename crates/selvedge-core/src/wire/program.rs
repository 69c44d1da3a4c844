//! A program taken apart: what the compiler hands over and what `inspect` shows. Positions in the vectors are the
//! indices that other parts name. [`Parts::encode`] makes the program's bytes, `Program::load` reads them.
//!
//! The bytes are a container: `SVP`, version 1, then sections (tag, length, content) by ascending tag; one that is not
//! known is skipped. What the engine reads are tables of fixed-size records, read in place ([`Image`]); the rest is in the
//! postcard format.

mod tested;

mod measured;

mod sequence;

mod deciding;

mod destination;

mod emit;

mod judged;

mod shown;

mod template;

mod layout;

mod looked_up;

mod postcard;

mod image;

mod decode;

mod encode;

mod pushed;

pub use deciding::{Cap, Deciding, Experiment, Suppression, Terms, Trial, Unit, ValueCap, Variant};
pub use decode::{destinations, edge_config};
pub use destination::{
    Destination, Full, Header, Http, HttpFormat, Kafka, Mechanism, OnUnknown, RecordKind, Records, Requires,
    Sasl, Way,
};
pub use emit::{Emit, OncePer};
pub(crate) use image::records::{
    AttributeRow, CapRange, CapRow, CartRow, Code, EmitRow, ExperimentRow, FactRow, LeafRow, MetricRow, Op,
    RuleRow, SequenceRow, TermsRow, TimerRow,
};
pub(crate) use image::{
    ACCEPT, REJECT, SITE_CAPS, USER, WOKEN, dismissals_of, op_of, per_value_of, slot_caps_hash,
};
pub use image::{
    CART, Image, attribute_hash, emit_hash, experiment_hash, group_hash, plan_and_rules, rule_hash,
    timer_hash, variant_hash,
};
pub(crate) use image::{DAY_MINUTES, Head, Local, LookedUp, Zone};
pub use judged::{Goal, Study};
pub(crate) use layout::{NONE, kind};
pub use looked_up::{ColumnKind, Feed, Lookup, LookupCell, LookupRow, PushedTable};
pub use measured::{Metric, MetricKind, Points, Scope, Score, WarmUp, Window};
pub use pushed::{with_live, with_rows};
pub use sequence::{Sequence, SequenceKind, SequenceStep};
pub use shown::{Content, ContentType, Group, Hold, Rule, Slot, Status, Timing, Trigger};
pub use template::{
    Escape, Format, LocalPart, NumberFormat, Piece, Placeholder, READS_NOW, Step, Template, Wording, Zeros,
};
pub(crate) use template::{format, piece, step};
pub use tested::{
    Attribute, AttributeScope, AttributeSet, AttributeType, Builtin, CartChange, CartEvent, Fact, FactSource,
    IfStale, Instruction, Jump, SetTo, Shape, Term, Test, TextTest, Ttl,
};

use super::codec::WireFault;
use crate::consent::Mode;
use crate::limits::{LOG_KEEP_MS, QUARANTINE_KEEP_MS};
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
    /// What is measured, in the order conditions name it.
    pub metrics: Vec<Metric>,
    /// Sequences and absences, in the order conditions name them.
    pub sequences: Vec<Sequence>,
    /// Tables that conditions look values up in; empty in the public program.
    pub lookups: Vec<Lookup>,
    /// Events of the cart; empty where no rule reads it.
    pub cart: Vec<CartEvent>,
    /// How scores are made.
    pub scores: Vec<Score>,
    /// All conditions' code, one after the other.
    pub code: Vec<Instruction>,
    /// The places in [`Self::code`] of tests behind `is true`, `is not true` and the like, sorted: what is not known does not
    /// pass them, and that is known. Only explanations ask for it; empty in the public program.
    pub settled: Vec<u16>,
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
    /// What placeholders of contents read. They are facts like those that conditions test, but nothing tests them.
    pub values: Vec<Fact>,
    /// The contents that differ from visitor to visitor, sorted by content.
    pub templates: Vec<Template>,
    /// The site's time zone, sorted; empty where nothing asks for it: then it is UTC.
    pub zone: Vec<Offset>,
    /// Time zones that schedules name, each as [`Self::zone`] is; its first offset begins at minute 0.
    pub zones: Vec<Vec<Offset>>,
    /// What rules share of their terms.
    pub deciding: Deciding,
    /// Where records go, in the order of site.yaml; empty in the public program.
    pub destinations: Vec<Destination>,
}

/// From when on a time zone stands how far from UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Offset {
    /// The first minute, from 1970 on, in UTC. What lies before the first offset of a zone has that offset too.
    pub from_minute: u32,
    /// Minutes added to UTC.
    pub minutes: i16,
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
    /// Which sources of consent a page reads, and how: a JSON object for its config; empty where it reads none. At most
    /// [`crate::limits::CONSENT_SOURCES_BYTES_MAX`].
    pub consent_sources: String,
    /// How long what passed is kept.
    pub keep: Keep,
    /// What pages capture by themselves: the kind, and what they need to know besides.
    pub capture: Vec<(String, String)>,
    /// Where a visitor's id stands besides the page's own storage: `cookie` and its domain (empty: the host alone), `link` and a
    /// domain that links hand the id to.
    pub identity: Vec<(String, String)>,
    /// Slots whose elements the page finds by a CSS selector: name and selector.
    pub selectors: Vec<(String, String)>,
    /// Where each instruction of [`Parts::code`] stands in the source, for explanations; same length as `code`.
    pub leaves: Vec<Leaf>,
    /// What counts as success, at most [`crate::limits::GOALS_MAX`].
    pub goals: Vec<Goal>,
    /// What experiments are judged by.
    pub studies: Vec<Study>,
    /// Tables whose rows are pushed, at most [`crate::limits::PUSHED_TABLES_MAX`].
    pub pushed: Vec<PushedTable>,
    /// By what amounts of other currencies become amounts of the site's; without it they stay unknown.
    pub rates: Option<Rates>,
}

/// Where rates of other currencies stand: what one of each is worth in the site's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rates {
    /// The table's place; its keys are currencies.
    pub table: u16,
    /// The column of the rates.
    pub column: u8,
    /// Which properties of the items of an event's lists are amounts. Of an event itself the tracking plan says it.
    pub items: Vec<String>,
}

/// How long what passed is kept, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Rows of the log that every destination holds.
    pub log_ms: u64,
    /// Entries of the quarantine.
    pub quarantine_ms: u64,
}

impl Default for Keep {
    fn default() -> Self {
        Self { log_ms: LOG_KEEP_MS, quarantine_ms: QUARANTINE_KEEP_MS }
    }
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
