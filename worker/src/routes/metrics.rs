//! `GET /metrics`: the ledgers of all shards, and the times of this isolate.

use super::{destinations, require_admin, shards};
use crate::clock::now_ms;
use crate::reply::{self, Answered};
use crate::shard::Stats;
use crate::{programs, settings};
use selvedge_core::pairs::Pairs;
use selvedge_edge::delivery::report::summed;
use selvedge_edge::histogram::Histogram;
use selvedge_edge::metrics::{REQUEST_MS, SiteMetrics, render};
use selvedge_edge::sample_ratio::Sample;
use std::cell::RefCell;
use worker::{Env, Request};

/// What OpenMetrics text is called.
const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Default)]
struct Times {
    ingest: Histogram,
    decide: Histogram,
    failures: Pairs<&'static str, u64>,
}

thread_local! {
    static TIMES: RefCell<Times> = RefCell::default();
}

/// Counts the time of a collect.
pub fn observe_ingest(took_ms: u64) {
    TIMES.with_borrow_mut(|times| times.ingest.observe(&REQUEST_MS, took_ms));
}

/// Counts the time of a decide.
pub fn observe_decide(took_ms: u64) {
    TIMES.with_borrow_mut(|times| times.decide.observe(&REQUEST_MS, took_ms));
}

/// Counts a collect that failed as a whole: of such a batch nothing is kept but this.
pub fn count_failure(code: &'static str) {
    TIMES.with_borrow_mut(|times| {
        times.failures.get_or_default(code).into_iter().for_each(|count| *count = count.saturating_add(1));
    });
}

/// The page.
pub async fn answer(request: &Request, env: &Env) -> Answered {
    require_admin(request, env)?;
    let mut sites = Vec::new();
    for site in programs::sites(env).await? {
        let mut reports = Vec::new();
        let mut metrics =
            SiteMetrics { site: site.name().to_owned(), publish: site.publish, ..SiteMetrics::default() };
        let mut units: Pairs<String, u64> = Pairs::default();
        for place in settings::topology(env)?.places() {
            let bytes = shards::ask(env, site.name(), place, "/stats").await?;
            let stats = Stats::decode(&bytes).map_err(|fault| worker::Error::RustError(fault.to_string()))?;
            metrics.ledger.merge(&stats.ledger);
            metrics.quarantine_rows = metrics.quarantine_rows.saturating_add(stats.quarantine_rows);
            metrics.visitors = metrics.visitors.saturating_add(stats.visitors);
            metrics.storage_bytes = metrics.storage_bytes.saturating_add(stats.storage_bytes);
            for (name, count) in stats.units {
                units.get_or_default(name).into_iter().for_each(|sum| *sum = sum.saturating_add(count));
            }
            metrics.add_drift(stats.drift);
            reports.extend(destinations::of_shard(&site, place, stats.destinations));
        }
        let experiments = &site.program.parts().deciding.experiments;
        let count = |name: &str| units.get(name).copied().unwrap_or(0);
        metrics.experiments = experiments.iter().map(|experiment| Sample::of(experiment, &count)).collect();
        metrics.destinations = summed(reports);
        metrics.now_ms = now_ms();
        sites.push(metrics);
    }
    let dev = settings::may_reach_loopback(env);
    let page = TIMES.with_borrow(|times| {
        render(&sites, &times.failures, &[("ingest", &times.ingest), ("decide", &times.decide)], dev)
    });
    reply::text(page, CONTENT_TYPE)
}
