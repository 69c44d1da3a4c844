//! One seed: its world lives, faults stop, everything comes to rest, and what must hold is looked at.

use crate::sites::SiteFiles;
use crate::truth::Violation;
use crate::world::{START_MS, World};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// How long a page is open at the end, to send what pages before left.
const VISIT_MS: u64 = 20 * 60 * 1_000;
/// How long what is sent is under way, at most.
const UNDER_WAY_MS: u64 = 30_000;
/// Visits at the end.
const VISITS: usize = 2;

/// What became of a seed.
#[derive(Debug, Clone)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// What must not have happened.
    pub violation: Option<Violation>,
    /// Stands for every line of the trace.
    pub hash: u64,
    /// Lines of the trace.
    pub lines: Vec<String>,
    /// How many there were.
    pub count: u64,
    /// Events in logs.
    pub logged: u64,
    /// Exposures that were seen.
    pub exposures: u64,
}

/// Runs a seed.
#[must_use]
pub fn run(files: &[SiteFiles], seed: u64, keeps_trace: bool) -> Report {
    let mut world = World::new(files, seed, keeps_trace);
    let lived = catch_unwind(AssertUnwindSafe(|| live(&mut world)));
    if let Err(panic) = lived {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        world.fail("nothing panics", text.unwrap_or_default());
    }
    Report {
        seed,
        violation: world.violation.clone(),
        hash: world.trace.hash(),
        lines: world.trace.lines().to_vec(),
        count: world.trace.count(),
        logged: world.shards.iter().map(|shard| shard.logged.len() as u64).sum(),
        exposures: world.truth.exposures.values().map(|all| all.len() as u64).sum(),
    }
}

fn live(world: &mut World<'_>) {
    world.run(START_MS + world.dials.lasts_ms);
    world.is_ending = true;
    world.dials.calm();
    world.registry.silent = 0;
    world.say(format_args!("faults stop"));
    for device in 0..world.devices.len() {
        world.devices[device].is_online = true;
    }
    for tab in 0..world.tabs.len() {
        if world.tabs[tab].is_alive {
            world.tabs[tab].is_hidden = false;
            world.tell(tab, selvedge_client::Input::Awake);
        }
    }
    world.repair_all();
    // What was under way as faults stopped may have been refused, or told to wait for hours.
    world.run(world.now_ms + UNDER_WAY_MS);
    world.repair_all();
    world.run(world.now_ms + VISIT_MS);
    if world.violation.is_none() {
        world.check_sent();
    }
    for _ in 0..VISITS {
        if world.violation.is_none() {
            visit(world);
        }
    }
    if world.violation.is_none() {
        world.check_rest();
    }
}

/// Every device is visited once more, and nothing is in the way.
fn visit(world: &mut World<'_>) {
    for tab in 0..world.tabs.len() {
        if world.tabs[tab].is_alive {
            world.close_tab(tab, false);
        }
    }
    world.repair_all();
    for device in 0..world.devices.len() {
        world.open_tab(device);
    }
    world.run(world.now_ms + VISIT_MS);
}
