//! The shards of a site, by name: `{site}/{topology}/{shard}`.

use crate::reply::Problem;
use crate::settings;
use selvedge_core::id::VisitorId;
use worker::{Env, Method, Request, RequestInit, Response, Stub};

/// The one topology entry there is so far.
const TOPOLOGY: u8 = 0;

/// The shard that owns a visitor.
pub fn of_visitor(env: &Env, site: &str, visitor: VisitorId) -> Result<Stub, Problem> {
    stub(env, site, visitor.shard(settings::shards(env)))
}

/// Asks a shard.
pub async fn ask(env: &Env, site: &str, shard: u32, path: &str) -> Result<Vec<u8>, Problem> {
    let mut response = get(&stub(env, site, shard)?, path).await?;
    let body = response.bytes().await?;
    if response.status_code() == 200 {
        Ok(body)
    } else {
        Err(worker::Error::RustError(String::from_utf8_lossy(&body).into_owned()).into())
    }
}

/// Asks the shard behind a stub.
pub async fn get(stub: &Stub, path: &str) -> Result<Response, Problem> {
    Ok(stub.fetch_with_request(Request::new(&format!("https://shard{path}"), Method::Get)?).await?)
}

/// Sends the shard behind a stub a body.
pub async fn post(stub: &Stub, path: &str, body: &[u8]) -> Result<Response, Problem> {
    let mut init = RequestInit::new();
    init.with_method(Method::Post).with_body(Some(js_sys::Uint8Array::from(body).into()));
    Ok(stub.fetch_with_request(Request::new_with_init(&format!("https://shard{path}"), &init)?).await?)
}

fn stub(env: &Env, site: &str, shard: u32) -> Result<Stub, Problem> {
    Ok(env.durable_object("SHARD")?.get_by_name(&format!("{site}/{TOPOLOGY}/{shard}"))?)
}
