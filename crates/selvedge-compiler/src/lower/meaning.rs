//! The meaning of a metric in canonical form. Its hash names the metric's cell in stored state, so the text may never
//! change for a meaning that stays the same.

use crate::resolved::{
    Default, Fact, Leaf, LeafTest, Metric, Points, Score, Sequence, Step, Truth, item_truths,
};
use selvedge_core::consent::Purposes;
use selvedge_core::hash::short_name;
use selvedge_core::wire::program::{MetricKind, Scope, SequenceKind, TextTest, Window};
use std::collections::BTreeSet;

/// The hash of what `metric` measures under `purpose`.
pub(crate) fn meaning(metric: &Metric, purpose: Purposes) -> u64 {
    short_name(canonical(metric, purpose).as_bytes())
}

fn canonical(metric: &Metric, purpose: Purposes) -> String {
    if let Some(score) = &metric.score {
        return format!("{}{} for {}", of_score(score), scope(metric), purpose.0);
    }
    if let Some(sequence) = &metric.sequence {
        return format!(
            "{} within {} for {}",
            canonical_sequence(sequence),
            window(metric.window),
            purpose.0
        );
    }
    let kind = kind(metric.kind);
    let event = quoted(&metric.event);
    let property = metric.property.as_ref().map(|name| format!(".{}", quoted(name))).unwrap_or_default();
    let filter = metric.filter.as_ref().map_or_else(|| "all".to_owned(), truth);
    let window = window(metric.window);
    let zone = metric.timezone.as_ref().map(|zone| format!(" at {}", quoted(zone))).unwrap_or_default();
    let scope = scope(metric);
    let kept = if metric.keeps_values() { format!(" max {}", metric.detail) } else { String::new() };
    let purpose = purpose.0;
    let rates = if metric.is_converted { " at rates" } else { "" };
    format!("{kind} {event}{property} where {filter} in {window}{zone}{kept}{scope}{rates} for {purpose}")
}

/// What adds to it stands in the order of its own texts.
fn of_score(score: &Score) -> String {
    let point = |points: &Points| {
        let filter = points.filter.as_ref().map_or_else(|| "all".to_owned(), truth);
        format!("{} where {filter}: {}", quoted(&points.event), points.micro)
    };
    let mut points: Vec<String> = score.points.iter().map(point).collect();
    points.sort();
    let Score { half_life_ms, min, max, .. } = score;
    format!("score {half_life_ms}ms {min}..{max} [{}]", points.join(" "))
}

fn canonical_sequence(sequence: &Sequence) -> String {
    let step = |step: &Step| {
        let filter = step.filter.as_ref().map_or_else(|| "all".to_owned(), truth);
        format!("{} where {filter}", quoted(&step.event))
    };
    let steps: Vec<String> = sequence.steps.iter().map(step).collect();
    let other = |word: &str, other: &Option<Step>| {
        other.iter().map(|other| format!(" {word} {}", step(other))).collect()
    };
    let (then_no, without): (String, String) =
        (other("then no", &sequence.then_no), other("without", &sequence.without));
    let word = if sequence.asks == SequenceKind::Absence { "absence" } else { "sequence" };
    format!("{word} {}{then_no}{without}", steps.join(" then "))
}

const fn kind(kind: MetricKind) -> &'static str {
    match kind {
        MetricKind::Count => "count",
        MetricKind::Tally => "tally",
        MetricKind::Sum => "sum",
        MetricKind::Min => "min",
        MetricKind::Max => "max",
        MetricKind::Average => "avg",
        MetricKind::Distinct => "distinct",
        MetricKind::First => "first",
        MetricKind::Last => "last",
        MetricKind::Previous => "previous",
        MetricKind::Since => "since",
        MetricKind::MostFrequent => "most frequent",
        MetricKind::Top => "top",
        MetricKind::Same => "same",
        MetricKind::Score => "score",
    }
}

fn window(window: Window) -> String {
    match window {
        Window::Page => "page".to_owned(),
        Window::Session => "session".to_owned(),
        Window::Sliding(ms) => format!("{ms}ms"),
        Window::Today => "today".to_owned(),
        Window::Week => "week".to_owned(),
        Window::Month => "month".to_owned(),
        Window::Ever => "ever".to_owned(),
    }
}

/// The scope, where it is not what the window alone says.
const fn scope(metric: &Metric) -> &'static str {
    match (metric.scope, metric.window) {
        (Scope::Session, Window::Page | Window::Session) | (Scope::Visitor, _) => "",
        (Scope::Session, _) => " of session",
        (Scope::Profile, _) => " of profile",
        (Scope::Account, _) => " of account",
    }
}

/// Parts of a list stand in the order of their own texts, each once: their order in the source means nothing.
fn truth(found: &Truth) -> String {
    match found {
        Truth::All(parts) => list("all", parts),
        Truth::Any(parts) => list("any", parts),
        Truth::Opposite(inner) => format!("opposite({})", truth(inner)),
        Truth::Leaf(found) => leaf(found),
    }
}

fn list(word: &str, parts: &[Truth]) -> String {
    let mut texts: Vec<String> = parts.iter().map(truth).collect();
    texts.sort();
    texts.dedup();
    match texts.as_slice() {
        [only] => only.clone(),
        _ => format!("{word}({})", texts.join(" ")),
    }
}

fn leaf(leaf: &Leaf) -> String {
    let name = name(&leaf.fact);
    let default = match &leaf.default {
        None => String::new(),
        Some(Default::Text(text)) => format!(" else {}", quoted(text)),
        Some(Default::Number(number)) => format!(" else {number}"),
    };
    let test = match &leaf.test {
        LeafTest::OneOf(texts, true) => format!("in {}", set(texts)),
        LeafTest::OneOf(texts, false) => format!("not in {}", set(texts)),
        LeafTest::Text(test, pattern, passes) => format!("{} {} {passes}", word(*test), quoted(pattern)),
        LeafTest::Ranges(ranges) => {
            let texts: Vec<String> = ranges.iter().map(|(low, high)| format!("{low}..{high}")).collect();
            format!("between {}", texts.join(","))
        }
        LeafTest::Known => "known".to_owned(),
        LeafTest::Missing => "missing".to_owned(),
    };
    format!("[{name}{default} {test}]")
}

fn name(fact: &Fact) -> String {
    match fact {
        Fact::Property(name) => quoted(name),
        Fact::TimeProperty(name) => format!("time {}", quoted(name)),
        Fact::Item(name) => format!("item {}", quoted(name)),
        Fact::TimeItem(name) => format!("time item {}", quoted(name)),
        Fact::Trust => "trust".to_owned(),
        Fact::OwnCurrency(is_converted) => format!("own currency {is_converted}"),
        Fact::Amount(amount) => format!("{} {}", amount.micro, amount.currency),
        Fact::Builtin(builtin) => builtin.name().to_owned(),
        Fact::Difference(first, second) => format!("{} minus {}", name(&first.fact), name(&second.fact)),
        Fact::SameText(first, second) => format!("{} same as {}", name(first), name(second)),
        Fact::SameCount(..) | Fact::Lookup(_) | Fact::Clock(..) => String::new(),
        Fact::AnyItem(test) => {
            let [passes, _] = item_truths(test);
            format!("any {} {}", quoted(&test.list), truth(&passes))
        }
        // `where` reads the event only.
        Fact::Attribute(_) | Fact::Metric(_) => String::new(),
    }
}

fn set(texts: &BTreeSet<String>) -> String {
    texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(",")
}

/// A text with its length in front, so that no text can look like two.
fn quoted(text: &str) -> String {
    format!("{}:{text}", text.len())
}

const fn word(test: TextTest) -> &'static str {
    match test {
        TextTest::Contains => "contains",
        TextTest::StartsWith => "starts_with",
        TextTest::EndsWith => "ends_with",
        TextTest::MatchesGlob => "matches_glob",
    }
}
