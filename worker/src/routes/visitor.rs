//! `GET /v1/visitors/{id}`: what is kept of a visitor, and why each rule acts or does not.

use super::{log, require_admin, shards};
use crate::clock::now_ms;
use crate::programs;
use crate::reply::{self, Answered};
use selvedge_core::wire::stored::VisitorRecord;
use selvedge_edge::fault::Fault;
use selvedge_edge::ingest::json;
use selvedge_edge::visitor;
use worker::{Env, Request, Response};

/// The visitor as JSON.
pub async fn answer(request: &Request, env: &Env, id: &str) -> Answered {
    require_admin(request, env)?;
    let name = log::site_of(request, env).await?;
    let id = json::visitor(id).map_err(|_| Fault::bad_request("a visitor has 32 hexadecimal digits"))?;
    let place = shards::of_visitor(env, id)?;
    let mut response = Response::from(shards::get(env, &name, place, &format!("/visitor/{id}")).await?);
    if response.status_code() != 200 {
        return Ok(response);
    }
    let record = VisitorRecord::decode(&response.bytes().await?)
        .map_err(|fault| worker::Error::RustError(fault.to_string()))?;
    let site = programs::site(env, &name, record.publish).await?;
    reply::json(visitor::render(&site, id, &record, now_ms()))
}
