//! What commands add to a reason: the cap that is used up, that a number is an estimate, and at what an event was refused.

mod common;

use common::{MAP, selvedge};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

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
        required: true
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

/// The site and these recorded purchases, in a folder of their own.
fn recorded(name: &str, events: &str) -> PathBuf {
    let folder: PathBuf = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("reasons-{name}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    for (path, text) in [
        ("site.yaml", SITE),
        ("tracking-plan.yaml", PLAN),
        ("content.yaml", CONTENT),
        ("rules.yaml", RULES),
        ("map.txt", MAP),
        ("events.csv", events),
    ] {
        fs::write(folder.join(path), text).expect("a file");
    }
    folder
}

/// What is explained of a visitor who bought so often, every two minutes at another price.
fn explained(name: &str, purchases: usize) -> String {
    let mut events = String::from("visitor,time,event,value\n");
    for at in 0..purchases {
        let (hours, minutes) = (10 + at * 2 / 60, at * 2 % 60);
        writeln!(events, "anna,2026-11-01T{hours}:{minutes:02}:00Z,purchase,{}", 10 + at).expect("written");
    }
    let words = "explain . --visitor anna --at 2026-11-01T12:10:00Z --events events.csv --map map.txt";
    selvedge(&recorded(name, &events), &words.split(' ').collect::<Vec<_>>()).1
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

#[test]
fn a_refused_row_names_the_property_that_is_missing() {
    let events = "visitor,time,event,value
anna,2026-11-01T10:00:00Z,purchase,12
anna,2026-11-01T10:01:00Z,purchase,
anna,2026-11-01T10:02:00Z,refund,3
";
    let words = ["simulate", ".", "--events", "events.csv", "--map", "map.txt"];
    let (is_good, said) = selvedge(&recorded("refused", events), &words);
    assert!(is_good && said.contains("1 accepted, 2 refused"), "{said}");
    assert!(said.contains("refused 1: required_missing (purchase.value)"), "{said}");
    assert!(said.contains("refused 1: unknown_event (refund)"), "{said}");
}
