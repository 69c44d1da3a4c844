//! The world: everything there is, and what happens next.

use crate::device::Device;
use crate::dials::Dials;
use crate::hand::Hand;
use crate::isolate::{Isolate, Registry};
use crate::outbox::Memory;
use crate::outside::{Back, Outside, Parcel};
use crate::page::Tab;
use crate::platforms::first_words;
use crate::random::Random;
use crate::ring::Ring;
use crate::sessions::Sessions;
use crate::shard::Tables;
use crate::sites::SiteFiles;
use crate::trace::Trace;
use crate::truth::{ItemFact, Truth, Violation, Watched};
use selvedge_client::Input;
use selvedge_core::consent::{Purposes, Signals};
use selvedge_core::id::VisitorId;
use selvedge_core::wire::program::Destination;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Arguments;

/// When every world begins: Unix milliseconds.
pub const START_MS: u64 = 1_795_000_000_000;
/// What sets the chance of what came later apart from that of the rest.
const LATER: u64 = 0x1a7e_0000_0000_0000;
/// The same, for devices that are of one visitor.
const LINKED: u64 = 0x117c_0000_0000_0000;
/// The same, for pages without an engine.
const PLAIN: u64 = 0x91a1_0000_0000_0000;
/// The same, for how brokers are logged in at.
const LOGIN: u64 = 0x1091_0000_0000_0000;
/// The same, for platforms that speak GPP.
const GPP: u64 = 0x0699_0000_0000_0000;
/// The same, for events under numbers that they cannot have.
const NUMBERS: u64 = 0x4a3b_0000_0000_0000;
/// Steps of one world, at most: more means that something goes round for ever.
const STEPS_MAX: u64 = 60_000;

/// One thing that will happen.
#[derive(Debug)]
pub enum Happening {
    /// A visitor does something with a device.
    Act(usize),
    /// A tab is told something.
    Tell(usize, Box<Input>),
    /// A tab's timer, unless it was set anew.
    Tick(usize, u64),
    /// A slot of a tab comes into view, unless it changed.
    Look(usize, String, u64),
    /// It was in view for a second.
    Seen(usize, String, u64),
    /// A tab hears what a consent platform says.
    Voice(usize, Signals),
    /// Another tab stored or erased something.
    Heard(usize, String, Option<Vec<u8>>),
    /// A tab takes over the queues of tabs that are gone.
    TakeOver(usize),
    /// A request ends in a tab: its number, status and body.
    Reply(usize, u32, u16, Vec<u8>),
    /// A tab learns the site's config; or that it cannot be had.
    Config(usize),
    /// A request arrives at the edge: where it came from, its number (none for a beacon), its body.
    Arrive(usize, Option<u32>, Vec<u8>),
    /// The platform rings a shard, if it was asked to for this moment.
    Alarm(usize, u64),
    /// An admin does something.
    Order,
    /// A visitor does something in pages without an engine.
    Plain(usize),
    /// A server asks for such a page.
    Ask(usize),
    /// Such a page sends what it has.
    Flush(usize),
    /// A request of such a page arrives at the edge: its number and page view (none where it came twice), its body.
    Post(usize, Option<(u32, u32)>, String),
    /// A request of such a page ends: its number (none for a server's question), its page view, its status and body.
    Told(usize, Option<u32>, u32, u16, String),
    /// A slot of such a page was in view for a second, unless it changed.
    Glimpse(usize, String, u64),
    /// What a shard sends arrives.
    Parcel(Box<Parcel>),
    /// What became of it is heard of: by which shard, in which ring, for which of its destinations.
    Back(usize, u64, usize, Box<Back>),
}

/// A shard of a site.
#[derive(Debug, Default)]
pub struct Shard {
    /// Whose.
    pub site: usize,
    /// What is durable.
    pub tables: Tables,
    /// What it knows of programs.
    pub isolate: Isolate,
    /// What else it keeps in memory.
    pub memory: Memory,
    /// Its alarm is ringing.
    pub ring: Option<Ring>,
    /// Milliseconds that its clock is ahead of the world's.
    pub ahead_ms: i64,
    /// The alarm that the world knows of.
    pub alarm_ms: Option<u64>,
    /// The newest publish that stepped a visitor.
    pub publishes: BTreeMap<VisitorId, u64>,
    /// The last row of the log that was looked at.
    pub checked: u64,
    /// Events in the log, or that were there, by row.
    pub logged: BTreeMap<crate::truth::Key, u64>,
    /// Its items, or those that were there.
    pub items: BTreeMap<(u64, u32), ItemFact>,
    /// What its visitors consented to, from which row on.
    pub consents: BTreeMap<VisitorId, Vec<(u64, Purposes)>>,
    /// When it heard last that a visitor grants personalization again, or was told to erase them, by the world's clock.
    pub renewed: BTreeMap<VisitorId, u64>,
    /// What is known of its destinations.
    pub watched: BTreeMap<String, Watched>,
    /// What the log says of its visitors' sessions.
    pub sessions: BTreeMap<VisitorId, Sessions>,
    /// Erasures since it began.
    pub erasures: u64,
    /// Who was erased, and the record that tells of it.
    pub erased: BTreeMap<VisitorId, String>,
    /// When it was seen last that a destination had room.
    pub room_ms: u64,
    /// The last sequence of a writer in the log.
    pub last: BTreeMap<selvedge_core::id::WriterId, u32>,
    /// The last line of the quarantine that was looked at.
    pub held: u64,
    /// Events in the quarantine, or that were there.
    pub quarantined: BTreeMap<crate::truth::Key, VisitorId>,
}

/// Everything there is.
#[derive(Debug)]
pub struct World<'a> {
    /// Its chance.
    pub random: Random,
    /// The chance of what came later: worlds without that are as they were.
    pub later: Random,
    /// The chance of pages without an engine.
    pub plain: Random,
    /// The chance of events under numbers that they cannot have.
    pub numbers: Random,
    /// Its dials.
    pub dials: Dials,
    /// The time: Unix milliseconds.
    pub now_ms: u64,
    /// The sites' files.
    pub files: &'a [SiteFiles],
    /// What is published.
    pub registry: Registry,
    /// Worker isolates.
    pub isolates: Vec<Isolate>,
    /// Shards, site after site.
    pub shards: Vec<Shard>,
    /// Devices.
    pub devices: Vec<Device>,
    /// Tabs, those that are gone too.
    pub tabs: Vec<Tab>,
    /// Pages without an engine, those that are gone too.
    pub hands: Vec<Hand>,
    /// What really happened.
    pub truth: Truth,
    /// What happened, in lines.
    pub trace: Trace,
    /// The first thing that must not have happened.
    pub violation: Option<Violation>,
    /// Things end: nothing new begins.
    pub is_ending: bool,
    /// Destinations, as they are outside.
    pub outsides: BTreeMap<(usize, String), Outside>,
    /// The secrets that shards show them.
    pub secrets: BTreeMap<(usize, String), u64>,
    /// What they got: records, and how often.
    pub got: BTreeMap<(usize, String), BTreeMap<String, u32>>,
    /// Destinations that a shard has forgotten.
    pub forgotten: BTreeSet<(usize, String)>,
    /// Rings that there were.
    pub rings: u64,
    /// What is planned for later, acts of visitors and admins apart.
    pub waiting: usize,
    next: BTreeMap<(u64, u64), Happening>,
    order: u64,
}

impl<'a> World<'a> {
    /// The world of a seed, before anything happened.
    #[must_use]
    pub fn new(files: &'a [SiteFiles], seed: u64, keeps_trace: bool) -> Self {
        let mut random = Random::new(seed);
        let mut dials = Dials::new(&mut random);
        let mut later = Random::new(seed ^ LATER);
        dials.later(&mut later);
        dials.is_linked = Random::new(seed ^ LINKED).chance(150);
        let mut plain = Random::new(seed ^ PLAIN);
        dials.latest(&mut plain, &mut Random::new(seed ^ LOGIN), &mut Random::new(seed ^ GPP));
        let mut numbers = Random::new(seed ^ NUMBERS);
        dials.misnumber(&mut numbers);
        let shards = (0..dials.sites).flat_map(|site| (0..dials.shards).map(move |_| site));
        let shards = shards.map(|site| Shard { site, ..Shard::default() }).collect();
        let mut world = Self {
            now_ms: START_MS,
            files,
            registry: Registry::new(dials.sites, &dials),
            isolates: (0..dials.isolates).map(|_| Isolate::default()).collect(),
            shards,
            devices: Vec::new(),
            tabs: Vec::new(),
            hands: Vec::new(),
            truth: Truth::default(),
            trace: Trace::new(keeps_trace),
            violation: None,
            is_ending: false,
            outsides: BTreeMap::new(),
            secrets: BTreeMap::new(),
            got: BTreeMap::new(),
            forgotten: BTreeSet::new(),
            rings: 0,
            waiting: 0,
            next: BTreeMap::new(),
            order: 0,
            random,
            later,
            plain,
            numbers,
            dials,
        };
        world.say(format_args!("world of seed {seed}: {:?}", world.dials.clone()));
        world.people();
        world
    }

    /// A world of one device in `country` in which nothing happens by itself, and nothing fails.
    #[must_use]
    pub fn still(files: &'a [SiteFiles], country: &'static str) -> Self {
        let mut world = Self::new(files, 0, false);
        world.dials.calm();
        (world.dials.wrong_clocks, world.dials.clock_jumps, world.dials.quota) = (false, false, false);
        (world.dials.sites, world.is_ending) = (1, true);
        (world.dials.is_linked, world.dials.is_plain) = (false, false);
        (world.dials.streams.holds, world.dials.sources) = (false, Signals::NONE);
        world.registry = Registry::new(1, &world.dials);
        world.devices.truncate(1);
        let device = &mut world.devices[0];
        (device.site, device.country, device.is_opened) = (0, country, false);
        (device.room, device.ahead_ms, device.gpc) = (usize::MAX, 0, false);
        device.stored = Some(BTreeMap::new());
        world
    }

    fn people(&mut self) {
        for _ in 0..self.dials.devices {
            let random = &mut self.random;
            let site = usize::try_from(random.below(self.dials.sites as u64)).unwrap_or(0);
            let country = *random.pick(&["DE", "DE", "AT", "FR", "US"]);
            let is_private = self.dials.private && random.chance(500);
            let hours = 60 * 60 * 1_000;
            let ahead_ms = if self.dials.wrong_clocks {
                *random.pick(&[-48 * hours, -hours, -70_000, 0, 70_000, hours, 48 * hours])
            } else {
                0
            };
            self.devices.push(Device {
                site,
                country,
                stored: (!is_private).then(BTreeMap::new),
                room: if self.dials.quota { 3_000 } else { usize::MAX },
                locks: BTreeMap::new(),
                ahead_ms,
                is_online: true,
                is_opened: country == "US",
                is_withdrawn: false,
                is_full: false,
                has_kills: false,
                lost: 0,
                words: first_words(self.dials.sources, &mut self.later),
                granted: Purposes::NONE,
                gpc: random.chance(80),
            });
            let device = self.devices.len() - 1;
            self.after(device as u64, Happening::Act(device));
            if self.dials.is_plain {
                self.after(device as u64, Happening::Plain(device));
            }
        }
        self.after(1_000, Happening::Order);
    }

    /// Plans something.
    pub fn after(&mut self, delay_ms: u64, happening: Happening) {
        self.order += 1;
        self.waiting += usize::from(is_work(&happening));
        self.next.insert((self.now_ms + delay_ms, self.order), happening);
    }

    /// A line of the trace.
    pub fn say(&mut self, what: Arguments<'_>) {
        self.trace.line(self.now_ms - START_MS, what);
    }

    /// Something happened that must not.
    pub fn fail(&mut self, invariant: &'static str, detail: String) {
        if self.violation.is_none() {
            self.say(format_args!("VIOLATION {invariant}: {detail}"));
            self.violation = Some(Violation { invariant, detail });
        }
    }

    /// A destination as it is outside.
    pub fn outside(&mut self, site: usize, destination: &Destination) -> Outside {
        let known = self.outsides.remove(&(site, destination.name.clone()));
        known.unwrap_or_else(|| Outside::new(destination, &mut self.random))
    }

    /// The secret that shards of a site show a destination.
    #[must_use]
    pub fn secret(&self, site: usize, name: &str) -> u64 {
        self.secrets.get(&(site, name.to_owned())).copied().unwrap_or_default()
    }

    /// What is known of a destination of a shard.
    pub fn watched(&mut self, at: usize, name: &str) -> &mut Watched {
        self.shards[at].watched.entry(name.to_owned()).or_default()
    }

    /// How long a message is on its way.
    pub fn latency_ms(&mut self) -> u64 {
        self.random.between(1, self.dials.latency_ms_max)
    }

    /// Lets everything happen up to `end_ms`, or to the first violation.
    pub fn run(&mut self, end_ms: u64) {
        let mut steps = 0;
        while self.violation.is_none()
            && self.next.first_key_value().is_some_and(|((at_ms, _), _)| *at_ms <= end_ms)
        {
            let Some(((at_ms, _), happening)) = self.next.pop_first() else { break };
            self.now_ms = at_ms;
            self.waiting -= usize::from(is_work(&happening));
            self.happen(happening);
            steps += 1;
            if steps > STEPS_MAX {
                self.fail("everything comes to rest", format!("{steps} steps, and no end"));
            }
        }
        self.now_ms = self.now_ms.max(end_ms);
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Act(device) => self.act(device),
            Happening::Tell(tab, input) => self.tell(tab, *input),
            Happening::Tick(tab, generation) => self.tick(tab, generation),
            Happening::Look(tab, slot, generation) => self.look(tab, &slot, generation),
            Happening::Seen(tab, slot, generation) => self.seen(tab, &slot, generation),
            Happening::Voice(tab, source) => self.voice(tab, source),
            Happening::Heard(tab, key, value) => self.hear(tab, &key, value),
            Happening::TakeOver(tab) => self.take_over(tab),
            Happening::Reply(tab, request, status, body) => self.reply(tab, request, status, body),
            Happening::Config(tab) => self.configure(tab),
            Happening::Arrive(tab, request, body) => self.arrive(tab, request, &body),
            Happening::Alarm(shard, at_ms) => self.ring(shard, at_ms),
            Happening::Order => self.order(),
            Happening::Plain(device) => self.go_plainly(device),
            Happening::Ask(hand) => self.ask(hand),
            Happening::Flush(hand) => self.flush_hand(hand),
            Happening::Post(hand, to, body) => self.post_plain(hand, to, &body),
            Happening::Told(hand, number, view, status, text) => {
                self.told(hand, (number, view), status, &text);
            }
            Happening::Glimpse(hand, slot, looks) => self.glimpse(hand, &slot, looks),
            Happening::Parcel(parcel) => self.parcel(&parcel),
            Happening::Back(shard, ring, lane, back) => self.back(shard, ring, lane, *back),
        }
    }
}

/// Whether it has to be waited for before the world is at rest.
const fn is_work(happening: &Happening) -> bool {
    !matches!(happening, Happening::Act(_) | Happening::Plain(_) | Happening::Order)
}
