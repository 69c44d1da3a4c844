//! Other currencies over a real workerd: amounts count at the rates that were pushed when they came, and not at all when those
//! are too old; and a batch that is on its way to a destination stays what it was, whatever rate is pushed meanwhile.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use selvedge_compiler::Compiled;
use selvedge_core::wire::program::Way;
use selvedge_tests::hook::{SOON, settled};
use selvedge_tests::{Received, Receiver, Reply, Setup, Visitor, World};
use serde_json::{Value, json};
use xtask::repo::Repo;
use xtask::site::Site;

/// How long a worker believes what it knows, and some more.
const POLL: Duration = Duration::from_secs(7);
/// How long a rate is believed.
const TTL: Duration = Duration::from_secs(9);

/// The shop's files, which take purchases in any currency at rates that are pushed.
fn site_files() -> Result<BTreeMap<String, String>> {
    let mut files: BTreeMap<String, String> = Site::at(Repo::find()?.path("examples/shop"))?.read()?;
    let plan = files.get_mut("tracking-plan.yaml").context("a plan")?;
    *plan = plan.replace("        enum: [EUR]\n", "");
    let site = files.get_mut("site.yaml").context("a site")?;
    let lookups = "rates: fx\nlookups:\n  fx:\n    key: currency\n    from: push\n    columns:\n      rate: number\n    ttl: 9s\n";
    *site = site.replacen("lookups:\n", lookups, 1);
    add_rule(&mut files, "has-rate", "banner", "fx[page.sku].rate > 0")?;
    Ok(files)
}

fn add_rule(files: &mut BTreeMap<String, String>, id: &str, slot: &str, when: &str) -> Result<()> {
    let shown =
        format!("    show:\n      slot: {slot}\n      content: newsletter_modal\n    priority: 999\n");
    let rules = files.get_mut("rules.yaml").context("rules")?;
    rules.push_str(&format!("\n  - id: {id}\n    when: {when}\n{shown}"));
    Ok(())
}

fn compiled(files: &BTreeMap<String, String>) -> Result<Compiled> {
    let checked = xtask::site::check(files);
    checked.program.with_context(|| checked.report)
}

/// The shop of those files; with a metric that is there from the log besides, if asked.
fn shop(is_warm: bool) -> Result<Compiled> {
    let mut files = site_files()?;
    if is_warm {
        let rules = files.get_mut("rules.yaml").context("rules")?;
        let metric = "metrics:\n  paid:\n    measure: sum purchase.value in ever\n    warm_up: log\n";
        *rules = rules.replacen("metrics:\n", metric, 1);
    }
    let spent =
        if is_warm { "paid between 54 EUR and 56 EUR" } else { "spend_30d between 54 EUR and 56 EUR" };
    add_rule(&mut files, "spent", "modal", spent)?;
    compiled(&files)
}

fn publish(world: &World, shop: &Compiled) -> Result<()> {
    world.publish_bytes(&shop.full_bytes, &shop.public_bytes)
}

/// The rule in a slot, as a server is told of the visitor.
fn rule_in(world: &World, visitor: &Visitor, slot: &str) -> Result<Option<String>> {
    let consent = json!({"granted": ["analytics", "personalization"], "mode": "opt-in", "policy_version": 1});
    let question = json!({
        "visitor": visitor.id.to_string(),
        "slots": [slot],
        "context": {"page.sku": "USD"},
        "consent": [consent],
    });
    let key = format!("Bearer {}", world.server_key());
    let answer =
        world.client().post("/v1/decide", &[("authorization", &key)], question.to_string().as_bytes())?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    Ok(answer.json()?["decisions"][0]["rule"].as_str().map(str::to_owned))
}

/// Pushes a rate of the dollar and waits until it is there.
fn push_rate(world: &World, visitor: &Visitor, rate: &str) -> Result<()> {
    let rows = format!("currency,rate\nUSD,{rate}\n");
    let answer = world.admin_send("PUT", "/v1/lookups/shop/fx", rows.as_bytes())?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let begun = Instant::now();
    while rule_in(world, visitor, "banner")?.as_deref() != Some("has-rate") {
        assert!(begun.elapsed() < POLL, "no rate came: {}", world.worker_log());
        sleep(Duration::from_millis(100));
    }
    Ok(())
}

fn buy(world: &World, visitor: &mut Visitor, dollars: i64) -> Result<()> {
    let purchase = visitor.track("purchase", json!({"value": dollars, "currency": "USD"}));
    let batch = visitor.batch(&[purchase]).to_string();
    let answer = world.client().post("/v1/collect", &[], batch.as_bytes())?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()?["refused"], json!([]), "{}", answer.text());
    Ok(())
}

/// What the orders in the log were worth, in their order.
fn worth(world: &World) -> Result<Vec<Value>> {
    let lines = world.log()?;
    let orders = lines.iter().filter(|line| line["kind"] == "goal" && line["name"] == "order");
    Ok(orders.map(|line| line["value"].clone()).collect())
}

#[test]
fn amounts_count_at_the_rate_of_their_moment_and_not_at_one_that_is_too_old() -> Result<()> {
    let world = World::with(Setup { is_unpublished: true, ..Setup::default() })?;
    publish(&world, &shop(false)?)?;
    let (mut early, mut late) = (Visitor::new(1), Visitor::new(2));
    push_rate(&world, &early, "0.92")?;
    let pushed = Instant::now();
    buy(&world, &mut early, 60)?;
    assert_eq!(rule_in(&world, &early, "modal")?.as_deref(), Some("spent"), "55.20 EUR");

    sleep(TTL.saturating_sub(pushed.elapsed()) + Duration::from_secs(1));
    assert_eq!(rule_in(&world, &early, "modal")?.as_deref(), Some("spent"), "what was counted stays");
    buy(&world, &mut late, 60)?;
    assert_eq!(rule_in(&world, &late, "modal")?, None, "the rate is too old");
    assert_eq!(worth(&world)?, [json!(55.2), Value::Null], "{:?}", world.log()?);

    push_rate(&world, &early, "0.9166")?;
    publish(&world, &shop(true)?)?;
    assert_eq!(rule_in(&world, &late, "modal")?.as_deref(), Some("spent"), "worked out at the rate of today");
    Ok(())
}

/// Who wants purchases of 54 euros and more.
const DEAR: &str = r#"destinations:
  dear:
    type: http
    purposes: [analytics]
    url: https://dear.example/in
    format: cloudevents-batch
    secrets: [DEAR_SECRET]
    records: [event]
    when: name = "purchase" and properties.value >= 54 EUR
"#;

/// A worker whose site sends dear purchases to the receiver, at rates that stay.
fn dear_world(receiver: &Receiver) -> Result<World> {
    let mut files = site_files()?;
    let site = files.get_mut("site.yaml").context("a site")?;
    *site = site.replacen("destinations:\n", DEAR, 1).replace("ttl: 9s", "ttl: 1h");
    let mut shop = compiled(&files)?;
    for destination in &mut shop.full.destinations {
        if let (Way::Http(http), "dear") = (&mut destination.way, destination.name.as_str()) {
            http.url = receiver.url();
        }
    }
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let bindings = [("SHARDS", "1"), ("DEV_LOOPBACK", "1"), ("DEAR_SECRET", secret)];
    let bindings = bindings.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let world = World::with(Setup { is_unpublished: true, bindings, ..Setup::default() })?;
    world.publish_bytes(&shop.full.encode(), &shop.public_bytes)?;
    Ok(world)
}

/// Pushes a rate of the dollar and waits until ten dollars are worth so much.
fn change_rate(world: &World, prober: &mut Visitor, rate: &str, ten: f64) -> Result<()> {
    push_rate(world, prober, rate)?;
    let begun = Instant::now();
    loop {
        buy(world, prober, 10)?;
        if worth(world)?.last().and_then(Value::as_f64) == Some(ten) {
            return Ok(());
        }
        ensure!(begun.elapsed() < POLL, "the rate does not come: {:?}", worth(world)?);
        sleep(Duration::from_millis(200));
    }
}

/// What the visitors of purchases paid, in dollars.
fn paid(request: &Received) -> Vec<i64> {
    request.records().iter().filter_map(|record| record["data"]["properties"]["value"].as_i64()).collect()
}

#[test]
fn a_batch_on_its_way_stays_what_it_was_though_the_rate_changes() -> Result<()> {
    let receiver = Receiver::start(|_| Reply::Status(503))?;
    let mut world = dear_world(&receiver)?;
    let (mut buyer, mut prober) = (Visitor::new(1), Visitor::new(2));
    change_rate(&world, &mut prober, "0.92", 9.2)?;
    let purchases =
        [50, 60, 70].map(|dollars| buyer.track("purchase", json!({"value": dollars, "currency": "USD"})));
    let batch = buyer.batch(&purchases).to_string();
    assert_eq!(world.client().post("/v1/collect", &[], batch.as_bytes())?.status, 200);
    let begun = Instant::now();
    while receiver.received().is_empty() {
        ensure!(begun.elapsed() < SOON, "nothing is sent");
        sleep(Duration::from_millis(20));
    }
    change_rate(&world, &mut prober, "0.8", 8.0)?;
    world.kill9();
    let before = receiver.received().len();
    receiver.answers(|_| Reply::Status(200));
    world.restart()?;
    buy(&world, &mut buyer, 60)?;
    buy(&world, &mut buyer, 80)?;
    let counted = settled(&world, "dear")?;

    let sends = receiver.received();
    assert_eq!(paid(&sends[0]), [60, 70], "55.20 and 64.40 EUR; 46 EUR are not enough");
    for again in &sends[1..=before] {
        assert_eq!(paid(again), [60, 70], "though 60 dollars are 48 EUR now");
        assert_eq!(
            (&again.body, again.header("webhook-id")),
            (&sends[0].body, sends[0].header("webhook-id"))
        );
    }
    let behind: Vec<i64> = sends[before + 1..].iter().flat_map(paid).collect();
    assert_eq!(behind, [80], "what comes behind it is asked at the rate of now");
    assert_eq!(counted["delivered"], 3, "{counted:?}");
    Ok(())
}
