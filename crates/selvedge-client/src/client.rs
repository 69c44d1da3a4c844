//! The client's state. What it does is in the modules below.

use crate::asking::Ask;
use crate::effect::{Effects, Notice};
use crate::input::{Capture, Random, Settings};
use crate::lane::Lanes;
use crate::mind::Mind;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use selvedge_core::consent::Snapshot;
use selvedge_core::consent::voices::Voices;
use selvedge_core::id::{ProgramHash, VisitorId, WriterId};
use selvedge_core::value::Map;

/// The head of one page. See [`Client::handle`].
#[derive(Debug)]
pub struct Client {
    /// An input came that the hands hold back until the page's second module is there.
    #[cfg(debug_assertions)]
    pub(crate) is_whole: bool,
    pub(crate) now_ms: u64,
    pub(crate) effects: Effects,

    pub(crate) write_key: String,
    pub(crate) parameters: Vec<String>,
    pub(crate) context: Map,
    pub(crate) random: Random,
    pub(crate) settings: Settings,
    /// The config came, or cannot be had.
    pub(crate) is_settled: bool,

    pub(crate) consent: Snapshot,
    /// What the sources said that the consent in force is made of.
    pub(crate) voices: Voices,
    /// What was in force when a question was asked anew, and rests on the device; its time outlives it: the edge may know it.
    pub(crate) rested: Snapshot,
    /// The visitor answered on this page, before the config said which policy that was.
    pub(crate) is_answer_unversioned: bool,
    /// What happened before it may be captured: in memory only, in order.
    pub(crate) held: Vec<Held>,
    /// Events of this page that were lost.
    pub(crate) lost: u32,
    /// Those of them that no queue has counted yet, for the event that reports them.
    pub(crate) untold: u32,

    pub(crate) visitor: Option<VisitorId>,
    /// The hands said whom they know, or need not.
    pub(crate) is_recalled: bool,
    /// When the visitor's id was minted: Unix milliseconds.
    pub(crate) minted_ms: u64,
    /// Which of the visitor's devices this is: what leases belong to. Drawn once for each visitor and storage; 0 where there is
    /// no visitor.
    pub(crate) holder: u32,
    pub(crate) skew_ms: i64,
    pub(crate) lanes: Lanes,
    /// The edge has answered for this page's own queue.
    pub(crate) is_own_answered: bool,

    pub(crate) mind: Mind,
    /// Rules that were stopped since the program was published, as the edge said last.
    pub(crate) paused: Vec<u64>,
    /// Those, and what another tab took the last grants of before it was seen here.
    pub(crate) barred: Vec<u64>,
    /// A program that is being fetched, and its publish number.
    pub(crate) loading: Option<(ProgramHash, u64)>,
    /// A program that came and could not be read: it is not fetched again.
    pub(crate) unreadable: Option<ProgramHash>,
    /// Something happened that the edge may have to be asked for at once.
    pub(crate) has_news: bool,
    /// Decisions that were seen in this page view, by the hash of slot and rule.
    pub(crate) seen: Vec<u64>,

    pub(crate) delivery: Delivery,
}

/// What waits until it may be captured.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) capture: Capture,
    /// Facts of the moment (a page view's campaign).
    pub(crate) context: Map,
}

/// How far sending is.
#[derive(Debug)]
pub(crate) struct Delivery {
    /// The number of the newest request.
    pub(crate) request: u32,
    /// The request that runs.
    pub(crate) flight: Option<Flight>,
    /// Batches without events that tell the edge of a withdrawal; the identity is gone, so only their bytes are left.
    pub(crate) farewells: Vec<Vec<u8>>,
    /// Consent changed: the edge is told even where no event waits.
    pub(crate) must_tell: bool,
    /// Send what waits, at once.
    pub(crate) is_urgent: bool,
    /// When what waits is sent at the latest; `None` where nothing waits.
    pub(crate) due_ms: Option<u64>,
    /// No request before this.
    pub(crate) retry_ms: u64,
    /// Requests that failed since the last that did not.
    pub(crate) failures: u32,
    /// The last failure was the network's, not the edge's.
    pub(crate) is_offline: bool,
    /// Events of a batch at most, after the edge found one too large.
    pub(crate) events_max: Option<usize>,
    /// The dictionary that the edge did not know.
    pub(crate) unknown_dictionary: Option<u64>,
    /// How long what is not urgent waits, where the edge said so.
    pub(crate) flush_ms: Option<u64>,
    /// When the hands will say [`crate::Input::Tick`].
    pub(crate) tick_ms: Option<u64>,
}

/// A request that runs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flight {
    pub(crate) request: u32,
    pub(crate) bytes: usize,
    pub(crate) cargo: Cargo,
}

/// What a request carries.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cargo {
    /// The oldest farewell.
    Farewell,
    /// No event: the edge is told of the consent in force, while this was the page's own writer.
    Consent(Option<WriterId>),
    /// Events `first..=last` of a writer.
    Events { writer: WriterId, first: u32, last: u32 },
}

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}

impl Delivery {
    const fn new() -> Self {
        Self {
            request: 0,
            flight: None,
            farewells: Vec::new(),
            must_tell: false,
            is_urgent: false,
            due_ms: None,
            retry_ms: 0,
            failures: 0,
            is_offline: false,
            events_max: None,
            unknown_dictionary: None,
            flush_ms: None,
            tick_ms: None,
        }
    }

    /// The page's clock was set back by so much: what waits for a time waits as long as it did.
    pub(crate) fn turn_back(&mut self, by_ms: u64) {
        self.retry_ms = self.retry_ms.saturating_sub(by_ms);
        for time_ms in [&mut self.due_ms, &mut self.tick_ms].into_iter().flatten() {
            *time_ms = time_ms.saturating_sub(by_ms);
        }
    }
}

impl Client {
    /// A client that knows nothing yet: [`crate::Input::Boot`] comes first. In the page it is made at compile time: what makes
    /// so many fields takes more bytes than they.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            #[cfg(debug_assertions)]
            is_whole: false,
            now_ms: 0,
            effects: Effects::NONE,
            write_key: String::new(),
            parameters: Vec::new(),
            context: Map::new(),
            random: [0; 19],
            settings: Settings::UNKNOWN,
            is_settled: false,
            consent: Snapshot::UNANSWERED,
            voices: Voices::NONE,
            rested: Snapshot::UNANSWERED,
            is_answer_unversioned: false,
            held: Vec::new(),
            lost: 0,
            untold: 0,
            visitor: None,
            is_recalled: false,
            minted_ms: 0,
            holder: 0,
            skew_ms: 0,
            lanes: Lanes::NONE,
            is_own_answered: false,
            mind: Mind::new(),
            paused: Vec::new(),
            barred: Vec::new(),
            loading: None,
            unreadable: None,
            has_news: false,
            seen: Vec::new(),
            delivery: Delivery::new(),
        }
    }

    /// Whether what stands in the page's second module may run: not before the hands told of something that needs it.
    #[cfg(debug_assertions)]
    pub(crate) const fn check_whole(&self) {
        debug_assert!(self.is_whole, "a function for later before its module can be there");
    }

    #[cfg(not(debug_assertions))]
    pub(crate) const fn check_whole(&self) {}

    /// Which rule engine it asks, once it is told [`crate::Input::Engine`].
    pub fn reach(&mut self, engine: Box<dyn Ask>) {
        self.mind.reach(engine);
    }

    /// Adds to the events that were lost, and says so. The queue counts them apart.
    pub(crate) fn lose(&mut self, count: u32) {
        if count > 0 {
            self.lost = self.lost.saturating_add(count);
            self.effects.emit(Notice::Lost(self.lost));
        }
    }
}
