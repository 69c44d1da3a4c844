//! Metrics and scores as written: each a name and what it measures.

use super::score::read_score;
use crate::condition::{self, parse_metric};
use crate::diagnostic::Report;
use crate::fields::{self, Fields, NameKind, Spanned};
use crate::written::entries::{name_of, named};
use crate::yaml::{Entry, traps};

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

fn read_metric(entry: &Entry, source: &str, report: &mut Report) -> Option<Metric> {
    let name = name_of(entry, NameKind::Dotted, report);
    let scalar = fields::scalar(&entry.value, "a metric: `count purchase in session`", report)?;
    traps::check_condition(&entry.value, scalar, source, report);
    let metric = parse_metric(&scalar.text, &scalar.anchor, report);
    Some(Metric { name, metric })
}
