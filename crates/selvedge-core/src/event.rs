//! Events and batches as the heads see them: decoded, bounded, not yet judged.

use crate::consent::Snapshot;
use crate::id::{EventId, ProgramHash, Sequence, VisitorId, WriterId};
use crate::value::Map;
use alloc::string::String;
use alloc::vec::Vec;

/// What kind of fact an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventType {
    /// Something the visitor did; `name` says what.
    Track,
    /// A page view begins. Properties: `path`, `url`, `title`, `referrer`, ...
    Page,
    /// Who the visitor is; properties are traits.
    Identify,
    /// Which account the user belongs to; properties are traits.
    Group,
    /// Two ids of one user.
    Alias,
    /// A decision was really seen. Properties: `slot`, `rule`, `content`, `program`; in an experiment `experiment` and
    /// `variant`; where nothing of the rule was shown, `reason`: `control` or `holdout`.
    Exposure,
}

impl EventType {
    /// All types, in the order of their wire numbers.
    pub const ALL: [Self; 6] =
        [Self::Track, Self::Page, Self::Identify, Self::Group, Self::Alias, Self::Exposure];

    /// The type's number on the wire: its place in [`Self::ALL`].
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The type with this wire number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// The type of this word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }

    /// The word of the wire's JSON form, and the tracking-plan name of every type but `track`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Track => "track",
            Self::Page => "page",
            Self::Identify => "identify",
            Self::Group => "group",
            Self::Alias => "alias",
            Self::Exposure => "exposure",
        }
    }
}

/// One fact, as its writer sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its place in the writer's gapless count.
    pub sequence: Sequence,
    /// What kind of fact it is.
    pub event_type: EventType,
    /// What happened: for `track` the name in the tracking plan, else the word of the type.
    pub name: String,
    /// When it happened: Unix milliseconds of the writer's clock, as sent, unclamped.
    pub time_ms: u64,
    /// Which of the batch's consent snapshots held at capture.
    pub consent: u8,
    /// What is known of it.
    pub properties: Map,
    /// Facts of the moment that differ from the batch's context, named as in rules (`utm.medium`, `page.path`, ...).
    pub context: Map,
}

impl Event {
    /// The event's id under `writer`.
    #[must_use]
    pub const fn id(&self, writer: WriterId) -> EventId {
        EventId::new(self.time_ms, writer, self.sequence)
    }
}

/// Which clock the rules use for a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Clock {
    /// The time of receipt bounds the events' times.
    #[default]
    Received,
    /// The events' own times are the clock (replay, import). Needs the admin key.
    Event,
}

/// What the holder of a lease says of it: the proof that an expired lease was not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseReport {
    /// The rule, by [`crate::hash::fnv1a_64`] of its id.
    pub rule: u64,
    /// The lease's number, as granted.
    pub lease: u32,
    /// How many of its grants the device used, in all.
    pub used: u32,
}

/// The facts a batch states once for all of its events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchHeader {
    /// The source's write key.
    pub write_key: String,
    /// Whose events these are.
    pub visitor: VisitorId,
    /// Who counted them.
    pub writer: WriterId,
    /// When the batch left: Unix milliseconds of the writer's clock.
    pub sent_at_ms: u64,
    /// Milliseconds to add to the writer's clock, as it measured them against the edge's; fixed per writer.
    pub skew_ms: i64,
    /// Sequences below this one will never be sent (again): delivered, or lost and counted.
    pub floor: u32,
    /// Which clock the rules use.
    pub clock: Clock,
    /// The program the page decides by.
    pub program: Option<ProgramHash>,
    /// The tracking plan whose names the batch abbreviates ([`crate::tracking_plan::Plan::dictionary`]).
    pub dictionary: Option<u64>,
    /// Consent snapshots; the first is the one in force when the batch left.
    pub consent: Vec<Snapshot>,
    /// Facts of the moment, named as in rules; an event's own context wins.
    pub context: Map,
    /// What the device says of its leases.
    pub leases: Vec<LeaseReport>,
    /// Which of the visitor's devices this is: a tag that each draws for itself, and that leases belong to; 0 where it has none.
    pub holder: u32,
}

/// An event that could not be decoded: one such does not spoil its batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undecodable {
    /// Its sequence, where that much could be read.
    pub sequence: Option<Sequence>,
    /// Why.
    pub code: RefusalCode,
    /// The bytes as they came, for quarantine.
    pub bytes: Vec<u8>,
}

/// A batch, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// What it says once.
    pub header: BatchHeader,
    /// Its events, in the order sent.
    pub events: Vec<Result<Event, Undecodable>>,
}

macro_rules! refusal_codes {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $text:literal;)*) => {
        /// Why an event was refused. Exactly one per refusal; the numbers are wire, never reused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum RefusalCode { $($(#[$doc])* $name = $number,)* }

        impl RefusalCode {
            /// All codes.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The code as it is counted, listed and answered.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The code with this wire number.
            #[must_use]
            pub const fn from_number(number: u8) -> Option<Self> {
                match number { $($number => Some(Self::$name),)* _ => None }
            }
        }
    };
}

refusal_codes! {
    /// No purpose of the event was granted at capture and now. Its payload is destroyed, only the count stays.
    NoConsent = 1, "no_consent";
    /// The bytes or the JSON of the event could not be read.
    Undecodable = 2, "undecodable";
    /// A text is not valid Unicode (a lone surrogate).
    InvalidText = 3, "invalid_text";
    /// A number is NaN or infinite.
    NotFinite = 4, "not_finite";
    /// Above [`crate::limits::EVENT_BYTES_MAX`], or a text, name or count above its bound.
    TooLarge = 5, "too_large";
    /// Nested deeper than [`crate::limits::VALUE_DEPTH_MAX`].
    TooDeep = 6, "too_deep";
    /// The tracking plan does not know the event.
    UnknownEvent = 7, "unknown_event";
    /// A required property is missing.
    RequiredMissing = 8, "required_missing";
    /// A property has another type than the plan says.
    WrongType = 9, "wrong_type";
    /// A property's value is not among those the plan lists.
    NotInEnum = 10, "not_in_enum";
    /// A property the plan does not list, where the plan allows no others.
    AdditionalProperty = 11, "additional_property";
    /// The writer booted before the watermark of the visitor's dedup window: whether it is new cannot be known.
    TooOld = 12, "too_old";
    /// The sequence lies further above the writer's gapless mark than the dedup window reaches.
    SequenceGap = 13, "sequence_gap";
    /// The event made the step fail twice.
    Poison = 14, "poison";
    /// The source is not trusted enough for what the plan demands of the event.
    Untrusted = 15, "untrusted";
    /// The batch abbreviates names by a tracking plan that this program does not hold: send again with names.
    DictionaryUnknown = 16, "dictionary_unknown";
    /// The visitor was erased: nothing of theirs is taken under this id any more, and nothing is kept.
    Erased = 21, "erased";
}
