//! Metrics and scores as written: each a name and what it measures.

use super::score::{read_score, read_warm_up};
use crate::condition::{self, parse_metric};
use crate::diagnostic::Report;
use crate::fields::{self, Fields, NameKind, Spanned};
use crate::written::entries::{name_of, named};
use crate::yaml::{Entry, Node, Value, traps};

/// A named metric as written.
#[derive(Debug)]
pub(crate) struct Metric {
    pub name: Spanned<String>,
    pub metric: Option<condition::Metric>,
}

/// Named metrics, then scores.
pub(super) fn read_metrics(fields: &mut Fields<'_>, source: &str, report: &mut Report) -> Vec<Metric> {
    let mut metrics =
        named(fields.optional("metrics"), |entry, report| read_metric(entry, source, report), report);
    metrics.extend(named(
        fields.optional("scores"),
        |entry, report| {
            let (name, metric) = read_score(entry, source, report)?;
            Some(Metric { name, metric })
        },
        report,
    ));
    metrics
}

/// A metric, or a mapping of `measure` and how it begins.
fn read_metric(entry: &Entry, source: &str, report: &mut Report) -> Option<Metric> {
    let name = name_of(entry, NameKind::Dotted, report);
    let Value::Map(_) = &entry.value.value else {
        return Some(Metric { name, metric: read_measure(&entry.value, source, report) });
    };
    let mut fields = Fields::of(&entry.value, report)?;
    let measure = fields.required("measure").and_then(|node| read_measure(node, source, report));
    let warm_up = read_warm_up(&mut fields, report);
    fields.finish(&[], report);
    Some(Metric { name, metric: measure.map(|metric| condition::Metric { warm_up, ..metric }) })
}

fn read_measure(node: &Node, source: &str, report: &mut Report) -> Option<condition::Metric> {
    let scalar = fields::scalar(node, "a metric: `count purchase in session`", report)?;
    traps::check_condition(node, scalar, source, report);
    parse_metric(&scalar.text, &scalar.anchor, report)
}
