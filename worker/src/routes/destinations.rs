//! `GET /v1/destinations`, and `POST /v1/destinations/{name}/{pause|resume}`: how they stand in every shard, and orders to
//! all of them.

use super::{log, require_admin, shards};
use crate::clock::now_ms;
use crate::reply::{self, Answered, Problem};
use crate::shard::Stats;
use crate::{programs, settings};
use selvedge_core::wire::program::Way;
use selvedge_edge::delivery::report::{Report, Summary, render, summed};
use selvedge_edge::fault::Fault;
use selvedge_edge::site::Site;
use selvedge_edge::topology::Place;
use worker::{Env, Request};

/// How the destinations of a site stand.
pub async fn list(request: &Request, env: &Env) -> Answered {
    require_admin(request, env)?;
    let name = log::site_of(request, env).await?;
    let site = programs::site(env, &name, 0).await?;
    reply::json(render(&summaries(env, &site).await?))
}

/// Stops a destination in every shard, or lets it go on.
pub async fn order(request: &Request, env: &Env, name: &str, order: &str) -> Answered {
    require_admin(request, env)?;
    let site = log::site_of(request, env).await?;
    let site = programs::site(env, &site, 0).await?;
    let is_named = |way: &Way| *way != Way::Log;
    if !site.destinations.iter().any(|found| found.name == name && is_named(&found.way)) {
        let message = format!("the site has no destination {name} that is sent to");
        return Err(Fault::not_found(message).into());
    }
    for place in settings::topology(env)?.places() {
        let path = format!("/destination/{name}/{order}");
        let response = shards::post(env, site.name(), place, &path, &[]).await?;
        if response.status() != 200 {
            return Err(Fault::storage("a shard could not keep the order; give it again").into());
        }
    }
    reply::json(render(&summaries(env, &site).await?))
}

/// What a shard reports, with its place and measured against the site's bounds.
pub fn of_shard(site: &Site, place: Place, reports: Vec<Report>) -> Vec<(String, Report)> {
    let now_ms = now_ms();
    let measured = |mut report: Report| {
        report.measure(&site.destinations, now_ms);
        (place.object(site.name()), report)
    };
    reports.into_iter().map(measured).collect()
}

async fn summaries(env: &Env, site: &Site) -> Result<Vec<Summary>, Problem> {
    let mut reports = Vec::new();
    for place in settings::topology(env)?.places() {
        let bytes = shards::ask(env, site.name(), place, "/stats").await?;
        let stats = Stats::decode(&bytes).map_err(|fault| worker::Error::RustError(fault.to_string()))?;
        reports.extend(of_shard(site, place, stats.destinations));
    }
    Ok(summed(reports))
}
