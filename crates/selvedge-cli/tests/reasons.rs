//! What `selvedge explain` adds to a reason: the cap that is used up, and that a number is an estimate.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const SITE: &str = "name: outfitter
currency: EUR
sources:
  web:
    type: browser
    key: wk_outfitter
consent:
  mode: opt-in
slots:
  hero:
";

const PLAN: &str = "events:
  purchase:
    purposes: [analytics, personalization]
    properties:
      value:
        type: money
";

const CONTENT: &str = "offer:
  type: text
  text: A gift for you
";

const RULES: &str = "groups:
  promotions:
    cap: 3 per 24h, 1 per session
metrics:
  amounts: distinct purchase.value in 30d max 4
rules:
  - id: gift
    when: (count purchase in 30d) >= 1
    show:
      slot: hero
      content: offer
    hold: 1m
    group: promotions
    priority: 2
  - id: collector
    when: amounts >= 100000
    show:
      slot: hero
      content: offer
    priority: 1
";

const MAP: &str = "dataset: purchases
site: outfitter
write_key: wk_outfitter
user: visitor
time:
  column: time
  format: rfc3339
event:
  column: event
properties:
  - events: [purchase]
    set:
      value:
        number: value
";

/// What is explained of a visitor who bought so often, every two minutes at another price.
fn explained(name: &str, purchases: usize) -> String {
    let folder: PathBuf = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("reasons-{name}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    let mut events = String::from("visitor,time,event,value\n");
    for at in 0..purchases {
        let (hours, minutes) = (10 + at * 2 / 60, at * 2 % 60);
        writeln!(events, "anna,2026-11-01T{hours}:{minutes:02}:00Z,purchase,{}", 10 + at).expect("written");
    }
    let map = folder.with_extension("map.yaml");
    let log = folder.with_extension("csv");
    for (path, text) in [
        (folder.join("site.yaml"), SITE),
        (folder.join("tracking-plan.yaml"), PLAN),
        (folder.join("content.yaml"), CONTENT),
        (folder.join("rules.yaml"), RULES),
        (map.clone(), MAP),
        (log.clone(), events.as_str()),
    ] {
        fs::write(path, text).expect("a file");
    }
    let mut run = Command::new(env!("CARGO_BIN_EXE_selvedge"));
    run.args(["explain", ".", "--visitor", "anna", "--at", "2026-11-01T12:10:00Z"]);
    let output =
        run.arg("--events").arg(log).arg("--map").arg(map).current_dir(&folder).output().expect("it runs");
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn a_capped_rule_names_the_cap_and_whose_it_is() {
    let said = explained("capped", 60);
    assert!(said.contains("capped (group promotions: 1 per session)"), "{said}");
}

#[test]
fn a_number_of_values_beyond_those_that_are_kept_is_an_estimate_and_said_to_be_one() {
    let few = explained("few", 4);
    assert!(few.contains("amounts >= 100000 (amounts is 4)"), "{few}");
    let many = explained("many", 60);
    assert!(many.contains("amounts >= 100000 (amounts is about "), "{many}");
}
