//! The same rules in Selvedge: a site whose attributes are the facts, set by one event. All rules share a cap of which
//! nothing is granted, so that no slot is ever won and every rule is asked.

use crate::engines::Winners;
use crate::facts::{Facts, NUMBERS, TEXTS};
use crate::rule::{Rule, Words};
use anyhow::{Context, Result};
use selvedge_benches::visit::{START_MS, Visit, event as named};
use selvedge_compiler::{Compiled, compile};
use selvedge_core::event::{Event, EventType};
use selvedge_core::number::Number;
use selvedge_core::rules::explain;
use selvedge_core::value::{Map, Value};
use selvedge_core::wire::answer::Reason;
use std::collections::BTreeMap;

const WORDS: Words = Words {
    and: " and ",
    or: " or ",
    equal: "=",
    list: ["[", ", ", "]"],
    starts: |name, text| format!("{name} starts_with \"{text}\""),
    not_in: |name, list| format!("{name} not in {list}"),
    not_new: "not is_new",
};
const SITE: &str = "name: peers
timezone: UTC
currency: EUR
sources:
  web:
    type: browser
    key: wk
consent:
  mode: opt-out
slots:
  hero:
";
const CONTENT: &str = "offer:
  type: text
  text: offer
";

/// The files of a site with these rules.
pub fn site(rules: &[Rule]) -> BTreeMap<String, String> {
    let mut attributes = String::from("attributes:\n");
    let mut properties = String::new();
    let numbers = NUMBERS.iter().map(|name| (name, "number"));
    let texts = TEXTS.iter().map(|name| (name, "text"));
    for (name, kind) in numbers.chain(texts).chain([(&"is_new", "bool")]) {
        attributes.push_str(&format!(
            "  {name}:\n    type: {kind}\n    from: visitor\n    set:\n      seen:\n        property: {name}\n"
        ));
        properties.push_str(&format!("      {name}:\n        type: {kind}\n"));
    }
    let mut yaml = format!("{attributes}groups:\n  all:\n    cap: 1 per session\nrules:\n");
    for (at, rule) in rules.iter().enumerate() {
        let when = rule.text(&WORDS);
        yaml.push_str(&format!("  - id: rule-{at:05}\n    when: '{when}'\n    show:\n      slot: hero\n      content: offer\n    group: all\n    priority: {}\n", rules.len() - at));
    }
    let plan = format!(
        "events:\n  seen:\n    purposes: [analytics, personalization]\n    properties:\n{properties}"
    );
    [
        ("site.yaml", SITE.to_owned()),
        ("content.yaml", CONTENT.to_owned()),
        ("tracking-plan.yaml", plan),
        ("rules.yaml", yaml),
    ]
    .map(|(name, text)| (name.to_owned(), text))
    .into()
}

/// The site's two programs: the edge's, and the page's.
pub fn compiled(site: &BTreeMap<String, String>) -> Result<Compiled> {
    let compilation = compile(site);
    let problems = compilation.diagnostics.iter().map(|found| found.message.clone());
    let problems = problems.take(3).collect::<Vec<_>>().join("\n");
    compilation.program.with_context(|| format!("the site of the benchmark: {problems}"))
}

/// What tells the facts of a visitor.
pub fn event(facts: &Facts) -> Event {
    let mut properties = Map::new();
    for (name, number) in NUMBERS.iter().zip(facts.numbers()) {
        properties.set(*name, Value::Number(Number::Int(number)));
    }
    for (name, text) in TEXTS.iter().zip(facts.texts()) {
        properties.set(*name, Value::Text(text.to_owned()));
    }
    properties.set("is_new", Value::Bool(facts.is_new));
    named(EventType::Track, "seen", START_MS, properties)
}

/// The rules whose condition is true, by their place.
pub fn ask(visit: &Visit) -> Winners {
    let candidates = explain(&visit.program, &visit.state, &visit.moment());
    let is_true = |reason| !matches!(reason, Reason::False | Reason::Unknown);
    candidates.into_iter().map(|candidate| is_true(candidate.reason)).collect()
}

/// Whether no rule won: then every rule was asked.
pub fn asks_all(visit: &mut Visit) -> bool {
    visit.decide().iter().all(|decision| decision.rule.is_none())
}
