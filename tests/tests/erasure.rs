//! Erasure on a real worker: what is kept of a visitor goes, destinations are told behind all else of theirs, what comes
//! late is refused and kept nowhere, and the ledger is exact.

use std::collections::BTreeMap;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use selvedge_core::wire::program::{Destination, Http, HttpFormat, Way};
use selvedge_tests::streams::destination;
use selvedge_tests::{Answer, Receiver, Reply, Setup, Visitor, World, compiled_shop};
use serde_json::{Value, json};

/// How long anything may take that is to happen.
const SOON: Duration = Duration::from_secs(30);

fn hook(receiver: &Receiver) -> Destination {
    let (secrets, headers) = (Vec::new(), Vec::new());
    let http = Http { url: receiver.url(), format: HttpFormat::CloudEventsBatch, secrets, headers };
    destination("hook", Way::Http(http))
}

/// A shard whose events leave for the receiver.
fn world(receiver: &Receiver) -> Result<World> {
    let bindings =
        BTreeMap::from([("SHARDS".to_owned(), "1".to_owned()), ("DEV_LOOPBACK".to_owned(), "1".to_owned())]);
    let world = World::with(Setup { is_unpublished: true, bindings, ..Setup::default() })?;
    let shop = compiled_shop()?;
    let mut full = shop.full;
    full.destinations = vec![hook(receiver)];
    world.publish_bytes(&full.encode(), &shop.public_bytes)?;
    Ok(world)
}

fn collect(world: &World, visitor: &mut Visitor, names: &[&str]) -> Result<Answer> {
    let events: Vec<Value> =
        names.iter().map(|name| visitor.track(name, json!({"query": "shoes"}))).collect();
    let body = visitor.batch(&events).to_string();
    let answer = world.client().post("/v1/collect", &[], body.as_bytes())?;
    ensure!(answer.status == 200, "{}", answer.text());
    Ok(answer)
}

fn erase(world: &World, visitor: &Visitor) -> Result<Value> {
    let order = json!({"visitor": visitor.id.to_string()}).to_string();
    let answer = world.admin_post("/v1/erase", order.as_bytes())?;
    ensure!(answer.status == 200, "{}", answer.text());
    answer.json()
}

fn stands(world: &World) -> Result<Value> {
    Ok(world.admin_get("/v1/destinations")?.json()?["destinations"][0].clone())
}

fn wait_for(world: &World, what: impl Fn(&Value) -> bool) -> Result<Value> {
    let begun = Instant::now();
    loop {
        let hook = stands(world)?;
        if what(&hook) {
            return Ok(hook);
        }
        ensure!(begun.elapsed() < SOON, "{hook}\n{}", world.worker_log());
        thread::sleep(Duration::from_millis(50));
    }
}

/// The ledger of the hook adds up, at whatever moment it is asked.
fn adds_up(hook: &Value) {
    let count = |name: &str| hook[name].as_u64().unwrap_or_default();
    let parts = ["delivered", "filtered", "quarantined", "dropped", "purged", "pending"];
    assert_eq!(count("accepted"), parts.iter().map(|name| count(name)).sum::<u64>(), "{hook}");
}

/// Of each record: whose it is, and its kind.
fn told(records: &[Value]) -> Vec<(String, String)> {
    let text = |record: &Value, name: &str| record[name].as_str().unwrap_or_default().to_owned();
    records.iter().map(|record| (text(record, "subject"), text(record, "type"))).collect()
}

/// The tables of all objects, once for each row that the visitor's id stands in: what is on the disk, whatever readers are shown.
fn rows_of(world: &World, visitor: &Visitor) -> Result<Vec<String>> {
    const SCRIPT: &str = "
import pathlib, sqlite3, sys
name = sys.argv[2]
for file in pathlib.Path(sys.argv[1]).rglob('*.sqlite'):
    store = sqlite3.connect(file)
    for (table,) in store.execute(\"SELECT name FROM sqlite_master WHERE type = 'table'\").fetchall():
        for row in store.execute(f'SELECT * FROM \"{table}\"'):
            cells = [cell if isinstance(cell, bytes) else str(cell).encode() for cell in row]
            if any(name.encode() in cell or bytes.fromhex(name) in cell for cell in cells):
                print(table)
";
    let output = Command::new("python3")
        .args(["-c", SCRIPT])
        .arg(world.data().join("objects"))
        .arg(visitor.id.to_string())
        .output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
}

#[test]
fn an_erased_visitor_leaves_nothing_and_destinations_are_told() -> Result<()> {
    let receiver = Receiver::start(|_| Reply::Status(503))?;
    let mut world = world(&receiver)?;
    // An id whose bytes stand in nothing else.
    let (mut goes, mut stays) = (Visitor::new(0x9e37_79b9_7f4a_7c15), Visitor::new(2));
    collect(&world, &mut goes, &["search", "search"])?;
    wait_for(&world, |hook| hook["state"] == "waiting")?;
    collect(&world, &mut stays, &["search"])?;
    collect(&world, &mut goes, &["search", "never_heard_of"])?;
    collect(&world, &mut stays, &["search"])?;
    assert_eq!(world.quarantine()?.len(), 1);

    let erased = erase(&world, &goes)?;
    assert_eq!((&erased["was_known"], &erased["log_items"]), (&json!(true), &json!(3)), "{erased}");
    assert_eq!((&erased["quarantined"], &erased["unsent"]), (&json!(1), &json!(2)), "{erased}");
    assert_eq!((&erased["unsettled"], &erased["told"]), (&json!(0), &json!(["hook"])), "{erased}");
    adds_up(&stands(&world)?);
    let id = goes.id.to_string();
    assert_eq!(world.admin_get(&format!("/v1/visitors/{id}"))?.status, 404);
    assert_eq!(world.quarantine()?, Vec::<Value>::new());
    let kinds: Vec<Value> = world
        .admin_get(&format!("/v1/log?visitor={id}"))?
        .json_lines()?
        .iter()
        .map(|line| line["kind"].clone())
        .collect();
    assert_eq!(kinds, [json!("erase")]);
    assert_eq!(world.log()?.len(), 3, "the other's two, and the notice");

    receiver.answers(|_| Reply::Status(200));
    world.admin_post("/v1/destinations/hook/resume", b"")?;
    let hook = wait_for(&world, |hook| hook["pending"] == 0)?;
    adds_up(&hook);
    assert_eq!((&hook["delivered"], &hook["purged"]), (&json!(3), &json!(3)), "{hook}");
    let of = |visitor: &Visitor, kind: &str| (visitor.id.to_string(), format!("selvedge.{kind}.v1"));
    let expected = [of(&stays, "event"), of(&stays, "event"), of(&goes, "erase")];
    assert_eq!(told(&receiver.taken()), expected);

    world.kill9();
    assert_eq!(rows_of(&world, &goes)?, ["log"], "the notice alone");
    world.restart()?;
    let late = collect(&world, &mut goes, &["search", "never_heard_of"])?.json()?;
    assert_eq!(late["accepted"], 0, "{late}");
    let codes: Vec<&Value> = late["refused"].as_array().into_iter().flatten().map(|of| &of["code"]).collect();
    assert_eq!(codes, ["erased", "erased"]);
    assert_eq!((world.log()?.len(), world.quarantine()?.len()), (3, 0), "kept nowhere");
    assert_eq!(world.admin_get(&format!("/v1/visitors/{id}"))?.status, 404);
    let page = world.admin_get("/metrics")?.text();
    for line in [
        "selvedge_events_refused_total{site=\"shop\",code=\"erased\"} 2",
        "selvedge_visitors_erased_total{site=\"shop\"} 1",
        "selvedge_quarantine_purged_total{site=\"shop\"} 1",
    ] {
        assert!(page.contains(line), "{line}\n{page}");
    }
    assert_eq!(erase(&world, &goes)?["was_erased"], true);
    Ok(())
}

#[test]
fn what_may_have_arrived_is_settled_as_it_was_and_the_notice_follows() -> Result<()> {
    let receiver = Receiver::start(|_| Reply::Cut)?;
    let world = world(&receiver)?;
    let mut goes = Visitor::new(1);
    collect(&world, &mut goes, &["search"])?;
    wait_for(&world, |hook| hook["state"] == "waiting")?;
    collect(&world, &mut goes, &["search"])?;
    let erased = erase(&world, &goes)?;
    assert_eq!((&erased["log_items"], &erased["unsettled"]), (&json!(2), &json!(1)), "{erased}");
    assert_eq!(erased["unsent"], 0, "what waits in the log is not taken for anybody: {erased}");
    receiver.answers(|_| Reply::Status(200));
    world.admin_post("/v1/destinations/hook/resume", b"")?;
    let hook = wait_for(&world, |hook| hook["pending"] == 0)?;
    adds_up(&hook);
    assert_eq!((&hook["delivered"], &hook["purged"]), (&json!(2), &json!(1)), "{hook}");
    let received = receiver.received();
    let (before, after): (Vec<_>, Vec<_>) = received.iter().partition(|request| !request.is_taken());
    assert_eq!(
        (&before[0].body, before[0].header("webhook-id")),
        (&after[0].body, after[0].header("webhook-id"))
    );
    let kinds: Vec<String> = told(&receiver.taken()).into_iter().map(|(_, kind)| kind).collect();
    assert_eq!(kinds, ["selvedge.event.v1", "selvedge.erase.v1"]);
    Ok(())
}
