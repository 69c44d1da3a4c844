//! The quarantine on a real worker: looked through, replayed under a plan that knows better, dropped, and bounded in time.

use std::collections::{BTreeMap, BTreeSet};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result};
use selvedge_tests::{Visitor, World, compiled_shop_as, compiled_shop_with};
use serde_json::{Value, json};

/// Events that the shop's plan does not know; the next one does, and wants `mood` to be text.
const NEW_EVENTS: &str = "
  wave:
    version: 1
    owner: shop
    purposes: [analytics]
    additional_properties: true
  nod:
    version: 1
    owner: shop
    purposes: [analytics]
    properties:
      mood:
        type: text
  bow:
    version: 1
    owner: shop
    purposes: [personalization]
    additional_properties: true
";

fn send(world: &World, batch: &Value) -> Result<Value> {
    let answer = world.client().post("/v1/collect", &[], batch.to_string().as_bytes())?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

fn get(world: &World, path: &str) -> Result<Value> {
    let answer = world.admin_get(path)?;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer.json()
}

fn order(world: &World, what: &str, body: &Value) -> Result<Value> {
    let path = format!("/v1/quarantine/{what}");
    let answer = world.admin_post(&path, body.to_string().as_bytes())?;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer.json()
}

fn listed(world: &World, query: &str) -> Result<Vec<Value>> {
    let answer = world.admin_get(&format!("/v1/quarantine?{query}"))?;
    assert_eq!(answer.status, 200, "{query}: {}", answer.text());
    answer.json_lines()
}

/// The codes of what stands in the quarantine, by the events' names.
fn reasons(world: &World) -> Result<BTreeMap<String, String>> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_string();
    let lines = world.quarantine()?;
    Ok(lines.iter().map(|line| (text(&line["event"]["name"]), text(&line["code"]))).collect())
}

fn metric(world: &World, name: &str) -> Result<u64> {
    let page = world.admin_get("/metrics")?.text();
    let line = page.lines().find(|line| line.starts_with(&format!("{name}{{")));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).with_context(|| format!("{name}: {page}"))
}

/// What is quarantined is there still, or counted where it went.
fn assert_identity(world: &World) -> Result<()> {
    let of = |name: &str| metric(world, &format!("selvedge_quarantine_{name}"));
    let gone = of("replayed_total")? + of("evicted_total")? + of("purged_total")? + of("expired_total")?;
    let held = of("rows")? + of("dropped_total")?;
    assert_eq!(metric(world, "selvedge_events_quarantined_total")?, gone + held);
    let refused: u64 = world
        .admin_get("/metrics")?
        .text()
        .lines()
        .filter(|line| line.starts_with("selvedge_events_refused_total"))
        .filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
        .sum();
    let of = |name: &str| metric(world, &format!("selvedge_events_{name}_total"));
    assert_eq!(of("received")?, of("accepted")? + of("deduplicated")? + refused);
    Ok(())
}

/// One event of each kind that cannot be taken, of three visitors.
fn bad_events(world: &World) -> Result<Vec<Value>> {
    let mut visitor = Visitor::new(1);
    let view = |sku: Value| json!({"sku": sku, "category": "shoes"});
    let mut unreadable = visitor.track("wave", json!({}));
    unreadable["type"] = json!("no such type");
    let events = vec![
        visitor.track("wave", json!({"big": u64::MAX, "price": 129.95, "text": "ẞ 👟"})),
        visitor.track("nod", json!({"mood": 5})),
        visitor.track("filter_results", json!({"category": "shoes", "waterproof": "yes"})),
        visitor.track("product_view", view(Value::Null)),
        visitor.track("product_view", view(json!("NG-1"))),
        unreadable,
    ];
    let batch = visitor.batch(&events);
    let answer = send(world, &batch)?;
    assert_eq!((&answer["accepted"], answer["refused"].as_array().map(Vec::len)), (&json!(1), Some(5)));
    let poison = Visitor::new(2);
    let poisoned =
        poison.batch(&[poison.clone().track("search", json!({"query": "x", "__fault": "step_panic"}))]);
    for _ in 0..2 {
        let answer = world.client().post("/v1/collect", &[], poisoned.to_string().as_bytes())?;
        assert_eq!(answer.status, 503);
    }
    assert_eq!(send(world, &poisoned)?["refused"][0]["code"], "poison");
    let mut analytics = Visitor::new(3);
    let bow = analytics.track("bow", json!({}));
    let mut bow = analytics.batch(&[bow]);
    bow["consent"]["granted"] = json!(["analytics"]);
    send(world, &bow)?;
    Ok(vec![batch, poisoned, bow])
}

fn publish_with_new_events(world: &World) -> Result<()> {
    let edit = |plan: &str| {
        let waterproof = "waterproof:\n        type: bool";
        assert!(plan.contains(waterproof));
        format!("{}{NEW_EVENTS}", plan.replacen(waterproof, "waterproof:\n        type: text", 1))
    };
    let shop = compiled_shop_with("tracking-plan.yaml", edit)?;
    world.publish_bytes(&shop.full_bytes, &shop.public_bytes)
}

#[test]
fn what_a_better_plan_accepts_stands_in_the_log_once_and_the_rest_stays_with_its_new_reason() -> Result<()> {
    let world = World::start()?;
    let sent = bad_events(&world)?;
    let before: Vec<Value> = world.quarantine()?;
    assert_eq!(before.len(), 7);
    let id_of =
        |name: &str| before.iter().find(|line| line["event"]["name"] == name).map(|line| line["id"].clone());
    assert_identity(&world)?;

    publish_with_new_events(&world)?;
    let first = order(&world, "replay", &json!({"all": true, "limit": 3}))?;
    let rest = order(&world, "replay", &json!({"all": true, "from": first["next"]}))?;
    let results: BTreeMap<String, String> = [&first, &rest]
        .into_iter()
        .flat_map(|answer| answer["entries"].as_array().cloned().unwrap_or_default())
        .map(|entry| (entry["id"].to_string(), format!("{} {}", entry["result"], entry["reason"])))
        .collect();
    let told = |name: &str| results[&id_of(name).unwrap_or_default().to_string()].replace('"', "");
    assert_eq!(told("wave"), "replayed unknown_event");
    assert_eq!(told("nod"), "refused wrong_type");
    assert_eq!(told("product_view"), "refused required_missing");
    assert_eq!(told("bow"), "destroyed unknown_event");
    assert!(results.values().any(|told| told == "\"failed\" \"poison\""), "{results:?}");
    assert!(results.values().any(|told| told == "\"unreadable\" \"undecodable\""), "{results:?}");

    let log = world.log()?;
    let waves: Vec<&Value> = log.iter().filter(|line| line["name"] == "wave").collect();
    assert_eq!(waves.len(), 1);
    assert_eq!(Some(&waves[0]["id"]), id_of("wave").as_ref(), "the same id");
    assert_eq!(
        waves[0]["properties"].to_string(),
        r#"{"big":18446744073709551615,"price":129.95,"text":"ẞ 👟"}"#
    );
    assert_eq!(log.iter().filter(|line| line["properties"]["waterproof"] == "yes").count(), 1);
    let left = reasons(&world)?;
    assert_eq!(left.get("nod").map(String::as_str), Some("wrong_type"));
    assert_eq!((left.contains_key("wave"), left.contains_key("bow")), (false, false));
    assert_identity(&world)?;

    let lines = log.len();
    let again = order(&world, "replay", &json!({"all": true}))?;
    assert_eq!((&again["replayed"], &again["stayed"]), (&json!(0), &json!(4)), "{again}");
    for batch in &sent {
        let answer = send(&world, batch)?;
        let refused = answer["refused"].as_array().cloned().unwrap_or_default();
        // Consent is asked first: that of the destroyed event is refused again, and kept nowhere.
        assert!(
            answer["accepted"] == 0 && refused.iter().all(|refused| refused["code"] == "no_consent"),
            "{answer}"
        );
    }
    assert_eq!(world.quarantine()?.len(), 4);
    assert_eq!(
        world.log()?.len(),
        lines,
        "neither a second replay nor a client that sends again counts twice"
    );
    assert_identity(&world)
}

#[test]
fn the_quarantine_is_looked_through_by_what_its_entries_share() -> Result<()> {
    let world = World::start()?;
    bad_events(&world)?;
    let all = listed(&world, "")?;
    for (query, count) in [
        ("reason=unknown_event", 3),
        ("reason=unknown_event&event=wave", 1),
        ("stage=ingest&source=web", 7),
        ("stage=delivery", 0),
        ("since=0&until=1", 0),
        ("since=1&limit=2", 2),
    ] {
        assert_eq!(listed(&world, query)?.len(), count, "{query}");
    }
    let visitor = all[0]["visitor"].as_str().unwrap_or_default();
    let mine = listed(&world, &format!("visitor={visitor}"))?;
    assert!(mine.iter().all(|line| line["visitor"] == visitor) && mine.len() < all.len());
    let names: BTreeSet<&str> = all.iter().filter_map(|line| line["entry"].as_str()).collect();
    assert_eq!(names.len(), all.len(), "every entry has its own name");
    let behind = listed(&world, &format!("from={}", all[2]["cursor"].as_str().unwrap_or_default()))?;
    assert_eq!(behind, all[3..], "a cursor goes on");

    let groups = get(&world, "/v1/quarantine/groups")?;
    let unknown = groups["groups"].as_array().into_iter().flatten().find(|group| group["event"] == "nod");
    let unknown = unknown.context("a group")?;
    assert_eq!(
        (&unknown["reason"], &unknown["count"], &unknown["path"]),
        (&json!("unknown_event"), &json!(1), &json!("name"))
    );
    assert!(unknown["fix"].as_str().is_some_and(|fix| fix.contains("tracking-plan.yaml")));
    let name = unknown["example"].as_str().context("an example")?;
    let shown = get(&world, &format!("/v1/quarantine/{name}"))?;
    assert_eq!((&shown["event"]["name"], &shown["fix"]), (&json!("nod"), &unknown["fix"]));

    let dropped = order(&world, "drop", &json!({"entries": [name]}))?;
    assert_eq!((&dropped["dropped"], &dropped["entries"][0]["id"]), (&json!(1), &shown["id"]));
    assert_eq!(world.admin_get(&format!("/v1/quarantine/{name}"))?.status, 404);
    assert_eq!(listed(&world, "")?.len(), all.len() - 1);
    assert_identity(&world)
}

/// What `/metrics` counts of refused events, whatever the reason, and of those that stand in the quarantine.
fn refused_and_kept(world: &World) -> Result<(u64, u64)> {
    assert_identity(world)?;
    let of = |name: &str| metric(world, &format!("selvedge_events_{name}_total"));
    let refused = of("received")? - of("accepted")? - of("deduplicated")?;
    Ok((refused, of("quarantined")?))
}

/// A page whose place among its writer's events cannot be taken, and a server whose event cannot be read at all.
#[test]
fn an_event_that_is_refused_whenever_it_comes_is_kept_once_and_counted_each_time() -> Result<()> {
    let mut world = World::start()?;
    let mut page = Visitor::new(1);
    let mut far =
        [page.track("search", json!({"query": "boots"})), page.track("search", json!({"query": "hats"}))];
    far[0]["sequence"] = json!(4_000_001);
    far[1]["sequence"] = json!(4_000_002);
    let mut server = Visitor::new(2);
    let mut unnamed = server.track("search", json!({"query": "boots"}));
    unnamed["sequence"] = json!("first");
    let batches = [page.batch(&far), server.batch(&[unnamed])];
    for round in 1..=4 {
        if round == 3 {
            world.kill9();
            world.restart()?;
        }
        let told: Vec<Value> = batches.iter().map(|batch| send(&world, batch)).collect::<Result<_>>()?;
        let codes = |answer: &Value| -> Vec<Value> {
            answer["refused"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|refused| refused["code"].clone())
                .collect()
        };
        assert_eq!(codes(&told[0]), ["sequence_gap", "sequence_gap"], "in round {round}");
        assert_eq!(codes(&told[1]), ["undecodable"], "in round {round}");
        assert_eq!(refused_and_kept(&world)?, (3 * round, 3), "in round {round}");
    }
    let held = world.quarantine()?;
    let queries: Vec<&Value> = held.iter().map(|line| &line["event"]["properties"]["query"]).collect();
    assert_eq!(
        (held.len(), queries.contains(&&json!("boots")), queries.contains(&&json!("hats"))),
        (3, true, true)
    );

    let dropped = order(&world, "drop", &json!({"reason": "sequence_gap"}));
    assert_eq!(dropped?["dropped"], 2);
    send(&world, &batches[0])?;
    assert_eq!(
        (world.quarantine()?.len(), refused_and_kept(&world)?),
        (3, (14, 5)),
        "what was dropped is no copy"
    );
    Ok(())
}

#[test]
fn entries_go_when_their_time_is_over_and_when_consent_is_withdrawn() -> Result<()> {
    let world = World::start()?;
    bad_events(&world)?;
    let mut visitor = Visitor::new(1);
    visitor.track("never sent", json!({}));
    let mut withdrawal = visitor.batch(&[]);
    withdrawal["consent"] = json!({"granted": [], "denied": ["analytics", "personalization", "advertising"],
        "mode": "opt-in", "policy_version": 1, "time": selvedge_tests::now_ms()});
    send(&world, &withdrawal)?;
    assert_eq!(metric(&world, "selvedge_quarantine_purged_total")?, 5, "{:?}", reasons(&world)?);
    assert_eq!(world.quarantine()?.len(), 2);
    let shop = compiled_shop_as(|site| site.replace("keep: 30d", "keep: 1s"))?;
    world.publish_bytes(&shop.full_bytes, &shop.public_bytes)?;
    sleep(Duration::from_millis(1_100));
    assert_eq!(world.quarantine()?, Vec::<Value>::new());
    assert_eq!(metric(&world, "selvedge_quarantine_expired_total")?, 2);
    assert_identity(&world)
}
