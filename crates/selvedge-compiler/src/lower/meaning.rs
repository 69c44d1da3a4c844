//! The meaning of a count in canonical form. Its hash names the count's cell in stored state, so the text may never
//! change for a meaning that stays the same.

use crate::resolved::{Default, Fact, Leaf, LeafTest, Metric, Truth};
use selvedge_core::consent::Purposes;
use selvedge_core::hash::fnv1a_64;
use selvedge_core::wire::program::{TextTest, Window};
use std::collections::BTreeSet;

/// The hash of what `metric` counts under `purpose`.
pub(crate) fn meaning(metric: &Metric, purpose: Purposes) -> u64 {
    fnv1a_64(canonical(metric, purpose).as_bytes())
}

fn canonical(metric: &Metric, purpose: Purposes) -> String {
    let window = match metric.window {
        Window::Page => "page".to_owned(),
        Window::Session => "session".to_owned(),
        Window::Sliding(ms) => format!("{ms}ms"),
    };
    let filter = metric.filter.as_ref().map_or_else(|| "all".to_owned(), truth);
    format!("count {} where {filter} in {window} for {}", quoted(&metric.event), purpose.0)
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
    let name = match &leaf.fact {
        Fact::Property(name) => quoted(name),
        // `where` reads properties only.
        Fact::Builtin(_) | Fact::Attribute(_) | Fact::Metric(_) => String::new(),
    };
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
