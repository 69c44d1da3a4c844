//! Where records go: what `destinations` of a site says, as the edge runs it. Pages are told nothing of it.

use crate::consent::Purposes;
use alloc::string::String;
use alloc::vec::Vec;

/// A place outside that records are sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// Its name, as `emit` of rules writes it.
    pub name: String,
    /// How records get there.
    pub way: Way,
    /// What it uses records for.
    pub purposes: Purposes,
    /// How many of its purposes a visitor must have granted.
    pub requires: Requires,
    /// What becomes of records while a purpose that they need is neither granted nor denied.
    pub on_unknown: OnUnknown,
    /// What kinds of records it takes.
    pub records: Records,
    /// What a record must pass: the condition's first instruction in [`super::Parts::code`]. `None` takes all.
    pub filter: Option<u16>,
    /// How many of [`crate::limits::BUCKETS`] visitors it takes: all records of a visitor, or none.
    pub sample: u16,
    /// Paths in a record that are left out (`properties.email`, `context.*`).
    pub remove: Vec<String>,
    /// Paths in a record, and what their last name is there (`properties.value`, `revenue`).
    pub rename: Vec<(String, String)>,
    /// What becomes of new records where too many wait.
    pub when_full: Full,
    /// How long a record may wait, in milliseconds.
    pub age_ms_max: u64,
    /// How many bytes may wait, in each shard.
    pub bytes_max: u64,
}

/// How many of a destination's purposes a visitor must have granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Requires {
    /// Every one.
    #[default]
    All,
    /// At least one.
    Any,
}

/// What becomes of records while a visitor has not answered for a purpose that they need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnUnknown {
    /// No answer is a denial, as everywhere.
    #[default]
    Drop,
    /// They wait for the answer, as long as records may wait; what the answer grants counts as captured then.
    Hold,
}

/// What becomes of new records where too many wait for a destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Full {
    /// Events are not taken any more (503), so that nothing is lost.
    #[default]
    Block,
    /// The oldest that wait are dropped, and counted.
    DropOldest,
}

/// A kind of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum RecordKind {
    /// Something happened.
    Event = 0,
    /// What a slot shows was decided anew.
    Decision = 1,
    /// A decision was really seen.
    Exposure = 2,
    /// A goal was reached.
    Goal = 3,
    /// A rule tells a destination something.
    Emit = 4,
    /// A visitor was erased. Every destination is told, whatever else it takes.
    Erase = 5,
}

impl RecordKind {
    /// All kinds, in the order of their numbers.
    pub const ALL: [Self; 6] =
        [Self::Event, Self::Decision, Self::Exposure, Self::Goal, Self::Emit, Self::Erase];

    /// The kind's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Decision => "decision",
            Self::Exposure => "exposure",
            Self::Goal => "goal",
            Self::Emit => "emit",
            Self::Erase => "erase",
        }
    }
}

/// A set of [`RecordKind`]s: a bit each, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Records(pub u8);

impl Records {
    /// Every kind that a destination may do without.
    pub const ALL: Self = Self(0b1_1111);

    /// This set with a kind more.
    #[must_use]
    pub const fn with(self, kind: RecordKind) -> Self {
        Self(self.0 | 1 << kind as u8)
    }

    /// Whether the kind is in the set.
    #[must_use]
    pub const fn has(self, kind: RecordKind) -> bool {
        self.0 & 1 << kind as u8 != 0
    }
}

/// How records get to a destination.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Way {
    /// They do not: it reads the log.
    Log,
    /// Requests.
    Http(Http),
    /// Kafka's protocol.
    Kafka(Kafka),
    /// A queue of the platform.
    Queue {
        /// The name of its binding.
        binding: String,
        /// The name of the binding of the queue for what its consumer could not take.
        dead_letter: String,
    },
}

impl Way {
    /// The names of the secrets that it takes to get there.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        let (http, kafka) = match self {
            Self::Http(http) => (Some(http), None),
            Self::Kafka(kafka) => (None, kafka.sasl.as_ref()),
            Self::Log | Self::Queue { .. } => (None, None),
        };
        let signing = http.into_iter().flat_map(|http| &http.secrets);
        let headers =
            http.into_iter().flat_map(|http| &http.headers).filter_map(|header| header.secret.as_ref());
        signing.chain(headers).chain(kafka.map(|sasl| &sasl.password)).map(String::as_str)
    }
}

/// Requests to an address.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Http {
    /// The address: https, and of a public host.
    pub url: String,
    /// What a body looks like.
    pub format: HttpFormat,
    /// The names of the secrets that sign a request: none, the one in force, or that and the one it replaces.
    pub secrets: Vec<String>,
    /// What else a request says of itself.
    pub headers: Vec<Header>,
}

/// A header of every request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Header {
    /// Its name, in lower case.
    pub name: String,
    /// What it says, before the secret where there is one.
    pub value: String,
    /// The name of the secret that follows.
    pub secret: Option<String>,
}

/// What the body of a request looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum HttpFormat {
    /// One `CloudEvents` event each.
    #[default]
    CloudEvents,
    /// A batch of `CloudEvents` events.
    CloudEventsBatch,
    /// A batch as Segment's servers take it.
    SegmentBatch,
}

/// A topic of a Kafka cluster.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Kafka {
    /// Where to ask for the cluster: `host:port` each.
    pub brokers: Vec<String>,
    /// The topic.
    pub topic: String,
    /// The connection is encrypted, and the broker's certificate verified.
    pub tls: bool,
    /// How to log in; `None` where nobody asks.
    pub sasl: Option<Sasl>,
    /// Batches are compressed with gzip.
    pub gzip: bool,
}

/// How to log in to a broker.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Sasl {
    /// How the password is proved.
    pub mechanism: Mechanism,
    /// Who.
    pub user: String,
    /// The name of the secret that holds the password.
    pub password: String,
}

/// How a password is proved to a broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Mechanism {
    /// It is sent.
    #[default]
    Plain,
    /// RFC 5802 with SHA-256.
    ScramSha256,
    /// RFC 5802 with SHA-512.
    ScramSha512,
}

impl Mechanism {
    /// The mechanism's name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha512 => "SCRAM-SHA-512",
        }
    }
}
