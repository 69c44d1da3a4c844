//! What other SDKs and servers send, and readers of the log, on the real worker.

use std::process::Command;

use anyhow::{Context, Result};
use selvedge_tests::{Answer, Visitor, World, now_ms};
use serde_json::{Value, json};

/// A batch as another SDK names things.
fn named(events: &[(&str, u64)]) -> Value {
    let event = |(id, time_ms): &(&str, u64)| json!({"message_id": id, "name": "search", "time": time_ms, "properties": {"query": "boots"}});
    json!({
        "write_key": "wk_shop_browser",
        "anonymous_id": "anon-4711",
        "sent_at": now_ms(),
        "consent": {"granted": ["analytics", "personalization"], "policy_version": 1, "time": now_ms() - 1_000},
        "events": events.iter().map(event).collect::<Vec<_>>(),
    })
}

fn collect(world: &World, batch: &Value) -> Result<Value> {
    let answer = world.client().post("/v1/collect", &[], batch.to_string().as_bytes())?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

#[test]
fn another_sdks_events_are_taken_once_and_keep_their_names() -> Result<()> {
    let world = World::start()?;
    let now = now_ms();
    let first = collect(&world, &named(&[("m-1", now), ("m-2", now)]))?;
    assert_eq!((&first["accepted"], &first["duplicates"]), (&json!(2), &json!(0)));
    let again = collect(&world, &named(&[("m-2", now), ("m-3", now), ("m-0", now - 90_000_000)]))?;
    assert_eq!((&again["accepted"], &again["duplicates"]), (&json!(1), &json!(1)));
    assert_eq!(again["refused"], json!([{"sequence": 0, "message_id": "m-0", "code": "too_old"}]));

    let log = world.log()?;
    let visitor = selvedge_edge::foreign::visitor_of("shop", "anon-4711").to_string();
    assert!(
        log.iter().all(|line| line["visitor"] == visitor.as_str() && line["anonymous_id"] == "anon-4711")
    );
    let ids: Vec<_> = log.iter().map(|line| line["message_id"].as_str().unwrap_or_default()).collect();
    assert_eq!(ids, ["m-1", "m-2", "m-3"]);
    let quarantine = world.quarantine()?;
    assert_eq!((&quarantine[0]["message_id"], &quarantine[0]["code"]), (&json!("m-0"), &json!("too_old")));

    let key = format!("Bearer {}", world.server_key());
    let asked = json!({"anonymous_id": "anon-4711", "slots": ["hero"]}).to_string();
    let decided = world.client().post("/v1/decide", &[("authorization", &key)], asked.as_bytes())?;
    assert_eq!(decided.json()?["visitor"], visitor.as_str(), "{}", decided.text());
    Ok(())
}

#[test]
fn a_servers_own_request_says_nothing_of_its_visitor() -> Result<()> {
    let world = World::start()?;
    let key = format!("Bearer {}", world.server_key());
    let mut seed = 20;
    // The shop: opt-out in the US, opt-in elsewhere. Nobody has answered.
    let mut send = |headers: &[(&str, &str)], said: &[(&str, Value)]| -> Result<Answer> {
        seed += 1;
        let mut visitor = Visitor::new(seed);
        let event = visitor.track("search", json!({"query": "boots"}));
        let mut batch = visitor.batch(&[event]);
        batch["consent"] = json!({"mode": "opt-out"});
        said.iter().for_each(|(name, value)| batch[*name] = value.clone());
        world.client().post("/v1/collect", headers, batch.to_string().as_bytes())
    };
    let accepted = |answer: Answer| Ok::<_, anyhow::Error>(answer.json()?["accepted"].clone());
    let server = ("authorization", key.as_str());
    let in_us = ("cf-ipcountry", "US");
    assert_eq!(accepted(send(&[in_us], &[])?)?, 1, "a page in the US");
    assert_eq!(accepted(send(&[server, in_us], &[])?)?, 0, "a server in the US says nothing of its visitor");
    assert_eq!(accepted(send(&[server], &[("country", json!("us"))])?)?, 1, "a visitor in the US");
    assert_eq!(accepted(send(&[], &[("country", json!("us"))])?)?, 0, "a page does not say where it is");
    let bad = send(&[server], &[("country", json!("Germany"))])?;
    assert_eq!(bad.status, 400);
    Ok(())
}

#[test]
fn a_reader_may_begin_near_the_end_of_the_log() -> Result<()> {
    let world = World::start()?;
    let mut visitor = Visitor::new(50);
    for query in ["a", "b", "c", "d"] {
        let event = visitor.track("search", json!({"query": query}));
        collect(&world, &visitor.batch(&[event]))?;
    }
    let read = |from: &str| -> Result<(Vec<String>, String)> {
        let answer = world.admin_get(&format!("/v1/log?from={from}"))?;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let lines = answer.json_lines()?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let cursor = lines.last().map(|line| text(&line["cursor"])).unwrap_or_default();
        Ok((lines.iter().map(|line| text(&line["properties"]["query"])).collect(), cursor))
    };
    let (queries, cursor) = read("tail:2")?;
    assert_eq!(queries, ["c", "d"]);
    assert_eq!(read("tail:100")?.0, ["a", "b", "c", "d"]);
    let event = visitor.track("search", json!({"query": "e"}));
    collect(&world, &visitor.batch(&[event]))?;
    assert_eq!(read(&cursor)?.0, ["e"]);
    assert_eq!(world.admin_get("/v1/log?from=tail:x")?.status, 400);
    Ok(())
}

#[test]
fn the_log_can_be_read_where_the_stored_program_cannot() -> Result<()> {
    let mut world = World::start()?;
    let mut visitor = Visitor::new(60);
    let event = visitor.track("search", json!({"query": "boots"}));
    collect(&world, &visitor.batch(&[event]))?;
    world.kill9();
    spoil_programs(&world)?;
    world.restart()?;
    assert_eq!(world.log()?.len(), 1);
    assert_eq!(world.quarantine()?.len(), 0);
    assert_eq!(world.admin_get("/v1/programs")?.status, 200);
    world.publish().map(drop)
}

/// Writes nonsense over every program that the registry's file holds.
fn spoil_programs(world: &World) -> Result<()> {
    const SCRIPT: &str = "
import pathlib, sqlite3, sys
for file in pathlib.Path(sys.argv[1]).rglob('*.sqlite'):
    store = sqlite3.connect(file)
    if store.execute(\"SELECT 1 FROM sqlite_master WHERE name = 'program'\").fetchone():
        print(store.execute(\"UPDATE program SET bytes = x'00'\").rowcount)
        store.commit()
";
    let objects = world.data().join("objects");
    let output = Command::new("python3").args(["-c", SCRIPT]).arg(&objects).output().context("python3")?;
    let spoilt = String::from_utf8_lossy(&output.stdout);
    anyhow::ensure!(spoilt.trim().parse::<u32>().is_ok_and(|rows| rows >= 2), "{spoilt:?} {output:?}");
    Ok(())
}
