//! `OPTIONS`: what a page of a listed origin may send.

use crate::programs;
use crate::reply::{Answered, typed};
use selvedge_edge::access;
use selvedge_edge::fault::Fault;
use worker::{Env, Request};

/// Answers a preflight. Config and programs are for everyone, collect for listed origins.
pub async fn answer(request: &Request, env: &Env) -> Answered {
    let origin = request.headers().get("origin")?.unwrap_or_default();
    let is_open = request.path().starts_with("/s/");
    let is_listed =
        is_open || programs::sites(env).await?.iter().any(|site| access::is_listed(&site.config, &origin));
    if !is_listed {
        return Err(Fault::origin_not_allowed("no site lists this origin").into());
    }
    let builder = typed("text/plain")?
        .with_status(204)
        .with_header("access-control-allow-origin", if is_open { "*" } else { &origin })?
        .with_header("access-control-allow-methods", "GET, POST")?
        .with_header("access-control-allow-headers", "content-type, authorization")?
        .with_header("access-control-max-age", "86400")?
        .with_header("vary", "Origin")?;
    Ok(builder.empty())
}
