//! What a seed makes of its world: how large it is, and which faults it has how often. A world has only some of them, so that
//! each is met alone, and with others.

use crate::random::Random;

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
        }
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
        self.kills = 0;
        self.hides = 0;
        self.latency_ms_max = 20;
        self.storage_event_ms_max = 1;
    }
}
