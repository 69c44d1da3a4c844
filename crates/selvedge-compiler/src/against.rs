//! What a publish beside an older program would do: a metric of all time that is new would never be known of the visitors
//! who are there already.

use crate::codes::Code;
use crate::diagnostic::Report;
use crate::resolved::{Metric, Site};
use selvedge_core::wire::program::{MetricKind, Parts, WarmUp, Window};

/// Reports the metrics of `full` that the older program does not hold and that would never be known of its visitors.
pub(crate) fn check(site: &Site, full: &Parts, older: &Parts, report: &mut Report) {
    let is_new = |meaning| older.metrics.iter().all(|metric| metric.meaning != meaning);
    for found in full.metrics.iter().filter(|metric| is_new(metric.meaning)) {
        let written = site.metrics.iter().flatten().find(|metric| metric.name == found.name);
        if let Some(metric) = written.filter(|metric| is_never_known(metric)) {
            let name = &metric.name;
            let message = format!("`{name}` is new, and never known of visitors who are there already");
            let help =
                "write it under `metrics` as a mapping of `measure` and `warm_up: log`, or `zero`".to_owned();
            report.add_help(Code::E0420, metric.span, message, help);
        }
    }
}

fn is_never_known(metric: &Metric) -> bool {
    use MetricKind::{Average, Distinct, Max, Min, MostFrequent, Same, Sum, Tally, Top};
    let is_of_all =
        matches!(metric.kind, Tally | Sum | Min | Max | Average | Distinct | MostFrequent | Top | Same);
    is_of_all
        && metric.sequence.is_none()
        && metric.window == Window::Ever
        && metric.warm_up == WarmUp::Unknown
}
