//! Other currencies over a real workerd: amounts count at the rates that were pushed when they came, and not at all when those
//! are too old.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use selvedge_compiler::Compiled;
use selvedge_tests::{Setup, Visitor, World};
use serde_json::{Value, json};
use xtask::repo::Repo;
use xtask::site::Site;

/// How long a worker believes what it knows, and some more.
const POLL: Duration = Duration::from_secs(7);
/// How long a rate is believed.
const TTL: Duration = Duration::from_secs(9);

/// The shop, which takes purchases in any currency; with a metric that is there from the log besides, if asked.
fn shop(is_warm: bool) -> Result<Compiled> {
    let mut files: BTreeMap<String, String> = Site::at(Repo::find()?.path("examples/shop"))?.read()?;
    let plan = files.get_mut("tracking-plan.yaml").context("a plan")?;
    *plan = plan.replace("        enum: [EUR]\n", "");
    let site = files.get_mut("site.yaml").context("a site")?;
    let lookups = "rates: fx\nlookups:\n  fx:\n    key: currency\n    from: push\n    columns:\n      rate: number\n    ttl: 9s\n";
    *site = site.replacen("lookups:\n", lookups, 1);
    let rules = files.get_mut("rules.yaml").context("rules")?;
    if is_warm {
        let metric = "metrics:\n  paid:\n    measure: sum purchase.value in ever\n    warm_up: log\n";
        *rules = rules.replacen("metrics:\n", metric, 1);
    }
    let spent =
        if is_warm { "paid between 54 EUR and 56 EUR" } else { "spend_30d between 54 EUR and 56 EUR" };
    for (id, slot, when) in [("spent", "modal", spent), ("has-rate", "banner", "fx[page.sku].rate > 0")] {
        let shown =
            format!("    show:\n      slot: {slot}\n      content: newsletter_modal\n    priority: 999\n");
        rules.push_str(&format!("\n  - id: {id}\n    when: {when}\n{shown}"));
    }
    let checked = xtask::site::check(&files);
    checked.program.with_context(|| checked.report)
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
