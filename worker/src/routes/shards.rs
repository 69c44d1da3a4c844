//! The shards of a site: which one owns a visitor, and how each is asked.

use crate::reply::{Passed, Problem};
use crate::{host, settings};
use selvedge_core::id::VisitorId;
use selvedge_edge::fault::Fault;
use selvedge_edge::topology::Place;
use worker::Env;

/// Where a visitor lives.
pub fn of_visitor(env: &Env, visitor: VisitorId) -> Result<Place, Problem> {
    let place = settings::topology(env)?.place(visitor);
    let unknown = || {
        let message = format!("the visitor names topology entry {}, which there is not", visitor.topology());
        Fault::bad_request(message)
    };
    Ok(place.ok_or_else(unknown)?)
}

/// Asks a shard.
pub async fn ask(env: &Env, site: &str, place: Place, path: &str) -> Result<Vec<u8>, Problem> {
    body_of(get(env, site, place, path).await?).await
}

/// Orders a shard something, and reads what it answers.
pub async fn order(env: &Env, site: &str, place: Place, path: &str, body: &[u8]) -> Result<Vec<u8>, Problem> {
    body_of(post(env, site, place, path, body).await?).await
}

async fn body_of(response: web_sys::Response) -> Result<Vec<u8>, Problem> {
    let response = worker::Response::from(response);
    let (status, mut response) = (response.status_code(), response);
    let body = response.bytes().await?;
    if status == 200 {
        Ok(body)
    } else {
        Err(worker::Error::RustError(String::from_utf8_lossy(&body).into_owned()).into())
    }
}

/// Asks a shard, and passes on whatever it answers.
pub async fn get(env: &Env, site: &str, place: Place, path: &str) -> Passed {
    send(env, site, place, path, None).await
}

/// Sends a shard a body.
pub async fn post(env: &Env, site: &str, place: Place, path: &str, body: &[u8]) -> Passed {
    send(env, site, place, path, Some(body)).await
}

async fn send(env: &Env, site: &str, place: Place, path: &str, body: Option<&[u8]>) -> Passed {
    let topology = settings::topology(env)?;
    let object = host::Object {
        binding: "SHARD",
        jurisdiction: topology.jurisdiction(place),
        name: &place.object(site),
    };
    Ok(host::send(env, &object, path, body).await?)
}
