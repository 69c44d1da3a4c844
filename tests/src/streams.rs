//! Worlds whose events leave for Kafka: the destination, what the ledger says of it, and what an independent client reads.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use selvedge_core::consent::Purposes;
use selvedge_core::wire::program::{
    Destination, Full, Kafka, OnUnknown, RecordKind, Records, Requires, Sasl, Way,
};
use serde_json::Value;

use crate::brokers::{self, ReadRecord};
use crate::world::{Setup, World, compiled_shop};

/// A destination that takes events alone, and waits where it is full.
pub fn destination(name: &str, way: Way) -> Destination {
    Destination {
        name: name.into(),
        way,
        purposes: Purposes::ANALYTICS,
        requires: Requires::All,
        on_unknown: OnUnknown::Drop,
        records: Records::default().with(RecordKind::Event),
        filter: None,
        sample: 10_000,
        remove: Vec::new(),
        rename: Vec::new(),
        when_full: Full::Block,
        age_ms_max: 24 * 60 * 60 * 1_000,
        bytes_max: 256 * 1024 * 1024,
    }
}

/// A destination that is a topic behind an address.
pub fn topic(name: &str, broker: &str) -> Destination {
    let kafka =
        Kafka { brokers: vec![broker.into()], topic: name.into(), tls: false, sasl: None, gzip: false };
    destination(name, Way::Kafka(kafka))
}

/// The same with TLS and a login.
pub fn secure_topic(name: &str, broker: &str, sasl: Sasl) -> Destination {
    let plain = topic(name, broker);
    let brokers = vec![broker.into()];
    let kafka = Kafka { brokers, topic: name.into(), tls: true, sasl: Some(sasl), gzip: true };
    Destination { way: Way::Kafka(kafka), ..plain }
}

/// The shop with these destinations, on a worker that may connect to this machine.
///
/// # Errors
/// When something cannot be built, started or published.
pub fn world(shards: u32, more: &[(&str, String)], destinations: Vec<Destination>) -> Result<World> {
    let mut bindings = BTreeMap::from([
        ("SHARDS".to_owned(), shards.to_string()),
        ("DEV_LOOPBACK".to_owned(), "1".to_owned()),
    ]);
    bindings.extend(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    let world = World::with(Setup { is_unpublished: true, bindings, ..Setup::default() })?;
    let shop = compiled_shop()?;
    let mut full = shop.full;
    full.destinations = destinations;
    world.publish_bytes(&full.encode(), &shop.public_bytes)?;
    Ok(world)
}

/// What `/metrics` counts of a destination, by the word in the ledger's identity, which holds at every moment.
///
/// # Errors
/// When a count is missing, or the identity does not hold.
pub fn ledger(world: &World, name: &str) -> Result<BTreeMap<&'static str, u64>> {
    let page = world.admin_get("/metrics")?.text();
    let label = format!("destination=\"{name}\"}} ");
    let of = |family: &str| -> Result<u64> {
        let mut lines = page.lines();
        let found = lines.find(|line| line.starts_with(&format!("{family}{{")) && line.contains(&label));
        let value =
            found.and_then(|line| line.rsplit(' ').next()).with_context(|| format!("{family} of {name}"))?;
        Ok(value.parse()?)
    };
    let counted = BTreeMap::from([
        ("accepted", of("selvedge_destination_accepted_total")?),
        ("delivered", of("selvedge_events_delivered_total")?),
        ("filtered", of("selvedge_events_filtered_total")?),
        ("quarantined", of("selvedge_events_quarantined_total")?),
        ("dropped", of("selvedge_events_dropped_total")?),
        ("purged", of("selvedge_events_purged_total")?),
        ("pending", of("selvedge_outbox_pending")?),
    ]);
    let sum: u64 = counted.iter().filter(|(name, _)| **name != "accepted").map(|(_, count)| *count).sum();
    ensure!(counted["accepted"] == sum, "the identity of the ledger: {counted:?}");
    let timed = of("selvedge_end_to_end_seconds_count")?;
    ensure!(timed == counted["delivered"], "{timed} were timed: {counted:?}");
    Ok(counted)
}

/// Waits until nothing is pending; gives back the ledger then.
///
/// # Errors
/// When that takes longer than `patience`, or the ledger's identity does not hold.
pub fn settled(world: &World, name: &str, patience: Duration) -> Result<BTreeMap<&'static str, u64>> {
    let begun = Instant::now();
    loop {
        let counted = ledger(world, name)?;
        if counted["pending"] == 0 {
            return Ok(counted);
        }
        ensure!(begun.elapsed() < patience, "{counted:?}\n{}\n{}", state(world)?, world.worker_log());
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// What the worker tells of its destinations.
///
/// # Errors
/// When it does not answer.
pub fn state(world: &World) -> Result<Value> {
    world.admin_get("/v1/destinations")?.json()
}

/// Waits until a destination is in this state.
///
/// # Errors
/// When it takes longer than `patience`.
pub fn wait_for_state(world: &World, name: &str, wanted: &str, patience: Duration) -> Result<()> {
    let begun = Instant::now();
    loop {
        let told = state(world)?;
        let mut all = told["destinations"].as_array().into_iter().flatten();
        if all.any(|found| found["name"] == name && found["state"] == wanted) {
            return Ok(());
        }
        ensure!(begun.elapsed() < patience, "{name} is not {wanted}: {told}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// What stands in a topic.
#[derive(Debug)]
pub struct Arrived {
    /// Every record, partition by partition, in order.
    pub records: Vec<ReadRecord>,
    /// How many records bear an id that another one bears too.
    pub duplicates: usize,
}

impl Arrived {
    /// Reads a topic until `count` records have come, and a little longer.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(broker: &str, topic: &str, count: usize) -> Result<Arrived> {
        let records = brokers::read(broker, topic, count)?;
        let ids: BTreeSet<Option<&str>> = records.iter().map(|record| record.header("ce_id")).collect();
        let duplicates = records.len() - ids.len();
        Ok(Arrived { records, duplicates })
    }

    /// The messages of each visitor, in the order in which they stand in the topic.
    ///
    /// # Errors
    /// When one is not JSON.
    pub fn by_visitor(&self) -> Result<BTreeMap<String, Vec<Value>>> {
        let mut visitors: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for record in &self.records {
            let visitor = record.key.clone().context("a record without a key")?;
            let value = record.value.as_deref().context("a record without a value")?;
            visitors.entry(visitor).or_default().push(serde_json::from_str(value)?);
        }
        Ok(visitors)
    }
}
