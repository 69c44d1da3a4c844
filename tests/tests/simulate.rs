//! `simulate --events URL`: the log of a real workerd is played through the rules again, and comes to the same.

use anyhow::Result;
use selvedge_cli::recorded::source::RecordedArguments;
use selvedge_cli::rehearsal::Stage;
use selvedge_cli::rehearsal::walk::Manner;
use selvedge_cli::simulation::tally::tally;
use selvedge_tests::{Visitor, World, compiled_shop};
use serde_json::{Value, json};

fn send(world: &World, visitor: &mut Visitor, events: &[(&str, Value)]) -> Result<Value> {
    let events: Vec<Value> = events
        .iter()
        .map(|(name, properties)| {
            let mut event = visitor.track(name, properties.clone());
            event["type"] = json!(if *name == "page" { "page" } else { "track" });
            event
        })
        .collect();
    let mut batch = visitor.batch(&events);
    batch["context"] = json!({"utm.medium": "cpc"});
    let answer = world.client().post("/v1/collect", &[], batch.to_string().as_bytes())?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

#[test]
fn the_log_of_a_worker_is_played_through_the_rules_again() -> Result<()> {
    let world = World::start()?;
    let view = |sku: &str| ("product_view", json!({"category": "shoes", "sku": sku, "value": 120}));
    let page = ("page", json!({"path": "/c/shoes"}));
    let (mut buyer, mut looker) = (Visitor::new(1), Visitor::new(2));
    let shown = send(&world, &mut buyer, &[page.clone(), view("NG-1"), view("NG-2")])?;
    let hero = shown["decisions"].as_array().into_iter().flatten().find(|slot| slot["slot"] == "hero");
    assert_eq!(hero.map(|hero| &hero["rule"]), Some(&json!("free-shipping-hero")), "{shown}");
    let bought = ("purchase", json!({"order_id": "N-1", "value": 240, "currency": "EUR"}));
    send(&world, &mut buyer, &[bought])?;
    send(&world, &mut looker, &[page, view("NG-1")])?;
    let log = world.log()?;
    let goals: Vec<&Value> = log.iter().filter(|line| line["kind"] == "goal").collect();
    assert_eq!(goals.len(), 1, "{log:#?}");
    assert_eq!((&goals[0]["name"], &goals[0]["value"]), (&json!("order"), &json!(240)));
    let order = log.iter().find(|line| line["kind"].is_null() && line["name"] == "purchase");
    assert_eq!(order.map(|order| &order["id"]), Some(&goals[0]["event"]));

    let recorded = RecordedArguments {
        events: Some(world.url()),
        token: Some(world.admin_token().to_owned()),
        ..RecordedArguments::default()
    };
    let history = recorded.read()?;
    assert_eq!((history.events(), history.unreadable_count), (6, 0));
    let stage = Stage::of(&compiled_shop()?)?;
    let manner = Manner::of(&history, &[]);
    let tally = tally(&stage, &history, &manner)?;
    assert_eq!((tally.visitors, tally.accepted), (2, 6));
    let reach = |id: &str| {
        let at = stage.parts.rules.iter().position(|rule| rule.id == id);
        let won = at.and_then(|at| tally.won.get(&u16::try_from(at).ok()?));
        won.map_or(0, |count| count.visitors)
    };
    assert_eq!((reach("free-shipping-hero"), reach("thank-you-inbox")), (1, 1));
    let refused = RecordedArguments { token: Some("nobody".to_owned()), ..recorded };
    assert!(refused.read().is_err(), "the log is open to its admin only");
    Ok(())
}
