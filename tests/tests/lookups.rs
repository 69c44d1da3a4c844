//! Pushed tables over a real workerd: what the warehouse pushes decides within seconds, is forgotten after its time, and is
//! still there after a power cut.

use std::collections::BTreeMap;
use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Parser;
use selvedge_cli::arguments::{Arguments, Command};
use selvedge_compiler::Compiled;
use selvedge_tests::{Setup, Visitor, World};
use serde_json::{Value, json};
use xtask::repo::Repo;
use xtask::site::Site;

/// How long a worker believes what it knows, and some more.
const POLL: Duration = Duration::from_secs(7);
const CATALOG: &str = "/v1/lookups/shop/catalog";

/// The shop with one more rule: what is in stock is shown in the modal.
fn shop(ttl: &str) -> Result<Compiled> {
    let mut files: BTreeMap<String, String> = Site::at(Repo::find()?.path("examples/shop"))?.read()?;
    let rules = files.get_mut("rules.yaml").context("the shop has rules")?;
    rules.push_str(
        "
  - id: in-stock
    when: catalog[page.sku].stock >= 1
    show:
      slot: modal
      content: newsletter_modal
    priority: 99
",
    );
    let site = files.get_mut("site.yaml").context("the shop has a site")?;
    *site = site.replace("ttl: 24h", ttl);
    let checked = xtask::site::check(&files);
    checked.program.with_context(|| checked.report)
}

fn world(ttl: &str) -> Result<World> {
    let world = World::with(Setup { is_unpublished: true, ..Setup::default() })?;
    let shop = shop(ttl)?;
    world.publish_bytes(&shop.full_bytes, &shop.public_bytes)?;
    Ok(world)
}

/// Whether the rule is on for a page of this product, as a server is told.
fn is_on(world: &World, sku: &str) -> Result<bool> {
    let consent = json!({"granted": ["analytics", "personalization"], "mode": "opt-in", "policy_version": 1});
    let question = json!({
        "visitor": Visitor::new(1).id.to_string(),
        "slots": ["modal"],
        "context": {"page.sku": sku},
        "consent": [consent],
    });
    let key = format!("Bearer {}", world.server_key());
    let answer =
        world.client().post("/v1/decide", &[("authorization", &key)], question.to_string().as_bytes())?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    Ok(answer.json()?["decisions"][0]["rule"] == "in-stock")
}

/// Waits until the rule is as expected; gives how long that took.
fn wait_until(world: &World, sku: &str, expected: bool) -> Result<Duration> {
    let begun = Instant::now();
    while is_on(world, sku)? != expected {
        assert!(begun.elapsed() < POLL, "{sku} is not {expected}: {}", world.worker_log());
        sleep(Duration::from_millis(100));
    }
    Ok(begun.elapsed())
}

fn push(world: &World, method: &str, rows: &str) -> Result<Value> {
    let answer = world.admin_send(method, CATALOG, rows.as_bytes())?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

#[test]
fn what_is_pushed_decides_within_seconds_and_survives_a_power_cut() -> Result<()> {
    let mut world = world("ttl: 24h")?;
    assert!(!is_on(&world, "NG-1")?, "nothing was pushed yet");
    let first = push(&world, "PUT", "sku,stock,price,colour\nNG-1,0,129.95,red\nNG-2,5,59,blue\n")?;
    assert_eq!((&first["version"], &first["rows"]), (&json!(1), &json!(2)));
    wait_until(&world, "NG-2", true)?;
    assert!(!is_on(&world, "NG-1")?, "it is sold out");
    push(&world, "PUT", "sku,stock,price\nNG-1,5,129.95\nNG-2,5,59\n")?;
    let took = wait_until(&world, "NG-1", true)?;
    println!("a push decides after {} ms", took.as_millis());
    push(&world, "PATCH", "{\"sku\":\"NG-1\",\"stock\":0}\n")?;
    wait_until(&world, "NG-1", false)?;
    assert!(is_on(&world, "NG-2")?, "the other row stays");
    let rows = world.admin_get(CATALOG)?.json_lines()?;
    assert_eq!(rows[0], json!({"sku": "NG-1", "stock": 0, "price": 129.95}), "so does the other column");
    let gone = world.admin_send("DELETE", &format!("{CATALOG}/NG-2"), b"")?;
    assert_eq!(gone.json()?["version"], 4);
    wait_until(&world, "NG-2", false)?;
    push(&world, "PATCH", "sku,stock\nNG-1,2\n")?;
    world.kill9();
    world.restart()?;
    wait_until(&world, "NG-1", true)?;
    let before = world.admin_get(&format!("{CATALOG}?version=1"))?.json_lines()?;
    assert_eq!((before.len(), &before[0]["stock"]), (2, &json!(0)), "what decided then can be looked up");
    Ok(())
}

#[test]
fn a_bad_table_is_refused_and_the_old_one_stays() -> Result<()> {
    let world = world("ttl: 24h")?;
    push(&world, "PUT", "sku,stock,price\nNG-1,5,129.95\n")?;
    wait_until(&world, "NG-1", true)?;
    for (rows, told) in [
        ("sku,stock,price\nNG-1,many,1\n", "row 2: `many` in `stock`"),
        ("sku,stock\nNG-1,0\n", "no column `price`"),
        ("sku,stock,price\nNG-1,0,1\nNG-1,0,1\n", "stands in two rows"),
        ("", "empty"),
    ] {
        let answer = world.admin_send("PUT", CATALOG, rows.as_bytes())?;
        let error = &answer.json()?["error"];
        assert_eq!((answer.status, &error["code"]), (422, &json!("bad_lookup")), "{rows}");
        let (message, fix) = (error["message"].as_str(), error["fix"].as_str());
        assert!(message.is_some_and(|message| message.contains(told)), "{error}");
        assert!(fix.is_some_and(|fix| fix.contains("CSV")), "{error}");
    }
    sleep(POLL);
    assert!(is_on(&world, "NG-1")?);
    assert_eq!(world.admin_get("/v1/lookups/shop")?.json()?[0]["version"], 1);
    Ok(())
}

#[test]
fn what_is_older_than_its_time_is_not_known_any_more_unless_it_is_kept() -> Result<()> {
    let (world, keeping) = (world("ttl: 4s")?, world("ttl: 4s\n    if_stale: keep")?);
    for world in [&world, &keeping] {
        push(world, "PUT", "sku,stock,price\nNG-1,5,129.95\n")?;
        wait_until(world, "NG-1", true)?;
    }
    sleep(Duration::from_millis(4_200));
    assert!(!is_on(&world, "NG-1")?, "its time is over");
    assert!(is_on(&keeping, "NG-1")?);
    push(&world, "PATCH", "{\"sku\":\"NG-1\"}")?;
    wait_until(&world, "NG-1", true)?;
    Ok(())
}

#[test]
fn the_log_names_the_version_that_decided() -> Result<()> {
    let world = world("ttl: 24h")?;
    push(&world, "PUT", "sku,stock,price\nNG-1,5,129.95\n")?;
    wait_until(&world, "NG-1", true)?;
    let mut visitor = Visitor::new(7);
    let view = visitor.track("product_view", json!({"category": "shoes", "sku": "NG-1"}));
    let answer = world.client().post("/v1/collect", &[], visitor.batch(&[view]).to_string().as_bytes())?;
    assert_eq!(answer.json()?["accepted"], 1, "{}", answer.text());
    let log = world.log()?;
    assert_eq!(log[0]["lookups"], json!({"catalog": 1}));
    Ok(())
}

#[test]
fn the_command_line_pushes_lists_and_removes() -> Result<()> {
    let world = world("ttl: 24h")?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("stock.csv");
    fs::write(&file, "sku,stock,price\nNG 1/a,5,129.95\nNG-2,1,1\n")?;
    let run = |words: &[&str]| -> Result<()> {
        let url = world.url();
        let at = ["--site", "shop", "--url", &url, "--token", world.admin_token()];
        let arguments = Arguments::try_parse_from(["selvedge", "lookups"].iter().chain(words).chain(&at))?;
        let Command::Lookups(arguments) = arguments.command else { anyhow::bail!("another command") };
        selvedge_cli::command::lookups::run(&arguments)?;
        Ok(())
    };
    let file = file.to_str().context("a path")?;
    run(&["push", "catalog", file])?;
    wait_until(&world, "NG 1/a", true)?;
    run(&["list"])?;
    run(&["remove", "catalog", "NG 1/a"])?;
    wait_until(&world, "NG 1/a", false)?;
    assert!(run(&["push", "nobody", file]).is_err());
    Ok(())
}
