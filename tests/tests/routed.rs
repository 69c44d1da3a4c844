//! What a site's YAML says of a destination, from compiler to receiver: who is told, of which events, without which fields,
//! under which names, in whose format, and signed with both secrets while one takes the place of the other.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use selvedge_core::wire::program::Way;
use selvedge_tests::{
    Received, Receiver, Reply, Setup, Visitor, World, compiled_shop_as, compiled_shop_with,
};
use serde_json::{Value, json};
use xtask::repo::Repo;
use xtask::setup;

const NEW_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OLD_SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const OTHER_SECRET: &str = "whsec_Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA=";

/// Half of the visitors; their dearer views, as another tool calls them.
const ANALYSIS: &str = r#"destinations:
  analysis:
    type: http
    purposes: [analytics]
    url: https://in.analysis.example/v1/batch
    format: segment-batch
    secrets: [NEW_SECRET, OLD_SECRET]
    headers:
      authorization: {prefix: "Bearer ", secret: ANALYSIS_TOKEN}
    records: [event]
    when: name = "product_view" and properties.value >= 10 EUR
    sample: 50%
    remove: [properties.sku]
    rename:
      properties.value: revenue
"#;

/// A worker whose site sends to the receiver in place of the address that the site names.
fn world(receiver: &Receiver) -> Result<World> {
    let shop = compiled_shop_as(|site| site.replacen("destinations:\n", ANALYSIS, 1))?;
    let mut full = shop.full;
    for destination in &mut full.destinations {
        if let (Way::Http(http), "analysis") = (&mut destination.way, destination.name.as_str()) {
            http.url = receiver.url();
        }
    }
    let bound = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let bindings = [
        ("DEV_LOOPBACK", "1"),
        ("NEW_SECRET", NEW_SECRET),
        ("OLD_SECRET", OLD_SECRET),
        ("ANALYSIS_TOKEN", "sesame"),
    ];
    let bindings = bindings.map(bound).into_iter().collect();
    let world = World::with(Setup { is_unpublished: true, bindings, ..Setup::default() })?;
    world.publish_bytes(&full.encode(), &shop.public_bytes)?;
    Ok(world)
}

/// Views of each visitor: cheap, dear, of no known value, and something else.
fn visit(world: &World, visitor: &mut Visitor) -> Result<()> {
    let view = |value: Value| json!({"sku": "NG-1", "category": "shoes", "value": value, "currency": "EUR"});
    let events = [
        visitor.track("product_view", view(json!(9.99))),
        visitor.track("product_view", view(json!(10))),
        visitor.track("product_view", json!({"sku": "NG-2", "category": "shoes"})),
        visitor.track("search", json!({"query": "shoes", "value": 50})),
        visitor.track("product_view", view(json!(129.95))),
    ];
    let answer = world.client().post("/v1/collect", &[], visitor.batch(&events).to_string().as_bytes())?;
    ensure!(answer.status == 200 && answer.json()?["accepted"] == 5, "{}", answer.text());
    Ok(())
}

/// MurmurHash3 (x86, 32 bit, seed 0), as docs/stream.md has it.
fn murmur3(bytes: &[u8]) -> u32 {
    let mix = |block: u32| block.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593);
    let (blocks, rest) = bytes.as_chunks::<4>();
    let mut hash = blocks.iter().fold(0u32, |hash, block| {
        (hash ^ mix(u32::from_le_bytes(*block))).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64)
    });
    let last = rest.iter().rev().fold(0u32, |last, byte| (last << 8) | u32::from(*byte));
    hash ^= mix(last);
    hash ^= u32::try_from(bytes.len()).unwrap_or(0);
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}

/// Which of the secrets verify each request, as npm `standardwebhooks` finds.
fn verified(requests: &[Received], secrets: &[&str]) -> Result<Value> {
    let repo = Repo::find()?;
    setup::for_build(&repo)?;
    let told = |request: &Received| {
        let headers: BTreeMap<&str, &str> =
            request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        json!({"headers": headers, "body": String::from_utf8_lossy(&request.body)})
    };
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("requests.json");
    let requests: Vec<Value> = requests.iter().map(told).collect();
    std::fs::write(&file, json!({"requests": requests, "secrets": secrets}).to_string())?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("oracle/signatures.mjs");
    let output = Command::new("node").arg(script).arg(&file).arg(repo.www().join("package.json")).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).context("what the library found")
}

#[test]
fn what_the_site_says_of_a_destination_is_what_its_receiver_gets() -> Result<()> {
    let receiver = Receiver::start(|_| Reply::Status(200))?;
    let world = world(&receiver)?;
    let mut visitors: Vec<Visitor> = (1..=12).map(Visitor::new).collect();
    visitors.iter_mut().try_for_each(|visitor| visit(&world, visitor))?;
    let is_sampled = |name: &String| murmur3(format!("analysis:{name}").as_bytes()) % 10_000 < 5_000;
    let chosen: BTreeSet<String> =
        visitors.iter().map(|visitor| visitor.id.to_string()).filter(is_sampled).collect();
    ensure!((1..visitors.len()).contains(&chosen.len()), "the share tells nobody from nobody");

    let messages = || -> Vec<Value> {
        let batches = receiver.received();
        batches
            .iter()
            .flat_map(Received::records)
            .flat_map(|body| body["batch"].as_array().cloned().unwrap_or_default())
            .collect()
    };
    let begun = std::time::Instant::now();
    while messages().len() < chosen.len() * 2 {
        ensure!(begun.elapsed() < Duration::from_secs(30), "{:?}\n{}", messages(), world.worker_log());
        std::thread::sleep(Duration::from_millis(50));
    }
    let mut told: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for message in messages() {
        assert_eq!((&message["type"], &message["event"]), (&json!("track"), &json!("product_view")));
        let visitor = message["anonymousId"].as_str().context("a visitor")?.to_owned();
        told.entry(visitor).or_default().push(message["properties"].clone());
    }
    let bought = |value: Value| json!({"category": "shoes", "revenue": value, "currency": "EUR"});
    let expected: BTreeMap<String, Vec<Value>> = chosen
        .iter()
        .map(|visitor| (visitor.clone(), vec![bought(json!(10)), bought(json!(129.95))]))
        .collect();
    assert_eq!(told, expected);

    let requests = receiver.received();
    assert!(requests.iter().all(|request| request.header("authorization") == "Bearer sesame"));
    let found = verified(&requests, &[NEW_SECRET, OLD_SECRET, OTHER_SECRET])?;
    let each = json!([true, true, false]);
    assert!(found.as_array().is_some_and(|all| all.iter().all(|one| *one == each)), "{found}");
    Ok(())
}

/// The shop's reminder of a cart, which a rule sends to `email`: one record, told as the rule says, to that destination alone.
#[test]
fn what_a_rule_emits_reaches_the_receiver_that_it_names() -> Result<()> {
    let receiver = Receiver::start(|_| Reply::Status(200))?;
    let rule = "\nrules:\n  - id: cart-left\n    when: cart_adds >= 1\n    emit:\n      to: email\n      \
        enter: cart_left\n      exit_when: purchases >= 1\n      fields: [last_cart_sku]\n";
    let shop = compiled_shop_with("rules.yaml", |rules| rules.replacen("\nrules:\n", rule, 1))?;
    let mut full = shop.full;
    for destination in &mut full.destinations {
        if let (Way::Http(http), "email") = (&mut destination.way, destination.name.as_str()) {
            http.url = receiver.url();
        }
    }
    let bindings = [("DEV_LOOPBACK", "1"), ("EMAIL_SECRET", NEW_SECRET)];
    let bindings = bindings.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect();
    let world = World::with(Setup { is_unpublished: true, bindings, ..Setup::default() })?;
    world.publish_bytes(&full.encode(), &shop.public_bytes)?;

    let (mut buyer, mut other) = (Visitor::new(1), Visitor::new(2));
    let item = json!({"sku": "NG-1", "category": "shoes", "value": 129.95, "currency": "EUR"});
    let order = json!({"order_id": "o-1", "value": 129.95, "currency": "EUR"});
    let happens = |visitor: &mut Visitor, name: &str, properties: &Value| -> Result<()> {
        let event = visitor.track(name, properties.clone());
        let body = visitor.batch(&[event]).to_string();
        let answer = world.client().post("/v1/collect", &[], body.as_bytes())?;
        ensure!(answer.status == 200 && answer.json()?["accepted"] == 1, "{}", answer.text());
        Ok(())
    };
    happens(&mut other, "product_view", &item)?;
    happens(&mut buyer, "add_to_cart", &item)?;
    happens(&mut buyer, "add_to_cart", &item)?;
    receiver.wait_for(1, Duration::from_secs(30))?;
    happens(&mut buyer, "purchase", &order)?;
    let records = receiver.wait_for(2, Duration::from_secs(30))?;
    let told: Vec<Value> = records
        .iter()
        .map(|record| {
            let data = &record["data"];
            json!([
                record["type"],
                record["subject"],
                data["rule"],
                data["destination"],
                data["message"],
                data["name"]
            ])
        })
        .collect();
    let said = |message: &str| {
        json!(["selvedge.emit.v1", buyer.id.to_string(), "cart-left", "email", message, "cart_left"])
    };
    assert_eq!(told, [said("enter"), said("exit")], "{records:?}");
    assert_eq!(records[0]["data"]["fields"], json!({"last_cart_sku": "NG-1"}));
    let signed = verified(&receiver.received(), &[NEW_SECRET, OTHER_SECRET])?;
    assert!(
        signed.as_array().is_some_and(|all| all.iter().all(|one| *one == json!([true, false]))),
        "{signed}"
    );
    Ok(())
}
