//! `/v1/lookups/{site}`: the tables that are pushed. `PUT` takes a whole table, `PATCH` single rows, `DELETE` one away; each
//! is a version of its own and decides within seconds everywhere.

use super::{parameter, require_admin};
use crate::registry_client::tell_registry;
use crate::reply::{self, Answered, Problem};
use crate::{body, programs};
use selvedge_core::limits::PUSH_BYTES_MAX;
use selvedge_core::wire::program::PushedTable;
use selvedge_edge::fault::Fault;
use selvedge_edge::lookups::Push;
use selvedge_edge::publish::is_site_name;
use worker::{Env, Method, Request};

/// The content type of JSON lines.
const LINES: &str = "application/x-ndjson";

/// The tables of a site and their newest versions.
pub async fn list(request: &Request, env: &Env, site: &str) -> Answered {
    require_admin(request, env)?;
    known(site)?;
    let pointer = programs::pointer(env, site).await?;
    let pointer = pointer.ok_or_else(|| Fault::not_found("there is no such site"))?;
    reply::json(serde_json::to_string(&pointer.lookups).unwrap_or_default())
}

/// One table: its rows, or what a push does to them.
pub async fn table(request: &mut Request, env: &Env, site: &str, name: &str) -> Answered {
    require_admin(request, env)?;
    known(site)?;
    let declared = declared(env, site, name).await?;
    let push = match request.method() {
        Method::Get | Method::Head => return rows(request, env, site, &declared).await,
        Method::Put => Push::read(&body::read(request, PUSH_BYTES_MAX).await?, &declared, true)?,
        Method::Patch => Push::read(&body::read(request, PUSH_BYTES_MAX).await?, &declared, false)?,
        _ => return Err(Fault::method_not_allowed("this route takes GET, PUT and PATCH").into()),
    };
    tell(env, site, name, &push).await
}

/// Takes one row away.
pub async fn remove(request: &Request, env: &Env, site: &str, name: &str, key: &str) -> Answered {
    require_admin(request, env)?;
    known(site)?;
    let declared = declared(env, site, name).await?;
    let key = percent_decoded(key).ok_or_else(|| Fault::bad_request("the key cannot be read"))?;
    tell(env, site, name, &Push::without(&key, &declared)).await
}

async fn rows(request: &Request, env: &Env, site: &str, declared: &PushedTable) -> Answered {
    let newest = || async {
        let pointer = programs::pointer(env, site).await?;
        let versions = pointer.map(|pointer| pointer.lookups).unwrap_or_default();
        let found = versions.into_iter().find(|version| version.name == declared.name);
        Ok::<u64, Problem>(found.map_or(0, |version| version.version))
    };
    let version = match parameter(request, "version")? {
        None => newest().await?,
        Some(text) => text.parse().map_err(|_| Fault::bad_request("a version is a whole number"))?,
    };
    let table = programs::stored_table(env, site, &declared.name, version).await?;
    reply::text(table.lines(&declared.key), LINES)
}

/// Tells the registry, and learns at once what it did.
async fn tell(env: &Env, site: &str, name: &str, push: &Push) -> Answered {
    let response = tell_registry(env, &format!("/lookup/{site}/{name}"), &push.encode()).await?;
    programs::poll(env).await?;
    Ok(response)
}

/// What the site in force says of the table.
async fn declared(env: &Env, site: &str, name: &str) -> Result<PushedTable, Problem> {
    programs::poll(env).await?;
    let site = programs::site(env, site, 0).await?;
    let found = site.config.pushed.iter().find(|table| table.name == name).cloned();
    let missing = || Fault::not_found(format!("site.yaml has no lookup {name} with `from: push`"));
    Ok(found.ok_or_else(missing)?)
}

fn known(site: &str) -> Result<(), Fault> {
    if is_site_name(site) { Ok(()) } else { Err(Fault::not_found("there is no such site")) }
}

/// A segment of an address as text.
fn percent_decoded(segment: &str) -> Option<String> {
    js_sys::decode_uri_component(segment).ok().and_then(|text| text.as_string())
}
