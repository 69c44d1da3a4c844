//! The routes: address and method in, one handler each. docs/openapi.yaml describes them.

mod assets;

mod preflight;

mod shards;

mod log_stream;

mod log;

mod quarantine;

mod destinations;

mod metrics;

mod collect;

mod decide;

mod publish;

mod order;

mod lookups;

mod site;

mod visitor;

mod erase;

use crate::fault_plan::FaultPlan;
use crate::host::Shown;
use crate::reply::{self, Answered, Passed};
use crate::settings;
use selvedge_edge::access;
use selvedge_edge::fault::Fault;
use std::time::Duration;
use worker::{Delay, Env, Method, Request};

/// Answers a request.
pub async fn route(request: web_sys::Request, env: Env) -> worker::Result<web_sys::Response> {
    match handle(request, &env).await {
        Ok(response) => Ok(response),
        Err(problem) => Ok(reply::of_problem(problem)?.into()),
    }
}

/// What the shards answer is passed on as it is; everything else is made here.
async fn handle(request: web_sys::Request, env: &Env) -> Passed {
    let shown = Shown::of(&request);
    match (shown.method(), shown.path()) {
        ("POST", "/v1/collect") => collect::answer(&request, &shown, env).await,
        ("POST", "/v1/decide") => decide::answer(&request, &shown, env).await,
        _ => Ok(made(request.into(), env).await?.into()),
    }
}

async fn made(mut request: Request, env: &Env) -> Answered {
    let path = request.path();
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let method = request.method();
    if method == Method::Options {
        return preflight::answer(&request, env).await;
    }
    let is_read = matches!(method, Method::Get | Method::Head);
    match segments.as_slice() {
        ["v1", "collect" | "decide"] => Err(Fault::method_not_allowed("this route takes POST").into()),
        ["v1", "publish"] => on(method == Method::Post, publish::answer(&mut request, env)).await,
        ["v1", "pause"] => on(method == Method::Post, order::pause(&mut request, env)).await,
        ["v1", "rollback"] => on(method == Method::Post, order::rollback(&mut request, env)).await,
        ["v1", "lookups", site] => on(is_read, lookups::list(&request, env, site)).await,
        ["v1", "lookups", site, name] => lookups::table(&mut request, env, site, name).await,
        ["v1", "lookups", site, name, key] => {
            on(method == Method::Delete, lookups::remove(&request, env, site, name, key)).await
        }
        ["v1", "programs", hash] => on(is_read, publish::program(&request, env, hash)).await,
        ["v1", "programs"] => on(is_read, publish::history(&request, env)).await,
        ["v1", "log"] => on(is_read, log::log(&request, env)).await,
        ["v1", "quarantine"] => on(is_read, quarantine::list(&request, env)).await,
        ["v1", "quarantine", order @ ("replay" | "drop")] => {
            on(method == Method::Post, quarantine::order(&mut request, env, order)).await
        }
        ["v1", "quarantine", "groups"] => on(is_read, quarantine::groups(&request, env)).await,
        ["v1", "quarantine", entry] => on(is_read, quarantine::show(&request, env, entry)).await,
        ["v1", "erase"] => on(method == Method::Post, erase::answer(&mut request, env)).await,
        ["v1", "visitors", id] => on(is_read, visitor::answer(&request, env, id)).await,
        ["v1", "destinations"] => on(is_read, destinations::list(&request, env)).await,
        ["v1", "destinations", name, order @ ("pause" | "resume")] => {
            on(method == Method::Post, destinations::order(&request, env, name, order)).await
        }
        ["metrics"] => on(is_read, metrics::answer(&request, env)).await,
        ["health"] => on(is_read, health()).await,
        ["s", name, "config"] => on(is_read, site::config(&request, env, name)).await,
        ["s", name, "program", hash] => on(is_read, site::program(env, name, hash)).await,
        [".well-known", "gpc.json"] => on(is_read, gpc()).await,
        ["__fault", kind] if settings::plants_faults(env) => planted(kind).await,
        ["v1" | "s", ..] => Err(Fault::not_found("there is no such route").into()),
        _ => on(is_read, assets::answer(&request, env)).await,
    }
}

async fn on(is_allowed: bool, answer: impl Future<Output = Answered>) -> Answered {
    if is_allowed {
        answer.await
    } else {
        Err(Fault::method_not_allowed("this route has another method").into())
    }
}

async fn health() -> Answered {
    reply::json(r#"{"status":"ok"}"#.into())
}

/// The site honours Global Privacy Control.
async fn gpc() -> Answered {
    reply::json(r#"{"gpc":true,"lastUpdate":"2026-11-22"}"#.into())
}

/// For tests: a panic outside the barrier, a slow call to be in flight during one, what was written to storage.
async fn planted(kind: &str) -> Answered {
    match kind {
        "panic" => {
            Delay::from(Duration::from_millis(1)).await;
            FaultPlan { is_on: true }.outside_the_barrier();
        }
        "rows_written" => return reply::json(format!(r#"{{"rows":{}}}"#, crate::sql::rows_written())),
        "slow" => Delay::from(Duration::from_millis(500)).await,
        _ => return Err(Fault::not_found("there is no such fault").into()),
    }
    health().await
}

/// The bearer token of a request.
fn bearer(request: &Request) -> worker::Result<Option<String>> {
    let header = request.headers().get("authorization")?;
    Ok(header.as_deref().and_then(access::bearer).map(str::to_owned))
}

/// Lets only the holder of the admin token pass.
fn require_admin(request: &Request, env: &Env) -> Result<(), crate::reply::Problem> {
    let token = settings::admin_token(env);
    if access::is_admin(token.as_deref(), bearer(request)?.as_deref()) {
        return Ok(());
    }
    Err(Fault::unknown_key("this route needs the admin token").into())
}

/// The parameters of the request's query.
fn query(request: &Request) -> Vec<(String, String)> {
    access::query(&request.inner().url())
}

/// A parameter of the request's query.
fn parameter(request: &Request, name: &str) -> worker::Result<Option<String>> {
    Ok(query(request).into_iter().find(|(known, _)| known == name).map(|(_, value)| value))
}

/// The visitor's country, where the platform knows it.
fn country(request: &Request) -> worker::Result<Option<String>> {
    let header = request.headers().get("cf-ipcountry")?;
    Ok(header.filter(|code| access::country(code).is_some()))
}
