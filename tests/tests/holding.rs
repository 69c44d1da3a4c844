//! `on_unknown: hold` on a real worker: what nobody has answered for waits while others go on, over a power cut too; the
//! answer lets it go in order, or ends it; and it does not wait for ever.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use selvedge_core::consent::Purposes;
use selvedge_core::wire::program::{Destination, Http, HttpFormat, OnUnknown, Way};
use selvedge_tests::streams::destination;
use selvedge_tests::{Receiver, Reply, Setup, Visitor, World, compiled_shop, now_ms};
use serde_json::{Value, json};

/// How long anything may take that is to happen.
const SOON: Duration = Duration::from_secs(30);

/// A shard whose events leave for a receiver that needs two purposes, and waits for answers so long.
fn world(receiver: &Receiver, age_ms_max: u64) -> Result<World> {
    let bindings =
        BTreeMap::from([("SHARDS".to_owned(), "1".to_owned()), ("DEV_LOOPBACK".to_owned(), "1".to_owned())]);
    let world = World::with(Setup { is_unpublished: true, bindings, ..Setup::default() })?;
    let (secrets, headers) = (Vec::new(), Vec::new());
    let http = Http { url: receiver.url(), format: HttpFormat::CloudEventsBatch, secrets, headers };
    let hook = Destination {
        purposes: Purposes::ANALYTICS.or(Purposes::ADVERTISING),
        on_unknown: OnUnknown::Hold,
        age_ms_max,
        ..destination("hook", Way::Http(http))
    };
    let shop = compiled_shop()?;
    let mut full = shop.full;
    full.destinations = vec![hook];
    world.publish_bytes(&full.encode(), &shop.public_bytes)?;
    Ok(world)
}

/// Sends numbered events of a visitor who has granted and denied these.
fn send(
    world: &World,
    visitor: &mut Visitor,
    numbers: &[u64],
    granted: &[&str],
    denied: &[&str],
) -> Result<()> {
    let events: Vec<Value> = numbers
        .iter()
        .map(|number| visitor.track("search", json!({"query": "shoes", "number": number})))
        .collect();
    let mut batch = visitor.batch(&events);
    batch["consent"]["granted"] = json!(granted);
    batch["consent"]["denied"] = json!(denied);
    batch["consent"]["time"] = json!(now_ms());
    let answer = world.client().post("/v1/collect", &[], batch.to_string().as_bytes())?;
    ensure!(answer.status == 200, "{}", answer.text());
    Ok(())
}

/// Waits until the hook stands so, and holds its ledger against itself.
fn wait_for(world: &World, what: &str, count: u64) -> Result<Value> {
    let begun = Instant::now();
    loop {
        let hook = world.admin_get("/v1/destinations")?.json()?["destinations"][0].clone();
        let of = |name: &str| hook[name].as_u64().unwrap_or_default();
        let parts = ["delivered", "filtered", "quarantined", "dropped", "purged", "pending"];
        assert_eq!(of("accepted"), parts.iter().map(|name| of(name)).sum::<u64>(), "{hook}");
        if of(what) == count {
            return Ok(hook);
        }
        ensure!(begun.elapsed() < SOON, "{what} is not {count}: {hook}\n{}", world.worker_log());
        thread::sleep(Duration::from_millis(50));
    }
}

/// Of each record: whose it is, and its number.
fn told(receiver: &Receiver) -> Vec<(String, u64)> {
    let text = |record: &Value| record["subject"].as_str().unwrap_or_default().to_owned();
    let number = |record: &Value| record["data"]["properties"]["number"].as_u64().unwrap_or_default();
    receiver.taken().iter().map(|record| (text(record), number(record))).collect()
}

#[test]
fn what_nobody_answered_for_waits_and_leaves_in_order_with_the_answer() -> Result<()> {
    let receiver = Receiver::start(|_| Reply::Status(200))?;
    let mut world = world(&receiver, 3_600_000)?;
    let (mut asked, mut open, mut refuses) = (Visitor::new(1), Visitor::new(2), Visitor::new(3));
    let all = ["analytics", "advertising"];
    send(&world, &mut asked, &[1, 2], &["analytics"], &[])?;
    send(&world, &mut refuses, &[1], &["analytics"], &[])?;
    send(&world, &mut open, &[1], &all, &[])?;
    let hook = wait_for(&world, "delivered", 1)?;
    assert_eq!((&hook["held"], &hook["pending"]), (&json!(3), &json!(3)), "others go on: {hook}");
    assert_eq!(told(&receiver), [(open.id.to_string(), 1)]);

    world.kill9();
    world.restart()?;
    // An answer alone is enough; what comes with it and behind it keeps its place.
    send(&world, &mut refuses, &[], &["analytics"], &["advertising"])?;
    wait_for(&world, "filtered", 1)?;
    send(&world, &mut asked, &[3], &all, &[])?;
    send(&world, &mut asked, &[4], &all, &[])?;
    let hook = wait_for(&world, "delivered", 5)?;
    assert_eq!((&hook["held"], &hook["pending"]), (&json!(0), &json!(0)), "{hook}");
    let of_asked: Vec<u64> = told(&receiver)
        .into_iter()
        .filter(|(whose, _)| *whose == asked.id.to_string())
        .map(|(_, of)| of)
        .collect();
    assert_eq!(of_asked, [1, 2, 3, 4]);
    Ok(())
}

#[test]
fn an_answer_that_never_comes_ends_the_wait_and_an_erasure_does() -> Result<()> {
    let receiver = Receiver::start(|_| Reply::Status(200))?;
    let world = world(&receiver, 3_000)?;
    let (mut silent, mut goes) = (Visitor::new(1), Visitor::new(2));
    send(&world, &mut silent, &[1, 2], &["analytics"], &[])?;
    send(&world, &mut goes, &[1], &["analytics"], &[])?;
    wait_for(&world, "held", 3)?;
    let order = json!({"visitor": goes.id.to_string()}).to_string();
    world.admin_post("/v1/erase", order.as_bytes())?;
    let hook = wait_for(&world, "delivered", 1)?;
    assert_eq!((&hook["purged"], &hook["held"]), (&json!(1), &json!(2)), "{hook}");
    thread::sleep(Duration::from_millis(3_100));
    // It would be looked at within a minute; whoever lets the destination go on need not wait.
    world.admin_post("/v1/destinations/hook/resume", b"")?;
    let hook = wait_for(&world, "filtered", 2)?;
    assert_eq!((&hook["held"], &hook["pending"]), (&json!(0), &json!(0)), "{hook}");
    Ok(())
}
