//! `GET /metrics`: the ledger and the times, in OpenMetrics text.

mod destinations;
mod drift;

pub use drift::{DRIFT_MAX, Drift};

use crate::delivery::report::Summary;
use crate::histogram::{Bounds, Histogram};
use crate::ledger::{Counter, Ledger};
use crate::sample_ratio::Sample;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use selvedge_core::event::RefusalCode;
use selvedge_core::pairs::Pairs;

/// Upper bounds of the buckets of requests' times, in milliseconds.
pub const REQUEST_MS: Bounds = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000];

/// What stands on the page of one site.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SiteMetrics {
    /// The site's name.
    pub site: String,
    /// The ledgers of its shards together.
    pub ledger: Ledger,
    /// Rows in its quarantine.
    pub quarantine_rows: u64,
    /// Visitors that anything is kept of.
    pub visitors: u64,
    /// Bytes of its shards' storage.
    pub storage_bytes: u64,
    /// The publish number in force.
    pub publish: u64,
    /// The units of its experiments.
    pub experiments: Vec<Sample>,
    /// How its destinations stand, all shards together, by name.
    pub destinations: Vec<Summary>,
    /// When this was asked for: Unix milliseconds.
    pub now_ms: u64,
    /// Quarantined events that the plan does not know all of.
    pub drift: Vec<Drift>,
}

/// Times of this worker by [`REQUEST_MS`], each with its name (`ingest`, `decide`).
pub type Times<'a> = [(&'a str, &'a Histogram)];

/// The whole page, ending with `# EOF`. `failures` counts batches that failed as a whole, by code; `dev` says that this
/// worker may send to its own machine.
#[must_use]
pub fn render(sites: &[SiteMetrics], failures: &Pairs<&str, u64>, times: &Times<'_>, dev: bool) -> String {
    let mut out = String::new();
    for (name, help, counter) in COUNTERS {
        family(&mut out, name, "counter", help);
        for site in sites {
            sample(&mut out, &format!("{name}_total"), &site.site, "", site.ledger.get(counter));
            if counter == Counter::Quarantined {
                destinations::quarantined(&mut out, site);
            }
        }
    }
    refusals(&mut out, sites);
    drift::all(&mut out, sites);
    destinations::all(&mut out, sites);
    gauges(&mut out, sites);
    experiments(&mut out, sites);
    family(&mut out, "selvedge_batches_failed", "counter", "Batches of this worker that failed as a whole.");
    for (code, count) in failures {
        out.push_str(&format!("selvedge_batches_failed_total{{code=\"{code}\"}} {count}\n"));
    }
    for (name, times) in times {
        let name = format!("selvedge_{name}_seconds");
        family(
            &mut out,
            &name,
            "histogram",
            "Seconds that requests of this worker took, as its clock shows them.",
        );
        histogram(&mut out, &name, "", (&REQUEST_MS, times));
    }
    family(&mut out, "selvedge_dev_loopback", "gauge", "1 where destinations may stand on this machine.");
    out.push_str(&format!("selvedge_dev_loopback {}\n# EOF\n", u8::from(dev)));
    out
}

const COUNTERS: [(&str, &str, Counter); 18] = [
    ("selvedge_batches", "Batches that were stepped.", Counter::Batches),
    ("selvedge_events_received", "Events that came in batches that were stepped.", Counter::Received),
    ("selvedge_events_accepted", "Events that stand in the log.", Counter::Accepted),
    ("selvedge_events_deduplicated", "Events that had been taken before.", Counter::Deduplicated),
    ("selvedge_events_quarantined", "Refused events whose payload is kept.", Counter::Quarantined),
    ("selvedge_quarantine_replayed", "Quarantined events accepted since.", Counter::QuarantineReplayed),
    ("selvedge_quarantine_expired", "Quarantined events whose time was over.", Counter::QuarantineExpired),
    ("selvedge_quarantine_dropped", "Quarantined events that an admin dropped.", Counter::QuarantineDropped),
    ("selvedge_quarantine_purged", "Quarantined events given up with consent.", Counter::QuarantinePurged),
    (
        "selvedge_quarantine_evicted",
        "Quarantined events given up for newer ones.",
        Counter::QuarantineEvicted,
    ),
    (
        "selvedge_deadlines_put_off",
        "Alarms of visitors that failed and come again.",
        Counter::DeadlinesPutOff,
    ),
    ("selvedge_deadlines_given_up", "Alarms of visitors that failed too often.", Counter::DeadlinesGivenUp),
    ("selvedge_events_late", "Accepted events that came too late to be stepped.", Counter::Late),
    ("selvedge_events_clock_off", "Accepted events whose clock was far off.", Counter::ClockOff),
    ("selvedge_state_resets", "States that could not be read and were begun anew.", Counter::StateResets),
    ("selvedge_consent_withdrawals", "Batches by which a visitor took back a purpose.", Counter::Withdrawals),
    ("selvedge_visitors_erased", "Visitors that were erased.", Counter::VisitorsErased),
    ("selvedge_step_failures", "Steps that failed and were rolled back.", Counter::StepFailures),
];

fn refusals(out: &mut String, sites: &[SiteMetrics]) {
    family(out, "selvedge_events_refused", "counter", "Events that were not taken, by reason.");
    for site in sites {
        for code in RefusalCode::ALL {
            let label = format!(",code=\"{}\"", code.as_str());
            sample(out, "selvedge_events_refused_total", &site.site, &label, site.ledger.refused(*code));
        }
    }
}

/// What an alert watches: units that do not fall into variants as the shares say.
fn experiments(out: &mut String, sites: &[SiteMetrics]) {
    let samples = || {
        sites.iter().flat_map(|site| site.experiments.iter().map(move |found| (site.site.as_str(), found)))
    };
    family(
        out,
        "selvedge_experiment_units",
        "counter",
        "Units of an experiment, each counted at its first exposure.",
    );
    for (site, found) in samples() {
        for (variant, _, units) in &found.variants {
            let labels = format!(",experiment=\"{}\",variant=\"{variant}\"", found.experiment);
            sample(out, "selvedge_experiment_units_total", site, &labels, *units);
        }
    }
    family(
        out,
        "selvedge_experiment_suspect",
        "gauge",
        "1 where such units come of the shares less than once in a thousand experiments.",
    );
    for (site, found) in samples() {
        let labels = format!(",experiment=\"{}\"", found.experiment);
        sample(out, "selvedge_experiment_suspect", site, &labels, found.is_suspect.into());
    }
}

/// Name, help, and where the value stands.
type Gauge = (&'static str, &'static str, fn(&SiteMetrics) -> u64);

fn gauges(out: &mut String, sites: &[SiteMetrics]) {
    let families: [Gauge; 4] = [
        ("selvedge_quarantine_rows", "Rows in the quarantine.", |site| site.quarantine_rows),
        ("selvedge_visitors", "Visitors that anything is kept of.", |site| site.visitors),
        ("selvedge_storage_bytes", "Bytes of the shards' storage.", |site| site.storage_bytes),
        ("selvedge_publish_number", "The publish number in force.", |site| site.publish),
    ];
    for (name, help, value) in families {
        family(out, name, "gauge", help);
        for site in sites {
            sample(out, name, &site.site, "", value(site));
        }
    }
}

fn family(out: &mut String, name: &str, kind: &str, help: &str) {
    out.push_str(&format!("# TYPE {name} {kind}\n# HELP {name} {help}\n"));
}

fn sample(out: &mut String, name: &str, site: &str, labels: &str, value: u64) {
    out.push_str(&format!("{name}{{site=\"{site}\"{labels}}} {value}\n"));
}

/// The samples of a histogram; `labels` end with a comma where there are any.
fn histogram(out: &mut String, name: &str, labels: &str, (bounds_ms, times): (&Bounds, &Histogram)) {
    let bounds = bounds_ms.iter().map(|bound_ms| seconds(*bound_ms)).chain(["+Inf".into()]);
    let mut all = 0;
    for (bound, count) in bounds.zip(times.cumulated()) {
        out.push_str(&format!("{name}_bucket{{{labels}le=\"{bound}\"}} {count}\n"));
        all = count;
    }
    let labels = labels.trim_end_matches(',');
    let labels = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
    out.push_str(&format!("{name}_sum{labels} {}\n{name}_count{labels} {all}\n", seconds(times.sum_ms())));
}

fn seconds(ms: u64) -> String {
    format!("{}.{:03}", ms / 1_000, ms % 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_openmetrics() {
        let mut site = SiteMetrics { site: "shop".into(), publish: 2, ..SiteMetrics::default() };
        site.ledger.add(Counter::Accepted, 7);
        site.ledger.refuse(RefusalCode::UnknownEvent);
        let mut ingest = Histogram::default();
        [0, 3, 9_000].into_iter().for_each(|took_ms| ingest.observe(&REQUEST_MS, took_ms));
        let page = render(&[site], &[("unreadable", 4)].into_iter().collect(), &[("ingest", &ingest)], true);
        for line in [
            "# TYPE selvedge_events_accepted counter",
            "selvedge_events_accepted_total{site=\"shop\"} 7",
            "selvedge_events_refused_total{site=\"shop\",code=\"unknown_event\"} 1",
            "selvedge_events_delivered_total{site=\"shop\",destination=\"log\"} 7",
            "selvedge_batches_failed_total{code=\"unreadable\"} 4",
            "selvedge_publish_number{site=\"shop\"} 2",
            "selvedge_ingest_seconds_bucket{le=\"0.001\"} 1",
            "selvedge_ingest_seconds_bucket{le=\"0.005\"} 2",
            "selvedge_ingest_seconds_bucket{le=\"+Inf\"} 3",
            "selvedge_ingest_seconds_sum 9.003",
            "selvedge_dev_loopback 1",
        ] {
            assert!(page.lines().any(|known| known == line), "{line}\n{page}");
        }
        assert!(page.ends_with("# EOF\n"));
    }
}
