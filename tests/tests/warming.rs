//! `warm_up: log` over a real workerd: a metric of all time that is published today is known of who was there yesterday.

use anyhow::{Context, Result};
use selvedge_compiler::Compiled;
use selvedge_tests::{Visitor, World, compiled_shop_with};
use serde_json::{Value, json};

/// The shop with one more metric and a rule that needs it known.
fn shop(warm_up: &str) -> Result<Compiled> {
    compiled_shop_with("rules.yaml", |rules| {
        let metric = format!("metrics:\n  looks:\n    measure: count product_view in ever\n{warm_up}");
        let rule = "
  - id: few-looks
    when: looks between 3 and 4
    show:
      slot: modal
      content: newsletter_modal
    priority: 999
";
        rules.replacen("metrics:\n", &metric, 1) + rule
    })
}

fn publish(world: &World, shop: &Compiled) -> Result<()> {
    world.publish_bytes(&shop.full_bytes, &shop.public_bytes)
}

/// The rule in the modal, in an answer.
fn modal(answer: &Value) -> Option<&str> {
    let decisions = answer["decisions"].as_array()?;
    decisions.iter().find(|decision| decision["slot"] == "modal")?["rule"].as_str()
}

fn looks(world: &World, visitor: &mut Visitor, count: usize) -> Result<Value> {
    let view = json!({"sku": "NG-1", "category": "shoes", "value": 120});
    let events: Vec<Value> = (0..count).map(|_| visitor.track("product_view", view.clone())).collect();
    send(world, &visitor.batch(&events))
}

fn send(world: &World, batch: &Value) -> Result<Value> {
    let answer = world.client().post("/v1/collect", &[], batch.to_string().as_bytes())?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

fn decide(world: &World, visitor: &Visitor) -> Result<Value> {
    let question = json!({"visitor": visitor.id.to_string(), "writer": visitor.writer.bits().to_string()});
    let key = format!("Bearer {}", world.server_key());
    let answer =
        world.client().post("/v1/decide", &[("authorization", &key)], question.to_string().as_bytes())?;
    answer.json()
}

#[test]
fn a_metric_that_is_published_later_is_known_as_far_as_the_log_was_watched() -> Result<()> {
    let world = World::start()?;
    let mut visitor = Visitor::new(1);
    let mut other = Visitor::new(2);
    looks(&world, &mut visitor, 2)?;
    looks(&world, &mut other, 2)?;
    looks(&world, &mut visitor, 1)?;

    publish(&world, &shop("")?)?;
    assert_eq!(
        modal(&looks(&world, &mut other, 1)?),
        None,
        "without a word of it, what was before is not known"
    );

    publish(&world, &shop("    warm_up: log\n")?)?;
    let asked = decide(&world, &visitor)?;
    assert_eq!(modal(&asked), Some("few-looks"), "asked before anything happened: {asked}");
    let ping = visitor.track("home", json!({}));
    let answer = send(&world, &visitor.batch(&[ping]))?;
    assert_eq!(modal(&answer), Some("few-looks"), "{answer}\n{}", world.worker_log());

    let state = world.admin_get(&format!("/v1/visitors/{}?site=shop", visitor.id))?.json()?;
    let metrics = state["metrics"].as_array().context("metrics")?;
    let known = metrics.iter().find(|metric| metric["name"] == "looks").context("looks")?;
    assert_eq!(known["observed_since"], state["born_at"], "since birth: {known}");
    Ok(())
}

#[test]
fn an_event_that_the_plan_did_not_know_is_not_taken_for_absent() -> Result<()> {
    let world = World::start()?;
    let mut visitor = Visitor::new(3);
    looks(&world, &mut visitor, 1)?;
    let wave = visitor.track("wave", json!({}));
    let refused = send(&world, &visitor.batch(&[wave]))?;
    assert_eq!(refused["refused"][0]["code"], "unknown_event", "{refused}");
    let mut files = xtask::site::Site::at(xtask::repo::Repo::find()?.path("examples/shop"))?.read()?;
    let plan = files.get_mut("tracking-plan.yaml").context("a plan")?;
    plan.push_str("  wave:\n    purposes: [analytics, personalization]\n");
    let rules = files.get_mut("rules.yaml").context("rules")?;
    let metric = "metrics:\n  waves:\n    measure: count wave in ever\n    warm_up: log\n";
    let rule = "
  - id: never-waved
    when: waves = 0
    show:
      slot: modal
      content: newsletter_modal
    priority: 999
";
    *rules = rules.replacen("metrics:\n", metric, 1) + rule;
    let checked = xtask::site::check(&files);
    publish(&world, &checked.program.with_context(|| checked.report)?)?;
    let home = visitor.track("home", json!({}));
    let answer = send(&world, &visitor.batch(&[home]))?;
    assert_ne!(modal(&answer), Some("never-waved"), "{answer}");
    Ok(())
}
