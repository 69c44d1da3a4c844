//! A second, slow reading of jump code: prints it, and runs it on given values. It shares nothing with the core's own.

use selvedge_core::wire::program::{Fact, FactSource, Jump, Parts, Shape, Test, TextTest};
use std::fmt::Write;

/// A value of a fact, before it has its shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sample {
    Number(i64),
    Text(String),
}

/// Whether the code that begins at `at` accepts, where `value` gives each fact's value by its name.
pub fn accepts(parts: &Parts, at: u16, value: &dyn Fn(&str) -> Option<Sample>) -> bool {
    let mut jump = Jump::To(at);
    while let Jump::To(at) = jump {
        let instruction = &parts.code[usize::from(at)];
        let fact = &parts.facts[usize::from(instruction.fact)];
        let found = value(&name(parts, fact)).map(|sample| shaped(fact, &sample)).or(fact.default);
        let passes = match (instruction.test, found) {
            (Test::Missing, found) => found.is_none(),
            (_, None) => false,
            (Test::Range(low, high), Some(found)) => (low..=high).contains(&found),
            (Test::Mask(bits), Some(found)) => bits >> found & 1 == 1,
            (Test::MaskWide(mask), Some(found)) => {
                parts.masks[usize::from(mask)][usize::try_from(found / 64).unwrap()] >> (found % 64) & 1 == 1
            }
        };
        jump = if passes { instruction.on_true } else { instruction.on_false };
    }
    jump == Jump::Accept
}

fn shaped(fact: &Fact, sample: &Sample) -> i64 {
    match (&fact.shape, sample) {
        (Shape::Number, Sample::Number(number)) => *number,
        (Shape::OneOf(texts), Sample::Text(text)) => {
            texts.iter().position(|known| known == text).map_or(1, |at| i64::try_from(at).unwrap() + 2)
        }
        (Shape::Text(test, pattern), Sample::Text(text)) => i64::from(match test {
            TextTest::Contains => text.contains(pattern.as_str()),
            TextTest::StartsWith => text.starts_with(pattern.as_str()),
            TextTest::EndsWith => text.ends_with(pattern.as_str()),
            TextTest::MatchesGlob => panic!("not read here"),
        }),
        (shape, sample) => panic!("{shape:?} cannot take {sample:?}"),
    }
}

/// A fact as conditions name it.
pub fn name(parts: &Parts, fact: &Fact) -> String {
    let part = |at: u16| name(parts, &parts.facts[usize::from(at)]);
    match &fact.source {
        FactSource::Builtin(builtin) => builtin.name().to_owned(),
        FactSource::Attribute(at) => parts.attributes[usize::from(*at)].name.clone(),
        FactSource::Metric(at) => parts.metrics[usize::from(*at)].name.clone(),
        FactSource::Sequence(at) => parts.sequences[usize::from(*at)].name.clone(),
        FactSource::Property(name) => format!("event.{name}"),
        FactSource::Item(name) => format!("item.{name}"),
        FactSource::SameCount(metric, text) => {
            format!("{} for {}", parts.metrics[usize::from(*metric)].name, part(*text))
        }
        FactSource::Lookup { table, column, key } => format!("table {table}[{}].{column}", part(*key)),
        FactSource::Trust => "event.trust".to_owned(),
        FactSource::OwnCurrency => "event is in the own currency".to_owned(),
        FactSource::Amount { micro, currency, table, column } => {
            format!("{micro} {currency} by table {table}.{column}")
        }
        FactSource::Difference(first, second) => format!("{} - {}", part(first.fact), part(second.fact)),
        FactSource::SameText(first, second) => format!("{} is {}", part(*first), part(*second)),
        FactSource::AnyItem { list, passes, fails } => format!("any {list} @{passes}, not @{fails}"),
        FactSource::Clock(zone, builtin) => format!("{} in {zone}", builtin.name()),
    }
}

/// The code as text, one instruction a line: what is tested, where it goes on.
pub fn listing(parts: &Parts) -> String {
    let mut text = String::new();
    for (at, metric) in parts.metrics.iter().enumerate() {
        let (window, filter) = (metric.window, metric.filter.map_or("all".to_owned(), |at| format!("@{at}")));
        let line =
            format!("metric {at}: {} {window:?} to {}, filter {filter}", metric.event, metric.threshold);
        writeln!(text, "{line}").unwrap();
    }
    for (at, instruction) in parts.code.iter().enumerate() {
        let fact = &parts.facts[usize::from(instruction.fact)];
        let shape = match &fact.shape {
            Shape::Number => String::new(),
            Shape::Time => " as time".to_owned(),
            Shape::OneOf(texts) => format!(" of {texts:?}"),
            Shape::Text(test, pattern) => format!(" {test:?} {pattern:?}"),
        };
        let default = fact.default.map_or(String::new(), |default| format!(" else {default}"));
        let test = match instruction.test {
            Test::Range(i64::MIN, i64::MAX) => "is known".to_owned(),
            Test::Range(low, i64::MAX) => format!(">= {low}"),
            Test::Range(i64::MIN, high) => format!("<= {high}"),
            Test::Range(low, high) => format!("{low}..={high}"),
            Test::Mask(bits) => format!("mask {bits:b}"),
            Test::MaskWide(at) => format!("wide mask {at}"),
            Test::Missing => "is missing".to_owned(),
        };
        let (yes, no) = (jump(instruction.on_true), jump(instruction.on_false));
        writeln!(text, "{at}: {}{shape}{default} {test} ? {yes} : {no}", name(parts, fact)).unwrap();
    }
    text
}

fn jump(jump: Jump) -> String {
    match jump {
        Jump::To(at) => at.to_string(),
        Jump::Accept => "accept".to_owned(),
        Jump::Reject => "reject".to_owned(),
    }
}
