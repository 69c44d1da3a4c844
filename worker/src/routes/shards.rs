//! The shards of a site, by name: `{site}/{topology}/{shard}`.

use crate::reply::{Answered, Passed, Problem};
use crate::{host, settings};
use selvedge_core::id::VisitorId;
use worker::{Env, Method, Request};

/// The one topology entry there is so far.
const TOPOLOGY: u8 = 0;

/// The shard that owns a visitor.
pub fn of_visitor(env: &Env, visitor: VisitorId) -> u32 {
    visitor.shard(settings::shards(env))
}

/// Asks a shard.
pub async fn ask(env: &Env, site: &str, shard: u32, path: &str) -> Result<Vec<u8>, Problem> {
    let mut response = get(env, site, shard, path).await?;
    let body = response.bytes().await?;
    if response.status_code() == 200 {
        Ok(body)
    } else {
        Err(worker::Error::RustError(String::from_utf8_lossy(&body).into_owned()).into())
    }
}

/// Asks a shard, and passes on whatever it answers.
pub async fn get(env: &Env, site: &str, shard: u32, path: &str) -> Answered {
    let stub = env.durable_object("SHARD")?.get_by_name(&name(site, shard))?;
    Ok(stub.fetch_with_request(Request::new(&format!("https://object{path}"), Method::Get)?).await?)
}

/// Sends a shard a body.
pub async fn post(env: &Env, site: &str, shard: u32, path: &str, body: &[u8]) -> Passed {
    Ok(host::post(env, "SHARD", &name(site, shard), path, body).await?)
}

fn name(site: &str, shard: u32) -> String {
    format!("{site}/{TOPOLOGY}/{shard}")
}
