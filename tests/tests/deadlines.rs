//! Deadlines over a real workerd: a cart is left behind, nobody asks again, and the log says so, also over a power cut.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use selvedge_compiler::Compiled;
use selvedge_tests::{Setup, Visitor, World};
use serde_json::{Value, json};
use xtask::repo::Repo;
use xtask::site::Site;

/// The shop with one more rule, which tells `reminders` of carts that were left for two seconds.
fn shop() -> Result<Compiled> {
    let mut files: BTreeMap<String, String> = Site::at(Repo::find()?.path("examples/shop"))?.read()?;
    let rules = files.get_mut("rules.yaml").context("the shop has rules")?;
    rules.push_str(
        "
  - id: left-behind
    when: sequence add_to_cart then no purchase within 2s
    emit:
      to: reminders
      enter: cart_reminder
      exit_when: (count purchase in 1h) >= 1
",
    );
    let site = files.get_mut("site.yaml").context("the shop has a site")?;
    let reminders = "  reminders:\n    type: log\n    purposes: [personalization]\n";
    match site.find("destinations:\n") {
        Some(at) => site.insert_str(at + "destinations:\n".len(), reminders),
        None => site.push_str(&format!("destinations:\n{reminders}")),
    }
    let checked = xtask::site::check(&files);
    checked.program.with_context(|| checked.report)
}

fn world() -> Result<World> {
    let world = World::with(Setup { is_unpublished: true, ..Setup::default() })?;
    let shop = shop()?;
    world.publish_bytes(&shop.full_bytes, &shop.public_bytes)?;
    Ok(world)
}

/// The messages about a visitor: what, and by which source.
fn told(world: &World, visitor: &Visitor) -> Result<Vec<(String, String)>> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let is_told = |line: &&Value| line["kind"] == "emit" && line["visitor"] == visitor.id.to_string();
    let lines = world.log()?;
    Ok(lines
        .iter()
        .filter(is_told)
        .map(|line| (text(&line["emit"]["message"]), text(&line["source"])))
        .collect())
}

fn wait_for(world: &World, visitor: &Visitor, count: usize) -> Result<Vec<(String, String)>> {
    let begun = Instant::now();
    loop {
        let told = told(world, visitor)?;
        if told.len() >= count || begun.elapsed() > Duration::from_secs(30) {
            return Ok(told);
        }
        thread::sleep(Duration::from_millis(200));
    }
}

fn send(world: &World, visitor: &mut Visitor, name: &str) -> Result<()> {
    let event =
        visitor.track(name, json!({"sku": "NG-1", "category": "shoes", "value": 129.95, "order_id": "o-1"}));
    let body = visitor.batch(&[event]).to_string();
    let answer = world.client().post("/v1/collect", &[], body.as_bytes())?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    Ok(())
}

#[test]
fn a_cart_that_is_left_behind_is_told_by_the_alarm_and_taken_back_by_a_purchase() -> Result<()> {
    let world = world()?;
    let (mut left, mut bought) = (Visitor::new(1), Visitor::new(2));
    send(&world, &mut left, "add_to_cart")?;
    send(&world, &mut bought, "add_to_cart")?;
    send(&world, &mut bought, "purchase")?;
    let entered = ("enter".to_owned(), "deadline".to_owned());
    assert_eq!(wait_for(&world, &left, 1)?, std::slice::from_ref(&entered), "{}", world.worker_log());
    assert_eq!(told(&world, &bought)?, []);
    send(&world, &mut left, "purchase")?;
    assert_eq!(told(&world, &left)?, [entered, ("exit".to_owned(), "web".to_owned())]);
    Ok(())
}

/// The end of the session moves with each event: its deadline stays where it is, and the alarm finds out.
#[test]
fn a_batch_of_a_visitor_who_is_known_writes_the_visitor_and_the_row() -> Result<()> {
    const BATCHES: u64 = 40;
    /// Of the deliveries beside it: as often as the alarm rings meanwhile.
    const OTHERS_MAX: u64 = 30;
    let world = world()?;
    let written = || -> Result<u64> {
        let rows = world.client().get("/__fault/rows_written", &[])?.json()?;
        rows["rows"].as_u64().context("no rows")
    };
    let mut visitor = Visitor::new(9);
    send(&world, &mut visitor, "product_view")?;
    let before = written()?;
    (0..BATCHES).try_for_each(|_| send(&world, &mut visitor, "product_view"))?;
    let rows = written()? - before;
    assert!((2 * BATCHES..=2 * BATCHES + OTHERS_MAX).contains(&rows), "{rows} rows of {BATCHES} batches");
    Ok(())
}

#[test]
fn a_deadline_outlives_a_power_cut() -> Result<()> {
    let mut world = world()?;
    let mut visitors: Vec<Visitor> = (10..16).map(Visitor::new).collect();
    for visitor in &mut visitors {
        send(&world, visitor, "add_to_cart")?;
    }
    world.kill9();
    thread::sleep(Duration::from_secs(3));
    world.restart()?;
    for visitor in &visitors {
        let told = wait_for(&world, visitor, 1)?;
        assert_eq!(told, [("enter".to_owned(), "deadline".to_owned())], "{}", world.worker_log());
    }
    thread::sleep(Duration::from_secs(2));
    for visitor in &visitors {
        assert_eq!(told(&world, visitor)?.len(), 1, "once");
    }
    Ok(())
}

/// The visitor whose deadlines fail where faults are planted.
const DOOMED: u64 = 0xdead_11fe;

#[test]
fn a_deadline_that_fails_is_put_off_and_nobody_else_waits_for_it() -> Result<()> {
    let world = world()?;
    let (mut doomed, mut other) = (Visitor::new(DOOMED), Visitor::new(1));
    send(&world, &mut doomed, "add_to_cart")?;
    thread::sleep(Duration::from_millis(300));
    send(&world, &mut other, "add_to_cart")?;
    let entered = [("enter".to_owned(), "deadline".to_owned())];
    assert_eq!(wait_for(&world, &other, 1)?, entered, "{}", world.worker_log());
    let counted = || -> Result<bool> {
        let text = world.admin_get("/metrics")?.text();
        Ok(text.lines().any(|line| {
            line.starts_with("selvedge_deadlines_put_off_total{site=\"shop\"") && line.ends_with(" 1")
        }))
    };
    let begun = Instant::now();
    while !counted()? && begun.elapsed() < Duration::from_secs(10) {
        thread::sleep(Duration::from_millis(200));
    }
    assert!(counted()?, "once, and again in a minute: {}", world.admin_get("/metrics")?.text());
    assert_eq!(told(&world, &doomed)?, [], "it was rolled back");
    // The visitor's next event makes up for it, as it always does.
    send(&world, &mut doomed, "add_to_cart")?;
    assert_eq!(told(&world, &doomed)?, [("enter".to_owned(), "web".to_owned())]);
    Ok(())
}
