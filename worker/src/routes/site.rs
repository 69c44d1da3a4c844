//! What a page fetches without a cookie: its site's config and program.

use super::{country, parameter};
use crate::clock::now_ms;
use crate::reply::{self, Answered};
use crate::{programs, settings};
use selvedge_edge::fault::Fault;
use selvedge_edge::publish::is_site_name;
use selvedge_edge::site::Asking;
use worker::{Env, Request, ResponseBuilder};

/// How long a page's config may be kept, by its browser alone: another visitor's region may have another consent mode.
const CONFIG_CACHE: &str = "private, max-age=5";
/// What a page reads that does not say it.
const READS_AT_LEAST: u8 = 1;
/// A program never changes under its hash.
const PROGRAM_CACHE: &str = "public, max-age=31536000, immutable";

/// `GET /s/{site}/config`.
pub async fn config(request: &Request, env: &Env, name: &str) -> Answered {
    known(name)?;
    let body = match programs::sites(env).await?.iter().find(|site| site.name() == name) {
        Some(site) => {
            let continent = request.cf().and_then(|cf| cf.continent());
            let entry = settings::topology(env)?.entry_for(continent.as_deref());
            let known = request.cf().and_then(|cf| cf.region_code());
            let subdivision = known.or(request.headers().get("cf-region-code")?);
            let country = country(request)?;
            let reads = parameter(request, "reads")?.and_then(|form| form.parse().ok());
            let asking = Asking {
                country: country.as_deref(),
                subdivision: subdivision.as_deref(),
                reads: reads.unwrap_or(READS_AT_LEAST),
            };
            site.page_config(asking, entry, settings::refresh_ms(env), now_ms())
        }
        None => return Err(Fault::not_found("there is no such site").into()),
    };
    let builder = ResponseBuilder::new()
        .with_header("content-type", "application/json")?
        .with_header("cache-control", CONFIG_CACHE)?;
    reply::with_origin(builder.fixed(body.into_bytes()), "*")
}

/// `GET /s/{site}/program/{hash}`: the page's form.
pub async fn program(env: &Env, name: &str, hash: &str) -> Answered {
    known(name)?;
    if selvedge_core::id::parse_hex_16(hash).is_none() {
        return Err(Fault::bad_request("a program's hash has 32 hexadecimal digits").into());
    }
    let Some(bytes) = programs::public(env, hash).await? else {
        return Err(Fault::not_found("there is no program of this hash").into());
    };
    let builder = ResponseBuilder::new()
        .with_header("content-type", "application/octet-stream")?
        .with_header("cache-control", PROGRAM_CACHE)?;
    reply::with_origin(builder.fixed(bytes.to_vec()), "*")
}

fn known(name: &str) -> Result<(), Fault> {
    if is_site_name(name) { Ok(()) } else { Err(Fault::not_found("there is no such site")) }
}
