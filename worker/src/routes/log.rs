//! `GET /v1/log`: all shards of a site as one sequence of JSON lines, from a cursor.

use super::log_stream::{Asked, Reader, Source, stream};
use super::{parameter, require_admin};
use crate::programs;
use crate::reply::{Answered, Problem, typed};
use crate::settings;
use selvedge_edge::cursor::Start;
use selvedge_edge::fault::Fault;
use selvedge_edge::ingest::json;
use worker::{Env, Request};

/// Tells the shim that the module goes on producing the body.
const STREAM_HEADER: &str = "selvedge-stream";

/// The log.
pub async fn log(request: &Request, env: &Env) -> Answered {
    require_admin(request, env)?;
    let site = site_of(request, env).await?;
    lines(request, env, site, Source::Log)
}

/// What a request asks for of a log or a quarantine, as JSON lines.
pub fn lines(request: &Request, env: &Env, site: String, source: Source) -> Answered {
    let from = parameter(request, "from")?.unwrap_or_default();
    let start = Start::parse(&from).map_err(|fault| Fault::bad_request(fault.to_string()))?;
    let limit = match parameter(request, "limit")? {
        None => u64::MAX,
        Some(text) => text.parse().map_err(|_| Fault::bad_request("limit must be a whole number"))?,
    };
    let time = |name: &str, default_ms| match parameter(request, name)? {
        None => Ok(default_ms),
        Some(text) => text
            .parse()
            .map_err(|_| Problem::from(Fault::bad_request(format!("{name} must be Unix milliseconds")))),
    };
    let (since_ms, until_ms) = (time("since", 0)?, time("until", u64::MAX)?);
    let is_live = parameter(request, "live")?.as_deref() == Some("1");
    let places = settings::topology(env)?.places().collect();
    // Of the quarantine it is a part of the selection.
    let visitor = parameter(request, "visitor")?.filter(|_| source == Source::Log);
    let visitor = visitor.map(|id| json::visitor(&id)).transpose();
    let visitor = visitor.map_err(|_| Fault::bad_request("a visitor has 32 hexadecimal digits"))?;
    let asked = Asked { since_ms, until_ms, visitor, limit, is_live };
    let reader = Reader::new(env.clone(), site, places, source, start, asked);
    let builder = typed("application/x-ndjson")?.with_header(STREAM_HEADER, "1")?;
    Ok(builder.from_stream(stream(reader))?)
}

/// The site that a request of an admin is about: named, or the only one.
pub async fn site_of(request: &Request, env: &Env) -> Result<String, Problem> {
    let sites = programs::names(env).await?;
    let named = parameter(request, "site")?;
    match (named, sites.as_slice()) {
        (Some(name), sites) if sites.contains(&name) => Ok(name),
        (Some(name), _) => {
            Err(Fault::not_published(format!("nothing is published for the site {name}")).into())
        }
        (None, [site]) => Ok(site.clone()),
        (None, []) => Err(Fault::not_published("no site is published").into()),
        (None, _) => Err(Fault::bad_request("name the site: ?site=").into()),
    }
}
