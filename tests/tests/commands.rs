//! What an operator does by the command line, against a real worker: the quarantine, destinations, an erasure, the live log.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use selvedge_core::wire::program::{Http, HttpFormat, Way};
use selvedge_tests::streams::destination;
use selvedge_tests::{
    Receiver, Reply, Setup, Visitor, World, compiled_shop, compiled_shop_as, compiled_shop_with,
};
use serde_json::{Value, json};
use std::time::Duration;

/// An event that the shop's plan does not know, as the next one does.
const WAVE: &str = "
  wave:
    version: 1
    owner: shop
    purposes: [analytics]
    additional_properties: true
";

fn command(world: &World, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_command"));
    command.args(arguments).env("SELVEDGE_URL", world.url()).env("SELVEDGE_ADMIN_TOKEN", world.admin_token());
    command
}

/// What a command prints.
fn told(world: &World, arguments: &[&str]) -> Result<String> {
    let output = command(world, arguments).output()?;
    let (said, problem) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "{arguments:?}: {said}{problem}");
    Ok(said.into_owned())
}

fn lines(text: &str) -> Result<Vec<Value>> {
    text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

fn collect(world: &World, visitor: &mut Visitor, names: &[&str]) -> Result<Value> {
    let events: Vec<Value> =
        names.iter().map(|name| visitor.track(name, json!({"query": "shoes"}))).collect();
    let answer = world.client().post("/v1/collect", &[], visitor.batch(&events).to_string().as_bytes())?;
    ensure!(answer.status == 200, "{}", answer.text());
    answer.json()
}

/// The cell under a heading, of the first row.
fn cell<'a>(table: &'a str, heading: &str) -> Option<&'a str> {
    let mut rows = table.lines();
    let place = rows.next()?.find(heading)?;
    rows.next()?.get(place..)?.split("  ").next()
}

#[test]
fn the_quarantine_is_looked_through_taken_up_again_written_out_and_emptied_by_command() -> Result<()> {
    let world = World::start()?;
    let mut visitor = Visitor::new(1);
    collect(&world, &mut visitor, &["wave", "nod", "wave"])?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("refused.ndjson");

    let list = told(&world, &["quarantine", "list", "--reason", "unknown_event", "--since", "1h"])?;
    assert_eq!(list.lines().count(), 4, "{list}");
    let entry = cell(&list, "ENTRY").context("an entry")?.trim().to_owned();
    let shown = told(&world, &["quarantine", "show", &entry])?;
    assert!(shown.starts_with(&format!("entry {entry}: wave, refused as unknown_event")), "{shown}");
    assert!(shown.contains("to do: ") && shown.contains("\"shoes\""), "{shown}");
    let groups = told(&world, &["quarantine", "groups"])?;
    assert!(groups.lines().any(|line| line.starts_with("2 ") && line.contains("wave")), "{groups}");
    assert!(groups.lines().any(|line| line.starts_with("1 ") && line.contains("nod")), "{groups}");

    let path = file.to_str().context("a path")?;
    assert_eq!(told(&world, &["quarantine", "export", "--out", path])?.trim(), "3 entries written");
    assert_eq!(lines(&std::fs::read_to_string(&file)?)?, world.quarantine()?);

    let shop = compiled_shop_with("tracking-plan.yaml", |plan| format!("{plan}{WAVE}"))?;
    world.publish_bytes(&shop.full_bytes, &shop.public_bytes)?;
    let refused: Vec<Value> = world.quarantine()?.into_iter().map(|line| line["id"].clone()).collect();
    let replayed = told(&world, &["quarantine", "replay", "--all"])?;
    assert_eq!(replayed.trim(), "2 replayed, 1 stayed (1 unknown_event)");
    let waves: Vec<Value> = world.log()?.into_iter().filter(|line| line["name"] == "wave").collect();
    assert_eq!(waves.len(), 2);
    assert!(waves.iter().all(|line| refused.contains(&line["id"])), "under the ids they were refused with");

    let nothing = command(&world, &["quarantine", "drop"]).output()?;
    assert!(!nothing.status.success(), "who does not say which entries drops none");
    assert_eq!(told(&world, &["quarantine", "drop", "--event", "wave"])?.trim(), "0 dropped");
    assert_eq!(told(&world, &["quarantine", "drop", "--event", "nod"])?.trim(), "1 dropped");
    assert_eq!(world.quarantine()?, Vec::<Value>::new());
    Ok(())
}

#[test]
fn what_the_quarantine_kept_long_enough_is_gone_for_every_command() -> Result<()> {
    let world = World::start()?;
    collect(&world, &mut Visitor::new(1), &["wave", "nod"])?;
    assert_eq!(told(&world, &["quarantine", "list"])?.lines().count(), 3, "a heading and two entries");
    let shop = compiled_shop_as(|site| site.replace("keep: 30d", "keep: 1s"))?;
    world.publish_bytes(&shop.full_bytes, &shop.public_bytes)?;
    std::thread::sleep(Duration::from_millis(1_100));
    for looks in [&["quarantine", "list"][..], &["quarantine", "groups"]] {
        let told = told(&world, looks)?;
        assert!(!told.contains("unknown_event"), "{told}");
    }
    assert_eq!(told(&world, &["quarantine", "replay", "--all"])?.trim(), "0 replayed");
    let page = world.admin_get("/metrics")?.text();
    let expired = page.lines().find(|line| line.starts_with("selvedge_quarantine_expired_total{"));
    assert!(expired.is_some_and(|line| line.ends_with(" 2")), "{expired:?}");
    Ok(())
}

fn world_with(receiver: &Receiver) -> Result<World> {
    let bindings = BTreeMap::from([("DEV_LOOPBACK".to_owned(), "1".to_owned())]);
    let world = World::with(Setup { is_unpublished: true, bindings, ..Setup::default() })?;
    let shop = compiled_shop()?;
    let (url, format) = (receiver.url(), HttpFormat::CloudEventsBatch);
    let http = Http { url, format, secrets: Vec::new(), headers: Vec::new() };
    let mut full = shop.full;
    full.destinations = vec![destination("hook", Way::Http(http))];
    world.publish_bytes(&full.encode(), &shop.public_bytes)?;
    Ok(world)
}

#[test]
fn a_destination_stands_still_and_goes_on_by_command() -> Result<()> {
    let receiver = Receiver::start(|_| Reply::Status(200))?;
    let world = world_with(&receiver)?;
    told(&world, &["destinations", "pause", "hook"])?;
    collect(&world, &mut Visitor::new(1), &["search", "search"])?;
    let table = told(&world, &["destinations"])?;
    assert_eq!((cell(&table, "STATE"), cell(&table, "PENDING")), (Some("paused"), Some("2")), "{table}");
    assert!(!command(&world, &["destinations", "pause", "lake"]).output()?.status.success());
    told(&world, &["destinations", "resume", "hook"])?;
    assert_eq!(receiver.wait_for(2, Duration::from_secs(30))?.len(), 2);
    Ok(())
}

#[test]
fn a_visitor_is_erased_by_command_and_destinations_are_told() -> Result<()> {
    let receiver = Receiver::start(|_| Reply::Status(200))?;
    let world = world_with(&receiver)?;
    let mut goes = Visitor::new(1);
    collect(&world, &mut goes, &["search", "search"])?;
    collect(&world, &mut Visitor::new(2), &["search"])?;
    receiver.wait_for(3, Duration::from_secs(30))?;
    let name = goes.batch(&[])["visitor"].as_str().context("an id")?.to_owned();
    let told = told(&world, &["erase", "--visitor", &name])?;
    assert!(told.starts_with(&format!("{name} was erased at ")), "{told}");
    assert!(told.contains("2 events and notes of the log") && told.contains("hook will be told"), "{told}");
    let records = receiver.wait_for(4, Duration::from_secs(30))?;
    assert_eq!(records[3]["type"], "selvedge.erase.v1");
    let theirs: Vec<Value> =
        world.log()?.into_iter().filter(|line| line["visitor"] == name.as_str()).collect();
    assert!(theirs.iter().all(|line| line["kind"] == "erase"), "{theirs:?}");
    Ok(())
}

/// The live log of a process that is ended here, whatever happens.
struct Live(std::process::Child);

impl Drop for Live {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn the_live_log_tells_what_comes_and_goes_on_from_a_cursor() -> Result<()> {
    let world = World::start()?;
    let mut visitor = Visitor::new(1);
    collect(&world, &mut visitor, &["search", "search"])?;
    let known = lines(&told(&world, &["log", "--json"])?)?;
    let cursor = known[0]["cursor"].as_str().context("a cursor")?;
    let child = command(&world, &["log", "--json", "--live", "--from", cursor])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut live = Live(child);
    let mut out = BufReader::new(live.0.stdout.take().context("its lines")?).lines();
    let mut next = || -> Result<Value> { Ok(serde_json::from_str(&out.next().context("a line")??)?) };
    assert_eq!(next()?["id"], known[1]["id"], "what stands behind the cursor");
    collect(&world, &mut visitor, &["search"])?;
    let told = next()?;
    assert_eq!(told, world.log()?[2], "what came meanwhile");
    assert_eq!(live.0.try_wait()?, None, "it goes on");
    live.0.kill()?;
    let mut problems = String::new();
    live.0.stderr.take().context("its warnings")?.read_to_string(&mut problems)?;
    assert_eq!(problems, "", "one answer, not one after the other");
    Ok(())
}
