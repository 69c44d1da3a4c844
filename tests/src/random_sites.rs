//! Random sites and visitors of the rule language's reference, which holds the engine to a reading of the whole history
//! (`reread.rs`, `redecide.rs`), as the edge is sent them: so that what is true of the engine natively is asked of it as
//! wasm too.

#[path = "../../crates/selvedge-compiler/tests/reference/mod.rs"]
#[allow(dead_code, reason = "here nothing is read again: what is right is said by the tests of the compiler")]
mod reference;

use std::collections::BTreeMap;

use reference::files::with_rules;
use reference::history::{Happened, History, Values};
use reference::random::Random;
use reference::site::{Condition, Literal};
use selvedge_compiler::{Compiled, compile};
use selvedge_core::consent::Purposes;
use selvedge_core::event::EventType;
use selvedge_core::id::{VisitorId, WriterId};
use serde_json::{Map, Value, json};

use crate::world::full_counts;

const SITES: u64 = 24;
const SITES_FULL: u64 = 240;
const CONDITIONS: usize = 6;
const VISITORS_PER_SITE: u64 = 4;

/// What was put away is told by an event that the plan has to know.
const DISMISSED: &str = "  exposure_dismiss:
    purposes: [analytics, personalization]
    properties:
      rule:
        type: text
";

/// A site, and what happened to its visitors.
#[derive(Debug)]
pub struct RandomSite {
    /// What it was made from.
    pub seed: u64,
    /// What the worker is given, and the page.
    pub compiled: Compiled,
    /// The batches of each visitor, in the order in which they are sent, in the JSON form of collect.
    pub visitors: Vec<Vec<Value>>,
}

/// Always the same sites, ten times as many with `--full`: half of them ask, half of them decide.
pub fn random_sites() -> impl Iterator<Item = RandomSite> {
    (1..=if full_counts() { SITES_FULL } else { SITES }).map(random_site)
}

fn random_site(seed: u64) -> RandomSite {
    let mut random = Random::new(seed);
    let is_asking = seed % 2 == 1;
    let compiled = if is_asking { asking(&mut random) } else { deciding(&mut random) };
    let visitors = (0..VISITORS_PER_SITE).map(|at| {
        let mut history = random.history(at % 2 == 1);
        if !is_asking {
            random.see(&mut history);
        }
        batches(&mut random, &history, seed * VISITORS_PER_SITE + at)
    });
    let visitors = visitors.collect();
    RandomSite { seed, compiled, visitors }
}

/// A site of as many of some random conditions as compile together, each in a slot of its own.
fn asking(random: &mut Random) -> Compiled {
    let mut conditions = Vec::new();
    let mut compiled = None;
    for _ in 0..CONDITIONS {
        conditions.push(random.condition(3));
        match compile(&told(&conditions)).program {
            None => drop(conditions.pop()),
            program => compiled = program,
        }
    }
    compiled.expect("one of them compiles")
}

/// The files of a site whose slots tell how each condition stands now: true, false, or, where its slot is empty, neither.
fn told(conditions: &[Condition]) -> BTreeMap<String, String> {
    let (mut rules, mut slots) = ("rules:\n".to_owned(), String::new());
    for (at, condition) in conditions.iter().enumerate() {
        slots += &format!("  slot_{at}:\n");
        for (name, when, until) in [
            ("yes", format!("({condition}) is true"), format!("({condition}) is not true")),
            ("no", format!("({condition}) is false"), format!("({condition}) is not false")),
        ] {
            rules += &format!(
                "  - id: {name}_{at}\n    when: '{when}'\n    until: '{until}'\n    show:\n      slot: slot_{at}\n      content: offer\n"
            );
        }
    }
    let mut files = with_rules(&rules);
    files.get_mut("site.yaml").expect("a site").push_str(&slots);
    files
}

/// A site of rules with holds, caps, groups and the like.
fn deciding(random: &mut Random) -> Compiled {
    loop {
        let mut files = with_rules(&random.deciding().yaml(0));
        files.get_mut("tracking-plan.yaml").expect("a plan").push_str(DISMISSED);
        if let Some(compiled) = compile(&files).program {
            return compiled;
        }
    }
}

/// What the visitor of this number sends: what one writer says under one consent, in batches of one event or a few.
fn batches(random: &mut Random, history: &History, number: u64) -> Vec<Value> {
    let mut batches = Vec::new();
    let mut sequences = BTreeMap::new();
    let (mut consent, mut consent_ms) = (Purposes::NONE, history.born_ms);
    let mut events = Vec::new();
    let mut sent_ms = history.born_ms;
    for (at, happened) in history.events.iter().enumerate() {
        let Happened { in_force, writer, time_ms, .. } = happened;
        sent_ms = sent_ms.max(*time_ms);
        if consent != *in_force {
            (consent, consent_ms) = (*in_force, sent_ms);
        }
        let sequence = sequences.entry(*writer).or_insert(0);
        *sequence += 1;
        events.push(sent(happened, *sequence));
        let next = history.events.get(at + 1);
        let is_alike = next.is_some_and(|next| next.writer == *writer && next.in_force == consent);
        if !is_alike || random.percent(70) {
            let minted =
                WriterId::mint(history.born_ms.unsigned_abs(), u32::try_from(number * 2 + writer).unwrap());
            batches.push(json!({
                "write_key": "wk_shop",
                "visitor": visitor(number).to_string(),
                "writer": minted.bits().to_string(),
                "sent_at": sent_ms,
                "skew_ms": 0,
                "floor": 1,
                "clock": "event",
                "consent": {
                    "granted": names(consent), "denied": [], "gpc": false, "mode": "opt-in",
                    "policy_version": 1, "time": consent_ms,
                },
                "context": object(&history.context),
                "events": std::mem::take(&mut events),
            }));
        }
    }
    batches
}

fn visitor(number: u64) -> VisitorId {
    let mut random = [7; 15];
    random[..8].copy_from_slice(&number.to_le_bytes());
    VisitorId::mint(0, random)
}

fn names(granted: Purposes) -> Vec<&'static str> {
    let known = [(Purposes::ANALYTICS, "analytics"), (Purposes::PERSONALIZATION, "personalization")];
    known.into_iter().filter(|(purpose, _)| granted.holds(*purpose)).map(|(_, name)| name).collect()
}

fn sent(happened: &Happened, sequence: u32) -> Value {
    let known = EventType::ALL.into_iter().find(|known| known.as_str() == happened.name);
    let mut properties = object(&happened.properties);
    if happened.name == "exposure" {
        properties.extend([("slot".to_owned(), json!("hero")), ("content".to_owned(), json!("offer"))]);
    }
    json!({
        "sequence": sequence,
        "type": known.unwrap_or(EventType::Track).as_str(),
        "name": happened.name,
        "time": happened.time_ms,
        "properties": properties,
        "context": object(&happened.context),
    })
}

fn object(values: &Values) -> Map<String, Value> {
    values.iter().map(|(name, literal)| ((*name).to_owned(), value(literal))).collect()
}

fn value(literal: &Literal) -> Value {
    match literal {
        Literal::Text(text) => json!(text),
        Literal::Bool(flag) => json!(flag),
        Literal::Number(micro) | Literal::Money(micro) => json!(*micro as f64 / 1e6),
        Literal::Duration(ms) => json!(ms),
        Literal::Things(things) => things.iter().map(|thing| Value::Object(object(thing))).collect(),
    }
}
