//! `POST /v1/pause` and `POST /v1/rollback`: what acts within seconds, without a publish.

use super::{log, require_admin};
use crate::registry_client::tell_registry;
use crate::reply::Answered;
use crate::{body, programs};
use selvedge_edge::order::{ORDER_BYTES_MAX, Pause, Rollback};
use worker::{Env, Request};

/// Stops a rule, or lets it act again.
pub async fn pause(request: &mut Request, env: &Env) -> Answered {
    require_admin(request, env)?;
    let order = Pause::read(&body::read(request, ORDER_BYTES_MAX).await?)?;
    let site = log::site_of(request, env).await?;
    order.check(&*programs::site(env, &site, 0).await?)?;
    tell(env, &format!("/pause/{site}"), &serde_json::to_vec(&order).unwrap_or_default()).await
}

/// Puts the program of an earlier publish in force again.
pub async fn rollback(request: &mut Request, env: &Env) -> Answered {
    require_admin(request, env)?;
    let order = Rollback::read(&body::read(request, ORDER_BYTES_MAX).await?)?;
    let site = log::site_of(request, env).await?;
    tell(env, &format!("/rollback/{site}"), &serde_json::to_vec(&order).unwrap_or_default()).await
}

/// Tells the registry, and learns at once what it did.
async fn tell(env: &Env, path: &str, body: &[u8]) -> Answered {
    let response = tell_registry(env, path, body).await?;
    programs::poll(env).await?;
    Ok(response)
}
