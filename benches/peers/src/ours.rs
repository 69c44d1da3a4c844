//! The same rules in Selvedge: a site whose attributes are the facts, set by one event. All rules share a cap of which
//! nothing is granted, so that no slot is ever won and every rule is asked.

use crate::engines::Winners;
use crate::facts::{Facts, NUMBERS, TEXTS};
use crate::rule::{Rule, Words};
use anyhow::{Context, Result};
use selvedge_compiler::compile;
use selvedge_core::consent::Purposes;
use selvedge_core::event::{Event, EventType};
use selvedge_core::id::{Sequence, VisitorId, WriterId};
use selvedge_core::number::Number;
use selvedge_core::rules::{Moment, Orders, Place, Program, decide, explain, step};
use selvedge_core::tracking_plan::Trust;
use selvedge_core::value::{Map, Value};
use selvedge_core::wire::answer::Reason;
use selvedge_core::wire::state::VisitorState;
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
const START_MS: i64 = 1_800_000_000_000;

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

/// The program's bytes.
pub fn compiled(site: &BTreeMap<String, String>) -> Result<Vec<u8>> {
    let compilation = compile(site);
    let problems = compilation.diagnostics.iter().map(|found| found.message.clone());
    let problems = problems.take(3).collect::<Vec<_>>().join("\n");
    Ok(compilation.program.with_context(|| format!("the site of the benchmark: {problems}"))?.full_bytes)
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
    Event {
        sequence: Sequence::new(1).unwrap_or_else(|| unreachable!("1 is a sequence")),
        event_type: EventType::Track,
        name: "seen".to_owned(),
        time_ms: START_MS.unsigned_abs(),
        consent: 0,
        properties,
        context: Map::new(),
    }
}

/// A visitor under a program.
pub struct Visit {
    program: Program,
    state: VisitorState,
    context: Map,
    now_ms: i64,
}

impl Visit {
    pub fn new(program: &[u8]) -> Result<Self> {
        let program = Program::load(program).context("the program of the benchmark")?;
        Ok(Self { program, state: VisitorState::new(START_MS), context: Map::new(), now_ms: START_MS })
    }

    pub fn step(&mut self, event: &Event) {
        self.now_ms += 1_000;
        let moment = moment(&self.context, self.now_ms);
        step(&self.program, &mut self.state, event, moment.in_force, &moment);
    }

    pub fn decide(&mut self) -> usize {
        let moment = moment(&self.context, self.now_ms);
        decide(&self.program, &mut self.state, &moment).len()
    }

    /// The rules whose condition is true, by their place.
    pub fn ask(&self) -> Winners {
        let candidates = explain(&self.program, &self.state, &moment(&self.context, self.now_ms));
        let is_true = |reason| !matches!(reason, Reason::False | Reason::Unknown);
        candidates.into_iter().map(|candidate| is_true(candidate.reason)).collect()
    }

    /// Whether no rule won: then every rule was asked.
    pub fn asks_all(&mut self) -> bool {
        let moment = moment(&self.context, self.now_ms);
        decide(&self.program, &mut self.state, &moment).iter().all(|decision| decision.rule.is_none())
    }

    pub fn state_bytes(&self) -> usize {
        self.state.encode().len()
    }
}

fn moment(context: &Map, now_ms: i64) -> Moment<'_> {
    Moment {
        writer: WriterId::from_bits(1),
        context,
        now_ms,
        in_force: Purposes(0xf),
        place: Place::Edge,
        trust: Trust::Client,
        account: None,
        visitor: VisitorId::NOBODY,
        orders: Orders::default(),
    }
}
