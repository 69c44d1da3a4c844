//! What the hands tell the head. Every value the head cannot know by itself (time, randomness, what is stored) is in here.

use alloc::string::String;
use alloc::vec::Vec;
use selvedge_core::consent::{Mode, Purposes, Signals};
use selvedge_core::event::EventType;
use selvedge_core::id::ProgramHash;
use selvedge_core::value::Map;

/// Random bytes for a new identity: 15 for the visitor, 4 for the writer.
pub type Random = [u8; 19];

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// The page began. The first input, and once.
    Boot(Boot),
    /// The site's config came; `None`: it could not be had.
    Settings(Option<Settings>),
    /// A program that an [`crate::Effect::Load`] asked for came.
    Program {
        /// Its name.
        hash: ProgramHash,
        /// Its public form; empty where it could not be had.
        bytes: Vec<u8>,
    },
    /// The visitor answered the consent question, or changed the answer. Purposes in neither set stay as they were.
    Consent {
        /// What is granted now.
        granted: Purposes,
        /// What is denied now.
        denied: Purposes,
        /// For the identity that a grant after a withdrawal needs.
        random: Random,
    },
    /// A source of consent said something, asks the visitor, or is not there.
    Heard {
        /// What it is.
        heard: Heard,
        /// For the identity that a grant after a withdrawal needs.
        random: Random,
    },
    /// Something to capture.
    Capture(Capture),
    /// A page view begins.
    Page {
        /// When: Unix milliseconds of the page's clock.
        time_ms: u64,
        /// The full address of the page.
        url: String,
        /// Its title.
        title: String,
        /// Where the visitor came from; empty where nobody said.
        referrer: String,
        /// What the site says of it besides.
        properties: Map,
    },
    /// Half of a slot is visible. The hands read what is stored of leases, tell this and store what follows from it while no
    /// other tab of the device does the same.
    InView {
        /// The slot's name.
        slot: String,
        /// The device's record of leases.
        leases: Vec<u8>,
    },
    /// Half of a slot was visible for a second.
    Seen {
        /// The slot's name.
        slot: String,
        /// When: Unix milliseconds of the page's clock.
        time_ms: u64,
    },
    /// The time that [`crate::Effect::Schedule`] named has come.
    Tick,
    /// The page was hidden, perhaps for good.
    Hidden,
    /// The page is visible again, or online again.
    Awake,
    /// The site asks to send what is queued.
    Flush,
    /// The site asks to forget who this is (a logout).
    Reset {
        /// For the next identity.
        random: Random,
    },
    /// A request that an [`crate::Effect::Send`] asked for ended.
    Replied(Reply),
    /// The stored queues of writers that are gone, perhaps none: this page sends them from now on. Follows each
    /// [`crate::Effect::Hold`].
    Adopted(Vec<(String, Vec<u8>)>),
    /// The rule engine that an [`crate::Effect::Engine`] asked for is there, or cannot be had.
    Engine(bool),
    /// Another tab stored (`Some`) or erased (`None`) something.
    Changed {
        /// The key, as in [`crate::Effect::Store`].
        key: String,
        /// What stands there now.
        value: Option<Vec<u8>>,
        /// For the identity that follows one which the other tab forgot.
        random: Random,
    },
}

impl Input {
    /// Whether the hands hold it back until the page's second module is there: what follows from it, and from nothing else, calls
    /// functions whose names begin with `later_`.
    #[must_use]
    pub const fn is_for_later(&self) -> bool {
        matches!(
            self,
            Self::Program { .. }
                | Self::InView { .. }
                | Self::Seen { .. }
                | Self::Replied(_)
                | Self::Adopted(_)
                | Self::Engine(_)
        )
    }
}

/// What a page begins with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Boot {
    /// The source's write key.
    pub write_key: String,
    /// For the first identity, should one be needed.
    pub random: Random,
    /// URL parameters that may be captured besides `utm_*`.
    pub parameters: Vec<String>,
    /// Facts of the moment that hold for the whole page: device class, viewport, language.
    pub context: Map,
    /// Global Privacy Control is on.
    pub gpc: bool,
    /// What the device holds, by key, without the queues.
    pub stored: Vec<(String, Vec<u8>)>,
}

/// What the edge near the page says of the site.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// The topology entry under which new visitors are minted.
    pub topology: u8,
    /// What unknown consent means here.
    pub mode: Mode,
    /// The version of the consent policy.
    pub policy_version: u16,
    /// The sources of consent that the hands read: until each was heard or is known not to be there, nothing new is granted.
    pub sources: Signals,
    /// The hands may know a visitor from elsewhere (a cookie, a link), and say so once they may look: [`Input::Changed`]. Until then
    /// none begins.
    pub recalls: bool,
    /// The edge's clock: Unix milliseconds; 0 where it did not say.
    pub clock_ms: u64,
    /// The program in force.
    pub program: Option<ProgramHash>,
    /// Its place in the site's history.
    pub publish: u64,
    /// Rules that were stopped since, by the hash of their ids.
    pub paused: Vec<u64>,
}

/// What is heard of a source of consent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// Which one.
    pub source: Signals,
    /// What of it.
    pub what: What,
    /// The purposes that it grants.
    pub granted: Purposes,
    /// The purposes that it denies; these win.
    pub denied: Purposes,
    /// The text that says it, of which only the hash is kept: the hands had it read where they read the source.
    pub text: String,
}

/// What is heard of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// It asks the visitor, or cannot say what the answer is: what was granted rests until it says something.
    Asks,
    /// It is not there, or not yet; what it said on an earlier page stays.
    Absent,
    /// It says something of the purposes.
    Says,
    /// It does not apply here: it says nothing of any purpose.
    Nothing,
}

impl Settings {
    /// Nobody said anything yet.
    pub(crate) const UNKNOWN: Self = Self {
        topology: 0,
        mode: Mode::OptIn,
        policy_version: 0,
        sources: Signals::NONE,
        recalls: false,
        clock_ms: 0,
        program: None,
        publish: 0,
        paused: Vec::new(),
    };
}

/// Something to capture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capture {
    /// What kind of fact it is.
    pub event_type: EventType,
    /// For `track` the event's name; for identify, group and alias the id they are about.
    pub name: String,
    /// When: Unix milliseconds of the page's clock.
    pub time_ms: u64,
    /// Properties or traits.
    pub properties: Map,
    /// Captured by the hands on their own (a link was clicked): only where the tracking plan knows it.
    pub automatic: bool,
    /// Of properties that stand in the page's markup, and so are text: what they say where the tracking plan has another type
    /// for them.
    pub readings: Map,
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reply {
    /// The request, as in [`crate::Effect::Send`].
    pub request: u32,
    /// The HTTP status; 0 where none came (offline, cut, timed out).
    pub status: u16,
    /// What `Retry-After` said, in milliseconds; 0 where it said nothing.
    pub retry_after_ms: u64,
    /// Fresh: for the jitter of a retry, for the writer that begins where the edge forgot this page's, or for the visitor that
    /// begins where the edge erased this one.
    pub random: Random,
    /// The body.
    pub body: Vec<u8>,
}
