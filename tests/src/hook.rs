//! Worlds whose events leave for a web server: the destination, what visitors send, and what arrived, visitor by visitor.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use anyhow::{Result, ensure};
use selvedge_core::wire::program::{Destination, Http, HttpFormat, Way};
use serde_json::{Value, json};

use crate::receiver::Receiver;
use crate::streams::{self, destination};
use crate::{Answer, Setup, Visitor, World, compiled_shop, now_ms};

/// How long anything may take that is to happen.
pub const SOON: Duration = Duration::from_secs(30);
/// The secret that signs, as Standard Webhooks writes it.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A destination of batches that takes events alone.
pub fn batches(name: &str, receiver: &Receiver) -> Destination {
    let http = Http {
        url: receiver.url(),
        format: HttpFormat::CloudEventsBatch,
        secrets: vec!["HOOK_SECRET".into()],
        headers: Vec::new(),
    };
    destination(name, Way::Http(http))
}

/// Publishes the shop with these destinations.
///
/// # Errors
/// When it cannot be compiled, or is refused.
pub fn publish(world: &World, destinations: Vec<Destination>) -> Result<()> {
    let shop = compiled_shop()?;
    let mut full = shop.full;
    full.destinations = destinations;
    world.publish_bytes(&full.encode(), &shop.public_bytes)
}

/// The shop with these destinations, on a worker that may send to this machine.
///
/// # Errors
/// When something cannot be built, started or published.
pub fn world(shards: u32, destinations: Vec<Destination>) -> Result<World> {
    let bindings = BTreeMap::from([
        ("SHARDS".to_owned(), shards.to_string()),
        ("DEV_LOOPBACK".to_owned(), "1".to_owned()),
        ("HOOK_SECRET".to_owned(), SECRET.to_owned()),
    ]);
    let world = World::with(Setup { is_unpublished: true, bindings, ..Setup::default() })?;
    publish(&world, destinations)?;
    Ok(world)
}

/// Sends events of a visitor in one batch, whatever the answer.
///
/// # Errors
/// When the worker does not answer.
pub fn collect(world: &World, visitor: &Visitor, events: &[Value]) -> Result<Answer> {
    world.client().post("/v1/collect", &[], visitor.batch(events).to_string().as_bytes())
}

/// Sends numbered events of a visitor in one batch, which is taken.
///
/// # Errors
/// When it is not.
pub fn send(world: &World, visitor: &mut Visitor, numbers: Range<u64>) -> Result<()> {
    let events: Vec<Value> =
        numbers.map(|number| visitor.track("search", json!({"query": "shoes", "number": number}))).collect();
    let answer = collect(world, visitor, &events)?;
    ensure!(answer.status == 200, "{}", answer.text());
    Ok(())
}

/// Tells the edge that the visitor takes everything back.
///
/// # Errors
/// When it does not hear it.
pub fn withdraw(world: &World, visitor: &mut Visitor) -> Result<()> {
    let mut withdrawal = visitor.batch(&[]);
    withdrawal["consent"]["granted"] = json!([]);
    withdrawal["consent"]["denied"] = json!(["analytics", "personalization", "advertising"]);
    withdrawal["consent"]["time"] = json!(now_ms());
    let answer = world.client().post("/v1/collect", &[], withdrawal.to_string().as_bytes())?;
    ensure!(answer.status == 200, "{}", answer.text());
    Ok(())
}

/// Of each visitor the numbers of records, in order.
pub fn numbers(records: &[Value]) -> BTreeMap<String, Vec<u64>> {
    let mut numbers: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for record in records {
        let visitor = record["subject"].as_str().unwrap_or_default().to_owned();
        numbers.entry(visitor).or_default().extend(record["data"]["properties"]["number"].as_u64());
    }
    numbers
}

/// What `/metrics` says of a destination; `None` where it says nothing.
pub fn metric(page: &str, name: &str, destination: &str) -> Option<u64> {
    let label = format!("destination=\"{destination}\"}} ");
    let line = page.lines().find(|line| line.starts_with(&format!("{name}{{")) && line.contains(&label))?;
    line.rsplit(' ').next()?.parse().ok()
}

/// Waits until nothing is pending for a destination, and gives back its ledger, whose identity holds to the last item.
///
/// # Errors
/// When that takes too long, or the identity does not hold.
pub fn settled(world: &World, name: &str) -> Result<BTreeMap<&'static str, u64>> {
    let counted = streams::settled(world, name, SOON)?;
    let page = world.admin_get("/metrics")?.text();
    let difference = metric(&page, "selvedge_ledger_difference", name);
    ensure!(difference == Some(0), "the difference of the ledger: {difference:?}");
    Ok(counted)
}
