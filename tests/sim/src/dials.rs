//! What a seed makes of its world: how large it is, and which faults it has how often. A world has only some of them, so that
//! each is met alone, and with others.

use crate::platforms::EARLIER;
use crate::random::Random;
use selvedge_core::consent::Signals;
use selvedge_core::limits::{DESTINATION_AGE_MS, DESTINATION_BYTES, LOG_KEEP_MS};
use selvedge_core::wire::program::{OnUnknown, Way};
use selvedge_edge::site::Site;
use selvedge_kafka::Mechanism;

/// What a world's sites say of where records go.
#[derive(Debug, Clone, Default)]
pub struct Streams {
    /// The destinations that there are, by their letter; the second program has those of the second.
    pub named: [String; 2],
    /// Bytes that may wait for one.
    pub bytes_max: u64,
    /// How long a record may wait.
    pub age_ms_max: u64,
    /// How long rows stay.
    pub keep_ms: u64,
    /// They wait for answers of visitors.
    pub holds: bool,
    /// What goes to Kafka is pressed.
    pub gzip: bool,
    /// Brokers ask for a password, in this way.
    pub sasl: Option<Mechanism>,
}

impl Streams {
    /// Makes a site's destinations those of the world.
    pub fn shape(&self, site: &mut Site, program: usize) {
        let named = &self.named[program.min(1)];
        site.destinations
            .retain(|known| known.way == Way::Log || known.name.starts_with(|letter| named.contains(letter)));
        for destination in &mut site.destinations {
            destination.bytes_max = self.bytes_max;
            destination.age_ms_max = self.age_ms_max;
            if self.holds {
                destination.on_unknown = OnUnknown::Hold;
            }
        }
        site.config.keep.log_ms = self.keep_ms;
    }
}

/// A world's dials. Rates are per mille.
#[derive(Debug, Clone)]
pub struct Dials {
    /// How long things happen: virtual milliseconds.
    pub lasts_ms: u64,
    /// Pause between two acts of a visitor, at most.
    pub pause_ms_max: u64,
    /// Devices.
    pub devices: usize,
    /// Tabs of a device at once.
    pub tabs_max: usize,
    /// Sites that are published.
    pub sites: usize,
    /// Worker isolates.
    pub isolates: usize,
    /// Shards of a site.
    pub shards: u32,
    /// How long a message is on its way, at most.
    pub latency_ms_max: u64,
    /// Requests that get lost.
    pub drops: u64,
    /// Requests that arrive twice.
    pub duplicates: u64,
    /// Requests that come much too late.
    pub stragglers: u64,
    /// Whether requests ever came much too late, or twice: then one may overtake another.
    pub reorders: bool,
    /// Answers that get lost.
    pub lost_answers: u64,
    /// Visits during which the device goes offline.
    pub offline: u64,
    /// Steps after which the shard dies, before its transaction is committed.
    pub crashes_before: u64,
    /// The same, after.
    pub crashes_after: u64,
    /// Transactions that the storage fails.
    pub storage_errors: u64,
    /// Requests before which the shard was evicted from memory.
    pub evictions: u64,
    /// Alarms that the platform is late with.
    pub late_alarms: u64,
    /// Whether shards' clocks jump.
    pub clock_jumps: bool,
    /// Whether devices' clocks are wrong.
    pub wrong_clocks: bool,
    /// Whether devices' storage has little room.
    pub quota: bool,
    /// Devices without storage.
    pub private: bool,
    /// Acts that are a kill of the tab.
    pub kills: u64,
    /// Acts that hide the page.
    pub hides: u64,
    /// Acts that change consent.
    pub consents: u64,
    /// Acts by which an admin publishes, rolls back or stops a rule.
    pub orders: u64,
    /// How long another tab hears nothing of what one stored, at most.
    pub storage_event_ms_max: u64,
    /// Acts that the tracking plan refuses.
    pub bad_events: u64,
    /// Alarms that the platform forgets.
    pub lost_alarms: u64,
    /// Where records go.
    pub streams: Streams,
    /// Sends that a destination has no time for: 429, 503.
    pub busy: u64,
    /// Sends that it fails at.
    pub broken: u64,
    /// Sends that it keeps, and of which a gateway says that it does not know.
    pub gateways: u64,
    /// Sends that it keeps, and does not answer.
    pub hangs: u64,
    /// Sends that do not reach it.
    pub unreachable: u64,
    /// Sends that it takes long over.
    pub slow: u64,
    /// Records that it refuses for what they are.
    pub poison: u64,
    /// Records of one send, at most.
    pub records_max: usize,
    /// Records of one batch that brokers take, at most, as long as the world lasts. Were that lifted while the copy of a batch is
    /// under way that they refused for its size, they would have it whole, and not know the halves again.
    pub batch_records_max: usize,
    /// Sends at which brokers have forgotten who sent before.
    pub forgetful: u64,
    /// Orders by which a visitor is erased.
    pub erasures: u64,
    /// Polls from which on an isolate hears nothing of the registry for a while.
    pub silent: u64,
    /// Whether visitors open pages that have no engine, too.
    pub is_plain: bool,
    /// Whether devices of a site are of one visitor.
    pub is_linked: bool,
    /// Acts at which a device's clock jumps by hours.
    pub jumps: u64,
    /// Whether they ever did.
    pub has_jumps: bool,
    /// The consent platforms that sites read.
    pub sources: Signals,
    /// Acts by which the answer that a platform has becomes another.
    pub words: u64,
    /// Events of pages without an engine that are sent once more under a number that they cannot have: what they are refused for
    /// takes no place, so that only the quarantine knows them again.
    pub misnumbered: u64,
    /// Orders about destinations: pause, resume, a secret that changes, a replay.
    pub tended: u64,
}

impl Dials {
    /// The dials that follow from a world's chance.
    pub fn new(random: &mut Random) -> Self {
        let mut rate = |often: u64, most: u64| {
            let is_on = random.chance(often);
            let rate = random.between(1, most);
            if is_on { rate } else { 0 }
        };
        let (drops, duplicates, stragglers, lost_answers) =
            (rate(400, 300), rate(400, 200), rate(300, 150), rate(500, 400));
        let (offline, crashes_before, crashes_after) = (rate(300, 60), rate(400, 200), rate(400, 200));
        let (storage_errors, evictions, late_alarms) = (rate(300, 200), rate(400, 200), rate(300, 500));
        let (kills, hides, consents) = (rate(500, 60), rate(600, 120), rate(500, 80));
        let (orders, bad_events) = (rate(500, 60), rate(500, 120));
        let (lost_alarms, tended) = (rate(250, 200), rate(500, 500));
        let (busy, broken, gateways) = (rate(350, 500), rate(350, 400), rate(250, 200));
        let (hangs, unreachable, slow) = (rate(350, 300), rate(300, 600), rate(250, 300));
        let (poison, forgetful) = (rate(300, 200), rate(150, 100));
        let records_max = if random.chance(250) { random.between(1, 4) } else { u64::MAX };
        let streams = streams(random);
        let erasures = if random.chance(250) { random.between(1, 400) } else { 0 };
        let is_long = random.chance(120);
        let pause_ms_max = if is_long { 40 * 60 * 1_000 } else { *random.pick(&[2_000, 8_000, 30_000]) };
        let acts = random.between(10, 120);
        Self {
            lasts_ms: pause_ms_max / 2 * acts,
            pause_ms_max,
            devices: usize::try_from(random.between(1, 3)).unwrap_or(1),
            tabs_max: usize::try_from(random.between(1, 3)).unwrap_or(1),
            sites: if random.chance(250) { 2 } else { 1 },
            isolates: usize::try_from(random.between(1, 3)).unwrap_or(1),
            shards: u32::try_from(random.between(1, 2)).unwrap_or(1),
            latency_ms_max: *random.pick(&[20, 200, 3_000]),
            drops,
            duplicates,
            stragglers,
            reorders: stragglers > 0 || duplicates > 0,
            lost_answers,
            offline,
            crashes_before,
            crashes_after,
            storage_errors,
            evictions,
            late_alarms,
            clock_jumps: random.chance(120),
            wrong_clocks: random.chance(250),
            quota: random.chance(120),
            private: random.chance(60),
            kills,
            hides,
            consents,
            orders,
            storage_event_ms_max: *random.pick(&[1, 20, 500]),
            bad_events,
            lost_alarms,
            streams,
            busy,
            broken,
            gateways,
            hangs,
            unreachable,
            slow,
            poison,
            records_max: usize::try_from(records_max).unwrap_or(usize::MAX),
            batch_records_max: usize::try_from(records_max).unwrap_or(usize::MAX),
            forgetful,
            tended,
            erasures,
            silent: 0,
            is_plain: false,
            is_linked: false,
            jumps: 0,
            has_jumps: false,
            sources: Signals::NONE,
            words: 0,
            misnumbered: 0,
        }
    }

    /// Dials that came later: they follow from a chance of their own, so that worlds without them are as they were.
    pub fn later(&mut self, random: &mut Random) {
        let mut rate = |often: u64, most: u64| {
            let is_on = random.chance(often);
            let rate = random.between(1, most);
            if is_on { rate } else { 0 }
        };
        self.silent = rate(250, 400);
        self.jumps = rate(150, 60);
        self.has_jumps = self.jumps > 0;
        self.words = rate(900, 80);
        let is_read =
            |random: &mut Random, source: Signals| if random.chance(600) { source } else { Signals::NONE };
        if random.chance(200) {
            self.sources =
                EARLIER.into_iter().fold(Signals::NONE, |all, source| all.or(is_read(random, source)));
        }
        let streams = &mut self.streams;
        (streams.holds, streams.gzip) = (random.chance(200), random.chance(300));
        streams.sasl = random.chance(300).then_some(Mechanism::Plain);
    }

    /// What came last, each with a chance of its own: pages without an engine, ways to log in at brokers, platforms that speak GPP.
    pub fn latest(&mut self, plain: &mut Random, login: &mut Random, gpp: &mut Random) {
        let ways = [Mechanism::Plain, Mechanism::Scram256, Mechanism::Scram512];
        self.streams.sasl = self.streams.sasl.map(|_| *login.pick(&ways));
        if self.sources != Signals::NONE && gpp.chance(500) {
            self.sources = self.sources.or(Signals::GPP);
        }
        // What a platform says, pages without an engine are told by nobody here.
        self.is_plain = plain.chance(250) && self.sources == Signals::NONE;
    }

    /// Whether pages without an engine number events wrongly; worlds in which they do not are as they were.
    pub const fn misnumber(&mut self, random: &mut Random) {
        let (is_on, rate) = (random.chance(600), random.between(1, 400));
        self.misnumbered = if is_on { rate } else { 0 };
    }

    /// Faults stop: what is under way may end.
    pub const fn calm(&mut self) {
        self.drops = 0;
        self.duplicates = 0;
        self.stragglers = 0;
        self.lost_answers = 0;
        self.offline = 0;
        self.crashes_before = 0;
        self.crashes_after = 0;
        self.storage_errors = 0;
        self.evictions = 0;
        self.late_alarms = 0;
        self.lost_alarms = 0;
        self.busy = 0;
        self.broken = 0;
        self.gateways = 0;
        self.hangs = 0;
        self.unreachable = 0;
        self.slow = 0;
        self.forgetful = 0;
        self.records_max = usize::MAX;
        (self.silent, self.jumps, self.words) = (0, 0, 0);
        self.kills = 0;
        self.hides = 0;
        self.latency_ms_max = 20;
        self.storage_event_ms_max = 1;
    }
}

/// Kinds of destinations that a world may have, by the first letters of their names in `sites/site.yaml`.
const KINDS: [&str; 8] = ["c", "ch", "q", "h", "k", "cm", "kq", "chkqm"];

fn streams(random: &mut Random) -> Streams {
    let first = (*random.pick(&KINDS)).to_owned();
    let second = if random.chance(300) { (*random.pick(&KINDS)).to_owned() } else { first.clone() };
    let minute = 60 * 1_000;
    Streams {
        named: [first, second],
        bytes_max: *random.pick(&[DESTINATION_BYTES, DESTINATION_BYTES, 6_000, 1_500]),
        age_ms_max: *random.pick(&[DESTINATION_AGE_MS, DESTINATION_AGE_MS, 10 * minute, 2 * minute]),
        keep_ms: *random.pick(&[LOG_KEEP_MS, 60 * minute, 5 * minute]),
        ..Streams::default()
    }
}
